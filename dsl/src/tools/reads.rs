//! What a program reads: each path of its typed tree with the types it is read as.

use std::collections::{BTreeMap, BTreeSet};

use weir_engine::types::Type;

use super::infer;
use crate::hir::{DerivedId, DerivedKind, ExprKind, LoopId, Part, Path, Program, Raw, Root, Step};

/// Loops nest twice, and what is found is not looked for in what is found more often.
const DEPTH_MAX: usize = 8;

/// The paths that a program reads.
#[derive(Debug, Default)]
pub struct Reads {
    /// From the record; an element that is named by its number counts as all of them.
    pub record: BTreeMap<Vec<infer::Step>, BTreeSet<&'static str>>,
    /// From the wrapper document.
    pub wrapper: BTreeSet<Vec<String>>,
    /// Where each path of the record is read first: a byte offset in the program.
    pub first: BTreeMap<Vec<infer::Step>, u32>,
    /// Paths that cannot be in a record: members of a choice of which another one was found.
    choices: BTreeSet<Vec<infer::Step>>,
}

impl Reads {
    /// All that a program reads, also what it only counts or redacts.
    pub fn of(program: &Program) -> Self {
        let found = Found::of(program);
        let mut reads = Self::default();
        for (path, ty, at) in &found.paths {
            reads.add(path, *ty, *at, &found);
        }
        if let Raw::Redact(paths) = &program.raw {
            for path in paths {
                let steps = path.iter().map(|step| match step {
                    weir_engine::plan::RedactStep::Member(name) => infer::Step::Key(name.clone()),
                    _ => infer::Step::Elements,
                });
                reads.record.entry(steps.collect()).or_default();
            }
        }
        reads
    }

    /// What a path is read as, for people; empty if it is not read.
    pub fn shown(&self, steps: &[infer::Step]) -> String {
        match self.record.get(steps) {
            Some(types) if types.is_empty() => "to redact it".to_owned(),
            Some(types) => types.iter().copied().collect::<Vec<_>>().join(", "),
            None => String::new(),
        }
    }

    /// Is the value at a path read, whole or as a part of what is around it?
    pub fn covers(&self, steps: &[infer::Step]) -> bool {
        (0..=steps.len()).any(|end| {
            self.record
                .get(&steps[..end])
                .is_some_and(|types| end == steps.len() || types.contains(Type::Json.noun()))
        })
    }

    /// Is something in the value at a path read?
    pub fn enters(&self, steps: &[infer::Step]) -> bool {
        self.record.range(steps.to_vec()..).next().is_some_and(|(next, _)| next.starts_with(steps))
    }

    /// Is it one of several names that are tried?
    pub fn is_choice(&self, steps: &[infer::Step]) -> bool {
        self.choices.contains(steps)
    }

    fn add(&mut self, path: &Path, ty: Option<Type>, at: u32, found: &Found<'_>) {
        if path.root == Root::Wrapper {
            self.wrapper.insert(path.steps.iter().map_while(Step::member).collect());
            return;
        }
        let (ways, has_choice) = ways(path, found, 0);
        for steps in ways {
            if has_choice {
                self.choices.insert(steps.clone());
            }
            let first = self.first.entry(steps.clone()).or_insert(at);
            *first = at.min(*first);
            let types = self.record.entry(steps).or_default();
            types.insert(ty.map_or("an array", Type::noun));
        }
    }
}

/// All ways from the record that a path stands for; none from the wrapper.
fn ways(path: &Path, found: &Found<'_>, depth: usize) -> (Vec<Vec<infer::Step>>, bool) {
    let (mut ways, mut has_choice) = match path.root {
        Root::Record => (vec![Vec::new()], false),
        Root::Wrapper => (Vec::new(), false),
        // What a function makes is not in the record; an element that it finds is.
        Root::Derived(id) => match found.elements.get(&id).filter(|_| depth < DEPTH_MAX) {
            Some(element) => self::ways(element, found, depth + 1),
            None => (Vec::new(), false),
        },
        Root::Loop(id) => match found.loops.get(&id).filter(|_| depth < DEPTH_MAX) {
            Some(array) => {
                let (mut ways, choice) = self::ways(array, found, depth + 1);
                ways.iter_mut().for_each(|way| way.push(infer::Step::Elements));
                (ways, choice)
            }
            None => (Vec::new(), false),
        },
    };
    for step in &path.steps {
        match step {
            Step::Member(name) => {
                ways.iter_mut().for_each(|way| way.push(infer::Step::Key(name.clone())));
            }
            Step::Choice(names) => {
                has_choice = true;
                ways = ways
                    .iter()
                    .flat_map(|way| {
                        names.iter().map(|name| {
                            let mut way = way.clone();
                            way.push(infer::Step::Key(name.clone()));
                            way
                        })
                    })
                    .collect();
            }
            Step::Element(_) | Step::Last => {
                ways.iter_mut().for_each(|way| way.push(infer::Step::Elements));
            }
        }
    }
    (ways, has_choice)
}

/// What a program reads, by its own names for places.
#[derive(Default)]
struct Found<'p> {
    /// Paths with what they are read as; none if they are an array that is gone through.
    paths: Vec<(&'p Path, Option<Type>, u32)>,
    loops: BTreeMap<LoopId, &'p Path>,
    /// The elements that `find` finds.
    elements: BTreeMap<DerivedId, &'p Path>,
}

impl<'p> Found<'p> {
    fn of(program: &'p Program) -> Self {
        let mut found = Self::default();
        program.for_each_part(&mut |part| match part {
            Part::Expr(expr) => {
                if let ExprKind::Path(path) | ExprKind::StringOnly(path) = &expr.kind {
                    found.paths.push((path, Some(expr.ty), expr.span.start));
                }
            }
            Part::Array(array, id, at) => {
                found.loops.insert(id, array);
                found.paths.push((array, None, at));
            }
        });
        for (id, derived) in (0..).zip(&program.derived) {
            if let DerivedKind::Find { value, .. } = &derived.kind {
                found.elements.insert(id, value);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Source, compile};

    #[test]
    fn every_path_is_found_with_its_types() {
        let text = std::fs::read_to_string(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../examples/4_homegrown.weir"
        ))
        .unwrap();
        let reads = Reads::of(&compile(&Source::new("x", text)).program.unwrap());
        let of = |text: &str| {
            let found = reads.record.iter().find(|(steps, _)| infer::path_text(steps) == text);
            found.map(|(steps, _)| reads.shown(steps))
        };
        assert_eq!(of(".run_id").as_deref(), Some("text"));
        assert_eq!(of(".steps").as_deref(), Some("an array"));
        assert_eq!(of(".steps[*].ts").as_deref(), Some("text"));
        assert_eq!(of(".steps[*].allowed").as_deref(), Some("true or false"));
        assert_eq!(of(".prompt").as_deref(), Some("to redact it"));
        assert_eq!(of(".nothing"), None);
    }

    #[test]
    fn a_choice_is_all_its_ways_and_the_wrapper_is_apart() {
        let text = std::fs::read_to_string(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../examples/2_openai.weir"
        ))
        .unwrap();
        let text = text.replace("on missing \"organization\"", "on missing $.organization");
        let reads = Reads::of(&compile(&Source::new("x", text)).program.unwrap());
        let way = [infer::Step::Key("user.added".into()), infer::Step::Key("id".into())];
        assert!(reads.covers(&way) && reads.is_choice(&way));
        assert!(reads.enters(&way[..1]) && !reads.covers(&way[..1]));
        assert_eq!(reads.wrapper.into_iter().collect::<Vec<_>>(), [["organization"]]);
    }
}
