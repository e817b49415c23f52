# The one front door. Every word works from bare Debian 12 with Rust and apt, and ends with lines `name: value`.
SHELL := /bin/sh
CARGO ?= cargo
MODELS := $(CURDIR)/var/models
PICTURES := $(CURDIR)/var/pictures
export MENKA_MODELS := $(MODELS)
export MENKA_PICTURES := $(PICTURES)
PRACTICE := --features practice

.PHONY: run test bench screenshots e2e accuracy test-camera trace fuzz chaos theft setup setup-run models pictures lint clean-practice

run: setup-run
	$(CARGO) build --release $(PRACTICE) --bins
	./target/release/menka --practice $(CURDIR)/var/practice $(WITH)

setup: setup-apt models pictures
setup-run: setup-apt-run models pictures

.PHONY: setup-apt setup-apt-run
setup-apt:
	@sh packaging/setup/apt.sh all
setup-apt-run:
	@sh packaging/setup/apt.sh run
models:
	@sh packaging/setup/models.sh $(MODELS)
pictures:
	@bash packaging/setup/pictures.sh $(PICTURES)

test: setup
	@sh packaging/setup/test.sh

bench: setup
	@bash packaging/setup/bench.sh

screenshots: setup
	@bash packaging/setup/screenshots.sh

e2e: setup
	$(CARGO) build --release $(PRACTICE) --bins
	./target/release/menka --e2e "$(FACES)"

accuracy: setup
	$(CARGO) build --release $(PRACTICE) --bins
	./target/release/menka --accuracy "$(FACES)"

test-camera: setup
	@bash packaging/vm/run.sh

trace: setup
	@sh packaging/setup/trace.sh

# FUZZ_SECONDS=600 for a longer look at each target.
fuzz: setup
	@bash packaging/setup/fuzz.sh $(or $(FUZZ_SECONDS),60)

# Kills, bad disks, wrong clocks, bad networks. CHAOS_KILLS=100 for a shorter one; WHAT="gate-kills clocks" for parts of it.
chaos: setup
	@bash packaging/setup/chaos.sh $(or $(WHAT),all)

# What a thief learns from files, a disk, a dump, swap and memory.
theft: setup
	@bash packaging/setup/theft.sh

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy $(PRACTICE) --all-targets -- -D warnings

clean-practice:
	rm -rf var/practice
