# Every target sets up what it needs: Python packages in .venv, real servers in .servers.
# `make help` lists them.

PYTHON ?= python3
BIN := .venv/bin
OUT ?= out
# Three on two cores: tests wait for servers, browsers and kernels.
PYTEST_ARGS ?= -n 3
# Without bytecode each of some hundred child processes would compile the workbench anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test lint lab bench docs servers clean

help: ## List what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

demo: .venv/lab ## Render every report on the embedded estate; no server needed
	$(BIN)/workbench demo --output $(OUT)

test: .venv/dev servers ## Run the tests, against real servers and a real browser
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest $(PYTEST_ARGS)

lint: .venv/dev ## Check style, types and the order of the rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

lab: .venv/lab ## Open JupyterLab on the notebooks
	$(BIN)/workbench lab

bench: .venv/dev servers ## Measure against the peers; prints ratios of one run
	for script in tests/benchmarks/bench_*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

docs: .venv/dev ## Write the generated pages of docs/
	$(BIN)/python docs/generate.py

servers: ## Unpack the servers and find the browser that the tests use
	@bash tests/fetch_servers.sh

clean: ## Remove what was made, except reports in out/
	rm -rf .venv .servers build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 …" >&2; exit 2; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "python3 -m venv failed. On Debian: apt-get install python3-venv" >&2; exit 2; }
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --upgrade pip

.venv/lab: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[lab]'
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --only-binary :all: pysimdjson \
		|| echo "pysimdjson has no wheel here; answers are decoded with numpy alone"
	@touch $@

.venv/dev: .venv/lab
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group dev
	@touch $@
