# What developers do often. `just` alone lists it.

_list:
    @just --list --unsorted

# Start the development server.
dev *ARGS:
    cargo run -- dev {{ARGS}}

# Look for mistakes without running anything.
check:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings

# Run the tests; what needs PostgreSQL, Chromium or curl is left out where they are missing.
test *ARGS:
    cargo test {{ARGS}}

# Drive the server with released clients and the conformance tool (needs npm, python3 and openssl).
e2e:
    cargo build --bin gatelet --examples
    e2e/install
    GATELET_BIN="${CARGO_TARGET_DIR:-target}/debug/gatelet" RMCP_CLIENT="${CARGO_TARGET_DIR:-target}/debug/examples/rmcp_client" RMCP_SERVER="${CARGO_TARGET_DIR:-target}/debug/examples/rmcp_server" e2e/run

# Everything that CI runs.
ci:
    .ci/run

# Take pictures of every page, from 320 to 1920 px wide, light and dark (needs Chromium).
shots DIR="target/shots":
    cargo test --test browser -- --shots {{DIR}}

# See whether a test notices when a rule of src/protocol is changed (needs cargo-mutants).
mutants *ARGS:
    .ci/mutants {{ARGS}}

# Kill the server a hundred times on each database, and look at what is left (needs PostgreSQL).
prove *ARGS:
    .ci/prove {{ARGS}}

# Measure.
bench *ARGS:
    cargo bench {{ARGS}}

# Look at licences, duplicates and origins of the crates (needs cargo-deny).
deny:
    cargo deny check bans licenses sources
