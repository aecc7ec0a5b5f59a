//! Where each name of a program is defined, and where it is used.
//!
//! The names of a program are its tables, `let`s and loop variables. A name is defined once on the way from the file to
//! its block, so the innermost definition that is in scope is the one that is meant.

use std::fmt;

use super::Document;
use crate::ast::{
    Block, Entry, Event, EventEntry, Expr, ExprKind, File, HandlerAction, Item, Let, Loop, Name,
    ObjectBlock, PathRoot, RawKind, Stmt, Value,
};
use crate::lex::Kind;
use crate::parse::is_reserved;
use crate::source::Span;

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameKind {
    Let,
    Loop,
    Table,
}

/// A name with its places.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) kind: NameKind,
    /// Where it is defined.
    pub(super) definition: Span,
    /// The whole `let`, loop or table.
    pub(super) item: Span,
    /// From where to where it can be used.
    pub(super) scope: Span,
    /// What a `let` stands for, or the list of a loop.
    pub(super) value: Option<Expr>,
    /// In the order of the text.
    pub(super) uses: Vec<Span>,
}

impl Named {
    /// All its places, the definition first.
    pub(super) fn places(&self) -> impl Iterator<Item = Span> + '_ {
        std::iter::once(self.definition).chain(self.uses.iter().copied())
    }
}

/// Why a name cannot be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RenameError {
    /// There is no name of the program at the place.
    NoName,
    /// This is no name.
    NotAName(String),
    /// It has a meaning already where the name is used.
    Taken(String),
}

impl fmt::Display for RenameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoName => {
                f.write_str("only tables, `let`s and loop variables have names that can be changed")
            }
            Self::NotAName(name) => {
                write!(f, "`{name}` is no name: a name is made of letters, digits and `_`")
            }
            Self::Taken(name) => write!(f, "the name `{name}` is already taken"),
        }
    }
}

impl std::error::Error for RenameError {}

/// The names of a program.
pub(super) fn collect(file: &File) -> Vec<Named> {
    let mut walk = Walk::default();
    let tables = file.items.iter().filter_map(|item| match item {
        Item::Table(table) => Some(table),
        _ => None,
    });
    for table in tables {
        walk.define(&table.name, NameKind::Table, table.span, None);
    }
    for item in &file.items {
        walk.item(item);
    }
    walk.leave(0, u32::MAX);
    walk.names
}

/// The edits of a renaming.
pub(super) fn rename(
    document: &Document,
    offset: u32,
    to: &str,
) -> Result<Vec<(Span, String)>, RenameError> {
    let (named, _) = document.named(offset).ok_or(RenameError::NoName)?;
    let (tokens, _) = crate::lex::lex(to);
    let is_word = matches!(&tokens[..], [token] if token.kind == Kind::Word && token.span.range() == (0..to.len()));
    if !is_word {
        return Err(RenameError::NotAName(to.to_owned()));
    }
    let overlaps = |other: &Named| {
        other.name == to
            && other.scope.start < named.scope.end
            && named.scope.start < other.scope.end
    };
    let given = ["it", "index", "last", "meta"].contains(&to);
    if given || is_reserved(to) || document.names.iter().any(overlaps) {
        return Err(RenameError::Taken(to.to_owned()));
    }
    Ok(named.places().map(|place| (place, to.to_owned())).collect())
}

#[derive(Default)]
struct Walk {
    names: Vec<Named>,
    /// Indices of the names in scope, innermost last.
    in_scope: Vec<usize>,
}

impl Walk {
    fn define(&mut self, name: &Name, kind: NameKind, item: Span, value: Option<&Expr>) {
        self.in_scope.push(self.names.len());
        self.names.push(Named {
            name: name.node.clone(),
            kind,
            definition: name.span,
            item,
            scope: Span::new(if kind == NameKind::Table { 0 } else { item.end }, u32::MAX),
            value: value.cloned(),
            uses: Vec::new(),
        });
    }

    /// Forgets the names defined since, for they end here.
    fn leave(&mut self, mark: usize, end: u32) {
        for index in self.in_scope.drain(mark..) {
            self.names[index].scope.end = end;
        }
    }

    fn use_of(&mut self, name: &str, place: Span) {
        let found = self.in_scope.iter().rev().find(|&&index| self.names[index].name == name);
        if let Some(&index) = found {
            self.names[index].uses.push(place);
        }
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Table(_) | Item::Test(_) => {}
            Item::Raw(raw) => {
                if let RawKind::Redact(paths) = &raw.kind {
                    paths.iter().for_each(|path| self.expr(path));
                }
            }
            Item::Keep(condition, _) => self.expr(condition),
            Item::Let(item) => self.let_item(item),
            Item::Stmt(stmt) => self.stmt(stmt),
        }
    }

    fn let_item(&mut self, item: &Let) {
        self.expr(&item.expr);
        self.define(&item.name, NameKind::Let, item.span, Some(&item.expr));
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Drop(condition, _) => {
                if let Some(condition) = condition {
                    self.expr(condition);
                }
            }
            Stmt::Reject(..) => {}
            Stmt::When(when) => {
                for (condition, block) in &when.arms {
                    self.expr(condition);
                    self.block(block);
                }
                if let Some(block) = &when.otherwise {
                    self.block(block);
                }
            }
            Stmt::Each(each) => {
                let mark = self.enter_loop(&each.header);
                self.block(&each.body);
                self.leave(mark, each.body.span.end);
            }
            Stmt::Emit(emit) => self.entries(&emit.entries, emit.span.end),
            Stmt::Event(event) => self.event(event),
            Stmt::Let(item) => self.let_item(item),
        }
    }

    fn block(&mut self, block: &Block) {
        let mark = self.in_scope.len();
        for stmt in &block.stmts {
            self.stmt(stmt);
        }
        self.leave(mark, block.span.end);
    }

    fn enter_loop(&mut self, header: &Loop) -> usize {
        self.expr(&header.path);
        let mark = self.in_scope.len();
        self.define(&header.name, NameKind::Loop, header.span, Some(&header.path));
        mark
    }

    fn event(&mut self, event: &Event) {
        let mark = self.in_scope.len();
        for entry in &event.entries {
            match entry {
                EventEntry::Let(item) => self.let_item(item),
                EventEntry::Column { value, .. } => self.value(value),
            }
        }
        self.leave(mark, event.span.end);
    }

    fn entries(&mut self, entries: &[Entry], end: u32) {
        let mark = self.in_scope.len();
        for entry in entries {
            match entry {
                Entry::Event(event) => self.event(event),
                Entry::Let(item) => self.let_item(item),
                Entry::Add { header, object, .. } => {
                    let mark = match header {
                        Some(header) => self.enter_loop(header),
                        None => self.in_scope.len(),
                    };
                    self.object(object);
                    self.leave(mark, object.span.end);
                }
                Entry::Object { object, .. } => self.object(object),
                Entry::Assign { value, .. } => self.value(value),
            }
        }
        self.leave(mark, end);
    }

    fn object(&mut self, object: &ObjectBlock) {
        self.entries(&object.entries, object.span.end);
    }

    fn value(&mut self, value: &Value) {
        self.expr(&value.expr);
        for handler in &value.handlers {
            if let HandlerAction::Value(expr) = &handler.action {
                self.expr(expr);
            }
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.node {
            ExprKind::Name(name) => self.use_of(name, expr.span),
            ExprKind::Path { root: PathRoot::Name(name), .. } => {
                self.use_of(&name.node, name.span);
            }
            _ => {}
        }
        expr.node.for_each_part(&mut |part| self.expr(part));
    }
}
