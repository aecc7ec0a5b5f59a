//! Random programs, well typed for the most part, and random records for them.
//!
//! A program is written from the schema's own facts: a class is chosen, its required attributes and some of the others,
//! and for each a value of the type that it wants. Every path that a value reads is noted with what it should hold, so
//! that records can be made in which most values are right and the others are missing, `null`, of a wrong type, out of
//! range, or hostile. Everything follows from a seed.
//!
//! A program stays a tree of lines until it is printed, and its records stay lists of members: whoever finds a failure
//! can take parts away for as long as it still fails (`shrink`).

mod code;
mod enums;
mod event;
mod expr;
mod lists;
mod record;
mod shrink;
mod texts;

use weir_dsl::ocsf::{self, Class, Schema};

use crate::generate::Random;
use code::Code;
use expr::Kind;
use record::{Record, Shape, Temper};

/// A program with records for it.
#[derive(Debug, Clone)]
pub struct Generated {
    /// The pinned version of OCSF.
    pub version: &'static str,
    code: Vec<Code>,
    layout: Layout,
    records: Vec<Record>,
}

/// How the records lie in the input.
#[derive(Debug, Clone)]
enum Layout {
    Ndjson,
    /// In the array `Records` of a document that starts with these members.
    Json(Vec<String>),
    /// Behind a header of these names.
    Csv(Vec<String>),
}

impl Generated {
    /// The program of a seed, with so many records.
    pub fn new(seed: u64, records: usize) -> Self {
        Writer::new(seed).write(records)
    }

    /// The program's text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        code::print(&self.code, 0, &mut text);
        text
    }

    /// The records as bytes.
    pub fn input(&self) -> Vec<u8> {
        let records: Vec<String> =
            self.records.iter().map(|record| record.print(&self.layout)).collect();
        match &self.layout {
            Layout::Ndjson => records.join("\n").into_bytes(),
            Layout::Json(wrapper) => {
                let members: String = wrapper.iter().map(|member| format!("{member},")).collect();
                format!("{{{members}\"Records\":[{}]}}", records.join(",\n")).into_bytes()
            }
            Layout::Csv(header) => {
                let header: Vec<String> = header.iter().map(|name| record::cell(name)).collect();
                format!("{}\n{}\n", header.join(","), records.join("\n")).into_bytes()
            }
        }
    }
}

/// A program while it is written.
struct Writer {
    random: Random,
    schema: &'static Schema,
    profiles: Vec<&'static str>,
    format: Format,
    /// What is read of the record, and of the elements of the loops around the line that is written.
    scopes: Vec<Scope>,
    wrapper: Shape,
    /// `let`s at the top, with what they hold.
    lets: Vec<(String, Kind)>,
    /// Lines at the top: tables, `let`s.
    top: Vec<Code>,
    has_table: bool,
    /// For names that differ.
    names: u32,
    /// How many more lines the event may have beyond what it must.
    lines_left: u32,
    emits: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Ndjson,
    Json,
    Csv,
}

/// The record, or the element of a loop.
struct Scope {
    /// The loop's variable; empty for the record.
    variable: String,
    shape: Shape,
    /// `let`s in front of its lines; those of the record stand at the top.
    lets: Vec<Code>,
    /// Values in texts, which these `let`s take apart.
    fields: Vec<texts::Known>,
    /// The elements stand in the list of a text of this name.
    text: Option<String>,
}

impl Scope {
    fn new(variable: &str) -> Self {
        Self {
            variable: variable.to_owned(),
            shape: Shape::default(),
            lets: Vec::new(),
            fields: Vec::new(),
            text: None,
        }
    }
}

impl Writer {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        // Neighbouring seeds give unlike programs.
        random.number();
        let version = ocsf::VERSIONS[random.below(ocsf::VERSIONS.len() as u64) as usize];
        let schema = ocsf::schema(version).expect("it is one of the versions");
        let format = match random.below(10) {
            0..=5 => Format::Ndjson,
            6..=7 => Format::Json,
            _ => Format::Csv,
        };
        Self {
            random,
            schema,
            profiles: Vec::new(),
            format,
            scopes: vec![Scope::new("")],
            wrapper: Shape::default(),
            lets: Vec::new(),
            top: Vec::new(),
            has_table: false,
            names: 0,
            lines_left: 0,
            emits: 0,
        }
    }

    fn write(mut self, records: usize) -> Generated {
        let main = self.class();
        self.choose_profiles(main);
        let mut code = self.header();
        let filters = self.filters();
        let columns = self.columns();
        let body = self.body(main);
        let raw = self.raw();
        code.push(raw);
        code.extend(self.top);
        code.extend(filters);
        code.push(columns);
        code.extend(body);
        let shape = self.scopes.remove(0).shape;
        let random = &mut self.random;
        let layout = match self.format {
            Format::Ndjson => Layout::Ndjson,
            Format::Json => Layout::Json(self.wrapper.members(random, Temper::Calm)),
            Format::Csv => Layout::Csv(shape.names()),
        };
        let records = (0..records).map(|_| Record::new(&shape, &layout, random)).collect();
        Generated { version: self.schema.version, code, layout, records }
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.random.below(100) < chance
    }

    fn fresh(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}{}", self.names)
    }

    /// Any class that has activities; those about the use of services more often.
    fn class(&mut self) -> &'static Class {
        let favourites =
            ["api_activity", "authentication", "detection_finding", "entity_management"];
        if self.percent(25)
            && let Some(class) = self.schema.class(favourites[self.random.below(4) as usize])
        {
            return class;
        }
        let classes: Vec<&'static Class> = self
            .schema
            .classes
            .iter()
            .filter(|class| class.attributes.get("activity_id").is_some() && class.uid != 0)
            .filter(|class| {
                // A constraint on members of members is one that no event can meet.
                !class.constraints.iter().any(|it| it.members.iter().any(|way| way.contains('.')))
            })
            .collect();
        classes[self.random.below(classes.len() as u64) as usize]
    }

    fn choose_profiles(&mut self, class: &Class) {
        for _ in 0..self.random.below(3) {
            if class.profiles.is_empty() {
                break;
            }
            let profile = *self.random.pick(&class.profiles);
            self.add_profile(profile);
        }
        if self.percent(10) {
            let profile = *self.random.pick(&self.schema.profiles);
            self.add_profile(profile);
        }
    }

    fn add_profile(&mut self, profile: &'static str) {
        // Some objects name profiles that the version does not have.
        if self.schema.profiles.contains(&profile) && !self.profiles.contains(&profile) {
            self.profiles.push(profile);
        }
    }

    fn header(&mut self) -> Vec<Code> {
        let profiles: Vec<String> = self
            .profiles
            .iter()
            .map(|it| if it.contains('/') { format!("\"{it}\"") } else { (*it).to_owned() })
            .collect();
        let with = if profiles.is_empty() { String::new() } else { " with ".to_owned() };
        let product = self.name_text();
        // Before 1.8.0 a product needs its vendor.
        let alone = self.schema.version == "1.8.0" && self.percent(30);
        let vendor = if alone { String::new() } else { format!(" by {}", self.name_text()) };
        let parser = expr::quoted(&self.fresh("parser-"));
        let invalid = if self.percent(10) { "reject" } else { "skip" };
        let version = self.schema.version;
        vec![
            Code::line("weir 1"),
            Code::line(format!("parser {parser} version 1")),
            Code::line(format!("ocsf \"{version}\"{with}{}", profiles.join(", "))),
            Code::line(format!("product {product}{vendor}")),
            self.input(),
            Code::line(format!("on error {{ required reject  optional {invalid} }}")),
        ]
    }

    /// The name of a product: mostly plain, at times with what JSON must escape.
    fn name_text(&mut self) -> String {
        expr::quoted(match self.random.below(8) {
            0 => "say \"hi\" \\ \t\u{1}",
            1 => "Ünïcödé \u{1F600}",
            _ => "Acme",
        })
    }

    fn input(&mut self) -> Code {
        let mut settings = Vec::new();
        let format = match self.format {
            Format::Ndjson => "ndjson",
            Format::Json => {
                settings.push(Code::line("records $.Records[*]"));
                "json"
            }
            Format::Csv => "csv",
        };
        for setting in ["empty text", "utf8 replace", "duplicate_keys reject"] {
            let fits = self.format != Format::Csv || !setting.starts_with("duplicate");
            if fits && self.percent(12) {
                settings.push(Code::line(setting));
            }
        }
        Code::block(format!("input {format}"), settings)
    }

    fn raw(&mut self) -> Code {
        match self.random.below(10) {
            0..=5 => Code::line("raw keep"),
            6 => Code::line("raw drop"),
            7 => Code::line("raw hash"),
            _ => {
                let paths = self.scopes[0].shape.paths();
                if paths.is_empty() {
                    return Code::line("raw keep");
                }
                let count = 1 + self.random.below(3);
                let paths: Vec<String> =
                    (0..count).map(|_| self.random.pick(&paths).clone()).collect();
                Code::line(format!("raw redact [{}]", paths.join(", ")))
            }
        }
    }

    /// Filters that few records meet.
    fn filters(&mut self) -> Vec<Code> {
        let mut filters = Vec::new();
        for _ in 0..self.random.below(3) {
            let path = self.path(&Kind::Words(vec!["go".into(), "on".into(), "ok".into()]), true);
            filters.push(Code::line(match self.random.below(3) {
                0 => format!("drop when {path} == \"stop\""),
                1 => format!("drop when {path} in [\"no\", \"never\"]"),
                _ => format!("keep when {path} != \"debug\""),
            }));
        }
        filters
    }

    /// The columns that all events share.
    fn columns(&mut self) -> Code {
        let mut lines = vec![Code::line("id = .id")];
        self.scopes[0].shape.insert_plain("id", Kind::Id);
        let time = self.time_of_event();
        lines.push(Code::line(format!("time = {time}")));
        for column in ["actor", "action", "target"] {
            let path = self.path(&Kind::Text, true);
            let otherwise = match self.random.below(3) {
                0 => " on missing \"nobody\"".to_owned(),
                1 => " on missing \"nobody\" on invalid \"odd\"".to_owned(),
                _ => String::new(),
            };
            lines.push(Code::line(format!("{column} = {path}{otherwise}")));
        }
        if self.percent(25) {
            let name = self.fresh("extra.x");
            let value = self.text(&Kind::Text, 1);
            lines.push(Code::line(format!("{name} = {value}")));
        }
        Code::block("event", lines)
    }

    fn time_of_event(&mut self) -> String {
        if self.percent(50) {
            return self.path(&Kind::Time, true);
        }
        let unit = *self.random.pick(&expr::UNITS);
        let path = self.path(&Kind::Epoch(unit), true);
        let read = format!("{path} |> {unit}");
        if self.percent(30) {
            let other = self.path(&Kind::Time, false);
            return format!("({read}) ?? {other}");
        }
        read
    }

    fn body(&mut self, main: &'static Class) -> Vec<Code> {
        let mut body = Vec::new();
        let statements = 1 + self.random.below(2);
        for at in 0..statements {
            let class = if at == 0 || self.percent(40) { main } else { self.class() };
            match self.random.below(10) {
                0..=2 => body.push(self.chain(class, 0)),
                3..=5 if self.format != Format::Csv => body.push(self.each(class, 0)),
                _ => body.push(self.emit(class)),
            }
        }
        body
    }

    /// `when ... else when ... else ...`
    fn chain(&mut self, class: &'static Class, depth: usize) -> Code {
        let path = self.path(&Kind::Words(vec!["a".into(), "b".into(), "c".into()]), true);
        let first = match self.random.below(3) {
            0 => format!("{path} == \"a\""),
            1 => format!("{path} in [\"a\", \"b\"]"),
            _ => format!("{path} is present and {path} != \"c\""),
        };
        let mut arms = vec![(format!("when {first}"), vec![self.statement(class, depth)])];
        if self.percent(30) {
            let other = self.class();
            let condition = self.condition();
            arms.push((format!("else when {condition}"), vec![self.statement(other, depth)]));
        }
        let last = match self.random.below(12) {
            0 => Code::line("reject \"an unknown kind\""),
            1 => Code::line("drop"),
            _ => self.statement(class, depth),
        };
        arms.push(("else".to_owned(), vec![last]));
        Code::Chain(arms)
    }

    fn statement(&mut self, class: &'static Class, depth: usize) -> Code {
        if depth == 0 && self.format != Format::Csv && self.percent(15) {
            return self.each(class, 1);
        }
        self.emit(class)
    }

    fn each(&mut self, class: &'static Class, depth: usize) -> Code {
        let header = self.enter_loop();
        let mut block = Vec::new();
        if self.scopes.len() == 2 && self.percent(25) {
            let index = self.fresh("i");
            block.push(Code::line(format!("let {index} = index")));
            let inner = self.enter_loop();
            let emit = self.emit_with_id(class, &format!("{{{index}}}:{{index}}"));
            let lines = self.leave(vec![emit]);
            block.push(Code::block(inner, lines));
        } else {
            if self.percent(20) {
                let path = self.path(&Kind::Words(vec!["go".into()]), false);
                block.push(Code::line(format!("drop when {path} == \"skip\"")));
            }
            block.push(match self.random.below(4) {
                0 if depth == 0 => self.chain(class, 1),
                _ => self.emit(class),
            });
        }
        let block = self.leave(block);
        Code::block(header, block)
    }

    /// Goes into a loop; gives `each PATH as NAME max N`.
    fn enter_loop(&mut self) -> String {
        let list = self.enter("v");
        let variable = &self.scopes[self.scopes.len() - 1].variable;
        format!("each {list} as {variable} max {}", record::LIST_MAX)
    }

    /// Goes into the elements of a list of the scope around; gives its path.
    fn enter(&mut self, prefix: &str) -> String {
        let mut scope = Scope::new(&self.fresh(prefix));
        let innermost = self.scopes.len() - 1;
        let mut around = self.scopes[innermost].variable.clone();
        if self.percent(12) {
            let (record, text) = (self.fresh("record_"), self.fresh("text_"));
            self.push_let(innermost, format!("let {record} = {around}.{text} |> json"));
            (around, scope.text) = (record, Some(text));
        }
        let list = format!("{around}.list_{}[*]", scope.variable);
        self.scopes.push(scope);
        list
    }

    /// Leaves the elements; gives the lines with the `let`s in front of them.
    fn leave(&mut self, lines: Vec<Code>) -> Vec<Code> {
        let Some(Scope { variable, shape, mut lets, text, .. }) = self.scopes.pop() else {
            return lines;
        };
        if let Some(around) = self.scopes.last_mut() {
            let list = format!("list_{variable}");
            match text {
                Some(text) => around.shape.insert_document(&text, &list, shape),
                None => around.shape.insert_list(&list, shape),
            }
        }
        lets.extend(lines);
        lets
    }
}
