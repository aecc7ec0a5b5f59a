// The runs of the puller for a source.

import { get } from "./api.js";
import { alarm, data, empty, every, h, time } from "./dom.js";
import { bytes, count, span } from "./text.js";

const REFRESH_MS = 3_000;
const COLUMNS = ["Began", "Why", "Outcome", "Took", "Objects", "Read", "Records", "Events", "Repeats", "Errors"];
const WHY = { schedule: "scheduled", manual: "by hand", catch_up: "made up for" };

/** The tab with a source's runs. */
export function runsTab({ path, source }, signal) {
  const node = h("div", { class: "runs-tab" }, h("p", { class: "muted" }, "Loading …"));
  let shown = "";

  async function load() {
    try {
      const { data: runs } = await get(`${path}/pull-runs?limit=50`, signal);
      const now = JSON.stringify(runs);
      if (now !== shown || runs.some((run) => run.status === "running")) show(runs);
      shown = now;
    } catch (problem) {
      alarm(problem);
    }
  }

  function show(runs) {
    if (runs.length === 0) {
      const text = "The bucket is read on its schedule. “Pull now” does not wait for it.";
      return node.replaceChildren(empty("No runs yet", source().pull_config ? text : "Nothing is polled."));
    }
    const head = h("tr", {}, COLUMNS.map((name, at) => h("th", { scope: "col", class: at > 2 ? "number" : null }, name)));
    const body = h("tbody", {}, runs.flatMap(rowsOf));
    return node.replaceChildren(h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Runs" }, h("table", { class: "runs" }, h("thead", {}, head), body)));
  }

  every(REFRESH_MS, signal, load);
  load();
  return { node, keys: {} };
}

function rowsOf(run) {
  const end = run.finished_at ? Date.parse(run.finished_at) : Date.now();
  const cells = [
    took((end - Date.parse(run.started_at)) / 1000),
    count(run.objects_read),
    bytes(run.bytes_read),
    count(run.records_read),
    count(run.events_written),
    count(run.duplicates),
    count(run.error_count),
  ];
  const row = h(
    "tr",
    {},
    h("td", {}, time(run.started_at)),
    h("td", {}, WHY[run.trigger] ?? run.trigger),
    h("td", {}, h("span", { class: `pill ${run.status}` }, run.status)),
    cells.map((cell) => h("td", { class: "number" }, cell)),
  );
  if (!run.error_message) return [row];
  const words = h("p", { class: "row-error" }, h("b", {}, data(run.error_code)), " ", data(run.error_message));
  return [row, h("tr", { class: "note" }, h("td", { colspan: COLUMNS.length }, words))];
}

function took(seconds) {
  return seconds < 1 ? "< 1 s" : span(seconds);
}
