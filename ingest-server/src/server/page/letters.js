// Dead letters: records that a parser refused, with the line that did.

import { API, get, post, remove } from "./api.js";
import { listing, showMarked } from "./code.js";
import { alarm, ask, busy, button, data, empty, h, notice, time } from "./dom.js";
import { handOver } from "./editor.js";
import { rawBox } from "./tail.js";
import { count, plural } from "./text.js";

/** The tab with a source's dead letters. */
export function lettersTab({ page, path, source, reload }, signal) {
  const mayManage = page.may("ingestionSources:manage");
  const versions = new Map();
  let letters = [];
  let cursor = null;
  let open = null;

  const again = button("Re-drive all", () => busy(again, () => redrive()), {
    class: "primary",
    title: "Maps them again, with the parser as it is now",
  });
  const tools = h("div", { class: "tools", hidden: true }, h("p", { class: "muted spring" }, "Records that were refused. Mend the parser, then re-drive them: each is mapped again, and stored once."), mayManage && again);
  const list = h("ol", { class: "letters", "aria-label": "Dead letters" });
  const more = button("More", () => busy(more, loadMore), { hidden: true });
  const details = h("section", { class: "letter", "aria-label": "The dead letter", hidden: true });
  const nothing = h("div");
  const node = h("div", { class: "letters-tab" }, tools, nothing, h("div", { class: "two" }, h("div", {}, list, h("p", { class: "actions" }, more)), details));

  async function load() {
    letters = [];
    cursor = null;
    list.replaceChildren();
    close();
    try {
      await loadMore();
    } catch (problem) {
      alarm(problem);
    }
  }

  async function loadMore() {
    const from = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const answer = await get(`${path}/quarantine?state=open&limit=100${from}`, signal);
    letters.push(...answer.data);
    cursor = answer.has_more ? answer.next_cursor : null;
    list.append(...answer.data.map(rowOf));
    more.hidden = cursor === null;
    showEmpty();
  }

  function showEmpty() {
    tools.hidden = letters.length === 0;
    nothing.replaceChildren(
      ...(letters.length === 0 ? [empty("No dead letters", "Every record that came was mapped, or left out because the parser says so.")] : []),
    );
  }

  function rowOf(letter) {
    const item = h(
      "button",
      { type: "button", class: "row", "data-item": true, "aria-expanded": "false", onclick: () => show(letter, item) },
      h("span", { class: "reason" }, h("b", {}, letter.reason_code), " ", data(letter.message)),
      h("span", { class: "muted" }, time(letter.created_at), letter.target ? [" · ", data(letter.target)] : null, letter.object_key ? [" · ", data(letter.object_key)] : null),
    );
    letter.node = h("li", {}, item);
    return letter.node;
  }

  function close() {
    open?.item.setAttribute("aria-expanded", "false");
    open = null;
    details.hidden = true;
  }

  async function show(letter, item) {
    const isSame = open?.letter === letter;
    close();
    if (isSame) return;
    open = { letter, item };
    item.setAttribute("aria-expanded", "true");
    details.hidden = false;
    details.replaceChildren(...contents(letter));
    try {
      const whole = await get(`${path}/quarantine/${encodeURIComponent(letter.id)}`, signal);
      const record = { ...letter, ...whole.quarantined_record, sample: whole.sample, stored: whole.stored_event };
      if (open?.letter !== letter) return;
      details.replaceChildren(...contents(record));
      await showProgram(record, details.querySelector(".refusing"));
    } catch (problem) {
      alarm(problem);
    }
  }

  function contents(letter) {
    const id = source().parser_id;
    const where = letter.object_key ? `${letter.object_key}, record ${count(letter.record_index + 1)}, byte ${count(letter.byte_offset)}` : null;
    const facts = [
      letter.target && ["About", data(letter.target)],
      where && ["From", data(where)],
      ["Refused", time(letter.created_at)],
    ].filter(Boolean);
    const one = button("Re-drive", () => busy(one, () => redrive(letter)));
    const discard = button("Discard", () => busy(discard, () => drop(letter)), { class: "danger" });
    const attempt = button("Try in the editor", () => tryOut(letter));
    return [
      h("div", { class: "details-head" }, h("h2", {}, h("span", { class: "code-name" }, letter.reason_code), " ", data(letter.message)), h("div", { class: "actions" }, mayManage && id && letter.sample !== undefined && attempt, mayManage && one, mayManage && discard)),
      h("dl", { class: "properties" }, facts.map(([term, value]) => [h("dt", {}, term), h("dd", {}, value)])),
      h("div", { class: "refusing" }),
      letter.is_whole === false && h("p", { class: "row-error" }, letter.context?.meta?.is_cut ? "It was too long to be kept whole, so it cannot be re-driven." : "Only this much of it was kept, so it cannot be re-driven."),
      rawBox(letter.raw, letter.raw_encoding),
      letter.stored?.raw_payload && h("h3", {}, `Stored under its id, as sequence ${letter.stored.sequence}`),
      letter.stored?.raw_payload && rawBox(letter.stored.raw_payload, letter.stored.raw_encoding),
      page.may("quarantine:raw") && h("p", { class: "muted" }, "Redacted as the parser says. ", button("Show it as it came", showRaw)),
    ].filter(Boolean);

    async function showRaw() {
      try {
        const whole = await get(`${path}/quarantine/${encodeURIComponent(letter.id)}?raw=true`, signal);
        const { raw, raw_encoding: encoding } = whole.quarantined_record;
        details.querySelector(".box").replaceWith(rawBox(raw, encoding));
      } catch (problem) {
        alarm(problem);
      }
    }
  }

  /** The program that refused it, with the line. */
  async function showProgram(letter, place) {
    const id = source().parser_id;
    if (!id || !page.may("parsers:view")) return;
    if (!versions.has(id)) versions.set(id, (await get(`${API}/parsers/${encodeURIComponent(id)}/versions`, signal)).data);
    const known = versions.get(id);
    const version = known.find((one) => one.version === letter.parser_version);
    if (!version) {
      return place.append(h("p", { class: "muted" }, "It was refused by a parser that this source does not follow any more."));
    }
    const line = letter.program_line;
    const words = line === null ? `Refused before version ${version.version} could map it` : `Refused by line ${line} of version ${version.version}`;
    const program = listing(version.definition, line);
    place.append(h("h3", {}, words), program);
    return showMarked(program);
  }

  function tryOut(letter) {
    const id = source().parser_id;
    handOver(id, letter.sample ?? "");
    page.go(`/parsers/${encodeURIComponent(id)}`);
  }

  async function drop(letter) {
    const text = "It is not mapped again. What it said is lost.";
    if (!(await ask({ title: "Discard this record?", text, action: "Discard", danger: true }))) return;
    await remove(`${path}/quarantine/${encodeURIComponent(letter.id)}`);
    const next = letter.node.nextElementSibling ?? letter.node.previousElementSibling;
    letter.node.remove();
    letters = letters.filter((one) => one.node !== letter.node);
    close();
    showEmpty();
    next?.querySelector("button")?.focus();
    reload();
  }

  async function redrive(letter) {
    const sum = { redriven: 0, still_rejected: 0, conflicts: 0, failed_count: 0, why: null };
    let next = null;
    do {
      const body = letter ? { record_ids: [letter.id] } : next === null ? {} : { cursor: next };
      const answer = await post(`${path}/quarantine/redrive`, body, signal);
      for (const name of ["redriven", "still_rejected", "conflicts", "failed_count"]) sum[name] += answer[name];
      sum.why ??= answer.failed[0]?.message ?? null;
      next = answer.has_more && !letter ? answer.next_cursor : null;
      if (next !== null) notice(`${outcome(sum)} Going on …`);
    } while (next !== null);
    notice(outcome(sum));
    await Promise.all([load(), reload()]);
    // Where the next one is, or what to do now.
    (list.querySelector("button") ?? nothing.querySelector("h2"))?.focus();
  }

  load();
  return { node, keys: { r: ["Re-drive all", () => mayManage && again.click()] }, escape: () => open !== null && (open.item.focus(), close(), true) };
}

/** What came of a re-drive, in words. */
function outcome({ redriven, still_rejected: refused, conflicts, failed_count: failed, why }) {
  const words = [
    `${plural(redriven, "record")} mapped`,
    refused > 0 && `${count(refused)} refused again`,
    conflicts > 0 && `${count(conflicts)} in conflict with stored events`,
    failed > 0 && `${count(failed)} not tried (${why})`,
  ];
  return `${words.filter(Boolean).join(", ")}.`;
}
