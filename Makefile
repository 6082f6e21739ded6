# `make test` is the one test command. It makes its own virtual environment; nothing has to be there but Python.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed

# The locks: each is made from the .in file beside it and has the hashes of all files of its packages.
LOCKS := requirements-base.txt requirements-board.txt requirements-postgres.txt bench/requirements.txt \
  requirements-test.txt requirements-audit.txt fuzz/requirements.txt bench/requirements-mutants.txt
SBOM := build/sbom.json

.PHONY: test format lint types tests pythons coverage tools demo bench audit locks clean
.NOTPARALLEL: # two runs of tests at a time would slow each other down

# Without the compiled files each of the thousands of processes that tests start compiles all that it imports.
unexport PYTHONDONTWRITEBYTECODE

test: lint types tests pythons

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/mypy

# A worker that has none left takes tests from another: with `load` the first one gets too many of the slow ones.
tests: $(STAMP) tools
	$(BIN)/pytest -n 4 --dist worksteal

# Those that need no extra, on each other Python that is here, each in a virtual environment of its own.
pythons: $(STAMP)
	$(BIN)/python -m testing.pythons

# The same with coverage, of every process that a test starts, too.
coverage: $(STAMP) tools
	$(BIN)/pytest -n 4 --dist worksteal --cov --cov-report=term

# For the tests with hosts of their own, sandboxes and captures, with a browser, with a balancer, and with a peer in C.
# With CI=true what is missing is installed.
tools:
	@command -v cc >/dev/null || [ "$$CI" != true ] || { apt-get update -q && apt-get install -yq gcc libc6-dev; }
	@[ "$$CI" != true ] || for tool in ip nft haproxy systemd-analyze logrotate bwrap tshark; do \
	  PATH="$$PATH:/usr/sbin" command -v $$tool >/dev/null || \
	  { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends \
	  iproute2 nftables haproxy systemd logrotate bubblewrap tshark; break; }; done
	@command -v chromium >/dev/null || [ "$$CI" != true ] || { apt-get update -q && apt-get install -yq chromium fonts-dejavu-core; }

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

demo:
	$(PYTHON) -m tandem demo

# The server beside its peers, from one run: some 7 minutes on a machine that does nothing else. Needs a C compiler.
bench: $(STAMP)
	$(BIN)/python -m bench.compare --same-cpu --concurrency 64 512 --idle

# Look for known vulnerabilities in every locked package, and write a bill of materials (CycloneDX) to SBOM. Fails if a package cannot be
# audited, or the vulnerability service cannot be reached. AUDIT_OPTIONS may name another service.
audit: $(STAMP)
	mkdir -p $(dir $(SBOM)) && rm -f $(SBOM)
	$(BIN)/pip-audit --strict --disable-pip --progress-spinner off --format cyclonedx-json --output $(SBOM) \
	  $(AUDIT_OPTIONS) $(LOCKS:%=--requirement %)

# Make the locks again, with the newest versions that the .in files allow. Run it on the oldest Python that is supported:
# the others need no package more.
locks: $(STAMP)
	for lock in $(LOCKS); do \
	  $(BIN)/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe --no-strip-extras --no-header \
	    --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --output-file $$lock $${lock%.txt}.in || exit 1; \
	done

$(STAMP): requirements-test.txt requirements-audit.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes $(^:%=-r %)
	touch $(STAMP)

clean:
	rm -rf $(VENV) $(SBOM) .venv-pythons .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache
