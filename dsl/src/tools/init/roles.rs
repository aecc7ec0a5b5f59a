//! Which paths of a sample play which part in an event: by their names, and by what stands there.
//!
//! A part may be played by several paths: `.actor.email ?? .actor.id`. They are tried in the order of how well their
//! names fit, and a path joins only if it has something in a record where those before it have nothing.

mod access;
mod rank;

use std::collections::HashSet;

use super::words::words;
use crate::tools::infer::{Form, PathFacts, Paths, Step, path_text};
use crate::tools::json::Json;
use crate::tools::sample::plain;

use access::Access;
use rank::{
    action_rank, actor_rank, cost_rank, id_rank, ip_rank, org_rank, status_rank, target_rank,
    time_forms, time_rank, tokens_rank,
};

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
    pub(super) access: Access,
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
    roles.access = access::guess(&guess, paths, &roles);
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
