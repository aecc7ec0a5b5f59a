//! Every event that is emitted is valid OCSF, by construction: random programs over random records, each event checked by
//! an independent validator, and each outcome by the reference evaluator. And the promise can be broken: without any one
//! of the guards in the compiled plans the same runs give events that the validator refuses.
//!
//! `WEIR_SEED=N` runs other programs, `WEIR_ROUNDS=N` so many of them.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};

use weir_dsl::{Diagnostic, Severity};
use weir_tests::case::Subject;
use weir_tests::chunk::{self, Cut, Mapped};
use weir_tests::programs::Generated;
use weir_tests::python::Validator;

/// Records of a program.
const RECORDS: usize = 150;

/// The reference is slow: it sees each of so many programs.
const REFERENCE_EVERY: u64 = 10;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// What a run has seen.
#[derive(Debug, Default)]
struct Tally {
    programs: BTreeSet<u64>,
    /// Programs that the compiler refused, by the code of the first mistake.
    refused: BTreeMap<&'static str, u64>,
    events: u64,
    records: u64,
    dropped: u64,
    /// Rejected records by code.
    rejected: BTreeMap<String, u64>,
    skipped_values: u64,
    /// Events by version and class.
    classes: BTreeMap<(&'static str, String), u64>,
    with_profiles: u64,
    referenced: u64,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.programs.extend(other.programs);
        for (code, count) in other.refused {
            *self.refused.entry(code).or_default() += count;
        }
        self.events += other.events;
        self.records += other.records;
        self.dropped += other.dropped;
        for (code, count) in other.rejected {
            *self.rejected.entry(code).or_default() += count;
        }
        self.skipped_values += other.skipped_values;
        for (class, count) in other.classes {
            *self.classes.entry(class).or_default() += count;
        }
        self.with_profiles += other.with_profiles;
        self.referenced += other.referenced;
    }

    fn add_run(&mut self, generated: &Generated, text: &str, mapped: &Mapped) {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        self.programs.insert(hasher.finish());
        let outcome = &mapped.outcome;
        self.events += outcome.events.len() as u64;
        self.records += outcome.records;
        self.dropped += outcome.dropped;
        self.skipped_values += outcome.skipped_values;
        for reject in &outcome.rejects {
            *self.rejected.entry(reject.code.as_str().to_owned()).or_default() += 1;
        }
        for (_, event) in &outcome.events {
            let class = (generated.version, event.class.clone());
            *self.classes.entry(class).or_default() += 1;
            self.with_profiles += u64::from(event.ocsf.contains("\"profiles\":["));
        }
    }
}

/// What came of a program: its run, the mistakes that the compiler found in it, or what must never be.
enum Verdict {
    Run(Mapped),
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
            match wrong
                .into_iter()
                .zip(mapped.ocsf.split(|byte| *byte == b'\n'))
                .find(|(why, _)| !why.is_empty())
            {
                Some((why, event)) => {
                    Verdict::Broken(format!("{why}\n{}", String::from_utf8_lossy(event)))
                }
                None => Verdict::Run(mapped),
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

/// The programs of every `step`-th seed from one on.
fn run(seeds: impl Iterator<Item = u64>) -> (Tally, Vec<String>) {
    let mut validator = Validator::start();
    let (mut tally, mut failures) = (Tally::default(), Vec::new());
    for seed in seeds {
        let generated = Generated::new(seed, RECORDS);
        let with_reference = seed % REFERENCE_EVERY == 0;
        match judge(&generated, &mut validator, with_reference) {
            Verdict::Run(mapped) => {
                tally.add_run(&generated, &generated.text(), &mapped);
                tally.referenced += u64::from(with_reference);
            }
            Verdict::Refused(mistakes) => {
                let first = mistakes.iter().find(|it| it.severity == Severity::Error);
                let code = first.map_or("", |it| it.code);
                if let Some(first) = first
                    && number("WEIR_SHOW", 0) > 0
                {
                    println!("seed {seed}: {code} {}", first.message);
                }
                *tally.refused.entry(code).or_default() += 1;
            }
            Verdict::Broken(why) if number("WEIR_SHOW", 0) > 1 => {
                println!("seed {seed}: {}", why.lines().next().unwrap_or(""))
            }
            Verdict::Broken(_) => {
                failures.push(report(generated, &mut validator, seed));
                if failures.len() >= 5 {
                    break;
                }
            }
        }
    }
    (tally, failures)
}

#[test]
fn every_event_of_random_programs_is_valid_ocsf() {
    let (seed, rounds) = (number("WEIR_SEED", 1), number("WEIR_ROUNDS", 300));
    println!("WEIR_SEED={seed} WEIR_ROUNDS={rounds}");
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
    if number("WEIR_ONE", 0) > 0 {
        let (_, failures) = run([number("WEIR_ONE", 0)].into_iter());
        panic!("{}", failures.join("\n=======\n"));
    }
    let start = std::time::Instant::now();
    let mut tally = Tally::default();
    let mut failures = Vec::new();
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..threads)
            .map(|thread| {
                let seeds = (0..rounds).filter(move |round| round % threads == thread);
                let seeds =
                    seeds.map(move |round| seed.wrapping_mul(1_000_003).wrapping_add(round));
                scope.spawn(move || run(seeds))
            })
            .collect();
        for run in runs {
            let (part, broken) = run.join().unwrap();
            tally.add(part);
            failures.extend(broken);
        }
    });
    let refused: u64 = tally.refused.values().sum();
    let rejected: u64 = tally.rejected.values().sum();
    println!("{} programs, {refused} refused {:?}", tally.programs.len(), tally.refused);
    println!(
        "{} records, {} events, {} dropped, {rejected} rejected {:?}",
        tally.records, tally.events, tally.dropped, tally.rejected
    );
    println!(
        "{} skipped values, {} events with profiles, {} classes, {:?}",
        tally.skipped_values,
        tally.with_profiles,
        tally.classes.len(),
        start.elapsed()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n=======\n"));
}
