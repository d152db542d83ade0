// The table of a daemon's processes: read from text that anyone may have sent.
#include "ntpq/processes.h"

#include "tests/support/cmocka_cc.h"

namespace ntpward::ntpq {
namespace {

constexpr std::string_view kNet =
    "privsep_net=\"state=running uptime=3700 restarts=0 refused=0 uid=991 seccomp=2 "
    "no_new_privs=1 capabilities=0x0\"";

std::string Table(std::string_view text) { return ProcessTable(ReadProcesses(ReadValues(text))); }

bool Has(const std::string& text, std::string_view part) {
  if (text.find(part) != std::string::npos) return true;
  print_message("%s\n", text.c_str());
  return false;
}

void ShowsWhatTheKernelSays(void**) {
  const std::string table = Table(kNet);
  assert_true(Has(table,
                  "\nntpd-net      running     1 h 1 min        0       0    991  filter     yes  "
                  "none\n"));
  // Nothing to say beside it.
  assert_true(table.ends_with("none\n"));
}

void SaysWhatShouldBeLookedAt(void**) {
  const auto with = [](std::string_view words) {
    return Table("privsep_keys=\"" + std::string(words) + "\"");
  };
  const std::string sound =
      "state=running uptime=1 seccomp=2 no_new_privs=1 capabilities=0x0 uid=1";
  assert_true(Has(with(sound + " restarts=1"), "ntpd-keys died and was started again once:"));
  assert_true(Has(with(sound + " restarts=3"), "started again 3 times:"));
  assert_true(Has(with(sound + " refused=1"), "It may have been broken into."));
  assert_true(Has(with("state=running uid=1 seccomp=0"), "without a system call filter"));
  assert_true(Has(with("state=running uid=1 seccomp=2 no_new_privs=0"), "could gain privileges"));
  assert_true(Has(with("state=silent seccomp=2"), "unanswered: it hangs"));
  assert_true(Has(with("state=ended"), "has died and is to be started again"));
  assert_true(Has(with("state=running"), "cannot read what the kernel says"));
}

void NamesCapabilities(void**) {
  assert_string_equal(CapabilityNames(0).c_str(), "none");
  assert_string_equal(CapabilityNames(1U << 25).c_str(), "sys_time");
  assert_string_equal(CapabilityNames(0xc0 | uint64_t{1} << 63).c_str(),
                      "setgid,setuid,0x8000000000000000");
}

void DurationsAreShort(void**) {
  assert_string_equal(Duration(0).c_str(), "0 s");
  assert_string_equal(Duration(59).c_str(), "59 s");
  assert_string_equal(Duration(60).c_str(), "1 min");
  assert_string_equal(Duration(86399).c_str(), "23 h 59 min");
  assert_string_equal(Duration(1036800 + 4 * 3600).c_str(), "12 d 4 h");
  assert_int_equal(Duration(UINT64_MAX).find(' '), 15);
}

void AHostileServerMovesNoCursorAndFillsNoScreen(void**) {
  std::string text;
  for (int i = 0; i < 1000; ++i)
    text += "privsep_\x1b[2J=\"state=\x1b]0;x\x07 uptime=99999999999999999999 seccomp=77\",";
  const auto rows = ReadProcesses(ReadValues(text));
  assert_true(rows.size() <= 16);
  for (const char c : ProcessTable(rows))
    assert_true(c == '\n' || (static_cast<unsigned char>(c) >= ' ' && c != 0x7f));
}

void EveryTruncationIsShown(void**) {
  for (size_t size = 0; size <= kNet.size(); ++size)
    assert_true(ReadProcesses(ReadValues(kNet.substr(0, size))).size() <= 1);
  assert_true(ReadProcesses(ReadValues("system=\"Linux\"")).empty());
}

}  // namespace
}  // namespace ntpward::ntpq

int main() {
  using namespace ntpward::ntpq;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ShowsWhatTheKernelSays),
      cmocka_unit_test(SaysWhatShouldBeLookedAt),
      cmocka_unit_test(NamesCapabilities),
      cmocka_unit_test(DurationsAreShort),
      cmocka_unit_test(AHostileServerMovesNoCursorAndFillsNoScreen),
      cmocka_unit_test(EveryTruncationIsShown),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
