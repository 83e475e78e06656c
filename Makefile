# The two commands of the README are `make demo` and `make test`. Each needs Python 3.11 or newer and a way to PyPI,
# and nothing else; each installs once and then no more, until pyproject.toml or constraints.txt changes. `make test`
# installs torch, too, which is large; `make demo` does not.

VENV  ?= .venv
OUT   ?= out/quick
BIN   := $(VENV)/bin
JOBS  ?= auto
STAMP := pyproject.toml constraints.txt
# Torch comes first and by its pinned version, so that nothing asks for another one. A machine without CUDA is better off
# with a CPU build of the same version: install that into $(VENV) by hand, and `make test` keeps it.
TORCH ?= torch==2.13.0
PIP   := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

# Threads of the linear algebra would fight with the processes of `bench run` and of pytest for the same cores.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help demo test lint types bench torture docs cli-page clean

help:
	@echo "make demo    environment and the quick benchmark; ends with the path of an HTML report"
	@echo "make test    environment and the tests"
	@echo "make lint    ruff: style and formatting rules"
	@echo "make types   mypy --strict over src and tests"
	@echo "make bench   speed: a round of a million rows, and every choice, as ratios"
	@echo "make torture 500 kills of servers and trainers while people answer, and a full disk; about an hour"
	@echo "make docs    the documentation as a web site, in site/"
	@echo "make clean   remove the environment, caches and built pages (never out/)"

$(BIN)/python:
	@for python in $(PYTHON) python3.11 python3.12 python3.13 python3.14 python3 python; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "creating $(VENV) with $$($$python --version)"; \
	    $$python -m venv $(VENV) && exit 0; \
	    echo "$$python cannot make an environment; on Debian or Ubuntu install python3-venv"; rm -rf $(VENV); exit 1; \
	  fi; \
	done; \
	echo "Cutpoint needs Python 3.11 or newer, and none is on the PATH; install it, or say PYTHON=/path/to/python"; exit 1

$(VENV)/.installed: $(STAMP) | $(BIN)/python
	@echo "installing cutpoint"
	@$(PIP) --editable .
	@touch $@

$(VENV)/.installed-dev: $(STAMP) | $(BIN)/python
	@echo "installing cutpoint, torch and the tools for the tests"
	@$(PIP) $(TORCH)
	@$(PIP) --editable '.[dev,deep]'
	@touch $(VENV)/.installed $@

$(VENV)/.installed-docs: $(STAMP) | $(BIN)/python
	@echo "installing cutpoint and mkdocs"
	@$(PIP) --editable '.[docs]'
	@touch $(VENV)/.installed $@

demo: $(VENV)/.installed
	@$(BIN)/cutpoint bench run --preset quick -o $(OUT)
	@$(BIN)/cutpoint bench report $(OUT)

test: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest -n $(JOBS) $(PYTEST_ARGS)

lint: $(VENV)/.installed-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --quiet --check . || { echo "not formatted as it should be: $(BIN)/ruff format ."; exit 1; }

types: $(VENV)/.installed-dev
	@$(BIN)/mypy

bench: $(VENV)/.installed-dev
	@for script in benchmarks/*.py; do $(BIN)/python $$script; done

torture: $(VENV)/.installed-dev
	@$(BIN)/python tools/torture.py $(TORTURE)

cli-page: $(VENV)/.installed-dev
	@$(BIN)/python tools/cli_page.py

docs: $(VENV)/.installed-docs
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

clean:
	rm -rf $(VENV) .venv-* site build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
