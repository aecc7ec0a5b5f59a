//! Dead letters: records that a parser refused.

use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{List, OptionalBody, Path, Query, limit};
use crate::control::{Caller, Permission, rfc3339};
use crate::pipeline::gather::{Context, sealed_for};
use crate::server::error::CommonErrors;
use crate::server::events::{Event, EventJson};
use crate::server::redrive::{self, Redriven, Which};
use crate::server::sample::sample;
use crate::server::{ApiError, App, Shared};
use crate::store::{Letter, LetterState, Letters, Order};

/// The code of records with events whose ids are taken.
const TAKEN: &str = "R1401";
/// The encoding of raw records that are text.
const TEXT: &str = "utf-8";
/// Records that one request may name.
const RECORD_IDS_MAX: usize = 1000;

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get_one, discard))
        .routes(routes!(redrive))
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum RecordState {
    Open,
    Redriven,
    Discarded,
}

/// A dead letter.
#[derive(Serialize, ToSchema)]
struct QuarantinedRecord {
    id: String,
    source_id: String,
    run_id: String,
    /// The version of the parser that refused it; null if none did.
    #[schema(required)]
    parser_version: Option<u32>,
    /// The line of the parser that refused it; null if none did.
    #[schema(required)]
    program_line: Option<u32>,
    /// The attribute that could not be filled; may be empty.
    target: String,
    object_key: String,
    etag: String,
    byte_offset: u64,
    end_offset: u64,
    record_index: u64,
    /// `R1xxx`
    reason_code: String,
    message: String,
    /// The record, redacted as the parser says.
    raw: String,
    /// `utf-8` or `base64`.
    raw_encoding: &'static str,
    /// What stood around it: `header` of its CSV, `wrapper` members of its document (with the permission
    /// `quarantine:raw`), `meta`.
    #[schema(value_type = Object)]
    context: Value,
    state: RecordState,
    /// Whether it was kept whole, so that it can be redriven.
    is_whole: bool,
    created_at: String,
    /// When it was redriven or discarded.
    #[schema(required)]
    settled_at: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct OneRecord {
    quarantined_record: QuarantinedRecord,
    /// The record in a text of its own, with its header or the document around it, as `validate` takes it. Null if it is no
    /// text, or the source has no parser.
    #[schema(required)]
    sample: Option<String>,
    /// What is stored under the id that is taken (R1401); null otherwise.
    #[schema(value_type = Option<Event>, required)]
    stored_event: Option<EventJson>,
}

#[derive(Serialize, ToSchema)]
struct Discarded {
    discarded: bool,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only those in this state.
    state: Option<RecordState>,
    /// Rows of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OneQuery {
    /// Whether the whole record is wanted, as it came. Needs the permission `quarantine:raw`.
    #[serde(default)]
    #[param(required = false)]
    raw: bool,
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RedriveRequest {
    /// Which; by default all that are open.
    #[schema(max_items = 1000)]
    record_ids: Option<Vec<String>>,
    /// `next_cursor` of the answer before.
    cursor: Option<String>,
}

impl RecordState {
    fn of(state: LetterState) -> Self {
        match state {
            LetterState::Open => Self::Open,
            LetterState::Redriven => Self::Redriven,
            LetterState::Discarded => Self::Discarded,
        }
    }

    fn stored(self) -> LetterState {
        match self {
            Self::Open => LetterState::Open,
            Self::Redriven => LetterState::Redriven,
            Self::Discarded => LetterState::Discarded,
        }
    }
}

/// What stood around a letter's record, as far as it is known. A parser's redactions are about its records only, so what
/// stands around them is for those who may see whole records.
fn shown_context(letter: &Letter, sees_all: bool) -> Context {
    let context = letter.context.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let mut context: Context = context.unwrap_or_default();
    if !sees_all {
        context.wrapper.clear();
    }
    context
}

/// A letter with the bytes that are shown of it.
fn shown(letter: Letter, raw: Vec<u8>, sees_all: bool) -> QuarantinedRecord {
    let context = shown_context(&letter, sees_all);
    let reject = letter.reject;
    let (raw, raw_encoding) = match String::from_utf8(raw) {
        Ok(text) => (text, TEXT),
        Err(error) => (BASE64.encode(error.as_bytes()), "base64"),
    };
    QuarantinedRecord {
        id: reject.id.to_string(),
        source_id: reject.source_id,
        run_id: reject.origin.run_id,
        parser_version: (!reject.plan.is_none()).then_some(reject.plan.version),
        program_line: (reject.mapping_line > 0).then_some(reject.mapping_line),
        target: reject.target,
        object_key: reject.origin.object_key,
        etag: reject.origin.etag,
        byte_offset: reject.byte_offset,
        end_offset: reject.end_offset,
        record_index: reject.record_index,
        reason_code: reject.code,
        message: reject.message,
        raw,
        raw_encoding,
        is_whole: letter.is_whole && letter.context.is_some() && !context.meta.is_cut,
        context: serde_json::to_value(context).unwrap_or_default(),
        state: RecordState::of(letter.state),
        created_at: rfc3339(reject.created_at_ms),
        settled_at: letter.settled_at_ms.map(rfc3339),
    }
}

fn shown_redacted(mut letter: Letter, sees_all: bool) -> QuarantinedRecord {
    let raw = std::mem::take(&mut letter.reject.raw);
    shown(letter, raw, sees_all)
}

/// An id of a record; what is none names nothing.
fn record_id(text: &str) -> Result<i64, ApiError> {
    text.parse().map_err(|_| ApiError::not_found("quarantined record"))
}

/// A source's dead letters, newest first.
#[utoipa::path(get, path = "/api/governance/ingestion-sources/{id}/quarantine", tag = "quarantine",
    params(("id" = String, Path), ListQuery),
    responses((status = 200, body = List<QuarantinedRecord>), CommonErrors),
    security(("api_key" = [])))]
async fn list(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<Json<List<QuarantinedRecord>>, ApiError> {
    caller.require(Permission::ActivityView)?;
    let limit = limit(query.limit, super::LIMIT_MAX)?;
    let sees_all = caller.may(Permission::QuarantineRaw);
    let before = match &query.cursor {
        None => i64::MAX,
        Some(text) => {
            text.parse().map_err(|_| ApiError::invalid("cursor", "is none of this list"))?
        }
    };
    let state = query.state.map(RecordState::stored);
    let (letters, has_more) = app
        .run(move |app: &App| {
            app.control.source(&caller.organization, &id)?;
            let order = Order::NewestFirst(before);
            let wanted = Letters { source: &id, state, order, limit, with_sealed: false };
            Ok::<_, ApiError>(app.control.store.letters(&wanted)?)
        })
        .await?;
    let next_cursor = letters.last().filter(|_| has_more).map(|l| l.reject.id.to_string());
    let data = letters.into_iter().map(|letter| shown_redacted(letter, sees_all)).collect();
    Ok(Json(List { data, next_cursor, has_more }))
}

/// A dead letter.
#[utoipa::path(get, path = "/api/governance/ingestion-sources/{id}/quarantine/{record_id}",
    tag = "quarantine", params(("id" = String, Path), ("record_id" = String, Path), OneQuery),
    responses((status = 200, body = OneRecord), CommonErrors), security(("api_key" = [])))]
async fn get_one(
    State(app): State<Shared>,
    caller: Caller,
    Path((id, record)): Path<(String, String)>,
    Query(query): Query<OneQuery>,
) -> Result<Json<OneRecord>, ApiError> {
    caller.require(Permission::ActivityView)?;
    if query.raw {
        caller.require(Permission::QuarantineRaw)?;
    }
    let sees_all = caller.may(Permission::QuarantineRaw);
    let record = record_id(&record)?;
    let one = app
        .run(move |app: &App| {
            let stored = app.control.source(&caller.organization, &id)?;
            let letter = app.control.store.letter(&id, record)?;
            let letter = letter.ok_or_else(|| ApiError::not_found("quarantined record"))?;
            // Letters are looked at most when the parser is broken.
            let plan = app.programs.of(&app.control, &stored).ok().flatten();
            let context = shown_context(&letter, sees_all);
            // Of a letter about an id that is taken, this is the id.
            let taken = letter.reject.text.clone();
            let quarantined_record = match (query.raw, &letter.sealed) {
                (true, Some(sealed)) => {
                    let whole = app.control.vault.open_sealed(sealed, &sealed_for(&id));
                    let whole = whole.ok_or_else(|| {
                        ApiError::conflict("unreadable", "what was kept of it cannot be read")
                    })?;
                    shown(letter, whole, sees_all)
                }
                (true, None) => {
                    let message = "the whole record is not kept: it was settled, or only what may be shown of it was kept";
                    return Err(ApiError::conflict("not_kept", message));
                }
                (false, _) => shown_redacted(letter, sees_all),
            };
            let QuarantinedRecord { raw, raw_encoding, byte_offset, .. } = &quarantined_record;
            let is_text = *raw_encoding == TEXT && !raw.is_empty();
            let sample = plan.filter(|_| is_text).map(|plan| {
                sample(&plan.input.format, &context, raw, *byte_offset == 0)
            });
            let stored_event = match quarantined_record.reason_code == TAKEN {
                true => app.control.store.event_by_id(&id, &taken)?.as_ref().map(EventJson::of),
                false => None,
            };
            let stored_event = stored_event.transpose()?;
            Ok(OneRecord { quarantined_record, sample, stored_event })
        })
        .await?;
    Ok(Json(one))
}

/// Gives a dead letter up: its record cannot be mapped any more.
#[utoipa::path(delete, path = "/api/governance/ingestion-sources/{id}/quarantine/{record_id}",
    tag = "quarantine", params(("id" = String, Path), ("record_id" = String, Path)),
    responses((status = 200, body = Discarded), CommonErrors), security(("api_key" = [])))]
async fn discard(
    State(app): State<Shared>,
    caller: Caller,
    Path((id, record)): Path<(String, String)>,
) -> Result<Json<Discarded>, ApiError> {
    caller.require(Permission::SourcesManage)?;
    let record = record_id(&record)?;
    app.run(move |app: &App| app.control.discard_letter(&caller, &id, record)).await?;
    Ok(Json(Discarded { discarded: true }))
}

/// Maps dead letters under the source's current parser: some of them, or all that are open. Each is stored exactly once, also
/// if the request is repeated. What is refused again, or conflicts with stored events, stays open with the new reason.
#[utoipa::path(post, path = "/api/governance/ingestion-sources/{id}/quarantine/redrive",
    tag = "quarantine", params(("id" = String, Path)), request_body = Option<RedriveRequest>,
    responses((status = 200, body = Redriven), CommonErrors), security(("api_key" = [])))]
async fn redrive(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<String>,
    OptionalBody(body): OptionalBody<RedriveRequest>,
) -> Result<Json<Redriven>, ApiError> {
    caller.require(Permission::SourcesManage)?;
    let which = match (&body.record_ids, &body.cursor) {
        (Some(_), Some(_)) => {
            return Err(ApiError::invalid("cursor", "stands beside `record_ids`"));
        }
        (Some(ids), None) if ids.len() > RECORD_IDS_MAX => {
            return Err(ApiError::invalid("record_ids", "are more than 1000"));
        }
        (Some(ids), None) => {
            let ids: Result<Vec<i64>, _> = ids.iter().map(|id| id.parse()).collect();
            Which::These(ids.map_err(|_| ApiError::invalid("record_ids", "are ids of records"))?)
        }
        (None, cursor) => {
            let after = cursor.as_deref().unwrap_or("0").parse();
            let invalid = |_| ApiError::invalid("cursor", "is none of this source");
            Which::Open { after: after.map_err(invalid)? }
        }
    };
    let is_first = body.cursor.is_none();
    Ok(Json(redrive::redrive(&app, caller, id, which, is_first).await?))
}
