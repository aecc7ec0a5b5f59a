//! What an editor asks of a program while it is being written: what is wrong, what stands here, what could stand here,
//! where a name comes from. Pure, like the compiler: the language server only carries the answers.
//!
//! Two views of the text answer. The *syntax tree* knows names and, if the program compiles, types; it is made again for
//! each state of the text. The *tokens* before the cursor tell what could stand there, because a program that is being
//! typed is nearly always broken at the cursor.
//!
//! All places are byte offsets and [`Span`]s of the document's text.

mod complete;
mod context;
mod facts;
mod hover;
mod names;
mod outline;
mod records;
mod sample;
mod words;

use crate::diagnostic::Diagnostic;
use crate::lex::{self, Token};
use crate::source::{Source, Span};
use crate::{Compiled, compile};

pub use complete::{Completion, CompletionKind};
pub use hover::{Hover, describe_params, signature};
pub use names::RenameError;
pub use outline::{Outline, OutlineKind};

use names::Named;
use sample::Sample;

/// A program in an editor.
#[derive(Debug)]
pub struct Document {
    source: Source,
    compiled: Compiled,
    tokens: Vec<Token>,
    names: Vec<Named>,
    sample: Sample,
}

impl Document {
    /// Looks at a text; `sample` is a piece of the log that it is about, if there is one.
    pub fn new(source: Source, sample: Option<&[u8]>) -> Self {
        let compiled = compile(&source);
        let (tokens, _) = lex::lex(&source.text);
        let names = names::collect(&compiled.file);
        let sample = Sample::new(&compiled.file, &source, &tokens, sample);
        Self { source, compiled, tokens, names, sample }
    }

    /// The text.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// What the compiler says, in the order of the text.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.compiled.diagnostics
    }

    /// What stands at an offset.
    pub fn hover(&self, offset: u32) -> Option<Hover> {
        hover::hover(self, offset)
    }

    /// What could stand at an offset.
    pub fn complete(&self, offset: u32) -> Vec<Completion> {
        complete::complete(self, offset)
    }

    /// Where the name at an offset is defined.
    pub fn definition(&self, offset: u32) -> Option<Span> {
        self.named(offset).map(|(named, _)| named.definition)
    }

    /// Every place of the name at an offset, its definition first.
    pub fn references(&self, offset: u32) -> Vec<Span> {
        self.named(offset).map_or_else(Vec::new, |(named, _)| named.places().collect())
    }

    /// The place of the name at an offset, if it is one that can be renamed.
    pub fn rename_target(&self, offset: u32) -> Option<Span> {
        self.named(offset).map(|(_, place)| place)
    }

    /// The edits that give the name at an offset another name.
    ///
    /// # Errors
    ///
    /// If there is no name, or the new one is none or is taken.
    pub fn rename(&self, offset: u32, to: &str) -> Result<Vec<(Span, String)>, RenameError> {
        names::rename(self, offset, to)
    }

    /// The parts of the program, for a table of contents.
    pub fn outline(&self) -> Vec<Outline> {
        outline::outline(&self.compiled.file, &self.source)
    }

    fn named(&self, offset: u32) -> Option<(&Named, Span)> {
        let holds = |place: &Span| place.start <= offset && offset <= place.end;
        self.names.iter().find_map(|named| Some((named, named.places().find(holds)?)))
    }
}

#[cfg(test)]
mod tests;
