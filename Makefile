# `make test` is the one test command. It makes its own virtual environment; nothing has to be there but Python.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed

.PHONY: test format lint types tests tools demo clean

test: lint types tests

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/mypy

tests: $(STAMP) tools
	$(BIN)/pytest -n 4 --cov --cov-report=term

# `ip`, for the tests with hosts of their own. With CI=true it is installed where it is missing.
tools:
	@command -v ip >/dev/null || [ "$$CI" != true ] || { apt-get update -q && apt-get install -yq iproute2; }

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

demo:
	$(PYTHON) -m tandem demo

$(STAMP): requirements-test.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-test.txt
	touch $(STAMP)

clean:
	rm -rf $(VENV) .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache
