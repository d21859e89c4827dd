/** Building blocks of the page. */

/** An element with attributes and children; texts stay texts. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") made.addEventListener("click", value);
    else if (value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

export function icon(name) {
  const drawn = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  drawn.setAttribute("class", "icon");
  drawn.setAttribute("aria-hidden", "true");
  drawn.append(document.createElementNS("http://www.w3.org/2000/svg", "use"));
  useIcon(drawn, name);
  return drawn;
}

/** Let an icon be another one. */
export function useIcon(drawn, name) {
  drawn.firstElementChild.setAttribute("href", `#icon-${name}`);
}

/** The server's own HTML, which it has sanitised: the only HTML that is ever put into the page. */
export function safeHtml(html) {
  const prose = element("div", { class: "prose" });
  prose.innerHTML = html;
  return prose;
}
