# Two commands for a new user: `make demo` and `make test`. Both set up all they need under this folder.

# The newest supported Python that really runs (a pyenv shim may exist and not run).
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
  $$p -c 'import sys; raise SystemExit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
LOCKED := --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --no-header --upgrade

.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

CONFORMANCE := tests/conformance/node_modules/.ready

setup: $(VENV)/.ready $(VENV)-stack/.ready $(CONFORMANCE) ## make .venv and the local stack's own environment (quick when nothing changed)

$(VENV)/.ready: requirements/dev.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11, 3.12 or 3.13 found; name one: make $(MAKECMDGOALS) PYTHON=/path/to/python3.13" >&2; exit 2; }
	@echo "setup: $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install $(LOCKED) -r requirements/dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)-stack/.ready: requirements/stack.lock
	@echo "setup: $(VENV)-stack (the local stack's own environment)"
	@$(PYTHON) -m venv $(VENV)-stack
	@$(VENV)-stack/bin/python -m pip install $(LOCKED) -r requirements/stack.lock
	@touch $@

$(CONFORMANCE): tests/conformance/package-lock.json $(VENV)/.ready
	@echo "setup: tests/conformance/node_modules (dynalite, the engine that enforces DynamoDB's limits)"
	@PATH="$(abspath $(BIN)):$$PATH" npm ci --prefix tests/conformance --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

lint: $(VENV)/.ready ## ruff, mypy --strict, import-linter, cfn-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cfn-lint infra/template.yaml

format: $(VENV)/.ready ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(VENV)/.ready ## resolve the lock files anew
	$(COMPILE) --all-extras pyproject.toml -o requirements/dev.lock
	$(COMPILE) --extra consumer --constraint requirements/dev.lock pyproject.toml -o requirements/consumer.lock
	$(COMPILE) requirements/stack.in -o requirements/stack.lock

clean: ## remove everything that these targets made
	rm -rf .venv .venv-* .local build .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache *.egg-info node_modules

.PHONY: help setup lint format lock clean
