//! Sample logs for `weir demo`: what four kinds of AI systems write about themselves.
//!
//! The same size gives the same bytes. About one record in two hundred is broken, as in real life,
//! and some are ones that the programs leave out.

mod anthropic;
mod bucket;
mod homegrown;
mod ki_portal;
mod openai;
mod people;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use zstd::Encoder;

pub(crate) use self::bucket::{BUCKET, Bucket};

/// A log and the program that reads it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// The name of the log's file.
    pub(crate) log: &'static str,
    /// The name of the program's file.
    pub(crate) program: &'static str,
    /// The program.
    pub(crate) program_text: &'static str,
    /// What a bucket's keys of such logs begin with, and how they end.
    pub(crate) prefix: &'static str,
    pub(crate) ending: &'static str,
    writer: fn() -> Writer,
}

/// Writes logs of about as many bytes, before compression, one behind the other.
pub(crate) type Writer = Box<dyn FnMut(&mut dyn Write, u64) -> io::Result<()> + Send>;

/// One for each of the example programs.
pub(crate) const SAMPLES: [Sample; 4] = [
    Sample {
        log: "anthropic.ndjson.gz",
        program: "1_anthropic.weir",
        program_text: include_str!("../../examples/1_anthropic.weir"),
        prefix: "anthropic/",
        ending: "ndjson.gz",
        writer: || {
            let mut log = anthropic::Log::new();
            Box::new(move |out, bytes| {
                let mut gzip = GzEncoder::new(out, Compression::fast());
                write_records(&mut log, &mut gzip, bytes)?;
                gzip.finish().map(|_| ())
            })
        },
    },
    Sample {
        log: "openai.json",
        program: "2_openai.weir",
        program_text: include_str!("../../examples/2_openai.weir"),
        prefix: "openai/",
        ending: "json",
        writer: || {
            let mut log = openai::Log::new();
            Box::new(move |out, bytes| write_records(&mut log, out, bytes))
        },
    },
    Sample {
        log: "ki-portal.csv",
        program: "3_csv_eu.weir",
        program_text: include_str!("../../examples/3_csv_eu.weir"),
        prefix: "ki-portal/",
        ending: "csv",
        writer: || {
            let mut log = ki_portal::Log::new();
            Box::new(move |out, bytes| write_records(&mut log, out, bytes))
        },
    },
    Sample {
        log: "agent-runs.ndjson.zst",
        program: "4_homegrown.weir",
        program_text: include_str!("../../examples/4_homegrown.weir"),
        prefix: "agent-runs/",
        ending: "ndjson.zst",
        writer: || {
            let mut log = homegrown::Log::new();
            Box::new(move |out, bytes| {
                let mut zstd = Encoder::new(out, 1)?;
                write_records(&mut log, &mut zstd, bytes)?;
                zstd.finish().map(|_| ())
            })
        },
    },
];

impl Sample {
    /// Writes log and program into a folder; `bytes` is the size of the log before compression.
    pub(crate) fn write(&self, folder: &Path, bytes: u64) -> io::Result<()> {
        fs::write(folder.join(self.program), self.program_text)?;
        let mut out = BufWriter::new(File::create(folder.join(self.log))?);
        self.writer()(&mut out, bytes)?;
        out.flush()
    }

    /// Writes logs that go on where the one before ended.
    pub(crate) fn writer(&self) -> Writer {
        (self.writer)()
    }
}

/// A log in the making.
trait Log {
    /// What stands before the first record.
    const HEAD: &'static [u8] = b"";
    /// What stands between two records, or behind each of them.
    const SEPARATOR: &'static [u8] = b"\n";
    /// What stands behind the last record.
    const END: &'static [u8] = b"\n";

    /// Writes a record.
    fn record(&mut self, out: &mut Vec<u8>);
}

/// Writes records until there are `bytes` of them.
fn write_records<L: Log, W: Write + ?Sized>(
    log: &mut L,
    out: &mut W,
    bytes: u64,
) -> io::Result<()> {
    let mut written = L::HEAD.len() as u64;
    out.write_all(L::HEAD)?;
    let mut text = Vec::new();
    loop {
        text.clear();
        log.record(&mut text);
        out.write_all(&text)?;
        written += (text.len() + L::SEPARATOR.len()) as u64;
        if written >= bytes {
            return out.write_all(L::END);
        }
        out.write_all(L::SEPARATOR)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(sample: &Sample, bytes: u64) -> Vec<u8> {
        let mut out = Vec::new();
        sample.writer()(&mut out, bytes).unwrap();
        out
    }

    #[test]
    fn samples_are_the_same_every_time_and_of_the_size_asked_for() {
        for sample in &SAMPLES {
            let first = written(sample, 200_000);
            assert_eq!(first, written(sample, 200_000), "{}", sample.log);
        }
        let plain = written(&SAMPLES[1], 200_000).len();
        assert!((199_000..210_000).contains(&plain), "{plain}");
    }

    #[test]
    fn json_is_json() {
        let document: serde_json::Value =
            serde_json::from_slice(&written(&SAMPLES[1], 50_000)).unwrap();
        assert!(document["data"].as_array().unwrap().len() > 50);
        let lines = zstd::decode_all(written(&SAMPLES[3], 50_000).as_slice()).unwrap();
        for line in lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            serde_json::from_slice::<serde_json::Value>(line).unwrap();
        }
    }
}
