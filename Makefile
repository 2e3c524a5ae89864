# Sallyport's recipes. `make help` lists them; CI runs `deps`, `test` and `lint`, nothing else.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

# A warning in a target of ours is an error in every build that make does (Package.swift reads this).
export SALLYPORT_WARNINGS_AS_ERRORS ?= 1

SWIFT    ?= swift
PYTHON   ?= python3
VENV     := .build-venv
RELEASE  := .build/release/sallyport
BINARY   := dist/sallyport
E2E      := Tests/EndToEndTests

# Arguments for the programs behind `make run`, `make bench`, `make e2e`: make bench ARGS="--cases plain --rounds 3"
ARGS     ?=

BUILD_PACKAGES := libssl-dev libnghttp2-dev libpcre2-dev libc-ares-dev libyaml-dev pkg-config binutils
TEST_PACKAGES  := curl openssl nginx nghttp2-client nghttp2-server gcc libc6-dev python3 python3-venv valgrind groff-base man-db zsh fish
BENCH_PACKAGES := haproxy nghttp2-proxy libnginx-mod-stream wrk util-linux

.PHONY: help
help: ## This list
	@awk -F':.*## ' '/^[a-z][a-z0-9-]*:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: deps
deps: ## Install the Debian packages that are missing
	@scripts/install-packages $(BUILD_PACKAGES) $(TEST_PACKAGES)

.PHONY: build
build: ## Debug build
	$(SWIFT) build

.PHONY: release
release: ## Release build, Swift runtime linked in, stripped to dist/sallyport
	$(SWIFT) build -c release --static-swift-stdlib --product sallyport
	@mkdir -p dist
	@strip -o $(BINARY).new $(RELEASE) && mv $(BINARY).new $(BINARY)
	@printf '%s: %s bytes\n' $(BINARY) "$$(stat -c %s $(BINARY))"

.PHONY: run
run: deps release certs ## The main job on one machine: upstream, egress, ingress, and the curl line to try
	$(BINARY) demo $(ARGS)

.PHONY: certs
certs: ## Development CA and certificates in certs/, when there are none yet
	@test -f certs/ca.crt || { test -x $(BINARY) || $(MAKE) --no-print-directory release; $(BINARY) certs init; }

.PHONY: clean-certs
clean-certs: ## Remove the development CA and certificates
	find certs -mindepth 1 ! -name README.md -delete

.PHONY: man
man: release ## Write docs/man/sallyport.1 from the command definitions
	@mkdir -p docs/man
	$(BINARY) man > docs/man/sallyport.1

.PHONY: test
test: unit e2e ## Unit tests, then end-to-end tests of the release binary

.PHONY: unit
unit: ## Unit tests of every target
	$(SWIFT) test

.PHONY: e2e
e2e: release $(VENV)/ready ## End-to-end tests of dist/sallyport (ARGS: pytest's)
	SALLYPORT_BIN=$(abspath $(BINARY)) $(VENV)/bin/python -m pytest $(E2E) -n 2 $(ARGS)

$(VENV)/ready: $(E2E)/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

.PHONY: lint
lint: $(VENV)/ready ## Format, warnings, scripts, links, wording
	$(SWIFT) format lint --strict --recursive --parallel --configuration .swift-format Package.swift Sources Tests
	$(SWIFT) build --build-tests
	$(VENV)/bin/python scripts/lint

.PHONY: format
format: ## Format the Swift sources in place
	$(SWIFT) format --in-place --recursive --parallel --configuration .swift-format Package.swift Sources Tests

.PHONY: bench
bench: release $(VENV)/ready ## CPU a request beside nginx, HAProxy, Envoy, nghttpx (ARGS: --cases all, --peers, --rounds)
	@scripts/install-packages $(TEST_PACKAGES) $(BENCH_PACKAGES)
	$(VENV)/bin/python bench/bench.py --sallyport $(BINARY) $(ARGS)

.PHONY: fuzz
fuzz: ## A short run of every fuzz target (SECONDS_EACH=20)
	scripts/fuzz $(or $(SECONDS_EACH),20)

.PHONY: clean
clean: ## Remove what builds made
	rm -rf .build .build-venv .build-fuzz dist bench/results
