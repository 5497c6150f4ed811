# Thin names over `cargo xtask`, for fingers that know make.
.DEFAULT_GOAL := help
.PHONY: help install run test smoke check dev dist bench

help:      ## List the targets.
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/: +##/\t/' | expand -t 12

install:   ## Switch the git hooks on and fetch the dependencies.
	git config core.hooksPath .githooks
	cargo fetch --locked

run:       ## Build everything into one binary and start it.
	cargo xtask run

test:      ## Install what tests need and run them all.
	cargo xtask test

smoke:     ## The browser tests alone, against the release binary.
	cargo xtask e2e

check:     ## Formatting, lints, documentation, licences.
	cargo xtask check

dev:       ## Rebuild and restart on every change.
	cargo xtask dev

dist:      ## Pack the binary into target/dist.
	cargo xtask dist

bench:     ## The benchmarks.
	cargo xtask bench
