# 'make demo' shows the main job, 'make test' passes every test. Both make what they need: Python 3.10+ is enough.

PYTHON ?= $(shell for name in python3.12 python3.11 python3.10 python3 python3.13; do \
	$$name -c 'import sys, venv; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& { echo $$name; break; }; done)
NEWEST := 3.3.2
OLDEST := 2.11.2
MATRIX := 2.11.2 3.0.6 3.1.8 3.2.2 3.3.2 3.4.0b2
BIN := .venv/bin

# What these versions of Airflow were released with; their own requirements let in newer ones that break them.
PINS_3.0.6 := fastapi==0.116.1 cadwyn==5.4.4 starlette==0.47.3 svcs==25.1.0
PINS_3.1.8 := fastapi==0.117.1 cadwyn==5.4.6 starlette==0.48.0 svcs==25.1.0
PINS_3.2.2 := fastapi==0.138.0 cadwyn==7.1.0 starlette==1.3.1 svcs==25.1.0

AIRFLOW_TESTS := tests/hooks tests/operators tests/sensors tests/transfers tests/example_dags tests/test_provider.py
# Much of a test run is waiting. A file's tests stay together: they may share tables.
SPREAD := -n 3 --dist loadfile

.PHONY: demo airflow test lint newest oldest matrix proof bench constraints clean

demo: .venv/ready
	@$(BIN)/python -m demo

airflow: .venv/ready
	@$(BIN)/python -m demo serve

test: lint newest oldest

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

newest: .venv/ready
	$(BIN)/python -m pytest $(SPREAD)

# What Airflow has a say in, once more on the oldest one.
oldest: .venv-$(OLDEST)/ready
	.venv-$(OLDEST)/bin/python -m pytest $(SPREAD) $(AIRFLOW_TESTS)

# Kills and freezes a worker wherever it touches network, ledger or XCom, and prints what became of everybody.
proof: .venv/ready
	$(BIN)/python -m proof

# This provider beside what people would write today: every measure, one run, a quarter of an hour or more.
bench: .venv-bench/ready
	.venv-bench/bin/python -m benchmarks

# Every Airflow that is supported; Python 3.11 and 3.12 can run them all.
matrix: $(MATRIX:%=matrix-%)

matrix-%:
	@$(MAKE) --no-print-directory .venv-$*/ready
	.venv-$*/bin/python -m pytest -q $(AIRFLOW_TESTS)

.venv/ready: pyproject.toml constraints.txt
	@$(call make_environment,.venv,-c constraints.txt)

.venv-$(OLDEST)/ready: pyproject.toml constraints-$(OLDEST).txt
	@$(call make_environment,.venv-$(OLDEST),-c constraints-$(OLDEST).txt)

.venv-bench/ready: pyproject.toml constraints.txt benchmarks/requirements.txt
	@$(call make_environment,.venv-bench,--compile-bytecode -r benchmarks/requirements.txt -c constraints.txt)

.venv-%/ready: pyproject.toml
	@$(call make_environment,.venv-$*,apache-airflow==$* $(PINS_$*) --prerelease=if-necessary-or-explicit)

define make_environment
	test -n "$(PYTHON)" || { echo "Python 3.10 to 3.13 is needed."; exit 1; }; \
	echo "Making $(1) with $(PYTHON); this takes a minute or two the first time."; \
	rm -rf $(1) && $(PYTHON) -m venv $(1) && $(1)/bin/python -m pip install -q uv \
	&& $(1)/bin/uv pip install -q --python $(1)/bin/python -e '.[dev]' $(2) && touch $@
endef

# Pins what the tests were run with, for every Python that is supported.
constraints: .venv/ready
	$(call pin,$(NEWEST),constraints.txt)
	$(call pin,$(OLDEST),constraints-$(OLDEST).txt)

define pin
	echo "apache-airflow==$(1)" | $(BIN)/uv pip compile -q pyproject.toml - --extra dev --universal --python-version 3.10 \
		--no-header --no-annotate --no-emit-package airflow-provider-teams-registration -o $(2)
endef

clean:
	rm -rf .venv .venv-* .demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
