// What ntpd-net is told of the addresses of this host.
#include "ntpd/supervisor/own_addresses.h"

#include "tests/support/cmocka_cc.h"

namespace ntpward::supervisor {
namespace {

InterfaceAddress On(const std::string& interface, const IpAddress& address) {
  return {interface, address, 0, {}};
}

void EachAddressThatNotEveryHostHasIsTold(void**) {
  const IpAddress first = IpAddress::V4(10, 0, 0, 1), second = IpAddress::V4(10, 0, 0, 2);
  const IpAddress link = *IpAddress::Parse("fe80::1%2"),
                  other_link = *IpAddress::Parse("fe80::1%3");
  const auto addresses =
      OwnAddresses({On("lo", IpAddress::V4(127, 0, 0, 1)), On("lo", *IpAddress::Parse("::1")),
                    On("eth0", second), On("eth0", first), On("eth1", first), On("eth0", link),
                    On("eth1", other_link)});
  // lo is 2.
  assert_true((addresses == std::vector<msg::OwnAddress>{
                                {0, first}, {0, second}, {0, link}, {1, first}, {1, other_link}}));
}

// As `ip addr add ... label eth0:1` and Debian's ifupdown make them.
void ALabelIsNoInterface(void**) {
  const IpAddress first = IpAddress::V4(10, 0, 0, 1), second = IpAddress::V4(10, 0, 0, 2);
  InterfaceAddress labelled = On("eth0x", second);
  labelled.device = "eth0";
  const auto addresses = OwnAddresses({On("eth0", first), labelled, On("eth1", first)});
  assert_true((addresses == std::vector<msg::OwnAddress>{{0, first}, {0, second}, {1, first}}));
}

void ManyGoInSeveralMessagesAndNotWithoutEnd(void**) {
  const auto none = AddressMessages({});
  assert_true(none.size() == 1 && !none[0].more && none[0].addresses.empty());
  std::vector<InterfaceAddress> present;
  for (unsigned i = 0; i < 3000; ++i)
    present.push_back(
        On("eth0", IpAddress::V4(10, 0, static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i))));
  const auto addresses = OwnAddresses(present);
  assert_int_equal(addresses.size(), kMostOwnAddresses);
  std::vector<msg::OwnAddress> told;
  const auto messages = AddressMessages(addresses);
  for (const msg::NetAddresses& part : messages) {
    told.insert(told.end(), part.addresses.begin(), part.addresses.end());
    assert_int_equal(part.more, &part != &messages.back());
  }
  assert_true(told == addresses);
}

}  // namespace
}  // namespace ntpward::supervisor

int main() {
  using namespace ntpward::supervisor;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EachAddressThatNotEveryHostHasIsTold),
      cmocka_unit_test(ALabelIsNoInterface),
      cmocka_unit_test(ManyGoInSeveralMessagesAndNotWithoutEnd),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
