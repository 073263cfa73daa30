# 'make demo' shows the main job, 'make test' passes every test. Both make what they need: Python 3.10+ is enough.

PYTHON ?= $(shell for name in python3.12 python3.11 python3.10 python3 python3.13; do \
	$$name -c 'import sys, venv; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& { echo $$name; break; }; done)
NEWEST := 3.3.2
OLDEST := 2.11.2
LOWEST := 2.11.0
MATRIX := 2.11.2 3.0.6 3.1.8 3.2.2 3.3.2 3.4.0b2
EXTRAS := sql mail azure emulator demo dev docs
DOCS := mkdocs-material>=9.7
BIN := .venv/bin

# The requirements of these versions of Airflow let in newer packages that break them: pydantic 2.14 breaks 3.2, and a
# newer FastAPI, Starlette or Cadwyn breaks 3.0 and 3.1. 'make constraints' resolves with these, and pins the rest.
# A newer flask-jwt-extended imports what the oldest PyJWT does not have, and a newer kombu asks for a newer tzdata.
PINS_2.11.0 := flask-jwt-extended==4.7.1 kombu==5.4.2
PINS_3.0.6 := pydantic<2.12 pyjwt<2.11 fastapi==0.116.1 cadwyn==5.4.4 starlette==0.47.3 svcs==25.1.0
PINS_3.1.8 := pydantic<2.13 fastapi==0.117.1 cadwyn==5.4.6 starlette==0.48.0 svcs==25.1.0
PINS_3.2.2 := pydantic<2.13 fastapi==0.138.0 cadwyn==7.1.0 starlette==1.3.1 svcs==25.1.0

# The documentation is that of the newest Airflow.
AIRFLOW_TESTS := tests/airflow tests/services/example_dags tests/services/transfers --ignore tests/airflow/docs
# What the dependencies have a part in.
LOWEST_TESTS := tests/unit tests/emulated/emulator tests/emulated/enrollment tests/emulated/graph tests/airflow/hooks \
	tests/services/emulator tests/services/example_dags tests/services/ledger tests/services/transfers
# Much of a test run is waiting. A file's tests stay together: they may share tables. The folders go in their order in
# pyproject.toml, the slow ones first: xdist would begin a file of a few slow tests last, and two workers would idle.
SPREAD := -n 3 --dist loadfile --no-loadscope-reorder

.PHONY: demo airflow test lint newest oldest lowest matrix proof bench docs constraints clean

demo: .venv/ready
	@$(BIN)/python -m dev.demo

airflow: .venv/ready
	@PORT=$(PORT) $(BIN)/python -m dev.demo serve

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

# With the oldest version of every dependency that pyproject.toml allows. The base and each extra must resolve alone, too.
lowest: .venv-lowest/ready
	@for extra in '' $(EXTRAS:%='--extra %'); do echo "Resolving the oldest dependencies $$extra"; \
		printf '%s\n' apache-airflow==$(LOWEST) | .venv-lowest/bin/uv pip compile -q pyproject.toml - $$extra \
			--python .venv-lowest/bin/python --resolution lowest-direct >/dev/null || exit 1; done
	.venv-lowest/bin/python -m pytest $(SPREAD) $(LOWEST_TESTS)

# Kills and freezes a worker wherever it touches network, ledger or XCom, and prints what became of everybody.
proof: .venv/ready
	$(BIN)/python -m dev.crash_matrix

# This provider beside what people would write today: every measure, one run, a quarter of an hour or more.
bench: .venv-bench/ready
	.venv-bench/bin/python -m dev.benchmarks

# The documentation site, in .site. A warning, a broken link or a missing anchor fails it.
docs: .venv-docs/ready
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict

# Every Airflow that is supported; Python 3.11 and 3.12 can run them all.
matrix: $(MATRIX:%=matrix-%)

matrix-$(NEWEST): .venv/ready
	$(BIN)/python -m pytest -q $(SPREAD) $(AIRFLOW_TESTS)

matrix-%:
	@$(MAKE) --no-print-directory .venv-$*/ready
	.venv-$*/bin/python -m pytest -q $(SPREAD) $(AIRFLOW_TESTS)

.venv/ready: pyproject.toml constraints.txt
	@$(call make_environment,.venv,-c constraints.txt)

.venv-bench/ready: pyproject.toml constraints.txt dev/benchmarks/requirements.txt
	@$(call make_environment,.venv-bench,--compile-bytecode -r dev/benchmarks/requirements.txt -c constraints.txt)

# The site's hook needs neither the package nor Airflow.
.venv-docs/ready: constraints-docs.txt
	@test -n "$(PYTHON)" || { echo "Python 3.10 to 3.13 is needed."; exit 1; }; \
	echo "Making .venv-docs with $(PYTHON)."; \
	rm -rf .venv-docs && $(PYTHON) -m venv .venv-docs && .venv-docs/bin/python -m pip install -q uv \
	&& .venv-docs/bin/uv pip install -q --python .venv-docs/bin/python -r constraints-docs.txt && touch $@

.venv-%/ready: pyproject.toml constraints-%.txt
	@$(call make_environment,.venv-$*,-c constraints-$*.txt)

define make_environment
	test -n "$(PYTHON)" || { echo "Python 3.10 to 3.13 is needed."; exit 1; }; \
	echo "Making $(1) with $(PYTHON); this takes a minute or two the first time."; \
	rm -rf $(1) && $(PYTHON) -m venv $(1) && $(1)/bin/python -m pip install -q uv \
	&& $(1)/bin/uv pip install -q --python $(1)/bin/python -e '.[dev]' $(2) && touch $@
endef

# Pins what the tests were run with, for every Python that is supported. The matrix runs from Python 3.11 on.
constraints: .venv/ready
	$(call pin,$(NEWEST),constraints.txt,3.10)
	$(call pin,$(OLDEST),constraints-$(OLDEST).txt,3.10)
	$(call pin,$(LOWEST),constraints-lowest.txt,3.10,--resolution lowest-direct)
	printf '%s\n' $(DOCS:%='%') | $(BIN)/uv pip compile -q - --universal --python-version 3.10 --no-header --no-annotate \
		-o constraints-docs.txt
	$(foreach version,$(filter-out $(NEWEST) $(OLDEST),$(MATRIX)),$(call pin,$(version),constraints-$(version).txt,3.11) &&) true

define pin
	printf '%s\n' 'apache-airflow==$(1)' $(PINS_$(1):%='%') | $(BIN)/uv pip compile -q pyproject.toml - --extra dev \
		--universal --python-version $(3) --prerelease if-necessary --no-header --no-annotate \
		--no-emit-package airflow-provider-teams-registration -o $(2) $(4)
endef

clean:
	rm -rf .venv .venv-* .demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
