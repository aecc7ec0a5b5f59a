//! The template of an event: constant runs, and values between them.

use std::ops::Range;

use super::flags::FlagStep;
use super::text::{Constant, Constants, Sink};
use super::{Aside, Count, Flag, Register, Run};
use crate::batch::{Event, RawRef, TextRange};
use crate::decimal::Decimal;
use crate::emit::{self, json};
use crate::eval::column_index;
use crate::plan::{Check, Column, Echo};
use crate::simd::{Kernel, Lanes};
use crate::value::Value;

/// How an event is written.
#[derive(Debug)]
pub(super) struct Template {
    /// The emit in the plan.
    pub(super) emit: u16,
    pub(super) extra: Vec<(String, Register, usize)>,
    pub(super) flags: Vec<FlagStep>,
    pub(super) pieces: Vec<Piece>,
    pub(super) constants: Constants,
    /// How much text the constants are together.
    pub(super) constant_bytes: usize,
}

/// A step of a template. Everything in an object ends with a comma; the end of the object takes the last one back.
#[derive(Debug)]
pub(super) struct Piece {
    /// Without this flag the piece is left out, and so many behind it.
    pub(super) guard: Flag,
    pub(super) skip: usize,
    /// An object or list ends here.
    pub(super) ends: bool,
    pub(super) run: Constant,
    pub(super) hole: Hole,
}

/// What stands behind the constant run of a piece.
#[derive(Debug)]
pub(super) enum Hole {
    Nothing,
    Value(Register, usize),
    /// The number of an enum and what follows from it, by number.
    Enum {
        value: Register,
        texts: Vec<(i64, Constant)>,
        echoes: Vec<Echo>,
    },
}

/// The number that means *Other* in every enum.
pub(super) const OTHER: i64 = 99;

impl<'a> Run<'_, '_, 'a, '_> {
    /// Makes an event from registers.
    pub(super) fn emit(&mut self, template: &Template) -> Result<(), Aside> {
        self.set_flags(&template.flags)?;
        let extra = self.extra(template);
        let level = self.level;
        let columns = Columns::of(self);
        let ranges = level.run(Write { run: self, template, columns });
        let [id, actor, action, target, ocsf] = ranges?;
        self.out.events.push(Event {
            record: self.record,
            emit: template.emit,
            id,
            time_ns: columns.time_ns,
            actor,
            action,
            target,
            cost_usd: columns.cost_usd,
            tokens_input: columns.tokens_input,
            tokens_output: columns.tokens_output,
            extra,
            ocsf,
            raw: RawRef::None,
            raw_fits_ocsf: true,
        });
        self.counts.push(Count::Emit(template.emit));
        Ok(())
    }

    /// `event.extra` as a JSON object; nothing if it is empty.
    fn extra(&mut self, template: &Template) -> TextRange {
        let start = self.out.text.len();
        for (name, register, check) in &template.extra {
            let value = self.value(*register);
            if value == Value::Missing {
                continue;
            }
            let text = &mut self.out.text;
            text.push(if text.len() == start { b'{' } else { b',' });
            json::write_string(name, text);
            text.push(b':');
            json::write_value(value, &self.program.checks[*check], text);
        }
        if self.out.text.len() > start {
            self.out.text.push(b'}');
        }
        emit::text_range(start, self.out.text.len())
    }
}

/// The columns of an event.
#[derive(Clone, Copy)]
struct Columns<'a> {
    texts: [&'a str; 4],
    time_ns: i64,
    cost_usd: Decimal,
    tokens_input: i64,
    tokens_output: i64,
}

impl<'a> Columns<'a> {
    fn of(run: &Run<'_, '_, 'a, '_>) -> Self {
        let column = |column| run.machine.columns[column_index(column)];
        let text = |of| if let Value::Text(text) = column(of) { text } else { "" };
        let int = |of| if let Value::Int(number) = column(of) { number } else { 0 };
        Self {
            texts: [Column::Id, Column::Actor, Column::Action, Column::Target].map(text),
            time_ns: if let Value::Timestamp(ns) = column(Column::Time) { ns } else { 0 },
            cost_usd: match column(Column::CostUsd) {
                Value::Decimal(cost) => cost,
                _ => Decimal::ZERO,
            },
            tokens_input: int(Column::TokensInput),
            tokens_output: int(Column::TokensOutput),
        }
    }
}

/// Writes an event's texts: its columns, and its OCSF JSON.
struct Write<'t, 'r, 'p, 'm, 'a, 'w> {
    run: &'t mut Run<'p, 'm, 'a, 'w>,
    template: &'r Template,
    columns: Columns<'a>,
}

impl Kernel for Write<'_, '_, '_, '_, '_, '_> {
    type Output = Result<[TextRange; 5], Aside>;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> Self::Output {
        let Self { run, template, columns } = self;
        let columns_bytes: usize = columns.texts.iter().map(|text| text.len()).sum();
        let mut text = std::mem::take(&mut run.out.text);
        let mut sink = Sink::new(&mut text, template.constant_bytes + columns_bytes + 512);
        let ocsf = pieces(lanes, run, template, &mut sink);
        let mut ranges = [TextRange::default(); 5];
        for (range, column) in ranges.iter_mut().zip(columns.texts) {
            let start = sink.len();
            sink.text(lanes, column.as_bytes());
            *range = emit::text_range(start, sink.len());
        }
        sink.finish();
        run.out.text = text;
        let ocsf = ocsf?;
        ranges[4] = emit::text_range(ocsf.start, ocsf.end);
        Ok(ranges)
    }
}

#[inline(always)]
fn pieces<L: Lanes>(
    lanes: L,
    run: &mut Run<'_, '_, '_, '_>,
    template: &Template,
    sink: &mut Sink<'_>,
) -> Result<Range<usize>, Aside> {
    let start = sink.len();
    let mut at = 0;
    while let Some(piece) = template.pieces.get(at) {
        at += 1;
        if !run.flag(piece.guard) {
            at += piece.skip;
            continue;
        }
        if piece.ends {
            sink.take_back();
        }
        sink.constant(&template.constants, piece.run);
        match &piece.hole {
            Hole::Nothing => {}
            Hole::Value(register, check) => {
                value(lanes, run.value(*register), &run.program.checks[*check], sink);
                sink.byte(b',');
            }
            Hole::Enum { value, texts, echoes } => {
                let Value::Int(number) = run.value(*value) else { return Err(Aside) };
                let known = texts.iter().find(|(of, _)| *of == number);
                match known {
                    Some((_, text)) => sink.constant(&template.constants, *text),
                    None => other(lanes, run, echoes, number, sink),
                }
            }
        }
    }
    // The comma behind the event.
    sink.take_back();
    Ok(start..sink.len())
}

#[inline(always)]
fn value<L: Lanes>(lanes: L, value: Value<'_>, check: &Check, sink: &mut Sink<'_>) {
    match (value, check) {
        (Value::Text(text), _) => sink.string(lanes, text),
        (Value::Int(number), _) => sink.int(lanes, number),
        (Value::Decimal(number), _) => sink.decimal(lanes, number),
        (Value::Timestamp(ns), Check::EventTime | Check::EpochMillis) => {
            sink.int(lanes, ns.div_euclid(1_000_000));
        }
        (Value::Json(text), _) => sink.text(lanes, text.as_bytes()),
        (value, check) => sink.by(|out| json::write_value(value, check, out)),
    }
}

/// An enum's number with what follows from it, where that is not always the same.
#[inline(always)]
fn other<L: Lanes>(
    lanes: L,
    run: &mut Run<'_, '_, '_, '_>,
    echoes: &[Echo],
    number: i64,
    sink: &mut Sink<'_>,
) {
    sink.int(lanes, number);
    for echo in echoes {
        echoed(run, echo, number, sink);
    }
    sink.byte(b',');
}

fn echoed(run: &mut Run<'_, '_, '_, '_>, echo: &Echo, number: i64, sink: &mut Sink<'_>) {
    let word = match echo.other {
        Some(other) if number == OTHER => run.machine.eval(other),
        _ => Value::Missing,
    };
    let word = emit::object::word(echo, word, run.machine.arena);
    let listed = echo.texts.iter().find(|(of, _)| *of == number).map(|(_, text)| text);
    if word.is_none() && listed.is_none() {
        return;
    }
    sink.by(|out| {
        out.push(b',');
        out.extend_from_slice(echo.key.as_bytes());
        match (word, listed) {
            (Some(word), _) => json::write_string(word, out),
            (None, Some(text)) => out.extend_from_slice(text.as_bytes()),
            (None, None) => {}
        }
    });
}
