# Short names for `cargo xtask`.
.DEFAULT_GOAL := help
.PHONY: help install run test smoke check dev dist bench docker-up docker-down

help:      ## List the targets.
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/: +##/\t/' | expand -t 12

install:   ## Switch the git hooks on and fetch the dependencies.
	git config core.hooksPath .githooks
	cargo fetch --locked

run:       ## Build everything into one binary and start it.
	cargo xtask run

test:      ## Install what tests need and run them all.
	cargo xtask test

smoke:     ## Run the browser test of the whole product on compose.yaml.
	cargo xtask smoke

docker-up: ## Build the image and start the site of compose.yaml.
	docker compose up --detach --build --wait

docker-down: ## Stop the site; its data stays.
	docker compose down

check:     ## Check formatting, lints, documentation, licences.
	cargo xtask check

dev:       ## Rebuild and restart on every change.
	cargo xtask dev

dist:      ## Pack the binary into target/dist.
	cargo xtask dist

bench:     ## Run the benchmarks.
	cargo xtask bench
