//! Finds the wanted values of a JSON text.

use crate::plan::{Node, Projection};
use crate::project::{skip, string};

/// A wanted name occurs twice in one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DuplicateKey;

/// Memory that is used again from projection to projection.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// For each node of the projection: its value has been found.
    found: Vec<bool>,
    /// A key with its escapes resolved.
    key: String,
}

/// Fills `slots` with the texts of the wanted values of a sound text. The first member of a name counts.
pub(crate) fn project<'a>(
    text: &'a str,
    projection: &Projection,
    reject_duplicates: bool,
    slots: &mut [Option<&'a str>],
    scratch: &mut Scratch,
) -> Result<(), DuplicateKey> {
    slots.fill(None);
    let mut walk = Walk::new(text, projection, reject_duplicates, slots, scratch);
    walk.piece(0, skip::space(walk.bytes, 0));
    if walk.duplicate { Err(DuplicateKey) } else { Ok(()) }
}

/// Fills the slots below a node with what is wanted of the text of its value, which is sound and one array.
pub(crate) fn project_below<'a>(
    text: &'a str,
    projection: &Projection,
    node: u16,
    slots: &mut [Option<&'a str>],
    scratch: &mut Scratch,
) {
    Walk::new(text, projection, false, slots, scratch).value(node, 0);
}

struct Walk<'a, 'w> {
    text: &'a str,
    bytes: &'a [u8],
    nodes: &'w [Node],
    slots: &'w mut [Option<&'a str>],
    scratch: &'w mut Scratch,
    reject_duplicates: bool,
    duplicate: bool,
}

impl<'a, 'w> Walk<'a, 'w> {
    fn new(
        text: &'a str,
        projection: &'w Projection,
        reject_duplicates: bool,
        slots: &'w mut [Option<&'a str>],
        scratch: &'w mut Scratch,
    ) -> Self {
        scratch.found.clear();
        scratch.found.resize(projection.nodes.len(), false);
        let (bytes, nodes) = (text.as_bytes(), &projection.nodes[..]);
        Self { text, bytes, nodes, slots, scratch, reject_duplicates, duplicate: false }
    }
}

impl Walk<'_, '_> {
    /// Projects what stands from `start` to the next separator; gives the separator's offset.
    fn piece(&mut self, node: u16, start: usize) -> usize {
        let duplicate_before = self.duplicate;
        let mut end = self.value(node, start);
        let mut separator = skip::space(self.bytes, end);
        if !skip::is_separator(self.bytes, separator) {
            // More than one value is no object and no array, whatever it starts with.
            self.forget(node);
            self.duplicate = duplicate_before;
            separator = skip::to_separator(self.bytes, separator);
            end = skip::space_back(self.bytes, start, separator);
        }
        if let Some(slot) = self.nodes[usize::from(node)].slot {
            self.slots[usize::from(slot)] = Some(&self.text[start..end]);
        }
        separator
    }

    /// Projects the value that starts at `at`; gives the offset behind it.
    fn value(&mut self, node: u16, at: usize) -> usize {
        match self.bytes.get(at) {
            Some(b'{') => self.object(node, at + 1),
            Some(b'[') => self.array(node, at + 1),
            _ => skip::value(self.bytes, at),
        }
    }

    fn object(&mut self, node: u16, mut at: usize) -> usize {
        let mut wanted = self.nodes[usize::from(node)].members.len();
        // A second member of a name can stand anywhere behind the first.
        let early_exit = !self.reject_duplicates || wanted == 0;
        loop {
            if wanted == 0 && early_exit {
                return skip::rest_of_container(self.bytes, at);
            }
            let (separator, found) = self.member(node, at);
            if self.bytes.get(separator) != Some(&b',') {
                return self.bytes.len().min(separator + 1);
            }
            wanted -= usize::from(found);
            at = separator + 1;
        }
    }

    /// Looks at what stands from `at` to the next separator; gives that, and whether a wanted member was found.
    fn member(&mut self, node: u16, at: usize) -> (usize, bool) {
        let quote = skip::space(self.bytes, at);
        if self.bytes.get(quote) != Some(&b'"') {
            return (skip::to_separator(self.bytes, quote), false);
        }
        let key_end = skip::string(self.bytes, quote);
        let colon = skip::space(self.bytes, key_end);
        if self.bytes.get(colon) != Some(&b':') {
            return (skip::to_separator(self.bytes, colon), false);
        }
        let start = skip::space(self.bytes, colon + 1);
        let key = self.text.get(quote + 1..key_end - 1);
        match key.and_then(|key| self.wanted(node, key)) {
            None => (skip::to_separator(self.bytes, start), false),
            Some(member) if self.scratch.found[usize::from(member)] => {
                self.duplicate = self.reject_duplicates;
                (skip::to_separator(self.bytes, start), false)
            }
            Some(member) => {
                self.scratch.found[usize::from(member)] = true;
                (self.piece(member, start), true)
            }
        }
    }

    /// The node for a key, as it stands between its quotes.
    #[inline]
    fn wanted(&mut self, node: u16, key: &str) -> Option<u16> {
        let key = if key.as_bytes().contains(&b'\\') {
            self.scratch.key.clear();
            // A key that is no text has no name.
            string::unescape_into(key, &mut self.scratch.key)?;
            self.scratch.key.as_str()
        } else {
            key
        };
        let members = &self.nodes[usize::from(node)].members;
        members.iter().find(|(name, _)| name == key).map(|(_, member)| *member)
    }

    fn array(&mut self, node: u16, at: usize) -> usize {
        let nodes = self.nodes;
        let Node { elements, last, .. } = &nodes[usize::from(node)];
        let mut start = skip::space(self.bytes, at);
        if self.bytes.get(start) == Some(&b']') || (elements.is_empty() && last.is_none()) {
            return skip::rest_of_container(self.bytes, at);
        }
        let mut index = 0_u32;
        loop {
            let element = elements.iter().find(|(wanted, _)| *wanted == index);
            let separator = match element {
                Some((_, element)) => self.piece(*element, start),
                None => skip::to_separator(self.bytes, start),
            };
            if self.bytes.get(separator) != Some(&b',') {
                if let Some(last) = last {
                    self.piece(*last, start);
                }
                return self.bytes.len().min(separator + 1);
            }
            start = skip::space(self.bytes, separator + 1);
            index = index.saturating_add(1);
        }
    }

    /// Empties the slots below a node.
    fn forget(&mut self, node: u16) {
        let nodes = self.nodes;
        let Node { members, elements, last, .. } = &nodes[usize::from(node)];
        let below = members.iter().map(|(_, below)| *below);
        let below = below.chain(elements.iter().map(|(_, below)| *below)).chain(*last);
        for below in below {
            if let Some(slot) = nodes[usize::from(below)].slot {
                self.slots[usize::from(slot)] = None;
            }
            self.forget(below);
        }
    }
}

/// The elements of an array, each as its text without white space around it.
#[derive(Debug, Clone)]
pub(crate) struct Elements<'a> {
    text: &'a str,
    /// Where the next element starts; none behind the last.
    next: Option<usize>,
}

impl<'a> Elements<'a> {
    /// None if the text is not exactly one array.
    pub(crate) fn of(text: &'a str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.first() != Some(&b'[') || skip::value(bytes, 0) != bytes.len() {
            return None;
        }
        let start = skip::space(bytes, 1);
        let blank = start + 1 == bytes.len();
        Some(Self { text, next: (!blank).then_some(start) })
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let start = self.next?;
        let bytes = self.text.as_bytes();
        let separator = skip::to_separator(bytes, start);
        let more = bytes.get(separator) == Some(&b',');
        self.next = more.then(|| skip::space(bytes, separator + 1));
        Some(&self.text[start..skip::space_back(bytes, start, separator)])
    }
}
