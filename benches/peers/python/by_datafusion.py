"""DataFusion: one COPY statement from file to file, in one partition."""

import os
import pathlib

os.environ["TOKIO_WORKER_THREADS"] = "1"

import datafusion  # noqa: E402

from task import ACTIVITIES, COLUMNS, FLOATS, INTEGERS, PATHS, PRICES, PROVIDERS, USER_TYPES, Cannot, tree  # noqa: E402

# Where rows go when it is timed.
MEMORY = f"/dev/shm/weir-compare-{os.getpid()}.json"

SETTINGS = (
    datafusion.SessionConfig()
    .with_target_partitions(1)
    # For one partition there is nothing to split, but it refuses to read an array while it may split files.
    .with_repartition_file_scans(False)
    # With batches that stay in the cache, and without views of strings, it takes a quarter less than by default.
    .with_batch_size(2048)
    .set("datafusion.sql_parser.map_string_types_to_utf8view", "false")
)


def sql_type(column):
    return "BIGINT" if column in INTEGERS else "DOUBLE" if column in FLOATS else "VARCHAR"


def struct(node):
    if isinstance(node, str):
        return sql_type(node)
    return "STRUCT<" + ", ".join(f'"{name}" {struct(below)}' for name, below in node.items()) + ">"


def at(path):
    first, *rest = path.split(".")
    return f'"{first}"' + "".join(f"['{name}']" for name in rest)


def case(column, table, index, otherwise):
    branches = " ".join(f"WHEN '{key}' THEN {value[index]!r}" for key, value in table.items())
    return f"CASE {column} {branches} ELSE {otherwise} END"


def query(source):
    prefixes = " ".join(f"WHEN starts_with(model, '{prefix}') THEN '{name}'" for prefix, name in PROVIDERS.items())
    return f"""
    WITH record AS ({source}),
    facts AS (
      SELECT *,
        to_timestamp_millis(created_at)::BIGINT AS time,
        {case("type", ACTIVITIES, 0, 99)} AS activity_id,
        {case("type", ACTIVITIES, 1, "'Other'")} AS activity,
        {case("actor_type", USER_TYPES, 0, 99)} AS user_type_id,
        {case("actor_type", USER_TYPES, 1, "'Other'")} AS user_type,
        coalesce(input_tokens, 0) AS tokens_in,
        coalesce(output_tokens, 0) AS tokens_out,
        coalesce(status < 400, false) AS is_success,
        coalesce(cost_amount, (coalesce(input_tokens, 0) * {case("model", PRICES, 0, "NULL")}
          + coalesce(output_tokens, 0) * {case("model", PRICES, 1, "NULL")}) / 1e6) AS cost
      FROM record WHERE type <> 'heartbeat'
    )
    SELECT
      6003 AS class_uid, 'API Activity' AS class_name,
      6 AS category_uid, 'Application Activity' AS category_name,
      activity_id, CASE activity_id WHEN 99 THEN type ELSE activity END AS activity_name,
      600300 + activity_id AS type_uid, 'API Activity: ' || activity AS type_name,
      1 AS severity_id, 'Informational' AS severity, time,
      {{version: '1.8.0', product: {{name: 'AI Gateway', vendor_name: 'Acme'}}, profiles: ['ai_operation'],
        log_name: 'audit-bench', uid: id, event_code: type, original_time: created_at,
        correlation_uid: trace_id}} AS metadata,
      CASE WHEN is_success THEN 1 ELSE 2 END AS status_id,
      CASE WHEN is_success THEN 'Success' ELSE 'Failure' END AS status,
      status::VARCHAR AS status_code,
      {{user: {{name: coalesce(actor_name, actor_id), uid: actor_id, email_addr: lower(actor_email),
        org: {{uid: org_id}}, type_id: user_type_id, type: user_type}}}} AS actor,
      {{ip: actor_ip, svc_name: 'AI Gateway'}} AS src_endpoint,
      CASE WHEN model IS NOT NULL
        THEN {{name: model, ai_provider: CASE {prefixes} ELSE 'Other' END}} END AS ai_model,
      CASE WHEN request_id IS NOT NULL OR tokens_in + tokens_out > 0
        THEN {{uid: request_id, prompt_tokens: nullif(tokens_in, 0), completion_tokens: nullif(tokens_out, 0),
          total_tokens: nullif(tokens_in + tokens_out, 0), service: {{name: 'AI Gateway'}}}} END AS message_context,
      {{user_agent: user_agent}} AS http_request,
      [{{uid: target_id, name: target_name, type: target_type}}] AS resources,
      {{operation: type}} AS api,
      CASE WHEN cost <> 0
        THEN [{{name: 'cost_usd', value: cost::VARCHAR, type: 'cost', provider: 'Acme',
          data: {{amount: cost, currency: 'USD'}}}}] END AS enrichments
    FROM facts"""


class Job:
    output = "a file in memory"
    version = f"DataFusion {datafusion.__version__}"

    def __init__(self, fmt, shape, source):
        if shape == "damaged":
            # There is no option to go on.
            raise Cannot("cannot: it stops at a broken line")
        self.context = datafusion.SessionContext(SETTINGS)
        if fmt == "csv":
            columns = ", ".join(f"{column} {sql_type(column)}" for column in COLUMNS)
            layout, options = "CSV", "'format.has_header' 'true', 'format.newlines_in_values' 'true'"
            picked = "*"
        else:
            columns = ", ".join(f'"{name}" {struct(below)}' for name, below in tree().items())
            layout, options = "JSON", f"'format.newline_delimited' '{'true' if fmt == 'ndjson' else 'false'}'"
            picked = ", ".join(f"{at(path)} AS {column}" for column, path in PATHS.items())
        self.context.sql(
            f"CREATE EXTERNAL TABLE source ({columns}) STORED AS {layout} LOCATION '{source}' OPTIONS ({options})"
        )
        self.query = query(f"SELECT {picked} FROM source")

    def run(self, target):
        # It writes a file beside the target and renames it, which would take away /dev/null.
        into = MEMORY if target == os.devnull else target
        try:
            self.context.sql(f"COPY ({self.query}) TO '{into}' STORED AS JSON").collect()
        finally:
            if into != target:
                pathlib.Path(into).unlink(missing_ok=True)
