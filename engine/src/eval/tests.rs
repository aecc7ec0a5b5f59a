//! Expressions over one record, each shown by the text that the event then holds.

use bumpalo::Bump;
use regex::Regex;

use super::Layout;
use crate::builtins::Call;
use crate::decimal::Decimal;
use crate::input::{Csv, Format};
use crate::plan::{
    Arithmetic, CallMissing, Callee, Check, Comparison, Constant, Expr, ExprId, Field, Match, Meta,
    Outcome, OutputNode, Pattern, Patterns, Policy, Slot, Stmt, Table,
};
use crate::testing::{Builder, optional};
use crate::types::Type;
use crate::value::Value;

/// The outcome of an expression over a JSON record: JSON text, `missing`, or `invalid` and the message.
#[track_caller]
fn outcome(record: &str, make: impl FnOnce(&mut Builder) -> ExprId) -> String {
    let mut builder = Builder::ndjson();
    let expr = make(&mut builder);
    outcome_of(builder, record, expr)
}

#[track_caller]
fn outcome_of(mut builder: Builder, record: &str, expr: ExprId) -> String {
    let id = builder.text("id");
    let field = Field { invalid: Policy::Reject, ..optional("v", expr, Check::Json) };
    let value = builder.member("v", OutputNode::Value(field));
    let emit = builder.emit_with_id(id, vec![value]);
    builder.plan.body.push(Stmt::Emit(emit));
    let ran = match &builder.plan.input.format {
        Format::Csv(_) => builder.run_bytes(&[record.as_bytes()], Some(&["a", "b", "c"]), vec![]),
        _ => builder.run(&[record]),
    };
    if let Some(reject) = ran.batch.rejects.first() {
        assert_eq!(reject.code.as_str(), "R1204", "{reject:?}");
        return format!("invalid {}", reject.message);
    }
    let ocsf = ran.only();
    ocsf.strip_prefix("{\"v\":")
        .and_then(|rest| rest.strip_suffix('}'))
        .unwrap_or("missing")
        .to_owned()
}

fn read(record: &str, ty: Type) -> String {
    outcome(record, |b| b.read("a", ty))
}

#[test]
fn scalars_are_read_by_their_text() {
    assert_eq!(read(r#"{"a":"x\u00e9\n"}"#, Type::Text), "\"x\u{e9}\\n\"");
    assert_eq!(read(r#"{"a":20.10}"#, Type::Text), "\"20.10\"");
    assert_eq!(read(r#"{"a":true}"#, Type::Text), "\"true\"");
    assert_eq!(read(r#"{"a":1e3}"#, Type::Int), "1000");
    assert_eq!(read(r#"{"a":"7"}"#, Type::Int), "7");
    assert_eq!(read(r#"{"a":"2.50"}"#, Type::Decimal), "2.5");
    assert_eq!(read(r#"{"a":2.5e-1}"#, Type::Float), "0.25");
    assert_eq!(read(r#"{"a":false}"#, Type::Bool), "false");
    assert_eq!(
        read(r#"{"a":"2026-11-21T21:00:00+01:00"}"#, Type::Timestamp),
        "\"2026-11-21T20:00:00Z\""
    );
    assert_eq!(read(r#"{"a":"2001:DB8::1"}"#, Type::Ip), "\"2001:db8::1\"");
}

#[test]
fn json_is_copied_on_one_line() {
    assert_eq!(read("{\"a\": {\"b\" :\n[1,\r\n 2]} }", Type::Json), "{\"b\" : [1,   2]}");
    assert_eq!(read(r#"{"a":"\u0041"}"#, Type::Json), r#""\u0041""#);
    assert_eq!(read(r#"{"a":[1 2]}"#, Type::Json), "invalid \"[1 2]\" is not JSON");
}

#[test]
fn missing_is_absent_null_or_empty() {
    for record in ["{}", r#"{"a":null}"#, r#"{"a":""}"#, r#"{"a" "b"}"#, r#"{"a":null,"a":1}"#] {
        assert_eq!(read(record, Type::Text), "missing", "{record}");
    }
    let mut builder = Builder::ndjson();
    builder.plan.input.empty_is_missing = false;
    let empty = builder.read("a", Type::Text);
    assert_eq!(outcome_of(builder, r#"{"a":""}"#, empty), "\"\"");
}

#[test]
fn what_cannot_be_read_is_invalid() {
    for (record, ty, message) in [
        (r#"{"a":{"b":1}}"#, Type::Text, r#""{"b":1}" is not text"#),
        (r#"{"a":[]}"#, Type::Int, r#""[]" is not a whole number"#),
        (r#"{"a":"x"}"#, Type::Int, r#""x" is not a whole number"#),
        (r#"{"a":01}"#, Type::Int, r#""01" is not a whole number"#),
        (r#"{"a":nul}"#, Type::Text, r#""nul" is not text"#),
        (r#"{"a":"\ud800"}"#, Type::Text, r#"""\ud800"" is not text"#),
        (r#"{"a":1 2}"#, Type::Text, r#""1 2" is not text"#),
        (r#"{"a":}"#, Type::Text, "a blank value is not text"),
        (r#"{"a":1}"#, Type::Timestamp, r#""1" is not a timestamp"#),
        (r#"{"a":1}"#, Type::Bool, r#""1" is not true or false"#),
    ] {
        assert_eq!(read(record, ty), format!("invalid {message}"), "{record}");
    }
}

#[test]
fn read_string_looks_at_strings_only() {
    let read = |record| {
        outcome(record, |b| {
            let slot = b.slot(0, "a");
            b.expr(Expr::ReadString(slot))
        })
    };
    assert_eq!(read(r#"{"a":"1"}"#), "\"1\"");
    assert_eq!(read(r#"{"a":1}"#), "missing");
    assert_eq!(read(r#"{"a":{}}"#), "missing");
    assert_eq!(read(r#"{"a":"\x"}"#), r#"invalid ""\x"" is not text"#);
}

#[test]
fn a_choice_takes_the_first_that_is_there() {
    let choose = |record| {
        outcome(record, |b| {
            let ways = ["a", "b"].map(|name| (b.slot(0, name), b.slot(0, &format!("{name}.x"))));
            b.plan.choices.push(ways.to_vec());
            b.expr(Expr::Read(Slot::Choice(0), Type::Int))
        })
    };
    assert_eq!(choose(r#"{"b":{"x":2},"a":{"x":1}}"#), "1");
    assert_eq!(choose(r#"{"b":{"x":2},"a":null}"#), "2");
    // What follows is not tried on the others.
    assert_eq!(choose(r#"{"b":{"x":2},"a":{}}"#), "missing");
    assert_eq!(choose("{}"), "missing");
}

#[test]
fn cells_are_texts() {
    let read = |row: &str, name: &str, ty| {
        let csv = Csv { trim: true, ..Csv::default() };
        let mut builder = Builder::new(Format::Csv(csv));
        let cell = builder.read(name, ty);
        outcome_of(builder, row, cell)
    };
    assert_eq!(read("1,\" x\"\"y,z \",", "b", Type::Text), r#""x\"y,z""#);
    assert_eq!(read("1,null,", "b", Type::Text), "\"null\"");
    assert_eq!(read("1,x,", "c", Type::Text), "missing");
    assert_eq!(read("1", "c", Type::Text), "missing");
    assert_eq!(read("1", "a", Type::Int), "1");
    assert_eq!(read("[1],2", "a", Type::Json), "\"[1]\"");
}

#[test]
fn facts_about_the_object() {
    let meta = |meta| outcome(" {}", |b| b.expr(Expr::Meta(meta)));
    assert_eq!(meta(Meta::Key), r#""k/e\"y""#);
    assert_eq!(meta(Meta::Bucket), "missing");
    assert_eq!(meta(Meta::Source), "\"src\"");
    assert_eq!(meta(Meta::Line), "1");
    assert_eq!(meta(Meta::Offset), "1000");
    assert_eq!(meta(Meta::ReceivedAt), "\"1970-01-01T00:00:01.5Z\"");
}

#[test]
fn wrapper_members_are_read_like_others() {
    let mut builder = Builder::new(Format::Json(crate::input::Records::default()));
    let org = builder.expr(Expr::Read(Slot::Wrapper(1), Type::Text));
    let none = builder.expr(Expr::Read(Slot::Wrapper(0), Type::Text));
    let org = builder.value("org", org, Check::Text);
    let none = builder.value("none", none, Check::Text);
    builder.emit_statement(vec![org, none]);
    let wrapper = vec![None, Some(" \"o\\u0031\" ".into())];
    let ran = builder.run_bytes(&[br#"{"id":"1"}"#], None, wrapper);
    assert_eq!(ran.only(), r#"{"org":"o1"}"#);
}

#[test]
fn logic_is_short_circuit_and_missing_is_false() {
    let logic = |record, and: bool| {
        outcome(record, |b| {
            let (left, right) = (b.read("a", Type::Bool), b.read("b", Type::Bool));
            b.expr(if and { Expr::And(left, right) } else { Expr::Or(left, right) })
        })
    };
    assert_eq!(logic(r#"{"a":true,"b":true}"#, true), "true");
    assert_eq!(logic(r#"{"a":true}"#, true), "false");
    assert_eq!(logic(r#"{"b":true}"#, true), "false");
    assert_eq!(logic(r#"{"a":false,"b":"x"}"#, true), "false");
    assert!(logic(r#"{"a":true,"b":"x"}"#, true).starts_with("invalid"));
    assert!(logic(r#"{"a":"x","b":false}"#, true).starts_with("invalid"));
    assert_eq!(logic(r#"{"a":true,"b":"x"}"#, false), "true");
    assert_eq!(logic(r#"{"b":true}"#, false), "true");
    assert_eq!(logic("{}", false), "false");
    let not = |record| {
        outcome(record, |b| {
            let a = b.read("a", Type::Bool);
            b.expr(Expr::Not(a))
        })
    };
    assert_eq!(not("{}"), "true");
    assert_eq!(not(r#"{"a":true}"#), "false");
}

#[test]
fn comparisons() {
    let compare = |record, ty, how| {
        outcome(record, |b| {
            let (left, right) = (b.read("a", ty), b.read("b", ty));
            b.expr(Expr::Compare(how, left, right))
        })
    };
    assert_eq!(compare(r#"{"a":"x","b":"x"}"#, Type::Text, Comparison::Equal), "true");
    assert_eq!(compare(r#"{"a":"x"}"#, Type::Text, Comparison::Equal), "false");
    assert_eq!(compare(r#"{"a":"x"}"#, Type::Text, Comparison::NotEqual), "true");
    assert_eq!(compare(r#"{"a":1.0,"b":1}"#, Type::Decimal, Comparison::Equal), "true");
    assert_eq!(compare(r#"{"a":9,"b":10}"#, Type::Int, Comparison::Less), "true");
    assert_eq!(compare(r#"{"a":9,"b":10}"#, Type::Text, Comparison::Less), "false");
    assert_eq!(compare(r#"{"a":9}"#, Type::Int, Comparison::GreaterEqual), "false");
    assert_eq!(compare(r#"{"a":"abc","b":"b"}"#, Type::Text, Comparison::Contains), "true");
    assert_eq!(compare(r#"{"a":"abc","b":"bc"}"#, Type::Text, Comparison::EndsWith), "true");
    assert_eq!(compare(r#"{"a":"abc","b":"bc"}"#, Type::Text, Comparison::StartsWith), "false");
    let both = compare(r#"{"a":"x","b":"y"}"#, Type::Int, Comparison::NotEqual);
    assert_eq!(both, "invalid \"x\" is not a whole number");
    let mixed = outcome(r#"{"a":2,"b":2.5}"#, |b| {
        let (left, right) = (b.read("a", Type::Int), b.read("b", Type::Decimal));
        b.expr(Expr::Compare(Comparison::Less, left, right))
    });
    assert_eq!(mixed, "true");
}

#[test]
fn membership_and_patterns() {
    let member = |record| {
        outcome(record, |b| {
            let a = b.read("a", Type::Text);
            b.expr(Expr::In(a, vec![Constant::Text("x".into()), Constant::Text("y".into())]))
        })
    };
    assert_eq!(member(r#"{"a":"y"}"#), "true");
    assert_eq!(member(r#"{"a":"z"}"#), "false");
    assert_eq!(member("{}"), "false");
    let matches = |record| {
        outcome(record, |b| {
            let a = b.read("a", Type::Text);
            b.expr(Expr::Matches(a, Regex::new("^[a-c]+$").unwrap()))
        })
    };
    assert_eq!(matches(r#"{"a":"abc"}"#), "true");
    assert_eq!(matches(r#"{"a":"abd"}"#), "false");
    assert_eq!(matches("{}"), "false");
    assert!(matches(r#"{"a":[]}"#).starts_with("invalid"));
}

#[test]
fn coalesce_and_outcomes() {
    let coalesce = |record| {
        outcome(record, |b| {
            let (left, right) = (b.read("a", Type::Int), b.read("b", Type::Int));
            b.expr(Expr::Coalesce(left, right))
        })
    };
    assert_eq!(coalesce(r#"{"a":1,"b":2}"#), "1");
    assert_eq!(coalesce(r#"{"b":2}"#), "2");
    assert!(coalesce(r#"{"a":"x","b":2}"#).starts_with("invalid"));
    let is = |record, outcome_, negated| {
        outcome(record, |b| {
            let a = b.read("a", Type::Int);
            b.expr(Expr::Is(outcome_, negated, a))
        })
    };
    assert_eq!(is("{}", Outcome::Missing, false), "true");
    assert_eq!(is("{}", Outcome::Present, true), "true");
    assert_eq!(is(r#"{"a":"x"}"#, Outcome::Present, false), "true");
    assert_eq!(is(r#"{"a":"x"}"#, Outcome::Missing, true), "true");
    assert_eq!(is(r#"{"a":"x"}"#, Outcome::Invalid, false), "true");
    assert_eq!(is(r#"{"a":1}"#, Outcome::Invalid, false), "false");
}

#[test]
fn arithmetic_never_wraps() {
    let compute = |record, ty, how| {
        outcome(record, |b| {
            let (left, right) = (b.read("a", ty), b.read("b", ty));
            b.expr(Expr::Arithmetic(how, left, right))
        })
    };
    let max = r#"{"a":9223372036854775807,"b":2}"#;
    assert_eq!(compute(r#"{"a":1,"b":4}"#, Type::Int, Arithmetic::Subtract), "-3");
    assert_eq!(compute(r#"{"a":1,"b":4}"#, Type::Int, Arithmetic::Divide), "0.25");
    assert_eq!(compute(r#"{"a":1.5,"b":4}"#, Type::Decimal, Arithmetic::Multiply), "6");
    assert_eq!(compute(r#"{"a":1.5,"b":4}"#, Type::Float, Arithmetic::Add), "5.5");
    assert_eq!(compute(r#"{"a":1}"#, Type::Int, Arithmetic::Add), "missing");
    assert_eq!(compute(max, Type::Int, Arithmetic::Multiply), "invalid the result is too large");
    assert_eq!(compute(max, Type::Int, Arithmetic::Add), "invalid the result is too large");
    for ty in [Type::Int, Type::Decimal, Type::Float] {
        let by_zero = compute(r#"{"a":1,"b":0}"#, ty, Arithmetic::Divide);
        assert_eq!(by_zero, "invalid division by zero");
    }
    assert!(compute(r#"{"b":"x"}"#, Type::Int, Arithmetic::Add).contains("\"x\" is not"));
    let times = r#"{"a":"2026-01-01T00:00:02Z","b":"2026-01-01T00:00:00.5Z"}"#;
    assert_eq!(compute(times, Type::Timestamp, Arithmetic::Subtract), "1500");
    let later = outcome(times, |b| {
        let a = b.read("a", Type::Timestamp);
        let minute = b.expr(Expr::Constant(Constant::Duration(60_000_000_000)));
        b.expr(Expr::Arithmetic(Arithmetic::Add, a, minute))
    });
    assert_eq!(later, "\"2026-01-01T00:01:02Z\"");
    let minus = outcome(r#"{"a":-9223372036854775808}"#, |b| {
        let a = b.read("a", Type::Int);
        b.expr(Expr::Negate(a))
    });
    assert_eq!(minus, "invalid the result is too large");
}

#[test]
fn texts_are_joined() {
    let concat = |record| {
        outcome(record, |b| {
            let parts = vec![b.read("a", Type::Int), b.text("/"), b.read("b", Type::Decimal)];
            b.expr(Expr::Concat(parts))
        })
    };
    assert_eq!(concat(r#"{"a":1,"b":2.50}"#), "\"1/2.5\"");
    assert_eq!(concat(r#"{"a":1}"#), "missing");
    // An invalid part wins over a missing one, wherever it stands.
    assert_eq!(concat(r#"{"b":"x"}"#), "invalid \"x\" is not a number");
}

#[test]
fn if_and_match() {
    let choose = |record| {
        outcome(record, |b| {
            let condition = b.read("a", Type::Bool);
            let (then, otherwise) = (b.text("yes"), b.read("b", Type::Int));
            b.expr(Expr::If(condition, then, otherwise))
        })
    };
    assert_eq!(choose(r#"{"a":true,"b":"x"}"#), "\"yes\"");
    assert_eq!(choose(r#"{"b":1}"#), "1");
    assert!(choose(r#"{"a":1,"b":1}"#).starts_with("invalid"));
    let arm = |record| {
        outcome(record, |b| {
            let subject = b.read("a", Type::Text);
            let [exact, long, short, otherwise] = ["e", "l", "s", "o"].map(|text| b.text(text));
            b.expr(Expr::Match(Box::new(Match {
                subject,
                patterns: Patterns::new([
                    (Pattern::Exact("gpt-4"), 0),
                    (Pattern::Prefix("gpt"), 2),
                    (Pattern::Prefix("gpt-4"), 1),
                ]),
                arms: vec![exact, long, short],
                otherwise,
            })))
        })
    };
    assert_eq!(arm(r#"{"a":"gpt-4"}"#), "\"e\"");
    assert_eq!(arm(r#"{"a":"gpt-4o"}"#), "\"l\"");
    assert_eq!(arm(r#"{"a":"gpt-5"}"#), "\"s\"");
    assert_eq!(arm(r#"{"a":"x"}"#), "\"o\"");
    assert_eq!(arm("{}"), "\"o\"");
    assert!(arm(r#"{"a":{}}"#).starts_with("invalid"));
}

#[test]
fn tables() {
    let cell = |record, otherwise, column| {
        outcome(record, |b| {
            let row = |text: &str, price| {
                vec![Constant::Text(text.into()), Constant::Decimal(Decimal::from_i64(price))]
            };
            b.plan.tables.push(Table {
                name: "price".into(),
                keys: Patterns::new([
                    (Pattern::Exact("x"), 0),
                    (Pattern::Exact("7"), 0),
                    (Pattern::Prefix("x"), 1),
                ]),
                otherwise,
                rows: vec![row("exact", 3), row("prefix", 4), row("else", 5)],
            });
            let key = b.read("a", Type::Text);
            b.expr(Expr::Cell(0, key, column))
        })
    };
    assert_eq!(cell(r#"{"a":"x"}"#, Some(2), 0), "\"exact\"");
    assert_eq!(cell(r#"{"a":7}"#, Some(2), 1), "3");
    assert_eq!(cell(r#"{"a":"xy"}"#, Some(2), 1), "4");
    assert_eq!(cell(r#"{"a":"z"}"#, Some(2), 1), "5");
    assert_eq!(cell(r#"{"a":"z"}"#, None, 1), "missing");
    assert_eq!(cell("{}", Some(2), 1), "missing");
    assert!(cell(r#"{"a":[]}"#, Some(2), 1).starts_with("invalid"));
}

/// Gives how many arguments are missing, or an empty text if it has none at all.
#[derive(Debug)]
struct CountMissing;

impl Call for CountMissing {
    fn call<'a>(&self, args: &[Value<'a>], _: &'a Bump) -> Value<'a> {
        if args.is_empty() {
            return Value::Text("");
        }
        Value::Int(args.iter().filter(|arg| **arg == Value::Missing).count() as i64)
    }
}

#[test]
fn functions_see_what_they_ask_for() {
    let call = |record, missing, names: &[&str]| {
        outcome(record, |b| {
            let args = names.iter().map(|name| b.read(name, Type::Int)).collect();
            let code = std::sync::Arc::new(CountMissing);
            let callee = Callee { name: "count_missing", literals: Vec::new(), code };
            b.expr(Expr::Call(callee, args, missing))
        })
    };
    assert_eq!(call(r#"{"a":1}"#, CallMissing::Pass, &["a", "b"]), "1");
    assert_eq!(call(r#"{"a":1}"#, CallMissing::Propagate, &["a", "b"]), "missing");
    assert_eq!(call(r#"{"a":1,"b":2}"#, CallMissing::Propagate, &["a", "b"]), "0");
    let invalid = call(r#"{"b":"x","c":"y"}"#, CallMissing::Pass, &["a", "b", "c"]);
    assert_eq!(invalid, "invalid \"x\" is not a whole number");
    assert_eq!(call("{}", CallMissing::Pass, &[]), "missing");
}

#[test]
fn list_functions() {
    enum How {
        Count,
        Any,
        All,
    }
    let over = |record, how| {
        outcome(record, |b| {
            let array = b.slot(0, "a");
            let scope = b.scope(0);
            let condition = b.read_in(scope, "x", Type::Bool);
            b.expr(match how {
                How::Count => Expr::Count(array, scope, Some(condition)),
                How::Any => Expr::Any(array, scope, condition),
                How::All => Expr::All(array, scope, condition),
            })
        })
    };
    let some = r#"{"a":[{"x":true},{},{"x":true},{"x":false}]}"#;
    assert_eq!(over(some, How::Count), "2");
    assert_eq!(over(some, How::Any), "true");
    assert_eq!(over(some, How::All), "false");
    assert_eq!(over("{}", How::Count), "0");
    assert_eq!(over("{}", How::Any), "false");
    assert_eq!(over("{}", How::All), "true");
    assert_eq!(over(r#"{"a":[]}"#, How::All), "true");
    let late = r#"{"a":[{"x":true},{"x":7}]}"#;
    assert_eq!(over(late, How::Any), "true");
    assert_eq!(over(late, How::All), "invalid \"7\" is not true or false");
    assert_eq!(over(late, How::Count), "invalid \"7\" is not true or false");
    assert_eq!(over(r#"{"a":{"x":true}}"#, How::Any), r#"invalid "{"x":true}" is not a list"#);
    let all = outcome(r#"{"a":[1,{},null]}"#, |b| {
        let (array, scope) = (b.slot(0, "a"), b.scope(0));
        b.expr(Expr::Count(array, scope, None))
    });
    assert_eq!(all, "3");
}

#[test]
fn lists_leave_missing_elements_out() {
    let list = |record| {
        outcome(record, |b| {
            let items = ["a", "b", "c"].map(|name| b.read(name, Type::Text));
            b.expr(Expr::List(items.to_vec()))
        })
    };
    assert_eq!(list(r#"{"a":"x","c":"y"}"#), r#"["x","y"]"#);
    assert_eq!(list("{}"), "missing");
    assert!(list(r#"{"a":"x","b":[]}"#).starts_with("invalid"));
}

#[test]
fn registers_are_forgotten_with_their_scope() {
    let mut builder = Builder::ndjson();
    let (array, scope) = (builder.slot(0, "steps"), builder.scope(0));
    let name = builder.read_in(scope, "name", Type::Text);
    let name = builder.register(scope, name);
    let run = builder.read("id", Type::Text);
    let run = builder.register(0, run);
    let index = builder.expr(Expr::Index(scope));
    let id = builder.expr(Expr::Concat(vec![run, name, index]));
    let again = builder.value("name", name, Check::Text);
    let emit = builder.emit_with_id(id, vec![again]);
    let each = Stmt::Each { array, scope, max: 9, body: vec![Stmt::Emit(emit)], line: 5 };
    builder.plan.body.push(each);
    let ran = builder.run(&[
        r#"{"id":"r","steps":[{"name":"a"},{"name":"b"}]}"#,
        r#"{"id":"s","steps":[{"name":"c"}]}"#,
    ]);
    assert_eq!(ran.batch.rejects, []);
    assert_eq!(ran.ids(), ["ra0", "rb1", "sc0"]);
    assert_eq!(ran.ocsf(), [r#"{"name":"a"}"#, r#"{"name":"b"}"#, r#"{"name":"c"}"#]);
}

#[test]
fn scopes_have_their_own_slots() {
    let mut builder = Builder::ndjson();
    builder.slot(0, "a");
    builder.slot(0, "b");
    let inner = builder.scope(0);
    builder.slot(inner, "x");
    let layout = Layout::new(&builder.plan);
    assert_eq!((layout.first_slot, layout.slots), (vec![0, 2], 3));
}
