//! Finds the wanted values of a JSON record by its [index](crate::simd::index).
//!
//! In each object that the projection enters, a name is searched by one comparison for 64 tokens: *of this level, and
//! with the signature of this name*. Nearly always one candidate is left, whose bytes are then compared. The lowest
//! candidate is the first member of that name; so the order of members, equal names and wide objects need no case of
//! their own, and nothing is learnt or guessed.
//!
//! Each name is looked for in all records before the next one is: what is to be known of it stays in registers, and
//! what its values are like in one record they are in the next, so that branches are foreseen.
//!
//! What is rare is left to the walk over the text ([`json`]), which says what is meant: elements of arrays, and records
//! with a wanted name that is written with escapes.

use std::ops::Range;

use crate::block::Record;
use crate::plan::{Node, Projection};
use crate::project::found::Found;
use crate::project::{json, skip, string};
use crate::rows::{ROWS_MAX, Rows, row_bit, rows_in};
use crate::simd::index::{Indexed, escaped, signature};
use crate::simd::member::{Member, PATTERN, Usual};
use crate::simd::{BLOCK, Kernel, Lanes, Level, low_bits};

/// The projection of a scope, its nodes in the order in which they are looked for.
#[derive(Debug)]
pub(crate) struct Search {
    steps: Vec<Step>,
    nodes: usize,
    /// The slot of the record itself.
    record_slot: Option<u16>,
    reject_duplicates: bool,
}

/// Looks for a member.
#[derive(Debug)]
struct Step {
    key: Key,
    /// The node in whose object it is looked for, and its own.
    parent: u16,
    node: u16,
    slot: Option<u16>,
    /// The level of the members among which it is.
    level: u8,
    /// Elements of it are wanted.
    elements: bool,
}

/// A name that is looked for. What is compared does not cross a line of the cache.
#[derive(Debug)]
#[repr(C, align(64))]
struct Key {
    /// The last bytes of the name between its quotes, and where they count.
    pattern: [u8; PATTERN],
    mask: [u8; PATTERN],
    name: String,
    signature: u8,
    /// Where the byte before it stands, if the pattern is all of it; otherwise that of its last quote.
    before: u8,
    /// All ones if names so short have no signature: what stands before them would be part of it.
    any_signature: u64,
}

/// The object of a node in each of several records: its tokens are those from `first` on that come before `end`, its
/// closing bracket.
#[derive(Debug)]
struct Objects {
    /// The records that have one.
    there: Rows,
    first: [u32; ROWS_MAX],
    end: [u32; ROWS_MAX],
    /// Which of its first 64 tokens are colons of its own members, and which of the next 64.
    near: [u64; ROWS_MAX],
    next: [u64; ROWS_MAX],
    /// One of them has more than 64.
    is_wide: bool,
}

/// Memory that is used again from batch to batch.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// By node.
    objects: Vec<Objects>,
    walk: json::Scratch,
    /// For the names that are written with escapes.
    name: String,
}

/// Several records of an index, the first of which has the first token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IndexedRecords<'b, 'i, 'r> {
    pub(crate) indexed: Indexed<'b, 'i>,
    /// All bytes that offsets count in.
    pub(crate) bytes: &'b [u8],
    pub(crate) records: &'r [Record],
    /// Where the first of them is found.
    pub(crate) row: usize,
}

/// The records in which nothing is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unfound {
    /// They are left to the walk over the text.
    pub(crate) left: Rows,
    /// Of them, those that stand within what one before them does not close.
    pub(crate) lost: Rows,
}

/// Where a member is in each of several records.
struct Places {
    /// The records that seem to have it.
    there: Rows,
    /// The colon behind its key, and the offset of that.
    tokens: [u32; ROWS_MAX],
    behind: [u32; ROWS_MAX],
    /// Those in which it is still to be found, from that token on.
    doubtful: Rows,
    /// Those in which its value is not of a usual kind.
    unusual: Rows,
}

impl Places {
    const NONE: Self =
        Self { there: 0, tokens: [0; ROWS_MAX], behind: [0; ROWS_MAX], doubtful: 0, unusual: 0 };
}

impl Objects {
    const NONE: Self = Self {
        there: 0,
        first: [0; ROWS_MAX],
        end: [0; ROWS_MAX],
        near: [0; ROWS_MAX],
        next: [0; ROWS_MAX],
        is_wide: false,
    };

    #[inline(always)]
    fn clear(&mut self) {
        (self.there, self.is_wide) = (0, false);
    }
}

impl Key {
    fn new(name: &str) -> Self {
        let quoted = format!("\"{name}\"");
        let quoted = quoted.as_bytes();
        let tail = &quoted[quoted.len().saturating_sub(PATTERN)..];
        let (mut pattern, mut mask) = ([0; PATTERN], [0; PATTERN]);
        pattern[PATTERN - tail.len()..].copy_from_slice(tail);
        mask[PATTERN - tail.len()..].fill(0xff);
        let at = |back: usize| quoted.len().checked_sub(back).map_or(0, |place| quoted[place]);
        Self {
            name: name.to_owned(),
            pattern,
            mask,
            signature: signature([at(2), at(3), at(4)]),
            before: PATTERN.checked_sub(quoted.len()).unwrap_or(PATTERN) as u8,
            any_signature: if name.len() < 2 { !0 } else { 0 },
        }
    }

    /// Is this the name of a member, which ends before `behind`?
    #[inline(always)]
    fn is_of(&self, member: Member<'_>, bytes: &[u8], behind: usize) -> bool {
        let key = member.key();
        let mut differences = 0;
        for ((byte, wanted), mask) in key[1..].iter().zip(&self.pattern).zip(&self.mask) {
            differences |= (byte ^ wanted) & mask;
        }
        if differences != 0 {
            return false;
        }
        // It is a member only if it stands right behind a comma or the opening bracket.
        let before = key[usize::from(self.before)];
        (before == b',') | (before == b'{') || self.is_at(bytes, behind)
    }

    /// The same for any member.
    #[cold]
    #[inline(never)]
    fn is_at(&self, bytes: &[u8], behind: usize) -> bool {
        let Some(start) = behind.checked_sub(self.name.len() + 2) else { return false };
        self.is_all_at(bytes, start)
            && start.checked_sub(1).is_some_and(|before| match bytes[before] {
                b',' | b'{' => true,
                byte => self.is_behind_spaces(bytes, behind, byte),
            })
    }

    /// Stands the key, which ends before `behind`, behind spaces that stand behind a comma or the opening bracket?
    #[cold]
    #[inline(never)]
    fn is_behind_spaces(&self, bytes: &[u8], behind: usize, before: u8) -> bool {
        if !skip::is_space(before) {
            return false;
        }
        let end = skip::space_back(bytes, 0, behind - self.name.len() - 2);
        end > 0 && matches!(bytes[end - 1], b',' | b'{')
    }

    fn is_all_at(&self, bytes: &[u8], start: usize) -> bool {
        let end = start + self.name.len() + 2;
        bytes[start] == b'"' && bytes[start + 1..end - 1] == *self.name.as_bytes()
    }
}

impl Search {
    /// None if the projection is of a kind that is always left to the walk over the text.
    pub(crate) fn new(projection: &Projection, reject_duplicates: bool) -> Option<Self> {
        let has_elements = |node: &Node| !node.elements.is_empty() || node.last.is_some();
        let root = &projection.nodes[0];
        let any_elements = projection.nodes.iter().any(has_elements);
        if has_elements(root) || any_elements && reject_duplicates {
            return None;
        }
        // Such a name can only be written with escapes.
        let escaped = |byte: u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
        let names = projection.nodes.iter().flat_map(|node| &node.members);
        if names.into_iter().any(|(name, _)| name.bytes().any(escaped)) {
            return None;
        }
        let mut search = Self {
            steps: Vec::new(),
            nodes: projection.nodes.len(),
            record_slot: root.slot,
            reject_duplicates,
        };
        search.add_members(projection, 0, RECORD_LEVEL);
        Some(search)
    }

    fn add_members(&mut self, projection: &Projection, parent: u16, level: u8) {
        for (name, node) in &projection.nodes[usize::from(parent)].members {
            let wanted = &projection.nodes[usize::from(*node)];
            self.steps.push(Step {
                key: Key::new(name),
                parent,
                node: *node,
                slot: wanted.slot,
                level,
                elements: !wanted.elements.is_empty() || wanted.last.is_some(),
            });
            // What is deeper than records may be is found in none.
            self.add_members(projection, *node, level.saturating_add(2));
        }
    }

    /// Fills the slots of records as [`json::project`] does, but for those that are left to that.
    pub(crate) fn project<'b>(
        &self,
        level: Level,
        records: IndexedRecords<'b, '_, '_>,
        projection: &Projection,
        found: &mut Found<'b>,
        scratch: &mut Scratch,
    ) -> Unfound {
        scratch.objects.resize_with(self.nodes, || Objects::NONE);
        let IndexedRecords { indexed, bytes, records, row } = records;
        level.run(Run {
            search: self,
            indexed,
            bytes,
            records,
            row,
            first: 0,
            lost: 0,
            projection,
            found,
            scratch,
        })
    }

    /// Is one of the names that are looked for among those with escapes in a part of the bytes?
    #[cold]
    fn has_disguised(&self, behind: &[u32], start: usize, bytes: &[u8], name: &mut String) -> bool {
        behind.iter().any(|behind| {
            let quoted = &bytes[start..*behind as usize];
            let Some(start) = opening_quote(quoted) else { return true };
            let Ok(raw) = std::str::from_utf8(&quoted[start + 1..quoted.len() - 1]) else {
                return true;
            };
            name.clear();
            string::unescape_into(raw, name).is_some()
                && self.steps.iter().any(|step| step.key.name == *name)
        })
    }
}

/// Where the string opens that closes at the end of `text`.
fn opening_quote(text: &[u8]) -> Option<usize> {
    let mut end = text.len().checked_sub(1)?;
    loop {
        let quote = memchr::memrchr(b'"', &text[..end])?;
        let backslashes = text[..quote].iter().rev().take_while(|byte| **byte == b'\\').count();
        if backslashes.is_multiple_of(2) {
            return Some(quote);
        }
        end = quote;
    }
}

/// The level of the members of a record.
const RECORD_LEVEL: u8 = 2;

/// Sets an object of a record, whose members have that level, from the token behind its opening bracket on; gives that
/// of its closing one.
#[inline(always)]
fn members<L: Lanes>(
    lanes: L,
    indexed: &Indexed<'_, '_>,
    first: usize,
    level: u8,
    (objects, row): (&mut Objects, usize),
) -> Option<usize> {
    // Tokens are numbered with 32 bits.
    objects.first[row] = first as u32;
    objects.next[row] = 0;
    let mut at = first;
    while at < indexed.len() {
        let levels = lanes.load(indexed.levels(at));
        let ends = lanes.at_most(levels, lanes.splat(level - 1));
        let mut own = lanes.equal(levels, lanes.splat(level));
        if ends != 0 {
            own &= (ends - 1) & !ends;
        }
        match at - first {
            0 => objects.near[row] = own,
            BLOCK => (objects.next[row], objects.is_wide) = (own, true),
            _ => {}
        }
        if ends != 0 {
            let end = at + ends.trailing_zeros() as usize;
            objects.end[row] = end as u32;
            return (end < indexed.len()).then_some(end);
        }
        at += BLOCK;
    }
    None
}

struct Run<'r, 'b, 'i, 's> {
    search: &'r Search,
    indexed: Indexed<'b, 'i>,
    bytes: &'b [u8],
    records: &'r [Record],
    /// Where the first of them is found.
    row: usize,
    /// The token that the next one begins with.
    first: usize,
    lost: Rows,
    projection: &'r Projection,
    found: &'s mut Found<'b>,
    scratch: &'s mut Scratch,
}

impl Kernel for Run<'_, '_, '_, '_> {
    type Output = Unfound;

    #[inline(always)]
    fn run<L: Lanes>(mut self, lanes: L) -> Unfound {
        let all = low_bits(self.records.len()) << self.row;
        // No closures: they might not be compiled for the same instructions.
        self.scratch.objects[0].clear();
        let mut of = self.find_records(lanes);
        self.scratch.objects[0].there = of;
        for step in &self.search.steps {
            of &= !self.look_for(lanes, step, of);
        }
        let left = all & !of;
        for row in rows_in(left) {
            self.found.clear(row);
        }
        Unfound { left, lost: self.lost }
    }
}

impl<'b> Run<'_, 'b, '_, '_> {
    /// Finds where the records are; gives those that can be read.
    #[inline(always)]
    fn find_records<L: Lanes>(&mut self, lanes: L) -> Rows {
        let mut of = 0;
        for (row, record) in (self.row..ROWS_MAX).zip(self.records) {
            if let Some(place) = self.find_record(lanes, record, row)
                && !self.is_disguised(&place)
            {
                of |= row_bit(row);
                if let Some(slot) = self.search.record_slot {
                    let text = self.indexed.text(place.start, place.end);
                    self.found.set(slot, row, text, false);
                }
            }
        }
        of
    }

    /// The record whose first token is the next one; moves that behind it. None if it is not exactly one object.
    #[inline(always)]
    fn find_record<L: Lanes>(
        &mut self,
        lanes: L,
        record: &Record,
        row: usize,
    ) -> Option<Range<usize>> {
        let indexed = self.indexed;
        let end = record.end as usize;
        let first = self.first;
        let one = self.record_at(lanes, record.start as usize..end, first, row);
        let is_behind = |token: &usize| *token == indexed.len() || indexed.offset(*token) >= end;
        let next = one.as_ref().map_or(first, |(token, _)| token + 1);
        self.first = (next..=indexed.len()).find(is_behind).unwrap_or(indexed.len());
        one.filter(|_| self.first == next).map(|(_, place)| place)
    }

    /// The closing bracket of a record, and where it starts and ends, spaces left out.
    #[inline(always)]
    fn record_at<L: Lanes>(
        &mut self,
        lanes: L,
        place: Range<usize>,
        first: usize,
        row: usize,
    ) -> Option<(usize, Range<usize>)> {
        let Range { start, end } = place;
        let indexed = self.indexed;
        if first == indexed.len() {
            return None;
        }
        let level = indexed.level(first);
        self.lost |= u64::from(level > RECORD_LEVEL) << row;
        if indexed.kind(first) != b'{' || level != RECORD_LEVEL {
            return None;
        }
        let open = indexed.offset(first);
        let record = (&mut self.scratch.objects[0], row);
        let token = members(lanes, &indexed, first + 1, RECORD_LEVEL, record)?;
        let close = indexed.offset(token);
        let alone = open >= start
            && close < end
            && skip::space(&self.bytes[..open], start) == open
            && skip::space(&self.bytes[..end], close + 1) == end;
        alone.then_some((token, open..close + 1))
    }

    /// Is a wanted name written with escapes in a record?
    #[inline(always)]
    fn is_disguised(&mut self, record: &Range<usize>) -> bool {
        let escaped = self.indexed.escaped_keys();
        if escaped.is_empty() {
            return false;
        }
        let from = escaped.partition_point(|behind| (*behind as usize) < record.start);
        let to = escaped.partition_point(|behind| (*behind as usize) < record.end);
        let name = &mut self.scratch.name;
        from < to && self.search.has_disguised(&escaped[from..to], record.start, self.bytes, name)
    }

    /// Looks for a member in all records. Gives those that have it twice, if that is looked for.
    #[inline(always)]
    fn look_for<L: Lanes>(&mut self, lanes: L, step: &Step, of: Rows) -> Rows {
        self.scratch.objects[usize::from(step.node)].clear();
        let mut places = if self.scratch.objects[usize::from(step.parent)].is_wide {
            self.places::<L, true>(lanes, step, of)
        } else {
            self.places::<L, false>(lanes, step, of)
        };
        match step.slot {
            Some(slot) => self.usual_values(lanes, step, slot, &mut places),
            None => self.enter_all(lanes, step, &mut places),
        }
        for row in rows_in(places.doubtful) {
            let objects = &self.scratch.objects[usize::from(step.parent)];
            let from = places.tokens[row] as usize;
            if let Some(token) =
                find_from(lanes, &self.indexed, self.bytes, objects, row, step, from)
            {
                places.tokens[row] = token as u32;
                places.unusual |= row_bit(row);
            }
        }
        for row in rows_in(places.unusual) {
            self.any_value(lanes, step, places.tokens[row] as usize, row);
        }
        if self.search.reject_duplicates { self.twice(lanes, step, of) } else { 0 }
    }

    /// Where a member seems to be: its signature is that of the wanted one.
    #[inline(always)]
    fn places<L: Lanes, const WIDE: bool>(&self, lanes: L, step: &Step, of: Rows) -> Places {
        let Self { indexed, bytes, .. } = *self;
        let objects = &self.scratch.objects[usize::from(step.parent)];
        let (wanted, any) = (lanes.splat(step.key.signature), step.key.any_signature);
        let mut places = Places::NONE;
        for row in rows_in(objects.there & of) {
            let first = objects.first[row] as usize;
            let near = same_at(lanes, &indexed, first, wanted, any) & objects.near[row];
            let mut place = near.trailing_zeros();
            if WIDE {
                // The first of 128, found without a branch: which half it is in varies.
                let next = same_at(lanes, &indexed, first + BLOCK, wanted, any);
                let next = (next & objects.next[row]).trailing_zeros();
                place += next & (place >> 6).wrapping_neg();
            }
            let looked_at = if WIDE { 2 * BLOCK } else { BLOCK };
            let mut token = first + place as usize;
            if place as usize == looked_at {
                match find_from(lanes, &indexed, bytes, objects, row, step, token) {
                    Some(found) => token = found,
                    None => continue,
                }
            }
            // Tokens are numbered with 32 bits, as are bytes.
            places.tokens[row] = token as u32;
            places.behind[row] = indexed.offset(token) as u32;
            places.there |= row_bit(row);
        }
        places
    }

    /// Takes the values of a member that are of a usual kind.
    #[inline(always)]
    fn usual_values<L: Lanes>(&mut self, lanes: L, step: &Step, slot: u16, places: &mut Places) {
        let Self { indexed, bytes, .. } = *self;
        let column = self.found.column(slot);
        let (mut there, mut plain) = (0, 0);
        for row in rows_in(places.there) {
            let Some(member) = member_at(&indexed, bytes, step, row, places) else { continue };
            let Some(value) = member.value(lanes) else {
                places.unusual |= row_bit(row);
                continue;
            };
            let (text, is_plain) = match value {
                Usual::String(text) => (text, true),
                Usual::Bare(text) => (text, false),
            };
            column.texts[row] = text;
            plain |= u64::from(is_plain) << row;
            there |= row_bit(row);
        }
        *column.there |= there;
        *column.plain |= plain;
    }

    /// Finds the members of the objects behind a key of which nothing else is wanted.
    #[inline(always)]
    fn enter_all<L: Lanes>(&mut self, lanes: L, step: &Step, places: &mut Places) {
        let Self { indexed, bytes, .. } = *self;
        for row in rows_in(places.there) {
            let Some(member) = member_at(&indexed, bytes, step, row, places) else { continue };
            let token = places.tokens[row] as usize;
            if !(member.is_object() && self.enter(lanes, step, token, row)) {
                places.unusual |= row_bit(row);
            }
        }
    }

    /// The records that have a member more than once.
    #[inline(always)]
    fn twice<L: Lanes>(&self, lanes: L, step: &Step, of: Rows) -> Rows {
        let Self { indexed, bytes, .. } = *self;
        let objects = &self.scratch.objects[usize::from(step.parent)];
        let mut twice = 0;
        for row in rows_in(objects.there & of) {
            let first = objects.first[row] as usize;
            if let Some(one) = find_from(lanes, &indexed, bytes, objects, row, step, first)
                && find_from(lanes, &indexed, bytes, objects, row, step, one + 1).is_some()
            {
                twice |= row_bit(row);
            }
        }
        twice
    }

    /// Finds the members of the object behind a key. False if anything is unusual.
    #[inline(always)]
    fn enter<L: Lanes>(&mut self, lanes: L, step: &Step, token: usize, row: usize) -> bool {
        let Self { indexed, bytes, .. } = *self;
        let objects = &mut self.scratch.objects[usize::from(step.node)];
        // The next token opens it, and what stands in it is two levels higher.
        let Some(end) = members(lanes, &indexed, token + 2, step.level + 2, (objects, row)) else {
            return false;
        };
        let alone = matches!(bytes.get(indexed.offset(end) + 1), Some(b',' | b'}'));
        objects.there |= u64::from(alone) << row;
        alone
    }

    /// Takes any kind of value, behind the key with that token.
    #[inline(always)]
    fn any_value<L: Lanes>(&mut self, lanes: L, step: &Step, token: usize, row: usize) {
        let indexed = self.indexed;
        let start = value_start(self.bytes, indexed.offset(token));
        let mut plain = false;
        let end = match self.bytes[start] {
            b'"' => {
                let (end, has_no_escape) = string_end(lanes, self.bytes, start);
                plain = has_no_escape;
                end
            }
            b'{' | b'[' => {
                // The next token opens it, and what stands in it is two levels higher.
                let object = (&mut self.scratch.objects[usize::from(step.node)], row);
                let Some(end) = members(lanes, &indexed, token + 2, step.level + 2, object) else {
                    return;
                };
                indexed.offset(end) + 1
            }
            _ => skip::bare_word(self.bytes, start),
        };
        let mut separator = end;
        let ends = matches!(self.bytes.get(end), Some(b',' | b'}'));
        if !ends {
            separator = skip::space(self.bytes, end);
        }
        let alone = ends || skip::is_separator(self.bytes, separator);
        let text = if alone {
            indexed.text(start, end)
        } else {
            let separator = skip::to_separator(self.bytes, separator);
            indexed.text(start, skip::space_back(self.bytes, start, separator))
        };
        if let Some(slot) = step.slot {
            match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
                Some(inside) if plain & alone => self.found.set(slot, row, inside, true),
                _ => self.found.set(slot, row, text, false),
            }
        }
        if step.elements && alone && text.starts_with('[') {
            self.elements(step, text, row);
        }
        if alone && text.starts_with('{') {
            self.scratch.objects[usize::from(step.node)].there |= row_bit(row);
        }
    }

    /// Elements are found by a walk over the array.
    #[cold]
    #[inline(never)]
    fn elements(&mut self, step: &Step, array: &'b str, row: usize) {
        let mut slots = vec![None; usize::from(self.projection.slots)];
        json::project_below(array, self.projection, step.node, &mut slots, &mut self.scratch.walk);
        for (slot, text) in (0..).zip(slots) {
            if let Some(text) = text {
                self.found.set(slot, row, text, false);
            }
        }
    }
}

/// The member that seems to be the wanted one, if it is.
#[inline(always)]
fn member_at<'b>(
    indexed: &Indexed<'b, '_>,
    bytes: &[u8],
    step: &Step,
    row: usize,
    places: &mut Places,
) -> Option<Member<'b>> {
    let behind = places.behind[row] as usize;
    let Some(member) = indexed.member(behind) else {
        places.doubtful |= row_bit(row);
        return None;
    };
    if !step.key.is_of(member, bytes, behind) {
        // The next ones with that signature are looked at.
        places.tokens[row] += 1;
        places.doubtful |= row_bit(row);
        return None;
    }
    Some(member)
}

/// Which of the 64 tokens from that one on have a signature.
#[inline(always)]
fn same_at<L: Lanes>(
    lanes: L,
    indexed: &Indexed<'_, '_>,
    from: usize,
    wanted: L::Block,
    any: u64,
) -> u64 {
    lanes.equal(lanes.load(indexed.signatures(from)), wanted) | any
}

/// The token of the first member of that name, from that token of its object on.
#[inline(always)]
fn find_from<L: Lanes>(
    lanes: L,
    indexed: &Indexed<'_, '_>,
    bytes: &[u8],
    objects: &Objects,
    row: usize,
    step: &Step,
    from: usize,
) -> Option<usize> {
    let (mut at, end) = (from, objects.end[row] as usize);
    while at < end {
        let levels = lanes.load(indexed.levels(at));
        let own = lanes.equal(levels, lanes.splat(step.level)) & low_bits(end - at);
        let signatures = lanes.load(indexed.signatures(at));
        let same = lanes.equal(signatures, lanes.splat(step.key.signature));
        let mut candidates = (same | step.key.any_signature) & own;
        while candidates != 0 {
            let token = at + candidates.trailing_zeros() as usize;
            if indexed.kind(token) == b':' && step.key.is_at(bytes, indexed.offset(token)) {
                return Some(token);
            }
            candidates &= candidates - 1;
        }
        at += BLOCK;
    }
    None
}

/// Where the value behind a key starts: behind its colon, and the spaces around that.
#[inline(always)]
fn value_start(bytes: &[u8], behind_key: usize) -> usize {
    if bytes[behind_key] == b':' && !skip::is_space(bytes[behind_key + 1]) {
        return behind_key + 1;
    }
    let colon = skip::space(bytes, behind_key);
    skip::space(bytes, colon + 1)
}

/// Behind the string that opens at `start`; and whether it holds no escapes.
#[inline(always)]
fn string_end<L: Lanes>(lanes: L, bytes: &[u8], start: usize) -> (usize, bool) {
    let mut at = start + 1;
    let (mut any_escape, mut carry) = (false, false);
    while let Some(near) = bytes[at..].first_chunk() {
        let near = lanes.load(near);
        let mut quotes = lanes.equal(near, lanes.splat(b'"'));
        let backslashes = lanes.equal(near, lanes.splat(b'\\'));
        let before_quote = quotes ^ quotes.wrapping_sub(1);
        if carry | (backslashes & before_quote != 0) {
            any_escape = true;
            quotes &= !escaped(backslashes, &mut carry);
        }
        if quotes != 0 {
            return (at + 1 + quotes.trailing_zeros() as usize, !any_escape);
        }
        at += BLOCK;
    }
    (skip::string(bytes, start), false)
}
