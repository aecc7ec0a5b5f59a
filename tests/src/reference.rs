//! What a program means: the slow, obvious evaluator that everything else is compared with.
//!
//! It takes the whole input and the checked program (the typed tree, never the plan that it is lowered to), frames the
//! records with everything in memory, reads each into an owned tree of its own, and evaluates the program line by line.
//! Of the engine it shares only what is tested by itself: the functions of the language, exact decimals, and the readers
//! of single texts.

mod csv;
mod document;
mod emit;
mod eval;
mod frame;
mod json;
mod number;
mod paths;
mod raw;
mod record;

use std::borrow::Cow;

use bumpalo::Bump;
use weir_dsl::hir::{Program, Raw};
use weir_dsl::source::Source;
use weir_engine::code::Code;
use weir_engine::input::Format;
use weir_engine::plan::ObjectMeta;

use crate::outcome::{self, Event, Outcome, Reject};
use eval::{Evaluator, Node, Record};
use frame::Framed;

/// Why a record is refused; its place is added by who knows it.
#[derive(Debug, Clone)]
struct Refusal {
    code: Code,
    line: u32,
    target: String,
    message: String,
    text: String,
}

impl Refusal {
    fn of(code: Code) -> Self {
        Self::at(code, 0)
    }

    fn at(code: Code, line: u32) -> Self {
        let (target, message, text) = (String::new(), String::new(), String::new());
        Self { code, line, target, message, text }
    }
}

/// Everything that a program makes of an object.
pub fn run(program: &Program, source: &Source, meta: &ObjectMeta, object: &[u8]) -> Outcome {
    let mut outcome = Outcome::default();
    for (index, framed) in frame::frame(&program.input, object).into_iter().enumerate() {
        let mut run =
            Run { program, source, meta, object, skipped_values: 0, ambiguous_time: false };
        let result = run.record(&framed);
        outcome.skipped_values += run.skipped_values;
        match result {
            Ok(events) if events.is_empty() => outcome.dropped += 1,
            Ok(events) => {
                outcome.mapped += 1;
                outcome.ambiguous_times += u64::from(run.ambiguous_time);
                outcome.events.extend(events.into_iter().map(|event| (index as u64, event)));
            }
            Err(refusal) => outcome.rejects.push(run.reject(index, &framed, refusal)),
        }
    }
    outcome.records = outcome.mapped + outcome.dropped + outcome.rejects.len() as u64;
    outcome
}

/// One record of an object.
struct Run<'a> {
    program: &'a Program,
    source: &'a Source,
    meta: &'a ObjectMeta,
    object: &'a [u8],
    skipped_values: u64,
    ambiguous_time: bool,
}

impl Run<'_> {
    fn reject(&self, index: usize, framed: &Framed, refusal: Refusal) -> Reject {
        Reject {
            index: index as u64,
            offset: framed.range.start as u64,
            size: framed.range.len() as u64,
            object_line: self.line(framed),
            code: refusal.code,
            line: refusal.line,
            target: refusal.target,
            message: refusal.message,
            text: refusal.text,
            raw: self.shown(framed),
        }
    }

    /// What is shown of a refused record: nothing if redacted paths cannot be found in it.
    fn shown(&self, framed: &Framed) -> Option<outcome::Raw> {
        let input = &self.program.input;
        let bytes = &self.object[framed.kept(input)];
        let is_readable = match &input.format {
            Format::Csv(settings) => csv::cells(settings, bytes).len() <= framed.header.len(),
            Format::Ndjson | Format::Json(_) => self.sound_text(bytes).is_some(),
        };
        let is_redacted = matches!(self.program.raw, Raw::Redact(_));
        if is_redacted && (framed.fault.is_some() || !is_readable) {
            return None;
        }
        raw::stored(&self.program.raw, input, &framed.header, bytes).map(outcome::Raw)
    }

    /// The text of a record, if that is sound.
    fn sound_text<'b>(&self, bytes: &'b [u8]) -> Option<Cow<'b, str>> {
        let input = &self.program.input;
        let text = String::from_utf8_lossy(bytes);
        let is_text = std::str::from_utf8(bytes).is_ok() || input.utf8_replace;
        let is_sound = json::is_sound(text.as_bytes(), input.depth_max as usize);
        (is_text && is_sound).then_some(text)
    }

    /// The line on which a record starts.
    fn line(&self, framed: &Framed) -> u64 {
        let before = &self.object[..framed.range.start];
        1 + before.iter().filter(|&&byte| byte == b'\n').count() as u64
    }

    fn record(&mut self, framed: &Framed) -> Result<Vec<Event>, Refusal> {
        if let Some(code) = framed.fault {
            return Err(Refusal::of(code));
        }
        match &self.program.input.format {
            Format::Ndjson | Format::Json(_) => self.json_record(framed),
            Format::Csv(_) => self.row(framed),
        }
    }

    fn json_record(&mut self, framed: &Framed) -> Result<Vec<Event>, Refusal> {
        let bytes = &self.object[framed.range.clone()];
        let text = self.sound_text(bytes).ok_or_else(|| Refusal::of(Code::Unsound))?;
        let tree = json::tree(text.as_bytes(), 0..text.len());
        let wrapper = framed.wrapper.iter().flatten();
        let wrapper_trees: Vec<_> =
            wrapper.map(|text| json::tree(text.as_bytes(), 0..text.len())).collect();
        let mut trees = wrapper_trees.iter();
        let wrapper = framed.wrapper.iter().map(|member| match member {
            Some(text) => trees.next().map_or(Node::Absent, |tree| Node::Json(text, tree)),
            None => Node::Absent,
        });
        let wrapper = wrapper.collect();
        self.evaluate(framed, Node::Json(&text, &tree), wrapper)
    }

    fn row(&mut self, framed: &Framed) -> Result<Vec<Event>, Refusal> {
        let input = &self.program.input;
        let Format::Csv(settings) = &input.format else { return Ok(Vec::new()) };
        let texts = csv::texts(input, settings, &self.object[framed.range.clone()]);
        let texts = texts.ok_or_else(|| Refusal::of(Code::Unsound))?;
        if texts.len() > framed.header.len() {
            return Err(Refusal::of(Code::TooManyCells));
        }
        self.evaluate(framed, Node::Row(&framed.header, &texts), Vec::new())
    }

    fn evaluate(
        &mut self,
        framed: &Framed,
        root: Node<'_>,
        wrapper: Vec<Node<'_>>,
    ) -> Result<Vec<Event>, Refusal> {
        let bytes = &self.object[framed.range.clone()];
        let raw = raw::stored(&self.program.raw, &self.program.input, &framed.header, bytes);
        let (line, offset) = (self.line(framed), framed.range.start as u64);
        let record = Record { root, wrapper, line, offset, bytes, raw };
        let (arena, trees) = (Bump::new(), json::Trees::default());
        let store = eval::Store { arena: &arena, trees: &trees };
        let evaluator = Evaluator::new(self.program, self.source, self.meta, store, &record);
        let (outcome, skipped_values, ambiguous_time) = evaluator.record();
        (self.skipped_values, self.ambiguous_time) = (skipped_values, ambiguous_time);
        outcome
    }
}
