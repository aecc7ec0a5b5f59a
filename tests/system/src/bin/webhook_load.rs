//! Drives the webhook of a server from another process, at rates that increase, and looks whether all that it has
//! acknowledged is stored.
//!
//! ```text
//! cargo run --release -p weir-system-tests --bin webhook-load -- [CONNECTIONS [SECONDS [RATE ...]]]
//! ```
//!
//! It needs the program: `cargo build --release -p weir-system-tests --bin weir-under-test`. A rate of 0 is as fast as it goes.
//! Without rates it tries 500, 1000, 2000, 4000, 8000 and 0.

use std::collections::HashSet;

use serde_json::json;
use weir_server::store::Store;
use weir_system_tests::load::Load;
use weir_system_tests::server::{Launch, Server};

const PROGRAM: &str = include_str!("../load.weir");

#[expect(clippy::print_stdout, reason = "this is what it is for")]
fn main() {
    let numbers: Vec<f64> =
        std::env::args().skip(1).map(|text| text.parse().expect("a number")).collect();
    let connections = numbers.first().map_or(50, |&number| number as usize);
    let seconds = numbers.get(1).copied().unwrap_or(5.0);
    let rates = match numbers.get(2..) {
        None | Some([]) => &[500.0, 1000.0, 2000.0, 4000.0, 8000.0, 0.0][..],
        Some(rates) => rates,
    };
    let config =
        "[webhook]\nrequests_per_second_per_source = 0\nrequests_per_second_per_address = 0\n";
    let server = Server::launch(Launch::config(config));
    let (_, parser) = server.post("/api/governance/parsers", &json!({ "definition": PROGRAM }));
    let (status, made) = server.post(
        "/api/governance/ingestion-sources",
        &json!({ "name": "load", "source_type": "http_custom", "parser_id": parser["parser"]["id"] }),
    );
    assert_eq!(status, 201, "{made}");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let source = text(&made["ingestion_source"]["id"]);
    println!("{connections} connections, {seconds} s each, records of 1 kB");
    println!("   asked/s  acknowledged/s     p50 ms     p99 ms     max ms  others");
    for (round, &rate) in rates.iter().enumerate() {
        let fastest = rate == 0.0;
        let load = Load {
            address: server.address,
            path: format!("/api/ingest/webhook/{source}"),
            secret: text(&made["ingest_secret"]),
            connections,
            rate: (!fastest).then_some(rate),
            requests: (if fastest { 10_000.0 } else { rate } * seconds) as u64,
            prefix: format!("round-{round}"),
            record_bytes: 1000,
        };
        let report = load.run();
        let ms = |part: f64| report.latency(part).as_secs_f64() * 1e3;
        println!(
            "{:>10}  {:>14.0} {:>10.2} {:>10.2} {:>10.2}  {:?}",
            if fastest { "-".to_owned() } else { rate.to_string() },
            report.rate(),
            ms(0.5),
            ms(0.99),
            ms(1.0),
            report.others
        );
        let missing = missing(&server, &source, &report.acknowledged);
        assert_eq!(missing, 0, "acknowledged and not stored");
    }
    println!("all that was acknowledged is stored");
}

/// How many of these ids are not stored.
fn missing(server: &Server, source: &str, ids: &[String]) -> usize {
    let store = Store::open_read_only(&server.store()).expect("the store can be read");
    let (mut stored, mut after) = (HashSet::new(), 0);
    loop {
        let page = store.events_after(Some(source), after, 1000).expect("the store can be read");
        let Some(last) = page.last() else { break };
        after = last.sequence;
        stored.extend(page.into_iter().map(|event| event.source_event_id));
    }
    ids.iter().filter(|id| !stored.contains(*id)).count()
}
