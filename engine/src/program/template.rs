//! Emits to templates.

use std::collections::HashMap;

use super::compile::{Compiler, Unsupported, ZERO, ZERO_DECIMAL};
use super::emit::{Hole, Number, OTHER, Piece, Template, Word};
use super::flags::{ALWAYS, FlagStep, NEVER, Rule};
use super::registers::Shape;
use super::text::{Constant, Constants};
use super::{Flag, Instead, Is, Kind, Operation, Register, Step, Without};
use crate::plan::{
    self, Check, Column, Echo, Element, Emit, Expr, ExprId, Field, Handler, Member, Object,
    OutputNode, Policy,
};
use crate::tally::{column_line, extra_line, member_line};
use crate::types::Type;

/// Numbers of enums are small; larger ones are written as they come.
const ENUM_NUMBERS_MAX: usize = 256;

/// A template in the making.
struct Draft<'e> {
    emit: &'e Emit,
    /// Constant text that is not yet in a piece; whether it begins with the end of an object or list.
    pending: String,
    pending_ends: bool,
    pieces: Vec<Piece>,
    constants: Constants,
    flags: Vec<FlagStep>,
    /// Set if the guards of all objects around hold.
    guards: Flag,
    /// By the numbers of members, seen from the objects that they stand in.
    present: HashMap<u32, Flag>,
}

/// Whether an object holds anything, and whether it has all that it needs.
struct Contents {
    held: Flag,
    complete: Flag,
}

impl Draft<'_> {
    /// Puts the pending text, and what is to stand behind it, into a piece.
    fn piece(&mut self, guard: Flag, hole: Hole) {
        let pending = std::mem::take(&mut self.pending);
        let run = self.constant(&pending);
        let ends = std::mem::take(&mut self.pending_ends);
        self.pieces.push(Piece { guard, skip: 0, ends, run, hole });
    }

    fn constant(&mut self, text: &str) -> Constant {
        self.constants.add(text)
    }

    /// Puts the pending text into a piece, if there is any.
    fn flush(&mut self) {
        if !self.pending.is_empty() {
            self.piece(ALWAYS, Hole::Nothing);
        }
    }

    /// Ends an object or list: its last comma goes.
    fn end(&mut self, bracket: char) {
        if self.pending.is_empty() {
            self.pending_ends = true;
        } else if self.pending.ends_with(',') {
            self.pending.pop();
        }
        self.pending.push(bracket);
        self.pending.push(',');
    }

    /// All pieces from `open` on are there only with a flag.
    fn guard(&mut self, open: usize, flag: Flag) {
        if flag == ALWAYS {
            return;
        }
        self.flush();
        let behind = self.pieces.len() - open - 1;
        (self.pieces[open].guard, self.pieces[open].skip) = (flag, behind);
    }
}

impl Compiler<'_> {
    pub(super) fn emit(&mut self, index: u16) -> Result<Step, Unsupported> {
        let emit = &self.plan.emits[usize::from(index)];
        let start = self.start_step();
        let known = self.known.clone();
        self.columns = [None; 8];
        self.has_all_columns = false;
        self.always.clear();
        for (column, field) in Column::ALL.into_iter().zip(&emit.columns) {
            let zero = if column.ty() == Type::Decimal { ZERO_DECIMAL } else { ZERO };
            let (value, always) =
                self.field(field, column_line(column), column.ty() == Type::Text, zero)?;
            if always {
                self.always.insert(value);
            }
            // What writes an event knows what its columns are.
            let shape = self.shape(value);
            if shape != Shape::of(column.ty()) && shape != Shape::Nothing {
                return Err(Unsupported);
            }
            self.columns[column as usize] = Some(value);
        }
        self.has_all_columns = true;
        let missing = self.missing()?;
        let columns = self.columns.map(|column| column.unwrap_or(missing));
        let mut extra = Vec::new();
        for (line, (name, field)) in emit.extra.iter().enumerate() {
            let (value, _) = self.field(field, extra_line(line), true, missing)?;
            extra.push((name.clone(), value, self.check(&field.check)));
        }
        let mut draft = Draft {
            emit,
            pending: "{".to_owned(),
            pending_ends: false,
            pieces: Vec::new(),
            constants: Constants::default(),
            flags: Vec::new(),
            guards: ALWAYS,
            present: HashMap::new(),
        };
        let Contents { held, complete } = self.members(&emit.root, &mut draft)?;
        // What ends takes the comma back that stands behind what it holds.
        draft.flags.push(FlagStep::AsideUnless(held));
        draft.flags.push(FlagStep::AsideUnless(complete));
        draft.end('}');
        draft.flush();
        // What was evaluated for this event may be out of date for the next.
        self.known = known;
        self.has_all_columns = false;
        let Draft { pieces, constants, flags, .. } = draft;
        let template = Template { emit: index, columns, extra, flags, pieces, constants };
        self.program.emits.push(template);
        let operations = self.end_step(start);
        Ok(Step::Emit { operations, template: self.program.emits.len() - 1 })
    }

    fn flag(&mut self, rule: Rule, draft: &mut Draft<'_>) -> Result<Flag, Unsupported> {
        let rule = match simple(rule) {
            Ok(flag) => return Ok(flag),
            Err(rule) => rule,
        };
        let flag = Flag::try_from(self.program.flags).map_err(|_| Unsupported)?;
        self.program.flags += 1;
        draft.flags.push(FlagStep::Set(flag, rule));
        Ok(flag)
    }

    /// A line of the mapping: the register of its final value, and whether that is always there.
    fn field(
        &mut self,
        field: &Field,
        line: usize,
        empty_is_missing: bool,
        zero: Register,
    ) -> Result<(Register, bool), Unsupported> {
        let from = self.fitted(field, field.value, empty_is_missing)?;
        let instead = |policy| match policy {
            Policy::Reject => Instead::Aside,
            Policy::Skip => Instead::Nothing,
            Policy::Zero => Instead::Zero(zero),
        };
        let missing = match field.on_missing {
            Some(Handler::Skip) => Policy::Skip,
            Some(Handler::Reject) => Policy::Reject,
            Some(Handler::Value(_)) | None => field.missing,
        };
        let invalid = match field.on_invalid {
            Some(Handler::Skip) => Policy::Skip,
            // A value in place of an invalid one is rare.
            Some(Handler::Reject | Handler::Value(_)) => Policy::Reject,
            None => field.invalid,
        };
        let without = Without { missing: instead(missing), invalid: instead(invalid) };
        let always =
            missing != Policy::Skip && invalid != Policy::Skip || self.always.contains(&from);
        let or_zero = if missing == Policy::Zero || invalid == Policy::Zero {
            self.shape(zero)
        } else {
            Shape::Nothing
        };
        let settled = match field.on_missing {
            Some(Handler::Value(handler)) => {
                let handled = self.handled(field, from, handler, empty_is_missing)?;
                let shape = self.shape(from).or(self.shape(handled)).or(or_zero);
                self.push(Kind::SettleHandled { first: from, handled, line, without }, shape)?
            }
            _ if or_zero == Shape::Nothing => {
                let to = self.alias(self.place(from))?;
                let kind = Kind::Settle { from, line, without };
                self.program.operations.push(Operation { to, kind });
                to
            }
            _ => {
                let shape = self.shape(from).or(or_zero);
                self.push(Kind::Settle { from, line, without }, shape)?
            }
        };
        Ok((settled, always))
    }

    /// What a handler gives; evaluated only without a value.
    fn handled(
        &mut self,
        field: &Field,
        first: Register,
        handler: ExprId,
        empty_is_missing: bool,
    ) -> Result<Register, Unsupported> {
        let jump = self.program.operations.len();
        let kind = Kind::Within(first, Is::Missing, 0);
        self.program.operations.push(Operation { to: first, kind });
        let known = self.known.clone();
        let value = self.fitted(field, handler, empty_is_missing)?;
        self.jump_to_here(jump);
        self.known = known;
        Ok(value)
    }

    fn fitted(
        &mut self,
        field: &Field,
        value: ExprId,
        empty_is_missing: bool,
    ) -> Result<Register, Unsupported> {
        let from = self.value(value)?;
        let may_be_empty = empty_is_missing && !self.is_never_empty(value);
        let wanted = fitting(&field.check);
        // What the walk evaluates may be of any shape, though it fits.
        if !may_be_empty && self.shape(from) == wanted && self.always_fits(value, &field.check) {
            return Ok(from);
        }
        let check = self.check(&field.check);
        let kind = Kind::Fit { from, check, empty_is_missing };
        if self.shape(from) != wanted || wanted == Shape::Any {
            return self.push(kind, wanted);
        }
        let to = self.alias(self.place(from))?;
        self.program.operations.push(Operation { to, kind });
        Ok(to)
    }

    /// Is it never the empty text? One that the author wrote is a value.
    fn is_never_empty(&self, value: ExprId) -> bool {
        let reads = matches!(self.plan.exprs[value as usize], Expr::Read(..) | Expr::ReadString(_));
        reads && self.plan.input.empty_is_missing
    }

    /// Is every value of an expression one that fits?
    fn always_fits(&self, value: ExprId, check: &Check) -> bool {
        match (&self.plan.exprs[value as usize], check) {
            (Expr::Read(_, Type::Text) | Expr::ReadString(_) | Expr::Concat(_), Check::Text)
            | (
                Expr::Column(Column::Id | Column::Actor | Column::Action | Column::Target),
                Check::Text,
            )
            | (
                Expr::Column(Column::Time),
                Check::EventTime | Check::EpochMillis | Check::Rfc3339,
            )
            | (Expr::Column(Column::CostUsd), Check::Decimal)
            | (Expr::Constant(plan::Constant::Text(_)), Check::Text) => true,
            (Expr::Constant(plan::Constant::Int(number)), Check::Enum(numbers)) => {
                numbers.contains(number)
            }
            (Expr::Register(register), _) => {
                self.always_fits(self.plan.registers[*register as usize].expr, check)
            }
            (Expr::Coalesce(left, right) | Expr::If(_, left, right), _) => {
                self.always_fits(*left, check) && self.always_fits(*right, check)
            }
            (Expr::Match(arms), _) => {
                let mut all = arms.arms.iter().chain([&arms.otherwise]);
                all.all(|arm| self.always_fits(*arm, check))
            }
            _ => false,
        }
    }

    /// Compiles the members of an object, each with a comma behind it.
    fn members(&mut self, object: &Object, draft: &mut Draft<'_>) -> Result<Contents, Unsupported> {
        let mut held = Vec::new();
        for member in &object.members {
            let flag = if member.filler {
                let held = self.flag(Rule::Any(held.clone()), draft)?;
                self.filler(member, held, draft)?
            } else {
                let flag = self.member(member, draft)?;
                held.push(flag);
                flag
            };
            for other in &member.unless {
                if let Some(other) = draft.present.get(other) {
                    draft.flags.push(FlagStep::AsideIf(vec![flag, *other]));
                }
            }
            draft.present.insert(member.present, flag);
        }
        let held = self.flag(Rule::Any(held), draft)?;
        let complete = if object.is_complete { ALWAYS } else { self.complete(object, draft)? };
        Ok(Contents { held, complete })
    }

    fn complete(&mut self, object: &Object, draft: &mut Draft<'_>) -> Result<Flag, Unsupported> {
        let required = object.members.iter().filter(|member| member.required);
        let mut all: Vec<_> = required.map(|member| draft.present[&member.present]).collect();
        for ways in &object.at_least_one {
            let mut any = Vec::new();
            for way in ways {
                any.extend(self.way(object, *way, draft)?);
            }
            all.push(self.flag(Rule::Any(any), draft)?);
        }
        self.flag(Rule::All(all), draft)
    }

    /// The flag of a member of an object, or of objects in it; none if it has no such member.
    fn way(
        &mut self,
        object: &Object,
        number: u32,
        draft: &mut Draft<'_>,
    ) -> Result<Option<Flag>, Unsupported> {
        for member in &object.members {
            if member.present == number {
                return Ok(draft.present.get(&number).copied());
            }
            if let OutputNode::Object(below) = &member.node
                && let Some(flag) = self.way(below, number, draft)?
            {
                let around = draft.present[&member.present];
                return self.flag(Rule::All(vec![around, flag]), draft).map(Some);
            }
        }
        Ok(None)
    }

    fn filler(
        &mut self,
        member: &Member,
        held: Flag,
        draft: &mut Draft<'_>,
    ) -> Result<Flag, Unsupported> {
        let OutputNode::Constant(text) = &member.node else { return Err(Unsupported) };
        if held != ALWAYS {
            draft.flush();
        }
        draft.pending.push_str(&member.key);
        draft.pending.push_str(text);
        draft.pending.push(',');
        if held != ALWAYS {
            draft.piece(held, Hole::Nothing);
        }
        Ok(held)
    }

    fn member(&mut self, member: &Member, draft: &mut Draft<'_>) -> Result<Flag, Unsupported> {
        let line = member_line(draft.emit, member.present);
        match &member.node {
            OutputNode::Constant(text) => {
                draft.pending.push_str(&member.key);
                draft.pending.push_str(text);
                draft.pending.push(',');
                Ok(ALWAYS)
            }
            OutputNode::Value(field) => {
                let (value, always) = self.field(field, line, false, ZERO)?;
                let hole = match (self.shape(value), &field.check) {
                    (Shape::Text | Shape::Ip, _) => Hole::Text(value),
                    (Shape::Int, _) => Hole::Number(value, Number::Whole),
                    (Shape::Timestamp, Check::EventTime | Check::EpochMillis)
                    | (Shape::Duration, _) => Hole::Number(value, Number::Millis),
                    (Shape::Decimal, _) => Hole::Decimal(value),
                    (_, check) => Hole::Value(value, self.check(check)),
                };
                self.hole(member, value, always, hole, draft)
            }
            OutputNode::Enum(field, echoes) => {
                let (value, always) = self.field(field, line, false, ZERO)?;
                let hole = match (self.shape(value), &field.check) {
                    (Shape::Int, Check::Enum(numbers)) => {
                        let texts = enum_texts(numbers, echoes, draft);
                        Hole::Enum { value, texts, words: self.words(value, echoes)? }
                    }
                    // A text is its own caption.
                    (Shape::Text, _) => Hole::Text(value),
                    _ => return Err(Unsupported),
                };
                self.hole(member, value, always, hole, draft)
            }
            OutputNode::Object(object) => self.object(&member.key, object, line, draft),
            OutputNode::List(elements) => self.list(member, elements, line, draft),
        }
    }

    /// The words that stand for *Other*; evaluated only for that.
    fn words(&mut self, value: Register, echoes: &[Echo]) -> Result<Vec<Word>, Unsupported> {
        let mut words = Vec::new();
        for echo in echoes {
            let missing = self.missing()?;
            let word = match echo.other {
                None => missing,
                Some(other) => {
                    let jump = self.program.operations.len();
                    let kind = Kind::Within(value, Is::Number(OTHER), 0);
                    self.program.operations.push(Operation { to: value, kind });
                    let known = self.known.clone();
                    let word = self.value(other)?;
                    self.jump_to_here(jump);
                    self.known = known;
                    word
                }
            };
            words.push(Word { echo: echo.clone(), word });
        }
        Ok(words)
    }

    /// A value behind its key.
    fn hole(
        &mut self,
        member: &Member,
        value: Register,
        always: bool,
        hole: Hole,
        draft: &mut Draft<'_>,
    ) -> Result<Flag, Unsupported> {
        let flag = if always { ALWAYS } else { self.flag(Rule::Present(value), draft)? };
        if !always {
            draft.flush();
        }
        draft.pending.push_str(&member.key);
        draft.piece(flag, hole);
        Ok(flag)
    }

    fn object(
        &mut self,
        key: &str,
        object: &Object,
        line: usize,
        draft: &mut Draft<'_>,
    ) -> Result<Flag, Unsupported> {
        draft.flush();
        let open = draft.pieces.len();
        draft.pending.push_str(key);
        draft.pending.push('{');
        let mut known = None;
        let guard = match object.guard {
            None => ALWAYS,
            Some(guard) => {
                let guard = self.value(guard)?;
                // Without it nothing in the object is evaluated.
                let jump = self.program.operations.len();
                let kind = Kind::Within(guard, Is::True, 0);
                self.program.operations.push(Operation { to: guard, kind });
                known = Some((jump, self.known.clone()));
                self.flag(Rule::True(guard), draft)?
            }
        };
        let around = draft.guards;
        draft.guards = self.flag(Rule::All(vec![around, guard]), draft)?;
        let Contents { held, complete } = self.members(object, draft)?;
        let guards = std::mem::replace(&mut draft.guards, around);
        if let Some((jump, known)) = known {
            self.jump_to_here(jump);
            self.known = known;
        }
        draft.end('}');
        let there = self.flag(Rule::All(vec![guard, held, complete]), draft)?;
        if complete != ALWAYS {
            draft.flags.push(FlagStep::Incomplete { held, there, guards, line });
        }
        draft.guard(open, there);
        Ok(there)
    }

    fn list(
        &mut self,
        member: &Member,
        elements: &[Element],
        line: usize,
        draft: &mut Draft<'_>,
    ) -> Result<Flag, Unsupported> {
        draft.flush();
        let open = draft.pieces.len();
        draft.pending.push_str(&member.key);
        draft.pending.push('[');
        draft.flush();
        let mut any = Vec::new();
        for element in elements {
            let Element::One(object) = element else { return Err(Unsupported) };
            any.push(self.object("", object, line, draft)?);
        }
        draft.end(']');
        let there = self.flag(Rule::Any(any), draft)?;
        draft.guard(open, there);
        Ok(there)
    }
}

/// What values that fit are.
fn fitting(check: &Check) -> Shape {
    match check {
        Check::Text | Check::LimitedText(_) => Shape::Text,
        Check::Int(..) | Check::Enum(_) => Shape::Int,
        Check::Decimal => Shape::Decimal,
        Check::Bool => Shape::Bool,
        Check::EventTime | Check::EpochMillis | Check::Rfc3339 => Shape::Timestamp,
        Check::DurationMillis(..) => Shape::Duration,
        Check::Ip => Shape::Ip,
        Check::Float | Check::Json | Check::List(_) => Shape::Any,
    }
}

/// A flag that is no new one.
fn simple(rule: Rule) -> Result<Flag, Rule> {
    match rule {
        Rule::All(mut all) => {
            all.retain(|flag| *flag != ALWAYS);
            match all[..] {
                [] => Ok(ALWAYS),
                [one] => Ok(one),
                _ if all.contains(&NEVER) => Ok(NEVER),
                _ => Err(Rule::All(all)),
            }
        }
        Rule::Any(mut any) => {
            any.retain(|flag| *flag != NEVER);
            match any[..] {
                [] => Ok(NEVER),
                [one] => Ok(one),
                _ if any.contains(&ALWAYS) => Ok(ALWAYS),
                _ => Err(Rule::Any(any)),
            }
        }
        rule => Err(rule),
    }
}

/// By number all that is written for it; nothing for one that has a word of its own, or is too large to be looked up.
fn enum_texts(numbers: &[i64], echoes: &[Echo], draft: &mut Draft<'_>) -> Vec<Option<Constant>> {
    let has_word = |number: i64| number == OTHER && echoes.iter().any(|echo| echo.other.is_some());
    let mut texts = Vec::new();
    for &number in numbers.iter().filter(|number| !has_word(**number)) {
        let Some(at) = usize::try_from(number).ok().filter(|at| *at < ENUM_NUMBERS_MAX) else {
            continue;
        };
        let mut text = format!("{number},");
        for echo in echoes {
            if let Some((_, listed)) = echo.texts.iter().find(|(of, _)| *of == number) {
                text.extend([echo.key.as_str(), listed.as_str(), ","]);
            }
        }
        texts.resize(texts.len().max(at + 1), None);
        texts[at] = Some(draft.constant(&text));
    }
    texts
}
