//! What stands at a place, in a few words.

use std::fmt::Write as _;

use weir_engine::builtins::{self, Builtin, Gives, ParamKind, ResultType};
use weir_engine::plan::Column;

use super::Document;
use super::context::{self, Block, Place};
use super::facts::{self, Pin};
use super::names::NameKind;
use super::words::keyword;
use crate::hir::{self, ExprKind, Part};
use crate::lex::Kind;
use crate::source::Span;

/// What is shown about a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hover {
    /// What it is about.
    pub span: Span,
    /// Markdown.
    pub text: String,
}

/// What stands at an offset.
pub(super) fn hover(document: &Document, offset: u32) -> Option<Hover> {
    let holds = |span: Span| span.start <= offset && offset < span.end;
    let token = document.tokens.iter().find(|token| holds(token.span))?;
    if let Some((named, span)) = document.named(offset) {
        return Some(Hover { span, text: describe_name(document, named) });
    }
    if let Some(hover) = of_path(document, offset) {
        return Some(hover);
    }
    if token.kind != Kind::Word {
        return None;
    }
    let word = document.source.slice(token.span);
    let context = context::at(&document.source, &document.tokens, token.span.end);
    let pin = Pin::of(&document.compiled.file);
    let text = match (&context.place, context.blocks.last()) {
        (Place::Class, _) => {
            facts::describe_class(pin.as_ref()?, pin.as_ref()?.schema.class(word)?)
        }
        (Place::Function, _) => of_function(word)?,
        (Place::Entry(words), Some(Block::Event)) if words.is_empty() => describe_column(word)?,
        (Place::Entry(words), Some(Block::Emit(_) | Block::Expect(_) | Block::Object(_))) => {
            let pin = pin.as_ref()?;
            let (class, mut way) = context.way()?;
            way.extend(words.iter().cloned().chain([word.to_owned()]));
            match pin.attribute(class, &way) {
                Some(attribute) => facts::describe_attribute(pin, attribute),
                None => keyword(word)?.to_owned(),
            }
        }
        (Place::Operand(None, _), _) => match of_function(word) {
            Some(text) => text,
            None => keyword(word)?.to_owned(),
        },
        _ => keyword(word)?.to_owned(),
    };
    Some(Hover { span: token.span, text })
}

/// A path: what it is read as, and an example.
fn of_path(document: &Document, offset: u32) -> Option<Hover> {
    let mut found: Option<&hir::Expr> = None;
    if let Some(program) = &document.compiled.program {
        program.for_each_part(&mut |part| {
            let Part::Expr(expr) = part else { return };
            let is_path = matches!(expr.kind, ExprKind::Path(_) | ExprKind::StringOnly(_));
            let holds = expr.span.start <= offset && offset < expr.span.end;
            let smaller = found.is_none_or(|known| {
                expr.span.end - expr.span.start < known.span.end - known.span.start
            });
            // Derived lines have the place of what they derive from: only what reads like a path is one.
            let reads = document.source.slice(expr.span).starts_with(['.', '$']);
            if is_path && holds && smaller && reads {
                found = Some(expr);
            }
        });
    }
    let expr = found?;
    let text = document.source.slice(expr.span);
    let mut description = format!("`{text}` is read as {}", expr.ty.noun());
    if let Some(example) = example(document, text) {
        let _ = write!(description, "\n\nIn your samples: `{example}`");
    }
    Some(Hover { span: expr.span, text: description })
}

/// The example of a plain path of the record.
fn example<'d>(document: &'d Document, path: &str) -> Option<&'d str> {
    let mut node = &document.sample.record;
    for key in path.strip_prefix('.')?.split('.') {
        node = node.members.get(key)?;
    }
    node.example.as_deref()
}

fn describe_name(document: &Document, named: &super::names::Named) -> String {
    let text = document.source.slice(named.item);
    let mut description = format!("```weir\n{}\n```", first_lines(text));
    let what = match named.kind {
        NameKind::Let => "a name for an expression",
        NameKind::Loop => "an element of the list",
        NameKind::Table => "a table of constants",
    };
    let _ = write!(description, "\n{what}");
    let types = document.compiled.program.iter().flat_map(|program| {
        program.lets.iter().filter(|item| named.kind == NameKind::Let && item.name == named.name)
    });
    let mut nouns: Vec<&str> = types.map(|item| item.expr.ty.noun()).collect();
    nouns.dedup();
    if !nouns.is_empty() {
        let _ = write!(description, ", read as {}", nouns.join(" and as "));
    }
    description
}

/// At most twelve lines.
fn first_lines(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().take(12).collect();
    if text.lines().count() > lines.len() {
        lines.push("...");
    }
    lines.join("\n")
}

/// `replace(text, from, to) -> text`
pub fn signature(builtin: &Builtin) -> String {
    let params: Vec<String> = builtin
        .params
        .iter()
        .map(|param| {
            let dots = if param.repeated { " ..." } else { "" };
            let question = if param.optional { "?" } else { "" };
            format!("{}{question}{dots}", param.name)
        })
        .collect();
    format!("{}({}) -> {}", builtin.name, params.join(", "), result(builtin))
}

fn result(builtin: &Builtin) -> String {
    match builtin.result {
        ResultType::Fixed(ty) => ty.noun().to_owned(),
        ResultType::Number => "a number".to_owned(),
        ResultType::Record(_) => "a record".to_owned(),
    }
}

/// What the function of a name does.
fn of_function(name: &str) -> Option<String> {
    if let Some(builtin) = builtins::find(name) {
        return Some(describe_function(builtin));
    }
    let function = builtins::forms::FORMS.iter().find(|function| function.name == name)?;
    Some(format!("```weir\n{} -> {}\n```\n{}", function.usage, function.result, function.doc))
}

/// What a function does, with examples.
pub(super) fn describe_function(builtin: &Builtin) -> String {
    let mut text = format!("```weir\n{}\n```\n{}\n\n", signature(builtin), builtin.doc);
    text.push_str(&describe_params(builtin));
    text.push_str("```weir\n");
    for example in builtin.examples {
        let gives = match example.gives {
            Gives::Text(text) => text,
            Gives::Missing => "missing",
            Gives::Invalid => "invalid",
        };
        let _ = writeln!(text, "{}  # {gives}", example.expr);
    }
    text.push_str("```");
    text
}

/// Which arguments are written in the program; empty if none is.
pub fn describe_params(builtin: &Builtin) -> String {
    let constant = builtin.params.iter().filter(|param| {
        !matches!(param.kind, ParamKind::Value(_) | ParamKind::Number | ParamKind::Scalar)
    });
    let constant: Vec<String> = constant.map(|param| format!("`{}`", param.name)).collect();
    match &constant[..] {
        [] => String::new(),
        names => {
            format!("\nWritten in the program, not read from the log: {}.\n", names.join(", "))
        }
    }
}

fn describe_column(word: &str) -> Option<String> {
    let column = Column::ALL.into_iter().find(|column| column.name() == word)?;
    let text = match column {
        Column::Id => {
            "identifies the event in its source: an id seen before is a repeat and is not stored again"
        }
        Column::Time => "when it happened, between 2000 and 2100",
        Column::Actor => "who did it",
        Column::Action => "what was done, in the words of the source",
        Column::Target => "to what",
        Column::CostUsd => "what it cost in US dollars; 0 if nothing says so",
        Column::TokensInput => "tokens that went into a model; 0 if nothing says so",
        Column::TokensOutput => "tokens that came out of a model; 0 if nothing says so",
    };
    Some(format!("**event.{word}** · {}\n\n{text}", column.ty().noun()))
}
