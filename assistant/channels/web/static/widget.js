/**
 * The chat on a company's own page: a round button that opens it in a frame.
 *
 *   <script src="https://host/widget.js" data-language="en" data-title="Ask us" async></script>
 *
 * Further attributes, none of which is needed: data-position="left", data-color="#134a3b" (of the button;
 * its sign is white), data-close-label (what a screen reader says of the button that closes it).
 *
 * It leaves no global behind, lives in a shadow tree with a constructed stylesheet, so that neither site's
 * CSS reaches the other, and asks the page's Content-Security-Policy for `script-src` and `frame-src` of
 * the host alone. Nothing is loaded, and no frame is there, before somebody opens it.
 */
(() => {
  "use strict";

  const MARK = "data-assistant-widget";
  const script = document.currentScript ?? document.querySelector('script[src$="/widget.js"]');
  if (!script || document.querySelector(`[${MARK}]`)) return;

  const home = new URL(script.src, document.baseURI).origin;
  const asked = { ...script.dataset };
  const language = /^[a-z]{2,3}(-[a-z0-9]+)*$/i.test(asked.language) ? asked.language : null;

  const WORDS = {
    de: { title: "Chat", close: "Chat schließen" },
    en: { title: "Chat", close: "Close the chat" },
    ko: { title: "채팅", close: "채팅 닫기" },
  };

  const STYLE = `
    :host { all: initial !important; } /* sizes are in em, so of the reader's own font size */
    @media print { :host { display: none !important; } }
    * { box-sizing: border-box; }
    .place {
      position: fixed; z-index: 2147483000; inset-block-end: 1.25em; inset-inline: auto 1.25em;
      direction: ltr; font: 1em/1.4 system-ui, sans-serif;
    }
    .place.left { inset-inline: 1.25em auto; }
    button {
      all: unset; box-sizing: border-box; display: grid; place-items: center; cursor: pointer;
      border: 2px solid transparent; border-radius: 50%; color: #fff;
    }
    button:focus-visible { outline: 3px solid #fff; box-shadow: 0 0 0 6px #14181a; }
    svg { inline-size: 55%; fill: none; stroke: currentColor; stroke-width: 1.8;
      stroke-linecap: round; stroke-linejoin: round; }
    .opener {
      inline-size: 3.75em; block-size: 3.75em; background: var(--assistant-button);
      box-shadow: 0 2px 6px rgb(0 0 0 / 25%), 0 10px 28px -8px rgb(0 0 0 / 45%);
    }
    .opener:hover { filter: brightness(1.12); }
    .panel {
      position: absolute; inset-block-end: 4.75em; inset-inline: auto 0; display: flex; flex-direction: column;
      inline-size: min(25em, calc(100vw - 2.5em)); block-size: min(40em, calc(100vh - 8em));
      overflow: hidden; border: 1px solid #7f8984; border-radius: 1em;
      color-scheme: light dark; background: Canvas;
      box-shadow: 0 20px 60px -12px rgb(0 0 0 / 45%);
    }
    .left .panel { inset-inline: 0 auto; }
    .panel[hidden] { display: none; }
    .bar {
      display: flex; align-items: center; justify-content: space-between; gap: 1em;
      padding: 0.25em 0.25em 0.25em 1em; background: var(--assistant-button); color: #fff; font-weight: 600;
    }
    .bar span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    .closer { flex: none; inline-size: 2.75em; block-size: 2.75em; }
    .closer:focus-visible { outline-offset: -5px; box-shadow: none; }
    iframe { flex: 1; inline-size: 100%; min-block-size: 0; border: 0; }
    @media (max-width: 30em), (max-height: 30em) {
      .panel { position: fixed; inset: 0; inline-size: 100%; block-size: 100%; border: 0; border-radius: 0; }
      .left .panel { inset: 0; }
      .place.is-open .opener { display: none; }
    }
    @media (prefers-reduced-motion: no-preference) {
      .opener { transition: filter 140ms; }
      .panel { animation: rise 180ms ease-out; }
      @keyframes rise { from { opacity: 0; transform: translateY(0.75em); } }
    }
    @media (forced-colors: active) {
      button { border-color: ButtonText; color: ButtonText; }
      button:focus-visible { outline-color: Highlight; }
    }
  `;

  const words = {
    ...(WORDS[(language ?? navigator.language).split("-")[0].toLowerCase()] ?? WORDS.en),
    ...(asked.title && { title: asked.title }),
    ...(asked.closeLabel && { close: asked.closeLabel }),
  };

  /** An element with attributes and children. */
  const element = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };

  const sign = (path) => {
    const drawn = ["svg", "path"].map((name) => document.createElementNS("http://www.w3.org/2000/svg", name));
    drawn[0].setAttribute("viewBox", "0 0 24 24");
    drawn[0].setAttribute("aria-hidden", "true");
    drawn[1].setAttribute("d", path);
    drawn[0].append(drawn[1]);
    return drawn[0];
  };

  const opener = element(
    "button",
    { type: "button", class: "opener", "aria-expanded": "false", "aria-controls": "panel", "aria-label": words.title },
    sign("M20.5 11.6c0 4.2-3.8 7.6-8.5 7.6-1.1 0-2.2-.2-3.2-.5L4.4 20l.9-3.7a7.1 7.1 0 0 1-1.8-4.7C3.5 7.4 7.3 4 12 4s8.5 3.4 8.5 7.6zM8.4 11.7h.01M12 11.7h.01M15.6 11.7h.01"),
  );
  const closer = element(
    "button",
    { type: "button", class: "closer", "aria-label": words.close },
    sign("M6 6l12 12M18 6L6 18"),
  );
  const bar = element("div", { class: "bar" }, element("span", {}, words.title), closer);
  const panel = element("div", { id: "panel", class: "panel", role: "dialog", "aria-label": words.title, hidden: "" }, bar);
  const place = element("div", { class: asked.position === "left" ? "place left" : "place" }, opener, panel);
  const host = element("div", { [MARK]: "" });
  let frame = null;

  const framed = () => {
    const address = new URL("/widget", home);
    if (language) address.searchParams.set("language", language);
    return element("iframe", { src: address.href, title: words.title, allow: "microphone; autoplay" });
  };

  const open = () => {
    if (!frame) panel.append((frame = framed()));
    show(true);
    frame.focus();
  };

  const close = () => {
    show(false);
    opener.focus();
    frame.contentWindow.postMessage({ type: "assistant-closed" }, home); // its voice and microphone rest
  };

  const show = (isOpen) => {
    panel.hidden = !isOpen;
    place.classList.toggle("is-open", isOpen);
    opener.setAttribute("aria-expanded", String(isOpen));
  };

  /** What the chat in the frame asks for; a message from anywhere else is not for us. */
  const hear = (event) => {
    if (event.origin !== home || !frame || event.source !== frame.contentWindow || panel.hidden) return;
    if (event.data?.type === "assistant-close") close();
  };

  opener.addEventListener("click", () => (panel.hidden ? open() : close()));
  closer.addEventListener("click", close);
  place.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || panel.hidden) return;
    event.stopPropagation(); // a dialog of the page around it stays open
    close();
  });
  window.addEventListener("message", hear);

  const stand = () => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    const shadow = host.attachShadow({ mode: "open" });
    shadow.adoptedStyleSheets = [sheet];
    const color = asked.color && CSS.supports("color", asked.color) ? asked.color : "#1c6652";
    place.style.setProperty("--assistant-button", color); // always: the page may have a property of that name
    shadow.append(place);
    document.body.append(host);
  };
  if (document.body) stand();
  else document.addEventListener("DOMContentLoaded", stand, { once: true });
})();
