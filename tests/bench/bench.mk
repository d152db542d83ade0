# Measurements: see tests/bench/README.md. No test depends on them.

BENCH := $(addprefix $(BUILD)/bench/,ntp-load ntp-clients ntp-readers ntp-cookies ntp-dances ntp-sim-client)
$(BUILD)/bench/ntp-load: $(call objects,tests/bench/load_main.cc tests/bench/server.cc tests/bench/traffic.cc) \
                         $(call archives,$(LIBS_net))
$(BUILD)/bench/ntp-clients: $(call objects,tests/bench/clients_main.cc tests/bench/server.cc tests/bench/traffic.cc) \
                            $(call archives,$(LIBS_net))
$(BUILD)/bench/ntp-readers: $(call objects,tests/bench/readers_main.cc tests/bench/server.cc) \
                            $(call archives,$(LIBS_net))
$(BUILD)/bench/ntp-cookies: $(call objects,tests/bench/cookies_main.cc) $(call archives,$(LIBS_keys))
$(BUILD)/bench/ntp-dances: $(call objects,tests/bench/dances_main.cc tests/bench/server.cc) \
                           $(call archives,$(LIBS_net))
$(BUILD)/bench/ntp-sim-client: $(call objects,tests/bench/sim_client_main.cc) \
                               $(call archives,core wire clock $(LIBS_privsep))
$(BENCH):
	@mkdir -p $(@D)
	@echo "  LINK  $(@F)"
	@$(CXX) $(ALL_LDFLAGS) -o $@ $^ $(call pkg,$(SYS_net))

## make bench           measure beside the peers that there are (tests/bench/README.md)
.PHONY: bench bench-programs
bench-programs: $(BENCH)
bench: all bench-programs
	@BUILD=$(BUILD) tests/bench/run
