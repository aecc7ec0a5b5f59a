//! JSON documents around records: one recursive walk over the whole object.
//!
//! Outside the records everything is read strictly, by RFC 8259. Within, brackets are counted and nothing else.

use std::sync::Arc;

use weir_engine::code::Code;
use weir_engine::input::{Input, Records, RecordsStep};

use super::frame::Framed;
use super::json;

/// The records of an object, which starts at `start`.
pub(super) fn frame(input: &Input, records: &Records, bytes: &[u8], start: usize) -> Vec<Framed> {
    let plain = records.path.is_empty() || records.documents_are_records;
    let mut walk = Walk {
        input,
        bytes,
        at: start,
        found: Vec::new(),
        wrapper: Vec::new(),
        wrapper_bytes: 0,
        begun: false,
        gap: start,
    };
    loop {
        walk.skip_space();
        let Some(&first) = bytes.get(walk.at) else { return walk.found };
        let is_array = first == b'[' && !records.documents_are_records;
        let steps = match (plain, is_array) {
            (true, true) => &[RecordsStep::Elements][..],
            (true, false) => &[],
            (false, _) => &records.path[..],
        };
        let ways = if plain { &[][..] } else { &records.wrapper[..] };
        if let Err(code) = walk.document(steps, ways) {
            walk.found.push(Framed::of(walk.gap..bytes.len(), Some(code)));
            return walk.found;
        }
    }
}

/// A way to a wrapper member: which, and the names still to come.
type Way<'a> = (usize, &'a [String]);

/// A fault ends the object.
type Read<T> = Result<T, Code>;

struct Walk<'a> {
    input: &'a Input,
    bytes: &'a [u8],
    at: usize,
    found: Vec<Framed>,
    /// The wrapper of the present document.
    wrapper: Vec<Option<String>>,
    /// The size of its members together.
    wrapper_bytes: usize,
    /// Its records have begun, so that the wrapper stays as it is.
    begun: bool,
    /// Behind the last record.
    gap: usize,
}

impl<'a> Walk<'a> {
    fn document(&mut self, steps: &'a [RecordsStep], ways: &'a [Vec<String>]) -> Read<()> {
        self.wrapper = vec![None; ways.len()];
        self.wrapper_bytes = 0;
        self.begun = false;
        let ways =
            ways.iter().enumerate().map(|(index, way)| (index, &way[..])).collect::<Vec<_>>();
        self.unit(steps, &ways, 0)
    }

    // ---- On the way ----

    /// A document, or an element on the way: has records, is one, or is refused.
    fn unit(&mut self, steps: &'a [RecordsStep], ways: &[Way<'a>], depth: usize) -> Read<()> {
        let start = self.at;
        if steps.is_empty() {
            return self.record(depth);
        }
        if !self.on_way(steps, ways, depth)? {
            self.hand_out(start, Some(Code::NoRecords));
        }
        Ok(())
    }

    /// A value on the way; says whether the next array on the way was found in it.
    fn on_way(&mut self, steps: &'a [RecordsStep], ways: &[Way<'a>], depth: usize) -> Read<bool> {
        match (self.peek()?, &steps[0]) {
            (b'{', RecordsStep::Member(name)) => {
                self.object(Some((name.as_str(), &steps[1..])), ways, depth)
            }
            (b'[', RecordsStep::Elements) => {
                self.begun = true;
                self.array(Some(&steps[1..]), depth)?;
                Ok(true)
            }
            _ => {
                self.value(ways, depth)?;
                Ok(false)
            }
        }
    }

    /// From the first byte of a record to its end, whatever is in between.
    fn record(&mut self, depth: usize) -> Read<()> {
        let start = self.at;
        let first = self.peek()?;
        let may_start = match depth {
            0 => matches!(first, b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n'),
            _ => !matches!(first, b',' | b':' | b'}' | b']'),
        };
        if !may_start {
            return Err(Code::Unsound);
        }
        if matches!(first, b'{' | b'[' | b'"') {
            let mut open = 0;
            loop {
                match self.peek()? {
                    b'"' => self.at = json::string_end(self.bytes, self.at).ok_or(Code::Unsound)?,
                    b'{' | b'[' => (open, self.at) = (open + 1, self.at + 1),
                    b'}' | b']' => (open, self.at) = (open - 1, self.at + 1),
                    _ => self.at += 1,
                }
                if open == 0 {
                    break;
                }
            }
        } else {
            let ends = |byte: &u8| matches!(byte, b',' | b']' | b'}') || json::is_space(*byte);
            let length = self.bytes[self.at..].iter().position(ends);
            if length.is_none() && depth > 0 {
                return Err(Code::Unsound);
            }
            self.at += length.unwrap_or(self.bytes.len() - self.at);
        }
        let too_long = self.at - start > self.input.record_bytes_max as usize;
        self.hand_out(start, too_long.then_some(Code::TooLong));
        Ok(())
    }

    fn hand_out(&mut self, start: usize, fault: Option<Code>) {
        let wrapper = Arc::new(self.wrapper.clone());
        self.found.push(Framed { wrapper, ..Framed::of(start..self.at, fault) });
        self.gap = self.at;
    }

    // ---- Strictly ----

    /// Any value outside the records.
    fn value(&mut self, ways: &[Way<'a>], depth: usize) -> Read<()> {
        match self.peek()? {
            b'{' => self.object(None, ways, depth).map(|_| ()),
            b'[' => self.array(None, depth),
            b'"' => self.string().map(|_| ()),
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            b'n' => self.literal("null"),
            _ => self.number(),
        }
    }

    /// An object. `way` is the member that the way goes on with; says whether an array on the way was found in it.
    fn object(
        &mut self,
        way: Option<(&'a str, &'a [RecordsStep])>,
        ways: &[Way<'a>],
        depth: usize,
    ) -> Read<bool> {
        self.open(depth)?;
        // A way whose last name has been met leads no further.
        let mut ways: Vec<_> = ways.iter().copied().filter(|(_, rest)| !rest.is_empty()).collect();
        let (mut way, mut reached) = (way, false);
        self.skip_space();
        if self.peek()? == b'}' {
            self.at += 1;
            return Ok(false);
        }
        loop {
            let name = self.key()?;
            let (next, others): (Vec<_>, Vec<_>) =
                ways.into_iter().partition(|(_, names)| names.first() == name.as_ref());
            ways = others;
            let into: Vec<Way<'a>> = next.into_iter().map(|(i, names)| (i, &names[1..])).collect();
            let start = self.at;
            match way.filter(|(wanted, _)| name.as_deref() == Some(wanted)) {
                Some((_, steps)) => {
                    way = None;
                    reached |= self.on_way(steps, &into, depth + 1)?;
                }
                None => self.value(&into, depth + 1)?,
            }
            for (index, _) in into.iter().filter(|(_, rest)| rest.is_empty()) {
                self.keep_wrapper(*index, start)?;
            }
            self.skip_space();
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Ok(reached);
                }
                _ => return Err(Code::Unsound),
            }
            self.skip_space();
        }
    }

    /// `"name" :` and what stands before the value.
    fn key(&mut self) -> Read<Option<String>> {
        if self.peek()? != b'"' {
            return Err(Code::Unsound);
        }
        let name = self.string()?;
        self.skip_space();
        if self.peek()? != b':' {
            return Err(Code::Unsound);
        }
        self.at += 1;
        self.skip_space();
        Ok(name)
    }

    fn keep_wrapper(&mut self, index: usize, start: usize) -> Read<()> {
        if self.begun {
            return Ok(());
        }
        self.wrapper_bytes += self.at - start;
        if self.wrapper_bytes > self.input.record_bytes_max as usize {
            return Err(Code::TooLong);
        }
        let text = String::from_utf8_lossy(&self.bytes[start..self.at]);
        self.wrapper[index] = Some(text.into_owned());
        Ok(())
    }

    /// An array; with `steps`, its elements are on the way.
    fn array(&mut self, steps: Option<&'a [RecordsStep]>, depth: usize) -> Read<()> {
        self.open(depth)?;
        self.skip_space();
        if self.peek()? == b']' {
            self.at += 1;
            return Ok(());
        }
        loop {
            match steps {
                Some(steps) => self.unit(steps, &[], depth + 1)?,
                None => self.value(&[], depth + 1)?,
            }
            self.skip_space();
            match self.peek()? {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(Code::Unsound),
            }
            self.skip_space();
        }
    }

    fn open(&mut self, depth: usize) -> Read<()> {
        self.at += 1;
        if depth >= self.input.depth_max as usize { Err(Code::Unsound) } else { Ok(()) }
    }

    /// A string; gives its text, if it has one.
    fn string(&mut self) -> Read<Option<String>> {
        let end = json::string_end(self.bytes, self.at).ok_or(Code::Unsound)?;
        let literal = &self.bytes[self.at..end];
        self.at = end;
        let text = match std::str::from_utf8(literal) {
            Ok(text) => text.to_owned(),
            Err(_) if self.input.utf8_replace => String::from_utf8_lossy(literal).into_owned(),
            Err(_) => return Err(Code::Unsound),
        };
        if json::is_json(&text) { Ok(json::decode(&text)) } else { Err(Code::Unsound) }
    }

    fn literal(&mut self, word: &str) -> Read<()> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err(Code::Unsound);
        }
        self.at += word.len();
        Ok(())
    }

    /// As far as a number goes.
    fn number(&mut self) -> Read<()> {
        self.at += usize::from(self.peek()? == b'-');
        if self.peek()? == b'0' {
            self.at += 1
        } else {
            self.digits()?
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.bytes.get(self.at), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Read<()> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += length;
        if length == 0 { Err(Code::Unsound) } else { Ok(()) }
    }

    fn skip_space(&mut self) {
        while self.bytes.get(self.at).is_some_and(|&byte| json::is_space(byte)) {
            self.at += 1;
        }
    }

    /// The byte that comes next; a document that ends here ends too early.
    fn peek(&self) -> Read<u8> {
        self.bytes.get(self.at).copied().ok_or(Code::Unsound)
    }
}
