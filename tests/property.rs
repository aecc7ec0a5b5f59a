//! Every event that is emitted is valid OCSF, by construction: random programs over random records, each event checked by
//! an independent validator, and each outcome by the reference evaluator. And the promise can be broken: without any one
//! of the guards in the compiled plans the same runs give events that the validator refuses.
//!
//! `WEIR_SEED=N` runs the programs from another one on, `WEIR_ROUNDS=N` so many of them: `WEIR_ROUNDS=1` with the seed of
//! a failure runs that program alone.

#[path = "property/guards.rs"]
mod guards;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use weir_dsl::{Diagnostic, Severity, ocsf};
use weir_tests::case::Subject;
use weir_tests::chunk::{self, Cut, Mapped};
use weir_tests::programs::Generated;
use weir_tests::python::Validator;

use guards::{GUARDS, Guard};

/// Programs of a run.
const PROGRAMS: u64 = 1_130;

/// Records of a program.
const RECORDS: usize = 170;

/// The reference is slow: it sees each of so many programs.
const REFERENCE_EVERY: u64 = 10;

/// More failures than this mostly have the same causes.
const FAILURES_MAX: usize = 3;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// The seeds of so many programs.
fn seeds(seed: u64, rounds: u64) -> impl Iterator<Item = u64> {
    (0..rounds).map(move |round| seed.wrapping_add(round))
}

/// What a run has seen.
#[derive(Debug, Default)]
struct Tally {
    /// Distinct programs that ran.
    programs: HashSet<String>,
    /// Programs that the compiler refused, with their first mistakes.
    refused: BTreeMap<String, u64>,
    records: u64,
    events: u64,
    dropped: u64,
    /// Rejected records by code.
    rejected: BTreeMap<&'static str, u64>,
    skipped_values: u64,
    /// Events by version and class.
    classes: BTreeMap<(&'static str, String), u64>,
    /// Events by profile that they declare.
    profiles: BTreeMap<String, u64>,
    /// Programs that went through the reference too.
    referenced: u64,
}

impl Tally {
    fn add(&mut self, other: Self) {
        fn sum<K: Ord>(to: &mut BTreeMap<K, u64>, from: BTreeMap<K, u64>) {
            from.into_iter().for_each(|(key, count)| *to.entry(key).or_default() += count);
        }
        self.programs.extend(other.programs);
        sum(&mut self.refused, other.refused);
        self.records += other.records;
        self.events += other.events;
        self.dropped += other.dropped;
        sum(&mut self.rejected, other.rejected);
        self.skipped_values += other.skipped_values;
        sum(&mut self.classes, other.classes);
        sum(&mut self.profiles, other.profiles);
        self.referenced += other.referenced;
    }

    fn add_run(&mut self, generated: &Generated, mapped: &Mapped, with_reference: bool) {
        let outcome = &mapped.outcome;
        self.programs.insert(generated.text());
        self.records += outcome.records;
        self.events += outcome.events.len() as u64;
        self.dropped += outcome.dropped;
        self.skipped_values += outcome.skipped_values;
        self.referenced += u64::from(with_reference);
        for reject in &outcome.rejects {
            *self.rejected.entry(reject.code.as_str()).or_default() += 1;
        }
        for (_, event) in &outcome.events {
            *self.classes.entry((generated.version, event.class.clone())).or_default() += 1;
            let declared = event.ocsf.split_once("\"profiles\":[").map_or("", |(_, rest)| rest);
            for profile in
                declared.split(']').next().unwrap_or("").split(',').filter(|it| !it.is_empty())
            {
                *self.profiles.entry(profile.to_owned()).or_default() += 1;
            }
        }
    }

    fn refuse(&mut self, seed: u64, generated: &Generated, mistakes: &[Diagnostic]) {
        let Some(first) = mistakes.iter().find(|it| it.severity == Severity::Error) else { return };
        let line = &generated.text()[first.primary.span.range()];
        let what = format!("seed {seed}: {} {}: {line}", first.code, first.message);
        *self.refused.entry(what).or_default() += 1;
    }

    /// The run was as large and as mixed as it was meant to be.
    fn check(&self) {
        let programs = self.programs.len() as u64;
        let refused: u64 = self.refused.values().sum();
        let rejected: u64 = self.rejected.values().sum();
        assert!(self.events >= 200_000, "{} events", self.events);
        assert!(programs >= 1_000, "{programs} programs");
        assert!(refused * 10 < programs, "{refused} programs are refused, {programs} run");
        assert!(rejected * 2 < self.records, "{rejected} of {} records are rejected", self.records);
        assert!(self.referenced >= 100, "{} programs went through the reference", self.referenced);
        assert!(self.rejected.len() >= 8, "rejects of too few kinds: {:?}", self.rejected);
        assert!(self.profiles.len() >= 10, "too few profiles: {:?}", self.profiles);
        for version in ocsf::VERSIONS {
            let of_version = self.classes.keys().filter(|(of, _)| *of == version);
            let schema = ocsf::schema(version).expect("it is one of the versions");
            let categories: BTreeSet<u32> = of_version
                .clone()
                .filter_map(|(_, class)| schema.class(class))
                .map(|class| class.category_uid)
                .collect();
            assert!(of_version.count() >= 30, "too few classes of {version}: {:?}", self.classes);
            assert!(categories.len() >= 6, "too few categories of {version}: {categories:?}");
        }
    }
}

/// What came of a program: its run, the mistakes that the compiler found in it, or what must never be.
enum Verdict {
    Run(Box<Mapped>),
    Refused(Vec<Diagnostic>),
    Broken(String),
}

/// The way of a program and its records through compiler, engine and validator; if asked for, through the reference too.
fn judge(generated: &Generated, validator: &mut Validator, with_reference: bool) -> Verdict {
    let (text, input) = (generated.text(), generated.input());
    let run = || {
        let subject = Subject::compile("generated", &text)?;
        Ok(match with_reference {
            true => subject.agree_cut(&input, &[Cut::Random(1)]),
            false => chunk::map(&subject.plan, &subject.meta, &input, Cut::Whole),
        })
    };
    match catch_unwind(AssertUnwindSafe(run)) {
        Err(panic) => Verdict::Broken(panic_text(&*panic)),
        Ok(Err(mistakes)) => Verdict::Refused(mistakes),
        Ok(Ok(mapped)) => {
            let wrong = validator.wrong(generated.version, &mapped.ocsf);
            let events = mapped.ocsf.split(|byte| *byte == b'\n');
            match wrong.into_iter().zip(events).find(|(why, _)| !why.is_empty()) {
                Some((why, event)) => {
                    Verdict::Broken(format!("{why}\n{}", String::from_utf8_lossy(event)))
                }
                None => Verdict::Run(Box::new(mapped)),
            }
        }
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// Shows the smallest program and record that fail as this one does.
fn report(generated: Generated, validator: &mut Validator, seed: u64) -> String {
    let is_broken = |it: &Generated| matches!(judge(it, &mut *validator, true), Verdict::Broken(_));
    let smallest = generated.shrink(is_broken);
    let Verdict::Broken(why) = judge(&smallest, validator, true) else {
        return format!("seed {seed} fails, but not twice");
    };
    let why: String = why.chars().take(3_000).collect();
    let input: String = String::from_utf8_lossy(&smallest.input()).chars().take(3_000).collect();
    format!("seed {seed}\n{}\n--- records\n{input}\n--- fails\n{why}\n", smallest.text())
}

/// Runs the programs of some seeds; gives what was seen, and reports of those that fail.
fn run(seeds: impl Iterator<Item = u64>) -> (Tally, Vec<String>) {
    let mut validator = Validator::start();
    let (mut tally, mut failures) = (Tally::default(), Vec::new());
    for seed in seeds {
        let generated = Generated::new(seed, RECORDS);
        let with_reference = seed % REFERENCE_EVERY == 0;
        match judge(&generated, &mut validator, with_reference) {
            Verdict::Run(mapped) => tally.add_run(&generated, &mapped, with_reference),
            Verdict::Refused(mistakes) => tally.refuse(seed, &generated, &mistakes),
            Verdict::Broken(_) => failures.push(report(generated, &mut validator, seed)),
        }
        if failures.len() >= FAILURES_MAX {
            break;
        }
    }
    (tally, failures)
}

#[test]
fn every_event_of_random_programs_is_valid_ocsf() {
    let (seed, rounds) = (number("WEIR_SEED", 1), number("WEIR_ROUNDS", PROGRAMS));
    println!("WEIR_SEED={seed} WEIR_ROUNDS={rounds}");
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get());
    let (mut tally, mut failures) = (Tally::default(), Vec::new());
    std::thread::scope(|scope| {
        let start = |thread| {
            let seeds = seeds(seed, rounds).skip(thread).step_by(threads);
            scope.spawn(move || run(seeds))
        };
        let runs: Vec<_> = (0..threads).map(start).collect();
        for run in runs {
            let (part, broken) = run.join().unwrap();
            tally.add(part);
            failures.extend(broken);
        }
    });
    println!("{tally:#?}");
    assert!(failures.is_empty(), "{}", failures.join("\n=======\n"));
    if rounds == PROGRAMS {
        tally.check();
    }
}

/// Of so many programs, one at least must need each guard.
const GUARDED_PROGRAMS_MAX: u64 = 800;

/// The first event that is refused if a plan lacks a guard, and why; none if this program does not need it.
fn refused_without(
    guard: &Guard,
    subject: &Subject,
    input: &[u8],
    intact: &HashSet<&[u8]>,
    validator: &mut Validator,
) -> Option<String> {
    let mut plan = weir_dsl::lower(&subject.program, &subject.source);
    if (guard.remove)(&mut plan) == 0 {
        return None;
    }
    let broken = chunk::map(&Arc::new(plan), &subject.meta, input, Cut::Whole).ocsf;
    let lines = broken.split(|byte| *byte == b'\n');
    let others: Vec<&[u8]> = lines.filter(|line| !intact.contains(line)).collect();
    let version = &subject.program.ocsf_version;
    validator.wrong(version, &others.join(&b'\n')).into_iter().find(|why| !why.is_empty())
}

#[test]
fn without_any_one_guard_invalid_events_come_out() {
    let seed = number("WEIR_SEED", 1);
    let mut validator = Validator::start();
    let mut needed: BTreeMap<&str, String> = BTreeMap::new();
    for seed in seeds(seed, GUARDED_PROGRAMS_MAX) {
        if needed.len() == GUARDS.len() {
            break;
        }
        let generated = Generated::new(seed, RECORDS);
        let Ok(subject) = Subject::compile("generated", &generated.text()) else { continue };
        let input = generated.input();
        let intact = chunk::map(&subject.plan, &subject.meta, &input, Cut::Whole).ocsf;
        let intact = intact.split(|byte| *byte == b'\n').collect();
        for guard in
            GUARDS.iter().filter(|guard| !needed.contains_key(guard.name)).collect::<Vec<_>>()
        {
            if let Some(why) = refused_without(guard, &subject, &input, &intact, &mut validator) {
                println!("{}: {}", guard.name, why.chars().take(160).collect::<String>());
                needed.insert(guard.name, why);
            }
        }
    }
    let idle: Vec<_> =
        GUARDS.iter().map(|it| it.name).filter(|name| !needed.contains_key(name)).collect();
    assert!(idle.is_empty(), "without these guards all events are valid: {idle:?}");
}
