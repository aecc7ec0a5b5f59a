//! What is never written by hand: identity of class and parser, captions, time, severity, and the places where the
//! columns of `event` go.
//!
//! Derived lines are ordinary lines of the typed tree: whoever interprets it need not know that nobody wrote them.

use weir_engine::plan::{Check, Column, Comparison, Constant, Outcome, Policy};
use weir_engine::types::Type;

use super::Checker;
use super::emit::{Draft, DraftElement, DraftMember, DraftNode, Shape, json_text};
use super::enums::{Listed, captions};
use super::expr::missing;
use super::ocsf_types::wanted;
use crate::hir::{Echo, Expr, ExprKind, Field, OutputNode};
use crate::ocsf::{AttributeType, Class};
use crate::source::Span;

const SEVERITY_INFORMATIONAL: i64 = 1;

impl Checker<'_> {
    /// Puts the derived members into the draft of an event.
    pub(super) fn derive(
        &mut self,
        root: &mut Draft,
        class: &'static Class,
        columns: &[Field],
        span: Span,
    ) {
        let written = std::mem::take(&mut root.members);
        let mut written: Vec<Option<DraftMember>> = written.into_iter().map(Some).collect();
        let mut take = |name: &str| {
            written
                .iter_mut()
                .find(|member| member.as_ref().is_some_and(|member| member.name == name))
                .and_then(Option::take)
        };
        self.class_identity(root, class, span);
        if let Some(activity) = take("activity_id") {
            root.members.push(self.with_type_uid(activity, class));
        }
        let severity = take("severity_id");
        root.members.extend(severity.or_else(|| self.severity(class, span)));
        root.push(
            "time",
            span,
            DraftNode::Leaf(self.column_leaf(Column::Time, Check::EpochMillis, span)),
        );
        root.members.extend(take("metadata"));
        self.metadata(root, class, columns, span);
        root.members.extend(written.into_iter().flatten());
        self.actor_and_target(root, class, span);
        self.source_endpoint(root, class, span);
        self.tokens(root, class, span);
        self.cost(root, class, span);
        self.record_hash(root, span);
    }

    fn class_identity(&self, root: &mut Draft, class: &Class, span: Span) {
        let constants = [
            ("class_uid", class.uid.to_string()),
            ("class_name", json_text(class.caption)),
            ("category_uid", class.category_uid.to_string()),
            ("category_name", json_text(class.category_name)),
        ];
        for (name, json) in constants {
            if class.attributes.get(name).is_some() {
                root.push(name, span, DraftNode::Leaf(OutputNode::Constant(json)));
            }
        }
    }

    /// `type_uid`, `type_name`, and `activity_name`, which is the source's own word where the activity is *Other*.
    fn with_type_uid(&self, mut activity: DraftMember, class: &Class) -> DraftMember {
        if let DraftNode::Leaf(OutputNode::Enum(field, echoes)) = &mut activity.node
            && let Some(enumeration) =
                class.attributes.get("activity_id").and_then(|attribute| attribute.enumeration)
        {
            for echo in echoes.iter_mut() {
                echo.other = Some(column_value(Column::Action, field.span));
            }
            let uids = enumeration.values.iter().filter_map(|value| value.number);
            let uids =
                uids.map(|number| (number, (i64::from(class.uid) * 100 + number).to_string()));
            echoes.push(Echo {
                name: "type_uid".into(),
                texts: uids.collect(),
                other: None,
                check: Check::Text,
            });
            if class.attributes.get("type_name").is_some() {
                let names = captions(enumeration, &format!("{}: ", class.caption));
                echoes.push(Echo {
                    name: "type_name".into(),
                    texts: names,
                    other: None,
                    check: Check::Text,
                });
            }
        }
        activity
    }

    fn severity(&self, class: &'static Class, span: Span) -> Option<DraftMember> {
        let attribute = class.attributes.get("severity_id")?;
        let listed = Listed::of(attribute, span)?;
        let value = constant(Constant::Int(SEVERITY_INFORMATIONAL), Type::Int, span);
        let echoes = self.sibling_echo(Shape::Class(class), listed, &value);
        let field = derived_field(value, listed.check(), "severity_id", span);
        let node = DraftNode::Leaf(OutputNode::Enum(field, echoes));
        Some(DraftMember { name: "severity_id".into(), span, filler: false, node })
    }

    fn metadata(&self, root: &mut Draft, class: &Class, columns: &[Field], span: Span) {
        let Some(attribute) = class.attributes.get("metadata") else { return };
        let Some(shape) = self.shape_of(attribute) else { return };
        let Some(metadata) = root.object("metadata", shape, span) else { return };
        let has = |name: &str| shape.attributes().is_some_and(|all| all.get(name).is_some());
        let written = std::mem::take(&mut metadata.members);
        let leaf = |metadata: &mut Draft, name: &str, node| {
            if has(name) {
                metadata.push(name, span, DraftNode::Leaf(node));
            }
        };
        let version = json_text(self.head.schema.version);
        leaf(metadata, "version", OutputNode::Constant(version));
        self.product(metadata, shape, span);
        let profiles: Vec<String> = self
            .profiles()
            .into_iter()
            .filter(|profile| class.profiles.contains(profile))
            .map(json_text)
            .collect();
        if !profiles.is_empty() {
            leaf(metadata, "profiles", OutputNode::Constant(format!("[{}]", profiles.join(","))));
        }
        leaf(metadata, "log_name", OutputNode::Constant(json_text(&self.head.parser)));
        leaf(metadata, "uid", self.column_leaf(Column::Id, text_check(shape, "uid"), span));
        leaf(
            metadata,
            "event_code",
            self.column_leaf(Column::Action, text_check(shape, "event_code"), span),
        );
        if let Some(text) = self.original_time(&columns[Column::Time as usize]) {
            let field = derived_field(
                text,
                text_check(shape, "original_time"),
                "metadata.original_time",
                span,
            );
            leaf(metadata, "original_time", OutputNode::Value(field));
        }
        metadata.members.extend(written);
    }

    fn product(&self, metadata: &mut Draft, shape: Shape, span: Span) {
        let attribute = shape.attributes().and_then(|all| all.get("product"));
        let Some(shape) = attribute.and_then(|attribute| self.shape_of(attribute)) else { return };
        let Some(product) = metadata.object("product", shape, span) else { return };
        let name = OutputNode::Constant(json_text(&self.head.product));
        product.push("name", span, DraftNode::Leaf(name));
        if let Some(vendor) = &self.head.vendor {
            let vendor = OutputNode::Constant(json_text(vendor));
            product.push("vendor_name", span, DraftNode::Leaf(vendor));
        }
    }

    /// The text that `event.time` was read from, when it is text.
    fn original_time(&self, time: &Field) -> Option<Expr> {
        let original = self.original_text(&time.value)?;
        if time.on_missing.is_none() && time.on_invalid.is_none() {
            return Some(original);
        }
        // A handler may have given the time: then there is no original.
        let span = original.span;
        let of = |kind, ty| Expr { kind, ty, span };
        let is = |outcome, negated| {
            of(ExprKind::Is(outcome, negated, time.value.clone().into()), Type::Bool)
        };
        let read = of(
            ExprKind::And(is(Outcome::Present, false).into(), is(Outcome::Invalid, true).into()),
            Type::Bool,
        );
        let kind = ExprKind::If(read.into(), original.into(), missing(Type::Text, span).into());
        Some(of(kind, Type::Text))
    }

    fn original_text(&self, time: &Expr) -> Option<Expr> {
        let of = |kind| Some(Expr { kind, ty: Type::Text, span: time.span });
        match &time.kind {
            ExprKind::Path(path) => of(ExprKind::StringOnly(path.clone())),
            ExprKind::Let(index) => self.original_text(&self.typed_lets[*index].expr),
            ExprKind::Call { args, .. } => self.original_text(args.first()?),
            ExprKind::Coalesce(left, right) => {
                let (left_text, right_text) = (self.original_text(left), self.original_text(right));
                if left_text.is_none() && right_text.is_none() {
                    return None;
                }
                let or_missing =
                    |text: Option<Expr>| text.unwrap_or_else(|| missing(Type::Text, time.span));
                let present = Expr {
                    kind: ExprKind::Is(Outcome::Present, false, left.clone()),
                    ty: Type::Bool,
                    span: time.span,
                };
                of(ExprKind::If(
                    present.into(),
                    or_missing(left_text).into(),
                    or_missing(right_text).into(),
                ))
            }
            _ => None,
        }
    }

    fn actor_and_target(&self, root: &mut Draft, class: &Class, span: Span) {
        if self.exists(class, "actor")
            && root.get("actor").is_none()
            && let Some(user) =
                self.inner(root, "actor", span).and_then(|actor| self.inner(actor, "user", span))
        {
            user.push(
                "name",
                span,
                DraftNode::Leaf(self.column_leaf(
                    Column::Actor,
                    text_check(user.shape, "name"),
                    span,
                )),
            );
        }
        let api_required = class.attributes.get("api").is_some_and(|api| self.is_required(api));
        if self.exists(class, "api")
            && (api_required || root.get("api").is_some())
            && let Some(api) = self.inner(root, "api", span)
            && api.get("operation").is_none()
        {
            let operation =
                self.column_leaf(Column::Action, text_check(api.shape, "operation"), span);
            api.push("operation", span, DraftNode::Leaf(operation));
        }
        if self.exists(class, "resources")
            && root.get("resources").is_none()
            && let Some(shape) =
                class.attributes.get("resources").and_then(|list| self.shape_of(list))
        {
            let mut resource = Draft::new(shape, span, "resources".into());
            resource.push(
                "name",
                span,
                DraftNode::Leaf(self.column_leaf(Column::Target, text_check(shape, "name"), span)),
            );
            let element = DraftElement { object: resource, each: None };
            root.push("resources", span, DraftNode::List(vec![element]));
        }
    }

    /// An address that is absent or no IP never costs the record: the service's name is always there.
    fn source_endpoint(&self, root: &mut Draft, class: &Class, span: Span) {
        let required =
            class.attributes.get("src_endpoint").is_some_and(|endpoint| self.is_required(endpoint));
        if required
            && let Some(endpoint) = self.inner(root, "src_endpoint", span)
            && endpoint.get("svc_name").is_none()
        {
            let name = OutputNode::Constant(json_text(&self.head.product));
            endpoint.push("svc_name", span, DraftNode::Leaf(name));
        }
    }

    fn tokens(&self, root: &mut Draft, class: &Class, span: Span) {
        let counted =
            [("prompt_tokens", Column::TokensInput), ("completion_tokens", Column::TokensOutput)];
        if !self.exists(class, "message_context") {
            let Some(unmapped) = root.object("unmapped", Shape::Free, span) else { return };
            for (name, column) in
                [("tokens_input", Column::TokensInput), ("tokens_output", Column::TokensOutput)]
            {
                if unmapped.get(name).is_none() {
                    let field = derived_field(
                        unless_zero(column_value(column, span)),
                        Check::Int(1, i64::MAX),
                        name,
                        span,
                    );
                    unmapped.push(name, span, DraftNode::Leaf(OutputNode::Value(field)));
                }
            }
            return;
        }
        let product = json_text(&self.head.product);
        let Some(context) = self.inner(root, "message_context", span) else { return };
        let most = i64::from(i32::MAX);
        for (name, column) in counted {
            if context.get(name).is_none() {
                let field = derived_field(
                    unless_zero(column_value(column, span)),
                    Check::Int(1, most),
                    name,
                    span,
                );
                context.push(name, span, DraftNode::Leaf(OutputNode::Value(field)));
            }
        }
        if context.get("total_tokens").is_none() {
            let [input, output] = [Column::TokensInput, Column::TokensOutput]
                .map(|column| column_value(column, span));
            let sum = ExprKind::Arithmetic(
                weir_engine::plan::Arithmetic::Add,
                input.into(),
                output.into(),
            );
            let sum = unless_zero(Expr { kind: sum, ty: Type::Int, span });
            let field = derived_field(sum, Check::Int(1, most), "total_tokens", span);
            context.push("total_tokens", span, DraftNode::Leaf(OutputNode::Value(field)));
        }
        if context.get("application").is_none()
            && context.get("service").is_none()
            && let Some(service) = self.inner(context, "service", span)
        {
            service.push("name", span, DraftNode::Leaf(OutputNode::Constant(product)));
            if let Some(service) = context.members.last_mut() {
                service.filler = true;
            }
        }
    }

    /// OCSF has no attribute for cost: it goes to an enrichment, which tools keep.
    fn cost(&self, root: &mut Draft, class: &Class, span: Span) {
        let Some(shape) = class.attributes.get("enrichments").and_then(|list| self.shape_of(list))
        else {
            return;
        };
        let cost = || column_value(Column::CostUsd, span);
        let mut enrichment = Draft::new(shape, span, "enrichments".into());
        enrichment.guard = Some(not_zero(cost()));
        let text = |json: &str| DraftNode::Leaf(OutputNode::Constant(json_text(json)));
        enrichment.push("name", span, text("cost_usd"));
        let value = Expr { kind: ExprKind::Convert(cost().into()), ty: Type::Text, span };
        let value = derived_field(value, Check::Text, "enrichments.value", span);
        enrichment.push("value", span, DraftNode::Leaf(OutputNode::Value(value)));
        enrichment.push("type", span, text("cost"));
        if let Some(vendor) = &self.head.vendor {
            enrichment.push("provider", span, text(vendor));
        }
        if let Some(data) = enrichment.object("data", Shape::Free, span) {
            let amount = derived_field(cost(), Check::Decimal, "enrichments.data.amount", span);
            data.push("amount", span, DraftNode::Leaf(OutputNode::Value(amount)));
            data.push("currency", span, text("USD"));
        }
        let element = DraftElement { object: enrichment, each: None };
        let list = root.members.iter_mut().find(|member| member.name == "enrichments");
        match list.map(|member| &mut member.node) {
            Some(DraftNode::List(list)) => list.push(element),
            _ => root.push("enrichments", span, DraftNode::List(vec![element])),
        }
    }

    /// Does the class have the attribute, under the profiles switched on?
    fn exists(&self, class: &Class, name: &str) -> bool {
        class.attributes.get(name).is_some_and(|attribute| attribute.exists_with(&self.profiles()))
    }

    /// The object under an attribute, made if it is not there yet.
    pub(super) fn inner<'d>(
        &self,
        object: &'d mut Draft,
        name: &str,
        span: Span,
    ) -> Option<&'d mut Draft> {
        let attribute = object.shape.attributes()?.get(name)?;
        if !matches!(attribute.ty, AttributeType::Object(_)) || attribute.is_array {
            return None;
        }
        object.object(name, self.shape_of(attribute)?, span)
    }

    fn column_leaf(&self, column: Column, check: Check, span: Span) -> OutputNode {
        let target = format!("event.{}", column.name());
        OutputNode::Value(derived_field(column_value(column, span), check, &target, span))
    }
}

/// The limits that the pinned version sets to a text.
pub(super) fn text_check(shape: Shape, name: &str) -> Check {
    let attribute = shape.attributes().and_then(|attributes| attributes.get(name));
    attribute
        .and_then(|attribute| wanted(attribute, Some(Type::Text)))
        .map_or(Check::Text, |wanted| wanted.check)
}

/// A derived line fails silently: what it derives from has been reported.
pub(super) fn derived_field(value: Expr, check: Check, target: &str, span: Span) -> Field {
    Field {
        value,
        on_missing: None,
        on_invalid: None,
        missing: Policy::Skip,
        invalid: Policy::Skip,
        check,
        target: target.to_owned(),
        span,
        redacted: false,
    }
}

fn column_value(column: Column, span: Span) -> Expr {
    Expr { kind: ExprKind::Column(column), ty: column.ty(), span }
}

pub(super) fn constant(constant: Constant, ty: Type, span: Span) -> Expr {
    Expr { kind: ExprKind::Constant(constant), ty, span }
}

fn not_zero(value: Expr) -> Expr {
    let span = value.span;
    let zero = match value.ty {
        Type::Decimal => Constant::Decimal(Default::default()),
        _ => Constant::Int(0),
    };
    let zero = constant(zero, value.ty, span);
    let kind = ExprKind::Compare(Comparison::NotEqual, value.into(), zero.into());
    Expr { kind, ty: Type::Bool, span }
}

fn unless_zero(value: Expr) -> Expr {
    let (span, ty) = (value.span, value.ty);
    let kind = ExprKind::If(not_zero(value.clone()).into(), value.into(), missing(ty, span).into());
    Expr { kind, ty, span }
}
