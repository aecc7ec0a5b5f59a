//! A template as it is for the records that come: their pieces joined.
//!
//! Whether a member is there is known only of records, but mostly it is the same for all of them. So constant runs are
//! joined across members that always are there, and over those that never are. If records come that are not like those
//! before, the template is laid out again, and what was once different is not taken for granted any more.

use super::emit::{Hole, Template};
use super::flags::ALWAYS;
use super::text::{Constant, Constants};
use super::{Flag, Run};
use crate::rows::Rows;

/// The pieces of a template, joined.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// Of each of the template's pieces.
    presences: Vec<Presence>,
    pub(super) pieces: Vec<Joined>,
    pub(super) constants: Constants,
}

/// Of the records that have what is around a piece, which had it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    Always,
    Sometimes,
    Never,
}

/// Some pieces of a template that always stand side by side: only the last of them has a hole.
#[derive(Debug)]
pub(super) struct Joined {
    /// Without this flag it is left out, and so many behind it.
    pub(super) guard: Flag,
    pub(super) skip: usize,
    /// An object or list ends here.
    pub(super) ends: bool,
    /// Before a text it ends with its quote.
    pub(super) run: Constant,
    /// The number of the piece whose hole it has.
    pub(super) hole: Option<usize>,
}

impl Layout {
    /// Sees to it that the layout is right for some records.
    pub(super) fn suit(&mut self, template: &Template, run: &Run<'_, '_>, of: Rows) {
        let mut is_new = self.presences.is_empty();
        let mut number = 0;
        presences(template, run, of, |presence| {
            match self.presences.get_mut(number) {
                None => self.presences.push(presence),
                Some(known) if *known != presence && *known != Presence::Sometimes => {
                    *known = Presence::Sometimes;
                    is_new = true;
                }
                Some(_) => {}
            }
            number += 1;
        });
        if is_new {
            let mut draft = Draft::default();
            draft.pieces(template, &self.presences);
            (self.pieces, self.constants) = (draft.joined, draft.constants);
        }
    }
}

/// Which of some records have each piece, one behind the other. In a part that none of them has all is always there.
fn presences(template: &Template, run: &Run<'_, '_>, of: Rows, mut found: impl FnMut(Presence)) {
    // The parts that the piece stands in: where each ends, and who has what is around it.
    let mut parts: Vec<(usize, Rows)> = Vec::new();
    let mut around = of;
    for (at, piece) in template.pieces.iter().enumerate() {
        while let Some((_, rows)) = parts.pop_if(|(end, _)| *end == at) {
            around = rows;
        }
        let rows = run.flag(piece.guard) & around;
        found(match rows {
            _ if rows == around => Presence::Always,
            0 => Presence::Never,
            _ => Presence::Sometimes,
        });
        if piece.skip > 0 {
            parts.push((at + 1 + piece.skip, around));
            around = rows;
        }
    }
}

/// A layout in the making.
#[derive(Default)]
struct Draft {
    joined: Vec<Joined>,
    constants: Constants,
    /// The piece that is not finished yet.
    guard: Flag,
    ends: bool,
    run: String,
    /// Parts that are sometimes there and not yet at their end: that end, and their first piece here.
    open: Vec<(usize, usize)>,
}

impl Draft {
    fn pieces(&mut self, template: &Template, presences: &[Presence]) {
        let mut at = 0;
        while let Some(piece) = template.pieces.get(at) {
            self.close(at);
            let (number, presence) = (at, presences[at]);
            at += 1;
            match presence {
                Presence::Always => {}
                Presence::Sometimes => {
                    self.flush(None);
                    self.guard = piece.guard;
                    self.open.push((at + piece.skip, self.joined.len()));
                }
                Presence::Never => {
                    at += piece.skip;
                    continue;
                }
            }
            if piece.ends {
                self.end();
            }
            self.run.push_str(&template.constants.text(piece.run));
            match piece.hole {
                Hole::Nothing => continue,
                Hole::Text(_) => self.run.push('"'),
                _ => {}
            }
            self.flush(Some(number));
        }
        self.close(at);
        self.flush(None);
    }

    /// Takes the comma back behind which an object or list ends.
    fn end(&mut self) {
        if self.run.ends_with(',') {
            self.run.pop();
        } else {
            self.flush(None);
            self.ends = true;
        }
    }

    /// Ends the parts that end here.
    fn close(&mut self, at: usize) {
        while let Some((_, first)) = self.open.pop_if(|(end, _)| *end <= at) {
            self.flush(None);
            let behind = self.joined.len() - first - 1;
            self.joined[first].skip = behind;
        }
    }

    /// Puts what is pending into a piece.
    fn flush(&mut self, hole: Option<usize>) {
        if hole.is_none() && self.run.is_empty() {
            return;
        }
        let guard = std::mem::replace(&mut self.guard, ALWAYS);
        let ends = std::mem::take(&mut self.ends);
        let run = self.constants.add(&std::mem::take(&mut self.run));
        self.joined.push(Joined { guard, skip: 0, ends, run, hole });
    }
}
