//! Guessed parts to the text of a program.

mod access;
mod emits;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::roles::{Part, Roles, TimePart};
use crate::ocsf;
use crate::tools::infer::{Form, Paths, Step, path_text};
use crate::tools::sample::plain;
use crate::tools::write;

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
            access: _,
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
