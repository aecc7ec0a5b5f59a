"""Tenzir: a pipeline in TQL, run by its command.

Each run is a process. What it takes to start, measured with a pipeline that does nothing, is taken off its times.
"""

import os
import subprocess
import sys
import time

from task import ACTIVITIES, FLOATS, INTEGERS, PATHS, PRICES, USER_TYPES, Cannot

READERS = {
    "ndjson": "read_ndjson raw=true",
    "array": "read_json raw=true, arrays_of_objects=true",
    # Raw, or else times lose the text that they were read from.
    "csv": "read_csv raw=true",
}


def record(values):
    return "{" + ", ".join(f'"{key}": {value}' for key, value in values.items()) + "}"


def texts(table, index):
    return record({key: f'"{value[index]}"' for key, value in table.items()})


def numbers(table, index):
    return record({key: value[index] for key, value in table.items()})


def field(column, fmt):
    if fmt == "csv":
        cell = f"this.{column}?"
        return f"{cell}.int()" if column in INTEGERS else f"{cell}.float()" if column in FLOATS else cell
    first, *rest = PATHS[column].split(".")
    return "this." + first + "?" + "".join(f".{name}?" for name in rest)


def pipeline(fmt):
    f = {column: field(column, fmt) for column in PATHS}
    return f"""
let $activity_ids = {numbers(ACTIVITIES, 0)}
let $activities = {texts(ACTIVITIES, 1)}
let $user_type_ids = {numbers(USER_TYPES, 0)}
let $user_types = {texts(USER_TYPES, 1)}
let $prices_in = {numbers(PRICES, 0)}
let $prices_out = {numbers(PRICES, 1)}

from_file env("SOURCE") {{ {READERS[fmt]} }}
where this.type != "heartbeat"
activity_id = $activity_ids[this.type]? else 99
activity = $activities[this.type]? else "Other"
kind = {f["actor_type"]} else ""
model_name = {f["model"]}
tokens_in = {f["input_tokens"]} else 0
tokens_out = {f["output_tokens"]} else 0
code = {f["status"]}
is_success = (code else 999) < 400
cost_usd = {f["cost_amount"]} else (tokens_in * $prices_in[model_name else ""]? + tokens_out * $prices_out[model_name else ""]?) / 1e6
has_message = {f["request_id"]} != null or tokens_in + tokens_out > 0
this = {{
  class_uid: 6003, class_name: "API Activity",
  category_uid: 6, category_name: "Application Activity",
  activity_id: activity_id, activity_name: this.type if activity_id == 99 else activity,
  type_uid: 600300 + activity_id, type_name: "API Activity: " + activity,
  severity_id: 1, severity: "Informational",
  time: {f["created_at"]}.time().since_epoch().count_milliseconds().round().int(),
  metadata: {{
    version: "1.8.0", product: {{name: "AI Gateway", vendor_name: "Acme"}}, profiles: ["ai_operation"],
    log_name: "audit-bench", uid: id, event_code: this.type, original_time: {f["created_at"]},
    correlation_uid: {f["trace_id"]},
  }},
  status_id: 1 if is_success else 2,
  status: "Success" if is_success else "Failure",
  status_code: code.string() if code != null else null,
  actor: {{user: {{
    name: {f["actor_name"]} else {f["actor_id"]}, uid: {f["actor_id"]},
    email_addr: {f["actor_email"]}.to_lower(), org: {{uid: {f["org_id"]}}},
    type_id: $user_type_ids[kind]? else 99, type: $user_types[kind]? else "Other",
  }}}},
  src_endpoint: {{ip: {f["actor_ip"]}, svc_name: "AI Gateway"}},
  ai_model: {{
    name: model_name,
    ai_provider: null if model_name == null else ("OpenAI" if model_name.starts_with("gpt-")
      else ("Anthropic" if model_name.starts_with("claude-")
      else ("Google" if model_name.starts_with("gemini-") else "Other"))),
  }},
  message_context: {{
    uid: {f["request_id"]},
    prompt_tokens: tokens_in if tokens_in > 0 else null,
    completion_tokens: tokens_out if tokens_out > 0 else null,
    total_tokens: tokens_in + tokens_out if tokens_in + tokens_out > 0 else null,
    service: {{name: "AI Gateway" if has_message else null}},
  }},
  http_request: {{user_agent: {f["user_agent"]}}},
  resources: [{{uid: {f["target_id"]}, name: {f["target_name"]}, type: {f["target_type"]}}}],
  api: {{operation: this.type}},
  enrichments: [{{
    name: "cost_usd", value: cost_usd.string(), type: "cost", provider: "Acme",
    data: {{amount: cost_usd, currency: "USD"}},
  }}] if cost_usd != null and cost_usd != 0 else [],
}}
to_stdout {{ write_ndjson }}
"""


def measure(command, source, target):
    """Runs a command; gives what it took by itself."""
    environment = dict(os.environ, SOURCE=source)
    with open(target, "wb") as rows:
        wall = time.perf_counter()
        child = subprocess.Popen(command, stdout=rows, stderr=subprocess.PIPE, env=environment)
        said = child.stderr.read().decode(errors="replace")
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - wall
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise Cannot(f"tenzir: {said.strip()[:200]}")
    return {"cpu_s": usage.ru_utime + usage.ru_stime, "wall_s": wall, "peak_bytes": usage.ru_maxrss * 1024}, said


class Job:
    output = "/dev/null, without the start of its process"

    def __init__(self, fmt, shape, source):
        self.tenzir = os.path.join(os.path.dirname(sys.executable), "tenzir")
        self.source = source
        version = subprocess.run([self.tenzir, "--version"], capture_output=True, text=True).stdout
        self.version = "Tenzir " + next((w for w in version.replace('"', " ").split() if w[:1].isdigit()), "6.20.0").rstrip(",")
        self.pipeline = pipeline(fmt)
        idle = [measure([self.tenzir, "from {}"], source, "/dev/null")[0] for _ in range(2)]
        self.start = {key: min(one[key] for one in idle) for key in ("cpu_s", "wall_s")}

    def run(self, target):
        taken, said = measure([self.tenzir, self.pipeline], self.source, target)
        if "too few values in a line" in said:
            raise Cannot("cannot: its reader takes line ends in quotes for ends of rows")
        print(said, file=sys.stderr)
        taken |= {key: taken[key] - idle for key, idle in self.start.items()}
        if taken["cpu_s"] <= 0:
            raise Cannot("cannot: so little data takes no longer than the start of the process")
        return taken
