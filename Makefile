# ntpward: `make help` lists what can be asked for.
#
# One static library a folder, one program a process: what a program links is what that process can
# do. Sources are found by folder; a file named *main.cc is a program and in no library.

MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.SECONDEXPANSION:
.DEFAULT_GOAL := all

BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
CXX     := $(if $(filter default undefined,$(origin CXX)),g++,$(CXX))
SANITIZE ?=
WERROR  ?=

sbindir    := $(PREFIX)/sbin
bindir     := $(PREFIX)/bin
libexecdir := $(PREFIX)/libexec/ntpward
mandir     := $(PREFIX)/share/man
docdir     := $(PREFIX)/share/doc/ntpward

VERSION := $(shell cat VERSION)

COMPILED_IN := -DNTPWARD_VERSION='"$(VERSION)"' -DNTPWARD_LIBEXECDIR='"$(libexecdir)"'
CPPFLAGS += -I. -D_GNU_SOURCE $(COMPILED_IN)
# -g1 is what a backtrace needs; all of -g makes the build half as long again.
CXXFLAGS ?= -O2 -g1
HARDEN := -fstack-protector-strong -fstack-clash-protection -fPIE -ftrivial-auto-var-init=pattern \
          $(if $(SANITIZE),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
WARN := -Wall -Wextra -Wshadow -Wconversion -Wnon-virtual-dtor -Wno-missing-field-initializers \
        $(if $(WERROR),-Werror)
STD  := -std=c++20 -fno-exceptions -fno-rtti
SAN  := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer)
ALL_CXXFLAGS = $(STD) $(CXXFLAGS) $(HARDEN) $(WARN) $(SAN)
ALL_LDFLAGS  = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SAN) $(LDFLAGS)

# --- what must be installed -------------------------------------------------------------------
# Asked anew by each make that builds something; installs only what lacks.
ifneq ($(filter-out clean help uninstall,$(or $(MAKECMDGOALS),all)),)
  DEPENDENCIES_FOR := $(if $(filter lint,$(MAKECMDGOALS)),--ci,\
                        $(if $(findstring clang,$(CXX))$(filter clang-programs fuzz fuzz-run asan-test,$(MAKECMDGOALS)),--clang))
  ifneq ($(shell packaging/install-deps $(DEPENDENCIES_FOR) >&2 && echo present),present)
    $(error packaging/install-deps failed: see above)
  endif
endif
pkg = $(shell pkg-config --libs $(1) 2>/dev/null)

# --- libraries: folder(s), and what each links ------------------------------------------------
COMPONENTS := privsep keys config settings wire core autokey control net clock resolve supervisor ntpq support
DIRS_privsep    := privsep privsep/base privsep/msg
DIRS_keys       := keys
DIRS_config     := ntpd/config
DIRS_settings   := ntpd/settings
DIRS_wire       := ntpd/wire
DIRS_core       := ntpd/core
DIRS_autokey    := ntpd/autokey
DIRS_control    := ntpd/control
DIRS_net        := ntpd/net
DIRS_clock      := ntpd/clock
DIRS_resolve    := ntpd/resolve
DIRS_supervisor := ntpd/supervisor
DIRS_ntpq       := ntpq
DIRS_support    := tests/support

# Link order: a library before what it uses.
LIBS_privsep    := privsep
LIBS_keys       := keys $(LIBS_privsep)
LIBS_config     := config $(LIBS_privsep)
LIBS_settings   := settings $(LIBS_config)
LIBS_wire       := wire $(LIBS_privsep)
LIBS_core       := core $(LIBS_wire)
LIBS_autokey    := autokey wire $(LIBS_keys)
LIBS_control    := control $(LIBS_wire)
LIBS_clock      := clock $(LIBS_privsep)
LIBS_resolve    := resolve $(LIBS_privsep)
LIBS_net        := net control settings config autokey core wire $(LIBS_keys)
LIBS_supervisor := supervisor $(LIBS_settings)
LIBS_ntpq       := ntpq $(LIBS_wire)

SYS_privsep    := libseccomp libcap
SYS_keys       := openssl $(SYS_privsep)
SYS_config     := $(SYS_privsep)
SYS_settings   := $(SYS_privsep)
SYS_wire       := openssl $(SYS_privsep)
SYS_core       := $(SYS_wire)
SYS_autokey    := openssl $(SYS_privsep)
SYS_control    := openssl $(SYS_privsep)
SYS_clock      := $(SYS_privsep)
SYS_resolve    := libevent_core $(SYS_privsep)
SYS_net        := libevent_core openssl $(SYS_privsep)
SYS_supervisor := libevent_core $(SYS_privsep)
SYS_ntpq       := openssl libedit $(SYS_privsep)

# --- programs: main source, component ---------------------------------------------------------
PROGRAMS := ntpd ntpd-net ntpd-clock ntpd-resolve ntpd-keys ntp-keygen ntpq
MAIN_ntpd         := ntpd/supervisor/main.cc
MAIN_ntpd-net     := ntpd/net/main.cc
MAIN_ntpd-clock   := ntpd/clock/main.cc
MAIN_ntpd-resolve := ntpd/resolve/main.cc
MAIN_ntpd-keys    := keys/ntpd_keys_main.cc
MAIN_ntp-keygen   := keys/ntp_keygen_main.cc
MAIN_ntpq         := ntpq/main.cc
OF_ntpd := supervisor
OF_ntpd-net := net
OF_ntpd-clock := clock
OF_ntpd-resolve := resolve
OF_ntpd-keys := keys
OF_ntp-keygen := keys
OF_ntpq := ntpq
PRESENT := $(foreach p,$(PROGRAMS),$(if $(wildcard $(MAIN_$(p))),$(p)))

sources = $(filter-out %main.cc,$(wildcard $(addsuffix /*.cc,$(1))))
objects = $(patsubst %.cc,$(BUILD)/obj/%.o,$(1))
archive = $(BUILD)/lib/lib$(1).a
archives = $(foreach l,$(1),$(call archive,$(l)))

## make                 build everything into $(BUILD) (BUILD=build CXX=g++ WERROR= SANITIZE=)
all: $(addprefix $(BUILD)/bin/,$(PRESENT))

define component_rules
$(call archive,$(1)): $(call objects,$(call sources,$(DIRS_$(1))))
endef
$(foreach c,$(COMPONENTS),$(eval $(call component_rules,$(c))))
$(BUILD)/lib/%.a:
	@mkdir -p $(@D)
	@rm -f $@
	@ar rcs $@ $(filter %.o,$^)

define program_rules
$(BUILD)/bin/$(1): $(call objects,$(MAIN_$(1))) $(call archives,$(LIBS_$(OF_$(1))))
	@mkdir -p $$(@D) $(BUILD)/map
	@echo "  LINK  $(1)"
	@$(CXX) $(ALL_LDFLAGS) -Wl,-Map=$(BUILD)/map/$(1) -o $$@ $$^ $(call pkg,$(SYS_$(OF_$(1))))
endef
$(foreach p,$(PRESENT),$(eval $(call program_rules,$(p))))

$(BUILD)/obj/%.o: %.cc
	@mkdir -p $(@D)
	@echo "  CXX   $<"
	@$(CXX) $(CPPFLAGS) $(ALL_CXXFLAGS) -MMD -MP -c -o $@ $<
# `make install PREFIX=` after `make`: what has the place compiled in is compiled again.
$(call objects,$(shell grep -rl --include=*.cc NTPWARD_ privsep keys ntpd ntpq)): $(BUILD)/compiled-in
$(BUILD)/compiled-in: WORDS = $(COMPILED_IN)
$(BUILD)/compiled-with: WORDS = $(CXX) $(CPPFLAGS) $(ALL_CXXFLAGS)
$(BUILD)/compiled-in $(BUILD)/compiled-with: FORCE
	@mkdir -p $(@D)
	@echo $(WORDS) | cmp -s - $@ || echo $(WORDS) >$@
FORCE:
-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

# --- tests: tests/<component>/foo_test.cc links that component --------------------------------
# There are hundreds of them to link, which gold does in half the time; it comes with binutils. It says of each
# symbol of the sanitizers that it cannot export it.
TEST_LINKER   := $(if $(SANITIZE),,$(if $(shell command -v ld.gold 2>/dev/null),-fuse-ld=gold))
# They are half of what is compiled: not optimised, and what most of them include of the standard library is
# parsed once.
TEST_CXXFLAGS := -O0 -U_FORTIFY_SOURCE
STANDARD      := $(BUILD)/precompiled/standard.h
$(STANDARD).gch: $(STANDARD) $(BUILD)/compiled-with
	@$(CXX) $(CPPFLAGS) $(ALL_CXXFLAGS) $(TEST_CXXFLAGS) -x c++-header -o $@ $<
$(STANDARD): Makefile
	@mkdir -p $(@D)
	@printf '#include <%s>\n' algorithm array functional map memory optional string string_view vector >$@
$(BUILD)/obj/tests/%_test.o: tests/%_test.cc | $(STANDARD).gch
	@mkdir -p $(@D)
	@echo "  CXX   $<"
	@$(CXX) $(CPPFLAGS) $(ALL_CXXFLAGS) $(TEST_CXXFLAGS) -include $(STANDARD) -MMD -MP -c -o $@ $<
TESTED := privsep keys config settings wire core autokey control net clock resolve supervisor ntpq
TEST_SOURCES := $(foreach c,$(TESTED),$(wildcard tests/$(c)/*_test.cc))
TEST_PROGRAMS := $(patsubst tests/%.cc,$(BUILD)/test/%,$(TEST_SOURCES))
# Files of a test folder that are no tests are linked into each of them.
test_extras = $(call objects,$(filter-out %_test.cc,$(wildcard tests/$(1)/*.cc)))
define test_rules
$(patsubst tests/%.cc,$(BUILD)/test/%,$(wildcard tests/$(1)/*_test.cc)): $(BUILD)/test/%: \
    $(BUILD)/obj/tests/%.o $(call test_extras,$(1)) $(call archives,support $(LIBS_$(1)))
	@mkdir -p $$(@D)
	@echo "  LINK  $$@"
	@$(CXX) $(ALL_LDFLAGS) $(TEST_LINKER) -o $$@ $$^ $(call pkg,cmocka openssl $(SYS_$(1)))
endef
$(foreach c,$(TESTED),$(if $(wildcard tests/$(c)/*_test.cc),$(eval $(call test_rules,$(c)))))

unit-tests: $(TEST_PROGRAMS)
## make test-wire       one folder's unit tests
define test_target
test-$(1): $(filter $(BUILD)/test/$(1)/%,$(TEST_PROGRAMS))
	@tests/run-unit $$^
endef
$(foreach c,$(TESTED),$(eval $(call test_target,$(c))))

# Its tests run the programs.
test-supervisor: | all

# --- the rest ---------------------------------------------------------------------------------
.PHONY: all unit-tests clean help FORCE $(addprefix test-,$(TESTED))
## make clean           remove $(BUILD)
clean:
	rm -rf $(BUILD)

help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

include fuzz/fuzz.mk tests/checks.mk tests/bench/bench.mk packaging/install.mk
