//! What a program costs: `weir check --cost`.
//!
//! All of it is known before the first record, for paths are literal and every loop has a bound. Where the record decides,
//! the worst case is given, but for the size of events: there a text has no bound of its own, so the estimate takes every
//! attribute as present, every list as full, and a text as [`TEXT_BYTES`] long.

use std::collections::BTreeSet;
use std::fmt;

use weir_engine::input::Format;
use weir_engine::pattern;
use weir_engine::plan::{
    Check, Comparison, Constant, Echo, Element, Emit, Expr, ExprId, Field, Object, Origin,
    OutputNode, Pattern, Plan, Stmt, Table,
};
use weir_engine::types::Type;

/// How long a text is taken to be where nothing bounds it.
const TEXT_BYTES: usize = 32;
/// The engine refuses records that make more events.
const EVENTS_MAX: u64 = 1000;

/// What a program costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// Paths that are looked for in each record.
    pub paths_of_record: usize,
    /// Paths that are looked for in the elements of loops and list functions.
    pub paths_of_elements: usize,
    /// Fields that are read of what functions such as `json` give.
    pub paths_of_made_records: usize,
    /// The most events that a record can make; more than 1000 refuse it.
    pub events_max: u64,
    /// The size of the largest event, with everything present, lists full, and texts of 32 bytes.
    pub event_bytes_estimate: usize,
    /// How many tables there are.
    pub tables: usize,
    /// The memory that they take.
    pub table_bytes: usize,
    /// How many regular expressions there are, those of OCSF's types included.
    pub patterns: usize,
    /// The memory that their programs take.
    pub pattern_bytes: usize,
    /// Whether the search of a record ends when all that is wanted was found.
    pub early_exit: EarlyExit,
    /// Texts of which a record must hold one, or it is dropped; none if no filter says so.
    pub prefilter: Option<Vec<String>>,
}

/// Whether the search of a record ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EarlyExit {
    /// When all that is wanted was found.
    Possible,
    /// `duplicate_keys reject` wants to see every member.
    DuplicateKeys,
    /// A row is split into its cells first.
    Csv,
}

/// What a plan costs.
pub fn cost(plan: &Plan) -> Cost {
    let [mut of_record, mut of_elements, mut of_made] = [0; 3];
    for scope in &plan.scopes {
        let paths = scope.projection.nodes.iter().filter(|node| node.slot.is_some()).count();
        match (&scope.origin, scope.parent) {
            (Origin::Given, None) => of_record += paths,
            (Origin::Given, Some(_)) => of_elements += paths,
            (Origin::Call { .. } | Origin::Find { .. }, _) => of_made += paths,
        }
    }
    let patterns = patterns(plan);
    Cost {
        paths_of_record: of_record,
        paths_of_elements: of_elements,
        paths_of_made_records: of_made,
        events_max: events(&plan.body),
        event_bytes_estimate: plan.emits.iter().map(event_bytes).max().unwrap_or(0),
        tables: plan.tables.len(),
        table_bytes: plan.tables.iter().map(table_bytes).sum(),
        patterns: patterns.len(),
        pattern_bytes: patterns.iter().sum(),
        early_exit: match plan.input.format {
            Format::Csv(_) => EarlyExit::Csv,
            _ if plan.input.duplicate_keys_reject => EarlyExit::DuplicateKeys,
            Format::Ndjson | Format::Json(_) => EarlyExit::Possible,
        },
        prefilter: prefilter(plan),
    }
}

/// The most events that statements can make for one record.
fn events(stmts: &[Stmt]) -> u64 {
    let of = |stmt: &Stmt| match stmt {
        Stmt::Emit(_) => 1,
        Stmt::When { arms, otherwise } => {
            let arms = arms.iter().map(|(_, body, _)| events(body));
            arms.fold(events(otherwise), u64::max)
        }
        Stmt::Each { max, body, .. } => u64::from(*max).saturating_mul(events(body)),
        Stmt::Filter { .. } | Stmt::Drop | Stmt::Reject { .. } => 0,
    };
    stmts.iter().map(of).fold(0, u64::saturating_add)
}

fn table_bytes(table: &Table) -> usize {
    let cells = table.rows.iter().flatten().map(|cell| match cell {
        Constant::Text(text) => size_of::<Constant>() + text.len(),
        _ => size_of::<Constant>(),
    });
    table.keys.bytes() + cells.sum::<usize>()
}

/// The sizes of the programs of all regular expressions.
fn patterns(plan: &Plan) -> Vec<usize> {
    let size = |text: &str| pattern::compile(text).map_or(0, |pattern| pattern.program_bytes);
    let mut sizes = Vec::new();
    let mut written = BTreeSet::new();
    for expr in &plan.exprs {
        match expr {
            Expr::Matches(_, regex) => {
                written.insert(regex.as_str());
            }
            Expr::Call(callee, ..) => sizes.push(callee.code.program_bytes()),
            _ => {}
        }
    }
    for scope in &plan.scopes {
        if let Origin::Call { callee, .. } = &scope.origin {
            sizes.push(callee.code.program_bytes());
        }
    }
    for emit in &plan.emits {
        for_each_field(&emit.root, &mut |field| {
            if let Check::LimitedText(limits) = &field.check {
                written.extend(limits.pattern.as_ref().map(|pattern| pattern.as_str()));
            }
        });
    }
    sizes.extend(written.into_iter().map(size));
    sizes.retain(|bytes| *bytes > 0);
    sizes
}

fn for_each_field<'p>(object: &'p Object, see: &mut dyn FnMut(&'p Field)) {
    for member in &object.members {
        match &member.node {
            OutputNode::Constant(_) => {}
            OutputNode::Value(field) | OutputNode::Enum(field, _) => see(field),
            OutputNode::Object(inner) => for_each_field(inner, see),
            OutputNode::List(elements) => {
                for element in elements {
                    let (Element::One(inner) | Element::Each { object: inner, .. }) = element;
                    for_each_field(inner, see);
                }
            }
        }
    }
}

fn event_bytes(emit: &Emit) -> usize {
    object_bytes(&emit.root)
}

/// With all members present, commas and braces.
fn object_bytes(object: &Object) -> usize {
    let members = object.members.iter().map(|member| {
        let value = match &member.node {
            OutputNode::Constant(json) => json.len(),
            OutputNode::Value(field) => value_bytes(&field.check),
            OutputNode::Enum(field, echoes) => {
                value_bytes(&field.check) + echoes.iter().map(echo_bytes).sum::<usize>()
            }
            OutputNode::Object(inner) => object_bytes(inner),
            OutputNode::List(elements) => 2 + elements.iter().map(element_bytes).sum::<usize>(),
        };
        member.key.len() + value + 1
    });
    2 + members.sum::<usize>()
}

fn element_bytes(element: &Element) -> usize {
    match element {
        Element::One(object) => object_bytes(object) + 1,
        Element::Each { max, object, .. } => {
            (object_bytes(object) + 1).saturating_mul(*max as usize)
        }
    }
}

fn echo_bytes(echo: &Echo) -> usize {
    let longest = echo.texts.iter().map(|(_, text)| text.len()).max().unwrap_or(0);
    let word = if echo.other.is_some() { TEXT_BYTES } else { 0 };
    1 + echo.key.len() + longest.max(word)
}

/// The longest JSON of a value, but for texts.
fn value_bytes(check: &Check) -> usize {
    match check {
        Check::Bool => "false".len(),
        Check::Int(low, high) => low.to_string().len().max(high.to_string().len()),
        Check::Enum(numbers) => {
            numbers.iter().map(|number| number.to_string().len()).max().unwrap_or(0)
        }
        Check::EventTime | Check::EpochMillis => "1700000000000".len(),
        Check::DurationMillis(..) => "1700000000000".len(),
        Check::Decimal | Check::Float => "-12345678.12345678".len(),
        Check::Rfc3339 => "\"2026-01-01T00:00:00.000Z\"".len(),
        Check::Ip => "\"2001:db8:85a3:8d3:1319:8a2e:370:7348\"".len(),
        Check::LimitedText(limits) => {
            let max = limits.chars_max.map_or(TEXT_BYTES, |max| TEXT_BYTES.min(max as usize));
            2 + max
        }
        Check::Text => 2 + TEXT_BYTES,
        Check::List(_) | Check::Json => 2 * TEXT_BYTES,
    }
}

/// Texts of which a record must hold one, by the filters that stand before everything else.
fn prefilter(plan: &Plan) -> Option<Vec<String>> {
    plan.body
        .iter()
        .map_while(|stmt| match stmt {
            Stmt::Filter { keep, condition, .. } => Some((*keep, *condition)),
            _ => None,
        })
        .find_map(|(keep, condition)| needles(plan, condition, keep))
}

/// The texts of which a record must hold one for a condition to come out as `wanted`.
fn needles(plan: &Plan, condition: ExprId, wanted: bool) -> Option<Vec<String>> {
    let expr = |id: ExprId| &plan.exprs[id as usize];
    let is_text = |id: ExprId| matches!(expr(id), Expr::Read(_, Type::Text));
    let text = |constant: &Constant| match constant {
        Constant::Text(text) => Some(text.clone()),
        _ => None,
    };
    match (expr(condition), wanted) {
        (Expr::Compare(Comparison::Equal, left, right), true)
        | (Expr::Compare(Comparison::NotEqual, left, right), false)
        | (Expr::Compare(Comparison::StartsWith | Comparison::Contains, left, right), true)
            if is_text(*left) =>
        {
            let Expr::Constant(constant) = expr(*right) else { return None };
            text(constant).map(|text| vec![text])
        }
        (Expr::In(subject, constants), true) if is_text(*subject) => {
            constants.iter().map(text).collect()
        }
        (Expr::InTexts(subject, texts), true) if is_text(*subject) => Some(
            texts
                .iter()
                .map(|(Pattern::Exact(text) | Pattern::Prefix(text), _)| text.to_owned())
                .collect(),
        ),
        (Expr::Not(operand), _) => needles(plan, *operand, !wanted),
        (Expr::And(left, right), true) | (Expr::Or(left, right), false) => {
            needles(plan, *left, wanted).or_else(|| needles(plan, *right, wanted))
        }
        (Expr::Or(left, right), true) | (Expr::And(left, right), false) => {
            let mut texts = needles(plan, *left, wanted)?;
            texts.extend(needles(plan, *right, wanted)?);
            Some(texts)
        }
        _ => None,
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut paths = format!("{} of each record", self.paths_of_record);
        for (count, of) in [
            (self.paths_of_elements, "of elements of lists"),
            (self.paths_of_made_records, "of what functions take apart"),
        ] {
            if count > 0 {
                paths += &format!(", {count} {of}");
            }
        }
        writeln!(f, "  paths read   {paths}; at most 512 together")?;
        write!(f, "  events       at most {} for a record", self.events_max.min(EVENTS_MAX))?;
        if self.events_max > EVENTS_MAX {
            write!(f, "; its loops could make {}, which rejects it (R1304)", self.events_max)?;
        }
        writeln!(
            f,
            "\n  output       about {} for the largest event (upper estimate: all present, lists full, texts of \
             {TEXT_BYTES} bytes);\n               at most 16 MiB for a record (R1302)",
            bytes(self.event_bytes_estimate)
        )?;
        writeln!(f, "  tables       {}, {}", self.tables, bytes(self.table_bytes))?;
        writeln!(
            f,
            "  regexes      {}, {} of programs; at most 1 MiB of the file's own",
            self.patterns,
            bytes(self.pattern_bytes)
        )?;
        let early_exit = match self.early_exit {
            EarlyExit::Possible => "yes: a record is searched until all is found that is read",
            EarlyExit::DuplicateKeys => "no: `duplicate_keys reject` looks at every member",
            EarlyExit::Csv => "no: a row is split into all its cells",
        };
        writeln!(f, "  early exit   {early_exit}")?;
        match &self.prefilter {
            None => writeln!(f, "  prefilter    none found: no filter at the top asks for a text"),
            Some(texts) => {
                let texts: Vec<_> = texts.iter().map(|text| format!("{text:?}")).collect();
                writeln!(
                    f,
                    "  prefilter    found: only records that hold {} are kept;\n               not used, since a \
                     broken record is rejected before it can be dropped",
                    texts.join(" or ")
                )
            }
        }
    }
}

/// A size for people.
fn bytes(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{}.{} KiB", bytes / 1024, bytes % 1024 * 10 / 1024),
        _ => format!("{}.{} MiB", bytes / 1_048_576, bytes % 1_048_576 * 10 / 1_048_576),
    }
}
