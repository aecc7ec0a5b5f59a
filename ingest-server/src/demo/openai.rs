//! Audit logs: a JSON document around an array.

use std::io::Write as _;

use super::people::{Cast, mail};

pub(super) struct Log(Cast);

impl Log {
    pub(super) fn new() -> Self {
        Self(Cast::new(2))
    }
}

const TYPES: [&str; 12] = [
    "project.created",
    "project.updated",
    "project.archived",
    "api_key.created",
    "api_key.updated",
    "api_key.deleted",
    "service_account.created",
    "user.added",
    "user.deleted",
    "login.succeeded",
    "login.failed",
    "logout.succeeded",
];

impl super::Log for Log {
    const HEAD: &'static [u8] = b"{\"object\":\"list\",\"data\":[\n";
    const SEPARATOR: &'static [u8] = b",\n";
    const END: &'static [u8] = b"\n],\"has_more\":false}\n";

    fn record(&mut self, out: &mut Vec<u8>) {
        let cast = &mut self.0;
        let number = cast.next_record();
        let time = match cast.is_broken() {
            true => "\"soon\"".to_owned(),
            false => cast.clock_s().to_string(),
        };
        let (kind, person, ip) = (cast.pick(&TYPES), cast.person(), cast.ip());
        let mail = mail(person, "example.org");
        let user = format!(r#"{{"id":"user-{person:04}","email":"{mail}"}}"#);
        let actor = match kind {
            "api_key.updated" | "project.updated" => {
                format!(r#"{{"type":"api_key","api_key":{{"type":"user","id":"key_{person:04}","user":{user}}}}}"#)
            }
            "service_account.created" => {
                r#"{"type":"api_key","api_key":{"type":"service_account","id":"key_sa","service_account":{"id":"svc-terraform"}}}"#.to_owned()
            }
            _ => format!(
                r#"{{"type":"session","session":{{"user":{user},"ip_address":"{ip}","user_agent":"Mozilla/5.0","ja3":"a441a33aaee795f498d6b764cc78989a"}}}}"#
            ),
        };
        let object = match kind.starts_with("log") {
            true => String::new(),
            false => format!(
                r#","{kind}":{{"id":"obj_{:08x}","data":{{"name":"{}"}}}}"#,
                cast.number(0..1 << 32),
                cast.text(2..6)
            ),
        };
        // Writing to a Vec cannot fail.
        let _ = write!(
            out,
            r#"{{"id":"audit_log-{number:010}","type":"{kind}","effective_at":{time},"project":{{"id":"proj_{:03}","name":"search"}},"actor":{actor}{object}}}"#,
            cast.number(0..200)
        );
    }
}
