# `make run` and `make test` each work as the first command in a fresh checkout: they need make, a C++ compiler and
# Python, install uv if it is missing (tools/get_uv.py) and install into .venv what uv.lock names.

# The interpreter; another one: make PYTHON=python3.12 run
PYTHON = python3
# What is handed to the command: make run ARGS="--seed 7", make fast ARGS=tests/setup
ARGS =

# Processes that share the tests: make WORKERS=0 test for none beside the first.
WORKERS = auto

# The checkout's own environment and the interpreter above, whatever the shell was set to.
unexport VIRTUAL_ENV UV_PYTHON
# Without bytecode every process compiles TensorFlow and TFX anew: 30 s of processor time instead of 10.
unexport PYTHONDONTWRITEBYTECODE
export UV_PROJECT_ENVIRONMENT = .venv
export UV_PYTHON_DOWNLOADS = never

.DEFAULT_GOAL := help
.PHONY: help run test image fast lint docs lab clean sync-run sync-test

# $(call sync,OPTIONS): installs what is missing; a matter of milliseconds when nothing is.
define sync
@command -v $(PYTHON) >/dev/null || { echo "awesome: no $(PYTHON) found: install Python 3.11 to 3.13" >&2; exit 1; }
@python="$$($(PYTHON) tools/check_python.py)" && uv="$$("$$python" tools/get_uv.py)" && \
	{ "$$uv" sync --frozen --python "$$python" $(1) || { "$$python" tools/check_python.py --after-failure; exit 1; }; }
endef

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-6s %s\n", $$1, $$2}' Makefile

run: sync-run ## install what is missing and run the main job, `awesome run $(ARGS)`
	@.venv/bin/awesome run $(ARGS)

test: lint ## install what is missing and run every check and every test
	.venv/bin/pytest -n $(WORKERS) $(ARGS)
	.venv/bin/python tests/kubeflow/within_image.py -n $(WORKERS) $(ARGS)

image: sync-test ## the tests that can differ between lines of TFX, within the training image: TFX 1.21
	.venv/bin/python tests/kubeflow/within_image.py -n $(WORKERS) $(ARGS)

fast: sync-test ## the tests that need no TensorFlow
	.venv/bin/pytest -n $(WORKERS) -m 'not slow' $(ARGS)

lint: sync-test ## ruff, mypy and import-linter
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports

docs: sync-test ## the documentation's site, into site/
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict --quiet

lab: sync-test ## the notebooks in JupyterLab
	.venv/bin/jupyter lab notebooks

clean: ## remove what was installed and built; runs/ and awesome.db stay
	rm -rf .venv .tools build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# Inexact: what `make test` has installed stays.
sync-run:
	$(call sync,--all-extras --no-dev --inexact)

sync-test:
	$(call sync,--all-extras --group dev --group docs --group notebooks)
