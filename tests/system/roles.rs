//! Buckets as an operator has them: behind a role with an external id, with keys that are wrong, over or not allowed,
//! and in stores that list otherwise than S3. What went wrong is told apart by one word.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use weir_server::pull::{DiscoveryState, Known, Ledger, ObjectVerdict, S3Polling, Scan};
use weir_server::source::{
    AccessKey, AssumedRole, Input, Object, S3Options, SourceError, SourceOptions, Sources,
};
use weir_system_tests::fault_proxy::{Fault, FaultProxy};
use weir_system_tests::ministack::{Ministack, Role};
use weir_system_tests::seaweed;

/// Keys that S3 lists in the order of bytes, and others do not.
const HARD: [&str; 4] = ["up/a", "up/a b+c", "up/a-b", "up/a/b"];

fn sources(s3: S3Options) -> Sources {
    let s3 = S3Options {
        backoff_min: Duration::from_millis(2),
        backoff_max: Duration::from_millis(20),
        stall: Duration::from_secs(5),
        attempts_max: 3,
        ..s3
    };
    Sources::new(SourceOptions { s3, ..SourceOptions::default() })
}

/// All keys of a listing, and whether they ascended.
async fn list(
    sources: &Sources,
    bucket: &str,
    prefix: &str,
    after: Option<&str>,
) -> Result<(Vec<String>, bool), SourceError> {
    let mut listing = sources.list(bucket, prefix, after);
    let mut keys = Vec::new();
    let root = format!("s3://{bucket}/");
    while let Some(page) = listing.next_page().await? {
        keys.extend(page.iter().map(|object| object.key.strip_prefix(&root).unwrap().to_owned()));
    }
    Ok((keys, listing.is_ordered()))
}

/// The text of one object, found by its name.
async fn read(sources: &Sources, bucket: &str, key: &str) -> Result<String, SourceError> {
    let input = Input::parse(&format!("s3://{bucket}/{key}"))?;
    let object = sources.objects(&input).next().await?.unwrap();
    let mut reader = sources.open(&object, None).await?;
    let mut text = Vec::new();
    while let Some(chunk) = reader.next().await? {
        text.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8(text).unwrap())
}

/// What a source with this configuration uses, made in the way in which the server makes it.
fn polling(service: &str, role: &Role, external_id: Option<&str>) -> S3Polling {
    S3Polling::parse(&json!({
        "adapter": "s3_polling", "bucket": role.bucket, "prefix": "logs/", "region": "us-east-1",
        "endpoint": service, "roleArn": role.arn, "externalId": external_id,
    }))
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_is_taken_on_with_its_external_id_and_not_without() {
    let service = Ministack::start();
    let role = service.prepare();
    let options = |external_id: Option<&str>| {
        polling(&service.endpoint, &role, external_id)
            .s3_options(Some(role.user.clone()), "weir source 1")
    };

    // Right: it lists in the order of bytes, and reads what the role may read.
    let right = sources(options(Some(&role.external_id)));
    let (keys, is_ordered) = list(&right, &role.bucket, "logs/", None).await.unwrap();
    assert_eq!(keys, ["logs/a", "logs/a b+c", "logs/a-b", "logs/a/b"]);
    assert!(is_ordered);
    let (keys, _) = list(&right, &role.bucket, "logs/", Some("logs/a b+c")).await.unwrap();
    assert_eq!(keys, ["logs/a-b", "logs/a/b"]);
    for key in &keys {
        let text = read(&right, &role.bucket, key).await.unwrap();
        assert_eq!(text, format!("the text of {key}\n"));
    }
    let denied = read(&right, &role.bucket, "secret/key").await.unwrap_err();
    assert_eq!(denied.code(), "access_denied", "{denied}");
    assert!(denied.to_string().contains("`s3://audit-logs/secret/key`: access denied"), "{denied}");

    // Wrong, and missing: refused alike, for good, by the role and not by the bucket.
    for external_id in [Some("wrong"), None] {
        let error = list(&sources(options(external_id)), &role.bucket, "logs/", None).await;
        let error = error.unwrap_err();
        assert_eq!((error.code(), error.is_retryable()), ("role_denied", false), "{error}");
        let text = error.to_string();
        assert!(text.contains("s3://audit-logs/logs/") && text.contains(&role.arn), "{text}");
        assert!(text.contains("external id"), "{text}");
        let all = format!("{text} {error:?}");
        assert!(!all.contains("7f3a") && !all.contains(&role.user.secret), "{all}");
    }

    // The user alone may not read.
    let alone = S3Options { role: None, ..options(None) };
    let error = list(&sources(alone), &role.bucket, "logs/", None).await.unwrap_err();
    assert_eq!(error.code(), "access_denied", "{error}");

    // A wrong key is no matter of the role.
    let key = AccessKey { secret: "wrong".to_owned(), ..role.user.clone() };
    let wrong = S3Options { access_key: Some(key), ..options(Some(&role.external_id)) };
    let error = list(&sources(wrong), &role.bucket, "logs/", None).await.unwrap_err();
    assert_eq!(error.code(), "invalid_credentials", "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_is_asked_for_once_and_at_its_own_service() {
    let service = Ministack::start();
    let role = service.prepare();
    // What STS answers when it is asked too often.
    let body = "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message>\
                </Error></ErrorResponse>";
    let busy = || Fault::Answer { status: 400, headers: Vec::new(), body: body.into() };
    let sts = FaultProxy::start(&service.endpoint, move |request| match request.index {
        0 => busy(),
        _ => Fault::None,
    })
    .await;
    let options = S3Options {
        endpoint_url: Some(service.endpoint.clone()),
        sts_endpoint_url: Some(sts.endpoint.clone()),
        region: Some("us-east-1".to_owned()),
        access_key: Some(role.user.clone()),
        role: Some(AssumedRole {
            arn: role.arn.clone(),
            external_id: Some(role.external_id.clone()),
            session_name: "weir".to_owned(),
        }),
        ..S3Options::default()
    };
    let patient = sources(options.clone());
    for key in ["logs/a", "logs/a/b"] {
        read(&patient, &role.bucket, key).await.unwrap();
    }
    // One was told to slow down.
    assert_eq!(sts.requests().len(), 2);
    assert!(sts.requests().iter().all(|request| request.method == "POST"));

    // It may be down, or say for ever that it is busy: that may pass.
    let busy = FaultProxy::start(&service.endpoint, move |_| busy()).await;
    let [closed] = [std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()];
    for (url, code) in
        [(busy.endpoint.clone(), "slow_down"), (format!("http://{closed}"), "unreachable")]
    {
        let options = S3Options { sts_endpoint_url: Some(url), ..options.clone() };
        let error = read(&sources(options), &role.bucket, "logs/a").await.unwrap_err();
        assert_eq!((error.code(), error.is_retryable()), (code, true), "{error}");
        assert!(error.to_string().contains(&role.arn), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_went_wrong_is_one_word() {
    let service = Ministack::start();
    let role = service.prepare();
    let root =
        AccessKey { id: "000000000000".to_owned(), secret: "test".to_owned(), session_token: None };
    let with = |key: &AccessKey| S3Options {
        endpoint_url: Some(service.endpoint.clone()),
        access_key: Some(key.clone()),
        ..S3Options::default()
    };
    let bucket = role.bucket.as_str();
    let unknown = AccessKey { id: "AKIAUNKNOWN".to_owned(), ..role.user.clone() };
    for (key, bucket, name, code) in [
        (&root, "no-such-bucket", "logs/a", "no_such_bucket"),
        (&root, bucket, "logs/none", "no_such_key"),
        (&role.user, bucket, "logs/a", "access_denied"),
        (&role.expired, bucket, "logs/a", "expired_credentials"),
        (&unknown, bucket, "logs/a", "invalid_credentials"),
    ] {
        let error = read(&sources(with(key)), bucket, name).await.unwrap_err();
        assert_eq!((error.code(), error.is_retryable()), (code, false), "{error}");
        assert!(error.to_string().contains(&format!("s3://{bucket}")), "{error}");
        if code != "no_such_key" {
            let error = list(&sources(with(key)), bucket, "logs/", None).await.unwrap_err();
            assert_eq!(error.code(), code, "{error}");
        }
    }

    let with_proxy =
        |endpoint: &str| S3Options { endpoint_url: Some(endpoint.to_owned()), ..with(&root) };
    let body =
        |code: &str| format!("<Error><Code>{code}</Code><Message>m</Message></Error>").into();
    for (status, answer, code, is_retryable) in [
        (503, "SlowDown", "slow_down", true),
        (500, "InternalError", "unavailable", true),
        (403, "RequestTimeTooSkewed", "clock_skew", false),
        (400, "ExpiredToken", "expired_credentials", false),
        (301, "PermanentRedirect", "wrong_region", false),
        (403, "InvalidObjectState", "archived", false),
        (412, "PreconditionFailed", "changed", true),
        (400, "Unheard", "refused", false),
    ] {
        let body: bytes::Bytes = body(answer);
        let proxy = FaultProxy::start(&service.endpoint, move |_| Fault::Answer {
            status,
            headers: Vec::new(),
            body: body.clone(),
        })
        .await;
        let error =
            list(&sources(with_proxy(&proxy.endpoint)), bucket, "", None).await.unwrap_err();
        assert_eq!((error.code(), error.is_retryable()), (code, is_retryable), "{error}");
    }
}

/// A ledger in memory.
#[derive(Default)]
struct Memory {
    settled: RefCell<BTreeMap<String, String>>,
}

impl Ledger for Memory {
    type Error = Infallible;

    fn states(&self, objects: &[Object]) -> Result<Vec<ObjectVerdict>, Infallible> {
        let settled = self.settled.borrow();
        let verdict = |object: &Object| {
            let known = settled.get(&object.key);
            let known = known.map(|etag| Known { etag, is_settled: true, retry_at: None });
            ObjectVerdict::of(known, &object.etag, Timestamp::now())
        };
        Ok(objects.iter().map(verdict).collect())
    }
}

/// One scan of a bucket; gives the keys that it offered, and what to remember.
async fn scan(
    sources: &Sources,
    config: &S3Polling,
    state: DiscoveryState,
    ledger: &Memory,
) -> (BTreeSet<String>, DiscoveryState, bool) {
    let mut scan = Scan::begin(config, state, Timestamp::now());
    let mut offered = BTreeSet::new();
    while let Some(request) = scan.next_listing() {
        let after = request.start_after.as_deref();
        let mut listing = sources.list(&config.bucket, &request.prefix, after);
        while let Some(page) = listing.next_page().await.unwrap() {
            let Ok(wanted) = scan.page(page, ledger);
            for object in wanted {
                let key = object.key.trim_start_matches("s3://").split_once('/').unwrap().1;
                offered.insert(key.to_owned());
                scan.settled(&object);
                ledger.settled.borrow_mut().insert(object.key, object.etag);
            }
        }
    }
    (offered, scan.state(), scan.take_warning().is_some())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_lists_by_folders_is_noticed_and_loses_nothing() {
    let store = seaweed::shared();
    let bucket = "hostile-order";
    store.create_bucket(bucket).await;
    let all = sources(store.options());
    store.put(bucket, "up/a", "1").await;
    let config = S3Polling::parse(&json!({
        "adapter": "s3_polling", "bucket": bucket, "prefix": "up/", "discovery": "lexicographic",
        "lookback_seconds": 0, "endpoint": store.endpoint,
    }))
    .unwrap();
    let ledger = Memory::default();
    let begin = DiscoveryState::default();
    let (offered, state, _) = scan(&all, &config, begin, &ledger).await;
    assert_eq!(offered, set(&["up/a"]));
    assert_eq!(state.cursor(), Some("up/a"));

    for key in HARD {
        store.put(bucket, key, key.to_owned()).await;
    }
    let (keys, is_ordered) = list(&all, bucket, "up/", None).await.unwrap();
    assert_eq!(keys, ["up/a", "up/a/b", "up/a b+c", "up/a-b"]);
    assert!(!is_ordered);
    // Behind `up/a`, it leaves out what is greater.
    let (keys, _) = list(&all, bucket, "up/", Some("up/a")).await.unwrap();
    assert!(!keys.contains(&"up/a/b".to_owned()), "{keys:?}");

    // A scan behind the cursor sees nothing wrong with what it is given. One of everything does, finds the rest, and
    // from then on every scan is one.
    let (offered, mut state, is_warned) = scan(&all, &config, state, &ledger).await;
    assert_eq!((offered, is_warned), (set(&["up/a b+c", "up/a-b"]), false));
    let mut saved = serde_json::to_value(&state).unwrap();
    saved["reconciled_ms"] = json!(0);
    state = serde_json::from_value(saved).unwrap();
    let (offered, state, is_warned) = scan(&all, &config, state, &ledger).await;
    assert_eq!((offered, is_warned), (set(&["up/a", "up/a/b"]), true));
    assert!(state.is_unordered());
    store.put(bucket, "up/a/c", "late").await;
    let (offered, _, is_warned) = scan(&all, &config, state, &ledger).await;
    assert_eq!((offered, is_warned), (set(&["up/a/c"]), false));
}

fn set(keys: &[&str]) -> BTreeSet<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}
