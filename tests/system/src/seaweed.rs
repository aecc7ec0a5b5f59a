//! A real S3 store: SeaweedFS from PyPI, on free ports of 127.0.0.1, in a temporary folder.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use tempfile::TempDir;
use weir_server::source::{AccessKey, S3Options};

use weir_tests::python::venv_of;

const ACCESS_KEY: &str = "weir-test";
const SECRET_KEY: &str = "weir-test-secret";

/// How long the store may take to start.
const START_SECONDS_MAX: u64 = 60;

/// A running store; dropping it ends it.
pub struct Seaweed {
    /// `http://127.0.0.1:PORT`.
    pub endpoint: String,
    process: Child,
    _folder: TempDir,
}

/// The store that the tests of this process share: it runs as long as one of them holds it.
///
/// # Panics
///
/// If it cannot be installed or started.
pub fn shared() -> Arc<Seaweed> {
    static SHARED: Mutex<Weak<Seaweed>> = Mutex::new(Weak::new());
    // Starting blocks; tests that wait for it have nothing else to do.
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(running) = shared.upgrade() {
        return running;
    }
    let started = Arc::new(Seaweed::start());
    *shared = Arc::downgrade(&started);
    started
}

impl Seaweed {
    /// Starts a store and waits until it answers.
    ///
    /// # Panics
    ///
    /// If it cannot be installed or started.
    pub fn start() -> Self {
        let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("requirements-seaweed.txt");
        let weed = venv_of(&requirements).with_file_name("weed");
        // A port that was free may be taken by the time the store binds it.
        for _ in 0..3 {
            if let Some(running) = Self::try_start(&weed) {
                return running;
            }
        }
        panic!("SeaweedFS did not start: run `{} server -h`", weed.display());
    }

    fn try_start(weed: &Path) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let config = folder.path().join("s3.json");
        fs::write(&config, identities()).expect("a temporary folder can be written");
        let ports = free_ports::<8>();
        let s3_port = ports[0];
        // The shell ends the store when this process ends, however it ends: its input closes then.
        let mut command = Command::new("sh");
        command.args(["-c", r#""$@" & weed=$!; read -r _; kill -9 $weed; wait"#, "sh"]);
        command.arg(weed).args(["-logtostderr=true", "server", "-ip=127.0.0.1"]);
        command.args(["-ip.bind=127.0.0.1", "-filer", "-s3", "-master.telemetry=false"]);
        command.args(["-master.volumeSizeLimitMB=256", "-volume.max=0"]);
        command.args(["-s3.port.iceberg=0", "-s3.port.lance=0"]);
        for (flag, port) in ["s3.port", "s3.port.grpc", "master.port", "master.port.grpc"]
            .into_iter()
            .chain(["volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc"])
            .zip(ports)
        {
            command.arg(format!("-{flag}={port}"));
        }
        command.arg(format!("-dir={}", folder.path().display()));
        command.arg(format!("-s3.config={}", config.display()));
        for side in ["s3", "filer"] {
            let socket = folder.path().join(format!("{side}.sock"));
            command.arg(format!("-{side}.localSocket={}", socket.display()));
        }
        let log = fs::File::create(folder.path().join("log")).expect("the folder can be written");
        let process = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log).spawn();
        let process = process.expect("sh is there");
        let endpoint = format!("http://127.0.0.1:{s3_port}");
        let mut running = Self { endpoint, process, _folder: folder };
        running.wait_until_ready().then_some(running)
    }

    /// Whether the store accepts an object before the time is up.
    fn wait_until_ready(&mut self) -> bool {
        let client = self.client();
        let deadline = Instant::now() + Duration::from_secs(START_SECONDS_MAX);
        loop {
            if self.process.try_wait().is_ok_and(|ended| ended.is_some()) {
                return false;
            }
            let answered = is_ready(&client);
            if answered || Instant::now() > deadline {
                return answered;
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// A client of the store that does not go through the code under test.
    pub fn client(&self) -> Client {
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(aws_smithy_http_client::tls::Provider::Rustls(
                aws_smithy_http_client::tls::rustls_provider::CryptoMode::Ring,
            ))
            .build_https();
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(http)
            .endpoint_url(&self.endpoint)
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "tests"))
            .force_path_style(true)
            .build();
        Client::from_conf(config)
    }

    /// The credentials.
    pub fn access_key(&self) -> AccessKey {
        let (id, secret) = (ACCESS_KEY.to_owned(), SECRET_KEY.to_owned());
        AccessKey { id, secret, session_token: None }
    }

    /// How the code under test reaches the store.
    pub fn options(&self) -> S3Options {
        S3Options {
            endpoint_url: Some(self.endpoint.clone()),
            access_key: Some(self.access_key()),
            ..S3Options::default()
        }
    }

    /// Creates a bucket.
    pub async fn create_bucket(&self, bucket: &str) {
        self.client().create_bucket().bucket(bucket).send().await.expect("a bucket can be made");
    }

    /// Writes an object with one request; gives its ETag.
    pub async fn put(&self, bucket: &str, key: &str, body: impl Into<Bytes>) -> String {
        let body = ByteStream::from(body.into());
        let put = self.client().put_object().bucket(bucket).key(key).body(body);
        let answer = put.send().await.expect("an object can be written");
        answer.e_tag().unwrap_or_default().trim_matches('"').to_owned()
    }

    /// Writes an object in parts, each of which but the last must have 5 MiB or more.
    pub async fn put_parts(&self, bucket: &str, key: &str, parts: impl Iterator<Item = Bytes>) {
        let client = self.client();
        let upload = client.create_multipart_upload().bucket(bucket).key(key).send().await;
        let upload = upload.expect("an upload can be begun");
        let id = upload.upload_id().expect("an upload has an id");
        let mut done = CompletedMultipartUpload::builder();
        for (body, number) in parts.zip(1..) {
            let part = client.upload_part().bucket(bucket).key(key).upload_id(id);
            let part = part.part_number(number).body(ByteStream::from(body)).send().await;
            let etag = part.expect("a part can be written").e_tag;
            let part = CompletedPart::builder().set_e_tag(etag).part_number(number);
            done = done.parts(part.build());
        }
        let finish = client.complete_multipart_upload().bucket(bucket).key(key).upload_id(id);
        finish.multipart_upload(done.build()).send().await.expect("an upload can be finished");
    }
}

/// Whether an object can be written.
fn is_ready(client: &Client) -> bool {
    let ask = async {
        // It may exist from the last time; then only writing failed.
        let _ = client.create_bucket().bucket("ready").send().await;
        let put = client.put_object().bucket("ready").key("ready");
        put.body(ByteStream::from_static(b"ready")).send().await.is_ok()
    };
    // On a thread of its own: the caller may be within a runtime.
    thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime can be made").block_on(ask)
        });
        asking.join().unwrap_or(false)
    })
}

impl Drop for Seaweed {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

fn identities() -> String {
    format!(
        r#"{{"identities": [{{"name": "tests", "actions": ["Admin", "Read", "List", "Write"],
            "credentials": [{{"accessKey": "{ACCESS_KEY}", "secretKey": "{SECRET_KEY}"}}]}}]}}"#
    )
}

/// Ports that nobody listens on; all are held until all are found, so they differ.
pub(crate) fn free_ports<const N: usize>() -> [u16; N] {
    let held = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").expect("there is a free port"));
    held.map(|held| held.local_addr().expect("a bound socket has an address").port())
}
