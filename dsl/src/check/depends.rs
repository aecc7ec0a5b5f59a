//! What an expression depends on: the loops around it, and the paths it reads.

use weir_engine::plan::RedactStep;

use super::Checker;
use crate::hir::{DerivedKind, Expr, ExprKind, LoopId, Path, Root, Step};

impl Checker<'_> {
    /// The loops whose element or position the expression reads.
    pub(super) fn loops_of(&self, expr: &Expr) -> Vec<LoopId> {
        let mut loops = Vec::new();
        self.visit(expr, &mut |part| match part.kind {
            ExprKind::Index(id) => loops.push(id),
            _ => part.path().into_iter().for_each(|path| self.note_loops(path, &mut loops)),
        });
        loops
    }

    /// Adds the loops that a path starts from.
    pub(super) fn note_loops(&self, path: &Path, loops: &mut Vec<LoopId>) {
        match path.root {
            Root::Record | Root::Wrapper => {}
            Root::Loop(id) => loops.push(id),
            Root::Derived(id) => loops.extend(&self.derived_info[id as usize].loops),
        }
    }

    /// True if the expression reads a path that `raw redact` names, or something in it or around it.
    pub(super) fn reads_redacted(&self, expr: &Expr) -> bool {
        if self.redacted.is_empty() {
            return false;
        }
        let mut found = false;
        self.visit(expr, &mut |part| {
            // What stands in the place of an array may be something else, whose text a dead letter would show.
            found |= part.path().is_some_and(|path| self.is_redacted(path));
        });
        found
    }

    /// True if a path starts, maybe by way of loops, from a record that is made from a redacted path.
    pub(super) fn is_of_redacted_record(&self, path: &Path) -> bool {
        match path.root {
            Root::Record | Root::Wrapper => false,
            Root::Loop(id) => self.is_of_redacted_record(&self.loops[id as usize].array),
            Root::Derived(id) => self.derived_info[id as usize].redacted,
        }
    }

    fn is_redacted(&self, path: &Path) -> bool {
        if self.is_of_redacted_record(path) {
            return true;
        }
        let Some(whole) = self.absolute(path) else { return false };
        self.redacted.iter().any(|redacted| {
            whole.iter().zip(redacted).all(|(step, redacted)| meets(step, redacted))
        })
    }

    /// The way from the record; `None` of an element stands for all elements.
    fn absolute(&self, path: &Path) -> Option<Vec<AnyStep>> {
        let mut way = match path.root {
            Root::Record => Vec::new(),
            Root::Wrapper => return None,
            Root::Derived(id) => match &self.derived[id as usize].kind {
                DerivedKind::Find { value, .. } => self.absolute(value)?,
                DerivedKind::Call { .. } => return None,
            },
            Root::Loop(id) => {
                let mut way = self.absolute(&self.loops[id as usize].array)?;
                way.push(AnyStep::Element);
                way
            }
        };
        way.extend(path.steps.iter().map(|step| match step {
            Step::Member(name) => AnyStep::Names(vec![name.clone()]),
            Step::Choice(names) => AnyStep::Names(names.clone()),
            Step::Element(_) | Step::Last => AnyStep::Element,
        }));
        Some(way)
    }

    /// Calls `see` for the expression and all its parts, `let`s included.
    pub(super) fn visit(&self, expr: &Expr, see: &mut dyn FnMut(&Expr)) {
        expr.walk(&mut |part| {
            see(part);
            if let ExprKind::Let(index) = part.kind {
                self.visit(&self.typed_lets[index].expr, see);
            }
        });
    }
}

enum AnyStep {
    Names(Vec<String>),
    Element,
}

fn meets(step: &AnyStep, redacted: &RedactStep) -> bool {
    match (step, redacted) {
        (AnyStep::Names(names), RedactStep::Member(name)) => names.contains(name),
        (AnyStep::Element, RedactStep::Element(_) | RedactStep::Last | RedactStep::Elements) => {
            true
        }
        _ => false,
    }
}
