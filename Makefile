# Two commands set everything up: `make demo` shows it, `make test` proves it.
GO ?= go
MODULES := . app sandbox
# As the sandbox compiles the program, so that no package is compiled twice, in whatever directory.
FLAGS := -trimpath
BUILD = $(GO) build -buildvcs=false $(FLAGS) -ldflags='-s -w $(LINK)'

.PHONY: help build app demo test check unit e2e bench docs fmt clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build .bin/sandbox with what it runs in containers, .bin/slipway and, where no CLI that is new enough is on the PATH, .bin/pulumi
	cd sandbox && $(BUILD) -o ../.bin/sandbox .
	cd sandbox && CGO_ENABLED=0 GOOS=linux GOARCH=$$($(GO) env GOHOSTARCH) $(BUILD) -o ../.bin/ ./taskhost ./loadbalancer
	$(MAKE) -s .bin/slipway
	.bin/sandbox cli

.PHONY: .bin/slipway
.bin/slipway: LINK = -X main.commit=$(shell git describe --always --exclude=* --dirty 2>/dev/null)
.bin/slipway:
	$(BUILD) -o $@ ./cmd/slipway

app: ## build the sample app's binary, the same on every machine
	@# The toolchain that app/go.mod names and nothing of the machine's own settings; 755 whatever the umask.
	cd app && GOTOOLCHAIN=$$(sed -n 's/^toolchain //p' go.mod) GOWORK=off GOFLAGS= GOEXPERIMENT= \
	  CGO_ENABLED=0 GOOS=linux GOARCH=amd64 GOAMD64=v1 \
	  $(GO) build -trimpath -buildvcs=false -ldflags='-s -w -buildid=' -o build/app .
	chmod 755 app/build/app

demo: build app ## carry the sample app from its Dockerfile to two stages, in a scratch copy
	sandbox/demo.sh

test: check unit e2e ## vet, formatting, workflows, unit tests of all modules, end-to-end tests with the real CLI

check:
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "not formatted (make fmt): $$unformatted"; exit 1; }
	@for module in $(MODULES); do echo "vet $$module"; (cd $$module && $(GO) vet $(FLAGS) ./...) || exit 1; done
	@cd sandbox && $(GO) tool actionlint -shellcheck= -pyflakes= ../docs/ci/github/workflows/*.yml

unit:
	@for module in $(MODULES); do (cd $$module && $(GO) test $(FLAGS) $$($(GO) list ./... | grep -v /e2e)) || exit 1; done

e2e: build app .bin/program ## the end-to-end tests alone; RUN=regexp selects, SANDBOX_DOCKER=off needs no engine
	cd sandbox && $(GO) tool gotestsum --format testname --hide-summary output,skipped -- \
	  $(FLAGS) -count=1 -timeout 60m ./e2e $(if $(RUN),-run '$(value RUN)')

# What a first `pulumi up` would compile: once, before tests that begin side by side.
.PHONY: .bin/program
.bin/program:
	$(BUILD) -o $@ .

bench: build app ## measure what docs/performance.md says; RUN=regexp selects
	cd sandbox && $(GO) test $(FLAGS) -count=1 -timeout 60m -run '^$$' -bench '$(or $(value RUN),.)' -benchtime 1x ./e2e
	$(GO) test $(FLAGS) -count=1 -run '^$$' -bench '$(or $(value RUN),.)' -benchtime 1x -v ./components/internal/build ./components/internal/mirror

docs: ## write docs/configuration.md and docs/stage.schema.json from the code
	$(GO) test $(FLAGS) ./stage -run "^TestTheDocumentationAndTheSchemaAreThoseOfTheCode$$" -update

fmt: ## format the code
	gofmt -w $$(git ls-files '*.go')

clean: ## remove what was built, not the account in .sandbox
	rm -rf .bin .slipway app/build
