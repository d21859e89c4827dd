/** What this browser remembers of a customer: no cookie, and nothing where the browser forbids it. */

const PREFIX = "assistant.";

/** The value remembered under a name, or null. */
export function remembered(name) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name));
  } catch {
    return null;
  }
}

/** Remember a value; undefined and null forget it. */
export function remember(name, value) {
  try {
    if (value === undefined || value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // A private window or a full store: the page works on, and forgets on reload.
  }
}
