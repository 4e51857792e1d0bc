# The one entry to everything: `make help` says what there is.
#
# Needs GNU make, 3.81 (macOS) or later. New source files are found by wildcard.

.SUFFIXES:
.DEFAULT_GOAL := build

VERSION := $(shell sed -n 's/^ *@version "\(.*\)"/\1/p' mix.exs)
OS := $(shell uname -s)

# What each folder under build/ holds: release, test, debug, asan, tsan, valgrind or fuzz.
CONFIG := $(or $(ROOMFOLD_CONFIG),release)
ifeq ($(filter release test debug asan tsan valgrind fuzz,$(CONFIG)),)
$(error CONFIG=$(CONFIG): must be release, test, debug, asan, tsan, valgrind or fuzz)
endif
BUILD := build/$(CONFIG)
# Mix loads the libraries from here.
PRIV := priv
# For `make fuzz`: how long each target runs; for `make bench`: how long a crowd plays.
SECONDS := 60
# For `make crash`, `port-crash`, `simulate`, `chaos` and `streams`: how often, and from where.
N := 1000
SEED := 1
# For `make tsan`: how often. For it, asan and valgrind: files of tests, where not all.
TIMES := 3
TESTS :=
PREFIX := /usr/local
OBJCOPY := objcopy
DESTDIR :=
PLACE = $(DESTDIR)$(PREFIX)

# --- what to compile -------------------------------------------------------------------------------

CORE_SRC := $(sort $(wildcard c_src/core/*/*.c))
NIF_SRC := $(sort $(wildcard c_src/nif/*.c))
LOG_SRC := $(sort $(wildcard c_src/log/*.c))
PORT_SRC := $(sort $(wildcard c_src/port/*.c))
CLI_SRC := $(sort $(wildcard c_src/cli/*.c))
TEST_SRC := $(sort $(wildcard tests/c/test_*.c))
FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
# What the tests share.
SUPPORT_SRC := $(filter-out $(TEST_SRC),$(sort $(wildcard tests/c/*.c)))

CORE_OBJ := $(CORE_SRC:%.c=$(BUILD)/%.o)
NIF_OBJ := $(NIF_SRC:%.c=$(BUILD)/%.o)
LOG_OBJ := $(LOG_SRC:%.c=$(BUILD)/%.o)
# What reads a log, without the VM.
LOG_READ_OBJ := $(filter-out $(BUILD)/c_src/log/log_nif.o,$(LOG_OBJ))
PORT_OBJ := $(PORT_SRC:%.c=$(BUILD)/%.o)
CLI_OBJ := $(CLI_SRC:%.c=$(BUILD)/%.o) $(BUILD)/builtin_rules.o
# With SQLITE=yes (`make program` looks whether it is there) the program reads logs, else it says what to install.
SQLITE := no
CLI_OTHER := $(BUILD)/c_src/cli/$(if $(filter yes,$(SQLITE)),no_database.o,database.o)
TEST_OBJ := $(TEST_SRC:%.c=$(BUILD)/%.o)
FUZZ_OBJ := $(FUZZ_SRC:%.c=$(BUILD)/%.o)
SUPPORT_OBJ := $(SUPPORT_SRC:%.c=$(BUILD)/%.o)
ALL_OBJ := $(CORE_OBJ) $(NIF_OBJ) $(LOG_OBJ) $(PORT_OBJ) $(CLI_OBJ) $(TEST_OBJ) $(FUZZ_OBJ) $(SUPPORT_OBJ)

LIB := $(BUILD)/libroomfold.a
LOG_LIB := $(BUILD)/libroomfold_log.a
NIF := $(if $(NIF_SRC),$(PRIV)/roomfold_nif.so)
LOG_NIF := $(PRIV)/roomfold_log_nif.so
PORT := $(PRIV)/roomfold_port
CLI := $(PRIV)/roomfold
TEST_BIN := $(TEST_SRC:tests/c/%.c=$(BUILD)/%)
FUZZ_BIN := $(FUZZ_SRC:tests/fuzz/%.c=$(BUILD)/%)

# What only pattern rules name would be deleted once it is used. Not all files: what is secondary is built late, behind sub-makes.
.SECONDARY: $(TEST_OBJ) $(FUZZ_OBJ) $(SUPPORT_OBJ)

# --- how to compile --------------------------------------------------------------------------------

OPTIMISE_release := -O3 -DNDEBUG
OPTIMISE_test := -O2 -g
OPTIMISE_debug := -O0 -g
OPTIMISE_asan := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
OPTIMISE_tsan := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
OPTIMISE_valgrind := -O1 -g
OPTIMISE_fuzz := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
OPTIMISE := $(OPTIMISE_$(CONFIG)) $(if $(LTO),-flto)

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wvla -Wformat=2 $(if $(WERROR),-Werror)
# Not for the tests: the macros of check.h convert freely.
STRICT := -Wconversion -Wsign-conversion

# Calls into the VM and libc go straight to where they lead, as an ELF loader finds it before the first one.
NO_PLT := $(if $(filter Linux,$(OS)),-fno-plt)
# Without -ffp-contract=off the same input would not give the same bytes with every compiler.
COMPILE = $(CC) -std=c17 $(OPTIMISE) -fPIC $(NO_PLT) -fvisibility=hidden -ffp-contract=off $(WARNINGS) \
	-Ic_src/include -DRF_VERSION='"$(VERSION)"' $(CPPFLAGS) $(CFLAGS) -MMD -MP
LINK = $(CC) $(OPTIMISE) $(CFLAGS) $(LDFLAGS)

# A NIF library shows the VM its entry point and nothing else.
ifeq ($(OS),Darwin)
LINK_NIF = $(LINK) -bundle -undefined dynamic_lookup -Wl,-exported_symbol,_nif_init
SHARED_LIB := libroomfold.$(VERSION).dylib
SHARED_LINK := libroomfold.dylib
LINK_SHARED = $(LINK) -dynamiclib -install_name $(PREFIX)/lib/$(SHARED_LIB)
else
LINK_NIF = $(LINK) -shared -Wl,--version-script=tools/nif.map
SHARED_LIB := libroomfold.so.$(VERSION)
SHARED_LINK := libroomfold.so
LINK_SHARED = $(LINK) -shared -Wl,-soname,$(SHARED_LIB)
endif

# Looked up at first use and once. Mix passes its own.
ifndef ERTS_INCLUDE_DIR
ERTS_INCLUDE_DIR = $(eval ERTS_INCLUDE_DIR := $$(shell tools/erts-include))$(ERTS_INCLUDE_DIR)
endif
# The port program needs Erlang's library ei, nothing else does. Empty: there is none.
ifndef EI_DIR
EI_DIR = $(eval EI_DIR := $$(shell tools/ei-dir))$(EI_DIR)
endif
TEST_CFLAGS = $(eval TEST_CFLAGS := $$(shell pkg-config --cflags check jansson zlib))$(TEST_CFLAGS)
TEST_LIBS = $(eval TEST_LIBS := $$(shell pkg-config --libs check jansson zlib))$(TEST_LIBS)

# Elixir warns under a POSIX locale unless it is told that file names are UTF-8.
export ELIXIR_ERL_OPTIONS := $(filter-out +fnu,$(ELIXIR_ERL_OPTIONS)) +fnu
export MAKE

# The program needs them, nothing else does.
CLI_CFLAGS = $(eval CLI_CFLAGS := $$(shell pkg-config --cflags jansson zlib))$(CLI_CFLAGS)
CLI_LIBS = $(eval CLI_LIBS := $$(shell pkg-config --libs jansson zlib))$(CLI_LIBS)

# The log in SQLite needs it, nothing else does.
LOG_CFLAGS = $(eval LOG_CFLAGS := $$(shell pkg-config --cflags sqlite3))$(LOG_CFLAGS)
LOG_LIBS = $(eval LOG_LIBS := $$(shell pkg-config --libs sqlite3))$(LOG_LIBS)

# A line for each command; with V=1 the command itself.
say = $(if $(V),,@echo '  $(1)' && )

# replace FILE NEW: a new content takes the file's place.
replace = if cmp -s $(2) $(1); then rm $(2); else mv $(2) $(1); fi

# As many at once as there are processors, where make was not told how many (-j).
JOBS := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
PARALLEL = $(if $(or $(findstring jobserver,$(MAKEFLAGS)),$(filter -j%,$(MAKEFLAGS))),,-j$(JOBS))

# --- goals -----------------------------------------------------------------------------------------

.PHONY: build setup demo test bench fuzz asan tsan valgrind crash simulate chaos streams port-crash casts arm check format \
	phoenix test-phoenix install uninstall install-program install-log clean help native log port program clean-native \
	c-tests fuzzers FORCE page

# Sub-makes one behind the other: two that build the same files at once would disturb one another.
build: ## build the library, the NIF, the program and the Elixir code
	@$(MAKE) --no-print-directory $(PARALLEL) $(LIB)
	@$(MAKE) --no-print-directory program
	@mix compile

setup: ## install what is missing, with the system's package manager
	@tools/setup all

demo: ## the main job: fold a real match, print what happened, write a page that plays it; then a live room
	@tools/setup demo
	@$(MAKE) --no-print-directory build
	@mix roomfold.demo
	@tools/live

test: ## everything that must pass (installs and builds by itself)
	@tools/setup all
	@$(MAKE) --no-print-directory build
	@tools/test

bench: ## measure against the peers, as a table and as CSV
	@tools/setup build
	@$(MAKE) --no-print-directory build
	@bench/run $(SECONDS)

fuzz: ## fuzz every decoder for SECONDS=60 each (clang)
	@tools/setup fuzz
	@tools/fuzz $(SECONDS)

asan: ## C tests and mix test (or TESTS='FILE ...' of it) with address and undefined-behaviour sanitizers
	@tools/setup all
	@tools/asan $(TESTS)

tsan: ## mix test (or TESTS='FILE ...' of it) under the thread sanitizer, TIMES=3 times
	@tools/setup all
	@TIMES=$(TIMES) tools/tsan $(TESTS)

valgrind: ## C tests and the NIF's own tests under memcheck
	@tools/setup valgrind
	@tools/valgrind $(TESTS)

crash: ## kill -9 a VM that writes a log, one with rooms, and one that forks, N=1000 times each; flip a bit of each byte of a log
	@tools/setup all
	@MIX_ENV=test mix compile
	@MIX_ENV=test CRASHES=$(N) BITS=1 mix test \
		tests/elixir/event_log_crash_test.exs tests/elixir/crash_test.exs tests/elixir/room_fork_crash_test.exs \
		tests/elixir/event_log_damage_test.exs

simulate: ## N=1000 simulated clusters with faults, from SEED=1: the real rooms, sessions and log in virtual time
	@MIX_ENV=test mix compile
	@MIX_ENV=test SIMULATIONS=$(N) SEED=$(SEED) mix test tests/elixir/simulator_test.exs

chaos: ## N=1000 splits, freezes, kills and restarts of real nodes, at random from SEED=1
	@tools/setup all
	@MIX_ENV=test mix compile
	@MIX_ENV=test CHAOS=$(N) SEED=$(SEED) mix test tests/elixir/cluster_chaos_test.exs

streams: ## N=1000 random streams from SEED=1: diffs lead from snapshot to snapshot in C (100 times as many), Elixir and JavaScript
	@tools/setup all
	@$(MAKE) --no-print-directory $(PARALLEL) CONFIG=test build/test/test_wire_streams
	SEED=$(SEED) RUNS=$$(($(N) * 100)) build/test/test_wire_streams
	SEED=$(SEED) RUNS=$(N) node --test tests/js/streams.test.mjs
	@MIX_ENV=test mix compile
	MIX_ENV=test SEED=$(SEED) RUNS=$(N) mix test tests/elixir/wire_streams_test.exs

casts: ## random shots against the slow reference, on every SIMD path: N=10000000
	@tools/setup all
	@$(MAKE) --no-print-directory $(PARALLEL) CONFIG=test build/test/test_hit
	CK_DEFAULT_TIMEOUT=0 ROOMFOLD_CASTS=$(if $(filter file,$(origin N)),10000000,$(N)) build/test/test_hit

arm: ## the tests of hits on an emulated ARM (NEON), if its compiler and qemu are there
	@tools/arm

port-crash: ## kill, abort and stop the port program while events flow, N=1000 times; close it as often; N * 1000 frames that are none
	@tools/setup all
	@MIX_ENV=test mix compile
	@MIX_ENV=test CRASHES=$(N) mix test tests/elixir/port_crash_test.exs

check: ## formatting, warnings of gcc and clang, layers, static checks
	@tools/setup all
	@tools/check

page: ## build the page of a live room, web/, into priv/static (npm)
	@cd web && npm ci --silent --no-audit --no-fund && npm run --silent build

format: ## format the C and the Elixir code
	@tools/setup format
	@clang-format -i $$(tools/c-files)
	@mix format

phoenix: ## the Phoenix app, elixir/xr: starts it and says its address (PORT=4000)
	@tools/setup build
	@tools/phoenix serve

test-phoenix: ## the tests that need Phoenix itself; fails where its packages can't be had
	@tools/setup all
	@tools/phoenix test

install: ## the C library, the program and its manual into PREFIX=/usr/local (below DESTDIR=)
	@$(MAKE) --no-print-directory $(PARALLEL) $(LIB) $(BUILD)/$(SHARED_LIB)
	@$(MAKE) --no-print-directory program
	install -d $(PLACE)/include/roomfold $(PLACE)/lib/pkgconfig
	install -m 644 c_src/include/roomfold/* $(PLACE)/include/roomfold
	install -m 644 $(LIB) $(PLACE)/lib
	install -m 755 $(BUILD)/$(SHARED_LIB) $(PLACE)/lib
	ln -sf $(SHARED_LIB) $(PLACE)/lib/$(SHARED_LINK)
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' tools/roomfold.pc.in > $(PLACE)/lib/pkgconfig/roomfold.pc
	@test ! -f $(LOG_LIB) || $(MAKE) --no-print-directory install-log
	@test ! -x $(CLI) || $(MAKE) --no-print-directory install-program

# What reads a log in SQLite (roomfold/log.h).
install-log:
	install -m 644 $(LOG_LIB) $(PLACE)/lib
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' tools/roomfold_log.pc.in > $(PLACE)/lib/pkgconfig/roomfold_log.pc

install-program:
	install -d $(PLACE)/bin $(PLACE)/share/man/man1
	install -m 755 $(CLI) $(PLACE)/bin/roomfold
	sed 's|@VERSION@|$(VERSION)|' docs/roomfold.1 > $(PLACE)/share/man/man1/roomfold.1

uninstall: ## remove what make install put there (the same PREFIX= and DESTDIR=)
	rm -rf $(PLACE)/include/roomfold
	rm -f $(PLACE)/lib/libroomfold.a $(PLACE)/lib/$(SHARED_LIB) $(PLACE)/lib/$(SHARED_LINK)
	rm -f $(PLACE)/lib/libroomfold_log.a $(PLACE)/lib/pkgconfig/roomfold_log.pc
	rm -f $(PLACE)/lib/pkgconfig/roomfold.pc $(PLACE)/bin/roomfold $(PLACE)/share/man/man1/roomfold.1

clean: ## remove everything that was built
clean: clean-native
	rm -rf build _build

help: ## this list
	@sed -n 's/^\([a-z-]*\): ## \(.*\)/  make \1|\2/p' Makefile | \
		while IFS='|' read -r goal text; do printf '%-20s %s\n' "$$goal" "$$text"; done
	@echo
	@echo '  CC=clang  another compiler         CFLAGS= LDFLAGS=  are added to ours'
	@echo '  WERROR=1  warnings are errors      LTO=1  optimises across files'
	@echo '  V=1       shows the commands'

# What Mix calls.
native: $(NIF)
	@$(MAKE) --no-print-directory log
	@$(MAKE) --no-print-directory port

log:
	@if pkg-config --exists 'sqlite3 >= 3.20' 2>/dev/null; then $(MAKE) --no-print-directory $(PARALLEL) $(LOG_NIF); \
	else echo "left out: $(LOG_NIF), which needs SQLite 3.20 or later (make setup)"; fi

port:
	@if [ -n "$(EI_DIR)" ]; then $(MAKE) --no-print-directory $(PARALLEL) $(PORT) EI_DIR="$(EI_DIR)"; \
	else echo "left out: $(PORT), which needs Erlang's library ei (Debian and Ubuntu: apt-get install erlang-dev)"; fi

program:
	@if pkg-config --exists jansson zlib 2>/dev/null; then \
		if pkg-config --exists 'sqlite3 >= 3.20' 2>/dev/null; then sqlite=yes; else sqlite=no; fi; \
		$(MAKE) --no-print-directory $(PARALLEL) SQLITE=$$sqlite $(CLI); \
	else echo "left out: $(CLI), which needs jansson and zlib (make setup)"; fi

clean-native:
	rm -rf $(BUILD)
	rm -f $(PRIV)/roomfold_nif.so $(LOG_NIF) $(PORT) $(CLI)

c-tests: $(TEST_BIN)
fuzzers: $(FUZZ_BIN)

# --- rules -----------------------------------------------------------------------------------------

# Other flags or another list of files count as a change. Written only when different, by whichever make it is.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' "$(subst ",\",$(COMPILE) $(LDFLAGS))" > $@.$$$$; $(call replace,$@,$@.$$$$)

$(BUILD)/files: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(ALL_OBJ)' > $@.$$$$; $(call replace,$@,$@.$$$$)

$(BUILD)/c_src/core/%.o: c_src/core/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC $<)$(COMPILE) $(STRICT) -iquote c_src/core -c -o $@ $<

$(BUILD)/c_src/nif/%.o: c_src/nif/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC $<)$(COMPILE) $(STRICT) -isystem $(ERTS_INCLUDE_DIR) -c -o $@ $<

# Its locks and file names are POSIX's, flock is BSD's.
$(BUILD)/c_src/log/%.o: c_src/log/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC $<)$(COMPILE) $(STRICT) -D_DEFAULT_SOURCE $(LOG_CFLAGS) $(if $(filter %_nif.c,$<),-isystem $(ERTS_INCLUDE_DIR)) -c -o $@ $<

# Its pipes are the system's.
$(BUILD)/c_src/port/%.o: c_src/port/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC $<)$(COMPILE) $(STRICT) -D_GNU_SOURCE -isystem $(EI_DIR)/include -c -o $@ $<

$(BUILD)/c_src/cli/%.o: c_src/cli/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC $<)$(COMPILE) $(STRICT) -D_POSIX_C_SOURCE=200809L $(CLI_CFLAGS) -c -o $@ $<

# The tables of priv/rules are part of the program.
$(BUILD)/builtin_rules.c: $(sort $(wildcard priv/rules/*.json)) tools/embed-rules
	@mkdir -p $(@D)
	$(call say,GEN $@)tools/embed-rules $(filter %.json,$^) > $@.new && mv -f $@.new $@

$(BUILD)/builtin_rules.o: $(BUILD)/builtin_rules.c $(BUILD)/flags
	$(call say,CC $<)$(COMPILE) $(STRICT) -iquote c_src/cli -c -o $@ $<

$(BUILD)/tests/c/%.o: tests/c/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC $<)$(COMPILE) -D_POSIX_C_SOURCE=200809L -iquote c_src -iquote c_src/core $(TEST_CFLAGS) -c -o $@ $<

$(LIB): $(CORE_OBJ) $(BUILD)/files
	$(call say,AR $@)rm -f $@ && $(AR) rcs $@ $(CORE_OBJ)

$(BUILD)/$(SHARED_LIB): $(CORE_OBJ) $(BUILD)/files
	$(call say,LD $@)$(LINK_SHARED) -o $@ $(CORE_OBJ) -lm

# A running VM may have the old library mapped: the new one takes its name, never its place on the disk.
$(PRIV)/roomfold_nif.so: $(NIF_OBJ) $(CORE_OBJ) $(BUILD)/files
	@mkdir -p $(@D)
	$(call say,LD $@)$(LINK_NIF) -o $@.new $(NIF_OBJ) $(CORE_OBJ) -lm && mv -f $@.new $@

$(LOG_NIF): $(LOG_OBJ) $(BUILD)/files
	@mkdir -p $(@D)
	$(call say,LD $@)$(LINK_NIF) -o $@.new $(LOG_OBJ) $(LOG_LIBS) && mv -f $@.new $@

# One object, of which the tools of ELF can hide all but what is public.
$(BUILD)/roomfold_log.o: $(LOG_READ_OBJ) $(BUILD)/files
	@$(LD) -r -o $@ $(LOG_READ_OBJ) && { $(OBJCOPY) --localize-hidden $@ 2>/dev/null || :; }

$(LOG_LIB): $(BUILD)/roomfold_log.o
	$(call say,AR $@)rm -f $@ && $(AR) rcs $@ $<

$(PORT): $(PORT_OBJ) $(CORE_OBJ) $(BUILD)/files
	@mkdir -p $(@D)
	$(call say,LD $@)$(LINK) -o $@.new $(PORT_OBJ) $(CORE_OBJ) $(EI_DIR)/lib/libei.a -lm -lpthread && mv -f $@.new $@

$(CLI): $(filter-out $(CLI_OTHER),$(CLI_OBJ)) $(LIB) $(if $(filter yes,$(SQLITE)),$(LOG_LIB)) $(BUILD)/files
	@mkdir -p $(@D)
	$(call say,LD $@)$(LINK) -o $@.new $(filter %.o %.a,$^) $(CLI_LIBS) $(if $(filter yes,$(SQLITE)),$(LOG_LIBS) -lpthread) -lm && mv -f $@.new $@

# One of them is about how the port program reads.
$(BUILD)/test_port_frames: $(BUILD)/c_src/port/frames.o
# And one about the log's checksums.
$(BUILD)/test_crc32c: $(BUILD)/c_src/log/crc32c.o

$(BUILD)/test_%: $(BUILD)/tests/c/test_%.o $(SUPPORT_OBJ) $(CORE_OBJ) $(BUILD)/files
	$(call say,LD $@)$(LINK) -o $@ $(filter %.o,$^) $(TEST_LIBS) -lm -lpthread

$(BUILD)/tests/fuzz/%.o: tests/fuzz/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC $<)$(COMPILE) -Wno-missing-prototypes -iquote c_src -iquote c_src/core -c -o $@ $<

# One of them is about lines as the program reads and writes them.
$(BUILD)/fuzz_changes: $(addprefix $(BUILD)/c_src/cli/,changes.o json_slices.o shape_writer.o output.o)

# And one about what comes to the port program.
$(BUILD)/fuzz_port_call: $(filter-out %/main.o %/watch.o,$(PORT_OBJ))
$(BUILD)/fuzz_port_call: FUZZ_LIBS = $(EI_DIR)/lib/libei.a -lpthread

$(BUILD)/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(CORE_OBJ) $(BUILD)/files
	$(call say,LD $@)$(LINK) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(FUZZ_LIBS) -lm

-include $(ALL_OBJ:.o=.d)
