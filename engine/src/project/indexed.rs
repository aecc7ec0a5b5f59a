//! Finds the wanted values of a JSON record by its [index](crate::simd::index).
//!
//! In each object that the projection enters, a name is searched by one comparison for 64 tokens: *of this level, and
//! with the signature of this name*. Nearly always one candidate is left, whose bytes are then compared. The lowest
//! candidate is the first member of that name; so the order of members, equal names and wide objects need no case of
//! their own, and nothing is learnt or guessed.
//!
//! What is rare is left to the walk over the text ([`json`]), which says what is meant: elements of arrays, and records
//! with a wanted name that is written with escapes.

use std::ops::Range;

use crate::block::Record;
use crate::plan::{Node, Projection};
use crate::project::found::Found;
use crate::project::{json, skip, string};
use crate::rows::{Rows, row_bit};
use crate::simd::index::{Indexed, escaped, signature};
use crate::simd::{BLOCK, Kernel, Lanes, Level, low_bits};

/// A key and its quotes, as far as they are compared at once.
const PATTERN: usize = 32;

/// A colon, a quote, a block, and what follows.
const NEAR: usize = 2 + BLOCK + 1;

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
    /// How many steps look below it.
    below: u16,
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
    /// The pattern is all of it.
    is_short: bool,
    /// All ones if names so short have no signature: what stands before them would be part of it.
    any_signature: u64,
}

/// The tokens of one object: those from `first` on that come before `end`, its closing bracket.
#[derive(Debug, Clone, Copy, Default)]
struct Object {
    first: usize,
    end: usize,
    level: u8,
    /// Which of its first 64 tokens are colons of its own members, and which of the next 64.
    near: u64,
    next: u64,
}

/// Memory that is used again from record to record.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    objects: Vec<Object>,
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

/// What is to be known of a record to project it.
#[derive(Debug, Clone, Copy)]
struct FoundRecord {
    /// Its closing bracket.
    token: usize,
    /// Where it starts and ends, spaces left out.
    start: usize,
    end: usize,
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
            is_short: quoted.len() <= PATTERN,
            any_signature: if name.len() < 2 { !0 } else { 0 },
        }
    }

    /// Is this the name of the member whose key ends before `behind`?
    #[inline(always)]
    fn is_at(&self, bytes: &[u8], behind: usize) -> bool {
        let near: Option<&[u8; PATTERN + 1]> =
            behind.checked_sub(PATTERN + 1).and_then(|from| bytes[from..].first_chunk());
        let (Some([first, near @ ..]), true) = (near, self.is_short) else {
            return self.is_anywhere_at(bytes, behind);
        };
        let mut differences = 0;
        for ((byte, wanted), mask) in near.iter().zip(&self.pattern).zip(&self.mask) {
            differences |= (byte ^ wanted) & mask;
        }
        if differences != 0 {
            return false;
        }
        // It is a member only if it stands right behind a comma or the opening bracket.
        let length = self.name.len() + 2;
        let before = if length == PATTERN { *first } else { near[PATTERN - 1 - length] };
        matches!(before, b',' | b'{') || self.is_behind_spaces(bytes, behind, before)
    }

    #[cold]
    #[inline(never)]
    fn is_anywhere_at(&self, bytes: &[u8], behind: usize) -> bool {
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
        search.add_members(projection, 0);
        Some(search)
    }

    fn add_members(&mut self, projection: &Projection, parent: u16) {
        for (name, node) in &projection.nodes[usize::from(parent)].members {
            let wanted = &projection.nodes[usize::from(*node)];
            let at = self.steps.len();
            self.steps.push(Step {
                key: Key::new(name),
                parent,
                node: *node,
                slot: wanted.slot,
                below: 0,
                elements: !wanted.elements.is_empty() || wanted.last.is_some(),
            });
            self.add_members(projection, *node);
            // There are as many steps as nodes, at most.
            self.steps[at].below = (self.steps.len() - at - 1) as u16;
        }
    }

    /// Fills the slots of records as [`json::project`] does. Gives the records that are left to that, in which nothing is
    /// found.
    pub(crate) fn project<'b>(
        &self,
        level: Level,
        records: IndexedRecords<'b, '_, '_>,
        projection: &Projection,
        found: &mut Found<'b>,
        scratch: &mut Scratch,
    ) -> Rows {
        scratch.objects.resize(self.nodes, Object::default());
        let IndexedRecords { indexed, bytes, records, row } = records;
        let first = 0;
        level.run(Run {
            search: self,
            indexed,
            bytes,
            records,
            row,
            first,
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

/// Sets the object whose members have that level, from the token behind its opening bracket on; gives that of its closing
/// one.
///
/// What is written in parts and read as a whole has to wait for the cache. So objects are never moved, and their fields
/// read one by one.
#[inline(always)]
fn members<L: Lanes>(
    lanes: L,
    indexed: &Indexed<'_, '_>,
    first: usize,
    level: u8,
    object: &mut Object,
) -> Option<usize> {
    (object.first, object.level) = (first, level);
    (object.near, object.next) = (0, 0);
    let mut at = first;
    while at < indexed.len() {
        let levels = lanes.load(indexed.levels(at));
        let ends = lanes.at_most(levels, lanes.splat(level - 1));
        let mut own = lanes.equal(levels, lanes.splat(level));
        if ends != 0 {
            own &= (ends - 1) & !ends;
        }
        if at == first {
            object.near = own;
        } else if at == first + BLOCK {
            object.next = own;
        }
        if ends != 0 {
            object.end = at + ends.trailing_zeros() as usize;
            return (object.end < indexed.len()).then_some(object.end);
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
    projection: &'r Projection,
    found: &'s mut Found<'b>,
    scratch: &'s mut Scratch,
}

impl Kernel for Run<'_, '_, '_, '_> {
    type Output = Rows;

    #[inline(always)]
    fn run<L: Lanes>(mut self, lanes: L) -> Rows {
        let mut left = 0;
        for (row, record) in (self.row..).zip(self.records) {
            // No closures: they might not be compiled for the same instructions.
            let is_found = match self.find_record(lanes, record) {
                Some(found) => self.project(lanes, &found, row),
                None => false,
            };
            if !is_found {
                self.found.clear(row);
                left |= row_bit(row);
            }
        }
        left
    }
}

impl<'b> Run<'_, 'b, '_, '_> {
    /// The record whose first token is the next one; moves that behind it. None if it is not exactly one object.
    #[inline(always)]
    fn find_record<L: Lanes>(&mut self, lanes: L, record: &Record) -> Option<FoundRecord> {
        let indexed = self.indexed;
        let end = record.end as usize;
        let first = self.first;
        let one = self.record_at(lanes, record.start as usize..end, first);
        let is_behind = |token: &usize| *token == indexed.len() || indexed.offset(*token) >= end;
        let next = one.as_ref().map_or(first, |record| record.token + 1);
        self.first = (next..=indexed.len()).find(is_behind).unwrap_or(indexed.len());
        one.filter(|_| self.first == next)
    }

    #[inline(always)]
    fn record_at<L: Lanes>(
        &mut self,
        lanes: L,
        place: Range<usize>,
        first: usize,
    ) -> Option<FoundRecord> {
        let Range { start, end } = place;
        let indexed = self.indexed;
        let opens = first < indexed.len() && indexed.kind(first) == b'{';
        if !opens || indexed.level(first) != 2 {
            return None;
        }
        let open = indexed.offset(first);
        let token = members(lanes, &indexed, first + 1, 2, &mut self.scratch.objects[0])?;
        let close = indexed.offset(token);
        let alone = open >= start
            && close < end
            && skip::space(&self.bytes[..open], start) == open
            && skip::space(&self.bytes[..end], close + 1) == end;
        alone.then_some(FoundRecord { token, start: open, end: close + 1 })
    }

    /// False if the record is left to the walk over its text.
    #[inline(always)]
    fn project<L: Lanes>(&mut self, lanes: L, record: &FoundRecord, row: usize) -> bool {
        let search = self.search;
        let escaped = self.indexed.escaped_keys();
        if !escaped.is_empty() {
            let from = escaped.partition_point(|behind| (*behind as usize) < record.start);
            let to = escaped.partition_point(|behind| (*behind as usize) < record.end);
            let name = &mut self.scratch.name;
            if from < to && search.has_disguised(&escaped[from..to], record.start, self.bytes, name)
            {
                return false;
            }
        }
        if let Some(slot) = search.record_slot {
            let text = self.indexed.text(record.start, record.end);
            self.found.set(slot, row, text, false);
        }
        let (indexed, bytes) = (self.indexed, self.bytes);
        let mut at = 0;
        while let Some(step) = search.steps.get(at) {
            at += 1;
            let object = &self.scratch.objects[usize::from(step.parent)];
            let Some(token) = find(lanes, &indexed, bytes, object, &step.key) else {
                at += usize::from(step.below);
                continue;
            };
            if search.reject_duplicates
                && find_from(lanes, &indexed, bytes, object, &step.key, token + 1).is_some()
            {
                return false;
            }
            let level = object.level;
            if !self.value(lanes, step, level, token, row) {
                at += usize::from(step.below);
            }
        }
        true
    }

    /// Takes the value behind a key. False if nothing below it can be found.
    #[inline(always)]
    fn value<L: Lanes>(
        &mut self,
        lanes: L,
        step: &Step,
        level: u8,
        token: usize,
        row: usize,
    ) -> bool {
        let indexed = self.indexed;
        let behind_key = indexed.offset(token);
        // Mostly a string follows that ends soon.
        if let Some([b':', b'"', near @ ..]) = self.bytes[behind_key..].first_chunk::<NEAR>() {
            let (text, follows) = near.split_first_chunk().expect("there is more than a block");
            let text: &[u8; BLOCK] = text;
            let block = lanes.load(text);
            let quotes = lanes.equal(block, lanes.splat(b'"'));
            let backslashes = lanes.equal(block, lanes.splat(b'\\'));
            let before_quote = quotes ^ quotes.wrapping_sub(1);
            let place = quotes.trailing_zeros() as usize;
            if quotes != 0 && backslashes & before_quote == 0 {
                let behind = if place + 1 < BLOCK { text[place + 1] } else { follows[0] };
                if matches!(behind, b',' | b'}') {
                    if let Some(slot) = step.slot {
                        let text = indexed.text(behind_key + 1, behind_key + place + 3);
                        self.found.set(slot, row, text, true);
                    }
                    return false;
                }
            }
        }
        self.any_value(lanes, step, level, token, row)
    }

    /// The same for any kind of value.
    #[inline(always)]
    fn any_value<L: Lanes>(
        &mut self,
        lanes: L,
        step: &Step,
        level: u8,
        token: usize,
        row: usize,
    ) -> bool {
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
                let object = &mut self.scratch.objects[usize::from(step.node)];
                let Some(end) = members(lanes, &indexed, token + 2, level + 2, object) else {
                    return false;
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
            self.found.set(slot, row, text, plain & alone);
        }
        if step.elements && alone && text.starts_with('[') {
            self.elements(step, text, row);
        }
        alone && text.starts_with('{')
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

/// The token of the first member of that name.
#[inline(always)]
fn find<L: Lanes>(
    lanes: L,
    indexed: &Indexed<'_, '_>,
    bytes: &[u8],
    object: &Object,
    key: &Key,
) -> Option<usize> {
    let wanted = lanes.splat(key.signature);
    let mut from = object.first;
    let mut own = object.near;
    loop {
        let signatures = lanes.load(indexed.signatures(from));
        let candidates = (lanes.equal(signatures, wanted) | key.any_signature) & own;
        if candidates != 0 {
            let token = from + candidates.trailing_zeros() as usize;
            if key.is_at(bytes, indexed.offset(token)) {
                return Some(token);
            }
            return find_from(lanes, indexed, bytes, object, key, token + 1);
        }
        from += BLOCK;
        if object.end <= from {
            return None;
        }
        if from > object.first + BLOCK {
            return find_from(lanes, indexed, bytes, object, key, from);
        }
        own = object.next;
    }
}

/// The same from that token on.
#[inline(always)]
fn find_from<L: Lanes>(
    lanes: L,
    indexed: &Indexed<'_, '_>,
    bytes: &[u8],
    object: &Object,
    key: &Key,
    from: usize,
) -> Option<usize> {
    let mut at = from;
    while at < object.end {
        let levels = lanes.load(indexed.levels(at));
        let own = lanes.equal(levels, lanes.splat(object.level)) & low_bits(object.end - at);
        let signatures = lanes.load(indexed.signatures(at));
        let same = lanes.equal(signatures, lanes.splat(key.signature)) | key.any_signature;
        let mut candidates = same & own;
        while candidates != 0 {
            let token = at + candidates.trailing_zeros() as usize;
            if indexed.kind(token) == b':' && key.is_at(bytes, indexed.offset(token)) {
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
