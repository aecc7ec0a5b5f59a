//! Scopes and slots: each loop's element is a small record with a projection of its own.

use std::collections::HashMap;

use weir_engine::input::Format;
use weir_engine::plan::{Node, Origin, Projection, Scope, ScopeId, Shape, Slot};

use crate::hir::{DerivedId, LoopId, Path, Root, Step};

/// The record's scope.
pub(super) const RECORD: ScopeId = 0;

/// The scopes of a plan while it is made.
pub(super) struct Scopes {
    scopes: Vec<Scope>,
    of_loop: HashMap<LoopId, ScopeId>,
    wrapper: Vec<Vec<String>>,
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

    pub(super) fn finish(self) -> Vec<Scope> {
        self.scopes
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
        let parent = match slot {
            Slot::Scope(parent, _) => parent,
            Slot::Wrapper(_) => RECORD,
        };
        let scope = self.scopes.len() as ScopeId;
        self.scopes.push(Scope { parent: Some(parent), ..Scope::default() });
        self.of_loop.insert(id, scope);
        (slot, scope)
    }

    /// The slot that a path without a choice is read from.
    pub(super) fn slot(&mut self, path: &Path) -> Slot {
        match path.root {
            Root::Record => self.slot_in(RECORD, &path.steps),
            Root::Loop(id) => self.slot_in(self.of_loop(id), &path.steps),
            Root::Derived(id) => {
                let scope = self.of_derived(id);
                self.slot_in(scope, &path.steps)
            }
            Root::Wrapper => {
                let way: Vec<String> = path.steps.iter().filter_map(Step::member).collect();
                let index = self.wrapper.iter().position(|known| *known == way);
                // The checker put every way that is read into the input's list.
                Slot::Wrapper(index.expect("a wrapper path is registered") as u16)
            }
        }
    }

    fn slot_in(&mut self, scope: ScopeId, steps: &[Step]) -> Slot {
        let projection = &mut self.scopes[scope as usize].projection;
        let mut node = 0_u16;
        for step in steps {
            node = child(projection, node, step);
        }
        let slots = &mut projection.slots;
        let slot = *projection.nodes[node as usize].slot.get_or_insert_with(|| {
            *slots += 1;
            *slots - 1
        });
        Slot::Scope(scope, slot)
    }
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
        // `Lowering::path` replaces a choice by its names, one after the other.
        Step::Choice(_) => unreachable!("a choice is taken apart before"),
    }
    projection.nodes.push(Node::default());
    next
}
