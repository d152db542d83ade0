# What is checked beyond compiling.

# Programs that tests in tests/lab start beside the daemons.
LAB_PROGRAMS := $(addprefix $(BUILD)/lab/ntp-,crowd forger hostile names noise)
$(LAB_PROGRAMS): $(BUILD)/lab/ntp-%: $(BUILD)/obj/tests/lab/%_main.o \
                 $(call objects,tests/lab/crowd_requests.cc) $(call archives,$(LIBS_net))
$(LAB_PROGRAMS):
	@mkdir -p $(@D)
	@echo "  LINK  $(@F)"
	@$(CXX) $(ALL_LDFLAGS) -o $@ $^ $(call pkg,$(SYS_net))

.PHONY: check asan-test lint lab-programs
lab-programs: $(LAB_PROGRAMS)
## make check           all tests: unit tests, corpora, and daemons in network namespaces
check: all unit-tests fuzz-replay lab-programs
	@failed=0; tests/run-unit $(TEST_PROGRAMS) || failed=1; \
	PREFIX=$(PREFIX) tests/run-lab $(BUILD) || failed=1; exit $$failed

## make check-monitoring  monitoring tools of Debian against the daemon (fetches them into $(BUILD)/monitoring)
.PHONY: check-monitoring
check-monitoring: all
	@tests/monitoring/get-tools $(BUILD)/monitoring
	@PREFIX=$(PREFIX) tests/run-lab $(BUILD) $(wildcard tests/monitoring/*.test)

## make check-systemd   the units under a systemd that boots in namespaces (root; makes $(BUILD)/systemd-root)
.PHONY: check-systemd
check-systemd: all
	@tests/systemd/make-root $(BUILD)/systemd-root
	@PREFIX=$(PREFIX) tests/run-lab $(BUILD) $(wildcard tests/systemd/*.test)

# A seccomp filter kills a sanitizer's own system calls, and a sanitizer handles signals itself: tests that
# cage something, run the caged programs, or look at signals run only without.
NOT_SANITIZED := keys/cage_test ntpq/cage_test ntpq/prompt_test ntpq/std_platform_test ntpq/std_terminal_test \
                 privsep/cage_test privsep/spawn_test supervisor/daemon_kept_test supervisor/daemon_reload_test \
                 supervisor/daemon_roles_test supervisor/daemon_test supervisor/roles_test
# Virtual weeks are minutes with the sanitizers; the other simulations take the same paths.
LONG_SIMULATIONS := core/sim_test core/sim_leap_test
SANITIZED_TESTS := $(filter-out $(addprefix $(BUILD)/test/,$(NOT_SANITIZED) $(LONG_SIMULATIONS)),$(TEST_PROGRAMS))

# All that clang is to compile, once: with the sanitizers, for the tests and the fuzz targets.
.PHONY: clang-programs
clang-programs:
	@$(MAKE) $(SANITIZED) all unit-tests lab-programs fuzz-programs

## make asan-test       unit tests under AddressSanitizer and UBSan (clang)
asan-test:
	@$(MAKE) $(SANITIZED) sanitized-tests
.PHONY: sanitized-tests
sanitized-tests: $(SANITIZED_TESTS)
	@tests/run-unit $^

## make demo            the Autokey guide from keys to ntpq, in two network namespaces
.PHONY: demo
demo: all
	@BUILD=$(BUILD) demo/run
## make demo-broadcast  the guide's broadcast server and client (ADDRESS=10.77.0.255, or a group)
.PHONY: demo-broadcast
demo-broadcast: all
	@BUILD=$(BUILD) demo/broadcast

## make interop         beside an installed reference daemon: REFERENCE=PREFIX (tests/interop/README.md)
.PHONY: interop
interop: all
	@REFERENCE=$(REFERENCE) tests/interop/run $(BUILD)

## make lint            include directions, clang-tidy, shellcheck
lint:
	@tests/tools/lint $(BUILD)
