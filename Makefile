# `make` alone lists the targets. Needs git, make and a Python from 3.11; node (from 20) for what concerns VS Code.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The newest Python that is there and new enough.
PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 python3.11 python3 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
CLIENT := client-vscode
NODE := $(shell node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null && echo yes)

# More words for the program that a target runs: make test ARGS="-k todo", make demo ARGS=--yes
ARGS ?=

.PHONY: help setup dev demo test torture test-editors check check-python check-client gen format bench vsix clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- the environment: stamps make a second run quick ----------------------------------------------------------------

$(VENV)/.made:
	@[ -n "$(PYTHON)" ] || { echo "There is no Python from 3.11 on the PATH. Install one, or name it: make PYTHON=..." >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear $(VENV) || { echo "Could not make $(VENV). On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	@touch $@

$(VENV)/.run: $(VENV)/.made pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[local]'
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@

$(CLIENT)/node_modules/.made: $(CLIENT)/package-lock.json
	cd $(CLIENT) && npm ci --loglevel=error
	@touch $@

setup: $(VENV)/.run ## what is needed to run Kaaj, in .venv

dev: $(VENV)/.dev ## and what is needed to work on it

# --- using it -------------------------------------------------------------------------------------------------------

demo: setup ## the main job, on a small project
	$(BIN)/kaaj demo $(ARGS)

test: dev ## the tests
	$(BIN)/pytest $(ARGS)

torture: dev ## the attacks at length: faults, kills, hostile input, load; KAAJ_TORTURE says how much
	KAAJ_TORTURE=$${KAAJ_TORTURE:-200} $(BIN)/pytest tests/torture $(ARGS)

test-editors: dev vsix ## the tests in the real editors; installs them in ~/.cache/kaaj-editors (KAAJ_EDITORS_DIR) first
	$(BIN)/python tests/editors/lib/rig/install.py
	$(BIN)/pytest tests/editors $(ARGS)

# --- the gate -------------------------------------------------------------------------------------------------------

check: check-python check-client ## lint, types, layers and drift of what is generated; what CI runs

check-python: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	$(BIN)/python -m kaaj_protocol.schema --check
	$(BIN)/python -m kaaj_protocol.guide --check

ifneq ($(NODE),)
check-client: $(CLIENT)/node_modules/.made
	cd $(CLIENT) && npm run --silent check
else
check-client:
	@echo "There is no node from 20 on the PATH: the VS Code client is not checked." >&2
	@[ "$(CI)" != true ]
endif

gen: dev $(if $(NODE),$(CLIENT)/node_modules/.made) ## make what is generated: schemas, the client's types, tables
	$(BIN)/python -m kaaj_protocol.schema
	$(BIN)/python -m kaaj_protocol.guide
	$(if $(NODE),cd $(CLIENT) && npm run --silent gen)

format: dev ## format the code
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

bench: dev ## the measurements: all, or make bench ONLY="repair"
	@for script in $(if $(ONLY),$(ONLY:%=tests/bench/%.py),$$(grep -l __main__ tests/bench/*.py)); do \
		echo "== $$script"; $(BIN)/python "$$script" $(ARGS); done

ifneq ($(NODE),)
vsix: $(CLIENT)/node_modules/.made ## the VS Code extension, as dist/kaaj.vsix
	cd $(CLIENT) && npm run --silent vsix
else
vsix:
	@echo "The VS Code extension is built with node, from 20 on; it is not on the PATH." >&2; exit 1
endif

clean: ## all that was made here
	rm -rf $(VENV) build dist $(CLIENT)/node_modules $(CLIENT)/out .mypy_cache .ruff_cache .pytest_cache
