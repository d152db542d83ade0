// Which accounts -u may name.
#include "ntpd/supervisor/accounts.h"

#include "tests/support/cmocka_cc.h"

namespace ntpward::supervisor {
namespace {

std::string Refusal(const char* user) {
  std::string note;
  const auto accounts = ChooseAccounts(user, &note);
  return accounts.ok() ? "" : accounts.error().text;
}

void RootIsNoAccountForACage(void**) {
  for (const char* user : {"0", "root", "root:65534", "0:65534", "4294967295", "4294967295:65534"})
    assert_true(Refusal(user).find("must not be root, ") != std::string::npos);
}

void NorIsItsGroup(void**) {
  for (const char* user : {"65534:0", "65534:root", "65534:4294967295", "1:0"})
    assert_true(Refusal(user).find("must not be in root's group") != std::string::npos);
}

void NumbersArePlain(void**) {
  for (const char* user : {"65534", "65534:65533", "4294967294", "1:1"})
    assert_string_equal(Refusal(user).c_str(), "");
  for (const char* user : {"4294967296", "18446744073709551615", "-1", "0x1", " 1", "1 ", ":1"})
    assert_true(Refusal(user).find("no user") != std::string::npos);
  for (const char* user : {"1:4294967296", "1:-1", "1:", "1:1:1"})
    assert_true(Refusal(user).find("no group") != std::string::npos);
}

}  // namespace
}  // namespace ntpward::supervisor

int main() {
  using namespace ntpward::supervisor;
  const CMUnitTest tests[] = {
      cmocka_unit_test(RootIsNoAccountForACage),
      cmocka_unit_test(NorIsItsGroup),
      cmocka_unit_test(NumbersArePlain),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
