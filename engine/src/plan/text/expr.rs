//! Expressions: as a program would write them, with the types that paths are read as.

use super::{Text, constant, pattern_text, scope_name};
use crate::builtins;
use crate::plan::{
    Arithmetic, Callee, Column, Comparison, Constant, Expr, ExprId, Fold, Match, Meta, Origin,
    Outcome, ScopeId, Slot,
};
use crate::types::Type;

impl Text<'_> {
    /// An expression as text.
    pub(super) fn expr(&self, id: ExprId) -> String {
        match &self.plan.exprs[id as usize] {
            Expr::Constant(value) => constant(value),
            Expr::Read(slot, ty) => format!("{}:{}", self.slot(*slot), type_name(*ty)),
            Expr::ReadString(slot) => format!("{}:string", self.slot(*slot)),
            // What it reads is named by its scope, which says where that comes from.
            Expr::Derived(_, read) => self.expr(*read),
            Expr::Meta(meta) => format!("meta.{}", meta_name(*meta)),
            Expr::Index(scope) => format!("index({})", scope_name(*scope)),
            Expr::Column(column) => column_name(*column),
            Expr::Register(register) => format!("r{register}"),
            Expr::Concat(parts) => format!("concat({})", self.list(parts)),
            Expr::Not(operand) => format!("not {}", self.operand(*operand)),
            Expr::Negate(operand) => format!("-{}", self.operand(*operand)),
            Expr::And(left, right) => self.infix(*left, "and", *right),
            Expr::Or(left, right) => self.infix(*left, "or", *right),
            Expr::Compare(comparison, left, right) => {
                self.infix(*left, comparison_sign(*comparison), *right)
            }
            Expr::In(subject, constants) => {
                format!("{} in [{}]", self.operand(*subject), constants_text(constants))
            }
            Expr::InTexts(subject, texts) => {
                let texts: Vec<_> = texts.iter().map(|(text, _)| pattern_text(text)).collect();
                format!("{} in set [{}]", self.operand(*subject), texts.join(", "))
            }
            Expr::Matches(subject, regex) => {
                format!("{} matches r\"{}\"", self.operand(*subject), regex.as_str())
            }
            Expr::Coalesce(left, right) => self.infix(*left, "??", *right),
            Expr::Arithmetic(operation, left, right) => {
                self.infix(*left, arithmetic_sign(*operation), *right)
            }
            Expr::Is(outcome, negated, subject) => {
                let not = if *negated { "not " } else { "" };
                format!("{} is {not}{}", self.operand(*subject), outcome_name(*outcome))
            }
            Expr::If(condition, then, otherwise) => {
                let condition = self.expr(*condition);
                let [then, otherwise] = [then, otherwise].map(|part| self.operand(*part));
                format!("if {condition} then {then} else {otherwise}")
            }
            Expr::Match(arms) => self.match_text(arms),
            Expr::Cell(table, key, column) => {
                let table = &self.plan.tables[usize::from(*table)].name;
                format!("{table}[{}].{column}", self.expr(*key))
            }
            Expr::Call(callee, args, _) => self.call(callee, args),
            Expr::Count(array, scope, None) => format!("count({})", self.over(*array, *scope)),
            Expr::Count(array, scope, Some(condition)) => {
                format!("count({}, {})", self.over(*array, *scope), self.expr(*condition))
            }
            Expr::Any(array, scope, condition) => {
                format!("any({}, {})", self.over(*array, *scope), self.expr(*condition))
            }
            Expr::All(array, scope, condition) => {
                format!("all({}, {})", self.over(*array, *scope), self.expr(*condition))
            }
            Expr::Fold(fold, array, scope, value) => {
                let (over, value) = (self.over(*array, *scope), self.expr(*value));
                match fold {
                    Fold::Sum(ty) => format!("sum:{}({over}, {value})", type_name(*ty)),
                    Fold::Join(separator) => format!("join({over}, {value}, {separator:?})"),
                    Fold::Take(max) => format!("take({over}, {value}, {max})"),
                    Fold::Distinct(max) => format!("distinct({over}, {value}, {max})"),
                }
            }
            Expr::InList(subject, list) => self.infix(*subject, "in", *list),
            Expr::List(items) => format!("[{}]", self.list(items)),
            Expr::Convert(operand, ty) => {
                format!("{}({})", type_name(*ty), self.expr(*operand))
            }
        }
    }

    fn call(&self, callee: &Callee, args: &[ExprId]) -> String {
        let literals = callee.literals.iter().map(literal);
        let args = args.iter().map(|arg| self.expr(*arg)).chain(literals);
        format!("{}({})", callee.name, args.collect::<Vec<_>>().join(", "))
    }

    /// Where the text of a scope comes from; none of one that is given.
    pub(super) fn origin(&self, origin: &Origin) -> Option<String> {
        match origin {
            Origin::Given => None,
            Origin::Call { callee, args, .. } => Some(self.call(callee, args)),
            Origin::Find { array, scope, value, condition } => {
                let (over, condition) = (self.over(*array, *scope), self.expr(*condition));
                Some(format!("find({over}, {condition}) gives {}", self.slot(*value)))
            }
        }
    }

    /// As part of another: in parentheses if it is more than one thing.
    fn operand(&self, id: ExprId) -> String {
        let text = self.expr(id);
        match &self.plan.exprs[id as usize] {
            Expr::Not(_)
            | Expr::And(..)
            | Expr::Or(..)
            | Expr::Compare(..)
            | Expr::In(..)
            | Expr::InList(..)
            | Expr::InTexts(..)
            | Expr::Matches(..)
            | Expr::Coalesce(..)
            | Expr::Arithmetic(..)
            | Expr::Is(..)
            | Expr::If(..) => format!("({text})"),
            _ => text,
        }
    }

    fn infix(&self, left: ExprId, sign: &str, right: ExprId) -> String {
        format!("{} {sign} {}", self.operand(left), self.operand(right))
    }

    fn list(&self, parts: &[ExprId]) -> String {
        parts.iter().map(|part| self.expr(*part)).collect::<Vec<_>>().join(", ")
    }

    fn over(&self, array: Slot, scope: ScopeId) -> String {
        format!("{} as {}", self.slot(array), scope_name(scope))
    }

    /// A choice as text.
    pub(super) fn choice(&self, ways: &[(Slot, Slot)]) -> String {
        let ways = ways.iter().map(|(probe, value)| {
            let (probe, value) = (self.slot(*probe), self.slot(*value));
            if probe == value { probe } else { format!("{probe} => {value}") }
        });
        format!("first({})", ways.collect::<Vec<_>>().join(", "))
    }

    fn match_text(&self, arms: &Match) -> String {
        let mut text = format!("match {} {{", self.expr(arms.subject));
        for (number, value) in (0..).zip(&arms.arms) {
            let patterns = arms.patterns.iter().filter(|(_, arm)| *arm == number);
            let patterns: Vec<_> = patterns.map(|(pattern, _)| pattern_text(pattern)).collect();
            let value = self.expr(*value).replace('\n', "\n  ");
            text += &format!("\n  {} => {value}", patterns.join(" | "));
        }
        let otherwise = self.expr(arms.otherwise).replace('\n', "\n  ");
        text + &format!("\n  else => {otherwise}\n}}")
    }
}

fn literal(literal: &builtins::Constant) -> String {
    match literal {
        builtins::Constant::Text(text) => format!("{text:?}"),
        builtins::Constant::Int(number) => number.to_string(),
        builtins::Constant::Last => "last".into(),
        builtins::Constant::Texts(texts) => format!("{texts:?}"),
    }
}

fn constants_text(constants: &[Constant]) -> String {
    constants.iter().map(constant).collect::<Vec<_>>().join(", ")
}

fn column_name(column: Column) -> String {
    format!("event.{}", column.name())
}

/// As the functions that read such values are called.
const fn type_name(ty: Type) -> &'static str {
    match ty {
        Type::Text => "text",
        Type::Int => "int",
        Type::Decimal => "decimal",
        Type::Float => "float",
        Type::Bool => "bool",
        Type::Timestamp => "timestamp",
        Type::Duration => "duration",
        Type::Ip => "ip",
        Type::Cidr => "cidr",
        Type::Json => "json",
        Type::List(Type::Text) => "texts",
        Type::List(_) => "list",
    }
}

const fn meta_name(meta: Meta) -> &'static str {
    match meta {
        Meta::Key => "key",
        Meta::Bucket => "bucket",
        Meta::Line => "line",
        Meta::Offset => "offset",
        Meta::ReceivedAt => "received_at",
        Meta::Source => "source",
        Meta::RecordSha256 => "record_sha256",
    }
}

const fn comparison_sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "==",
        Comparison::NotEqual => "!=",
        Comparison::Less => "<",
        Comparison::LessEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterEqual => ">=",
        Comparison::StartsWith => "starts_with",
        Comparison::EndsWith => "ends_with",
        Comparison::Contains => "contains",
    }
}

const fn arithmetic_sign(operation: Arithmetic) -> &'static str {
    match operation {
        Arithmetic::Add => "+",
        Arithmetic::Subtract => "-",
        Arithmetic::Multiply => "*",
        Arithmetic::Divide => "/",
    }
}

const fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Missing => "missing",
        Outcome::Present => "present",
        Outcome::Invalid => "invalid",
    }
}
