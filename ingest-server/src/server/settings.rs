//! What the server can be told: by a file, by the command line.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

/// All settings, with their defaults.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Where everything is kept.
    pub(crate) data: PathBuf,
    /// Whether to make another administrator's key; said on the command line only.
    pub(crate) new_administrator_key: bool,
    pub(crate) listen: SocketAddr,
    pub(crate) log_format: LogFormat,
    /// As `tracing` understands it: `info`, `weir_server=debug`.
    pub(crate) log_level: String,
    /// How long requests that were begun may take when the server ends.
    pub(crate) shutdown_patience: Duration,
    /// How long the head of a request may take to arrive.
    pub(crate) head_timeout: Duration,
    pub(crate) webhook: WebhookSettings,
    pub(crate) pull: PullSettings,
}

/// Limits of the webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct WebhookSettings {
    /// The largest body.
    pub(crate) body_bytes_max: usize,
    /// All bodies that are being worked on.
    pub(crate) bytes_in_flight_max: usize,
    /// Requests a second for each source, and as many at once; 0 for no limit.
    pub(crate) requests_per_second_per_source: u32,
    /// Requests a second from each address, and as many at once; 0 for no limit.
    pub(crate) requests_per_second_per_address: u32,
    /// How long a body may take to arrive.
    pub(crate) body_timeout_sec: u64,
}

/// Limits of the puller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PullSettings {
    /// Objects that are read at a time.
    pub(crate) objects_at_once: usize,
    /// Memory for all that is being read.
    pub(crate) memory_bytes_max: usize,
    /// Events that are stored in one transaction, unless they come too slowly.
    pub(crate) commit_events: usize,
    /// A request to a bucket that brings nothing for so long is made again.
    pub(crate) stall_timeout_sec: u64,
    /// A run ends after so long; what is left is for the next one.
    pub(crate) run_timeout_sec: u64,
    /// The first pause before an object that failed is tried again; it doubles each time.
    pub(crate) retry_min_sec: u64,
    /// The longest one.
    pub(crate) retry_max_sec: u64,
}

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// Lines for people.
    Text,
    /// A JSON object a line.
    Json,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self {
            body_bytes_max: 10 << 20,
            bytes_in_flight_max: 256 << 20,
            requests_per_second_per_source: 5_000,
            requests_per_second_per_address: 5_000,
            body_timeout_sec: 30,
        }
    }
}

impl Default for PullSettings {
    fn default() -> Self {
        Self {
            objects_at_once: 4,
            memory_bytes_max: 256 << 20,
            commit_events: 10_000,
            stall_timeout_sec: 20,
            run_timeout_sec: 3600,
            retry_min_sec: 30,
            retry_max_sec: 6 * 3600,
        }
    }
}

/// The file, as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    listen: Option<SocketAddr>,
    shutdown_patience_sec: Option<u64>,
    head_timeout_sec: Option<u64>,
    log: LogFile,
    webhook: WebhookSettings,
    pull: PullSettings,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LogFile {
    format: Option<LogFormat>,
    level: Option<String>,
}

/// A file of settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) struct SettingsError {
    path: PathBuf,
    problem: String,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.path.display(), self.problem)
    }
}

impl Settings {
    /// The defaults for a data folder.
    pub(crate) fn new(data: PathBuf) -> Self {
        Self {
            data,
            new_administrator_key: false,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            log_format: LogFormat::Text,
            log_level: "info".to_owned(),
            shutdown_patience: Duration::from_secs(10),
            head_timeout: Duration::from_secs(75),
            webhook: WebhookSettings::default(),
            pull: PullSettings::default(),
        }
    }

    /// Takes over what a TOML file says.
    ///
    /// # Errors
    ///
    /// It cannot be read, or says something that makes no sense.
    pub(crate) fn read_file(&mut self, path: &Path) -> Result<(), SettingsError> {
        let failed = |problem: String| SettingsError { path: path.to_owned(), problem };
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        let file: File = toml::from_str(&text)
            .map_err(|error| failed(format!("\n{}", error.to_string().trim())))?;
        self.listen = file.listen.unwrap_or(self.listen);
        self.log_format = file.log.format.unwrap_or(self.log_format);
        if let Some(level) = file.log.level {
            self.log_level = level;
        }
        if let Some(seconds) = file.shutdown_patience_sec {
            self.shutdown_patience = Duration::from_secs(seconds);
        }
        if let Some(seconds) = file.head_timeout_sec {
            self.head_timeout = Duration::from_secs(seconds);
        }
        self.webhook = file.webhook;
        self.pull = file.pull;
        self.check().map_err(failed)
    }

    fn check(&self) -> Result<(), String> {
        let WebhookSettings { body_bytes_max, bytes_in_flight_max, .. } = self.webhook;
        let PullSettings {
            objects_at_once, memory_bytes_max, retry_min_sec, retry_max_sec, ..
        } = self.pull;
        let problems = [
            (
                self.head_timeout.is_zero() || self.head_timeout > Duration::from_secs(3600),
                "head_timeout_sec is not 1 to 3600",
            ),
            (body_bytes_max == 0, "webhook.body_bytes_max is 0"),
            (
                bytes_in_flight_max < body_bytes_max,
                "webhook.bytes_in_flight_max is less than webhook.body_bytes_max",
            ),
            (!(1..=64).contains(&objects_at_once), "pull.objects_at_once is not 1 to 64"),
            (memory_bytes_max < 64 << 20, "pull.memory_bytes_max is less than 64 MiB"),
            (self.pull.commit_events == 0, "pull.commit_events is 0"),
            (self.pull.stall_timeout_sec == 0, "pull.stall_timeout_sec is 0"),
            (self.pull.run_timeout_sec == 0, "pull.run_timeout_sec is 0"),
            (
                retry_min_sec == 0 || retry_max_sec < retry_min_sec,
                "pull.retry_min_sec is 0, or more than pull.retry_max_sec",
            ),
        ];
        match problems.iter().find(|(is_wrong, _)| *is_wrong) {
            Some((_, problem)) => Err((*problem).to_owned()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Settings, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let mut settings = Settings::new("data".into());
        settings.read_file(file.path()).map_err(|error| error.to_string())?;
        Ok(settings)
    }

    #[test]
    fn a_file_says_what_differs() {
        let settings = read(
            "listen = \"0.0.0.0:9000\"\n[log]\nformat = \"json\"\n[webhook]\nbody_bytes_max = 1000\n",
        )
        .unwrap();
        assert_eq!(settings.listen.port(), 9000);
        assert_eq!(settings.log_format, LogFormat::Json);
        assert_eq!(settings.webhook.body_bytes_max, 1000);
        assert_eq!(settings.pull, PullSettings::default());
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, named) in [
            ("listen = 1", "listen"),
            ("lisen = \"x\"", "lisen"),
            ("[webhook]\nbody_bytes_max = 0", "webhook.body_bytes_max"),
            ("[pull]\nobjects_at_once = 1000", "pull.objects_at_once"),
            ("[pull]\nthreads = 3", "threads"),
            ("head_timeout_sec = 0", "head_timeout_sec"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn the_operating_guide_shows_every_setting_with_its_default() {
        let guide = include_str!("../../../docs/src/operating.md");
        let (_, block) = guide.split_once("```toml\n").unwrap();
        let (block, _) = block.split_once("```").unwrap();
        let (shown, defaults) = (read(block).unwrap(), Settings::new("data".into()));
        assert_eq!(format!("{shown:?}"), format!("{defaults:?}"));
        let table: toml::Table = block.parse().unwrap();
        let all = |section: &str, names: serde_json::Value| {
            for name in names.as_object().unwrap().keys() {
                assert!(table[section].get(name).is_some(), "{section}.{name} is not shown");
            }
        };
        all("webhook", serde_json::to_value(defaults.webhook).unwrap());
        all("pull", serde_json::to_value(defaults.pull).unwrap());
        all("log", serde_json::json!({ "format": 0, "level": 0 }));
        let top = ["listen", "shutdown_patience_sec", "head_timeout_sec"];
        assert!(top.iter().all(|name| table.contains_key(*name)));
    }
}
