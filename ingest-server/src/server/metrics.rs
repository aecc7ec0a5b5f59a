//! Numbers for Prometheus.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::control::RunStatus;
use crate::store::Appended;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    method: String,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Way {
    /// `webhook`, `pull` or `redrive`.
    way: &'static str,
}

type Count = Counter<u64, AtomicU64>;

/// All numbers. They are named in the operating guide.
pub(crate) struct Metrics {
    registry: Registry,
    pulls: Family<Outcome, Count>,
    pull_milliseconds: Histogram,
    pulls_running: Gauge,
    requests: Family<Route, Count>,
    request_seconds: Family<Way, Histogram, fn() -> Histogram>,
    events: Family<Way, Count>,
    duplicates: Family<Way, Count>,
    rejects: Family<Way, Count>,
    webhook_bytes: Count,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::default();
        let pulls = Family::<Outcome, Count>::default();
        registry.register("ingestion_pull", "Runs of the puller that ended", pulls.clone());
        let pull_milliseconds = Histogram::new([10.0, 100.0, 1e3, 1e4, 6e4, 3e5, 9e5, 3.6e6]);
        registry.register(
            "ingestion_pull_duration_milliseconds",
            "How long runs of the puller took",
            pull_milliseconds.clone(),
        );
        let pulls_running = Gauge::default();
        registry.register("ingestion_pulls_running", "Runs going on", pulls_running.clone());
        let requests = Family::<Route, Count>::default();
        registry.register("weir_http_requests", "Requests answered", requests.clone());
        let request_seconds: Family<Way, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(|| {
                Histogram::new([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0])
            });
        registry.register(
            "weir_http_request_duration_seconds",
            "How long requests took",
            request_seconds.clone(),
        );
        let mut family = |name: &str, help: &str| {
            let family = Family::<Way, Count>::default();
            registry.register(name, help, family.clone());
            family
        };
        let events = family("weir_events_stored", "Events stored");
        let duplicates = family("weir_events_duplicate", "Events that were stored already");
        let rejects = family("weir_records_rejected", "Records that became dead letters");
        let webhook_bytes = Count::default();
        registry.register(
            "weir_webhook_received_bytes",
            "Bytes of bodies that were read, decompressed",
            webhook_bytes.clone(),
        );
        Self {
            registry,
            pulls,
            pull_milliseconds,
            pulls_running,
            requests,
            request_seconds,
            events,
            duplicates,
            rejects,
            webhook_bytes,
        }
    }

    /// As Prometheus reads them.
    pub(crate) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }

    pub(crate) fn http(&self, method: &str, route: &str, status: u16, elapsed: Duration) {
        // A method can be any word: each would be a number of its own, for good.
        let is_known =
            ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].contains(&method);
        let method = if is_known { method } else { "other" };
        let label = Route { method: method.to_owned(), route: route.to_owned(), status };
        self.requests.get_or_create(&label).inc();
        let way = Way { way: if route.contains("/webhook/") { "webhook" } else { "rest" } };
        self.request_seconds.get_or_create(&way).observe(elapsed.as_secs_f64());
    }

    pub(crate) fn pull_begins(&self) {
        self.pulls_running.inc();
    }

    pub(crate) fn pull_ended(&self, status: RunStatus, is_retryable: bool, elapsed: Duration) {
        self.pulls_running.dec();
        let outcome = match status {
            RunStatus::Completed => "completed",
            RunStatus::Failed if !is_retryable => "failed_final",
            RunStatus::Failed => "failed_retryable",
            RunStatus::Partial | RunStatus::Running | RunStatus::Superseded => "partial",
        };
        self.pulls.get_or_create(&Outcome { outcome }).inc();
        self.pull_milliseconds.observe(elapsed.as_secs_f64() * 1e3);
    }

    /// A body was read.
    pub(crate) fn webhook_received(&self, bytes: usize) {
        self.webhook_bytes.inc_by(bytes as u64);
    }

    /// Events and dead letters that were stored by a `way`: `webhook`, `pull` or `redrive`.
    pub(crate) fn stored(&self, way: &'static str, appended: &Appended, rejects: u64) {
        let way = Way { way };
        self.events.get_or_create(&way).inc_by(appended.stored);
        self.duplicates.get_or_create(&way).inc_by(appended.duplicates);
        self.rejects.get_or_create(&way).inc_by(rejects + appended.conflicts);
    }
}
