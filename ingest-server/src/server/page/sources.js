// All sources: what they are and how they are.

import { API, all, get } from "./api.js";
import { sparkline } from "./chart.js";
import { data, empty, every, h, problemBox, time } from "./dom.js";
import { percent, plural, short, span } from "./text.js";

const STATUS = { awaiting_first_event: "waiting", active: "active", disabled: "disabled" };
/** Requests for health at a time. */
const AT_ONCE = 4;
const REFRESH_MS = 10_000;

export function statusOf(source) {
  return source.archived_at ? "archived" : (STATUS[source.status] ?? source.status);
}

export function statusPill(source) {
  const status = statusOf(source);
  return h("span", { class: `pill ${status}` }, status);
}

/** The view of all sources. */
export function sourcesView(page, _places, signal) {
  const rows = new Map();
  const body = h("tbody");
  const filter = h("input", {
    type: "search",
    placeholder: "Filter",
    "aria-label": "Filter the sources",
    "data-filter": true,
    oninput: apply,
  });
  const archived = h("input", { type: "checkbox", onchange: () => load(true) });
  const count = h("span", { class: "muted", role: "status" });
  const add = page.may("ingestionSources:manage")
    ? h("a", { class: "button primary", href: "/sources/new" }, "New source")
    : null;
  const place = h("div", {}, h("p", { class: "muted" }, "Loading …"));
  const tools = h(
    "div",
    { class: "tools" },
    filter,
    h("label", { class: "check" }, archived, "Archived ones too"),
    count,
  );
  const table = h(
    "table",
    { class: "sources" },
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        ["Source", "Status", "Last 24 hours", "Events", "Refused", "Lag", "Dead letters"].map((name, column) =>
          h("th", { scope: "col", class: column > 2 ? "number" : null }, name),
        ),
      ),
    ),
    body,
  );
  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) rows.get(target.dataset.id).isSeen = isIntersecting;
    refresh();
  });
  signal.addEventListener("abort", () => seen.disconnect());

  async function load(anew) {
    try {
      const query = archived.checked ? "?include_archived=true" : "";
      const sources = await all(`${API}/ingestion-sources${query}`, signal);
      show(sources, anew);
    } catch (problem) {
      if (problem.name !== "AbortError") place.replaceChildren(problemBox(problem));
    }
  }

  function show(sources, anew) {
    if (sources.length === 0) {
      const text =
        "A source is a place that logs come from: a bucket that is read on a schedule, or a program that " +
        "posts them. It follows a parser, which says what its records mean.";
      const parser = h("a", { class: "button", href: "/parsers/new" }, "Write a parser first");
      tools.hidden = true;
      return place.replaceChildren(empty("No sources yet", text, add?.cloneNode(true), parser));
    }
    tools.hidden = false;
    const known = new Set(sources.map((source) => source.id));
    const isSame = !anew && sources.length === rows.size && sources.every((source) => rows.has(source.id));
    if (!isSame) {
      for (const [id, row] of rows) if (!known.has(id)) drop(id, row);
      for (const source of sources) if (!rows.has(source.id)) rows.set(source.id, newRow(source));
      const sorted = [...sources].sort((a, b) => a.name.localeCompare(b.name));
      body.replaceChildren(...sorted.map((source) => rows.get(source.id).node));
      for (const { node } of rows.values()) seen.observe(node);
    }
    for (const source of sources) fillRow(rows.get(source.id), source);
    if (!table.isConnected) place.replaceChildren(table);
    apply();
    refresh();
    return undefined;
  }

  function drop(id, { node }) {
    seen.unobserve(node);
    rows.delete(id);
  }

  function apply() {
    const wanted = filter.value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows.values()) {
      row.node.hidden = !row.text.includes(wanted);
      shown += row.node.hidden ? 0 : 1;
    }
    count.textContent = wanted ? `${shown} of ${plural(rows.size, "source")}` : plural(rows.size, "source");
  }

  let isRefreshing = false;
  async function refresh() {
    if (isRefreshing || !page.may("activityMonitor:view")) return;
    isRefreshing = true;
    const due = [...rows].filter(([, row]) => row.isSeen && Date.now() - row.at > REFRESH_MS / 2);
    const worker = async () => {
      for (let next = due.pop(); next; next = due.pop()) {
        const [id, row] = next;
        row.at = Date.now();
        try {
          const { health } = await get(`${API}/ingestion-sources/${encodeURIComponent(id)}/health`, signal);
          fillHealth(row, health);
        } catch {
          // Its row keeps what it had; the next round asks again.
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    isRefreshing = false;
  }

  every(REFRESH_MS, signal, () => load(false));
  load(true);
  const node = h("section", {}, h("div", { class: "head" }, h("h1", { tabindex: "-1" }, "Sources"), add), tools, place);
  const keys = { n: ["New source", () => add && page.go("/sources/new")] };
  return { title: "Sources", node, keys };
}

function newRow({ id }) {
  const cells = Object.fromEntries(
    ["name", "status", "chart", "events", "refused", "lag", "letters"].map((name) => [name, h("td", { class: name })]),
  );
  for (const name of ["events", "refused", "lag", "letters"]) cells[name].classList.add("number");
  cells.events.dataset.label = "Events";
  cells.refused.dataset.label = "Refused";
  cells.lag.dataset.label = "Lag";
  cells.letters.dataset.label = "Dead letters";
  const error = h("p", { class: "row-error", hidden: true });
  const link = h("a", { href: `/sources/${encodeURIComponent(id)}`, "data-item": true });
  const kind = h("small", { class: "muted" });
  cells.name.append(link, kind, error);
  const node = h("tr", { "data-id": id }, Object.values(cells));
  return { node, cells, link, kind, error, text: "", isSeen: false, at: 0, shown: "" };
}

function fillRow(row, source) {
  const shown = JSON.stringify([source.name, source.source_type, source.mode, statusOf(source)]);
  if (row.shown === shown) return;
  row.shown = shown;
  row.text = `${source.name} ${source.source_type} ${source.mode} ${statusOf(source)}`.toLowerCase();
  row.link.replaceChildren(data(source.name));
  row.kind.textContent = `${source.source_type} · ${source.mode}`;
  row.cells.status.replaceChildren(statusPill(source));
}

function fillHealth({ cells, error }, health) {
  cells.chart.replaceChildren(sparkline(health.hours));
  cells.events.textContent = short(health.events_24h);
  cells.refused.textContent = percent(health.parse_error_rate);
  cells.refused.classList.toggle("bad", health.parse_error_rate > 0);
  cells.lag.textContent = health.lag_seconds === null ? "–" : span(health.lag_seconds);
  cells.letters.textContent = short(health.quarantined);
  cells.letters.classList.toggle("bad", health.quarantined > 0);
  const words = troubles(health);
  error.hidden = words.length === 0;
  error.replaceChildren(...words);
}

/** What is wrong with a source, in words. */
export function troubles(health) {
  const words = [];
  if (health.last_error) {
    const { code, message, at } = health.last_error;
    words.push(h("span", { class: "trouble" }, h("b", {}, data(code)), " ", data(message), " · ", time(at, { relative: true })));
  }
  const say = (text) => words.push(h("span", { class: "trouble" }, text));
  if (health.silent_empty) say("Its runs succeed and bring nothing for a day: is the prefix right?");
  if (health.never_scheduled) say("Nothing says when to poll it: give it an interval, or pull by hand.");
  if (health.objects_failing > 0) say(`${plural(health.objects_failing, "object")} cannot be read; they are tried again.`);
  return words;
}
