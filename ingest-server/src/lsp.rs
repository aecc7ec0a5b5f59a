//! `weir lsp`: a language server over standard input and output.
//!
//! It carries questions of an editor to [`weir_dsl::editor`] and answers back; what it knows of the protocol is framing,
//! positions and names of messages. One thread answers in order: a program is at most a megabyte, and compiles in
//! milliseconds. Standard output belongs to the protocol, so nothing else may write to it.
//!
//! A sample of the log makes paths known: the file that lies beside the program under the same name
//! (`acme.weir`, `acme.ndjson`), or the one that the client names in its option `sample`.

mod answers;
mod position;

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use lsp_server::{Connection, ErrorCode, Message, Notification, Request, Response};
use lsp_types::notification::{
    DidChangeTextDocument, DidCloseTextDocument, DidOpenTextDocument, Notification as _,
    PublishDiagnostics,
};
use lsp_types::request::{
    CodeActionRequest, Completion, DocumentSymbolRequest, Formatting, GotoDefinition, HoverRequest,
    PrepareRenameRequest, References, Rename, Request as _,
};
use lsp_types::{
    CodeActionKind, CodeActionOptions, CodeActionProviderCapability, CompletionOptions,
    HoverProviderCapability, InitializeParams, OneOf, PositionEncodingKind,
    PublishDiagnosticsParams, RenameOptions, ServerCapabilities, TextDocumentSyncCapability,
    TextDocumentSyncKind, Uri,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use weir_dsl::Source;
use weir_dsl::editor::Document;

use position::Positions;

/// A sample is read up to here.
const SAMPLE_BYTES_MAX: u64 = 1 << 20;
/// Endings of a sample beside a program.
const SAMPLE_ENDINGS: [&str; 4] = ["ndjson", "jsonl", "json", "csv"];

/// Why the server ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LspError {
    #[error("the client does not speak the protocol: {0}")]
    Protocol(#[from] lsp_server::ProtocolError),
    #[error("what the client says of itself cannot be read: {0}")]
    Initialize(#[from] serde_json::Error),
    #[error("cannot talk to the client: {0}")]
    Io(#[from] std::io::Error),
    #[error("the client went away")]
    Gone,
}

/// Serves the editor on standard input and output until it ends the session.
pub(crate) fn serve_stdio() -> Result<(), LspError> {
    let (connection, threads) = Connection::stdio();
    let outcome = serve(&connection);
    // The writer ends when nobody can send any more.
    drop(connection);
    outcome?;
    Ok(threads.join()?)
}

fn serve(connection: &Connection) -> Result<(), LspError> {
    let (id, params) = connection.initialize_start()?;
    let params: InitializeParams = serde_json::from_value(params)?;
    let utf8 = params
        .capabilities
        .general
        .as_ref()
        .and_then(|general| general.position_encodings.as_ref())
        .is_some_and(|encodings| encodings.contains(&PositionEncodingKind::UTF8));
    let answer = serde_json::json!({
        "capabilities": capabilities(utf8),
        "serverInfo": { "name": "weir", "version": env!("CARGO_PKG_VERSION") },
    });
    connection.initialize_finish(id, answer)?;
    let sample = params.initialization_options.as_ref().and_then(|options| options.get("sample"));
    let sample = sample.and_then(|path| path.as_str()).map(PathBuf::from);
    let mut server = Server { connection, utf8, sample, documents: HashMap::new() };
    for message in &connection.receiver {
        match message {
            Message::Request(request) => {
                if connection.handle_shutdown(&request)? {
                    return Ok(());
                }
                server.request(request)?;
            }
            Message::Notification(notification) => server.notification(notification)?,
            Message::Response(_) => {}
        }
    }
    Ok(())
}

fn capabilities(utf8: bool) -> ServerCapabilities {
    let encoding = if utf8 { PositionEncodingKind::UTF8 } else { PositionEncodingKind::UTF16 };
    ServerCapabilities {
        position_encoding: Some(encoding),
        text_document_sync: Some(TextDocumentSyncCapability::Kind(TextDocumentSyncKind::FULL)),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some([".", "\"", ">", "="].map(str::to_owned).to_vec()),
            ..CompletionOptions::default()
        }),
        definition_provider: Some(OneOf::Left(true)),
        references_provider: Some(OneOf::Left(true)),
        rename_provider: Some(OneOf::Right(RenameOptions {
            prepare_provider: Some(true),
            work_done_progress_options: lsp_types::WorkDoneProgressOptions::default(),
        })),
        document_formatting_provider: Some(OneOf::Left(true)),
        document_symbol_provider: Some(OneOf::Left(true)),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(vec![CodeActionKind::QUICKFIX]),
            ..CodeActionOptions::default()
        })),
        ..ServerCapabilities::default()
    }
}

struct Server<'c> {
    connection: &'c Connection,
    /// Positions count bytes, not UTF-16 units.
    utf8: bool,
    sample: Option<PathBuf>,
    documents: HashMap<String, Open>,
}

/// A program that the editor shows.
struct Open {
    uri: Uri,
    document: Document,
    positions: Positions,
}

/// What is answered to a request that cannot be.
struct Refusal {
    code: ErrorCode,
    message: String,
}

impl Refusal {
    fn invalid(message: impl ToString) -> Self {
        Self { code: ErrorCode::InvalidParams, message: message.to_string() }
    }
}

impl Server<'_> {
    fn send(&self, message: impl Into<Message>) -> Result<(), LspError> {
        self.connection.sender.send(message.into()).map_err(|_| LspError::Gone)
    }

    fn request(&self, request: Request) -> Result<(), LspError> {
        let id = request.id.clone();
        let response = match request.method.as_str() {
            HoverRequest::METHOD => self.answer(request, answers::hover),
            Completion::METHOD => self.answer(request, answers::completion),
            GotoDefinition::METHOD => self.answer(request, answers::definition),
            References::METHOD => self.answer(request, answers::references),
            PrepareRenameRequest::METHOD => self.answer(request, answers::prepare_rename),
            Rename::METHOD => self.answer(request, answers::rename),
            Formatting::METHOD => self.answer(request, answers::formatting),
            DocumentSymbolRequest::METHOD => self.answer(request, answers::symbols),
            CodeActionRequest::METHOD => self.answer(request, answers::code_actions),
            method => Err(Refusal {
                code: ErrorCode::MethodNotFound,
                message: format!("`{method}` is not something that weir answers"),
            }),
        };
        self.send(match response {
            Ok(value) => Response::new_ok(id, value),
            Err(refusal) => Response::new_err(id, refusal.code as i32, refusal.message),
        })
    }

    /// Reads what is asked, finds the document, answers.
    fn answer<P: DeserializeOwned, R: Serialize>(
        &self,
        request: Request,
        answer: fn(&Open, P) -> Result<R, Refusal>,
    ) -> Result<serde_json::Value, Refusal> {
        let uri = request.params["textDocument"]["uri"].as_str().unwrap_or_default();
        let open = self
            .documents
            .get(uri)
            .ok_or_else(|| Refusal::invalid(format!("`{uri}` is not open")))?;
        let params = serde_json::from_value(request.params.clone()).map_err(Refusal::invalid)?;
        serde_json::to_value(answer(open, params)?).map_err(Refusal::invalid)
    }

    fn notification(&mut self, notification: Notification) -> Result<(), LspError> {
        // What cannot be read is skipped: a notification has no answer.
        match notification.method.as_str() {
            DidOpenTextDocument::METHOD => {
                let params: Option<lsp_types::DidOpenTextDocumentParams> = read(notification);
                match params {
                    Some(params) => self.open(params.text_document.uri, params.text_document.text),
                    None => Ok(()),
                }
            }
            DidChangeTextDocument::METHOD => {
                let params: Option<lsp_types::DidChangeTextDocumentParams> = read(notification);
                // The whole text is sent each time, so the last change is what counts.
                match params.and_then(|mut params| {
                    Some((params.text_document.uri, params.content_changes.pop()?.text))
                }) {
                    Some((uri, text)) => self.open(uri, text),
                    None => Ok(()),
                }
            }
            DidCloseTextDocument::METHOD => {
                let params: Option<lsp_types::DidCloseTextDocumentParams> = read(notification);
                match params {
                    Some(params) => {
                        let uri = params.text_document.uri;
                        self.documents.remove(uri.as_str());
                        self.publish(uri, Vec::new())
                    }
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// Takes a new state of a text and says what is wrong with it.
    fn open(&mut self, uri: Uri, text: String) -> Result<(), LspError> {
        let path = position::path(&uri);
        let sample = self.sample.clone().or_else(|| sample_beside(path.as_deref()?));
        let sample = sample.and_then(|path| read_sample(&path));
        let name = path.map_or_else(|| uri.to_string(), |path| path.display().to_string());
        let document = Document::new(Source::new(name, text), sample.as_deref());
        let positions = Positions::new(document.source(), self.utf8);
        let open = Open { uri: uri.clone(), document, positions };
        let diagnostics = answers::diagnostics(&open);
        self.documents.insert(uri.to_string(), open);
        self.publish(uri, diagnostics)
    }

    fn publish(&self, uri: Uri, diagnostics: Vec<lsp_types::Diagnostic>) -> Result<(), LspError> {
        let params = PublishDiagnosticsParams { uri, diagnostics, version: None };
        self.send(Notification::new(PublishDiagnostics::METHOD.to_owned(), params))
    }
}

fn read<P: DeserializeOwned>(notification: Notification) -> Option<P> {
    serde_json::from_value(notification.params).ok()
}

/// The log that lies beside a program under its name.
fn sample_beside(program: &Path) -> Option<PathBuf> {
    SAMPLE_ENDINGS.iter().map(|ending| program.with_extension(ending)).find(|path| path.is_file())
}

/// The beginning of a sample; one that cannot be read is as good as none.
fn read_sample(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(SAMPLE_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}
