"""Polars: a lazy frame, streamed into a file."""

import os

os.environ["POLARS_MAX_THREADS"] = "1"

import polars as pl  # noqa: E402

from task import ACTIVITIES, COLUMNS, FLOATS, INTEGERS, PATHS, PRICES, PROVIDERS, USER_TYPES, Cannot, tree  # noqa: E402


def data_type(column):
    return pl.Int64 if column in INTEGERS else pl.Float64 if column in FLOATS else pl.String


def struct(node):
    if isinstance(node, str):
        return data_type(node)
    return pl.Struct({name: struct(below) for name, below in node.items()})


def at(path):
    first, *rest = path.split(".")
    value = pl.col(first)
    for name in rest:
        value = value.struct.field(name)
    return value


def lookup(column, table, index, otherwise, data_type):
    values = {key: value[index] for key, value in table.items()}
    return pl.col(column).replace_strict(values, default=otherwise, return_dtype=data_type)


def rows(frame):
    c, lit = pl.col, lambda value: pl.lit(value)
    integer, text, number = pl.Int64, pl.String, pl.Float64
    provider = pl.when(c("model").is_null()).then(None)
    for prefix, name in PROVIDERS.items():
        provider = provider.when(c("model").str.starts_with(prefix)).then(lit(name))
    frame = frame.filter(c("type") != "heartbeat").with_columns(
        time=c("created_at").str.to_datetime("%+", time_unit="ms", time_zone="UTC").dt.epoch("ms"),
        activity_id=lookup("type", ACTIVITIES, 0, 99, integer),
        activity=lookup("type", ACTIVITIES, 1, "Other", text),
        user_type_id=lookup("actor_type", USER_TYPES, 0, 99, integer),
        user_type=lookup("actor_type", USER_TYPES, 1, "Other", text),
        tokens_in=c("input_tokens").fill_null(0),
        tokens_out=c("output_tokens").fill_null(0),
        is_success=(c("status") < 400).fill_null(False),
        price_in=lookup("model", PRICES, 0, None, number),
        price_out=lookup("model", PRICES, 1, None, number),
    )
    tokens = c("tokens_in") + c("tokens_out")
    priced = (c("tokens_in") * c("price_in") + c("tokens_out") * c("price_out")) / 1e6
    frame = frame.with_columns(cost=pl.coalesce("cost_amount", priced))
    nonzero = lambda value: pl.when(value > 0).then(value)
    enrichment = pl.struct(
        name=lit("cost_usd"), value=c("cost").cast(text), type=lit("cost"), provider=lit("Acme"),
        data=pl.struct(amount="cost", currency=lit("USD")),
    )
    return frame.select(
        class_uid=lit(6003), class_name=lit("API Activity"),
        category_uid=lit(6), category_name=lit("Application Activity"),
        activity_id="activity_id",
        activity_name=pl.when(c("activity_id") == 99).then(c("type")).otherwise(c("activity")),
        type_uid=c("activity_id") + 600300, type_name=lit("API Activity: ") + c("activity"),
        severity_id=lit(1), severity=lit("Informational"), time="time",
        metadata=pl.struct(
            version=lit("1.8.0"), product=pl.struct(name=lit("AI Gateway"), vendor_name=lit("Acme")),
            profiles=pl.concat_list(lit("ai_operation")), log_name=lit("audit-bench"), uid="id",
            event_code="type", original_time="created_at", correlation_uid="trace_id",
        ),
        status_id=pl.when("is_success").then(1).otherwise(2),
        status=pl.when("is_success").then(lit("Success")).otherwise(lit("Failure")),
        status_code=c("status").cast(text),
        actor=pl.struct(user=pl.struct(
            name=pl.coalesce("actor_name", "actor_id"), uid="actor_id",
            email_addr=c("actor_email").str.to_lowercase(), org=pl.struct(uid="org_id"),
            type_id="user_type_id", type="user_type",
        )),
        src_endpoint=pl.struct(ip="actor_ip", svc_name=lit("AI Gateway")),
        ai_model=pl.struct(name="model", ai_provider=provider.otherwise(lit("Other"))),
        message_context=pl.when(c("request_id").is_not_null() | (tokens > 0)).then(pl.struct(
            uid="request_id", prompt_tokens=nonzero(c("tokens_in")), completion_tokens=nonzero(c("tokens_out")),
            total_tokens=nonzero(tokens), service=pl.struct(name=lit("AI Gateway")),
        )),
        http_request=pl.struct(user_agent="user_agent"),
        resources=pl.concat_list(pl.struct(uid="target_id", name="target_name", type="target_type")),
        api=pl.struct(operation="type"),
        enrichments=pl.when(c("cost") != 0).then(pl.concat_list(enrichment)),
    )


class Job:
    output = "/dev/null"
    version = f"Polars {pl.__version__}"

    def __init__(self, fmt, shape, source):
        if shape == "damaged":
            # Even with ignore_errors.
            raise Cannot("cannot: it stops at a broken line")
        self.format, self.source = fmt, source

    def records(self):
        if self.format == "csv":
            return pl.scan_csv(self.source, schema={column: data_type(column) for column in COLUMNS})
        schema = {name: struct(below) for name, below in tree().items()}
        if self.format == "ndjson":
            frame = pl.scan_ndjson(self.source, schema=schema)
        else:
            # There is no lazy reader of arrays.
            frame = pl.read_json(self.source, schema=schema).lazy()
        return frame.select(**{column: at(path) for column, path in PATHS.items()})

    def run(self, target):
        rows(self.records()).sink_ndjson(target)
