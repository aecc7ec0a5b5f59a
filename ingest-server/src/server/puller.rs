//! Runs of sources that are polled: when they begin, what they do, how they end.
//!
//! ```text
//! schedule ─┐                    pages of the listing      objects to read
//! by hand ──┴▶ begin_run ─▶ scan ──────────────────▶ ledger ──────────────▶ readers ─▶ store
//!                                                                              │
//!              end_run ◀── what became of them ◀───────────────────────────────┘
//! ```
//!
//! A source has one run at a time. A run reads several objects at once, all runs together within one budget of memory.
//! Every commit is fenced by the run: once it is ended, whoever still works for it stores nothing more. An object that
//! cannot be read is noted and tried again later, ever less often; it never holds up the others.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use weir_engine::plan::Plan;

use super::settings::PullSettings;
use super::{ApiError, App, Shared};
use crate::control::{
    BegunRun, Control, ControlError, Credentials, Failure, PullRun, RunEnd, RunStatus,
    STORE_UNAVAILABLE, StoredSource, Trigger, now_ms,
};
use crate::pipeline::{
    CommitLimits, Options, Output, Pipeline, PipelineError, Sink, StoreSettings, Totals,
};
use crate::pull::{DiscoveryState, Due, Known, Ledger, ObjectVerdict, OnError, S3Polling, Scan};
use crate::source::{AccessKey, Object, S3Options, SourceError, SourceOptions, Sources};

/// Schedules are looked at this often, whatever they say: clocks are set, and other processes change the file.
const TICK_MAX: Duration = Duration::from_secs(5);
/// Memory that a reader takes besides what it has asked the bucket for: blocks, and two commits.
const READER_BYTES: u64 = 20 << 20;
/// What a reader asks a bucket for ahead of time.
const PREFETCH_BYTES_MAX: u64 = 16 << 20;
const PART_BYTES: u64 = 4 << 20;
/// A run that is to end does so within about this time.
const STOP_LATENCY: Duration = Duration::from_millis(250);
/// A store that does not give so many objects in a row is asked for no more of them in this run.
const UNAVAILABLE_MAX: u32 = 3;
/// Budgets are counted in these.
const BUDGET_UNIT: u64 = 1 << 20;

/// Begins runs, and knows which are going on.
pub(crate) struct Puller {
    wake: Notify,
    running: Mutex<BTreeMap<String, Arc<AtomicBool>>>,
    /// Readers of all runs.
    readers: Arc<Semaphore>,
    /// Memory of all readers, in [`BUDGET_UNIT`]s.
    memory: Arc<Semaphore>,
}

impl Puller {
    pub(crate) fn new(settings: &PullSettings) -> Self {
        let units = settings.memory_bytes_max as u64 / BUDGET_UNIT;
        Self {
            wake: Notify::new(),
            running: Mutex::default(),
            readers: Arc::new(Semaphore::new(settings.objects_at_once)),
            memory: Arc::new(Semaphore::new(usize::try_from(units).unwrap_or(1).max(1))),
        }
    }

    /// Something about the sources has changed.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<String, Arc<AtomicBool>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins runs as they become due, until the server ends.
    pub(crate) async fn serve(app: Shared) {
        loop {
            let pause = match begin_due(&app).await {
                Ok(pause) => pause,
                // It has been logged where it was made.
                Err(_) => TICK_MAX,
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = app.puller.wake.notified() => {}
                () = app.stopped() => break,
            }
        }
        for stop in app.puller.running().values() {
            stop.store(true, Ordering::Relaxed);
        }
    }

    /// Waits until no run is going on.
    pub(crate) async fn ended(&self) {
        while !self.running().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Begins a run of a source.
    ///
    /// # Errors
    ///
    /// One is going on, or the source is not polled.
    pub(crate) async fn start(
        &self,
        app: &Shared,
        source: String,
        trigger: Trigger,
        scheduled_for_ms: Option<i64>,
    ) -> Result<PullRun, ApiError> {
        let stop = Arc::new(AtomicBool::new(false));
        {
            let mut running = self.running();
            if running.contains_key(&source) {
                return Err(ApiError::conflict(
                    "run_in_progress",
                    "the source is being pulled already",
                ));
            }
            running.insert(source.clone(), Arc::clone(&stop));
        }
        // Whoever stops all runs has seen this one, or is seen here.
        stop.store(*app.stop.borrow(), Ordering::Relaxed);
        let place = Place { app: Arc::clone(app), source };
        // On a task of its own: a client that goes away must not leave a run behind that nobody does.
        let begun = tokio::spawn(begin(place, trigger, scheduled_for_ms, stop));
        begun.await.map_err(|panic| ApiError::internal(&panic))?
    }
}

/// A source's place among those that are being pulled: it is free again when this is dropped.
struct Place {
    app: Shared,
    source: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.app.puller.running().remove(&self.source);
    }
}

async fn begin(
    place: Place,
    trigger: Trigger,
    scheduled_for_ms: Option<i64>,
    stop: Arc<AtomicBool>,
) -> Result<PullRun, ApiError> {
    let (app, source) = (Arc::clone(&place.app), place.source.clone());
    let BegunRun { run, stored, config } =
        app.run(move |app: &App| app.control.begin_run(&source, trigger, scheduled_for_ms)).await?;
    app.metrics.pull_begins();
    tracing::info!(event = "run_begins", source = %place.source, run = %run.id, ?trigger);
    let work = Run { app: Arc::clone(&app), stored, config, id: run.id.clone(), trigger, stop };
    tokio::spawn(async move {
        work.go().await;
        drop(place);
        app.puller.wake();
    });
    Ok(run)
}

/// Begins the runs that are due; ends those whose source is no longer polled. Says how long nothing will be due.
async fn begin_due(app: &Shared) -> Result<Duration, ApiError> {
    let sources = app.run(|app: &App| app.control.polled_sources()).await?;
    let is_polled = |id: &String| sources.iter().any(|stored| stored.source.id == *id);
    for (id, stop) in app.puller.running().iter() {
        if !is_polled(id) {
            stop.store(true, Ordering::Relaxed);
        }
    }
    let now = Timestamp::now();
    let mut pause = TICK_MAX;
    for stored in sources {
        if app.puller.running().contains_key(&stored.source.id) {
            continue;
        }
        let Some(schedule) = stored.schedule() else { continue };
        let last = stored.scheduled_for_ms.unwrap_or(stored.created_at_ms);
        let last = Timestamp::from_millisecond(last).unwrap_or(now);
        if let Some(Due { scheduled_for, is_catch_up }) = schedule.due(last, now) {
            let trigger = if is_catch_up { Trigger::CatchUp } else { Trigger::Schedule };
            let scheduled_for = Some(scheduled_for.as_millisecond());
            if let Err(error) =
                app.puller.start(app, stored.source.id, trigger, scheduled_for).await
            {
                tracing::debug!(event = "run_not_begun", ?error);
            }
        } else if let Some(next) = schedule.next_after(last) {
            let until = next.duration_since(now);
            pause = pause.min(Duration::try_from(until).unwrap_or_default());
        }
    }
    Ok(pause.max(Duration::from_millis(50)))
}

/// A run that is going on.
struct Run {
    app: Shared,
    stored: StoredSource,
    config: S3Polling,
    id: String,
    trigger: Trigger,
    stop: Arc<AtomicBool>,
}

/// Why a run ends before its work is done.
enum Ended {
    Failed {
        code: &'static str,
        message: String,
        is_retryable: bool,
    },
    /// Somebody wants it to end.
    Stopped,
    /// Its time is over.
    TimedOut,
}

/// What a run has done so far.
#[derive(Default)]
struct Tally {
    objects_read: u64,
    objects_failed: u64,
    first_failure: Option<(&'static str, String)>,
    /// Objects that the store did not give for the first time, since the last one that it did.
    unavailable_in_a_row: u32,
    /// Objects that could not be read before, as far as the listing has not shown them.
    not_listed: BTreeSet<String>,
    /// Those of them that it has shown, and that were not read since.
    failed_before: BTreeSet<String>,
}

/// What became of an object.
enum ObjectEnd {
    Read,
    /// There is no such version any more: a later listing has another one, or none.
    Gone {
        is_deleted: bool,
    },
    Failed {
        code: &'static str,
        message: String,
        is_retryable: bool,
    },
    /// The store did not give it: it may be this object, or all of them.
    Unavailable {
        code: &'static str,
        message: String,
    },
    /// The run cannot go on.
    Ends(Ended),
}

/// What a reader leaves.
struct Done {
    object: Object,
    end: ObjectEnd,
    totals: Totals,
}

impl Run {
    async fn go(self) {
        let begin = Instant::now();
        let mut tally = Tally::default();
        let discovery = self.stored.discovery.as_deref();
        let mut state: DiscoveryState =
            discovery.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        if self.trigger == Trigger::Manual {
            // Whoever asks for it wants what failed to be tried again, also what an earlier run has passed.
            state.begin_again();
        }
        let mut scan = Scan::begin(&self.config, state, Timestamp::now());
        let ended = self.work(&mut scan, &mut tally).await;
        let (status, error, is_retryable) = match ended {
            Ok(()) if tally.objects_failed == 0 && !scan.holds_back() => {
                (RunStatus::Completed, None, false)
            }
            Ok(()) => (RunStatus::Partial, tally.first_failure, true),
            Err(Ended::TimedOut) => (RunStatus::Partial, None, true),
            Err(Ended::Stopped) => (RunStatus::Superseded, None, true),
            Err(Ended::Failed { code, message, is_retryable }) => {
                let status =
                    if tally.objects_read > 0 { RunStatus::Partial } else { RunStatus::Failed };
                (status, Some((code, message)), is_retryable)
            }
        };
        let state = scan.state();
        let end = RunEnd {
            status,
            objects_read: tally.objects_read,
            objects_failed: tally.objects_failed,
            error: error.map(|(code, message)| (code.to_owned(), message)),
            discovery: serde_json::to_string(&state)
                .ok()
                .map(|text| (text, state.cursor().map(str::to_owned))),
        };
        let (source, run) = (self.stored.source.id.clone(), self.id.clone());
        let error = end.error.clone();
        let (of, id) = (source.clone(), self.id.clone());
        let stored = self.app.run(move |app: &App| app.control.end_run(&of, &id, end)).await;
        let elapsed = begin.elapsed();
        self.app.metrics.pull_ended(status, is_retryable, elapsed);
        let millis = elapsed.as_millis() as u64;
        let status = status.as_str();
        match (error, stored) {
            (_, Err(_)) => tracing::error!(event = "run_not_ended", %source, %run),
            (None, Ok(ended)) => tracing::info!(
                event = "run_ended", %source, %run, status, millis,
                objects = ended.objects_read, events = ended.events_written
            ),
            (Some((code, message)), Ok(_)) => tracing::warn!(
                event = "run_ended", %source, %run, status, millis, code, reason = message
            ),
        }
    }

    /// Lists the bucket and reads what is new, with several readers at once.
    async fn work(&self, scan: &mut Scan, tally: &mut Tally) -> Result<(), Ended> {
        let (plan, sources) = self.prepare().await?;
        tally.not_listed = self.failing().await?;
        let deadline = Instant::now() + Duration::from_secs(self.app.settings.pull.run_timeout_sec);
        let mut readers = JoinSet::new();
        let mut ended = self.list(scan, tally, &plan, &sources, deadline, &mut readers).await;
        loop {
            let read = if ended.is_ok() {
                match self.within(deadline, readers.join_next()).await {
                    Ok(read) => read,
                    Err(over) => {
                        ended = Err(over);
                        continue;
                    }
                }
            } else {
                // Those who read stop at their next block, and commit it.
                self.stop.store(true, Ordering::Relaxed);
                readers.join_next().await
            };
            let Some(read) = read else { break };
            let noted = self.note(read, scan, tally).await;
            ended = ended.and(noted);
        }
        if ended.is_ok() && scan.has_seen_all() {
            for key in std::mem::take(&mut tally.not_listed) {
                self.forget_failure(key).await?;
            }
        }
        ended
    }

    /// The objects that could not be read so far.
    async fn failing(&self) -> Result<BTreeSet<String>, Ended> {
        let source = self.stored.source.id.clone();
        let failing = self.app.run(move |app: &App| app.control.failing_objects(&source)).await;
        failing.map_err(|_| unavailable())
    }

    /// Waits for something, but not beyond the end of the run.
    async fn within<T>(
        &self,
        deadline: Instant,
        work: impl Future<Output = T>,
    ) -> Result<T, Ended> {
        let mut work = pin!(work);
        loop {
            self.check_time(deadline)?;
            let left = deadline.saturating_duration_since(Instant::now()).min(STOP_LATENCY);
            if let Ok(done) = tokio::time::timeout(left, &mut work).await {
                return Ok(done);
            }
        }
    }

    /// What the source is read with. Credentials are resolved for every run, so that rotation is honoured.
    async fn prepare(&self) -> Result<(Arc<Plan>, Arc<Sources>), Ended> {
        let stored = self.stored.clone();
        let prepared = self.app.run(move |app: &App| {
            let plan = app.programs.of(&app.control, &stored)?;
            Ok::<_, ControlError>((plan, app.control.credentials(&stored)?))
        });
        let not_ready =
            |message: String| Ended::Failed { code: "not_ready", message, is_retryable: false };
        let (plan, credentials) = prepared.await.map_err(|error| not_ready(error.to_string()))?;
        let plan = plan.ok_or_else(|| not_ready("the source has no parser".to_owned()))?;
        let access_key = access_key(&credentials, self.config.credential_ref.as_deref());
        let s3 = S3Options {
            stall: Duration::from_secs(self.app.settings.pull.stall_timeout_sec),
            part_bytes: PART_BYTES,
            prefetch_bytes_max: PREFETCH_BYTES_MAX,
            ..self.config.s3_options(access_key, &self.stored.source.name)
        };
        let sources = Sources::new(SourceOptions {
            compression: self.config.compression(plan.input.compression),
            s3,
            ..SourceOptions::default()
        });
        Ok((plan, Arc::new(sources)))
    }

    async fn list(
        &self,
        scan: &mut Scan,
        tally: &mut Tally,
        plan: &Arc<Plan>,
        sources: &Arc<Sources>,
        deadline: Instant,
        readers: &mut JoinSet<Done>,
    ) -> Result<(), Ended> {
        while let Some(request) = scan.next_listing() {
            let after = request.start_after.as_deref();
            let mut listing = sources.list(&self.config.bucket, &request.prefix, after);
            loop {
                let page = self.within(deadline, listing.next_page()).await?;
                let page = page.map_err(|error| Ended::Failed {
                    code: error.code(),
                    is_retryable: error.is_retryable(),
                    message: error.to_string(),
                })?;
                let Some(page) = page else { break };
                for object in &page {
                    tally.failed_before.extend(tally.not_listed.take(&object.key));
                }
                for object in self.wanted(scan, page).await? {
                    self.read(object, plan, sources, deadline, readers).await?;
                    while let Some(read) = readers.try_join_next() {
                        self.note(read, scan, tally).await?;
                    }
                }
                if let Some(warning) = scan.take_warning() {
                    let source = &self.stored.source.id;
                    tracing::warn!(event = "listing", %source, %warning);
                }
            }
        }
        Ok(())
    }

    fn check_time(&self, deadline: Instant) -> Result<(), Ended> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(Ended::Stopped);
        }
        if Instant::now() >= deadline { Err(Ended::TimedOut) } else { Ok(()) }
    }

    /// What of a page is to be read.
    async fn wanted(&self, scan: &mut Scan, page: Vec<Object>) -> Result<Vec<Object>, Ended> {
        let ledger = StoredLedger {
            control: &self.app.control,
            source: &self.stored.source.id,
            now: Timestamp::now(),
            is_patient: self.trigger != Trigger::Manual,
        };
        tokio::task::block_in_place(|| scan.page(page, &ledger)).map_err(|error| Ended::Failed {
            code: STORE_UNAVAILABLE,
            message: error.to_string(),
            is_retryable: true,
        })
    }

    /// Begins to read an object, when there is room for it.
    async fn read(
        &self,
        object: Object,
        plan: &Arc<Plan>,
        sources: &Arc<Sources>,
        deadline: Instant,
        readers: &mut JoinSet<Done>,
    ) -> Result<(), Ended> {
        let prefetch = object.size.unwrap_or(PREFETCH_BYTES_MAX).min(PREFETCH_BYTES_MAX);
        let units = (READER_BYTES + prefetch) / BUDGET_UNIT;
        let puller = &self.app.puller;
        let reader = Arc::clone(&puller.readers).acquire_owned();
        let reader = self.within(deadline, reader).await?;
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        let memory = Arc::clone(&puller.memory).acquire_many_owned(units);
        let memory = self.within(deadline, memory).await?;
        let settings = StoreSettings {
            store: self.app.control.store.clone(),
            plan: Arc::clone(plan),
            source: self.stored.source.id.clone(),
            source_type: Some(self.stored.source.source_type.clone()),
            run_id: Some(self.id.clone()),
            vault: Some(Arc::clone(&self.app.control.vault)),
            keeps_done: true,
            stops_at_rejects: self.config.on_error == OnError::Fail,
            limits: CommitLimits {
                events: self.app.settings.pull.commit_events,
                ..CommitLimits::default()
            },
        };
        let options = Options {
            source: self.stored.source.name.clone(),
            threads: 1,
            output: Output::None,
            stop: Some(Arc::clone(&self.stop)),
        };
        let (sources, handle) = (Arc::clone(sources), Handle::current());
        readers.spawn_blocking(move || {
            let _permits = (reader, memory);
            let mut sink = Sink::default().store_to(settings.clone());
            let pipeline = Pipeline::new(settings.plan, options, &sources, handle);
            let ended = pipeline.run_object(&object, &mut sink, &());
            Done { object, end: object_end(ended), totals: sink.totals().clone() }
        });
        Ok(())
    }

    /// Notes what became of an object.
    async fn note(
        &self,
        read: Result<Done, tokio::task::JoinError>,
        scan: &mut Scan,
        tally: &mut Tally,
    ) -> Result<(), Ended> {
        let Done { object, end, totals } = read.map_err(|panic| Ended::Failed {
            code: "internal_error",
            message: panic.to_string(),
            is_retryable: true,
        })?;
        self.app.metrics.stored("pull", &totals.appended, totals.rejects());
        match end {
            ObjectEnd::Read => {
                self.app.control.can_store();
                tally.objects_read += 1;
                tally.unavailable_in_a_row = 0;
                scan.settled(&object);
                self.forgive(&object, tally).await
            }
            ObjectEnd::Gone { is_deleted: true } => {
                scan.settled(&object);
                self.forgive(&object, tally).await
            }
            ObjectEnd::Gone { is_deleted: false } => {
                // It is listed again under its new version.
                scan.failed(&object);
                Ok(())
            }
            ObjectEnd::Failed { code, message, is_retryable } => {
                scan.failed(&object);
                self.note_failure(object, (code, message), is_retryable, tally).await.map(drop)
            }
            ObjectEnd::Unavailable { code, message } => {
                scan.failed(&object);
                let what = (code, message.clone());
                let attempts = self.note_failure(object, what, true, tally).await?;
                // Those that failed before say nothing about the store.
                tally.unavailable_in_a_row += u32::from(attempts == 1);
                match tally.unavailable_in_a_row < UNAVAILABLE_MAX {
                    true => Ok(()),
                    false => Err(Ended::Failed { code, message, is_retryable: true }),
                }
            }
            ObjectEnd::Ends(ended) => {
                scan.failed(&object);
                Err(ended)
            }
        }
    }

    /// Gives how often it has failed now.
    async fn note_failure(
        &self,
        object: Object,
        what: (&'static str, String),
        is_retryable: bool,
        tally: &mut Tally,
    ) -> Result<u32, Ended> {
        let (source, (code, message)) = (self.stored.source.id.clone(), &what);
        tracing::warn!(event = "object_failed", %source, object = %object.key, code, reason = message);
        tally.objects_failed += 1;
        tally.first_failure.get_or_insert_with(|| what.clone());
        let pull = self.app.settings.pull;
        self.app
            .run(move |app: &App| {
                note_failure(&app.control, &pull, &source, &object, what, is_retryable)
            })
            .await
            .map_err(|_| unavailable())
    }

    /// Forgets that an object could not be read, if it could not: most objects cost no transaction for it.
    async fn forgive(&self, object: &Object, tally: &mut Tally) -> Result<(), Ended> {
        match tally.failed_before.take(&object.key) {
            Some(key) => self.forget_failure(key).await,
            None => Ok(()),
        }
    }

    async fn forget_failure(&self, key: String) -> Result<(), Ended> {
        let source = self.stored.source.id.clone();
        let forgotten =
            self.app.run(move |app: &App| app.control.forget_failure(&source, &key)).await;
        forgotten.map_err(|_| unavailable())
    }
}

fn unavailable() -> Ended {
    let message = "the store cannot take it now".to_owned();
    Ended::Failed { code: STORE_UNAVAILABLE, message, is_retryable: true }
}

fn object_end(ended: Result<(), PipelineError>) -> ObjectEnd {
    let Err(error) = ended else { return ObjectEnd::Read };
    let message = error.to_string();
    let failed =
        |code, is_retryable| ObjectEnd::Failed { code, message: message.clone(), is_retryable };
    let ends = |code| {
        ObjectEnd::Ends(Ended::Failed { code, message: message.clone(), is_retryable: true })
    };
    match &error {
        PipelineError::Source(SourceError::NotFound { .. }) => ObjectEnd::Gone { is_deleted: true },
        PipelineError::Source(SourceError::Changed { .. }) => ObjectEnd::Gone { is_deleted: false },
        PipelineError::Source(SourceError::Unavailable { code, .. }) => {
            ObjectEnd::Unavailable { code, message }
        }
        PipelineError::Source(source) if error.is_about_one_object() => {
            failed(source.code(), source.is_retryable())
        }
        PipelineError::Source(source) => ends(source.code()),
        PipelineError::Refused { .. } => failed("record_refused", false),
        PipelineError::Fenced { .. } => failed("fenced", true),
        PipelineError::RunEnded { .. } | PipelineError::Stopped => ObjectEnd::Ends(Ended::Stopped),
        PipelineError::Store { .. } | PipelineError::Output { .. } => ends(STORE_UNAVAILABLE),
    }
}

/// Notes that an object could not be read: the next attempt comes after a pause that doubles each time. What time alone
/// does not mend is tried seldom. Gives the number of attempts.
fn note_failure(
    control: &Control,
    pull: &PullSettings,
    source: &str,
    object: &Object,
    what: (&'static str, String),
    is_retryable: bool,
) -> Result<u32, ControlError> {
    let known = control.ledger(source, std::slice::from_ref(&object.key))?;
    let attempts = known
        .into_iter()
        .filter_map(|row| row.failure)
        .find(|failure| failure.etag == object.etag)
        .map_or(0, |failure| failure.attempts.saturating_add(1))
        .max(1);
    let pause = match is_retryable {
        true => {
            pull.retry_min_sec.saturating_mul(1 << (attempts - 1).min(20)).min(pull.retry_max_sec)
        }
        false => pull.retry_max_sec,
    };
    let retry_at_ms = now_ms() + i64::try_from(pause.saturating_mul(1000)).unwrap_or(i64::MAX / 4);
    let failure = Failure { etag: object.etag.clone(), attempts, retry_at_ms };
    control.note_failure(source, &object.key, failure, what)?;
    Ok(attempts)
}

/// The access key among a source's credentials: `access_key_id` and `secret_access_key`, or `NAME.access_key_id` ... if the
/// configuration names one.
fn access_key(credentials: &Credentials, name: Option<&str>) -> Option<AccessKey> {
    let of = name.map(|name| format!("{name}.")).unwrap_or_default();
    let get = |part: &str| credentials.0.get(&format!("{of}{part}")).cloned();
    Some(AccessKey {
        id: get("access_key_id")?,
        secret: get("secret_access_key")?,
        session_token: get("session_token"),
    })
}

/// What the store knows of the objects of a source.
struct StoredLedger<'a> {
    control: &'a Control,
    source: &'a str,
    now: Timestamp,
    /// Whether what failed waits until its pause is over.
    is_patient: bool,
}

impl Ledger for StoredLedger<'_> {
    type Error = ControlError;

    fn states(&self, objects: &[Object]) -> Result<Vec<ObjectVerdict>, ControlError> {
        let keys: Vec<String> = objects.iter().map(|object| object.key.clone()).collect();
        let rows = self.control.ledger(self.source, &keys)?;
        let verdicts = objects.iter().zip(&rows).map(|(object, row)| {
            let failure = row.failure.as_ref().filter(|_| self.is_patient);
            if let Some(failure) = failure {
                let known = Known {
                    etag: &failure.etag,
                    is_settled: false,
                    retry_at: Timestamp::from_millisecond(failure.retry_at_ms).ok(),
                };
                if ObjectVerdict::of(Some(known), &object.etag, self.now) == ObjectVerdict::Later {
                    return ObjectVerdict::Later;
                }
            }
            let known = row.progress.as_ref();
            let known = known.map(|(etag, done)| Known { etag, is_settled: *done, retry_at: None });
            ObjectVerdict::of(known, &object.etag, self.now)
        });
        Ok(verdicts.collect())
    }
}
