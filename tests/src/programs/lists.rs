//! Lists: literals, the list functions, and their values.

use super::expr::Kind;
use super::{Format, Shape, Writer};

/// How deep lists nest in conditions.
const DEPTH_MAX: usize = 2;

impl Writer {
    /// `PATH[*]` of a list of such values: of a list itself, of members of its elements, of a list in a text.
    pub(super) fn list_path(&mut self, kind: &Kind) -> String {
        let name = self.fresh("list_");
        let scope = self.scope();
        let variable = self.scopes[scope].variable.clone();
        match self.random.below(8) {
            0 => {
                let record = self.document(scope, |shape| shape.insert_values(&name, kind.clone()));
                format!("{record}.{name}[*]")
            }
            1..=2 => {
                let member = self.fresh("f");
                let mut element = Shape::default();
                element.insert_value(&member, kind.clone(), false);
                self.scopes[scope].shape.insert_list(&name, element);
                format!("{variable}.{name}[*].{member}")
            }
            _ => {
                self.scopes[scope].shape.insert_values(&name, kind.clone());
                format!("{variable}.{name}[*]")
            }
        }
    }

    /// How many elements there are, or of those that meet a condition.
    pub(super) fn count(&mut self) -> String {
        if self.percent(30) {
            return format!("count({})", self.list_path(&Kind::Text));
        }
        let (list, condition) = self.elements();
        format!("count({list}, {condition})")
    }

    /// `any` or `all`
    pub(super) fn any_or_all(&mut self) -> String {
        let function = *self.random.pick(&["any", "all"]);
        if self.percent(50) {
            let words = Kind::Words(vec!["a".into(), "b".into(), "ab".into()]);
            let list = self.list_path(&words);
            let condition = *self.random.pick(&[
                "it == \"a\"",
                "it in [\"a\", \"b\"]",
                "it starts_with \"a\"",
                "it is present",
                "(it |> length) > 1",
            ]);
            return format!("{function}({list}, {condition})");
        }
        let (list, condition) = self.elements();
        format!("{function}({list}, {condition})")
    }

    /// A list of objects, and a condition on them.
    fn elements(&mut self) -> (String, String) {
        let list = self.fresh("list_c");
        let mut element = Shape::default();
        element.insert_value("go", Kind::Bool, false);
        element.insert_value("n", Kind::Int(0, 9), false);
        element.insert_value("word", Kind::Words(vec!["a".into(), "b".into()]), false);
        let scope = self.scope();
        self.scopes[scope].shape.insert_list(&list, element);
        let condition = *self.random.pick(&[
            "it.go == true",
            "it.go == true and it.n > 3",
            "it.word == \"a\" or it.word is missing",
            "(it.n |> int) is invalid",
            "not (it.word == \"b\")",
        ]);
        (format!("{}.{list}[*]", self.scopes[scope].variable), condition.to_owned())
    }

    /// A member of the element that a condition finds.
    pub(super) fn found(&mut self, kind: &Kind) -> String {
        let name = self.fresh("list_");
        let scope = self.scope();
        let mut element = Shape::default();
        element.insert_value("name", Kind::Words(vec!["x".into(), "y".into()]), false);
        element.insert_value("value", kind.clone(), false);
        self.scopes[scope].shape.insert_list(&name, element);
        let found = format!("find({}.{name}[*], it.name == \"x\")", self.scopes[scope].variable);
        if self.percent(50) {
            return format!("{found}.value");
        }
        let record = self.fresh("found_");
        self.push_let(scope, format!("let {record} = {found}"));
        format!("{record}.value")
    }

    /// A list of texts, or of other values that are read so.
    pub(super) fn list(&mut self, kind: &Kind) -> String {
        self.list_in(kind, 0)
    }

    fn list_in(&mut self, kind: &Kind, depth: usize) -> String {
        let deeper = depth + 1;
        match self.random.below(12) {
            0 if depth < DEPTH_MAX => {
                let (condition, then) = (self.condition(), self.list_in(kind, deeper));
                format!("if {condition} then {then} else {}", self.list_in(kind, deeper))
            }
            1 if depth < DEPTH_MAX => {
                format!("({}) ?? ({})", self.list_in(kind, deeper), self.list_in(kind, deeper))
            }
            2 => {
                let subject = self.path(&Kind::Words(vec!["a".into(), "b".into()]), false);
                let (first, second) = (self.list_literal(kind), self.list_literal(kind));
                format!("match {subject} {{ \"a*\" => {first}  else => {second} }}")
            }
            3..=6 if self.format != Format::Csv => self.taken(kind),
            7 if self.format != Format::Csv => {
                let (scope, taken) = (self.scope(), self.fresh("taken_"));
                let inner = self.scopes.split_off(scope + 1);
                let list = self.taken(kind);
                self.scopes.extend(inner);
                self.push_let(scope, format!("let {taken} = {list}"));
                taken
            }
            _ => self.list_literal(kind),
        }
    }

    fn taken(&mut self, kind: &Kind) -> String {
        let list = self.list_path(kind);
        let take = *self.random.pick(&["take(3)", "distinct(4)", "take(1)"]);
        format!("{list} |> {take}")
    }

    fn list_literal(&mut self, kind: &Kind) -> String {
        let count = 1 + self.random.below(3);
        let is_text =
            !matches!(kind, Kind::Int(..) | Kind::Decimal | Kind::Bool | Kind::Time | Kind::Ip);
        let values: Vec<String> = (0..count)
            .map(|_| match self.random.below(20) {
                0 => "missing".to_owned(),
                _ if is_text => self.text(kind, 1),
                _ => self.path(kind, false),
            })
            .collect();
        format!("[{}]", values.join(", "))
    }
}
