// The events of a source as they are committed, newest first.
//
// The stream is followed by sequence: when it breaks it goes on behind the last event that was seen. A burst costs no
// more than what is shown of it: rows are drawn once a frame, and only so many are kept.

import { getText, lines, post } from "./api.js";
import { alarm, busy, button, copyButton, data, empty, h, time } from "./dom.js";
import { member, parts, plain, pretty } from "./json.js";
import { count, dollars, plural, short } from "./text.js";

/** Rows that are kept ... */
const ROWS_MAX = 500;
/** ... and characters of their events. */
const CHARS_MAX = 48 << 20;
const FIRST = 100;
/** As much of a text is shown in a row. */
const CELL_CHARS_MAX = 200;
const RETRY_MS = [500, 1000, 2000, 5000, 10_000];
/** How often a screen reader hears how many events came. */
const SAY_MS = 5_000;

/** The tab with a source's events. */
export function tailTab({ path, source, page }, signal) {
  /** Newest first: `{ event, text, node }`. */
  let rows = [];
  /** Lines that came and are not drawn yet, oldest first. */
  let waiting = [];
  let isPaused = false;
  let isDrawing = false;
  /** How long to wait with the next picture. */
  let pauseMs = 0;
  let last = null;
  let arrived = 0;
  let open = null;

  const list = h("ol", { class: "tail", role: "log", "aria-label": "Events, newest first", "aria-live": "off" });
  const older = button("Older events", loadOlder, { hidden: true });
  const status = h("span", { class: "live", "data-state": "connecting" }, "connecting");
  const said = h("span", { class: "unseen", role: "status", "aria-live": "polite" });
  const pause = button("Pause", togglePause, { "aria-pressed": "false", title: "Pause (p)" });
  const filter = h("input", {
    type: "search",
    placeholder: "Filter: who, what, anything in the record",
    "aria-label": "Filter the events",
    "data-filter": true,
    oninput: applyFilter,
  });
  const shown = h("span", { class: "muted" });
  const nothing = h("div", { hidden: true });
  const details = h("section", { class: "details", hidden: true, "aria-label": "The event" });
  const node = h(
    "div",
    { class: "tail-tab" },
    h("div", { class: "tools" }, filter, pause, status, shown, said),
    nothing,
    h("div", { class: "tail-head", "aria-hidden": "true" }, ["Time", "Action", "Actor", "Target", "Cost", "Tokens"].map((name) => h("span", {}, name))),
    list,
    h("p", { class: "actions" }, older),
    details,
  );

  follow();
  const saying = setInterval(say, SAY_MS);
  signal.addEventListener("abort", () => clearInterval(saying));
  return {
    node,
    escape: () => open !== null && (close(), true),
    keys: { p: ["Pause the tail, or let it go on", togglePause] },
  };

  /** Follows the stream until the tab is left. */
  async function follow() {
    let failures = 0;
    while (!signal.aborted) {
      try {
        const from = last === null ? `limit=${FIRST}` : `after_sequence=${last}`;
        for await (const group of lines(`${path}/events?follow=true&${from}`, signal, opened)) {
          failures = 0;
          take(group);
        }
      } catch (problem) {
        if (signal.aborted || problem.name === "AbortError") return;
        if (problem.status >= 400 && problem.status < 500 && problem.status !== 429) {
          state("ended");
          return alarm(problem);
        }
      }
      state("reconnecting");
      await new Promise((done) => setTimeout(done, RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]));
      failures += 1;
    }
    return undefined;
  }

  function opened() {
    state("live");
    // Nothing yet: the stream says so by saying nothing.
    if (last === null) setTimeout(showEmpty, 400);
  }

  function state(name) {
    const label = isPaused && name === "live" ? "paused" : name;
    status.dataset.state = label;
    status.textContent = label;
  }

  function take(group) {
    if (group.length === 0) return;
    arrived += group.length;
    // Everything is counted, and only what can be shown is read.
    last = JSON.parse(group[group.length - 1]).sequence;
    const wanted = filter.value.trim() === "" ? group.slice(-ROWS_MAX) : group.filter(matches);
    waiting.push(...wanted);
    if (waiting.length > ROWS_MAX) waiting = waiting.slice(-ROWS_MAX);
    draw();
  }

  function draw() {
    if (isPaused) return showCount();
    if (isDrawing) return undefined;
    isDrawing = true;
    // Reading goes on between two pictures: most of the time is for that, however slow the machine is.
    setTimeout(() => requestAnimationFrame(drawNow), pauseMs);
    return undefined;
  }

  function drawNow() {
    isDrawing = false;
    if (signal.aborted || isPaused) return;
    const begin = performance.now();
    const fresh = waiting.map(newRow).reverse();
    waiting = [];
    rows = [...fresh, ...rows];
    list.prepend(...fresh.map((row) => row.node));
    trim();
    showEmpty();
    showCount();
    // With the layout, which happens behind this.
    setTimeout(() => (pauseMs = Math.min(1000, 2 * (performance.now() - begin))));
  }

  /** Forgets the oldest rows. */
  function trim() {
    let chars = 0;
    let keep = 0;
    while (keep < rows.length && keep < ROWS_MAX) {
      chars += rows[keep].text.length;
      if (chars > CHARS_MAX && keep > 0) break;
      keep += 1;
    }
    for (const row of rows.slice(keep)) row.node.remove();
    rows.length = keep;
    const oldest = rows.at(-1);
    older.hidden = !oldest || rows.length >= ROWS_MAX || oldest.isFirst === true;
  }

  function newRow(text) {
    const event = JSON.parse(text);
    const item = h(
      "button",
      { type: "button", class: "row", "data-item": true, "aria-expanded": "false", onclick: () => toggle(row) },
      h("span", { class: "time" }, time(event.event_timestamp ?? event.ingested_at)),
      h("span", { class: "action" }, data(event.action, { max: CELL_CHARS_MAX })),
      h("span", { class: "actor" }, data(event.actor, { max: CELL_CHARS_MAX })),
      h("span", { class: "target" }, data(event.target, { max: CELL_CHARS_MAX })),
      h("span", { class: "number cost" }, dollars(event.cost_usd)),
      h("span", { class: "number tokens" }, tokens(event)),
    );
    const row = { event, text, item, node: h("li", {}, item) };
    row.node.hidden = !matches(text);
    return row;
  }

  function matches(text) {
    const wanted = filter.value.trim().toLowerCase();
    return wanted === "" || text.toLowerCase().includes(wanted);
  }

  function applyFilter() {
    for (const row of rows) row.node.hidden = !matches(row.text);
    showCount();
  }

  function showCount() {
    if (isPaused && waiting.length > 0) {
      const most = waiting.length === ROWS_MAX ? "more than " : "";
      shown.textContent = `${most}${plural(waiting.length, "new event")} since`;
      return;
    }
    const visible = rows.filter((row) => !row.node.hidden).length;
    shown.textContent = visible === rows.length ? "" : `${visible} of ${count(rows.length)} shown`;
  }

  function showEmpty() {
    const isEmpty = rows.length === 0 && waiting.length === 0;
    nothing.hidden = !isEmpty;
    node.classList.toggle("is-empty", isEmpty);
    if (!isEmpty || nothing.hasChildNodes()) return;
    const { mode, id, pull_config: config } = source();
    const url = `${location.origin}/api/ingest/webhook/${id}`;
    const how =
      mode === "pull" || config
        ? ["Events appear here with the next poll. ", h("b", {}, "Pull now"), " does not wait for it."]
        : ["Post a record, and it appears here: ", h("code", {}, url), " with the source's secret as bearer token."];
    const test = button("Send a test event", () => busy(test, () => post(`${path}/test-event`)));
    const mayTest = mode !== "pull" && page.may("ingestionSources:manage");
    nothing.replaceChildren(empty("No events yet", how, mayTest && test));
  }

  function say() {
    if (arrived > 0 && !isPaused) said.textContent = plural(arrived, "new event");
    arrived = 0;
  }

  function togglePause() {
    isPaused = !isPaused;
    pause.textContent = isPaused ? "Go on" : "Pause";
    pause.setAttribute("aria-pressed", String(isPaused));
    state("live");
    if (isPaused) showCount();
    else draw();
  }

  async function loadOlder() {
    const oldest = rows.at(-1);
    older.disabled = true;
    try {
      const answer = await getText(`${path}/events?limit=100&before_sequence=${oldest.event.sequence}`, signal);
      const found = parts(member(answer, "data")).reverse().map(([, text]) => newRow(text));
      const hasMore = member(answer, "has_more") === "true";
      rows.push(...found);
      list.append(...found.map((row) => row.node));
      rows.at(-1).isFirst = !hasMore;
      older.hidden = !hasMore || rows.length >= ROWS_MAX;
      found[0]?.item.focus();
      showCount();
    } catch (problem) {
      alarm(problem);
    }
    older.disabled = false;
  }

  function toggle(row) {
    if (open === row) return close();
    open?.item.setAttribute("aria-expanded", "false");
    open = row;
    row.item.setAttribute("aria-expanded", "true");
    details.replaceChildren(...eventDetails(row, close, page, source()));
    details.hidden = false;
    details.scrollTop = 0;
    row.item.scrollIntoView({ block: "nearest" });
    return undefined;
  }

  function close() {
    open?.item.setAttribute("aria-expanded", "false");
    open?.item.focus();
    open = null;
    details.hidden = true;
    details.replaceChildren();
  }
}

function tokens({ tokens_input: input, tokens_output: output }) {
  return input === 0 && output === 0 ? "" : `${short(input)} / ${short(output)}`;
}

/** An event with its record and its OCSF event side by side. */
function eventDetails({ event, text }, close, page, source) {
  const { origin } = event;
  const facts = [
    ["Happened", time(event.event_timestamp)],
    ["Stored", time(event.ingested_at)],
    event.cost_usd !== "0" && ["Cost", data(`$${event.cost_usd}`)],
    ["Id", data(event.source_event_id)],
    ["Sequence", count(event.sequence)],
    event.parser_version !== null && [
      "Parser",
      source.parser_id
        ? h("a", { href: `/parsers/${encodeURIComponent(source.parser_id)}` }, `version ${event.parser_version}`)
        : `version ${event.parser_version}`,
    ],
    origin.object_key && ["From", data(`${origin.object_key}, record ${origin.record_index + 1}`)],
    Object.keys(event.extra).length > 0 && ["Extra", data(JSON.stringify(event.extra))],
  ].filter(Boolean);
  const ocsf = event.ocsf === null ? null : (member(text, "ocsf") ?? JSON.stringify(event.ocsf));
  return [
    h(
      "div",
      { class: "details-head" },
      h("h2", {}, data(event.action, { max: CELL_CHARS_MAX }), " ", h("span", { class: "muted" }, data(event.actor, { max: CELL_CHARS_MAX }))),
      button("Close", close, { title: "Close (Esc)" }),
    ),
    h("dl", { class: "properties in-line" }, facts.map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value)))),
    h("div", { class: "side-by-side" }, rawBox(event.raw_payload, event.raw_encoding), ocsfBox(ocsf)),
  ];
}

/** A raw record: laid out if it is JSON, or exactly as it is stored. */
export function rawBox(raw, encoding) {
  if (raw === null || raw === undefined) {
    return box("Raw record", [], h("p", { class: "muted" }, "Not kept: the parser says so."));
  }
  let isExact = false;
  const place = h("div", {}, pretty(raw));
  const exact = button("As stored", () => {
    isExact = !isExact;
    exact.setAttribute("aria-pressed", String(isExact));
    place.replaceChildren(isExact ? plain(raw) : pretty(raw));
  });
  exact.setAttribute("aria-pressed", "false");
  const title = encoding === "base64" ? "Raw record, as base64" : "Raw record";
  return box(title, [exact, copyButton(raw)], place);
}

function ocsfBox(text) {
  if (text === null) {
    const why = "None: the source has no parser, so its records are kept as they are.";
    return box("OCSF", [], h("p", { class: "muted" }, why));
  }
  return box("OCSF", [copyButton(text)], pretty(text));
}

function box(title, buttons, content) {
  return h("section", { class: "box" }, h("div", { class: "box-head" }, h("h3", {}, title), buttons), content);
}
