//! What the Rust peers share: the protocol, the clock, and the way rows are written.
//!
//! A peer is started as `PEER NAME FORMAT SHAPE INPUT`. It reads lines: `load` prepares everything, `write FILE` does the
//! job and writes its rows, `run` does the job once and says how long it took. Each is answered by a line of JSON.

use std::fs::File;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub mod row;

/// What a peer is to do.
#[derive(Debug)]
pub struct Task {
    /// Which peer is meant.
    pub name: String,
    /// `ndjson`, `array` or `csv`.
    pub format: String,
    /// What the records look like; `other` has names of its own.
    pub shape: String,
    /// The file of records.
    pub input: PathBuf,
}

impl Task {
    /// The input in memory, read as a whole.
    pub fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.input).map_err(|error| error.to_string())
    }
}

/// The job, ready to be run.
pub struct Job {
    /// The name and version of the tool.
    pub version: String,
    /// Where rows go when it is timed.
    pub output: &'static str,
    /// So much of the input is in memory.
    pub held_bytes: u64,
    /// Does it.
    pub run: Box<dyn FnMut(&mut Output) -> Result<(), String>>,
}

/// Rows go to memory, and from there into a file or nowhere.
#[derive(Debug)]
pub struct Output {
    buffer: Vec<u8>,
    /// So much of the buffer holds rows.
    filled: usize,
    file: Option<File>,
    /// For tools that write files themselves.
    path: PathBuf,
}

/// So many bytes are collected.
const BUFFER_BYTES: usize = 512 << 10;

impl Output {
    fn new(path: Option<&Path>) -> Result<Self, String> {
        let file = path.map(File::create).transpose().map_err(|error| error.to_string())?;
        let path = path.unwrap_or(Path::new("/dev/null")).to_owned();
        Ok(Self { buffer: vec![0; BUFFER_BYTES], filled: 0, file, path })
    }

    /// Where a tool writes that writes files itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Room for so many bytes; say with [`Output::advance`] how many were written.
    #[inline]
    pub fn room(&mut self, bytes: usize) -> &mut [u8] {
        if self.buffer.len() - self.filled < bytes {
            self.flush();
            if self.buffer.len() < bytes {
                self.buffer.resize(bytes, 0);
            }
        }
        &mut self.buffer[self.filled..]
    }

    #[inline]
    pub fn advance(&mut self, bytes: usize) {
        self.filled += bytes;
    }

    /// Writes what has been collected to the file, if there is one.
    pub fn flush(&mut self) {
        if let Some(file) = &mut self.file {
            file.write_all(&self.buffer[..self.filled]).expect("the file of rows can be written");
        }
        self.filled = 0;
    }
}

impl Write for Output {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.room(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        self.advance(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Answers the lines of standard input, until there are no more.
pub fn serve(load: impl Fn(&Task) -> Result<Job, String>) {
    let mut arguments = std::env::args().skip(1);
    let mut argument = || arguments.next().expect("PEER NAME FORMAT SHAPE INPUT");
    let (name, format, shape) = (argument(), argument(), argument());
    let task = Task { name, format, shape, input: argument().into() };
    let mut job = None;
    let mut quiet = Output::new(None).expect("memory needs no file");
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("lines can be read");
        let answer = match (line.split_once(' '), &mut job) {
            (None, None) if line == "load" => load(&task).map(|loaded| {
                let Job { version, output, held_bytes, .. } = &loaded;
                let answer = format!(
                    r#"{{"version":{version:?},"output":{output:?},"held_bytes":{held_bytes}}}"#
                );
                job = Some(loaded);
                answer
            }),
            (None, Some(job)) if line == "run" => timed(job, &mut quiet),
            (Some(("write", file)), Some(job)) => Output::new(Some(Path::new(file)))
                .and_then(|mut output| {
                    (job.run)(&mut output)?;
                    output.flush();
                    Ok("{}".to_owned())
                }),
            _ => panic!("not understood: {line}"),
        };
        let answer = answer.unwrap_or_else(|reason| format!(r#"{{"cannot":{}}}"#, quoted(&reason)));
        println!("{answer}");
    }
}

fn timed(job: &mut Job, output: &mut Output) -> Result<String, String> {
    let (cpu, wall) = (cpu_time(), Instant::now());
    (job.run)(output)?;
    output.flush();
    let (cpu, wall) = ((cpu_time() - cpu).as_secs_f64(), wall.elapsed().as_secs_f64());
    Ok(format!(r#"{{"cpu_s":{cpu},"wall_s":{wall},"peak_bytes":{}}}"#, peak_memory()))
}

fn quoted(text: &str) -> String {
    let mut output = vec![0; text.len() * 6 + 2];
    let mut at = row::Cursor::new(&mut output);
    at.string(row::Text::Plain(text));
    let end = at.at();
    output.truncate(end);
    String::from_utf8(output).expect("JSON of a text is text")
}

/// Processor time of this process so far.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The most memory that this process has ever had.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    let number = line.split_whitespace().next().and_then(|number| number.parse::<u64>().ok());
    number.unwrap_or_default() * 1024
}
