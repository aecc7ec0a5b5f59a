//! The tree-sitter grammar of weir: `grammar.js` in `tree-sitter-weir/`, generated to a table in C.
//!
//! Editors use it without Rust; this package exists for the tests beside it, which keep it in step with the compiler.

use tree_sitter_language::LanguageFn;

/// The grammar, for `tree_sitter::Parser::set_language`.
pub const LANGUAGE: LanguageFn = bindings::LANGUAGE;

/// Colours.
pub const HIGHLIGHTS: &str = include_str!("../tree-sitter-weir/queries/highlights.scm");

/// Where lines are indented.
pub const INDENTS: &str = include_str!("../tree-sitter-weir/queries/indents.scm");

/// What can be folded.
pub const FOLDS: &str = include_str!("../tree-sitter-weir/queries/folds.scm");

/// Other languages inside.
pub const INJECTIONS: &str = include_str!("../tree-sitter-weir/queries/injections.scm");

#[allow(unsafe_code, reason = "the generated parser is C")]
mod bindings {
    use super::LanguageFn;

    unsafe extern "C" {
        fn tree_sitter_weir() -> *const ();
    }

    // SAFETY: the function is the generated parser's own; it takes nothing and returns its constant table.
    pub(super) const LANGUAGE: LanguageFn = unsafe { LanguageFn::from_raw(tree_sitter_weir) };
}
