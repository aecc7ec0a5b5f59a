//! Audit logs as the program `examples/2_openai.weir` reads them: one document around an array.

use super::*;

/// Longer records are refused by the program.
const RECORD_BYTES_MAX: usize = 512 << 10;

/// A document `{"object":"list","data":[ ... ],"has_more":false}` with records of about 1.35 kB.
#[derive(Debug, Clone, Copy)]
pub struct OpenAi {
    /// All records.
    pub records: u64,
    /// How many of them are bad.
    pub bad: u64,
    /// Other seeds give other records.
    pub seed: u64,
}

/// The event types, with the class of their events, and whether a key named like the type holds their object.
const TYPES: [(&str, &str, bool); 19] = [
    ("login.succeeded", "authentication", false),
    ("login.failed", "authentication", false),
    ("logout.succeeded", "authentication", false),
    ("user.added", "account_change", true),
    ("user.updated", "account_change", true),
    ("user.deleted", "account_change", true),
    ("project.created", "api_activity", true),
    ("project.updated", "api_activity", true),
    ("project.archived", "api_activity", true),
    ("api_key.created", "api_activity", true),
    ("api_key.updated", "api_activity", true),
    ("api_key.deleted", "api_activity", true),
    ("service_account.created", "api_activity", true),
    ("service_account.deleted", "api_activity", true),
    ("invite.sent", "api_activity", true),
    ("invite.deleted", "api_activity", true),
    ("organization.updated", "api_activity", false),
    ("rate_limit.deleted", "api_activity", false),
    ("role.assignment.created", "api_activity", false),
];

/// What may be wrong with a record.
#[derive(Clone, Copy, PartialEq)]
enum Flaw {
    UnreadableTime,
    NoId,
    ControlCharacter,
    WrongType,
    NoObject,
    TooLong,
}

impl Flaw {
    fn of(number: u64) -> Self {
        if number % 50 == 49 {
            return Self::TooLong;
        }
        let others = [
            Self::UnreadableTime,
            Self::NoId,
            Self::ControlCharacter,
            Self::WrongType,
            Self::NoObject,
        ];
        others[(number % 5) as usize]
    }

    fn code(self) -> Code {
        match self {
            Self::UnreadableTime | Self::WrongType => Code::Invalid,
            Self::NoId => Code::Missing,
            Self::ControlCharacter | Self::NoObject => Code::Unsound,
            Self::TooLong => Code::TooLong,
        }
    }
}

impl OpenAi {
    /// Writes the document.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn write(&self, out: &mut impl Write) -> io::Result<Expected> {
        let mut expected = Expected { records: self.records, ..Expected::default() };
        put(out, "{\"object\":\"list\",\"data\":[")?;
        for index in 0..self.records {
            if index > 0 {
                put(out, if index % 7 == 0 { ",\n " } else { "," })?;
            }
            let flaw = self.planted().at(index).map(Flaw::of);
            put(out, &self.record(index, flaw))?;
            match flaw {
                Some(flaw) => expected.rejects.push((index, flaw.code())),
                None => expected.add(self.kind(index).1, 1),
            }
        }
        put(out, "],\"has_more\":false}\n")?;
        Ok(expected)
    }

    /// The ids of the events, in order.
    pub fn ids(self) -> impl Iterator<Item = String> {
        let planted = self.planted();
        let good = (0..self.records).filter(move |&index| planted.at(index).is_none());
        good.map(move |index| self.id(index))
    }

    fn planted(&self) -> Planted {
        Planted { records: self.records, bad: self.bad }
    }

    fn id(&self, index: u64) -> String {
        format!("audit_log-{index:08}{}", random_of(self.seed, index).hex(16))
    }

    fn kind(&self, index: u64) -> (&'static str, &'static str, bool) {
        *random_of(!self.seed, index).pick(&TYPES)
    }

    fn record(&self, index: u64, flaw: Option<Flaw>) -> String {
        if flaw == Some(Flaw::NoObject) {
            return ["null", "17", "\"audit_log\"", "[{\"id\":\"x\"}]"][index as usize % 4]
                .to_owned();
        }
        let random = &mut random_of(self.seed.wrapping_add(1), index);
        let (kind, _, has_object) = self.kind(index);
        let id = match flaw {
            Some(Flaw::NoId) => String::new(),
            Some(Flaw::WrongType) => format!("\"id\":{{\"value\":\"{}\"}},", self.id(index)),
            _ => format!("\"id\":\"{}\",", self.id(index)),
        };
        let time = match flaw {
            Some(Flaw::UnreadableTime) => "\"last tuesday\"".to_owned(),
            _ => (1_700_000_000 + index / 3 + random.below(60)).to_string(),
        };
        let object = match has_object {
            true => format!(
                "\"{kind}\":{{\"id\":\"{}\",\"data\":{{{}}}}},",
                random.hex(24),
                data(random)
            ),
            false => String::new(),
        };
        let comment = match flaw {
            Some(Flaw::ControlCharacter) => "a raw\u{1}control character".to_owned(),
            Some(Flaw::TooLong) => "x".repeat(RECORD_BYTES_MAX),
            _ => format!(
                "requested through the console, ticket {}",
                random.hex(330 + index as usize % 41)
            ),
        };
        format!(
            "{{\"object\":\"organization.audit_log\",{id}\"type\":\"{kind}\",\"effective_at\":{time},\
             \"project\":{{\"id\":\"proj_{}\",\"name\":\"Projekt \\u00fc {}\"}},\"actor\":{},{object}\
             \"comment\":\"{comment}\"}}",
            random.hex(24),
            random.below(400),
            actor(random),
        )
    }
}

/// A few members that no program reads.
fn data(random: &mut Random) -> String {
    format!(
        "\"name\":\"{}\",\"title\":\"Team {}\",\"scopes\":[\"api.model.read\",\"api.model.request\"],\
         \"expires_at\":null,\"limit\":{{\"max\":{}.50,\"unit\":\"usd\"}}",
        random.hex(12),
        random.below(90),
        random.below(10_000)
    )
}

fn actor(random: &mut Random) -> String {
    let user = format!(
        "{{\"id\":\"user-{}\",\"email\":\"{}.{}@example.com\"}}",
        random.hex(24),
        random.pick(&["anna", "bo", "chen", "dmitri", "esi", "zo\\u00eb"]),
        random.below(5_000)
    );
    match random.below(10) {
        0 => format!(
            "{{\"type\":\"api_key\",\"api_key\":{{\"id\":\"key_{}\",\"type\":\"service_account\",\
             \"service_account\":{{\"id\":\"svc_{}\"}},\"note\":\"{}\"}}}}",
            random.hex(16),
            random.hex(16),
            random.hex(480)
        ),
        1..=3 => format!(
            "{{\"type\":\"api_key\",\"api_key\":{{\"id\":\"key_{}\",\"type\":\"user\",\"user\":{user},\
             \"note\":\"{}\"}}}}",
            random.hex(16),
            random.hex(440)
        ),
        _ => session(random, &user),
    }
}

fn session(random: &mut Random, user: &str) -> String {
    let ip = match random.below(5) {
        0 => format!("2001:db8::{:x}", random.below(0x10000)),
        _ => format!("203.0.113.{}", random.below(256)),
    };
    format!(
        "{{\"type\":\"session\",\"session\":{{\"user\":{user},\"ip_address\":\"{ip}\",\
         \"user_agent\":\"Mozilla\\/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) \
         Chrome/131.0.{}.{} Safari/537.36\",\"ja3\":\"{}\",\"ja4\":\"t13d1516h2_{}_{}\",\
         \"ip_address_details\":{{\"country\":\"{}\",\"city\":\"Z\\u00fcrich\",\"region\":\"ZH\",\
         \"region_code\":\"ZH\",\"asn\":\"{}\",\"latitude\":\"47.3{}\",\"longitude\":\"8.5{}\"}},\"trace\":\"{}\"}}}}",
        random.below(9_999),
        random.below(99),
        random.hex(32),
        random.hex(12),
        random.hex(12),
        random.pick(&["CH", "DE", "US", "JP"]),
        random.below(60_000),
        random.below(1_000),
        random.below(1_000),
        random.hex(64),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_have_the_promised_size() {
        let good = OpenAi { records: 2_000, bad: 0, seed: 7 };
        let mut out = Vec::new();
        let expected = good.write(&mut out).unwrap();
        let mean = out.len() / 2_000;
        assert!((1_250..=1_450).contains(&mean), "{mean} bytes a record");
        assert_eq!(expected.events_total(), 2_000);
        assert_eq!(good.ids().count(), 2_000);
    }

    #[test]
    fn the_same_numbers_give_the_same_bytes() {
        let generator = OpenAi { records: 300, bad: 60, seed: 1 };
        let (mut first, mut second) = (Vec::new(), Vec::new());
        let expected = generator.write(&mut first).unwrap();
        generator.write(&mut second).unwrap();
        assert_eq!(first, second);
        assert_eq!(expected.rejects.len(), 60);
        assert_eq!(generator.ids().count() as u64, expected.events_total());
        let kinds: std::collections::BTreeSet<_> = expected.rejects.iter().map(|r| r.1).collect();
        assert_eq!(kinds.len(), 4);
    }
}
