//! Runs the examples of all functions: literals, piped through functions, by their own signatures.

use std::collections::HashSet;

use bumpalo::Bump;
use regex::Regex;
use sha2::{Digest, Sha256};

use super::*;
use crate::convert::{convert, text_of};
use crate::decimal::Decimal;
use crate::plan::Projection;
use crate::project::json;

/// A small reader of examples: `"text" |> part(".", last)`, `stable_id(1, missing)`.
struct Reader<'e> {
    rest: &'e str,
}

/// What stands between parentheses.
enum Literal<'a> {
    Value(Value<'a>),
    Last,
    Word(String),
    Texts(Vec<String>),
}

impl Literal<'_> {
    /// A text where a word may stand is one.
    fn into_word(self, kind: ParamKind) -> Self {
        match (kind, self) {
            (ParamKind::ConstantWord, Self::Value(Value::Text(text))) => {
                Self::Word(text.to_owned())
            }
            (_, other) => other,
        }
    }
}

impl Reader<'_> {
    /// Takes what matches from here on.
    fn take(&mut self, pattern: &str) -> Option<String> {
        let found = Regex::new(&format!("^\\s*({pattern})")).unwrap().captures(self.rest)?;
        self.rest = &self.rest[found[0].len()..];
        Some(found[1].to_owned())
    }

    fn literal<'a>(&mut self, arena: &'a Bump) -> Option<Literal<'a>> {
        if let Some(text) = self.take("r\"[^\"]*\"") {
            return Some(Literal::Value(Value::Text(arena.alloc_str(&text[2..text.len() - 1]))));
        }
        if let Some(text) = self.take(r#""(?:[^"\\]|\\.)*""#) {
            return Some(Literal::Value(Value::Text(arena.alloc_str(&unescape(&text)))));
        }
        if let Some(number) = self.take(r"-?[0-9]+(\.[0-9]+)?") {
            return Some(Literal::Value(match number.parse() {
                Ok(whole) => Value::Int(whole),
                Err(_) => Value::Decimal(Decimal::parse(&number).unwrap()),
            }));
        }
        if self.take("missing\\b").is_some() {
            return Some(Literal::Value(Value::Missing));
        }
        if self.take("last\\b").is_some() {
            return Some(Literal::Last);
        }
        if let Some(list) = self.take(r#"\[("[^"]*"(, )?)*\]"#) {
            let texts = list[1..list.len() - 1].split(", ");
            return Some(Literal::Texts(texts.map(unescape).collect()));
        }
        self.take("[a-z]+").map(Literal::Word)
    }

    /// A name and its literals; without parentheses there are none.
    fn call<'a>(&mut self, arena: &'a Bump) -> (String, Vec<Literal<'a>>) {
        let name = self.take("[a-z0-9_]+").expect("a function");
        let mut literals = Vec::new();
        if self.take(r"\(").is_some() {
            while self.take(r"\)").is_none() {
                literals.push(self.literal(arena).expect("a literal"));
                self.take(",");
            }
        }
        (name, literals)
    }
}

fn unescape(quoted: &str) -> String {
    let text = &quoted[1..quoted.len() - 1];
    text.replace("\\\"", "\"").replace("\\t", "\t").replace("\\u{a0}", "\u{a0}")
}

/// Converts as the checker does, and calls.
fn apply<'a>(builtin: &Builtin, literals: Vec<Literal<'a>>, arena: &'a Bump) -> Value<'a> {
    let (mut args, mut constants) = (Vec::new(), Vec::new());
    for (at, literal) in literals.into_iter().enumerate() {
        let param = builtin.params.get(at).or(builtin.params.last()).unwrap();
        let literal = literal.into_word(param.kind);
        match (param.kind, literal) {
            (ParamKind::Value(ty), Literal::Value(value)) => {
                args.push(convert(value, ty, NumberFormat::default(), arena));
            }
            (ParamKind::Number | ParamKind::Scalar, Literal::Value(value)) => args.push(value),
            (
                ParamKind::ConstantText | ParamKind::ConstantRegex,
                Literal::Value(Value::Text(text)),
            ) => {
                constants.push(Constant::Text(text.to_owned()));
            }
            (
                ParamKind::ConstantInt | ParamKind::ConstantIntOrLast,
                Literal::Value(Value::Int(number)),
            ) => {
                constants.push(Constant::Int(number));
            }
            (ParamKind::ConstantIntOrLast, Literal::Last) => constants.push(Constant::Last),
            (ParamKind::ConstantWord, Literal::Word(word)) => constants.push(Constant::Text(word)),
            (ParamKind::ConstantTexts, Literal::Texts(list)) => {
                constants.push(Constant::Texts(list))
            }
            _ => panic!("a literal of another kind"),
        }
    }
    if builtin.params.iter().any(|param| param.kind == ParamKind::Record) {
        args.push(hex(&Sha256::digest("{}"), arena));
    }
    if let Some(invalid) = args.iter().find(|arg| matches!(arg, Value::Invalid(_))) {
        return *invalid;
    }
    let call = (builtin.prepare)(&constants, &Environment::default()).expect("good arguments");
    call.call(&args, arena)
}

/// What a path behind a record leads to, by hand: the engine itself reads only what a plan wants.
fn field<'a>(
    builtin: &Builtin,
    constants: &[Constant],
    record: Value<'a>,
    path: &str,
    arena: &'a Bump,
) -> Value<'a> {
    let name = path.strip_prefix('.').unwrap_or(path);
    match (record, builtin.result) {
        (Value::Json(text), _) => {
            let mut projection = Projection::default();
            let slot = crate::testing::add_path(&mut projection, &crate::testing::steps(name));
            let mut slots = vec![None; usize::from(projection.slots)];
            let mut scratch = json::Scratch::default();
            json::project(text, &projection, false, &mut slots, &mut scratch).unwrap();
            match slots[usize::from(slot)] {
                None | Some("null") => Value::Missing,
                Some(text) => Value::Json(text),
            }
        }
        (Value::List(values), ResultType::Record(Fields::Pairs)) => {
            let pair = values.chunks(2).find(|pair| pair[0] == Value::Text(name));
            pair.map_or(Value::Missing, |pair| pair[1])
        }
        (Value::List(values), ResultType::Record(Fields::Named(fields))) => {
            let fields = fields(constants);
            let at = fields.iter().position(|field| field.name == name).expect("a field");
            match fields[at].ty {
                Some(ty) => convert(values[at], ty, NumberFormat::default(), arena),
                None => values[at],
            }
        }
        (other, _) => other,
    }
}

/// `"text" |> name(args)).path`: of one function.
fn record_field<'a>(reader: &mut Reader<'_>, arena: &'a Bump) -> Value<'a> {
    let Some(Literal::Value(subject)) = reader.literal(arena) else { panic!("a literal") };
    reader.take(r"\|>").expect("a function");
    let (name, literals) = reader.call(arena);
    let builtin = find(&name).expect("a function");
    let constants: Vec<_> = literals
        .iter()
        .filter_map(|literal| match literal {
            Literal::Value(Value::Text(text)) => Some(Constant::Text((*text).to_owned())),
            _ => None,
        })
        .collect();
    let literals = std::iter::once(Literal::Value(subject)).chain(literals).collect();
    let record = apply(builtin, literals, arena);
    reader.take(r"\)").expect("the end of the record");
    let path = std::mem::take(&mut reader.rest);
    field(builtin, &constants, record, path, arena)
}

fn evaluate<'a>(expr: &str, arena: &'a Bump) -> Value<'a> {
    let mut reader = Reader { rest: expr };
    if reader.take(r"\(").is_some() {
        return record_field(&mut reader, arena);
    }
    let mut value = match reader.literal(arena) {
        Some(Literal::Value(value)) => value,
        _ => {
            reader.rest = expr;
            let (name, literals) = reader.call(arena);
            apply(find(&name).expect("a function"), literals, arena)
        }
    };
    while reader.take(r"\|>").is_some() {
        let (name, mut literals) = reader.call(arena);
        literals.insert(0, Literal::Value(value));
        value = apply(find(&name).expect("a function"), literals, arena);
    }
    assert_eq!(reader.rest, "", "{expr}");
    value
}

#[test]
fn examples_hold() {
    for builtin in ALL {
        assert!(!builtin.examples.is_empty(), "{} has no example", builtin.name);
        for example in builtin.examples {
            assert!(example.expr.contains(builtin.name), "{}", example.expr);
            let arena = Bump::new();
            let gives = match text_of(evaluate(example.expr, &arena), &arena) {
                Value::Missing => "missing".to_owned(),
                Value::Text(text) => format!("text {text}"),
                _ => "invalid".to_owned(),
            };
            let expected = match example.gives {
                Gives::Missing => "missing".to_owned(),
                Gives::Invalid => "invalid".to_owned(),
                Gives::Text(text) => format!("text {text}"),
            };
            assert_eq!(gives, expected, "{}", example.expr);
        }
    }
}

#[test]
fn results_are_of_the_declared_type() {
    for builtin in ALL {
        let ResultType::Fixed(ty) = builtin.result else { continue };
        for example in builtin.examples {
            let arena = Bump::new();
            let value = evaluate(example.expr, &arena);
            let fits = match value {
                Value::Missing | Value::Invalid(_) => true,
                Value::Text(_) => ty == Type::Text,
                Value::Int(_) => ty == Type::Int,
                Value::Decimal(_) => ty == Type::Decimal,
                Value::Float(_) => ty == Type::Float,
                Value::Bool(_) => ty == Type::Bool,
                Value::Timestamp(_) => ty == Type::Timestamp,
                Value::Ip(_) => ty == Type::Ip,
                Value::Cidr(_) => ty == Type::Cidr,
                Value::Duration(_) => ty == Type::Duration,
                Value::Json(_) | Value::List(_) => false,
            };
            assert!(fits, "{} gives {value:?}", example.expr);
        }
    }
}

#[test]
fn signatures_are_sound() {
    let mut names = HashSet::new();
    for builtin in ALL {
        assert!(names.insert(builtin.name), "{} stands twice", builtin.name);
        assert!(builtin.doc.ends_with('.'), "{}", builtin.name);
        let optional = builtin.params.iter().position(|param| param.optional);
        if let Some(first) = optional {
            assert!(builtin.params[first..].iter().all(|param| param.optional), "{}", builtin.name);
        }
        for (at, param) in builtin.params.iter().enumerate() {
            assert!(!param.repeated || at + 1 == builtin.params.len(), "{}", builtin.name);
        }
    }
    assert_eq!(find("lower").map(|builtin| builtin.name), Some("lower"));
    assert!(find("now").is_none());
}

#[test]
fn numbers_are_read_as_the_input_writes_them() {
    let arena = Bump::new();
    let environment = Environment {
        numbers: NumberFormat { decimal: b',', grouping: Some(b'.') },
        ..Environment::default()
    };
    let run = |name: &str, text| {
        let call = (find(name).unwrap().prepare)(&[], &environment).unwrap();
        text_of(call.call(&[Value::Text(text)], &arena), &arena)
    };
    assert_eq!(run("int", "1.200"), Value::Text("1200"));
    assert_eq!(run("decimal", "1.234,56"), Value::Text("1234.56"));
    assert_eq!(run("unix_seconds", "1.722.461.446,5"), Value::Text("2024-07-31T21:30:46.5Z"));
    assert!(matches!(run("int", "1.2"), Value::Invalid(_)));
}

#[test]
fn bad_literals() {
    let int = Constant::Int;
    let text = |text: &str| Constant::Text(text.to_owned());
    for (name, constants, index) in [
        ("part", vec![text(""), int(0)], 0),
        ("part", vec![text("."), int(-1)], 1),
        ("truncate", vec![int(0)], 0),
        ("round", vec![int(-1)], 0),
        ("mask", vec![int(i64::MAX)], 0),
        ("replace", vec![text(""), text("x")], 0),
        ("strip_prefix", vec![text("")], 0),
        ("bool", vec![text("yes")], 0),
        ("bool", vec![text("x"), text("x")], 1),
        ("uuid5", vec![text("nothing")], 0),
        ("duration", vec![text("weeks")], 0),
        ("truncate_time", vec![text("week")], 0),
        ("in_cidr", vec![Constant::Texts(vec!["10.0.0.0/8".into(), "intranet".into()])], 0),
        ("mask_ip", vec![int(33)], 0),
        ("mask_ip", vec![int(24), int(129)], 1),
        ("scrub", vec![text("email"), text("names")], 1),
        ("hmac", vec![text("")], 0),
    ] {
        let error = (find(name).unwrap().prepare)(&constants, &Environment::default()).unwrap_err();
        assert_eq!((error.code, error.index), (CODE_BAD_LITERAL, index), "{name}");
        assert!(error.help.is_some());
    }
    let error = (find("format_time").unwrap().prepare)(&[text("%Q")], &Environment::default());
    assert_eq!(error.unwrap_err().code, CODE_UNKNOWN_ZONE_OR_DIRECTIVE);
}

#[test]
fn replacing_is_bounded() {
    let arena = Bump::new();
    let constants = [Constant::Text("a".into()), Constant::Text("x".repeat(1 << 20))];
    let call = (find("replace").unwrap().prepare)(&constants, &Environment::default()).unwrap();
    let text = "a".repeat(100);
    let outcome = call.call(&[Value::Text(&text)], &arena);
    assert!(matches!(outcome, Value::Invalid(fault) if fault.text.is_none()), "{outcome:?}");
}

#[test]
fn a_function_shows_its_constants() {
    let constants = [Constant::Text(".".into()), Constant::Last];
    let call = (find("part").unwrap().prepare)(&constants, &Environment::default()).unwrap();
    assert_eq!(format!("{call:?}"), r#"part((".", None))"#);
}
