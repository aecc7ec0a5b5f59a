//! Constants that can never fit the target they are written to.
//!
//! What a record holds is looked at when it comes. What the program itself says is looked at here, by the code that would
//! look at it then: such a value would be left out of every event, or refuse every record.

use weir_engine::constant;
use weir_engine::plan::{Check, Constant, TextLimits};

use super::Checker;
use super::emit::shortened;
use super::event::Line;
use crate::diagnostic::Diagnostic;
use crate::hir::{Expr, ExprKind};
use crate::source::Span;

/// A constant at its place, and what it must be.
struct Misfit<'e> {
    constant: &'e Constant,
    span: Span,
    check: &'e Check,
}

impl Checker<'_> {
    /// Reports W0214 for every constant that the values of a line can give and that its target cannot take.
    pub(super) fn constants_fit<'e>(
        &mut self,
        line: &Line<'_>,
        values: impl Iterator<Item = &'e Expr>,
    ) {
        let (mut lets, mut reports) = (Vec::new(), Vec::new());
        for value in values {
            self.find_misfits(value, &line.check, &mut lets, &mut |misfit| {
                reports.push(self.misfit(line, &misfit));
            });
        }
        for report in reports {
            self.report(report);
        }
    }

    /// Looks at what an expression may give. Each `let` is looked at once: they can use each other many times.
    fn find_misfits(
        &self,
        expr: &Expr,
        check: &Check,
        lets: &mut Vec<usize>,
        found: &mut impl FnMut(Misfit<'_>),
    ) {
        let mut look = |expr: &Expr, check: &Check| self.find_misfits(expr, check, lets, found);
        match &expr.kind {
            ExprKind::Constant(constant) if !constant::fits(check, constant) => {
                found(Misfit { constant, span: expr.span, check });
            }
            ExprKind::If(_, left, right) | ExprKind::Coalesce(left, right) => {
                look(left, check);
                look(right, check);
            }
            ExprKind::Match { arms, otherwise, .. } => {
                arms.iter().for_each(|(_, value)| look(value, check));
                look(otherwise, check);
            }
            ExprKind::List(items) => {
                if let Check::List(each) = check {
                    items.iter().for_each(|item| look(item, each));
                }
            }
            ExprKind::Let(index) if !lets.contains(index) => {
                lets.push(*index);
                self.find_misfits(&self.typed_lets[*index].expr, check, lets, found);
            }
            ExprKind::Cell(table, _, column) => {
                let info = &self.tables[usize::from(*table)];
                let rows = info.hir.rows.iter().map(|row| &row.cells).chain(&info.hir.otherwise);
                for (cells, spans) in rows.zip(&info.cells) {
                    let column = usize::from(*column);
                    // Behind the cells that are written stand those that were looked up in an enum; they fit.
                    let (Some(constant), Some(&span)) = (cells.get(column), spans.get(column))
                    else {
                        continue;
                    };
                    if !constant::fits(check, constant) {
                        found(Misfit { constant, span, check });
                    }
                }
            }
            _ => {}
        }
    }

    fn misfit(&self, line: &Line<'_>, misfit: &Misfit<'_>) -> Diagnostic {
        let Misfit { constant, span, check } = *misfit;
        let wanted = wanted(check, line.data_type, constant);
        let is_list = matches!(line.check, Check::List(_));
        let (takes, be) = if is_list { ("holds", "hold") } else { ("takes", "be") };
        let shown = shown(self.source.slice(span));
        let report = Diagnostic::error(
            "W0214",
            span,
            format!("`{}` can never {be} {shown}", line.target),
            "does not fit",
        )
        .label(line.span, format!("{takes} {wanted}"));
        report.help(match (example(line.data_type), constant) {
            (_, Constant::Text(text)) if is_too_long(check, text) => {
                format!("shorten it: it has {} characters", text.chars().count())
            }
            (Some(example), _) => {
                format!("write {wanted}, such as {example}, or leave it out where none is known")
            }
            (None, _) => format!("write {wanted}, or leave it out where none is known"),
        })
    }
}

/// A literal in a message.
fn shown(literal: &str) -> String {
    const CHARS_MAX: usize = 40;
    match literal.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}...", &literal[..end]),
        None => literal.to_owned(),
    }
}

fn is_too_long(check: &Check, text: &str) -> bool {
    match check {
        Check::LimitedText(limits) => {
            limits.chars_max.is_some_and(|max| text.chars().count() > max as usize)
        }
        _ => false,
    }
}

/// What the target takes instead of the constant: "a port, 0 to 65535".
fn wanted(check: &Check, data_type: Option<&str>, constant: &Constant) -> String {
    let number = if data_type == Some("port_t") { "a port" } else { "a whole number" };
    match (check, constant) {
        (Check::LimitedText(limits), Constant::Text(text)) => {
            let TextLimits { noun, chars_max, values, .. } = &**limits;
            match chars_max {
                Some(max) if is_too_long(check, text) => {
                    format!("{noun} of at most {max} characters")
                }
                _ if values.is_empty() => (*noun).to_owned(),
                _ => {
                    let values: Vec<&str> = values.iter().map(String::as_str).collect();
                    format!("one of {}", shortened(&values))
                }
            }
        }
        (Check::Int(least, i64::MAX), _) => format!("{number}, at least {least}"),
        (Check::Int(least, most), _) => format!("{number}, {least} to {most}"),
        (Check::DurationMillis(least, most), _) => {
            format!("a duration of {least} to {most} milliseconds")
        }
        (Check::EventTime, _) => "a time between 2000 and 2100".to_owned(),
        (Check::Enum(_), _) => "one of the numbers that OCSF lists".to_owned(),
        _ => "a value of another type".to_owned(),
    }
}

fn example(data_type: Option<&str>) -> Option<&'static str> {
    Some(match data_type? {
        "email_t" => "\"ada@example.com\"",
        "mac_t" => "\"00:1b:44:11:3a:b7\"",
        "subnet_t" => "\"192.0.2.0/24\"",
        "uuid_t" => "\"123e4567-e89b-12d3-a456-426614174000\"",
        "bytestring_t" => "\"d2Vpcg==\"",
        _ => return None,
    })
}
