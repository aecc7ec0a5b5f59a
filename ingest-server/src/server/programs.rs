//! The compiled programs of sources, kept until something about them changes.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use weir_dsl::compile;
use weir_dsl::source::Source;
use weir_engine::plan::Plan;

use crate::control::{Control, ControlError, StoredSource, plan_with_secrets};

/// As many are kept; a server with more sources compiles some anew.
const KEPT_MAX: usize = 4096;

/// Plans by source, each with what it was made for.
#[derive(Default)]
pub(crate) struct Programs {
    kept: Mutex<HashMap<String, (Key, Arc<Plan>)>>,
}

/// What a source's plan depends on: its parser's version, and its credentials, which change with it.
#[derive(Clone, PartialEq, Eq)]
struct Key {
    parser: String,
    version: u32,
    updated_at: String,
}

impl Programs {
    /// The plan that maps what a source brings: its parser's, or that of its type; `None` if there is neither. Blocks.
    pub(crate) fn of(
        &self,
        control: &Control,
        stored: &StoredSource,
    ) -> Result<Option<Arc<Plan>>, ControlError> {
        let source = &stored.source;
        let Some(parser) = &source.parser_id else { return Ok(ready(&source.source_type)) };
        let version = match source.parser_version {
            Some(version) => version,
            None => control.active_version(parser)?,
        };
        let key = Key { parser: parser.clone(), version, updated_at: source.updated_at.clone() };
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, plan)) = kept().get(&source.id)
            && *known == key
        {
            return Ok(Some(Arc::clone(plan)));
        }
        let (_, definition) = control.definition(parser, Some(version))?;
        let plan = plan_with_secrets(&definition, &control.credentials(stored)?)?;
        let mut kept = kept();
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(source.id.clone(), (key, Arc::clone(&plan)));
        Ok(Some(plan))
    }
}

/// The program for a type of source whose records are known.
fn ready(source_type: &str) -> Option<Arc<Plan>> {
    static LANGSMITH_ENGINE: LazyLock<Arc<Plan>> = LazyLock::new(|| {
        let text = include_str!("../ready/langsmith_engine.weir");
        compile(&Source::new("langsmith_engine.weir", text)).plan.expect("a test compiles it")
    });
    (source_type == "langsmith_engine").then(|| Arc::clone(&LANGSMITH_ENGINE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_dsl::testing::run_tests;

    #[test]
    fn the_ready_programs_compile_without_warnings_and_pass_their_tests() {
        let source =
            Source::new("langsmith_engine.weir", include_str!("../ready/langsmith_engine.weir"));
        let compiled = compile(&source);
        assert!(compiled.diagnostics.is_empty(), "{:?}", compiled.diagnostics);
        let tests = run_tests(&source, &compiled);
        assert_eq!(tests.len(), 5);
        for test in tests {
            assert!(test.failure.is_none(), "{}: {:?}", test.name, test.failure);
        }
        assert!(ready("langsmith_engine").is_some());
        assert!(ready("http_custom").is_none());
    }
}
