// One source: how it is, what can be done with it, and its tabs.

import { API, all, get, patch, post, remove } from "./api.js";
import { sparkline } from "./chart.js";
import { alarm, ask, busy, button, copyButton, data, every, h, notice, problemBox, time } from "./dom.js";
import { choice, clearErrors, field, select, showErrors, summary, text, whole } from "./forms.js";
import { lettersTab } from "./letters.js";
import { runsTab } from "./runs.js";
import { statusPill, statusOf, troubles } from "./sources.js";
import { tailTab } from "./tail.js";
import { percent, short, span } from "./text.js";

const REFRESH_MS = 5_000;
const TABS = [
  ["events", "Events", tailTab],
  ["dead-letters", "Dead letters", lettersTab],
  ["runs", "Runs", runsTab],
  ["settings", "Settings", settingsTab],
];
const PUSH_TYPES = [
  ["http_custom", "A program of your own"],
  ["langsmith_engine", "LangSmith Engine"],
  ["otel_generic", "OpenTelemetry"],
  ["workato", "Workato"],
  ["copilot_studio", "Copilot Studio"],
  ["claude_compliance", "Claude compliance"],
  ["openai_compliance", "OpenAI compliance"],
];

/** The view of one source, at one of its tabs. */
export function sourceView(page, places, signal) {
  const [id] = places;
  let tab = places[1] ?? "events";
  const path = `${API}/ingestion-sources/${encodeURIComponent(id)}`;
  const place = `/sources/${encodeURIComponent(id)}`;
  const head = h("div", { class: "head" }, h("h1", { tabindex: "-1" }, "…"));
  const facts = h("div", { class: "facts", "aria-label": "Health of the last 24 hours", role: "group" });
  const trouble = h("div", { class: "troubles" });
  const tabs = h("nav", { class: "tabs", "aria-label": "Parts of this source" });
  const panel = h("div", { class: "panel" });
  const view = { title: "Source", wide: true, node: h("section", { class: "source" }, head, facts, trouble, tabs, panel) };
  let leavingTab = new AbortController();
  signal.addEventListener("abort", () => leavingTab.abort());
  let source = null;
  let health = null;
  let shownHead = "";

  const context = {
    page,
    path,
    place,
    source: () => source,
    health: () => health,
    reload: load,
  };

  async function load() {
    try {
      if (page.may("activityMonitor:view")) ({ source, health } = await get(`${path}/health`, signal));
      else source = (await get(path, signal)).ingestion_source;
    } catch (problem) {
      if (problem.name !== "AbortError" && source === null) {
        const missing = problem.status === 404 ? { message: "There is no such source." } : problem;
        view.node.replaceChildren(h("h1", { tabindex: "-1" }, "Source"), problemBox(missing));
      }
      return;
    }
    showHead();
    showFacts();
    showTabs();
    if (!panel.hasChildNodes()) showTab();
  }

  function showHead() {
    // What has the focus is not replaced for nothing.
    const shown = JSON.stringify([source.name, statusOf(source), source.pull_config !== null]);
    if (shown === shownHead) return;
    shownHead = shown;
    view.title = source.name;
    document.title = `${source.name} · weir`;
    head.replaceChildren(
      h(
        "div",
        { class: "title" },
        h("h1", { tabindex: "-1" }, data(source.name)),
        statusPill(source),
        h("span", { class: "muted" }, `${source.source_type} · ${source.mode}`),
      ),
      h("div", { class: "actions" }, source.archived_at ? [] : actions()),
    );
  }

  function actions() {
    if (!page.may("ingestionSources:manage")) return [];
    const isDisabled = source.status === "disabled";
    const act = (label, work, attributes) => {
      const node = button(label, () => busy(node, work), attributes);
      return node;
    };
    return [
      source.pull_config && !isDisabled && act("Pull now", pullNow),
      act(isDisabled ? "Enable" : "Disable", () => setDisabled(!isDisabled)),
      act("Rotate secret", rotate),
      act("Archive", archive, { class: "danger" }),
    ];
  }

  async function pullNow() {
    await post(`${path}/pull`);
    notice("A run has begun.");
    await page.go(`${place}/runs`);
  }

  async function setDisabled(isDisabled) {
    await patch(path, { status: isDisabled ? "disabled" : "active" });
    notice(isDisabled ? "Disabled: nothing is taken and nothing is read." : "Enabled.");
    await load();
  }

  async function rotate() {
    const text = "Senders need the new secret within 24 hours; until then the old one is good too.";
    if (!(await ask({ title: "Make a new secret?", text, action: "Make it" }))) return;
    const { ingest_secret } = await post(`${path}/rotate`);
    showSecret(source, ingest_secret);
  }

  async function archive() {
    const text = "It takes and reads nothing more, for good. Its events stay, and its name is free.";
    if (!(await ask({ title: `Archive ${source.name}?`, text, action: "Archive", danger: true }))) return;
    await remove(path);
    notice("Archived.");
    await page.go("/sources");
  }

  function showFacts() {
    if (health === null) return;
    const fact = (label, value, isBad = false) =>
      h("div", { class: isBad ? "fact bad" : "fact" }, h("span", { class: "label" }, label), h("span", { class: "value" }, value));
    facts.replaceChildren(
      h("div", { class: "fact chart" }, h("span", { class: "label" }, "Last 24 hours"), sparkline(health.hours, 32)),
      fact("Events", short(health.events_24h)),
      fact("Refused", percent(health.parse_error_rate), health.parse_error_rate > 0),
      fact("Lag", health.lag_seconds === null ? "–" : span(health.lag_seconds)),
      fact("Dead letters", short(health.quarantined), health.quarantined > 0),
      fact("30 days", short(health.events_30d)),
    );
    const words = troubles(health);
    trouble.replaceChildren(...words.map((word) => h("p", { class: "row-error" }, word)));
  }

  function showTabs() {
    const letters = health?.quarantined ?? 0;
    for (const [name, label] of TABS) {
      let link = tabs.querySelector(`[data-tab="${name}"]`);
      if (name === "runs" && !source.pull_config) {
        link?.remove();
        continue;
      }
      link ??= tabs.appendChild(h("a", { href: `${place}/${name}`, "data-tab": name }));
      const shown = name === "dead-letters" && letters > 0 ? `${label} ${short(letters)}` : label;
      if (link.textContent !== shown) {
        link.replaceChildren(label, shown === label ? "" : h("span", { class: "badge" }, ` ${short(letters)}`));
      }
      if (name === tab) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  function showTab() {
    leavingTab.abort();
    leavingTab = new AbortController();
    const [, , make] = TABS.find(([name]) => name === tab);
    const part = make(context, leavingTab.signal);
    panel.replaceChildren(part.node);
    view.keys = { ...part.keys, ...numbers };
    view.escape = part.escape;
  }

  const numbers = Object.fromEntries(
    TABS.map(([name, label], index) => [String(index + 1), [label, () => page.go(`${place}/${name}`)]]),
  );
  // Another tab of the same source: its head stays.
  view.turn = ([other, wanted = "events"]) => {
    if (other !== id || source === null) return false;
    tab = wanted;
    showTabs();
    showTab();
    tabs.querySelector("[aria-current]")?.focus();
    return true;
  };

  every(REFRESH_MS, signal, load);
  load();
  return view;
}

/** The secret of a webhook: only now can it be seen. */
export function showSecret(source, secret, onclose = () => {}) {
  const url = `${location.origin}/api/ingest/webhook/${source.id}`;
  const curl = `curl -X POST ${url} \\\n  -H 'Authorization: Bearer ${secret}' \\\n  -H 'Content-Type: application/json' \\\n  -d '{"hello":"weir"}'`;
  const dialog = h(
    "dialog",
    { class: "secret", "aria-labelledby": "secret-title" },
    h("h2", { id: "secret-title" }, "The webhook's secret"),
    h("p", {}, "It is shown only now. Keep it where the sender finds it; if it is lost, rotate it."),
    h("div", { class: "copy-line" }, h("code", { id: "secret" }, secret), copyButton(secret)),
    h("p", { class: "label" }, "Try it"),
    h("div", { class: "copy-line" }, h("pre", { class: "block" }, curl), copyButton(curl)),
    h("form", { method: "dialog", class: "actions" }, h("button", { class: "primary", autofocus: true }, "I have it")),
  );
  dialog.addEventListener("close", () => {
    dialog.remove();
    onclose();
  });
  document.body.append(dialog);
  dialog.showModal();
}

/** The parsers to choose from. */
async function parserOptions(signal) {
  const parsers = await all(`${API}/parsers`, signal);
  return parsers.map(({ id, name, active_version }) => [
    id,
    active_version === null ? `${name} (no version is active)` : `${name} (version ${active_version})`,
  ]);
}

function fillParsers(node, none, signal, selected = "") {
  node.append(h("option", { value: "" }, none));
  return parserOptions(signal)
    .then((options) => {
      node.append(...options.map(([value, label]) => h("option", { value }, label)));
      node.value = selected;
    })
    .catch(alarm);
}

/** The form that makes a source. */
export function newSourceView(page, _places, signal) {
  const input = {
    name: text({ required: true, maxlength: 128, placeholder: "acme-agents" }),
    type: select(PUSH_TYPES),
    parser: select([]),
    bucket: text({ placeholder: "acme-audit" }),
    prefix: text({ placeholder: "logs/agents/" }),
    region: text({ placeholder: "eu-central-1" }),
    endpoint: text({ placeholder: "https://objects.example.com", inputmode: "url" }),
    role: text({ placeholder: "arn:aws:iam::123456789012:role/weir-reader" }),
    externalId: text(),
    accessKey: text(),
    secretKey: h("input", { type: "password", autocomplete: "off" }),
    every: text({ inputmode: "numeric", value: "300" }),
    cron: text({ placeholder: "*/15 * * * *" }),
  };
  const push = h("div", { class: "fields" }, field("source_type", "What sends it", input.type));
  const pull = h(
    "div",
    { class: "fields", hidden: true },
    h(
      "div",
      { class: "pair" },
      field("pull_config.bucket", "Bucket", input.bucket),
      field("pull_config.prefix", "Prefix", input.prefix, "What the keys begin with. Empty for all."),
    ),
    h(
      "div",
      { class: "pair" },
      field("pull_config.region", "Region", input.region),
      field("pull_config.endpoint", "Endpoint", input.endpoint, "Only for a store that is not AWS."),
    ),
    choice(
      "access",
      "Access",
      [
        ["machine", "The server's own", "What its machine is allowed to read"],
        ["role", "A role", "Assumed through STS, with an external id"],
        ["key", "An access key", "Kept encrypted, never shown again"],
      ],
      showAccess,
    ),
    h(
      "div",
      { class: "pair", "data-access": "role", hidden: true },
      field("pull_config.roleArn", "Role", input.role),
      field("pull_config.externalId", "External id", input.externalId),
    ),
    h(
      "div",
      { class: "pair", "data-access": "key", hidden: true },
      field("credentials.access_key_id", "Access key id", input.accessKey),
      field("credentials.secret_access_key", "Secret access key", input.secretKey),
    ),
    h(
      "div",
      { class: "pair" },
      field("poll_every_sec", "Poll every … seconds", input.every),
      field("pull_schedule", "or on a schedule", input.cron, "Five fields of cron, in UTC."),
    ),
  );
  const create = h("button", { class: "primary" }, "Create the source");
  const form = h(
    "form",
    { class: "form", onsubmit: submit, novalidate: true },
    choice(
      "kind",
      "How its logs come",
      [
        ["push", "They are posted", "A webhook with a secret of its own"],
        ["pull", "They lie in a bucket", "S3, or a store that speaks it, read on a schedule"],
      ],
      showKind,
    ),
    field("name", "Name", input.name),
    field("parser_id", "Parser", input.parser, "What its records mean. Without one, posted records are kept as they are."),
    push,
    pull,
    summary(),
    h("p", { class: "actions" }, create, h("a", { class: "button", href: "/sources" }, "Cancel")),
  );
  fillParsers(input.parser, "None", signal);
  // A schedule of one kind puts the other aside.
  input.cron.addEventListener("input", () => input.cron.value && (input.every.value = ""));
  input.every.addEventListener("input", () => input.every.value && (input.cron.value = ""));

  const chosen = (name) => form.elements.namedItem(name).value;

  function showKind() {
    push.hidden = chosen("kind") !== "push";
    pull.hidden = chosen("kind") !== "pull";
  }

  function showAccess() {
    for (const node of pull.querySelectorAll("[data-access]")) node.hidden = node.dataset.access !== chosen("access");
  }

  function wanted() {
    const given = (node) => node.value.trim() || undefined;
    const common = { name: input.name.value.trim(), parser_id: given(input.parser) };
    if (chosen("kind") === "push") return { ...common, source_type: input.type.value, mode: "push" };
    const [isRole, isKey] = [chosen("access") === "role", chosen("access") === "key"];
    return {
      ...common,
      source_type: "s3_custom",
      mode: "pull",
      pull_config: {
        adapter: "s3_polling",
        bucket: given(input.bucket),
        prefix: given(input.prefix),
        region: given(input.region),
        endpoint: given(input.endpoint),
        // Names of buckets in host names need DNS, which stores of one's own rarely have.
        path_style: given(input.endpoint) ? true : undefined,
        roleArn: isRole ? given(input.role) : undefined,
        externalId: isRole ? given(input.externalId) : undefined,
      },
      poll_every_sec: whole(input.every) ?? undefined,
      pull_schedule: given(input.cron),
      credentials: isKey
        ? { access_key_id: input.accessKey.value.trim(), secret_access_key: input.secretKey.value.trim() }
        : undefined,
    };
  }

  async function submit(event) {
    event.preventDefault();
    clearErrors(form);
    await busy(create, async () => {
      try {
        const body = wanted();
        const { ingestion_source: source, ingest_secret: secret } = await post(`${API}/ingestion-sources`, body);
        const open = () => page.go(`/sources/${encodeURIComponent(source.id)}`);
        if (source.mode === "pull") open();
        else showSecret(source, secret, open);
      } catch (problem) {
        showErrors(form, problem.code === "name_taken" ? { details: [{ field: "name", message: problem.message }] } : problem);
      }
    });
  }

  const node = h("section", { class: "narrow" }, h("h1", { tabindex: "-1" }, "New source"), form);
  return { title: "New source", node };
}

/** What a source is, and what of it can be changed here. */
function settingsTab({ page, path, source, reload }, signal) {
  const now = source();
  const mayChange = page.may("ingestionSources:manage") && !now.archived_at;
  const facts = [
    ["Id", h("code", {}, now.id)],
    ["Type", `${now.source_type}, ${now.mode}`],
    ["Webhook", now.mode === "pull" ? "Off" : h("code", {}, `${location.origin}/api/ingest/webhook/${now.id}`)],
    ["Secret", h("code", {}, `${now.secret_prefix}…`)],
    ["Credentials", now.has_credentials ? "Kept, encrypted" : "None"],
    now.pull_config && ["Schedule", now.pull_schedule ?? (now.poll_every_sec ? `every ${now.poll_every_sec} s` : "–")],
    ["Cursor", now.cursor ? h("code", {}, data(now.cursor)) : "–"],
    ["Created", time(now.created_at)],
    ["Last event", time(now.last_event_at, { relative: true })],
  ].filter(Boolean);
  const list = h("dl", { class: "properties" }, facts.map(([term, value]) => [h("dt", {}, term), h("dd", {}, value)]));
  const config = now.pull_config && [
    h("h2", {}, "What is polled"),
    h("pre", { class: "data block" }, data(JSON.stringify(now.pull_config, null, 2), { block: true, tag: "span" })),
  ];
  const node = h("div", { class: "settings" }, h("div", {}, list, config), mayChange ? changeForm() : null);
  return { node, keys: {} };

  function changeForm() {
    const name = text({ maxlength: 128, value: now.name });
    const parser = select([]);
    const version = text({ inputmode: "numeric", value: now.parser_version ?? "", placeholder: "the active one" });
    const poll = text({ inputmode: "numeric", value: now.poll_every_sec ?? "" });
    fillParsers(parser, "None", signal, now.parser_id ?? "");
    const save = h("button", { class: "primary" }, "Save");
    const form = h(
      "form",
      { class: "form", onsubmit: submit, novalidate: true },
      h("h2", {}, "Change it"),
      field("name", "Name", name),
      field("parser_id", "Parser", parser),
      field("parser_version", "Version", version, "Empty follows the parser's active version."),
      now.pull_config && !now.pull_schedule ? field("poll_every_sec", "Poll every … seconds", poll) : null,
      summary(),
      h("p", { class: "actions" }, save, now.parser_id && h("a", { class: "button", href: `/parsers/${encodeURIComponent(now.parser_id)}` }, "Open the parser")),
    );
    async function submit(event) {
      event.preventDefault();
      clearErrors(form);
      await busy(save, async () => {
        try {
          const change = { name: name.value.trim(), parser_id: parser.value || null, parser_version: whole(version) };
          if (poll.isConnected) change.poll_every_sec = whole(poll);
          await patch(path, change);
          notice("Saved.");
          await reload();
        } catch (problem) {
          showErrors(form, problem);
        }
      });
    }
    return form;
  }
}
