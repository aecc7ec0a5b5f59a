//! jaq: a jq program, run by the library that the command is made of.

use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, data, unwrap_valr};
use jaq_json::{Val, read, write};
use peer::{Job, Task, serve};

fn main() {
    serve(|task: &Task| {
        if task.shape == "other" {
            return Err("cannot: it is written for the names of the task".to_owned());
        }
        if task.shape == "damaged" {
            return Err("cannot: it stops at a broken line".to_owned());
        }
        let program = include_str!("audit.jq");
        // Of an array the elements, as one would write it.
        let code = if task.format == "array" { program.replace("\nselect(", "\n.[] | select(") } else { program.to_owned() };
        let file = File { code: code.as_str(), path: () };
        let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let funs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
        let arena = Arena::default();
        let modules = Loader::new(defs).load(&arena, file).map_err(|error| format!("{error:?}"))?;
        let filter = Compiler::default().with_funs(funs).compile(modules);
        let filter = filter.map_err(|error| format!("{error:?}"))?;
        let bytes = task.bytes()?;
        Ok(Job {
            version: "jaq 3.1".to_owned(),
            output: "memory",
            held_bytes: bytes.len() as u64,
            run: Box::new(move |output| {
                let layout = write::Pp::default();
                for input in read::parse_many(&bytes) {
                    let input = input.map_err(|error| error.to_string())?;
                    let context = Ctx::<data::JustLut<Val>>::new(&filter.lut, Vars::new([]));
                    for row in filter.id.run((context, input)).map(unwrap_valr) {
                        let row = row.map_err(|error| error.to_string())?;
                        write::write(output, &layout, 0, &row).map_err(|error| error.to_string())?;
                        std::io::Write::write_all(output, b"\n").map_err(|error| error.to_string())?;
                    }
                }
                Ok(())
            }),
        })
    });
}
