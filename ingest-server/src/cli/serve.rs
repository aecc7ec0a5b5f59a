//! `weir serve`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::Verdict;
use crate::console::{Console, Failure};
use crate::server::{LogFormat, Server, Settings, start_log};

pub(super) const EXAMPLES: &str = "\
Examples:
  weir serve --data /var/lib/weir                      on http://127.0.0.1:8080
  weir serve --data /var/lib/weir --listen 0.0.0.0:8443 --config /etc/weir.toml
  weir serve --data d --log json 2> weir.log

The first start makes the data folder and prints an administrator's API key, once. Everything is kept in
one SQLite file there, DIR/weir.db, and secrets under a key: WEIR_MASTER_KEY, or DIR/master.key, which is
made at the first start. Back up both.

SIGTERM and Ctrl-C end the server: it takes nothing more, and what it has acknowledged is stored.";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Where everything is kept
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where to listen [default: 127.0.0.1:8080]; port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Limits and other settings, as TOML
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Make another administrator's key and print it, for one that was lost
    #[arg(long)]
    new_administrator_key: bool,
    /// How logs are written, to standard error [default: text]
    #[arg(long, value_name = "FORMAT")]
    log: Option<LogFormat>,
    /// What is logged: error, warn, info, debug or trace [default: info]
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
}

pub(super) fn serve(console: Console, arguments: &Arguments) -> Result<Verdict, Failure> {
    let settings = settings(arguments)?;
    start_log(&settings, console.color()).map_err(Failure::Problem)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Problem(format!("cannot start threads: {error}")))?;
    let served = runtime.block_on(async {
        // From here on a signal ends the server in order.
        let ended = ended().map_err(Failure::problem)?;
        let server = Server::bind(settings).await.map_err(Failure::problem)?;
        let address = server.address;
        if let Some(key) = &server.first_key {
            console
                .result(format!("The administrator's API key, shown only now:\n\n  {key}\n\n"))?;
        }
        console.result(format!("weir serves http://{address}\n"))?;
        server.run(ended).await.map_err(Failure::problem)
    });
    // Whoever has not ended by now has been given its time; what it did not commit is read again.
    runtime.shutdown_timeout(Duration::from_millis(100));
    served.map(|()| Verdict::Good)
}

fn settings(arguments: &Arguments) -> Result<Settings, Failure> {
    let mut settings = Settings::new(arguments.data.clone());
    if let Some(path) = &arguments.config {
        settings.read_file(path).map_err(Failure::problem)?;
    }
    settings.new_administrator_key = arguments.new_administrator_key;
    settings.listen = arguments.listen.unwrap_or(settings.listen);
    settings.log_format = arguments.log.unwrap_or(settings.log_format);
    if let Some(level) = &arguments.log_level {
        settings.log_level.clone_from(level);
    }
    Ok(settings)
}

/// Ends with the first signal that asks for it, from now on.
pub(super) fn ended() -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    })
}
