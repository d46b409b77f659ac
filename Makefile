# Everything there is to run. `make` alone lists it.

CARGO := cargo
# Absolute, since programs that tests start need not run in this directory.
VENV := $(CURDIR)/target/e2e/venv
# The binary that is shipped.
DIST := --locked --profile dist --features jemalloc
BINARY := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)/dist/google_analytics_exporter

.DEFAULT_GOAL := help
.PHONY: help test check build demo bench soak faults renew-faults prepare cargo-test rules dashboards pictures drop-pictures e2e databases alerting deploy-files kubernetes-rules skip-e2e fuzz attack
.NOTPARALLEL:

help:
	@sed -n 's/^\([a-z-]*\):.*## /make \1: /p' $(MAKEFILE_LIST)

ifeq ($(SKIP_E2E),1)
test: check cargo-test rules dashboards skip-e2e
else
# The alerts wait for minutes of real time, so they go on beside what computes. Both lanes take about as long.
test: prepare check build ## the whole suite; SKIP_E2E=1 leaves out what needs Prometheus and Python
	tests/lanes.sh 'cargo-test rules e2e dashboards deploy-files' 'alerting databases'
endif

check: ## formatting, lints, words, documentation, dependencies
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(CARGO) clippy --locked --all-targets --no-default-features -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --workspace --no-deps --document-private-items
	$(CARGO) test --locked --test words
	tests/layers.sh
	tests/dependencies.sh

fuzz: ## an hour of random input for everything that others write; the suite has some seconds of it
	tests/fuzz.sh

attack: export E2E_EXPORTER ?= $(BINARY)
# Attackers and the simulator are optimised too: else they have most of the cores to themselves.
attack: ## all attacks, against the program that users get, over loopback; takes 40 minutes
	$(CARGO) build $(DIST)
	$(CARGO) test $(DIST) --test attack -- --include-ignored --test-threads 1 --nocapture

demo: ## serve against the built-in simulator of Google; no account needed
	$(CARGO) run --locked --release -- demo

bench: export E2E_EXPORTER := $(BINARY)
bench: ## the benchmarks, and their figures against the targets
	$(CARGO) build $(DIST)
	$(CARGO) bench --locked
	benches/table.sh

soak: ## a quarter of an hour of random faults with 1,000 properties
	$(CARGO) bench --locked --bench soak

faults: ## what becomes of the exporter in trouble: the table of docs/FAULTS.md, measured
	$(CARGO) test --locked --test faults -- --nocapture

renew-faults: ## the same, written into docs/FAULTS.md
	FAULTS_RENEW=1 $(CARGO) test --locked --test faults -- --nocapture

prepare:
	tests/e2e/prepare.sh
	tests/deploy/prepare.sh
	$(VENV)/bin/shellcheck tests/virtual_environment.sh tests/dependencies.sh tests/layers.sh tests/e2e/prepare.sh tests/rules/check.sh tests/lanes.sh tests/fuzz.sh benches/table.sh .ci/run
	$(VENV)/bin/shellcheck tests/dashboards/check.sh tests/dashboards/pictures/draw.sh crates/ga4-drop-baseline/pictures/draw.sh
	$(VENV)/bin/shellcheck -x tests/deploy/*.sh tests/deploy/boot/*.sh deploy/kubernetes/rules.sh

# Everything that the tests run, so that they need not build while others run.
build:
	$(CARGO) test --locked --no-run
	$(CARGO) build $(DIST)

cargo-test:
	$(CARGO) test --locked

rules: ## the alert rules and their tests
	tests/rules/check.sh

dashboards: export E2E_EXPORTER ?= $(BINARY)
dashboards: export E2E_PYTHON := $(VENV)/bin/python
dashboards: ## the dashboards: their rules, Grafana's types, and every query against a real Prometheus
ifneq ($(SKIP_E2E),1)
	$(CARGO) build $(DIST)
endif
	tests/dashboards/check.sh

pictures: export E2E_EXPORTER ?= $(BINARY)
pictures: export E2E_PYTHON := $(VENV)/bin/python
pictures: ## the pictures of the dashboards in docs/images; takes half an hour and 400 MB of npm packages
	tests/dashboards/pictures/draw.sh

drop-pictures: export E2E_EXPORTER ?= $(BINARY)
drop-pictures: ## the pictures of the drop alert in docs/images; takes some minutes and 130 MB of Python packages
	$(CARGO) build $(DIST)
	crates/ga4-drop-baseline/pictures/draw.sh

# `cargo test` has run some of these with the unoptimised program; this is the one that users get.
e2e alerting: export E2E_EXPORTER := $(BINARY)
e2e: export E2E_PYTHON := $(VENV)/bin/python
e2e: export E2E_NODE := $(CURDIR)/target/e2e/node
e2e: export GOOGLE_CLIENTS_PYTHON := $(VENV)/bin/python
e2e:
	$(CARGO) build $(DIST)
	$(CARGO) test --locked --test e2e -- --include-ignored --skip alerting::
	$(CARGO) test --locked --test simulator -- --ignored
	$(CARGO) test --locked --test attack -- --ignored slow_disk

databases: ## sync into a real PostgreSQL, and SQLite read by its own shell; 50 kills each
	$(CARGO) test --locked --test sync -- --include-ignored --nocapture

alerting: ## from traffic to the page, with a real Prometheus and Alertmanager; takes 20 minutes
	$(CARGO) build $(DIST)
	$(CARGO) test --locked --test e2e -- --ignored --nocapture alerting::

# The image is made of the binary that is shipped, and its flags are compared with those in the files.
deploy-files: export E2E_EXPORTER := $(BINARY)
deploy-files: ## the files in deploy/ and .github, each with a real tool
	$(CARGO) build $(DIST)
	tests/deploy/check.sh

kubernetes-rules: ## makes the PrometheusRule objects from the alert rules
	deploy/kubernetes/rules.sh >deploy/kubernetes/base/prometheusrules.yaml

skip-e2e:
	@echo 'SKIP_E2E=1: these tests were skipped:'
	@$(CARGO) test --locked --test e2e --test simulator --test sync -- --ignored --list
	@echo 'and the checks of the files in deploy/ and .github'
