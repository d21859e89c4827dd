/** The chat in a frame of a company's own page: Escape asks the page around it to close the chat. */

if (window.parent !== window) {
  document.addEventListener("keydown", (event) => {
    // Whatever has a use of its own for the key (a list that closes, sound that stops) has taken it by now.
    if (event.key !== "Escape" || event.defaultPrevented || event.isComposing) return;
    window.parent.postMessage({ type: "assistant-close" }, "*"); // tells nothing but that
  });
}
