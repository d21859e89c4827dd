/** Questions of the pages that fit what is being typed: a list below arrow keys, Enter, Escape and the mouse. */

import { element } from "./elements.js";

const SHORTEST = 2; // letters; fewer fit everything
const LONGEST = 100; // who has typed more knows what to ask
const PAUSE_MS = 120; // between two strokes of somebody who types quickly

export class Suggestions {
  /** `find(text, signal)` gives texts, `take(text)` is called with the one that is taken, `tell(count)` with
      how many there are. */
  constructor(box, list, { find, take, tell }) {
    Object.assign(this, { box, list, find, take, tell, active: -1 });
    box.setAttribute("aria-controls", list.id);
    box.addEventListener("input", () => this.typed());
    box.addEventListener("blur", () => this.close());
    list.addEventListener("pointerdown", (event) => event.preventDefault()); // the focus stays in the box
    list.addEventListener("click", ({ target }) => this.choose(target.closest("[role=option]")));
  }

  get isOpen() {
    return !this.list.hidden;
  }

  typed() {
    this.forget();
    const text = this.box.value.trim();
    if (text.length < SHORTEST || text.length > LONGEST || text.includes("\n")) return this.close();
    this.waiting = setTimeout(() => this.look(text), PAUSE_MS);
  }

  /** Takes the keys that belong to an open list; true where one did. */
  key({ key, altKey, ctrlKey, metaKey }) {
    if (!this.isOpen || altKey || ctrlKey || metaKey) return false;
    if (key === "ArrowDown") this.activate(this.active + 1);
    else if (key === "ArrowUp") this.activate(this.active - 1);
    else if (key === "Escape") this.close();
    else if (key === "Enter" && this.active >= 0) this.choose(this.list.children[this.active]);
    else return false;
    return true;
  }

  close() {
    this.forget();
    this.list.hidden = true;
    this.activate(-1);
  }

  // --- inside ---------------------------------------------------------------------------------

  async look(text) {
    this.asking = new AbortController();
    const { signal } = this.asking;
    const found = await this.find(text, signal).catch(() => []); // a help that fails is no trouble
    if (!signal.aborted && document.activeElement === this.box) this.offer(found.filter((one) => one !== text));
  }

  offer(texts) {
    const options = texts.map((text, at) =>
      element("li", { id: `suggestion-${at}`, role: "option", "aria-selected": "false" }, text),
    );
    this.list.replaceChildren(...options);
    this.list.hidden = !options.length;
    this.activate(-1);
    if (options.length) this.tell(options.length);
  }

  /** Beyond either end of the list stands the box itself. */
  activate(wanted) {
    const count = this.list.children.length;
    this.active = wanted >= count ? -1 : wanted < -1 ? count - 1 : wanted;
    for (const [at, option] of [...this.list.children].entries()) {
      option.setAttribute("aria-selected", String(at === this.active));
    }
    const option = this.list.children[this.active];
    option?.scrollIntoView({ block: "nearest" });
    if (option) this.box.setAttribute("aria-activedescendant", option.id);
    else this.box.removeAttribute("aria-activedescendant");
  }

  choose(option) {
    if (!option) return;
    const text = option.textContent;
    this.close();
    this.take(text);
  }

  forget() {
    clearTimeout(this.waiting);
    this.asking?.abort();
  }
}
