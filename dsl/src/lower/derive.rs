//! Records that the program makes: how the scope of each is filled. Those that nobody reads are never made.

use weir_engine::builtins::{Fields, ResultType};
use weir_engine::plan::{Callee, Origin, ScopeId, Shape};

use super::Lowering;
use crate::hir::{DerivedId, DerivedKind};

impl Lowering<'_> {
    /// Lowers the making of all records that are read, also by one another. After this, no path may be lowered.
    pub(super) fn derived(&mut self) {
        let mut made = Vec::new();
        while let Some((id, scope)) = self.scopes.next_pending() {
            let origin = self.origin(id);
            self.scopes.set_origin(scope, origin);
            made.push((id, scope));
        }
        // Only now is it known which fields are read.
        for (id, scope) in made {
            self.fill_fields(id, scope);
        }
    }

    fn origin(&mut self, id: DerivedId) -> Origin {
        let program = self.program;
        match &program.derived[id as usize].kind {
            DerivedKind::Call { builtin, literals, call, args } => {
                let (literals, code) = (literals.clone(), call.clone());
                let callee = Callee { name: builtin.name, literals, code };
                let shape = match builtin.result {
                    ResultType::Record(Fields::Pairs) => Shape::Pairs,
                    ResultType::Record(Fields::Named(_)) => Shape::Fields(Vec::new()),
                    _ => Shape::Json,
                };
                Origin::Call { callee, args: self.all(args), shape }
            }
            DerivedKind::Find { array, id, value, condition } => {
                let (array, scope) = self.scopes.enter(array, *id);
                let value = self.scopes.slot(value);
                Origin::Find { array, scope, value, condition: self.expr(condition) }
            }
        }
    }

    /// Where the fields of a record go that a function gives by name.
    fn fill_fields(&mut self, id: DerivedId, scope: ScopeId) {
        let DerivedKind::Call { builtin, literals, .. } = &self.program.derived[id as usize].kind
        else {
            return;
        };
        if let ResultType::Record(Fields::Named(fields)) = builtin.result {
            let names: Vec<String> = fields(literals).into_iter().map(|field| field.name).collect();
            let slots = self.scopes.slots_of_fields(scope, &names);
            self.scopes.set_shape(scope, Shape::Fields(slots));
        }
    }
}
