//! The description of the REST API against the server that gives it: schemathesis makes requests from every operation,
//! right ones and wrong ones, and what comes back must be as described, and never a failure of the server.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use weir_system_tests::objects::KINDS;
use weir_system_tests::server::{Launch, Server};
use weir_tests::python::venv_of;

/// Requests of each operation and phase: a few of them find most.
const EXAMPLES: &str = "8";

/// How answers are judged, and which ids stand in the paths. Requests that the description allows may be refused for what
/// it cannot say: that a program does not compile, or that two fields exclude each other.
fn settings(server: &Server) -> String {
    let accepted = r#"["2xx", "400", "401", "403", "404", "409", "413", "422", "429"]"#;
    let mut text = format!(
        "[checks]\npositive_data_acceptance.expected-statuses = {accepted}\n\n\
         [warnings]\nfail-on = []\n"
    );
    let kind = KINDS[0];
    let (status, made) =
        server.post("/api/governance/parsers", &json!({ "definition": kind.program() }));
    assert_eq!(status, 201, "{made}");
    let parser = made["parser"]["id"].as_str().unwrap().to_owned();
    let source = json!({ "name": "contract", "source_type": "http_custom", "parser_id": parser });
    let (status, made) = server.post("/api/governance/ingestion-sources", &source);
    assert_eq!(status, 201, "{made}");
    let source = made["ingestion_source"]["id"].as_str().unwrap();
    for (path, id) in
        [("/api/governance/parsers/", &*parser), ("/api/governance/ingestion-sources/", source)]
    {
        write!(
            text,
            "\n[[operations]]\ninclude-path-regex = \"^{path}\"\nparameters = {{ id = \"{id}\" }}\n"
        )
        .unwrap();
    }
    text
}

#[test]
fn the_api_is_as_it_is_described() {
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("requirements-schemathesis.txt");
    let program = venv_of(&requirements).with_file_name("schemathesis");
    let server = Server::launch(Launch::config(
        "[webhook]\nrequests_per_second_per_source = 0\nrequests_per_second_per_address = 0\n",
    ));
    let file = server.folder().join("schemathesis.toml");
    fs::write(&file, settings(&server)).unwrap();
    let mut command = Command::new(program);
    command.arg("--config-file").arg(&file).arg("run").arg(server.url("/openapi.json"));
    command.args(["--header", &format!("Authorization: Bearer {}", server.key)]);
    command.args(["--checks", "all", "--max-examples", EXAMPLES, "--seed", "1"]);
    // The ids in the paths are those of the settings, whatever a request before has made or deleted.
    command.args(["--exclude-checks", "ensure_resource_availability,use_after_free"]);
    command.args(["--continue-on-failure", "--no-color", "--request-timeout", "30"]);
    let output = command.current_dir(server.folder()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("Tested:"), "{said}");
}
