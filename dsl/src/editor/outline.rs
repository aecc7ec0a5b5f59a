//! The parts of a program, for a table of contents.

use crate::ast::{Block, File, Item, Stmt};
use crate::source::{Source, Span};

/// A part of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// What it is called.
    pub name: String,
    /// What it is.
    pub kind: OutlineKind,
    /// The whole part.
    pub span: Span,
    /// Its name, or its first word.
    pub name_span: Span,
    /// The parts inside it.
    pub children: Vec<Self>,
}

/// The kinds of parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutlineKind {
    /// `input`
    Input,
    /// `table`
    Table,
    /// `let`
    Let,
    /// `event`
    Event,
    /// A branch of a `when`.
    Branch,
    /// `each`
    Loop,
    /// `emit`
    Emit,
    /// `test`
    Test,
}

/// The parts of a program in their order.
pub(super) fn outline(file: &File, source: &Source) -> Vec<Outline> {
    let input = file.input.iter().map(|input| {
        let name = format!("input {}", input.format.node);
        part(name, OutlineKind::Input, input.span, input.format.span, Vec::new())
    });
    input.chain(file.items.iter().filter_map(|item| of_item(item, source))).collect()
}

fn part(
    name: String,
    kind: OutlineKind,
    span: Span,
    name_span: Span,
    children: Vec<Outline>,
) -> Outline {
    Outline { name, kind, span: span.to(name_span), name_span, children }
}

fn of_item(item: &Item, source: &Source) -> Option<Outline> {
    match item {
        Item::Table(table) => {
            let name = format!("table {}", table.name.node);
            Some(part(name, OutlineKind::Table, table.span, table.name.span, Vec::new()))
        }
        Item::Test(test) => {
            let name = format!("test {}", test.name.node);
            Some(part(name, OutlineKind::Test, test.span, test.name.span, Vec::new()))
        }
        Item::Let(item) => Some(part(
            item.name.node.clone(),
            OutlineKind::Let,
            item.span,
            item.name.span,
            Vec::new(),
        )),
        Item::Stmt(stmt) => of_stmt(stmt, source),
        Item::Raw(_) | Item::Keep(..) => None,
    }
}

fn of_stmt(stmt: &Stmt, source: &Source) -> Option<Outline> {
    match stmt {
        Stmt::Emit(emit) => {
            let name = format!("emit {}", emit.class.node);
            Some(part(name, OutlineKind::Emit, emit.span, emit.class.span, Vec::new()))
        }
        Stmt::Event(event) => Some(part(
            "event".to_owned(),
            OutlineKind::Event,
            event.span,
            event.keyword,
            Vec::new(),
        )),
        Stmt::Each(each) => {
            let name = format!("each {}", source.slice(each.header.path.span));
            let children = of_block(&each.body, source);
            Some(part(name, OutlineKind::Loop, each.span, each.header.span, children))
        }
        Stmt::When(when) => {
            let arms = when.arms.iter().map(|(condition, block)| {
                let name = format!("when {}", source.slice(condition.span));
                (name, condition.span, block)
            });
            let otherwise =
                when.otherwise.iter().map(|block| ("else".to_owned(), block.span, block));
            let mut arms: Vec<Outline> = arms
                .chain(otherwise)
                .map(|(name, at, block)| {
                    part(name, OutlineKind::Branch, block.span, at, of_block(block, source))
                })
                .collect();
            match arms.len() {
                1 => arms.pop(),
                _ => Some(part(
                    "when".to_owned(),
                    OutlineKind::Branch,
                    when.span,
                    when.keyword,
                    arms,
                )),
            }
        }
        Stmt::Let(item) => Some(part(
            item.name.node.clone(),
            OutlineKind::Let,
            item.span,
            item.name.span,
            Vec::new(),
        )),
        Stmt::Drop(..) | Stmt::Reject(..) => None,
    }
}

fn of_block(block: &Block, source: &Source) -> Vec<Outline> {
    block.stmts.iter().filter_map(|stmt| of_stmt(stmt, source)).collect()
}
