//! DataFusion: one query from a file to rows in JSON.

use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema};
use datafusion::arrow::json::LineDelimitedWriter;
use datafusion::error::DataFusionError;
use datafusion::prelude::{CsvReadOptions, JsonReadOptions, SessionConfig, SessionContext};
use futures::StreamExt;
use peer::{Job, Output, Task, serve};

/// Names of CSV, and where they are in JSON.
const PATHS: [(&str, &[&str]); 20] = [
    ("id", &["id"]),
    ("created_at", &["created_at"]),
    ("type", &["type"]),
    ("org_id", &["organization", "id"]),
    ("actor_type", &["actor", "type"]),
    ("actor_id", &["actor", "id"]),
    ("actor_email", &["actor", "email"]),
    ("actor_name", &["actor", "name"]),
    ("actor_ip", &["actor", "session", "ip"]),
    ("user_agent", &["actor", "session", "user_agent"]),
    ("target_type", &["target", "type"]),
    ("target_id", &["target", "id"]),
    ("target_name", &["target", "name"]),
    ("request_id", &["request", "id"]),
    ("model", &["request", "model"]),
    ("status", &["response", "status"]),
    ("input_tokens", &["usage", "input_tokens"]),
    ("output_tokens", &["usage", "output_tokens"]),
    ("cost_amount", &["cost", "amount"]),
    ("trace_id", &["metadata", "trace_id"]),
];

const COLUMNS: &str = "id created_at type severity org_id org_name org_region project_id actor_type actor_id actor_email \
    actor_name session_id actor_ip user_agent target_type target_id target_name request_id model endpoint status \
    latency_ms input_tokens output_tokens cached_tokens cost_amount trace_id preview";

fn main() {
    serve(|task: &Task| {
        if task.shape == "other" {
            return Err("cannot: it is written for the names of the task".to_owned());
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let (format, input) = (task.format.clone(), task.input.display().to_string());
        Ok(Job {
            version: format!("DataFusion {}", datafusion::DATAFUSION_VERSION),
            output: "memory",
            held_bytes: 0,
            run: Box::new(move |output| {
                runtime.block_on(run(&format, &input, output)).map_err(|error| error.to_string())
            }),
        })
    });
}

async fn run(format: &str, input: &str, output: &mut Output) -> Result<(), DataFusionError> {
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
    let extension = input.rfind('.').map_or("", |at| &input[at..]);
    if format == "csv" {
        let columns = COLUMNS.split_whitespace();
        let fields = columns.map(|name| Field::new(name, data_type(name), true));
        let schema = Schema::new(fields.collect::<Vec<_>>());
        let options = CsvReadOptions::new().schema(&schema).newlines_in_values(true);
        context.register_csv("records", input, options).await?;
    } else {
        let schema = Schema::new(fields(&PATHS, 0));
        let options = JsonReadOptions::default()
            .schema(&schema)
            .file_extension(extension)
            .newline_delimited(format == "ndjson");
        context.register_json("source", input, options).await?;
        let picked = PATHS.map(|(name, path)| {
            let (first, rest) = (path[0], &path[1..]);
            let rest: String = rest.iter().map(|part| format!("['{part}']")).collect();
            format!("{first}{rest} AS {name}")
        });
        let picked = picked.join(", ");
        context.sql(&format!("CREATE VIEW records AS SELECT {picked} FROM source")).await?;
    }
    let mut batches = context.sql(include_str!("audit.sql")).await?.execute_stream().await?;
    let mut writer = LineDelimitedWriter::new(output);
    while let Some(batch) = batches.next().await {
        writer.write(&batch?)?;
    }
    writer.finish()?;
    Ok(())
}

fn data_type(name: &str) -> DataType {
    match name {
        "status" | "input_tokens" | "output_tokens" | "cached_tokens" => DataType::Int64,
        "latency_ms" | "cost_amount" => DataType::Float64,
        _ => DataType::Utf8,
    }
}

/// The fields of a level of the paths, which are sorted by their beginnings.
fn fields(paths: &[(&str, &[&str])], level: usize) -> Fields {
    let same = paths.chunk_by(|(_, a), (_, b)| a[level] == b[level]);
    let fields = same.map(|paths| {
        let (column, path) = paths[0];
        let data_type = match path.len() == level + 1 {
            true => data_type(column),
            false => DataType::Struct(fields(paths, level + 1)),
        };
        Field::new(path[level], data_type, true)
    });
    fields.collect()
}
