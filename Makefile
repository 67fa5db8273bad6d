# 信义菜篮 Xinyi Basket. `make help` lists what there is.
#
# Needs Python 3.11 or 3.12, git and make; everything else comes from the package index into .venv/.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

PYTHON := .venv/bin/python
READY := .venv/.ready

# Where certificates are the machine's own, uv must look there.
export UV_SYSTEM_CERTS ?= 1
export PYTHONUTF8 := 1

PORT ?= 8000
export PORT

.PHONY: help
help: ## this list
	@echo '信义菜篮 Xinyi Basket'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The environment is made once and brought up to date when the lock changes.
$(READY): requirements.lock pyproject.toml .ci/environment
	@.ci/environment
	@touch $@

.PHONY: run
run: $(READY) ## start the shop and serve until Ctrl-C (PORT=8000, HOST=127.0.0.1)
	@exec $(PYTHON) -m backend.config.run

# Each process has a shop of its own for the journeys. One more than there are cores: some tests wait for a shop.
PYTEST_WORKERS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN); echo $$((n < 6 ? n + 1 : 6)))

# The longest test may take 600 s. Some are beyond a time-out's reach: a thread is joined, or Hypothesis takes the time-out
# for a failure and tries again. Then all stacks are printed, the process ends, and the test is named.
HANGS := -o faulthandler_timeout=660 -o faulthandler_exit_on_timeout=true

.PHONY: test
test: $(READY) ## all tests: unit, PostgreSQL and Redis, Celery, browser journeys (T=path runs some)
	@$(PYTHON) -m backend.config.messages
	@$(PYTHON) -m pytest -n $(PYTEST_WORKERS) --dist worksteal $(HANGS) $(or $(T),tests --ignore=tests/bench)

CHECKS := lint format types layers templates migrations api messages dependencies advisories

.PHONY: check
check: $(READY) ## ruff, mypy, import-linter, djade, migrations, API schema, translations, dependencies, audit
	@$(MAKE) --keep-going $(addprefix check-,$(CHECKS))
	@echo 'All checks passed.'

.PHONY: $(addprefix check-,$(CHECKS))
check-lint:
	@$(PYTHON) -m ruff check

check-format:
	@$(PYTHON) -m ruff format --check

check-types: export DEMO = true
check-types:
	@$(PYTHON) -m mypy

check-layers:
	@.venv/bin/lint-imports --no-logo

check-templates:
	@git ls-files -z '*.html' | xargs -0 -r .venv/bin/djade --check --target-version 5.2

# Our own rooms; what Django 5.2 would add to Saleor's apps is state only, which a test shows. Without a database
# Django warns that it cannot compare its history, which is not what is asked.
ROOMS := $(notdir $(patsubst %/migrations,%,$(wildcard backend/*/migrations)))
check-migrations: export PYTHONWARNINGS = ignore
check-migrations:
	@DEMO=true $(PYTHON) backend/manage.py makemigrations --check --dry-run $(ROOMS)

check-api:
	@DEMO=true $(PYTHON) backend/manage.py write_schema --check

check-messages:
	@$(PYTHON) -m backend.config.messages --check

check-dependencies:
	@.venv/bin/deptry .

check-advisories:
	@$(PYTHON) -m backend.config.audit

.PHONY: audit
audit: $(READY) check-advisories ## known vulnerabilities of what is installed, and which have an answer

.PHONY: bench
bench: $(READY) ## the budgets, each beside its comparison
	@$(PYTHON) -m pytest -n 0 -p no:randomly -s tests/bench

.PHONY: soak
soak: $(READY) ## kill and restart programs under load for MINUTES=10; 500 days of late and doubled reports
	@$(PYTHON) -m pytest -n 0 -p no:randomly -s --timeout 0 tests/chaos tests/backend/stock/test_order_of_arrival.py --soak-minutes $${MINUTES:-10}

.PHONY: shell
shell: $(READY) ## a Python shell on the running shop's data
	@DEMO=$${DEMO:-true} $(PYTHON) backend/manage.py shell

.PHONY: schema
schema: $(READY) ## write backend/api/schema.graphql anew
	@DEMO=true $(PYTHON) backend/manage.py write_schema

.PHONY: snapshot
snapshot: $(READY) ## write the schema snapshot anew, from a real migrate (a minute)
	@DEMO=true $(PYTHON) -m backend.config.snapshot write

.PHONY: reset
reset: ## stop the shop and remove var/, with all its data
	@if [ -x $(PYTHON) ]; then $(PYTHON) -m backend.config.run --stop; fi
	@rm -rf var
	@echo 'var/ 已清空 var/ is gone; make run starts afresh.'
