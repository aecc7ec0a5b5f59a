//! The language server, driven over standard input and output as an editor drives it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value, json};
use weir_system_tests::binary::weir_command;

const PROGRAM: &str = r#"weir 1
parser "x" version 1
ocsf "1.8.0"
product "é𝄞" by "Acme"

input ndjson { }

on error { required reject  optional skip }

let mail = .mail |> lower

event {
  id     = .id
  time   = .at
  actor  = mail
  action = .action
  target = .target
}

emit api_activity {
  activity_id       = "Other"
  actor.user.email  = mail
  src_endpoint.name = "x"
}
"#;

/// An editor with a server of its own, which is ended with it.
struct Editor {
    server: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    requests: i64,
    uri: String,
}

impl Editor {
    fn start(program: &Path, encodings: Value) -> Self {
        let mut command = weir_command(["lsp", "--stdio"]);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut server = command.spawn().unwrap();
        let input = server.stdin.take();
        let output = BufReader::new(server.stdout.take().unwrap());
        let uri = format!("file://{}", program.display());
        let mut editor = Self { server, input, output, requests: 0, uri };
        let answer = editor.request(
            "initialize",
            json!({ "capabilities": { "general": { "positionEncodings": encodings } } }),
        );
        assert_eq!(answer["serverInfo"]["name"], "weir");
        editor.notify("initialized", json!({}));
        editor
    }

    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        let input = self.input.as_mut().unwrap();
        write!(input, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        input.flush().unwrap();
    }

    fn receive(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "the server went away");
            match line.trim().split_once(": ") {
                Some(("Content-Length", value)) => length = value.parse().unwrap(),
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.output.read_exact(&mut body).unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// The whole answer to a request.
    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.requests += 1;
        let id = self.requests;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        let answer = self.receive();
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    fn request(&mut self, method: &str, params: Value) -> Value {
        let answer = self.ask(method, params);
        assert!(answer.get("error").is_none(), "{answer}");
        answer["result"].clone()
    }

    /// A request about the document, at the first place of some text.
    fn at(&mut self, method: &str, text: &str, place: &str, more: Value) -> Value {
        let mut params = self.place(text, place);
        params.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        self.request(method, params)
    }

    /// The position of the first place of some text, in UTF-16 units.
    fn place(&self, text: &str, place: &str) -> Value {
        let offset = text.find(place).unwrap();
        let line = text[..offset].matches('\n').count();
        let start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
        let column = text[start..offset].encode_utf16().count();
        json!({ "textDocument": { "uri": self.uri }, "position": { "line": line, "character": column } })
    }

    /// Opens or changes the document and gives what is wrong with it.
    fn show(&mut self, method: &str, text: &str) -> Value {
        let uri = self.uri.clone();
        let params = if method == "textDocument/didOpen" {
            json!({ "textDocument": { "uri": uri, "languageId": "weir", "version": 1, "text": text } })
        } else {
            json!({ "textDocument": { "uri": uri, "version": 2 }, "contentChanges": [{ "text": text }] })
        };
        self.notify(method, params);
        let told = self.receive();
        assert_eq!(told["method"], "textDocument/publishDiagnostics");
        assert_eq!(told["params"]["uri"], uri);
        told["params"]["diagnostics"].clone()
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// A text with the edits of one document applied; positions count UTF-16 units.
fn apply(text: &str, edits: &Value) -> String {
    let offset = |position: &Value| {
        let line = position["line"].as_u64().unwrap() as usize;
        let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
        let mut units = position["character"].as_u64().unwrap() as usize;
        let mut at = start;
        for character in text[start..].chars() {
            if units == 0 {
                break;
            }
            units -= character.len_utf16();
            at += character.len_utf8();
        }
        at
    };
    let mut list: Vec<(usize, usize, String)> = edits
        .as_array()
        .unwrap()
        .iter()
        .map(|edit| {
            let range = &edit["range"];
            (
                offset(&range["start"]),
                offset(&range["end"]),
                edit["newText"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    list.sort();
    let mut text = text.to_owned();
    for (start, end, new) in list.into_iter().rev() {
        text.replace_range(start..end, &new);
    }
    text
}

#[test]
fn an_editor_is_served_over_standard_input_and_output() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("acme logs.weir");
    std::fs::write(
        folder.path().join("acme logs.ndjson"),
        "{\"mail\":\"A@b\",\"deep\":{\"er\":1}}\n",
    )
    .unwrap();
    let mut editor = Editor::start(&program, json!(["utf-16"]));
    editor.uri = editor.uri.replace(' ', "%20");

    // What is wrong, and the fix of it.
    let problems = editor.show("textDocument/didOpen", PROGRAM);
    assert_eq!(problems[0]["code"], "W0203", "{problems}");
    assert_eq!(problems.as_array().unwrap().len(), 1, "{problems}");
    let actions = editor.request(
        "textDocument/codeAction",
        json!({ "textDocument": { "uri": editor.uri }, "range": problems[0]["range"], "context": { "diagnostics": [] } }),
    );
    let edits = &actions[0]["edit"]["changes"][&editor.uri];
    let fixed = apply(PROGRAM, edits);
    assert!(fixed.contains("actor.user.email_addr"), "{fixed}");
    let remaining = editor.show("textDocument/didChange", &fixed);
    let codes: Vec<&str> = remaining
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|problem| problem["code"].as_str())
        .collect();
    assert!(!codes.contains(&"W0203"), "{codes:?}");

    // What is here.
    let hover = editor.at("textDocument/hover", &fixed, "activity_id", json!({}));
    assert!(hover["contents"]["value"].as_str().unwrap().contains("required"), "{hover}");
    let hover = editor.at("textDocument/hover", &fixed, "lower", json!({}));
    assert!(hover["contents"]["value"].as_str().unwrap().contains("lower(text)"), "{hover}");

    // Where it comes from, and another name for it.
    let definition = editor.at("textDocument/definition", &fixed, "mail\n  action", json!({}));
    assert_eq!(definition["range"]["start"], json!({ "line": 9, "character": 4 }));
    let references = editor.at(
        "textDocument/references",
        &fixed,
        "mail\n  action",
        json!({ "context": { "includeDeclaration": true } }),
    );
    assert_eq!(references.as_array().unwrap().len(), 3);
    let prepared = editor.at("textDocument/prepareRename", &fixed, "mail\n  action", json!({}));
    assert_eq!(prepared["start"]["line"], 14);
    let renamed =
        editor.at("textDocument/rename", &fixed, "mail\n  action", json!({ "newName": "address" }));
    let renamed = apply(&fixed, &renamed["changes"][&editor.uri]);
    assert_eq!(renamed.matches("address").count(), 3);
    assert!(renamed.contains("let address = .mail |> lower"));
    let mut taken = editor.place(&fixed, "mail\n  action");
    taken["newName"] = json!("when");
    let refused = editor.ask("textDocument/rename", taken);
    assert!(refused["error"]["message"].as_str().unwrap().contains("already taken"), "{refused}");

    // What could stand here; the log beside the program makes its paths known.
    let labels = |list: &Value| -> Vec<String> {
        list.as_array()
            .unwrap()
            .iter()
            .map(|item| item["label"].as_str().unwrap().to_owned())
            .collect()
    };
    let typed = fixed.replace("target = .target", "target = .deep.");
    editor.show("textDocument/didChange", &typed);
    let list = editor.at("textDocument/completion", &typed, "\n}\n\nemit", json!({}));
    assert_eq!(labels(&list), ["er"]);
    let typed = fixed.replace("\"Other\"", "\"\"");
    editor.show("textDocument/didChange", &typed);
    let list = editor.at("textDocument/completion", &typed, "\"\n  actor.user", json!({}));
    assert!(labels(&list).contains(&"Create".to_owned()), "{list}");

    // Its form, and its parts.
    let untidy = fixed.replace("  id     = .id", "      id     =.id");
    editor.show("textDocument/didChange", &untidy);
    let edits = editor.request(
        "textDocument/formatting",
        json!({ "textDocument": { "uri": editor.uri }, "options": { "tabSize": 2, "insertSpaces": true } }),
    );
    let tidy = apply(&untidy, &edits);
    assert!(tidy.contains("\n  id     = .id\n"), "{tidy}");
    let symbols = editor
        .request("textDocument/documentSymbol", json!({ "textDocument": { "uri": editor.uri } }));
    assert_eq!(
        symbols
            .as_array()
            .unwrap()
            .iter()
            .map(|part| part["name"].as_str().unwrap())
            .collect::<Vec<_>>(),
        ["input ndjson", "mail", "event", "emit api_activity"]
    );

    // The end, in order.
    editor.request("shutdown", Value::Null);
    editor.notify("exit", Value::Null);
    assert!(editor.server.wait().unwrap().success());
}

#[test]
fn what_is_not_known_is_refused_and_the_server_goes_on() {
    let mut editor = Editor::start(Path::new("/nowhere/x.weir"), json!(["utf-8"]));
    let refused = editor
        .ask("textDocument/hover", json!({ "textDocument": { "uri": "file:///other.weir" } }));
    assert!(refused["error"]["message"].as_str().unwrap().contains("is not open"), "{refused}");
    let refused = editor.ask("workspace/unheard", json!({}));
    assert_eq!(refused["error"]["code"], -32601);
    editor.notify("textDocument/didChange", json!({ "nonsense": [] }));
    let problems = editor.show("textDocument/didOpen", "weir 2\n");
    assert!(!problems.as_array().unwrap().is_empty());
    // Nothing but white space and signs at the end of everything: places beyond the text are its end.
    let answer = editor.ask(
        "textDocument/completion",
        json!({ "textDocument": { "uri": editor.uri }, "position": { "line": 99, "character": 99 } }),
    );
    assert!(answer.get("error").is_none(), "{answer}");
    editor.notify("textDocument/didClose", json!({ "textDocument": { "uri": editor.uri } }));
    let told = editor.receive();
    assert_eq!(told["params"]["diagnostics"], json!([]));
}
