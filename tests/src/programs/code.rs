//! A program as a tree of lines, of which any may be taken away.

/// A line, or lines in braces behind a head.
#[derive(Debug, Clone)]
pub(super) enum Code {
    Line(String),
    Block(String, Vec<Code>),
    /// `when ... { } else when ... { } else { }`
    Chain(Vec<(String, Vec<Code>)>),
}

impl Code {
    pub(super) fn line(text: impl Into<String>) -> Self {
        Self::Line(text.into())
    }

    pub(super) fn block(head: impl Into<String>, lines: Vec<Self>) -> Self {
        Self::Block(head.into(), lines)
    }

    /// The lists of lines in it.
    fn lists(&mut self) -> Vec<&mut Vec<Self>> {
        match self {
            Self::Line(_) => Vec::new(),
            Self::Block(_, lines) => vec![lines],
            Self::Chain(arms) => arms.iter_mut().map(|(_, lines)| lines).collect(),
        }
    }
}

/// Writes lines, indented.
pub(super) fn print(lines: &[Code], depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    for line in lines {
        match line {
            Code::Line(line) => text.push_str(&format!("{indent}{line}\n")),
            Code::Block(head, inner) => {
                text.push_str(&format!("{indent}{head} {{\n"));
                print(inner, depth + 1, text);
                text.push_str(&format!("{indent}}}\n"));
            }
            Code::Chain(arms) => {
                text.push_str(&indent);
                for (head, inner) in arms {
                    text.push_str(&format!("{head} {{\n"));
                    print(inner, depth + 1, text);
                    text.push_str(&format!("{indent}}} "));
                }
                text.push('\n');
            }
        }
    }
}

/// How many lines and blocks there are, counted with what is in them.
pub(super) fn count(lines: &mut [Code]) -> usize {
    let inner = |line: &mut Code| line.lists().into_iter().map(|list| count(list)).sum::<usize>();
    lines.iter_mut().map(|line| 1 + inner(line)).sum()
}

/// Takes away the line or block of this number, with all in it; `hoist` leaves what is in it in its place.
pub(super) fn remove(lines: &mut Vec<Code>, number: &mut usize, hoist: bool) -> bool {
    for at in 0..lines.len() {
        if *number == 0 {
            let mut removed = lines.remove(at);
            if hoist {
                let inner: Vec<Code> =
                    removed.lists().into_iter().flat_map(std::mem::take).collect();
                lines.splice(at..at, inner);
            }
            return true;
        }
        *number -= 1;
        for list in lines[at].lists() {
            if remove(list, number, hoist) {
                return true;
            }
        }
    }
    false
}
