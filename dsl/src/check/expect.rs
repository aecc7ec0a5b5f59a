//! What the `expect` lines of the tests name must exist.
//!
//! A misspelt name is worst before `is missing`: the test passes for ever and shows nothing. So classes, columns,
//! attributes and captions are looked up as those of an `emit` are.

use weir_engine::plan::Column;

use super::Checker;
use super::emit::{Draft, Shape, shortened};
use super::event::meant_column;
use crate::ast::{self, Check, Expectation, FieldStep, Item, Literal, Name, Want};
use crate::diagnostic::Diagnostic;
use crate::ocsf::{Attribute, AttributeType, Attributes, Base};
use crate::source::Span;
use weir_engine::suggest::nearest;

/// What a field of an event is known to be.
#[derive(Clone, Copy)]
enum Known {
    /// The event, or an object in it.
    Object(Shape, Span),
    /// A list, whose elements are the attribute.
    List(&'static Attribute, Span),
    /// A single value.
    Value(&'static Attribute, Span),
}

impl<'a> Checker<'a> {
    /// W0701 and its kin, for every test of the file.
    pub(super) fn check_expectations(&mut self, file: &'a ast::File) {
        let whole = !self.reports.has_errors();
        for item in &file.items {
            let Item::Test(test) = item else { continue };
            for expectation in &test.expect {
                match expectation {
                    Expectation::Dropped(_) | Expectation::Rejected(None, _) => {}
                    Expectation::Rejected(Some(target), span) => {
                        self.expected_target(target, *span, whole);
                    }
                    Expectation::Event { class, checks, .. } => {
                        self.expected_event(class, checks, whole);
                    }
                }
            }
        }
    }

    /// `whole`: nothing is wrong with the file so far, so what it emits is known.
    fn expected_event(&mut self, name: &Name, checks: &[Check], whole: bool) {
        let Some(class) = self.head.schema.class(&name.node) else {
            return self.unknown_expected_class(name);
        };
        if whole && !self.emitted.is_empty() && !self.emitted.contains(&class.name) {
            return self.never_emitted(name);
        }
        let event = Known::Object(Shape::Class(class), name.span);
        for check in checks {
            match &check.field[..] {
                [FieldStep::Key(word)] if word.node == "event" => {
                    if let Want::Checks(columns) = &check.want {
                        columns.iter().for_each(|check| self.expected_column(&check.field));
                    }
                }
                [FieldStep::Key(word), column @ ..] if word.node == "event" => {
                    self.expected_column(column);
                }
                _ => self.expected_field(check, event, ""),
            }
        }
    }

    /// The classes of the events that this file makes, each once.
    fn classes_emitted(&self) -> Vec<&'static str> {
        let mut classes = self.emitted.clone();
        classes.sort_unstable();
        classes.dedup();
        classes
    }

    fn unknown_expected_class(&mut self, name: &Name) {
        let emitted = self.classes_emitted();
        let near = nearest(&name.node, emitted.iter().copied())
            .or_else(|| emitted.first().copied().filter(|_| emitted.len() == 1));
        if emitted.is_empty() {
            self.class(name);
            return;
        }
        let version = self.head.schema.version;
        let message = format!("OCSF {version} has no class `{}`", name.node);
        let report = Diagnostic::error("W0201", name.span, message, "unknown class");
        self.report(one_of(report, name, near, &emitted));
    }

    fn never_emitted(&mut self, name: &Name) {
        let emitted = self.classes_emitted();
        let report = Diagnostic::error(
            "W0701",
            name.span,
            format!("no `emit` of this file makes `{}`, so this test can never pass", name.node),
            "expected here",
        );
        self.report(one_of(report, name, None, &emitted));
    }

    fn expected_column(&mut self, field: &[FieldStep]) {
        let Some(FieldStep::Key(name)) = field.first() else { return };
        let is_known = Column::ALL.iter().any(|column| column.name() == name.node);
        if is_known || name.node == "extra" {
            return;
        }
        let known = Column::ALL.map(Column::name);
        let report = Diagnostic::error(
            "W0701",
            name.span,
            format!("`event` has no column `{}`", name.node),
            "unknown here",
        );
        self.report(match meant_column(&name.node) {
            Some(near) => report.help(format!("did you mean `{near}`?")).fix(
                format!("{} -> {near}", name.node),
                name.span,
                near,
            ),
            None => report.help(format!("the columns are {}, extra", known.join(", "))),
        });
    }

    /// `way` is the way from the event to `known`.
    fn expected_field(&mut self, check: &Check, known: Known, way: &str) {
        let (mut known, mut way) = (known, way.to_owned());
        for (at, step) in check.field.iter().enumerate() {
            match step {
                FieldStep::Key(name) => {
                    let has_steps = at + 1 < check.field.len();
                    let has_steps = has_steps || matches!(check.want, Want::Checks(_));
                    match self.expected_member(known, name, &way, (has_steps, &check.want)) {
                        Some(member) => known = member,
                        None => return,
                    }
                    way = if way.is_empty() {
                        name.node.clone()
                    } else {
                        format!("{way}.{}", name.node)
                    };
                }
                FieldStep::Index(index) => match known {
                    Known::List(attribute, span) => {
                        known = self.expected_known(attribute, span, true)
                    }
                    Known::Object(Shape::Free, _) => {}
                    Known::Object(_, before) | Known::Value(_, before) => {
                        let whole = Span::new(before.end, index.span.end + 1);
                        return self.has_no_elements(&way, index.span, whole);
                    }
                },
            }
        }
        match (&check.want, known) {
            (Want::Checks(checks), _) => {
                for check in checks {
                    self.expected_field(check, known, &way);
                }
            }
            (Want::Literal(literal), Known::Value(attribute, span)) => {
                let is_bool = matches!(literal.node, Literal::Bool(_));
                if let Literal::Text(word) | Literal::Number(word) = &literal.node
                    && !is_bool
                {
                    self.expected_value(word, literal.span, attribute, span);
                }
            }
            (Want::Literal(_), Known::List(_, span)) => self.needs_an_element(&way, span),
            (Want::Literal(literal), Known::Object(Shape::Object(_) | Shape::Class(_), span)) => {
                self.is_an_object(&way, literal.span, span);
            }
            (Want::Literal(_), Known::Object(Shape::Free, _)) | (Want::Missing(_), _) => {}
        }
    }

    fn expected_known(&self, attribute: &'static Attribute, span: Span, element: bool) -> Known {
        if attribute.is_array && !element {
            return Known::List(attribute, span);
        }
        match (attribute.ty, self.shape_of(attribute)) {
            (_, Some(shape)) => Known::Object(shape, span),
            (AttributeType::Scalar(data_type), None) if data_type.base == Base::Json => {
                Known::Object(Shape::Free, span)
            }
            // An object that the schema names and does not describe.
            (AttributeType::Object(_), None) => Known::Object(Shape::Free, span),
            (AttributeType::Scalar(_), None) => Known::Value(attribute, span),
        }
    }

    /// A member of what is known; none if there is none, which is reported.
    fn expected_member(
        &mut self,
        known: Known,
        name: &Name,
        way: &str,
        (has_steps, want): (bool, &Want),
    ) -> Option<Known> {
        let (shape, span) = match known {
            Known::Object(shape, span) => (shape, span),
            Known::List(_, span) => {
                self.needs_an_element(way, span);
                return None;
            }
            Known::Value(_, span) => {
                self.report(
                    Diagnostic::error(
                        "W0701",
                        name.span,
                        format!("`{way}` is a single value, nothing is in it"),
                        "can never be there",
                    )
                    .label(span, "a single value")
                    .help(format!("compare it as a whole: `{way} = ...`")),
                );
                return None;
            }
        };
        let Some(attributes) = shape.attributes().filter(|attributes| !attributes.is_empty())
        else {
            return Some(Known::Object(Shape::Free, name.span));
        };
        let Some(attribute) = attributes.get(&name.node) else {
            let object = Draft::new(shape, span, way.to_owned());
            self.unknown_expected(&object, name, attributes, has_steps);
            return None;
        };
        let is_off = !attribute.exists_with(&self.profiles());
        // That it is missing is true, and may be what the test is to show.
        if is_off && !matches!(want, Want::Missing(_)) {
            let object = Draft::new(shape, span, way.to_owned());
            self.profile_is_off(&object, name, attribute);
            return None;
        }
        Some(self.expected_known(attribute, name.span, false))
    }

    fn unknown_expected(
        &mut self,
        object: &Draft,
        name: &Name,
        attributes: &'static Attributes,
        has_steps: bool,
    ) {
        let version = self.head.schema.version;
        let is_event = matches!(object.shape, Shape::Class(_));
        let owner = if is_event { object.shape.name() } else { &object.way };
        let report = Diagnostic::error(
            "W0701",
            name.span,
            format!("`{owner}` has no attribute `{}`, so it is always missing", name.node),
            "unknown here",
        );
        let report = if is_event {
            report.label(object.span, format!("a class of OCSF {version}"))
        } else {
            report
        };
        let replaced = |report: Diagnostic, help: String, instead: &str| {
            let title = format!("{} -> {instead}", name.node);
            report.help(help).fix(title, name.span, instead)
        };
        let is_column = Column::ALL.iter().any(|column| column.name() == name.node);
        if is_event && (is_column || name.node == "extra") {
            let instead = format!("event.{}", name.node);
            let help = format!("it is a column of `event`: `{instead}`");
            return self.report(replaced(report, help, &instead));
        }
        let meant = self.meant_attribute(object, &name.node, has_steps);
        let instead = meant.as_ref().and_then(|meant| meant.instead.clone());
        self.report(match (meant, instead) {
            (Some(meant), Some(instead)) => replaced(report, meant.help, &instead),
            (Some(meant), None) => report.help(meant.help),
            (None, _) => {
                let profiles = self.profiles();
                let known = attributes.iter().filter(|known| known.exists_with(&profiles));
                let known: Vec<&str> = known.map(|known| known.name).collect();
                report.help(format!("it has {}", shortened(&known)))
            }
        });
    }

    fn has_no_elements(&mut self, way: &str, span: Span, brackets: Span) {
        self.report(
            Diagnostic::error(
                "W0701",
                span,
                format!("`{way}` is one value and no list"),
                "has no elements",
            )
            .help(format!("write `{way}` without the position"))
            .fix("without the position", brackets, ""),
        );
    }

    fn needs_an_element(&mut self, way: &str, span: Span) {
        self.report(
            Diagnostic::error(
                "W0701",
                span,
                format!("`{way}` is a list, and a test looks at its elements one by one"),
                "which element?",
            )
            .help(format!("the first one is `{way}[0]`"))
            .fix(format!("{way} -> {way}[0]"), Span::new(span.end, span.end), "[0]"),
        );
    }

    fn is_an_object(&mut self, way: &str, value: Span, span: Span) {
        self.report(
            Diagnostic::error(
                "W0701",
                value,
                format!("`{way}` is an object and never equals a single value"),
                "a single value",
            )
            .label(span, "an object")
            .help(format!("check what is in it: `{way} {{ name = ... }}`")),
        );
    }

    /// The text behind `rejected` says what could not be set.
    fn expected_target(&mut self, target: &ast::Text, line: Span, whole: bool) {
        let text = &target.node;
        let report = |label: &str| {
            let message = format!("no record is rejected at \"{text}\"");
            Diagnostic::error("W0701", target.span, message, label)
        };
        let quoted = |report: Diagnostic, near: String| {
            let title = format!("{text} -> {near}");
            report.help(format!("did you mean \"{near}\"?")).fix(
                title,
                target.span,
                format!("\"{near}\""),
            )
        };
        let column = |name: &str| Column::ALL.iter().any(|column| column.name() == name);
        if let Some(name) = text.strip_prefix("event.") {
            if column(name) || name.starts_with("extra.") {
                return;
            }
            let report = report("`event` has no such column");
            return self.report(match meant_column(name) {
                Some(near) => quoted(report, format!("event.{near}")),
                None => report
                    .help(format!("the columns are {}", Column::ALL.map(Column::name).join(", "))),
            });
        }
        let first = text.split(['.', '[']).next().unwrap_or_default();
        let classes = self.emitted.iter().filter_map(|name| self.head.schema.class(name));
        let mut known = classes.flat_map(|class| class.attributes.iter());
        // `time` is derived: what is rejected is `event.time`.
        let is_known = text != "time" && known.any(|attribute| attribute.name == first);
        if !whole || is_known {
            return;
        }
        if column(text) {
            return self.report(quoted(report("a column of `event`"), format!("event.{text}")));
        }
        let without = Span::new(line.start, target.span.start);
        let keyword = self.source.slice(without).trim_end().len() as u32;
        self.report(
            report("nothing of this name is set")
                .help("name what cannot be set, as in `rejected \"event.time\"`, or leave the text out: then any reason will do")
                .fix("rejected", Span::new(line.start + keyword, target.span.end), ""),
        );
    }
}

/// Says which classes the file emits, and offers the one that was meant.
fn one_of(report: Diagnostic, name: &Name, near: Option<&str>, emitted: &[&str]) -> Diagnostic {
    let quoted: Vec<String> = emitted.iter().map(|class| format!("`{class}`")).collect();
    let report = report.help(match near {
        Some(near) if emitted.len() > 1 => format!("did you mean `{near}`?"),
        _ => format!("this file emits {}", quoted.join(", ")),
    });
    match near {
        Some(near) => report.fix(format!("{} -> {near}", name.node), name.span, near),
        None => report,
    }
}
