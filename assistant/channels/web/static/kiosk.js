/** The kiosk's page: what the customer does goes to the server, what it shows and says comes from there. */

import { KioskKeys } from "./kiosk-keys.js";
import { KioskLine } from "./kiosk-line.js";
import { KioskScreen } from "./kiosk-screen.js";
import { KioskSound } from "./kiosk-sound.js";

const SIGN_MS = 2_000; // between two signs of life: the server counts whole seconds

const wanted = new URLSearchParams(location.search).get("language") ?? undefined;
const line = new KioskLine(wanted, told, connected);
const screen = new KioskScreen(send);
const sound = new KioskSound({ captured, opened });

let signedAt = 0;

function send(message) {
  line.send(message);
}

// --- what the server tells ----------------------------------------------------------------------

function told(message) {
  if (message instanceof ArrayBuffer) sound.play(message);
  else if (message.type === "ready") sound.use(message.rate_hz);
  else if (message.type === "view") shown(message);
  else if (message.type === "caption") sound.whenPlayed(() => screen.caption(message));
  else if (message.type === "silence") silenced();
}

function shown(view) {
  screen.update(view);
  if (!screen.isBusy) screen.caption(undefined);
}

function silenced() {
  sound.silence();
  screen.caption(undefined);
}

function connected(isConnected) {
  screen.connected(isConnected);
  if (!isConnected) sound.silence();
  else if (sound.isOpen) opened();
}

// --- sound ----------------------------------------------------------------------------------------

function captured({ pcm, level }) {
  screen.level(level);
  line.sendSound(pcm);
}

/** Loudspeaker or microphone have been opened, or it is known why they cannot be. */
function opened() {
  screen.isSounding = true;
  send({ type: "sound", microphone: sound.microphone, loudspeaker: true, echo: sound.hasEcho });
}

/** A browser opens sound after a touch or a key only; the first of them opens it, whatever else it does. */
function firstTouch() {
  if (!sound.isOpen) sound.open();
}

/** The button to speak: it begins and ends what is said, and stops the voice. */
async function talk() {
  const isFirst = !sound.isOpen || sound.microphone === "";
  if (isFirst) await sound.open();
  if (!isFirst || sound.microphone === "open") send({ type: "touch" });
}

// --- the customer ---------------------------------------------------------------------------------

/** Somebody reads, types or watches a film: that disturbs nothing. */
function signOfLife() {
  if (Date.now() - signedAt < SIGN_MS) return;
  signedAt = Date.now();
  send({ type: "key", name: "up" });
}

/** Beside all buttons: it silences the voice. */
function touchedStage(event) {
  if (event.target.closest("button, input, video, audio")) return;
  if (screen.isBusy) send({ type: "touch" });
  else signOfLife();
}

addEventListener("pointerdown", firstTouch, { capture: true });
addEventListener("keydown", firstTouch, { capture: true });
addEventListener("scroll", signOfLife, { capture: true, passive: true });
addEventListener("timeupdate", signOfLife, { capture: true });
addEventListener("contextmenu", (event) => event.preventDefault()); // a long touch is a touch
screen.stage.addEventListener("click", touchedStage);
screen.onTalk = talk;
screen.onTyping = signOfLife;
new KioskKeys(screen, { send, talk, signOfLife });
sound.openIfAllowed();
line.open();
