//! The page, in a real browser: the way of an operator from the first login to the dead letter that is stored after
//! all, by the keyboard alone; what hostile records do to it (nothing); and whether everybody can read it.

use serde_json::{Value, json};
use weir_system_tests::browser::{Browser, Key};
use weir_system_tests::seaweed::Seaweed;
use weir_system_tests::server::Server;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
const PAGE: (&str, &str) = ("x-weir-page", "1");

/// A program for the records below.
const PROGRAM: &str = r#"weir 1
parser "agents" version 1
ocsf "1.8.0" with ai_operation
product "Agents" by "Acme"
input ndjson { max_record 1MiB }
on error { required reject  optional skip }
event {
  id     = .id
  time   = .at |> timestamp
  actor  = .user
  action = .type
  target = .model
}
emit api_activity { activity_id = "Create"  src_endpoint.name = "test" }
"#;

/// The text that a hostile log has everywhere: markup, a character that turns the direction of writing, one that cannot
/// be seen, one that clears terminals.
const HOSTILE: &str = "<script>window.hacked=1</script><img src=x onerror=window.hacked=2>\u{202e}gnp\u{200b}\u{1b}[2J";
/// What of it is to be seen.
const HOSTILE_SHOWN: &str =
    "<script>window.hacked=1</script><img src=x onerror=window.hacked=2>U+202EgnpU+200B\u{241b}[2J";

fn log_in(
    server: &Server,
    key: &str,
    headers: &[(&str, &str)],
) -> weir_system_tests::server::Answer {
    let body = json!({ "key": key }).to_string();
    server.request("POST", "/ui/login", headers, body.as_bytes())
}

/// Logs in as people do.
fn open(server: &Server) -> Browser {
    let browser = Browser::open(&server.url(""));
    browser.go("/");
    browser.wait_for("document.activeElement.name === 'key'");
    browser.type_text(&server.key);
    browser.press(&[Key::Enter]);
    browser.wait_for("document.querySelector('h1').innerText === 'Sources'");
    browser
}

/// Opens the one dead letter of the source that is shown, by the keyboard; the line that refused it.
#[track_caller]
fn open_the_letter(browser: &Browser) -> String {
    browser.wait_for("document.querySelector('.tabs .badge')?.innerText.trim() === '1'");
    browser.type_text("2");
    browser.wait_for("document.querySelectorAll('.letters li').length === 1");
    browser.run("document.activeElement.blur()");
    browser.type_text("j");
    browser.press(&[Key::Enter]);
    let line = browser.wait_for("document.querySelector('.letter .marked')?.innerText");
    line.as_str().expect("is a text").to_owned()
}

/// A parser and a source that follows it: the source's id and secret.
fn make_source(server: &Server, name: &str, program: Option<&str>) -> (String, String) {
    let parser = program.map(|definition| {
        let (status, made) =
            server.post("/api/governance/parsers", &json!({ "definition": definition }));
        assert_eq!(status, 201, "{made}");
        made["parser"]["id"].clone()
    });
    let source = json!({ "name": name, "source_type": "http_custom", "parser_id": parser });
    let (status, made) = server.post("/api/governance/ingestion-sources", &source);
    assert_eq!(status, 201, "{made}");
    let text = |value: &Value| value.as_str().expect("is a text").to_owned();
    (text(&made["ingestion_source"]["id"]), text(&made["ingest_secret"]))
}

fn post_record(server: &Server, source: &str, secret: &str, record: &Value) {
    let bearer = format!("Bearer {secret}");
    let path = format!("/api/ingest/webhook/{source}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let answer = server.request("POST", &path, &headers, record.to_string().as_bytes());
    assert_eq!(answer.status, 202, "{}", answer.text());
}

fn record(id: &str, at: &Value, text: &str) -> Value {
    json!({ "id": id, "at": at, "user": text, "type": text, "model": text })
}

#[test]
fn everything_is_served_under_a_strict_policy() {
    let server = Server::start();
    for path in ["/", "/sources", "/parsers/x", "/ui/app.js", "/ui/app.css", "/healthz", "/nothing"]
    {
        let answer = server.request("GET", path, &[], b"");
        assert_eq!(answer.header("content-security-policy"), POLICY, "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
    }
    assert_eq!(server.request("GET", "/healthz", &[], b"").header("cache-control"), "no-store");

    let page = server.request("GET", "/", &[], b"");
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    let known = [("if-none-match", page.header("etag"))];
    let again = server.request("GET", "/", &known, b"");
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!(again.header("etag"), page.header("etag"));
}

#[test]
fn a_session_is_worth_as_much_as_its_key_and_only_to_the_page() {
    let server = Server::start();
    let sources = "/api/governance/ingestion-sources";

    assert_eq!(
        log_in(&server, &server.key, &[]).status,
        400,
        "a form of another page could log in"
    );
    assert_eq!(log_in(&server, "wk_unknown", &[PAGE]).status, 401);
    let answer = log_in(&server, &server.key, &[PAGE]);
    assert_eq!(answer.status, 204, "{}", answer.text());
    let cookie = answer.header("set-cookie").to_owned();
    assert!(cookie.ends_with("; HttpOnly; SameSite=Strict; Path=/; Max-Age=43200"), "{cookie}");
    let encrypted = log_in(&server, &server.key, &[PAGE, ("x-forwarded-proto", "https")]);
    assert!(encrypted.header("set-cookie").ends_with("; Secure"));

    let session = cookie.split(';').next().expect("a cookie has a value").to_owned();
    let ask = |headers: &[(&str, &str)]| server.request("GET", sources, headers, b"").status;
    assert_eq!(ask(&[("cookie", &session), PAGE]), 200);
    assert_eq!(ask(&[("cookie", &session)]), 401, "another page could ask");
    let change = json!({ "name": "x", "source_type": "http_custom" }).to_string();
    let forged = server.request("POST", sources, &[("cookie", &session)], change.as_bytes());
    assert_eq!(forged.status, 401);

    let who = server.request("GET", "/ui/session", &[("cookie", &session), PAGE], b"").json();
    assert!(who["permissions"].as_array().expect("is a list").contains(&json!("parsers:manage")));
    let nobody = server.request("GET", "/ui/session", &[PAGE], b"").json();
    assert_eq!(nobody["permissions"], Value::Null);

    let out = server.request("POST", "/ui/logout", &[("cookie", &session), PAGE], b"{}");
    assert_eq!(out.status, 204);
    assert!(out.header("set-cookie").starts_with("weir_session=; "), "the cookie stays");
    assert_eq!(ask(&[("cookie", &session), PAGE]), 401);

    let mut tries = (0..40).map(|_| log_in(&server, "wk_unknown", &[PAGE]));
    let throttled = tries.find(|answer| answer.status == 429);
    assert_eq!(
        throttled.expect("somebody who tries keys is slowed down").header("retry-after"),
        "60"
    );
}

#[test]
fn by_the_keyboard_from_the_first_login_to_the_letter_that_is_stored_after_all() {
    let server = Server::start();
    let browser = open(&server);
    browser.wait_for_text("No sources yet");
    browser.run("window.isTheSamePage = true");

    // A parser: what the editor begins with does.
    browser.type_text("gp");
    browser.wait_for_text("No parsers yet");
    browser.type_text("n");
    browser.wait_for("document.querySelector('.verdict').innerText === '1 event'");
    browser.tab_to("Program");
    browser.press(&[Key::Control, Key::Enter]);
    browser.wait_for(
        "document.querySelector('.title select')?.innerText.includes('version 1, active')",
    );
    browser.press(&[Key::Escape]);

    // A source that follows it.
    browser.type_text("gs");
    browser.wait_for_text("No sources yet");
    browser.type_text("n");
    browser.wait_for("document.querySelector('[name=parser_id]')?.options.length === 2");
    browser.tab_to("Create the source");
    browser.press(&[Key::Enter]);
    // What is wrong is said at its field, which has the focus.
    browser.wait_for("document.activeElement.name === 'name'");
    browser
        .wait_for("document.getElementById(document.activeElement.id + '-error').innerText.includes('1 to 128')")
        ;
    browser.type_text("agents");
    browser.tab_to("Parser");
    browser.type_text("my");
    browser.tab_to("Create the source");
    browser.press(&[Key::Enter]);
    let secret = browser.wait_for("document.getElementById('secret')?.innerText");
    let secret = secret.as_str().expect("is a text").to_owned();
    assert!(secret.starts_with("lw_is_"), "{secret}");
    browser.press(&[Key::Enter]);
    browser.wait_for_text("No events yet");
    let shown = browser.run("return document.documentElement.innerHTML");
    assert!(!shown.to_string().contains(&secret), "the secret is shown again");
    let id = browser.run("return location.pathname.split('/')[2]");
    let id = id.as_str().expect("is a text").to_owned();

    // Its events come by themselves.
    let usage = json!({ "in": 1200, "out": 350, "usd": "0.0123" });
    let mut good = record("e1", &json!("2026-01-31T12:00:00Z"), "chat");
    good["usage"] = usage.clone();
    post_record(&server, &id, &secret, &good);
    browser.wait_for("document.querySelectorAll('.tail li').length === 1");
    let row = browser.run("return document.querySelector('.tail li').innerText");
    let row = row.as_str().expect("is a text");
    assert!(row.contains("$0.0123") && row.contains("1,200 / 350"), "{row}");
    browser.type_text("j");
    browser.press(&[Key::Enter]);
    let details = browser.wait_for("document.querySelector('.side-by-side')?.innerText");
    let details = details.as_str().expect("is a text");
    assert!(
        details.contains("\"usd\": \"0.0123\"") && details.contains("\"class_uid\": 6003"),
        "{details}"
    );
    browser.press(&[Key::Escape]);
    browser.wait_for("document.querySelector('.details').hidden");

    // It can be held, and searched.
    browser.type_text("p");
    browser.wait_for("document.querySelector('.live').dataset.state === 'paused'");
    good["id"] = json!("e3");
    good["model"] = json!("another");
    post_record(&server, &id, &secret, &good);
    browser.wait_for_text("1 new event since");
    browser.type_text("p");
    browser.wait_for("document.querySelectorAll('.tail li').length === 2");
    browser.type_text("/ANOTHER");
    browser.wait_for_text("1 of 2 shown");
    browser.press(&[Key::Escape]);
    browser.wait_for("!document.body.innerText.includes('1 of 2 shown')");

    // One that the parser refuses, with the line that does.
    let mut bad = record("e2", &json!("1769860800000"), "chat");
    bad["usage"] = usage;
    post_record(&server, &id, &secret, &bad);
    let line = open_the_letter(&browser);
    assert!(line.contains("time   = .at |> timestamp"), "{line}");
    let text = browser.run("return document.querySelector('.letter').innerText");
    let text = text.as_str().expect("is a text");
    assert!(text.contains("of version 1") && text.contains("1769860800000"), "{text}");

    // In the editor: the same record, the same line.
    browser.tab_to("Try in the editor");
    browser.press(&[Key::Enter]);
    browser.wait_for("document.querySelector('.verdict')?.innerText.includes('1 refused')");
    let refused = "document.querySelector('.gutter .refused')?.innerText.replace(/\\D/g, '')";
    let line = browser.wait_for(refused);
    assert_eq!(line, "12");

    // A mistake is marked where it is, while it is typed ...
    browser.tab_to("Program");
    browser.press(&[Key::Control, Key::End]);
    browser.type_text("emitt");
    browser.wait_for(
        "document.querySelector('.gutter .error')?.innerText.replace(/\\D/g, '') === '25'",
    );
    let problem = browser.wait_for("document.querySelector('.problems li')?.innerText");
    assert!(problem.as_str().expect("is a text").contains("25:1"), "{problem}");
    assert!(problem.as_str().expect("is a text").contains('W'), "{problem}");
    for _ in 0..5 {
        browser.press(&[Key::Backspace]);
    }
    browser.wait_for("document.querySelector('.problems').hidden");
    // ... and the line that refused is mended.
    browser.press(&[Key::Control, Key::Home]);
    for _ in 0..11 {
        browser.press(&[Key::Down]);
    }
    browser.press(&[Key::Home]);
    browser.press(&[Key::Shift, Key::End]);
    browser.type_text("  time = .at |> unix_ms");
    browser.wait_for("document.querySelector('.verdict').innerText === '1 event'");
    browser.press(&[Key::Control, Key::Enter]);
    browser.wait_for(
        "document.querySelector('.title select').innerText.includes('version 2, active')",
    );
    let text = browser.run("return document.querySelector('.sheet textarea').value");
    assert!(text.as_str().expect("is a text").contains("parser \"my-agents\" version 2\n"));

    // The letter is stored after all.
    browser.press(&[Key::Escape]);
    browser.type_text("gs");
    browser.wait_for("document.querySelector('td.name a')");
    browser.type_text("j");
    browser.press(&[Key::Enter]);
    browser.wait_for("document.querySelectorAll('.tail li').length === 2");
    browser.type_text("2");
    browser.wait_for("document.querySelectorAll('.letters li').length === 1");
    browser.type_text("r");
    browser.wait_for_text("1 record mapped");
    browser.wait_for_text("No dead letters");
    browser.type_text("1");
    browser.wait_for("document.querySelectorAll('.tail li').length === 3");

    let is_same = browser.run("return window.isTheSamePage");
    assert_eq!(is_same, true, "the page was loaded anew");
    assert_eq!(browser.seen(), Vec::<String>::new());
    let (_, log) = server.get("/api/governance/audit-log");
    let surfaces: Vec<_> = log["data"]
        .as_array()
        .expect("is a list")
        .iter()
        .map(|e| &e["metadata"]["surface"])
        .collect();
    assert!(surfaces.iter().filter(|surface| **surface == "ui").count() >= 3, "{surfaces:?}");
}

/// Documents with several records, and something around them that the program needs.
const DOCUMENTS: &str = r#"weir 1
parser "documents" version 1
ocsf "1.8.0"
product "Agents" by "Acme"
input json { records $.data[*] }
on error { required reject  optional skip }
event {
  id     = .id
  time   = .at |> timestamp
  actor  = $.org
  action = "read"
  target = "page"
}
emit api_activity { activity_id = "Read"  src_endpoint.name = "test" }
"#;

#[test]
fn by_the_keyboard_a_bucket_becomes_a_source_and_its_letter_a_sample() {
    let seaweed = Seaweed::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime can be made");
    runtime.block_on(seaweed.create_bucket("page"));
    let document =
        r#"{"org":"acme","data":[{"id":"a","at":"2026-01-31T12:00:00Z"},{"id":"b","at":"soon"}]}"#;
    runtime.block_on(seaweed.put("page", "logs/1.json", document));
    let server = Server::start();
    let (status, made) =
        server.post("/api/governance/parsers", &json!({ "definition": DOCUMENTS }));
    assert_eq!(status, 201, "{made}");

    let browser = open(&server);
    browser.wait_for_text("No sources yet");
    browser.type_text("n");
    browser.wait_for("document.querySelector('[name=parser_id]')?.options.length === 2");
    browser.tab_to("They are posted");
    browser.press(&[Key::Down]);
    browser.tab_to("Name");
    browser.type_text("bucket");
    browser.tab_to("Parser");
    browser.type_text("doc");
    browser.tab_to("Create the source");
    browser.press(&[Key::Enter]);
    // What is wrong is said at its field, which has the focus.
    browser.wait_for("document.activeElement.name === 'pull_config.bucket'");
    browser.type_text("page");
    for (label, text) in
        [("Prefix", "logs/"), ("Region", "us-east-1"), ("Endpoint", seaweed.endpoint.as_str())]
    {
        browser.tab_to(label);
        browser.type_text(text);
    }
    browser.tab_to("The server's own");
    browser.press(&[Key::Down]);
    browser.press(&[Key::Down]);
    let access_key = seaweed.access_key();
    for (label, text) in [
        ("Access key id", access_key.id.as_str()),
        ("Secret access key", access_key.secret.as_str()),
        ("Poll every … seconds", "1"),
    ] {
        browser.tab_to(label);
        browser.type_text(text);
    }
    browser.tab_to("Create the source");
    browser.press(&[Key::Enter]);

    // What lies there comes by itself.
    browser.wait_for("document.querySelectorAll('.tail li').length === 1");
    let row = browser.run("return document.querySelector('.tail li').innerText");
    assert!(row.as_str().expect("is a text").contains("acme"), "{row}");
    let shown = browser.run("return document.documentElement.innerHTML");
    assert!(!shown.to_string().contains(&access_key.secret), "the secret key is shown");
    open_the_letter(&browser);
    browser.tab_to("Try in the editor");
    browser.press(&[Key::Enter]);
    // The record alone, in a document that has what the program needs.
    browser.wait_for("document.querySelector('.verdict')?.innerText.includes('1 refused')");
    let sample = browser.run("return document.querySelector('textarea.sample').value");
    assert_eq!(sample, "{\"org\":\"acme\",\"data\":[{\"id\":\"b\",\"at\":\"soon\"}]}\n");
    assert_eq!(browser.seen(), Vec::<String>::new());
}

#[test]
fn hostile_records_are_text_and_nothing_else() {
    let server = Server::start();
    let (id, secret) =
        make_source(&server, "agents <img src=x onerror=window.hacked=3>", Some(PROGRAM));
    let (bare, bare_secret) = make_source(&server, "bare", None);
    let browser = open(&server);
    browser.wait_for_text("agents <img src=x onerror=window.hacked=3>");

    // In the tail, and in the details of an event.
    browser.go(&format!("/sources/{id}"));
    browser.wait_for_text("No events yet");
    post_record(&server, &id, &secret, &record("h1", &json!("2026-01-31T12:00:00Z"), HOSTILE));
    let cell = browser.wait_for("document.querySelector('.tail .actor')?.textContent");
    assert_eq!(cell, HOSTILE_SHOWN);
    browser.run("document.querySelector('.tail .row').click()");
    let boxes = browser.wait_for("document.querySelector('.side-by-side')?.textContent");
    let boxes = boxes.as_str().expect("is a text").to_owned();
    // The record as it is written, in which controls are escaped, and the OCSF event.
    assert!(boxes.matches("<script>window.hacked=1</script>").count() >= 6, "{boxes}");
    assert!(boxes.contains("U+202E") && !boxes.contains('\u{202e}'), "{boxes}");
    assert_untouched(&browser);

    // As a record that is not JSON at all.
    browser.go(&format!("/sources/{bare}"));
    post_record(&server, &bare, &bare_secret, &json!(HOSTILE));
    browser.wait_for("document.querySelector('.tail .row')");
    browser.run("document.querySelector('.tail .row').click()");
    browser.wait_for("document.querySelector('.side-by-side')?.textContent.includes('U+202E')");
    assert_untouched(&browser);

    // As a dead letter.
    post_record(&server, &id, &secret, &record("h2", &json!(HOSTILE), HOSTILE));
    browser.go(&format!("/sources/{id}/dead-letters"));
    browser.wait_for("document.querySelector('.letters .row')");
    browser.run("document.querySelector('.letters .row').click()");
    browser.wait_for("document.querySelector('.letter .box')?.textContent.includes('U+202E')");
    browser.wait_for("document.querySelector('.letter .marked')");
    assert_untouched(&browser);

    // The witness does see what the policy stops.
    browser.run(
        "const script = document.createElement('script');
             script.textContent = 'window.hacked = 4';
             document.body.append(script);",
    );
    let seen = browser.wait_for("window.seen.length > 0 && window.seen");
    assert!(seen.to_string().contains("policy: script-src"), "{seen}");
    assert_eq!(browser.run("return window.hacked ?? null"), Value::Null);
}

fn assert_untouched(browser: &Browser) {
    let found = browser
        .run(
            "return {
                 hacked: window.hacked ?? null,
                 elements: document.querySelectorAll('main script, main img, main iframe, main style').length,
             }",
        )
        ;
    assert_eq!(found, json!({ "hacked": null, "elements": 0 }));
    assert_eq!(browser.seen(), Vec::<String>::new());
}

/// Texts whose contrast with what is behind them is less than WCAG 2 asks for (level AA).
const FAINT_TEXTS: &str = r"
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const rgba = (color) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
        return [r, g, b, a / 255];
    };
    const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a)];
    const behind = (node) => {
        if (!node) return [255, 255, 255];
        const color = rgba(getComputedStyle(node).backgroundColor);
        return color[3] === 1 ? color.slice(0, 3) : over(color, behind(node.parentElement));
    };
    const light = (color) => {
        const [r, g, b] = color.map((part) => {
            const share = part / 255;
            return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const found = [];
    let looked = 0;
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let text = walker.nextNode(); text; text = walker.nextNode()) {
        const node = text.parentElement;
        if (text.data.trim() === '' || !node.checkVisibility({ visibilityProperty: true })) continue;
        if (node.closest('.unseen, .skip, :disabled, textarea, option, noscript, script')) continue;
        looked += 1;
        const style = getComputedStyle(node);
        const ground = behind(node);
        const [a, b] = [light(over(rgba(style.color), ground)), light(ground)].sort((x, y) => y - x);
        const ratio = (a + 0.05) / (b + 0.05);
        const size = parseFloat(style.fontSize);
        const isLarge = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
        if (ratio < (isLarge ? 3 : 4.5)) found.push(`${text.data.trim().slice(0, 40)}: ${ratio.toFixed(2)}`);
    }
    return { looked, found };
";

#[test]
fn everybody_can_read_it_in_light_and_dark_and_on_a_phone() {
    let server = Server::start();
    let (id, secret) = make_source(&server, "agents", Some(PROGRAM));
    post_record(&server, &id, &secret, &record("e1", &json!("2026-01-31T12:00:00Z"), HOSTILE));
    post_record(&server, &id, &secret, &record("e2", &json!("yesterday"), "chat"));
    let (_, parsers) = server.get("/api/governance/parsers");
    let parser = parsers["data"][0]["id"].as_str().expect("is a text").to_owned();
    let browser = open(&server);

    // Each view, what it has shown when it is ready, and what opens more of it.
    let views = [
        ("/sources".to_owned(), "document.querySelector('.spark .events')", ""),
        (
            format!("/sources/{id}"),
            "document.querySelector('.tail .row')",
            "document.querySelector('.tail .row').click()",
        ),
        (
            format!("/sources/{id}/dead-letters"),
            "document.querySelector('.letters .row')",
            "document.querySelector('.letters .row').click()",
        ),
        (format!("/sources/{id}/settings"), "document.querySelector('.settings .form')", ""),
        (
            "/sources/new".to_owned(),
            "document.querySelector('form')",
            "document.querySelector('form .primary').click()",
        ),
        ("/parsers".to_owned(), "document.querySelector('td.name')", ""),
        (
            format!("/parsers/{parser}"),
            "document.querySelector('.verdict').innerText !== '' || document.querySelector('.results p')",
            "const area = document.querySelector('.sheet textarea'); area.value += 'emitt';
             area.dispatchEvent(new Event('input'))",
        ),
    ];
    for (path, ready, more) in &views {
        for (is_dark, width) in [(false, 1280), (true, 1280), (false, 390)] {
            browser.prefer_dark(is_dark);
            browser.resize(width, 844);
            browser.go(path);
            browser.wait_for(ready);
            if !more.is_empty() {
                browser.run(more);
                browser
                    .wait_for(
                        "document.querySelector('.details pre, .letter .marked, [aria-invalid], .problems li')",
                    )
                    ;
            }
            let seen = browser.run(FAINT_TEXTS);
            let place = format!("{path}, dark: {is_dark}, {width} wide");
            assert!(seen["looked"].as_u64().is_some_and(|looked| looked > 10), "{place}: {seen}");
            assert_eq!(seen["found"], json!([]), "{place}");
            let overflow = browser.run("return document.documentElement.scrollWidth - innerWidth");
            assert!(
                overflow.as_i64().is_some_and(|pixels| pixels <= 0),
                "{place}: {overflow} too wide"
            );
            let unnamed = browser
                .run(
                    "return [...document.querySelectorAll('button, a, input, select, textarea')]
                         .filter((node) => node.checkVisibility())
                         .filter((node) => !(node.innerText || node.labels?.length || node.ariaLabel))
                         .map((node) => node.outerHTML)",
                )
                ;
            assert_eq!(unnamed, json!([]), "{place}");
        }
    }
    let ground = "return getComputedStyle(document.documentElement).backgroundColor";
    browser.prefer_dark(false);
    let light = browser.run(ground);
    browser.prefer_dark(true);
    assert_ne!(light, browser.run(ground), "dark is not another look");
}
