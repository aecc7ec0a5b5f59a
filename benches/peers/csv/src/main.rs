//! The fast CSV readers of Rust; rows are written by hand.

use csv_core::{ReadRecordResult, Reader};
use peer::row::{Cost, Record, Text};
use peer::{Job, Output, Task, serve};
use simd_csv::ZeroCopyReaderBuilder;

/// Where the wanted cells are, in the order of [`write`].
const COLUMNS: [&str; 20] = [
    "id",
    "created_at",
    "type",
    "org_id",
    "actor_type",
    "actor_id",
    "actor_email",
    "actor_name",
    "actor_ip",
    "user_agent",
    "target_type",
    "target_id",
    "target_name",
    "request_id",
    "model",
    "status",
    "input_tokens",
    "output_tokens",
    "cost_amount",
    "trace_id",
];
/// Cells that need unescaping, of [`COLUMNS`]: quotes are doubled in them.
const ESCAPED: [usize; 2] = [7, 12];

fn main() {
    serve(|task: &Task| {
        let bytes = task.bytes()?;
        let (held_bytes, indexes) = (bytes.len() as u64, indexes(&bytes)?);
        let (version, run): (_, Box<dyn FnMut(&mut Output) -> _>) = match task.name.as_str() {
            "csv-core" => {
                ("csv-core 0.1", Box::new(move |output| csv_core(&bytes, &indexes, output)))
            }
            "simd-csv" => {
                ("simd-csv 0.14", Box::new(move |output| simd_csv(&bytes, &indexes, output)))
            }
            other => return Err(format!("no peer is called {other}")),
        };
        Ok(Job { version: version.to_owned(), output: "memory", held_bytes, run })
    });
}

/// The indexes of the wanted columns, by the header.
fn indexes(bytes: &[u8]) -> Result<[usize; 20], String> {
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let header: Vec<_> = line.split(|&byte| byte == b',').collect();
    let mut indexes = [0; 20];
    for (index, name) in indexes.iter_mut().zip(COLUMNS) {
        let found = header.iter().position(|cell| *cell == name.as_bytes());
        *index = found.ok_or_else(|| format!("there is no column {name}"))?;
    }
    Ok(indexes)
}

fn csv_core(bytes: &[u8], indexes: &[usize; 20], output: &mut Output) -> Result<(), String> {
    let (mut reader, mut input) = (Reader::new(), bytes);
    let (mut cells, mut ends) = (vec![0; 1 << 16], [0; 64]);
    let (mut filled, mut ended, mut is_header) = (0, 0, true);
    loop {
        let (result, read, written, more) =
            reader.read_record(input, &mut cells[filled..], &mut ends[ended..]);
        input = &input[read..];
        (filled, ended) = (filled + written, ended + more);
        match result {
            // Without more input this says that the input has ended.
            ReadRecordResult::InputEmpty => {}
            ReadRecordResult::OutputFull => cells.resize(cells.len() * 2, 0),
            ReadRecordResult::OutputEndsFull => return Err("too many columns".to_owned()),
            ReadRecordResult::Record => {
                if !is_header {
                    let cell = |index: usize| {
                        let start = if index == 0 { 0 } else { ends[index - 1] };
                        &cells[start..ends[index]]
                    };
                    write(|at| cell(indexes[at]), output)?;
                }
                (filled, ended, is_header) = (0, 0, false);
            }
            ReadRecordResult::End => return Ok(()),
        }
    }
}

fn simd_csv(bytes: &[u8], indexes: &[usize; 20], output: &mut Output) -> Result<(), String> {
    let mut reader = ZeroCopyReaderBuilder::with_capacity(1 << 18).from_reader(bytes);
    while let Some(record) = reader.read_byte_record().map_err(|error| error.to_string())? {
        let unescaped = ESCAPED.map(|at| record.unescape(indexes[at]).unwrap_or_default());
        let cell = |at: usize| match ESCAPED.iter().position(|&escaped| escaped == at) {
            Some(index) => &*unescaped[index],
            None => record.unquote(indexes[at]).unwrap_or_default(),
        };
        write(cell, output)?;
    }
    Ok(())
}

#[inline(always)]
fn write<'a>(cell: impl Fn(usize) -> &'a [u8], output: &mut Output) -> Result<(), String> {
    let mut is_text = true;
    let mut text = |at| match std::str::from_utf8(cell(at)) {
        Ok("") => Text::Absent,
        Ok(text) => Text::Plain(text),
        Err(_) => {
            is_text = false;
            Text::Absent
        }
    };
    let int = |text: Text<'_>| text.text().parse::<i64>().ok();
    let record = Record {
        id: text(0),
        created_at: text(1),
        kind: text(2),
        organization: text(3),
        actor_type: text(4),
        actor_id: text(5),
        email: text(6),
        name: text(7),
        ip: text(8),
        user_agent: text(9),
        target_type: text(10),
        target_id: text(11),
        target_name: text(12),
        request_id: text(13),
        model: text(14),
        status: int(text(15)),
        tokens_in: int(text(16)).unwrap_or_default(),
        tokens_out: int(text(17)).unwrap_or_default(),
        cost: match text(18) {
            Text::Plain(number) => Cost::Written(number),
            Text::Absent | Text::Escaped(_) => Cost::Absent,
        },
        trace: text(19),
    };
    if !is_text {
        return Err("a cell is not UTF-8".to_owned());
    }
    record.write(output);
    Ok(())
}
