//! `weir ingest tail`

use clap::Args;

use super::{StoreArgument, Verdict};
use crate::console::{Console, Failure};
use crate::store::Store;

pub(super) const EXAMPLES: &str = "\
Examples:
  weir ingest tail --store events.db
  weir ingest tail --store events.db --limit 5 --json openai-audit-logs | jq .ocsf

A line is: time, type, action -> target, cost, input/output tokens. `--json` gives whole events.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    store: StoreArgument,
    /// How many events
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Whole events, as NDJSON
    #[arg(long)]
    json: bool,
    /// Only events of this source
    source: Option<String>,
}

pub(super) fn tail(console: Console, arguments: &Arguments) -> Result<Verdict, Failure> {
    let store = Store::open_read_only(&arguments.store.store).map_err(Failure::problem)?;
    let source = arguments.source.as_deref();
    if let Some(name) = source {
        let sources = store.sources().map_err(Failure::problem)?;
        if !sources.iter().any(|source| source.name == name) {
            console.note("IngestionSource not found");
            return Ok(Verdict::ProblemsFound);
        }
    }
    let events = store.tail(source, usize::from(arguments.limit)).map_err(Failure::problem)?;
    if events.is_empty() {
        console.note("no events yet; `weir run PROGRAM INPUT --store FILE` brings some");
    }
    let mut text = Vec::new();
    for event in &events {
        match arguments.json {
            true => event.write_json(&mut text),
            false => text.extend_from_slice(event.line().as_bytes()),
        }
        text.push(b'\n');
    }
    console.result(text)?;
    Ok(Verdict::Good)
}
