# Everything that Drawbridge does on a laptop. `make help` lists it.
# Only relative paths: the folder's own path may hold spaces.

# The environment of cdk.json that a target works on.
ENV ?= dev

# No C compiler is needed anywhere.
export CGO_ENABLED := 0
# Go's version is a part of every binary: what is tested and deployed is compiled with exactly go.mod's, which Go fetches
# where it is not the installed one.
export GOTOOLCHAIN := $(shell awk '$$1 == "toolchain" { print $$2 }' go.mod)
# CDK warns at every start that Node 20 is past its end of life; README.md says which are supported.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20

# The architectures that the web app's bundle and the Lambda function are built for. `cdk synth -c architecture=…` picks one of them.
ARCHITECTURES ?= arm64 x86_64
GOARCH_arm64 := arm64
GOARCH_x86_64 := amd64

# Pure Go in the embedded MySQL server, which would otherwise want the C library ICU.
TAGS := gms_pure_go

##@ On this machine

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^##@ / { printf "%s\n", substr($$0, 5) } /^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

# The architecture of this machine, in the words of `-c architecture`.
MACHINE := $(if $(filter arm64 aarch64,$(shell uname -m)),arm64,x86_64)

.PHONY: local
local: node_modules ## run the database and the web app on this machine, with sample data; needs no AWS account
	@$(MAKE) --silent build ARCHITECTURES=$(MACHINE)
	@[ -x build/local ] || echo "Compiling the embedded MySQL server (the first time takes about a minute) ..."
	@$(call go_build,build/webapp) ./webapp && $(call built,build/webapp)
	@$(call go_build,build/local) -tags $(TAGS) ./local && $(call built,build/local)
	@build/local

# go build trusts a program that is there by what stands at its head. One whose build was killed half-way is marked, and
# made anew.
go_build = { [ ! -e $(1).unfinished ] || rm -f $(1); mkdir -p build && touch $(1).unfinished; } && go build -o $(1)
built = rm $(1).unfinished

.PHONY: build
build: $(ARCHITECTURES:%=bundle-%) ## compile the CDK app, the web app's bundle, the Lambda function and the host program
	@[ -x build/cdk ] || echo "Compiling the CDK app (the first time takes about a minute) ..." >&2
	@$(call go_build,build/cdk) -ldflags="-s -w" . && $(call built,build/cdk)

# The same code gives the same bytes, whatever the folder and the machine: the asset's hash is the file's.
BUNDLE_GO := GOFLAGS= GOEXPERIMENT=

.PHONY: bundle-%
bundle-%:
	@[ -e build/lambda-$*.zip ] || echo "Compiling the web app, the Lambda function and the host program for $* ..." >&2
	@$(BUNDLE_GO) GOOS=linux GOARCH=$(GOARCH_$*) GOAMD64=v1 GOARM64=v8.0 \
	  go build -trimpath -buildvcs=false -ldflags="-s -w -buildid=" -o build/webapp-$* ./webapp
	@$(BUNDLE_GO) GOOS=linux GOARCH=$(GOARCH_$*) GOAMD64=v1 GOARM64=v8.0 \
	  go build -tags lambda.norpc -trimpath -buildvcs=false -ldflags="-s -w -buildid=" -o build/lambda-$* ./lambda
	@$(BUNDLE_GO) GOOS=linux GOARCH=$(GOARCH_$*) GOAMD64=v1 GOARM64=v8.0 \
	  go build -trimpath -buildvcs=false -ldflags="-s -w -buildid=" -o build/host-$* ./host
	@$(BUNDLE_GO) go run ./internal/bundle build/webapp-$*.zip Procfile=webapp/Procfile bin/application=build/webapp-$* THIRD_PARTY_NOTICES.txt=webapp/THIRD_PARTY_NOTICES.txt
	@$(BUNDLE_GO) go run ./internal/bundle build/lambda-$*.zip bootstrap=build/lambda-$* THIRD_PARTY_NOTICES.txt=lambda/THIRD_PARTY_NOTICES.txt

# npm writes node_modules/.package-lock.json last, so a half-finished install is done again.
.PHONY: node_modules
node_modules: node_modules/.package-lock.json
node_modules/.package-lock.json: package.json package-lock.json
	@echo "Installing the CDK CLI ..."
	@npm ci --silent
	@touch $@

# What cdk.json has. Asked when it is needed: most targets do without.
ENVIRONMENTS = $(shell node -p 'Object.keys(require("./cdk.json").context.environments).join(" ")')
PIPELINE = $(shell node -p 'require("./cdk.json").context.codePipeline ? "pipeline" : ""')

.PHONY: synth
synth: build node_modules ## write and check the CloudFormation templates of every environment and the pipeline, in cdk.out/, and say who reaches what
	@for env in $(ENVIRONMENTS); do \
	  echo "Synthesizing and validating $$env ..."; \
	  rm -rf cdk.out/$$env; \
	  node_modules/.bin/cdk synth --build true --quiet --no-lookups --context env=$$env --context nag=true --output cdk.out/$$env || exit 1; \
	done
	@rm -rf cdk.out/pipeline; [ -z "$(PIPELINE)" ] || { echo "Synthesizing and validating the pipeline ..."; \
	  node_modules/.bin/cdk synth --build true --quiet --no-lookups --context pipeline=true --context nag=true --output cdk.out/pipeline; }
	@for env in $(ENVIRONMENTS); do echo; go run ./cmd/reach cdk.out/$$env || exit 1; done

.PHONY: cost
cost: build node_modules ## say what each environment costs a month, at AWS's list prices
	@for env in $(ENVIRONMENTS); do \
	  CDK_VALIDATION=false node_modules/.bin/cdk synth --build true --quiet --no-lookups --context env=$$env --output build/cost/$$env >build/cost.log 2>&1 || { cat build/cost.log >&2; exit 1; }; \
	done
	@go run ./cmd/cost $(ENVIRONMENTS:%=build/cost/%)

# BASE=REF is what is deployed, HEAD=REF what is to be; the working tree, where it names nothing.
BASE ?=
HEAD ?=

.PHONY: diff
diff: node_modules ## say in Markdown what deploying the working tree over BASE=main does; HEAD=REF for a branch
	@$(call go_build,build/review) ./review && $(call built,build/review)
	@build/review $(if $(BASE),-base "$(BASE)") $(if $(HEAD),-head "$(HEAD)") || [ $$? -lt 3 ]

# PACKAGES=./webapp tests one package.
PACKAGES ?= ./...

.PHONY: test
test: node_modules build ## run every test that needs no root, but those of sqlmap; PACKAGES=./webapp for one package
	@scripts/mysql.sh fetch || echo "Tests that need MySQL will be listed as NOT RUN."
	@scripts/qemu.sh fetch || echo "The test that runs the Lambda function for arm64 will be listed as NOT RUN."
	@echo "Testing (compiling the tests takes a few minutes the first time) ..."
	@CDK_VALIDATION=false scripts/test.sh go test -tags $(TAGS) -count=1 -timeout 30m $(PACKAGES)

# A tag, not a check while running: a laptop's `make test` then has nothing to leave out.
.PHONY: test-root
test-root: node_modules .tools/venv/installed ## run the tests that need root on Linux: hosts with their real daemons, in namespaces of their own
	@$(MAKE) --silent build ARCHITECTURES=$(MACHINE)
	@scripts/mysql.sh fetch
	@scripts/roots.sh fetch
	@scripts/programs.sh fetch
	@echo "Testing with real hosts ..."
	@CDK_VALIDATION=false PATH="$(PROGRAMS):$$PATH" scripts/test.sh go test -tags $(TAGS),root -count=1 -timeout 40m $(ROOT_PACKAGES)

ROOT_PACKAGES := ./host/... ./cmd/rehearse/... ./rehearsal/beanstalk/... ./rehearsal/machine/... ./rehearsal/play/... ./rehearsal/vpc/...

# The tag keeps the holes that sqlmap must find, and the minutes that it takes, out of make test.
.PHONY: sqlmap
sqlmap: .tools/venv/installed ## give every part of every address of the web app to sqlmap, which must find nothing but planted holes
	@scripts/mysql.sh fetch
	@echo "Testing with sqlmap (it takes some minutes) ..."
	@scripts/test.sh go test -tags $(TAGS),sqlmap -count=1 -timeout 40m -run 'Sqlmap|PlantedHoles' ./webapp

# What scripts/programs.sh has fetched.
PROGRAMS := $(CURDIR)/.tools/programs/bin

# CONFIG=FILE names other environments than cdk.json's, UNTIL=flip the last step, KEEP=1 leaves everything running,
# WITHOUT=Bastion,Tunnel leaves stacks out.
CONFIG ?=
UNTIL ?=
KEEP ?=
WITHOUT ?=

.PHONY: rehearse
rehearse: node_modules ## play the whole deployment of ENV=dev on this machine, with real parts; Linux, root
	@[ "$$(id -u)" = 0 ] || { echo "make rehearse: it makes network namespaces and boots hosts, which takes root: sudo make rehearse" >&2; exit 1; }
	@$(MAKE) --silent build ARCHITECTURES=$(MACHINE)
	@scripts/mysql.sh fetch
	@scripts/roots.sh fetch
	@scripts/programs.sh fetch
	@$(call go_build,build/rehearse) ./cmd/rehearse && $(call built,build/rehearse)
	@scripts/rehearse.sh $(MACHINE) "$(ENV)" "$(CONFIG)" $(if $(UNTIL),-until "$(UNTIL)") $(if $(KEEP),-keep) $(if $(WITHOUT),-without "$(WITHOUT)")

# STEPS are stages and steps of the pipeline. Tests and linters take as long as make test and make lint do.
STEPS ?= Build/Synth

.PHONY: pipeline
pipeline: build node_modules ## run steps of the delivery pipeline in a clean root; STEPS="Build/Synth Test/Tests Test/Lint"; Linux, root
	@mkdir -p build && CDK_VALIDATION=false node_modules/.bin/cdk synth --build true --quiet --no-lookups --context pipeline=true --output build/pipeline >build/pipeline.log 2>&1 || { cat build/pipeline.log >&2; exit 1; }
	@scripts/pipeline.sh build/pipeline $(STEPS)

.PHONY: bench
bench: bundle-$(MACHINE) bench-webapp ## compare the Lambda function and the web app with their peers, as ratios
	@scripts/mysql.sh fetch
	@go test -tags $(TAGS) -count=1 -run '^$$' -bench . -benchtime 15x ./bench/lambda

# LENGTH is for how long each is asked for one kind of page in a round, ROUNDS how many there are. WRITE=1 writes the results
# into docs/benchmarks.md. STATEMENTS=1 lists what the pages ask MySQL instead.
LENGTH ?= 4s
ROUNDS ?= 3
WRITE ?=
STATEMENTS ?=

.PHONY: bench-webapp
bench-webapp: bundle-$(MACHINE) .tools/bench/installed ## compare the web app with Flask, Datasette and MySQL's driver, as ratios
	@scripts/mysql.sh fetch
	@scripts/programs.sh fetch
	@PATH="$(PROGRAMS):$$PATH" go test -tags $(TAGS) -count=1 -run '^$$' -bench . -benchtime $(ROUNDS)x ./bench/webapp -length $(LENGTH) $(if $(WRITE),-write ../../docs/benchmarks.md) $(if $(STATEMENTS),-statements)

# PAGE=JSON picks another page.
PAGE ?= table

.PHONY: profile
profile: ## say where the web app itself spends its time on a page; PAGE=overview, table, row or JSON
	@scripts/mysql.sh fetch
	@mkdir -p build && go test -tags $(TAGS) -count=1 -run '^$$' -bench 'Pages/$(PAGE)$$' -benchtime 5s -cpuprofile build/cpu.out -o build/webapp.test ./webapp
	@go tool pprof -top -cum -nodecount 60 build/webapp.test build/cpu.out

.PHONY: lint
lint: synth .tools/venv/installed ## check code, templates, dependencies and secrets, without running anything
	@scripts/lint.sh "$(TAGS)" $(ENVIRONMENTS:%=cdk.out/%) $(PIPELINE:%=cdk.out/%)

.PHONY: emulator
emulator: build node_modules .tools/emulator/installed ## bootstrap, deploy, diff and destroy ENV=dev against an emulator of AWS's APIs, as far as that goes
	@scripts/emulator/run.sh "$(ENV)"

.tools/emulator/installed: scripts/emulator/requirements.txt
	@echo "Installing moto ..."
	@rm -rf .tools/emulator && python3 -m venv .tools/emulator
	@.tools/emulator/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

.PHONY: licenses
licenses: ## write what both zips say of the third-party software in them
	@$(BUNDLE_GO) scripts/licenses.sh

# The stamp is made last, so a half-finished install is done again.
.tools/venv/installed: scripts/requirements.txt
	@echo "Installing cfn-lint, ssh-audit and sqlmap ..."
	@rm -rf .tools/venv && python3 -m venv .tools/venv
	@.tools/venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement scripts/requirements.txt
	@touch $@

.tools/bench/installed: bench/webapp/python/requirements.txt
	@echo "Installing Flask, SQLAlchemy, gunicorn and Datasette ..."
	@rm -rf .tools/bench && python3 -m venv .tools/bench
	@.tools/bench/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

.PHONY: clean
clean: ## remove everything that was built or fetched
	@rm -rf build cdk.out node_modules .tools bench/lambda/node/node_modules

##@ On AWS, for ENV=dev unless given (docs/operate.md)

# EXPOSURE=public deploys the public phase, and YES=yes answers the question for scripts: YES=prod for production, and the
# environment's name for destroy. CONFIG=FILE names other environments than cdk.json's.
EXPOSURE ?=
# Not ?=, which would take an answer to all questions from a variable that is exported.
YES =
# TUNNEL=bi tries one tunnel, INSTANCE=i-… enters one of the web app's instances.
TUNNEL ?=
INSTANCE ?=
# LOG= is one of access, app, deployment, error, function, jump and tunnel; FOLLOW=1 goes on.
LOG ?= app
SINCE ?= 10m
FOLLOW ?=

# The program takes the place of the shell, and the AWS CLI that of the program where it talks to the person.
operate = $(call go_build,build/operate) ./cmd/operate && $(call built,build/operate) && exec build/operate $(1) -env "$(ENV)" -config "$(CONFIG)"

.PHONY: doctor
doctor: ## say what a deployment lacks: tools, credentials, quotas, the free plan's limits
	@$(call operate,doctor)

.PHONY: deploy
deploy: node_modules ## deploy every stack, after a look and a question; EXPOSURE=public YES=yes
	@$(call operate,deploy) -exposure "$(EXPOSURE)" -yes "$(YES)"

.PHONY: webapp-deploy
webapp-deploy: node_modules ## deploy the web app alone, after a question; YES=yes
	@$(call operate,webapp-deploy) -exposure "$(EXPOSURE)" -yes "$(YES)"

.PHONY: webapp-local
webapp-local: ## run the web app of this folder on the public phase's database; PORT=5000
	@$(call go_build,build/webapp) ./webapp && $(call built,build/webapp)
	@$(call operate,webapp-local)

.PHONY: open
open: ## print the site's address, and show it in a browser
	@$(call operate,open)

.PHONY: status
status: ## one screen: stacks, database, web app, tunnels, alarms
	@$(call operate,status)

.PHONY: logs
logs: ## show a log; LOG=app SINCE=10m FOLLOW=1
	@$(call operate,logs) -log "$(LOG)" -since "$(SINCE)" $(if $(FOLLOW),-follow)

.PHONY: shell-web
shell-web: ## a shell on the web app's instance, through Session Manager; INSTANCE=i-…
	@$(call operate,shell-web) -instance "$(INSTANCE)"

.PHONY: shell-jump
shell-jump: ## a shell on the jump server, through Session Manager
	@$(call operate,shell-jump)

.PHONY: tunnel-test
tunnel-test: ## try the tunnels by hand, on their host; TUNNEL=bi
	@$(call operate,tunnel-test) -tunnel "$(TUNNEL)"

.PHONY: destroy
destroy: node_modules ## take the environment down, after saying what stays; YES=NAME
	@$(call operate,destroy) -yes "$(YES)"
