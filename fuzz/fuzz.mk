# Fuzz targets: fuzz/NAME_fuzz.cc, whose first line `// links: COMPONENT...` says what it links.

FUZZ_TARGETS := $(patsubst fuzz/%_fuzz.cc,%,$(wildcard fuzz/*_fuzz.cc))
FUZZ_BUILD   := $(BUILD)/sanitized
# One build for the fuzz targets and for the unit tests under sanitizers.
SANITIZED    := BUILD=$(FUZZ_BUILD) CXX=clang++ SANITIZE=fuzzer-no-link,address,undefined CXXFLAGS='-O1 -gline-tables-only'
SECONDS      ?= 60
# What has the fuzzer's main.
FUZZ_ENGINE  ?= -fsanitize=fuzzer

fuzz_components = $(shell sed -n '1s,^// links: *,,p' fuzz/$(1)_fuzz.cc)
fuzz_libraries  = $(foreach c,$(call fuzz_components,$(1)),$(LIBS_$(c)))
fuzz_packages   = $(foreach c,$(call fuzz_components,$(1)),$(SYS_$(c)))

# Each target twice: NAME links libFuzzer's main (needs clang), replay-NAME one that runs the corpus.
define fuzz_rules
$(BUILD)/fuzz/$(1): $(BUILD)/obj/fuzz/$(1)_fuzz.o $(call archives,$(call fuzz_libraries,$(1)))
	@mkdir -p $$(@D)
	@echo "  LINK  $$@"
	@$(CXX) $(ALL_LDFLAGS) $(TEST_LINKER) $(FUZZ_ENGINE) -o $$@ -Wl,--start-group $$^ -Wl,--end-group $(call pkg,$(call fuzz_packages,$(1)))
$(BUILD)/fuzz/replay-$(1): $(BUILD)/obj/fuzz/$(1)_fuzz.o $(BUILD)/obj/fuzz/replay_main.o \
    $(call archives,$(call fuzz_libraries,$(1)))
	@mkdir -p $$(@D)
	@echo "  LINK  $$@"
	@$(CXX) $(ALL_LDFLAGS) $(TEST_LINKER) -o $$@ -Wl,--start-group $$^ -Wl,--end-group $(call pkg,$(call fuzz_packages,$(1)))
endef
$(foreach t,$(FUZZ_TARGETS),$(eval $(call fuzz_rules,$(t))))

.PHONY: fuzz fuzz-run fuzz-replay fuzz-programs
fuzz-programs: $(addprefix $(BUILD)/fuzz/,$(FUZZ_TARGETS))

## make fuzz            build every fuzz target with clang, libFuzzer, ASan and UBSan
fuzz:
	@$(MAKE) $(SANITIZED) fuzz-programs

## make fuzz-run        fuzz each target for SECONDS=60 (TARGETS= to name some)
TARGETS ?= $(FUZZ_TARGETS)
fuzz-run: fuzz
	@fuzz/run $(FUZZ_BUILD) $(SECONDS) $(TARGETS)

## make fuzz-replay     run the corpora through the targets, without a fuzzer
fuzz-replay: $(addprefix $(BUILD)/fuzz/replay-,$(FUZZ_TARGETS))
	@fuzz/replay $(BUILD) $(FUZZ_TARGETS)
