# `make run`: environment, pipeline, results.  `make test`: environment, lint, tests.
# `make deps`: writes into dvc.yaml which files of the repository each stage depends on.
# `make setup`: once per clone, so that DVC finds remote/ from every revision (docs/versions.md).
# `make tags`: tags the released versions of versions.csv.
# `make verify`: checks every object in DVC's cache and in remote/ against its name.
# `make audit`: known vulnerabilities of the pinned packages, and the licences of what is imported at run time.
PYTHON ?= python3.11
BIN := .venv/bin
# Tests run side by side, a file at a time: a process for each core, four at most, because each takes up to 2 GB.
JOBS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN); echo $$((n < 4 ? n : 4)))
# DVC calls the stages by the name of `python`, so the environment's must come first.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export DVC_NO_ANALYTICS := 1
export HF_HUB_DISABLE_TELEMETRY := 1
export TOKENIZERS_PARALLELISM := false

.PHONY: run test lint deps setup tags verify audit clean

run: .venv/ready
	@echo "== Running the pipeline: dvc repro (a stage whose inputs have not changed is not run again)"
	dvc repro
	@python -m pipeline.verify --committed
	@python -m pipeline.summary

test: .venv/ready-test
	@echo "== Lint"
	ruff check .
	ruff format --check .
	@echo "== Tests"
	python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(TESTS)

lint: .venv/ready-test
	ruff check --fix .
	ruff format .

verify: .venv/ready
	python -m pipeline.verify

setup: .venv/ready
	dvc remote modify --local inside url "$(CURDIR)/remote"

tags: .venv/ready
	python -m pipeline.tags

# pip-audit has an environment of its own, so that nothing that the project uses changes. It asks a service on the web.
audit: .venv/ready
	python -m pipeline.licences
	@test -x .venv-audit/bin/pip-audit || $(PYTHON) -m venv .venv-audit
	@test -x .venv-audit/bin/pip-audit || .venv-audit/bin/python -m pip install --quiet pip-audit
	.venv-audit/bin/pip-audit --requirement requirements.txt --no-deps --disable-pip --progress-spinner off

deps: .venv/ready
	python -m pipeline.dependencies

.venv/ready: requirements.txt pyproject.toml
	@echo "== Installing the pinned requirements into .venv (a few minutes the first time)"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/ready-test: .venv/ready requirements-dev.txt requirements-unsloth-cpu.txt
	@echo "== Installing what the tests need"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-unsloth-cpu.txt
	@touch $@

clean:
	rm -rf .venv .venv-audit scratch
