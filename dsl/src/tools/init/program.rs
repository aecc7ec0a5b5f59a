//! Guessed parts to the text of a program.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::roles::{Part, Roles, TimePart};
use super::words::{self, Verb};
use crate::ocsf;
use crate::tools::infer::{Form, Paths, Step, path_text};
use crate::tools::sample::plain;
use crate::tools::write;

/// Most lines of `unmapped` in one event.
const UNMAPPED_MAX: usize = 100;
/// Most values of an action that are told apart.
const ACTIONS_MAX: usize = 100;

/// How much is guessed. Where a program of one level does not do, that of the next is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// All parts, and a branch for each class of events.
    Full,
    /// All parts, one class.
    OneClass,
    /// Only what every event needs.
    Least,
}

/// Actions with the captions of their activities.
type Activities = Vec<(String, &'static str)>;

/// What a program is written from.
pub(super) struct Writer<'s> {
    pub(super) name: &'s str,
    pub(super) ocsf: &'static ocsf::Schema,
    pub(super) input: String,
    pub(super) paths: &'s Paths,
    pub(super) roles: &'s Roles,
    pub(super) level: Level,
}

impl Writer<'_> {
    /// The program, without tests.
    pub(super) fn program(&self) -> String {
        let mut out = String::new();
        self.head(&mut out);
        self.event(&mut out);
        self.statements(&mut out);
        out
    }

    fn head(&self, out: &mut String) {
        let Self { name, ocsf, input, paths, .. } = self;
        let with = if self.has_ai() { " with ai_operation" } else { "" };
        let name = write::text(name);
        let _ = write!(
            out,
            "weir 1\nparser {name} version 1\nocsf \"{}\"{with}\nproduct {name} by {name}    # guess: the product, and its vendor\n\n{input}\n\n\
             on error {{\n  required reject    # a required value is missing or unreadable -> dead letter\n  optional skip      # an optional one -> leave it out, count it\n}}\n\n\
             # Written by `weir init` from {} record{}. Everything was guessed from names and values: look at each line,\n\
             # then at `weir coverage`, which tells what the program makes of a sample.\n",
            ocsf.version,
            paths.records,
            if paths.records == 1 { "" } else { "s" },
        );
        let secrets: Vec<String> = self.secrets().iter().map(|steps| path_text(steps)).collect();
        if !secrets.is_empty() {
            let _ = writeln!(
                out,
                "\n# Names that say that their values must not be seen.\nraw redact [{}]\n",
                secrets.join(", ")
            );
        }
        if self.chains() {
            if let Some(who) = self.who_chain() {
                let _ = writeln!(out, "let who = {who}");
            }
            if let Some(what) = self.what_chain() {
                let _ = writeln!(out, "let what = {what}");
            }
        }
    }

    /// Paths whose names say that they hold secrets, and that play no part.
    fn secrets(&self) -> Vec<Vec<Step>> {
        let used = self.used();
        let facts = self.paths.list.iter().filter(|facts| {
            facts.kinds.texts > 0
                && facts.kinds.objects + facts.kinds.arrays == 0
                && !facts.steps.contains(&Step::Elements)
                && matches!(facts.steps.last(), Some(Step::Key(name)) if is_secret(name))
                && !used.contains(&facts.steps)
        });
        facts.map(|facts| facts.steps.clone()).take(20).collect()
    }

    /// More than the least is guessed.
    fn chains(&self) -> bool {
        self.level < Level::Least
    }

    fn has_ai(&self) -> bool {
        let api = self.ocsf.class("api_activity");
        let has_profile = api.is_some_and(|class| class.profiles.contains(&"ai_operation"));
        self.chains()
            && has_profile
            && self.roles.model.is_some()
            && !(self.roles.tokens_input.is_empty() && self.roles.tokens_output.is_empty())
    }

    fn who_chain(&self) -> Option<String> {
        chain(&self.roles.actor)
    }

    fn what_chain(&self) -> Option<String> {
        chain(&self.roles.action)
    }

    fn event(&self, out: &mut String) {
        let product = write::text(self.name);
        out.push_str("\nevent {\n");
        out.push_str(
            "  # Events with an id that was seen before are taken for repeats, and stored once.\n",
        );
        self.id(out);
        self.time(out);
        let (who, what) = match self.chains() {
            true => (
                self.who_chain().map(|_| "who".to_owned()),
                self.what_chain().map(|_| "what".to_owned()),
            ),
            false => (self.who_chain(), self.what_chain()),
        };
        match who {
            Some(who) => {
                let _ = writeln!(
                    out,
                    "  actor = {who}  on missing \"unknown\"  on invalid \"unknown\""
                );
            }
            None => out.push_str("  # No path looks like who did it.\n  actor = \"unknown\"\n"),
        }
        match what {
            Some(what) => {
                let _ = writeln!(
                    out,
                    "  action = {what}  on missing \"unknown\"  on invalid \"unknown\""
                );
            }
            None => out.push_str("  # No path looks like what was done.\n  action = \"unknown\"\n"),
        }
        match self.target() {
            Some(target) => {
                let _ = writeln!(
                    out,
                    "  target = {target}  on missing {product}  on invalid {product}"
                );
            }
            None => {
                let _ = writeln!(
                    out,
                    "  # No path looks like what it was done to.\n  target = {product}"
                );
            }
        }
        if self.chains() {
            if let Some(cost) = &self.roles.cost {
                let _ = writeln!(out, "  cost_usd = {}    # guess: it is in US dollars", cost.text);
            }
            if let Some(tokens) = chain(&self.roles.tokens_input) {
                let _ = writeln!(out, "  tokens_input = {tokens}");
            }
            if let Some(tokens) = chain(&self.roles.tokens_output) {
                let _ = writeln!(out, "  tokens_output = {tokens}");
            }
        }
        out.push_str("}\n");
    }

    fn id(&self, out: &mut String) {
        let place = "\"{meta.key}:{meta.offset}\"";
        let of = self.identifying();
        let made = (!of.is_empty()).then(|| format!("stable_id({})", of.join(", ")));
        match (chain(&self.roles.id), made) {
            (Some(id), _) if !self.roles.id_gaps => {
                let _ = writeln!(out, "  id = {id}");
            }
            (Some(id), Some(made)) => {
                let _ = writeln!(
                    out,
                    "  # Some records have no id: it is made of what tells them apart.\n  id = {id} ?? {made}  on missing {place}"
                );
            }
            (Some(id), None) => {
                let _ = writeln!(out, "  id = {id}  on missing {place}");
            }
            (None, Some(made)) => {
                let repeats = self.paths.get(&[Step::Key("id".to_owned())]);
                let why = if repeats.is_some_and(|facts| facts.scalars() > 1) {
                    "`.id` stands in several records of the sample; write `id = .id` if only repeats have the same."
                } else {
                    "No path looks like an id."
                };
                let _ = writeln!(
                    out,
                    "  # {why}\n  # So it is made of what tells records apart. Equal ones are stored once.\n  \
                     id = {made}  on missing {place}"
                );
            }
            (None, None) => {
                let _ = writeln!(
                    out,
                    "  # Nothing tells records apart but their place.\n  id = {place}"
                );
            }
        }
    }

    /// Paths whose values together tell records apart.
    fn identifying(&self) -> Vec<String> {
        let Roles { time, actor, action, target, session, ip, .. } = self.roles;
        let mut texts: Vec<String> = Vec::new();
        let times = time.iter().map(|time| &time.part);
        let parts = times.chain(actor).chain(action).chain(target).chain(session).chain(ip);
        texts.extend(parts.map(|part| part.text.clone()));
        let scalar = |facts: &&crate::tools::infer::PathFacts| {
            facts.scalars() > 0
                && facts.kinds.objects + facts.kinds.arrays == 0
                && facts.values.len() > 1
                && !facts.steps.contains(&Step::Elements)
                && facts.steps.len() <= 4
        };
        for facts in self.paths.list.iter().filter(scalar) {
            let text = facts.text();
            if texts.len() < 12 && !texts.contains(&text) {
                texts.push(text);
            }
        }
        texts
    }

    fn time(&self, out: &mut String) {
        let Roles { time, time_gaps, .. } = self.roles;
        let naive =
            time.iter().flat_map(|time| &time.forms).any(|form| form.reader().contains("\"UTC\""));
        if naive {
            out.push_str("  # The sample does not tell the time zone; UTC is a guess.\n");
        }
        let received = if *time_gaps { "  on missing meta.received_at" } else { "" };
        match time.as_slice() {
            [] => out.push_str("  # No path looks like a time: it is when the object was last modified.\n  time = meta.received_at\n"),
            [one] => {
                let (read, second) = two_readers(one);
                let _ = writeln!(out, "  time = {read}{received}{second}");
            }
            several => {
                let reads: Vec<String> = several.iter().map(reading).collect();
                let _ = writeln!(out, "  time = {}{received}", reads.join(" ?? "));
            }
        }
    }

    fn target(&self) -> Option<String> {
        let mut ways: Vec<String> = Vec::new();
        if let Some((keys, member)) = &self.roles.target_choice {
            let keys: Vec<String> = keys.iter().map(|key| write::text(key)).collect();
            let member =
                member.as_ref().map_or(String::new(), |name| format!(".{}", write::key(name)));
            ways.push(format!(".({}){member}", keys.join(" | ")));
        }
        ways.extend(chain(&self.roles.target));
        (!ways.is_empty()).then(|| ways.join(" ?? "))
    }

    /// The actions that are logins or logouts, and those that change an account.
    fn classes(&self) -> (Activities, Activities) {
        let (mut logins, mut accounts) = (Vec::new(), Vec::new());
        for action in self.actions() {
            let words = words::words(&action);
            if let Some(activity) = words::authentication(&words) {
                logins.push((action, activity));
            } else if let Some(activity) = words::account_change(&words)
                && self.has_caption("account_change", activity)
            {
                accounts.push((action, activity));
            }
        }
        (logins, accounts)
    }

    fn has_caption(&self, class: &str, caption: &str) -> bool {
        let class = self.ocsf.class(class);
        let activities = class.and_then(|class| class.attributes.get("activity_id"));
        activities
            .and_then(|attribute| attribute.enumeration)
            .is_some_and(|list| list.by_caption(caption).is_some())
    }

    /// The values of the action, as far as they are known.
    fn actions(&self) -> Vec<String> {
        let mut actions = BTreeSet::new();
        for part in &self.roles.action {
            let values = self.paths.get(&part.steps).map(|facts| &facts.values);
            actions.extend(values.into_iter().flatten().map(|(value, _)| value.clone()));
        }
        actions.into_iter().filter(|action| action.len() <= 100).take(ACTIONS_MAX).collect()
    }

    fn statements(&self, out: &mut String) {
        let (logins, accounts) = match self.level {
            Level::Full => self.classes(),
            Level::OneClass | Level::Least => (Vec::new(), Vec::new()),
        };
        out.push('\n');
        let list = |of: &[(String, &str)]| {
            of.iter().map(|(value, _)| write::text(value)).collect::<Vec<_>>().join(", ")
        };
        let mut branches = Vec::new();
        if !logins.is_empty() {
            branches.push((list(&logins), self.authentication(&logins)));
        }
        if !accounts.is_empty() {
            branches.push((list(&accounts), self.account_change(&accounts)));
        }
        let rest = self.api_activity(&logins, &accounts);
        if branches.is_empty() {
            out.push_str(&rest);
            return;
        }
        for (values, body) in &branches {
            let _ = write!(out, "when what in [{values}] {{\n{}}} else ", indented(body));
        }
        let _ = writeln!(out, "{{\n{}}}", indented(&rest));
    }

    fn authentication(&self, logins: &[(String, &'static str)]) -> String {
        let mut out = "emit authentication {\n".to_owned();
        let activity: Vec<(String, String)> = logins
            .iter()
            .map(|(value, activity)| (value.clone(), (*activity).to_owned()))
            .collect();
        let _ = writeln!(out, "  activity_id = {}", choose("what", &activity, "Other"));
        let ended: Vec<(String, String)> = logins
            .iter()
            .filter_map(|(value, _)| {
                words::went_well(value).map(|good| {
                    (value.clone(), if good { "Success" } else { "Failure" }.to_owned())
                })
            })
            .collect();
        if !ended.is_empty() {
            let _ = writeln!(out, "  status_id = {}", choose("what", &ended, "Unknown"));
        } else {
            self.status(&mut out);
        }
        let _ = writeln!(out, "  service.name = {}", write::text(self.name));
        out.push_str("  user {\n");
        self.user(&mut out);
        out.push_str("  }\n");
        self.endpoint(&mut out);
        self.unmapped(&mut out);
        out.push_str("}\n");
        out
    }

    fn account_change(&self, accounts: &[(String, &'static str)]) -> String {
        let mut out = "emit account_change {\n".to_owned();
        let activity: Vec<(String, String)> = accounts
            .iter()
            .map(|(value, activity)| (value.clone(), (*activity).to_owned()))
            .collect();
        let _ = writeln!(out, "  activity_id = {}", choose("what", &activity, "Other"));
        self.status(&mut out);
        out.push_str("  # guess: the target is the account that was changed\n");
        let target = self.target().unwrap_or_else(|| "missing".to_owned());
        let user = if target == "missing" {
            "\"unknown\"".to_owned()
        } else {
            format!("{target}  on missing \"unknown\"  on invalid \"unknown\"")
        };
        let _ = writeln!(out, "  user.name = {user}");
        let _ = writeln!(out, "  actor.user {{");
        self.user(&mut out);
        out.push_str("  }\n");
        self.endpoint(&mut out);
        self.unmapped(&mut out);
        out.push_str("}\n");
        out
    }

    fn api_activity(&self, logins: &[(String, &str)], accounts: &[(String, &str)]) -> String {
        let mut out = "emit api_activity {\n".to_owned();
        if self.level == Level::Least {
            out.push_str("  activity_id = \"Other\"\n");
            let who = self.who_chain().map_or("\"unknown\"".to_owned(), |who| {
                format!("{who}  on missing \"unknown\"  on invalid \"unknown\"")
            });
            let _ = writeln!(out, "  actor.user.name = {who}");
            self.unmapped(&mut out);
            out.push_str("}\n");
            return out;
        }
        let elsewhere =
            |value: &String| logins.iter().chain(accounts).any(|(known, _)| known == value);
        let verbs: Vec<(String, String)> = self
            .actions()
            .into_iter()
            .filter(|value| !elsewhere(value))
            .filter_map(|value| {
                words::verb(&words::words(&value))
                    .map(|verb: Verb| (value, verb.caption().to_owned()))
            })
            .collect();
        let _ = writeln!(out, "  activity_id = {}", choose("what", &verbs, "Other"));
        self.status(&mut out);
        out.push_str("  actor.user {\n");
        self.user(&mut out);
        out.push_str("  }\n");
        if let Some(session) = &self.roles.session {
            let _ = writeln!(out, "  actor.session.uid = {}", session.text);
        }
        self.endpoint(&mut out);
        if let Some(agent) = &self.roles.user_agent {
            let _ = writeln!(out, "  http_request.user_agent = {}", agent.text);
        }
        if self.has_ai()
            && let Some(model) = &self.roles.model
        {
            let _ = writeln!(
                out,
                "  ai_model {{\n    name = {}\n    ai_provider = {}    # guess\n  }}",
                model.text,
                write::text(self.name)
            );
        }
        self.unmapped(&mut out);
        out.push_str("}\n");
        out
    }

    fn user(&self, out: &mut String) {
        match self.roles.actor.is_empty() {
            true => out.push_str("    name = \"unknown\"\n"),
            false => {
                out.push_str("    name = who  on missing \"unknown\"  on invalid \"unknown\"\n")
            }
        }
        if let Some(uid) = &self.roles.uid {
            let _ = writeln!(out, "    uid = {}", uid.text);
        }
        if let Some(email) = &self.roles.email {
            let _ = writeln!(out, "    email_addr = {}", email.text);
        }
        if let Some(org) = &self.roles.org {
            let _ = writeln!(out, "    org.uid = {}", org.text);
        }
    }

    fn endpoint(&self, out: &mut String) {
        let ips: Vec<String> =
            self.roles.ip.iter().map(|part| format!("({} |> ip)", part.text)).collect();
        match ips.as_slice() {
            [] => {}
            [one] => {
                let _ = writeln!(
                    out,
                    "  src_endpoint.ip = {}",
                    one.trim_start_matches('(').trim_end_matches(')')
                );
            }
            several => {
                let _ = writeln!(out, "  src_endpoint.ip = {}", several.join(" ?? "));
            }
        }
    }

    fn status(&self, out: &mut String) {
        let Some(status) = &self.roles.status else { return };
        let Some(facts) = self.paths.get(&status.steps) else { return };
        if facts.kinds.booleans == facts.scalars() {
            let _ = writeln!(
                out,
                "  status_id = if {} == true then \"Success\" else \"Failure\"",
                status.text
            );
            return;
        }
        let known: Vec<(String, String)> = facts
            .values
            .iter()
            .filter_map(|(value, _)| {
                words::went_well(value).map(|good| {
                    (value.clone(), if good { "Success" } else { "Failure" }.to_owned())
                })
            })
            .take(50)
            .collect();
        let _ = writeln!(out, "  status_id = {}", choose(&status.text, &known, "Unknown"));
    }

    /// Everything that has no other place: whole members where nothing of them is used, else what is left of them.
    fn unmapped(&self, out: &mut String) {
        // A secret has no place anywhere: it is left out as if something else had it already.
        let used: BTreeSet<Vec<Step>> = self.used().into_iter().chain(self.secrets()).collect();
        let mut lines = Vec::new();
        let mut reserved: BTreeSet<String> = ["tokens_input", "tokens_output", "raw_sha256"]
            .into_iter()
            .map(str::to_owned)
            .collect();
        for facts in &self.paths.list {
            let steps = &facts.steps;
            if steps.iter().any(|step| *step == Step::Elements || *step == Step::Key(String::new()))
            {
                continue;
            }
            let parent_is_whole = (1..steps.len()).any(|end| !is_used_below(&used, &steps[..end]));
            let whole = !is_used_below(&used, steps);
            if parent_is_whole || !whole || used.contains(steps) || facts.present == 0 {
                continue;
            }
            let text = path_text(steps);
            let target = text.trim_start_matches('.');
            if steps.len() == 1 && !reserved.insert(target.to_owned()) {
                continue;
            }
            lines.push(format!("  unmapped.{target} = {text}\n"));
        }
        let left = lines.len().saturating_sub(UNMAPPED_MAX);
        if !lines.is_empty() {
            out.push_str("  # What has no place in the class. Say `drop` by taking a line out.\n");
        }
        out.extend(lines.into_iter().take(UNMAPPED_MAX));
        if left > 0 {
            let _ = writeln!(
                out,
                "  # {left} further paths have no place; `weir coverage` lists them."
            );
        }
    }

    /// The paths that are read already.
    pub(super) fn used(&self) -> BTreeSet<Vec<Step>> {
        let Roles {
            id,
            time,
            actor,
            email,
            uid,
            org,
            session,
            action,
            target,
            target_choice,
            cost,
            tokens_input,
            tokens_output,
            ip,
            user_agent,
            status,
            model,
            id_gaps: _,
            time_gaps: _,
        } = self.roles;
        let mut parts: Vec<&Part> = id
            .iter()
            .chain(time.iter().map(|time| &time.part))
            .chain(actor)
            .chain(action)
            .chain(target)
            .collect();
        if self.chains() {
            parts.extend(
                email
                    .iter()
                    .chain(uid)
                    .chain(org)
                    .chain(session)
                    .chain(cost)
                    .chain(tokens_input)
                    .chain(tokens_output)
                    .chain(ip)
                    .chain(user_agent)
                    .chain(status),
            );
            if self.has_ai() {
                parts.extend(model);
            }
        }
        let mut used: BTreeSet<Vec<Step>> =
            parts.into_iter().map(|part| part.steps.clone()).collect();
        if let Some((keys, member)) = target_choice {
            for key in keys {
                used.insert(
                    [key].into_iter().chain(member).map(|name| Step::Key(name.clone())).collect(),
                );
            }
        }
        used
    }
}

/// Is this path, or one that goes on from it, read?
fn is_used_below(used: &BTreeSet<Vec<Step>>, steps: &[Step]) -> bool {
    used.range(steps.to_vec()..).next().is_some_and(|next| next.starts_with(steps))
}

fn chain(parts: &[Part]) -> Option<String> {
    let texts: Vec<&str> = parts.iter().map(|part| part.text.as_str()).collect();
    (!texts.is_empty()).then(|| texts.join(" ?? "))
}

/// `path |> reader`, and `on invalid ...` where some values need another one.
fn two_readers(time: &TimePart) -> (String, String) {
    let read = |form: &Form| format!("{} |> {}", time.part.text, form.reader());
    match time.forms.as_slice() {
        [] => (format!("{} |> timestamp", time.part.text), String::new()),
        [one] => (read(one), String::new()),
        [one, two] => (read(one), format!("  on invalid {}", read(two))),
        several => (several_readers(&time.part.text, several), String::new()),
    }
}

/// The same as an operand.
fn reading(time: &TimePart) -> String {
    match time.forms.as_slice() {
        [] => format!("({} |> timestamp)", time.part.text),
        forms => format!("({})", several_readers(&time.part.text, forms)),
    }
}

fn several_readers(path: &str, forms: &[Form]) -> String {
    match forms {
        [] => String::new(),
        [one] => format!("{path} |> {}", one.reader()),
        [one, rest @ ..] => {
            let read = format!("({path} |> {})", one.reader());
            format!(
                "if {read} is invalid then {} else {read}",
                parenthesised(&several_readers(path, rest))
            )
        }
    }
}

fn parenthesised(expr: &str) -> String {
    format!("({expr})")
}

/// A `match` of values, or what all of them have.
fn choose(subject: &str, arms: &[(String, String)], otherwise: &str) -> String {
    if arms.is_empty() {
        return write::text(otherwise);
    }
    let mut results: Vec<&String> = Vec::new();
    arms.iter().for_each(|(_, result)| {
        if !results.contains(&result) {
            results.push(result)
        }
    });
    let mut out = format!("match {subject} {{\n");
    for result in results {
        let values: Vec<String> = arms
            .iter()
            .filter(|(_, of)| of == result)
            .map(|(value, _)| write::pattern(value))
            .collect();
        for line in values.chunks(4).collect::<Vec<_>>().chunks(1) {
            let _ = writeln!(out, "    {} => {}", line.concat().join(" | "), write::text(result));
        }
    }
    let _ = write!(out, "    else => {}\n  }}", write::text(otherwise));
    out
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

/// Does a name say that its value must not be seen?
pub(super) fn is_secret(name: &str) -> bool {
    let name = plain(name);
    [
        "password",
        "passwd",
        "secret",
        "apikey",
        "authorization",
        "cookie",
        "credential",
        "privatekey",
        "accesskey",
    ]
    .iter()
    .any(|word| name.contains(word))
        || name.ends_with("token")
}
