//! The JSON libraries of Rust.
//!
//! `get_many` and `tape` pick values and write the row by hand; `typed` goes from structs to structs, as most programs do.

mod get_many;
mod tape;
mod typed;

use peer::{Job, Task, serve};

fn main() {
    serve(|task: &Task| match task.name.as_str() {
        "sonic-get-many" => get_many::load(task),
        "simd-json" => tape::load(task),
        "sonic-typed" => typed::load(task, typed::Library::Sonic),
        "serde-json" => typed::load(task, typed::Library::Serde),
        other => Err(format!("no peer is called {other}")),
    });
}

/// A job over the input in memory.
fn job(
    task: &Task,
    version: &str,
    mut run: impl FnMut(&[u8], bool, &mut peer::Output) -> Result<(), String> + 'static,
) -> Result<Job, String> {
    let (bytes, is_array) = (task.bytes()?, task.format == "array");
    Ok(Job {
        version: version.to_owned(),
        output: "memory",
        held_bytes: bytes.len() as u64,
        run: Box::new(move |output| run(&bytes, is_array, output)),
    })
}

/// Lines that are not empty.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    let ends = memchr::memchr_iter(b'\n', bytes).chain(std::iter::once(bytes.len()));
    let lines = ends.map(move |end| {
        let line = &bytes[start.min(end)..end];
        start = end + 1;
        line
    });
    lines.filter(|line| !line.is_empty())
}
