// Addresses as text.
#include "privsep/base/address.h"

#include "tests/support/cmocka_cc.h"

namespace ntpward {
namespace {

void TheTextAloneDecides(void**) {
  assert_int_equal(IpAddress::Parse("fe80::1%2")->scope, 2);
  assert_int_equal(IpAddress::Parse("[fe80::1%2]")->scope, 2);
  // There is an interface of that name, and a caged process dies if it asks for it.
  assert_false(IpAddress::Parse("fe80::1%lo").has_value());
  assert_false(IpAddress::Parse("[fe80::1%lo]").has_value());
  for (const char* text : {"fe80::1%", "fe80::1%-1", "fe80::1%2x", "fe80::1%4294967296",
                           "10.0.0.1%1", "%1", "%", "fe80::1%2%3"})
    assert_false(IpAddress::Parse(text).has_value());
}

void AnInterfaceMayBeNamedWhereTheKernelMayBeAsked(void**) {
  assert_int_equal(IpAddress::ParseWithInterface("fe80::1%lo")->scope, 1);
  assert_int_equal(IpAddress::ParseWithInterface("[fe80::1%lo]")->scope, 1);
  assert_int_equal(IpAddress::ParseWithInterface("fe80::1%7")->scope, 7);
  assert_true(IpAddress::ParseWithInterface("10.0.0.1") == IpAddress::V4(10, 0, 0, 1));
  for (const char* text : {"fe80::1%nosuch0", "fe80::1%", "10.0.0.1%lo", "name%lo", "%lo"})
    assert_false(IpAddress::ParseWithInterface(text).has_value());
}

void AddressesAreWrittenAsTheyAreRead(void**) {
  for (const char* text : {"0.0.0.0", "10.0.200.9", "255.255.255.255", "::1", "fe80::1%2"})
    assert_string_equal(IpAddress::Parse(text)->ToString().c_str(), text);
}

}  // namespace
}  // namespace ntpward

int main() {
  using namespace ntpward;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheTextAloneDecides),
      cmocka_unit_test(AnInterfaceMayBeNamedWhereTheKernelMayBeAsked),
      cmocka_unit_test(AddressesAreWrittenAsTheyAreRead),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
