//! Who gets into which group, and who is given which rights: paths that only changes of access have.
//!
//! They may play another part as well: what changes is often the target of the event.

use super::{Candidate, Guess, Part, Roles};
use crate::tools::infer::{Paths, Step, path_text};
use crate::tools::init::words::words;

/// Most paths that play one part together.
const CHAIN_MAX: usize = 3;

const GROUPS: &[&str] = &["group", "groups", "team", "teams", "usergroup"];
const GROUP_NAMES: &[&str] = &["group", "groupname", "team", "teamname", "usergroup", "teamslug"];
const MEMBERS: &[&str] = &[
    "member",
    "grantee",
    "assignee",
    "invitee",
    "subject",
    "target",
    "recipient",
    "affected",
    "user",
    "account",
    "principal",
];
const RIGHTS: &[&str] = &[
    "privilege",
    "privileges",
    "permission",
    "permissions",
    "role",
    "roles",
    "rolename",
    "permissionname",
    "newrole",
    "scopes",
    "rights",
    "policyname",
    "policyarn",
];

/// What a change of access is about.
#[derive(Debug, Default)]
pub(in super::super) struct Access {
    /// The group.
    pub(in super::super) group: Vec<Part>,
    /// Who is put in or given something.
    pub(in super::super) member: Vec<Part>,
    /// What is given.
    pub(in super::super) rights: Option<Part>,
}

/// How well a name says what something is called.
fn name_rank(last: &str) -> Option<usize> {
    ["name", "displayname", "login", "username", "email", "emailaddress", "slug", "id", "uid"]
        .iter()
        .position(|name| *name == last)
}

fn group_rank(c: &Candidate<'_>) -> Option<usize> {
    if let Some(rank) = c.position(GROUP_NAMES) {
        return Some(rank + 10 * c.depth);
    }
    if let Some(rank) = ["groupid", "teamid"].iter().position(|name| *name == c.last) {
        return Some(500 + rank + 10 * c.depth);
    }
    let around = c.before.last()?;
    let rank = name_rank(&c.last)?;
    GROUPS.contains(&around.as_str()).then_some(100 + rank + 10 * c.depth)
}

fn member_rank(c: &Candidate<'_>) -> Option<usize> {
    // The words of `target_user`, `memberEmail`, `.member.login`.
    let all = || c.before.iter().chain(&c.last_words).map(String::as_str);
    let kind = MEMBERS.iter().position(|word| all().any(|it| it == *word))?;
    let named = match c.last_words.as_slice() {
        [only] if MEMBERS.contains(&only.as_str()) => 0,
        [.., last] if MEMBERS.contains(&last.as_str()) => 0,
        [.., last] => 1 + name_rank(last)?,
        [] => return None,
    };
    // Of `user` and `account` those beside a better word are meant.
    Some(100 * kind + 10 * named + c.depth)
}

/// The parts of a change of access.
pub(super) fn guess(guess: &Guess<'_>, paths: &Paths, roles: &Roles) -> Access {
    let about: Vec<&Vec<Step>> = roles
        .id
        .iter()
        .chain(&roles.actor)
        .chain(&roles.action)
        .chain(&roles.org)
        .chain(&roles.session)
        .chain(&roles.ip)
        .chain(&roles.email)
        .chain(&roles.uid)
        .map(|part| &part.steps)
        .chain(roles.time.iter().map(|time| &time.part.steps))
        .collect();
    // What is beside the actor's name belongs to the actor.
    let of_actor = |steps: &[Step]| {
        roles.actor.iter().any(|actor| {
            actor.steps.len() > 1 && steps.starts_with(&actor.steps[..actor.steps.len() - 1])
        })
    };
    let parts = |rank: fn(&Candidate<'_>) -> Option<usize>, not: &[Part]| {
        let is_free = |c: &Candidate<'_>| {
            let steps = &c.facts.steps;
            !about.contains(&steps)
                && !of_actor(steps)
                && c.is_text()
                && !not.iter().any(|part| part.steps == *steps)
        };
        let mut found: Vec<(usize, usize)> = guess
            .candidates
            .iter()
            .enumerate()
            .filter(|(_, c)| is_free(c))
            .filter_map(|(at, c)| Some((rank(c)?, at)))
            .collect();
        found.sort_unstable();
        let chosen = found.into_iter().take(CHAIN_MAX);
        chosen.map(|(_, at)| guess.candidates[at].part()).collect::<Vec<Part>>()
    };
    let group = parts(group_rank, &[]);
    let member = parts(member_rank, &group);
    Access { rights: rights(paths, &about), group, member }
}

/// A text, or a list of texts, that is called like a right.
fn rights(paths: &Paths, about: &[&Vec<Step>]) -> Option<Part> {
    let is_named = |facts: &&crate::tools::infer::PathFacts| {
        let mut names = facts.steps.iter().rev().filter_map(|step| match step {
            Step::Key(name) => Some(name.as_str()),
            Step::Elements => None,
        });
        let last = names.next().map(crate::tools::sample::plain).unwrap_or_default();
        let before = names.next().map(words).unwrap_or_default();
        let below = last == "name" && before.iter().any(|word| RIGHTS.contains(&word.as_str()));
        RIGHTS.contains(&last.as_str()) || below
    };
    let elements = |steps: &[Step]| steps.iter().filter(|step| **step == Step::Elements).count();
    paths
        .list
        .iter()
        .filter(|facts| {
            facts.kinds.texts > 0
                && facts.kinds.objects + facts.kinds.arrays == 0
                && facts.steps.len() <= 6
                && elements(&facts.steps) <= 1
                && !about.contains(&&facts.steps)
        })
        .filter(is_named)
        .max_by_key(|facts| (facts.present, std::cmp::Reverse(facts.steps.len())))
        .map(|facts| Part { steps: facts.steps.clone(), text: path_text(&facts.steps) })
}
