//! A cost export as spreadsheets write it in Germany: `;`, `1.234,56`, windows-1252, local time.

use super::people::{Cast, mail};

pub(super) struct Log(Cast);

impl Log {
    pub(super) fn new() -> Self {
        Self(Cast::new(3))
    }
}

const ACTIONS: [&str; 6] = [
    "chat",
    "chat",
    "Übersetzung",
    "Zusammenfassung",
    "\"Prüfung; Freigabe\"",
    "\"Bericht\r\nmit \"\"Anhang\"\"\"",
];
const MODELS: [&str; 4] = ["claude-sonnet-4", "claude-opus-4-1", "gpt-4o", "hausmodell-7b"];

impl super::Log for Log {
    const HEAD: &'static [u8] =
        b"Zeitpunkt;Benutzer;Vorgang;Modell;Token ein;Token aus;Kosten (EUR)\r\n";
    const SEPARATOR: &'static [u8] = b"\r\n";
    const END: &'static [u8] = b"\r\n";

    fn record(&mut self, out: &mut Vec<u8>) {
        let cast = &mut self.0;
        cast.next_record();
        let time = match cast.is_broken() {
            true => "31.02.2026 25:00:00".to_owned(),
            false => cast.wall_clock().strftime("%d.%m.%Y %H:%M:%S").to_string(),
        };
        let (action, model, person) = (cast.pick(&ACTIONS), cast.pick(&MODELS), cast.person());
        let (tokens_in, tokens_out) = (cast.skewed(2_000_000), cast.skewed(90_000));
        let cents = tokens_in / 4_000 + tokens_out / 700;
        let tokens_out = match cast.one_in(50) {
            true => String::new(),
            false => grouped(tokens_out),
        };
        let row = format!(
            "{time};{};{action};{model};{};{tokens_out};{},{:02}",
            mail(person, "Muster.de"),
            grouped(tokens_in),
            grouped(cents / 100),
            cents % 100
        );
        // All letters used here have the same number in windows-1252 as in Unicode.
        out.extend(row.chars().map(|letter| u8::try_from(letter).unwrap_or(b'?')));
    }
}

/// `1.234.567`
fn grouped(number: u64) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{}.{:03}", grouped(number / 1000), number % 1000),
    }
}
