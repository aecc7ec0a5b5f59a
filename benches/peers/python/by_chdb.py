"""ClickHouse by chdb: one INSERT statement from file to file, by formats that read and write on one thread."""

import chdb
from chdb import session

from task import ACTIVITIES, COLUMNS, FLOATS, INTEGERS, PRICES, PROVIDERS, USER_TYPES, Cannot, tree

SETTINGS = """
  max_threads = 1, max_insert_threads = 1, max_parsing_threads = 1,
  input_format_parallel_parsing = 0, output_format_parallel_formatting = 0,
  input_format_skip_unknown_fields = 1, input_format_null_as_default = 1,
  input_format_json_ignore_unknown_keys_in_named_tuple = 1,
  input_format_json_defaults_for_missing_elements_in_named_tuple = 1,
  output_format_json_quote_64bit_integers = 0,
  engine_file_truncate_on_insert = 1"""


def sql_type(column):
    if column in ("id", "created_at", "type"):
        return "String"
    return f"Nullable({'Int64' if column in INTEGERS else 'Float64' if column in FLOATS else 'String'})"


def tuple_type(node):
    if isinstance(node, str):
        return sql_type(node)
    return "Tuple(" + ", ".join(f"`{name}` {tuple_type(below)}" for name, below in node.items()) + ")"


def leaves(node, path=""):
    for name, below in node.items():
        at = f"{path}.`{name}`" if path else f"`{name}`"
        if isinstance(below, str):
            yield f"{at} AS {below}"
        else:
            yield from leaves(below, at)


def transform(column, table, index, otherwise):
    values = [value[index] for value in table.values()]
    return f"transform({column}, {list(table)!r}, {values!r}, {otherwise})"


def cast(members, *values):
    """A tuple with names."""
    return f"CAST(tuple({', '.join(values)}), 'Tuple({members})')"


def query(source):
    prefixes = ", ".join(f"startsWith(model, '{prefix}'), '{name}'" for prefix, name in PROVIDERS.items())
    null = "CAST(NULL, 'Nullable(Float64)')"
    string, integer = "Nullable(String)", "Nullable(Int64)"
    metadata = cast(
        f"version String, product Tuple(name String, vendor_name String), profiles Array(String), log_name String, "
        f"uid String, event_code String, original_time String, correlation_uid {string}",
        "'1.8.0'", "('AI Gateway', 'Acme')", "['ai_operation']", "'audit-bench'", "id", "type", "created_at", "trace_id",
    )
    user = (
        f"user Tuple(name {string}, uid {string}, email_addr {string}, org Tuple(uid {string}), "
        "type_id Int64, type String)"
    )
    actor = cast(
        user,
        "tuple(coalesce(actor_name, actor_id), actor_id, lower(actor_email), tuple(org_id), user_type_id, user_type)",
    )
    message = cast(
        f"uid {string}, prompt_tokens {integer}, completion_tokens {integer}, total_tokens {integer}, "
        f"service Tuple(name {string})",
        "request_id", "nullIf(tokens_in, 0)", "nullIf(tokens_out, 0)", "nullIf(tokens_in + tokens_out, 0)",
        "tuple(if(request_id IS NOT NULL OR tokens_in + tokens_out > 0, 'AI Gateway', NULL))",
    )
    enrichment = (
        "Array(Tuple(name String, value String, type String, provider String, "
        "data Tuple(amount Float64, currency String)))"
    )
    return f"""
    SELECT
      6003 AS class_uid, 'API Activity' AS class_name,
      6 AS category_uid, 'Application Activity' AS category_name,
      activity_id, if(activity_id = 99, type, activity) AS activity_name,
      600300 + activity_id AS type_uid, concat('API Activity: ', activity) AS type_name,
      1 AS severity_id, 'Informational' AS severity, time,
      {metadata} AS metadata,
      if(is_success, 1, 2) AS status_id,
      if(is_success, 'Success', 'Failure') AS status,
      status_code,
      {actor} AS actor,
      {cast(f"ip {string}, svc_name String", "actor_ip", "'AI Gateway'")} AS src_endpoint,
      {cast(f"name {string}, ai_provider {string}", "model",
            f"if(model IS NULL, NULL, multiIf({prefixes}, 'Other'))")} AS ai_model,
      {message} AS message_context,
      {cast(f"user_agent {string}", "user_agent")} AS http_request,
      [{cast(f"uid {string}, name {string}, type {string}", "target_id", "target_name", "target_type")}] AS resources,
      {cast("operation String", "type")} AS api,
      CAST(if(cost IS NULL OR cost = 0, [],
        [('cost_usd', toString(assumeNotNull(cost)), 'cost', 'Acme', (assumeNotNull(cost), 'USD'))]),
        '{enrichment}') AS enrichments
    FROM (
      SELECT *,
        toUnixTimestamp64Milli(parseDateTime64BestEffort(created_at, 3, 'UTC')) AS time,
        {transform("type", ACTIVITIES, 0, 99)} AS activity_id,
        {transform("type", ACTIVITIES, 1, "'Other'")} AS activity,
        {transform("coalesce(actor_type, '')", USER_TYPES, 0, 99)} AS user_type_id,
        {transform("coalesce(actor_type, '')", USER_TYPES, 1, "'Other'")} AS user_type,
        coalesce(input_tokens, 0) AS tokens_in,
        coalesce(output_tokens, 0) AS tokens_out,
        coalesce(http_status < 400, false) AS is_success,
        toString(http_status) AS status_code,
        coalesce(cost_amount, (tokens_in * {transform("coalesce(model, '')", PRICES, 0, null)}
          + tokens_out * {transform("coalesce(model, '')", PRICES, 1, null)}) / 1e6) AS cost
      FROM ({source}) WHERE type <> 'heartbeat'
    )"""


class Job:
    output = "/dev/null"
    version = f"chdb {chdb.__version__}"

    def __init__(self, fmt, shape, source):
        if shape == "damaged":
            # Even with input_format_allow_errors_ratio.
            raise Cannot("cannot: it loses the record after a broken line")
        self.session = session.Session()
        if fmt == "csv":
            columns = ", ".join(f"{column} {sql_type(column)}" for column in COLUMNS)
            self.records = f"SELECT *, status AS http_status FROM file('{source}', CSVWithNames, '{columns}')"
        else:
            columns = ", ".join(f"`{name}` {tuple_type(below)}" for name, below in tree().items())
            picked = ", ".join(leaves(tree())).replace(" AS status", " AS http_status")
            # Reads an array of objects as well as objects on lines.
            self.records = f"SELECT {picked} FROM file('{source}', JSONEachRow, '{columns}')"

    def run(self, target):
        self.session.query(
            f"INSERT INTO FUNCTION file('{target}', JSONEachRow) {query(self.records)} SETTINGS {SETTINGS}"
        )
