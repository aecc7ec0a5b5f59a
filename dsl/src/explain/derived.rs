//! Where derived attributes come from.

use weir_engine::plan::Column;

use crate::hir::{ExprKind, Field};

/// Of an attribute that is the same in all events of its `emit`.
pub(super) fn of_constant(attribute: &str) -> &'static str {
    match attribute {
        "class_uid" | "class_name" | "category_uid" | "category_name" => "the class of the `emit`",
        "metadata.version" => "the `ocsf` line",
        "metadata.profiles" => "the profiles of the `ocsf` line that the class has",
        "metadata.log_name" => "the `parser` line",
        _ if attribute.starts_with("enrichments") => "event.cost_usd, if not 0",
        // The product's name stands in several places: the product, the service, the endpoint.
        _ => "the `product` line",
    }
}

/// Of an attribute with a value of its own: the columns that it reads.
pub(super) fn of_value(attribute: &str, field: &Field) -> String {
    match attribute {
        "metadata.original_time" => return "the text that event.time is read from".to_owned(),
        "raw_data" | "raw_data_hash" | "raw_data_size" | "unmapped.raw_sha256" => {
            return "the record, as the `raw` line says".to_owned();
        }
        _ => {}
    }
    let mut columns = Vec::new();
    field.value.walk(&mut |part| match part.kind {
        ExprKind::Column(column) if !columns.contains(&column) => columns.push(column),
        _ => {}
    });
    let unless_zero = match columns.first() {
        Some(Column::CostUsd | Column::TokensInput | Column::TokensOutput) => ", if not 0",
        _ => "",
    };
    let names: Vec<String> =
        columns.iter().map(|column| format!("event.{}", column.name())).collect();
    if names.is_empty() {
        "the head of the file".to_owned()
    } else {
        names.join(" and ") + unless_zero
    }
}
