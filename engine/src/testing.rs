//! Plans by hand, for tests.

use std::sync::Arc;

use bytes::Bytes;

use crate::batch::Batch;
use crate::block::{Record, RecordBlock};
use crate::framer::Position;
use crate::input::{Format, Input};
use crate::output;
use crate::plan::{
    Check, Constant, Emit, Expr, ExprId, Field, Member, Node, Object, ObjectMeta, OutputNode, Plan,
    Policy, Projection, Raw, Register, Scope, ScopeId, Slot, Stmt,
};
use crate::types::{NumberFormat, Type};
use crate::worker::Worker;

/// A step of a path in a projection.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    Member(String),
    Element(u32),
    Last,
}

/// Adds a path to a projection; gives its slot.
pub(crate) fn add_path(projection: &mut Projection, steps: &[Step]) -> u16 {
    let mut node = 0;
    for step in steps {
        let new = u16::try_from(projection.nodes.len()).unwrap();
        let Node { members, elements, last, .. } = &mut projection.nodes[usize::from(node)];
        node = match step {
            Step::Member(name) => match members.iter().find(|(member, _)| member == name) {
                Some((_, below)) => *below,
                None => {
                    members.push((name.clone(), new));
                    new
                }
            },
            Step::Element(index) => match elements.iter().find(|(element, _)| element == index) {
                Some((_, below)) => *below,
                None => {
                    elements.push((*index, new));
                    new
                }
            },
            Step::Last => *last.get_or_insert(new),
        };
        if node == new {
            projection.nodes.push(Node::default());
        }
    }
    let slots = &mut projection.slots;
    *projection.nodes[usize::from(node)].slot.get_or_insert_with(|| {
        *slots += 1;
        *slots - 1
    })
}

/// Steps from `a.b[0].c[last]`; none from the empty text.
pub(crate) fn steps(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    for part in path.split(['.', '[']).filter(|part| !part.is_empty()) {
        steps.push(match part.strip_suffix(']') {
            Some("last") => Step::Last,
            Some(index) => Step::Element(index.parse().unwrap()),
            None => Step::Member(part.to_owned()),
        });
    }
    steps
}

/// A plan in the making.
pub(crate) struct Builder {
    pub(crate) plan: Plan,
    members: u32,
}

impl Builder {
    pub(crate) fn new(format: Format) -> Self {
        let plan = Plan {
            parser: "test".into(),
            parser_version: 3,
            ocsf_version: "1.8.0".into(),
            input: Input::new(format),
            numbers: NumberFormat::default(),
            scopes: vec![Scope::default()],
            choices: Vec::new(),
            wrapper_parts: Vec::new(),
            exprs: Vec::new(),
            registers: Vec::new(),
            tables: Vec::new(),
            body: Vec::new(),
            emits: Vec::new(),
            raw: Raw::Keep,
            raw_data_chars_max: None,
            redacted_conditions: Default::default(),
            hash: [0; 32],
        };
        Self { plan, members: 0 }
    }

    pub(crate) fn ndjson() -> Self {
        Self::new(Format::Ndjson)
    }

    pub(crate) fn scope(&mut self, parent: ScopeId) -> ScopeId {
        self.plan.scopes.push(Scope { parent: Some(parent), ..Scope::default() });
        u16::try_from(self.plan.scopes.len() - 1).unwrap()
    }

    pub(crate) fn slot(&mut self, scope: ScopeId, path: &str) -> Slot {
        let projection = &mut self.plan.scopes[usize::from(scope)].projection;
        Slot::Scope(scope, add_path(projection, &steps(path)))
    }

    pub(crate) fn expr(&mut self, expr: Expr) -> ExprId {
        self.plan.exprs.push(expr);
        u32::try_from(self.plan.exprs.len() - 1).unwrap()
    }

    pub(crate) fn read(&mut self, path: &str, ty: Type) -> ExprId {
        self.read_in(0, path, ty)
    }

    pub(crate) fn read_in(&mut self, scope: ScopeId, path: &str, ty: Type) -> ExprId {
        let slot = self.slot(scope, path);
        self.expr(Expr::Read(slot, ty))
    }

    pub(crate) fn text(&mut self, text: &str) -> ExprId {
        self.expr(Expr::Constant(Constant::Text(text.into())))
    }

    pub(crate) fn int(&mut self, number: i64) -> ExprId {
        self.expr(Expr::Constant(Constant::Int(number)))
    }

    pub(crate) fn truth(&mut self, truth: bool) -> ExprId {
        self.expr(Expr::Constant(Constant::Bool(truth)))
    }

    pub(crate) fn register(&mut self, scope: ScopeId, expr: ExprId) -> ExprId {
        self.plan.registers.push(Register { expr, scope });
        let register = u32::try_from(self.plan.registers.len() - 1).unwrap();
        self.expr(Expr::Register(register))
    }

    pub(crate) fn member(&mut self, name: &str, node: OutputNode) -> Member {
        self.members += 1;
        Member {
            present: self.members - 1,
            key: format!("\"{name}\":"),
            required: false,
            unless: Vec::new(),
            filler: false,
            node,
        }
    }

    /// A member that is left out if it is missing or invalid.
    pub(crate) fn value(&mut self, name: &str, value: ExprId, check: Check) -> Member {
        let field = optional(name, value, check);
        self.member(name, OutputNode::Value(field))
    }

    pub(crate) fn object(&mut self, name: &str, members: Vec<Member>) -> Member {
        self.member(name, OutputNode::Object(Object { members, ..Object::default() }))
    }

    /// An emit whose id is read from `.id` and whose other columns are constant; gives its index.
    pub(crate) fn emit(&mut self, members: Vec<Member>) -> u16 {
        let id = self.read("id", Type::Text);
        self.emit_with_id(id, members)
    }

    pub(crate) fn emit_with_id(&mut self, id: ExprId, members: Vec<Member>) -> u16 {
        let zero = self.int(0);
        let time = self.expr(Expr::Constant(Constant::Text("2026-11-21T20:00:00.5Z".into())));
        let time = self.expr(Expr::Convert(time, Type::Timestamp));
        let [actor, action, target] = ["ann", "read", "model"].map(|text| self.text(text));
        let required = |name: &str, value, check| Field {
            missing: Policy::Reject,
            invalid: Policy::Reject,
            ..optional(name, value, check)
        };
        let number = |name: &str, check| Field {
            missing: Policy::Zero,
            invalid: Policy::Zero,
            ..optional(name, zero, check)
        };
        let columns = [
            required("event.id", id, Check::Text),
            required("event.time", time, Check::EventTime),
            required("event.actor", actor, Check::Text),
            required("event.action", action, Check::Text),
            required("event.target", target, Check::Text),
            number("event.cost_usd", Check::Decimal),
            number("event.tokens_input", Check::Int(0, i64::MAX)),
            number("event.tokens_output", Check::Int(0, i64::MAX)),
        ];
        let members_of_emit = self.members;
        self.plan.emits.push(Emit {
            class: "api_activity".into(),
            columns,
            extra: Vec::new(),
            root: Object { members, ..Object::default() },
            members: members_of_emit,
            constant_lines: Vec::new(),
            line: 90,
        });
        u16::try_from(self.plan.emits.len() - 1).unwrap()
    }

    pub(crate) fn emit_statement(&mut self, members: Vec<Member>) {
        let emit = self.emit(members);
        self.plan.body.push(Stmt::Emit(emit));
    }

    /// Maps records, each whole.
    pub(crate) fn run(self, records: &[&str]) -> Ran {
        let records: Vec<_> = records.iter().map(|record| record.as_bytes()).collect();
        self.run_bytes(&records, None, Vec::new())
    }

    pub(crate) fn run_bytes(
        self,
        records: &[&[u8]],
        header: Option<&[&str]>,
        wrapper: Vec<Option<Bytes>>,
    ) -> Ran {
        let block = block(records, header, wrapper);
        let plan = Arc::new(self.plan);
        let mut batch = Batch::default();
        Worker::new(Arc::clone(&plan)).run(&block, &object(), &mut batch);
        Ran { plan, block, batch }
    }
}

/// Facts about the object that tests read.
pub(crate) fn object() -> ObjectMeta {
    ObjectMeta {
        key: "k/e\"y".into(),
        bucket: String::new(),
        source: "src".into(),
        received_at_ns: 1_500_000_000,
    }
}

/// Records one behind the other, each on its own line.
pub(crate) fn block(
    records: &[&[u8]],
    header: Option<&[&str]>,
    wrapper: Vec<Option<Bytes>>,
) -> RecordBlock {
    let mut bytes = Vec::new();
    let mut framed = Vec::new();
    for (index, record) in (0..).zip(records) {
        let start = bytes.len();
        bytes.extend_from_slice(record);
        framed.push(Record {
            start: u32::try_from(start).unwrap(),
            end: u32::try_from(bytes.len()).unwrap(),
            offset: 1000 + start as u64,
            size: record.len() as u64,
            index,
            line: index + 1,
            fault: None,
        });
        bytes.push(b'\n');
    }
    RecordBlock {
        bytes: bytes.into(),
        records: framed,
        header: header.map(|names| Arc::new(names.iter().map(|&name| name.into()).collect())),
        wrapper: Arc::new(wrapper),
        end: Position::start(),
    }
}

/// A field that is left out if it is missing or invalid.
pub(crate) fn optional(target: &str, value: ExprId, check: Check) -> Field {
    Field {
        value,
        on_missing: None,
        on_invalid: None,
        missing: Policy::Skip,
        invalid: Policy::Skip,
        check,
        target: target.into(),
        line: 7,
        position: 70,
        redacted: false,
    }
}

/// What came out.
pub(crate) struct Ran {
    pub(crate) plan: Arc<Plan>,
    pub(crate) block: RecordBlock,
    pub(crate) batch: Batch,
}

impl Ran {
    /// The stored OCSF texts.
    pub(crate) fn ocsf(&self) -> Vec<&str> {
        let events = self.batch.events.iter();
        events.map(|event| std::str::from_utf8(self.batch.bytes(event.ocsf)).unwrap()).collect()
    }

    /// The ids of the events.
    pub(crate) fn ids(&self) -> Vec<&str> {
        let events = self.batch.events.iter();
        events.map(|event| std::str::from_utf8(self.batch.bytes(event.id)).unwrap()).collect()
    }

    /// The only event's OCSF text.
    #[track_caller]
    pub(crate) fn only(&self) -> &str {
        assert_eq!(self.batch.rejects, []);
        assert_eq!(self.batch.events.len(), 1);
        self.ocsf()[0]
    }

    /// Rejects as `R1201:7 event.id | event.id is missing | text`.
    pub(crate) fn rejects(&self) -> Vec<String> {
        let rejects = self.batch.rejects.iter();
        rejects
            .map(|r| {
                let (code, line) = (r.code.as_str(), r.line);
                format!("{code}:{line} {} | {} | {}", r.target, r.message, r.text)
            })
            .collect()
    }

    /// The written normalized events.
    pub(crate) fn written(&self) -> Vec<String> {
        let events = self.batch.events.iter();
        events
            .map(|event| {
                let mut out = Vec::new();
                output::write_event(&self.block, &self.batch, event, &mut out);
                String::from_utf8(out).unwrap()
            })
            .collect()
    }
}
