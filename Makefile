# Everything runs in .venv, which the first target creates; an active virtual
# environment is left alone. `make demo ARGS="--help"` lists the demo's options.

VENV := .venv
PY := $(VENV)/bin/python
INSTALLED := $(VENV)/installed

# The first Python that is new enough and can create environments.
PROBE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3 python; do \
	"$$python" -c "$(PROBE)" >/dev/null 2>&1 && echo "$$python" && break; done)

unexport PYTHONHOME PYTHONPATH

# Each is a question; the plot and the README's tables come from their results.
BENCHMARKS := rows sweeps vector columns small large truncated threads crossover peers \
              first_use mixed transforms fwht rotation factorize training features \
              narrow autoencoder sketch linalg export runtime calls

.PHONY: demo test test-cache bench lint format clean

demo: $(INSTALLED)
	$(PY) -m fastbutterfly demo $(ARGS)

# The second pass interprets the kernels: slow, but every index is checked. The third
# compiles them for any x86-64 or ARM CPU, with the narrowest registers. A pass fails if
# it collects fewer tests than tests/conftest.py says. ARGS are for the first pass, which
# is then not checked.
test: $(INSTALLED)
	$(PY) -m pytest $(or $(ARGS),--complete)
	NUMBA_DISABLE_JIT=1 $(PY) -m pytest -m interpreted --complete
	NUMBA_CPU_NAME=generic NUMBA_CPU_FEATURES= $(PY) -m pytest -m generic --complete

# Every kernel compiled in a process of its own, then loaded by one; `make test` takes a
# sample of them.
test-cache: $(INSTALLED)
	$(PY) -m pytest --all-kernels tests/test_kernel_files.py $(ARGS)

# ARGS=--quick tries it out: rough results, which the README does not take.
bench: $(VENV)/bench
	for name in $(BENCHMARKS); do $(PY) benchmarks/$$name.py $(ARGS) || exit; done
	$(if $(findstring --quick,$(ARGS)),,$(PY) benchmarks/plot.py)
	$(if $(findstring --quick,$(ARGS)),,$(PY) benchmarks/table.py --write)

lint: $(INSTALLED)
	$(PY) -m ruff check
	$(PY) -m ruff format --check

format: $(INSTALLED)
	$(PY) -m ruff check --fix
	$(PY) -m ruff format

clean:
	rm -rf $(VENV) .numba_cache .pytest_cache .ruff_cache

$(VENV)/bench: $(INSTALLED)
	@echo "Installing the libraries to compare with ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@touch $@

$(INSTALLED): pyproject.toml
	@test -n "$(PYTHON)" || { \
	  echo "fastbutterfly needs Python 3.11 or newer with venv and ensurepip."; \
	  echo "  Debian, Ubuntu: apt install python3 python3-venv"; \
	  echo "  Fedora:         dnf install python3"; \
	  echo "  elsewhere:      https://www.python.org/downloads"; \
	  echo "Another interpreter: make PYTHON=/path/to/python3 ..."; \
	  exit 1; } >&2
	@echo "Installing fastbutterfly into $(VENV) with $(PYTHON) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@
