//! `weir serve`: the service that pulls, receives, stores and answers.
//!
//! ```text
//! webhooks ──▶ webhook ─┐                      ┌─▶ routes: REST, the page, metrics
//!                       ├─▶ store (one file) ──┤
//! buckets ──▶ pull ─────┘     control plane    └─▶ follow: events as they are committed
//! ```
//!
//! Handlers are asynchronous, the store is not: what touches it runs on the threads for blocking work ([`App::run`]).
//! On a signal the server takes no new work, ends runs at their next commit and closes the store, which leaves nothing
//! to be repaired.

mod auth;
mod error;
mod events;
mod logging;
mod metrics;
mod openapi;
mod page;
mod programs;
mod puller;
mod redrive;
mod routes;
mod sample;
mod settings;
mod validate;
mod webhook;

use std::future::Future;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum_server::Handle;
use axum_server::accept::NoDelayAcceptor;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower_http::catch_panic::CatchPanicLayer;

use crate::control::{Control, ControlError};
use crate::store::{Store, StoreError};
use crate::vault::{Vault, VaultError};

pub(crate) use self::error::ApiError;
pub(crate) use self::logging::start as start_log;
pub(crate) use self::metrics::Metrics;
pub(crate) use self::programs::Programs;
pub(crate) use self::puller::Puller;
pub(crate) use self::settings::{LogFormat, Settings};
pub(crate) use self::webhook::Webhook;

/// The file of the store in the data folder.
const STORE_FILE: &str = "weir.db";

/// Why the server cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error("`{path}`: {source}")]
    Store { path: String, source: StoreError },
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("`{path}`: {source}")]
    Folder { path: String, source: std::io::Error },
    #[error("another weir serves `{path}`")]
    InUse { path: String },
    #[error("the server failed: {0}")]
    Io(#[from] std::io::Error),
}

/// What all handlers share.
pub(crate) struct App {
    pub(crate) control: Control,
    pub(crate) settings: Settings,
    pub(crate) programs: Programs,
    pub(crate) metrics: Metrics,
    pub(crate) puller: Puller,
    pub(crate) webhook: Webhook,
    /// When the store could be written last, as far as somebody has asked.
    pub(crate) ready_at: tokio::sync::Mutex<Option<Instant>>,
    /// Turns true when the server is to end.
    pub(crate) stop: watch::Receiver<bool>,
}

pub(crate) type Shared = Arc<App>;

impl App {
    /// Runs something that blocks.
    pub(crate) async fn run<T, E>(
        self: &Arc<Self>,
        work: impl FnOnce(&App) -> Result<T, E> + Send + 'static,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        E: Into<ApiError> + Send + 'static,
    {
        let app = Arc::clone(self);
        match tokio::task::spawn_blocking(move || work(&app)).await {
            Ok(done) => done.map_err(Into::into),
            Err(panic) => Err(ApiError::internal(&panic)),
        }
    }

    /// Ends with the server.
    pub(crate) async fn stopped(&self) {
        let mut stop = self.stop.clone();
        // The sender lives as long as the server.
        let _ = stop.wait_for(|&stop| stop).await;
    }
}

/// A server that is bound, and not running yet.
pub(crate) struct Server {
    app: Shared,
    listener: TcpListener,
    pub(crate) address: SocketAddr,
    /// The administrator's key, at the first start.
    pub(crate) first_key: Option<String>,
    stop: watch::Sender<bool>,
    _lock: FolderLock,
}

impl Server {
    /// Opens the data folder, making it if there is none, and takes the address.
    pub(crate) async fn bind(settings: Settings) -> Result<Self, ServeError> {
        let folder = settings.data.clone();
        let shown = || folder.display().to_string();
        // What is in it is for nobody else.
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(|source| ServeError::Folder { path: shown(), source })?;
        let lock = FolderLock::take(&folder)?;
        // Before the first key is made: one that nobody gets to see would be lost.
        let listener = TcpListener::bind(settings.listen)
            .await
            .map_err(|source| ServeError::Listen { address: settings.listen, source })?;
        let address = listener.local_addr()?;
        let vault = Arc::new(Vault::open(&folder)?);
        let (stop, stopped) = watch::channel(false);
        let opened = tokio::task::spawn_blocking({
            let (path, new_key) = (folder.join(STORE_FILE), settings.new_administrator_key);
            move || -> Result<_, ServeError> {
                let store = Store::open(&path).map_err(|source| ServeError::Store {
                    path: path.display().to_string(),
                    source,
                })?;
                let control = Control::open(store, vault)?;
                control.end_abandoned_runs()?;
                let first_key = match control.first_start()? {
                    None if new_key => Some(control.another_administrator_key()?),
                    first => first,
                };
                Ok((control, first_key))
            }
        });
        let (control, first_key) =
            opened.await.map_err(|panic| ServeError::Io(std::io::Error::other(panic)))??;
        let app = Arc::new(App {
            programs: Programs::default(),
            metrics: Metrics::new(),
            puller: Puller::new(&settings.pull),
            webhook: Webhook::new(&settings.webhook),
            control,
            settings,
            ready_at: tokio::sync::Mutex::default(),
            stop: stopped,
        });
        Ok(Self { app, listener, address, first_key, stop, _lock: lock })
    }

    /// Serves until `end`, then until what was begun is done.
    pub(crate) async fn run(self, end: impl Future<Output = ()>) -> Result<(), ServeError> {
        let Self { app, listener, stop, .. } = self;
        let router = router(&app);
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let connections = Handle::new();
        let serving = tokio::spawn(http(&app.settings, listener, &connections).serve(service));
        let pulling = tokio::spawn(Puller::serve(Arc::clone(&app)));
        tracing::info!(event = "started");
        end.await;
        tracing::info!(event = "stopping");
        stop.send_replace(true);
        connections.graceful_shutdown(None);
        // Runs end at their next commit.
        let _ = pulling.await;
        if tokio::time::timeout(app.settings.shutdown_patience, app.puller.ended()).await.is_err() {
            tracing::warn!(event = "runs_cut");
        }
        // Slow clients are not waited for.
        let patience = app.settings.shutdown_patience;
        match tokio::time::timeout(patience, serving).await {
            Ok(Ok(served)) => served?,
            Ok(Err(panic)) => return Err(ServeError::Io(std::io::Error::other(panic))),
            Err(_) => tracing::warn!(event = "connections_cut"),
        }
        tracing::info!(event = "stopped");
        Ok(())
    }
}

/// HTTP/1 on a listener. A connection that does not bring a whole head in time is closed: those who are slow on purpose
/// must not collect them.
fn http(
    settings: &Settings,
    listener: TcpListener,
    connections: &Handle<SocketAddr>,
) -> axum_server::Server<SocketAddr, NoDelayAcceptor> {
    let mut http = axum_server::Server::from_listener(listener)
        .acceptor(NoDelayAcceptor::new())
        .handle(connections.clone())
        .accept_error_handler(|_, error| tracing::warn!(event = "connection_failed", %error))
        .http1_only();
    http.http_builder().http1().header_read_timeout(settings.head_timeout);
    http
}

fn router(app: &Shared) -> Router {
    routes::all(app)
        .layer(axum::middleware::from_fn_with_state(Arc::clone(app), logging::log_request))
        .layer(CatchPanicLayer::custom(error::after_panic))
        .layer(axum::middleware::map_response(page::guard))
}

/// One server for each data folder: the lock goes with the process, however it ends.
struct FolderLock {
    _file: std::fs::File,
}

impl FolderLock {
    fn take(folder: &Path) -> Result<Self, ServeError> {
        let path = folder.join("lock");
        let failed = |source| ServeError::Folder { path: path.display().to_string(), source };
        let file = std::fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(std::fs::TryLockError::WouldBlock) => {
                Err(ServeError::InUse { path: folder.display().to_string() })
            }
            Err(std::fs::TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}
