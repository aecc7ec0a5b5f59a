// The REST API, with the session's cookie and the header that says that this page asks.

const HEADERS = { "X-Weir-Page": "1" };
export const API = "/api/governance";

/** What the server refused: its words, its code, and the fields or diagnostics that are wrong. */
export class Problem extends Error {
  constructor(status, { code = "unknown", message = `the server answers ${status}`, details = [] }) {
    super(message);
    this.name = "Problem";
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

let onLoggedOut = () => {};

/** What happens when the session has ended. */
export function whenLoggedOut(action) {
  onLoggedOut = action;
}

async function send(method, path, { body, signal, accept = "application/json" } = {}) {
  const headers = { ...HEADERS, Accept: accept };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, {
      method,
      headers,
      signal,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { code: "unreachable", message: "the server cannot be reached" });
  }
  if (response.ok) return response;
  const answer = await response.json().catch(() => ({}));
  const problem = new Problem(response.status, answer.error ?? {});
  if (response.status === 401 && path !== "/ui/login") onLoggedOut();
  throw problem;
}

async function json(method, path, body, signal) {
  const response = await send(method, path, { body, signal });
  return response.status === 204 ? null : response.json();
}

export const get = (path, signal) => json("GET", path, undefined, signal);
export const post = (path, body, signal) => json("POST", path, body ?? {}, signal);
export const patch = (path, body) => json("PATCH", path, body);
export const remove = (path) => json("DELETE", path);

/** The text of an answer: numbers in it may be larger than a script's. So below. */
export async function getText(path, signal) {
  const response = await send("GET", path, { signal });
  return response.text();
}

export async function postText(path, body, signal) {
  const response = await send("POST", path, { body, signal });
  return response.text();
}

/** All pages of a list, up to a limit. */
export async function all(path, signal, max = 1000) {
  const rows = [];
  let cursor = null;
  do {
    const glue = path.includes("?") ? "&" : "?";
    const page = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const answer = await get(`${path}${glue}limit=200${page}`, signal);
    rows.push(...answer.data);
    cursor = answer.has_more ? answer.next_cursor : null;
  } while (cursor !== null && rows.length < max);
  return rows;
}

/** The lines of a stream, in the groups in which they arrive. */
export async function* lines(path, signal, onopen) {
  const response = await send("GET", path, { signal, accept: "application/x-ndjson" });
  onopen();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let parts = [];
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const end = value.lastIndexOf("\n");
    if (end === -1) {
      parts.push(value);
      continue;
    }
    const whole = parts.join("") + value.slice(0, end);
    parts = [value.slice(end + 1)];
    yield whole.split("\n").filter((line) => line !== "");
  }
}
