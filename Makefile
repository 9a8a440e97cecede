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

# What is installed is pinned and hashed (requirements/*.txt); `make dev LOCKED=` takes what fits pyproject.toml today.
LOCKED ?= yes
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
TOOLS := build/tools

# More words for the program that a target runs: make test ARGS="-k todo", make demo ARGS=--yes
ARGS ?=
JOBS ?= 3

.PHONY: help setup dev demo test torture mutants test-editors check check-python check-client gen format bench lock audit sbom vsix clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- the environment: stamps make a second run quick ----------------------------------------------------------------

$(VENV)/.made:
	@[ -n "$(PYTHON)" ] || { echo "There is no Python from 3.11 on the PATH. Install one, or name it: make PYTHON=..." >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear $(VENV) || { echo "Could not make $(VENV). On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@touch $@

$(VENV)/.run: $(VENV)/.made pyproject.toml requirements/run.txt
ifneq ($(LOCKED),)
	$(INSTALL) --require-hashes -r requirements/run.txt
	$(INSTALL) --no-deps --no-build-isolation --editable .
else
	$(INSTALL) --upgrade pip
	$(INSTALL) --editable '.[local]'
endif
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	$(INSTALL) $(if $(LOCKED),--require-hashes -r requirements/dev.txt,--group dev)
	@touch $@

$(TOOLS)/.made: requirements/tools.txt
	@$(PYTHON) -m venv --clear $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/tools.txt
	@touch $@

$(CLIENT)/node_modules/.made: $(CLIENT)/package-lock.json
	cd $(CLIENT) && npm ci --loglevel=error
	@touch $@

setup: $(VENV)/.run ## what is needed to run Kaaj, in .venv

dev: $(VENV)/.dev ## and what is needed to work on it

# --- using it -------------------------------------------------------------------------------------------------------

demo: setup ## the main job, on a small project
	$(BIN)/kaaj demo $(ARGS)

test: dev ## the tests, JOBS at a time: they wait about as long as they compute
	$(BIN)/pytest --numprocesses=$(JOBS) $(ARGS)

torture: dev ## the attacks at length: faults, kills, hostile input, load; KAAJ_TORTURE says how much
	KAAJ_TORTURE=$${KAAJ_TORTURE:-200} $(BIN)/pytest tests/torture tests/unit/test_beneath.py $(ARGS)

mutants: dev ## each protection taken out in turn, to see that its test notices; words in ARGS choose some
	$(BIN)/python tests/torture/mutants.py $(ARGS)

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
	$(BIN)/python tests/torture/mutants.py --check

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
		echo "== $$script"; module=$${script%.py}; $(BIN)/python -m "$${module//\//.}" $(ARGS); done

# --- where it comes from --------------------------------------------------------------------------------------------

# No resolver's configuration gets into the files: versions and hashes alone, the same from whatever index.
LOCK = $(TOOLS)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--custom-compile-command "make lock" $(ARGS)

lock: $(TOOLS)/.made ## pin anew what is installed; make lock ARGS=--upgrade for newer releases
	$(LOCK) pyproject.toml requirements/build.in --extra local --extra mcp --group dev -o requirements/dev.txt
	$(LOCK) pyproject.toml requirements/build.in --extra local -c requirements/dev.txt -o requirements/run.txt
	$(LOCK) pyproject.toml -c requirements/dev.txt -o requirements/base.txt
	$(LOCK) requirements/tools.in -o requirements/tools.txt
	$(LOCK) requirements/node.in -o requirements/node.txt

audit: $(TOOLS)/.made ## look what is pinned up among the known holes
	@$(TOOLS)/bin/python .ci/audit.py $(TOOLS)/bin/pip-audit requirements/dev.txt requirements/tools.txt

sbom: $(TOOLS)/.made ## the bill of materials, as dist/kaaj.cdx.json (CycloneDX), and of the VS Code client
	@mkdir -p dist
	$(TOOLS)/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible \
		-o dist/kaaj.cdx.json requirements/run.txt 2>/dev/null
	$(if $(NODE),cd $(CLIENT) && npm sbom --loglevel=error --sbom-format cyclonedx --package-lock-only > ../dist/kaaj-vscode.cdx.json)
	@ls -l dist/*.cdx.json

ifneq ($(NODE),)
vsix: $(CLIENT)/node_modules/.made ## the VS Code extension, as dist/kaaj.vsix
	cd $(CLIENT) && npm run --silent vsix
else
vsix:
	@echo "The VS Code extension is built with node, from 20 on; it is not on the PATH." >&2; exit 1
endif

clean: ## all that was made here
	rm -rf $(VENV) build dist $(CLIENT)/node_modules $(CLIENT)/out .mypy_cache .ruff_cache .pytest_cache
