//! Records to events and rejects: the parallel half of the engine.
//!
//! Workers share nothing but the plan. Each goes through the records of its block: is the record sound, where are the
//! wanted values, what do the statements make of them. What one record needs lives in the worker's arena, which is
//! emptied behind it; what lives longer is in vectors that are used again.
//!
//! JSON records are indexed many at a time ([`crate::simd::index`]). Where something is wrong or unusual with such a
//! *stretch*, what stands before that place and what stands from it on are tried, and so on down to the one record, which
//! is then read by the code that says what is meant: [`crate::sound`] and [`json::project`].
//!
//! So are the cells of rows found ([`crate::simd::cells`]), but for those of a row that is unusual, which are found by
//! [`csv::split`].

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use bumpalo::Bump;
use bytes::Bytes;

use crate::batch::{Batch, RawRef};
use crate::block::{Record, RecordBlock};
use crate::code::Code;
use crate::emit::{self, Present};
use crate::eval::{BlockContext, Layout, Machine};
use crate::frame::csv::{self, Cell};
use crate::input::{Csv, Format, Input};
use crate::output;
use crate::plan::{ObjectMeta, Plan, Raw, WrapperPart};
use crate::program::{self, Program, Walker, Written};
use crate::project::csv::Columns;
use crate::project::found::Found;
use crate::project::indexed::{self, IndexedRecords, Search, Unfound};
use crate::project::{json, skip};
use crate::raw;
use crate::refusal::Refusal;
use crate::rows::{ROWS_MAX, Rows, row_bit, rows_in};
use crate::simd::cells::{Cells, Signs, Table};
use crate::simd::index::{Index, Wrong};
use crate::simd::{self, Level};
use crate::sound;
use crate::statements::{self, Mark};
use crate::tally::Tally;

/// An arena that holds more between two records is given back.
const ARENA_BYTES_MAX: usize = 1 << 20;
/// The texts of a batch are addressed with 32 bits; beyond this, records of its block are refused.
const BATCH_TEXT_BYTES_MAX: usize = 2 << 30;
/// Beyond this, programs leave records to the walk, which knows exactly what is too much.
const PROGRAM_TEXT_BYTES_MAX: usize = BATCH_TEXT_BYTES_MAX / 2;
/// Records are indexed together up to so many bytes: they and their tokens then stay in the core's own cache. One that has
/// more stands alone, so that nothing else makes it be looked at twice.
const STRETCH_BYTES: usize = 64 << 10;
/// A record that has more tokens is read without an index, which would take seven bytes for each: up to 28 MiB.
const TOKENS_MAX: usize = 2 << 20;
/// The cells of a row that has more are found without an index.
const CELLS_MAX: usize = 4 << 20;

/// Maps records. It has no state that outlives a block, other than memory.
#[derive(Debug)]
pub struct Worker {
    plan: Arc<Plan>,
    level: Level,
    layout: Layout,
    /// None if records are not read by their index.
    search: Option<Search>,
    /// None if cells are found row by row.
    signs: Option<Signs>,
    /// None if the plan is always walked.
    program: Option<Program>,
    index: Index,
    cells: Cells,
    mapper: Mapper,
}

impl Worker {
    /// A worker for a plan, with the instructions that [`Level::chosen`] gives.
    ///
    /// # Panics
    ///
    /// The environment names instructions that the machine lacks.
    pub fn new(plan: Arc<Plan>) -> Self {
        Self::with_level(plan, Level::chosen().unwrap_or_else(|error| panic!("{error}")))
    }

    /// A worker for a plan, with these instructions. Which they are does not show in what it makes.
    pub fn with_level(plan: Arc<Plan>, level: Level) -> Self {
        let search = match plan.input.format {
            Format::Csv(_) => None,
            Format::Ndjson | Format::Json(_) => {
                Search::new(&plan.scopes[0].projection, plan.input.duplicate_keys_reject)
            }
        };
        Self {
            layout: Layout::new(&plan),
            mapper: Mapper::new(&plan),
            program: Program::new(&plan),
            index: Index::default(),
            cells: Cells::default(),
            level,
            search,
            signs: signs(&plan.input),
            plan,
        }
    }

    /// A worker that does every record in the way that says what is meant, without an index or a program. That does
    /// not show in what it makes either.
    pub fn plain(plan: Arc<Plan>) -> Self {
        Self { search: None, signs: None, program: None, ..Self::new(plan) }
    }

    /// What became of each line of the mapping, over all blocks so far.
    pub fn tally(&self) -> &Tally {
        &self.mapper.tally
    }

    /// Keeps the texts that could not be read, or fell into `else`, from now on.
    pub fn observe(&mut self) {
        self.mapper.tally.observe();
    }

    /// Maps the records of a block of some object, and appends what comes out to a batch.
    ///
    /// Events and rejects refer to records by their index in the block, so a batch holds those of one block only: the
    /// caller empties it before the next.
    pub fn run(&mut self, block: &RecordBlock, object: &ObjectMeta, out: &mut Batch) {
        let plan = &*self.plan;
        self.mapper.use_header(plan, block.header.as_ref());
        let wrapper: Vec<_> = block.wrapper.iter().map(wrapper_text).collect();
        let wrapper: Vec<_> = wrapper.iter().map(Option::as_deref).collect();
        let wrapper_parts = wrapper_parts(plan, &wrapper, &mut self.mapper.walk);
        let context = BlockContext {
            plan,
            layout: &self.layout,
            block,
            object,
            wrapper: &wrapper,
            wrapper_parts: &wrapper_parts,
        };
        // Which texts fell into `else` only the walk says.
        let program = self.program.as_ref().filter(|_| self.mapper.tally.observed.is_none());
        let around = Around { level: self.level, program, context };
        let mut pass = Pass {
            around,
            search: self.search.as_ref(),
            index: &mut self.index,
            signs: self.signs,
            cells: &mut self.cells,
            mapper: &mut self.mapper,
            out,
        };
        let mut next = 0;
        while next < block.records.len() {
            let end =
                if self.signs.is_some() { rows_end(block, next) } else { stretch_end(block, next) };
            pass.map(next..end);
            next = end;
        }
    }
}

/// What all records of a block have in common.
#[derive(Clone, Copy)]
struct Around<'a> {
    level: Level,
    program: Option<&'a Program>,
    context: BlockContext<'a>,
}

/// Behind the records that can be indexed together with `first`: only separators stand between them.
fn stretch_end(block: &RecordBlock, first: usize) -> usize {
    let is_between = |byte: &u8| *byte == b',' || skip::is_space(*byte);
    let start = block.records[first].start as usize;
    let pairs = block.records[first..].windows(2);
    let goes_on = |pair: &&[Record]| {
        let (end, next) = (pair[0].end as usize, pair[1].start as usize);
        let bytes = pair[1].end as usize - start;
        bytes <= STRETCH_BYTES && block.bytes[end..next].iter().all(is_between)
    };
    first + 1 + pairs.take_while(goes_on).count()
}

/// Behind the rows whose cells can be found together with those of `first`: only line ends stand between them.
fn rows_end(block: &RecordBlock, first: usize) -> usize {
    if block.records[first].fault.is_some() {
        return first + 1;
    }
    let start = block.records[first].start as usize;
    let pairs = block.records[first..].windows(2);
    let goes_on = |pair: &&[Record]| {
        let (end, next) = (pair[0].end as usize, pair[1].start as usize);
        let between = &block.bytes[end..next];
        pair[1].fault.is_none()
            && next - start < STRETCH_BYTES
            && (between == b"\n" || between.iter().all(|byte| matches!(byte, b'\r' | b'\n')))
    };
    first + 1 + pairs.take_while(goes_on).count()
}

/// The bytes that give rows their shape, if these are found without decoding.
fn signs(input: &Input) -> Option<Signs> {
    match &input.format {
        Format::Csv(csv) if csv.encoding == encoding_rs::UTF_8 => Signs::new(csv),
        Format::Csv(_) | Format::Ndjson | Format::Json(_) => None,
    }
}

/// The records of a block, on their way.
struct Pass<'p, 'a> {
    around: Around<'a>,
    search: Option<&'p Search>,
    index: &'p mut Index,
    signs: Option<Signs>,
    cells: &'p mut Cells,
    mapper: &'p mut Mapper,
    out: &'p mut Batch,
}

impl Pass<'_, '_> {
    /// Maps records that stand one behind the other.
    fn map(&mut self, records: Range<usize>) {
        match (self.search, &self.around.context.plan.input.format) {
            (_, Format::Csv(settings)) => self.map_rows(settings, records),
            (Some(search), _) => {
                for rows in batches(records) {
                    self.mapper.map_json(self.around, rows, search, self.index, self.out);
                }
            }
            (None, _) => {
                for record in records {
                    self.mapper.walk(self.around, record, None, self.out);
                }
            }
        }
    }

    /// Maps rows of cells.
    fn map_rows(&mut self, settings: &Csv, records: Range<usize>) {
        let Around { level, context: BlockContext { block, .. }, .. } = self.around;
        let end = block.records[records.end - 1].end as usize;
        let mut table = self
            .signs
            .map(|signs| Table::new(level, &block.bytes[..end], signs, self.cells, CELLS_MAX));
        for rows in batches(records) {
            self.mapper.map_cells(self.around, settings, rows, table.as_mut(), self.out);
        }
    }
}

/// Rows up to one of them, and from that on; neither is empty, if there are two.
fn rows_around(rows: &Range<usize>, row: usize) -> (Range<usize>, Range<usize>) {
    let row = row.min(rows.end - 1).max(rows.start + 1);
    (rows.start..row, row..rows.end)
}

fn rows_of(rows: &Range<usize>) -> Rows {
    simd::low_bits(rows.len()) << rows.start
}

/// As many records at once as a program takes.
fn batches(records: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let end = records.end;
    records.step_by(ROWS_MAX).map(move |start| start..end.min(start + ROWS_MAX))
}

/// Maps records; its memory is used again from record to record.
#[derive(Debug)]
struct Mapper {
    /// Of a batch.
    arena: Bump,
    /// Of a record that is walked.
    walk_arena: Bump,
    walk: json::Scratch,
    search: indexed::Scratch,
    program: program::Scratch,
    present: Present,
    cells: Vec<Cell>,
    columns: Columns,
    /// What `columns` were made from.
    header: Option<Arc<Vec<String>>>,
    tally: Tally,
}

impl Mapper {
    fn new(plan: &Plan) -> Self {
        Self {
            arena: Bump::new(),
            walk_arena: Bump::new(),
            walk: json::Scratch::default(),
            search: indexed::Scratch::default(),
            program: program::Scratch::default(),
            present: Present::default(),
            cells: Vec::new(),
            columns: Columns::default(),
            header: None,
            tally: Tally::new(plan),
        }
    }

    /// Finds the wanted columns, once for each header.
    fn use_header(&mut self, plan: &Plan, header: Option<&Arc<Vec<String>>>) {
        let Format::Csv(Csv { columns, .. }) = &plan.input.format else { return };
        let fixed = || columns.clone().map(Arc::new);
        let same = match (header, &self.header) {
            (Some(new), Some(old)) => Arc::ptr_eq(new, old) || new == old,
            // Columns that the program names never change.
            (None, Some(_)) => true,
            (_, None) => false,
        };
        if !same {
            let header = header.cloned().or_else(fixed).unwrap_or_default();
            self.columns = Columns::new(&header, &plan.scopes[0].projection);
            self.header = Some(header);
        }
    }

    /// Maps records that stand one behind the other.
    fn map_json(
        &mut self,
        around: Around<'_>,
        rows: Range<usize>,
        search: &Search,
        index: &mut Index,
        out: &mut Batch,
    ) {
        let arena = std::mem::take(&mut self.arena);
        let slots = around.context.plan.scopes[0].projection.slots;
        let around_values = Some(&around.context.block.bytes[..]);
        let mut found = Found::new(slots, rows.len(), around_values, &arena);
        let left = self.find(around, rows.start, 0..rows.len(), search, index, &mut found);
        self.map_found(around, rows, &found, left, &arena, out);
        self.keep_arena(arena);
    }

    /// Finds the values of records; where something is wrong, of those before it and those from it on. Gives the records in
    /// which nothing is found.
    fn find<'a>(
        &mut self,
        around: Around<'a>,
        first: usize,
        rows: Range<usize>,
        search: &Search,
        index: &mut Index,
        found: &mut Found<'a>,
    ) -> Rows {
        let Around { level, context: BlockContext { plan, block, .. }, .. } = around;
        let bytes = &block.bytes[..];
        let records = &block.records[first + rows.start..first + rows.end];
        let (start, end) = (records[0].start as usize, records[records.len() - 1].end as usize);
        let depth_max = plan.input.depth_max;
        let wrong = match index.build(level, bytes, start..end, depth_max, TOKENS_MAX) {
            Ok(indexed) => {
                let records = IndexedRecords { indexed, bytes, records, row: rows.start };
                let projection = &plan.scopes[0].projection;
                let Unfound { left, lost } =
                    search.project(level, records, projection, found, &mut self.search);
                if lost == 0 {
                    return left;
                }
                // What stands behind a record that is not closed begins anew.
                let (before, behind) = rows_around(&rows, lost.trailing_zeros() as usize);
                behind.clone().for_each(|row| found.clear(row));
                return left & rows_of(&before)
                    | self.find(around, first, behind, search, index, found);
            }
            Err(wrong) => wrong,
        };
        if rows.len() == 1 {
            return row_bit(rows.start);
        }
        let (before, behind) = match wrong {
            Wrong::At(offset) => {
                let row = records.partition_point(|record| record.end as usize <= offset);
                rows_around(&rows, rows.start + row)
            }
            Wrong::Somewhere | Wrong::Spaced => rows_around(&rows, rows.start + rows.len() / 2),
        };
        self.find(around, first, before, search, index, found)
            | self.find(around, first, behind, search, index, found)
    }

    /// Maps rows of a table.
    fn map_cells(
        &mut self,
        around: Around<'_>,
        settings: &Csv,
        rows: Range<usize>,
        table: Option<&mut Table<'_, '_>>,
        out: &mut Batch,
    ) {
        let arena = std::mem::take(&mut self.arena);
        let BlockContext { plan, block, .. } = around.context;
        let projection = &plan.scopes[0].projection;
        let mut found = Found::new(projection.slots, rows.len(), None, &arena);
        let records = &block.records[rows.clone()];
        let Self { columns, cells, .. } = self;
        let known = table.map_or(0, |table| {
            let places = records.iter().map(|record| record.start as usize..record.end as usize);
            let known = table.rows(places, columns.slots().len());
            columns.fill(&known, settings, &mut found, &arena);
            known.known()
        });
        let mut left = 0;
        for row in rows_in(simd::low_bits(rows.len()) & !known) {
            let text = decode(records[row].bytes(block), settings, &plan.input, &arena);
            let is_split = text.is_ok_and(|text| {
                split(text, settings, columns, cells)
                    .map(|()| find_cells(&mut found, row, text, settings, cells, columns, &arena))
                    .is_ok()
            });
            if !is_split {
                left |= row_bit(row);
            }
        }
        self.map_found(around, rows, &found, left, &arena, out);
        self.keep_arena(arena);
    }

    /// Maps records whose values were found, but for those that are `left`.
    fn map_found<'a>(
        &mut self,
        around: Around<'a>,
        rows: Range<usize>,
        found: &Found<'a>,
        mut left: Rows,
        arena: &'a Bump,
        out: &mut Batch,
    ) {
        let Around { level, program, context } = around;
        let all = simd::low_bits(rows.len());
        for (row, record) in context.block.records[rows.clone()].iter().enumerate() {
            left |= u64::from(record.fault.is_some()) << row;
        }
        let Some(program) = program.filter(|_| out.text.len() <= PROGRAM_TEXT_BYTES_MAX) else {
            for row in 0..rows.len() {
                let found = (left & row_bit(row) == 0).then_some((found, row));
                self.walk(around, rows.start + row, found, out);
            }
            return;
        };
        let mut scratch = std::mem::take(&mut self.program);
        let mut walker = Walker { scratch: &mut self.walk, tally: &mut self.tally };
        let of = all & !left;
        let records = program::Records { level, context, first: rows.start, found, of, arena };
        let run = program.evaluate(records, &mut scratch, &mut walker);
        let mut aside = run.aside() | left;
        let writer = run.writer();
        let mut row = 0;
        while row < rows.len() {
            if aside & row_bit(row) != 0 {
                let found = (left & row_bit(row) == 0).then_some((found, row));
                self.walk(around, rows.start + row, found, out);
                row += 1;
                continue;
            }
            let count = (!aside >> row).trailing_ones() as usize;
            let end = rows.len().min(row + count);
            let begin = Mark::of(out);
            let written = writer.write(level, row..end, out);
            self.keep_raw_of(context, begin, out);
            row = match written {
                Written::All => end,
                Written::Until(row) => {
                    aside |= row_bit(row);
                    row
                }
            };
        }
        run.count(aside, &mut self.tally, out);
        self.program = scratch;
    }

    /// Says what new events of several records are stored with.
    fn keep_raw_of(&self, context: BlockContext<'_>, begin: Mark, out: &mut Batch) {
        let BlockContext { plan, block, .. } = context;
        let mut at = begin.count();
        while let Some(event) = out.events.get(at) {
            let record = event.record;
            // Mostly it is the only one.
            let same = out.events[at..].iter().take_while(|event| event.record == record);
            let behind = same.count();
            let bytes = block.records[record as usize].bytes(block);
            keep_raw(plan, bytes, self.header.as_deref(), at..at + behind, out);
            at += behind;
        }
    }

    /// The arena, emptied, for what comes next.
    fn keep_arena(&mut self, mut arena: Bump) {
        if arena.allocated_bytes() <= ARENA_BYTES_MAX {
            arena.reset();
            self.arena = arena;
        }
    }

    /// Maps one record as the walk does. What was found in it need not be looked for again.
    fn walk(
        &mut self,
        around: Around<'_>,
        record: usize,
        found: Option<(&Found<'_>, usize)>,
        out: &mut Batch,
    ) {
        let begin = Mark::of(out);
        // A block has far fewer records than 2^32.
        let index = record as u32;
        match self.events(around.context, record, found, out) {
            Err(refusal) => {
                begin.cut(out);
                out.rejects.push(refusal.into_reject(index));
            }
            Ok(_) if begin.events(out).is_empty() => out.dropped += 1,
            Ok(ambiguous_time) => {
                out.mapped += 1;
                out.ambiguous_times += u64::from(ambiguous_time);
                let BlockContext { plan, block, .. } = around.context;
                let bytes = block.records[record].bytes(block);
                let events = begin.count()..out.events.len();
                keep_raw(plan, bytes, self.header.as_deref(), events, out);
            }
        }
    }

    /// Makes the events of one record; says whether a local time was read that there was twice.
    fn events(
        &mut self,
        context: BlockContext<'_>,
        index: usize,
        found: Option<(&Found<'_>, usize)>,
        out: &mut Batch,
    ) -> Result<bool, Refusal> {
        let BlockContext { plan, block, .. } = context;
        let record = &block.records[index];
        if let Some(fault) = record.fault {
            return Err(Refusal::new(fault.code, 0, fault.message));
        }
        if out.text.len() > BATCH_TEXT_BYTES_MAX {
            let message = "the events of the records before it are too large together";
            return Err(Refusal::new(Code::OutputTooLarge, 0, message));
        }
        let Self { walk_arena, walk, present, cells, columns, tally, .. } = self;
        if walk_arena.allocated_bytes() > ARENA_BYTES_MAX {
            *walk_arena = Bump::new();
        } else {
            walk_arena.reset();
        }
        let arena = &*walk_arena;
        let bytes = record.bytes(block);
        let mut machine = Machine::new(context.record(index, arena), walk, tally);
        match (found, &plan.input.format) {
            (Some((found, row)), _) => machine.fill_record(found.row(row)),
            (None, Format::Csv(settings)) => {
                let row = decode(bytes, settings, &plan.input, arena)?;
                split(row, settings, columns, cells)?;
                let slots = plan.scopes[0].projection.slots;
                let mut found = Found::new(slots, 1, None, arena);
                find_cells(&mut found, 0, row, settings, cells, columns, arena);
                machine.fill_record(found.row(0));
            }
            (None, Format::Ndjson | Format::Json(_)) => {
                machine.project_record(sound_text(bytes, &plan.input, arena)?);
            }
        }
        // A block has far fewer records than 2^32.
        statements::run(&mut machine, index as u32, out, present)?;
        Ok(machine.ambiguous_time)
    }
}

/// Splits a row into cells.
fn split(row: &str, csv: &Csv, columns: &Columns, cells: &mut Vec<Cell>) -> Result<(), Refusal> {
    csv::split(row.as_bytes(), csv, cells);
    if cells.len() > columns.slots().len() {
        let (cells, columns) = (cells.len(), columns.slots().len());
        let message = format!("the row has {cells} cells, and the header {columns}");
        return Err(Refusal::new(Code::TooManyCells, 0, message));
    }
    Ok(())
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

/// Says what the new events are stored with.
fn keep_raw(
    plan: &Plan,
    bytes: &[u8],
    header: Option<&Vec<String>>,
    events: Range<usize>,
    out: &mut Batch,
) {
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
    for event in &mut out.events[events] {
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

/// The texts of the wanted cells of a row.
fn find_cells<'a>(
    found: &mut Found<'a>,
    row: usize,
    text: &'a str,
    settings: &Csv,
    cells: &[Cell],
    columns: &Columns,
    arena: &'a Bump,
) {
    for (cell, slot) in cells.iter().zip(columns.slots()) {
        let Some(slot) = slot else { continue };
        let text = match csv::text(text.as_bytes(), *cell, settings) {
            Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        };
        let text = match text {
            Cow::Borrowed(text) => text,
            Cow::Owned(text) => arena.alloc_str(&text),
        };
        found.set(*slot, row, if settings.trim { text.trim() } else { text }, true);
    }
}

#[cfg(test)]
mod tests;
