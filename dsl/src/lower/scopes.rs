//! Scopes and slots: each loop's element is a small record with a projection of its own.
//!
//! A path with a choice becomes a slot of its own, which refers to those of the literal paths that it stands for.

use std::collections::HashMap;

use weir_engine::input::Format;
use weir_engine::plan::{
    Choice, Node, Origin, Projection, Scope, ScopeId, Shape, Slot, WrapperPart,
};

use crate::hir::{DerivedId, LoopId, Path, Root, Step};

/// The record's scope.
pub(super) const RECORD: ScopeId = 0;

/// The scopes of a plan while it is made.
pub(super) struct Scopes {
    scopes: Vec<Scope>,
    of_loop: HashMap<LoopId, ScopeId>,
    wrapper: Vec<Vec<String>>,
    wrapper_parts: Vec<WrapperPart>,
    choices: Vec<Choice>,
    of_choice: HashMap<Path, u16>,
    of_derived: HashMap<DerivedId, ScopeId>,
    /// The loop of each record that the program makes.
    parents: Vec<Option<LoopId>>,
    /// Records that are read, and whose making is still to be lowered.
    pending: Vec<(DerivedId, ScopeId)>,
}

impl Scopes {
    pub(super) fn new(program: &crate::hir::Program) -> Self {
        let wrapper = match &program.input.format {
            Format::Json(records) => records.wrapper.clone(),
            Format::Ndjson | Format::Csv(_) => Vec::new(),
        };
        Self {
            scopes: vec![Scope::default()],
            of_loop: HashMap::new(),
            wrapper,
            of_derived: HashMap::new(),
            parents: program.derived.iter().map(|derived| derived.scope).collect(),
            pending: Vec::new(),
            wrapper_parts: Vec::new(),
            choices: Vec::new(),
            of_choice: HashMap::new(),
        }
    }

    /// The scope of a record that the program makes.
    pub(super) fn of_derived(&mut self, id: DerivedId) -> ScopeId {
        if let Some(scope) = self.of_derived.get(&id) {
            return *scope;
        }
        let parent = self.parents[id as usize].map_or(RECORD, |id| self.of_loop(id));
        let scope = self.scopes.len() as ScopeId;
        self.scopes.push(Scope { parent: Some(parent), ..Scope::default() });
        self.of_derived.insert(id, scope);
        self.pending.push((id, scope));
        scope
    }

    /// A record whose making is to be lowered.
    pub(super) fn next_pending(&mut self) -> Option<(DerivedId, ScopeId)> {
        self.pending.pop()
    }

    /// Says how the record of a scope is made.
    pub(super) fn set_origin(&mut self, scope: ScopeId, origin: Origin) {
        self.scopes[scope as usize].origin = origin;
    }

    /// Says what the function of a scope's record gives.
    pub(super) fn set_shape(&mut self, scope: ScopeId, new: Shape) {
        if let Origin::Call { shape, .. } = &mut self.scopes[scope as usize].origin {
            *shape = new;
        }
    }

    /// The slots of fields, by their names; none of those that nobody reads.
    pub(super) fn slots_of_fields(&self, scope: ScopeId, names: &[String]) -> Vec<Option<u16>> {
        let Projection { nodes, .. } = &self.scopes[scope as usize].projection;
        let slot = |name: &String| {
            let (_, node) = nodes[0].members.iter().find(|(known, _)| known == name)?;
            nodes[*node as usize].slot
        };
        names.iter().map(slot).collect()
    }

    /// What goes into the plan.
    pub(super) fn finish(self) -> (Vec<Scope>, Vec<Choice>, Vec<WrapperPart>) {
        (self.scopes, self.choices, self.wrapper_parts)
    }

    /// The scope of a loop. A `let` may be lowered before the loop that it stands in is reached.
    pub(super) fn of_loop(&self, id: LoopId) -> ScopeId {
        self.of_loop[&id]
    }

    /// The slot of a loop's array, and a scope for its elements.
    pub(super) fn enter(&mut self, array: &Path, id: LoopId) -> (Slot, ScopeId) {
        let slot = self.slot(array);
        if let Some(scope) = self.of_loop.get(&id) {
            return (slot, *scope);
        }
        let parent = match array.root {
            Root::Record | Root::Wrapper => RECORD,
            Root::Loop(outer) => self.of_loop(outer),
            Root::Derived(id) => self.of_derived(id),
        };
        let scope = self.scopes.len() as ScopeId;
        self.scopes.push(Scope { parent: Some(parent), ..Scope::default() });
        self.of_loop.insert(id, scope);
        (slot, scope)
    }

    /// The slot that a path is read from.
    pub(super) fn slot(&mut self, path: &Path) -> Slot {
        if path.steps.iter().any(|step| matches!(step, Step::Choice(_))) {
            return Slot::Choice(self.choice(path));
        }
        match path.root {
            Root::Record => self.slot_in(RECORD, &path.steps),
            Root::Loop(id) => self.slot_in(self.of_loop(id), &path.steps),
            Root::Derived(id) => {
                let scope = self.of_derived(id);
                self.slot_in(scope, &path.steps)
            }
            Root::Wrapper => self.wrapper_slot(&path.steps),
        }
    }

    /// For each name of the first choice the chosen member and what follows it, which may hold further choices.
    fn choice(&mut self, path: &Path) -> u16 {
        if let Some(known) = self.of_choice.get(path) {
            return *known;
        }
        let mut ways = Choice::new();
        for (probe, value) in path.ways() {
            ways.push((self.slot(&probe), self.slot(&value)));
        }
        let index = self.choices.len() as u16;
        self.choices.push(ways);
        self.of_choice.insert(path.clone(), index);
        index
    }

    fn slot_in(&mut self, scope: ScopeId, steps: &[Step]) -> Slot {
        Slot::Scope(scope, slot_of(&mut self.scopes[scope as usize].projection, steps))
    }

    /// A member of the wrapper, or something within one.
    fn wrapper_slot(&mut self, steps: &[Step]) -> Slot {
        let way: Vec<String> = steps.iter().map_while(Step::member).collect();
        let rest = &steps[way.len()..];
        let index = self.wrapper.iter().position(|known| *known == way);
        // The checker put every way that is read into the input's list.
        let member = index.expect("a wrapper path is registered") as u16;
        if rest.is_empty() {
            return Slot::Wrapper(member);
        }
        let known = self.wrapper_parts.iter().position(|part| part.member == member);
        let part = known.unwrap_or_else(|| {
            self.wrapper_parts.push(WrapperPart { member, projection: Projection::default() });
            self.wrapper_parts.len() - 1
        });
        Slot::WrapperPart(part as u16, slot_of(&mut self.wrapper_parts[part].projection, rest))
    }
}

/// The slot of a way through a projection, made if it is not there yet.
fn slot_of(projection: &mut Projection, steps: &[Step]) -> u16 {
    let mut node = 0_u16;
    for step in steps {
        node = child(projection, node, step);
    }
    let slots = &mut projection.slots;
    *projection.nodes[node as usize].slot.get_or_insert_with(|| {
        *slots += 1;
        *slots - 1
    })
}

/// The node behind a step, made if it is not there yet.
fn child(projection: &mut Projection, node: u16, step: &Step) -> u16 {
    let next = projection.nodes.len() as u16;
    let of = &mut projection.nodes[node as usize];
    let known = match step {
        Step::Member(name) => {
            of.members.iter().find(|(known, _)| known == name).map(|(_, node)| *node)
        }
        Step::Element(index) => {
            of.elements.iter().find(|(known, _)| known == index).map(|(_, node)| *node)
        }
        Step::Last => of.last,
        Step::Choice(_) => None,
    };
    if let Some(known) = known {
        return known;
    }
    match step {
        Step::Member(name) => of.members.push((name.clone(), next)),
        Step::Element(index) => of.elements.push((*index, next)),
        Step::Last => of.last = Some(next),
        // `Scopes::slot` replaces a choice by its names, one after the other.
        Step::Choice(_) => unreachable!("a choice is taken apart before"),
    }
    projection.nodes.push(Node::default());
    next
}
