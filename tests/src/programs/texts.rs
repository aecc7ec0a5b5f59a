//! Records in texts: a text that holds several values, and the function that takes it apart again.
//!
//! A field is read where the text is taken apart, or through a `let` that several lines share, at the top or in a loop.

use super::expr::Kind;
use super::record::{Shape, Temper, Value, hostile};
use super::{Code, Writer};
use crate::generate::Random;

/// A text that holds values.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Composed {
    form: Form,
    fields: Vec<Field>,
}

/// How the values stand in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `{"a":1,"in":{"b":2},"c":[3]}`
    Json,
    /// `a=1&b=2`
    Pairs,
    /// `a=1|b=2`, for a regular expression.
    Extract,
    /// `1|2`, for a pattern whose captures may have types.
    Grok,
}

/// A value in the text.
#[derive(Debug, Clone, PartialEq)]
struct Field {
    name: String,
    kind: Kind,
    place: Place,
    /// What grok looks for.
    pattern: &'static str,
}

/// Where the value of JSON stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Member,
    /// In the object `in`.
    Deeper,
    /// In a list of its own.
    List,
}

/// A field that lines may read.
#[derive(Debug, Clone)]
pub(super) struct Known {
    path: String,
    kind: Kind,
    vital: bool,
}

impl Composed {
    /// The text, with values that are right for the most part.
    pub(super) fn right(&self, random: &mut Random) -> String {
        match self.form {
            Form::Json => self.json(random),
            Form::Pairs => {
                let pairs = self.fields.iter().map(|it| format!("{}={}", it.name, it.text(random)));
                pairs.collect::<Vec<_>>().join("&")
            }
            Form::Extract => {
                let pairs = self.fields.iter().map(|it| format!("{}={}", it.name, it.text(random)));
                pairs.collect::<Vec<_>>().join("|")
            }
            Form::Grok => {
                let texts = self.fields.iter().map(|it| {
                    let text = it.text(random);
                    // Whole numbers are written plainly here, or nothing of the text would match.
                    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
                });
                texts.collect::<Vec<_>>().join("|")
            }
        }
    }

    fn json(&self, random: &mut Random) -> String {
        let (mut members, mut deeper) = (Vec::new(), Vec::new());
        for field in &self.fields {
            let value = match random.below(40) {
                0 => continue,
                1 => hostile(random),
                _ => field.kind.right(random).json(random),
            };
            match field.place {
                Place::Member => members.push(format!("\"{}\":{value}", field.name)),
                Place::Deeper => deeper.push(format!("\"{}\":{value}", field.name)),
                Place::List => members.push(format!("\"{}\":[{value}]", field.name)),
            }
        }
        members.push(format!("\"in\":{{{}}}", deeper.join(",")));
        format!("{{{}}}", members.join(", "))
    }

    /// The function that takes it apart.
    fn call(&self) -> String {
        let names = self.fields.iter().map(|field| field.name.as_str());
        match self.form {
            Form::Json => "json".to_owned(),
            Form::Pairs => "kv(\"&\", \"=\")".to_owned(),
            Form::Extract => {
                let mut groups = names.map(|name| format!("{name}=(?<{name}>[^|]*)"));
                let first = groups.next().unwrap_or_default();
                let others: String = groups.map(|group| format!("(?:\\|{group})?")).collect();
                format!("extract(r\"^{first}{others}\")")
            }
            Form::Grok => {
                let captures: Vec<String> = self
                    .fields
                    .iter()
                    .map(|it| format!("%{{{}:{}}}", it.pattern, it.name))
                    .collect();
                format!("grok(r\"^{}$\")", captures.join("\\|"))
            }
        }
    }

    /// The ways from the record to its values.
    fn ways(&self) -> impl Iterator<Item = (String, &Kind)> {
        self.fields.iter().map(|field| {
            let name = &field.name;
            let way = match field.place {
                Place::Member => name.clone(),
                Place::Deeper => format!("in.{name}"),
                Place::List => format!("{name}[last]"),
            };
            (way, &field.kind)
        })
    }
}

impl Field {
    fn text(&self, random: &mut Random) -> String {
        self.kind.right(random).text()
    }
}

/// What grok may look for where such a value should stand.
fn pattern(kind: &Kind, random: &mut Random) -> &'static str {
    let loose = *random.pick(&["DATA", "NOTSPACE", "GREEDYDATA"]);
    let exact = match kind {
        Kind::Int(..) => "INT",
        Kind::Decimal => "NUMBER",
        Kind::Bool => "BOOL",
        Kind::Ip => "IP",
        Kind::Time => "TIMESTAMP_ISO8601",
        Kind::Of("email_t") => "EMAILADDRESS",
        Kind::Of("mac_t") => "MAC",
        Kind::Of("uuid_t") => "UUID",
        Kind::Of("hostname_t") => "HOSTNAME",
        Kind::Text | Kind::Words(_) if loose == "NOTSPACE" => "DATA",
        _ => return loose,
    };
    if random.below(4) == 0 { loose } else { exact }
}

impl Writer {
    /// A value that should be of a kind, in a text; none if such a value stands in no text.
    pub(super) fn field(&mut self, kind: &Kind, vital: bool) -> Option<String> {
        let known: Vec<String> = self
            .scopes
            .iter()
            .flat_map(|scope| &scope.fields)
            .filter(|it| it.kind == *kind && (it.vital || !vital))
            .map(|it| it.path.clone())
            .collect();
        if !known.is_empty() && self.percent(60) {
            return Some(self.random.pick(&known).clone());
        }
        let composed = self.composed(kind)?;
        let (way, _) = composed.ways().next()?;
        let call = composed.call();
        let scope = self.scope();
        let text = self.plain_path(scope, &Kind::Composed(Box::new(composed.clone())), vital);
        if self.percent(40) {
            return Some(format!("({text} |> {call}).{way}"));
        }
        let name = self.fresh("record_");
        self.push_let(scope, format!("let {name} = {text} |> {call}"));
        let fields = composed.ways().map(|(way, kind)| Known {
            path: format!("{name}.{way}"),
            kind: kind.clone(),
            vital,
        });
        self.scopes[scope].fields.extend(fields);
        Some(format!("{name}.{way}"))
    }

    /// A text with such a value in it, and others behind it.
    fn composed(&mut self, kind: &Kind) -> Option<Composed> {
        let form = match (kind, self.random.below(4)) {
            (Kind::Id | Kind::Embedded(_) | Kind::Written(_) | Kind::Composed(_), _)
            | (Kind::Document(_), _) => return None,
            (Kind::Json, _) | (_, 0) => Form::Json,
            (_, 1) => Form::Pairs,
            (_, 2) => Form::Extract,
            _ => Form::Grok,
        };
        let others = [
            Kind::Text,
            Kind::Int(0, 100),
            Kind::Decimal,
            Kind::Ip,
            Kind::Bool,
            Kind::Words(vec!["a".into(), "b".into(), "ab".into()]),
        ];
        let mut kinds = vec![kind.clone()];
        for _ in 0..self.random.below(3) {
            kinds.push(self.random.pick(&others).clone());
        }
        let fields = kinds.into_iter().map(|kind| {
            let place = match self.random.below(4) {
                _ if form != Form::Json => Place::Member,
                0 => Place::Deeper,
                1 => Place::List,
                _ => Place::Member,
            };
            let pattern = pattern(&kind, &mut self.random);
            Field { name: self.fresh("c"), kind, place, pattern }
        });
        let fields = fields.collect();
        Some(Composed { form, fields })
    }

    /// The record that a text of JSON holds, under a name: what stands in it is `insert`ed into the shape.
    pub(super) fn document(&mut self, scope: usize, insert: impl FnOnce(&mut Shape)) -> String {
        let (record, text) = (self.fresh("record_"), self.fresh("text_"));
        let variable = self.scopes[scope].variable.clone();
        self.push_let(scope, format!("let {record} = {variable}.{text} |> json"));
        let mut shape = Shape::default();
        insert(&mut shape);
        self.scopes[scope].shape.insert_value(&text, Kind::Document(shape), false);
        record
    }

    /// A `let` in front of the lines of a scope.
    pub(super) fn push_let(&mut self, scope: usize, line: String) {
        match scope {
            0 => self.top.push(Code::line(line)),
            _ => self.scopes[scope].lets.push(Code::line(line)),
        }
    }
}

/// The text of a document.
pub(super) fn document_text(shape: &Shape, random: &mut Random) -> Value {
    let temper = if random.below(4) == 0 { Temper::Mixed } else { Temper::Calm };
    Value::Text(shape.object_text(random, temper))
}
