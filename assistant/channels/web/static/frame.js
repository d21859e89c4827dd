/**
 * The chat in a frame of a company's own page (widget.js is the other side).
 *
 * Escape in the chat asks the page around it to close the chat. When that page has closed it, the chat does
 * what it does at Escape: the voice and the microphone rest.
 */

const escape = () => new KeyboardEvent("keydown", { key: "Escape", bubbles: true, cancelable: true });

if (window.parent !== window) {
  window.addEventListener("keydown", (event) => {
    // Whatever has a use of its own for the key (a list that closes, a voice that stops) has taken it by now.
    if (event.key !== "Escape" || event.defaultPrevented || event.isComposing || !event.isTrusted) return;
    window.parent.postMessage({ type: "assistant-close" }, "*"); // tells nothing but that
  });
  window.addEventListener("message", (event) => {
    if (event.source === window.parent && event.data?.type === "assistant-closed") document.body.dispatchEvent(escape());
  });
}
