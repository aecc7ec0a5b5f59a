//! An event as a test sees it.

use simd_json::OwnedValue;
use weir_engine::batch::{Batch, Event, TextRange};
use weir_engine::plan::{Column, Plan};
use weir_engine::read;

/// An event, taken out of its batch.
pub(crate) struct Made {
    pub(crate) class: String,
    pub(super) id: String,
    /// The columns by name, as texts.
    pub(crate) columns: Vec<(&'static str, String)>,
    /// `event.extra`, an object.
    pub(super) extra: OwnedValue,
    /// The OCSF event.
    pub(crate) ocsf: OwnedValue,
    /// The index of its emit in the plan.
    pub(super) emit: u16,
}

pub(super) fn made(event: &Event, batch: &Batch, plan: &Plan) -> Made {
    let text = |range: TextRange| String::from_utf8_lossy(batch.bytes(range)).into_owned();
    let mut time = Vec::new();
    read::write_timestamp(event.time_ns, &mut time);
    let columns = Column::ALL.map(|column| {
        let value = match column {
            Column::Id => text(event.id),
            Column::Time => String::from_utf8_lossy(&time).into_owned(),
            Column::Actor => text(event.actor),
            Column::Action => text(event.action),
            Column::Target => text(event.target),
            Column::CostUsd => event.cost_usd.to_string(),
            Column::TokensInput => event.tokens_input.to_string(),
            Column::TokensOutput => event.tokens_output.to_string(),
        };
        (column.name(), value)
    });
    Made {
        class: plan.emits[event.emit as usize].class.clone(),
        id: text(event.id),
        columns: columns.into(),
        extra: json(batch.bytes(event.extra)),
        ocsf: json(batch.bytes(event.ocsf)),
        emit: event.emit,
    }
}

fn json(bytes: &[u8]) -> OwnedValue {
    simd_json::to_owned_value(&mut bytes.to_vec()).unwrap_or_default()
}
