//! Paths that only dead code reads are not projected: a record is searched for what is needed, and no further. Registers
//! that nothing asks for are forgotten.

use weir_engine::plan::{Choice, ExprId, Plan, Projection, Ref, Slot, Stmt};

/// What something needs.
#[derive(Default)]
struct Needed {
    exprs: Vec<bool>,
    slots: Vec<Vec<bool>>,
    choices: Vec<Choice>,
    to_visit: Vec<ExprId>,
    is_register_needed: Vec<bool>,
    registers: Vec<u32>,
}

impl Needed {
    fn note(&mut self, part: &Ref<'_>) {
        match part {
            Ref::Expr(id) => {
                if !std::mem::replace(&mut self.exprs[**id as usize], true) {
                    self.to_visit.push(**id);
                }
            }
            Ref::Register(register) => {
                if !std::mem::replace(&mut self.is_register_needed[**register as usize], true) {
                    self.registers.push(**register);
                }
            }
            Ref::Slot(slot) => {
                for slot in slot.behind(&self.choices) {
                    if let Slot::Scope(scope, slot) = slot {
                        self.slots[usize::from(scope)][usize::from(slot)] = true;
                    }
                }
            }
            Ref::Scope(_) => {}
        }
    }
}

/// Forgets the paths and registers that nothing needs. The slots stay, so that no other gets another number.
pub(super) fn sweep(plan: &mut Plan) {
    let needed = needed(plan);
    renumber_registers(plan, &needed.is_register_needed);
    if plan.input.duplicate_keys_reject {
        // A name that is looked for may not occur twice, also if only dead code looks for it.
        return;
    }
    for (scope, needed) in plan.scopes.iter_mut().zip(&needed.slots) {
        prune(&mut scope.projection, needed);
    }
}

fn needed(plan: &mut Plan) -> Needed {
    let slots =
        plan.scopes.iter().map(|scope| vec![false; usize::from(scope.projection.slots)]).collect();
    let mut needed = Needed {
        exprs: vec![false; plan.exprs.len()],
        is_register_needed: vec![false; plan.registers.len()],
        slots,
        choices: plan.choices.clone(),
        ..Needed::default()
    };
    let mut emits = Vec::new();
    plan.body.iter().for_each(|stmt| emits_of(stmt, &mut emits));
    plan.body.iter_mut().for_each(|stmt| stmt.for_each_ref(&mut |part| needed.note(&part)));
    for emit in emits {
        plan.emits[usize::from(emit)].for_each_ref(&mut |part| needed.note(&part));
    }
    plan.scopes.iter_mut().for_each(|scope| scope.for_each_ref(&mut |part| needed.note(&part)));
    loop {
        if let Some(id) = needed.to_visit.pop() {
            plan.exprs[id as usize].for_each_ref(&mut |part| needed.note(&part));
        } else if let Some(register) = needed.registers.pop() {
            plan.registers[register as usize].for_each_ref(&mut |part| needed.note(&part));
        } else {
            return needed;
        }
    }
}

fn renumber_registers(plan: &mut Plan, needed: &[bool]) {
    let mut next = 0;
    let numbers: Vec<u32> = needed
        .iter()
        .map(|needed| {
            next += u32::from(*needed);
            next - u32::from(*needed)
        })
        .collect();
    let mut needed = needed.iter();
    plan.registers.retain(|_| needed.next() == Some(&true));
    for expr in &mut plan.exprs {
        expr.for_each_ref(&mut |part| {
            if let Ref::Register(register) = part {
                *register = numbers[*register as usize];
            }
        });
    }
}

fn emits_of(stmt: &Stmt, emits: &mut Vec<u16>) {
    match stmt {
        Stmt::Emit(emit) => emits.push(*emit),
        Stmt::When { arms, otherwise } => {
            let bodies = arms.iter().map(|(_, body, _)| body).chain([otherwise]);
            bodies.flatten().for_each(|stmt| emits_of(stmt, emits));
        }
        Stmt::Each { body, .. } => body.iter().for_each(|stmt| emits_of(stmt, emits)),
        Stmt::Filter { .. } | Stmt::Drop | Stmt::Reject { .. } => {}
    }
}

fn prune(projection: &mut Projection, needed: &[bool]) {
    let old = std::mem::take(projection);
    projection.slots = old.slots;
    copy(&old, 0, needed, projection, 0);
}

/// Copies what is needed below a node; gives whether there is anything.
fn copy(from: &Projection, at: u16, needed: &[bool], to: &mut Projection, here: u16) {
    let node = &from.nodes[usize::from(at)];
    to.nodes[usize::from(here)].slot = node.slot.filter(|slot| needed[usize::from(*slot)]);
    let child = |next: u16, to: &mut Projection| {
        is_needed(from, next, needed).then(|| {
            let index = to.nodes.len() as u16;
            to.nodes.push(Default::default());
            copy(from, next, needed, to, index);
            index
        })
    };
    for (name, next) in &node.members {
        if let Some(index) = child(*next, to) {
            to.nodes[usize::from(here)].members.push((name.clone(), index));
        }
    }
    for (element, next) in &node.elements {
        if let Some(index) = child(*next, to) {
            to.nodes[usize::from(here)].elements.push((*element, index));
        }
    }
    if let Some(index) = node.last.and_then(|next| child(next, to)) {
        to.nodes[usize::from(here)].last = Some(index);
    }
}

fn is_needed(projection: &Projection, at: u16, needed: &[bool]) -> bool {
    let node = &projection.nodes[usize::from(at)];
    let members = node.members.iter().map(|(_, next)| *next);
    let elements = node.elements.iter().map(|(_, next)| *next);
    node.slot.is_some_and(|slot| needed[usize::from(slot)])
        || members.chain(elements).chain(node.last).any(|next| is_needed(projection, next, needed))
}
