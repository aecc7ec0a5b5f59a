//! Which objects of a bucket are to be read.
//!
//! The truth is a ledger of objects, kept by whoever reads them: `(source, key, etag)` and what became
//! of it. A [`Scan`] goes through a listing, asks the [`Ledger`] about every page, and gives back what
//! is to be read. That alone is right for every store, and costs a listing of everything on each run.
//!
//! ```text
//! unordered       |------------------------- everything -------------------------|
//! date_prefix                                               |--- the last days ---|
//! lexicographic                                  start_after |--- look-back ---|cursor|--- new ---|
//! reconcile       |------------------------- everything, now and then ------------|
//! ```
//!
//! Two modes list less on most runs. Both may miss what arrives where they do not look, so all modes list
//! everything once in a period; what is there for that long is found, whatever it is called.
//!
//! **Settled** is an object that needs no more work: read, given up, or gone. The *cursor* is the greatest
//! key of which all smaller ones that were listed are settled: an object that failed, or is being read,
//! holds it back. `lexicographic` begins behind `start_after`, which is the greatest such key that was
//! written longer than the look-back ago. So a key is found by the next run if it arrives at most that
//! much later than greater ones were written, whenever we looked, and however long we did not.
//!
//! **Order.** "Greater" is by UTF-8 bytes, as S3 lists. Some stores list otherwise (`a/b` before `a-b`),
//! and leave out of a listing behind `a` what is below `a/`. As soon as a listing descends, its store is
//! listed from the beginning on every run, for good.
//!
//! **Clocks** are handed in, and may be wrong: a time in the future is taken for none, which leads to a
//! listing of everything.
//!
//! ```no_run
//! # use weir_server::pull::{DiscoveryState, Ledger, S3Polling, Scan};
//! # use weir_server::source::{Object, SourceError, Sources};
//! # async fn read(object: &Object) -> bool { true }
//! async fn run(
//!     config: &S3Polling,
//!     state: DiscoveryState,
//!     sources: &Sources,
//!     ledger: &impl Ledger<Error = SourceError>,
//! ) -> Result<DiscoveryState, SourceError> {
//!     let mut scan = Scan::begin(config, state, jiff::Timestamp::now());
//!     while let Some(request) = scan.next_listing() {
//!         let after = request.start_after.as_deref();
//!         let mut listing = sources.list(&config.bucket, &request.prefix, after);
//!         while let Some(page) = listing.next_page().await? {
//!             for object in scan.page(page, ledger)? {
//!                 if read(&object).await { scan.settled(&object) } else { scan.failed(&object) }
//!             }
//!         }
//!     }
//!     Ok(scan.state())
//! }
//! ```

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::iter;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};
use serde::{Deserialize, Serialize};

use super::config::{DiscoveryMode, S3Polling, day_folder};
use crate::source::Object;

/// A failed object is tried again after this long at the latest: a time further ahead was written by a
/// clock that was wrong.
const RETRY_WAIT_MAX: SignedDuration = SignedDuration::from_hours(24);

/// Under `date_prefix`, everything is listed again after this part of the period if something outside of
/// the last days was left unsettled.
const UNSETTLED_PART: i32 = 24;

/// What the ledger says of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectVerdict {
    /// Unknown, another version than the one known, or due for another attempt.
    Read,
    /// There is nothing more to be done with this version.
    Settled,
    /// There is, but not now: it failed a moment ago, or somebody is reading it.
    Later,
}

/// What a ledger knows of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known<'a> {
    /// The version that it knows.
    pub etag: &'a str,
    /// Whether that was read, or given up.
    pub is_settled: bool,
    /// When it is to be tried again, if it failed.
    pub retry_at: Option<Timestamp>,
}

impl ObjectVerdict {
    /// What follows for an object with this ETag from what is known of its key.
    pub fn of(known: Option<Known<'_>>, etag: &str, now: Timestamp) -> Self {
        let Some(known) = known.filter(|known| known.etag == etag) else { return Self::Read };
        let waits = known.retry_at.map_or(SignedDuration::ZERO, |at| at.duration_since(now));
        if known.is_settled {
            Self::Settled
        } else if waits > SignedDuration::ZERO && waits <= RETRY_WAIT_MAX {
            Self::Later
        } else {
            Self::Read
        }
    }
}

/// Knows what became of the objects of one source.
pub trait Ledger {
    /// Why it cannot say.
    type Error;

    /// What is to be done with the objects of a page: one verdict each, in their order.
    ///
    /// # Errors
    ///
    /// The ledger cannot be read.
    fn states(&self, objects: &[Object]) -> Result<Vec<ObjectVerdict>, Self::Error>;
}

/// A listing that is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListingRequest {
    /// What the keys begin with.
    pub prefix: String,
    /// Only keys behind this one.
    pub start_after: Option<String>,
}

/// Something that whoever runs the source should know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// The store does not list in the order of bytes.
    Unordered {
        /// A key that was listed, or behind which the listing should have begun.
        first: String,
        /// A smaller one that was listed behind it.
        then: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Unordered { first, then } = self;
        write!(
            f,
            "the store lists `{then}` behind `{first}`, so its keys do not ascend: from now on all \
             of them are listed on every run"
        )
    }
}

/// What is remembered from run to run, to list less. Without it everything is listed once more, and
/// nothing else is lost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DiscoveryState {
    /// The greatest key of which all smaller ones that were listed are settled.
    cursor: Option<String>,
    /// Where `lexicographic` begins.
    start_after: Option<String>,
    /// The store was seen to list otherwise than by bytes.
    is_unordered: bool,
    /// When the last listing of everything began that went to its end, in ms since 1970.
    reconciled_ms: Option<i64>,
    /// That listing left something unsettled.
    is_unsettled: bool,
    /// A scan that was stopped on its way.
    unfinished: Option<Unfinished>,
    /// Of which store, bucket and prefix all this is true.
    scope: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Unfinished {
    /// When it began, in ms since 1970.
    began_ms: i64,
    /// It began at the beginning.
    is_full: bool,
    /// The key behind which it goes on.
    at: String,
    /// The smallest unsettled key before that.
    hold: Option<String>,
}

impl DiscoveryState {
    /// The greatest key of which all smaller ones that were listed are settled.
    pub fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// Whether the store was seen to list otherwise than by bytes.
    pub fn is_unordered(&self) -> bool {
        self.is_unordered
    }

    /// The next scan begins at the beginning, and not where the last one was stopped, if that one has passed something that
    /// is not settled.
    pub fn begin_again(&mut self) {
        self.unfinished.take_if(|unfinished| unfinished.hold.is_some());
    }

    /// When the last listing of everything began that went to its end.
    pub fn last_full_reconcile(&self) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.reconciled_ms?).ok()
    }

    /// Whether everything is to be listed.
    fn is_reconcile_due(&self, config: &S3Polling, now: Timestamp) -> bool {
        let every = config.discovery.reconcile_every;
        let Some(last) = self.last_full_reconcile() else { return true };
        let is_dated = matches!(config.discovery.mode, DiscoveryMode::DatePrefix { .. });
        let every = if is_dated && self.is_unsettled { every / UNSETTLED_PART } else { every };
        let since = now.duration_since(last);
        since < SignedDuration::ZERO || since >= every
    }

    /// Forgets what was true of another bucket. The cursor is shown to people, and stays.
    fn within(mut self, config: &S3Polling) -> Self {
        let endpoint = config.endpoint.as_deref().unwrap_or_default();
        let scope = format!("{endpoint} {} {}", config.bucket, config.prefix);
        if self.scope != scope {
            self = Self { cursor: self.cursor, scope, ..Self::default() };
        }
        self
    }
}

/// How far a listing has come.
#[derive(Clone, Debug, Default)]
struct Reached {
    /// The greatest key.
    key: Option<Arc<str>>,
    /// The greatest key that was written longer than the look-back ago.
    aged: Option<Arc<str>>,
}

/// One look at a bucket: tells what to list, and of that what to read. See the module for how to use it.
///
/// It may be stopped after any page; [`Scan::state`] then lets the next one go on there. But a store that
/// does not list in the order of bytes is listed from the beginning each time, so end its listings if at
/// all possible.
#[derive(Debug)]
pub struct Scan {
    state: DiscoveryState,
    /// What the keys of objects begin with: `s3://BUCKET/`.
    root: String,
    mode: DiscoveryMode,
    began: Timestamp,
    /// What was written before has been there for as long as the look-back.
    aged_before: Timestamp,
    is_full: bool,
    /// It goes on where another one was stopped.
    is_resumed: bool,
    ahead: VecDeque<ListingRequest>,
    listing: Option<ListingRequest>,
    /// Of the listing that is being read.
    last_key: Option<Arc<str>>,
    reached: Reached,
    /// What is being read, and how far the listing had come before it.
    offered: BTreeMap<Arc<str>, Reached>,
    /// The smallest unsettled key, likewise.
    hold: Option<(Arc<str>, Reached)>,
    is_complete: bool,
    warning: Option<Warning>,
}

impl Scan {
    /// Decides what to list.
    pub fn begin(config: &S3Polling, state: DiscoveryState, now: Timestamp) -> Self {
        let state = state.within(config);
        let discovery = &config.discovery;
        let mut scan = Self {
            root: format!("s3://{}/", config.bucket),
            mode: discovery.mode.clone(),
            began: now,
            aged_before: now.checked_sub(discovery.lookback).unwrap_or(Timestamp::MIN),
            is_full: false,
            is_resumed: false,
            ahead: VecDeque::new(),
            listing: None,
            last_key: None,
            reached: Reached::default(),
            offered: BTreeMap::new(),
            hold: None,
            is_complete: false,
            warning: None,
            state,
        };
        scan.plan(config, now);
        scan
    }

    fn plan(&mut self, config: &S3Polling, now: Timestamp) {
        let list = |start_after: Option<String>| ListingRequest {
            prefix: config.prefix.clone(),
            start_after,
        };
        let is_reconcile = self.state.is_reconcile_due(config, now);
        let is_window = match &self.mode {
            DiscoveryMode::Unordered => false,
            DiscoveryMode::DatePrefix { .. } => !is_reconcile,
            DiscoveryMode::Lexicographic => !is_reconcile,
        };
        let unfinished = self.state.unfinished.take_if(|_| !self.state.is_unordered);
        let is_cursor = is_window && self.mode == DiscoveryMode::Lexicographic;
        if let Some(unfinished) = unfinished.filter(|it| it.is_full || is_cursor) {
            let began = Timestamp::from_millisecond(unfinished.began_ms).unwrap_or(now);
            self.began = began.min(now);
            (self.is_full, self.is_resumed) = (unfinished.is_full, true);
            self.hold = unfinished.hold.map(|key| (key.into(), Reached::default()));
            self.ahead.push_back(list(Some(unfinished.at)));
            return;
        }
        match &self.mode {
            DiscoveryMode::DatePrefix { format, days } if is_window => {
                let folders = last_days(*days, now)
                    .map(|day| format!("{}{}", config.prefix, day_folder(format, day)))
                    .map(|prefix| ListingRequest { prefix, start_after: None });
                self.ahead.extend(folders);
            }
            _ => {
                let start_after = self.state.start_after.clone().filter(|_| is_window);
                self.is_full = start_after.is_none();
                self.ahead.push_back(list(start_after));
            }
        }
    }

    /// What to list next. Ask when the listing before has been read to its end, and only then: `None` ends
    /// the scan.
    pub fn next_listing(&mut self) -> Option<ListingRequest> {
        self.listing = self.ahead.pop_front();
        self.last_key =
            self.listing.as_ref().and_then(|listing| listing.start_after.as_deref().map(Arc::from));
        self.is_complete = self.listing.is_none();
        self.listing.clone()
    }

    /// What of a page is to be read, in the order of the listing. Say of each object what became of it, by
    /// [`settled`](Self::settled) or [`failed`](Self::failed): until then it holds the cursor back.
    ///
    /// # Errors
    ///
    /// The ledger's. The same page may then be handed in again.
    pub fn page<L: Ledger>(
        &mut self,
        page: Vec<Object>,
        ledger: &L,
    ) -> Result<Vec<Object>, L::Error> {
        // Of what the ledger says nothing, it must not be said that it is settled.
        let verdicts = ledger.states(&page)?.into_iter().chain(iter::repeat(ObjectVerdict::Later));
        let mut wanted = Vec::new();
        for (object, verdict) in page.into_iter().zip(verdicts) {
            let key: Arc<str> = self.key(&object).into();
            self.check_order(&key);
            let before = self.reached.clone();
            self.reach(&key, &object);
            match verdict {
                ObjectVerdict::Settled => {}
                ObjectVerdict::Later => self.hold_at(key, before),
                // A second listing of the same scan.
                ObjectVerdict::Read if self.offered.contains_key(&key) => {}
                ObjectVerdict::Read => {
                    self.offered.insert(key, before);
                    wanted.push(object);
                }
            }
        }
        Ok(wanted)
    }

    /// An object needs no more work: it was read, given up, or is gone.
    pub fn settled(&mut self, object: &Object) {
        self.offered.remove(self.key(object));
    }

    /// An object needs more work, which will not be done in this scan: it failed, changed, or is only
    /// partly read.
    pub fn failed(&mut self, object: &Object) {
        if let Some((key, before)) = self.offered.remove_entry(self.key(object)) {
            self.hold_at(key, before);
        }
    }

    /// What somebody should be told, once.
    pub fn take_warning(&mut self) -> Option<Warning> {
        self.warning.take()
    }

    /// Whether all that was to be listed has been.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Whether something that was listed is left for another scan.
    pub fn holds_back(&self) -> bool {
        self.hold.is_some()
    }

    /// Whether this scan has listed everything, from the first key to the last.
    pub fn has_seen_all(&self) -> bool {
        self.is_full && self.is_complete && !self.is_resumed
    }

    /// Whether everything is listed, and not only where something new is expected.
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// What to remember, as things stand. Can be asked for at any time: what is not settled yet will be
    /// offered again.
    pub fn state(&self) -> DiscoveryState {
        let mut state = self.state.clone();
        let offered = self.offered.iter().next();
        let hold = self.hold.as_ref().map(|(key, before)| (key, before));
        // The smallest key that is not settled. All that is remembered lies before it.
        let bound = offered.into_iter().chain(hold).min_by_key(|(key, _)| *key);
        let reached = bound.map_or(&self.reached, |(_, before)| before);
        let before_bound = |key: &String| bound.is_none_or(|(bound, _)| key.as_str() < &**bound);
        // The greater of what was known and what was reached.
        let advance = |known: Option<String>, reached: &Option<Arc<str>>| {
            known.filter(before_bound).max(text(reached).filter(before_bound))
        };
        if state.is_unordered {
            state.start_after = None;
            if self.is_complete && bound.is_none() {
                state.cursor = advance(state.cursor, &self.reached.key);
            }
        } else {
            let is_lexicographic = self.mode == DiscoveryMode::Lexicographic;
            // Having seen everything, what was thought before does not count.
            let is_anew = self.is_full && self.is_complete && !self.is_resumed;
            let known = state.start_after.filter(|_| !is_anew);
            state.start_after = advance(known, &reached.aged).filter(|_| is_lexicographic);
            state.cursor = advance(state.cursor, &reached.key);
        }
        if self.is_complete {
            state.unfinished = None;
            if self.is_full {
                state.reconciled_ms = Some(self.began.as_millisecond());
                state.is_unsettled = bound.is_some();
            }
        } else {
            state.unfinished = self.unfinished(bound.map(|(key, _)| &**key));
        }
        state
    }

    /// Where to go on if the scan is stopped here: at what is being read, which is then asked for again.
    fn unfinished(&self, hold: Option<&str>) -> Option<Unfinished> {
        let single = self.is_full || self.mode == DiscoveryMode::Lexicographic;
        if self.state.is_unordered || !single {
            return None;
        }
        let reached = self.offered.values().next().unwrap_or(&self.reached);
        // Nothing before the first key: where this scan itself went on, if it did.
        let begun = self.listing.as_ref().or(self.ahead.front());
        let begun = begun.and_then(|listing| listing.start_after.clone());
        let at = begun.max(text(&reached.key))?;
        let hold = hold.filter(|hold| *hold <= at.as_str()).map(ToOwned::to_owned);
        let (began_ms, is_full) = (self.began.as_millisecond(), self.is_full);
        Some(Unfinished { began_ms, is_full, at, hold })
    }

    fn key<'o>(&self, object: &'o Object) -> &'o str {
        object.key.strip_prefix(&self.root).unwrap_or(&object.key)
    }

    /// Notices a store that does not list in the order of bytes.
    fn check_order(&mut self, key: &Arc<str>) {
        let last = self.last_key.replace(Arc::clone(key));
        let Some(last) = last.filter(|last| last >= key && !self.state.is_unordered) else {
            return;
        };
        self.state.is_unordered = true;
        self.warning = Some(Warning::Unordered { first: last.to_string(), then: key.to_string() });
        // What lies behind a key there is anybody's guess.
        let Some(listing) = self.listing.as_ref().filter(|it| it.start_after.is_some()) else {
            return;
        };
        let prefix = listing.prefix.clone();
        self.ahead.push_back(ListingRequest { prefix, start_after: None });
        self.is_full = true;
    }

    fn reach(&mut self, key: &Arc<str>, object: &Object) {
        let reach = |old: &mut Option<Arc<str>>| {
            if old.as_ref().is_none_or(|old| old < key) {
                *old = Some(Arc::clone(key));
            }
        };
        reach(&mut self.reached.key);
        let written = object.last_modified.map(i128::from);
        if written.is_some_and(|written| written <= self.aged_before.as_nanosecond()) {
            reach(&mut self.reached.aged);
        }
    }

    fn hold_at(&mut self, key: Arc<str>, before: Reached) {
        if self.hold.as_ref().is_none_or(|(hold, _)| key < *hold) {
            self.hold = Some((key, before));
        }
    }
}

fn text(key: &Option<Arc<str>>) -> Option<String> {
    key.as_ref().map(ToString::to_string)
}

/// The last days, oldest first, and tomorrow: folders are named by clocks of any zone.
fn last_days(days: u32, now: Timestamp) -> impl Iterator<Item = Date> {
    let today = TimeZone::UTC.to_datetime(now).date();
    (-1..i64::from(days)).rev().filter_map(move |ago| today.checked_sub(Span::new().days(ago)).ok())
}
