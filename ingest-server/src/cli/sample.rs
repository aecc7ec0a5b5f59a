//! Samples: the first bytes of files, folders or objects, decompressed.

use bytes::BytesMut;
use clap::Args;
use tokio::runtime::Runtime;
use weir_dsl::tools::init::Object;

use crate::console::Failure;
use crate::source::{Input, SourceError, SourceOptions, Sources};

/// Files of a folder that are looked at.
const OBJECTS_MAX: usize = 100;

/// What a sample is.
#[derive(Debug, Args)]
pub(super) struct SampleArguments {
    /// Files, directories, `-`, or s3:// URLs, compressed or not
    #[arg(value_name = "SAMPLE", required = true)]
    samples: Vec<String>,
    /// Read so much of the sample at the most
    #[arg(long, value_name = "MIB", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1024))]
    max_mib: u32,
}

impl SampleArguments {
    /// The objects of the sample, each as far as it is read.
    pub(super) fn read(&self) -> Result<Vec<Object>, Failure> {
        let inputs: Result<Vec<_>, _> =
            self.samples.iter().map(|text| Input::parse(text)).collect();
        let inputs = inputs.map_err(Failure::problem)?;
        let sources = Sources::new(SourceOptions::default());
        let budget = (self.max_mib as usize) << 20;
        runtime()?.block_on(read(&sources, &inputs, budget)).map_err(Failure::problem)
    }

    /// What the sample is called: its last name, without endings.
    pub(super) fn name(&self) -> String {
        name_of(self.samples.first().map_or("", String::as_str))
    }
}

/// The last name of a path without endings, in letters that do for the name of a parser.
pub(super) fn name_of(path: &str) -> String {
    let last = path.trim_end_matches('/').rsplit(['/', '\\']).next().unwrap_or("");
    let stem = last.split('.').find(|part| !part.is_empty()).unwrap_or("");
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '-' };
    let name: String = stem.chars().map(plain).take(60).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "sample".to_owned() } else { name.to_owned() }
}

async fn read(
    sources: &Sources,
    inputs: &[Input],
    mut budget: usize,
) -> Result<Vec<Object>, SourceError> {
    let mut read = Vec::new();
    for input in inputs {
        let mut objects = sources.objects(input);
        while let Some(object) = objects.next().await? {
            if budget == 0 || read.len() == OBJECTS_MAX {
                return Ok(read);
            }
            let mut reader = sources.open(&object, None).await?;
            let mut bytes = BytesMut::new();
            while bytes.len() < budget {
                let Some(chunk) = reader.next().await? else { break };
                bytes.extend_from_slice(&chunk);
            }
            bytes.truncate(budget);
            if bytes.len() == budget {
                cut_to_line(&mut bytes);
            }
            budget = budget.saturating_sub(bytes.len());
            read.push(Object { name: object.key, bytes: bytes.into() });
        }
    }
    Ok(read)
}

/// The last line may not be whole; of a document without lines what there is is kept.
fn cut_to_line(bytes: &mut BytesMut) {
    if let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') {
        bytes.truncate(end + 1);
    }
}

fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Failure::Problem(format!("cannot start threads: {error}")))
}
