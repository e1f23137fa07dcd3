# Everything a newcomer types. Each target sets up what it needs, and is quick the second time.
PYTHON ?= python3
VENV   := .venv
PIP    := $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test test-slow bench lint types docs examples template wheel clean help

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "imle_core needs Python 3.11 or newer; found %d.%d. Run: make PYTHON=/path/to/python3.11" % sys.version_info[:2])'
	@$(PYTHON) -m venv $(VENV)

# What is installed depends on these two files alone; the stamps make the second run quick.
$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "setting up $(VENV) (torch and the solvers; about a minute the first time)"
	@$(PIP) -e ".[demo]"
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "setting up $(VENV) for development (about a minute the first time)"
	@$(PIP) -e ".[dev]"
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo  ## train the main job: shortest paths from pixels
	@$(VENV)/bin/imle demo warcraft --out runs/demo

test: $(VENV)/.dev  ## the tests that a change must pass
	@$(VENV)/bin/python -m pytest

test-slow: $(VENV)/.dev  ## statistical and training tests
	@$(VENV)/bin/python -m pytest -m slow

bench: $(VENV)/.dev  ## speed, as ratios within one run
	@$(VENV)/bin/python -m pytest -m benchmark tests/benchmarks -s

lint: $(VENV)/.dev  ## ruff, format included
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check .

types: $(VENV)/.dev  ## mypy, strict
	@$(VENV)/bin/mypy

docs: $(VENV)/.dev  ## build the documentation, warnings as errors
	@$(VENV)/bin/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

examples: $(VENV)/.dev  ## run every example
	@for script in examples/*.py; do echo "$$script"; $(VENV)/bin/python -W error::DeprecationWarning $$script || exit 1; done

template: $(VENV)/.dev  ## check the plugin template, under the names of a new plugin
	@$(VENV)/bin/python -m pytest tests/cli/test_new_plugin.py

wheel: $(VENV)/.dev  ## build the distributions
	@$(VENV)/bin/python -m build --outdir dist .

clean:  ## remove everything that was built
	rm -rf $(VENV) dist build docs/_build runs .pytest_cache .mypy_cache .ruff_cache .hypothesis
