/** The page's words in the customer's language: they come from the server and are put where the page names them. */

// Until the server has told any, at a first visit: all other words stand in chat.html itself.
const UNTOLD = { unreachable: "I cannot be reached at the moment.", retry: "Try again" };
const RIGHT_TO_LEFT = ["ar", "fa", "he", "ur"];

let words = UNTOLD;

export const word = (name) => words[name] ?? "";

/** From now on the page speaks this language. */
export function useWords(told, language) {
  words = { ...UNTOLD, ...told };
  document.documentElement.lang = language;
  document.documentElement.dir = RIGHT_TO_LEFT.includes(language.split("-")[0]) ? "rtl" : "ltr";
  document.title = word("title") || document.title;
  fill("data-word", (element, text) => (element.textContent = text));
  fill("data-label", label);
  fill("data-placeholder", (element, text) => (element.placeholder = text));
}

/** Name an element by a word, for the ear and, where a mouse rests on it, for the eye. */
export function label(element, text) {
  element.setAttribute("aria-label", text);
  if (element.tagName === "BUTTON") element.title = text;
}

function fill(attribute, put) {
  for (const element of document.querySelectorAll(`[${attribute}]`)) {
    const text = word(element.getAttribute(attribute));
    if (text) put(element, text);
  }
}
