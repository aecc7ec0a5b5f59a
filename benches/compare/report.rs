//! What came out: as a table, as lines, as a file.

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use weir_benches::data::Wish;

use crate::cli::Args;
use crate::counters::Counted;
use crate::machine;
use crate::peers::{self, Peer};

/// A comparison.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    /// When, in UTC.
    pub(crate) date: String,
    pub(crate) processor: String,
    pub(crate) commit: String,
    /// The highest clock that was seen; cycles are computed with it where they cannot be counted.
    pub(crate) clock_hz: f64,
    pub(crate) shape: String,
    pub(crate) mb: u64,
    pub(crate) seed: u64,
    pub(crate) rounds: u32,
    pub(crate) tables: Vec<Table>,
}

/// The peers on one format.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) format: String,
    pub(crate) title: String,
    pub(crate) input_bytes: u64,
    pub(crate) rows: u64,
    pub(crate) lines: Vec<Line>,
}

/// A peer.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) peer: String,
    pub(crate) label: String,
    pub(crate) version: String,
    /// Where its rows go when it is timed.
    pub(crate) output: String,
    pub(crate) cores: usize,
    /// Processor time of each round.
    pub(crate) cpu_s: Vec<f64>,
    pub(crate) wall_s: Vec<f64>,
    /// Of its memory, the input apart.
    pub(crate) peak_bytes: u64,
    /// Of the input, in its memory.
    pub(crate) held_bytes: u64,
    /// Counted, in its best round.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cycles: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) instructions: Option<u64>,
    /// Why it was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<String>,
}

impl Line {
    pub(crate) fn new(peer: &Peer) -> Self {
        Self {
            peer: peer.name.into(),
            label: peer.label.into(),
            version: String::new(),
            output: String::new(),
            cores: peer.cores,
            cpu_s: Vec::new(),
            wall_s: Vec::new(),
            peak_bytes: 0,
            held_bytes: 0,
            cycles: None,
            instructions: None,
            problem: None,
        }
    }

    /// Takes what was counted in a round.
    pub(crate) fn count(&mut self, counted: Counted) {
        if self.cycles.is_none_or(|cycles| counted.cycles < cycles) {
            (self.cycles, self.instructions) = (Some(counted.cycles), Some(counted.instructions));
        }
    }

    /// Seconds of each round: of the processor, but where cores work side by side.
    fn seconds(&self) -> Option<Vec<f64>> {
        let mut seconds = if self.cores > 1 { self.wall_s.clone() } else { self.cpu_s.clone() };
        seconds.sort_by(f64::total_cmp);
        (self.problem.is_none() && !seconds.is_empty()).then_some(seconds)
    }

    /// Of the best round.
    pub(crate) fn best_s(&self) -> Option<f64> {
        self.seconds()?.first().copied()
    }

    fn median_s(&self) -> Option<f64> {
        let seconds = self.seconds()?;
        Some(seconds[seconds.len() / 2])
    }

    /// Of the best round, counted or computed from its processor time.
    pub(crate) fn cycles(&self, clock_hz: f64) -> Option<f64> {
        match self.cycles {
            Some(cycles) => Some(cycles as f64),
            None => self.cpu_s.iter().copied().min_by(f64::total_cmp).map(|it| it * clock_hz),
        }
    }
}

impl Table {
    pub(crate) fn new(wish: &Wish, input_bytes: u64) -> Self {
        let (format, title) = (wish.format.name().into(), wish.format.to_string());
        Self { format, title, input_bytes, rows: 0, lines: Vec::new() }
    }

    /// A peer that was measured.
    pub(crate) fn line(&self, peer: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.peer == peer && line.best_s().is_some())
    }

    /// How many times the time of weir a peer takes.
    pub(crate) fn ratio(&self, line: &Line) -> Option<f64> {
        Some(line.best_s()? / self.line(peers::ALL[0].name)?.best_s()?)
    }
}

impl Report {
    pub(crate) fn new(args: &Args) -> Self {
        Self {
            date: format!("{:.0}", jiff::Timestamp::now()),
            processor: machine::processor(),
            commit: machine::commit().name,
            clock_hz: machine::clock_hz(1),
            shape: args.shape.name().into(),
            mb: args.mb,
            seed: args.seed,
            rounds: args.rounds,
            tables: Vec::new(),
        }
    }

    pub(crate) fn read(file: &Path) -> Result<Self, Box<dyn Error>> {
        let text = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
        Ok(serde_json::from_slice(&text)?)
    }

    pub(crate) fn write(&self, file: &Path) -> Result<(), Box<dyn Error>> {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()).into())
    }

    /// Where it is kept: by date, processor and shape.
    pub(crate) fn record_file(&self) -> PathBuf {
        let words = |text: &str| {
            let words = text.split(|c: char| !c.is_ascii_alphanumeric());
            words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-").to_lowercase()
        };
        let date = self.date.get(..10).unwrap_or("undated");
        let name = format!("{date}-{}-{}.json", words(&self.processor), words(&self.shape));
        machine::checkout().join("benches/record").join(name)
    }

    /// Whether a peer made other rows, or failed.
    pub(crate) fn has_problems(&self) -> bool {
        let mut lines = self.tables.iter().flat_map(|table| &table.lines);
        lines.any(|line| line.problem.as_ref().is_some_and(|it| !it.starts_with("cannot")))
    }

    /// For people.
    pub(crate) fn write_table(&self, out: &mut impl Write) -> io::Result<()> {
        let is_counted =
            self.tables.iter().flat_map(|table| &table.lines).any(|it| it.cycles.is_some());
        let cycles = match is_counted {
            true => "cycles counted".to_owned(),
            false => format!(
                "cycles computed from processor time at {:.2} GHz (by a loop; no counters here)",
                self.clock_hz / 1e9
            ),
        };
        writeln!(out, "{}, commit {}, {}", self.processor, self.commit, self.date)?;
        writeln!(
            out,
            "shape {}, {} MB of NDJSON, seed {}, best of {} rounds on one core; {cycles}",
            self.shape, self.mb, self.seed, self.rounds
        )?;
        for table in &self.tables {
            self.write_format(table, out)?;
        }
        Ok(())
    }

    fn write_format(&self, table: &Table, out: &mut impl Write) -> io::Result<()> {
        let (title, mb) = (&table.title, table.input_bytes as f64 / 1e6);
        writeln!(out, "\n{title}: {mb:.1} MB, {} rows", table.rows)?;
        writeln!(
            out,
            "  {:30} {:>8} {:>8} {:>9} {:>9} {:>9} {:>8}",
            "", "MB/s", "median", "cycles/B", "instr./B", "peak MB", "x weir"
        )?;
        for line in &table.lines {
            let (Some(best), Some(median)) = (line.best_s(), line.median_s()) else {
                let problem = line.problem.as_deref().unwrap_or("not measured");
                let problem = problem.trim_start().lines().next().unwrap_or_default();
                writeln!(out, "  {:30} {problem}", line.label)?;
                continue;
            };
            let bytes = table.input_bytes as f64;
            let cycles = line.cycles(self.clock_hz).unwrap_or_default() / bytes;
            let instructions =
                line.instructions.map_or("-".to_owned(), |it| format!("{:.2}", it as f64 / bytes));
            let ratio = table.ratio(line).map_or("-".to_owned(), |ratio| format!("{ratio:.2}"));
            writeln!(
                out,
                "  {:30} {:>8.0} {:>8.0} {cycles:>9.2} {instructions:>9} {:>9.0} {ratio:>8}",
                line.label,
                bytes / best / 1e6,
                bytes / median / 1e6,
                line.peak_bytes as f64 / 1e6,
            )?;
        }
        let mut outputs: Vec<(&str, Vec<&str>)> = Vec::new();
        for line in table.lines.iter().filter(|line| line.best_s().is_some()) {
            match outputs.iter_mut().find(|(output, _)| *output == line.output) {
                Some((_, peers)) => peers.push(&line.peer),
                None => outputs.push((&line.output, vec![&line.peer])),
            }
        }
        for (output, peers) in outputs {
            writeln!(out, "  rows go to {output}: {}", peers.join(", "))?;
        }
        Ok(())
    }

    /// For programs: one object for each peer and format.
    pub(crate) fn write_lines(&self, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
        for table in &self.tables {
            for line in &table.lines {
                let mut object = serde_json::to_value(line)?;
                if let Some(members) = object.as_object_mut() {
                    let bytes = table.input_bytes as f64;
                    members.insert("format".into(), table.format.as_str().into());
                    members.insert("shape".into(), self.shape.as_str().into());
                    members.insert("input_bytes".into(), table.input_bytes.into());
                    members.insert("rows".into(), table.rows.into());
                    let per_byte =
                        line.best_s().and_then(|_| line.cycles(self.clock_hz)).map(|it| it / bytes);
                    members.insert("cycles_per_byte".into(), per_byte.into());
                    let mb_per_s = line.best_s().map(|best| bytes / best / 1e6);
                    members.insert("mb_per_s".into(), mb_per_s.into());
                    members.insert("times_weir".into(), table.ratio(line).into());
                }
                writeln!(out, "{object}")?;
            }
        }
        Ok(())
    }
}
