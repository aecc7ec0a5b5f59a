//! The row, written by hand: what the peers share that give us bytes and leave the rest to us.
//!
//! Constant parts are as long as they can be, texts that are JSON already are copied as they stand.

use crate::Output;

/// A text, or none.
#[derive(Debug, Clone, Copy, Default)]
pub enum Text<'a> {
    #[default]
    Absent,
    /// As it stands between its quotes in JSON.
    Escaped(&'a str),
    /// As it is.
    Plain(&'a str),
}

impl<'a> Text<'a> {
    #[inline]
    pub fn or(self, other: Self) -> Self {
        if self.is_absent() { other } else { self }
    }

    #[inline]
    pub fn is_absent(self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The bytes; of escaped texts those between the quotes.
    #[inline]
    pub fn text(self) -> &'a str {
        match self {
            Self::Absent => "",
            Self::Escaped(text) | Self::Plain(text) => text,
        }
    }

    #[inline]
    fn room(self) -> usize {
        match self {
            Self::Absent => 0,
            Self::Escaped(text) => text.len(),
            Self::Plain(text) => text.len() * 6 + 16,
        }
    }
}

impl<'a> From<Option<&'a str>> for Text<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Self::Absent, Self::Plain)
    }
}

/// What a cost is.
#[derive(Debug, Clone, Copy, Default)]
pub enum Cost<'a> {
    /// The record does not say it.
    #[default]
    Absent,
    /// A number as it is written.
    Written(&'a str),
    Number(f64),
}

/// What a record holds of what a row needs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Record<'a> {
    pub id: Text<'a>,
    pub created_at: Text<'a>,
    pub kind: Text<'a>,
    pub organization: Text<'a>,
    pub actor_type: Text<'a>,
    pub actor_id: Text<'a>,
    pub email: Text<'a>,
    pub name: Text<'a>,
    pub ip: Text<'a>,
    pub user_agent: Text<'a>,
    pub target_type: Text<'a>,
    pub target_id: Text<'a>,
    pub target_name: Text<'a>,
    pub request_id: Text<'a>,
    pub model: Text<'a>,
    pub status: Option<i64>,
    pub tokens_in: i64,
    pub tokens_out: i64,
    pub cost: Cost<'a>,
    pub trace: Text<'a>,
}

/// USD for a million tokens in and out.
pub fn price(model: &str) -> Option<(f64, f64)> {
    Some(match model {
        "gpt-5" | "gemini-2.5-pro" => (1.25, 10.0),
        "gpt-5-mini" => (0.25, 2.0),
        "claude-sonnet-4-5" => (3.0, 15.0),
        "claude-haiku-4-5" => (1.0, 5.0),
        "mistral-large" => (2.0, 6.0),
        _ => return None,
    })
}

pub fn provider(model: &str) -> &'static str {
    match model {
        _ if model.starts_with("gpt-") => "OpenAI",
        _ if model.starts_with("claude-") => "Anthropic",
        _ if model.starts_with("gemini-") => "Google",
        _ => "Other",
    }
}

/// What kind of activity a type is; `Other` besides these.
pub fn activity(kind: &str) -> Activity {
    match kind {
        "chat.completion" | "embedding.create" | "file.upload" | "model.deploy" | "key.create" => {
            Activity::Create
        }
        "tool.invoke" | "user.login" => Activity::Read,
        "policy.update" => Activity::Update,
        "file.delete" | "key.revoke" => Activity::Delete,
        _ => Activity::Other,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    Create = 1,
    Read = 2,
    Update = 3,
    Delete = 4,
    Other = 99,
}

/// Milliseconds since 1970 of `2026-05-01T00:00:00.123Z`.
#[inline]
pub fn milliseconds(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let (head, tail) = bytes.split_at_checked(19)?;
    let digit = |at: usize| i64::from(head[at].wrapping_sub(b'0'));
    let two = |at| digit(at) * 10 + digit(at + 1);
    let digits = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18];
    let marks = [head[4], head[7], head[10], head[13], head[16]];
    if digits.iter().any(|&at| digit(at) > 9) || &marks != b"--T::" {
        return None;
    }
    let fraction = match tail {
        b"Z" => 0,
        [b'.', a, b, c, b'Z'] if [a, b, c].iter().all(|digit| digit.is_ascii_digit()) => {
            [a, b, c].iter().fold(0, |sum, &&digit| sum * 10 + i64::from(digit - b'0'))
        }
        _ => return None,
    };
    let (year, month, day) = (two(0) * 100 + two(2), two(5), two(8));
    // Days since 1970, counted from March, so that leap days come last.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468;
    Some((days * 86_400 + two(11) * 3600 + two(14) * 60 + two(17)) * 1000 + fraction)
}

/// Bytes that are being written; there is room for all.
#[derive(Debug)]
pub struct Cursor<'a> {
    to: &'a mut [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(to: &'a mut [u8]) -> Self {
        Self { to, at: 0 }
    }

    pub fn at(&self) -> usize {
        self.at
    }

    /// Constant bytes: a few moves, as their length is known.
    #[inline(always)]
    fn put<const N: usize>(&mut self, bytes: &[u8; N]) {
        self.to[self.at..self.at + N].copy_from_slice(bytes);
        self.at += N;
    }

    #[inline(always)]
    fn copy(&mut self, text: &str) {
        self.to[self.at..self.at + text.len()].copy_from_slice(text.as_bytes());
        self.at += text.len();
    }

    #[inline(always)]
    fn integer(&mut self, number: i64) {
        self.copy(itoa::Buffer::new().format(number));
    }

    #[inline(always)]
    fn float(&mut self, number: f64) {
        self.copy(zmij::Buffer::new().format(number));
    }

    /// A text in quotes.
    #[inline(always)]
    pub fn string(&mut self, text: Text<'_>) {
        self.put(b"\"");
        match text {
            Text::Absent => {}
            Text::Escaped(text) => self.copy(text),
            Text::Plain(text) => self.escape(text.as_bytes()),
        }
        self.put(b"\"");
    }

    /// `KEY"TEXT"` if there is a text; the key brings its comma and colon.
    #[inline(always)]
    fn member<const N: usize>(&mut self, key: &[u8; N], text: Text<'_>) {
        if !text.is_absent() {
            self.put(key);
            self.string(text);
        }
    }

    fn escape(&mut self, mut text: &[u8]) {
        while let Some((part, rest)) = text.split_first_chunk::<16>() {
            // One comparison for all, where the machine can do that.
            let special = part.iter().fold(false, |any, &byte| any | is_special(byte));
            if special {
                part.iter().for_each(|&byte| self.escaped(byte));
            } else {
                self.put(part);
            }
            text = rest;
        }
        text.iter().for_each(|&byte| self.escaped(byte));
    }

    #[inline(always)]
    fn escaped(&mut self, byte: u8) {
        if !is_special(byte) {
            return self.put(&[byte]);
        }
        match byte {
            b'"' => self.put(b"\\\""),
            b'\\' => self.put(b"\\\\"),
            b'\n' => self.put(b"\\n"),
            b'\r' => self.put(b"\\r"),
            b'\t' => self.put(b"\\t"),
            other => {
                let digit = |value: u8| b"0123456789abcdef"[usize::from(value)];
                self.put(&[b'\\', b'u', b'0', b'0', digit(other >> 4), digit(other & 15)]);
            }
        }
    }
}

#[inline(always)]
fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// What all constant parts of a row take, with room to spare.
const CONSTANT_BYTES: usize = 2048;

impl Record<'_> {
    /// Writes the row of a record; none for a heartbeat, or if it cannot be one.
    #[inline]
    pub fn write(&self, output: &mut Output) {
        let kind = self.kind.text();
        if kind == "heartbeat" {
            return;
        }
        let Some(time) = milliseconds(self.created_at.text()) else { return };
        if self.id.is_absent() || self.actor_id.is_absent() || self.target_id.is_absent() {
            return;
        }
        let texts = [
            self.id,
            self.created_at,
            self.organization,
            self.actor_id,
            self.email,
            self.name,
            self.ip,
            self.user_agent,
            self.target_type,
            self.target_id,
            self.target_name,
            self.request_id,
            self.model,
            self.trace,
            self.actor_id,
        ];
        let room: usize = texts.iter().map(|text| text.room()).sum();
        let mut to = Cursor::new(output.room(CONSTANT_BYTES + room + 4 * self.kind.room()));
        self.write_head(time, &mut to);
        self.write_actor(&mut to);
        self.write_request(&mut to);
        self.write_tail(&mut to);
        let written = to.at;
        output.advance(written);
    }

    #[inline(always)]
    fn write_head(&self, time: i64, to: &mut Cursor<'_>) {
        to.put(b"{\"class_uid\":6003,\"class_name\":\"API Activity\",\"category_uid\":6,\"category_name\":\"Application Activity\"");
        match activity(self.kind.text()) {
            Activity::Create => to.put(b",\"activity_id\":1,\"activity_name\":\"Create\",\"type_uid\":600301,\"type_name\":\"API Activity: Create\""),
            Activity::Read => to.put(b",\"activity_id\":2,\"activity_name\":\"Read\",\"type_uid\":600302,\"type_name\":\"API Activity: Read\""),
            Activity::Update => to.put(b",\"activity_id\":3,\"activity_name\":\"Update\",\"type_uid\":600303,\"type_name\":\"API Activity: Update\""),
            Activity::Delete => to.put(b",\"activity_id\":4,\"activity_name\":\"Delete\",\"type_uid\":600304,\"type_name\":\"API Activity: Delete\""),
            Activity::Other => {
                to.put(b",\"activity_id\":99,\"activity_name\":");
                to.string(self.kind);
                to.put(b",\"type_uid\":600399,\"type_name\":\"API Activity: Other\"");
            }
        }
        to.put(b",\"severity_id\":1,\"severity\":\"Informational\",\"time\":");
        to.integer(time);
        to.put(b",\"metadata\":{\"version\":\"1.8.0\",\"product\":{\"name\":\"AI Gateway\",\"vendor_name\":\"Acme\"},\"profiles\":[\"ai_operation\"],\"log_name\":\"audit-bench\",\"uid\":");
        to.string(self.id);
        to.put(b",\"event_code\":");
        to.string(self.kind);
        to.put(b",\"original_time\":");
        to.string(self.created_at);
        to.member(b",\"correlation_uid\":", self.trace);
        match self.status {
            Some(..400) => to.put(b"},\"status_id\":1,\"status\":\"Success\""),
            _ => to.put(b"},\"status_id\":2,\"status\":\"Failure\""),
        }
        if let Some(status) = self.status {
            to.put(b",\"status_code\":\"");
            to.integer(status);
            to.put(b"\"");
        }
    }

    #[inline(always)]
    fn write_actor(&self, to: &mut Cursor<'_>) {
        to.put(b",\"actor\":{\"user\":{\"name\":");
        to.string(self.name.or(self.actor_id));
        to.member(b",\"uid\":", self.actor_id);
        let start = to.at;
        to.member(b",\"email_addr\":", self.email);
        to.to[start..to.at].make_ascii_lowercase();
        if !self.organization.is_absent() {
            to.put(b",\"org\":{\"uid\":");
            to.string(self.organization);
            to.put(b"}");
        }
        match self.actor_type.text() {
            "user" => to.put(b",\"type_id\":1,\"type\":\"User\"}}"),
            "service" | "api_key" => to.put(b",\"type_id\":4,\"type\":\"Service\"}}"),
            _ => to.put(b",\"type_id\":99,\"type\":\"Other\"}}"),
        }
        to.put(b",\"src_endpoint\":{\"svc_name\":\"AI Gateway\"");
        to.member(b",\"ip\":", self.ip);
        to.put(b"}");
    }

    #[inline(always)]
    fn write_request(&self, to: &mut Cursor<'_>) {
        if !self.model.is_absent() {
            to.put(b",\"ai_model\":{\"name\":");
            to.string(self.model);
            to.put(b",\"ai_provider\":\"");
            to.copy(provider(self.model.text()));
            to.put(b"\"}");
        }
        let (tokens_in, tokens_out) = (self.tokens_in, self.tokens_out);
        if !self.request_id.is_absent() || tokens_in + tokens_out > 0 {
            to.put(b",\"message_context\":{\"service\":{\"name\":\"AI Gateway\"}");
            to.member(b",\"uid\":", self.request_id);
            if tokens_in > 0 {
                to.put(b",\"prompt_tokens\":");
                to.integer(tokens_in);
            }
            if tokens_out > 0 {
                to.put(b",\"completion_tokens\":");
                to.integer(tokens_out);
            }
            if tokens_in + tokens_out > 0 {
                to.put(b",\"total_tokens\":");
                to.integer(tokens_in + tokens_out);
            }
            to.put(b"}");
        }
        if !self.user_agent.is_absent() {
            to.put(b",\"http_request\":{\"user_agent\":");
            to.string(self.user_agent);
            to.put(b"}");
        }
        to.put(b",\"resources\":[{\"uid\":");
        to.string(self.target_id);
        to.member(b",\"name\":", self.target_name);
        to.member(b",\"type\":", self.target_type);
        to.put(b"}],\"api\":{\"operation\":");
        to.string(self.kind);
        to.put(b"}");
    }

    #[inline(always)]
    fn write_tail(&self, to: &mut Cursor<'_>) {
        let cost = match self.cost {
            Cost::Absent => price(self.model.text()).map_or(0.0, |(input, output)| {
                (self.tokens_in as f64 * input + self.tokens_out as f64 * output) / 1e6
            }),
            // Only whether it is 0 matters.
            Cost::Written(text) => match text.bytes().take_while(|byte| *byte != b'e').any(|byte| matches!(byte, b'1'..=b'9')) {
                true => 1.0,
                false => 0.0,
            },
            Cost::Number(number) => number,
        };
        if cost != 0.0 {
            to.put(b",\"enrichments\":[{\"name\":\"cost_usd\",\"type\":\"cost\",\"provider\":\"Acme\",\"value\":\"");
            let start = to.at;
            match self.cost {
                Cost::Written(text) => to.copy(text),
                Cost::Absent | Cost::Number(_) => to.float(cost),
            }
            let end = to.at;
            to.put(b"\",\"data\":{\"currency\":\"USD\",\"amount\":");
            to.to.copy_within(start..end, to.at);
            to.at += end - start;
            to.put(b"}}]");
        }
        to.put(b"}\n");
    }
}
