//! Expressions: a tree becomes an arena, paths become slots.

use weir_engine::plan::{CallMissing, Callee, Expr, ExprId, Match, Patterns, Register};

use super::Lowering;
use super::scopes::RECORD;
use crate::hir::{self, ExprKind, Path, Root, TextPattern};

impl Lowering<'_> {
    /// Lowers an expression and gives its index.
    pub(super) fn expr(&mut self, expr: &hir::Expr) -> ExprId {
        let lowered = self.lowered(expr);
        self.push(lowered)
    }

    fn push(&mut self, expr: Expr) -> ExprId {
        self.exprs.push(expr);
        (self.exprs.len() - 1) as ExprId
    }

    /// A read; before one from a record that the program makes, that is made.
    fn read(&mut self, path: &Path, read: Expr) -> Expr {
        let Root::Derived(id) = path.root else { return read };
        let scope = self.scopes.of_derived(id);
        Expr::Derived(scope, self.push(read))
    }

    fn lowered(&mut self, expr: &hir::Expr) -> Expr {
        match &expr.kind {
            ExprKind::Constant(constant) => Expr::Constant(constant.clone()),
            ExprKind::Path(path) => {
                let slot = self.scopes.slot(path);
                self.read(path, Expr::Read(slot, expr.ty))
            }
            ExprKind::StringOnly(path) => {
                let slot = self.scopes.slot(path);
                self.read(path, Expr::ReadString(slot))
            }
            ExprKind::Meta(meta) => Expr::Meta(*meta),
            ExprKind::Index(id) => Expr::Index(self.scopes.of_loop(*id)),
            ExprKind::Column(column) => Expr::Column(*column),
            ExprKind::Let(index) => Expr::Register(self.register(*index)),
            ExprKind::Concat(parts) => Expr::Concat(self.all(parts)),
            ExprKind::List(parts) => Expr::List(self.all(parts)),
            ExprKind::Not(inner) => Expr::Not(self.expr(inner)),
            ExprKind::Negate(inner) => Expr::Negate(self.expr(inner)),
            ExprKind::Convert(inner) => Expr::Convert(self.expr(inner), expr.ty),
            ExprKind::And(left, right) => Expr::And(self.expr(left), self.expr(right)),
            ExprKind::Or(left, right) => Expr::Or(self.expr(left), self.expr(right)),
            ExprKind::Compare(comparison, left, right) => {
                Expr::Compare(*comparison, self.expr(left), self.expr(right))
            }
            ExprKind::InList(subject, list) => Expr::InList(self.expr(subject), self.expr(list)),
            ExprKind::In(subject, constants) => Expr::In(self.expr(subject), constants.clone()),
            ExprKind::Matches(subject, regex) => Expr::Matches(self.expr(subject), regex.clone()),
            ExprKind::Coalesce(left, right) => Expr::Coalesce(self.expr(left), self.expr(right)),
            ExprKind::Arithmetic(op, left, right) => {
                Expr::Arithmetic(*op, self.expr(left), self.expr(right))
            }
            ExprKind::Is(outcome, negated, inner) => Expr::Is(*outcome, *negated, self.expr(inner)),
            ExprKind::If(condition, then, otherwise) => {
                Expr::If(self.expr(condition), self.expr(then), self.expr(otherwise))
            }
            ExprKind::Match { subject, arms, otherwise } => {
                Expr::Match(Box::new(self.match_expr(subject, arms, otherwise)))
            }
            ExprKind::Cell(table, key, column) => Expr::Cell(*table, self.expr(key), *column),
            ExprKind::Call { builtin, literals, call, args } => {
                let missing =
                    if builtin.takes_missing { CallMissing::Pass } else { CallMissing::Propagate };
                let (literals, code) = (literals.clone(), call.clone());
                let callee = Callee { name: builtin.name, literals, code };
                Expr::Call(callee, self.all(args), missing)
            }
            ExprKind::Count(array, id, condition) => {
                let (slot, scope) = self.scopes.enter(array, *id);
                Expr::Count(slot, scope, condition.as_ref().map(|condition| self.expr(condition)))
            }
            ExprKind::Any(array, id, condition) => {
                let (slot, scope) = self.scopes.enter(array, *id);
                Expr::Any(slot, scope, self.expr(condition))
            }
            ExprKind::All(array, id, condition) => {
                let (slot, scope) = self.scopes.enter(array, *id);
                Expr::All(slot, scope, self.expr(condition))
            }
            ExprKind::Fold(fold, array, id, value) => {
                let (slot, scope) = self.scopes.enter(array, *id);
                Expr::Fold(fold.clone(), slot, scope, self.expr(value))
            }
        }
    }

    pub(super) fn all(&mut self, parts: &[hir::Expr]) -> Vec<ExprId> {
        parts.iter().map(|part| self.expr(part)).collect()
    }

    fn register(&mut self, index: usize) -> u32 {
        if let Some(register) = self.lets.get(&index) {
            return *register;
        }
        let item = &self.program.lets[index];
        let expr = self.expr(&item.expr);
        let scope = item.scope.map_or(RECORD, |id| self.scopes.of_loop(id));
        let register = self.registers.len() as u32;
        self.registers.push(Register { expr, scope });
        self.lets.insert(index, register);
        register
    }

    fn match_expr(
        &mut self,
        subject: &hir::Expr,
        arms: &[(Vec<TextPattern>, hir::Expr)],
        otherwise: &hir::Expr,
    ) -> Match {
        let subject = self.expr(subject);
        let patterns = arms.iter().zip(0..).flat_map(|((patterns, _), arm)| {
            patterns.iter().map(move |pattern| (super::pattern(pattern), arm))
        });
        let patterns = Patterns::new(patterns);
        let arms = arms.iter().map(|(_, value)| self.expr(value)).collect();
        Match { subject, patterns, arms, otherwise: self.expr(otherwise) }
    }
}
