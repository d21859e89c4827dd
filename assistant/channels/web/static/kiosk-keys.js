/** The keys of the kiosk, the same as on a terminal: everything can be done without touching the screen. */

const COMMANDS = "rhnp+-sf?l";
const SAME_KEY = { "=": "+", _: "-" }; // without or with shift
const SCROLL = { ArrowUp: -0.2, ArrowDown: 0.2, PageUp: -0.8, PageDown: 0.8 }; // of what can be seen
const ACTIVE = "button, input, a, video, audio";

export class KioskKeys {
  constructor(screen, { send, talk, signOfLife }) {
    this.screen = screen;
    this.send = send;
    this.talk = talk;
    this.signOfLife = signOfLife;
    addEventListener("keydown", (event) => this.pressed(event));
  }

  pressed(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    document.body.dataset.keys = ""; // from now on the buttons say which key presses them
    const isTyping = event.target === this.screen.question;
    const isDone = isTyping ? this.inLine(event) : this.onKiosk(event);
    if (isDone) event.preventDefault();
    else if (!isTyping) this.signOfLife();
  }

  /** True where the key was for the kiosk. */
  inLine({ key }) {
    if (key !== "Escape") return false;
    this.screen.leaveLine();
    this.send({ type: "key", name: "escape" });
    return true;
  }

  onKiosk({ key, target, repeat }) {
    const name = SAME_KEY[key] ?? (key.length === 1 ? key.toLowerCase() : key);
    const isOnButton = Boolean(target.closest?.(ACTIVE));
    if (name in SCROLL) return this.scroll(SCROLL[name]);
    if (repeat) return name === " " && !isOnButton;
    if (name === " " && !isOnButton) return this.speak();
    if (name === "Enter" && !isOnButton) return this.enter();
    if (name === "Escape") return this.key("escape");
    if (/^[1-9]$/.test(name)) return this.screen.choose(Number(name));
    if (/^F[1-9]$/.test(name)) return this.screen.chooseLanguage(Number(name.slice(1)));
    return name.length === 1 && COMMANDS.includes(name) && this.key(name);
  }

  speak() {
    this.talk();
    return true;
  }

  enter() {
    if (this.screen.view.asks_to_go_on) return this.key("enter");
    this.screen.question.focus();
    return true;
  }

  scroll(share) {
    const { scroller } = this.screen;
    scroller.scrollBy({ top: share * scroller.clientHeight });
    return true;
  }

  key(name) {
    this.send({ type: "key", name });
    return true;
  }
}
