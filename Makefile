# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

.DEFAULT_GOAL := help
# Recipes read like what you would type with the environment activated.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
MAKEFLAGS += --no-print-directory
# Where this is set, pytest ends with all that failed tests said, and their names are lost above it.
unexport CI

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{ printf "  make %-11s %s\n", $$1, $$2 }'

# --- Trying it

setup: ## Make this checkout ready (python environment in .venv)
	@scripts/setup

demo: setup ## Deploy the demonstration hubs on this machine and show how to log in
	@python scripts/demo.py up

demo-down: setup ## Stop the demonstration hubs; keep what they hold
	@python scripts/demo.py down

demo-clean: setup ## Remove the demonstration hubs with everything they hold (ANSWER=yes: do not ask)
	@ANSWER='$(ANSWER)' python scripts/demo.py clean

validate: setup ## Check the inventory; touches nothing
	@ansible-playbook hubfleet.jupyterhub.validate

# --- Changing it

dev: ## Like setup, with everything that tests need
	@scripts/setup --dev

generate: setup ## Write what is made from the schema: argument specs, option reference
	python scripts/generate.py

lock: setup ## Pin the newest versions of everything in requirements*
	scripts/lock

lint: dev ## Run the linters, type checks and documentation checks
	scripts/lint

sanity: dev ## Run ansible-test sanity, on every Python this machine has
	scripts/ansible-test sanity

unit: dev ## Run the unit tests of the engine
	scripts/ansible-test units

bad: dev ## Run the tests of what is said about broken inventories
	python -m pytest tests/bad

system: dev ## Run the tests against real hubs
	python -m pytest tests/system --verbose --numprocesses 3 --dist loadscope --durations 15

browser: dev ## Run the tests that use a hub in a browser
	python -m pytest tests/browser

molecule: dev ## Deploy, deploy again, verify: in molecule
	cd extensions && molecule test

kubernetes: dev ## Run the tests of validating, rendering and importing hubs on Kubernetes
	python -m pytest tests/kubernetes tests/importing

repository: dev ## Run the tests of plans against git revisions, and of new fleet repositories
	python -m pytest tests/plan tests/init

build: dev ## Build the collection, install it elsewhere and run it
	scripts/test-artifact

test: dev ## Run everything above, as CI does
	@scripts/stages 'make lint' 'make sanity' 'make unit' 'make bad' 'make kubernetes' 'make repository' 'make build' 'make molecule' 'make system' 'make browser'

bench: dev ## Measure what many hubs and many users cost
	python tests/bench/run.py

clean: ## Remove what tools left in this checkout, the environment included
	rm -rf .ansible .cache .venv dist tests/output

.PHONY: help setup demo demo-down demo-clean validate dev generate lock lint sanity unit bad kubernetes repository system browser molecule build test bench clean
