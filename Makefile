# `make demo` and `make test` need nothing but Python 3.11 or 3.12: they make .venv and install into it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-slow lint clean

demo: $(VENV)/demo.installed
	$(BIN)/temporal-gan demo --out demo

test: $(VENV)/dev.installed
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-slow: $(VENV)/dev.installed
	$(BIN)/python -m pytest -m "(slow or distributed) and not gpu and not network"

lint: $(VENV)/dev.installed
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 12) else f"temporal_gan needs Python 3.11 or 3.12, {sys.executable} is {v[0]}.{v[1]}; try: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo.installed: $(VENV)/bin/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet -e .
	touch $@

$(VENV)/dev.installed: $(VENV)/bin/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet -e ".[dev]"
	touch $@ $(VENV)/demo.installed

clean:
	rm -rf $(VENV)
