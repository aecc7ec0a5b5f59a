//! The template of an event: constant runs, and values between them.

use std::ops::Range;

use super::flags::FlagStep;
use super::registers::Registers;
use super::text::{Buffers, Constant, Constants, NumberBuffer, Sink};
use super::{Flag, Register, Run};
use crate::batch::{Batch, Event, RawRef, TextRange};
use crate::decimal::Decimal;
use crate::emit::{self, json};
use crate::plan::Echo;
use crate::rows::{Rows, row_bit};
use crate::simd::{Kernel, Lanes, Level};
use crate::statements;
use crate::value::Value;

/// How an event is written.
#[derive(Debug)]
pub(super) struct Template {
    /// The emit in the plan.
    pub(super) emit: u16,
    /// In the order of [`Column::ALL`](crate::plan::Column::ALL).
    pub(super) columns: [Register; 8],
    pub(super) extra: Vec<(String, Register, usize)>,
    pub(super) flags: Vec<FlagStep>,
    pub(super) pieces: Vec<Piece>,
    pub(super) constants: Constants,
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
    Text(Register),
    Number(Register, Number),
    Decimal(Register),
    /// Another value, by how it is checked.
    Value(Register, usize),
    /// The number of an enum and what follows from it, by number.
    Enum {
        value: Register,
        texts: Vec<(i64, Constant)>,
        words: Vec<Word>,
    },
}

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    Whole,
    /// Of nanoseconds the milliseconds, rounded down.
    Millis,
}

/// What follows from an enum's number, with a word for *Other*.
#[derive(Debug)]
pub(super) struct Word {
    pub(super) echo: Echo,
    pub(super) word: Register,
}

/// The number that means *Other* in every enum.
pub(super) const OTHER: i64 = 99;

impl Run<'_, '_> {
    /// Writes the events of records, of which none is left to the walk so far. Stops at the first that has to be after
    /// all: nothing of it is written then.
    pub(crate) fn write(&mut self, level: Level, rows: Range<usize>, out: &mut Batch) -> Written {
        let mut buffers = std::mem::take(self.buffers);
        let written = level.run(Write { run: self, rows, buffers: &mut buffers, out });
        *self.buffers = buffers;
        written
    }

    /// The templates of the events that a record makes.
    #[inline(always)]
    fn emits(&self, row: usize) -> impl Iterator<Item = &Template> {
        let bit = row_bit(row) & !self.dropped;
        let is_emitted = move |rows: &Rows| rows & bit != 0;
        let emits = self.program.emits.iter().zip(&*self.emitted);
        emits.filter(move |(_, rows)| is_emitted(rows)).map(|(template, _)| template)
    }

    /// `event.extra` as a JSON object; nothing if it is empty.
    fn extra(&self, template: &Template, row: usize, text: &mut Vec<u8>) {
        let start = text.len();
        for (name, register, check) in &template.extra {
            let value = self.registers.get(*register, row);
            if value == Value::Missing {
                continue;
            }
            text.push(if text.len() == start { b'{' } else { b',' });
            json::write_string(name, text);
            text.push(b':');
            json::write_value(value, &self.program.checks[*check], text);
        }
        if text.len() > start {
            text.push(b'}');
        }
    }
}

/// How far writing came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    All,
    /// This one has to be walked.
    Until(usize),
}

/// Writes the events of records.
struct Write<'t, 'r, 'a, 'w> {
    run: &'t Run<'a, 'w>,
    rows: Range<usize>,
    buffers: &'r mut Buffers,
    out: &'r mut Batch,
}

impl Kernel for Write<'_, '_, '_, '_> {
    type Output = Written;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> Written {
        let Self { run, rows, buffers, out } = self;
        let mut written = Written::All;
        let behind = out.text.len();
        let mut sink = Sink::new(buffers, behind);
        for row in rows {
            let (events, start) = (out.events.len(), sink.len());
            for template in run.emits(row) {
                let event = event(lanes, run, template, row, &mut sink);
                out.events.push(event);
                if sink.len() - start > statements::OCSF_BYTES_MAX {
                    // More than that is never kept, however many events there are.
                    break;
                }
            }
            if out.events.len() == events {
                out.dropped += 1;
                continue;
            }
            let bytes = sink.len() - start;
            let made = &out.events[events..];
            if !statements::is_within_limits(made, sink.written(), behind, bytes) {
                out.events.truncate(events);
                sink.cut(start);
                written = Written::Until(row);
                break;
            }
            out.mapped += 1;
        }
        sink.finish(&mut out.text);
        written
    }
}

/// Writes the texts of an event: its OCSF JSON, and its columns.
#[inline(always)]
fn event<L: Lanes>(
    lanes: L,
    run: &Run<'_, '_>,
    template: &Template,
    row: usize,
    sink: &mut Sink<'_>,
) -> Event {
    let registers = &run.registers;
    let [id, time, actor, action, target, cost, tokens_input, tokens_output] = template.columns;
    let extra = sink.place();
    if !template.extra.is_empty() {
        sink.by(|text| run.extra(template, row, text));
    }
    let extra = emit::text_range(extra, sink.place());
    let ocsf = sink.place();
    pieces(lanes, run, template, row, sink);
    let ocsf = emit::text_range(ocsf, sink.place());
    let bit = row_bit(row);
    let mut texts = [TextRange::default(); 4];
    for (range, column) in texts.iter_mut().zip([id, actor, action, target]) {
        let start = sink.place();
        if registers.there(column) & bit != 0 {
            sink.text(lanes, registers.text(column, row).as_bytes());
        }
        *range = emit::text_range(start, sink.place());
    }
    let [id, actor, action, target] = texts;
    let int = |column| {
        if registers.there(column) & bit != 0 { registers.number(column, row) } else { 0 }
    };
    Event {
        // A block has far fewer records than 2^32.
        record: (run.first + row) as u32,
        emit: template.emit,
        id,
        time_ns: int(time),
        actor,
        action,
        target,
        cost_usd: if registers.there(cost) & bit != 0 {
            registers.decimal(cost, row)
        } else {
            Decimal::ZERO
        },
        tokens_input: int(tokens_input),
        tokens_output: int(tokens_output),
        extra,
        ocsf,
        raw: RawRef::None,
        raw_fits_ocsf: true,
    }
}

#[inline(always)]
fn pieces<L: Lanes>(
    lanes: L,
    run: &Run<'_, '_>,
    template: &Template,
    row: usize,
    sink: &mut Sink<'_>,
) {
    let Run { registers, program, .. } = run;
    let (flags, bit) = (&run.flags[..], row_bit(row));
    let mut at = 0;
    while let Some(piece) = template.pieces.get(at) {
        at += 1;
        if flags[usize::from(piece.guard)] & bit == 0 {
            at += piece.skip;
            continue;
        }
        if piece.ends {
            sink.take_back();
        }
        let constant = template.constants.get(piece.run);
        match &piece.hole {
            Hole::Nothing => sink.run(constant),
            Hole::Text(register) => {
                sink.run_and_string(lanes, constant, registers.text(*register, row));
            }
            Hole::Number(register, number) => {
                let value = registers.number(*register, row);
                let value = match number {
                    Number::Whole => value,
                    Number::Millis => value.div_euclid(1_000_000),
                };
                sink.run_and_number(lanes, constant, NumberBuffer::default().int(value));
            }
            Hole::Decimal(register) => {
                let value = registers.decimal(*register, row);
                sink.run_and_number(lanes, constant, NumberBuffer::default().decimal(value));
            }
            Hole::Value(register, check) => {
                sink.run(constant);
                let value = registers.get(*register, row);
                sink.by(|out| {
                    json::write_value(value, &program.checks[*check], out);
                    out.push(b',');
                });
            }
            Hole::Enum { value, texts, words } => {
                sink.run(constant);
                let number = registers.number(*value, row);
                match texts.iter().find(|(of, _)| *of == number) {
                    Some((_, text)) => sink.run(template.constants.get(*text)),
                    None => other(run, registers, words, number, row, sink),
                }
            }
        }
    }
    // The comma behind the event.
    sink.take_back();
}

/// An enum's number with what follows from it, where that is not always the same.
fn other(
    run: &Run<'_, '_>,
    registers: &Registers<'_>,
    words: &[Word],
    number: i64,
    row: usize,
    sink: &mut Sink<'_>,
) {
    sink.by(|out| {
        json::write_int(number, out);
        for Word { echo, word } in words {
            let word = match echo.other {
                Some(_) if number == OTHER => registers.get(*word, row),
                _ => Value::Missing,
            };
            let word = emit::object::word(echo, word, run.arena);
            let listed = echo.texts.iter().find(|(of, _)| *of == number).map(|(_, text)| text);
            if word.is_none() && listed.is_none() {
                continue;
            }
            out.push(b',');
            out.extend_from_slice(echo.key.as_bytes());
            match (word, listed) {
                (Some(word), _) => json::write_string(word, out),
                (None, Some(text)) => out.extend_from_slice(text.as_bytes()),
                (None, None) => {}
            }
        }
        out.push(b',');
    });
}
