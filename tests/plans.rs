//! What programs become: the text of their plans.
//!
//! Every `plans/*.weir` shows one thing that the compiler does once so that the engine need not do it for each record;
//! what it becomes is the `.plan` beside it. It still means what the program says: over the records of the `.ndjson`
//! beside it, and over these damaged at random, the engine gives what the reference evaluator gives. So are the
//! examples, whose plans are in `plans/examples`, with what `weir explain` and `weir check --cost` say about them.
//! `WEIR_UPDATE=1` writes all of these anew.

use std::path::Path;

use weir_dsl::source::Source;
use weir_tests::case::{Subject, seed};
use weir_tests::golden;

fn text(program: &Path) -> datatest_stable::Result<String> {
    let source = Source::new(program.display().to_string(), std::fs::read_to_string(program)?);
    let compiled = weir_dsl::compile(&source);
    let plan = compiled.plan.ok_or_else(|| format!("{:#?}", compiled.diagnostics))?;
    Ok(plan.to_string())
}

fn plan(program: &Path) -> datatest_stable::Result<()> {
    golden::check(&program.with_extension("plan"), &text(program)?);
    let name = program.display().to_string();
    let records = std::fs::read(program.with_extension("ndjson"))?;
    let mapped =
        Subject::new(&name, &std::fs::read_to_string(program)?).agree(&records, seed(&name));
    assert!(!mapped.events.is_empty(), "no record gives an event, so nothing is shown");
    Ok(())
}

fn example(program: &Path) -> datatest_stable::Result<()> {
    let name = program.file_name().ok_or("a file has a name")?;
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/examples").join(name);
    golden::check(&golden.with_extension("plan"), &text(program)?);
    let source = Source::new("example", std::fs::read_to_string(program)?);
    let compiled = weir_dsl::compile(&source);
    let (Some(tree), Some(plan)) = (compiled.program, compiled.plan) else {
        return Err("an example does not compile".into());
    };
    let explained = weir_dsl::explain::explain(&tree, &source);
    golden::check(&golden.with_extension("explained"), &explained);
    golden::check(&golden.with_extension("cost"), &weir_dsl::cost::cost(&plan).to_string());
    Ok(())
}

datatest_stable::harness! {
    { test = plan, root = "plans", pattern = r"\.weir$" },
    { test = example, root = "../examples", pattern = r"\.weir$" },
}
