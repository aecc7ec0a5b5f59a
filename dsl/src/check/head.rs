//! The header lines and the `input` block.

use weir_engine::input::{Compression, Csv, Format, Input, Records, RecordsStep};
use weir_engine::types::NumberFormat;

use super::{Head, Reports};
use crate::ast::{self, PathStep, Setting};
use crate::diagnostic::Diagnostic;
use crate::ocsf;
use crate::source::Span;
use weir_engine::suggest::nearest;

/// Checks everything above the items. `None` if what follows could not be checked without guessing.
pub(super) fn check(file: &ast::File, reports: &mut Reports) -> Option<Head> {
    edition(file, reports);
    let parser = file.parser.as_ref();
    let version = parser.and_then(|line| parser_version(line, reports));
    let (schema, profiles, version_span) = schema(file.ocsf.as_ref()?, reports)?;
    let product = file.product.as_ref()?;
    let input = input(file.input.as_ref()?, reports)?;
    let numbers = match &input.format {
        Format::Csv(csv) => NumberFormat { decimal: csv.decimal, grouping: csv.grouping },
        Format::Ndjson | Format::Json(_) => NumberFormat::default(),
    };
    Some(Head {
        parser: parser?.name.node.clone(),
        parser_version: version?,
        schema,
        version_span,
        profiles,
        product: product.name.node.clone(),
        vendor: product.vendor.as_ref().map(|vendor| vendor.node.clone()),
        input,
        numbers,
        optional_reject: file.on_error.as_ref()?.optional_reject,
    })
}

fn edition(file: &ast::File, reports: &mut Reports) {
    if let Some(edition) = &file.edition
        && edition.node != "1"
    {
        reports.push(
            Diagnostic::error(
                "W0013",
                edition.span,
                format!("there is no edition {} of the language", edition.node),
                "unknown edition",
            )
            .help("write `weir 1`")
            .fix("1", edition.span, "1"),
        );
    }
}

fn parser_version(line: &ast::ParserLine, reports: &mut Reports) -> Option<u32> {
    let parsed = line.version.node.replace('_', "").parse().ok();
    if parsed.is_none() || line.name.node.is_empty() {
        let (span, what) = if parsed.is_none() {
            (line.version.span, "the version of a parser is a whole number")
        } else {
            (line.name.span, "a parser needs a name")
        };
        reports.push(
            Diagnostic::error("W0011", span, what, "here")
                .help("write for example `parser \"acme-agents\" version 1`"),
        );
        return None;
    }
    parsed
}

type Pin = (&'static ocsf::Schema, Vec<(String, Span)>, Span);

fn schema(line: &ast::OcsfLine, reports: &mut Reports) -> Option<Pin> {
    let Some(schema) = ocsf::schema(&line.version.node) else {
        let shipped = ocsf::VERSIONS.join(", ");
        let written = line.version.node.trim_start_matches(['v', 'V']);
        let newest = ocsf::VERSIONS[ocsf::VERSIONS.len() - 1];
        let newest = ocsf::VERSIONS
            .iter()
            .copied()
            .find(|known| known.starts_with(written))
            .unwrap_or(newest);
        reports.push(
            Diagnostic::error(
                "W0202",
                line.version.span,
                format!("OCSF {} is not among the versions that weir knows", line.version.node),
                "unknown version",
            )
            .help(format!("choose one of {shipped}"))
            .fix(newest, line.version.span, format!("\"{newest}\"")),
        );
        return None;
    };
    let mut profiles = Vec::new();
    for profile in &line.profiles {
        if schema.profiles.iter().any(|known| *known == profile.node) {
            profiles.push((profile.node.clone(), profile.span));
            continue;
        }
        let mut report = Diagnostic::error(
            "W0202",
            profile.span,
            format!("OCSF {} has no profile `{}`", schema.version, profile.node),
            "unknown profile",
        );
        report = match nearest(&profile.node, schema.profiles.iter().copied()) {
            Some(near) => report.help(format!("did you mean `{near}`?")).fix(
                format!("{} -> {near}", profile.node),
                profile.span,
                near,
            ),
            None => report.help(format!("it has {}", schema.profiles.join(", "))),
        };
        reports.push(report);
    }
    Some((schema, profiles, line.version.span))
}

/// The settings that an input takes, by format.
const COMMON: [&str; 6] =
    ["compression", "empty", "max_record", "max_depth", "utf8", "duplicate_keys"];
const CSV: [&str; 9] = [
    "delimiter",
    "quote",
    "header",
    "columns",
    "decimal",
    "grouping",
    "encoding",
    "trim",
    "comment",
];

fn input(block: &ast::Input, reports: &mut Reports) -> Option<Input> {
    let format = match block.format.node.as_str() {
        "ndjson" => Format::Ndjson,
        "json" => Format::Json(Records::default()),
        "csv" => Format::Csv(Csv::default()),
        other => {
            let mut report = Diagnostic::error(
                "W0011",
                block.format.span,
                format!("`{other}` is no input format"),
                "unknown format",
            )
            .help("the formats are ndjson, json and csv");
            let lower = other.to_ascii_lowercase();
            let meant = match lower.as_str() {
                "ndjson" | "jsonl" | "jsonlines" | "json_lines" | "ldjson" => Some("ndjson"),
                "json" => Some("json"),
                "csv" => Some("csv"),
                _ => None,
            };
            if let "tsv" | "psv" = lower.as_str() {
                report = report.help("write `input csv { delimiter \"\\t\" }`");
            } else if let Some(near) = meant.or_else(|| nearest(other, ["ndjson", "json", "csv"])) {
                report = report.fix(format!("{other} -> {near}"), block.format.span, near);
            }
            reports.push(report);
            return None;
        }
    };
    let mut settings = Settings { input: Input::new(format), header_none: None, reports };
    let mut seen: Vec<&str> = Vec::new();
    for (name, value) in &block.settings {
        if seen.contains(&name.node.as_str()) {
            settings.reports.push(
                Diagnostic::error(
                    "W0011",
                    name.span,
                    format!("`{}` is set twice", name.node),
                    "again here",
                )
                .help("keep one of them"),
            );
            continue;
        }
        seen.push(&name.node);
        settings.set(name, value);
    }
    settings.csv_as_a_whole(block);
    Some(settings.input)
}

struct Settings<'r> {
    input: Input,
    header_none: Option<Span>,
    reports: &'r mut Reports,
}

impl Settings<'_> {
    fn set(&mut self, name: &ast::Name, value: &ast::Spanned<Setting>) {
        if let Err(help) = self.apply(&name.node, &value.node) {
            match help {
                Some(help) => self.reports.push(
                    Diagnostic::error(
                        "W0011",
                        value.span,
                        format!("`{}` cannot be set to this", name.node),
                        "this value does not do",
                    )
                    .help(help),
                ),
                None => self.unknown(name),
            }
        }
        if name.node == "header" && value.node == Setting::Word("none".into()) {
            self.header_none = Some(value.span);
        }
    }

    fn unknown(&mut self, name: &ast::Name) {
        let mut known: Vec<&str> = COMMON.to_vec();
        let format = match &self.input.format {
            Format::Ndjson => {
                known.push("blank_lines");
                "ndjson"
            }
            Format::Json(_) => {
                known.extend(["records", "blank_lines"]);
                "json"
            }
            Format::Csv(_) => {
                known.extend(CSV);
                "csv"
            }
        };
        let mut report = Diagnostic::error(
            "W0011",
            name.span,
            format!("an input of {format} has no setting `{}`", name.node),
            "unknown setting",
        );
        let meant = match name.node.as_str() {
            "max_size" | "max_line" | "max_length" | "max_bytes" | "limit" | "max_message" => {
                Some("max_record")
            }
            "codec" | "decompress" | "gzip" => Some("compression"),
            "separator" | "sep" | "delim" | "field_separator" => Some("delimiter"),
            "charset" => Some("encoding"),
            "quotechar" | "quote_char" => Some("quote"),
            "thousands" | "thousands_separator" => Some("grouping"),
            "fields" | "names" | "headers" => Some("columns"),
            "path" | "root" | "array" => Some("records"),
            _ => None,
        };
        let meant = meant.filter(|meant| known.contains(meant));
        let of = if CSV.contains(&name.node.as_str()) {
            Some("csv")
        } else if name.node == "records" {
            Some("json")
        } else {
            None
        };
        if let Some(of) = of {
            self.reports.push(report.help(format!("it is a setting of `input {of} {{ ... }}`")));
            return;
        }
        report = match meant.or_else(|| nearest(&name.node, known.iter().copied())) {
            Some(near) => report.help(format!("did you mean `{near}`?")).fix(
                format!("{} -> {near}", name.node),
                name.span,
                near,
            ),
            None => report.help(format!("the settings are {}", known.join(", "))),
        };
        self.reports.push(report);
    }

    /// `Err(Some(help))` is a bad value, `Err(None)` an unknown name.
    fn apply(&mut self, name: &str, value: &Setting) -> Result<(), Option<&'static str>> {
        let input = &mut self.input;
        match name {
            "compression" => {
                input.compression = match word(value) {
                    Some("auto") => Compression::Auto,
                    Some("none") => Compression::None,
                    Some("gzip") => Compression::Gzip,
                    Some("zstd") => Compression::Zstd,
                    _ => return Err(Some("write auto, none, gzip or zstd")),
                }
            }
            "empty" => {
                input.empty_is_missing =
                    choice(value, "missing", "text").ok_or(Some("write missing or text"))?;
            }
            "max_record" => {
                input.record_bytes_max = size(value)
                    .ok_or(Some("write a size from 1KiB to 256MiB, for example 1MiB"))?;
            }
            "max_depth" => {
                input.depth_max = number(value)
                    .filter(|depth| (1..=1024).contains(depth))
                    .ok_or(Some("write a number from 1 to 1024"))?;
            }
            "utf8" => {
                input.utf8_replace =
                    choice(value, "replace", "reject").ok_or(Some("write reject or replace"))?;
            }
            "duplicate_keys" => {
                input.duplicate_keys_reject =
                    choice(value, "reject", "first").ok_or(Some("write first or reject"))?;
            }
            _ => return self.apply_of_format(name, value),
        }
        Ok(())
    }

    fn apply_of_format(&mut self, name: &str, value: &Setting) -> Result<(), Option<&'static str>> {
        match (&mut self.input.format, name) {
            (Format::Ndjson | Format::Json(_), "blank_lines") => {
                if word(value) != Some("skip") {
                    return Err(Some("blank lines are skipped: write skip"));
                }
                Ok(())
            }
            (Format::Json(records), "records") => {
                records.path = records_path(value)
                    .ok_or(Some("write $, or a path such as $.data[*] that ends in [*]"))?;
                Ok(())
            }
            (Format::Csv(csv), _) => csv_setting(csv, name, value),
            _ => Err(None),
        }
    }

    /// What settings of CSV say of each other, in whichever order they stand.
    fn csv_as_a_whole(&mut self, block: &ast::Input) {
        let Format::Csv(csv) = &self.input.format else { return };
        let values = || block.settings.iter().map(|(name, value)| (name.node.as_str(), value.span));
        let last = |names: &[&str]| values().rfind(|(name, _)| names.contains(name));
        let mut wrong = |names: &[&str], message: String, label: &str, help: &str| {
            let span = last(names).map_or(block.format.span, |(_, span)| span);
            self.reports.push(Diagnostic::error("W0011", span, message, label).help(help));
        };
        match (&csv.columns, self.header_none) {
            (None, Some(_)) if last(&["columns"]).is_none() => wrong(
                &["header"],
                "without a header row the columns need names".into(),
                "no names",
                "add `columns \"time, user, model\"`",
            ),
            (Some(_), None) => wrong(
                &["columns"],
                "the header row names the columns".into(),
                "names them again",
                "add `header none` if the first row is a record, else remove `columns`",
            ),
            (Some(columns), Some(_)) => {
                let twice = (1..columns.len()).find(|&at| columns[..at].contains(&columns[at]));
                if let Some(at) = twice {
                    wrong(
                        &["columns"],
                        format!("two columns are called `{}`", columns[at]),
                        "which of them is read?",
                        "give each column a name of its own",
                    );
                }
            }
            _ => {}
        }
        let signs = [Some(csv.delimiter), Some(csv.quote), csv.comment];
        if signs[0] == signs[1] || signs[0] == signs[2] || signs[1] == signs[2] {
            wrong(
                &["delimiter", "quote", "comment"],
                "delimiter, quote and comment must differ".into(),
                "stands for two things",
                "choose another character",
            );
        }
        if csv.grouping == Some(csv.decimal) {
            wrong(
                &["decimal", "grouping"],
                "decimal and grouping must differ".into(),
                "stands for two things",
                "European numbers are `decimal \",\"  grouping \".\"`",
            );
        }
    }
}

fn csv_setting(csv: &mut Csv, name: &str, value: &Setting) -> Result<(), Option<&'static str>> {
    match name {
        "delimiter" => csv.delimiter = byte(value).ok_or(Some("write one ASCII character in quotes, for example \";\""))?,
        "quote" => csv.quote = byte(value).ok_or(Some("write one ASCII character in quotes"))?,
        "header" => {
            choice(value, "none", "first_row").ok_or(Some("write first_row or none"))?;
        }
        "columns" => {
            let Setting::Text(text) = value else { return Err(Some("write \"time, user, model\"")) };
            let columns: Vec<_> = text.split(',').map(|column| column.trim().to_owned()).collect();
            if columns.iter().any(String::is_empty) {
                return Err(Some("each column needs a name, for example \"time, user, model\""));
            }
            csv.columns = Some(columns);
        }
        "decimal" => {
            csv.decimal = byte(value)
                .filter(|byte| b".,".contains(byte))
                .ok_or(Some("write \".\" or \",\""))?;
        }
        "grouping" => {
            csv.grouping = match word(value) {
                Some("none") => None,
                _ => Some(
                    byte(value)
                        .filter(|byte| b"., '_".contains(byte))
                        .ok_or(Some("write none, \".\", \",\", \" \", \"'\" or \"_\""))?,
                ),
            }
        }
        "encoding" => csv.encoding = encoding(value).ok_or(Some("write \"utf-8\", \"windows-1252\", \"iso-8859-15\" or another encoding of single bytes"))?,
        "trim" => csv.trim = choice(value, "yes", "no").ok_or(Some("write yes or no"))?,
        "comment" => {
            csv.comment = match word(value) {
                Some("none") => None,
                _ => Some(byte(value).ok_or(Some("write none or one character, for example \"#\""))?),
            }
        }
        _ => return Err(None),
    }
    Ok(())
}

fn word(value: &Setting) -> Option<&str> {
    match value {
        Setting::Word(word) => Some(word),
        _ => None,
    }
}

/// True for the first word, false for the second.
fn choice(value: &Setting, yes: &str, no: &str) -> Option<bool> {
    word(value).filter(|word| [yes, no].contains(word)).map(|word| word == yes)
}

fn number(value: &Setting) -> Option<u32> {
    match value {
        Setting::Number(digits) => digits.replace('_', "").parse().ok(),
        _ => None,
    }
}

fn size(value: &Setting) -> Option<u32> {
    let Setting::Unit(digits, unit) = value else { return None };
    let factor = match unit.as_str() {
        "KiB" => 1_u64 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    let bytes = digits.replace('_', "").parse::<u64>().ok()?.checked_mul(factor)?;
    u32::try_from(bytes).ok().filter(|bytes| (1 << 10..=256 << 20).contains(bytes))
}

fn byte(value: &Setting) -> Option<u8> {
    match value {
        Setting::Text(text) if text.len() == 1 => {
            text.bytes().next().filter(|byte| *byte == b'\t' || (b' '..0x7f).contains(byte))
        }
        _ => None,
    }
}

/// Encodings of single bytes above ASCII: framing then needs no decoding.
fn encoding(value: &Setting) -> Option<&'static encoding_rs::Encoding> {
    let Setting::Text(label) = value else { return None };
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes())?;
    (encoding == encoding_rs::UTF_8 || encoding.is_single_byte()).then_some(encoding)
}

fn records_path(value: &Setting) -> Option<Vec<RecordsStep>> {
    let Setting::Path(steps) = value else { return None };
    let path: Option<Vec<_>> = steps
        .iter()
        .map(|step| match step {
            PathStep::Key(name) => Some(RecordsStep::Member(name.node.clone())),
            PathStep::Each(_) => Some(RecordsStep::Elements),
            PathStep::Choice(..) | PathStep::Index(_) => None,
        })
        .collect();
    path.filter(|path| path.is_empty() || path.last() == Some(&RecordsStep::Elements))
}
