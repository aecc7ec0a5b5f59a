//! The records: what an AI gateway might log, about 1.6 kB each.
//!
//! They hold what real logs hold: escapes, texts that are not ASCII, absent members and nulls, prices that are missing or
//! written with an exponent, events of unknown types, and some heartbeats, which no event is made of.

use super::random::Random;
use super::tree::Tree;

const TYPES: [&str; 11] = [
    "chat.completion",
    "embedding.create",
    "file.upload",
    "file.delete",
    "model.deploy",
    "key.create",
    "key.revoke",
    "user.login",
    "policy.update",
    "tool.invoke",
    // Not named by the programs.
    "image.generate",
];
const WEIGHTS: [usize; 11] = [50, 12, 5, 2, 1, 1, 1, 8, 1, 12, 4];
const MODELS: [&str; 7] = [
    "gpt-5",
    "gpt-5-mini",
    "claude-sonnet-4-5",
    "claude-haiku-4-5",
    "gemini-2.5-pro",
    "mistral-large",
    // Not in the table of prices.
    "in-house-7b",
];
const FIRST_NAMES: [&str; 12] = [
    "Ana", "Bob", "Chloé", "Dmitri", "Eva", "Farid", "Grace", "Hiro", "Ivy", "Jürgen", "Zoë", "李",
];
const LAST_NAMES: [&str; 10] =
    ["Müller", "Smith", "O'Neil", "Garcia", "Ng", "Kovács", "Tanaka", "Brown", "Dubois", "van Dyk"];
const MAIL_DOMAINS: [&str; 3] = ["Example.com", "ACME-corp.io", "mail.acme.de"];
const USER_AGENTS: [&str; 6] = [
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "python-requests/2.32.3",
    "OpenAI/Python 1.35.7",
    "Go-http-client/2.0",
    "curl/8.7.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0",
];
const CITIES: [(&str, &str); 6] = [
    ("DE", "München"),
    ("US", "Austin"),
    ("FR", "Orléans"),
    ("JP", "東京"),
    ("IN", "Pune"),
    ("BR", "São Paulo"),
];
const REGIONS: [&str; 3] = ["eu-west-1", "us-east-1", "ap-south-1"];
const TARGET_NAMES: [&str; 6] = [
    "Q3 \"final\" report.pdf",
    "Ünïcode/plan.md",
    "default",
    "weights-v2",
    "a\\b\\c.txt",
    "prod-key",
];
const WORDS: &str = "please summarise the attached contract and list every clause that \"limits\" liability \
    draft a reply to customer about invoice C:\\temp\\out.txt naïve café then translate it into Deutsch 👍 \
    with 3 bullet points";
const PEOPLE: usize = 3000;
const ORGANIZATIONS: usize = 40;

/// 2026-05-01 in seconds since 1970.
const START_S: u64 = 1_777_593_600;
/// On average so many milliseconds lie between two records.
const STEP_MS: u64 = 37;

struct Organization {
    id: String,
    name: String,
    region: &'static str,
}

struct Person {
    id: String,
    name: String,
    mail: String,
}

/// Makes records, one after the other.
pub(super) struct Audit {
    pub(super) random: Random,
    organizations: Vec<Organization>,
    people: Vec<Person>,
    words: Vec<&'static str>,
    made: u64,
}

impl Audit {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let organizations = (0..ORGANIZATIONS)
            .map(|index| Organization {
                id: format!("org_{}", random.hex(12)),
                name: format!("Acme {index} GmbH & Co"),
                region: random.choice(&REGIONS),
            })
            .collect();
        let people = (0..PEOPLE).map(|_| person(&mut random)).collect();
        let words = WORDS.split_whitespace().collect();
        Self { random, organizations, people, words, made: 0 }
    }

    pub(super) fn record(&mut self) -> Tree {
        let index = self.made;
        self.made += 1;
        let created = time(index * STEP_MS + self.random.below(30) as u64);
        let organization = self.random.below(ORGANIZATIONS);
        if self.random.chance(0.03) {
            return self.heartbeat(created, organization);
        }

        let tokens_in = self.random.log_normal(6.5, 1.2);
        let tokens_out = self.random.log_normal(5.5, 1.1);
        let random = &mut self.random;
        let mut record = Tree::object([
            ("id", format!("evt_{}", random.hex(24)).into()),
            ("object", "audit.event".into()),
            ("schema_version", "2026-03-01".into()),
            ("created_at", created.into()),
            ("type", TYPES[random.weighted(&WEIGHTS)].into()),
            ("severity", random.choice(&["info", "info", "low", "medium"]).into()),
        ]);
        record.push("organization", self.organization(organization));
        record.push("project", self.project());
        record.push("actor", self.actor());
        record.push("target", self.target());
        record.push("request", self.request());
        record.push("response", self.response());
        if !self.random.chance(0.03) {
            record.push("usage", usage(tokens_in, tokens_out));
        }
        if let Some(cost) = self.cost(tokens_in, tokens_out) {
            record.push("cost", cost);
        }
        record.push("policy", self.policy());
        record.push("metadata", self.metadata(index));
        record
    }

    fn heartbeat(&mut self, created: String, organization: usize) -> Tree {
        let (random, id) = (&mut self.random, &self.organizations[organization].id);
        Tree::object([
            ("id", format!("evt_{}", random.hex(24)).into()),
            ("object", "audit.event".into()),
            ("created_at", created.into()),
            ("type", "heartbeat".into()),
            ("organization", Tree::object([("id", id.into())])),
            ("node", format!("collector-{}", random.below(9)).into()),
            ("uptime_s", random.below(1_000_000).into()),
        ])
    }

    fn organization(&mut self, index: usize) -> Tree {
        let Organization { id, name, region } = &self.organizations[index];
        let account = format!("ba_{}", self.random.hex(10));
        let cost_center = format!("CC-{:04}", self.random.below(9999));
        let billing = [("account", account.into()), ("cost_center", cost_center.into())];
        Tree::object([
            ("id", id.into()),
            ("name", name.into()),
            ("region", (*region).into()),
            ("billing", Tree::object(billing)),
        ])
    }

    fn project(&mut self) -> Tree {
        Tree::object([
            ("id", format!("proj_{}", self.random.hex(12)).into()),
            ("name", self.random.choice(&["search", "support-bot", "r&d"]).into()),
            ("labels", Tree::array(["prod", "pii"])),
        ])
    }

    fn actor(&mut self) -> Tree {
        let random = &mut self.random;
        let person = &self.people[random.below(PEOPLE)];
        let kind = random.choice(&["user", "user", "user", "service", "api_key"]);
        let mut roles = ["admin", "developer", "viewer", "billing"];
        random.shuffle(&mut roles);
        let roles = &roles[..random.within(1, 3)];
        let (country, city) = random.choice(&CITIES);
        let [b, c, d] = [(); 3].map(|()| random.below(256));
        let session = Tree::object([
            ("id", random.uuid().into()),
            ("ip", format!("10.{b}.{c}.{d}").into()),
            ("user_agent", random.choice(&USER_AGENTS).into()),
            ("geo", Tree::object([("country", country.into()), ("city", city.into())])),
        ]);
        let mail = match random.below(100) {
            0..5 => None,
            5..7 => Some(Tree::Null),
            _ => Some((&person.mail).into()),
        };
        let mut actor = Tree::object([("type", kind.into()), ("id", (&person.id).into())]);
        if let Some(mail) = mail {
            actor.push("email", mail);
        }
        actor.push("name", &person.name);
        actor.push("roles", Tree::array(roles.iter().copied()));
        actor.push("session", session);
        actor
    }

    fn target(&mut self) -> Tree {
        let random = &mut self.random;
        let name = match random.chance(0.1) {
            true => Tree::Null,
            false => random.choice(&TARGET_NAMES).into(),
        };
        Tree::object([
            ("type", random.choice(&["model", "file", "key"]).into()),
            ("id", format!("tgt_{}", random.hex(12)).into()),
            ("name", name),
        ])
    }

    fn request(&mut self) -> Tree {
        let preview = self.text();
        let random = &mut self.random;
        let system = [
            ("role", "system".into()),
            ("chars", random.below(2000).into()),
            ("sha256", random.hex(64).into()),
        ];
        let user = [
            ("role", "user".into()),
            ("chars", random.below(9000).into()),
            ("preview", preview.into()),
        ];
        let tools = (0..random.below(3)).map(|_| {
            Tree::object([
                ("name", random.choice(&["search", "code", "sql"]).into()),
                ("calls", random.below(5).into()),
            ])
        });
        let tools = Tree::array(tools.collect::<Vec<_>>());
        Tree::object([
            ("id", format!("req_{}", random.uuid()).into()),
            ("model", random.choice(&MODELS).into()),
            ("endpoint", "/v1/chat/completions".into()),
            ("method", "POST".into()),
            ("temperature", Tree::float(random.below(15) as f64 / 10.0)),
            ("max_tokens", 4096_u64.into()),
            ("stream", random.chance(0.5).into()),
            ("messages", Tree::Array(vec![Tree::object(system), Tree::object(user)])),
            ("tools", tools),
        ])
    }

    fn response(&mut self) -> Tree {
        let random = &mut self.random;
        let status = match random.below(15) {
            12 => 400_u64,
            13 => 429,
            14 => 500,
            _ => 200,
        };
        Tree::object([
            ("status", status.into()),
            ("latency_ms", Tree::float(random.within(90, 900_000) as f64 / 100.0)),
            ("finish_reason", random.choice(&["stop", "length", "tool_calls"]).into()),
            ("error", Tree::Null),
        ])
    }

    fn cost(&mut self, tokens_in: u64, tokens_out: u64) -> Option<Tree> {
        let amount = match self.random.below(100) {
            0..70 => {
                let micros = tokens_in as f64 * 1.5 + tokens_out as f64 * 8.0;
                Tree::float(micros.round() / 1e6)
            }
            70..80 => Tree::Null,
            _ => return None,
        };
        Some(Tree::object([("amount", amount), ("currency", "USD".into())]))
    }

    fn policy(&mut self) -> Tree {
        let random = &mut self.random;
        let decision = random.choice(&["allow", "allow", "flag"]);
        let rules = (0..random.below(3)).map(|_| format!("r-{}", random.below(99)));
        let rules = Tree::array(rules.collect::<Vec<_>>());
        Tree::object([("decision", decision.into()), ("rules", rules)])
    }

    fn metadata(&mut self, index: u64) -> Tree {
        let collector = format!("c-{}", self.random.below(9));
        let ingest = [("collector", collector.into()), ("offset", index.into())];
        Tree::object([
            ("trace_id", self.random.hex(32).into()),
            ("env", "prod".into()),
            ("ingest", Tree::object(ingest)),
        ])
    }

    /// A text of some words, some of them with an end on another line.
    fn text(&mut self) -> String {
        let random = &mut self.random;
        let words: Vec<_> = (0..random.within(4, 22)).map(|_| random.choice(&self.words)).collect();
        words.join(" ") + random.choice(&["", "\n", "\n\tdone."])
    }
}

fn usage(tokens_in: u64, tokens_out: u64) -> Tree {
    let details = [("reasoning", (tokens_out / 4).into()), ("audio", 0_u64.into())];
    Tree::object([
        ("input_tokens", tokens_in.into()),
        ("output_tokens", tokens_out.into()),
        ("cached_tokens", (tokens_in / 3).into()),
        ("details", Tree::object(details)),
    ])
}

fn person(random: &mut Random) -> Person {
    let (first, last) = (random.choice(&FIRST_NAMES), random.choice(&LAST_NAMES));
    let (number, domain) = (random.below(1_000_000), random.choice(&MAIL_DOMAINS));
    let id = format!("user_{}", random.hex(16));
    let initial = first.chars().next().expect("names are not empty");
    let name = match number % 9 {
        0 => format!("{first} \"{initial}\" {last}"),
        _ => format!("{first} {last}"),
    };
    let ascii = |name: &str| match name.replace(|c: char| !c.is_ascii_alphanumeric(), "") {
        empty if empty.is_empty() => "x".to_owned(),
        letters => letters,
    };
    let mail = format!("{}.{}{number}@{domain}", ascii(first), ascii(last));
    Person { id, name, mail }
}

/// So many milliseconds behind the start, as RFC 3339 has it.
fn time(ms: u64) -> String {
    let at =
        i64::try_from(START_S * 1000 + ms).expect("the records end before the year 292,000,000");
    let at = jiff::Timestamp::from_millisecond(at).expect("it is in the range of civil time");
    format!("{at:.3}")
}
