"""DuckDB: one COPY statement from file to file."""

import duckdb

from task import ACTIVITIES, COLUMNS, FLOATS, INTEGERS, PRICES, PROVIDERS, USER_TYPES, Cannot, tree


def sql_type(column):
    return "BIGINT" if column in INTEGERS else "DOUBLE" if column in FLOATS else "VARCHAR"


def struct(node):
    if isinstance(node, str):
        return sql_type(node)
    return "STRUCT(" + ", ".join(f'"{name}" {struct(below)}' for name, below in node.items()) + ")"


def leaves(node, path=""):
    for name, below in node.items():
        at = f'{path}."{name}"' if path else f'"{name}"'
        if isinstance(below, str):
            yield f"{at} AS {below}"
        else:
            yield from leaves(below, at)


def case(column, table, index, otherwise):
    branches = " ".join(f"WHEN '{key}' THEN {value[index]!r}" for key, value in table.items())
    return f"CASE {column} {branches} ELSE {otherwise} END"


def query(source):
    prefixes = " ".join(f"WHEN model LIKE '{prefix}%' THEN '{name}'" for prefix, name in PROVIDERS.items())
    return f"""
    WITH record AS ({source}),
    facts AS (
      SELECT *,
        epoch_ms(created_at::TIMESTAMP) AS time,
        {case("type", ACTIVITIES, 0, 99)} AS activity_id,
        {case("type", ACTIVITIES, 1, "'Other'")} AS activity,
        {case("actor_type", USER_TYPES, 0, 99)} AS user_type_id,
        {case("actor_type", USER_TYPES, 1, "'Other'")} AS user_type,
        coalesce(input_tokens, 0) AS tokens_in,
        coalesce(output_tokens, 0) AS tokens_out,
        coalesce(status < 400, false) AS is_success,
        coalesce(cost_amount, (coalesce(input_tokens, 0) * {case("model", PRICES, 0, "NULL")}::DOUBLE
          + coalesce(output_tokens, 0) * {case("model", PRICES, 1, "NULL")}::DOUBLE) / 1e6) AS cost
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
      {{"user": {{name: coalesce(actor_name, actor_id), uid: actor_id, email_addr: lower(actor_email),
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
    output = "/dev/null"
    version = f"DuckDB {duckdb.__version__}"

    def __init__(self, fmt, shape, source):
        self.connection = duckdb.connect()
        self.connection.execute("SET threads = 1")
        if fmt == "csv":
            columns = ", ".join(f"'{column}': '{sql_type(column)}'" for column in COLUMNS)
            limit = ", max_line_size = 16777216, buffer_size = 67108864" if shape == "huge" else ""
            records = (
                f"SELECT * FROM read_csv('{source}', header = true, auto_detect = false, delim = ',', "
                f"""quote = '"', escape = '"', columns = {{{columns}}}{limit})"""
            )
        else:
            columns = ", ".join(f"'{name}': '{struct(below)}'" for name, below in tree().items())
            layout = "newline_delimited" if fmt == "ndjson" else "array"
            ignore = ", ignore_errors = true" if shape == "damaged" else ""
            records = (
                f"SELECT {', '.join(leaves(tree()))} FROM read_json('{source}', format = '{layout}', "
                f"columns = {{{columns}}}{ignore})"
            )
        self.query = query(records)

    def run(self, target):
        self.connection.execute(f"COPY ({self.query}) TO '{target}' (FORMAT json, USE_TMP_FILE false)")
