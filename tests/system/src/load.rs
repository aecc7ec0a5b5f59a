//! Many senders at once, at a given rate, over connections that stay open.
//!
//! Requests have a time at which they are due, whatever became of those before, and their latency counts from then: a
//! server that stalls is not asked less, and looks as slow as it is.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What is to be sent.
#[derive(Debug, Clone)]
pub struct Load {
    /// The server.
    pub address: SocketAddr,
    /// Path of the webhook.
    pub path: String,
    /// Its secret.
    pub secret: String,
    /// Connections at a time.
    pub connections: usize,
    /// Requests a second; as many as go if there is none.
    pub rate: Option<f64>,
    /// Requests.
    pub requests: u64,
    /// How ids begin: `PREFIX-0`, `PREFIX-1` ...
    pub prefix: String,
    /// Size of a record, roughly.
    pub record_bytes: usize,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// Ids of events that the server has acknowledged.
    pub acknowledged: Vec<String>,
    /// Other answers, by status; 0 for a connection that broke. A sender that finds no server ends.
    pub others: BTreeMap<u16, u64>,
    /// Of acknowledged requests, in order of size.
    pub latencies: Vec<Duration>,
    /// How long it took.
    pub elapsed: Duration,
}

impl Report {
    /// Acknowledged requests a second.
    pub fn rate(&self) -> f64 {
        self.acknowledged.len() as f64 / self.elapsed.as_secs_f64()
    }

    /// The latency that a part of the requests does not exceed.
    pub fn latency(&self, part: f64) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        self.latencies.get((last as f64 * part).round() as usize).copied().unwrap_or_default()
    }
}

impl Load {
    /// Sends it, and waits for all answers.
    ///
    /// # Panics
    ///
    /// Tasks cannot be started.
    pub fn run(&self) -> Report {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        runtime.expect("threads can be started").block_on(self.send())
    }

    async fn send(&self) -> Report {
        let begin = Instant::now();
        let (load, next) = (Arc::new(self.clone()), Arc::new(AtomicU64::new(0)));
        let senders: Vec<_> = (0..self.connections)
            .map(|_| tokio::spawn(send_all(Arc::clone(&load), Arc::clone(&next), begin)))
            .collect();
        let mut report = Report::default();
        for sender in senders {
            let part = sender.await.expect("a sender does not panic");
            report.acknowledged.extend(part.acknowledged);
            report.latencies.extend(part.latencies);
            for (status, count) in part.others {
                *report.others.entry(status).or_default() += count;
            }
        }
        report.latencies.sort_unstable();
        report.elapsed = begin.elapsed();
        report
    }

    /// The record with a number.
    pub fn record(&self, number: u64) -> String {
        let note = "abcdefgh ".repeat(self.record_bytes.saturating_sub(100) / 9);
        format!(
            r#"{{"id":"{}-{number}","at":{},"who":"user-{}@example.com","what":"read","where":"file","note":"{note}"}}"#,
            self.prefix,
            1_780_000_000 + number,
            number % 300
        )
    }
}

async fn send_all(load: Arc<Load>, next: Arc<AtomicU64>, begin: Instant) -> Report {
    let mut report = Report::default();
    let mut connection = None;
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= load.requests {
            return report;
        }
        let due = match load.rate {
            Some(rate) => begin + Duration::from_secs_f64(number as f64 / rate),
            None => Instant::now(),
        };
        tokio::time::sleep_until(due.into()).await;
        match post(&load, &mut connection, &load.record(number)).await {
            Ok(202) => {
                report.latencies.push(due.elapsed());
                report.acknowledged.push(format!("{}-{number}", load.prefix));
            }
            Ok(status) => *report.others.entry(status).or_default() += 1,
            Err(error) => {
                connection = None;
                *report.others.entry(0).or_default() += 1;
                // Nobody listens any more.
                if error.kind() == std::io::ErrorKind::ConnectionRefused {
                    return report;
                }
            }
        }
    }
}

async fn post(load: &Load, connection: &mut Option<TcpStream>, body: &str) -> std::io::Result<u16> {
    let stream = match connection {
        Some(stream) => stream,
        None => {
            let stream = TcpStream::connect(load.address).await?;
            stream.set_nodelay(true)?;
            connection.insert(stream)
        }
    };
    let request = format!(
        "POST {} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\r\n{body}",
        load.path,
        load.address,
        load.secret,
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    answer(stream).await
}

/// Reads an answer; gives its status.
///
/// # Errors
///
/// The connection breaks, or what comes is no answer with a `content-length`.
pub async fn answer(stream: &mut TcpStream) -> std::io::Result<u16> {
    let (mut text, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        text.extend_from_slice(&buffer[..read]);
        if let Some((status, end)) = head(&text)
            && text.len() >= end
        {
            return Ok(status);
        }
    }
}

/// The status of an answer, and where it ends.
fn head(text: &[u8]) -> Option<(u16, usize)> {
    let head_end = text.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&text[..head_end]).ok()?.to_ascii_lowercase();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.split("content-length:").nth(1)?.lines().next()?.trim();
    Some((status, head_end + length.parse::<usize>().ok()?))
}
