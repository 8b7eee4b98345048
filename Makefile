# Two commands for a new user: `make demo` and `make test`. Both set up all they need under this folder.

# The newest supported Python that really runs (a pyenv shim may exist and not run).
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
  $$p -c 'import sys; raise SystemExit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
PLATFORM ?= arm64
# Most tests wait; a file's tests stay together, in their order. For one process: make test PARALLEL=
PARALLEL ?= -n 3 --dist loadfile
KEEP ?= 0
BIN := $(VENV)/bin
UV := $(BIN)/uv
# Byte code is left to the first import: most modules never see one, and compiling all takes as long as the rest.
LOCKED := -qq --disable-pip-version-check --no-deps --no-compile --only-binary :all: --require-hashes
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --no-header --upgrade

.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

CONFORMANCE := tests/conformance/node_modules/.ready

setup: $(VENV)/.ready $(VENV)-stack/.ready $(VENV)-sam/.ready $(CONFORMANCE) ## make .venv and the tools' own environments (quick when nothing changed)

$(VENV)/.ready: requirements/dev.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11, 3.12 or 3.13 found; name one: make $(MAKECMDGOALS) PYTHON=/path/to/python3.13" >&2; exit 2; }
	@echo "setup: $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install $(LOCKED) -r requirements/dev.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# The local stack (stack), SAM's CLI (sam) and the template's security checks (checkov): each pins what the others do not want.
$(VENV)-%/.ready: requirements/%.lock
	@echo "setup: $(VENV)-$*"
	@$(PYTHON) -m venv $(VENV)-$*
	@$(VENV)-$*/bin/python -m pip install $(LOCKED) -r requirements/$*.lock
	@touch $@

$(CONFORMANCE): tests/conformance/package-lock.json $(VENV)/.ready
	@echo "setup: tests/conformance/node_modules (dynalite, the engine that enforces DynamoDB's limits)"
	@PATH="$(abspath $(BIN)):$$PATH" npm ci --prefix tests/conformance --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

demo: $(VENV)/.ready $(VENV)-stack/.ready ## the whole pipeline on real input, on the local stack (KEEP=1 leaves it up)
	@KEEP=$(KEEP) $(BIN)/python -m examples.demo

down: ## stop the local stack that demo KEEP=1 left up
	@$(BIN)/python -m infra.local down

test: setup ## all tests, with coverage of producer, consumer and shared
	$(BIN)/python -m pytest $(PARALLEL) --cov --cov-report=term --cov-fail-under=95

test-quick: $(VENV)/.ready ## the tests that need no server, on the Python named: make test-quick VENV=.venv-3.13 PYTHON=python3.13
	$(BIN)/python -m pytest $(PARALLEL) tests/unit tests/property

bench-producer: $(VENV)/.ready ## what enqueue costs its caller, beside its peers (two minutes; writes build/bench-producer.json)
	$(BIN)/python -m benchmarks.producer --json build/bench-producer.json

bench-consumer: $(VENV)/.ready ## what storing a record costs, beside four usual ways (four minutes; writes build/bench-consumer.json)
	$(BIN)/python -m benchmarks.consumer --json build/bench-consumer.json

chaos: setup ## 50,000 envelopes through the pipeline under faults: nothing lost (seven minutes; writes build/chaos.json)
	$(BIN)/python -m tests.chaos.pipeline --json build/chaos.json

soak: $(VENV)/.ready ## a million enqueues and ten thousand invocations: memory flat, nothing lost (two minutes)
	$(BIN)/python -m benchmarks.producer.soak
	$(BIN)/python -m benchmarks.consumer.soak

usage: setup ## measure what incidents use of AWS, which recs cost computes with (a minute; python -m benchmarks.usage --write keeps it)
	$(BIN)/python -m benchmarks.usage

scaling: $(VENV)/.ready ## simulate 1 to 100,000 recommendations a second: lag, cost, and the limit that binds
	$(BIN)/python -m benchmarks.scaling

scaling-check: $(VENV)/.ready $(VENV)-stack/.ready ## hold that simulation to the local stack, at a low rate
	$(BIN)/python -m benchmarks.scaling.check

alarms: $(VENV)/.ready $(VENV)-stack/.ready ## which alarm fires for what: faults on the local stack against the template's alarms (half a minute)
	@$(BIN)/python -m examples.alarms

build: $(VENV)/.ready ## write build/consumer.zip and build/layer.zip (PLATFORM=arm64, x86_64 or local)
	@$(BIN)/python -m infra.build --platform $(PLATFORM)

deploy: $(VENV)/.ready $(VENV)-sam/.ready ## deploy a stage: make deploy STAGE=dev (docs/deploy.md)
	@$(BIN)/python -m infra.deploy $(STAGE) $(if $(ACCOUNT),--account $(ACCOUNT)) $(if $(CONFIRM),--confirm $(CONFIRM)) $(addprefix --parameter ,$(PARAMETERS))

destroy: $(VENV)/.ready $(VENV)-sam/.ready ## delete the dev stage with its table: make destroy STAGE=dev
	@$(BIN)/python -m infra.deploy.destroy $(STAGE) $(if $(ACCOUNT),--account $(ACCOUNT)) $(if $(CONFIRM),--confirm $(CONFIRM))

lint: $(VENV)/.ready $(VENV)-sam/.ready $(VENV)-checkov/.ready ## ruff, mypy --strict, import-linter, cfn-lint, sam validate, checkov
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cfn-lint infra/template.yaml
	SAM_CLI_TELEMETRY=0 $(VENV)-sam/bin/sam validate --lint --template infra/template.yaml --region us-east-1
	@# What CloudFormation would deploy: checkov skips, without a word, what stands behind an Fn::If.
	$(BIN)/python -m infra.synthesis --output build/synthesized/default.json
	$(BIN)/python -m infra.synthesis --every-option --output build/synthesized/every-option.json
	$(VENV)-checkov/bin/checkov -d build/synthesized --framework cloudformation --compact --quiet --skip-download

format: $(VENV)/.ready ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(VENV)/.ready ## resolve the lock files anew
	$(COMPILE) --all-extras pyproject.toml -o requirements/dev.lock
	for side in consumer producer; do $(COMPILE) --extra $$side --constraint requirements/dev.lock pyproject.toml -o requirements/$$side.lock || exit 1; done
	for tool in stack sam checkov runtime; do $(COMPILE) requirements/$$tool.in -o requirements/$$tool.lock || exit 1; done

clean: ## stop a kept local stack and remove everything that these targets made
	@test ! -x $(BIN)/python || $(BIN)/python -m infra.local down
	rm -rf .venv* .local build .coverage .hypothesis .*_cache *.egg-info tests/conformance/node_modules

.PHONY: help setup demo down test test-quick bench-producer bench-consumer chaos soak usage scaling scaling-check alarms build deploy destroy lint format lock clean
