// Elements. Whatever is put into the document is a node or becomes a text node: there is no way from text to markup.

import { ago, clock, visible, visibleText } from "./text.js";

const SVG = "http://www.w3.org/2000/svg";

/** An element: attributes, `on…` listeners, children. Children that are text are our own words; for words of others see
    `data`. */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Text that came from outside: what cannot be seen is made visible, and its direction stays within it. */
export function data(value, { block = false, tag = "bdi", max = Infinity } = {}) {
  const text = String(value ?? "");
  const shown = text.length > max ? `${text.slice(0, max)}…` : text;
  return h(tag, { class: "data" }, pieces(shown, block));
}

export function pieces(text, block = false) {
  return visible(text, block).map(([part, name]) =>
    name === null ? part : h("span", { class: "unseen-char", title: name }, part),
  );
}

/** A time, with the exact one as its title. */
export function time(value, { relative = false } = {}) {
  if (!value) return "–";
  return h("time", { datetime: value, title: visibleText(value) }, relative ? ago(value) : clock(value));
}

export function button(label, onclick, attributes = {}) {
  return h("button", { type: "button", ...attributes, onclick }, label);
}

/** A place where nothing is yet, with what to do about it. */
export function empty(title, text, ...actions) {
  return h(
    "div",
    { class: "empty" },
    h("h2", { tabindex: "-1" }, title),
    text && h("p", {}, text),
    actions.length > 0 ? h("p", { class: "actions" }, actions) : null,
  );
}

export function problemBox(problem) {
  return h("div", { class: "problem", role: "alert" }, data(problem.message));
}

/** Something to copy, whole. */
export function copyButton(text, label = "Copy") {
  const node = button(label, async () => {
    const isCopied = await copy(typeof text === "function" ? text() : text);
    node.textContent = isCopied ? "Copied" : "Select and copy it by hand";
    setTimeout(() => (node.textContent = label), 2000);
  });
  return node;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without TLS a page on another host has no clipboard.
    return false;
  }
}

/** Says that something was done. */
export function notice(text) {
  post("notices", text, 5000);
}

/** Says that something went wrong; stays until it is closed. */
export function alarm(problem) {
  if (problem.name === "AbortError") return;
  post("alerts", problem.message ?? String(problem), 0);
}

function post(place, text, milliseconds) {
  const close = () => note.remove();
  const note = h(
    "div",
    { class: "notice" },
    data(text),
    button("Close", close, { class: "quiet" }),
  );
  document.getElementById(place).replaceChildren(note);
  if (milliseconds > 0) setTimeout(close, milliseconds);
}

/** Asks before something that cannot be taken back. */
export function ask({ title, text, action, danger = false }) {
  return new Promise((answer) => {
    const dialog = h(
      "dialog",
      { "aria-labelledby": "ask-title", class: "ask" },
      h(
        "form",
        { method: "dialog" },
        h("h2", { id: "ask-title" }, data(title)),
        h("p", {}, data(text)),
        h(
          "p",
          { class: "actions" },
          h("button", { value: "no" }, "Cancel"),
          h("button", { value: "yes", class: danger ? "danger" : "primary" }, action),
        ),
      ),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      answer(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Runs `work` now and then, while the page is looked at, until the view is left. */
export function every(milliseconds, signal, work) {
  const timer = setInterval(() => document.hidden || work(), milliseconds);
  signal.addEventListener("abort", () => clearInterval(timer));
}

/** Runs a button's work: it cannot be pressed twice, and what goes wrong is said. */
export async function busy(node, work) {
  node.disabled = true;
  try {
    return await work();
  } catch (problem) {
    alarm(problem);
    return undefined;
  } finally {
    node.disabled = false;
  }
}
