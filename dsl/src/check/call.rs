//! Functions: those of the engine's table, and the list functions, which bind `it`.

use std::sync::Arc;

use weir_engine::builtins::{self, Builtin, Constant, Environment, ParamKind, ResultType};
use weir_engine::plan::Meta;
use weir_engine::types::{NumberFormat, Type};

use super::Checker;
use super::expr::takes_numbers;
use super::habits;
use super::names::LoopInfo;
use super::path::Place;
use crate::ast::{self, ExprKind as Ast, PathStep};
use crate::diagnostic::Diagnostic;
use crate::hir::{Expr, ExprKind, LoopId, Path, Root};
use crate::source::Span;
use weir_engine::suggest::nearest;

/// Most paths of a program that differ.
const PATHS_MAX: usize = 512;

/// Most steps of all its paths together, on every way through their choices: nodes have numbers of 16 bits.
const PATH_STEPS_MAX: usize = 32_000;

/// Most loops and list functions of a program.
const LOOPS_MAX: usize = 1_000;

/// Functions of the language that bind `it`.
const LIST_FUNCTIONS: [&str; 3] = ["count", "any", "all"];

impl<'a> Checker<'a> {
    /// `subject |> name(args)` or `name(args)`.
    pub(super) fn call(
        &mut self,
        name: &'a ast::Name,
        subject: Option<&'a ast::Expr>,
        args: &'a [ast::Expr],
        want: Type,
        span: Span,
    ) -> Option<Expr> {
        let args: Vec<&'a ast::Expr> = subject.into_iter().chain(args).collect();
        if LIST_FUNCTIONS.contains(&name.node.as_str()) {
            return self.list_function(name, &args, span);
        }
        if name.node == "to_enum" {
            return self.misplaced_to_enum(name);
        }
        let Some(builtin) = builtins::find(&name.node) else {
            self.unknown_function(name, subject, &args, span);
            return None;
        };
        self.builtin(builtin, name, &args, want, span)
    }

    fn unknown_function(
        &mut self,
        name: &ast::Name,
        subject: Option<&ast::Expr>,
        args: &[&ast::Expr],
        call: Span,
    ) {
        let known = builtins::ALL.iter().map(|builtin| builtin.name);
        let known =
            known.chain(LIST_FUNCTIONS).chain(super::list::FOLDS).chain(["find", "to_enum"]);
        let mut report = Diagnostic::error(
            "W0102",
            name.span,
            format!("there is no function `{}`", name.node),
            "unknown function",
        );
        report = match habits::function(self.source, &name.node, name.span, subject, args, call) {
            Some(habits::Advice { help, edit: Some((span, text)) }) => {
                report.help(help).fix(format!("{} -> {text}", name.node), span, text)
            }
            Some(habits::Advice { help, edit: None }) => report.help(help),
            None => match nearest(&name.node, known) {
                Some(near) => report.help(format!("did you mean `{near}`?")).fix(
                    format!("{} -> {near}", name.node),
                    name.span,
                    near,
                ),
                None => report.help("the functions are listed in the language reference"),
            },
        };
        self.report(report);
    }

    fn builtin(
        &mut self,
        builtin: &'static Builtin,
        name: &ast::Name,
        args: &[&'a ast::Expr],
        want: Type,
        span: Span,
    ) -> Option<Expr> {
        self.argument_count(builtin, name, args.len())?;
        let whole = want == Type::Int
            && takes_numbers(builtin.name)
            && args.iter().all(|arg| self.may_be_whole(arg));
        let (mut values, mut constants) = (Vec::new(), Vec::new());
        let mut sound = true;
        for (index, arg) in args.iter().enumerate() {
            let param = builtin.params[index.min(builtin.params.len() - 1)];
            let ok = match param.kind {
                // Nothing is written there, so no argument is counted for it.
                ParamKind::Record => None,
                ParamKind::Value(ty) => self.expr(arg, ty).map(|value| values.push(value)),
                ParamKind::Number => {
                    let natural = if whole { Some(Type::Int) } else { self.natural(arg) };
                    let ty = number_type(natural);
                    self.expr(arg, ty).map(|value| values.push(value))
                }
                ParamKind::Scalar => {
                    let ty = self.natural(arg).filter(|ty| ty.element().is_none());
                    let ty = ty.unwrap_or(Type::Text);
                    self.expr(arg, ty).map(|value| values.push(value))
                }
                constant => {
                    self.constant_argument(arg, constant).map(|value| constants.push((value, *arg)))
                }
            };
            sound &= ok.is_some();
        }
        if !sound {
            return None;
        }
        self.note_time_read(builtin, args, name.span, &values);
        let plain: Vec<Constant> = constants.iter().map(|(value, _)| value.clone()).collect();
        if builtin.params.iter().any(|param| param.kind == ParamKind::Record) {
            let kind = ExprKind::Meta(Meta::RecordSha256);
            values.push(Expr { kind, ty: Type::Text, span });
        }
        let environment = Environment {
            numbers: self.numbers_of(&values),
            depth_max: self.head.input.depth_max,
            secrets: self.secrets.clone(),
        };
        match (builtin.prepare)(&plain, &environment) {
            Ok(call) => {
                self.count_pattern(call.program_bytes(), name.span)?;
                self.note_secret(builtin, &plain);
                let ty = match builtin.result {
                    ResultType::Record(_) => Type::Json,
                    ResultType::Fixed(ty) => ty,
                    ResultType::Number => widest(values.iter().map(|value| Some(value.ty))),
                };
                let call = Arc::from(call);
                let kind = ExprKind::Call { builtin, literals: plain, call, args: values };
                Some(Expr { kind, ty, span })
            }
            Err(bad) => {
                let arg = constants.get(bad.index).map(|(_, arg)| *arg);
                let whole = arg.map_or(name.span, |arg| arg.span);
                let at = arg.zip(bad.at).map_or(whole, |(arg, at)| part_of(arg, &at));
                let mut report = Diagnostic::error(bad.code, at, bad.message, "here");
                if let Some(fix) = bad.fix
                    && at != whole
                {
                    report = report.fix(format!("{} -> {fix}", self.source.slice(at)), at, fix);
                }
                if let Some(help) = bad.help {
                    report = report.help(help);
                }
                self.report(report);
                None
            }
        }
    }

    /// How numbers are written in what a function reads: as in the input, but JSON has numbers of its own.
    fn numbers_of(&self, args: &[Expr]) -> NumberFormat {
        match args {
            [Expr { kind: ExprKind::Path(path), .. }, ..] if self.is_in_json(path) => {
                NumberFormat::default()
            }
            _ => self.head.numbers,
        }
    }

    /// `.path |> timestamp` reads text; the samples of the tests may show that it is a number.
    fn note_time_read(
        &mut self,
        builtin: &Builtin,
        args: &[&'a ast::Expr],
        reader: Span,
        values: &[Expr],
    ) {
        if builtin.name == "timestamp"
            && let [subject] = args
            && let [Expr { kind: ExprKind::Path(path), .. }] = values
        {
            self.time_reads.push((path.clone(), subject.span, Some(reader)));
        }
    }

    /// Remembers the secret that an `hmac` names.
    fn note_secret(&mut self, builtin: &Builtin, constants: &[Constant]) {
        if builtin.name == "hmac"
            && let [Constant::Text(name)] = constants
            && let Some(version) = self.secrets.version(name)
        {
            self.secrets_used.insert(name.clone(), version);
        }
    }

    fn argument_count(&mut self, builtin: &Builtin, name: &ast::Name, given: usize) -> Option<()> {
        let written = || builtin.params.iter().filter(|param| param.kind != ParamKind::Record);
        let least = written().filter(|param| !param.optional).count();
        let repeated = builtin.params.last().is_some_and(|param| param.repeated);
        if given >= least && (repeated || given <= written().count()) {
            return Some(());
        }
        let names: Vec<&str> = written().map(|param| param.name).collect();
        let usage = match names.split_first() {
            Some((_, [])) => format!("x |> {}", builtin.name),
            Some((_, rest)) => format!("x |> {}({})", builtin.name, rest.join(", ")),
            None => format!("{}()", builtin.name),
        };
        self.report(
            Diagnostic::error(
                "W0103",
                name.span,
                format!(
                    "`{}` does not take {given} arguments, the one before `|>` included",
                    builtin.name
                ),
                "wrong number of arguments",
            )
            .help(format!("write `{usage}`")),
        );
        None
    }

    pub(super) fn constant_argument(
        &mut self,
        arg: &ast::Expr,
        kind: ParamKind,
    ) -> Option<Constant> {
        let constant = match (&arg.node, kind) {
            (Ast::Raw(text), ParamKind::ConstantRegex) => Some(Constant::Text(text.clone())),
            (Ast::Text(text) | Ast::Raw(text), ParamKind::ConstantText) => {
                Some(Constant::Text(text.clone()))
            }
            (Ast::Text(text), ParamKind::ConstantWord) => Some(Constant::Text(text.clone())),
            (Ast::Name(word), ParamKind::ConstantWord) => Some(Constant::Text((*word).to_string())),
            (Ast::List(items), ParamKind::ConstantTexts) => {
                let text = |item: &ast::Expr| match &item.node {
                    Ast::Text(text) => Some(text.clone()),
                    _ => None,
                };
                items.iter().map(text).collect::<Option<Vec<_>>>().map(Constant::Texts)
            }
            (Ast::Number(digits), ParamKind::ConstantInt | ParamKind::ConstantIntOrLast) => {
                digits.parse().ok().map(Constant::Int)
            }
            (Ast::Name(word), ParamKind::ConstantIntOrLast) if word == "last" => {
                Some(Constant::Last)
            }
            _ => None,
        };
        if constant.is_none() && arg.node != Ast::Error {
            let needed = match kind {
                ParamKind::ConstantText => "a constant text in quotes",
                ParamKind::ConstantWord => "a word",
                ParamKind::ConstantTexts => "a list of constant texts, `[\"a\", \"b\"]`,",
                ParamKind::ConstantRegex => "a constant pattern, `r\"...\"`,",
                ParamKind::ConstantIntOrLast => "a whole number or `last`",
                _ => "a whole number",
            };
            self.report(
                Diagnostic::error("W0302", arg.span, format!("{needed} is needed here"), "not one")
                    .help("it is read once, before the first record, so it cannot come from one"),
            );
        }
        constant
    }

    fn list_function(
        &mut self,
        name: &ast::Name,
        args: &[&'a ast::Expr],
        span: Span,
    ) -> Option<Expr> {
        let is_count = name.node == "count";
        if args.len() > 2 || args.is_empty() || (args.len() == 1 && !is_count) {
            self.report(
                Diagnostic::error(
                    "W0103",
                    name.span,
                    format!("`{}` takes a list and a condition", name.node),
                    "wrong number of arguments",
                )
                .help(format!("write `{}(.list[*], it.field == \"x\")`", name.node)),
            );
            return None;
        }
        let (array, rest) = self.list_argument(args[0])?;
        let id = self.new_loop(array.clone(), u32::MAX, args[0].span)?;
        let element = Path { root: Root::Loop(id), steps: rest };
        let condition = match args.get(1) {
            Some(condition) => {
                let outer = self.current_element.replace(element);
                let condition = self.condition(condition);
                self.current_element = outer;
                Some(Box::new(condition?))
            }
            None if element.steps.is_empty() => None,
            None => Some(Box::new(present(element, args[0].span))),
        };
        let (kind, ty) = match (name.node.as_str(), condition) {
            ("any", Some(condition)) => (ExprKind::Any(array, id, condition), Type::Bool),
            ("all", Some(condition)) => (ExprKind::All(array, id, condition), Type::Bool),
            (_, condition) => (ExprKind::Count(array, id, condition), Type::Int),
        };
        Some(Expr { kind, ty, span })
    }

    /// `.a[*].b` as the array `.a` and the steps behind the element.
    pub(super) fn list_argument(
        &mut self,
        arg: &'a ast::Expr,
    ) -> Option<(Path, Vec<crate::hir::Step>)> {
        if self.current_element.is_some() {
            self.report(
                Diagnostic::error(
                    "W0602",
                    arg.span,
                    "list functions do not nest",
                    "inside the condition of another",
                )
                .help("loop over the outer list with `each`, or give the inner answer a name with `let` in front"),
            );
            return None;
        }
        let Ast::Path { root, steps } = &arg.node else { return self.no_list(arg.span) };
        let Some(at) = steps.iter().position(|step| matches!(step, PathStep::Each(_))) else {
            return self.no_elements(arg.span);
        };
        let array = match self.place_of_array(root, &steps[..at], arg.span)? {
            Place::Path(path) => path,
            _ => return self.no_list(arg.span),
        };
        Some((array, self.steps_behind_element(&steps[at + 1..])?))
    }

    /// `.tags` where `.tags[*]` is meant.
    fn no_elements<T>(&mut self, span: Span) -> Option<T> {
        let elements = format!("{}[*]", self.source.slice(span));
        self.report(
            Diagnostic::error(
                "W0119",
                span,
                "a list function takes a path with one `[*]`",
                "one value, not the elements of a list",
            )
            .help(format!("for all elements write `{elements}`"))
            .fix("[*]", span, elements),
        );
        None
    }

    fn no_list<T>(&mut self, span: Span) -> Option<T> {
        self.report(
            Diagnostic::error(
                "W0119",
                span,
                "a list function takes a path with one `[*]`",
                "not such a path",
            )
            .help("for example `count(.steps[*], it.allowed == false)`"),
        );
        None
    }

    /// A new loop over an array.
    pub(super) fn new_loop(&mut self, array: Path, max: u32, span: Span) -> Option<LoopId> {
        self.count_path(&array, span)?;
        if self.loops.len() >= LOOPS_MAX {
            self.too_large(span, &format!("more than {LOOPS_MAX} loops and list functions"));
            return None;
        }
        let id = self.loops.len() as LoopId;
        self.loops.push(LoopInfo { array, max, span });
        Some(id)
    }

    /// Counts the distinct paths of a program: each costs a little for every record.
    pub(super) fn count_path(&mut self, path: &Path, span: Span) -> Option<()> {
        if self.paths.contains(path) {
            return Some(());
        }
        if self.paths.len() >= PATHS_MAX {
            self.too_large(span, &format!("more than {PATHS_MAX} paths"));
            return None;
        }
        // A probe of a choice is a path of its own.
        self.path_steps += 2 * path.ways_count() * path.steps.len();
        if self.path_steps > PATH_STEPS_MAX {
            self.too_large(span, &format!("paths with more than {PATH_STEPS_MAX} steps together"));
            return None;
        }
        self.paths.insert(path.clone());
        Some(())
    }

    /// W0603, once.
    pub(super) fn too_large(&mut self, span: Span, what: &str) {
        if !std::mem::replace(&mut self.is_too_large, true) {
            self.report(
                Diagnostic::error(
                    "W0603",
                    span,
                    format!("this program has {what}"),
                    "one too many",
                )
                .help("split it: one parser for each kind of log"),
            );
        }
    }

    /// The type that a function gives.
    pub(super) fn natural_of_call<'e>(
        &self,
        name: &str,
        args: impl Iterator<Item = &'e ast::Expr>,
    ) -> Option<Type> {
        match name {
            "count" => Some(Type::Int),
            "any" | "all" => Some(Type::Bool),
            _ if super::list::FOLDS.contains(&name) => Self::natural_of_fold(name),
            _ => {
                let builtin = builtins::find(name)?;
                match builtin.result {
                    ResultType::Fixed(ty) => Some(ty),
                    ResultType::Record(_) => None,
                    ResultType::Number => {
                        let numbers = args
                            .zip(builtin.params.iter())
                            .filter(|(_, param)| param.kind == ParamKind::Number);
                        Some(widest(numbers.map(|(arg, _)| self.natural(arg))))
                    }
                }
            }
        }
    }
}

/// Is it a function of this version?
pub(super) fn is_function(name: &str) -> bool {
    builtins::find(name).is_some()
        || LIST_FUNCTIONS.contains(&name)
        || super::list::FOLDS.contains(&name)
        || name == "find"
}

/// A part of a literal, by its bytes within: of a raw one it is where it stands.
pub(super) fn part_of(literal: &ast::Expr, part: &std::ops::Range<usize>) -> Span {
    let Ast::Raw(text) = &literal.node else { return literal.span };
    let start = literal.span.end - 1 - text.len() as u32;
    // An empty part is shown as the character behind it.
    let end = part.end.max(part.start + 1).min(text.len());
    Span::new(start + (part.start.min(end)) as u32, start + end as u32)
}

/// The type that a number is read as: exact, if it does not say otherwise.
fn number_type(natural: Option<Type>) -> Type {
    match natural {
        Some(ty @ (Type::Int | Type::Float)) => ty,
        _ => Type::Decimal,
    }
}

/// The type of a computation with numbers of several types.
fn widest(types: impl Iterator<Item = Option<Type>>) -> Type {
    types.map(number_type).fold(Type::Int, |widest, ty| match (widest, ty) {
        (Type::Float, _) | (_, Type::Float) => Type::Float,
        (Type::Decimal, _) | (_, Type::Decimal) => Type::Decimal,
        _ => Type::Int,
    })
}

fn present(element: Path, span: Span) -> Expr {
    let value = Expr { kind: ExprKind::Path(element), ty: Type::Json, span };
    let kind = ExprKind::Is(weir_engine::plan::Outcome::Present, false, value.into());
    Expr { kind, ty: Type::Bool, span }
}
