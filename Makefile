# Everything a person runs. GNU make 3.81 is enough (macOS has no newer one); folder names may hold spaces.
# make ARGS="..." hands arguments on; make PYTHON=/path/to/python3.12 takes another interpreter for .venv.

PYTHON ?= python3
STAMP := .venv/.ready
BIN := .venv/bin

export PYTHON
# Both are needed: the first stops Prefect's client, the second its server, from phoning home.
export DO_NOT_TRACK := 1
export PREFECT_SERVER_ANALYTICS_ENABLED := false
# On a busy machine Prefect's own server needs more than its 20 seconds to start.
export PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS := 180
# A home of our own: no profile of yours is read or written.
export PREFECT_HOME := $(CURDIR)/.prefect

.PHONY: help refresh test test-all check format lock ui clean FORCE

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*##/\1 -/p' Makefile

refresh: $(STAMP)  ## harvest the bundled sample site into data/, publish, say how to open it
	@$(BIN)/moisson refresh sample $(ARGS)

test: $(STAMP)  ## the whole test suite
	@$(BIN)/python -m pytest $(ARGS)

test-all: $(STAMP)  ## the same, with the tests that need a tool outside the lock, where it is found (chromium, pywb)
	@$(BIN)/python -m pytest -m "" $(ARGS)

check: $(STAMP)  ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict

format: $(STAMP)  ## rewrite the files as `check` wants them
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock:  ## make requirements.lock again; ARGS=--upgrade takes newer versions
	uv=`sh scripts/bootstrap.sh --uv` && "$${uv:-uv}" pip compile --universal --generate-hashes --no-annotate \
		--no-header --quiet --group test --group dev --python-version 3.11 $(ARGS) pyproject.toml -o requirements.lock

ui: $(STAMP)  ## Prefect's interface on this machine only, with the runs made here
	$(BIN)/python -m prefect server start --host 127.0.0.1 $(ARGS)

clean:  ## remove what make can make again; data/ and Prefect's history (.prefect) stay
	rm -rf .venv .tools .pytest_cache .mypy_cache .ruff_cache .hypothesis dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): requirements.lock pyproject.toml scripts/bootstrap.sh
	@sh scripts/bootstrap.sh

# The stamp names the folder it was made in: after a move, or when its Python is gone, .venv is made again.
MADE_IN := $(shell test -x $(BIN)/python && cat $(STAMP) 2>/dev/null)
ifneq ($(MADE_IN),$(CURDIR))
$(STAMP): FORCE
endif
