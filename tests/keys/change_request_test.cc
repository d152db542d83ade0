// Requests of mode 6 that would change something, taken apart.
#include "keys/change_request.h"

#include <functional>

#include "tests/keys/commands.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;
using ntpward::test::ToHex;

void ARequestIsTakenApart(void**) {
  for (const uint8_t operation : {kWriteVariables, kConfigure, kSaveConfig}) {
    const auto covered = Covered("a b nonce=00112233445566778899aabbccddeeff", operation);
    const auto request = ParseChangeRequest(covered);
    assert_true(request.has_value());
    assert_int_equal(static_cast<int>(request->operation), operation);
    assert_true(request->text == "a b");
    assert_string_equal(ToHex(request->nonce.span()).c_str(), "00112233445566778899aabbccddeeff");
    const auto plain = Covered("a b", operation);
    assert_true(ParseChangeRequest(plain)->nonce.empty());
    for (size_t size = 0; size < covered.size(); ++size)
      assert_false(ParseChangeRequest(Bytes(covered).first(size)).has_value());
  }
}

void OtherRequestsAreRefused(void**) {
  const auto good = Covered("trustedkey 1");
  assert_true(ParseChangeRequest(good).has_value());
  const std::function<void(std::vector<uint8_t>&)> changes[] = {
      [](auto& o) { o[0] = 0x17; },             // mode 7
      [](auto& o) { o[0] = 0x06; },             // version 0
      [](auto& o) { o[0] = 0x2e; },             // version 5
      [](auto& o) { o[1] = 2; },                // READVAR
      [](auto& o) { o[1] = 11; },               // READ_ORDLIST
      [](auto& o) { o[1] = 0x88; },             // a response
      [](auto& o) { o[1] = 0x28; },             // a fragment
      [](auto& o) { o[7] = 1; },                // of an association
      [](auto& o) { o[9] = 4; },                // at an offset
      [](auto& o) { o[11] = 0; },               // no data
      [](auto& o) { o[11] = 11; },              // padding that is none
      [](auto& o) { o[11] = 13; },              // more than there is
      [](auto& o) { o[10] = 0xff; },            //
      [](auto& o) { o.resize(o.size() + 8); },  // too much padding
      [](auto& o) { o.push_back(0); },          // no multiple of eight
  };
  for (const auto& change : changes) {
    auto octets = good;
    change(octets);
    assert_false(ParseChangeRequest(octets).has_value());
  }
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ARequestIsTakenApart),
      cmocka_unit_test(OtherRequestsAreRefused),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
