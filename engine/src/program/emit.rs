//! The template of an event: constant runs, and values between them.

use std::ops::Range;

use super::digits::{write_decimal, write_int};
use super::flags::FlagStep;
use super::layout::{Joined, Layout};
use super::registers::Registers;
use super::text::{Constant, Constants};
use super::{Flag, Register, Run};
use crate::batch::{Batch, Event, RawRef, TextRange};
use crate::decimal::Decimal;
use crate::emit::{self, json};
use crate::plan::{Check, Echo};
use crate::rows::{Rows, row_bit};
use crate::simd::sink::{Padded, STRING_END, Sink};
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
        texts: Vec<Option<Constant>>,
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

/// How many columns are texts.
const TEXTS: usize = 4;

/// Where an event holds the texts of columns; empty where it does not.
type Places = [Range<usize>; TEXTS];

/// What is written of a batch: its templates, bound to the columns of its records.
pub(crate) struct Writer<'r, 'a, 'w> {
    run: &'r Run<'a, 'w>,
    emits: Vec<Bound<'r>>,
}

/// A template with the values of all records.
struct Bound<'r> {
    template: &'r Template,
    /// The records that make this event.
    rows: Rows,
    pieces: Vec<BoundPiece<'r>>,
    /// `event.id`, `event.actor`, `event.action`, `event.target`
    texts: [Cells<'r, &'r str>; TEXTS],
    time: Cells<'r, i64>,
    cost: Cells<'r, Decimal>,
    tokens: [Cells<'r, i64>; 2],
}

/// Some joined pieces.
struct BoundPiece<'r> {
    /// Where they are not there, so many pieces behind them are left out too.
    rows: Rows,
    skip: usize,
    ends: bool,
    run: Padded<'r>,
    hole: BoundHole<'r>,
}

/// What stands behind the constant run, by record.
enum BoundHole<'r> {
    Nothing,
    /// And in which of the columns it stands too, `TEXTS` if in none.
    Text(&'r [&'r str], u8),
    Whole(&'r [i64]),
    Millis(&'r [i64]),
    Decimal(&'r [Decimal]),
    Enum(&'r [i64], &'r [Option<Constant>], &'r [Word]),
    Value(Register, &'r Check),
}

/// The values of a register.
struct Cells<'r, T> {
    there: Rows,
    cells: &'r [T],
}

impl<T: Copy + Default> Cells<'_, T> {
    #[inline(always)]
    fn get(&self, row: usize) -> Option<T> {
        if self.there & row_bit(row) == 0 { None } else { self.cells.get(row).copied() }
    }
}

impl<'a, 'w> Run<'a, 'w> {
    /// Lays the templates out as it suits the records that make events.
    pub(super) fn lay_out(&mut self) {
        let mut layouts = std::mem::take(self.layouts);
        layouts.resize_with(self.program.emits.len(), Layout::default);
        for (template, (layout, rows)) in
            self.program.emits.iter().zip(layouts.iter_mut().zip(&*self.emitted))
        {
            let rows = rows & self.written();
            if rows != 0 {
                layout.suit(template, self, rows);
            }
        }
        *self.layouts = layouts;
    }

    /// The records whose events are written.
    fn written(&self) -> Rows {
        !(self.dropped | self.aside)
    }

    /// How the events are written.
    pub(crate) fn writer(&self) -> Writer<'_, 'a, 'w> {
        let emits = self.program.emits.iter().zip(&*self.layouts).zip(&*self.emitted);
        let emits =
            emits.map(|((template, layout), rows)| (template, layout, rows & self.written()));
        let made = emits.filter(|(.., rows)| *rows != 0);
        Writer {
            run: self,
            emits: made
                .map(|(template, layout, rows)| self.bound(template, layout, rows))
                .collect(),
        }
    }

    fn bound<'r>(&'r self, template: &'r Template, layout: &'r Layout, rows: Rows) -> Bound<'r> {
        let [id, time, actor, action, target, cost, tokens_input, tokens_output] = template.columns;
        let texts = |column| self.cells(column, Registers::texts);
        let numbers = |column| self.cells(column, Registers::numbers);
        let pieces = layout.pieces.iter();
        Bound {
            template,
            rows,
            pieces: pieces.map(|piece| self.bound_piece(template, layout, piece)).collect(),
            texts: [id, actor, action, target].map(texts),
            time: numbers(time),
            cost: self.cells(cost, Registers::decimals),
            tokens: [tokens_input, tokens_output].map(numbers),
        }
    }

    fn cells<'r, T>(
        &'r self,
        column: Register,
        cells: impl Fn(&'r Registers<'a>, Register) -> &'r [T],
    ) -> Cells<'r, T> {
        let there = self.registers.there(column);
        // One that has no value at all may have no cells.
        let cells = if there == 0 { &[] } else { cells(&self.registers, column) };
        Cells { there, cells }
    }

    fn bound_piece<'r>(
        &'r self,
        template: &'r Template,
        layout: &'r Layout,
        piece: &Joined,
    ) -> BoundPiece<'r> {
        let registers = &self.registers;
        let hole = match piece.hole.map_or(&Hole::Nothing, |number| &template.pieces[number].hole) {
            Hole::Nothing => BoundHole::Nothing,
            Hole::Text(register) => {
                BoundHole::Text(registers.texts(*register), self.text_column(template, *register))
            }
            Hole::Number(register, Number::Whole) => BoundHole::Whole(registers.numbers(*register)),
            Hole::Number(register, Number::Millis) => {
                BoundHole::Millis(registers.numbers(*register))
            }
            Hole::Decimal(register) => BoundHole::Decimal(registers.decimals(*register)),
            Hole::Value(register, check) => {
                BoundHole::Value(*register, &self.program.checks[*check])
            }
            Hole::Enum { value, texts, words } => {
                BoundHole::Enum(registers.numbers(*value), texts, words)
            }
        };
        BoundPiece {
            rows: self.flag(piece.guard),
            skip: piece.skip,
            ends: piece.ends,
            run: layout.constants.get(piece.run),
            hole,
        }
    }

    /// In which of the text columns a text stands too.
    fn text_column(&self, template: &Template, register: Register) -> u8 {
        let [id, _, actor, action, target, ..] = template.columns;
        let place = self.registers.place(register);
        let columns = [id, actor, action, target].into_iter().zip(0..);
        let mut same = columns.filter(|(column, _)| self.registers.place(*column) == place);
        same.next().map_or(TEXTS as u8, |(_, number)| number)
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

impl Writer<'_, '_, '_> {
    /// Writes the events of records, of which none is left to the walk so far. Stops at the first that has to be after
    /// all: nothing of it is written then.
    pub(crate) fn write(&self, level: Level, rows: Range<usize>, out: &mut Batch) -> Written {
        level.run(Write { writer: self, rows, out })
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
    writer: &'t Writer<'r, 'a, 'w>,
    rows: Range<usize>,
    out: &'t mut Batch,
}

impl Kernel for Write<'_, '_, '_, '_> {
    type Output = Written;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> Written {
        let Self { writer: Writer { run, emits }, rows, out } = self;
        let mut written = Written::All;
        let mut sink = Sink::new(&mut out.text);
        for row in rows {
            let (events, start) = (out.events.len(), sink.len());
            for emit in emits.iter().filter(|emit| emit.rows & row_bit(row) != 0) {
                out.events.push(event(lanes, run, emit, row, &mut sink));
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
            if !statements::is_within_limits(made, sink.text(), bytes) {
                out.events.truncate(events);
                sink.cut(start);
                written = Written::Until(row);
                break;
            }
            out.mapped += 1;
        }
        sink.finish();
        written
    }
}

/// Writes the texts of an event: its OCSF JSON, and its columns.
#[inline(always)]
fn event<L: Lanes>(
    lanes: L,
    run: &Run<'_, '_>,
    emit: &Bound<'_>,
    row: usize,
    sink: &mut Sink<'_>,
) -> Event {
    let template = emit.template;
    let extra = sink.len();
    if !template.extra.is_empty() {
        sink.by(|text| run.extra(template, row, text));
    }
    let extra = emit::text_range(extra, sink.len());
    let ocsf = sink.len();
    let places = pieces(lanes, run, emit, row, sink);
    let ocsf = emit::text_range(ocsf, sink.len());
    let mut texts = [TextRange::default(); TEXTS];
    for ((range, column), place) in texts.iter_mut().zip(&emit.texts).zip(places) {
        if let Some(text) = column.get(row) {
            *range = text_column(lanes, text, place, sink);
        }
    }
    let [id, actor, action, target] = texts;
    let [tokens_input, tokens_output] = &emit.tokens;
    Event {
        // A block has far fewer records than 2^32.
        record: (run.first + row) as u32,
        emit: template.emit,
        id,
        time_ns: emit.time.get(row).unwrap_or_default(),
        actor,
        action,
        target,
        cost_usd: emit.cost.get(row).unwrap_or_default(),
        tokens_input: tokens_input.get(row).unwrap_or_default(),
        tokens_output: tokens_output.get(row).unwrap_or_default(),
        extra,
        ocsf,
        raw: RawRef::None,
        raw_fits_ocsf: true,
    }
}

/// Where the text of a column stands. If the event holds it as it is, it is not written again.
#[inline(always)]
fn text_column<L: Lanes>(
    lanes: L,
    text: &str,
    place: Range<usize>,
    sink: &mut Sink<'_>,
) -> TextRange {
    if !place.is_empty() {
        return emit::text_range(place.start, place.end);
    }
    let start = sink.len();
    sink.copy(lanes, text.as_bytes());
    emit::text_range(start, sink.len())
}

/// Writes the OCSF JSON of an event. Says where it holds the texts of columns.
#[inline(always)]
fn pieces<L: Lanes>(
    lanes: L,
    run: &Run<'_, '_>,
    emit: &Bound<'_>,
    row: usize,
    sink: &mut Sink<'_>,
) -> Places {
    let mut places = Places::default();
    let mut rest = &emit.pieces[..];
    while let [piece, behind @ ..] = rest {
        rest = behind;
        if piece.rows & row_bit(row) == 0 {
            rest = rest.get(piece.skip..).unwrap_or_default();
            continue;
        }
        if piece.ends {
            sink.take_back();
        }
        // Most are texts.
        if let BoundHole::Text(texts, column) = piece.hole {
            let text = texts[row];
            let is_plain = sink.run_and_string(lanes, piece.run, text);
            if let Some(place) = places.get_mut(usize::from(column))
                && is_plain
            {
                let end = sink.len() - STRING_END.len();
                *place = end - text.len()..end;
            }
            continue;
        }
        sink.run(piece.run);
        match piece.hole {
            BoundHole::Nothing | BoundHole::Text(..) => {}
            BoundHole::Whole(numbers) => {
                write_int(numbers[row], sink);
                sink.put_word(b','.into(), 1);
            }
            BoundHole::Millis(times) => {
                write_int(times[row].div_euclid(1_000_000), sink);
                sink.put_word(b','.into(), 1);
            }
            BoundHole::Decimal(decimals) => {
                write_decimal(decimals[row], sink);
                sink.put_word(b','.into(), 1);
            }
            BoundHole::Value(register, check) => {
                let value = run.registers.get(register, row);
                sink.by(|out| {
                    json::write_value(value, check, out);
                    out.push(b',');
                });
            }
            BoundHole::Enum(numbers, texts, words) => {
                let number = numbers[row];
                match usize::try_from(number).ok().and_then(|at| *texts.get(at)?) {
                    Some(text) => sink.run(emit.template.constants.get(text)),
                    None => sink.by(|out| other(run, words, number, row, out)),
                }
            }
        }
    }
    // The comma behind the event.
    sink.take_back();
    places
}

/// An enum's number with what follows from it, where that is not always the same.
fn other(run: &Run<'_, '_>, words: &[Word], number: i64, row: usize, out: &mut Vec<u8>) {
    json::write_int(number, out);
    for Word { echo, word } in words {
        let word = match echo.other {
            Some(_) if number == OTHER => run.registers.get(*word, row),
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
}
