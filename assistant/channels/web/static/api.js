/** The server's HTTP interface, as functions; whatever goes wrong is a `Trouble` that says how to go on. */

const PATIENCE_MS = 20_000; // no answer takes longer on a server that works
const LONGEST_WAIT_SECONDS = 60; // a server may ask for more; nobody sits that long before a chat

/** Why there is no answer: "offline", "busy", "gone" (forgotten), "refused" or "broken". */
export class Trouble extends Error {
  constructor(kind, waitSeconds = 0) {
    super(kind);
    this.kind = kind;
    this.waitSeconds = waitSeconds;
  }
}

export const welcome = (language) => call("GET", `/api/welcome${query({ language })}`);
export const ask = (question) => call("POST", "/api/ask", question);
export const open = (entry) => call("POST", "/api/open", entry);
export const repeat = (conversation) => call("POST", "/api/repeat", conversation);
export const transcript = (id) => call("GET", `/api/conversations/${encodeURIComponent(id)}`);
export const forget = (id) => call("DELETE", `/api/conversations/${encodeURIComponent(id)}`);
export const feedback = (vote) => call("POST", "/api/feedback", vote);
export const suggestions = (text, language, signal) =>
  call("GET", `/api/suggestions${query({ text, language, count: 5 })}`, undefined, signal);

async function call(method, path, body, signal) {
  const response = await sent(method, path, body, signal);
  if (!response.ok) throw troubleOf(response);
  if (response.status === 204) return undefined;
  return response.json().catch(() => {
    throw new Trouble("broken");
  });
}

async function sent(method, path, body, signal) {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  try {
    return await fetch(path, {
      method,
      credentials: "omit",
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: signal ?? patience,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Trouble("offline");
  }
}

function troubleOf(response) {
  if (response.status === 429 || response.status === 503) {
    const asked = Number(response.headers.get("Retry-After")) || 1;
    return new Trouble("busy", Math.min(asked, LONGEST_WAIT_SECONDS));
  }
  if (response.status === 404) return new Trouble("gone");
  return new Trouble(response.status < 500 ? "refused" : "broken");
}

/** What is undefined is left out. */
function query(parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null);
  return given.length ? `?${new URLSearchParams(given)}` : "";
}
