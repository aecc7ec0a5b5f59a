//! Compiles the generated parser.

fn main() {
    let source = "tree-sitter-weir/src";
    println!("cargo::rerun-if-changed={source}");
    cc::Build::new()
        .std("c11")
        .include(source)
        .file(format!("{source}/parser.c"))
        .warnings(false)
        .compile("tree-sitter-weir");
}
