//! The `emit`s of a guessed program: a branch for each class of events that its actions speak of.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{Level, Writer};
use crate::tools::infer::{Step, path_text};
use crate::tools::init::words;
use crate::tools::write;

/// Most lines of `unmapped` in one event.
const UNMAPPED_MAX: usize = 100;

/// Most values of an action that are told apart.
const ACTIONS_MAX: usize = 100;

/// Values of the log with the captions of the schema that they stand for.
type Captions = Vec<(String, &'static str)>;

/// The actions that speak of a class of their own, each with its activity.
#[derive(Debug, Default)]
struct Classes {
    /// Logins and logouts.
    logins: Captions,
    /// Changes of accounts.
    accounts: Captions,
    /// Changes of groups.
    groups: Captions,
    /// Changes of what users may do.
    access: Captions,
}

impl Writer<'_> {
    /// The actions that speak of a class of their own.
    fn classes(&self) -> Classes {
        let Classes { mut logins, mut accounts, mut groups, mut access } = Classes::default();
        for action in self.actions() {
            let words = words::words(&action);
            if let Some(activity) = words::authentication(&words) {
                logins.push((action, activity));
            } else if let Some(activity) = words::account_change(&words)
                && self.has_caption("account_change", activity)
            {
                accounts.push((action, activity));
            } else if let Some(activity) = words::group_change(&words)
                && self.has_caption("group_management", activity)
            {
                groups.push((action, activity));
            } else if let Some(activity) = words::access_change(&words)
                && self.has_caption("user_access", activity)
            {
                access.push((action, activity));
            }
        }
        Classes { logins, accounts, groups, access }
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

    pub(super) fn statements(&self, out: &mut String) {
        let classes = match self.level {
            Level::Full => self.classes(),
            Level::OneClass | Level::Least => Classes::default(),
        };
        out.push('\n');
        let list = |of: &[(String, &str)]| {
            of.iter().map(|(value, _)| write::text(value)).collect::<Vec<_>>().join(", ")
        };
        let branches = [
            (&classes.logins, Self::authentication as fn(&Self, &[_]) -> String),
            (&classes.accounts, Self::account_change),
            (&classes.groups, Self::group_management),
            (&classes.access, Self::user_access),
        ];
        let branches: Vec<(String, String)> = branches
            .into_iter()
            .filter(|(actions, _)| !actions.is_empty())
            .map(|(actions, body)| (list(actions), body(self, actions)))
            .collect();
        let rest = self.api_activity(&classes);
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
        let _ = writeln!(out, "  activity_id = {}", choose("what", logins, "Other"));
        let ended: Captions = outcomes(logins.iter().map(|(value, _)| value)).collect();
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
        let _ = writeln!(out, "  activity_id = {}", choose("what", accounts, "Other"));
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

    fn api_activity(&self, classes: &Classes) -> String {
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
        let Classes { logins, accounts, groups, access } = classes;
        let others = || logins.iter().chain(accounts).chain(groups).chain(access);
        let elsewhere = |value: &String| others().any(|(known, _)| known == value);
        let verbs: Captions = self
            .actions()
            .into_iter()
            .filter(|value| !elsewhere(value))
            .filter_map(|value| {
                let caption = words::verb(&words::words(&value))?.caption();
                Some((value, caption))
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

    pub(super) fn user(&self, out: &mut String) {
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

    pub(super) fn endpoint(&self, out: &mut String) {
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

    pub(super) fn status(&self, out: &mut String) {
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
        let known: Captions =
            outcomes(facts.values.iter().map(|(value, _)| value)).take(50).collect();
        let _ = writeln!(out, "  status_id = {}", choose(&status.text, &known, "Unknown"));
    }

    /// Everything that has no other place: whole members where nothing of them is used, else what is left of them.
    fn unmapped(&self, out: &mut String) {
        self.unmapped_beside(out, std::iter::empty());
    }

    /// The same, where further paths are read.
    pub(super) fn unmapped_beside(&self, out: &mut String, read: impl Iterator<Item = Vec<Step>>) {
        // A secret has no place anywhere: it is left out as if something else had it already.
        let used: BTreeSet<Vec<Step>> =
            self.used().into_iter().chain(self.secrets()).chain(read).collect();
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
}

/// Is this path, or one that goes on from it, read?
fn is_used_below(used: &BTreeSet<Vec<Step>>, steps: &[Step]) -> bool {
    used.range(steps.to_vec()..).next().is_some_and(|next| next.starts_with(steps))
}

/// The values that say how something ended.
fn outcomes<'v>(
    values: impl Iterator<Item = &'v String>,
) -> impl Iterator<Item = (String, &'static str)> {
    values.filter_map(|value| {
        let caption = if words::went_well(value)? { "Success" } else { "Failure" };
        Some((value.clone(), caption))
    })
}

/// A `match` of values, or what all of them have.
pub(super) fn choose(subject: &str, arms: &[(String, &str)], otherwise: &str) -> String {
    if arms.is_empty() {
        return write::text(otherwise);
    }
    let mut results: Vec<&str> = Vec::new();
    arms.iter().for_each(|(_, result)| {
        if !results.contains(result) {
            results.push(result);
        }
    });
    let mut out = format!("match {subject} {{\n");
    for result in results {
        let values: Vec<String> = arms
            .iter()
            .filter(|(_, of)| *of == result)
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
