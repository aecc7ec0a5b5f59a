//! A real browser: Chromium without a window, driven through chromedriver.
//!
//! What a driver takes is JSON over HTTP, and six commands of it are all that tests need. Both programs listen on the
//! loopback only, and end with the [`Browser`], by their own process ids.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::Agent;

use crate::server::{agent, request};

/// What installs them.
const INSTALL: &str = "apt-get install -y chromium chromium-driver";
/// How long the page may take to show what is waited for.
const PATIENCE_MS: u32 = 30_000;
/// Tab leads through all of a page with fewer steps.
const TABS_MAX: usize = 80;
/// Runs in every document before its own scripts, and writes down what the policy stopped and what went wrong.
const WITNESS: &str = "
    window.seen = [];
    document.addEventListener('securitypolicyviolation', (event) =>
        window.seen.push(`policy: ${event.violatedDirective} ${event.blockedURI}`));
    window.addEventListener('error', (event) => window.seen.push(`error: ${event.message}`));
    window.addEventListener('unhandledrejection', (event) => window.seen.push(`error: ${event.reason}`));
";

/// Keys that are no characters, as the WebDriver protocol numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "keys are what they are called")]
pub enum Key {
    Backspace = 0xe003,
    Tab = 0xe004,
    Enter = 0xe007,
    Shift = 0xe008,
    Control = 0xe009,
    Escape = 0xe00c,
    End = 0xe010,
    Home = 0xe011,
    Down = 0xe015,
}

impl Key {
    fn char(self) -> char {
        char::from_u32(self as u32).expect("the numbers are of the private use area")
    }
}

/// A browser with one page.
pub struct Browser {
    _driver: Driver,
    agent: Agent,
    /// `http://127.0.0.1:PORT/session/ID`
    session: String,
    /// Of the page's server.
    base: String,
}

impl Browser {
    /// Opens one for a server's pages.
    ///
    /// # Panics
    ///
    /// Chromium or chromedriver is missing, or does not start. All that follows panics if the browser fails.
    pub fn open(base: &str) -> Self {
        let driver = Driver::start();
        let profile = format!("--user-data-dir={}", driver.profile.path().display());
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1280,900",
            &profile,
        ];
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": arguments },
            "timeouts": { "script": 2 * PATIENCE_MS },
        }}});
        let agent = agent();
        let sessions = format!("http://127.0.0.1:{}/session", driver.port);
        let made = command(&agent, &sessions, &wanted)
            .unwrap_or_else(|problem| panic!("Chromium does not start ({INSTALL}): {problem}"));
        let id = made["sessionId"].as_str().expect("a session has an id");
        let session = format!("{sessions}/{id}");
        let browser = Self { _driver: driver, agent, session, base: base.to_owned() };
        browser.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": WITNESS }));
        browser
    }

    #[track_caller]
    fn command(&self, path: &str, body: &Value) -> Value {
        command(&self.agent, &format!("{}/{path}", self.session), body)
            .unwrap_or_else(|problem| panic!("{path}: {problem}"))
    }

    #[track_caller]
    fn devtools(&self, name: &str, parameters: &Value) {
        self.command("goog/cdp/execute", &json!({ "cmd": name, "params": parameters }));
    }

    /// Loads a page of the server.
    #[track_caller]
    pub fn go(&self, path: &str) {
        self.command("url", &json!({ "url": format!("{}{path}", self.base) }));
    }

    /// What a script returns.
    #[track_caller]
    pub fn run(&self, script: &str) -> Value {
        self.command("execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Waits until an expression of JavaScript is true, and gives its value.
    #[track_caller]
    pub fn wait_for(&self, expression: &str) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             const end = Date.now() + {PATIENCE_MS};
             (function look() {{
                 let found;
                 try {{ found = ({expression}); }} catch (error) {{ found = null; }}
                 if (found) done([found]);
                 else if (Date.now() > end) done(document.body.innerText);
                 else setTimeout(look, 20);
             }})();"
        );
        match self.command("execute/async", &json!({ "script": script, "args": [] })) {
            Value::Array(mut found) if found.len() == 1 => found.swap_remove(0),
            page => panic!(
                "`{expression}` does not become true; the page says:\n{}\n{:?}",
                page.as_str().unwrap_or_default(),
                self.seen()
            ),
        }
    }

    /// Waits until the page shows a text.
    #[track_caller]
    pub fn wait_for_text(&self, text: &str) {
        self.wait_for(&format!("document.body.innerText.includes({})", json!(text)));
    }

    /// Types into whatever has the focus.
    #[track_caller]
    pub fn type_text(&self, text: &str) {
        self.strike(text.chars().map(|char| vec![char]));
    }

    /// Presses a key, or several at once: `[Key::Control, Key::End]`.
    #[track_caller]
    pub fn press(&self, keys: &[Key]) {
        self.strike([keys.iter().map(|key| key.char()).collect()]);
    }

    #[track_caller]
    fn strike(&self, strokes: impl IntoIterator<Item = Vec<char>>) {
        let mut actions = Vec::new();
        for keys in strokes {
            let down = keys.iter().map(|key| json!({ "type": "keyDown", "value": key }));
            let up = keys.iter().rev().map(|key| json!({ "type": "keyUp", "value": key }));
            actions.extend(down.chain(up));
        }
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": actions });
        self.command("actions", &json!({ "actions": [keyboard] }));
    }

    /// Presses Tab until what has the focus bears a name: the first line of what is written on it.
    #[track_caller]
    pub fn tab_to(&self, name: &str) {
        let mut passed = Vec::new();
        for _ in 0..TABS_MAX {
            self.press(&[Key::Tab]);
            let focused = self.run(
                "const node = document.activeElement;
                 return node.labels?.[0]?.innerText ?? node.ariaLabel ?? node.innerText;",
            );
            let focused = focused.as_str().unwrap_or_default().trim();
            let focused = focused.lines().next().unwrap_or_default().to_owned();
            if focused == name {
                return;
            }
            passed.push(focused);
        }
        panic!("Tab does not lead to `{name}`, but to {passed:?}");
    }

    /// Whether who looks prefers dark colours.
    #[track_caller]
    pub fn prefer_dark(&self, is_dark: bool) {
        let value = if is_dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": value }]);
        self.devtools("Emulation.setEmulatedMedia", &json!({ "features": features }));
    }

    /// How large the page is shown.
    #[track_caller]
    pub fn resize(&self, width: u32, height: u32) {
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// What the policy stopped and what went wrong in the page's scripts since it was loaded.
    #[track_caller]
    pub fn seen(&self) -> Vec<String> {
        serde_json::from_value(self.run("return window.seen")).expect("it is a list of texts")
    }
}

/// What a driver answers to a command.
fn command(agent: &Agent, url: &str, body: &Value) -> Result<Value, String> {
    let headers = [("content-type", "application/json")];
    let answer = request(agent, "POST", url, &headers, body.to_string().as_bytes())
        .map_err(|error| error.to_string())?;
    match answer.status {
        200 => Ok(answer.json()["value"].take()),
        _ => Err(answer.text()),
    }
}

/// chromedriver, and the browser that it starts.
struct Driver {
    process: Child,
    port: u16,
    profile: TempDir,
    /// Kept open, so that it can go on writing.
    _output: BufReader<ChildStdout>,
}

impl Driver {
    /// Starts one on a free port.
    fn start() -> Self {
        assert!(is_installed("chromium"), "Chromium is not installed: {INSTALL}");
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("chromedriver is not installed ({INSTALL}): {error}"));
        let mut output = BufReader::new(process.stdout.take().expect("its output is a pipe"));
        let mut said = String::new();
        while output.read_line(&mut said).is_ok_and(|bytes| bytes > 0) {
            if let Some(port) = port_in(&said) {
                let profile = tempfile::tempdir().expect("a temporary folder can be made");
                return Self { process, port, profile, _output: output };
            }
        }
        let _ = process.wait();
        panic!("chromedriver does not start: {said}");
    }
}

fn port_in(said: &str) -> Option<u16> {
    let (_, rest) = said.split_once("started successfully on port ")?;
    rest.trim_end().trim_end_matches('.').parse().ok()
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

impl Drop for Driver {
    fn drop(&mut self) {
        // chromedriver leaves the browser of a session that was not ended behind.
        if let Some(process_id) = browser_process(self.profile.path()) {
            let _ = Command::new("kill").arg(process_id).status();
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The browser's process, which its lock on the profile names: `HOST-PID`.
fn browser_process(profile: &Path) -> Option<String> {
    let lock = std::fs::read_link(profile.join("SingletonLock")).ok()?;
    let (_, process_id) = lock.to_str()?.rsplit_once('-')?;
    process_id.parse::<u32>().ok().map(|id| id.to_string())
}
