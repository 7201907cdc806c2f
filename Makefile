# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

.DEFAULT_GOAL := help
# Recipes are written as if the virtual environment were activated.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
MAKEFLAGS += --no-print-directory
# If CI is set, pytest does not truncate the summary of failed tests, so that their names are hard to find.
unexport CI

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{ printf "  make %-23s %s\n", $$1, $$2 }'

# --- Try it

setup: ## Prepare this checkout (virtual environment in .venv)
	@scripts/setup

# With PLATFORM=kubernetes, on the Kubernetes for tests, which needs what make dev installs.
DEMO = python scripts/demo$(if $(filter kubernetes,$(PLATFORM)),_kubernetes).py
demo demo-down demo-clean: $(if $(filter kubernetes,$(PLATFORM)),dev,setup)

demo: ## Deploy the demo hubs on this machine and print how to log in (PLATFORM=kubernetes: in pods)
	@$(DEMO) up

demo-down: ## Stop the demo hubs and keep their data
	@$(DEMO) down

demo-clean: ## Remove the demo hubs and their data (ANSWER=yes: do not ask)
	@ANSWER='$(ANSWER)' $(DEMO) clean

validate: setup ## Validate the inventory; changes nothing
	@ansible-playbook hubfleet.jupyterhub.validate

# --- Develop

dev: ## Like setup, with the packages that tests need
	@scripts/setup --dev

generate: setup ## Generate argument specs and the option reference from the schema
	python scripts/generate.py

lock: setup ## Pin the newest versions of all packages in requirements*
	scripts/lock

lint: dev ## Run the linters, type checks and documentation checks
	scripts/lint

sanity: dev ## Run ansible-test sanity with every installed Python
	scripts/ansible-test sanity

unit: dev ## Run the unit tests of the engine
	scripts/ansible-test units

playbooks: dev ## Run the tests of playbooks that need no hub
	python -m pytest tests/contract tests/bad tests/kubernetes --numprocesses auto --durations 10
	python -m pytest tests/importing --numprocesses auto --durations 10
	python -m pytest tests/plan tests/init --numprocesses auto --durations 10

SYSTEM_TESTS = python -m pytest tests/system tests/browser --verbose --numprocesses 4 --dist loadscope --durations 25

system: dev ## Run the tests against real hubs, some of them in a browser
	$(SYSTEM_TESTS) -m 'not slow'

system-all: dev ## Run these, and the slow ones: interruptions, faults of the machine, upgrades
	$(SYSTEM_TESTS)

CLUSTER_TESTS = python -m pytest tests/cluster --verbose --numprocesses 2 --dist loadscope --durations 25

cluster: dev ## Run the tests of hubs on Kubernetes, on a cluster that they start
	$(CLUSTER_TESTS) -m 'not slow'

cluster-all: dev ## Run these, and the slow ones: backups, drift, failures, permissions
	$(CLUSTER_TESTS)

molecule: dev ## Deploy, deploy again and verify, with molecule
	cd extensions && molecule test

build: dev ## Build and install the collection, and run it from there
	scripts/test-artifact

test: dev ## Run all of the above, as CI does
	@scripts/stages 'make sanity & make lint & make build & make kubernetes-build' 'make unit & make playbooks' \
	  'make system' 'make cluster & make molecule'

kubernetes-build: dev ## Build and cache what a Kubernetes for tests needs
	@scripts/kubernetes-cluster build

kubernetes-cluster: dev ## Start a Kubernetes of one node on this machine for tests (NUMBER=1: another one)
	@scripts/kubernetes-cluster up $(if $(NUMBER),--number $(NUMBER))

kubernetes-cluster-down: dev ## Stop it, and remove everything of it
	@scripts/kubernetes-cluster down $(if $(NUMBER),--number $(NUMBER))

bench: dev ## Measure many hubs and many users
	python tests/bench/run.py

clean: ## Remove generated files of this checkout, including .venv
	rm -rf .ansible .cache .venv dist tests/output

.PHONY: help setup demo demo-down demo-clean validate dev generate lock lint sanity unit playbooks system system-all cluster cluster-all molecule build test kubernetes-build kubernetes-cluster kubernetes-cluster-down bench clean
