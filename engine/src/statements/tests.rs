//! Filters, branches, loops, and the limits of a record.

use crate::plan::{Check, Emit, Expr, ExprId, Field, Object, Policy, ScopeId, Slot, Stmt};
use crate::testing::{Builder, Ran, optional};
use crate::types::Type;

fn reject(line: u32) -> Stmt {
    Stmt::Reject { reason: "no".into(), line }
}

/// A plan over `.steps`; each element's id is its `.id`.
struct Loop {
    builder: Builder,
    array: Slot,
    scope: ScopeId,
    emit: Stmt,
}

impl Loop {
    fn new() -> Self {
        let mut builder = Builder::ndjson();
        let (array, scope) = (builder.slot(0, "steps"), builder.scope(0));
        let id = builder.read_in(scope, "id", Type::Text);
        let emit = Stmt::Emit(builder.emit_with_id(id, vec![]));
        Self { builder, array, scope, emit }
    }

    fn read(&mut self, name: &str, ty: Type) -> ExprId {
        self.builder.read_in(self.scope, name, ty)
    }

    fn run(self, max: u32, body: Vec<Stmt>, before: Vec<Stmt>, records: &[&str]) -> Ran {
        let Self { mut builder, array, scope, .. } = self;
        builder.plan.body = before;
        builder.plan.body.push(Stmt::Each { array, scope, max, body, line: 5 });
        builder.run(records)
    }
}

#[test]
fn filters_drop_records() {
    let mut builder = Builder::ndjson();
    let keep = builder.read("keep", Type::Bool);
    let drop = builder.read("drop", Type::Bool);
    builder.plan.body = vec![
        Stmt::Filter { keep: true, condition: keep, line: 3 },
        Stmt::Filter { keep: false, condition: drop, line: 4 },
    ];
    builder.emit_statement(vec![]);
    let ran = builder.run(&[
        r#"{"id":"1","keep":true}"#,
        r#"{"id":"2"}"#,
        r#"{"id":"3","keep":true,"drop":true}"#,
        r#"{"id":"4","keep":"?"}"#,
        r#"{"id":"5","keep":false,"drop":"?"}"#,
        r#"{"id":"6","keep":true,"drop":"!"}"#,
    ]);
    assert_eq!(ran.ids(), ["1"]);
    assert_eq!((ran.batch.mapped, ran.batch.dropped), (1, 3));
    assert_eq!(
        ran.rejects(),
        ["R1207:3  | \"?\" is not true or false | ?", "R1207:4  | \"!\" is not true or false | !"]
    );
    let rejected: Vec<_> = ran.batch.rejects.iter().map(|reject| reject.record).collect();
    assert_eq!(rejected, [3, 5]);
}

#[test]
fn conditions_that_read_a_redacted_path_show_no_text() {
    let mut builder = Builder::ndjson();
    builder.plan.redacted_conditions = [3].into();
    let condition = builder.read("a", Type::Bool);
    builder.plan.body = vec![Stmt::Filter { keep: true, condition, line: 3 }];
    let ran = builder.run(&[r#"{"a":"secret"}"#]);
    assert_eq!(ran.rejects(), ["R1207:3  | a value that is not shown is not true or false | "]);
}

#[test]
fn the_first_branch_that_holds_is_taken() {
    let mut builder = Builder::ndjson();
    let [a, b] = ["a", "b"].map(|name| builder.read(name, Type::Bool));
    let emit = Stmt::Emit(builder.emit(vec![]));
    builder.plan.body = vec![Stmt::When {
        arms: vec![(a, vec![emit], 3), (b, vec![Stmt::Drop, reject(9)], 4)],
        otherwise: vec![reject(8)],
    }];
    let ran = builder.run(&[
        r#"{"id":"1","a":true,"b":"?"}"#,
        r#"{"id":"2","b":true}"#,
        r#"{"id":"3"}"#,
        r#"{"id":"4","b":"?"}"#,
    ]);
    assert_eq!(ran.ids(), ["1"]);
    assert_eq!(ran.batch.dropped, 1);
    assert_eq!(ran.rejects(), ["R1206:8  | no | ", "R1207:4  | \"?\" is not true or false | ?"]);
}

#[test]
fn drops_take_back_what_their_scope_made() {
    let mut steps = Loop::new();
    let drop = steps.read("drop", Type::Bool);
    let first = Stmt::Emit(steps.builder.emit(vec![]));
    let body = vec![
        std::mem::replace(&mut steps.emit, Stmt::Drop),
        Stmt::Filter { keep: false, condition: drop, line: 6 },
    ];
    let ran = steps.run(
        9,
        body,
        vec![first],
        &[
            r#"{"id":"r","steps":[{"id":"a"},{"id":"b","drop":true},{"id":"c"}]}"#,
            r#"{"id":"s","steps":[{"id":"d"},{"id":"e","drop":"?"}]}"#,
            r#"{"id":"t"}"#,
        ],
    );
    assert_eq!(ran.ids(), ["r", "a", "c", "t"]);
    // A refused record has no events at all.
    assert_eq!(ran.rejects(), ["R1207:6  | \"?\" is not true or false | ?"]);
    assert_eq!((ran.batch.mapped, ran.batch.dropped), (2, 0));

    let mut builder = Builder::ndjson();
    builder.emit_statement(vec![]);
    builder.plan.body.push(Stmt::Drop);
    let ran = builder.run(&[r#"{"id":"1"}"#]);
    assert_eq!((ran.batch.events.len(), ran.batch.text.len(), ran.batch.dropped), (0, 0, 1));
}

#[test]
fn loops_need_lists_that_are_not_too_long() {
    let mut steps = Loop::new();
    let body = vec![std::mem::replace(&mut steps.emit, Stmt::Drop)];
    let ran = steps.run(
        2,
        body,
        vec![],
        &[
            r#"{"steps":[{"id":"a"},{"id":"b"}]}"#,
            r#"{"steps":[{},{},{}]}"#,
            r#"{"steps":{"id":"a"}}"#,
            r#"{"steps":[{"id":"a"}] 1}"#,
            r#"{"steps":null}"#,
            r#"{"steps":[]}"#,
            r#"{}"#,
        ],
    );
    assert_eq!(ran.ids(), ["a", "b"]);
    assert_eq!(ran.batch.dropped, 3);
    assert_eq!(
        ran.rejects(),
        [
            "R1301:5  | the list has more than 2 elements | ",
            "R1301:5  | there is no list here | ",
            "R1301:5  | there is no list here | ",
        ]
    );
}

#[test]
fn duplicate_keys_are_refused_where_they_are_reached() {
    let run = |records: &[&str]| {
        let mut steps = Loop::new();
        steps.builder.plan.input.duplicate_keys_reject = true;
        let stop = steps.builder.read("stop", Type::Bool);
        let before = vec![Stmt::Filter { keep: false, condition: stop, line: 3 }];
        let body = vec![std::mem::replace(&mut steps.emit, Stmt::Drop)];
        steps.run(9, body, before, records)
    };
    let ran = run(&[
        r#"{"steps":[{"id":"a","x":1,"x":2}]}"#,
        r#"{"steps":[{"id":"a"},{"id":"b","\u0069d":"c"}]}"#,
        r#"{"stop":true,"steps":[{"id":"b","id":"c"}]}"#,
        r#"{"stop":true,"stop":true}"#,
    ]);
    let refused = "R1004:0  | a name that is looked for occurs twice in one object | ";
    assert_eq!(ran.ids(), ["a"]);
    assert_eq!(ran.batch.dropped, 1);
    assert_eq!(ran.rejects(), [refused, refused]);
}

#[test]
fn duplicate_keys_in_elements_that_a_function_looks_at() {
    let mut builder = Builder::ndjson();
    builder.plan.input.duplicate_keys_reject = true;
    let (array, scope) = (builder.slot(0, "l"), builder.scope(0));
    let it = builder.read_in(scope, "x", Type::Bool);
    let any = builder.expr(Expr::Any(array, scope, it));
    let any = builder.value("any", any, Check::Bool);
    builder.emit_statement(vec![any]);
    let ran = builder.run(&[
        r#"{"id":"1","l":[{"x":true},{"x":true,"x":false}]}"#,
        r#"{"id":"2","l":[{"x":true,"x":false}]}"#,
    ]);
    assert_eq!(ran.ids(), ["1"]);
    assert_eq!(ran.batch.rejects[0].code.as_str(), "R1004");
}

#[test]
fn a_record_makes_at_most_a_thousand_events() {
    let run = |elements: usize, drop: bool| {
        let mut steps = Loop::new();
        let drop = steps.builder.truth(drop);
        let body = vec![
            std::mem::replace(&mut steps.emit, Stmt::Drop),
            Stmt::Filter { keep: false, condition: drop, line: 6 },
        ];
        let ids: Vec<_> = (0..elements).map(|id| format!("{{\"id\":{id}}}")).collect();
        steps.run(2000, body, vec![], &[&format!("{{\"steps\":[{}]}}", ids.join(","))])
    };
    assert_eq!(run(1000, false).batch.events.len(), 1000);
    let ran = run(1001, false);
    assert_eq!(ran.rejects(), ["R1304:90  | the record makes more than 1000 events | "]);
    assert_eq!((ran.batch.events.len(), ran.batch.text.len()), (0, 0));
    // Those that were forgotten count too.
    assert_eq!(run(1000, true).batch.dropped, 1);
    assert_eq!(run(1001, true).rejects().len(), 1);
}

#[test]
fn ids_of_a_record_differ() {
    let mut steps = Loop::new();
    let body = vec![std::mem::replace(&mut steps.emit, Stmt::Drop)];
    let ran = steps.run(
        9,
        body,
        vec![],
        &[
            r#"{"steps":[{"id":"a"},{"id":"b"},{"id":"a"}]}"#,
            r#"{"steps":[{"id":"a"},{"id":"b"}]}"#,
        ],
    );
    assert_eq!(ran.ids(), ["a", "b"]);
    assert_eq!(ran.rejects(), ["R1303:0  | two events of the record have the same id | "]);
}

/// Elements with a text of 1 MiB each; from the one with this index on they are dropped.
fn large_elements(elements: usize, dropped_from: usize) -> Ran {
    let mut steps = Loop::new();
    let text = steps.builder.read("text", Type::Text);
    let text = steps.builder.value("t", text, Check::Text);
    let drop = steps.read("drop", Type::Bool);
    let Stmt::Emit(emit) = steps.emit else { panic!("no emit") };
    let Emit { root, members, .. } = &mut steps.builder.plan.emits[usize::from(emit)];
    *root = Object { members: vec![text], ..Object::default() };
    *members = 1;
    let body = vec![
        std::mem::replace(&mut steps.emit, Stmt::Drop),
        Stmt::Filter { keep: false, condition: drop, line: 6 },
    ];
    let ids = (0..elements).map(|id| format!("{{\"id\":{id},\"drop\":{}}}", id >= dropped_from));
    let ids = ids.collect::<Vec<_>>().join(",");
    let record = format!("{{\"text\":\"{}\",\"steps\":[{ids}]}}", "x".repeat(1 << 20));
    steps.run(100, body, vec![], &[&record])
}

#[test]
fn the_events_of_a_record_are_not_too_large_together() {
    assert_eq!(large_elements(15, 15).batch.events.len(), 15);
    let ran = large_elements(17, 17);
    let refused = "R1302:0  | the events of the record are larger than 16 MiB together | ";
    assert_eq!(ran.rejects(), [refused]);
    assert_eq!((ran.batch.events.len(), ran.batch.text.len()), (0, 0));
    // Only those that stand count.
    let ran = large_elements(40, 15);
    assert_eq!(ran.ids().len(), 15);
    assert!(ran.ocsf().iter().all(|event| event.len() > 1 << 20));
}

#[test]
fn an_emit_that_fails_ends_the_record() {
    let mut builder = Builder::ndjson();
    builder.emit_statement(vec![]);
    let a = builder.read("a", Type::Text);
    let field = Field { missing: Policy::Reject, ..optional("a", a, Check::Text) };
    let member = builder.member("a", crate::plan::OutputNode::Value(field));
    builder.emit_statement(vec![member]);
    builder.plan.body.push(reject(8));
    let ran = builder.run(&[r#"{"id":"1"}"#]);
    assert_eq!(ran.rejects(), ["R1201:7 a | a is missing | "]);
    assert_eq!(ran.batch.text, b"");
}
