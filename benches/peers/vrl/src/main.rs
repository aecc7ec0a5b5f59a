//! The Vector Remap Language, used as Vector uses it: an event is parsed by `serde_json`, remapped in place, and encoded.

use std::io::Write;

use peer::{Job, Output, Task, serve};
use vrl::compiler::state::RuntimeState;
use vrl::compiler::{CompilationResult, Context, ExpressionError, TargetValue, TimeZone};
use vrl::value::{Secrets, Value};

/// Encoded rows are handed on when there are so many bytes.
const LINES_BYTES: usize = 256 << 10;

fn main() {
    serve(|task: &Task| {
        if task.shape == "other" {
            return Err("cannot: it is written for the names of the task".to_owned());
        }
        let compiled = vrl::compiler::compile(include_str!("audit.vrl"), &vrl::stdlib::all());
        let program = compiled.map_err(|mistakes| {
            let source = include_str!("audit.vrl");
            vrl::diagnostic::Formatter::new(source, mistakes).to_string()
        })?;
        let (bytes, is_array) = (task.bytes()?, task.format == "array");
        Ok(Job {
            version: "VRL 0.38".to_owned(),
            output: "memory",
            held_bytes: bytes.len() as u64,
            run: Box::new(move |output| run(&bytes, is_array, &program, output)),
        })
    });
}

fn run(
    bytes: &[u8],
    is_array: bool,
    program: &CompilationResult,
    output: &mut Output,
) -> Result<(), String> {
    let mut remap = Remap { program, state: RuntimeState::default(), lines: Vec::new(), output };
    if is_array {
        let records: Vec<Value> =
            serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        for record in records {
            remap.remap(record)?;
        }
    } else {
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', bytes).chain([bytes.len()]) {
            // What is no JSON is dropped, as Vector does.
            if let Ok(record) = serde_json::from_slice(&bytes[start.min(end)..end]) {
                remap.remap(record)?;
            }
            start = end + 1;
        }
    }
    remap.hand_on();
    Ok(())
}

struct Remap<'a> {
    program: &'a CompilationResult,
    state: RuntimeState,
    lines: Vec<u8>,
    output: &'a mut Output,
}

impl Remap<'_> {
    fn remap(&mut self, value: Value) -> Result<(), String> {
        let metadata = Value::Object(Default::default());
        let mut target = TargetValue { value, metadata, secrets: Secrets::default() };
        self.state.clear();
        let timezone = TimeZone::default();
        let mut context = Context::new(&mut target, &mut self.state, &timezone);
        match self.program.program.resolve(&mut context) {
            Ok(_) => {}
            Err(ExpressionError::Abort { .. }) => return Ok(()),
            Err(error) => return Err(error.to_string()),
        }
        serde_json::to_writer(&mut self.lines, &target.value).map_err(|error| error.to_string())?;
        self.lines.push(b'\n');
        if self.lines.len() > LINES_BYTES {
            self.hand_on();
        }
        Ok(())
    }

    fn hand_on(&mut self) {
        self.output.write_all(&self.lines).expect("memory can be written");
        self.lines.clear();
    }
}
