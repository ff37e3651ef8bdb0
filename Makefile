# Two commands for everyone: `make run` and `make test`. See README.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
TESTERS ?= $(shell expr `getconf _NPROCESSORS_ONLN` + 1)

.PHONY: help run all test check types types-linux types-win32 types-darwin messages site lock release bench deb image deep driver driver-windows clean

help:
	@echo "make run    a card in a PC/SC reader, one terminal session on it, then serve until Ctrl-C"
	@echo "make all    every command into .venv: the office, the services over HTTP, conformance"
	@echo "make test   every test, and make check"
	@echo "make check  ruff and mypy --strict, for Linux, Windows and macOS"
	@echo "make messages the catalogue of messages (emulator/locale), from the sources"
	@echo "make lock   what development installs, with hashes (requirements-dev.txt); newer releases with ARGS=--upgrade"
	@echo "make site   the documentation as pages to read offline, in both languages, into build/site"
	@echo "make release wheel, sdist, bill of materials, sums and the rest into dist/; publishes nothing (ARGS=--trial to try)"
	@echo "make driver libSSCardDriver.so and its header for counter software, into build/"
	@echo "            make driver-windows: SSCardDriver.dll, with mingw-w64"
	@echo "make deb    a Debian package, into dist/ (docs/debian.md)"
	@echo "make image  a container image of it, as root (docs/container.md)"
	@echo "make bench  benchmarks: in-process, and through pcscd beside a do-nothing client and vicc"
	@echo "make deep   what takes longer: millions of commands, thousands of kill -9, fuzzing led by coverage, sessions with faults,"
	@echo "            broken chips; the driver library on Windows, from Node, in a browser, under sanitizers;"
	@echo "            other people's PC/SC clients (docs/clients.md)"
	@echo "make clean  remove the virtual environment and caches"

# Stamp files, so that a second run needs neither network nor installation.
$(VENV)/.ready-run: pyproject.toml scripts/setup.sh
	@PYTHON="$(PYTHON)" scripts/setup.sh run
	@touch $@

$(VENV)/.ready-all: pyproject.toml scripts/setup.sh
	@PYTHON="$(PYTHON)" scripts/setup.sh all
	@touch $@ $(VENV)/.ready-run

$(VENV)/.ready-dev: pyproject.toml scripts/setup.sh
	@PYTHON="$(PYTHON)" scripts/setup.sh dev
	@touch $@ $(VENV)/.ready-all $(VENV)/.ready-run

$(VENV)/.ready-site: pyproject.toml scripts/setup.sh
	@PYTHON="$(PYTHON)" scripts/setup.sh site
	@touch $@ $(VENV)/.ready-run

$(VENV)/.ready-bench: pyproject.toml scripts/setup.sh
	@PYTHON="$(PYTHON)" scripts/setup.sh bench
	@touch $@ $(VENV)/.ready-dev $(VENV)/.ready-all $(VENV)/.ready-run

$(VENV)/.ready-release: pyproject.toml scripts/setup.sh
	@PYTHON="$(PYTHON)" scripts/setup.sh release
	@touch $@ $(VENV)/.ready-dev $(VENV)/.ready-all $(VENV)/.ready-run $(VENV)/.ready-site

$(VENV)/.ready-deep: pyproject.toml scripts/setup.sh scripts/foreign.sh scripts/debian_root.sh scripts/windows_python.sh tests/deep/package.json
	@PYTHON="$(PYTHON)" scripts/setup.sh deep
	@touch $@ $(VENV)/.ready-dev $(VENV)/.ready-all $(VENV)/.ready-run $(VENV)/.ready-site

run: $(VENV)/.ready-run
	@$(BIN)/sscard run --demo $(ARGS)

all: $(VENV)/.ready-all
	@echo "$(BIN)/sscard has every command"

check: $(VENV)/.ready-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	@$(MAKE) --no-print-directory --jobs 2 --output-sync types

types: types-linux types-win32 types-darwin

types-linux: $(VENV)/.ready-dev
	$(BIN)/mypy

types-win32 types-darwin: types-%: $(VENV)/.ready-dev
	$(BIN)/mypy --platform $* --cache-dir .mypy_cache/$* emulator harness

messages: $(VENV)/.ready-dev
	$(BIN)/python scripts/messages.py extract
	$(BIN)/python scripts/messages.py compile

# For every system and Python from 3.11 on, what `make test` installs. What is locked already stays, unless its range has changed or ARGS says --upgrade.
lock: $(VENV)/.ready-dev
	$(BIN)/python -m uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --extra all --extra dev \
		--generate-hashes --no-emit-index-url --custom-compile-command "make lock" --output-file requirements-dev.txt $(ARGS)

site: $(VENV)/.ready-site
	@$(BIN)/python scripts/site/build.py $(ARGS)

# A process of tests for each core and one more, as tests often wait for pcscd to look; whoever names one file runs pytest
# without them and need not wait for processes to start.
test: check
	$(BIN)/python -m pytest -n $(TESTERS) --dist worksteal $(ARGS)
	$(if $(ARGS),,@$(BIN)/python scripts/release.py tested)

release: $(VENV)/.ready-release
	@$(BIN)/python scripts/release.py $(ARGS)

bench: $(VENV)/.ready-bench
	@$(BIN)/python -m tests.benchmarks $(ARGS)

driver: $(VENV)/.ready-run
	@$(BIN)/sscard driver build -o build

driver-windows: $(VENV)/.ready-deep
	@$(BIN)/sscard driver build --windows -o build

deb: $(VENV)/.ready-dev
	@scripts/deb.sh

image:
	@scripts/image.sh

deep: $(VENV)/.ready-deep driver-windows deb image
	SSCARD_FUZZ=deep $(BIN)/python -m pytest tests/property tests/unit/emulator/own_personas tests/unit/emulator/test_habits.py tests/unit/house/test_extras.py tests/unit/harness tests/e2e/studio tests/e2e/test_driver_server.py tests/e2e/test_monitor.py tests/e2e/test_learn.py tests/e2e/test_kill.py tests/e2e/test_kill_office.py tests/e2e/test_soak.py -n auto --dist worksteal --timeout 3600 $(ARGS)
	SSCARD_TEST_REGISTER=postgresql $(BIN)/python -m pytest tests/unit/harness/office tests/e2e/studio/test_office_view.py -n auto --dist worksteal --timeout 3600 $(ARGS)
	$(BIN)/python -m pytest tests/deep --timeout 600 $(ARGS)
	$(BIN)/python -m tests.mutation

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
