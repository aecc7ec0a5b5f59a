// JSON as it was written. Reading it into values would lose digits of large numbers, and the first of two equal keys.

import { h, pieces } from "./dom.js";

/** As much is laid out; more is cut, since nobody reads it and the browser would be slow. */
const SHOWN_MAX = 100_000;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
const SPACE = /[ \t\r\n]*/y;

function match(regex, text, at) {
  regex.lastIndex = at;
  return regex.exec(text)?.[0].length ?? 0;
}

/** Behind the end of the string that begins at `at`, or -1. */
function endOfString(text, at) {
  for (let end = text.indexOf('"', at + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text[end - 1 - slashes] === "\\") slashes += 1;
    if (slashes % 2 === 0) return end + 1;
  }
  return -1;
}

/** The tokens of a JSON text as `[kind, begin, end]`; ends early where it is none. */
function* tokens(text) {
  let at = match(SPACE, text, 0);
  while (at < text.length) {
    const begin = at;
    const char = text[at];
    let kind = char;
    if ("{}[],:".includes(char)) at += 1;
    else if (char === '"') {
      kind = "s";
      at = endOfString(text, at);
      if (at === -1) return yield ["bad", begin, text.length];
    } else {
      kind = "n";
      at += match(NUMBER, text, at);
      if (at === begin) {
        kind = "w";
        at += match(WORD, text, at);
      }
      if (at === begin) return yield ["bad", begin, text.length];
    }
    yield [kind, begin, at];
    at += match(SPACE, text, at);
  }
}

/** The direct members of an object as `[key, text]`, or the elements of an array, as they are written. */
export function parts(text) {
  const found = [];
  let depth = 0;
  let key = null;
  let begin = -1;
  let last = -1;
  for (const [kind, from, to] of tokens(text)) {
    if (kind === "bad") break;
    const ends = depth === 1 && (kind === "," || kind === "}" || kind === "]");
    if (ends && begin !== -1) {
      found.push([key, text.slice(begin, last)]);
      [key, begin] = [null, -1];
    } else if (depth === 1 && kind === ":" && key === null) {
      key = JSON.parse(text.slice(begin, last));
      begin = -1;
    } else if (depth === 1 && begin === -1 && kind !== ",") begin = from;
    if (kind === "{" || kind === "[") depth += 1;
    if (kind === "}" || kind === "]") depth -= 1;
    last = to;
  }
  return found;
}

/** The member of an object, as it is written; `null` if it has none. */
export function member(text, name) {
  return parts(text).find(([key]) => key === name)?.[1] ?? null;
}

/** A JSON text over lines, as `[class, text]`; `null` if it is none. */
function layout(text) {
  const out = [];
  let depth = 0;
  let size = 0;
  let previous = null;
  const put = (kind, piece) => {
    out.push([kind, piece]);
    size += piece.length;
  };
  const line = () => put(null, "\n" + "  ".repeat(depth));
  for (const [kind, from, to] of tokens(text)) {
    if (kind === "bad" || (depth === 0 && previous !== null)) return null;
    if (size > SHOWN_MAX) return out;
    const closes = kind === "}" || kind === "]";
    if (closes) depth -= 1;
    const opened = previous === "{" || previous === "[";
    if (previous === "," || (opened && !closes) || (closes && !opened)) line();
    if (kind === ":") {
      // What stands before the colon is a key.
      out[out.length - 1][0] = "k";
      put(null, ": ");
    } else put("snw".includes(kind) ? kind : null, text.slice(from, Math.min(to, from + SHOWN_MAX)));
    if (kind === "{" || kind === "[") depth += 1;
    previous = kind;
  }
  return depth === 0 ? out : null;
}

/** JSON for reading; whatever else it is, as it is. */
export function pretty(text) {
  const laid = layout(text);
  if (laid === null) return plain(text);
  const nodes = laid.map(([kind, piece]) =>
    kind === null ? piece : h("span", { class: `json-${kind}` }, pieces(piece, true)),
  );
  return cut(h("pre", { class: "data block" }, nodes), text);
}

/** A text, as it is. */
export function plain(text) {
  return cut(h("pre", { class: "data block" }, pieces(text.slice(0, SHOWN_MAX), true)), text);
}

function cut(node, text) {
  if (text.length > SHOWN_MAX) node.append("\n", h("span", { class: "muted" }, "… cut here; copy it to see all"));
  return node;
}
