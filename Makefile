# The two commands a user needs: `make run` and `make test`. Python 3.11 or later and make are enough.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test check setup lint types imports bench bench-compare bench-matching faults fuzz interop docs lock clean

run: setup            ## set up, serve the demo domain, play the demo traffic, stay up
	@$(BIN)/affinity up

test: setup           ## set up, run the whole suite, a process for each core
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

check: setup lint types imports  ## lint, types, import contracts

setup: .venv/ready    ## build the environment in .venv from locked versions

.venv/ready: requirements.lock setup.cfg pyproject.toml
	@echo "Building the environment in .venv (the first time takes a minute or two) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch .venv/ready

lint:
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types:
	@$(BIN)/mypy ihe hl7v2 tls mllp soap statements xds pix xua atna consent affinity conformance interop

imports:
	@$(BIN)/lint-imports

bench: setup          ## print the benchmark table
	@$(BIN)/python -m benchmarks

bench-compare: setup  ## CPU per request of this tree beside that of BASE (a commit, tag or branch), in turn
	@$(BIN)/python -m benchmarks.compare $(or $(BASE),main)

bench-matching: .venv-matching/ready  ## precision and recall of matching, beside splink and recordlinkage, in an environment of its own
	@PYTHONPATH=. .venv-matching/bin/python -m benchmarks.matching

.venv-matching/ready: requirements.lock benchmarks/matching/requirements.txt
	@echo "Building the environment of the matching benchmark in .venv-matching ..."
	@$(PYTHON) -m venv .venv-matching
	@.venv-matching/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@.venv-matching/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r benchmarks/matching/requirements.txt
	@touch .venv-matching/ready

ROUNDS ?= 20
faults: setup         ## kills, failing disks and hostile peers, ROUNDS times over (docs/faults.md)
	@AFFINITY_FAULT_ROUNDS=$(ROUNDS) $(BIN)/python -m pytest tests/faults --override-ini timeout=0

SECONDS ?= 600
fuzz: setup           ## mutants of good messages at every parser for SECONDS; prints reproducers
	@$(BIN)/python -m tests.fuzzing $(SECONDS)

interop: setup        ## foreign clients (IPF, Java 17 and Maven) against a node of our own, every transaction, plain and TLS
	@$(BIN)/python -m interop.run

lock:                 ## resolve the versions again (needs pip-tools in .venv)
	@$(BIN)/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras --no-header --no-annotate \
		--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --all-extras --all-build-deps -o requirements.lock setup.cfg
	@cp requirements.lock docker/requirements.lock
	@$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header --no-annotate \
		--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --extra otel --all-build-deps \
		-o docker/requirements.lock setup.cfg

clean:
	@rm -rf .venv .venv-matching build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache var
