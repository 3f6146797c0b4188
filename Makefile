# Interlend's commands for people. `make` alone tells what they are; everything they install goes into .venv.
# Works with GNU make 3.81 and up; needs Python 3.11 or newer and nothing else.

VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
JOBS ?= auto
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --no-input
PYTEST := $(BIN)/pytest --numprocesses=$(JOBS) --maxprocesses=4 --quiet
COMPILE := env -u PIP_FIND_LINKS PIP_CONFIG_FILE=/dev/null $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe \
	--no-emit-index-url --no-emit-find-links --no-emit-options --strip-extras

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: bench-ncip help setup demo demo-fresh test lint format types tour draw messages screenshots lock clean chromium style-check

help:  ## Say what can be made
	@echo "Interlend: libraries that borrow from and lend to each other."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.runtime  ## Install Interlend and what it runs on into .venv
	@echo "Interlend is installed: $(BIN)/interlend"

demo: $(VENV)/.runtime  ## Start the demo consortium (PORT=8000) and print where and how; Ctrl-C stops it
	@$(BIN)/interlend demo --port $(PORT)

demo-fresh: $(VENV)/.runtime  ## The same, but forget what was done in the demo before
	@$(BIN)/interlend demo --port $(PORT) --fresh

tour: $(VENV)/.runtime  ## Play every step of borrowing and lending and tell what was seen
	@$(BIN)/interlend tour

test: $(VENV)/.dev chromium style-check types  ## Check everything: style, types, imports, tests on SQLite and on PostgreSQL
	@echo "== tests, on SQLite"
	@INTERLEND_TEST_DB=sqlite $(PYTEST)
	@echo "== tests that touch the database, on PostgreSQL"
	@INTERLEND_TEST_DB=postgresql $(PYTEST) -m database

lint: $(VENV)/.dev style-check types  ## Check style, types and the import contracts only

style-check: $(VENV)/.dev
	@echo "== style"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "Some files are not formatted: make format" >&2; exit 1; }

types: $(VENV)/.dev
	@echo "== types"
	@SECRET_KEY=unused $(BIN)/mypy --no-error-summary
	@echo "== imports go down the stairs"
	@$(BIN)/lint-imports --no-logo

format: $(VENV)/.dev  ## Format the code and mend what can be mended by itself
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format --quiet .

screenshots: $(VENV)/.dev chromium  ## Keep a picture of every page in docs/screenshots
	@mkdir -p docs/screenshots
	@INTERLEND_SCREENSHOTS=$(CURDIR)/docs/screenshots $(PYTEST) tests/browser

draw: $(VENV)/.runtime  ## Draw the state diagrams in docs/ from the tables
	@$(BIN)/interlend draw

messages: $(VENV)/.runtime  ## Renew and compile the catalogues of other languages (needs gettext)
	@$(BIN)/python scripts/messages.py

lock: $(VENV)/.dev  ## Renew the pinned requirements, with hashes, from the ordinary index
	@$(COMPILE) --upgrade --output-file=requirements.txt requirements.in requirements-build.in
	@$(COMPILE) --upgrade --output-file=requirements-dev.txt requirements-dev.in

clean:  ## Remove what was installed and cached; the data in var/ stays
	rm -rf $(VENV) build dist src/*.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- what the targets above stand on: each file is made once, and again when what it is made from changes

$(VENV)/.made:
	@sh scripts/make-venv $(VENV)
	@touch $@

$(VENV)/.runtime: $(VENV)/.made requirements.txt pyproject.toml
	@echo "Installing Interlend into $(VENV) (once; about half a minute)"
	@$(PIP) install --require-hashes --requirement requirements.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.txt
	@echo "Installing what tests and checks need (once)"
	@$(PIP) install --require-hashes --requirement requirements-dev.txt
	@touch $@

chromium:
	@sh scripts/find-chromium
