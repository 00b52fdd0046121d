/** Everything the page asks of the server: the /ui/… calls a person can make, and the stream of events. */

const query = new URLSearchParams(location.search);

/** Name or id of the person this tab acts as. */
export const actingAs = query.get("user") || "jin";

export class ApiError extends Error {
  constructor(code, message, body = {}) {
    super(message || code);
    this.code = code;
    this.body = body;
  }
}

let waiting = 0;

/** Whether a call of this tab that changes something is still without an answer. */
export const isWaiting = () => waiting > 0;

async function request(method, path, body) {
  if (method === "GET") return send(method, path, body);
  waiting++;
  try {
    return await send(method, path, body);
  } finally {
    waiting--;
  }
}

async function send(method, path, body) {
  const headers = { "X-Localslack-User": actingAs };
  const isForm = body instanceof FormData;
  if (body !== undefined && !isForm) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers, body: isForm || body === undefined ? body : JSON.stringify(body) });
  } catch {
    throw new ApiError("offline", "The workspace does not answer. Is localslack still running?");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok || answer.ok === false) {
    throw new ApiError(answer.error || `http_${response.status}`, answer.message, answer);
  }
  return answer;
}

export const get = (path) => request("GET", path);
export const post = (path, body = {}) => request("POST", path, body);
export const patch = (path, body) => request("PATCH", path, body);
export const del = (path, body) => request("DELETE", path, body);

/** A path of this server with the acting person named, for places that cannot send headers. */
export function asUser(path) {
  const url = new URL(path, location.origin);
  url.searchParams.set("user", actingAs);
  return url.pathname + url.search;
}

/** Listens to the workspace from event `after` on. EventSource resumes after the last id; `onBack` runs after a gap. */
export function listen({ after, onEvent, onGone, onBack }) {
  let gone = false;
  let source;
  let last = String(after ?? "");
  const open = () => {
    source = new EventSource(asUser("/ui/events") + (last ? `&after=${encodeURIComponent(last)}` : ""));
    source.onopen = () => {
      if (gone) onBack();
      gone = false;
    };
    source.onmessage = (message) => {
      last = message.lastEventId || last;
      onEvent(JSON.parse(message.data));
    };
    source.onerror = () => {
      if (!gone) onGone();
      gone = true;
      if (source.readyState === EventSource.CLOSED) setTimeout(open, 2000);
    };
  };
  open();
  addEventListener("pagehide", () => source.close());
}

const WORDS = {
  operation_timeout: "did not answer within 3 seconds",
  dispatch_failed: "could not be reached; it may not be running",
};

/** What went wrong, in a sentence; failures of the app name the app. */
export function explain(error, appName = "The app", what = "") {
  const failed = WORDS[error.code];
  if (failed) return `${appName} ${failed}${what ? ` (${what})` : ""}.`;
  if (error.code === "in_thread") return error.body?.message || "Slash commands cannot be used in threads. Mention the app instead.";
  return error.message || String(error);
}
