//! A service that speaks for AWS: S3 with policies, and STS that grants roles only to those who know the external
//! id. ministack from PyPI, on a free port of 127.0.0.1.

use std::fs::File;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use weir_server::source::AccessKey;
use weir_tests::python::venv_of;

use crate::seaweed::free_ports;

/// How long the service may take to start.
const START_SECONDS_MAX: u64 = 60;

/// A running service; dropping it ends it.
pub struct Ministack {
    /// `http://127.0.0.1:PORT`.
    pub endpoint: String,
    address: SocketAddr,
    python: PathBuf,
    process: Child,
    folder: TempDir,
}

/// A bucket with a role that may read a part of it.
pub struct Role {
    /// The bucket: `logs/a`, `logs/a/b`, `logs/a b+c` and `logs/a-b`, which the role may read, and `secret/key`,
    /// which it may not. Each holds the line `the text of KEY`.
    pub bucket: String,
    /// The role.
    pub arn: String,
    /// Without it the role is granted to nobody.
    pub external_id: String,
    /// Who may take it on, and nothing else.
    pub user: AccessKey,
    /// A session of the role that is over.
    pub expired: AccessKey,
}

impl Ministack {
    /// Starts a service and waits until it answers.
    ///
    /// # Panics
    ///
    /// If it cannot be installed or started.
    pub fn start() -> Self {
        let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("requirements-ministack.txt");
        let python = venv_of(&requirements);
        // A port that was free may be taken by the time the service binds it.
        for _ in 0..3 {
            if let Some(running) = Self::try_start(&python) {
                return running;
            }
        }
        panic!("ministack did not start: run `{}`", python.with_file_name("ministack").display());
    }

    fn try_start(python: &Path) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let [port] = free_ports::<1>();
        let log = File::create(folder.path().join("log")).expect("the folder can be written");
        // The shell ends the service when this process ends, however it ends: its input closes then.
        let mut command = Command::new("sh");
        command.args(["-c", r#""$@" & service=$!; read -r _; kill -9 $service; wait"#, "sh"]);
        command.arg(python.with_file_name("ministack"));
        // It binds every address unless told otherwise, and checks no policy.
        command.env("AUTH", "true").env("BIND_HOST", "127.0.0.1");
        command.env("GATEWAY_PORT", port.to_string()).env("TMPDIR", folder.path());
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
            command.env_remove(name);
        }
        let process = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log).spawn();
        let process = process.expect("sh is there");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let endpoint = format!("http://{address}");
        let python = python.to_owned();
        let running = Self { endpoint, address, python, process, folder };
        running.wait_until_ready().then_some(running)
    }

    /// Whether the service listens before the time is up.
    fn wait_until_ready(&self) -> bool {
        let deadline = Instant::now() + Duration::from_secs(START_SECONDS_MAX);
        while Instant::now() < deadline {
            if TcpStream::connect(self.address).is_ok() {
                return true;
            }
            thread::sleep(Duration::from_millis(100));
        }
        false
    }

    /// Makes a bucket and a role. Once for each service.
    ///
    /// # Panics
    ///
    /// If the service refuses, with what it says.
    pub fn prepare(&self) -> Role {
        let (bucket, external_id) = ("audit-logs".to_owned(), "weir:7f3a/external".to_owned());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/role.py");
        let output = Command::new(&self.python)
            .arg(script)
            .args([&self.endpoint, &bucket, &external_id])
            .env("HOME", self.folder.path())
            .output()
            .expect("the Python of the environment runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        let answer: Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
        let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
        let key = |of: &Value| AccessKey {
            id: text(&of["id"]).expect("a key has an id"),
            secret: text(&of["secret"]).expect("a key has a secret"),
            session_token: text(&of["token"]),
        };
        let arn = text(&answer["role"]).expect("a role has an ARN");
        let (user, expired) = (key(&answer["user"]), key(&answer["expired"]));
        Role { bucket, arn, external_id, user, expired }
    }
}

impl Drop for Ministack {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
