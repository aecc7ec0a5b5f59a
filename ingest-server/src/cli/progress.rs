//! What is seen of a run while it goes on: messages, and a bar on a terminal.

use std::cell::RefCell;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::console::Console;
use crate::pipeline::{PipelineError, Watch};
use crate::source::Object;

const KNOWN_SIZE: &str =
    "{spinner} {prefix} {bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
const UNKNOWN_SIZE: &str = "{spinner} {prefix} {bytes}, {bytes_per_sec}";

/// Shows how a run goes on.
pub(super) struct Progress {
    console: Console,
    /// Of the object that is being read.
    bar: RefCell<ProgressBar>,
    is_shown: bool,
}

impl Progress {
    /// A bar only if somebody watches, and if `wanted`.
    pub(super) fn new(console: Console, wanted: bool) -> Self {
        let is_shown = wanted && console.is_watched();
        Self { console, bar: RefCell::new(ProgressBar::hidden()), is_shown }
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        self.bar.borrow().finish_and_clear();
    }

    fn bar(&self, object: &Object) -> ProgressBar {
        let (length, template) = match object.size {
            Some(size) => (Some(size), KNOWN_SIZE),
            None => (None, UNKNOWN_SIZE),
        };
        let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr_with_hz(5));
        // Both templates are right; another style would do as well.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        let name = object.key.rsplit('/').next().unwrap_or_default();
        bar.with_prefix(name.to_owned())
    }
}

impl Watch for Progress {
    fn begins(&self, object: &Object, offset: u64) {
        self.end();
        if offset > 0 {
            let key = &object.key;
            self.console.note(&format!("`{key}`: goes on at byte {offset}, stored up to there"));
        }
        if self.is_shown {
            self.bar.replace(self.bar(object));
        }
    }

    fn advances(&self, stored_bytes: u64) {
        self.bar.borrow().set_position(stored_bytes);
    }

    fn skips(&self, object: &Object) {
        let key = &object.key;
        self.bar.borrow().suspend(|| {
            self.console.note(&format!("`{key}`: skipped, it is stored already"));
        });
    }

    fn fails(&self, error: &PipelineError) {
        self.bar.borrow().suspend(|| self.console.error(&error.to_string()));
    }

    fn warns(&self, text: &str) {
        self.bar.borrow().suspend(|| self.console.warning(text));
    }
}
