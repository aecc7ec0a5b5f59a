//! Bytes to record blocks: the sequential half of the engine.
//!
//! Chunks of any size, cut anywhere, go in; blocks of whole records come out. Which records these are depends on
//! the bytes of the object and on nothing else. A framer never fails: what cannot be a record is handed out as a
//! record with a [`FrameFault`](crate::block::FrameFault), and that holds for the rest of an object as well if
//! nothing in there can be told apart any more.
//!
//! ```
//! use bytes::Bytes;
//! use weir_engine::framer::Framer;
//! use weir_engine::input::{Format, Input};
//!
//! let mut framer = Framer::new(&Input::new(Format::Ndjson));
//! framer.push(Bytes::from_static(b"{\"a\": 1}\n{\"a\""));
//! let block = framer.next_block().unwrap();
//! assert_eq!(block.records[0].bytes(&block), b"{\"a\": 1}");
//! assert!(framer.next_block().is_none());
//!
//! framer.push(Bytes::from_static(b": 2}"));
//! framer.finish();
//! let block = framer.next_block().unwrap();
//! assert_eq!(block.records[0].bytes(&block), b"{\"a\": 2}");
//! assert_eq!((block.records[0].index, block.records[0].line), (1, 2));
//! ```

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use crate::block::RecordBlock;
use crate::frame::{Blocks, CsvRule, Document, Limits, NdjsonRule, Piece, Rows};
use crate::input::{Format, Input};
use crate::simd::Level;

/// Where a framer stands between two records: with it, and with the bytes from `offset` on, another one goes on.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Position {
    /// Offset in the decompressed object of the next byte to be pushed.
    pub offset: u64,
    /// The index of the next record.
    pub index: u64,
    /// The line at `offset`, 1-based.
    pub line: u64,
    /// The column names, if they are known already.
    pub header: Option<Arc<Vec<String>>>,
    /// The wrapper members of the present document.
    #[serde(with = "wrapper_text")]
    pub wrapper: Arc<Vec<Option<Bytes>>>,
    /// How many brackets around the records of the present document are open.
    pub open: u32,
    /// A fault has ended the object: what follows is part of a record that was handed out.
    pub ended: bool,
}

impl Position {
    /// The beginning of an object.
    pub fn start() -> Self {
        Self {
            offset: 0,
            index: 0,
            line: 1,
            header: None,
            wrapper: Arc::default(),
            open: 0,
            ended: false,
        }
    }
}

/// Wrapper members are JSON texts.
mod wrapper_text {
    use std::sync::Arc;

    use bytes::Bytes;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        wrapper: &Arc<Vec<Option<Bytes>>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        // They are valid UTF-8, for that is checked when they are read.
        let texts = wrapper.iter().map(|member| member.as_deref().map(String::from_utf8_lossy));
        texts.collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<Vec<Option<Bytes>>>, D::Error> {
        let texts = Vec::<Option<String>>::deserialize(deserializer)?;
        Ok(Arc::new(texts.into_iter().map(|member| member.map(Bytes::from)).collect()))
    }
}

/// Frames one object.
pub struct Framer {
    format: Frames,
    blocks: Blocks,
    /// Behind the last block handed out.
    position: Position,
    /// What has been pushed and not been read to its end, and how far the first of it has been read.
    chunks: VecDeque<Bytes>,
    read: usize,
    /// The offset of the first chunk.
    offset: u64,
    /// The first bytes of the object, as long as they may be a byte order mark.
    start: Option<Vec<u8>>,
    finished: bool,
}

enum Frames {
    Ndjson(Rows<NdjsonRule>),
    Csv(Rows<CsvRule>),
    Json(Box<Document>),
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl Framer {
    /// A framer for a new object, with the instructions that [`Level::chosen`] gives.
    ///
    /// # Panics
    ///
    /// The environment names instructions that the machine lacks.
    pub fn new(input: &Input) -> Self {
        Self::resume(input, Position::start())
    }

    /// A framer that goes on where another one stood; it is fed the bytes from `position.offset` on.
    ///
    /// # Panics
    ///
    /// The environment names instructions that the machine lacks.
    pub fn resume(input: &Input, position: Position) -> Self {
        let level = Level::chosen().unwrap_or_else(|error| panic!("{error}"));
        Self::with_level(input, position, level)
    }

    /// The same with these instructions.
    pub fn with_level(input: &Input, mut position: Position, level: Level) -> Self {
        let limits = Limits::new(input.record_bytes_max);
        if let Format::Csv(csv) = &input.format
            && let Some(columns) = &csv.columns
        {
            position.header = Some(Arc::new(columns.clone()));
        }
        if let Format::Json(records) = &input.format {
            Arc::make_mut(&mut position.wrapper).resize(records.wrapper.len(), None);
        }
        Self {
            format: Frames::new(input, limits, &position, level),
            blocks: Blocks::new(position.clone(), limits.kept_bytes_max),
            offset: position.offset,
            start: (position.offset == 0).then(Vec::new),
            position,
            chunks: VecDeque::new(),
            read: 0,
            finished: false,
        }
    }

    /// Feeds bytes in. Then call [`next_block`](Self::next_block) until it gives none: only that frees them.
    pub fn push(&mut self, chunk: Bytes) {
        let Some(mut start) = self.start.take() else {
            return self.chunks.push_back(chunk);
        };
        let length = chunk.len().min(BYTE_ORDER_MARK.len() - start.len());
        let known = start.len();
        start.extend_from_slice(&chunk[..length]);
        if start == BYTE_ORDER_MARK {
            self.offset = BYTE_ORDER_MARK.len() as u64;
            self.format.begin_at(self.offset);
            self.chunks.push_back(chunk.slice(length..));
        } else if BYTE_ORDER_MARK.starts_with(&start) {
            self.start = Some(start);
        } else {
            start.truncate(known);
            self.chunks.push_back(start.into());
            self.chunks.push_back(chunk);
        }
    }

    /// The object has ended. Then call [`next_block`](Self::next_block) for the rest.
    pub fn finish(&mut self) {
        if let Some(start) = self.start.take() {
            self.chunks.push_back(start.into());
        }
        self.finished = true;
    }

    /// The next block, if there is a whole record in what has been pushed.
    pub fn next_block(&mut self) -> Option<RecordBlock> {
        while !self.blocks.is_ready() {
            if self.chunks.is_empty() {
                if !std::mem::take(&mut self.finished) {
                    return None;
                }
                let end = Piece { bytes: &Bytes::new(), offset: self.offset };
                self.format.finish(&end, &mut self.blocks);
                self.blocks.close(&end);
            } else {
                self.frame();
            }
        }
        let block = self.blocks.pop()?;
        self.position = block.end.clone();
        Some(block)
    }

    /// Where another framer may go on: behind the last block handed out.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// Goes on with the first chunk, and lets it go at its end.
    fn frame(&mut self) {
        let Some(chunk) = self.chunks.front() else { return };
        let piece = Piece { bytes: chunk, offset: self.offset };
        self.read = self.format.frame(&piece, self.read, &mut self.blocks);
        if self.read == chunk.len() {
            self.format.save(&piece);
            self.blocks.close(&piece);
            self.offset += chunk.len() as u64;
            self.read = 0;
            self.chunks.pop_front();
        }
    }
}

impl Frames {
    fn new(input: &Input, limits: Limits, position: &Position, level: Level) -> Self {
        match &input.format {
            Format::Ndjson => Self::Ndjson(Rows::new(NdjsonRule::new(level), limits, position)),
            Format::Csv(csv) => {
                let rows = Rows::new(CsvRule::new(csv, limits, level), limits, position);
                Self::Csv(match position.header {
                    Some(_) => rows,
                    None => rows.with_header(csv.clone(), input.utf8_replace),
                })
            }
            Format::Json(records) => {
                Self::Json(Box::new(Document::new(input, records, limits, position, level)))
            }
        }
    }

    /// The object begins here, behind a byte order mark.
    fn begin_at(&mut self, offset: u64) {
        if let Self::Json(document) = self {
            document.begin_at(offset);
        }
    }

    fn frame(&mut self, piece: &Piece<'_>, from: usize, blocks: &mut Blocks) -> usize {
        match self {
            Self::Ndjson(rows) => rows.frame(piece, from, blocks),
            Self::Csv(rows) => rows.frame(piece, from, blocks),
            Self::Json(document) => document.frame(piece, from, blocks),
        }
    }

    fn save(&mut self, piece: &Piece<'_>) {
        match self {
            Self::Ndjson(rows) => rows.save(piece),
            Self::Csv(rows) => rows.save(piece),
            Self::Json(document) => document.save(piece),
        }
    }

    fn finish(&mut self, piece: &Piece<'_>, blocks: &mut Blocks) {
        match self {
            Self::Ndjson(rows) => rows.finish(piece, blocks),
            Self::Csv(rows) => rows.finish(piece, blocks),
            Self::Json(document) => document.finish(piece, blocks),
        }
    }
}

#[cfg(test)]
mod tests;
