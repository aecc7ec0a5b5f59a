//! Reads one input to its end and prints `bytes crc32 peak_kb`: how much memory a reader needs can
//! only be seen in a process that does nothing else.
//!
//! `read-source INPUT [ENDPOINT_URL]`; credentials come from the environment.

use std::process::ExitCode;

use flate2::Crc;
use weir_server::source::{Input, S3Options, SourceError, SourceOptions, Sources};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let input = arguments.next().unwrap_or_default();
    let s3 = S3Options { endpoint_url: arguments.next(), ..S3Options::default() };
    let sources = Sources::new(SourceOptions { s3, ..SourceOptions::default() });
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    let outcome = runtime.block_on(read(&sources, &input));
    match outcome {
        Ok(crc) => {
            print(&format!("{} {:08x} {}", crc.amount(), crc.sum(), peak_kb()));
            ExitCode::SUCCESS
        }
        Err(error) => {
            print(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

async fn read(sources: &Sources, input: &str) -> Result<Crc, SourceError> {
    let mut crc = Crc::new();
    let mut objects = sources.objects(&Input::parse(input)?);
    while let Some(object) = objects.next().await? {
        let mut reader = sources.open(&object, None).await?;
        while let Some(chunk) = reader.next().await? {
            crc.update(&chunk);
        }
    }
    Ok(crc)
}

/// The most memory that this process ever had.
fn peak_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("this is Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let text = line.and_then(|line| line.trim().strip_suffix(" kB"));
    text.and_then(|text| text.parse().ok()).expect("the kernel tells a process its peak memory")
}

#[expect(clippy::print_stdout, reason = "this is what the program is for")]
fn print(line: &str) {
    println!("{line}");
}
