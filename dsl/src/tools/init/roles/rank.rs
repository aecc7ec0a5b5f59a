//! How well a path fits a role: by its name, its types and its values. Smaller is better; none if it does not fit.

use super::Candidate;
use crate::tools::infer::{Form, PathFacts, Step};
use crate::tools::init::words::{went_well, words};

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

pub(super) fn id_rank(c: &Candidate<'_>) -> Option<usize> {
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

pub(super) fn time_rank(c: &Candidate<'_>) -> Option<usize> {
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
pub(super) fn time_forms(facts: &PathFacts) -> Vec<Form> {
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

pub(super) fn actor_rank(c: &Candidate<'_>) -> Option<usize> {
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

pub(super) fn org_rank(c: &Candidate<'_>) -> Option<usize> {
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

pub(super) fn action_rank(c: &Candidate<'_>) -> Option<usize> {
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

pub(super) fn ip_rank(c: &Candidate<'_>) -> Option<usize> {
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

pub(super) fn cost_rank(c: &Candidate<'_>) -> Option<usize> {
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

pub(super) fn tokens_rank(c: &Candidate<'_>, side: &[&str]) -> Option<usize> {
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

pub(super) fn status_rank(c: &Candidate<'_>) -> Option<usize> {
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
    let known = c.facts.values.iter().any(|(value, _)| went_well(value).is_some());
    let kind = c.is_text() || c.facts.kinds.booleans * 2 > c.facts.scalars();
    (c.depth <= 2 && known && kind && !c.facts.more_values).then_some(c.depth * 20 + rank)
}

pub(super) fn target_rank(c: &Candidate<'_>) -> Option<usize> {
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
