//! Records to events and rejects: the parallel half of the engine.
//!
//! Workers share nothing but the plan. Each goes through the records of its block one by one: is the record sound, where
//! are the wanted values, what do the statements make of them. What one record needs lives in the worker's arena, which
//! is emptied behind it; what lives longer is in vectors that are used again.

use std::borrow::Cow;
use std::sync::Arc;

use bumpalo::Bump;
use bytes::Bytes;

use crate::batch::{Batch, RawRef};
use crate::block::RecordBlock;
use crate::code::Code;
use crate::emit::{self, Present};
use crate::eval::{Layout, Machine, Surroundings};
use crate::frame::csv::{self, Cell};
use crate::input::{Csv, Format, Input};
use crate::output;
use crate::plan::{ObjectMeta, Plan, Raw, WrapperPart};
use crate::project::csv::Columns;
use crate::project::json;
use crate::raw;
use crate::refusal::Refusal;
use crate::sound;
use crate::statements::{self, Mark};
use crate::tally::Tally;

/// An arena that holds more between two records is given back.
const ARENA_BYTES_MAX: usize = 1 << 20;
/// The texts of a batch are addressed with 32 bits; beyond this, records of its block are refused.
const BATCH_TEXT_BYTES_MAX: usize = 2 << 30;

/// Maps records. It has no state that outlives a block, other than memory.
#[derive(Debug)]
pub struct Worker {
    plan: Arc<Plan>,
    layout: Layout,
    arena: Bump,
    scratch: json::Scratch,
    present: Present,
    columns: Columns,
    /// What `columns` were made from.
    header: Option<Arc<Vec<String>>>,
    cells: Vec<Cell>,
    tally: Tally,
}

impl Worker {
    /// A worker for a plan.
    pub fn new(plan: Arc<Plan>) -> Self {
        Self {
            layout: Layout::new(&plan),
            tally: Tally::new(&plan),
            plan,
            arena: Bump::new(),
            scratch: json::Scratch::default(),
            present: Present::default(),
            columns: Columns::default(),
            header: None,
            cells: Vec::new(),
        }
    }

    /// What became of each line of the mapping, over all blocks so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Keeps the texts that could not be read, or fell into `else`, from now on.
    pub fn observe(&mut self) {
        self.tally.observe();
    }

    /// Maps the records of a block of some object, and appends what comes out to a batch.
    ///
    /// Events and rejects refer to records by their index in the block, so a batch holds those of one block only: the
    /// caller empties it before the next.
    pub fn run(&mut self, block: &RecordBlock, object: &ObjectMeta, out: &mut Batch) {
        let plan = Arc::clone(&self.plan);
        self.use_header(block.header.as_ref());
        let wrapper: Vec<_> = block.wrapper.iter().map(wrapper_text).collect();
        let wrapper: Vec<_> = wrapper.iter().map(Option::as_deref).collect();
        let wrapper_parts = wrapper_parts(&plan, &wrapper, &mut self.scratch);
        for (index, record) in (0..).zip(&block.records) {
            let begin = Mark::of(out);
            let bytes = record.bytes(block);
            let around = Surroundings {
                plan: &plan,
                layout: &self.layout,
                record,
                bytes,
                object,
                wrapper: &wrapper,
                wrapper_parts: &wrapper_parts,
                arena: &self.arena,
            };
            let mut parts = Parts {
                scratch: &mut self.scratch,
                present: &mut self.present,
                columns: &self.columns,
                cells: &mut self.cells,
                tally: &mut self.tally,
            };
            match parts.map(around, bytes, index, out) {
                Err(refusal) => {
                    begin.cut(out);
                    out.rejects.push(refusal.into_reject(index));
                }
                Ok(_) if begin.events(out).is_empty() => out.dropped += 1,
                Ok(ambiguous_time) => {
                    out.mapped += 1;
                    out.ambiguous_times += u64::from(ambiguous_time);
                    keep_raw(&plan, bytes, self.header.as_deref(), begin, out);
                }
            }
            self.empty_arena();
        }
    }

    /// Finds the wanted columns, once for each header.
    fn use_header(&mut self, header: Option<&Arc<Vec<String>>>) {
        let Format::Csv(Csv { columns, .. }) = &self.plan.input.format else { return };
        let fixed = || columns.clone().map(Arc::new);
        let same = match (header, &self.header) {
            (Some(new), Some(old)) => Arc::ptr_eq(new, old) || new == old,
            // Columns that the program names never change.
            (None, Some(_)) => true,
            (_, None) => false,
        };
        if !same {
            let header = header.cloned().or_else(fixed).unwrap_or_default();
            self.columns = Columns::new(&header, &self.plan.scopes[0].projection);
            self.header = Some(header);
        }
    }

    fn empty_arena(&mut self) {
        if self.arena.allocated_bytes() > ARENA_BYTES_MAX {
            self.arena = Bump::new();
        } else {
            self.arena.reset();
        }
    }
}

/// The text of a wrapper member. The framer has seen that it is sound.
fn wrapper_text(member: &Option<Bytes>) -> Option<Cow<'_, str>> {
    let text = String::from_utf8_lossy(member.as_ref()?);
    Some(match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_ascii()),
        Cow::Owned(text) => Cow::Owned(text.trim_ascii().to_owned()),
    })
}

/// What is read within members of the wrapper.
fn wrapper_parts<'a>(
    plan: &Plan,
    wrapper: &[Option<&'a str>],
    scratch: &mut json::Scratch,
) -> Vec<Vec<Option<&'a str>>> {
    let slots_of = |part: &WrapperPart| {
        let mut slots = vec![None; usize::from(part.projection.slots)];
        if let Some(text) = wrapper.get(usize::from(part.member)).copied().flatten() {
            // Of equal names around the records the first one counts, always.
            let _ = json::project(text, &part.projection, false, &mut slots, scratch);
        }
        slots
    };
    plan.wrapper_parts.iter().map(slots_of).collect()
}

/// The memory of a worker that is used again from record to record.
struct Parts<'w> {
    scratch: &'w mut json::Scratch,
    present: &'w mut Present,
    columns: &'w Columns,
    cells: &'w mut Vec<Cell>,
    tally: &'w mut Tally,
}

impl Parts<'_> {
    /// Makes the events of one record; says whether a local time was read that there was twice.
    fn map<'a>(
        &mut self,
        around: Surroundings<'a>,
        bytes: &'a [u8],
        index: u32,
        out: &mut Batch,
    ) -> Result<bool, Refusal> {
        if let Some(fault) = around.record.fault {
            return Err(Refusal::new(fault.code, 0, fault.message));
        }
        if out.text.len() > BATCH_TEXT_BYTES_MAX {
            let message = "the events of the records before it are too large together";
            return Err(Refusal::new(Code::OutputTooLarge, 0, message));
        }
        let mut machine = match &around.plan.input.format {
            Format::Csv(settings) => {
                let row = decode(bytes, settings, &around.plan.input, around.arena)?;
                self.split(row, settings)?;
                let mut machine = Machine::new(around, self.scratch, self.tally);
                fill_from_cells(&mut machine, row, settings, self.cells, self.columns);
                machine
            }
            Format::Ndjson | Format::Json(_) => {
                let text = sound_text(bytes, &around.plan.input, around.arena)?;
                let mut machine = Machine::new(around, self.scratch, self.tally);
                machine.project_record(text);
                machine
            }
        };
        statements::run(&mut machine, index, out, self.present)?;
        Ok(machine.ambiguous_time)
    }

    fn split(&mut self, row: &str, settings: &Csv) -> Result<(), Refusal> {
        csv::split(row.as_bytes(), settings, self.cells);
        if self.cells.len() > self.columns.slots().len() {
            let (cells, columns) = (self.cells.len(), self.columns.slots().len());
            let message = format!("the row has {cells} cells, and the header {columns}");
            return Err(Refusal::new(Code::TooManyCells, 0, message));
        }
        Ok(())
    }
}

/// Says what the new events are stored with.
fn keep_raw(plan: &Plan, bytes: &[u8], header: Option<&Vec<String>>, begin: Mark, out: &mut Batch) {
    let raw = match &plan.raw {
        Raw::Keep => RawRef::Record,
        Raw::Drop | Raw::Hash => RawRef::None,
        Raw::Redact(paths) => {
            let start = out.text.len();
            let header = header.map(Vec::as_slice);
            // An accepted record is never too broken.
            raw::redact(plan, paths, bytes, header, &mut out.text);
            RawRef::Text(emit::text_range(start, out.text.len()))
        }
    };
    let stored = if let RawRef::Text(range) = raw { out.bytes(range) } else { bytes };
    let fits = output::fits_raw_data(stored, plan.raw_data_chars_max);
    for event in begin.events(out) {
        (event.raw, event.raw_fits_ocsf) = (raw, fits);
    }
}

/// The text of a JSON record, if that is sound.
fn sound_text<'a>(bytes: &'a [u8], input: &Input, arena: &'a Bump) -> Result<&'a str, Refusal> {
    let lossy = if input.utf8_replace { String::from_utf8_lossy(bytes) } else { Cow::Borrowed("") };
    let bytes = match &lossy {
        Cow::Owned(text) => arena.alloc_str(text).as_bytes(),
        Cow::Borrowed(_) => bytes,
    };
    let unsound = |message| Refusal::new(Code::Unsound, 0, message);
    sound::check(bytes, input.depth_max).map_err(|fault| unsound(fault.message))?;
    std::str::from_utf8(bytes).map_err(|_| unsound("the record is not valid UTF-8"))
}

/// The text of a row.
fn decode<'a>(
    bytes: &'a [u8],
    csv: &Csv,
    input: &Input,
    arena: &'a Bump,
) -> Result<&'a str, Refusal> {
    let (text, damaged) = csv.encoding.decode_without_bom_handling(bytes);
    if damaged && !input.utf8_replace {
        let message = "the row holds bytes that its encoding does not have";
        return Err(Refusal::new(Code::Unsound, 0, message));
    }
    Ok(match text {
        Cow::Borrowed(text) => text,
        Cow::Owned(text) => arena.alloc_str(&text),
    })
}

fn fill_from_cells<'a>(
    machine: &mut Machine<'a, '_>,
    row: &'a str,
    settings: &Csv,
    cells: &[Cell],
    columns: &Columns,
) {
    let arena = machine.arena;
    let slots = machine.record_slots();
    for (cell, slot) in cells.iter().zip(columns.slots()) {
        let Some(slot) = slot else { continue };
        let text = match csv::text(row.as_bytes(), *cell, settings) {
            Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        };
        let text = match text {
            Cow::Borrowed(text) => text,
            Cow::Owned(text) => arena.alloc_str(&text),
        };
        slots[usize::from(*slot)] = Some(if settings.trim { text.trim() } else { text });
    }
}

#[cfg(test)]
mod tests;
