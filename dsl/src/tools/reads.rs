//! What a program reads: each path of its typed tree with the types it is read as.

use std::collections::{BTreeMap, BTreeSet};

use weir_engine::types::Type;

use super::infer;
use crate::hir::{
    DerivedId, DerivedKind, Element, Emit, Expr, ExprKind, Field, Handler, LoopId, Object,
    OutputNode, Path, Program, Raw, Root, Step, Stmt,
};

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
        let mut walk = Walk::default();
        program.lets.iter().for_each(|item| walk.expr(&item.expr));
        (0..).zip(&program.derived).for_each(|(id, derived)| walk.derived(id, &derived.kind));
        walk.statements(&program.body);
        let mut reads = Self::default();
        for (path, ty, at) in &walk.paths {
            reads.add(path, *ty, *at, &walk);
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

    fn add(&mut self, path: &Path, ty: Option<Type>, at: u32, walk: &Walk) {
        if path.root == Root::Wrapper {
            self.wrapper.insert(path.steps.iter().map_while(Step::member).collect());
            return;
        }
        let (ways, has_choice) = ways(path, walk, 0);
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
fn ways(path: &Path, walk: &Walk, depth: usize) -> (Vec<Vec<infer::Step>>, bool) {
    let (mut ways, mut has_choice) = match path.root {
        Root::Record => (vec![Vec::new()], false),
        Root::Wrapper => (Vec::new(), false),
        // What a function makes is not in the record; an element that it finds is.
        Root::Derived(id) => match walk.found.get(&id).filter(|_| depth < DEPTH_MAX) {
            Some(element) => self::ways(element, walk, depth + 1),
            None => (Vec::new(), false),
        },
        Root::Loop(id) => match walk.loops.get(&id).filter(|_| depth < DEPTH_MAX) {
            Some(array) => {
                let (mut ways, choice) = self::ways(array, walk, depth + 1);
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

/// Goes through a typed tree.
#[derive(Default)]
struct Walk {
    /// Paths with what they are read as; none if they are an array that is gone through.
    paths: Vec<(Path, Option<Type>, u32)>,
    loops: BTreeMap<LoopId, Path>,
    /// The elements that `find` finds.
    found: BTreeMap<DerivedId, Path>,
}

impl Walk {
    fn statements(&mut self, body: &[Stmt]) {
        for statement in body {
            match statement {
                Stmt::Filter { condition, .. } => self.expr(condition),
                Stmt::When { arms, otherwise } => {
                    for (condition, body) in arms {
                        self.expr(condition);
                        self.statements(body);
                    }
                    self.statements(otherwise);
                }
                Stmt::Each { array, id, body, span, .. } => {
                    self.array(array, *id, span.start);
                    self.statements(body);
                }
                Stmt::Emit(emit) => self.emit(emit),
                Stmt::Drop(_) | Stmt::Reject(..) => {}
            }
        }
    }

    fn derived(&mut self, id: DerivedId, kind: &DerivedKind) {
        match kind {
            DerivedKind::Call { args, .. } => args.iter().for_each(|arg| self.expr(arg)),
            DerivedKind::Find { array, id: element, value, condition } => {
                self.array(array, *element, condition.span.start);
                self.expr(condition);
                self.found.insert(id, value.clone());
            }
        }
    }

    fn array(&mut self, array: &Path, id: LoopId, at: u32) {
        self.loops.insert(id, array.clone());
        self.paths.push((array.clone(), None, at));
    }

    fn emit(&mut self, emit: &Emit) {
        emit.columns.iter().for_each(|field| self.field(field));
        emit.extra.iter().for_each(|(_, field)| self.field(field));
        self.object(&emit.root, emit.span.start);
    }

    fn field(&mut self, field: &Field) {
        self.expr(&field.value);
        for handler in [&field.on_missing, &field.on_invalid] {
            if let Some(Handler::Value(value)) = handler {
                self.expr(value);
            }
        }
    }

    fn object(&mut self, object: &Object, at: u32) {
        object.guard.iter().for_each(|guard| self.expr(guard));
        for member in &object.members {
            match &member.node {
                OutputNode::Constant(_) => {}
                OutputNode::Value(field) => self.field(field),
                OutputNode::Enum(field, echoes) => {
                    self.field(field);
                    echoes
                        .iter()
                        .filter_map(|echo| echo.other.as_ref())
                        .for_each(|other| self.expr(other));
                }
                OutputNode::Object(object) => self.object(object, at),
                OutputNode::List(elements) => elements.iter().for_each(|element| match element {
                    Element::One(object) => self.object(object, at),
                    Element::Each { array, id, object, .. } => {
                        self.array(array, *id, at);
                        self.object(object, at);
                    }
                }),
            }
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Path(path) | ExprKind::StringOnly(path) => {
                self.paths.push((path.clone(), Some(expr.ty), expr.span.start));
            }
            ExprKind::Count(array, id, _)
            | ExprKind::Any(array, id, _)
            | ExprKind::All(array, id, _)
            | ExprKind::Fold(_, array, id, _) => self.array(array, *id, expr.span.start),
            _ => {}
        }
        expr.for_each_part(&mut |part| self.expr(part));
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
