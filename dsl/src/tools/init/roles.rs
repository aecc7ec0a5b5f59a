//! Which paths of a sample play which part in an event: by their names, and by what stands there.
//!
//! A part may be played by several paths: `.actor.email ?? .actor.id`. They are tried in the order of how well their
//! names fit, and a path joins only if it has something in a record where those before it have nothing.

use std::collections::HashSet;

use super::words::words;
use crate::tools::infer::{Form, PathFacts, Paths, Step, path_text};
use crate::tools::json::Json;
use crate::tools::sample::plain;

/// Most paths that play one part together.
const CHAIN_MAX: usize = 4;
/// Most keys of a choice.
const CHOICE_MAX: usize = 60;

/// A path that plays a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) steps: Vec<Step>,
    pub(super) text: String,
}

/// A path that is a time, and how its values are read, most frequent first.
#[derive(Debug, Clone)]
pub(super) struct TimePart {
    pub(super) part: Part,
    pub(super) forms: Vec<Form>,
}

/// What was guessed.
#[derive(Debug, Default)]
pub(super) struct Roles {
    pub(super) id: Vec<Part>,
    /// Some records have no id.
    pub(super) id_gaps: bool,
    pub(super) time: Vec<TimePart>,
    /// Some records have no time.
    pub(super) time_gaps: bool,
    pub(super) actor: Vec<Part>,
    pub(super) email: Option<Part>,
    pub(super) uid: Option<Part>,
    pub(super) org: Option<Part>,
    pub(super) session: Option<Part>,
    pub(super) action: Vec<Part>,
    pub(super) target: Vec<Part>,
    /// `.("a" | "b").id`: objects under keys that are named like the action.
    pub(super) target_choice: Option<(Vec<String>, Option<String>)>,
    pub(super) cost: Option<Part>,
    pub(super) tokens_input: Vec<Part>,
    pub(super) tokens_output: Vec<Part>,
    pub(super) ip: Vec<Part>,
    pub(super) user_agent: Option<Part>,
    pub(super) status: Option<Part>,
    pub(super) model: Option<Part>,
}

/// A scalar path with its names taken apart.
struct Candidate<'f> {
    facts: &'f PathFacts,
    /// The last name without separators.
    last: String,
    last_words: Vec<String>,
    /// Of the names before the last.
    before: Vec<String>,
    depth: usize,
}

const ACTORS: &[&str] = &[
    "actor",
    "user",
    "principal",
    "identity",
    "caller",
    "initiator",
    "operator",
    "account",
    "owner",
    "member",
    "session",
    "requester",
    "requestor",
    "author",
    "sender",
    "admin",
    "employee",
    "person",
    "benutzer",
    "client",
];
const TARGETS: &[&str] = &[
    "target",
    "targets",
    "resource",
    "object",
    "affected",
    "destination",
    "dest",
    "dst",
    "recipient",
    "assignee",
    "new",
    "old",
    "previous",
    "victim",
    "response",
    "output",
    "deleted",
    "removed",
    "added",
    "invited",
    "assignment",
];

impl<'f> Candidate<'f> {
    fn new(facts: &'f PathFacts) -> Option<Self> {
        let names: Option<Vec<&String>> = facts
            .steps
            .iter()
            .map(|step| if let Step::Key(name) = step { Some(name) } else { None })
            .collect();
        let names = names?;
        let (last, before) = names.split_last()?;
        let usable = facts.scalars() > 0 && facts.kinds.objects == 0 && facts.kinds.arrays == 0;
        (usable && names.len() <= 6 && !last.is_empty()).then(|| Self {
            facts,
            last: plain(last),
            last_words: words(last),
            before: before.iter().flat_map(|name| words(name)).collect(),
            depth: names.len(),
        })
    }

    fn part(&self) -> Part {
        Part { steps: self.facts.steps.clone(), text: path_text(&self.facts.steps) }
    }

    fn is(&self, names: &[&str]) -> bool {
        names.contains(&self.last.as_str())
    }

    fn position(&self, names: &[&str]) -> Option<usize> {
        names.iter().position(|name| *name == self.last)
    }

    fn is_below(&self, names: &[&str]) -> bool {
        self.before.iter().any(|word| names.contains(&word.as_str()))
    }

    fn says(&self, names: &[&str]) -> bool {
        self.is_below(names) || self.last_words.iter().any(|word| names.contains(&word.as_str()))
    }

    fn ends_with_word(&self, names: &[&str]) -> bool {
        self.last_words.last().is_some_and(|word| names.contains(&word.as_str()))
    }

    /// Nearly all its values can be read so.
    fn mostly(&self, form: Form) -> bool {
        self.facts.form(form) * 10 >= self.facts.scalars() * 9
    }

    fn is_text(&self) -> bool {
        self.facts.kinds.texts * 2 > self.facts.scalars()
    }

    fn is_number(&self) -> bool {
        let numbers =
            self.facts.kinds.integers + self.facts.kinds.decimals + self.facts.form(Form::Number);
        numbers * 10 >= self.facts.scalars() * 9
    }

    fn is_constant(&self, records: u64) -> bool {
        records >= 5
            && self.facts.values.len() == 1
            && !self.facts.more_values
            && self.facts.present * 10 >= records * 9
    }
}

/// Guesses the parts.
pub(super) fn guess(paths: &Paths, records: &[Json]) -> Roles {
    let candidates: Vec<Candidate<'_>> = paths.list.iter().filter_map(Candidate::new).collect();
    let mut guess = Guess { candidates, records, taken: HashSet::new() };
    let mut roles = Roles::default();
    (roles.time, roles.time_gaps) = guess.time();
    (roles.id, roles.id_gaps) = guess.id();
    roles.action = guess.chain(2, action_rank);
    roles.actor = guess.chain(CHAIN_MAX, actor_rank);
    let who = roles.actor.clone();
    let place = |part: &Part| part.steps[..part.steps.len() - 1].to_vec();
    roles.email = guess.shared(|c| {
        who.iter().position(|part| part.steps == c.facts.steps && c.mostly(Form::Email))
    });
    roles.uid = guess.shared(|c| {
        let is_id = actor_rank(c).is_some_and(|rank| rank % 100 / 10 == 5);
        who.iter().position(|part| is_id && place(part) == place(&c.part()))
    });
    roles.org = guess.one(org_rank);
    roles.session = guess.one(|c| {
        let session = c.is(&["sessionid", "sessionuid"])
            || c.is_below(&["session"])
                && c.last == "id"
                && c.before.last().is_some_and(|word| word == "session");
        session.then_some(c.depth)
    });
    roles.ip = guess.chain(2, ip_rank);
    roles.user_agent =
        guess.one(|c| (c.last.ends_with("useragent") && c.is_text()).then_some(c.depth));
    roles.cost = guess.one(cost_rank);
    roles.tokens_input = guess.chain(2, |c| tokens_rank(c, &["input", "prompt", "in", "ein"]));
    roles.tokens_output =
        guess.chain(2, |c| tokens_rank(c, &["output", "completion", "out", "generated", "aus"]));
    roles.model = guess.shared(|c| {
        (c.is(&["model", "modelid", "modelname", "modell"]) && c.is_text()).then_some(c.depth)
    });
    roles.status = guess.one(status_rank);
    roles.target_choice = guess.target_choice(&roles.action);
    roles.target = guess.chain(CHAIN_MAX, target_rank);
    roles
}

struct Guess<'f> {
    candidates: Vec<Candidate<'f>>,
    records: &'f [Json],
    /// Indices of candidates that play a part already.
    taken: HashSet<usize>,
}

impl Guess<'_> {
    /// The candidates that a rank accepts, the best first.
    fn ranked(&self, rank: impl Fn(&Candidate<'_>) -> Option<usize>) -> Vec<usize> {
        let mut ranked: Vec<(usize, u64, usize)> = self
            .candidates
            .iter()
            .enumerate()
            .filter(|(at, _)| !self.taken.contains(at))
            .filter_map(|(at, candidate)| {
                // What only few records have stands in for what the others have.
                let is_rare = candidate.facts.present * 4 < self.records.len() as u64;
                let rank = rank(candidate)? + if is_rare { 10_000 } else { 0 };
                Some((rank, u64::MAX - candidate.facts.present, at))
            })
            .collect();
        ranked.sort_unstable();
        ranked.into_iter().map(|(_, _, at)| at).collect()
    }

    /// The best candidates that together have a value in the most records; says too whether some have none.
    fn cover(&self, ranked: &[usize], max: usize) -> (Vec<usize>, bool) {
        let mut open: Vec<&Json> = self.records.iter().collect();
        let mut chosen = Vec::new();
        for at in ranked {
            if open.is_empty() || chosen.len() == max {
                break;
            }
            let before = open.len();
            open.retain(|record| !has_value(record, &self.candidates[*at].facts.steps));
            if open.len() < before {
                chosen.push(*at);
            }
        }
        (chosen, !open.is_empty())
    }

    fn chain(&mut self, max: usize, rank: impl Fn(&Candidate<'_>) -> Option<usize>) -> Vec<Part> {
        let (chosen, _) = self.cover(&self.ranked(rank), max);
        self.take(&chosen)
    }

    fn take(&mut self, chosen: &[usize]) -> Vec<Part> {
        self.taken.extend(chosen);
        chosen.iter().map(|at| self.candidates[*at].part()).collect()
    }

    fn one(&mut self, rank: impl Fn(&Candidate<'_>) -> Option<usize>) -> Option<Part> {
        let best = self.ranked(rank).first().copied()?;
        self.take(&[best]).pop()
    }

    /// The best candidate, also if it plays another part.
    fn shared(&mut self, rank: impl Fn(&Candidate<'_>) -> Option<usize>) -> Option<Part> {
        let taken = std::mem::take(&mut self.taken);
        let found = self.one(rank);
        self.taken = taken;
        found
    }

    fn id(&mut self) -> (Vec<Part>, bool) {
        let (chosen, gaps) = self.cover(&self.ranked(id_rank), 2);
        (self.take(&chosen), gaps)
    }

    fn time(&mut self) -> (Vec<TimePart>, bool) {
        let (chosen, gaps) = self.cover(&self.ranked(time_rank), 3);
        let parts = self.take(&chosen);
        let parts = parts
            .into_iter()
            .zip(&chosen)
            .map(|(part, at)| TimePart { part, forms: time_forms(self.candidates[*at].facts) });
        (parts.collect(), gaps)
    }

    /// Objects under keys that are named like the action of their record.
    fn target_choice(&self, action: &[Part]) -> Option<(Vec<String>, Option<String>)> {
        let action = action.first()?;
        let mut keys: Vec<String> = Vec::new();
        let (mut with_id, mut found) = (0, 0);
        for record in self.records {
            let Some(value) = value_at(record, &action.steps).and_then(Json::scalar) else {
                continue;
            };
            let (value, Json::Object(members)) = (plain(value), record) else { continue };
            let same = |(name, value_of): &&(String, Json)| {
                matches!(value_of, Json::Object(_)) && !value.is_empty() && plain(name) == value
            };
            let Some((name, object)) = members.iter().find(same) else { continue };
            found += 1;
            with_id += usize::from(object.get("id").is_some_and(|id| id.scalar().is_some()));
            if !keys.contains(name) && keys.len() < CHOICE_MAX && name.len() <= 100 {
                keys.push(name.clone());
            }
        }
        (keys.len() > 1 && with_id * 2 > found).then(|| (keys, Some("id".to_owned())))
    }
}

/// The value at a path without elements.
pub(super) fn value_at<'j>(record: &'j Json, steps: &[Step]) -> Option<&'j Json> {
    steps.iter().try_fold(record, |value, step| match step {
        Step::Key(name) => value.get(name),
        Step::Elements => None,
    })
}

fn has_value(record: &Json, steps: &[Step]) -> bool {
    value_at(record, steps).and_then(Json::scalar).is_some_and(|text| !text.is_empty())
}

fn id_rank(c: &Candidate<'_>) -> Option<usize> {
    const NAMES: &[&str] = &[
        "id",
        "eventid",
        "eventuuid",
        "uuid",
        "guid",
        "activityid",
        "requestid",
        "recordid",
        "logid",
        "auditid",
        "entryid",
        "logentryid",
        "documentid",
        "messageid",
        "msgid",
        "insertid",
        "transactionid",
        "runid",
        "callid",
        "invocationid",
        "operationid",
        "traceid",
        "uid",
        "oid",
    ];
    let rank = c.position(NAMES)?;
    let top = c.depth == 1
        || c.depth == 2 && c.is_below(&["event", "metadata", "meta", "audit", "log", "data"]);
    // Repeats are no reason against an id; a handful of values for many records is.
    let distinct = c.facts.values.len() as u64;
    let share = if c.last == "id" { 5 } else { 2 };
    let unique = c.facts.more_values || distinct * share >= c.facts.scalars();
    (top && unique && c.facts.kinds.booleans == 0).then_some(rank * 8 + c.depth)
}

fn time_rank(c: &Candidate<'_>) -> Option<usize> {
    const NAMES: &[&str] = &[
        "timestamp",
        "eventtime",
        "time",
        "createdat",
        "occurredat",
        "effectiveat",
        "eventtimestamp",
        "datetime",
        "ts",
        "created",
        "createtime",
        "date",
        "eventdate",
        "starttime",
        "startedat",
        "start",
        "loggedat",
        "requesttime",
        "zeitpunkt",
        "zeit",
        "zeitstempel",
        "datum",
        "receivedat",
        "ingestedat",
        "atsigntimestamp",
        "updatedat",
        "completedat",
        "finishedat",
        "endtime",
    ];
    const WORDS: &[&str] = &["time", "timestamp", "date", "at", "ts", "on"];
    let covered: u64 = time_forms(c.facts).iter().map(|form| c.facts.form(*form)).sum();
    if covered * 10 < c.facts.scalars() * 9 {
        return None;
    }
    let named = c.position(NAMES).or_else(|| c.ends_with_word(WORDS).then_some(NAMES.len()));
    let typed = c.facts.forms.iter().any(|(form, _)| matches!(form, Form::Rfc3339 | Form::Time(_)));
    let rank = named.or_else(|| typed.then_some(NAMES.len() + 1))?;
    Some(c.depth * 100 + rank)
}

/// The forms that together read a path's values: a further one only as far as those before leave values over.
fn time_forms(facts: &PathFacts) -> Vec<Form> {
    let mut forms: Vec<(Form, u64)> =
        facts.forms.iter().copied().filter(|(form, _)| form.is_time()).collect();
    // Of two forms that read the same values the one that stands first in the list of forms is the more usual.
    forms.sort_by_key(|(form, count)| (std::cmp::Reverse(*count), *form));
    let mut open = facts.scalars();
    let mut chosen = Vec::new();
    for (form, count) in forms {
        if count <= open && chosen.len() < 3 {
            open -= count;
            chosen.push(form);
        }
    }
    chosen
}

fn actor_rank(c: &Candidate<'_>) -> Option<usize> {
    let rank =
        if c.says(TARGETS) || !c.is_text() && c.facts.kinds.integers == 0 || time_rank(c).is_some()
        {
            return None;
        } else if c.says(ACTORS)
            && c.says(&["email", "mail", "upn"])
            && c.is_text()
            && !c.ends_with_word(&["id", "verified", "domain"])
        {
            0
        } else if c.is(&[
            "email",
            "emailaddress",
            "mail",
            "useremail",
            "actoremail",
            "useremailaddress",
        ]) {
            1
        } else if c.is(&[
            "username",
            "actorname",
            "userprincipalname",
            "login",
            "loginname",
            "actorlogin",
            "userlogin",
        ]) {
            2
        } else if c.is_below(ACTORS)
            && c.is(&["name", "displayname", "login", "arn", "alternateid", "principal"])
        {
            3
        } else if c.is(&[
            "actor",
            "user",
            "principal",
            "caller",
            "enduser",
            "requester",
            "initiatedby",
            "performedby",
            "createdby",
            "benutzer",
            "operator",
            "author",
            "sender",
            "account",
            "owner",
        ]) {
            4
        } else if c.is_below(ACTORS)
            && c.is(&["id", "uid", "userid", "principalid", "accountid", "apikeyid"])
            || c.is(&[
                "userid",
                "actorid",
                "principalid",
                "accountid",
                "employeeid",
                "callerid",
                "useruuid",
            ])
        {
            5
        } else if c.mostly(Form::Email) {
            6
        } else {
            return None;
        };
    // `.actor.email` is who did it; `.commit.author.email` is somebody that the record speaks of.
    let beside = c.depth > 1 && !c.facts.steps.first().is_some_and(|step| matches!(step, Step::Key(name) if words(name).iter().any(|word| ACTORS.contains(&word.as_str()))));
    Some(rank * 10 + c.depth + if beside { 100 } else { 0 })
}

fn org_rank(c: &Candidate<'_>) -> Option<usize> {
    const NAMES: &[&str] = &[
        "organizationid",
        "orgid",
        "organizationuuid",
        "tenantid",
        "org",
        "organization",
        "tenant",
        "workspaceid",
        "business",
        "customerid",
        "subscriptionid",
        "accountid",
        "teamid",
    ];
    (c.depth <= 2).then(|| c.position(NAMES).map(|rank| rank * 8 + c.depth)).flatten()
}

fn action_rank(c: &Candidate<'_>) -> Option<usize> {
    const NAMES: &[&str] = &[
        "action",
        "eventname",
        "eventtype",
        "activitytype",
        "actiontype",
        "operationname",
        "operation",
        "event",
        "activity",
        "type",
        "calltype",
        "method",
        "requesttype",
        "verb",
        "command",
        "vorgang",
        "aktion",
        "kind",
        "category",
        "name",
        "message",
    ];
    let rank = c.position(NAMES)?;
    let above = c.depth == 1
        || c.depth == 2
            && c.is_below(&[
                "event",
                "action",
                "activity",
                "operation",
                "audit",
                "request",
                "metadata",
                "data",
            ]);
    let few = !c.facts.more_values;
    (above && few && c.is_text() && !c.says(TARGETS) && time_rank(c).is_none())
        .then_some(c.depth * 50 + rank)
}

fn ip_rank(c: &Candidate<'_>) -> Option<usize> {
    let ips = c.facts.form(Form::Ip);
    if ips == 0
        || ips * 2 < c.facts.scalars()
        || c.says(&["dest", "dst", "destination", "target", "server", "private", "local"])
    {
        return None;
    }
    let preferred = c.says(&[
        "source",
        "src",
        "client",
        "remote",
        "caller",
        "actor",
        "user",
        "session",
        "requester",
    ]);
    Some(if preferred { c.depth } else { 10 + c.depth })
}

fn cost_rank(c: &Candidate<'_>) -> Option<usize> {
    const NAMES: &[&str] = &[
        "costusd",
        "totalcostusd",
        "cost",
        "totalcost",
        "spend",
        "price",
        "amountusd",
        "responsecost",
        "usd",
    ];
    let other_currency =
        c.says(&["eur", "gbp", "jpy", "chf", "inr", "cny"]) || c.last.contains("eur");
    c.position(NAMES).filter(|_| c.is_number() && !other_currency).map(|rank| rank * 8 + c.depth)
}

fn tokens_rank(c: &Candidate<'_>, side: &[&str]) -> Option<usize> {
    const NOT: &[&str] = &[
        "details",
        "cached",
        "cache",
        "audio",
        "max",
        "limit",
        "cost",
        "price",
        "reasoning",
        "total",
    ];
    let tokens = c.last_words.iter().any(|word| word == "tokens" || word == "token");
    let own_side = c.last_words.iter().any(|word| side.contains(&word.as_str()));
    (tokens && own_side && c.is_number() && c.facts.kinds.decimals == 0 && !c.says(NOT))
        .then_some(c.depth)
}

fn status_rank(c: &Candidate<'_>) -> Option<usize> {
    const NAMES: &[&str] = &[
        "status",
        "outcome",
        "result",
        "eventoutcome",
        "success",
        "succeeded",
        "conclusion",
        "state",
        "ergebnis",
    ];
    let rank = c.position(NAMES)?;
    let known = c.facts.values.iter().any(|(value, _)| super::words::went_well(value).is_some());
    let kind = c.is_text() || c.facts.kinds.booleans * 2 > c.facts.scalars();
    (c.depth <= 2 && known && kind && !c.facts.more_values).then_some(c.depth * 20 + rank)
}

fn target_rank(c: &Candidate<'_>) -> Option<usize> {
    const WHAT: &[&str] = &[
        "target",
        "resource",
        "object",
        "resourcename",
        "resourceid",
        "resourcearn",
        "targetid",
        "targetname",
        "objectid",
        "objectname",
        "targetuser",
        "targetresource",
    ];
    const THINGS: &[&str] = &[
        "repo",
        "repository",
        "repofullname",
        "file",
        "filename",
        "filepath",
        "path",
        "url",
        "uri",
        "document",
        "documentid",
        "bucket",
        "bucketname",
        "database",
        "table",
        "projectid",
        "project",
        "projectname",
        "model",
        "modelid",
        "modelname",
        "modell",
        "tool",
        "toolname",
        "app",
        "appname",
        "application",
        "channel",
        "service",
        "servicename",
        "endpoint",
        "workflow",
        "team",
        "group",
        "hostname",
        "host",
    ];
    const NO_THING: &[&str] = &[
        "request",
        "trace",
        "span",
        "session",
        "event",
        "correlation",
        "parent",
        "organization",
        "org",
        "tenant",
        "user",
        "actor",
        "account",
        "business",
        "run",
        "log",
        "message",
        "client",
        "external",
    ];
    if time_rank(c).is_some()
        || c.facts.form(Form::Ip) > 0
        || c.facts.kinds.booleans > 0
        || !c.is_text() && !c.ends_with_word(&["id"])
    {
        return None;
    }
    let rank = if c.is_below(TARGETS)
        && c.is(&["id", "name", "uid", "path", "uri", "url", "arn", "email", "displayname", "key"])
    {
        0
    } else if c.is(WHAT) {
        1
    } else if let Some(thing) = c.position(THINGS) {
        return (c.depth <= 2).then_some(
            20 + thing + c.depth * 40 + usize::from(c.is_constant(c.facts.present)) * 100,
        );
    } else if c.ends_with_word(&["id", "uuid"])
        && c.last_words.len() > 1
        && !c.says(NO_THING)
        && !c.is_below(ACTORS)
    {
        9
    } else {
        return None;
    };
    // What is always the same is hardly what each event is about.
    Some(rank * 20 + c.depth + usize::from(c.is_constant(c.facts.present)) * 400)
}
