//! An HTTP proxy that fails on purpose.
//!
//! It stands between a client and a server and passes each request on unchanged, one per
//! connection, so signatures stay valid. A script looks at every request and says what is to go
//! wrong with its answer.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// The largest request or response head that is understood.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// What the proxy saw of a request.
#[derive(Clone, Debug)]
pub struct Request {
    /// How many came before it.
    pub index: usize,
    /// `GET`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// First and last byte of its `Range`.
    pub range: Option<(u64, u64)>,
}

/// What is to go wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Nothing.
    None,
    /// This is the answer; the server is not asked.
    Answer {
        /// The status.
        status: u16,
        /// Headers besides the length.
        headers: Vec<(String, String)>,
        /// The body.
        body: Bytes,
    },
    /// The connection is reset after so many bytes of the body.
    Reset(usize),
    /// The connection is closed after so many bytes of the body.
    Close(usize),
    /// After so many bytes of the body there comes nothing any more.
    Stall(usize),
    /// A header has another value.
    Header(&'static str, String),
}

impl Fault {
    /// What S3 answers when it is asked too often.
    pub fn slow_down() -> Self {
        let body = "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code>\
                    <Message>Please reduce your request rate.</Message></Error>";
        Self::Answer { status: 503, headers: Vec::new(), body: Bytes::from_static(body.as_bytes()) }
    }

    /// How many bytes of the body get through.
    fn body_bytes_max(&self) -> usize {
        match self {
            Self::Reset(count) | Self::Close(count) | Self::Stall(count) => *count,
            Self::None | Self::Answer { .. } | Self::Header(..) => usize::MAX,
        }
    }
}

type Script = dyn Fn(&Request) -> Fault + Send + Sync;

/// A running proxy; dropping it ends it.
pub struct FaultProxy {
    /// `http://127.0.0.1:PORT`.
    pub endpoint: String,
    seen: Arc<Mutex<Vec<Request>>>,
    _task: JoinSet<()>,
}

impl FaultProxy {
    /// Starts a proxy for the server at `upstream` (`http://HOST:PORT`).
    ///
    /// # Panics
    ///
    /// If no port can be bound.
    pub async fn start(
        upstream: &str,
        script: impl Fn(&Request) -> Fault + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let upstream = upstream.trim_start_matches("http://").to_owned();
        let seen = Arc::<Mutex<Vec<Request>>>::default();
        let proxy = Arc::new(Proxy { upstream, script: Box::new(script), seen: Arc::clone(&seen) });
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                while connections.try_join_next().is_some() {}
                let proxy = Arc::clone(&proxy);
                // A side that goes away in the middle is what this proxy is for.
                connections.spawn(async move { drop(proxy.serve(client).await) });
            }
        });
        Self { endpoint: format!("http://{address}"), seen, _task: task }
    }

    /// The requests so far, in the order in which they came.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.seen).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Proxy {
    upstream: String,
    script: Box<Script>,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Proxy {
    async fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        let (head, rest) = read_head(&mut client).await?;
        let request = self.note(&head);
        let fault = (self.script)(&request);
        if let Fault::Answer { status, headers, body } = &fault {
            let mut answer = format!("HTTP/1.1 {status} Scripted\r\nConnection: close\r\n");
            for (name, value) in headers {
                answer.push_str(&format!("{name}: {value}\r\n"));
            }
            answer.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
            client.write_all(answer.as_bytes()).await?;
            client.write_all(body).await?;
            return client.shutdown().await;
        }
        let mut server = TcpStream::connect(&self.upstream).await?;
        server.write_all(set_header(&head, "Connection", "close").as_bytes()).await?;
        server.write_all(&rest).await?;
        let body_bytes = header(&head, "Content-Length").and_then(|length| length.parse().ok());
        let missing = body_bytes.unwrap_or(0_usize).saturating_sub(rest.len());
        copy(&mut client, &mut server, &[], missing).await?;
        let (mut head, first) = read_head(&mut server).await?;
        if let Fault::Header(name, value) = &fault {
            head = set_header(&head, name, value);
        }
        client.write_all(head.as_bytes()).await?;
        copy(&mut server, &mut client, &first, fault.body_bytes_max()).await?;
        match fault {
            Fault::Reset(_) => {
                client.set_zero_linger()?;
                drop(client);
                Ok(())
            }
            // Until the client has had enough.
            Fault::Stall(_) => client.read(&mut [0; 1]).await.map(|_| ()),
            _ => client.shutdown().await,
        }
    }

    fn note(&self, head: &str) -> Request {
        let mut words = head.split_whitespace();
        let mut word = || words.next().unwrap_or_default().to_owned();
        let (method, path) = (word(), word());
        let range = header(head, "Range").and_then(|range| {
            let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
            Some((first.parse().ok()?, last.parse().ok()?))
        });
        let mut seen = lock(&self.seen);
        let request = Request { index: seen.len(), method, path, range };
        seen.push(request.clone());
        request
    }
}

/// Passes on at most `count_max` bytes, beginning with `first`.
async fn copy(
    from: &mut TcpStream,
    to: &mut TcpStream,
    first: &[u8],
    count_max: usize,
) -> io::Result<()> {
    let mut left = count_max;
    let mut buffer = vec![0; 64 * 1024];
    let count = first.len().min(left);
    to.write_all(&first[..count]).await?;
    left -= count;
    while left > 0 {
        let wanted = buffer.len().min(left);
        let count = from.read(&mut buffer[..wanted]).await?;
        if count == 0 {
            break;
        }
        to.write_all(&buffer[..count]).await?;
        left -= count;
    }
    to.flush().await
}

/// Reads up to the empty line; gives what came after it too.
async fn read_head(stream: &mut TcpStream) -> io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return Ok((String::from_utf8_lossy(&bytes).into_owned(), rest));
        }
        if bytes.len() > HEAD_BYTES_MAX || stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

/// The head with one header replaced or added.
fn set_header(head: &str, name: &str, value: &str) -> String {
    let is_other =
        |line: &&str| !line.split_once(':').is_some_and(|(key, _)| key.eq_ignore_ascii_case(name));
    let lines: Vec<&str> = head.lines().filter(|line| !line.is_empty()).filter(is_other).collect();
    format!("{}\r\n{name}: {value}\r\n\r\n", lines.join("\r\n"))
}
