# Everything a builder of Kura does, by name. `make help` lists it; CONTRIBUTING.md explains it.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.made
# Extra words for pytest, e.g. make test-only ARGS="tests/unit/trust -k roster".
ARGS ?=
# Worker processes of the suite; the tests of one module share a worker, and with it their cluster. Some wait for
# clocks and disks, so that three workers keep two cores busy.
JOBS ?= 3
SUITE := -n $(JOBS) --dist loadscope --no-loadscope-reorder

PACKAGES := threshold trust durable rpc_edge safe_node auth_service wallet_client tools
SOURCES := $(PACKAGES) benchmarks tests
BASELINE := protos/baseline.binpb

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
ifdef CI
export NO_COLOR = 1
endif

.PHONY: help setup demo check test test-only coverage lint format bench stubs proto-baseline lock wheel clean distclean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s%s\n", $$1, $$2 }' Makefile

setup: $(STAMP) ## the virtual environment .venv with the locked dependencies

$(STAMP): requirements/build.txt requirements/dev.txt pyproject.toml tools/setup.sh
	@PYTHON=$(PYTHON) bash tools/setup.sh
	@touch $@

demo: $(STAMP) ## five safes, a wallet, two safes killed, everything recovered
	@$(BIN)/python -m tools.demo

check: lint test coverage ## all that CI runs

test: $(STAMP) ## the whole suite
	@$(BIN)/python -m pytest $(SUITE) $(ARGS)

test-only: $(STAMP) ## part of the suite, one test after the other: make test-only ARGS=tests/unit/trust
	@$(BIN)/python -m pytest $(ARGS)

# The tests that walk the whole program again, process by process, prove what they compare, and cover nothing new.
coverage: $(STAMP) ## branch coverage of the tests of the parts, held to each package's threshold
	@rm -f .coverage .coverage.*
	@$(BIN)/python -m pytest $(SUITE) -m "not no_cover" --cov --cov-report= $(ARGS)
	@$(BIN)/python -m tools.coverage_gate

lint: $(STAMP) ## style, types, import rules, protos, freshness of the stubs
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check . || { echo "run: make format" >&2; exit 1; }
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo > .venv/lint-imports.log 2>&1 || { cat .venv/lint-imports.log >&2; exit 1; }
	@$(BIN)/buf lint
	@$(BIN)/buf format --exit-code --diff protos
	@$(BIN)/buf breaking --against $(BASELINE)
	@$(BIN)/python -m tools.generate_stubs --check
	@echo "lint: ruff, format, mypy, import rules, buf and stubs are clean"

format: $(STAMP) ## lay out Python and protos, mend what ruff can mend
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format --quiet .
	@$(BIN)/buf format --write protos

bench: $(STAMP) ## the figures of docs/PERFORMANCE.md, each with its ceiling
	@$(BIN)/python -m benchmarks $(ARGS)

stubs: $(STAMP) ## regenerate protos/gen from protos/
	@$(BIN)/python -m tools.generate_stubs

proto-baseline: $(STAMP) ## at a release: what `buf breaking` compares with from now on
	@$(BIN)/buf build --exclude-source-info --output $(BASELINE)

lock: ## refresh requirements/ from pyproject.toml (needs uv); ARGS=--upgrade for newer versions
	@bash tools/lock.sh $(ARGS)

wheel: $(STAMP) ## dist/kura-*.whl
	@rm -rf build dist
	@$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@rm -rf build; ls dist

clean: ## remove caches and build products
	@rm -rf build dist .coverage .coverage.* htmlcov .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +

distclean: clean ## and the environment
	@rm -rf .venv *.egg-info
