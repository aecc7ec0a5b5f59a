//! The chart of a comparison: a bar for each tool, as long as it is fast.
//!
//! An SVG that brings its colours for light and dark pages, and no fonts.

use std::fmt::Write as _;

use crate::peers;
use crate::report::{Line, Report, Table};

const WIDTH: usize = 760;
/// Where bars begin; labels end before it.
const BARS_LEFT: usize = 190;
/// How long the longest bar is; its figures stand behind it.
const BARS_WIDTH: usize = 410;
const ROW_HEIGHT: usize = 24;
const BAR_HEIGHT: usize = 16;
const TITLE_HEIGHT: usize = 40;
const MARGIN: usize = 16;

const STYLE: &str = "\
text { font: 13px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 15px }
.note, .value { fill: #59636e; font-size: 12px }
.own { font-weight: 600 }
.bar { fill: #a8b1bb }
.bar.own { fill: #0a69da }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .note, .value { fill: #9198a1 }
  .bar { fill: #4b5563 }
  .bar.own { fill: #4493f8 }
}";

/// Draws a report.
pub(crate) fn draw(report: &Report) -> String {
    let mut body = String::new();
    let mut y = MARGIN;
    for table in &report.tables {
        draw_table(table, &mut y, &mut body);
    }
    let clock = report.clock_hz / 1e9;
    let Report { processor, date, commit, .. } = report;
    let date = date.get(..10).unwrap_or(date);
    let note = format!("One core of {processor} at {clock:.1} GHz, {date}, commit {commit}");
    y += ROW_HEIGHT;
    let _ = writeln!(
        body,
        r#"<text class="note" x="{MARGIN}" y="{y}">Validated input to OCSF events, the same rows from all; MB of input a second.</text>"#
    );
    y += ROW_HEIGHT - 4;
    let _ = writeln!(body, r#"<text class="note" x="{MARGIN}" y="{y}">{}</text>"#, escape(&note));
    let height = y + MARGIN;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" aria-label=\"weir beside other tools\">\n<style>\n{STYLE}\n</style>\n\
         {body}</svg>\n"
    )
}

fn draw_table(table: &Table, y: &mut usize, body: &mut String) {
    let speed = |line: &Line| Some(table.input_bytes as f64 / line.best_s()? / 1e6);
    let mut bars: Vec<_> = table
        .lines
        .iter()
        .filter(|line| !line.peer.starts_with("weir-") && peers::makes_rows(&line.peer))
        .filter_map(|line| Some((line, speed(line)?)))
        .collect();
    bars.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let Some(&(_, fastest)) = bars.first() else { return };
    let _ = writeln!(
        body,
        r#"<text class="title" x="{MARGIN}" y="{}">{}</text>"#,
        *y + 16,
        escape(&table.title)
    );
    *y += TITLE_HEIGHT - 10;
    for (line, mb_per_s) in bars {
        let own = if line.peer == peers::ALL[0].name { " own" } else { "" };
        let width = (mb_per_s / fastest * BARS_WIDTH as f64).max(2.0);
        let base = *y + 13;
        let ratio = match table.ratio(line) {
            Some(ratio) if own.is_empty() => format!(", weir is {ratio:.1} times as fast"),
            _ => String::new(),
        };
        let _ = writeln!(
            body,
            r#"<text class="{}" x="{}" y="{base}" text-anchor="end">{}</text>"#,
            own.trim(),
            BARS_LEFT - 10,
            escape(&line.label)
        );
        let _ = writeln!(
            body,
            r#"<rect class="bar{own}" x="{BARS_LEFT}" y="{y}" width="{width:.1}" height="{BAR_HEIGHT}" rx="2"/>"#
        );
        // A long bar leaves too little room behind it for more than the figure.
        let ratio = if width > BARS_WIDTH as f64 * 0.85 { "" } else { &ratio };
        let _ = writeln!(
            body,
            r#"<text class="value" x="{:.1}" y="{base}">{mb_per_s:.0}{ratio}</text>"#,
            BARS_LEFT as f64 + width + 8.0
        );
        *y += ROW_HEIGHT;
    }
    *y += ROW_HEIGHT / 2;
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
