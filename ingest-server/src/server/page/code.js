// A program on the screen: with line numbers, colours and marks, to be read or to be written.
//
// The editor is a text area, so that everything that people and their tools know of text areas works. It is transparent
// and lies on a picture of the same text, which has the colours.

import { h } from "./dom.js";
import { lines } from "./syntax.js";

const SIGNS = { error: "●", warning: "▲", advice: "◆", refused: "■" };
const RANKS = ["advice", "warning", "refused", "error"];

/** A program to be read, with one line marked. */
export function listing(text, marked) {
  const rows = lines(text).map((line, index) => {
    const isMarked = index + 1 === marked;
    return h(
      "div",
      { class: isMarked ? "line marked" : "line", "data-line": String(index + 1) },
      h("span", { class: "line-number" }, String(index + 1)),
      h("code", {}, paint(line)),
    );
  });
  const label = marked ? `The program, with line ${marked} marked` : "The program";
  return h("div", { class: "code listing", tabindex: "0", role: "region", "aria-label": label }, rows);
}

/** Brings the marked line into the middle of its listing. */
export function showMarked(node) {
  const line = node.querySelector(".marked");
  if (line) node.scrollTop = line.offsetTop - node.clientHeight / 2 + line.offsetHeight / 2;
}

function paint(line) {
  return line.map(([kind, piece]) => (kind ? h("span", { class: `tok-${kind}` }, piece) : piece));
}

/** A text area for programs. `oninput` hears of every change. */
export function codeEditor({ label, oninput, onmark }) {
  const area = h("textarea", {
    spellcheck: "false",
    autocomplete: "off",
    autocapitalize: "off",
    wrap: "off",
    "aria-label": label,
    "aria-describedby": "editor-state",
  });
  const picture = h("pre", { class: "picture", "aria-hidden": "true" });
  const gutter = h("div", { class: "gutter", "aria-hidden": "true" });
  const node = h("div", { class: "code editor" }, gutter, h("div", { class: "sheet" }, picture, area));
  /** What each line shows, so that only those that change are drawn. */
  let drawn = [];
  let marks = [];
  let isDue = false;

  area.addEventListener("input", () => {
    draw();
    oninput();
  });
  area.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && !event.altKey) indentLike(event);
  });

  /** A new line begins where the one before it does. */
  function indentLike(event) {
    const { selectionStart: at, value } = area;
    const start = value.lastIndexOf("\n", at - 1) + 1;
    const before = value.slice(start, at);
    const indent = /^[ \t]*/.exec(before)[0] + (/[{(]\s*$/.test(before) ? "  " : "");
    if (indent === "") return;
    event.preventDefault();
    // The way that can be undone.
    document.execCommand("insertText", false, `\n${indent}`);
  }

  function draw() {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      drawNow();
    });
  }

  function drawNow() {
    const painted = lines(area.value);
    const worst = new Map();
    for (const mark of marks) {
      const known = worst.get(mark.line);
      if (!known || RANKS.indexOf(mark.kind) > RANKS.indexOf(known.kind)) worst.set(mark.line, mark);
    }
    const keys = painted.map((line, index) => JSON.stringify([line, waves(index + 1), worst.get(index + 1)]));
    let head = 0;
    while (head < keys.length && head < drawn.length && keys[head] === drawn[head]) head += 1;
    let tail = 0;
    const most = Math.min(keys.length, drawn.length) - head;
    while (tail < most && keys.at(-1 - tail) === drawn.at(-1 - tail)) tail += 1;
    replace(picture, head, drawn.length - tail, painted.slice(head, painted.length - tail), (line, at) =>
      h("div", { class: worst.has(at) ? `line ${worst.get(at).kind}` : "line" }, underlined(line, waves(at)), "\n"),
    );
    // Numbers change with every line that comes or goes.
    replace(gutter, head, drawn.length, painted.slice(head), (_, at) => number(at, worst.get(at)));
    drawn = keys;
  }

  function replace(place, from, to, items, make) {
    const old = [...place.children].slice(from, to);
    const before = place.children[to] ?? null;
    for (const child of old) child.remove();
    const made = document.createDocumentFragment();
    items.forEach((item, index) => made.append(make(item, from + index + 1)));
    place.insertBefore(made, before);
  }

  function number(line, mark) {
    if (!mark) return h("div", { class: "line-number" }, String(line));
    const sign = h("span", { class: "sign" }, SIGNS[mark.kind]);
    return h("div", { class: `line-number ${mark.kind}`, title: mark.message, onclick: () => onmark(mark) }, sign, String(line));
  }

  /** Where text is underlined on a line, by characters. */
  function waves(line) {
    return marks
      .filter((mark) => mark.kind !== "refused" && mark.line <= line && line <= (mark.end_line ?? mark.line))
      .map((mark) => [
        mark.line === line ? mark.col - 1 : 0,
        mark.end_line === line || mark.end_line === undefined ? Math.max(mark.end_col - 1, mark.col) : Infinity,
        mark.kind,
      ]);
  }

  return {
    node,
    area,
    get value() {
      return area.value;
    },
    set value(text) {
      area.value = text;
      drawNow();
    },
    /** Marks lines: `{ line, col, end_line, end_col, kind, message }`. */
    mark(found) {
      marks = found;
      drawNow();
    },
    /** Puts the cursor at a place. */
    goTo(line, column = 1) {
      const starts = area.value.split("\n");
      const before = starts.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
      const units = [...(starts[line - 1] ?? "")].slice(0, column - 1).join("").length;
      area.focus();
      area.setSelectionRange(before + units, before + units);
      gutter.children[line - 1]?.scrollIntoView({ block: "center" });
    },
  };
}

/** A line's pieces, cut where an underline begins or ends. Columns count characters, not halves of pairs. */
function underlined(line, waves) {
  if (waves.length === 0) return paint(line);
  const nodes = [];
  let column = 0;
  for (const [kind, piece] of line) {
    for (const char of piece) {
      const wave = waves.find(([from, to]) => from <= column && column < to);
      const name = [kind && `tok-${kind}`, wave && `wave ${wave[2]}`].filter(Boolean).join(" ");
      const previous = nodes.at(-1);
      if (previous?.name === name) previous.text += char;
      else nodes.push({ name, text: char });
      column += 1;
    }
  }
  // A mistake behind the end of the line has to be seen too.
  if (waves.some(([from]) => from >= column)) nodes.push({ name: `wave ${waves[0][2]}`, text: " " });
  return nodes.map(({ name, text }) => (name ? h("span", { class: name }, text) : text));
}
