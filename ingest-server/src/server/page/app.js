// The page: which view the path names, who is logged in, and the shortcuts.

import { get, post, whenLoggedOut } from "./api.js";
import { alarm, h } from "./dom.js";
import { editorView } from "./editor.js";
import { loginView } from "./login.js";
import { parsersView } from "./parsers.js";
import { newSourceView, sourceView } from "./source.js";
import { sourcesView } from "./sources.js";
import { visibleText } from "./text.js";

const ROUTES = [
  [/^\/sources$/, sourcesView],
  [/^\/sources\/new$/, newSourceView],
  [/^\/sources\/([^/]+)(?:\/(events|dead-letters|runs|settings))?$/, sourceView],
  [/^\/parsers$/, parsersView],
  [/^\/parsers\/new$/, editorView],
  [/^\/parsers\/([^/]+)$/, editorView],
];
const SHORTCUTS_OFF = "weir.shortcuts.off";

const main = document.getElementById("main");
const bar = document.getElementById("bar");
const help = document.getElementById("help");

let view = null;
let leaving = new AbortController();
/** What the session may do; `null` while nobody is logged in. */
let permissions = null;

/** What the views need of the page. */
const page = {
  go,
  may: (permission) => permissions?.includes(permission) ?? false,
};

/** Goes to a place in the page. */
async function go(path, { replace = false } = {}) {
  if (view?.mayLeave && !(await view.mayLeave(path))) return;
  if (replace) history.replaceState(null, "", path);
  else history.pushState(null, "", path);
  show();
}

function show() {
  const path = location.pathname === "/" ? "/sources" : location.pathname.replace(/\/$/, "");
  if (permissions === null) return mount(loginView(enter), path);
  for (const [pattern, make] of ROUTES) {
    const match = pattern.exec(path);
    if (match === null) continue;
    const places = match.slice(1).map((part) => part && decodeURIComponent(part));
    // The same thing at another tab.
    if (view?.make === make && view.turn?.(places)) return mark(path);
    leaving.abort();
    leaving = new AbortController();
    const next = make(page, places, leaving.signal);
    next.make = make;
    return mount(next, path);
  }
  return mount({ title: "Not found", node: lost() }, path);
}

function lost() {
  return h(
    "div",
    { class: "empty" },
    h("h1", { tabindex: "-1" }, "There is no such place"),
    h("p", { class: "actions" }, h("a", { class: "button", href: "/sources" }, "Go to the sources")),
  );
}

function mount(next, path) {
  view = next;
  bar.hidden = permissions === null;
  main.className = next.wide ? "wide" : "";
  main.replaceChildren(next.node);
  window.scrollTo(0, 0);
  mark(path);
  const focused = next.focus ?? main.querySelector("h1");
  focused?.focus({ preventScroll: true });
}

/** Says where we are. */
function mark(path) {
  document.title = view.title ? `${visibleText(view.title)} · weir` : "weir";
  for (const link of bar.querySelectorAll("[data-place]")) {
    if (path.startsWith(link.dataset.place)) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

async function enter() {
  ({ permissions } = await get("/ui/session"));
  show();
}

function loggedOut() {
  if (permissions === null) return;
  permissions = null;
  leaving.abort();
  show();
}

async function logOut() {
  if (view?.mayLeave && !(await view.mayLeave("/"))) return;
  // Samples are records of logs.
  sessionStorage.clear();
  try {
    await post("/ui/logout");
  } catch (problem) {
    return alarm(problem);
  }
  history.replaceState(null, "", "/");
  loggedOut();
}

// Links within the page do not load it anew.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || link.target) return;
  if (link.id === "skip") {
    event.preventDefault();
    return void main.focus();
  }
  const url = new URL(link.href);
  if (url.origin !== location.origin) return;
  event.preventDefault();
  go(url.pathname);
});
window.addEventListener("popstate", async () => {
  const place = location.pathname;
  if (view?.mayLeave && !(await view.mayLeave(place))) history.forward();
  else show();
});
window.addEventListener("beforeunload", (event) => {
  if (view?.isDirty?.()) event.preventDefault();
});
document.getElementById("log-out").addEventListener("click", logOut);

// Shortcuts: single keys, so they can be switched off, and do nothing where somebody types.

const KEYS = {
  "?": ["Show the shortcuts", showHelp],
  "/": ["Filter the list", () => main.querySelector("[data-filter]")?.focus()],
  j: ["Next in the list", () => step(1)],
  k: ["Previous in the list", () => step(-1)],
  "g s": ["Go to the sources", () => go("/sources")],
  "g p": ["Go to the parsers", () => go("/parsers")],
};
let pending = "";

function keys() {
  return permissions === null ? {} : { ...KEYS, ...view?.keys };
}

document.addEventListener("keydown", (event) => {
  const { target } = event;
  if (event.key === "Escape" && !document.querySelector("dialog[open]")) {
    if (!target.matches?.("[data-filter]")) return void view?.escape?.();
    event.preventDefault();
    target.value = "";
    target.dispatchEvent(new Event("input"));
    return target.blur();
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (target.matches?.("textarea, select, input:not([type=radio], [type=checkbox])")) return;
  if (localStorage.getItem(SHORTCUTS_OFF) !== null || document.querySelector("dialog[open]")) return;
  const known = keys();
  const pressed = pending + event.key;
  pending = "";
  if (known[pressed]) {
    event.preventDefault();
    known[pressed][1]();
  } else if (Object.keys(known).some((key) => key.startsWith(`${event.key} `))) {
    pending = `${event.key} `;
    setTimeout(() => (pending = ""), 1500);
  }
});

/** Moves the focus in the list of the view. */
function step(by) {
  const items = [...main.querySelectorAll("[data-item]")].filter((item) => item.offsetParent !== null);
  const at = items.findIndex((item) => item === document.activeElement || item.matches("[aria-expanded=true]"));
  const next = at === -1 ? (by > 0 ? 0 : items.length - 1) : at + by;
  const item = items[Math.max(0, Math.min(items.length - 1, next))];
  if (!item) return;
  item.focus();
  item.scrollIntoView({ block: "nearest" });
  // While one is open, another is shown in its place.
  if (items[at]?.matches("[aria-expanded=true]") && item !== items[at]) item.click();
}

function showHelp() {
  const off = h("input", {
    type: "checkbox",
    checked: localStorage.getItem(SHORTCUTS_OFF) === null,
    onchange: () =>
      off.checked ? localStorage.removeItem(SHORTCUTS_OFF) : localStorage.setItem(SHORTCUTS_OFF, "1"),
  });
  const rows = [...Object.entries(keys()), ...(view?.moreKeys ?? []), ["Esc", ["Close what is open"]]];
  help.replaceChildren(
    h("h2", { id: "help-title" }, "Keyboard shortcuts"),
    h(
      "dl",
      { class: "shortcuts" },
      rows.map(([key, [meaning]]) => [
        h("dt", {}, key.split(" ").map((one) => h("kbd", {}, one))),
        h("dd", {}, meaning),
      ]),
    ),
    h("label", { class: "check" }, off, "Single-key shortcuts"),
    h("form", { method: "dialog", class: "actions" }, h("button", { class: "primary", autofocus: true }, "Close")),
  );
  help.showModal();
}
document.getElementById("help-open").addEventListener("click", showHelp);

whenLoggedOut(loggedOut);
enter().catch(() => show());
