# Every command of the project. Needs Python 3.11 or newer and make; `up` needs Docker besides.
.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules
SHELL := /bin/bash

PYTHON ?= python3
COMPOSE ?= docker compose
PYTEST_ARGS ?=
BIN := .venv/bin
SOURCES := shared services tests benchmarks deploy examples docs

.PHONY: help run test check up down logs bench lock clean
help: ## Print this help
	@echo "Mayfly: tokens that stop working, jobs that survive. Commands:"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: .venv/ready .venv-emulator/ready ## Run the whole system here: no Docker, no AWS account; Ctrl-C ends it
	@$(BIN)/python -m deploy.local

test: .venv/ready .venv-emulator/ready ## Run all tests but those that need Docker (PYTEST_ARGS="-k name" for some)
	@$(BIN)/python -m tests.halves $(PYTEST_ARGS)

check: .venv/ready ## Check style, types, import directions, sizes and docs, as CI does
	@echo "ruff check" && $(BIN)/ruff check $(SOURCES)
	@echo "ruff format" && $(BIN)/ruff format --check $(SOURCES)
	@echo "mypy" && $(BIN)/mypy $(SOURCES)
	@echo "import-linter" && $(BIN)/lint-imports --no-cache
	@echo "architecture and docs tests" && $(BIN)/pytest -q tests/architecture

up: ## Build and start the compose stack, and wait until it answers (COMPOSE="docker compose")
	@$(COMPOSE) version >/dev/null 2>&1 || { echo "make up needs Docker with Compose v2 (https://docs.docker.com/compose/install/)"; exit 1; }
	@$(COMPOSE) up -d --build --wait
	@echo "gateway  http://127.0.0.1:8000   auth docs  http://127.0.0.1:8001/docs   processor docs  http://127.0.0.1:8002/docs"

down: ## Stop the compose stack and remove what it stored
	@$(COMPOSE) down --volumes --remove-orphans

logs: ## Follow the logs of the compose stack
	@$(COMPOSE) logs --follow --tail 100

bench: .venv/ready .venv-emulator/ready .venv-bench/ready ## Measure what the docs claim, as ratios from one run
	@$(BIN)/python -m benchmarks

lock: .venv/ready ## Resolve the dependencies anew and write requirements/*.lock
	@$(BIN)/python requirements/lock.py

clean: ## Remove the environments, the local state and every cache
	@rm -rf .venv .venv-emulator .venv-bench .mayfly .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/ready: requirements/dev.lock shared/pyproject.toml services/auth/pyproject.toml services/processor/pyproject.toml
	@echo "Installing the tools and libraries into .venv (about a minute, once)"
	@$(call new_venv,.venv)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
		-e shared -e services/auth -e services/processor
	@touch $@

.venv-emulator/ready: requirements/emulator.lock
	@echo "Installing the AWS emulator into .venv-emulator (once)"
	@$(call new_venv,.venv-emulator)
	@.venv-emulator/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/emulator.lock
	@touch $@

.venv-bench/ready: requirements/bench.lock
	@echo "Installing what pipelines are measured beside into .venv-bench (once)"
	@$(call new_venv,.venv-bench)
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.lock
	@touch $@

define new_venv
for python in $(PYTHON) python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; python=; \
done; \
[ -n "$$python" ] || { echo "Mayfly needs Python 3.11 or newer: install it, or say make PYTHON=/path/to/python3.11"; exit 1; }; \
$$python -m venv --clear $(1) || { echo "$$python can't make virtual environments: on Debian, apt install python3-venv"; exit 1; }
endef
