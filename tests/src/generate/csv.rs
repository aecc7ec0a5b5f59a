//! Costs as the program `examples/3_csv_eu.weir` reads them: `;`, windows-1252, European numbers.

use super::*;

/// A header row and rows of one event each.
#[derive(Debug, Clone, Copy)]
pub struct CostRows {
    /// All rows but the header.
    pub records: u64,
    /// How many of them are bad.
    pub bad: u64,
    /// Other seeds give other rows.
    pub seed: u64,
}

/// What may be wrong with a row.
#[derive(Clone, Copy, PartialEq)]
enum Flaw {
    UnreadableTime,
    UnreadableCost,
    NoUser,
    ExtraCell,
}

impl Flaw {
    const ALL: [Self; 4] =
        [Self::UnreadableTime, Self::UnreadableCost, Self::NoUser, Self::ExtraCell];

    fn code(self) -> Code {
        match self {
            Self::UnreadableTime | Self::UnreadableCost => Code::Invalid,
            Self::NoUser => Code::Missing,
            Self::ExtraCell => Code::TooManyCells,
        }
    }
}

impl CostRows {
    /// Writes the rows.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn write(&self, out: &mut impl Write) -> io::Result<Expected> {
        let mut expected = Expected { records: self.records, ..Expected::default() };
        let planted = Planted { records: self.records, bad: self.bad };
        put(out, "Zeitpunkt;Benutzer;Vorgang;Modell;Token ein;Token aus;Kosten (EUR)\r\n")?;
        for index in 0..self.records {
            let flaw = planted.at(index).map(|number| Flaw::ALL[(number % 4) as usize]);
            out.write_all(&self.row(index, flaw))?;
            match flaw {
                Some(flaw) => expected.rejects.push((index, flaw.code())),
                None => expected.add("api_activity", 1),
            }
        }
        Ok(expected)
    }

    fn row(&self, index: u64, flaw: Option<Flaw>) -> Vec<u8> {
        let random = &mut random_of(self.seed, index);
        let (day, seconds) = (1 + index / 86_400 % 28, index % 86_400);
        let time = match flaw {
            Some(Flaw::UnreadableTime) => "31.02.2026 12:00:00".to_owned(),
            _ => format!(
                "{day:02}.06.2026 {:02}:{:02}:{:02}",
                seconds / 3600,
                seconds / 60 % 60,
                seconds % 60
            ),
        };
        let user = match flaw {
            Some(Flaw::NoUser) => String::new(),
            _ => format!(
                "{}{}@Muster.de",
                random.pick(&["Anna", "Jörg", "Zoë", "Bo"]),
                random.below(900)
            ),
        };
        let cost = match flaw {
            Some(Flaw::UnreadableCost) => "1.2,3".to_owned(),
            _ => format!("{},{:02}", grouped(random.below(5_000)), random.below(100)),
        };
        let action = *random.pick(&[
            "chat",
            "\"Suche; mit Zitat \"\"A\"\"\"",
            "\"zwei\nZeilen\"",
            "Übersetzung",
        ]);
        let tail = if flaw == Some(Flaw::ExtraCell) { ";x" } else { "" };
        let row = format!(
            "{time};{user};{action};{};{};{};{cost}{tail}\r\n",
            random.pick(&["claude-sonnet-4", "gpt-4o", "mistral-große"]),
            grouped(random.below(30_000)),
            grouped(random.below(4_000)),
        );
        // Every letter used here has the same number in windows-1252 as in Unicode.
        row.chars().map(|char| char as u8).collect()
    }
}

/// With dots between groups of three digits.
fn grouped(number: u64) -> String {
    if number < 1_000 {
        number.to_string()
    } else {
        format!("{}.{:03}", number / 1_000, number % 1_000)
    }
}
