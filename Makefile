# Two commands are enough: `make gate` and `make test`. Each makes what it needs, once.
#
#   make setup    .venv with everything the locks name, and the tools that live apart
#   make gate     gate the bundled example, which must fail, and say where its page is
#   make test     the whole test suite; ARGS="-k ledger" passes options on
#   make check    lint, types, import contracts, rules, policies, docs
#   make docs     the site of the pages, into out/docs; every warning is an error
#   make dist     the sdist and the wheel of the commit, the same bytes anywhere, into dist/; DIST=out/again elsewhere
#   make evidence the gate's word on the commit, bound to what is in dist/, and what is in it, into out/evidence/; with
#                 ENFORCED=DIR KEY=FILE that word is signed, without it is for whoever signs elsewhere
#   make bench    measure, and print what was measured
#   make picture  take the picture of the example's page that the README shows
#   make golden   write the golden files anew; look at the difference before you commit it
#   make lock     resolve pyproject.toml anew into requirements/ and rules/tools/

PYTHON ?= python3
ARGS ?=
DIST ?= dist
EVIDENCE ?= out/evidence
ENFORCED ?=
KEY ?=

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

BIN := .venv/bin
UV := $(BIN)/uv --no-python-downloads
STAMPS := .venv/.stamps
RULE_TOOLS := $(wildcard rules/tools/*.txt)

COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
          --no-header --no-annotate

.PHONY: setup gate test check docs dist evidence bench golden picture lock
setup: $(STAMPS)/tools

# The first interpreter that we have reads nothing but the lock of the installer.
$(STAMPS)/uv: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "secgate needs Python 3.11 or later: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' \
	  || { echo "this Python cannot make environments: on Debian, apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/requirements: requirements/dev.txt $(STAMPS)/uv
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@touch $@

# No isolation: the build backend is in the lock like everything else.
$(STAMPS)/secgate: pyproject.toml $(STAMPS)/requirements
	$(UV) pip install --quiet --python $(BIN)/python --no-build-isolation --no-deps --editable .
	@touch $@

$(STAMPS)/tools: $(RULE_TOOLS) $(STAMPS)/secgate
	$(BIN)/secgate tools install checkov
	@touch $@

gate: $(STAMPS)/tools
	$(BIN)/python -I tests/cases/shop/gate.py

test: $(STAMPS)/tools
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile $(ARGS)

check: $(STAMPS)/tools
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m pytest --quiet --numprocesses auto --dist loadfile tests/rules tests/policies \
	  tests/meta/test_docs.py tests/meta/test_reference.py tests/meta/test_examples.py tests/meta/test_cookbook.py \
	  tests/meta/test_threats.py

docs: $(STAMPS)/requirements
	$(BIN)/sphinx-build -q -W --keep-going -c docs -d out/doctrees . out/docs
	@echo "open out/docs/index.html"

# What is built is a commit: every file of it, none beside it, and its time.
dist: $(STAMPS)/requirements
	@test -z "$$(git status --porcelain)" || { echo "commit or remove this first:" >&2; git status --short >&2; exit 1; }
	rm -rf $(DIST)
	SOURCE_DATE_EPOCH="$$(git log -1 --format=%ct)" $(BIN)/python -m build --no-isolation --outdir $(DIST) .
	cd $(DIST) && sha256sum -- *.whl *.tar.gz | tee SHA256SUMS

# An outcome that is no pass is evidence too, so only a gate that did not judge (2, 4, 5, 70) ends it at once. What
# counts comes last: the attestation is checked as whoever downloads it will, and make fails where that is no pass.
evidence: LAYER := $(if $(ENFORCED),--enforced "$(ENFORCED)")
evidence: ARTEFACTS = $(foreach one,$(wildcard $(DIST)/*.whl $(DIST)/*.tar.gz),--artifact "$(one)")
evidence:
	@test -n "$(wildcard $(DIST)/*.whl)" || { echo "nothing is built in $(DIST): make dist" >&2; exit 2; }
	rm -rf "$(EVIDENCE)" && mkdir -p "$(EVIDENCE)"
	$(BIN)/secgate run --profile release $(LAYER) $(ARGS) --format text --format json="$(EVIDENCE)/gate.json" \
	  || { code=$$?; test $$code = 1 || test $$code = 3 || exit $$code; }
	run=$$($(BIN)/python -c 'import json, sys; print(json.load(sys.stdin)["run"]["run_id"])' <"$(EVIDENCE)/gate.json"); \
	$(if $(KEY),$(BIN)/secgate attest bind "$$run" $(ARTEFACTS) --key "$(KEY)" $(LAYER) -o "$(EVIDENCE)/secgate.intoto.json",\
	  $(BIN)/secgate attest statement "$$run" $(ARTEFACTS) $(LAYER) -o "$(EVIDENCE)/secgate.statement.json"); \
	$(BIN)/secgate sbom --run "$$run" --artifact "$(wildcard $(DIST)/*.whl)" $(LAYER) -o "$(EVIDENCE)/secgate.cdx.json"
	$(if $(KEY),$(BIN)/secgate attest verify "$(EVIDENCE)/secgate.intoto.json" $(ARTEFACTS) --profile release $(LAYER),\
	  @echo "no attestation: it takes KEY, and ENFORCED where that key counts; secgate.statement.json is for another signer")

bench: $(STAMPS)/tools
	$(BIN)/python benchmarks/run.py $(ARGS)

# A real run's page, so its time and digests differ each time: taken anew when the page looks different.
picture: gate
	PYTHONPATH=. $(BIN)/python docs/images/picture.py

golden: $(STAMPS)/tools
	$(BIN)/python -m pytest --quiet --golden $(ARGS)
	git --no-pager diff --stat

lock: $(STAMPS)/uv
	$(COMPILE) --upgrade pyproject.toml --output-file requirements/run.txt
	$(COMPILE) --upgrade --extra dev --extra docs --extra lsp --extra pdf --constraint requirements/run.txt pyproject.toml \
	  --output-file requirements/dev.txt
	echo uv | $(COMPILE) --constraint requirements/run.txt - --output-file requirements/uv.txt
	grep -oE '^checkov==[0-9.]+' rules/tools/checkov.txt | $(COMPILE) --upgrade - --output-file rules/tools/checkov.txt
