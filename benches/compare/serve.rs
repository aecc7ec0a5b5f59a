//! weir as a peer: the job in this process, over input in memory.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::time::Instant;

use bytes::Bytes;
use clap::ValueEnum;
use serde_json::json;
use weir_benches::data::{Format, Shape};
use weir_benches::job::{self, CHUNK_BYTES, Job, Made, Sink};
use weir_engine::batch::Batch;
use weir_engine::block::RecordBlock;
use weir_engine::simd::Level;

use crate::machine;

/// The first argument that makes this program a peer.
pub(crate) const COMMAND: &str = "serve";

/// Answers to the lines of standard input, until there are no more.
pub(crate) fn serve(mut arguments: impl Iterator<Item = String>) -> Result<(), Box<dyn Error>> {
    let mut argument = || arguments.next().ok_or("serve NAME FORMAT SHAPE INPUT");
    let (name, format, shape, input) = (argument()?, argument()?, argument()?, argument()?);
    let (format, shape) = (Format::from_str(&format, true)?, Shape::from_str(&shape, true)?);
    let mut stdout = io::stdout();
    let mut weir = None;
    for line in io::stdin().lines() {
        let line = line?;
        let answer = match (line.split_once(' '), &mut weir) {
            (None, None) if line == "load" => match Level::chosen() {
                Err(missing) => json!({ "cannot": missing.to_string() }),
                Ok(level) => {
                    let loaded = Weir::load(&name, format, shape, Path::new(&input))?;
                    let answer = json!({
                        "version": format!("{}, {}", env!("CARGO_PKG_VERSION"), level.name()),
                        "output": "memory, block by block",
                        "held_bytes": loaded.input.len(),
                    });
                    weir = Some(loaded);
                    answer
                }
            },
            (None, Some(weir)) if line == "run" => {
                let (cpu, wall) = (machine::cpu_time(), Instant::now());
                let made = weir.run(&mut Discard::default())?;
                let (cpu, wall) = (machine::cpu_time() - cpu, wall.elapsed());
                json!({
                    "cpu_s": cpu.as_secs_f64(),
                    "wall_s": wall.as_secs_f64(),
                    "peak_bytes": machine::peak_memory(),
                    "events": made.events,
                })
            }
            (Some(("write", file)), Some(weir)) => {
                let file = BufWriter::with_capacity(1 << 20, File::create(file)?);
                weir.run(&mut Rows { file, raw: false, lines: Vec::new(), error: None })?;
                json!({})
            }
            _ => return Err(format!("not understood: {line}").into()),
        };
        writeln!(stdout, "{answer}")?;
    }
    Ok(())
}

/// The ways in which weir does the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Plain,
    Raw,
    Threads,
    Pair,
    Gzip,
    Gunzip,
    Zstd,
    Unzstd,
}

struct Weir {
    way: Way,
    job: Job,
    input: Bytes,
}

impl Weir {
    fn load(
        name: &str,
        format: Format,
        shape: Shape,
        input: &Path,
    ) -> Result<Self, Box<dyn Error>> {
        let way = match name {
            "weir-raw" => Way::Raw,
            "weir-threads" => Way::Threads,
            "weir-pair" => Way::Pair,
            "weir-gzip" => Way::Gzip,
            "gunzip" => Way::Gunzip,
            "weir-zstd" => Way::Zstd,
            "unzstd" => Way::Unzstd,
            _ => Way::Plain,
        };
        let job = Job::new(&job::program(shape, format))?;
        Ok(Self { way, job, input: fs::read(input)?.into() })
    }

    /// The job once.
    fn run<S: Rowed>(&self, sink: &mut S) -> Result<Made, Box<dyn Error>> {
        let (job, chunks) = (&self.job, job::chunks(&self.input));
        match self.way {
            Way::Plain => job.run(chunks, sink),
            Way::Raw => {
                sink.keep_raw();
                job.run(chunks, sink);
            }
            Way::Threads => job.run_threads(2, chunks, sink),
            // Rows have an order, so one half comes after the other.
            Way::Pair if S::KEEPS => {
                self.halves().iter().for_each(|half| job.run(job::chunks(half), sink));
            }
            Way::Pair => return Ok(self.pair()),
            Way::Gzip => job.run(Decoded::new(gzip(&self.input)), sink),
            Way::Zstd => job.run(Decoded::new(zstd(&self.input)?), sink),
            Way::Gunzip => return Ok(drain(gzip(&self.input))),
            Way::Unzstd => return Ok(drain(zstd(&self.input)?)),
        }
        sink.finish()
    }

    /// The input, cut behind a line in its middle.
    fn halves(&self) -> [Bytes; 2] {
        let middle = self.input.len() / 2;
        let line = self.input[middle..].iter().position(|&byte| byte == b'\n');
        let cut = line.map_or(self.input.len(), |line| middle + line + 1);
        [self.input.slice(..cut), self.input.slice(cut..)]
    }

    /// Two runs side by side over the halves, which share nothing.
    fn pair(&self) -> Made {
        std::thread::scope(|scope| {
            let threads = self.halves().map(|half| {
                scope.spawn(move || {
                    let mut made = Discard::default();
                    self.job.run(job::chunks(&half), &mut made);
                    made.made
                })
            });
            threads.into_iter().fold(Made::default(), |sum, thread| {
                let made = thread.join().unwrap_or_default();
                Made {
                    events: sum.events + made.events,
                    rejects: sum.rejects + made.rejects,
                    bytes: sum.bytes + made.bytes,
                }
            })
        })
    }
}

/// A sink of rows.
trait Rowed: Sink + Send {
    /// Whether rows are kept.
    const KEEPS: bool;
    /// From now on rows hold their raw records.
    fn keep_raw(&mut self);
    /// What was made, when all is done.
    fn finish(&mut self) -> Result<Made, Box<dyn Error>>;
}

/// Counts; what is made stays in memory until the next block.
#[derive(Debug, Default)]
struct Discard {
    raw: bool,
    made: Made,
    lines: Vec<u8>,
}

impl Sink for Discard {
    fn take(&mut self, block: &RecordBlock, batch: &Batch) {
        self.made.take(block, batch);
        if self.raw {
            self.lines.clear();
            job::write_raw_rows(block, batch, &mut self.lines);
        }
    }
}

impl Rowed for Discard {
    const KEEPS: bool = false;

    fn keep_raw(&mut self) {
        self.raw = true;
    }

    fn finish(&mut self) -> Result<Made, Box<dyn Error>> {
        Ok(self.made)
    }
}

/// Writes rows to a file.
struct Rows {
    file: BufWriter<File>,
    raw: bool,
    lines: Vec<u8>,
    error: Option<io::Error>,
}

impl Sink for Rows {
    fn take(&mut self, block: &RecordBlock, batch: &Batch) {
        self.lines.clear();
        match self.raw {
            true => job::write_raw_rows(block, batch, &mut self.lines),
            false => job::write_rows(batch, &mut self.lines),
        }
        if let Err(error) = self.file.write_all(&self.lines) {
            self.error.get_or_insert(error);
        }
    }
}

impl Rowed for Rows {
    const KEEPS: bool = true;

    fn keep_raw(&mut self) {
        self.raw = true;
    }

    fn finish(&mut self) -> Result<Made, Box<dyn Error>> {
        self.file.flush()?;
        match self.error.take() {
            Some(error) => Err(error.into()),
            None => Ok(Made::default()),
        }
    }
}

fn gzip(input: &Bytes) -> impl Read {
    flate2::bufread::MultiGzDecoder::new(&input[..])
}

fn zstd(input: &Bytes) -> io::Result<impl Read> {
    zstd::stream::read::Decoder::with_buffer(BufReader::with_capacity(CHUNK_BYTES, &input[..]))
}

/// Chunks from a decoder, each in memory of its own, as a source hands them out.
struct Decoded<R>(R);

impl<R: Read> Decoded<R> {
    fn new(decoder: R) -> Self {
        Self(decoder)
    }
}

impl<R: Read> Iterator for Decoded<R> {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        let decoder = &mut self.0;
        let read = decoder.take(CHUNK_BYTES as u64).read_to_end(&mut chunk);
        read.expect("what was packed here can be unpacked");
        (!chunk.is_empty()).then(|| chunk.into())
    }
}

/// Decodes, and forgets.
fn drain(mut decoder: impl Read) -> Made {
    let (mut chunk, mut bytes) = (vec![0; CHUNK_BYTES], 0);
    loop {
        match decoder.read(&mut chunk).expect("what was packed here can be unpacked") {
            0 => return Made { bytes, ..Made::default() },
            read => bytes += read as u64,
        }
    }
}
