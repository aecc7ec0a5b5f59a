//! What stands in one column: signs, handlers, comments, the entries of blocks on one line.
//!
//! Only the author knows which lines belong together. Lines whose signs stand in one column do: they are lined up exactly.
//! A run of lines that shows no such intention is lined up as a whole.

use crate::lex::Kind;

use super::layout::Layout;
use super::tree::{Class, Node, Row, Shape, Tree};

/// The end of the run that starts at `from`: rows of one class without a blank line or a comment between them, of which
/// only the last takes more than one line.
pub(super) fn run_end(layout: &Layout<'_, '_>, rows: &[Row], from: usize, indent: usize) -> usize {
    let mut to = from + 1;
    while to < rows.len() {
        let token = &layout.tree.tokens[rows[to].from];
        let apart = token.blank_before || !token.above.is_empty();
        let long_left =
            |row: &Row| row.left.as_ref().is_some_and(|left| layout.is_long_left(left, indent));
        if apart
            || rows[to].class != rows[from].class
            || layout.is_long(&rows[to - 1], indent)
            || long_left(&rows[to])
        {
            break;
        }
        to += 1;
    }
    to
}

/// One place that may be lined up with others.
#[derive(Debug, Clone, Copy)]
struct Cell {
    /// Index of its row in the run.
    row: usize,
    /// The token that starts here.
    token: usize,
    /// Where what stands before it ends, counted from the start of the row.
    end: usize,
    /// Spaces before it in the source.
    gap: usize,
    /// Its place in the source, counted from the start of the row, if that is known.
    column: Option<usize>,
}

impl Cell {
    fn new(tree: &Tree<'_>, rows: &[Row], row: usize, token: usize, end: usize) -> Self {
        let start = &tree.tokens[rows[row].from];
        let this = &tree.tokens[token];
        let column = if start.line_start { this.column.checked_sub(start.column) } else { None };
        let gap = if this.line_start { 1 } else { this.gap.max(1) };
        Self { row, token, end, gap, column }
    }
}

/// Lines up what stands before the handlers of the rows of one run.
pub(super) fn align_left(layout: &mut Layout<'_, '_>, rows: &[Row]) {
    match rows[0].class {
        Class::Line => return align_entries(layout, rows),
        Class::Arm | Class::TableRow => align_bars(layout, rows),
        _ => {}
    }
    let mut cells = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let (Some(left), Some(sign)) = (&row.left, row.sign) else { continue };
        let extra: usize = layout.extra[left.from..left.to].iter().sum();
        let end = layout.width(left.from, left.to) + extra;
        cells.push(Cell::new(layout.tree, rows, at, sign, end));
    }
    align_signs(layout, rows[0].class, &cells);
    match rows[0].class {
        Class::TableRow => align_constants(layout, rows),
        _ => align_operators(layout, rows),
    }
}

/// Lines up the signs of a run, by the author's groups if there are any.
fn align_signs(layout: &mut Layout<'_, '_>, class: Class, cells: &[Cell]) {
    if !is_lined_up(cells) {
        if class != Class::Check {
            line_up(layout, &cells.iter().collect::<Vec<_>>(), 1);
        }
        return;
    }
    let patterns = matches!(class, Class::Arm | Class::TableRow);
    for cell in cells {
        layout.extra[cell.token] = cell.gap - 1;
    }
    for group in groups(cells) {
        let least = group.iter().map(|cell| cell.gap).min().unwrap_or(1);
        line_up(layout, &group, if patterns { least } else { 1 });
    }
}

/// Whether two signs stand in one column behind texts of different length.
fn is_lined_up(cells: &[Cell]) -> bool {
    groups(cells).iter().any(|group| group.iter().any(|cell| cell.end != group[0].end))
}

/// Cells that stand in one column of the source, two or more each.
fn groups(cells: &[Cell]) -> Vec<Vec<&Cell>> {
    let mut sorted: Vec<&Cell> = cells.iter().filter(|cell| cell.column.is_some()).collect();
    sorted.sort_by_key(|cell| (cell.column, cell.row));
    sorted
        .chunk_by(|a, b| a.column == b.column)
        .filter(|group| group.len() > 1)
        .map(<[&Cell]>::to_vec)
        .collect()
}

/// Puts cells into one column, `gap` spaces behind the longest text.
fn line_up(layout: &mut Layout<'_, '_>, cells: &[&Cell], gap: usize) {
    let end = cells.iter().map(|cell| cell.end).max().unwrap_or(0);
    for cell in cells {
        let spaces = end + gap - cell.end;
        layout.extra[cell.token] = spaces.saturating_sub(layout.tree.gaps[cell.token]);
    }
}

/// Lines up the `|` between patterns where the author did.
fn align_bars(layout: &mut Layout<'_, '_>, rows: &[Row]) {
    let bars = |row: &Row| match &row.left {
        Some(left) if layout.is_long_left(left, 0) => Vec::new(),
        Some(Node { shape: Shape::Chain(parts), .. }) => part_starts(parts),
        _ => Vec::new(),
    };
    let starts: Vec<Vec<usize>> = rows.iter().map(bars).collect();
    align_tokens(layout, rows, &starts, 1);
}

/// Lines up the outermost operators of values where the author did.
fn align_operators(layout: &mut Layout<'_, '_>, rows: &[Row]) {
    let starts: Vec<Vec<usize>> = rows
        .iter()
        .map(|row| match &row.body.shape {
            Shape::Chain(parts) if !layout.is_long(row, 0) => part_starts(parts),
            _ => Vec::new(),
        })
        .collect();
    align_tokens(layout, rows, &starts, 1);
}

/// The operators of a chain.
fn part_starts(parts: &[Node]) -> Vec<usize> {
    parts.iter().skip(1).map(|part| part.from).collect()
}

/// Lines up the entries of blocks on one line where the author did.
fn align_entries(layout: &mut Layout<'_, '_>, rows: &[Row]) {
    let starts: Vec<Vec<usize>> = rows
        .iter()
        .map(|row| {
            let mut starts = Vec::new();
            if !layout.is_long(row, 0) {
                row_starts(&row.body.shape, &mut starts);
            }
            starts
        })
        .collect();
    align_tokens(layout, rows, &starts, 2);
}

/// Lines up tokens where the author did: the first ones of all rows, then the second ones, and so on.
fn align_tokens(layout: &mut Layout<'_, '_>, rows: &[Row], starts: &[Vec<usize>], gap: usize) {
    for which in 0..starts.iter().map(Vec::len).max().unwrap_or(0) {
        let mut cells = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            let Some(&token) = starts[at].get(which) else { continue };
            let extra: usize = layout.extra[row.from..token].iter().sum();
            let end = layout.width(row.from, token) + extra;
            let cell = Cell::new(layout.tree, rows, at, token, end);
            if cell.gap >= gap {
                cells.push(cell);
            }
        }
        for group in groups(&cells) {
            if group.iter().any(|cell| cell.end != group[0].end) {
                line_up(layout, &group, gap);
            }
        }
    }
}

/// The first tokens of the rows of all blocks, but for the first row of each.
fn row_starts(shape: &Shape, starts: &mut Vec<usize>) {
    match shape {
        Shape::Sequence(parts) => parts.iter().for_each(|part| row_starts(&part.shape, starts)),
        Shape::Block(rows) => {
            for (at, row) in rows.iter().enumerate() {
                if at > 0 {
                    starts.push(row.from);
                }
                row_starts(&row.body.shape, starts);
            }
        }
        _ => {}
    }
}

/// Lines up the constants of table rows: numbers at their decimal point, texts at their start.
fn align_constants(layout: &mut Layout<'_, '_>, rows: &[Row]) {
    let tree = layout.tree;
    let cells: Vec<Vec<(usize, usize)>> = rows
        .iter()
        .map(|row| {
            let comma = |&at: &usize| tree.tokens[at].kind == Kind::Comma;
            let mut cells = Vec::new();
            let mut from = row.body.from;
            for at in (row.body.from..row.body.to).filter(comma) {
                cells.push((from, at));
                from = at + 1;
            }
            cells.push((from, row.body.to));
            cells
        })
        .collect();
    let texts = |at: usize| tree.tokens[at].kind == Kind::String;
    // Characters that are still to be filled before the next constant of each row.
    let mut behind = vec![0; rows.len()];
    for which in 0..cells.iter().map(Vec::len).max().unwrap_or(0) {
        let parts: Vec<Option<(usize, usize, usize)>> = cells
            .iter()
            .map(|row| {
                let &(from, to) = row.get(which)?;
                let width = layout.width(from, to);
                let whole = match texts(to - 1) {
                    true => 0,
                    false => {
                        let text = tree.tokens[to - 1].text;
                        width - text.split_once('.').map_or(0, |(_, digits)| digits.len() + 1)
                    }
                };
                Some((from, whole, width - whole))
            })
            .collect();
        let whole_most = parts.iter().flatten().map(|part| part.1).max().unwrap_or(0);
        let rest_most = parts.iter().flatten().map(|part| part.2).max().unwrap_or(0);
        for (row, part) in parts.iter().enumerate() {
            let Some((from, whole, rest)) = *part else { continue };
            layout.extra[from] = behind[row] + whole_most - whole;
            behind[row] = rest_most - rest;
        }
    }
}

/// Lines up the handlers of a run; `ends` are where the lines before them end.
pub(super) fn align_handlers(
    layout: &mut Layout<'_, '_>,
    rows: &[Row],
    which: usize,
    ends: &[usize],
) {
    let mut cells = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        if let Some(handler) = row.handlers.get(which) {
            cells.push(Cell::new(layout.tree, rows, at, handler.from, ends[at]));
        }
    }
    for cell in &cells {
        layout.extra[cell.token] = cell.gap.min(2) - 1;
    }
    if is_lined_up(&cells) {
        for group in groups(&cells) {
            let least = group.iter().map(|cell| cell.gap).min().unwrap_or(1);
            line_up(layout, &group, least);
        }
    }
}

/// A row with a comment behind it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Commented {
    /// Index of the row in its block.
    pub(super) row: usize,
    /// Characters of its last line.
    pub(super) end: usize,
    /// Spaces before the comment in the source.
    pub(super) gap: usize,
    /// Its place in the source, counted from the start of the row, if that is known.
    pub(super) column: Option<Option<usize>>,
    /// Characters of the comment.
    pub(super) width: usize,
}

/// Spaces before each comment: those in one column of the source stay in one, the others keep their distance.
pub(super) fn comment_gaps(
    tree: &Tree<'_>,
    rows: &[Row],
    lines: &[Commented],
    least: usize,
    width_max: usize,
) -> Vec<usize> {
    let mut gaps: Vec<usize> = lines.iter().map(|line| line.gap.max(least)).collect();
    let apart = |a: usize, b: usize| {
        (a + 1..=b).any(|row| {
            let token = &tree.tokens[rows[row].from];
            token.blank_before || !token.above.is_empty()
        })
    };
    let mut from = 0;
    while from < lines.len() {
        let mut to = from + 1;
        while to < lines.len() && !apart(lines[to - 1].row, lines[to].row) {
            to += 1;
        }
        let mut order: Vec<usize> =
            (from..to).filter(|&at| lines[at].column.flatten().is_some()).collect();
        order.sort_by_key(|&at| (lines[at].column, at));
        for group in order.chunk_by(|&a, &b| lines[a].column == lines[b].column) {
            let end = group.iter().map(|&at| lines[at].end).max().unwrap_or(0);
            let gap = group.iter().map(|&at| gaps[at]).min().unwrap_or(least);
            group.iter().for_each(|&at| gaps[at] = end + gap - lines[at].end);
        }
        from = to;
    }
    for (gap, line) in gaps.iter_mut().zip(lines) {
        if line.end + *gap + line.width > width_max {
            *gap = least;
        }
    }
    gaps
}
