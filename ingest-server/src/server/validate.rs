//! A definition tried out: what the compiler says, and what becomes of a sample. Nothing is stored.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use weir_dsl::compile;
use weir_dsl::cost::cost;
use weir_dsl::source::Source;
use weir_dsl::testing::run_tests;
use weir_engine::batch::Batch;
use weir_engine::framer::Framer;
use weir_engine::input::Format;
use weir_engine::output::{write_event, write_reject};
use weir_engine::plan::{ObjectMeta, Plan};
use weir_engine::worker::Worker;

use super::ApiError;
use crate::control::{diagnostic_json, now_ms};

/// Events and rejects that are shown of a sample.
const SHOWN_MAX: usize = 200;
/// Bytes of them.
const SHOWN_BYTES_MAX: usize = 4 << 20;

/// What is tried out.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sample {
    /// The program.
    definition: String,
    /// If it is given, the program's `input` must say the same.
    format: Option<SampleFormat>,
    /// Some records.
    #[serde(default)]
    sample: String,
}

/// How the records of a sample are laid out.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum SampleFormat {
    Ndjson,
    Csv,
    Json,
    JsonArray,
}

/// What came of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Validated {
    /// Whether it compiles and its tests pass.
    ok: bool,
    /// What the program costs; null if it does not compile.
    #[schema(required)]
    plan_summary: Option<String>,
    /// What the sample is mapped to.
    #[schema(value_type = Vec<Object>)]
    events: Vec<Box<RawValue>>,
    /// What of the sample is refused, and by which line.
    #[schema(value_type = Vec<Object>)]
    rejects: Vec<Box<RawValue>>,
    /// Records that the program leaves out.
    dropped: u64,
    /// Whether there are more events and rejects than are shown.
    is_cut: bool,
    #[schema(value_type = Vec<Object>)]
    diagnostics: Vec<Value>,
    /// Its tests that fail.
    #[schema(value_type = Vec<Object>)]
    test_failures: Vec<Value>,
}

/// Compiles a definition and maps a sample with it.
pub(super) fn validate(sample: &Sample) -> Result<Validated, ApiError> {
    let source = Source::new("definition", sample.definition.as_str());
    let compiled = compile(&source);
    let diagnostics = compiled.diagnostics.iter().map(|d| diagnostic_json(d, &source)).collect();
    let tests = run_tests(&source, &compiled);
    let failures = tests.iter().filter_map(|test| {
        let problem = test.failure.as_ref()?;
        Some(serde_json::json!({ "name": test.name, "line": test.line, "message": problem }))
    });
    let mut validated = Validated {
        ok: false,
        plan_summary: None,
        events: Vec::new(),
        rejects: Vec::new(),
        dropped: 0,
        is_cut: false,
        diagnostics,
        test_failures: failures.collect(),
    };
    let Some(plan) = compiled.plan else { return Ok(validated) };
    let (format, suits): (_, &[SampleFormat]) = match plan.input.format {
        Format::Ndjson => ("ndjson", &[SampleFormat::Ndjson]),
        Format::Csv(_) => ("csv", &[SampleFormat::Csv]),
        Format::Json(_) => ("json", &[SampleFormat::Json, SampleFormat::JsonArray]),
    };
    if sample.format.is_some_and(|wanted| !suits.contains(&wanted)) {
        return Err(ApiError::invalid("format", format!("the program's `input` says {format}")));
    }
    validated.ok = validated.test_failures.is_empty();
    validated.plan_summary = Some(cost(&plan).to_string());
    map(&plan, &sample.sample, &mut validated)?;
    Ok(validated)
}

fn map(plan: &Arc<Plan>, sample: &str, validated: &mut Validated) -> Result<(), ApiError> {
    let meta = ObjectMeta {
        key: "sample".to_owned(),
        bucket: String::new(),
        source: "sample".to_owned(),
        received_at_ns: now_ms().saturating_mul(1_000_000),
    };
    let mut framer = Framer::new(&plan.input);
    framer.push(Bytes::copy_from_slice(sample.as_bytes()));
    framer.finish();
    let mut worker = Worker::new(Arc::clone(plan));
    let mut batch = Batch::default();
    let mut shown = 0;
    while let Some(block) = framer.next_block() {
        batch.clear();
        worker.run(&block, &meta, &mut batch);
        validated.dropped += batch.dropped;
        let mut line = Vec::new();
        for event in &batch.events {
            if validated.events.len() == SHOWN_MAX || shown > SHOWN_BYTES_MAX {
                validated.is_cut = true;
                break;
            }
            line.clear();
            write_event(&block, &batch, event, &mut line);
            shown += line.len();
            validated.events.push(raw(&line)?);
        }
        for reject in &batch.rejects {
            if validated.rejects.len() == SHOWN_MAX || shown > SHOWN_BYTES_MAX {
                validated.is_cut = true;
                break;
            }
            line.clear();
            write_reject(plan, &block, &meta, reject, &mut line);
            shown += line.len();
            validated.rejects.push(raw(&line)?);
        }
    }
    Ok(())
}

fn raw(json: &[u8]) -> Result<Box<RawValue>, ApiError> {
    serde_json::from_slice(json).map_err(|error| ApiError::internal(&error))
}
