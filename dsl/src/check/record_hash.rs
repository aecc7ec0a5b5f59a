//! `raw hash`: the hash of the record, where OCSF has a place for it, else under `unmapped`.

use weir_engine::plan::{Check, Constant, Meta};
use weir_engine::types::Type;

use super::Checker;
use super::derive::{constant, derived_field, text_check};
use super::emit::{Draft, DraftNode, Shape};
use super::enums::Listed;
use crate::hir::{Expr, ExprKind, OutputNode, Raw};
use crate::source::Span;

/// Since OCSF 1.8.0.
const ATTRIBUTE: &str = "raw_data_hash";
/// Before.
const UNMAPPED: &str = "raw_sha256";
/// *SHA-256* among the algorithms of a fingerprint.
const ALGORITHM_SHA256: i64 = 3;

impl Checker<'_> {
    /// How this attribute is set, if it is the one that `raw hash` sets.
    pub(super) fn hash_of_record(&self, object: &Draft, name: &str) -> Option<String> {
        let sets = match object.shape {
            Shape::Class(_) => name == ATTRIBUTE,
            Shape::Free => name == UNMAPPED && object.way == "unmapped",
            Shape::Object(_) => false,
        };
        (matches!(self.raw, Raw::Hash) && sets).then(|| "it follows from `raw hash`".to_owned())
    }

    /// Puts the hash of the record into the draft of an event.
    pub(super) fn record_hash(&self, root: &mut Draft, span: Span) {
        if !matches!(self.raw, Raw::Hash) {
            return;
        }
        let hash = || Expr { kind: ExprKind::Meta(Meta::RecordSha256), ty: Type::Text, span };
        let Some(fingerprint) = self.inner(root, ATTRIBUTE, span) else {
            if let Some(unmapped) = root.object("unmapped", Shape::Free, span) {
                let field = derived_field(hash(), Check::Text, UNMAPPED, span);
                unmapped.push(UNMAPPED, span, DraftNode::Leaf(OutputNode::Value(field)));
            }
            return;
        };
        let attributes = fingerprint.shape.attributes();
        let algorithm = attributes.and_then(|attributes| attributes.get("algorithm_id"));
        if let Some(attribute) = algorithm
            && let Some(listed) = Listed::of(attribute, span)
        {
            let value = constant(Constant::Int(ALGORITHM_SHA256), Type::Int, span);
            let echoes = self.sibling_echo(fingerprint.shape, listed, &value);
            let check = Check::Enum(vec![ALGORITHM_SHA256]);
            let field = derived_field(value, check, "raw_data_hash.algorithm_id", span);
            let node = DraftNode::Leaf(OutputNode::Enum(field, echoes));
            fingerprint.push("algorithm_id", span, node);
        }
        let check = text_check(fingerprint.shape, "value");
        let field = derived_field(hash(), check, "raw_data_hash.value", span);
        fingerprint.push("value", span, DraftNode::Leaf(OutputNode::Value(field)));
    }
}
