// The editor of a parser: its program, what the compiler says about it, and what becomes of a sample, as one types.

import { API, get, post, postText } from "./api.js";
import { alarm, ask, busy, button, data, h, notice, pieces } from "./dom.js";
import { codeEditor } from "./code.js";
import { select } from "./forms.js";
import { member, parts, pretty } from "./json.js";
import { dollars, plural } from "./text.js";

/** How long nobody has to type before the server is asked. */
const QUIET_MS = 150;
const SAMPLE_CHARS_MAX = 2 << 20;
const VERSION = /^([ \t]*parser\s+"(?:[^"\\\n]|\\.)*"\s+version\s+)(\d+)/m;

const STARTER = `weir 1
parser "my-agents" version 1
ocsf "1.8.0" with ai_operation
product "My agents" by "My company"

input ndjson { max_record 1MiB }

on error { required reject  optional skip }

event {
  id     = .id
  time   = .at |> timestamp
  actor  = .user |> lower
  action = .type
  target = .model
  tokens_input  = .usage.in
  tokens_output = .usage.out
  cost_usd      = .usage.usd
}

emit api_activity {
  activity_id     = "Create"
  src_endpoint.ip = .ip |> ip
}
`;
const STARTER_SAMPLE =
  '{"id":"e1","at":"2026-01-31T12:00:00Z","user":"Bo@Example.com","type":"chat.completion","model":"m-1",' +
  '"ip":"192.0.2.7","usage":{"in":1200,"out":350,"usd":"0.0123"}}\n';

/** A record that another view hands over to be tried. */
let handedOver = null;

export function handOver(parserId, sample) {
  handedOver = { parserId, sample };
}

/** The view of one parser, or of a new one. */
export function editorView(page, [id], signal) {
  const mayManage = page.may("parsers:manage");
  const sampleKey = `weir.sample.${id ?? "new"}`;
  let parser = null;
  let versions = [];
  /** The text that is stored, to tell what was typed. */
  let stored = "";
  let problems = [];
  let asked = 0;
  let asking = null;
  let timer = null;
  let chosen = 0;

  const code = codeEditor({ label: "Program", oninput: typed, onmark: (mark) => code.goTo(mark.line, mark.col) });
  const sample = h("textarea", {
    class: "sample",
    spellcheck: "false",
    autocomplete: "off",
    wrap: "off",
    "aria-label": "Sample: some records as they arrive",
    placeholder: "Paste some records here",
    maxlength: SAMPLE_CHARS_MAX,
    oninput: sampleTyped,
  });
  const title = h("h1", { tabindex: "-1" }, id ? "…" : "New parser");
  const version = select([], { "aria-label": "Version", onchange: chooseVersion });
  const state = h("span", { class: "muted", id: "editor-state", role: "status", "aria-live": "polite" });
  const save = button("Save", () => busy(save, () => keep(false)), { title: "Save as a new version (Ctrl+S)" });
  const activate = button("Activate", () => busy(activate, () => keep(true)), { class: "primary", title: "Ctrl+Enter" });
  const list = h("ol", { class: "problems", "aria-label": "Problems" });
  const results = h("div", { class: "results" });
  const verdict = h("p", { class: "verdict", role: "status", "aria-live": "polite" });
  const node = h(
    "section",
    { class: "parser" },
    h("div", { class: "head" }, h("div", { class: "title" }, title, version, state), h("div", { class: "actions" }, mayManage ? [save, activate] : [])),
    h(
      "div",
      { class: "workbench" },
      h("div", { class: "pane program" }, code.node, list),
      h(
        "div",
        { class: "pane" },
        h("div", { class: "box-head" }, h("h2", {}, "Sample"), h("small", { class: "muted" }, "stays in this browser, until you log out")),
        sample,
        h("div", { class: "box-head" }, h("h2", {}, "What becomes of it"), verdict),
        results,
      ),
    ),
  );
  node.addEventListener("keydown", shortcut);
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    asking?.abort();
  });
  version.hidden = true;
  const isDirty = () => code.value !== stored && (id !== undefined || code.value !== STARTER);
  open();

  return {
    title: id ? "Parser" : "New parser",
    wide: true,
    node,
    isDirty,
    mayLeave: async (path) => {
      if (!isDirty() || path === location.pathname) return true;
      const text = "What you typed is not saved as a version.";
      return ask({ title: "Leave the editor?", text, action: "Leave", danger: true });
    },
    keys: { F8: ["Go to the next problem", nextProblem] },
    moreKeys: [
      ["Ctrl S", ["Save as a new version"]],
      ["Ctrl Enter", ["Save and activate"]],
    ],
  };

  async function open() {
    sample.value = sessionStorage.getItem(sampleKey) ?? (id ? "" : STARTER_SAMPLE);
    if (handedOver !== null && handedOver.parserId === id) sample.value = handedOver.sample;
    handedOver = null;
    if (!id) {
      code.value = STARTER;
      showState();
      return validate();
    }
    try {
      await load();
      const active = versions.find((one) => one.version === parser.active_version) ?? versions[0];
      choose(active.version);
      validate();
    } catch (problem) {
      if (problem.name === "AbortError") return undefined;
      title.textContent = "Parser";
      alarm(problem.status === 404 ? new Error("There is no such parser.") : problem);
    }
    return undefined;
  }

  async function load() {
    const path = `${API}/parsers/${encodeURIComponent(id)}`;
    [{ parser }, { data: versions }] = await Promise.all([get(path, signal), get(`${path}/versions`, signal)]);
    title.replaceChildren(data(parser.name));
    document.title = `${parser.name} · weir`;
    version.replaceChildren(
      ...versions.map((one) => {
        const isActive = one.version === parser.active_version ? ", active" : "";
        const fails = one.test_failures.length > 0 ? ", tests fail" : "";
        return h("option", { value: String(one.version) }, `version ${one.version}${isActive}${fails}`);
      }),
    );
    version.hidden = false;
  }

  function choose(number) {
    version.value = String(number);
    stored = versions.find((one) => one.version === number)?.definition ?? "";
    code.value = stored;
    showState();
  }

  async function chooseVersion() {
    const wanted = Number(version.value);
    const text = "What you typed is not saved as a version.";
    const known = versions.find((one) => one.definition === stored);
    if (isDirty() && !(await ask({ title: "Show another version?", text, action: "Show it", danger: true }))) {
      version.value = String(known?.version);
      return;
    }
    choose(wanted);
    validate();
  }

  function typed() {
    showState();
    later();
  }

  function sampleTyped() {
    try {
      sessionStorage.setItem(sampleKey, sample.value);
    } catch {
      // Too large to be kept; it is still tried.
    }
    later();
  }

  function later() {
    clearTimeout(timer);
    timer = setTimeout(validate, QUIET_MS);
  }

  function showState() {
    const dirty = isDirty();
    const shown = Number(version.value);
    const isActive = parser !== null && !dirty && shown === parser.active_version;
    state.textContent = dirty ? "changed, not saved" : isActive ? "in use" : id ? "saved, not in use" : "";
    save.disabled = id !== undefined && !dirty;
    save.textContent = parser === null ? "Save" : `Save as version ${parser.latest_version + 1}`;
    activate.textContent = dirty || !id ? "Save and activate" : "Activate";
    activate.disabled = isActive;
  }

  /** Asks what the compiler says and what becomes of the sample. An answer that another question has overtaken is
      dropped. */
  async function validate() {
    const question = (asked += 1);
    asking?.abort();
    asking = new AbortController();
    const body = { definition: code.value, sample: sample.value };
    try {
      const answer = await postText(`${API}/parsers/validate`, body, asking.signal);
      if (question === asked) show(answer);
    } catch (problem) {
      if (problem.name !== "AbortError" && question === asked) {
        verdict.replaceChildren(data(problem.message));
        verdict.className = "verdict bad";
      }
    }
  }

  function show(answer) {
    const found = JSON.parse(answer);
    const texts = (name) => parts(member(answer, name) ?? "[]").map(([, text]) => text);
    problems = [
      ...found.diagnostics.map((one) => ({ ...one, kind: one.severity })),
      ...found.test_failures.map((one) => ({ line: one.line, col: 1, end_line: one.line, end_col: 1, code: "test", kind: "error", message: `“${one.name}” fails: ${one.message}` })),
    ];
    code.mark([...problems, ...refusals(found.rejects)]);
    showProblems();
    showResults(found, texts("events"), texts("rejects"));
  }

  /** The lines that refuse records of the sample. */
  function refusals(rejects) {
    const lines = new Map();
    for (const { line } of rejects) if (line > 0) lines.set(line, (lines.get(line) ?? 0) + 1);
    return [...lines].map(([line, times]) => ({ line, col: 1, kind: "refused", message: `refuses ${plural(times, "record")} of the sample` }));
  }

  function showProblems() {
    list.replaceChildren(...problems.map((one) => h("li", { class: one.kind }, problemButton(one), problemNotes(one))));
    list.hidden = problems.length === 0;
  }

  function problemButton(one) {
    return h(
      "button",
      { type: "button", "data-item": true, onclick: () => code.goTo(one.line, one.col) },
      h("span", { class: "place" }, `${one.line}:${one.col}`),
      h("span", { class: "code-name" }, one.code),
      h("span", {}, data(one.message, { block: true })),
    );
  }

  function problemNotes({ label, help, note }) {
    const notes = [label, help && `Help: ${help}`, note && `Note: ${note}`].filter(Boolean);
    return notes.map((text) => h("p", { class: "muted" }, pieces(text, true)));
  }

  function showResults(found, events, rejects) {
    if (found.plan_summary === null) {
      // What came of the sample before stays to be looked at.
      const before = results.querySelector(".result") ? "; below is what came before" : "";
      verdict.textContent = `it does not compile${before}`;
      verdict.className = "verdict bad";
      return;
    }
    const rows = [
      ...rejects.map((text, index) => ({ text, reject: found.rejects[index] })),
      ...events.map((text, index) => ({ text, event: found.events[index] })),
    ];
    const said = [
      plural(events.length, "event"),
      rejects.length > 0 && `${rejects.length} refused`,
      found.dropped > 0 && `${found.dropped} left out`,
      found.is_cut && "there are more",
    ];
    verdict.textContent = sample.value.trim() === "" ? "" : said.filter(Boolean).join(", ");
    verdict.className = rejects.length > 0 ? "verdict bad" : "verdict good";
    if (rows.length === 0) {
      const text = sample.value.trim() === "" ? "Paste some records above to see their events here." : "No event: the program leaves these records out.";
      results.replaceChildren(h("p", { class: "muted" }, text));
      return;
    }
    chosen = Math.min(chosen, rows.length - 1);
    const items = rows.map((row, index) => resultRow(row, index === chosen));
    results.replaceChildren(...items.map((item) => item.node));
  }

  function resultRow(row, isOpen) {
    const node = h("div", { class: row.reject ? "result refused" : "result" });
    const head = h("button", { type: "button", "data-item": true, "aria-expanded": String(isOpen), onclick: toggle }, row.reject ? rejectHead(row.reject) : eventHead(row.event));
    const body = h("div", {}, isOpen ? content(row) : []);
    node.append(head, body);
    return { node };

    function toggle() {
      const isShown = head.getAttribute("aria-expanded") === "true";
      head.setAttribute("aria-expanded", String(!isShown));
      body.replaceChildren(...(isShown ? [] : content(row)));
      if (!isShown) chosen = [...results.children].indexOf(node);
    }
  }

  function content({ text, reject }) {
    if (!reject) return [pretty(member(text, "ocsf") ?? text)];
    const jump = reject.line > 0 && button(`Go to line ${reject.line}`, () => code.goTo(reject.line));
    return [h("p", { class: "actions" }, jump), pretty(reject.raw ?? "")];
  }

  function eventHead({ action, actor, target, cost_usd: cost }) {
    return [h("b", {}, data(action)), " ", data(actor), " → ", data(target), " ", h("span", { class: "muted" }, dollars(cost))];
  }

  function rejectHead({ code: name, line, message }) {
    return [h("b", {}, name), line > 0 ? ` line ${line}: ` : " ", data(message)];
  }

  function nextProblem() {
    if (problems.length === 0) return;
    const line = code.area.value.slice(0, code.area.selectionStart).split("\n").length;
    const sorted = [...problems].sort((a, b) => a.line - b.line);
    const next = sorted.find((one) => one.line > line) ?? sorted[0];
    code.goTo(next.line, next.col);
  }

  function shortcut(event) {
    const isCommand = event.ctrlKey || event.metaKey;
    // Out of the text, so that the shortcuts of single keys work.
    if (event.key === "Escape" && event.target.matches("textarea")) title.focus();
    else if (event.key === "F8") nextProblem();
    else if (isCommand && event.key === "s") save.disabled || save.click();
    else if (isCommand && event.key === "Enter") activate.disabled || activate.click();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Stores the text as a version, and makes it the one that sources follow if that is wanted. */
  async function keep(isToBeActive) {
    if (!mayManage) return;
    try {
      if (!id) return await create();
      const number = isDirty() ? await addVersion() : Number(version.value);
      if (isToBeActive) {
        await post(`${API}/parsers/${encodeURIComponent(id)}/versions/${number}/activate`);
        notice(`Version ${number} is active: sources follow it from now on.`);
      } else notice(`Saved as version ${number}.`);
      await load();
      version.value = String(number);
    } catch (problem) {
      refused(problem);
      if (id) await load().catch(alarm);
    } finally {
      showStateSoon();
    }
    return undefined;
  }

  async function create() {
    const { parser: made, parser_version: first } = await post(`${API}/parsers`, { definition: code.value });
    stored = code.value;
    sessionStorage.setItem(`weir.sample.${made.id}`, sample.value);
    notice(
      made.active_version === null
        ? `Saved, and not active: ${plural(first.test_failures.length, "test")} of it ${first.test_failures.length === 1 ? "fails" : "fail"}.`
        : `Version ${first.version} is active.`,
    );
    await page.go(`/parsers/${encodeURIComponent(made.id)}`, { replace: true });
  }

  async function addVersion() {
    raiseVersion();
    const definition = code.value;
    const { parser_version: added } = await post(`${API}/parsers/${encodeURIComponent(id)}/versions`, { definition });
    stored = definition;
    versions = [added, ...versions];
    version.prepend(h("option", { value: String(added.version) }, `version ${added.version}`));
    version.value = String(added.version);
    return added.version;
  }

  /** Versions never change, so a changed text needs the next number. */
  function raiseVersion() {
    const match = VERSION.exec(code.value);
    if (match === null || Number(match[2]) > parser.latest_version) return;
    const at = match.index + match[1].length;
    const { selectionStart, selectionEnd, value } = code.area;
    const next = String(parser.latest_version + 1);
    code.value = value.slice(0, at) + next + value.slice(at + match[2].length);
    const shift = (place) => (place > at ? place + next.length - match[2].length : place);
    code.area.setSelectionRange(shift(selectionStart), shift(selectionEnd));
    later();
  }

  function refused(problem) {
    if (problem.name === "AbortError") return;
    const details = Array.isArray(problem.details) ? problem.details : [];
    if (problem.code === "parser_compile_error") problems = details.map((one) => ({ ...one, kind: one.severity }));
    if (problem.code === "parser_tests_failed") {
      const words = details.map((one) => `“${one.name}”, line ${one.line}: ${one.message}`);
      return alarm(new Error(`It cannot be activated: its own tests fail.\n${words.join("\n")}`));
    }
    code.mark(problems);
    showProblems();
    alarm(problem);
  }

  /** Behind `busy`, which enables its button again. */
  function showStateSoon() {
    setTimeout(() => signal.aborted || showState());
  }
}
