//! JSON documents: a walk from bracket to bracket that hands out the records on the way.
//!
//! A document is never in memory. What lies outside its records is read byte by byte, strictly, and forgotten, but
//! for the wrapper members that the program wants. What lies inside is not looked at: a record ends where its
//! brackets are even, and whether it is sound is found out by those who read it.
//!
//! **The way to the records.** Every step of the path opens one bracket: a member stands in an object, elements in
//! an array. So the brackets that are open at a record are known from the path alone; `open` counts how many of the
//! brackets on the stack are those of the way. A value is *on the way* if all brackets around it are, and it is an
//! element of an array on the way or the first member of the name that the way goes on with. One on the way behind
//! all steps is a record.
//!
//! **Units.** The way may break: a member is absent, or something else stands where its object or array should. What
//! has no records by that is refused (R1003), so that nothing vanishes in silence: the document or, if the way has
//! led through an array before, the element of it. An empty array where the records should be is no fault.
//!
//! **Faults.** A fault outside the records ends the object: everything from the end of the last record on is one
//! refused record, with `at` the byte that shows the fault. The same holds for a document that ends too early, also
//! if that is within a record.

mod extent;
mod name;
mod token;
mod wrapper;

use crate::block::FrameFault;
use crate::code::Code;
use crate::framer::Position;
use crate::input::{Input, Records, RecordsStep};
use crate::simd::Level;

use super::{Blocks, Broken, Found, Limits, Piece, Span, is_space};
use extent::Extent;
use name::is_named;
use token::{Number, Text};
use wrapper::Wrapper;

/// An open bracket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Object,
    Array,
}

/// What comes next.
#[derive(Debug, Clone, Copy)]
enum State {
    /// A document, or the end.
    Between,
    /// A value.
    Value,
    /// A value, or the end of the array that has just begun.
    ElementOrEnd,
    /// A key.
    Key,
    /// A key, or the end of the object that has just begun.
    KeyOrEnd,
    Colon,
    /// A comma, or the end of the array or object.
    CommaOrEnd,
    /// The rest of a key.
    KeyText(Text),
    /// The rest of a string outside the records.
    Text(Text),
    /// The rest of a number outside the records.
    Number(Number),
    /// The rest of `true`, `false` or `null`.
    Literal(&'static [u8]),
    /// The rest of a record.
    Record(Extent),
    /// A fault has ended the object.
    Ended,
}

/// Something outside the records is wrong.
struct Fault {
    code: Code,
    message: &'static str,
    /// The index in the chunk.
    at: usize,
}

impl Fault {
    fn new(message: &'static str, at: usize) -> Self {
        Self { code: Code::Unsound, message, at }
    }
}

/// What has to have records: a document, or an element on the way.
struct Unit {
    span: Span,
    line: u64,
    /// How many brackets are open around it.
    depth: usize,
}

/// Frames the records of documents.
pub(crate) struct Document {
    steps: Vec<RecordsStep>,
    /// The path is `$`: a document is a record, or an array of them.
    plain: bool,
    documents_are_records: bool,
    limits: Limits,
    depth_max: usize,
    utf8_replace: bool,
    level: Level,

    state: State,
    line: u64,
    stack: Vec<Bracket>,
    /// How many brackets of the stack are those of the way.
    open: usize,
    /// Behind so many brackets of the way stand the records.
    records_depth: usize,
    /// The innermost object on the way has had the member that the way goes on with.
    seen: bool,
    /// The present member is that one.
    matched: bool,
    /// The present key, as it is written, if it is short enough to be wanted.
    key: Vec<u8>,
    key_bytes_max: usize,
    wrapper: Wrapper,
    /// The present unit, as long as it has no records.
    unit: Option<Unit>,
    /// The present record, and its line.
    record: (Span, u64),
    /// What stands behind the last record, and the line of its beginning.
    gap: (Span, u64),
    broken: Option<Broken>,
}

impl Document {
    /// Documents from `position` on.
    pub(crate) fn new(
        input: &Input,
        records: &Records,
        limits: Limits,
        position: &Position,
        level: Level,
    ) -> Self {
        let plain = records.path.is_empty() || records.documents_are_records;
        let steps = if plain { vec![RecordsStep::Elements] } else { records.path.clone() };
        let open = (position.open as usize).min(steps.len());
        let bracket = |step: &RecordsStep| match step {
            RecordsStep::Member(_) => Bracket::Object,
            RecordsStep::Elements => Bracket::Array,
        };
        let here = |limit| (Span::new(position.offset, limit), position.line);
        let ways = &records.wrapper;
        Self {
            state: match (position.ended, open) {
                (true, _) => State::Ended,
                (false, 0) => State::Between,
                (false, _) => State::CommaOrEnd,
            },
            stack: steps[..open].iter().map(bracket).collect(),
            open,
            records_depth: steps.len(),
            key_bytes_max: key_bytes_max(&steps, ways),
            wrapper: Wrapper::new(ways, limits.record_bytes_max, input.utf8_replace, open > 0),
            steps,
            plain,
            documents_are_records: records.documents_are_records,
            limits,
            depth_max: input.depth_max as usize,
            utf8_replace: input.utf8_replace,
            level,
            line: position.line,
            seen: true,
            matched: false,
            key: Vec::new(),
            unit: None,
            record: here(limits.record_bytes_max),
            gap: here(limits.kept_bytes_max),
            broken: None,
        }
    }

    /// The object begins here, behind a byte order mark.
    pub(crate) fn begin_at(&mut self, offset: u64) {
        self.gap.0 = Span::new(offset, self.limits.kept_bytes_max);
    }

    /// Frames the chunk from an index on, until it ends or a block is ready; returns where it stands.
    pub(crate) fn frame(&mut self, piece: &Piece<'_>, from: usize, blocks: &mut Blocks) -> usize {
        let mut at = from;
        while at < piece.bytes.len() && !blocks.is_ready() {
            at = match self.step(piece, at, blocks) {
                Ok(next) => next,
                Err(fault) => {
                    self.fail(piece, &fault, blocks);
                    piece.bytes.len()
                }
            };
        }
        at
    }

    /// Keeps what is needed of a chunk that goes.
    pub(crate) fn save(&mut self, piece: &Piece<'_>) {
        if let Some(broken) = &mut self.broken {
            broken.span.save(piece);
            return;
        }
        self.gap.0.save(piece);
        if matches!(self.state, State::Record(_)) {
            self.record.0.save(piece);
        }
        if let Some(unit) = &mut self.unit {
            unit.span.save(piece);
        }
        self.wrapper.save(piece);
    }

    /// The object has ended.
    pub(crate) fn finish(&mut self, piece: &Piece<'_>, blocks: &mut Blocks) {
        let outermost = self.stack.is_empty();
        match self.state {
            State::Between | State::Ended => {}
            State::Record(extent) if outermost && extent.may_end() => {
                self.end_record(piece, 0, blocks)
            }
            State::Number(number) if outermost && number.may_end() => {
                if let Err(fault) = self.end_value(piece, 0, blocks) {
                    self.fail(piece, &fault, blocks);
                }
            }
            _ => self.fail(piece, &Fault::new("the document ends too early", 0), blocks),
        }
        if let Some(broken) = self.broken.take() {
            broken.finish(piece, self.line, blocks);
        }
    }

    /// One token, or what the chunk holds of it. Returns the index behind.
    fn step(&mut self, piece: &Piece<'_>, at: usize, blocks: &mut Blocks) -> Result<usize, Fault> {
        match self.state {
            State::Record(extent) => Ok(self.go_on_record(piece, at, extent, blocks)),
            State::KeyText(text) => self.go_on_key(piece, at, text),
            State::Text(text) => self.go_on_text(piece, at, text, blocks),
            State::Number(number) => self.go_on_number(piece, at, number, blocks),
            State::Literal(rest) => self.go_on_literal(piece, at, rest, blocks),
            State::Ended => Ok(piece.bytes.len()),
            _ => match self.skip_space(piece.bytes, at) {
                Some(at) => self.token(piece, at, blocks),
                None => Ok(piece.bytes.len()),
            },
        }
    }

    fn skip_space(&mut self, bytes: &[u8], from: usize) -> Option<usize> {
        let mut at = from;
        while is_space(*bytes.get(at)?) {
            self.line += u64::from(bytes[at] == b'\n');
            at += 1;
        }
        Some(at)
    }

    /// What stands between the values.
    fn token(&mut self, piece: &Piece<'_>, at: usize, blocks: &mut Blocks) -> Result<usize, Fault> {
        let byte = piece.bytes[at];
        match (self.state, byte) {
            (State::ElementOrEnd | State::CommaOrEnd, b']') => {
                self.close(piece, at, Bracket::Array, blocks)
            }
            (State::KeyOrEnd | State::CommaOrEnd, b'}') => {
                self.close(piece, at, Bracket::Object, blocks)
            }
            (State::Between | State::Value | State::ElementOrEnd, _) => {
                self.value(piece, at, blocks)
            }
            (State::Key | State::KeyOrEnd, b'"') => {
                self.key.clear();
                self.state = State::KeyText(Text::new(self.utf8_replace));
                Ok(at + 1)
            }
            (State::Key | State::KeyOrEnd, _) => Err(Fault::new("a key is missing", at)),
            (State::Colon, b':') => {
                self.state = State::Value;
                Ok(at + 1)
            }
            (State::Colon, _) => Err(Fault::new("a colon is missing behind a key", at)),
            (_, b',') => {
                let in_object = self.stack.last() == Some(&Bracket::Object);
                self.state = if in_object { State::Key } else { State::Value };
                Ok(at + 1)
            }
            _ => Err(Fault::new("a comma or the closing bracket is missing", at)),
        }
    }

    /// A value begins: a record, or something outside the records.
    fn value(&mut self, piece: &Piece<'_>, at: usize, blocks: &mut Blocks) -> Result<usize, Fault> {
        let (byte, depth) = (piece.bytes[at], self.stack.len());
        if depth == 0 {
            self.begin_document(byte);
        }
        let on_way = self.is_on_way();
        if on_way && depth == self.records_depth {
            return self.begin_record(piece, at, blocks);
        }
        if on_way && (depth == 0 || self.steps[depth - 1] == RecordsStep::Elements) {
            let span = Span::new(piece.at(at), self.limits.kept_bytes_max);
            self.unit = Some(Unit { span, line: self.line, depth });
        }
        self.wrapper.begin_value(depth, byte, piece.at(at));
        self.state = match byte {
            b'{' => {
                self.push(Bracket::Object, at)?;
                if on_way && matches!(self.steps[depth], RecordsStep::Member(_)) {
                    self.open += 1;
                    self.seen = false;
                }
                State::KeyOrEnd
            }
            b'[' => {
                self.push(Bracket::Array, at)?;
                if on_way && self.steps[depth] == RecordsStep::Elements {
                    self.open += 1;
                    self.unit = None;
                    self.freeze_wrapper(piece, blocks);
                }
                State::ElementOrEnd
            }
            b'"' => State::Text(Text::new(self.utf8_replace)),
            b't' => State::Literal(b"rue"),
            b'f' => State::Literal(b"alse"),
            b'n' => State::Literal(b"ull"),
            _ => State::Number(Number::new(byte).ok_or(Fault::new("a value is missing", at))?),
        };
        Ok(at + 1)
    }

    /// Whether the value that comes next is on the way.
    fn is_on_way(&self) -> bool {
        let depth = self.stack.len();
        depth == self.open
            && (depth == 0 || self.matched || self.steps[depth - 1] == RecordsStep::Elements)
    }

    fn begin_document(&mut self, byte: u8) {
        self.wrapper.reset();
        let array_of_records = byte == b'[' && !self.documents_are_records;
        self.records_depth =
            if self.plain { usize::from(array_of_records) } else { self.steps.len() };
    }

    fn push(&mut self, bracket: Bracket, at: usize) -> Result<(), Fault> {
        if self.stack.len() >= self.depth_max {
            return Err(Fault::new("brackets nest deeper than `max_depth`", at));
        }
        self.stack.push(bracket);
        Ok(())
    }

    fn close(
        &mut self,
        piece: &Piece<'_>,
        at: usize,
        bracket: Bracket,
        blocks: &mut Blocks,
    ) -> Result<usize, Fault> {
        let depth = self.stack.len();
        if self.stack.pop() != Some(bracket) {
            return Err(Fault::new("brackets of two kinds do not match", at));
        }
        if bracket == Bracket::Object {
            self.wrapper.end_object(depth);
        }
        if self.open == depth {
            self.open -= 1;
            // An object around it has had the member, for this was it.
            self.seen = true;
        }
        self.end_value(piece, at + 1, blocks)?;
        Ok(at + 1)
    }

    /// A value outside the records has ended before the index `end`.
    fn end_value(
        &mut self,
        piece: &Piece<'_>,
        end: usize,
        blocks: &mut Blocks,
    ) -> Result<(), Fault> {
        let depth = self.stack.len();
        self.state = if depth == 0 { State::Between } else { State::CommaOrEnd };
        if !self.wrapper.end_value(depth, piece, end) {
            let message = "the members around the records are longer than `max_record`";
            return Err(Fault { code: Code::TooLong, message, at: end });
        }
        if let Some(unit) = self.unit.take_if(|unit| unit.depth == depth) {
            self.refuse_unit(piece, end, unit, blocks);
        }
        if depth == 0 {
            self.wrapper.reset();
        }
        Ok(())
    }

    fn refuse_unit(&mut self, piece: &Piece<'_>, end: usize, mut unit: Unit, blocks: &mut Blocks) {
        let message = "there is nothing at the path of `records`";
        let fault = FrameFault { code: Code::NoRecords, message, at: 0 };
        self.show_wrapper(piece, blocks);
        self.hand_out(piece, end, &mut unit.span, unit.line, Some(fault), blocks);
    }

    /// The records begin: what stands behind them is not known to them.
    fn freeze_wrapper(&mut self, piece: &Piece<'_>, blocks: &mut Blocks) {
        self.show_wrapper(piece, blocks);
        self.wrapper.freeze();
    }

    fn show_wrapper(&mut self, piece: &Piece<'_>, blocks: &mut Blocks) {
        if !self.wrapper.is_frozen() {
            blocks.set_wrapper(piece, self.wrapper.members());
        }
    }

    fn begin_record(
        &mut self,
        piece: &Piece<'_>,
        at: usize,
        blocks: &mut Blocks,
    ) -> Result<usize, Fault> {
        let byte = piece.bytes[at];
        // Among elements a stray word is one bad record. Between documents it shows that this is no JSON.
        let possible = match self.state {
            State::Between => {
                matches!(byte, b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n')
            }
            _ => !matches!(byte, b',' | b':' | b'}' | b']'),
        };
        if !possible {
            return Err(Fault::new("a value is missing", at));
        }
        self.record = (Span::new(piece.at(at), self.limits.record_bytes_max), self.line);
        Ok(self.go_on_record(piece, at + 1, Extent::new(byte), blocks))
    }

    fn go_on_record(
        &mut self,
        piece: &Piece<'_>,
        at: usize,
        mut extent: Extent,
        blocks: &mut Blocks,
    ) -> usize {
        match extent.find_end(self.level, &piece.bytes[at..], &mut self.line) {
            Some(length) => {
                self.end_record(piece, at + length, blocks);
                at + length
            }
            None => {
                self.state = State::Record(extent);
                piece.bytes.len()
            }
        }
    }

    fn end_record(&mut self, piece: &Piece<'_>, end: usize, blocks: &mut Blocks) {
        let depth = self.stack.len();
        self.state = if depth == 0 { State::Between } else { State::CommaOrEnd };
        let unused = Span::new(0, 0);
        let (mut span, line) = std::mem::replace(&mut self.record, (unused, 0));
        let size = piece.at(end) - span.start;
        let fault = (size > self.limits.record_bytes_max as u64).then(|| self.limits.too_long());
        self.hand_out(piece, end, &mut span, line, fault, blocks);
    }

    /// Hands out what ends before the index `end` as a record.
    fn hand_out(
        &mut self,
        piece: &Piece<'_>,
        end: usize,
        span: &mut Span,
        line: u64,
        fault: Option<FrameFault>,
        blocks: &mut Blocks,
    ) {
        let end = piece.at(end);
        let found = Found {
            size: end - span.start,
            line,
            fault,
            end,
            line_end: self.line,
            open: u32::try_from(self.open).unwrap_or(u32::MAX),
            ended: false,
        };
        blocks.add(piece, span, found);
        self.gap = (Span::new(end, self.limits.kept_bytes_max), self.line);
    }

    fn go_on_key(&mut self, piece: &Piece<'_>, at: usize, mut text: Text) -> Result<usize, Fault> {
        let end = text
            .find_end(&piece.bytes[at..])
            .map_err(|(message, length)| Fault::new(message, at + length))?;
        let read = end.map_or(&piece.bytes[at..], |length| &piece.bytes[at..at + length - 1]);
        let room = self.key_bytes_max - self.key.len();
        self.key.extend_from_slice(&read[..read.len().min(room)]);
        let Some(length) = end else {
            self.state = State::KeyText(text);
            return Ok(piece.bytes.len());
        };
        self.end_key();
        Ok(at + length)
    }

    fn end_key(&mut self) {
        let depth = self.stack.len();
        self.matched = depth == self.open
            && !self.seen
            && matches!(&self.steps[depth - 1], RecordsStep::Member(name) if is_named(&self.key, name));
        self.seen |= self.matched;
        self.wrapper.key(depth, &self.key);
        self.state = State::Colon;
    }

    fn go_on_text(
        &mut self,
        piece: &Piece<'_>,
        at: usize,
        mut text: Text,
        blocks: &mut Blocks,
    ) -> Result<usize, Fault> {
        let end = text
            .find_end(&piece.bytes[at..])
            .map_err(|(message, length)| Fault::new(message, at + length))?;
        let Some(length) = end else {
            self.state = State::Text(text);
            return Ok(piece.bytes.len());
        };
        self.end_value(piece, at + length, blocks)?;
        Ok(at + length)
    }

    fn go_on_number(
        &mut self,
        piece: &Piece<'_>,
        from: usize,
        mut number: Number,
        blocks: &mut Blocks,
    ) -> Result<usize, Fault> {
        for (at, &byte) in piece.bytes.iter().enumerate().skip(from) {
            match number.next(byte) {
                Some(next) => number = next,
                None if number.may_end() => {
                    self.end_value(piece, at, blocks)?;
                    return Ok(at);
                }
                None => return Err(Fault::new("a number is not well-formed", at)),
            }
        }
        self.state = State::Number(number);
        Ok(piece.bytes.len())
    }

    fn go_on_literal(
        &mut self,
        piece: &Piece<'_>,
        at: usize,
        rest: &'static [u8],
        blocks: &mut Blocks,
    ) -> Result<usize, Fault> {
        if piece.bytes[at] != rest[0] {
            return Err(Fault::new("a value is neither `true`, `false` nor `null`", at));
        }
        match &rest[1..] {
            [] => self.end_value(piece, at + 1, blocks)?,
            rest => self.state = State::Literal(rest),
        }
        Ok(at + 1)
    }

    /// A fault ends the object.
    fn fail(&mut self, piece: &Piece<'_>, fault: &Fault, blocks: &mut Blocks) {
        self.show_wrapper(piece, blocks);
        self.state = State::Ended;
        let unused = Span::new(0, 0);
        let (span, line) = std::mem::replace(&mut self.gap, (unused, 0));
        let at = piece.at(fault.at) - span.start;
        let fault = FrameFault { code: fault.code, message: fault.message, at };
        self.broken = Some(Broken { span, line, fault });
    }
}

/// A key that is longer as it is written is no wanted one: of a name, an escape makes at most six bytes of one.
fn key_bytes_max(steps: &[RecordsStep], ways: &[Vec<String>]) -> usize {
    let members = steps.iter().map(|step| match step {
        RecordsStep::Member(name) => name.len(),
        RecordsStep::Elements => 0,
    });
    members.chain(ways.iter().flatten().map(String::len)).max().unwrap_or(0) * 6 + 1
}
