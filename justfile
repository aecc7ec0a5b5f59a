# Shortcuts; each recipe is one plain command and none is needed.

# Everything that CI asks.
ready:
    .ci/run

test:
    cargo test --workspace

# Rewrites golden files; the diff is the review.
update:
    WEIR_UPDATE=1 cargo test --workspace

lint:
    cargo clippy --workspace --all-targets -- -D warnings

demo:
    cargo run --release -- demo --once
