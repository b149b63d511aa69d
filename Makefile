# The targets say what they do: `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
export VAWG_DATA ?= $(CURDIR)/data
export DAGSTER_HOME ?= $(VAWG_DATA)/dagster
export DAGSTER_DISABLE_TELEMETRY := yes
export DO_NOT_TRACK := 1
# An organisation's own certificates are in the system store.
export UV_SYSTEM_CERTS := 1
PYTEST_ARGS ?=
TEST_PROCESSES ?= 2
DEMO_SCALE ?= 0.02
DEMO_MONTHS ?= 3
# The demonstration's persons so often, and months of statistics: the nation's size.
BENCH_HUB_ARGS ?= --copies 200 --months 12
BENCH_NOMINALS ?= 100000 1000000
BENCH_FORCES_ARGS ?=

CODE := data_contracts decisions assets orchestration hub cli
STAMP := $(VENV)/.installed
MANIFEST := dbt_project/target/manifest.json
# From inside the project, as Dagster calls it: a relative project folder would stay in the manifest.
DBT := $(CURDIR)/$(BIN)/dbt --quiet
DBT_FILES := $(shell find dbt_project -name '*.sql' -o -name '*.yml' -o -name '*.csv' 2>/dev/null | grep -v /target/) $(wildcard data_contracts/codes/*.csv)

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

.PHONY: setup
setup: $(STAMP) $(MANIFEST) ## Install everything, at locked versions, into .venv

$(STAMP): requirements.lock pyproject.toml
	@echo "Installing into $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(sed -n 's/^\(uv==[0-9.]*\).*/\1/p' requirements.lock)"
	@$(BIN)/uv pip sync --quiet --require-hashes --python $(BIN)/python requirements.lock
	@$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
	@touch $@

# Dagster reads the models from dbt's manifest.
$(MANIFEST): $(STAMP) $(DBT_FILES)
	@echo "Reading the dbt project"
	@mkdir -p "$(VAWG_DATA)/warehouse"
	@cd dbt_project && $(DBT) parse --profiles-dir .
	@touch $@

$(DAGSTER_HOME)/dagster.yaml: orchestration/dagster.yaml
	@mkdir -p "$(DAGSTER_HOME)" && cp $< $@

.PHONY: demo
demo: setup ## A small synthetic England and Wales, from submissions to a release
	@echo "Writing a synthetic England and Wales: 43 forces, $(DEMO_MONTHS) months"
	@$(BIN)/vawg synthesise --out "$(VAWG_DATA)/synthetic" --scale $(DEMO_SCALE) --months $(DEMO_MONTHS)
	@$(BIN)/vawg land "$(VAWG_DATA)"/synthetic/submissions/*
	@$(BIN)/vawg run --received-at 2026-04-09T09:00:00

.PHONY: demo-real
demo-real: export VAWG_DATA := $(CURDIR)/data-real
demo-real: export DAGSTER_HOME := $(CURDIR)/data-real/dagster
demo-real: setup ## Real police returns (FBI NIBRS, Minnesota 2018), from submissions to a release
	@echo "Turning the NIBRS return into submissions of 70 agencies"
	@$(BIN)/vawg adapt nibrs --out "$(VAWG_DATA)/nibrs"
	@$(BIN)/vawg land "$(VAWG_DATA)"/nibrs/*
	@$(BIN)/vawg run --programme nibrs_mn2018 --received-at 2019-11-20T09:00:00

.PHONY: dev
dev: setup $(DAGSTER_HOME)/dagster.yaml ## Dagster's UI on http://localhost:3000
	@$(BIN)/dagster dev -w workspace.yaml --port 3000

.PHONY: test
test: setup ## Every test but the heavy ones (PYTEST_ARGS adds arguments)
	@$(BIN)/pytest --numprocesses $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

.PHONY: check
check: setup $(DAGSTER_HOME)/dagster.yaml ## Lint, types, import layers, SQL, generated files, definitions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(CODE)
	$(BIN)/lint-imports
	$(BIN)/python -m data_contracts.publish --check
	$(BIN)/sqlfluff lint dbt_project/models dbt_project/tests --disable-progress-bar
	$(BIN)/dagster definitions validate -w workspace.yaml

.PHONY: publish
publish: setup ## Write the generated files again: submission specification, dictionary, dbt sources, contract
	@$(BIN)/python -m data_contracts.publish

.PHONY: format
format: setup ## Bring code into shape
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format . && $(BIN)/sqlfluff fix dbt_project/models --disable-progress-bar

.PHONY: reproduce
reproduce: setup ## The published figures from synthetic nations calibrated to them (an hour), published / computed
	@$(BIN)/python -m tests.reproduce "$(CURDIR)/data-reproduce"

.PHONY: bench
bench: setup ## Measure, and write docs/benchmarks.md
	@$(BIN)/python -m tests.bench
	@$(BIN)/python -m tests.bench_ranking
	@$(BIN)/python -m tests.bench_forces
	@$(BIN)/python -m tests.bench_statistics
	@test ! -e "$(VAWG_DATA)/releases/current" || $(MAKE) --no-print-directory bench-hub

.PHONY: bench-ranking
bench-ranking: setup ## Measure the ranking of 5 million allegations, and write docs/benchmarks_ranking.md
	@$(BIN)/python -m tests.bench_ranking

.PHONY: bench-forces
bench-forces: setup ## Measure the check of a month of 43 forces, and write docs/benchmarks_forces.md (BENCH_FORCES_ARGS=--scale .05)
	@$(BIN)/python -m tests.bench_forces $(BENCH_FORCES_ARGS)

.PHONY: bench-statistics
bench-statistics: setup ## Measure the statistics of a national year, and write docs/benchmarks_statistics.md
	@$(BIN)/python -m tests.bench_statistics

.PHONY: bench-linkage
bench-linkage: setup ## Measure who-is-who at BENCH_NOMINALS sizes, and write docs/benchmarks_linkage.md
	@$(BIN)/python -m tests.bench_linkage $(BENCH_NOMINALS)

.PHONY: bench-hub
bench-hub: setup ## Measure readers of the hub over the current release, made larger, and write docs/benchmarks_hub.md
	@$(BIN)/python -m tests.bench_hub --release "$(VAWG_DATA)/releases/current" $(BENCH_HUB_ARGS)

.PHONY: serve
serve: setup ## The hub over the current release, on http://localhost:8000 (SERVE_ARGS=--demo-users to try it)
	@$(BIN)/vawg hub serve $(SERVE_ARGS)

.PHONY: lock
lock: $(STAMP) ## Resolve the dependencies anew
	@$(BIN)/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --all-extras --upgrade pyproject.toml --output-file requirements.lock

.PHONY: clean
clean: ## Remove what runs left behind; data and .venv stay
	@rm -rf dbt_project/target dbt_project/logs .pytest_cache .mypy_cache .ruff_cache .hypothesis
