# make book    set up what the book needs in .venv, then open it in JupyterLab
# make test    set up the tests' tools too, then run everything
# make check   look over the style, the types, the book, and run the tests of what changed
# make kernels run the numeric tests once for each kind of kernels that this processor can run
# make fuzz    thousands of odd arrays, lengths and models against fit and its like
# make bench   measure; make bench-gpu does so on an NVIDIA GPU
# make api     make the library's reference, docs/api.ipynb, from its docstrings
# make labs    make the labs' notebooks from their sources
# make lock    let the locked versions follow pyproject.toml and today's releases
# make clean   remove what make made
#
# ARGS="..." is passed on: make book ARGS="--no-browser --port 8890"
# PYTHON=... names the Python to make .venv with; else it is the first that is new enough.

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/lstm-lab
PYTHON :=
CANDIDATES := python3 python3.14 python3.13 python3.12 python3.11 python
NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'

.DEFAULT_GOAL := help
.PHONY: help book test check kernels fuzz bench bench-gpu api labs lock clean set-up-test

help:
	@sed -n '/^#/!q;s/^# \{0,1\}//p' Makefile

book: $(STAMPS)/book
	@exec $(BIN)/lstm-lab book $(ARGS)

test: set-up-test
	@exec $(BIN)/python -m pytest --numprocesses auto --dist loadfile $(ARGS)

check: set-up-test
	@exec $(BIN)/python -m tools.check $(ARGS)

kernels: set-up-test
	@exec $(BIN)/python -m tools.kernels $(ARGS)

fuzz: set-up-test
	@exec $(BIN)/python -m tools.fuzz $(ARGS)

bench: set-up-test
	@exec $(BIN)/python -m benchmarks $(ARGS)

bench-gpu: set-up-test
	@exec $(BIN)/python -m benchmarks.gpu $(ARGS)

api: set-up-test
	@exec $(BIN)/python -m tools.api $(ARGS)

labs: set-up-test
	@exec $(BIN)/lstm-lab labs build $(ARGS)

set-up-test: $(STAMPS)/test

# A virtual environment holds its own address, and its Python's: where one of them is no longer
# true, this makes the rule below run again.
ifneq ($(wildcard $(STAMPS)/address),)
ifneq ($(shell $(BIN)/python $(NEW_ENOUGH) && cat $(STAMPS)/address),$(CURDIR))
$(shell rm -f $(STAMPS)/address)
endif
endif

# An environment that the reader made is used as it is; only our own is ever made anew.
$(STAMPS)/address:
	@if [ -e $(VENV) ] && [ ! -e $(STAMPS) ] && $(BIN)/python $(NEW_ENOUGH) 2>/dev/null; then \
	    echo "Using the virtual environment in $(VENV)."; \
	    $(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip || exit 1; \
	    mkdir -p $(STAMPS); \
	elif [ -e $(VENV) ] && [ ! -e $(STAMPS)/made-by-make ]; then \
	    echo "$(VENV) was not made by make, and its Python does not run here or is older than" \
	        "3.11. Move it away, and call make again." >&2; exit 1; \
	else \
	    for python in $(or $(PYTHON),$(CANDIDATES)); do \
	        if $$python $(NEW_ENOUGH) 2>/dev/null; then break; fi; python=; \
	    done; \
	    if [ -z "$$python" ]; then \
	        echo "The book needs Python 3.11 or newer, and none of these is one:" \
	            "$(or $(PYTHON),$(CANDIDATES)). Install it from python.org or with your system's" \
	            "packages, or say where it is: make book PYTHON=/path/to/python3" >&2; exit 1; \
	    fi; \
	    if ! $$python -c 'import venv, ensurepip' 2>/dev/null; then \
	        echo "$$python has no venv module. On Debian and Ubuntu install it with:" \
	            "sudo apt install python3-venv" >&2; exit 1; \
	    fi; \
	    echo "Making $(VENV) with $$($$python --version) ..."; \
	    $$python -m venv --clear $(VENV) && mkdir -p $(STAMPS) && touch $(STAMPS)/made-by-make; \
	fi
	@rm -f $(STAMPS)/book $(STAMPS)/test
	@printf '%s\n' "$(CURDIR)" > $@

# The lock is complete: pip has nothing to resolve. The tests' packages contain the book's.
PIP_INSTALL = $(BIN)/python -m pip install --disable-pip-version-check -qq --no-deps

$(STAMPS)/book $(STAMPS)/test: $(STAMPS)/%: requirements/%.txt pyproject.toml $(STAMPS)/address
	@echo "Installing $< into $(VENV), the first time in a minute or more ..."
	@$(PIP_INSTALL) --require-hashes -r $<
	@$(PIP_INSTALL) --no-build-isolation -e .
	@touch $@ $(STAMPS)/book

LOCK = $(BIN)/python -c 'import tomllib; \
	print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
	| $(BIN)/uv pip compile pyproject.toml - --quiet --no-config --upgrade \
	--universal --python-version 3.11 --generate-hashes --custom-compile-command 'make lock' \
	--constraints requirements/constraints.in

lock: set-up-test
	@$(PIP_INSTALL) uv
	@$(LOCK) --extra test --output-file requirements/test.txt
	@$(LOCK) --extra book --constraints requirements/test.txt --output-file requirements/book.txt

clean:
	@if [ -e $(STAMPS)/made-by-make ]; then rm -rf $(VENV); else rm -rf $(STAMPS); fi
	@rm -rf test-artifacts .mypy_cache .ruff_cache
