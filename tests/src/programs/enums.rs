//! Values that OCSF lists: literals, choices among them, and `to_enum`.

use weir_dsl::ocsf::Enumeration;

use super::expr::{Kind, quoted};
use super::{Format, Writer};

impl Writer {
    /// A value of an enum of numbers.
    pub(super) fn enumerated(&mut self, of: &Enumeration) -> String {
        let caption = |writer: &mut Self| {
            let value = writer.random.pick(&of.values);
            match value.number {
                // Two numbers may have one caption, and then it means the first.
                Some(number) if number >= 0 && writer.random.below(4) == 0 => number.to_string(),
                _ => quoted(value.caption),
            }
        };
        match self.random.below(13) {
            10..=12 => {
                let looked_up = self.looked_up(of);
                match self.random.below(8) {
                    0 => format!("({looked_up}) ?? {}", caption(self)),
                    1 => format!("if {} then {looked_up} else {}", self.condition(), caption(self)),
                    2 => {
                        let subject = self.path(&Kind::Words(vec!["a".into(), "b".into()]), false);
                        let other = caption(self);
                        format!("match {subject} {{ \"a\" => {other}  else => {looked_up} }}")
                    }
                    _ => looked_up,
                }
            }
            0..=3 => caption(self),
            4..=7 => {
                let words = ["read", "write", "login", "x-1"].map(str::to_owned).to_vec();
                let subject = self.path(&Kind::Words(words), false);
                let (first, second) = (caption(self), caption(self));
                let otherwise = match of.by_number(99) {
                    Some(other) if self.percent(60) => quoted(other.caption),
                    _ if self.percent(10) => "missing".to_owned(),
                    _ => caption(self),
                };
                format!(
                    "match {subject} {{ \"read\" | \"x*\" => {first}  \"write\" => {second}  else => {otherwise} }}"
                )
            }
            8 => format!("if {} then {} else {}", self.condition(), caption(self), caption(self)),
            _ => {
                let condition = self.condition();
                format!("(if {condition} then {} else missing) ?? {}", caption(self), caption(self))
            }
        }
    }

    /// What the source says, looked up: its captions, numbers that are listed or not, words that are not.
    fn looked_up(&mut self, of: &Enumeration) -> String {
        let words = Kind::Words(words(of));
        let subject = match self.random.below(10) {
            0 => self.path(&Kind::Int(0, 12), true),
            1 => format!("({} |> int)", self.path(&Kind::Int(-2, 120), true)),
            2 => format!("({} ?? {})", self.path(&words, false), self.path(&words, true)),
            3 => format!("({} |> upper)", self.path(&words, true)),
            4 => self.cell("name"),
            5 => format!("(if {} then {} else \"7\")", self.condition(), self.path(&words, true)),
            6 => format!("({} |> bool)", self.path(&Kind::Bool, true)),
            7 => match self.field(&words, true) {
                Some(field) => field,
                None => self.path(&words, true),
            },
            _ => self.path(&words, true),
        };
        format!("{subject} |> to_enum")
    }

    /// A text that is looked up among those that OCSF lists, or a list of such texts.
    pub(super) fn listed_text(&mut self, of: &Enumeration, is_list: bool) -> String {
        let keys = of.values.iter().map(|value| value.key.to_lowercase());
        let kind = Kind::Words(words(of).into_iter().chain(keys).collect());
        match is_list {
            true if self.format != Format::Csv && self.percent(50) => {
                format!("({} |> take(4)) |> to_enum", self.list_path(&kind))
            }
            true => format!("[{} |> to_enum]", self.path(&kind, false)),
            false => format!("{} |> to_enum", self.path(&kind, true)),
        }
    }

    /// A list of values of an enum of numbers.
    pub(super) fn enumerated_list(&mut self, of: &Enumeration) -> String {
        let literal = quoted(self.random.pick(&of.values).caption);
        let kind = Kind::Words(words(of));
        if self.format != Format::Csv && self.percent(50) {
            return format!("({} |> take(4)) |> to_enum", self.list_path(&kind));
        }
        format!("[{literal}, {} |> to_enum]", self.path(&kind, false))
    }
}

/// Captions, and what is none of them.
fn words(of: &Enumeration) -> Vec<String> {
    let captions = of.values.iter().map(|value| value.caption.to_owned());
    let odd = ["7", "99", "-1", "1.0", "odd word"].map(str::to_owned);
    captions.chain(odd).collect()
}
