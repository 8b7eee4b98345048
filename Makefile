# Two commands for a new user: `make demo` and `make test`. Both set up all they need under this folder.

# Lambda's Python first, then the newest supported one that really runs (a pyenv shim may exist and not run).
IS_SUPPORTED := import sys; raise SystemExit(not (3, 11) <= sys.version_info < (3, 15))
# Searched for once, and only by a target that needs it.
PYTHON ?= $(eval PYTHON := $(shell for p in python3.13 python3.14 python3.12 python3.11 python3 python; do \
  $$p -c '$(IS_SUPPORTED)' 2>/dev/null && echo $$p && break; done))$(PYTHON)
CHECK_PYTHON = test -n "$(PYTHON)" && $(PYTHON) -c '$(IS_SUPPORTED)' 2>/dev/null || { \
  found=$$(for p in $(or $(PYTHON),python3 python); do \
    $$p -c 'import platform, sys; print(platform.python_version(), "at", sys.executable)' 2>/dev/null && break; done); \
  echo "error: this project supports Python 3.11 to 3.14 but found $${found:-none}; name a supported one: make $(MAKECMDGOALS) PYTHON=/path/to/python3.13" >&2; exit 2; }
# Container images often set this, and then every program that a test starts compiles everything it imports again.
unexport PYTHONDONTWRITEBYTECODE
VENV ?= .venv
PLATFORM ?= arm64
# Most tests wait for something. Tests of one file run in one process, in order; the files start in alphabetical order,
# which begins the long ones early and ends with the many short ones. For a single process: make test PARALLEL=
PARALLEL ?= -n 3 --dist loadfile --no-loadscope-reorder
KEEP ?= 0
BIN := $(VENV)/bin
UV := $(BIN)/uv
WHEELS_ONLY := --only-binary :all:
LOCKED = --no-deps $(WHEELS_ONLY) --require-hashes
# $(call install,PYTHON,LOCK): install what a lock file lists, for an interpreter. uv takes seconds where pip takes a
# minute, but reads none of pip's settings; where only those lead to an index, pip installs the same files.
install = $(UV) pip install --quiet --python $(1) $(LOCKED) -r $(2) || \
  { echo "setup: uv could not install $(2); trying pip"; $(BIN)/python -m pip --python $(1) install $(QUIETLY) $(LOCKED) -r $(2); }
# Modules compile when first imported: most never are, and compiling them all takes as long as the rest of the setup.
QUIETLY := -qq --disable-pip-version-check --no-compile
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --no-header --upgrade

.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

CONFORMANCE := tests/conformance/node_modules/.ready
PYODIDE := tests/packaging/node_modules/.ready
ASYNCAPI := tests/contract/node_modules/.ready
TYPESCRIPT := examples/typescript/node_modules/.ready

setup: $(VENV)/.ready $(VENV)-stack/.ready $(VENV)-sam/.ready $(VENV)-executor/.ready $(CONFORMANCE) $(PYODIDE) $(ASYNCAPI) $(TYPESCRIPT) ## create .venv and the tools' own environments (quick when nothing changed)

$(VENV)/.ready: requirements/dev.lock pyproject.toml
	@$(CHECK_PYTHON)
	@echo "setup: $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@awk '/^[a-z]/ { wanted = /^uv==/ } wanted' requirements/dev.lock > $(VENV)/uv.lock
	@$(BIN)/python -m pip install $(QUIETLY) $(LOCKED) -r $(VENV)/uv.lock
	@$(call install,$(BIN)/python,requirements/dev.lock)
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

# The local stack (stack), SAM's CLI (sam) and the template's security checks (checkov) pin versions that conflict; the
# demo's executor has packages of its own (executor).
# On macOS, SAM's watchdog has no wheel for Python 3.14, so pip may build its locked source there.
ifeq ($(shell uname),Darwin)
$(VENV)-sam/.ready: WHEELS_ONLY :=
endif
$(VENV)-%/.ready: requirements/%.lock $(VENV)/.ready
	@$(CHECK_PYTHON)
	@echo "setup: $(VENV)-$*"
	@$(PYTHON) -m venv --without-pip $(VENV)-$*
	@$(call install,$(VENV)-$*/bin/python,requirements/$*.lock)
	@touch $@

$(CONFORMANCE): WHAT := dynalite, which enforces DynamoDB's limits
$(PYODIDE): WHAT := Pyodide, CPython 3.14 for Node.js
$(ASYNCAPI): WHAT := the schema of AsyncAPI documents
$(TYPESCRIPT): WHAT := the AWS SDK and the compiler of the reference producer
$(CONFORMANCE) $(PYODIDE) $(ASYNCAPI) $(TYPESCRIPT): %/node_modules/.ready: %/package-lock.json $(VENV)/.ready
	@echo "setup: $*/node_modules ($(WHAT))"
	@PATH="$(abspath $(BIN)):$$PATH" npm ci --prefix $* --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

demo: $(VENV)/.ready $(VENV)-stack/.ready $(VENV)-executor/.ready ## run the whole pipeline on real input, on the local stack (KEEP=1 leaves it up)
	@KEEP=$(KEEP) $(BIN)/python -m examples.demo

down: ## stop the local stack that demo KEEP=1 left up
	@$(BIN)/python -m infra.local down

test: setup ## run all tests, with coverage of producer, consumer and shared
	$(BIN)/python -m pytest $(PARALLEL) --cov --cov-report=term --cov-fail-under=95

# These compute instead of waiting, so one process for each processor. SELECTED: more of pytest's options, see .ci/run.
QUICK_TESTS ?= tests/property tests/unit
test-quick: PARALLEL = -n auto --dist loadfile --no-loadscope-reorder
test-quick: $(VENV)/.ready ## run the tests that need no server, on any Python: make test-quick VENV=.venv-3.12 PYTHON=python3.12
	$(BIN)/python -m pytest $(PARALLEL) $(SELECTED) $(QUICK_TESTS)

bench-producer: $(VENV)/.ready ## measure what enqueue costs its caller, and its peers' calls (two minutes; writes build/bench-producer.json)
	$(BIN)/python -m benchmarks.producer --json build/bench-producer.json

bench-host: $(VENV)/.ready ## measure what a host pays at import, in its first and later drains, and its peers (four minutes; writes build/bench-host.json)
	$(BIN)/python -m benchmarks.host --json build/bench-host.json

bench-consumer: $(VENV)/.ready ## measure what storing a record costs, and four common alternatives (four minutes; writes build/bench-consumer.json)
	$(BIN)/python -m benchmarks.consumer --json build/bench-consumer.json

bench-cli: $(VENV)/.ready $(VENV)-stack/.ready ## measure recs on 10,003 recommendations, beside the AWS CLI (ten minutes; writes build/bench-cli.json)
	$(BIN)/python -m benchmarks.cli --json build/bench-cli.json

chaos: setup ## send 50,000 envelopes through the pipeline under faults; none may be lost (seven minutes; writes build/chaos.json)
	$(BIN)/python -m tests.chaos.pipeline --json build/chaos.json

soak: $(VENV)/.ready ## check a million enqueues and ten thousand invocations for memory growth and losses (two minutes)
	$(BIN)/python -m benchmarks.producer.soak
	$(BIN)/python -m benchmarks.consumer.soak

usage: setup ## measure the AWS usage per incident that recs cost is based on (a minute; python -m benchmarks.usage --write saves it)
	$(BIN)/python -m benchmarks.usage

scaling: $(VENV)/.ready ## simulate 1 to 100,000 recommendations a second: lag, cost and the first limit reached
	$(BIN)/python -m benchmarks.scaling

scaling-check: $(VENV)/.ready $(VENV)-stack/.ready ## check that simulation against the local stack, at a low rate
	$(BIN)/python -m benchmarks.scaling.check

alarms: $(VENV)/.ready $(VENV)-stack/.ready ## inject faults into the local stack and show what makes each alarm fire (two minutes)
	@$(BIN)/python -m examples.alarms

build: $(VENV)/.ready ## write build/consumer.zip and build/layer.zip (PLATFORM=arm64, x86_64 or local)
	@$(BIN)/python -m infra.build --platform $(PLATFORM)

# Hatchling's wheels depend on their contents alone, so two builds of one commit are the same file.
wheel: $(VENV)/.ready ## write the wheel into dist/ (extras: producer, consumer, cli, parquet, ui, dev)
	@rm -f dist/*.whl
	@$(BIN)/python -m hatchling build --target wheel --directory dist

deploy: $(VENV)/.ready $(VENV)-sam/.ready ## deploy a stage: make deploy STAGE=dev (docs/deploy.md)
	@test -n "$(STAGE)" || { echo "error: name the stage: make deploy STAGE=dev" >&2; exit 2; }
	@$(BIN)/python -m infra.deploy $(STAGE) $(if $(ACCOUNT),--account $(ACCOUNT)) $(if $(CONFIRM),--confirm $(CONFIRM)) $(addprefix --parameter ,$(PARAMETERS))

destroy: $(VENV)/.ready $(VENV)-sam/.ready ## delete the dev stage with its tables: make destroy STAGE=dev
	@test -n "$(STAGE)" || { echo "error: name the stage: make destroy STAGE=dev" >&2; exit 2; }
	@$(BIN)/python -m infra.deploy.destroy $(STAGE) $(if $(ACCOUNT),--account $(ACCOUNT)) $(if $(CONFIRM),--confirm $(CONFIRM))

lint: lint-style lint-types lint-template ## run ruff, mypy --strict, import-linter, cfn-lint, sam validate, checkov

lint-style: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

lint-types: $(VENV)/.ready
	$(BIN)/mypy

lint-template: $(VENV)/.ready $(VENV)-sam/.ready $(VENV)-checkov/.ready
	$(BIN)/cfn-lint infra/template.yaml infra/executor-alarms.yaml
	SAM_CLI_TELEMETRY=0 $(VENV)-sam/bin/sam validate --lint --template infra/template.yaml --region us-east-1
	@# Check what CloudFormation would deploy: checkov silently skips anything behind an Fn::If.
	$(BIN)/python -m infra.synthesis --output build/synthesized/default.json
	$(BIN)/python -m infra.synthesis --every-option --output build/synthesized/every-option.json
	$(VENV)-checkov/bin/checkov -d build/synthesized --framework cloudformation --compact --quiet --skip-download

format: $(VENV)/.ready ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(VENV)/.ready ## resolve the lock files again, to the newest versions
	$(COMPILE) --all-extras pyproject.toml -o requirements/dev.lock
	$(COMPILE) --extra consumer --constraint requirements/dev.lock pyproject.toml -o requirements/consumer.lock
	for tool in stack sam checkov runtime executor; do $(COMPILE) requirements/$$tool.in -o requirements/$$tool.lock || exit 1; done
	for version in 0.2 0.4 0.6 newest; do $(COMPILE) tests/langgraph/versions/$$version.in -o tests/langgraph/versions/$$version.lock || exit 1; done
	for host in tests/hosts/locks/*.in tests/adapters/locks/*.in benchmarks/host/locks/*.in examples/cdk/requirements.in; do $(COMPILE) $$host -o $${host%.in}.lock || exit 1; done

lock-check: $(VENV)/.ready ## check that every locked package has a wheel for Python 3.14 on Linux and macOS (needs an index)
	@$(BIN)/python -m infra.build.lock_check

clean: ## stop a kept local stack and remove everything these targets created
	@test ! -x $(BIN)/python || $(BIN)/python -m infra.local down
	rm -rf .venv* .local build dist .coverage .hypothesis .*_cache tests/*/node_modules examples/*/node_modules

.PHONY: help setup demo down test test-quick bench-producer bench-host bench-consumer bench-cli chaos soak usage scaling scaling-check alarms build wheel deploy destroy lint lint-types lint-style lint-template format lock lock-check clean
