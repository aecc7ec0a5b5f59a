// All parsers.

import { API, all } from "./api.js";
import { data, empty, h, problemBox, time } from "./dom.js";
import { plural } from "./text.js";

/** The view of all parsers. */
export function parsersView(page, _places, signal) {
  const add = page.may("parsers:manage") ? h("a", { class: "button primary", href: "/parsers/new" }, "New parser") : null;
  const filter = h("input", {
    type: "search",
    placeholder: "Filter",
    "aria-label": "Filter the parsers",
    "data-filter": true,
    oninput: apply,
  });
  const count = h("span", { class: "muted", role: "status" });
  const tools = h("div", { class: "tools", hidden: true }, filter, count);
  const place = h("div", {}, h("p", { class: "muted" }, "Loading …"));
  let rows = [];

  function show(parsers) {
    if (parsers.length === 0) {
      const text =
        "A parser is a short program: which records matter, who did what in them, and which OCSF event that is. " +
        "The editor shows what becomes of a sample while you type.";
      return place.replaceChildren(empty("No parsers yet", text, add?.cloneNode(true)));
    }
    parsers.sort((a, b) => a.name.localeCompare(b.name));
    rows = parsers.map((parser) => ({ parser, node: rowOf(parser) }));
    tools.hidden = false;
    place.replaceChildren(
      h(
        "table",
        { class: "parsers" },
        h("thead", {}, h("tr", {}, ["Parser", "Active", "Versions", "Changed"].map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", {}, rows.map((row) => row.node)),
      ),
    );
    return apply();
  }

  function apply() {
    const wanted = filter.value.trim().toLowerCase();
    for (const { parser, node } of rows) node.hidden = !`${parser.name} ${parser.description}`.toLowerCase().includes(wanted);
    const shown = rows.filter(({ node }) => !node.hidden).length;
    count.textContent = wanted ? `${shown} of ${plural(rows.length, "parser")}` : plural(rows.length, "parser");
  }

  all(`${API}/parsers`, signal)
    .then(show)
    .catch((problem) => problem.name === "AbortError" || place.replaceChildren(problemBox(problem)));
  const node = h("section", {}, h("div", { class: "head" }, h("h1", { tabindex: "-1" }, "Parsers"), add), tools, place);
  return { title: "Parsers", node, keys: { n: ["New parser", () => add && page.go("/parsers/new")] } };
}

function rowOf(parser) {
  const { id, name, description, active_version: active, latest_version: latest } = parser;
  const link = h("a", { href: `/parsers/${encodeURIComponent(id)}`, "data-item": true }, data(name));
  return h(
    "tr",
    {},
    h("td", { class: "name" }, link, description && h("small", { class: "muted" }, data(description))),
    h("td", {}, active === null ? h("span", { class: "pill waiting" }, "none") : `version ${active}`),
    h("td", {}, latest === active ? String(latest) : `${latest}, not active`),
    h("td", {}, time(parser.updated_at, { relative: true })),
  );
}
