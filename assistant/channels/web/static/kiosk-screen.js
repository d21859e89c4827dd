/** What the kiosk's page looks like: the server's view, put where it belongs, and nothing touched that stays. */

import { element, safeHtml, useIcon } from "./elements.js";
import { useWords, word } from "./words.js";

const LAST_SECONDS = 12; // the server counts down the last ones

const find = (id) => document.getElementById(id);

export class KioskScreen {
  constructor(send) {
    this.send = send;
    this.view = {};
    this.isSounding = false; // sound has been opened
    this.isThere = false; // the server is
    this.stage = find("stage");
    this.question = find("question");
    this.listenToTouches();
  }

  listenToTouches() {
    for (const button of document.querySelectorAll("[data-key]")) {
      const name = button.dataset.key;
      button.addEventListener("click", () => this.send({ type: "key", name }));
      button.append(keyCap(name));
    }
    find("talk").addEventListener("click", () => this.talked());
    find("stay").addEventListener("click", () => this.send({ type: "key", name: "up" }));
    find("line").addEventListener("submit", (event) => this.asked(event));
    this.question.addEventListener("input", () => this.typed());
  }

  // --- what the customer does ---------------------------------------------------------------------

  talked() {
    if (this.isBusy) this.send({ type: "key", name: "escape" });
    else this.onTalk();
  }

  asked(event) {
    event.preventDefault();
    const text = this.question.value.trim();
    if (text) this.send({ type: "typed", text });
    this.question.value = "";
  }

  /** What is half typed is forgotten like all else, by whoever leaves it. */
  typed() {
    if (this.isBusy) this.send({ type: "key", name: "type" });
    this.onTyping();
    clearTimeout(this.forgetting);
    this.forgetting = setTimeout(() => (this.question.value = ""), 1000 * (this.view.idle_seconds ?? 60));
  }

  leaveLine() {
    this.question.value = "";
    this.question.blur();
  }

  /** A choice or a sample question by its number; true where there is one. */
  choose(number) {
    const button = document.querySelectorAll("#choices button, #samples:not([hidden]) button")[number - 1];
    button?.click();
    return Boolean(button);
  }

  chooseLanguage(number) {
    const button = find("languages").children[number - 1];
    button?.click();
    return Boolean(button);
  }

  // --- what it shows --------------------------------------------------------------------------------

  /** It thinks or speaks: a touch stops it. */
  get isBusy() {
    return this.view.state === "speaking" || this.view.state === "thinking";
  }

  /** What scrolls: the middle, or the whole page where it is zoomed. */
  get scroller() {
    return getComputedStyle(this.stage).overflowY === "visible" ? document.scrollingElement : this.stage;
  }

  connected(isThere) {
    this.isThere = isThere;
    if (!isThere) this.question.value = "";
    this.drawLight();
  }

  update({ type: _, ...changed }) {
    const has = (...names) => names.some((name) => name in changed);
    Object.assign(this.view, changed);
    if (has("words", "language")) useWords(this.view.words, this.view.language);
    if (has("languages", "language")) this.drawLanguages();
    if (changed.state === "idle") this.forget();
    if (has("heard", "is_heard_out", "greeting", "html", "state", "notice")) this.drawHeadline();
    if (has("html", "answer_language")) this.drawAnswer();
    if (has("choices", "words")) this.drawChoices();
    if (has("samples", "is_inviting", "heard", "state")) this.drawSamples();
    if (has("notes")) this.drawNotes();
    if (has("leaves_in", "words")) this.drawLeaving();
    this.drawNotice();
    this.drawLight();
    this.drawTools();
  }

  forget() {
    this.leaveLine();
    this.scroller.scrollTop = 0;
    delete document.body.dataset.keys;
  }

  drawLanguages() {
    const { languages, language } = this.view;
    const buttons = languages.map(({ tag, name }, at) => {
      const button = element("button", { class: "language", type: "button", lang: tag }, name, keyCap(`F${at + 1}`));
      button.setAttribute("aria-pressed", String(tag === language));
      button.addEventListener("click", () => this.send({ type: "language", tag }));
      return button;
    });
    redrawn(find("languages"), buttons);
    find("languages").hidden = languages.length < 2;
  }

  /** The greeting, then the customer's own words: live while they are being said. */
  drawHeadline() {
    const { heard, html, state, greeting, is_heard_out: isHeardOut } = this.view;
    const isLive = Boolean(heard) && !isHeardOut;
    const headline = find("headline");
    headline.lang = this.view.language;
    redrawn(headline, heard ? [heard + (isLive ? " …" : "")] : sentences(greeting));
    headline.classList.toggle("is-words", Boolean(heard));
    headline.classList.toggle("is-live", isLive);
    headline.classList.toggle("unseen", !heard && Boolean(html));
    find("asked").hidden = !heard;
    const invitation = find("invitation");
    invitation.textContent = this.view.invitation;
    invitation.hidden = Boolean(heard || html) || state === "thinking";
    document.body.dataset.state = state;
    document.body.classList.toggle("is-inviting", !heard && !html);
  }

  drawAnswer() {
    const answer = find("answer");
    answer.replaceChildren(...(this.view.html ? [arranged(safeHtml(this.view.html))] : []));
    answer.hidden = !this.view.html;
    this.scroller.scrollTop = 0;
  }

  drawChoices() {
    const { choices } = this.view;
    const buttons = choices.map((label, at) => numbered(label, at + 1, () => this.send({ type: "choose", number: at + 1 })));
    if (redrawn(find("choices"), buttons)) find("answer").focus({ preventScroll: true });
    find("choices").hidden = !choices.length;
  }

  drawSamples() {
    const { samples, is_inviting: isInviting, state } = this.view;
    const isShown = isInviting && state !== "thinking" && !(this.view.heard && !this.view.html) && samples.length > 0;
    find("samples").hidden = !isShown;
    const buttons = samples.map((text, at) => numbered(text, at + 1, () => this.send({ type: "typed", text })));
    redrawn(find("cards"), buttons);
  }

  drawNotes() {
    find("notes").replaceChildren(...this.view.notes.map(note));
  }

  /** A question of the kiosk's own; what must be done without stands among the notes. */
  drawNotice() {
    const isNoted = (this.view.notes ?? []).some(({ text }) => text === this.view.notice);
    const notice = isNoted ? "" : (this.view.notice ?? "");
    redrawn(find("notice"), notice ? this.noticed(notice) : []);
  }

  noticed(notice) {
    if (!this.view.asks_to_go_on) return [notice];
    return [notice, this.goOnButton()];
  }

  goOnButton() {
    return element("button", { class: "big is-main", type: "button", onclick: () => this.send({ type: "key", name: "enter" }) }, word("go-on"));
  }

  /** The last seconds, softly counted. */
  drawLeaving() {
    const left = this.view.leaves_in;
    const isLeaving = left !== null && left !== undefined;
    find("leaving").hidden = !isLeaving;
    const text = isLeaving ? `${word("still-there")} ${word("starting-afresh")}` : "";
    if (find("leaving-text").textContent !== text) find("leaving-text").textContent = text;
    if (!isLeaving) return;
    find("leaving-seconds").textContent = left;
    const most = Math.min(LAST_SECONDS, this.view.idle_seconds / 2);
    find("leaving-ring").style.strokeDashoffset = 100 * (1 - Math.min(1, left / most));
  }

  drawLight() {
    const light = this.light;
    document.body.dataset.light = light;
    // Before the server has told any words, those of kiosk.html stay.
    const text = light === "connecting" ? this.view.words && word("unreachable") : word(light);
    if (text && find("light-text").textContent !== text) find("light-text").textContent = text;
    this.drawTalk(light);
  }

  /** The word for what the kiosk is doing. */
  get light() {
    const { state, heard, is_heard_out: isHeardOut, can_hear: canHear, is_push: isPush } = this.view;
    if (!this.isThere || !state) return "connecting";
    if (this.isBusy) return state;
    if (!this.isSounding) return "touch-to-start";
    if (!canHear) return "typing";
    if (state === "listening" && heard && !isHeardOut) return "hearing";
    return state === "listening" || (state === "idle" && !isPush) ? "listening" : "touch-and-speak";
  }

  drawTalk(light) {
    const [iconName, text] = {
      thinking: ["stop", "stop"],
      speaking: ["stop", "stop"],
      hearing: ["done", "finish"],
      listening: ["microphone", this.view.is_push ? "finish" : "speak-now"],
    }[light] ?? ["microphone", "touch-and-speak"];
    const talk = find("talk");
    talk.hidden = light === "typing" || light === "connecting";
    find("talk-text").textContent = word(text) || find("talk-text").textContent;
    useIcon(talk.querySelector("svg.icon"), iconName);
  }

  drawTools() {
    const { html, can_speak: canSpeak } = this.view;
    for (const button of document.querySelectorAll("[data-key]")) {
      const isOfAnswer = button.dataset.key === "r" || button.dataset.key === "n";
      button.disabled = isOfAnswer && !html;
      if (button.classList.contains("is-voice")) button.hidden = !canSpeak;
    }
  }

  /** How loud the customer is, from 0 to 1. */
  level(level) {
    find("talk").style.setProperty("--level", level.toFixed(2));
  }

  /** The sentence that is being said; undefined: none. */
  caption(said) {
    const caption = find("caption");
    caption.hidden = !said;
    caption.textContent = said?.text ?? "";
    if (said) caption.lang = said.language;
  }
}

/** Each on a line of its own. */
function sentences(text) {
  return text.split(/(?<=[.!?。！？])\s+/).map((sentence) => element("span", {}, `${sentence} `));
}

// --- pieces ----------------------------------------------------------------------------------------

function numbered(text, number, onclick) {
  return element("button", { class: "card", type: "button", onclick }, element("span", { class: "number", "aria-hidden": "true" }, String(number)), element("span", {}, text));
}

/** For the customer, and behind it for the staff. */
function note({ text, fact, hint }) {
  const told = [fact, hint].filter(Boolean).join(" – ");
  return element("p", { class: "note" }, element("strong", {}, text), " ", element("span", { title: told }, told));
}

function keyCap(name) {
  return element("kbd", { "aria-hidden": "true" }, name.toUpperCase());
}

/** Put other children there, if they are others; true where the focus was among the old ones. */
function redrawn(parent, children) {
  const before = [...parent.childNodes].map((child) => child.outerHTML ?? child.textContent);
  const after = children.map((child) => child.outerHTML ?? child);
  if (before.join("\n") === after.join("\n")) return false;
  const hadFocus = parent.contains(document.activeElement);
  parent.replaceChildren(...children);
  return hadFocus;
}

/** A kiosk leads nowhere else: of a link its words remain. A picture may stand beside the words. */
function arranged(prose) {
  for (const link of prose.querySelectorAll("a")) {
    link.replaceWith(element("span", { class: "link" }, ...link.childNodes));
  }
  const pictures = prose.querySelectorAll("p > img:only-child");
  if (pictures.length === 1 && prose.querySelectorAll("img, video").length === 1) {
    pictures[0].parentElement.classList.add("picture");
    pictures[0].parentElement.parentElement.classList.add("with-picture");
  }
  return prose;
}
