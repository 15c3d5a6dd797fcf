# The two commands: `make demo` and `make test`. They need Rust 1.95 or newer and a C compiler.
SHELL := /bin/sh
CARGO ?= cargo
# nextest runs tests faster; plain `cargo test` runs the same ones.
NEXTEST := $(shell $(CARGO) nextest --version >/dev/null 2>&1 && echo yes)

.PHONY: demo test check hostile fuzz bench plugins plugins-check build help

help: ## Lists these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

# Always the whole workspace: building one package alone picks other features of shared crates, and builds wasmtime again.
build: ## Builds the binary (target/debug/leasehold; dependencies are optimised)
	$(CARGO) build --locked --workspace --bins

demo: build ## Runs the main job on real input, in a temporary home
	target=$${CARGO_TARGET_DIR:-target}; "$$target/debug/leasehold" demo

test: build ## Runs all tests; the summary comes last
	$(CARGO) test --locked --workspace --doc --quiet
ifeq ($(NEXTEST),yes)
	$(CARGO) nextest run --locked --workspace
else
	$(CARGO) test --locked --workspace --all-targets
endif

check: ## Format, clippy with warnings as errors, docs
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- --deny warnings
	RUSTDOCFLAGS="--deny warnings" $(CARGO) doc --locked --workspace --no-deps

hostile: build ## Sets every hostile guest and document on this build, and prints what came of each
	target=$${CARGO_TARGET_DIR:-target}; "$$target/debug/leasehold-hostile"

fuzz: ## Fuzzes every reader for 20 seconds each (fuzz/run.sh for more; no nightly toolchain needed)
	fuzz/run.sh 20

bench: ## Measures, as ratios in one run (builds in release mode: allow ten minutes the first time)
	$(CARGO) build --locked --release --workspace --bins
	target=$${CARGO_TARGET_DIR:-target}; "$$target/release/leasehold-bench"

plugins: ## Rebuilds the prebuilt plugins and their lock file
	plugins/build.sh

plugins-check: ## Rebuilds the plugins elsewhere and compares them with what is in the repository (KEEP=DIR: see plugins/build.sh)
	plugins/build.sh --check $(KEEP)
