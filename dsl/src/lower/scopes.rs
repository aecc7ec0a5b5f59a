//! Scopes and slots: each loop's element is a small record with a projection of its own.

use std::collections::HashMap;

use weir_engine::input::Format;
use weir_engine::plan::{Node, Projection, Scope, ScopeId, Slot};

use crate::hir::{LoopId, Path, Root, Step};

/// The record's scope.
pub(super) const RECORD: ScopeId = 0;

/// The scopes of a plan while it is made.
pub(super) struct Scopes {
    scopes: Vec<Scope>,
    of_loop: HashMap<LoopId, ScopeId>,
    wrapper: Vec<Vec<String>>,
}

impl Scopes {
    pub(super) fn new(program: &crate::hir::Program) -> Self {
        let wrapper = match &program.input.format {
            Format::Json(records) => records.wrapper.clone(),
            Format::Ndjson | Format::Csv(_) => Vec::new(),
        };
        Self { scopes: vec![Scope::default()], of_loop: HashMap::new(), wrapper }
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
        self.scopes.push(Scope { parent: Some(parent), projection: Projection::default() });
        self.of_loop.insert(id, scope);
        (slot, scope)
    }

    /// The slot that a path without a choice is read from.
    pub(super) fn slot(&mut self, path: &Path) -> Slot {
        match path.root {
            Root::Record => self.slot_in(RECORD, &path.steps),
            Root::Loop(id) => self.slot_in(self.of_loop(id), &path.steps),
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
