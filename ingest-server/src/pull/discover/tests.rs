//! A bucket, a ledger and clocks that play every trick, and what must hold whatever they do.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::convert::Infallible;

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// How a store lists.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Order {
    /// By bytes, as S3.
    Bytes,
    /// Folder by folder, and behind `a` not what is in `a/`, as SeaweedFS.
    Folders,
    /// By a hash, and from the beginning whatever is asked for.
    Hash,
}

#[derive(Clone, Debug)]
struct Version {
    etag: u64,
    /// True time, in seconds.
    written: i64,
    /// How often reading it will fail.
    failures: u32,
    last_offered: Option<i64>,
}

/// What the ledger has of a key.
#[derive(Clone, Debug)]
struct Entry {
    etag: String,
    is_settled: bool,
    retry_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug)]
enum Action {
    /// A key named after the time, so many seconds ago.
    New {
        late: i64,
        name: u8,
        failures: u32,
    },
    /// One of a few keys that are hard to order, written for the first time or again.
    Odd {
        name: usize,
        failures: u32,
    },
    /// Written again, the so-manieth key.
    Overwrite {
        at: usize,
    },
    Delete {
        at: usize,
    },
    /// The clock of this machine is set.
    SetClock {
        seconds: i64,
    },
    Wait {
        seconds: i64,
    },
    /// A scan, stopped after so many pages.
    Scan {
        pages: usize,
    },
    /// The same, from the beginning.
    ScanAgain {
        pages: usize,
    },
}

const ODD: [&str; 8] = ["a", "a/b", "a b+c", "a-b", "a/b/c", "\u{fc}", "2025/06/01", "z"];
const PAGE: usize = 4;
const POLL: i64 = 60;

struct World {
    config: S3Polling,
    order: Order,
    objects: BTreeMap<String, Version>,
    ledger: BTreeMap<String, Entry>,
    state: DiscoveryState,
    /// In seconds.
    now: i64,
    /// What our clock shows beside it.
    clock_ahead: i64,
    /// By how much it was ever set back, in all.
    set_back: i64,
    etags: u64,
    listed: Cell<usize>,
}

struct Asked<'a> {
    ledger: &'a BTreeMap<String, Entry>,
    now: Timestamp,
}

impl Ledger for Asked<'_> {
    type Error = Infallible;

    fn states(&self, objects: &[Object]) -> Result<Vec<ObjectVerdict>, Infallible> {
        let verdict = |object: &Object| {
            let known = self.ledger.get(&object.key).map(|entry| Known {
                etag: &entry.etag,
                is_settled: entry.is_settled,
                retry_at: entry.retry_at,
            });
            ObjectVerdict::of(known, &object.etag, self.now)
        };
        Ok(objects.iter().map(verdict).collect())
    }
}

impl World {
    fn new(order: Order, discovery: serde_json::Value) -> Self {
        let mut config = json!({"adapter": "s3_polling", "bucket": "bucket", "lookback_seconds": 900,
            "reconcile_every_sec": 7200});
        config.as_object_mut().unwrap().extend(discovery.as_object().unwrap().clone());
        Self {
            config: S3Polling::parse(&config).unwrap(),
            order,
            objects: BTreeMap::new(),
            ledger: BTreeMap::new(),
            state: DiscoveryState::default(),
            // 2025-06-01T22:00:00Z, so that a day ends soon.
            now: 1_748_815_200,
            clock_ahead: 0,
            set_back: 0,
            etags: 0,
            listed: Cell::new(0),
        }
    }

    fn clock(&self) -> Timestamp {
        Timestamp::from_second(self.now + self.clock_ahead).unwrap()
    }

    fn put(&mut self, key: String, failures: u32) {
        self.etags += 1;
        let version = Version { etag: self.etags, written: self.now, failures, last_offered: None };
        self.objects.insert(key, version);
    }

    fn put_dated(&mut self, late: i64, name: u8, failures: u32) {
        let time = TimeZone::UTC.to_datetime(Timestamp::from_second(self.now - late).unwrap());
        self.put(format!("{}-{name:02x}", time.strftime("%Y/%m/%d/%H%M%S")), failures);
    }

    fn list(&self, request: &ListingRequest) -> Vec<Object> {
        let rank = |key: &str| match self.order {
            Order::Bytes => key.as_bytes().to_vec(),
            Order::Folders => key.replace('/', "\0").into_bytes(),
            Order::Hash => {
                let hash =
                    key.bytes().fold(7_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0193));
                hash.to_be_bytes().to_vec()
            }
        };
        let is_behind = |key: &str| match (&request.start_after, self.order) {
            (None, _) | (_, Order::Hash) => true,
            (Some(start), Order::Bytes) => key > start.as_str(),
            (Some(start), Order::Folders) => {
                rank(key) > rank(start) && !key.starts_with(&format!("{start}/"))
            }
        };
        let found = self.objects.iter().filter(|(key, _)| key.starts_with(&request.prefix));
        let mut found: Vec<_> = found.filter(|(key, _)| is_behind(key)).collect();
        found.sort_by_key(|(key, _)| rank(key));
        self.listed.set(self.listed.get() + found.len());
        let object = |(key, version): (&String, &Version)| Object {
            key: format!("s3://bucket/{key}"),
            etag: version.etag.to_string(),
            size: Some(1),
            last_modified: Some(version.written * 1_000_000_000),
        };
        found.into_iter().map(object).collect()
    }

    /// One scan, as the next one would find what it left.
    fn scan(&mut self, pages_max: usize) -> bool {
        let saved = serde_json::to_string(&self.state).unwrap();
        let mut scan =
            Scan::begin(&self.config, serde_json::from_str(&saved).unwrap(), self.clock());
        let mut pages_left = pages_max;
        'stopped: while let Some(request) = scan.next_listing() {
            for page in self.list(&request).chunks(PAGE) {
                if pages_left == 0 {
                    break 'stopped;
                }
                pages_left -= 1;
                let asked = Asked { ledger: &self.ledger, now: self.clock() };
                let Ok(wanted) = scan.page(page.to_vec(), &asked);
                // What is in flight when a run is killed: the second half of the last page.
                let killed = if pages_left == 0 { wanted.len() / 2 } else { 0 };
                let read = wanted.len() - killed;
                for object in wanted.into_iter().take(read) {
                    self.read(&object, &mut scan);
                }
                self.check(&scan.state());
            }
        }
        self.state = scan.state();
        self.check(&self.state);
        scan.is_complete()
    }

    fn read(&mut self, object: &Object, scan: &mut Scan) {
        let now = self.clock();
        let version = self.objects.get_mut(object.key.strip_prefix("s3://bucket/").unwrap());
        let version = version.unwrap();
        version.last_offered = Some(self.now);
        let is_settled = version.failures == 0;
        version.failures = version.failures.saturating_sub(1);
        let retry_at = (!is_settled).then(|| now + SignedDuration::from_secs(2 * POLL));
        let entry = Entry { etag: object.etag.clone(), is_settled, retry_at };
        self.ledger.insert(object.key.clone(), entry);
        if is_settled { scan.settled(object) } else { scan.failed(object) }
    }

    fn is_settled(&self, key: &str, version: &Version) -> bool {
        let entry = self.ledger.get(&format!("s3://bucket/{key}"));
        entry.is_some_and(|entry| entry.is_settled && entry.etag == version.etag.to_string())
    }

    /// No key that failed is passed. (One that nobody has seen yet may be.)
    fn check(&self, state: &DiscoveryState) {
        if state.is_unordered || self.order != Order::Bytes {
            return;
        }
        for (key, version) in &self.objects {
            let entry = self.ledger.get(&format!("s3://bucket/{key}"));
            let failed = entry
                .is_some_and(|entry| !entry.is_settled && entry.etag == version.etag.to_string());
            if failed && self.config.discovery.mode == DiscoveryMode::Lexicographic {
                for passed in [&state.cursor, &state.start_after] {
                    assert!(passed.as_ref().is_none_or(|passed| passed < key), "{key}: {state:?}");
                }
            }
        }
    }

    /// What has been there for a period was offered within it.
    fn check_offered(&self) {
        let period = self.config.discovery.reconcile_every.as_secs() + 2 * POLL + self.set_back;
        for (key, version) in &self.objects {
            let entry = self.ledger.get(&format!("s3://bucket/{key}"));
            let waits = entry.is_some_and(|entry| {
                entry.etag == version.etag.to_string()
                    && entry.retry_at.is_some_and(|at| at > self.clock())
            });
            if waits || self.is_settled(key, version) {
                continue;
            }
            let since = version.last_offered.unwrap_or(i64::MIN).max(version.written);
            assert!(self.now - since <= period + 2 * POLL, "{key}: {version:?}\n{:?}", self.state);
        }
    }

    fn act(&mut self, action: Action) {
        let nth = |world: &Self, at: usize| {
            let count = world.objects.len().max(1);
            world.objects.keys().nth(at % count).cloned()
        };
        match action {
            Action::New { late, name, failures } => self.put_dated(late, name, failures),
            Action::Odd { name, failures } => self.put(ODD[name].to_owned(), failures),
            Action::Overwrite { at } => {
                if let Some(key) = nth(self, at) {
                    self.put(key, 0);
                }
            }
            Action::Delete { at } => {
                if let Some(key) = nth(self, at) {
                    self.objects.remove(&key);
                }
            }
            Action::SetClock { seconds } => {
                self.clock_ahead += seconds;
                self.set_back += -seconds.min(0);
            }
            Action::Wait { seconds } => {
                // The server polls meanwhile.
                for _ in 0..(seconds / POLL).max(1) {
                    self.now += POLL;
                    self.scan(usize::MAX);
                    self.check_offered();
                }
            }
            Action::Scan { pages } => {
                self.scan(pages);
            }
            Action::ScanAgain { pages } => {
                self.state.begin_again();
                self.scan(pages);
            }
        }
    }

    /// All that is there has been read.
    fn check_done(&self) {
        for (key, version) in &self.objects {
            assert!(self.is_settled(key, version), "{key}: {version:?}\n{:?}", self.state);
        }
    }
}

fn modes() -> impl Strategy<Value = serde_json::Value> {
    prop_oneof![
        Just(json!({})),
        Just(json!({"discovery": "lexicographic"})),
        Just(json!({"discovery": "date_prefix", "date_prefix_days": 1})),
    ]
}

fn orders() -> impl Strategy<Value = Order> {
    prop_oneof![3 => Just(Order::Bytes), 2 => Just(Order::Folders), 1 => Just(Order::Hash)]
}

fn actions() -> impl Strategy<Value = Action> {
    let failures = || prop_oneof![3 => Just(0_u32), 1 => 1_u32..4];
    prop_oneof![
        6 => (prop_oneof![3 => Just(0_i64), 1 => 0_i64..800, 1 => 0_i64..200_000], any::<u8>(),
              failures())
            .prop_map(|(late, name, failures)| Action::New { late, name, failures }),
        2 => (0..ODD.len(), failures()).prop_map(|(name, failures)| Action::Odd { name, failures }),
        1 => (0_usize..50).prop_map(|at| Action::Overwrite { at }),
        1 => (0_usize..50).prop_map(|at| Action::Delete { at }),
        1 => (-5000_i64..5000).prop_map(|seconds| Action::SetClock { seconds }),
        4 => prop_oneof![4 => 60_i64..600, 1 => 600_i64..20_000]
            .prop_map(|seconds| Action::Wait { seconds }),
        2 => (0_usize..4).prop_map(|pages| Action::Scan { pages }),
        1 => (0_usize..4).prop_map(|pages| Action::ScanAgain { pages }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// The promise of the module: what is there long enough is offered until it is settled.
    #[test]
    fn what_stays_is_read(
        mode in modes(), order in orders(), script in prop::collection::vec(actions(), 1..60),
    ) {
        let mut world = World::new(order, mode);
        for action in script {
            world.act(action);
        }
        // Long enough for the last failures, and for the clocks to be right again.
        let rest = 5 * world.config.discovery.reconcile_every.as_secs() + world.set_back;
        world.act(Action::Wait { seconds: rest });
        world.check_done();
    }

    /// Scans that are always stopped early get to the end all the same, if the store lets them go on.
    #[test]
    fn scans_that_are_stopped_get_ahead(
        mode in modes(), count in 1_usize..60, pages in 1_usize..4, failures in 0_u32..3,
    ) {
        let mut world = World::new(Order::Bytes, mode);
        for name in 0..count {
            world.now += 20;
            world.put_dated(0, u8::try_from(name).unwrap(), failures);
        }
        // Three pages of each round through all of it may be lost where it begins and ends.
        let scans = (count.div_ceil(PAGE) + 3) * (failures as usize + 2) * 3;
        for _ in 0..scans {
            world.now += POLL;
            world.scan(pages.max(2));
        }
        world.check_done();
    }
}

#[test]
fn a_long_listing_is_begun_where_the_look_back_ends() {
    let mut world = World::new(Order::Bytes, json!({"discovery": "lexicographic"}));
    for name in 0..=255 {
        world.now += 60;
        world.put_dated(0, name, 0);
    }
    assert!(world.scan(usize::MAX));
    let last = world.objects.keys().next_back().cloned();
    assert_eq!(world.state.cursor(), last.as_deref());
    assert_eq!(world.listed.take(), 256);
    assert!(world.scan(usize::MAX));
    // Of the last 15 minutes, one a minute.
    assert_eq!(world.listed.take(), 15);

    // Ten minutes late, it is found at once; an hour late, with everything else.
    world.put_dated(600, 0, 0);
    world.put_dated(3600, 0, 0);
    assert!(world.scan(usize::MAX));
    let unread = |world: &World| {
        world.objects.iter().filter(|(key, version)| !world.is_settled(key, version)).count()
    };
    assert_eq!(unread(&world), 1);
    world.now += 7200;
    assert!(world.scan(usize::MAX));
    assert_eq!(unread(&world), 0);
}

#[test]
fn an_object_that_fails_holds_the_cursor_back() {
    let mut world = World::new(Order::Bytes, json!({"discovery": "lexicographic"}));
    for (name, failures) in [(1, 0), (2, 0), (3, 40), (4, 0)] {
        world.put_dated(0, name, failures);
    }
    let keys: Vec<String> = world.objects.keys().cloned().collect();
    for _ in 0..60 {
        world.scan(usize::MAX);
        assert_eq!(world.state.cursor(), Some(keys[1].as_str()));
        world.now += POLL;
    }
    world.act(Action::Wait { seconds: 60 * POLL });
    assert_eq!(world.state.cursor(), Some(keys[3].as_str()));
}

#[test]
fn only_the_last_days_are_listed() {
    let discovery = json!({"discovery": "date_prefix", "date_prefix_days": 2, "prefix": "logs/"});
    let world = World::new(Order::Bytes, discovery);
    let state = DiscoveryState {
        reconciled_ms: Some(world.clock().as_millisecond()),
        scope: " bucket logs/".to_owned(),
        ..DiscoveryState::default()
    };
    let mut scan = Scan::begin(&world.config, state, world.clock());
    assert!(!scan.is_full());
    let requests: Vec<_> = iter::from_fn(|| scan.next_listing()).collect();
    let prefixes: Vec<&str> = requests.iter().map(|request| request.prefix.as_str()).collect();
    assert_eq!(prefixes, ["logs/2025/05/31/", "logs/2025/06/01/", "logs/2025/06/02/"]);
}

#[test]
fn a_store_that_lists_otherwise_is_listed_whole() {
    let mut world = World::new(Order::Folders, json!({"discovery": "lexicographic"}));
    world.put("b".to_owned(), 0);
    assert!(world.scan(usize::MAX));
    world.now += 1000;
    assert!(world.scan(usize::MAX));
    for key in ["b/c", "b c", "b-c", "a"] {
        world.put(key.to_owned(), 0);
    }
    // Behind `b` such a store gives neither `b/c` nor `a`; but what it gives does not ascend.
    let mut scan = Scan::begin(&world.config, world.state.clone(), world.clock());
    let mut requests = Vec::new();
    let mut warnings = Vec::new();
    while let Some(request) = scan.next_listing() {
        let asked = Asked { ledger: &world.ledger, now: world.clock() };
        let page = match requests.len() {
            0 => [object("b-c"), object("b c")].to_vec(),
            _ => world.list(&request),
        };
        let Ok(wanted) = scan.page(page, &asked);
        warnings.extend(scan.take_warning());
        requests.push((request.start_after, wanted.len()));
        world.listed.take();
    }
    assert_eq!(requests, [(Some("b".to_owned()), 2), (None, 2)]);
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].to_string().contains("`b c` behind `b-c`"), "{}", warnings[0]);
    assert!(scan.state().is_unordered() && scan.state().last_full_reconcile().is_some());

    // It is not forgotten, but for another bucket.
    let state = scan.state();
    let again = Scan::begin(&world.config, state.clone(), world.clock());
    assert!(again.is_full());
    let mut other = world.config.clone();
    other.prefix = "x/".to_owned();
    assert!(!Scan::begin(&other, state, world.clock()).state().is_unordered());
}

fn object(key: &str) -> Object {
    let key = format!("s3://bucket/{key}");
    Object { key, etag: "1".to_owned(), size: Some(1), last_modified: None }
}

#[test]
fn a_listing_from_the_future_is_none() {
    let world = World::new(Order::Bytes, json!({"discovery": "date_prefix"}));
    let is_full = |hours_ago| {
        let at = world.clock() - SignedDuration::from_hours(hours_ago);
        let state = DiscoveryState {
            reconciled_ms: Some(at.as_millisecond()),
            scope: " bucket ".to_owned(),
            ..DiscoveryState::default()
        };
        Scan::begin(&world.config, state, world.clock()).is_full()
    };
    assert_eq!([1, 2, -1].map(is_full), [false, true, true]);
}

/// What is being read when a run ends is the first thing that the next one is given.
#[test]
fn a_scan_that_was_killed_goes_on_at_what_was_being_read() {
    let world = World::new(Order::Bytes, json!({}));
    let empty = BTreeMap::new();
    let asked = Asked { ledger: &empty, now: world.clock() };
    let mut scan = Scan::begin(&world.config, DiscoveryState::default(), world.clock());
    scan.next_listing();
    let Ok(wanted) = scan.page(["a", "b", "c", "d", "e"].map(object).to_vec(), &asked);
    for settled in [0, 1, 3] {
        scan.settled(&wanted[settled]);
    }
    scan.failed(&wanted[4]);
    assert_eq!(scan.state().cursor(), Some("b"));
    let mut next = Scan::begin(&world.config, scan.state(), world.clock());
    assert_eq!(next.next_listing().unwrap().start_after.as_deref(), Some("b"));
    // With nothing being read, behind what failed: that waits, and the cursor before it.
    scan.settled(&wanted[2]);
    let mut next = Scan::begin(&world.config, scan.state(), world.clock());
    assert_eq!(next.next_listing().unwrap().start_after.as_deref(), Some("e"));
    let Ok(wanted) = next.page(vec![object("f")], &asked);
    next.settled(&wanted[0]);
    assert_eq!(next.next_listing(), None);
    assert_eq!(next.state().cursor(), Some("d"));
}

#[test]
fn a_ledger_that_says_nothing_settles_nothing() {
    struct Silent;
    impl Ledger for Silent {
        type Error = Infallible;
        fn states(&self, _: &[Object]) -> Result<Vec<ObjectVerdict>, Infallible> {
            Ok(Vec::new())
        }
    }
    let world = World::new(Order::Bytes, json!({"discovery": "lexicographic"}));
    let mut scan = Scan::begin(&world.config, DiscoveryState::default(), world.clock());
    scan.next_listing();
    assert_eq!(scan.page(vec![object("a"), object("b")], &Silent), Ok(Vec::new()));
    assert_eq!(scan.next_listing(), None);
    assert_eq!(scan.state().cursor(), None);
}

#[test]
fn verdicts() {
    let now: Timestamp = "2025-06-01T00:00:00Z".parse().unwrap();
    let known = |is_settled, wait: Option<i64>| {
        let retry_at = wait.map(|seconds| now + SignedDuration::from_secs(seconds));
        Some(Known { etag: "1", is_settled, retry_at })
    };
    for (known, etag, verdict) in [
        (None, "1", ObjectVerdict::Read),
        (known(true, None), "1", ObjectVerdict::Settled),
        (known(true, None), "2", ObjectVerdict::Read),
        (known(false, None), "1", ObjectVerdict::Read),
        (known(false, Some(0)), "1", ObjectVerdict::Read),
        (known(false, Some(60)), "1", ObjectVerdict::Later),
        (known(false, Some(60)), "2", ObjectVerdict::Read),
        // The clock was a year ahead when it failed.
        (known(false, Some(365 * 86400)), "1", ObjectVerdict::Read),
    ] {
        assert_eq!(ObjectVerdict::of(known, etag, now), verdict, "{known:?} {etag}");
    }
}
