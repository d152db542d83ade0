// The keyed hash against its authors' test vectors (appendix A of the paper, and the reference
// implementation's list for key 00 01 .. 0f and message 00 01 .. n-1).
#include "privsep/base/sip_hash.h"

#include <set>

#include "tests/support/cmocka_cc.h"

namespace ntpward {
namespace {

constexpr SipKey kKey = {0x0706050403020100U, 0x0f0e0d0c0b0a0908U};

uint64_t HashOfFirst(size_t count) {
  std::array<uint8_t, 16> message;
  for (size_t i = 0; i < message.size(); ++i) message[i] = static_cast<uint8_t>(i);
  return SipHash(kKey, Bytes(message).first(count));
}

void GivesThePublishedValues(void**) {
  assert_true(HashOfFirst(0) == 0x726fdb47dd0e0e31U);
  assert_true(HashOfFirst(1) == 0x74f839c593dc67fdU);
  assert_true(HashOfFirst(7) == 0xab0200f58b01d137U);
  assert_true(HashOfFirst(8) == 0x93f5f5799a932462U);
  assert_true(HashOfFirst(15) == 0xa129ca6149be45e5U);
}

void DependsOnKeyAndOnTrailingZeros(void**) {
  const std::array<uint8_t, 3> zeros{};
  std::set<uint64_t> seen;
  for (const SipKey& key : {SipKey{0, 0}, SipKey{1, 0}, SipKey{0, 1}})
    for (size_t count = 0; count <= zeros.size(); ++count)
      seen.insert(SipHash(key, Bytes(zeros).first(count)));
  assert_int_equal(seen.size(), 12);
}

}  // namespace
}  // namespace ntpward

int main() {
  using namespace ntpward;
  const CMUnitTest tests[] = {
      cmocka_unit_test(GivesThePublishedValues),
      cmocka_unit_test(DependsOnKeyAndOnTrailingZeros),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
