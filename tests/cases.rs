//! Every folder below `cases/` with a `parser.weir` is a test: the program, its input, the events and the rejects that
//! must come of it. `WEIR_UPDATE=1` writes them anew.

use std::path::Path;

use weir_tests::case::Case;

fn case(program: &Path) -> datatest_stable::Result<()> {
    Case::of(program).check();
    Ok(())
}

datatest_stable::harness! {
    { test = case, root = "cases", pattern = r"parser\.weir$" },
}
