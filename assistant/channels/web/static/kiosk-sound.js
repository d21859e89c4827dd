/** The kiosk's microphone and loudspeaker, opened at the first touch and then kept open. */

import { Player } from "./player.js";
import { canListen, cancelsEcho, microphone, recorderOf, stopTracks } from "./speech.js";

const USUAL_VOICE_HZ = 22_050; // of both voices that come along; another one says so
const LOOK_AGAIN_MS = 5_000; // for a microphone that was pulled out

export class KioskSound {
  /** `captured` gets the sound of the microphone, `opened` is called for each change of what is open. */
  constructor({ captured, opened }) {
    this.captured = captured;
    this.opened = opened;
    this.microphone = ""; // or "open", or why it is not: "refused", "missing", "insecure"
    this.rateHz = USUAL_VOICE_HZ;
    this.captions = new Set();
  }

  get isOpen() {
    return Boolean(this.player);
  }

  /** The microphone hears what the loudspeaker plays. */
  get hasEcho() {
    return Boolean(this.stream) && !cancelsEcho(this.stream);
  }

  /** The loudspeaker at once, the microphone as soon as the browser lets it. */
  async open() {
    if (!this.isOpen) {
      this.player = new Player(this.rateHz, () => {});
      this.player.wake();
      this.opened();
    }
    this.opening ??= this.openMicrophone();
    await this.opening;
  }

  /** Where the browser was told so, nobody needs to touch it first. */
  async openIfAllowed() {
    const permission = await navigator.permissions?.query({ name: "microphone" }).catch(() => undefined);
    if (permission?.state !== "granted") return;
    const context = new AudioContext();
    const mayPlay = context.state === "running" || (await startsSoon(context));
    context.close();
    if (mayPlay) this.open();
  }

  async openMicrophone() {
    try {
      if (!canListen) throw new Error(isSecureContext ? "microphone-missing" : "microphone-insecure");
      await this.listen();
      this.microphone = "open";
    } catch (error) {
      this.release();
      this.microphone = ["refused", "insecure"].find((why) => error.message === `microphone-${why}`) ?? "missing";
    }
    this.opened();
    if (this.microphone === "missing") this.lookAgain();
  }

  async listen() {
    this.stream = await microphone();
    this.recorder = await recorderOf(this.stream);
    this.recorder.node.port.onmessage = ({ data }) => this.captured(data);
    this.stream.getAudioTracks()[0].onended = () => this.lost();
  }

  lost() {
    this.release();
    this.microphone = "missing";
    this.opened();
    this.lookAgain();
  }

  lookAgain() {
    setTimeout(() => (this.opening = this.openMicrophone()), LOOK_AGAIN_MS);
  }

  release() {
    if (this.stream) stopTracks(this.stream);
    this.recorder?.context.close();
    this.stream = this.recorder = undefined;
  }

  // --- what the server says -------------------------------------------------------------------------

  /** The voice's rate; a player for another one is made anew. */
  use(rateHz) {
    if (rateHz === this.rateHz) return;
    this.rateHz = rateHz;
    if (!this.isOpen) return;
    this.player.close();
    this.player = new Player(rateHz, () => {});
    this.player.wake();
  }

  play(pcm) {
    this.player?.play(pcm);
  }

  /** Do it when all that came so far has been played. */
  whenPlayed(show) {
    const waitSeconds = this.player?.isPlaying ? this.player.end - this.player.opened().currentTime : 0;
    const timer = setTimeout(() => {
      this.captions.delete(timer);
      show();
    }, 1000 * Math.max(0, waitSeconds));
    this.captions.add(timer);
  }

  silence() {
    this.player?.silence();
    for (const timer of this.captions) clearTimeout(timer);
    this.captions.clear();
  }
}

const START_MS = 500; // a context that may start does so within a tenth of this

function startsSoon(context) {
  return new Promise((resolve) => {
    setTimeout(() => resolve(context.state === "running"), START_MS);
    context.onstatechange = () => resolve(context.state === "running");
  });
}
