# Fugou: the targets a person needs; `make` alone lists them.
PYTHON ?= python3
BIN := .venv/bin

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

demo: setup ## everything on one machine, with a simulated WeCom; prints the console's address
	@$(BIN)/fugou demo $(ARGS)

test: setup-test ## the tests: real PostgreSQL and Valkey, real Chromium where there is one (under 12 minutes on 2 cores)
	@$(BIN)/python -m pytest -n 2 --dist worksteal -m "not long" $(ARGS)

test-all: setup-test ## all of them, the long ones and 300 examples a property too
	@FUGOU_TESTS=all $(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

lint: setup-test ## ruff, mypy, and the import contracts built from features.py
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/python -m bot.app.contracts

setup: .venv/run ## what running needs, into .venv; does nothing when nothing changed
setup-test: .venv/test

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Fugou needs Python 3.11 or newer; say PYTHON=… to name one")'
	@$(PYTHON) -m venv .venv && touch $@

.venv/run: .venv/python pyproject.toml constraints.txt bot/web/package-lock.json bot/web/icons.txt $(wildcard bot/translations/*.po tags/*/translations/*.po handlers/*/translations/*.po)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[assets]'
	@$(BIN)/python -m bot.web.assets && $(BIN)/python -m bot.web.catalogs compile
	@touch $@

.venv/test: .venv/run
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[assets,test,dev]'
	@touch $@

setup-browser: ## install Chromium and a Chinese font where apt-get may (for the browser tests)
	@command -v chromium >/dev/null || (apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk >/dev/null)

bench: setup-test ## a benchmark: make bench NAME=ledger
	@$(BIN)/fugou bench $(NAME)

clean: ## remove .venv, data and what was built
	@rm -rf .venv data dist build *.egg-info .mypy_cache .ruff_cache .hypothesis

.PHONY: help demo test test-all lint setup setup-test setup-browser bench clean
.DEFAULT_GOAL := help
