# make demo    set up what is missing, and show the main job from nothing to the second e-mail
# make test    set up what is missing, and run the tests on every server that can be had here
# make lint    formatting, style, types
# make docs    build the documentation as a site, in site/
# make wheel   build the wheel, install it into an empty environment, and run the command from there
# make bench   what partwarden costs, measured side by side (docs/benchmarks.md, docs/performance.md); some hours
# make bench-aws   size and import time of the fleet's package, its costs, and 1,000 databases in a local AWS; DATABASES=100 for fewer
# make soak    kill drains, repairs and maintenance 2,000 times, on bigger tables, and count the rows; KILLS=500 for fewer
# make clean   remove the virtual environments and what was built; servers and data stay (partwarden local destroy)

SHELL := /bin/bash
PYTHON := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help demo test lint docs wheel bench bench-aws soak clean

help:
	@sed -n 's/^# make/make/p' Makefile

demo:
	@scripts/setup.sh demo
	@.venv/bin/partwarden demo

test:
	@scripts/setup.sh test
	@$(PYTHON) -m pytest --numprocesses 4 --dist loadgroup $(ARGS)

lint:
	@scripts/setup.sh python
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m mypy

docs:
	@scripts/setup.sh python
	@NO_MKDOCS_2_WARNING=1 $(PYTHON) -m mkdocs build
	@echo "site/index.html"

wheel:
	@scripts/setup.sh python
	@scripts/check-wheel.sh

bench:
	@scripts/setup.sh test
	@$(PYTHON) -m bench.run $(ARGS)

bench-aws:
	@scripts/setup.sh test
	@$(PYTHON) -m bench.fleet_package
	@$(PYTHON) -m bench.fleet_cost
	@PARTWARDEN_FLEET_DATABASES=$(or $(DATABASES),1000) $(PYTHON) -m pytest tests/aws/fleet/test_fleet_simulation.py -q -s --timeout=0

soak:
	@scripts/setup.sh test
	@PARTWARDEN_SOAK_KILLS=$(or $(KILLS),2000) $(PYTHON) -m pytest tests/kills --timeout=0 $(ARGS)

clean:
	rm -rf .venv .venv-checkov .venv-sam dist site .mypy_cache .ruff_cache .pytest_cache
