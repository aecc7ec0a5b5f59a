//! Structs in, structs out, by serde: sonic-rs and serde_json.

use std::borrow::Cow;
use std::fmt;
use std::io::Write;
use std::ops::Deref;

use peer::row::{Activity, activity, milliseconds, price, provider};
use peer::{Job, Output, Task};
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Library {
    Sonic,
    Serde,
}

/// Rows are handed on when there are so many bytes.
const LINES_BYTES: usize = 256 << 10;

pub(crate) fn load(task: &Task, library: Library) -> Result<Job, String> {
    if task.shape == "other" {
        return Err("cannot: it is written for the names of the task".to_owned());
    }
    let version = match library {
        Library::Sonic => "sonic-rs 0.5",
        Library::Serde => "serde_json 1.0",
    };
    let mut lines = Vec::new();
    crate::job(task, version, move |bytes, is_array, output| {
        let mut writer = Writer { library, lines: &mut lines, output };
        if is_array {
            match library {
                Library::Sonic => {
                    let mut deserializer = sonic_rs::Deserializer::from_slice(bytes);
                    deserializer.deserialize_seq(Rows(&mut writer)).map_err(|it| it.to_string())?;
                }
                Library::Serde => {
                    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
                    deserializer.deserialize_seq(Rows(&mut writer)).map_err(|it| it.to_string())?;
                }
            }
        } else {
            for line in crate::lines(bytes) {
                let record = match library {
                    Library::Sonic => sonic_rs::from_slice::<Record<'_>>(line).ok(),
                    Library::Serde => serde_json::from_slice::<Record<'_>>(line).ok(),
                };
                if let Some(record) = record {
                    writer.write(&record);
                }
            }
        }
        writer.hand_on();
        Ok(())
    })
}

struct Writer<'a> {
    library: Library,
    lines: &'a mut Vec<u8>,
    output: &'a mut Output,
}

impl Writer<'_> {
    fn write(&mut self, record: &Record<'_>) {
        let Some(row) = row(record) else { return };
        match self.library {
            Library::Sonic => sonic_rs::to_writer(&mut *self.lines, &row).expect("rows are JSON"),
            Library::Serde => serde_json::to_writer(&mut *self.lines, &row).expect("rows are JSON"),
        }
        self.lines.push(b'\n');
        if self.lines.len() > LINES_BYTES {
            self.hand_on();
        }
    }

    fn hand_on(&mut self) {
        self.output.write_all(self.lines).expect("memory can be written");
        self.lines.clear();
    }
}

/// Takes the elements of an array one by one, so that only one is in memory.
struct Rows<'a, 'b>(&'a mut Writer<'b>);

impl<'de> Visitor<'de> for Rows<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(record) = elements.next_element::<Record<'_>>()? {
            self.0.write(&record);
        }
        Ok(())
    }
}

/// A text that is borrowed unless it has escapes; serde borrows it inside an `Option` only as a type of its own.
#[derive(Debug, Deserialize, Serialize)]
#[serde(transparent)]
struct Str<'a>(#[serde(borrow)] Cow<'a, str>);

impl Deref for Str<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    id: Str<'a>,
    created_at: Str<'a>,
    #[serde(rename = "type")]
    kind: Str<'a>,
    organization: Option<Organization<'a>>,
    actor: Option<Actor<'a>>,
    target: Option<Target<'a>>,
    request: Option<Request<'a>>,
    response: Option<Response>,
    usage: Option<Usage>,
    cost: Option<Cost>,
    metadata: Option<Metadata<'a>>,
}

#[derive(Deserialize)]
struct Organization<'a> {
    #[serde(borrow)]
    id: Option<Str<'a>>,
}

#[derive(Deserialize)]
struct Actor<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Str<'a>>,
    id: Str<'a>,
    email: Option<Str<'a>>,
    name: Option<Str<'a>>,
    session: Option<Session<'a>>,
}

#[derive(Deserialize)]
struct Session<'a> {
    #[serde(borrow)]
    ip: Option<Str<'a>>,
    user_agent: Option<Str<'a>>,
}

#[derive(Deserialize)]
struct Target<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Str<'a>>,
    id: Str<'a>,
    name: Option<Str<'a>>,
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    id: Option<Str<'a>>,
    model: Option<Str<'a>>,
}

#[derive(Deserialize)]
struct Response {
    status: Option<i64>,
}

#[derive(Deserialize)]
struct Usage {
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
}

#[derive(Deserialize)]
struct Cost {
    amount: Option<f64>,
}

#[derive(Deserialize)]
struct Metadata<'a> {
    #[serde(borrow)]
    trace_id: Option<Str<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    class_uid: u32,
    class_name: &'a str,
    category_uid: u32,
    category_name: &'a str,
    activity_id: u32,
    activity_name: &'a str,
    type_uid: u32,
    type_name: &'a str,
    severity_id: u32,
    severity: &'a str,
    time: i64,
    metadata: RowMetadata<'a>,
    status_id: u32,
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_code: Option<String>,
    actor: RowActor<'a>,
    src_endpoint: Endpoint<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ai_model: Option<Model<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_context: Option<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_request: Option<Http<'a>>,
    resources: [Resource<'a>; 1],
    api: Api<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enrichments: Option<[Enrichment<'a>; 1]>,
}

#[derive(Serialize)]
struct RowMetadata<'a> {
    version: &'a str,
    product: Product<'a>,
    profiles: [&'a str; 1],
    log_name: &'a str,
    uid: &'a str,
    event_code: &'a str,
    original_time: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_uid: Option<&'a str>,
}

#[derive(Serialize)]
struct Product<'a> {
    name: &'a str,
    vendor_name: &'a str,
}

#[derive(Serialize)]
struct RowActor<'a> {
    user: User<'a>,
}

#[derive(Serialize)]
struct User<'a> {
    name: &'a str,
    uid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_addr: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    org: Option<Uid<'a>>,
    type_id: u32,
    #[serde(rename = "type")]
    kind: &'a str,
}

#[derive(Serialize)]
struct Uid<'a> {
    uid: &'a str,
}

#[derive(Serialize)]
struct Endpoint<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<&'a str>,
    svc_name: &'a str,
}

#[derive(Serialize)]
struct Model<'a> {
    name: &'a str,
    ai_provider: &'a str,
}

#[derive(Serialize)]
struct Message<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<&'a str>,
    #[serde(skip_serializing_if = "is_zero")]
    prompt_tokens: i64,
    #[serde(skip_serializing_if = "is_zero")]
    completion_tokens: i64,
    #[serde(skip_serializing_if = "is_zero")]
    total_tokens: i64,
    service: Service<'a>,
}

#[derive(Serialize)]
struct Service<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct Http<'a> {
    user_agent: &'a str,
}

#[derive(Serialize)]
struct Resource<'a> {
    uid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'a str>,
}

#[derive(Serialize)]
struct Api<'a> {
    operation: &'a str,
}

#[derive(Serialize)]
struct Enrichment<'a> {
    name: &'a str,
    value: String,
    #[serde(rename = "type")]
    kind: &'a str,
    provider: &'a str,
    data: Amount<'a>,
}

#[derive(Serialize)]
struct Amount<'a> {
    amount: f64,
    currency: &'a str,
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// The row of a record; none for heartbeats, and for what cannot be one.
fn row<'a>(record: &'a Record<'a>) -> Option<Row<'a>> {
    if &*record.kind == "heartbeat" {
        return None;
    }
    let (actor, target) = (record.actor.as_ref()?, record.target.as_ref()?);
    let session = actor.session.as_ref();
    let request = record.request.as_ref();
    let model = request.and_then(|it| it.model.as_deref());
    let status = record.response.as_ref().and_then(|it| it.status);
    let tokens = |of: fn(&Usage) -> Option<i64>| record.usage.as_ref().and_then(of).unwrap_or(0);
    let (tokens_in, tokens_out) = (tokens(|it| it.input_tokens), tokens(|it| it.output_tokens));
    let cost = record.cost.as_ref().and_then(|it| it.amount).or_else(|| {
        let (input, output) = price(model?)?;
        Some((tokens_in as f64 * input + tokens_out as f64 * output) / 1e6)
    });
    let kind = activity(&record.kind);
    let (activity_name, type_name) = match kind {
        Activity::Create => ("Create", "API Activity: Create"),
        Activity::Read => ("Read", "API Activity: Read"),
        Activity::Update => ("Update", "API Activity: Update"),
        Activity::Delete => ("Delete", "API Activity: Delete"),
        Activity::Other => (&*record.kind, "API Activity: Other"),
    };
    let is_success = status.is_some_and(|status| status < 400);
    let (type_id, user_type) = match actor.kind.as_deref() {
        Some("user") => (1, "User"),
        Some("service" | "api_key") => (4, "Service"),
        _ => (99, "Other"),
    };
    let request_id = request.and_then(|it| it.id.as_deref());
    Some(Row {
        class_uid: 6003,
        class_name: "API Activity",
        category_uid: 6,
        category_name: "Application Activity",
        activity_id: kind as u32,
        activity_name,
        type_uid: 600_300 + kind as u32,
        type_name,
        severity_id: 1,
        severity: "Informational",
        time: milliseconds(&record.created_at)?,
        metadata: RowMetadata {
            version: "1.8.0",
            product: Product { name: "AI Gateway", vendor_name: "Acme" },
            profiles: ["ai_operation"],
            log_name: "audit-bench",
            uid: &record.id,
            event_code: &record.kind,
            original_time: &record.created_at,
            correlation_uid: record.metadata.as_ref().and_then(|it| it.trace_id.as_deref()),
        },
        status_id: if is_success { 1 } else { 2 },
        status: if is_success { "Success" } else { "Failure" },
        status_code: status.map(|status| status.to_string()),
        actor: RowActor {
            user: User {
                name: actor.name.as_deref().unwrap_or(&actor.id),
                uid: &actor.id,
                email_addr: actor.email.as_deref().map(str::to_lowercase),
                org: record
                    .organization
                    .as_ref()
                    .and_then(|it| it.id.as_deref())
                    .map(|uid| Uid { uid }),
                type_id,
                kind: user_type,
            },
        },
        src_endpoint: Endpoint {
            ip: session.and_then(|it| it.ip.as_deref()),
            svc_name: "AI Gateway",
        },
        ai_model: model.map(|name| Model { name, ai_provider: provider(name) }),
        message_context: (request_id.is_some() || tokens_in + tokens_out > 0).then(|| Message {
            uid: request_id,
            prompt_tokens: tokens_in,
            completion_tokens: tokens_out,
            total_tokens: tokens_in + tokens_out,
            service: Service { name: "AI Gateway" },
        }),
        http_request: session
            .and_then(|it| it.user_agent.as_deref())
            .map(|user_agent| Http { user_agent }),
        resources: [Resource {
            uid: &target.id,
            name: target.name.as_deref(),
            kind: target.kind.as_deref(),
        }],
        api: Api { operation: &record.kind },
        enrichments: cost.filter(|&cost| cost != 0.0).map(|amount| {
            [Enrichment {
                name: "cost_usd",
                value: amount.to_string(),
                kind: "cost",
                provider: "Acme",
                data: Amount { amount, currency: "USD" },
            }]
        }),
    })
}
