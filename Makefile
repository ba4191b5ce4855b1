# Every target sets itself up: Python 3.11, git and make are all a machine needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
UV_VERSION := 0.13.9
COMPILE := $(UV) pip compile --quiet --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11

# Whom the machine trusts, uv trusts too, as pip does.
export UV_SYSTEM_CERTS ?= true

.PHONY: up test bench localstack test-deployed layers lint format lock openapi clean-data

up: $(VENV)/.local ## start everything on one port
	@exec $(BIN)/modulo up

test: $(VENV)/.dev ## the whole test suite
	$(BIN)/pytest

bench: $(VENV)/.dev ## measure everything, compare with the last committed result; ONLY=search,growth measures a part
	$(BIN)/python -m benchmarks $(ONLY)

localstack: $(VENV)/.dev ## deploy template.yaml to LocalStack on this machine; MODULO_EMULATOR=ministack starts faster
	@exec $(BIN)/modulo localstack up

test-deployed: $(VENV)/.dev ## deploy template.yaml and run the end-to-end suite through API Gateway
	$(BIN)/pytest tests/e2e/test_deployed.py

layers: $(VENV)/.dev ## build every function and layer as deployed, and print what they weigh unzipped
	SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 PATH="$(abspath $(BIN)):$$PATH" $(BIN)/sam build
	$(BIN)/modulo sizes

lint: $(VENV)/.dev ## formatting, style, types, import boundaries, template
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	cd localstack/plugin && $(abspath $(BIN))/mypy
	$(BIN)/lint-imports
	SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 $(BIN)/sam validate --lint

format: $(VENV)/.dev ## mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

openapi: $(VENV)/.local ## rewrite infra/openapi.json and infra/problems.md
	$(BIN)/modulo openapi > infra/openapi.json
	$(BIN)/modulo problems > infra/problems.md

clean-data: ## forget everything `make up` stored
	rm -rf .modulo

lock: $(UV) ## compile the hashed locks from pyproject.toml
	$(COMPILE) pyproject.toml --extra cli --extra local --extra dev -o requirements/dev.txt
	$(COMPILE) pyproject.toml --extra cli --extra local -c requirements/dev.txt -o requirements/local.txt
	$(COMPILE) pyproject.toml -c requirements/local.txt -o requirements/app.txt
	$(COMPILE) localstack/requirements.in -o requirements/localstack.txt
	$(MAKE) -C layers requirements

$(UV):
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(VENV)/.%: requirements/%.txt pyproject.toml | $(UV)
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/$*.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@
