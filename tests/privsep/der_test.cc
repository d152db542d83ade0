// SEQUENCE and INTEGER as anyone may have written them.
#include "privsep/base/der.h"

#include <optional>
#include <vector>

#include "tests/support/cmocka_cc.h"

using namespace ntpward;

namespace {

using Octets = std::vector<uint8_t>;

// The magnitude of the INTEGER that `der` is, with nothing behind it; none when it is refused.
std::optional<Octets> Magnitude(const Octets& der, size_t max_octets = 300) {
  Reader reader(der);
  const Bytes octets = TakeDerMagnitude(&reader, max_octets);
  if (!reader.Finish()) return std::nullopt;
  return Octets(octets.begin(), octets.end());
}

void ReadsMagnitudes(void**) {
  assert_true(Magnitude({2, 1, 0}) == Octets{0});
  assert_true(Magnitude({2, 1, 0x7f}) == Octets{0x7f});
  assert_true(Magnitude({2, 2, 0, 0x80}) == Octets{0x80});
  assert_true(Magnitude({2, 3, 1, 0, 1}) == (Octets{1, 0, 1}));
}

void RefusesNegativeAndPaddedNumbers(void**) {
  for (const Octets& der : {Octets{2, 0}, Octets{2, 1, 0x80}, Octets{2, 2, 0, 0x7f},
                            Octets{2, 2, 0, 0}, Octets{2, 2, 0xff, 0x80}})
    assert_false(Magnitude(der).has_value());
}

void RefusesMoreOctetsThanWanted(void**) {
  assert_true(Magnitude({2, 3, 0, 0x80, 1}, 2).has_value());
  assert_false(Magnitude({2, 3, 1, 0, 1}, 2).has_value());
}

Octets Long(std::initializer_list<uint8_t> head, size_t size) {
  Octets der(head);
  der.insert(der.end(), size, 0x11);
  return der;
}

void TakesTheShortestFormOfALengthOnly(void**) {
  assert_true(Magnitude(Long({2, 0x7f}, 0x7f)).has_value());
  assert_true(Magnitude(Long({2, 0x81, 0x80}, 0x80)).has_value());
  assert_true(Magnitude(Long({2, 0x82, 0x01, 0x00}, 0x100)).has_value());
  assert_false(Magnitude(Long({2, 0x81, 0x7f}, 0x7f)).has_value());
  assert_false(Magnitude(Long({2, 0x82, 0x00, 0x80}, 0x80)).has_value());
  assert_false(Magnitude(Long({2, 0x83, 0x00, 0x01, 0x00}, 0x100)).has_value());
  // The indefinite form of BER, too.
  assert_false(Magnitude({2, 0x80, 1, 0, 0}).has_value());
}

void RefusesAnotherTag(void**) {
  for (int tag = 0; tag < 256; ++tag)
    assert_int_equal(Magnitude({static_cast<uint8_t>(tag), 1, 5}).has_value(), tag == kDerInteger);
}

void RefusesEveryPrefix(void**) {
  const Octets whole = Long({2, 0x82, 0x01, 0x00}, 0x100);
  for (size_t size = 0; size < whole.size(); ++size)
    assert_false(
        Magnitude(Octets(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size))).has_value());
}

void AnElementMayHoldOthers(void**) {
  const Octets der = {0x30, 6, 2, 1, 1, 2, 1, 3, 0xee};
  Reader outer(der);
  Reader inner(TakeDerElement(&outer, kDerSequence));
  assert_int_equal(TakeDerMagnitude(&inner, 1)[0], 1);
  assert_int_equal(TakeDerMagnitude(&inner, 1)[0], 3);
  assert_true(inner.Finish());
  assert_int_equal(outer.remaining(), 1);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(ReadsMagnitudes),
      cmocka_unit_test(RefusesNegativeAndPaddedNumbers),
      cmocka_unit_test(RefusesMoreOctetsThanWanted),
      cmocka_unit_test(TakesTheShortestFormOfALengthOnly),
      cmocka_unit_test(RefusesAnotherTag),
      cmocka_unit_test(RefusesEveryPrefix),
      cmocka_unit_test(AnElementMayHoldOthers),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
