# Two commands: `make book` builds the site into _build/html, `make test` checks everything.
# `make help` lists the rest. Needs Python 3.11 or later; everything else goes into .venv.

VENV ?= .venv
PORT ?= 8000
BIN := $(VENV)/bin

# An existing environment first, then the newest Python that is new enough. `make PYTHON=... book` chooses another.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
ifeq ($(origin PYTHON), undefined)
PYTHON := $(shell for p in $(BIN)/python python3.13 python3.12 python3.11 python3 python; do \
	"$$p" -c '$(NEW_ENOUGH)' >/dev/null 2>&1 && { echo "$$p"; break; }; done)
endif
PYTHON_VERSION := $(shell "$(PYTHON)" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)

# Kernels and workers run side by side, one thread each.
export OPENBLAS_NUM_THREADS ?= 1
export OMP_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1
export PYDEVD_DISABLE_FILE_VALIDATION = 1
export PIP_DISABLE_PIP_VERSION_CHECK = 1

STAMP := $(VENV)/.installed-$(PYTHON_VERSION)
LAB_STAMP := $(VENV)/.installed-lab-$(PYTHON_VERSION)
BENCH_STAMP := $(VENV)/.installed-bench-$(PYTHON_VERSION)
BUILD := $(BIN)/jupyter-book build . -W -n --keep-going

.PHONY: help book test lint test-library test-chapters test-binder test-site serve lab bench clean python
.DEFAULT_GOAL := help

help:
	@echo "make book   build the site into _build/html (warnings are errors)"
	@echo "make test   lint, library tests, every chapter executed, build, Binder, audit of the site, browser tests"
	@echo "make serve  build, then serve the site on this machine and open it"
	@echo "make lab    open the chapters as notebooks in JupyterLab, as Binder does"
	@echo "make bench  run the benchmarks"
	@echo "make lint   ruff and mypy"
	@echo "make clean  remove what was built (and keep .venv)"

python:
	@"$(PYTHON)" -c '$(NEW_ENOUGH)' 2>/dev/null || { \
		echo "Python 3.11 or later is needed and was not found; name one with: make PYTHON=/path/to/python3 ..." >&2; exit 1; }

$(STAMP): requirements.txt pyproject.toml | python
	@"$(BIN)/python" -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != "$(PYTHON_VERSION)")' 2>/dev/null \
		|| "$(PYTHON)" -m venv --clear "$(VENV)"
	"$(BIN)/python" -m pip install --quiet -r requirements.txt
	@touch "$@"

# Binder's own files make JupyterLab here what it is there.
$(LAB_STAMP): $(wildcard binder/*) $(STAMP)
	"$(BIN)/python" -m pip install --quiet -r binder/requirements.txt
	NB_PYTHON_PREFIX="$(abspath $(VENV))" binder/postBuild
	@touch "$@"

$(BENCH_STAMP): requirements-bench.txt $(STAMP)
	"$(BIN)/python" -m pip install --quiet -r requirements-bench.txt
	@touch "$@"

book: $(STAMP)
	$(BUILD)

serve: book
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html $(PORT) & server=$$!; \
	trap 'kill $$server 2>/dev/null' EXIT INT TERM; sleep 1; \
	$(BIN)/python -m webbrowser http://127.0.0.1:$(PORT)/ >/dev/null 2>&1 || true; \
	echo "The book is at http://127.0.0.1:$(PORT)/ - end with Ctrl-C."; wait $$server

# JupyterLab does not start for root unless it is told to.
lab: $(LAB_STAMP)
	$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) --LabApp.default_url=/lab/tree/chapters $(LAB_OPTIONS)

bench: $(BENCH_STAMP)
	$(BIN)/python benchmarks/coefficients.py
	$(BIN)/python benchmarks/run.py

# Cheapest first; the last stage looks at the site that the one before it built. The walk through Binder waits more than it
# computes, so the library tests go on beside it; each of the two prints when it is over, where make can hold it back.
test: lint
	$(MAKE) --jobs=2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) test-library test-binder
	$(MAKE) --jobs=1 test-chapters book test-site

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test-library: $(STAMP)
	$(BIN)/python -m pytest tests --ignore=tests/site -n 2 --dist worksteal --cov

test-chapters: $(STAMP)
	$(BIN)/python -m pytest --nbval-lax chapters -n 2

test-site: $(STAMP)
	$(BIN)/python -m pytest tests/site --ignore=tests/site/test_binder.py -n 2 --dist worksteal

# Makes the environment that Binder would make, and works through a chapter in it.
test-binder: $(STAMP)
	$(BIN)/python -m pytest tests/site/test_binder.py

clean:
	rm -rf _build .coverage .pytest_cache .hypothesis .mypy_cache .ruff_cache
	find . -name __pycache__ -not -path "./$(VENV)/*" -prune -exec rm -rf {} +
