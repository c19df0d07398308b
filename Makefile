# Two commands do everything on a fresh machine: `make demo` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := tests/support/smpp tests/relying_parties/openid_client tests/relying_parties/oidc_client_ts
DEBIAN := chromium libatomic1 postgresql fonts-dejavu-core mariadb-server slapd apache2-bin libapache2-mod-auth-openidc

.PHONY: help demo test coverage check lint lock docs picture translations clean system packages bench
.DEFAULT_GOAL := help

help:
	@echo "make demo          the provider, two applications, old users and an inbox; ARGS=--help tells more"
	@echo "make test          every test, on SQLite and PostgreSQL, in a real browser: minutes"
	@echo "make coverage      which lines and branches the tests on SQLite walk"
	@echo "make check         lint, types, layers and unit tests: half a minute"
	@echo "make lint          the first three of them"
	@echo "make bench         what single sign-on costs, beside npm's oidc-provider: two minutes; ARGS=\"rounds cycles\""
	@echo "make docs          docs/configuration.md from config.py"
	@echo "make picture       the journey in docs/screenshots, from the real pages"
	@echo "make translations  the English catalogue from the texts of the source"
	@echo "make lock          requirements/*.txt from setup.cfg"
	@echo "make system        the Debian packages that tests need"
	@echo "make packages      what tests talk to, from npm: an SMPP server, relying parties"
	@echo "make clean         forget the environment, what was built, and the demonstration"

demo: $(VENV)/.demo
	@$(BIN)/idp demo $(ARGS)

test: $(VENV)/.test packages
	@$(BIN)/python -m tests.run

# Costs half as much again as the tests do, so it is no part of them.
coverage: $(VENV)/.test packages
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --cov=idp --cov-branch --cov-report=term tests

check: $(VENV)/.test lint
	$(BIN)/python -m pytest -q -n 2 tests/unit tests/test_architecture.py tests/test_settings.py

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports setup.cfg

# Two cores at least: one for who is asked, one for who asks.
bench: $(VENV)/.test system
	@[ -d bench/peer/node_modules ] || npm ci --silent --no-audit --no-fund --prefix bench/peer
	@$(BIN)/python -m bench.sso $(ARGS)

docs: $(VENV)/.test
	$(BIN)/python -m tests.support.configuration

picture: $(VENV)/.test system
	$(BIN)/python -m tests.support.picture

# Texts of the source into the English catalogue, and that into what is shipped.
translations: $(VENV)/.test
	$(BIN)/pybabel -q extract -F babel.cfg -k _ -k ngettext:1,2 --no-location --omit-header -o /tmp/seuil.pot .
	$(BIN)/pybabel -q update -i /tmp/seuil.pot -d idp/translations --no-fuzzy-matching --ignore-obsolete --omit-header
	$(BIN)/pybabel -q compile -f -d idp/translations

# The locks name exact versions with hashes, the same in all three; setup.cfg has the ranges. They are whole, so
# they are installed without looking for dependencies: one named with an extra would be sought unpinned.
COMPILE := $(BIN)/pip-compile -q --no-config --strip-extras --generate-hashes --allow-unsafe \
	--no-emit-index-url --no-emit-find-links --no-emit-options --extra postgres
lock: $(VENV)/.test
	$(COMPILE) --extra demo --extra test -o requirements/test.txt setup.cfg
	$(COMPILE) -c requirements/test.txt --extra demo -o requirements/demo.txt setup.cfg
	$(COMPILE) -c requirements/test.txt -o requirements/run.txt setup.cfg

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed."; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "Install python3-venv first: apt-get install python3-venv"; exit 1; }
	@$(WRITABLE)
	@$(PYTHON) -m venv $(VENV)

WRITABLE = mkdir -p $(VENV) 2>/dev/null && test -w $(VENV) || { echo "$(VENV) cannot be written here: make it yours (or remove it), or name another with VENV=folder"; exit 1; }
PIP := $(BIN)/pip install -q --disable-pip-version-check
# What setuptools says of every editable install is no news here.
OURSELVES := PYTHONWARNINGS=ignore $(PIP) --no-deps --no-build-isolation -e .

# Where the test environment stands already, it has all that the demo needs.
$(VENV)/.demo: requirements/demo.txt setup.cfg pyproject.toml | $(VENV)/bin/python
	@$(WRITABLE)
	@test -e $(VENV)/.test || { echo "Installing what the demo needs (once) ..."; $(PIP) --require-hashes --no-deps -r requirements/demo.txt; }
	@$(OURSELVES)
	@touch $@

$(VENV)/.test: requirements/test.txt setup.cfg pyproject.toml | $(VENV)/bin/python
	@$(WRITABLE)
	@echo "Installing what the tests need (once) ..."
	@$(PIP) --require-hashes --no-deps -r requirements/test.txt
	@$(OURSELVES)
	@touch $@

# Debian packages where we may install them, a clear list where we may not.
system:
	@missing=""; for package in $(DEBIAN); do dpkg -s $$package >/dev/null 2>&1 || missing="$$missing $$package"; done; \
	command -v npm >/dev/null || missing="$$missing nodejs npm"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		echo "Installing Debian packages:$$missing"; \
		export DEBIAN_FRONTEND=noninteractive; \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	else echo "Some tests need Debian packages that are missing. As root: apt-get install$$missing"; fi

# `system` may have installed npm a moment ago. Where it could not it has said so.
packages: system
	@if command -v npm >/dev/null; then for place in $(PACKAGES); do \
		[ -d $$place/node_modules ] || npm ci --silent --no-audit --no-fund --prefix $$place || exit 1; done; fi

clean:
	rm -rf $(VENV) build dist *.egg-info demo-state
