# 小郑. `make demo` shows it, `make test` proves it; each makes what it needs.
PYTHON ?= python3
VENV   := .venv
TRAIN  := .venv-train
RENDER := .venv-render
PIP    := -m pip install --quiet --disable-pip-version-check
LOCKED := --require-hashes --requirement
SELF   := --no-deps --no-build-isolation --editable .

.PHONY: help setup setup-dev setup-train setup-render demo test lint types test-train lock clean
help:
	@echo "make demo         start the service, play the sample clips and calls, keep it up (ONCE=1: exit)"
	@echo "make test         lint, types and tests (no torch)"
	@echo "make test-train   tests that need torch or Blender (about 6 GB of packages)"
	@echo "make setup        only the environment: .venv with the xiaozheng command"
	@echo "make setup-train  .venv-train for retraining;  make setup-render  .venv-render for scenes"
	@echo "make lock         resolve the locked requirements again (needs uv)"

setup: $(VENV)/.base
setup-dev: $(VENV)/.dev
setup-train: $(TRAIN)/.done
setup-render: $(RENDER)/.done

$(VENV)/.base: pyproject.toml requirements/base.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; this is $$($(PYTHON) --version). Try: make $(MAKECMDGOALS) PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python $(PIP) $(LOCKED) requirements/base.txt
	$(VENV)/bin/python $(PIP) $(SELF)
	@touch $@

$(VENV)/.dev: $(VENV)/.base requirements/dev.txt
	$(VENV)/bin/python $(PIP) $(LOCKED) requirements/dev.txt
	@touch $@

$(TRAIN)/.done: pyproject.toml requirements/train.txt
	$(PYTHON) -m venv $(TRAIN)
	$(TRAIN)/bin/python $(PIP) $(LOCKED) requirements/train.txt
	$(TRAIN)/bin/python $(PIP) $(SELF)
	@touch $@

$(RENDER)/.done: pyproject.toml requirements/render.txt
	$(PYTHON) -m venv $(RENDER)
	$(RENDER)/bin/python $(PIP) $(LOCKED) requirements/render.txt
	$(RENDER)/bin/python $(PIP) $(SELF)
	@touch $@

demo: setup
	$(VENV)/bin/xiaozheng demo $(if $(ONCE),--once)

lint: setup-dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports

# mypy reads an installed copy: the rooms' folders only become `xiaozheng.…` by installation.
types: setup-dev
	rm -rf build
	$(VENV)/bin/python $(PIP) --no-deps --no-build-isolation --target build/typecheck .
	MYPYPATH=build/typecheck $(VENV)/bin/mypy -p xiaozheng

test: lint types
	$(VENV)/bin/pytest -q $(ARGS)

test-train: setup-train setup-render
	$(TRAIN)/bin/pytest -q -m train -k "not scenes" $(ARGS)
	$(RENDER)/bin/pytest -q -m train -k "scenes" $(ARGS)

lock:
	requirements/lock.sh

clean:
	rm -rf build var $(VENV) $(TRAIN) $(RENDER) *.egg-info
