# Each target calls uv or ddev. Only git, make and a Python 3 with pip are required.
UV := $(or $(shell command -v uv),.uv/bin/uv)
# ddev pins its dependencies, so it has a separate environment.
DDEV := UV_PROJECT_ENVIRONMENT=.venv-ddev $(UV) run --locked --only-group ddev ddev
# The companions' tests too: the Agent's pins and the tracer conflict with the other dependencies.
COMPANIONS := UV_PROJECT_ENVIRONMENT=.venv-companions $(UV) run --locked --only-group companions
RUN := $(UV) run --locked
# The tests are checked less strictly than the rest.
TESTS_TYPES := ddassets/tests/mypy.ini

.DEFAULT_GOAL := help
.PHONY: help demo test quick test-long coverage dist lint lint-assets rehearse validate test-integration test-toolkit \
	test-random test-rest test-companions e2e wheel bench semantics schemas grammars conformance datadog screenshots \
	lock clean

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 20

demo: $(UV) ## install the wheel as the Agent does, run the check, rehearse a working week, and write the page
	@$(UV) sync --locked --quiet --compile-bytecode && .venv/bin/python -m compileall -q ddassets/src
	@$(RUN) ddassets check my_metric
	@$(RUN) ddassets rehearse --inbox 8 --report dist/rehearsal $(addprefix my_metric/rehearsals/,busy_afternoon.yaml working_week.yaml)
	@echo
	@echo 'Next, with a monitor of your own (see README.md) or with the one here:'
	@echo '  $(CURDIR)/.venv/bin/ddassets rehearse --auto $(CURDIR)/my_metric'

quick: $(UV) ## ruff, mypy, the import layers and the fast tests: about a minute
	@$(RUN) ruff check -q && $(RUN) ruff format --check -q && $(RUN) mypy && $(RUN) mypy --config-file $(TESTS_TYPES)
	@$(RUN) pytest -q -m quick ddassets

# Two parts at a time, because a machine of CI has two cores and pytest uses one.
test: ## run all tests and validators, two parts at a time
	@$(MAKE) --no-print-directory -j2 lint lint-assets rehearse validate test-integration test-toolkit test-companions

lint: $(UV) ## ruff and mypy
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy
	$(RUN) mypy --config-file $(TESTS_TYPES)

lint-assets: $(UV) ## lint my_metric's dashboards, monitors, downtimes and metadata
	$(RUN) ddassets lint --profile strict --fail-on note my_metric

rehearse: $(UV) ## run every scenario of my_metric/rehearsals
	$(RUN) ddassets rehearse --inbox 1 --min-coverage 100 my_metric

validate: .ddev.toml ## ddev's validators: `validate all` and those that it omits
	$(DDEV) validate all my_metric
	$(DDEV) validate dashboards my_metric
	$(DDEV) validate service-checks my_metric
	$(DDEV) validate eula my_metric
	# This validator exits with 1 on success and 0 on failure, so check its output.
	$(DDEV) validate typos my_metric | grep 'All files are valid!'

test-integration: .ddev.toml ## my_metric's tests, in ddev's environment
	$(DDEV) test my_metric

e2e: .ddev.toml ## my_metric in the Agent's image (`ddev env test`); needs Docker, so it is not part of `make test`
	@DDEV='$(UV) run --locked --only-group ddev ddev' UV_PROJECT_ENVIRONMENT=.venv-ddev .ci/e2e

test-toolkit: test-random test-rest ## ddassets' tests, in two parts that `make test` runs at the same time

test-random: $(UV)
	$(RUN) pytest -m long ddassets

test-rest: $(UV)
	$(RUN) pytest -m 'not long' ddassets

test-long: $(UV) ## ten times as many random cases, faults and oracle comparisons as `make test`
	DDASSETS_TEST_SCALE=10 $(RUN) pytest -q -m long ddassets

coverage: $(UV) ## check the branch coverage of the semantic core (limit in pyproject.toml)
	$(RUN) coverage run -m pytest -q -m core ddassets
	$(RUN) coverage report

test-companions: $(UV) ## the companions' tests, against MariaDB, the tracer and Datadog's test agent
	$(COMPANIONS) pytest companions

bench: .ddev.toml ## benchmarks of the check, the start, lint, the simulated clock, rehearse and the sandbox (needs Debian's prometheus)
	$(COMPANIONS) python benchmarks/check_cost.py --ddev '$(UV) run --locked --only-group ddev ddev'
	$(RUN) python benchmarks/start.py
	$(RUN) python benchmarks/lint_speed.py
	$(RUN) python benchmarks/lint_quality.py
	$(RUN) python benchmarks/simulation_speed.py
	$(RUN) python benchmarks/rehearse_speed.py
	$(RUN) python benchmarks/estate_speed.py
	$(RUN) python benchmarks/sandbox.py
	$(RUN) python benchmarks/sandbox_tick.py
	$(RUN) python benchmarks/slo_speed.py

semantics: $(UV) ## generate docs/semantics.md: the rules and the tests of each
	$(RUN) python ddassets/tests/semantics.py

schemas: $(UV) ## generate the JSON Schemas of scenarios and configurations, after a change of a key or an assumption
	$(RUN) python ddassets/tests/schemas.py

grammars: $(UV) ## compute the parser's tables from the grammars
	$(RUN) python ddassets/tests/grammars.py

conformance: $(UV) ## generate docs/conformance.md
	$(RUN) python ddassets/tests/conformance.py

datadog: $(UV) ## start a Datadog organisation on this machine, to try plan, apply, destroy, snapshot and doctor
	@$(RUN) ddassets sandbox

dist: $(UV) ## build wheels and source distributions of ddassets and my_metric in dist/
	rm -f dist/*.whl dist/*.tar.gz
	$(UV) build --quiet --out-dir dist ddassets
	$(UV) build --quiet --out-dir dist my_metric
	UV_PROJECT_ENVIRONMENT=.venv-release $(UV) run --locked --only-group release twine check --strict dist/*.whl dist/*.tar.gz

wheel: $(UV) ## build the Agent wheel in dist/
	$(UV) build --wheel --out-dir dist my_metric

screenshots: $(UV) ## regenerate the images of my_metric's README and tile; needs Chromium
	$(RUN) --group screenshots python ddassets/tests/screenshots.py my_metric

lock: $(UV) ## lock uv, the scratch environment of `ddassets check` and the build backends, with hashes
	$(UV) pip compile -q --generate-hashes --no-header --universal --python-version 3.9 .ci/uv.in -o .ci/uv.txt
	for name in environment build clock; do $(UV) pip compile -q --generate-hashes --no-header --universal --python-version 3.13 \
		ddassets/src/ddassets/agent/$$name.in -o ddassets/src/ddassets/agent/$$name.txt; done

clean: ## remove everything that these targets created
	rm -rf .uv .venv .venv-ddev .venv-companions .venv-release .ddev.toml dist

.ddev.toml: $(UV)
	$(DDEV) config override

.uv/bin/uv:
	python3 -m pip install --quiet --disable-pip-version-check --target .uv \
		--require-hashes -r .ci/uv.txt
