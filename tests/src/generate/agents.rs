//! Runs of agents as the program `examples/4_homegrown.weir` reads them: one JSON object a line.

use super::*;

/// Lines with one event for each run and one for each tool call in it.
#[derive(Debug, Clone, Copy)]
pub struct Agents {
    /// All lines.
    pub records: u64,
    /// How many of them are bad.
    pub bad: u64,
    /// Other seeds give other records.
    pub seed: u64,
}

/// What may be wrong with a line.
#[derive(Clone, Copy, PartialEq)]
enum Flaw {
    CutOff,
    UnreadableTime,
    NoId,
    NoSteps,
    TooManySteps,
    NoText,
}

impl Flaw {
    const ALL: [Self; 6] = [
        Self::CutOff,
        Self::UnreadableTime,
        Self::NoId,
        Self::NoSteps,
        Self::TooManySteps,
        Self::NoText,
    ];

    fn code(self) -> Code {
        match self {
            Self::CutOff | Self::NoText => Code::Unsound,
            Self::UnreadableTime => Code::Invalid,
            Self::NoId => Code::Missing,
            Self::NoSteps | Self::TooManySteps => Code::Each,
        }
    }
}

impl Agents {
    /// Writes the lines.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn write(&self, out: &mut impl Write) -> io::Result<Expected> {
        let mut expected = Expected { records: self.records, ..Expected::default() };
        let planted = Planted { records: self.records, bad: self.bad };
        for index in 0..self.records {
            let flaw = planted.at(index).map(|number| Flaw::ALL[(number % 6) as usize]);
            let (line, events) = self.line(index, flaw);
            out.write_all(&line)?;
            out.write_all(if index % 11 == 0 { b"\r\n" } else { b"\n" })?;
            match (flaw, events) {
                (Some(flaw), _) => expected.rejects.push((index, flaw.code())),
                (None, 0) => expected.dropped += 1,
                (None, events) => expected.add("api_activity", events),
            }
        }
        Ok(expected)
    }

    /// A line and the number of its events.
    fn line(&self, index: u64, flaw: Option<Flaw>) -> (Vec<u8>, u64) {
        let random = &mut random_of(self.seed, index);
        let dropped = flaw.is_none() && random.below(10) == 0;
        let (steps, calls) = steps(random, flaw);
        let id = match flaw {
            Some(Flaw::NoId) => "null".to_owned(),
            _ => format!("\"run-{index:08}-{}\"", random.hex(8)),
        };
        let finished = 1_762_000_000_000 + index * 40 + random.below(40);
        let time = match flaw {
            Some(Flaw::UnreadableTime) => "\"soon\"".to_owned(),
            _ => finished.to_string(),
        };
        let kind = *random.pick(&["run.finished", "run.finished", "run.finished", "run.failed"]);
        let environment = match (dropped, random.below(2)) {
            (false, _) => "\"env\":\"prod\"",
            (true, 0) => "\"env\":\"ci\",\"dry_run\":true",
            (true, _) => "\"env\":\"prod\",\"kind\":\"run.started\"",
        };
        // The first `kind` counts.
        let kind = if environment.contains("kind") {
            String::new()
        } else {
            format!("\"kind\":\"{kind}\",")
        };
        let text = format!(
            "{{\"run_id\":{id},{kind}{environment},\"model\":\"{}\",\"started_at\":{},\"finished_at\":{time},\
             \"session_id\":\"{}\",\"user\":{},\"agent\":{{\"id\":{},\"name\":\"billing-bot\"}},\
             \"host\":{{\"ip\":\"10.0.0.{}\",\"name\":\"worker-{}\"}},\"prompt\":\"{}\",\
             \"usage\":{{\"input_tokens\":{},\"output_tokens\":{}}},\"steps\":{steps}}}",
            random.pick(&["claude-sonnet-4-20250514", "claude-opus-4-1", "gpt-4o", "llama-3"]),
            finished - random.below(90_000),
            random.hex(32),
            user(random),
            random.below(50),
            random.below(256),
            random.below(16),
            "please look into this ".repeat(1 + random.below(12) as usize),
            random.below(200_000),
            random.below(9_000),
        );
        let mut line = text.into_bytes();
        match flaw {
            Some(Flaw::CutOff) => line.truncate(line.len() - 1 - random.below(40) as usize),
            Some(Flaw::NoText) => line[3] = 0xff,
            _ => {}
        }
        (line, if dropped { 0 } else { 1 + calls })
    }
}

fn user(random: &mut Random) -> String {
    match random.below(8) {
        0 => "null".to_owned(),
        1 => format!("{{\"id\":\"u{}\"}}", random.below(300)),
        _ => format!(
            "{{\"id\":\"u{}\",\"email\":\"Bo.{}@Acme.io\",\"phone\":\"+41 44 {}\"}}",
            random.below(300),
            random.below(300),
            random.below(10_000_000)
        ),
    }
}

/// The steps of a run, and how many of them are tool calls.
fn steps(random: &mut Random, flaw: Option<Flaw>) -> (String, u64) {
    let count = match flaw {
        Some(Flaw::NoSteps) => return ("{\"type\":\"tool_call\"}".to_owned(), 0),
        Some(Flaw::TooManySteps) => 201,
        _ => random.below(7),
    };
    let mut calls = 0;
    let mut steps = Vec::new();
    for _ in 0..count {
        if random.below(4) == 0 {
            steps.push(format!("{{\"type\":\"thought\",\"text\":\"{}\"}}", random.hex(60)));
            continue;
        }
        calls += 1;
        steps.push(format!(
            "{{\"type\":\"tool_call\",\"tool\":\"{}\",\"ts\":{},\"allowed\":{},\"arguments\":{{\"path\":\"/srv/{}\"}}}}",
            random.pick(&["fs.read", "fs.write", "fs.delete", "db.query.users", "shell"]),
            1_762_000_000_000 + random.below(1_000_000),
            random.pick(&["true", "true", "false", "null"]),
            random.hex(12)
        ));
    }
    (format!("[{}]", steps.join(",")), calls)
}
