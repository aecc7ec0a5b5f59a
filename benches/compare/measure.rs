//! Checking the rows, then the rounds.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use weir_benches::data::{Packing, Shape, Wish};
use weir_benches::job::{self, Job};
use weir_benches::rows;
use weir_engine::batch::Batch;
use weir_engine::block::RecordBlock;
use weir_tests::chunk::{self, Cut};
use weir_tests::outcome::Outcome;

use crate::cli::Args;
use crate::counters::Counted;
use crate::machine;
use crate::peers::{Peer, Process, Programs};
use crate::report::{Line, Report, Table};

/// So many bytes of records go through the reference, which looks for line numbers from the start of the object.
const REFERENCE_BYTES: u64 = 3_000_000;
/// Of tiny records as many.
const REFERENCE_BYTES_TINY: u64 = 250_000;

/// Measures everything that is asked for.
pub(crate) fn measure(args: &Args) -> Result<Report, Box<dyn Error>> {
    let (peers, formats) = (args.peers()?, args.formats()?);
    let core = core(args)?;
    let programs = Programs::build(&peers)?;
    let mut report = Report::new(args);
    for format in formats {
        let wish =
            Wish { shape: args.shape, format, size_bytes: args.mb * 1_000_000, seed: args.seed };
        let peers: Vec<_> =
            peers.iter().copied().filter(|peer| peer.formats.contains(&format)).collect();
        report.tables.push(table(args, &wish, &peers, &programs, core, &mut report.clock_hz)?);
    }
    Ok(report)
}

/// The core that everything runs on.
fn core(args: &Args) -> Result<usize, Box<dyn Error>> {
    let cores = machine::cores();
    let last = cores.last().copied().ok_or("no core to run on")?;
    match args.core {
        Some(core) if !cores.contains(&core) => {
            Err(crate::cli::Usage(format!("this process may not use core {core}")).into())
        }
        wanted => Ok(wanted.unwrap_or(last)),
    }
}

fn say(what: &str) {
    // With standard error gone, there is nobody to tell.
    let _ = writeln!(io::stderr(), "{what}");
}

/// The peers on one format.
fn table(
    args: &Args,
    wish: &Wish,
    peers: &[&'static Peer],
    programs: &Programs,
    core: usize,
    clock_hz: &mut f64,
) -> Result<Table, Box<dyn Error>> {
    let all = machine::cores();
    machine::pin(&all)?;
    let data = machine::folder().join("data");
    let file = wish.file(&data, Packing::None)?;
    check_reference(wish)?;
    machine::pin(&[core])?;

    // Other comparisons may be running.
    let name = format!("{}-{}.rows", wish.format.name(), std::process::id());
    let expected = folder("rows")?.join(name);
    let (mut entrants, mut lines_of_peers) = (Vec::new(), Vec::new());
    let mut table = Table::new(wish, fs::metadata(&file)?.len());
    for &peer in peers {
        say(&format!("{}: {}", wish.format, peer.label));
        let input = wish.file(&data, peer.packing)?;
        machine::pin(if peer.cores > 1 { &all } else { std::slice::from_ref(&core) })?;
        let mut line = Line::new(peer);
        match enter(peer, wish, &input, programs, &expected, &mut line) {
            Ok((process, rows)) => {
                table.rows = table.rows.max(rows);
                entrants.push((lines_of_peers.len(), process));
            }
            Err(problem) => {
                say(&format!("  {problem}"));
                line.problem = Some(problem);
            }
        }
        lines_of_peers.push(line);
    }
    machine::pin(&[core])?;
    for round in 0..args.rounds {
        say(&format!("{}: round {} of {}", wish.format, round + 1, args.rounds));
        *clock_hz = clock_hz.max(machine::clock_hz(u64::from(round)));
        for (index, process) in &mut entrants {
            run(process, &mut lines_of_peers[*index]);
        }
    }
    let _ = fs::remove_file(expected);
    table.lines = lines_of_peers;
    Ok(table)
}

fn folder(name: &str) -> io::Result<PathBuf> {
    let folder = machine::folder().join(name);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Runs the first records through the reference: all columns, all rejects, and the rows.
fn check_reference(wish: &Wish) -> Result<(), Box<dyn Error>> {
    let size = match wish.shape {
        Shape::Tiny => REFERENCE_BYTES_TINY,
        _ => REFERENCE_BYTES,
    };
    let wish = Wish { size_bytes: wish.size_bytes.min(size), ..*wish };
    say(&format!("{}: weir against the reference", wish.format));
    let object = wish.bytes();
    let job = Job::new(&job::program(wish.shape, wish.format))?;
    let mut expected = job.reference(&object);
    let mapped = chunk::map(job.plan(), job.meta(), &object, Cut::Random(wish.seed));
    // The reference knows which records are broken, but not always the words for it.
    for (reject, made) in expected.rejects.iter_mut().zip(&mapped.outcome.rejects) {
        if reject.message.is_empty() {
            reject.message.clone_from(&made.message);
        }
    }
    if mapped.outcome != expected {
        return Err(format!(
            "weir differs from the reference: {}",
            difference(&expected, &mapped.outcome)
        )
        .into());
    }
    let mut made = Vec::new();
    let mut sink = |_: &RecordBlock, batch: &Batch| job::write_rows(batch, &mut made);
    job.run(job::chunks(&object.into()), &mut sink);
    let rows = expected.events.iter().map(|(_, event)| format!("{}\n", event.ocsf));
    if rows.collect::<String>().as_bytes() != made {
        return Err("the rows of weir differ from those of the reference".into());
    }
    Ok(())
}

/// The first difference of two outcomes, in words.
fn difference(expected: &Outcome, made: &Outcome) -> String {
    let events = expected.events.iter().zip(&made.events).find(|(a, b)| a != b);
    let rejects = expected.rejects.iter().zip(&made.rejects).find(|(a, b)| a != b);
    match (events, rejects) {
        (Some((expected, made)), _) => format!("expected {expected:?}, made {made:?}"),
        (None, Some((expected, made))) => format!("expected {expected:?}, made {made:?}"),
        (None, None) => {
            let counts = |it: &Outcome| {
                let Outcome { records, mapped, dropped, skipped_values, ambiguous_times, .. } = it;
                let (events, rejects) = (it.events.len(), it.rejects.len());
                format!(
                    "{records} records, {mapped} mapped to {events} events, {dropped} dropped, {rejects} rejected, \
                     {skipped_values} values skipped, {ambiguous_times} ambiguous times"
                )
            };
            format!("expected {}, made {}", counts(expected), counts(made))
        }
    }
}

/// Starts a peer and checks its rows; gives how many.
fn enter(
    peer: &'static Peer,
    wish: &Wish,
    input: &Path,
    programs: &Programs,
    expected: &Path,
    line: &mut Line,
) -> Result<(Process, u64), String> {
    let started = programs.start(peer, wish.format, wish.shape, input);
    let mut process = started.map_err(|error| error.to_string())?;
    let loaded = process.ask("load")?;
    line.version = loaded.version;
    line.output = loaded.output;
    line.held_bytes = loaded.held_bytes;
    if !peer.makes_rows {
        return Ok((process, 0));
    }
    let is_first = !expected.exists() || peer.name == crate::peers::ALL[0].name;
    let made = match is_first {
        true => expected.to_owned(),
        false => expected.with_extension(format!("{}.rows", peer.name)),
    };
    process.ask(&format!("write {}", made.display()))?;
    let rows = compare(expected, &made, peer.name == "weir-raw");
    if !is_first && rows.is_ok() {
        let _ = fs::remove_file(made);
    }
    Ok((process, rows?))
}

/// Compares files of rows; gives how many there are.
fn compare(expected: &Path, made: &Path, is_raw: bool) -> Result<u64, String> {
    let open = |file: &Path| match File::open(file) {
        Ok(file) => Ok(BufReader::with_capacity(1 << 20, file).lines()),
        Err(error) => Err(format!("{}: {error}", file.display())),
    };
    let read = |line: Option<io::Result<String>>| {
        line.transpose().map_err(|error| format!("rows cannot be read: {error}"))
    };
    let (mut expected, mut made) = (open(expected)?, open(made)?);
    for number in 1_u64.. {
        match (read(expected.next())?, read(made.next())?) {
            (None, None) => return Ok(number - 1),
            (Some(_), None) => return Err(format!("rows differ: row {number} is missing")),
            (None, Some(_)) => return Err(format!("rows differ: row {number} is one too many")),
            (Some(expected), Some(made)) => {
                let made = if is_raw { rows::without_raw(&made)? } else { made };
                let same = rows::same(&expected, &made);
                same.map_err(|how| format!("rows differ: row {number}: {how}"))?;
            }
        }
    }
    unreachable!("files end")
}

/// One run of a peer; one that fails is out.
fn run(process: &mut Process, line: &mut Line) {
    if line.problem.is_some() {
        return;
    }
    let before = process.counted();
    match process.ask("run") {
        Ok(answer) => {
            line.cpu_s.push(answer.cpu_s);
            line.wall_s.push(answer.wall_s);
            line.peak_bytes = answer.peak_bytes.saturating_sub(line.held_bytes);
            if let (Some(before), Some(after)) = (before, process.counted()) {
                line.count(Counted {
                    cycles: after.cycles - before.cycles,
                    instructions: after.instructions - before.instructions,
                });
            }
        }
        Err(problem) => {
            say(&format!("  {}: {problem}", line.peer));
            line.problem = Some(problem);
        }
    }
}
