//! A program and an input, run in every way there is, which must all come to the same.

use std::fmt::Debug;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use weir_dsl::Diagnostic;
use weir_dsl::hir::Program;
use weir_dsl::source::Source;
use weir_engine::plan::{ObjectMeta, Plan};
use weir_engine::worker::Worker;

use crate::chunk::{self, Cut, Mapped, Means};
use crate::golden;
use crate::outcome::Outcome;
use crate::reference;

/// So many positions of an object are resumed from at most; more would take quadratic time.
const RESUMED_MAX: usize = 60;

/// So many workers share the blocks of an object.
const THREADS: usize = 3;

/// A compiled program, with everything that its runs need.
#[derive(Debug)]
pub struct Subject {
    /// Its text.
    pub source: Source,
    /// The typed tree.
    pub program: Program,
    /// What the engine runs.
    pub plan: Arc<Plan>,
    /// About the object.
    pub meta: ObjectMeta,
}

impl Subject {
    /// Compiles a program.
    ///
    /// # Panics
    ///
    /// If it has mistakes: shows them.
    pub fn new(name: &str, text: &str) -> Self {
        Self::compile(name, text).unwrap_or_else(|mistakes| {
            let source = Source::new(name, text);
            let shown = weir_dsl::diagnostic::render::render(&mistakes, &source, false);
            panic!("{name} does not compile\n{shown}");
        })
    }

    /// Compiles a program.
    ///
    /// # Errors
    ///
    /// Its mistakes.
    pub fn compile(name: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let source = Source::new(name, text);
        let compiled = weir_dsl::compile(&source);
        let (Some(program), Some(plan)) = (compiled.program, compiled.plan) else {
            return Err(compiled.diagnostics);
        };
        let text = || "test".to_owned();
        let (key, bucket, source_name) = (text(), text(), text());
        let meta = ObjectMeta {
            key,
            bucket,
            source: source_name,
            received_at_ns: 946_684_800_000_000_000,
        };
        Ok(Self { source, program, plan, meta })
    }

    /// Runs the program over an object in every way: whole, byte by byte, cut at random, resumed behind blocks, by
    /// all means that the machine has, and through the reference. `seed` decides where the random cuts are.
    ///
    /// # Panics
    ///
    /// If two ways differ: shows where, with the seed.
    pub fn agree(&self, object: &[u8], seed: u64) -> Mapped {
        let cuts = [Cut::Bytes, Cut::Random(seed), Cut::Random(seed ^ 1), Cut::Random(seed ^ 2)];
        self.agree_cut(object, &cuts)
    }

    /// The same, cut in some ways only.
    ///
    /// # Panics
    ///
    /// If two ways differ: shows where.
    pub fn agree_cut(&self, object: &[u8], cuts: &[Cut]) -> Mapped {
        let whole = chunk::map(&self.plan, &self.meta, object, Cut::Whole);
        self.check_sum(&whole.outcome);
        let expected = reference::run(&self.program, &self.source, &self.meta, object);
        same_meaning(&expected, &whole.outcome);
        for &cut in cuts {
            let other = chunk::map(&self.plan, &self.meta, object, cut);
            same(&cut, &whole, &other);
            self.check_resumed(object, &whole, &other, cut);
        }
        for means in Means::all() {
            let other = chunk::map_by(means, &self.plan, &self.meta, object, Cut::Whole);
            same(&means, &whole, &other);
        }
        // Of a whole object there is but one block; so it is cut as finely as the first cut says.
        let cut = cuts.first().copied().unwrap_or(Cut::Whole);
        let other = chunk::map_in_threads(&self.plan, &self.meta, object, cut, THREADS);
        same(&"on threads", &whole, &other);
        whole
    }

    fn check_sum(&self, outcome: &Outcome) {
        let Outcome { records, mapped, dropped, rejects, .. } = outcome;
        assert_eq!(*records, mapped + dropped + rejects.len() as u64, "records must add up");
    }

    /// From behind each block, the rest of the object must come to the rest of the whole.
    fn check_resumed(&self, object: &[u8], whole: &Mapped, cut_up: &Mapped, cut: Cut) {
        let step = cut_up.ends.len().div_ceil(RESUMED_MAX).max(1);
        for end in cut_up.ends.iter().step_by(step) {
            let rest = chunk::resume(&self.plan, &self.meta, object, end, Cut::Whole).outcome;
            let index = end.index;
            let events = whole.outcome.events.iter().filter(|(of, _)| *of >= index);
            let rejects = whole.outcome.rejects.iter().filter(|reject| reject.index >= index);
            assert!(events.eq(&rest.events), "events resumed at {end:?} of {cut:?} differ");
            assert!(rejects.eq(&rest.rejects), "rejects resumed at {end:?} of {cut:?} differ");
            assert_eq!(
                whole.outcome.records - index,
                rest.records,
                "resumed at {end:?} of {cut:?}"
            );
        }
    }
}

/// Workers of all means for one program, used again from object to object: making them costs more than a small object,
/// and what one object leaves behind in them must not show in the next.
#[derive(Debug)]
pub struct Crew<'s> {
    subject: &'s Subject,
    /// Each sees every object whole.
    whole: Vec<(Means, Worker)>,
    /// Each sees every object in pieces, of one cut after the other.
    pieces: Vec<(Means, Worker)>,
}

impl<'s> Crew<'s> {
    /// A crew that has not seen anything yet.
    pub fn new(subject: &'s Subject) -> Self {
        let workers = || Means::all().map(|means| (means, means.worker(&subject.plan))).collect();
        Self { subject, whole: workers(), pieces: workers() }
    }

    /// What all of them make of an object.
    ///
    /// # Panics
    ///
    /// If two differ: shows where.
    pub fn agree(&mut self, object: &[u8], cuts: &[Cut]) -> Mapped {
        let Subject { plan, meta, .. } = self.subject;
        let mut whole: Option<Mapped> = None;
        for (means, worker) in &mut self.whole {
            let mapped = chunk::map_with(*means, worker, plan, meta, object, Cut::Whole);
            match &whole {
                Some(whole) => same(means, whole, &mapped),
                None => whole = Some(mapped),
            }
        }
        let whole = whole.expect("every machine has some means");
        self.subject.check_sum(&whole.outcome);
        for &cut in cuts {
            let (means, worker) = &mut self.pieces[0];
            let mapped = chunk::map_with(*means, worker, plan, meta, object, cut);
            same_result(&(*means, cut), &whole, &mapped);
            self.pieces.rotate_left(1);
        }
        whole
    }

    /// The same, and what they make of it is what the reference says.
    ///
    /// # Panics
    ///
    /// If two differ: shows where.
    pub fn agree_with_reference(&mut self, object: &[u8], cuts: &[Cut]) -> Mapped {
        let mapped = self.agree(object, cuts);
        let Subject { program, source, meta, .. } = self.subject;
        same_meaning(&reference::run(program, source, meta, object), &mapped.outcome);
        mapped
    }
}

/// What comes out must not depend on how the object was cut, nor on how the engine goes about it.
///
/// # Panics
///
/// If they differ: shows where.
pub fn same(way: &dyn Debug, whole: &Mapped, other: &Mapped) {
    same_result(way, whole, other);
    assert_eq!(whole.tally, other.tally, "counters of whole and {way:?}");
}

/// The same but for the counters of lines.
///
/// # Panics
///
/// If they differ: shows where.
pub fn same_result(way: &dyn Debug, whole: &Mapped, other: &Mapped) {
    same_lines("events", way, &whole.events, &other.events);
    same_lines("OCSF events", way, &whole.ocsf, &other.ocsf);
    same_lines("rejects", way, &whole.rejects, &other.rejects);
    assert_eq!(whole.outcome, other.outcome, "whole and {way:?}");
}

fn same_lines(what: &str, way: &dyn Debug, whole: &[u8], other: &[u8]) {
    let text = |lines: &[u8]| String::from_utf8_lossy(lines).into_owned();
    if let Some(difference) = golden::difference(&text(whole), &text(other)) {
        panic!("{what}: whole (expected) and {way:?} (actual) differ\n{difference}");
    }
}

/// The engine must do what the reference says.
///
/// The words of a message may differ where the reference has none.
///
/// # Panics
///
/// If it does not: shows where.
pub fn same_meaning(reference: &Outcome, engine: &Outcome) {
    let mut reference = reference.clone();
    for (ours, theirs) in reference.rejects.iter_mut().zip(&engine.rejects) {
        if ours.message.is_empty() {
            ours.message.clone_from(&theirs.message);
        }
    }
    for (ours, theirs) in reference.events.iter().zip(&engine.events) {
        assert_eq!(ours, theirs, "the reference (left) and the engine (right) differ in an event");
    }
    for (ours, theirs) in reference.rejects.iter().zip(&engine.rejects) {
        assert_eq!(ours, theirs, "the reference (left) and the engine (right) differ in a reject");
    }
    let counts = |outcome: &Outcome| {
        let Outcome { events, rejects, records, mapped, dropped, skipped_values, ambiguous_times } =
            outcome;
        let lists = [events.len() as u64, rejects.len() as u64];
        (lists, [*records, *mapped, *dropped, *skipped_values, *ambiguous_times])
    };
    let names = "events, rejects; records, mapped, dropped, skipped values, ambiguous times";
    assert_eq!(counts(&reference), counts(engine), "reference (left) and engine (right): {names}");
}

/// The seed of the random cuts of a test: `WEIR_SEED`, or a number that its name gives.
pub fn seed(name: &str) -> u64 {
    if let Some(seed) = std::env::var("WEIR_SEED").ok().and_then(|text| text.parse().ok()) {
        return seed;
    }
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

/// A folder with a program, an input, and what must come of it.
#[derive(Debug, Clone)]
pub struct Case {
    folder: PathBuf,
}

impl Case {
    /// The folder that a program is in.
    ///
    /// # Panics
    ///
    /// If the path has no folder.
    pub fn of(program: &Path) -> Self {
        Self { folder: program.parent().expect("a program is in a folder").to_owned() }
    }

    /// All cases below a folder, in the order of their paths.
    ///
    /// # Panics
    ///
    /// If a folder cannot be read.
    pub fn all(folder: &Path) -> Vec<Self> {
        let entries = fs::read_dir(folder).expect("the folder of cases can be read");
        let mut paths: Vec<_> = entries.map(|e| e.expect("an entry can be read").path()).collect();
        paths.sort();
        let mut cases = Vec::new();
        for path in paths {
            if path.file_name().is_some_and(|name| name == "parser.weir") {
                cases.push(Self::of(&path));
            } else if path.is_dir() {
                cases.extend(Self::all(&path));
            }
        }
        cases
    }

    /// The program's text.
    ///
    /// # Panics
    ///
    /// If it cannot be read.
    pub fn program(&self) -> String {
        fs::read_to_string(self.folder.join("parser.weir")).expect("a case has a parser.weir")
    }

    /// The events that must come out.
    ///
    /// # Panics
    ///
    /// If they cannot be read.
    pub fn expected(&self) -> String {
        let path = self.folder.join("expected.ndjson");
        fs::read_to_string(path).expect("a case has an expected.ndjson")
    }

    /// What messages call it: its folder.
    pub fn name(&self) -> String {
        self.folder.display().to_string()
    }

    /// What goes in.
    ///
    /// # Panics
    ///
    /// If there is not exactly one `input.*`.
    pub fn input(&self) -> Vec<u8> {
        let entries = fs::read_dir(&self.folder).expect("the folder of a case can be read");
        let paths = entries.map(|entry| entry.expect("an entry can be read").path());
        let mut inputs: Vec<_> =
            paths.filter(|path| path.file_stem().is_some_and(|stem| stem == "input")).collect();
        assert_eq!(inputs.len(), 1, "a case has one input.*: {inputs:?}");
        fs::read(inputs.remove(0)).expect("the input can be read")
    }

    /// Runs the case in every way and compares what comes out with what must.
    ///
    /// # Panics
    ///
    /// If anything differs.
    pub fn check(&self) {
        let subject = Subject::new(&self.name(), &self.program());
        let seed = seed(&self.name());
        let mapped = subject.agree(&self.input(), seed);
        let text = |lines: &[u8]| String::from_utf8_lossy(lines).into_owned();
        golden::check(&self.folder.join("expected.ndjson"), &text(&mapped.ocsf));
        golden::check(&self.folder.join("rejected.ndjson"), &text(&mapped.rejects));
        // The columns of the events, where a case is about them.
        let columns = self.folder.join("events.ndjson");
        if columns.exists() {
            golden::check(&columns, &text(&mapped.events));
        }
    }
}
