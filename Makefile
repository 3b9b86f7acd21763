# The verbs of this project; CI calls the same ones. `make demo` and `make test` work on a fresh machine with Python 3.11.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
WIRE := tests/wire/.venv
OIDC := tests/oidc/.venv
VAULT := tests/vault/.venv
VENDOR_SOURCES := src/antiphon/adapters/targets/vendors/processes/vendor_process
VENDOR_ENVIRONMENTS := tests/vendors/.environments
VENDORS := $(addprefix $(VENDOR_ENVIRONMENTS)/,$(addsuffix /.installed,azure braket ibm ionq iqm))
UV := $(VENV)/bin/uv
SYNC := $(UV) sync --frozen --inexact --quiet --extra all
export QDK_PYTHON_TELEMETRY := none
# The tests start hundreds of processes: whoever asks Python not to keep what it compiles would compile it in each.
unexport PYTHONDONTWRITEBYTECODE
RUN_WIRE = @if [ -e $(WIRE)/.installed ]; then $(WIRE)/bin/pytest -c tests/wire/pyproject.toml tests/wire; \
	else echo "SKIPPED tests/wire: the genuine Azure Quantum clients are not installed."; fi

.PHONY: help demo test test-all test-wire lint format bench docs clean

help: ## Show the verbs
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(UV):
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed and was not found."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; $(PYTHON) is older. Try: make PYTHON=/path/to/python3.11 demo"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check uv

$(VENV)/.demo: $(UV) uv.lock pyproject.toml
	@echo "Installing Antiphon with its simulators and SDKs into $(VENV) …"
	$(SYNC) --no-dev
	@touch $@

$(VENV)/.dev: $(UV) uv.lock pyproject.toml
	@echo "Installing Antiphon with every extra and the test tools into $(VENV) …"
	$(SYNC)
	@touch $@

# Microsoft's clients pin versions that conflict with ours: an environment of their own. Without it (no network, say) their
# tests are skipped in one loud line; everything else still runs.
$(WIRE)/.installed: $(UV) tests/wire/uv.lock tests/wire/pyproject.toml
	@echo "Installing the genuine Azure Quantum clients into $(WIRE) …"
	@$(UV) sync --project tests/wire --frozen --quiet --python $(VENV)/bin/python \
		&& touch $@ \
		|| { rm -f $@; echo "SKIPPED tests/wire: the genuine Azure Quantum clients could not be installed (uv's message is above)."; }

# The OpenID provider that the tests get tokens from. Without it those tests are skipped, each saying so.
$(OIDC)/.installed: $(UV) tests/oidc/uv.lock tests/oidc/pyproject.toml
	@echo "Installing an OpenID provider for the tests into $(OIDC) …"
	@$(UV) sync --project tests/oidc --frozen --quiet --python $(VENV)/bin/python \
		&& touch $@ \
		|| echo "SKIPPED tests with an OpenID provider: it could not be installed (uv's message is above)."

# The Vault that the tests keep secrets in: OpenBao, which speaks the same protocol. Skipped without it, as above.
$(VAULT)/.installed: $(UV) tests/vault/uv.lock tests/vault/pyproject.toml
	@echo "Installing OpenBao for the tests into $(VAULT) …"
	@$(UV) sync --project tests/vault --frozen --quiet --python $(VENV)/bin/python \
		&& touch $@ \
		|| echo "SKIPPED tests with a Vault: OpenBao could not be installed (uv's message is above)."

# The SDKs of other vendors, each where `antiphon providers install` would put it. Skipped without them, as above.
$(VENDOR_ENVIRONMENTS)/%/.installed: $(UV) $(VENDOR_SOURCES)/%/uv.lock $(VENDOR_SOURCES)/%/pyproject.toml
	@echo "Installing the SDK of $* for the tests into $(@D) …"
	@UV_PROJECT_ENVIRONMENT=$(abspath $(@D)) $(UV) sync --project $(VENDOR_SOURCES)/$* --frozen --quiet --python $(VENV)/bin/python \
		&& touch $@ \
		|| { rm -f $@; echo "SKIPPED tests/vendors of $*: its SDK could not be installed (uv's message is above)."; }

demo: $(VENV)/.demo ## Install, and watch the hydrogen molecule converge in a session
	$(VENV)/bin/antiphon demo

test: $(VENV)/.dev $(WIRE)/.installed $(OIDC)/.installed $(VAULT)/.installed $(VENDORS) ## Install what the tests need, and run them all but the slow suites
	$(VENV)/bin/pytest -n 2 --dist loadgroup -m "not chaos and not soak"
	$(RUN_WIRE)

test-all: $(VENV)/.dev $(WIRE)/.installed $(OIDC)/.installed $(VAULT)/.installed $(VENDORS) ## Every test, the slow suites included
	$(VENV)/bin/pytest -n 2 --dist loadgroup
	$(RUN_WIRE)

test-wire: $(VENV)/.dev $(WIRE)/.installed ## Only the genuine Azure Quantum clients against our server
	$(RUN_WIRE)

lint: $(VENV)/.dev ## Style, types, and the rule of imports
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/python docs/generate.py --check

format: $(VENV)/.dev ## Put the code into shape
	$(VENV)/bin/ruff check --fix
	$(VENV)/bin/ruff format

bench: $(VENV)/.dev ## Measure every claim of speed beside its peer
	$(VENV)/bin/python -m bench

docs: $(VENV)/.dev ## Generate the diagrams and lists that the docs embed
	$(VENV)/bin/python docs/generate.py

clean: ## Remove the environment and caches
	rm -rf $(VENV) $(WIRE) $(OIDC) $(VAULT) $(VENDOR_ENVIRONMENTS) bench/peers_dispatch/.venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
