/** Speaking with the server over /api/speech: the microphone up, the voice down. What happens is told as
    `{type: ...}` to the function given: state, waiting (for a place: or no longer), level, hearing, heard,
    nothing, failed, lost, said, interrupted (somebody speaks while something is said), refused. */

import { Player } from "./player.js";

const RATE_HZ = 16_000;
const USUAL_VOICE_HZ = 22_050; // of both voices that come along; another one says so
const MOST_WAITING_BYTES = 10 * RATE_HZ * 2; // ten seconds of sound on a line that is too slow: then it is lost
const LONGEST_SAID = 4_000; // characters, to the server
const SPOKEN = "…"; // instead of a stop word: somebody just goes on speaking
const IDLE_MS = 45_000; // then the place is given back to other customers
const MOST_ATTEMPTS = 4; // while all places are taken; then the customer says when to try again
const ATTEMPT_PAUSE_MS = 2_000; // somebody ends a sentence in about that time
const STARTING_MS = 5_000; // sound of a machine that is busy has begun long before
const PATIENCE_MS = 30_000; // no server that works takes longer to be ready, or for the last words

/** Whether a microphone may be asked for at all: browsers hide it from pages without https. */
export const canListen = Boolean(navigator.mediaDevices?.getUserMedia && window.AudioWorkletNode);

export class Speech {
  constructor(tell) {
    this.tell = tell;
    this.state = "quiet"; // or "starting", "listening", "recognizing", "speaking"
    this.step = 0; // counts the changes of the state
    this.isWaiting = false; // for a place
    this.isAloud = true; // who does not want to be read to is not asked for a moment aloud either
    this.current = 0; // the number of what is heard or said: what is told of others is old news
  }

  /** Hear one utterance in one of the languages; ends with heard, nothing, failed or refused. */
  async listen(languages, isAloud = true) {
    this.stopSaying();
    this.isAloud = isAloud;
    const began = this.change("starting");
    try {
      await Promise.all([this.connected(languages[0]), this.capturing()]);
    } catch (error) {
      if (this.isStill(began)) this.refuse(error);
      return;
    }
    if (!this.isStill(began)) return;
    this.awaited = "listening";
    this.send({ type: "listen", languages });
  }

  /** What was said so far is all. */
  finish() {
    if (this.state !== "listening") return this.rest();
    this.send({ type: "finish" });
    this.change("recognizing");
  }

  /** Hear nothing any more, and forget what was said. */
  rest() {
    if (this.isOpen) this.send({ type: "rest" });
    this.player?.silence(); // it may be asking for a moment
    this.releaseMicrophone();
    this.change("quiet");
  }

  /** Say plain words aloud. With `attend`, a stop word spoken meanwhile ends it. */
  async say(text, language, attend = false) {
    // A microphone that hears the loudspeaker would take the assistant itself for somebody who speaks.
    const attends = attend && this.stream && cancelsEcho(this.stream);
    if (!attends) this.releaseMicrophone();
    this.player?.silence();
    this.isAloud = true;
    this.hasEnded = false;
    const began = this.change("speaking");
    try {
      await this.connected(language);
    } catch (error) {
      if (this.isStill(began)) this.refuse(error);
      return;
    }
    if (!this.isStill(began)) return;
    this.awaited = "saying";
    this.send({ type: "say", text: text.slice(0, LONGEST_SAID), language });
    if (attends && this.stream) this.send({ type: "attend-stop", language, saying: text.slice(0, LONGEST_SAID) });
  }

  /** Silent at once. */
  stop() {
    this.stopSaying();
    this.rest();
  }

  /** Call it from a touch or a key: only then may a page sound. */
  wake() {
    this.player ??= this.newPlayer(USUAL_VOICE_HZ);
    this.player.wake();
  }

  close() {
    this.releaseMicrophone();
    this.player?.close();
    if (this.isOpen) this.send({ type: "bye" });
    this.socket?.close();
  }

  // --- the socket ---------------------------------------------------------------------------

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  /** The socket, ready to be spoken with; rejects with a word of the house. */
  connected(language) {
    if (!this.ready || !this.socket || this.socket.readyState > WebSocket.OPEN) {
      this.ready = this.connecting(language);
      this.ready.catch(() => {});
    }
    return this.ready;
  }

  /** Tries again while all places are taken, for as long as what was wanted then is wanted still. */
  async connecting(language) {
    const began = this.step;
    for (let attempt = 1; ; attempt++) {
      try {
        return await new Promise((resolve, reject) => this.connect(language, resolve, reject));
      } catch (error) {
        if (error.message !== "speech-busy" || attempt === MOST_ATTEMPTS || !this.isStill(began)) throw error;
        this.wait(true);
        await new Promise((resolve) => setTimeout(resolve, ATTEMPT_PAUSE_MS));
        if (!this.isStill(began)) throw error;
      }
    }
  }

  wait(isWaiting) {
    if (this.isWaiting === isWaiting) return;
    this.isWaiting = isWaiting;
    this.tell({ type: "waiting", isWaiting });
  }

  connect(language, resolve, reject) {
    const address = new URL("/api/speech", location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    let isReady = false;
    // Once is enough, however often a place is sought.
    const asksForAMoment = this.isAloud && !this.isWaiting;
    const turnedAway = (why) => {
      if (socket === this.socket) this.socket = undefined; // that it closes is no news then
      reject(new Refusal(why));
      socket.close();
    };
    setTimeout(() => isReady || turnedAway("speech-lost"), PATIENCE_MS);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => socket.send(JSON.stringify({ type: "hello", language }));
    socket.onmessage = ({ data }) => {
      if (socket !== this.socket) return;
      if (data instanceof ArrayBuffer) {
        if (isReady) this.play(data);
        else if (asksForAMoment) this.player?.play(data);
        return;
      }
      const message = JSON.parse(data);
      if (message.type === "ready") {
        isReady = true;
        resolve(this.welcomed(message));
      } else if (message.type === "busy") turnedAway("speech-busy");
      else if (message.type === "one-moment") this.useRate(message.rate_hz);
      else if (!isReady) turnedAway("something-wrong"); // the hello was not understood
      else this.told(message);
    };
    socket.onclose = () => {
      reject(new Refusal("speech-lost"));
      if (socket === this.socket) this.lost();
    };
    this.socket = socket;
  }

  welcomed({ rate_hz: rateHz }) {
    this.wait(false);
    this.useRate(rateHz);
  }

  useRate(rateHz) {
    if (this.player?.rateHz === rateHz) return;
    this.player?.close();
    this.player = this.newPlayer(rateHz);
  }

  newPlayer(rateHz) {
    return new Player(rateHz, () => this.saidIfAll());
  }

  send(message) {
    if (this.isOpen) this.socket.send(JSON.stringify(message));
  }

  lost() {
    this.socket = undefined;
    if (this.state === "starting") return; // told by whoever waits for the socket
    const was = this.state;
    this.player?.silence();
    this.releaseMicrophone();
    this.change("quiet");
    if (was === "listening" || was === "recognizing") this.tell({ type: "refused", word: "speech-lost" });
    if (was === "speaking") this.tell({ type: "said" });
  }

  // --- what the server tells ------------------------------------------------------------------

  told(message) {
    if (message.type === "listening" && this.awaited === "listening") this.began("listening", message.number);
    else if (message.type === "saying" && this.awaited === "saying") this.began("speaking", message.number);
    else if (message.type === "silence") this.player?.silence();
    else if (message.type === "mouth") this.toldByMouth(message);
    else if (message.type === "ear") this.toldByEar(message);
    else if (message.type === "error" && this.awaited) this.refuse(new Refusal("something-wrong"));
  }

  began(state, number) {
    this.awaited = undefined;
    this.current = number;
    this.isMuted = false;
    if (this.state !== state) this.change(state);
  }

  toldByMouth({ number, event }) {
    if (this.state !== "speaking" || number !== this.current) return;
    if (event === "failed") this.tell({ type: "failed", word: "voice-lost" });
    if (event !== "ended" && event !== "failed") return;
    this.hasEnded = true;
    this.saidIfAll();
  }

  toldByEar({ number, event, ...what }) {
    if (event === "stop" && this.state === "speaking") return this.interrupted(what.text);
    if (!["listening", "recognizing"].includes(this.state) || number !== this.current) return;
    if (event === "hearing" || event === "heard-out") return this.tell({ type: "hearing", text: what.text });
    if (event === "lost" || event === "back") return this.tell({ type: event });
    if (event === "speech-began") return undefined;
    this.change("quiet"); // the microphone stays: the answer may be said, and a word may stop it
    return this.tell({ ...what, type: event });
  }

  /** By a word that stops it, or by somebody who goes on speaking and wants to be heard. */
  interrupted(words) {
    if (words === SPOKEN) this.tell({ type: "interrupted" });
    else this.stop();
  }

  // --- sound ------------------------------------------------------------------------------------

  /** The microphone, open and sending; rejects with a word of the house. */
  async capturing() {
    if (this.stream) return;
    if (!canListen) throw new Refusal(window.isSecureContext ? "microphone-missing" : "microphone-insecure");
    const stream = await microphone();
    const recorder = await recorderOf(stream).catch((error) => {
      stopTracks(stream);
      throw error;
    });
    this.stream = stream;
    this.recorder = recorder;
    recorder.node.port.onmessage = ({ data }) => this.captured(data);
    stream.getAudioTracks()[0].onended = () => this.microphoneLost();
  }

  captured({ pcm, level }) {
    if (this.state === "listening") this.tell({ type: "level", level });
    if (this.isOpen && this.socket.bufferedAmount < MOST_WAITING_BYTES) this.socket.send(pcm);
  }

  microphoneLost() {
    const wasHearing = ["starting", "listening"].includes(this.state);
    this.releaseMicrophone();
    if (wasHearing) this.refuse(new Refusal("microphone-missing"));
  }

  releaseMicrophone() {
    if (!this.stream) return;
    stopTracks(this.stream);
    this.recorder.context.close();
    this.stream = this.recorder = undefined;
  }

  play(pcm) {
    if (!this.isMuted && this.state === "speaking") this.player.play(pcm);
  }

  stopSaying() {
    if (this.state !== "speaking") return;
    this.isMuted = true; // what is under way is of what was stopped
    this.player?.silence();
    this.send({ type: "stop" });
    this.change("quiet");
    this.tell({ type: "said" });
  }

  /** The server has sent all, and all of it has been heard. */
  saidIfAll() {
    if (this.state !== "speaking" || !this.hasEnded || this.player?.isPlaying) return;
    this.rest();
    this.tell({ type: "said" });
  }

  // --- states -------------------------------------------------------------------------------------

  /** Goes into a state; what is returned tells later whether anything has changed since. */
  change(state) {
    this.wait(false);
    this.state = state;
    this.awaited = undefined;
    this.step += 1;
    clearTimeout(this.timer);
    if (state === "quiet") this.timer = setTimeout(() => this.leave(), IDLE_MS);
    if (state === "recognizing") this.timer = setTimeout(() => this.refuse(new Refusal("speech-lost")), PATIENCE_MS);
    this.tell({ type: "state", state });
    return this.step;
  }

  isStill(step) {
    return this.step === step;
  }

  leave() {
    this.releaseMicrophone();
    if (this.isOpen) this.send({ type: "bye" });
    const { socket } = this;
    this.socket = undefined;
    socket?.close();
  }

  refuse(error) {
    this.rest();
    this.tell({ type: "refused", word: error instanceof Refusal ? error.message : "microphone-missing" });
  }
}

/** Why nobody can be heard, as a word of `chat-words`. */
export class Refusal extends Error {}

// The server knows noise itself, and a browser's suppression takes the edges of words away with it: of two Korean
// words said three times each through Chromium none was heard to the letter with it, four were without.
const WANTED = { channelCount: 1, echoCancellation: true, noiseSuppression: false, autoGainControl: true };

export async function microphone() {
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: WANTED });
  } catch (error) {
    throw new Refusal(error.name === "NotAllowedError" ? "microphone-refused" : "microphone-missing");
  }
}

/** Whether the browser takes what the loudspeaker plays out of what the microphone hears; where it does not say,
    it does what it was asked for. */
export function cancelsEcho(stream) {
  return stream.getAudioTracks()[0].getSettings().echoCancellation !== false;
}

/** The context and the node that give what the microphone hears. */
export async function recorderOf(stream) {
  let context = new AudioContext({ sampleRate: RATE_HZ });
  let source;
  try {
    source = context.createMediaStreamSource(stream);
  } catch {
    await context.close(); // Firefox: a microphone keeps its own rate, and capture.js resamples
    context = new AudioContext();
    source = context.createMediaStreamSource(stream);
  }
  await context.audioWorklet.addModule("/static/capture.js");
  await running(context);
  const node = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0 });
  source.connect(node);
  return { context, node };
}

/** Firefox waits without an end where the machine has no loudspeaker: sound does not run at all then. */
async function running(context) {
  await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, STARTING_MS))]);
  if (context.state === "running") return;
  context.close();
  throw new Refusal("microphone-missing");
}

export function stopTracks(stream) {
  for (const track of stream.getTracks()) track.stop();
}
