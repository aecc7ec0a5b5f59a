//! The webhook, from outside: what senders are answered, and what is stored when they are.
#![expect(clippy::unwrap_used, reason = "tests")]

use serde_json::json;
use weir_system_tests::server::Server;

const SOURCES: &str = "/api/governance/ingestion-sources";

#[test]
fn a_server_keeps_what_it_knows_over_a_restart() {
    let mut server = Server::start();
    let (status, made) =
        server.post(SOURCES, &json!({ "name": "a", "source_type": "http_custom" }));
    assert_eq!(status, 201, "{made}");
    let address = server.address;
    server.restart();
    assert_eq!(server.address, address);
    assert_eq!(server.all(SOURCES).len(), 1);
    server.kill_and_begin();
    let (status, answer) = server.get("/healthz");
    assert_eq!((status, &answer["status"]), (200, &json!("ok")));
    let (status, _) = server.json("GET", SOURCES, "wk_wrong", None);
    assert_eq!(status, 401);
}
