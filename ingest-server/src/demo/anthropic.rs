//! A compliance activity feed, NDJSON.

use std::io::Write as _;

use super::people::{Cast, mail};

pub(super) struct Log(Cast);

impl Log {
    pub(super) fn new() -> Self {
        Self(Cast::new(1))
    }
}

const TYPES: [&str; 14] = [
    "claude_chat_created",
    "claude_chat_created",
    "claude_chat_viewed",
    "claude_chat_viewed",
    "claude_chat_viewed",
    "claude_chat_access_failed",
    "claude_artifact_sharing_updated",
    "sso_login_succeeded",
    "sso_login_failed",
    "mcp_server_created",
    "admin_api_key_created",
    "org_user_deleted",
    "org_sso_connection_activated",
    "compliance_api_accessed",
];
const AGENTS: [&str; 3] = [
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "claude-desktop/1.4.2",
];

impl super::Log for Log {
    fn record(&mut self, out: &mut Vec<u8>) {
        let cast = &mut self.0;
        let number = cast.next_record();
        let time = match cast.is_broken() {
            true => "yesterday".to_owned(),
            false => cast.clock_text().to_string(),
        };
        let (kind, person, agent, ip) =
            (cast.pick(&TYPES), cast.person(), cast.pick(&AGENTS), cast.ip());
        let actor = if kind.starts_with("admin_") {
            format!(r#""type":"api_actor","api_key_id":"apikey_01K{person:04}""#)
        } else {
            let mail = mail(person, "example.com");
            format!(
                r#""type":"user_actor","email_address":"{mail}","user_id":"user_01T{person:04}""#
            )
        };
        let chat = match kind.starts_with("claude_chat") {
            true => format!(r#","claude_chat_id":"claude_chat_01A{:06}""#, cast.number(0..900_000)),
            false => String::new(),
        };
        // Writing to a Vec cannot fail.
        let _ = write!(
            out,
            r#"{{"id":"activity_01X{number:010}","created_at":"{time}","organization_id":"org_01W7","organization_uuid":"4f0e5c52-9d2b-4c5b-8a3e-0d2f7a51c9b1","actor":{{{actor},"ip_address":"{ip}","user_agent":"{agent}"}},"type":"{kind}"{chat}}}"#
        );
    }
}
