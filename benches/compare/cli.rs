//! The command line.

use std::fmt;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use weir_benches::data::{Format, Shape};

use crate::peers::{self, Peer};

/// Measure weir beside other tools: the same records, the same rows
///
/// Generates audit logs, checks that all make the same OCSF events of them, and runs the whole job in rounds, pinned to one
/// core. The table shows the best round of each.
#[derive(Debug, Parser)]
#[command(
    name = "compare",
    after_help = "\
Examples:
  compare                                    all peers; builds them first, which takes long once
  compare --peers weir,sonic-get-many        two of them
  compare --peers rust --format ndjson       the Rust peers, one format
  compare --peers weirs --shape tiny         weir alone in all its ways, on tiny records
  compare --mb 256 --rounds 9 --seed 7       longer, and on other records
  compare --check                            exits with 1 if a target is missed
  compare --record --chart docs/images/compare.svg
  compare --from benches/record/X.json --chart chart.svg    draws an old result

Exit codes: 0 success, 1 rows differ or a target is missed, 2 usage"
)]
pub(crate) struct Args {
    /// Megabytes of NDJSON; other formats hold the same records
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub(crate) mb: u64,

    /// Other seeds give other records
    #[arg(long, value_name = "S", default_value_t = 42)]
    pub(crate) seed: u64,

    /// Runs of each peer, of which the best counts
    #[arg(long, value_name = "R", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rounds: u32,

    /// Peers or groups of them, by commas: all, weirs, rust, python, or names
    #[arg(long, value_name = "LIST", default_value = "all")]
    pub(crate) peers: String,

    /// What the records look like
    #[arg(long, value_name = "NAME", value_enum, default_value = "audit")]
    pub(crate) shape: Shape,

    /// Formats, by commas [default: all that the shape is made in]
    #[arg(long, value_name = "LIST", value_enum, value_delimiter = ',')]
    pub(crate) format: Vec<Format>,

    /// The core that everything runs on [default: the last one]
    #[arg(long, value_name = "N")]
    pub(crate) core: Option<usize>,

    /// Check the targets, which are ratios
    #[arg(long)]
    pub(crate) check: bool,

    /// Print the table even if standard output is no terminal (otherwise NDJSON, one peer a line)
    #[arg(long)]
    pub(crate) table: bool,

    /// Write the result to a file
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Keep the result in benches/record, with its commit: nothing may have been changed
    #[arg(long)]
    pub(crate) record: bool,

    /// Draw the result as SVG
    #[arg(long, value_name = "FILE")]
    pub(crate) chart: Option<PathBuf>,

    /// Take the result from a file, and measure nothing
    #[arg(long, value_name = "FILE", conflicts_with_all = ["record", "check"])]
    pub(crate) from: Option<PathBuf>,
}

/// A mistake on the command line that clap does not know of.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

impl Args {
    /// The peers that are wanted. weir is always one of them: everything is measured by it.
    pub(crate) fn peers(&self) -> Result<Vec<&'static Peer>, Usage> {
        let mut wanted = vec![&peers::ALL[0]];
        for name in self.peers.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let found: Vec<_> = peers::ALL.iter().filter(|peer| peer.is_called(name)).collect();
            if found.is_empty() {
                let names: Vec<_> = peers::ALL.iter().map(|peer| peer.name).collect();
                let names = names.join(", ");
                return Err(Usage(format!(
                    "there is no peer `{name}`: there are all, weirs, rust, python, {names}"
                )));
            }
            wanted.extend(found);
        }
        // In the order of the table, each once.
        let wanted = |peer: &&Peer| wanted.iter().any(|other| other.name == peer.name);
        Ok(peers::ALL.iter().filter(wanted).collect())
    }

    /// The formats that are wanted.
    pub(crate) fn formats(&self) -> Result<Vec<Format>, Usage> {
        let made = self.shape.formats();
        let wanted = if self.format.is_empty() { made } else { &self.format };
        match wanted.iter().find(|format| !made.contains(format)) {
            None => Ok(wanted.to_vec()),
            Some(format) => {
                let shape = self.shape.to_possible_value();
                let shape = shape.as_ref().map_or("", |value| value.get_name());
                Err(Usage(format!("records of shape `{shape}` are not made as {format}")))
            }
        }
    }
}
