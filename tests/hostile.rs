//! What hostile programs cost: the bytes that the compiler asks for grow with the program, not with its square.
//!
//! Bytes and not seconds are counted, so the answer is the same on any machine. One test measures, since all threads of a
//! process share the counter.

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use weir_dsl::diagnostic::render::render_short;
use weir_dsl::format::format;
use weir_dsl::source::Source;
use weir_dsl::{compile, has_errors};
use weir_tests::hostile::KINDS;

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Bytes asked for per byte of the program, at the most.
const BYTES_PER_BYTE_MAX: usize = 4_000;

/// What a program may cost whatever its size.
const BYTES_MIN: usize = 2 << 20;

/// Bytes that compiling a program, saying what is wrong with it and formatting it ask for.
fn cost(text: String) -> usize {
    let source = Source::from_bytes("hostile", text.into_bytes());
    let region = Region::new(GLOBAL);
    let compiled = compile(&source);
    assert_eq!(compiled.plan.is_none(), has_errors(&compiled.diagnostics));
    assert!(compiled.diagnostics.len() <= 200, "{}", compiled.diagnostics.len());
    let said = render_short(&compiled.diagnostics, &source);
    assert!(said.len() <= 200_000, "{} bytes are said", said.len());
    let _ = format(&source);
    region.change().bytes_allocated
}

#[test]
fn the_cost_of_a_hostile_program_grows_with_its_size() {
    // What is read once for all programs is no part of the cost of one.
    let _ = cost((KINDS[0].make)(1000));
    let mut wrong = Vec::new();
    for kind in KINDS {
        let costs = [8 << 10, 32 << 10, 128 << 10].map(|bytes| {
            let text = (kind.make)(bytes);
            (text.len(), cost(text))
        });
        for pair in costs.windows(2) {
            let ((small, cheap), (large, dear)) = (pair[0], pair[1]);
            let growth = dear.saturating_sub(BYTES_MIN) as f64 / cheap.max(BYTES_MIN / 8) as f64;
            let bound = 1.5 * large as f64 / small as f64;
            if growth > bound || dear > BYTES_MIN + large * BYTES_PER_BYTE_MAX {
                wrong.push(format!("{}: {costs:?}", kind.name));
                break;
            }
        }
    }
    programs_of_the_greatest_size_are_answered();
    assert!(wrong.is_empty(), "(bytes of the program, bytes asked for):\n{}", wrong.join("\n"));
}

/// Called by the test above, so that nothing runs beside its measurements.
fn programs_of_the_greatest_size_are_answered() {
    for kind in KINDS {
        let text = (kind.make)(Source::BYTES_MAX - 4096);
        let compiled = compile(&Source::new("hostile", text));
        assert!(compiled.diagnostics.len() <= 200, "{}", kind.name);
    }
    let compiled = compile(&Source::new("hostile", "a ".repeat(Source::BYTES_MAX)));
    assert_eq!(compiled.diagnostics[0].code, "W0004");
}
