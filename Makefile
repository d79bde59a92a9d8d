# What a newcomer types. Each target installs what it needs; the scripts are in .make/.

.PHONY: run test build release bench bench-check fuzz soak reference clean scenarios install uninstall deb

run: build     ## the sample server and the gateway on loopback, one call through them, then the configuration to paste
	@.make/run

test:          ## everything: Swift tests, the layers, the scenarios against the real MCP SDKs
	@.make/test

build:         ## the debug build
	@.make/build

release:       ## the release build, the Swift runtime in it: .build/release/claviger
	@.make/release

install:       ## what `make release` built, with manual, completions and units; DESTDIR and PREFIX (/usr/local) as usual
	@DESTDIR='$(DESTDIR)' PREFIX='$(or $(PREFIX),/usr/local)' .make/install

uninstall:     ## takes away what `make install` put there; configuration and state stay
	@DESTDIR='$(DESTDIR)' PREFIX='$(or $(PREFIX),/usr/local)' .make/install --uninstall

deb: release   ## the Debian package of the release build: .build/deb/
	@.make/deb

bench:         ## what it costs beside nginx, HAProxy and Envoy; `make bench ARGS=--quick` takes three minutes
	@.make/bench $(ARGS)

bench-check:   ## the micro-benchmarks, held to their thresholds of allocations and instructions
	@.make/bench-check

scenarios: build
	@.make/scenarios

fuzz:          ## the parsers under libFuzzer
	@.make/need
	@Tests/Fuzz/run

soak: build    ## what takes long: kill -9 at two hundred random instants, 500 reloads under load, OAuth through 2,000 expiries with 50 callers
	@.make/soak $(ARGS)

reference:     ## writes the reference pages of settings and metrics from their declarations
	@.make/reference

clean:
	rm -rf .build
