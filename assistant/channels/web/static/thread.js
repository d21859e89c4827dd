/** The conversation as it is seen: questions, answers, choices, feedback, troubles. */

import { element, icon, safeHtml, useIcon } from "./elements.js";
import { label, word } from "./words.js";

const THINKING_MS = 300; // whoever answers sooner need not say that it thinks

export class Thread {
  /** `acts`: choose(label), vote(turn, helpful), hear(turn). */
  constructor(root, acts) {
    this.root = root;
    this.acts = acts;
  }

  get isEmpty() {
    return !this.root.firstElementChild;
  }

  /** What the customer asked. */
  question(text, isSpoken = false) {
    this.retireChoices(text);
    const words = element("p", { class: "words" }, ...(isSpoken ? [icon("microphone")] : []), text);
    const turn = element("article", { class: "turn mine is-fresh" }, heading("you"), words);
    this.root.append(turn);
    this.lead(turn);
  }

  /** What was answered. `leads`: nobody asked for it in words, so that it is what is scrolled to. */
  answer(turn, { leads = false, canHear = false } = {}) {
    this.settle();
    if (leads) this.retireChoices();
    const article = element("article", { class: "turn answer is-fresh", lang: turn.language });
    article.append(heading("assistant"), safeHtml(turn.html), ...this.choices(turn));
    this.root.append(article);
    // Added later to what is not announced: an answer is read out without its buttons.
    const tail = element("div", { class: "tail", "aria-live": "off", lang: document.documentElement.lang });
    article.append(tail);
    requestAnimationFrame(() => tail.append(...this.tools(turn, canHear)));
    if (leads) this.lead(article);
    else this.follow();
    for (const picture of article.querySelectorAll("img")) {
      picture.addEventListener("load", () => this.follow(), { once: true });
    }
  }

  /** All turns of a conversation again, told to nobody: they have been read before. */
  restore(turns, canHear) {
    this.root.setAttribute("aria-busy", "true");
    for (const turn of turns) {
      if (turn.question) this.question(turn.question);
      this.answer(turn, { leads: !turn.question, canHear: canHear(turn) });
    }
    for (const fresh of this.root.querySelectorAll(".is-fresh")) fresh.classList.remove("is-fresh");
    this.root.removeAttribute("aria-busy");
  }

  /** It takes a moment: shown where it does. */
  think(text = word("thinking")) {
    this.settle();
    const dots = element("span", { class: "dots", "aria-hidden": "true" }, ...["", "", ""].map(() => element("i")));
    this.passing = element("p", { class: "thinking" }, dots, text);
    this.slow = setTimeout(() => this.root.append(this.passing), THINKING_MS);
  }

  /** It did not work: what to say, and the way to try again. */
  trouble(text, retry) {
    this.settle();
    const again = element("button", { type: "button", class: "pill", onclick: () => (this.settle(), retry()) });
    again.append(word("retry"));
    this.passing = element("div", { class: "turn trouble is-fresh" }, element("p", {}, text), again);
    this.root.append(this.passing);
    this.follow();
  }

  /** What was there for the time being goes. */
  settle() {
    clearTimeout(this.slow);
    this.passing?.remove();
    this.passing = undefined;
  }

  clear() {
    this.settle();
    this.root.replaceChildren();
  }

  /** Shows at which answer the voice is; undefined: at none. */
  mark(number) {
    for (const button of this.root.querySelectorAll("[data-hear]")) {
      const isHeard = button.dataset.hear === String(number);
      useIcon(button.firstElementChild, isHeard ? "stop" : "sound");
      label(button, word(isHeard ? "stop" : "listen"));
    }
  }

  // --- parts --------------------------------------------------------------------------------

  choices({ choices, language }) {
    if (!choices.length) return [];
    const buttons = choices.map((choice) => {
      const take = ({ currentTarget }) => isOpen(currentTarget) && this.acts.choose(choice.label);
      return element("button", { type: "button", class: "pill", lang: language, onclick: take }, choice.label);
    });
    return [element("div", { class: "choices", role: "group", "aria-label": word("choices") }, ...buttons)];
  }

  /** Offers of earlier answers can be read, and no longer taken: they would be understood as something new. */
  retireChoices(taken) {
    for (const button of this.root.querySelectorAll(".choices button:not([aria-disabled])")) {
      button.setAttribute("aria-disabled", "true"); // not `disabled`: the focus stays where it is
      button.classList.toggle("is-taken", button.textContent === taken);
    }
  }

  tools(turn, canHear) {
    const made = canHear ? [this.hearButton(turn)] : [];
    return turn.outcome === "found" ? [...made, ...this.thumbs(turn)] : made;
  }

  hearButton(turn) {
    const hear = () => this.acts.hear(turn);
    const button = element("button", { type: "button", class: "tool", "data-hear": turn.turn, onclick: hear });
    button.append(icon("sound"));
    label(button, word("listen"));
    return button;
  }

  thumbs(turn) {
    const thanks = element("span", { class: "thanks", role: "status" });
    const buttons = [true, false].map((isHelpful) => {
      const button = element("button", { type: "button", class: "tool", "aria-pressed": turn.helpful === isHelpful });
      button.append(icon(isHelpful ? "up" : "down"));
      label(button, word(isHelpful ? "helpful" : "not-helpful"));
      button.addEventListener("click", async () => {
        if (!(await this.acts.vote(turn, isHelpful))) return;
        for (const one of buttons) one.setAttribute("aria-pressed", String(one === button));
        thanks.textContent = word("thanks");
      });
      return button;
    });
    return [...buttons, thanks];
  }

  // --- scrolling ------------------------------------------------------------------------------

  /** From now on this is at the top, as far as what follows it reaches. */
  lead(article) {
    this.leader = article;
    this.follow();
  }

  follow() {
    if (this.root.getAttribute("aria-busy")) return;
    this.leader?.scrollIntoView({ block: "start" });
  }
}

const heading = (name) => element("h2", { class: "unseen", lang: document.documentElement.lang }, word(name));
const isOpen = (button) => button.getAttribute("aria-disabled") !== "true";
