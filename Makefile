# Everything a developer does here: run · test · lint · bench · fuzz · screenshots.
# Each target installs what it needs and the machine lacks (Debian: apt and rustup), and says so.

SECS ?= 600
TARGETS ?= $(basename $(notdir $(wildcard fuzz/fuzz_targets/*.rs)))

# A fresh rustup stands here; its PATH entry takes effect only in the next shell.
export PATH := $(PATH):$(HOME)/.cargo/bin

.PHONY: run test lint bench fuzz screenshots

# The console with a working demo; with no display, the same journey in the terminal.
run:
	@.ci/need run
	cargo build --release --locked
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ]; then \
	    cargo run --release --locked --quiet; \
	else \
	    echo "No display here (neither DISPLAY nor WAYLAND_DISPLAY is set): the same journey in the terminal, by \`handback demo\`."; \
	    cargo run --release --locked --quiet -- demo; \
	fi

test:
	@.ci/need test
	cargo test --locked

lint:
	@.ci/need lint
	cargo fmt --all --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo clippy --locked --all-targets --no-default-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items --quiet
# Not `advisories`: that needs a fresh clone of the advisory database from GitHub, which a closed network has not.
	cargo deny --locked --log-level warn check bans licenses sources

# Micro-benchmarks of the pure core, then whole processes beside Kamailio and rtpengine.
bench:
	@.ci/need bench
	cargo bench --locked --benches

# SQLite's amalgamation has two globals of one name in one file, which the address sanitizer takes for two definitions of one.
fuzz: export ASAN_OPTIONS := detect_odr_violation=0
# Each target for SECS seconds: `make fuzz SECS=60 TARGETS=message`.
fuzz:
	@.ci/need fuzz
	@set -e; for target in $(TARGETS); do \
	    echo "== $$target, $(SECS) s"; \
	    cargo +nightly fuzz run $$target -- -max_total_time=$(SECS) -max_len=65536 -rss_limit_mb=2048 -print_final_stats=1; \
	done

# From the real window, under a display of its own.
screenshots:
	@.ci/need screenshots
	cargo build --release --locked
	screenshots/make "$${CARGO_TARGET_DIR:-target}/release/handback"
