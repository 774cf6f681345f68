# make demo    the whole workflow on the embedded corpus, from nothing to the report
# make test    every test
# make help    the rest

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEPLOYMENT ?= .venv-deployment
SNAKEMAKE := $(BIN)/snakemake
CONFIGFILE ?= config/demo.yaml
REPORT ?= results/demo/report.html
DEMO := --profile profiles/local --configfile config/demo.yaml

.DEFAULT_GOAL := help
# bytecode lies beside its source; with this variable Python would look elsewhere
unexport PYTHONPYCACHEPREFIX
# texts are UTF-8, also where the packages in use leave that to the locale
export PYTHONUTF8 := 1
# Snakemake keeps a cache in HOME; where that cannot be written, beside the workflow
ifndef XDG_CACHE_HOME
ifneq ($(shell test -w "$(HOME)" && echo yes),yes)
export XDG_CACHE_HOME := $(CURDIR)/.cache
endif
endif
.PHONY: help setup compile demo report check unit test test-slurm test-thorough benchmark lint format types lock environments
.PHONY: deployment clean

help: ## list these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: compile ## create .venv with the locked packages, compiled to bytecode

define check_python
$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' \
	|| { echo "Python 3.11 or 3.12 is needed; name one: make $(MAKECMDGOALS) PYTHON=python3.11"; exit 1; }
endef

# envs/install.py says what it does; the stamp is touched last, so what was interrupted is done again
$(VENV)/.installed: requirements.lock envs/install.py envs/compile.py
	@$(check_python)
	@$(PYTHON) envs/install.py $(VENV) $<
	@touch $@

deployment: $(DEPLOYMENT)/.installed ## create .venv-deployment, which classifies with deployed systems and needs nothing else

$(DEPLOYMENT)/.installed: envs/deployment.lock envs/install.py envs/compile.py
	@$(check_python)
	@$(PYTHON) envs/install.py $(DEPLOYMENT) $< workflow/scripts
	@touch $@

# the library alone, where it was edited: silent, and a tenth of a second, where nothing is to be done
compile: $(VENV)/.installed
	@$(BIN)/python envs/compile.py workflow/scripts

demo: setup ## run the main job on the embedded demo corpus and write its report
	$(SNAKEMAKE) all $(DEMO)
	@if [ ! -f $(REPORT) ] || [ -n "$$(find results/demo -newer $(REPORT) -type f -print -quit)" ]; then \
		$(MAKE) --no-print-directory report; fi
	@echo
	@echo "Report:            results/demo/report.html"
	@echo "Comparison table:  results/demo/tables/comparison.md"

report: setup ## write the HTML report of a finished run (CONFIGFILE=..., REPORT=...)
	@$(BIN)/python workflow/scripts/pairdx/plan/overlays.py $(CONFIGFILE)
	$(SNAKEMAKE) all --report $(REPORT) --profile profiles/local --configfile $(CONFIGFILE)

check: lint types unit ## the fast checks: all that needs no PyTorch, under a minute

# with another Python, in an environment of its own: make unit VENV=.venv-3.12 PYTHON=python3.12 (or: make test VENV=...)
unit: setup ## the tests of `make check` alone
	$(BIN)/python -m pytest -q -m "not slow" -n 2 tests/unit

test: setup deployment lint types ## every test but the next, the demo and two jobs on a real SLURM included
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not slurm_long"

# each worker has a cluster of its own; jobs wait for SLURM now and then, so there may be more workers than cores
test-slurm: setup ## whole runs on a real SLURM and its bad days (SLURM: tests/slurm/install.sh, as root)
	$(BIN)/python -m pytest -n 3 --dist loadgroup -m slurm_long tests/slurm

test-thorough: setup ## properties, each on thousands of new examples instead of the same hundred: for a night
	$(BIN)/python -m pytest -n 2 -m hypothesis --hypothesis-profile=thorough tests/unit

# within 20 minutes on two cores that do nothing else; before, once, the environments of the peers (10 GB in .cache/peers). Not
# measured is an error, a missed aim is none. With real files: PAIRDX_REAL_DATA=FOLDER. Some parts: make benchmark ONLY=a,e
benchmark: export PYTHONPATH := tests:workflow/scripts
benchmark: setup ## measure docs/benchmarks.md, peers included (ONLY=a,e measures these into .cache/)
	$(BIN)/python -m benchmarks.suite.peer_environments
	$(BIN)/python -m benchmarks.suite $(if $(ONLY),--only $(ONLY) --json .cache/benchmarks.json --page .cache/benchmarks.md,\
		--json docs/benchmarks.json --page docs/benchmarks.md)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(SNAKEMAKE) --lint

types: setup
	$(BIN)/mypy

format: setup ## rewrite the sources in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow/rules

# the lock files name versions and hashes, and no package host; the second has the first one's versions
LOCK := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock" --quiet
lock: setup ## resolve pyproject.toml into the two lock files, and the conda environments from them
	$(LOCK) --extra workflow --extra page --extra dev -o requirements.lock
	$(LOCK) --extra page --constraints requirements.lock -o envs/deployment.lock
	$(MAKE) --no-print-directory environments

environments: setup
	$(BIN)/python tests/environments.py --write

clean: ## remove the demo's results (nothing else)
	rm -rf results/demo logs/demo benchmarks/demo state/demo resources/demo
