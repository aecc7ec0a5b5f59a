//! The tree to text: where lines end, and how far they are indented.
//!
//! A piece stands on one line if it fits. If not, a chain of operators goes on below its first operand, so that the
//! operands stand in one column and the operators before it; a list goes on in lines of its own; a block always does.

use super::columns;
use super::tokens::Comment;
use super::tree::{Class, Node, Row, Shape, Tree};

/// Where lines are broken.
const WIDTH: usize = 100;

/// How long a line may be that the author wrote as one.
const WIDTH_MAX: usize = 120;

/// Spaces for each level.
const INDENT: usize = 2;

/// Spaces before a comment, at the least.
const COMMENT_GAP: usize = 2;

/// What is known about the tokens before each place, to answer questions about ranges at once.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    /// Characters with the spaces before them.
    width: usize,
    above: usize,
    behind: usize,
    breaks: usize,
    opens: usize,
}

/// Writes the tree.
pub(super) struct Layout<'t, 's> {
    pub(super) tree: &'t Tree<'s>,
    sums: Vec<Sums>,
    /// Spaces added before tokens to line them up.
    pub(super) extra: Vec<usize>,
    /// Comments that the row writes, not the token before them.
    taken: Vec<bool>,
    out: String,
    /// Characters on the last line.
    column: usize,
    /// Indentation of the row.
    indent: usize,
    /// Where a line goes on that had to end.
    hang: usize,
    /// The line ends before the next token, which stands in this column.
    ended: Option<usize>,
    /// The token whose comments above it are written already.
    told: usize,
    /// Nothing stands on the line yet.
    fresh: bool,
}

/// A row as written, without its comment.
struct Written {
    /// Index of the row.
    row: usize,
    /// Bytes before its end.
    end: usize,
    /// Characters of its last line.
    column: usize,
}

/// The text of a tree.
pub(super) fn write(tree: &Tree<'_>) -> String {
    let mut layout = Layout::new(tree);
    layout.rows(&tree.rows, 0);
    let written = !tree.rows.is_empty();
    if let Some(end) = tree.tokens.last() {
        layout.comments_above(&end.above, 0, written);
    }
    let mut text = layout.out;
    text.truncate(text.trim_end().len());
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

impl<'t, 's> Layout<'t, 's> {
    fn new(tree: &'t Tree<'s>) -> Self {
        let count = tree.tokens.len();
        let mut sums = Vec::with_capacity(count + 1);
        let mut sum = Sums::default();
        sums.push(sum);
        for (at, token) in tree.tokens.iter().enumerate() {
            sum.width += tree.gaps[at] + token.width;
            sum.above += usize::from(!token.above.is_empty());
            sum.behind += usize::from(token.behind.is_some());
            sum.breaks += usize::from(tree.breaks[at]);
            sum.opens += usize::from(tree.opens[at]);
            sums.push(sum);
        }
        Self {
            tree,
            sums,
            extra: vec![0; count],
            taken: vec![false; count],
            out: String::new(),
            column: 0,
            indent: 0,
            hang: 0,
            ended: None,
            told: 0,
            fresh: true,
        }
    }

    /// Characters of these tokens on one line, without the space before the first.
    pub(super) fn width(&self, from: usize, to: usize) -> usize {
        if from == to {
            return 0;
        }
        self.sums[to].width - self.sums[from].width - self.tree.gaps[from]
    }

    /// Whether these tokens could stand on one line if there were room.
    pub(super) fn is_flat(&self, from: usize, to: usize) -> bool {
        // What stands before the first token and behind the last one is no matter of this piece.
        let (start, inner, end) = (self.sums[from], self.sums[(from + 1).min(to)], self.sums[to]);
        let last = self.sums[to.saturating_sub(1).max(from)];
        end.above == inner.above && last.behind == start.behind && end.opens == inner.opens
    }

    /// Whether these tokens fit on one line that ends in this column.
    fn fits(&self, from: usize, to: usize, end: usize) -> bool {
        let broken = self.sums[to].breaks > self.sums[(from + 1).min(to)].breaks;
        self.is_flat(from, to) && end <= if broken { WIDTH } else { WIDTH_MAX }
    }

    /// Whether the row will take more than one line.
    pub(super) fn is_long(&self, row: &Row, indent: usize) -> bool {
        !self.fits(row.from, row.to, indent + self.width(row.from, row.to))
    }

    // Tokens.

    /// Ends the line; the next one starts in this column.
    fn end_line(&mut self, column: usize) {
        self.column = column;
        (self.ended, self.fresh) = (Some(column), true);
    }

    fn spaces(&mut self, count: usize) {
        self.out.extend(std::iter::repeat_n(' ', count));
        self.column += count;
    }

    fn push(&mut self, text: &str) {
        self.out.push_str(text);
        self.fresh = false;
        self.column = match text.rsplit_once('\n') {
            Some((_, last)) => last.chars().count(),
            None => self.column + text.chars().count(),
        };
    }

    /// Writes comments on lines of their own, each with its line end.
    fn comments_above(&mut self, comments: &[Comment<'_>], column: usize, mut blank: bool) {
        for comment in comments {
            if comment.blank_before && blank {
                self.out.push('\n');
            }
            blank = true;
            self.out.extend(std::iter::repeat_n(' ', column));
            self.out.push_str(comment.text);
            self.out.push('\n');
        }
    }

    fn token(&mut self, at: usize) {
        let token = &self.tree.tokens[at];
        let comments: &[Comment<'_>] = if at == self.told { &[] } else { &token.above };
        let ended = self.ended.take().or((!comments.is_empty()).then_some(self.hang));
        if let Some(column) = ended {
            self.out.push('\n');
            self.comments_above(comments, column, false);
            self.column = 0;
            self.spaces(column);
        } else if !self.fresh {
            self.spaces(self.tree.gaps[at] + self.extra[at]);
        }
        self.push(token.text);
        if let Some(comment) = token.behind.as_ref().filter(|_| !self.taken[at]) {
            self.spaces(comment.gap.max(COMMENT_GAP));
            self.push(comment.text);
            self.end_line(self.hang);
        }
    }

    fn tokens(&mut self, from: usize, to: usize) {
        (from..to).for_each(|at| self.token(at));
    }

    // Nodes.

    /// Writes a piece; `tail` characters must follow it on its last line.
    fn node(&mut self, node: &Node, tail: usize) {
        let gap = if self.fresh { 0 } else { self.tree.gaps[node.from] + self.extra[node.from] };
        let start = self.column + gap;
        let end = start + self.width(node.from, node.to) + tail;
        if self.fits(node.from, node.to, end) {
            return self.tokens(node.from, node.to);
        }
        match &node.shape {
            Shape::Plain => self.tokens(node.from, node.to),
            Shape::Sequence(parts) => self.sequence(parts, tail),
            Shape::Chain(parts) => {
                let sign = self.width(parts[1].from, parts[1].from + 1) + 1;
                let below = start.saturating_sub(sign).max(self.indent + INDENT);
                self.chain(parts, below, tail, false);
            }
            Shape::Choice(parts) => self.chain(parts, self.indent + INDENT, tail, true),
            Shape::List(items) => self.list(node, items),
            Shape::Block(rows) => self.block(node, rows),
        }
    }

    fn sequence(&mut self, parts: &[Node], tail: usize) {
        for (at, part) in parts.iter().enumerate() {
            let tail = self.head(&parts[at + 1..], tail);
            self.node(part, tail);
        }
    }

    /// Characters of these pieces up to where a line may end, and `tail` if it is reached.
    fn head(&self, parts: &[Node], tail: usize) -> usize {
        let mut width = 0;
        for part in parts {
            let whole = self.tree.gaps[part.from] + self.width(part.from, part.to);
            match part.shape {
                Shape::Plain if width > WIDTH_MAX => return width,
                Shape::Plain => width += whole,
                _ => return width + whole.min(INDENT),
            }
        }
        width + tail
    }

    fn chain(&mut self, parts: &[Node], below: usize, tail: usize, all: bool) {
        let hang = std::mem::replace(&mut self.hang, below);
        for (at, part) in parts.iter().enumerate() {
            let tail = if at + 1 == parts.len() { tail } else { 0 };
            let width = self.tree.gaps[part.from] + self.width(part.from, part.to) + tail;
            let full = self.column + width > WIDTH && self.column > below;
            if at > 0 && (all || self.tree.breaks[part.from] || full) {
                self.end_line(below);
            }
            self.node(part, tail);
        }
        self.hang = hang;
    }

    fn list(&mut self, node: &Node, items: &[Node]) {
        let (indent, hang) = (self.indent, self.hang);
        self.token(node.from);
        (self.indent, self.hang) = (indent + INDENT, indent + INDENT);
        for (at, item) in items.iter().enumerate() {
            let width = self.tree.gaps[item.from] + self.width(item.from, item.to);
            if at == 0 || self.tree.breaks[item.from] || self.column + width > WIDTH {
                self.end_line(self.hang);
            }
            self.node(item, 0);
        }
        if !items.is_empty() {
            self.end_line(indent);
        }
        self.token(node.to - 1);
        (self.indent, self.hang) = (indent, hang);
    }

    fn block(&mut self, node: &Node, rows: &[Row]) {
        let (indent, hang) = (self.indent, self.hang);
        self.token(node.from);
        let comments = self.tree.tokens[node.to - 1].above.as_slice();
        let empty = rows.is_empty() && comments.is_empty() && self.ended.is_none();
        if empty {
            self.token(node.to - 1);
            return;
        }
        self.out.push('\n');
        self.rows(rows, indent + INDENT);
        self.comments_above(comments, indent + INDENT, !rows.is_empty());
        self.column = 0;
        self.spaces(indent);
        (self.indent, self.hang, self.told) = (indent, hang, node.to - 1);
        (self.ended, self.fresh) = (None, true);
        self.token(node.to - 1);
    }

    // Rows.

    /// Writes rows, each with its line end.
    fn rows(&mut self, rows: &[Row], indent: usize) {
        let mut written: Vec<Written> = Vec::new();
        let start = self.out.len();
        let mut from = 0;
        while from < rows.len() {
            let to = columns::run_end(self, rows, from, indent);
            columns::align_left(self, &rows[from..to]);
            self.run(&rows[from..to], from, indent, &mut written);
            from = to;
        }
        self.comments_behind(rows, start, &written);
        (self.column, self.fresh, self.ended) = (0, true, None);
    }

    /// Writes rows that are aligned with each other. What stands before the handlers decides where they go.
    fn run(&mut self, rows: &[Row], first: usize, indent: usize, written: &mut Vec<Written>) {
        let before = std::mem::take(&mut self.out);
        let mut texts: Vec<(String, usize, Option<usize>)> = Vec::new();
        for row in rows {
            self.body(row, indent);
            texts.push((std::mem::take(&mut self.out), self.column, self.ended));
        }
        let most = rows.iter().map(|row| row.handlers.len()).max().unwrap_or(0);
        for which in 0..most {
            let ends: Vec<usize> = texts.iter().map(|text| text.1).collect();
            columns::align_handlers(self, rows, which, &ends);
            for (row, (text, column, ended)) in rows.iter().zip(&mut texts) {
                let Some(handler) = row.handlers.get(which) else { continue };
                self.out = std::mem::take(text);
                (self.column, self.indent, self.hang) = (*column, indent, indent + 2 * INDENT);
                (self.ended, self.fresh) = (*ended, ended.is_some());
                self.handler(handler);
                (*text, *column, *ended) = (std::mem::take(&mut self.out), self.column, self.ended);
            }
        }
        self.out = before;
        for (at, (row, (text, column, _))) in rows.iter().zip(texts).enumerate() {
            self.above(row, indent, first + at == 0);
            self.out.push_str(&text);
            written.push(Written { row: first + at, end: self.out.len(), column });
            self.out.push('\n');
        }
    }

    /// The blank line and the comments before a row.
    fn above(&mut self, row: &Row, indent: usize, first: bool) {
        let token = &self.tree.tokens[row.from];
        self.comments_above(&token.above, indent, !first);
        if token.blank_before && !(first && token.above.is_empty()) {
            self.out.push('\n');
        }
    }

    /// A row up to its handlers.
    fn body(&mut self, row: &Row, indent: usize) {
        self.taken[row.to - 1] = true;
        self.column = 0;
        self.spaces(indent);
        (self.indent, self.fresh, self.ended, self.told) = (indent, true, None, row.from);
        self.hang = if row.class == Class::Line { indent } else { indent + 2 * INDENT };
        let handlers: usize =
            row.handlers.iter().map(|handler| 1 + self.width(handler.from, handler.to)).sum();
        if let (Some(left), Some(sign)) = (&row.left, row.sign) {
            let patterns = matches!(row.class, Class::Arm | Class::TableRow);
            match (&left.shape, patterns) {
                (Shape::Chain(parts), true) if self.is_long_left(left, indent) => {
                    self.chain(parts, indent + INDENT, 0, false);
                }
                _ => self.tokens(left.from, left.to),
            }
            self.tokens(sign, row.body.from);
        }
        self.node(&row.body, handlers);
    }

    /// Whether the patterns of an arm take more than one line.
    pub(super) fn is_long_left(&self, left: &Node, indent: usize) -> bool {
        !self.fits(left.from, left.to, indent + self.width(left.from, left.to))
    }

    fn handler(&mut self, handler: &Node) {
        let gap = self.tree.gaps[handler.from] + self.extra[handler.from];
        let end = self.column + gap + self.width(handler.from, handler.to);
        if end > WIDTH_MAX && self.column + gap > self.hang {
            self.end_line(self.hang);
        }
        self.node(handler, 0);
    }

    /// Puts the comments behind the rows that were written since `start`.
    fn comments_behind(&mut self, rows: &[Row], start: usize, written: &[Written]) {
        let commented: Vec<(usize, columns::Commented)> = written
            .iter()
            .filter_map(|line| {
                let row = &rows[line.row];
                let comment = self.tree.tokens[row.to - 1].behind.as_ref()?;
                let token = &self.tree.tokens[row.from];
                Some((
                    line.end,
                    columns::Commented {
                        row: line.row,
                        end: line.column,
                        gap: comment.gap,
                        column: token.line_start.then(|| comment.column.checked_sub(token.column)),
                        width: comment.text.chars().count(),
                    },
                ))
            })
            .collect();
        if commented.is_empty() {
            return;
        }
        let lines: Vec<columns::Commented> = commented.iter().map(|(_, line)| *line).collect();
        let gaps = columns::comment_gaps(self.tree, rows, &lines, COMMENT_GAP, WIDTH_MAX);
        let tail = self.out.split_off(start);
        let mut done = 0;
        for ((end, line), gap) in commented.iter().zip(gaps) {
            self.out.push_str(&tail[done..end - start]);
            self.out.extend(std::iter::repeat_n(' ', gap));
            let row = &rows[line.row];
            if let Some(comment) = &self.tree.tokens[row.to - 1].behind {
                self.out.push_str(comment.text);
            }
            done = end - start;
        }
        self.out.push_str(&tail[done..]);
    }
}
