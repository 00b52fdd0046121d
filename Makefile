# ftbot's workshop. `make demo` and `make test` need git, make and Python >= 3.11, and set up the rest.
#
#   make demo       the main job from file to answering model, no account anywhere
#   make test       everything that must hold: lint, types, unit, contract, scenario, browser, wheel
#   make test-long  real training, crash lives, fuzz, benchmarks in short
#   make check      lint and types alone            make format   put the source in order
#   make bench      measure speed                   make audit    known holes in dependencies
#   make clean      remove what make made
#
# Settings: PYTHON (interpreter), TORCH_INDEX (extra package index for torch where there is no GPU; empty: none),
# DEMO (options of `ftbot demo`), PYTEST (options of pytest), WORKERS (test processes).

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	"$$p" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
	&& command -v "$$p" && break; done)
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
WORKERS ?= 2
DEMO ?=
PYTEST ?=

BIN := .venv/bin
PACKAGES := bot demo handlers localslack storage trainserver tuning
TIMED := $(BIN)/python tools/timed.py
# One worker runs a file, so that programs which a file starts are started once.
RUN_PYTEST := $(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -q $(PYTEST)
# Tests of whole programs mostly wait for them, so twice as many run side by side.
RUN_PROGRAMS := $(BIN)/pytest -n $(shell echo $$((2 * $(WORKERS)))) --dist loadfile --no-loadscope-reorder -q $(PYTEST)

.DEFAULT_GOAL := help
.PHONY: help demo test test-long check format bench audit clean install browser

help:
	@sed -n '2,/^$$/s/^# \{0,1\}//p' Makefile

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "ftbot needs Python 3.11 or newer that can make virtual environments"; \
	  echo "(on Debian and Ubuntu: apt install python3 python3-venv). Or name one: make PYTHON=/path/to/python3"; \
	  exit 1; }
	"$(PYTHON)" -m venv .venv

.venv/.installed: pyproject.toml tools/install.py | .venv/bin/python
	@$(BIN)/python tools/install.py --torch-index "$(TORCH_INDEX)"
	@touch $@

install: .venv/.installed

browser: .venv/.installed
	@$(BIN)/python tools/browser.py

demo: .venv/.installed
	$(BIN)/ftbot demo $(DEMO)

test: .venv/.installed browser
	@$(TIMED) \
	  "lint: $(BIN)/ruff check ." \
	  "format: $(BIN)/ruff format --check ." \
	  "&types: $(BIN)/pyright" \
	  "contract: $(RUN_PYTEST) tests/contract" \
	  "unit: $(RUN_PYTEST) tests/unit tests/test_floors.py tests/test_docs.py tests/test_dependencies.py" \
	  "scenario: $(RUN_PROGRAMS) tests/scenario tests/faults" \
	  "browser: $(RUN_PYTEST) tests/browser" \
	  "wheel: $(BIN)/pytest -q $(PYTEST) tests/test_wheel.py"

test-long: .venv/.installed browser
	@$(TIMED) \
	  "long tests: $(BIN)/pytest -q -m long $(PYTEST)" \
	  "crash lives: env FTBOT_FAULT_LIVES=200 $(BIN)/pytest -q tests/faults/test_crash_lives.py $(PYTEST)" \
	  "bench smoke: $(BIN)/python tools/bench.py --smoke"

check: .venv/.installed
	@$(TIMED) "lint: $(BIN)/ruff check ." "format: $(BIN)/ruff format --check ." "types: $(BIN)/pyright"

format: .venv/.installed
	$(BIN)/ruff check --fix-only --exit-zero .
	$(BIN)/ruff format .

bench: .venv/.installed
	$(BIN)/python tools/bench.py

audit: .venv/.installed
	@$(BIN)/python tools/audit.py

clean:
	rm -rf .venv build dist .pytest_cache .ruff_cache .hypothesis
	find $(PACKAGES) tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
