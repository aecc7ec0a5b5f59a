//! Lists of many texts behind `in` are made fast to look up.

use weir_engine::plan::{Constant, Expr, Pattern, Patterns, Plan};

/// So many texts are compared one by one about as fast as one is looked up: most differ in their length.
const TEXTS_MIN: usize = 9;

/// Makes sets of long lists of texts.
pub(super) fn sets(plan: &mut Plan) {
    for expr in &mut plan.exprs {
        let Expr::In(subject, constants) = expr else { continue };
        if constants.len() < TEXTS_MIN {
            continue;
        }
        let texts = constants.iter().map(|constant| match constant {
            Constant::Text(text) => Some((Pattern::Exact(text), 0)),
            _ => None,
        });
        if let Some(texts) = texts.collect::<Option<Vec<_>>>() {
            *expr = Expr::InTexts(*subject, Patterns::new(texts));
        }
    }
}
