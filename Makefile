# Every target installs what it needs. Prerequisites: Python 3.11, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
PROCESSES ?= 2
UV_VERSION := 0.13.9
COMPILE := $(UV) pip compile --quiet --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11

# Use the system certificate store, like pip.
export UV_SYSTEM_CERTS ?= true

SITE := layers/core/python/modulo/cli/site
PAGES = $(shell find *.md docs infra benchmarks clients localstack layers/core/python/modulo/settings.py \
  -name '*.md' -o -path 'docs/*' -type f -not -name '*.pyc' -o -name settings.py -o -name openapi.json)

.PHONY: up console test test-e2e eval bench soak localstack test-deployed layers lint format lock openapi docs site screenshots sbom audit clean-data

up: $(VENV)/.local ## start Modulo with embedded servers on one port
	@.ci/console --optional
	@nice $(MAKE) --silent --no-print-directory $(SITE)/index.html > $(VENV)/site.log 2>&1 & # meanwhile
	@exec $(BIN)/modulo up

console: $(UV) ## build the web console, unless its sources have not changed since
	@.ci/console

# Bytecode is written, whatever the environment says: hundreds of processes would each compile all that they import.
RUN_TESTS = .ci/debian pgbouncer=pgbouncer tesseract=tesseract-ocr $(PROGRAMS) -- \
  env -u PYTHONDONTWRITEBYTECODE $(BIN)/pytest -n $(PROCESSES) --dist loadfile --no-loadscope-reorder
END_TO_END := tests/e2e tests/browser tests/localstack

test: PROGRAMS := promtool=prometheus
test: $(VENV)/.dev console ## run the tests of every part, against real servers, in PROCESSES processes
	$(RUN_TESTS) $(END_TO_END:%=--ignore=%)

test-e2e: PROGRAMS := chromium=chromium
test-e2e: $(VENV)/.dev console ## run the tests of the whole: deployed on local clouds, in browsers, crashed and restored
	$(RUN_TESTS) $(END_TO_END)

eval: $(VENV)/.local ## ask the golden questions of the sample documents; fail below samples.requirements.json
	$(BIN)/modulo eval --embedded --concurrency 2 --require layers/core/python/modulo/cli/evaluation/samples.requirements.json

bench: $(VENV)/.dev ## run the benchmarks and compare with the committed results; ONLY=search,growth runs some
	$(BIN)/python -m benchmarks $(ONLY)

soak: $(VENV)/.dev ## run the long benchmarks, over an hour: crashes, very large files, hanging dependencies, a lagging replica, HNSW
	$(BIN)/python -m benchmarks faults,large,soak,replica,hnsw

localstack: $(VENV)/.dev ## deploy template.yaml to LocalStack on this machine; MODULO_EMULATOR=ministack starts faster
	@exec $(BIN)/modulo localstack up

test-deployed: $(VENV)/.dev ## deploy template.yaml, run the end-to-end suite through API Gateway, and rehearse an update
	$(BIN)/pytest tests/e2e/test_deployed.py tests/e2e/test_rehearsal.py

layers: $(VENV)/.dev ## build every function and layer as deployed, and print their unzipped sizes
	SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 PATH="$(abspath $(BIN)):$$PATH" $(BIN)/sam build
	$(BIN)/modulo sizes

lint: $(VENV)/.dev console ## check formatting, style, types, import boundaries and the template
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	cd localstack/plugin && $(abspath $(BIN))/mypy
	$(BIN)/lint-imports
	cd console && ../.ci/node npm run --silent check
	SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 $(BIN)/sam validate --lint

format: $(VENV)/.dev ## fix style and formatting where possible
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

METHODS := layers/core/python/modulo/runtime/path_methods.py

openapi: $(VENV)/.local ## regenerate infra/openapi.json, infra/problems.md and the methods of each path
	$(BIN)/modulo methods > .venv/path_methods && mv .venv/path_methods $(METHODS)
	$(BIN)/modulo openapi > infra/openapi.json
	$(BIN)/modulo problems > infra/problems.md

docs: $(VENV)/.dev ## redraw docs/architecture.svg and rewrite docs/third-party.md
	$(BIN)/python -m docs.architecture > docs/architecture.svg
	$(BIN)/python -m docs.third_party > docs/third-party.md

define BUILD_SITE
$(BIN)/python -m docs.site $(VENV)/site
NO_MKDOCS_2_WARNING=1 $(VENV)/docs/bin/mkdocs build --strict --quiet --config-file $(VENV)/site/mkdocs.yml \
  --site-dir $(abspath $(SITE))
endef

site: $(VENV)/.local $(VENV)/docs/.ready ## build the website of the documentation, which servers serve at /docs
	$(BUILD_SITE)

$(SITE)/index.html: $(PAGES) $(VENV)/.local $(VENV)/docs/.ready
	$(BUILD_SITE)

$(VENV)/docs/.ready: requirements/docs.txt | $(UV)
	$(UV) venv --quiet --clear --python $(BIN)/python $(VENV)/docs
	$(UV) pip install --quiet --python $(VENV)/docs/bin/python --require-hashes -r requirements/docs.txt
	@touch $@

screenshots: $(VENV)/.dev console ## take the screenshots of the console that the documentation shows
	.ci/debian chromium=chromium -- $(BIN)/python -m tests.browser.screenshots docs/images

sbom: $(VENV)/.dev ## write sbom.cdx.json, a bill of materials (CycloneDX) from the hashed locks
	$(BIN)/python -m docs.sbom local > sbom.cdx.json

audit: $(UV) ## compare the locks with PyPI's advisories; fails plainly where those cannot be reached
	UV=$(UV) .ci/audit

clean-data: ## delete all data of `make up`
	rm -rf .modulo

lock: $(UV) ## compile the hashed locks from pyproject.toml
	$(COMPILE) pyproject.toml --extra cli --extra serve --extra otlp --extra local --extra dev -o requirements/dev.txt
	$(COMPILE) pyproject.toml --extra cli --extra serve --extra otlp --extra local -c requirements/dev.txt -o requirements/local.txt
	$(COMPILE) pyproject.toml --extra cli --extra serve --extra otlp -c requirements/local.txt -o requirements/serve.txt
	$(COMPILE) pyproject.toml -c requirements/local.txt -o requirements/app.txt
	$(COMPILE) requirements/build.in -c requirements/local.txt -o requirements/build.txt
	$(COMPILE) requirements/node.in -o requirements/node.txt
	$(COMPILE) examples/requirements.in -o examples/requirements.txt
	$(COMPILE) requirements/docs.in -o requirements/docs.txt
	$(COMPILE) localstack/requirements.in -o requirements/localstack.txt
	$(MAKE) -C layers requirements

$(UV):
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(VENV)/examples/.installed: examples/requirements.txt | $(UV)
	$(UV) venv --quiet --clear --python $(BIN)/python $(VENV)/examples
	$(UV) pip install --quiet --python $(VENV)/examples/bin/python --require-hashes -r examples/requirements.txt
	@touch $@

$(VENV)/.%: requirements/%.txt pyproject.toml clients/python/pyproject.toml | $(UV)
	@echo "Installing Python packages into $(VENV); the first time takes a minute or more ..."
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/$*.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e . -e clients/python
	@touch $@
