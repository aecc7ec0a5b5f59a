//! The documents: Markdown files with programs in them, which must be as right as the code.
//!
//! A code block says by the words behind its fence what it is, and is tried accordingly:
//!
//! | fence | what must hold |
//! |---|---|
//! | `weir` | a whole program: compiles without a report, is formatted, passes its tests |
//! | `weir,items` | items of a program; what they lack (head, `event`, an `emit`) is put around them |
//! | `weir,entries` | lines of an `emit api_activity` |
//! | `weir,values` | an expression a line, with what it gives behind `# `; the record is the `json` block before it |
//! | `weir,wrong=W0203` | a whole program, or items, with exactly this report |
//!
//! A program that follows a block with the same first fence is tried on its own: blocks do not add up.

pub mod functions;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Parser, Tag, TagEnd};
use weir_dsl::testing::run_tests;
use weir_dsl::{Compiled, Source, compile};
use weir_engine::plan::ObjectMeta;

use crate::chunk::{self, Cut};

/// What every program of a document has that is not shown.
const HEAD: &str = "weir 1\nparser \"example\" version 1\nocsf \"1.8.0\"\nproduct \"Example\" by \"Acme\"\n\
                    input ndjson { }\non error { required reject  optional skip }\n";
const EVENT: &str =
    "event { id = .id  time = .at  actor = .user  action = .action  target = .target }\n";
/// Attributes that an `api_activity` needs, where a block does not set them itself.
const ENTRIES: [(&str, &str); 2] =
    [("activity_id", "\"Other\""), ("src_endpoint.name", "\"example\"")];

/// A Markdown file.
#[derive(Debug)]
pub struct Document {
    /// Where it is.
    pub path: PathBuf,
    /// Its code blocks in order.
    pub blocks: Vec<Block>,
    /// Where its links lead.
    pub links: Vec<String>,
    /// The names of its headings in links.
    pub anchors: Vec<String>,
    /// The text of its first heading of the first level.
    pub title: String,
}

/// A code block.
#[derive(Debug)]
pub struct Block {
    /// The words behind the fence.
    pub info: String,
    /// What is in it.
    pub text: String,
    /// The line of the document on which it starts.
    pub line: usize,
}

impl Document {
    /// Reads a file.
    ///
    /// # Panics
    ///
    /// If it cannot be read.
    pub fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
        let mut document = Self {
            path: path.to_owned(),
            blocks: Vec::new(),
            links: Vec::new(),
            anchors: Vec::new(),
            title: String::new(),
        };
        let (mut heading, mut in_block) = (None::<String>, false);
        let options = pulldown_cmark::Options::ENABLE_TABLES;
        for (event, range) in Parser::new_ext(&text, options).into_offset_iter() {
            match event {
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                    let line = text[..range.start].lines().count() + 1;
                    document.blocks.push(Block {
                        info: info.to_string(),
                        text: String::new(),
                        line,
                    });
                    in_block = true;
                }
                Event::End(TagEnd::CodeBlock) => in_block = false,
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(level)) => {
                    let name = heading.take().unwrap_or_default();
                    if level == HeadingLevel::H1 && document.title.is_empty() {
                        document.title.clone_from(&name);
                    }
                    document.anchors.push(anchor(&name));
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    document.links.push(dest_url.to_string());
                }
                Event::Text(part) if in_block => {
                    if let Some(block) = document.blocks.last_mut() {
                        block.text.push_str(&part);
                    }
                }
                Event::Text(part) | Event::Code(part) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&part);
                    }
                }
                _ => {}
            }
        }
        document
    }

    /// Every Markdown file below a folder, by path.
    ///
    /// # Panics
    ///
    /// If one cannot be read.
    pub fn below(folder: &Path) -> Vec<Self> {
        let mut found = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).expect("a folder of documents can be read") {
                let path = entry.expect("an entry of it can be read").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|ending| ending == "md") {
                    found.push(path);
                }
            }
        }
        found.sort();
        found.iter().map(|path| Self::read(path)).collect()
    }

    /// Tries every program in it; gives what is wrong.
    pub fn try_programs(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (at, block) in self.blocks.iter().enumerate() {
            let before = at.checked_sub(1).map(|before| &self.blocks[before]);
            let record = before.filter(|before| before.info == "json").map(|before| &*before.text);
            if let Err(problem) = block.try_out(record) {
                wrong.push(format!("{}:{}: {problem}", self.path.display(), block.line));
            }
        }
        wrong
    }

    /// The links that lead nowhere.
    pub fn dead_links(&self) -> Vec<String> {
        let dead = |link: &&String| !self.leads_somewhere(link);
        let shown =
            |link: &String| format!("{}: the link `{link}` leads nowhere", self.path.display());
        self.links.iter().filter(dead).map(shown).collect()
    }

    fn leads_somewhere(&self, link: &str) -> bool {
        if link.starts_with("https://") || link.starts_with("http://") {
            return true;
        }
        let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
        let path = match file {
            "" => self.path.clone(),
            file => self.path.parent().unwrap_or(Path::new("")).join(file),
        };
        if anchor.is_empty() {
            return path.exists();
        }
        path.is_file() && Self::read(&path).anchors.iter().any(|known| known == anchor)
    }
}

/// A heading's name in links, as mdBook makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter_map(|character| match character {
        ' ' => Some('-'),
        '-' | '_' => Some(character),
        _ if character.is_alphanumeric() => Some(character.to_ascii_lowercase()),
        _ => None,
    });
    kept.collect()
}

impl Block {
    fn try_out(&self, record: Option<&str>) -> Result<(), String> {
        let Some(kind) = self.info.strip_prefix("weir") else { return Ok(()) };
        match kind {
            "" => self.try_program(),
            ",items" => passes(&source(&with_surroundings(&self.text))),
            ",entries" => passes(&source(&format!("{HEAD}{EVENT}{}", emit(&self.text)))),
            ",values" => self.try_values(record.unwrap_or("{}")),
            other => match other.strip_prefix(",wrong=") {
                Some(code) => self.try_wrong(code),
                None => Err(format!("`weir{other}` is no kind of block")),
            },
        }
    }

    fn try_program(&self) -> Result<(), String> {
        let source = source(&self.text);
        passes(&source)?;
        let formatted = weir_dsl::format::format(&source).map_err(|_| "cannot be formatted")?;
        if formatted != source.text {
            return Err(format!("is not formatted; it would be\n{formatted}"));
        }
        Ok(())
    }

    fn try_wrong(&self, code: &str) -> Result<(), String> {
        let whole = self.text.trim_start().starts_with("weir");
        let text = if whole { self.text.clone() } else { with_surroundings(&self.text) };
        let compiled = compile(&source(&text));
        let codes: Vec<&str> = compiled.diagnostics.iter().map(|report| report.code).collect();
        if codes == [code] { Ok(()) } else { Err(format!("gives {codes:?} and not {code}")) }
    }

    /// Evaluates each line and compares it with what stands behind `# `.
    fn try_values(&self, record: &str) -> Result<(), String> {
        for line in self.text.lines().filter(|line| !line.trim().is_empty()) {
            let (expr, wanted) =
                line.split_once("  #").ok_or(format!("`{line}` has no `  # result`"))?;
            let given = value(expr.trim(), record)?;
            if given != wanted.trim() {
                return Err(format!("`{}` gives {given} and not {}", expr.trim(), wanted.trim()));
            }
        }
        Ok(())
    }
}

fn source(text: &str) -> Source {
    Source::new("a block", text)
}

/// Items with all that a program needs around them.
fn with_surroundings(items: &str) -> String {
    let has = |word: &str| items.lines().any(|line| line.trim_start().starts_with(word));
    let input =
        if has("input ") { HEAD.replace("input ndjson { }\n", "") } else { HEAD.to_owned() };
    let (head, on_error) = input.split_at(input.find("on error").unwrap_or(input.len()));
    let event = if has("event {") { "" } else { EVENT };
    let emit = if has("emit ") { String::new() } else { emit("") };
    let early = ["input ", "drop ", "keep ", "raw ", "table "].map(has).contains(&true);
    match (has("input "), early && !emit.is_empty()) {
        // An input stands before everything else, filters and the like before the event.
        (true, _) => format!("{head}{items}{on_error}{event}{emit}"),
        (false, true) => format!("{head}{on_error}{items}{event}{emit}"),
        (false, false) => format!("{head}{on_error}{event}{items}{emit}"),
    }
}

/// An event with these lines.
fn emit(lines: &str) -> String {
    let root = |target: &str| target.split('.').next().unwrap_or(target).to_owned();
    let needed = ENTRIES.iter().filter(|(target, _)| {
        !lines.lines().any(|line| line.trim_start().starts_with(&root(target)))
    });
    let needed: String = needed.map(|(target, value)| format!("{target} = {value}\n")).collect();
    format!("emit api_activity {{\n{needed}{lines}}}\n")
}

/// Compiles without a report and passes its tests.
fn passes(source: &Source) -> Result<(), String> {
    let compiled = compiled(source)?;
    let failed = run_tests(source, &compiled).into_iter().find_map(|test| {
        test.failure.map(|failure| format!("the test \"{}\" fails: {failure:?}", test.name))
    });
    failed.map_or(Ok(()), Err)
}

fn compiled(source: &Source) -> Result<Compiled, String> {
    let compiled = compile(source);
    if compiled.diagnostics.is_empty() {
        return Ok(compiled);
    }
    Err(weir_dsl::diagnostic::render::render(&compiled.diagnostics, source, false))
}

/// What an expression gives for a record: JSON, `missing` or `invalid`. Texts go without their quotes.
fn value(expr: &str, record: &str) -> Result<String, String> {
    let text = format!(
        "{HEAD}event {{ id = \"1\"  time = meta.received_at  actor = \"a\"  action = \"b\"  target = \"c\" }}\n\
         emit api_activity {{\nactivity_id = \"Other\"\nsrc_endpoint.name = \"x\"\nunmapped.value = {expr}\n\
         unmapped.missing = ({expr}) is missing\nunmapped.invalid = ({expr}) is invalid\n}}\n"
    );
    let source = source(&text);
    let compiled = compiled(&source)?;
    let plan = compiled.plan.ok_or("has no plan")?;
    let meta = ObjectMeta { received_at_ns: 1_764_000_000_000_000_000, ..ObjectMeta::default() };
    let object = format!("{}\n", record.replace('\n', " "));
    let mapped = chunk::map(&Arc::clone(&plan), &meta, object.as_bytes(), Cut::Whole);
    let (_, event) =
        mapped.outcome.events.first().ok_or(format!("{:?}", mapped.outcome.rejects))?;
    let ocsf: serde_json::Value =
        serde_json::from_str(&event.ocsf).map_err(|error| error.to_string())?;
    let unmapped = &ocsf["unmapped"];
    Ok(match &unmapped["value"] {
        _ if unmapped["missing"] == true => "missing".to_owned(),
        _ if unmapped["invalid"] == true => "invalid".to_owned(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}
