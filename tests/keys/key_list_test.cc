// Key lists: those that reference daemons announced, ours, and what must not pass as one.
#include "keys/key_list.h"

#include <algorithm>
#include <vector>

#include "tests/support/cmocka_cc.h"

namespace ntpward::keys {
namespace {

SessionKeyHasher Md5() {
  auto hasher = SessionKeyHasher::Create("MD5");
  CHECK(hasher.ok());
  return std::move(hasher).value();
}

const AddressPair kPath{IpAddress::V4(10, 77, 0, 1), IpAddress::V4(10, 77, 0, 255)};
constexpr uint32_t kCookie = 0x71a8a65c;

// What ntpd 4.2.6p5 announced (100 identifiers each), and the keys of its packets in their order.
struct Captured {
  IpAddress destination;
  KeyId announced;
  std::vector<uint32_t> keys;
};
const Captured kCaptured[] = {
    {IpAddress::V4(10, 77, 0, 255),
     {0x5684ea51},
     {0x2fc6301a, 0x3958163e, 0xa61dd43c, 0x1351f5bc, 0xb8166d01, 0x51ea4e91, 0x1c52cce0,
      0x0b73cfd0}},
    {IpAddress::V4(224, 0, 1, 1),
     {0x6ec593d6},
     {0xde6a9568, 0x21597cf3, 0xe0de0363, 0x7b18de12, 0xa0305569, 0x3c7e7903, 0x48ff203c,
      0xf28b2401}},
};

void FollowsTheListsOfTheReference(void**) {
  auto hasher = Md5();
  for (const Captured& captured : kCaptured) {
    const AddressPair path{kPath.source, captured.destination};
    KeySequence sequence(captured.announced, 99);
    assert_int_equal(sequence.left(), 100);
    for (const uint32_t key : captured.keys)
      assert_true(sequence.Accept(KeyId{key}, hasher, path, 0));
    assert_int_equal(sequence.left(), 92);
  }
}

void LostPacketsBreakNothing(void**) {
  auto hasher = Md5();
  for (const Captured& captured : kCaptured) {
    const AddressPair path{kPath.source, captured.destination};
    KeySequence sequence(captured.announced, 99);
    for (const size_t i : {size_t{2}, size_t{3}, size_t{7}})
      assert_true(sequence.Accept(KeyId{captured.keys[i]}, hasher, path, 0));
    assert_int_equal(sequence.left(), 92);
  }
}

void AKeyIsGoodOnceAndNeverAfterALaterOne(void**) {
  auto hasher = Md5();
  const Captured& captured = kCaptured[0];
  KeySequence sequence(captured.announced, 99);
  assert_true(sequence.Accept(KeyId{captured.keys[3]}, hasher, kPath, 0));
  for (const size_t i : {size_t{3}, size_t{2}, size_t{0}})
    assert_false(sequence.Accept(KeyId{captured.keys[i]}, hasher, kPath, 0));
  assert_true(sequence.Accept(KeyId{captured.keys[4]}, hasher, kPath, 0));
}

void AForgedKeyChangesNothing(void**) {
  auto hasher = Md5();
  const Captured& captured = kCaptured[0];
  KeySequence sequence(captured.announced, 99);
  for (const uint32_t forged : {0U, 1U, 65535U, 0xffffffffU, captured.announced.value})
    assert_false(sequence.Accept(KeyId{forged}, hasher, kPath, 0));
  assert_int_equal(sequence.left(), 100);
  assert_true(sequence.Accept(KeyId{captured.keys[0]}, hasher, kPath, 0));
}

void AListHoldsForOnePathAndOnePrivateValue(void**) {
  auto hasher = Md5();
  const Captured& captured = kCaptured[0];
  KeySequence sequence(captured.announced, 99);
  assert_false(sequence.Accept(KeyId{captured.keys[0]}, hasher, kPath.Reversed(), 0));
  assert_false(sequence.Accept(KeyId{captured.keys[0]}, hasher, kPath, kCookie));
}

// More identifiers than were announced would be somebody else's.
void NothingComesAfterTheEndOfTheList(void**) {
  auto hasher = Md5();
  const KeyList longer = KeyList::From({0x12345678}, hasher, kPath, kCookie, 5);
  KeyList list = longer;
  KeySequence sequence(list.announced(), 2);  // announces three of the five
  for (int i = 0; i < 3; ++i) assert_true(sequence.Accept(*list.Take(), hasher, kPath, kCookie));
  assert_int_equal(sequence.left(), 0);
  while (const auto key = list.Take()) assert_false(sequence.Accept(*key, hasher, kPath, kCookie));
}

void OurListsAreUsedFromTheLastToTheFirst(void**) {
  auto hasher = Md5();
  KeyList list = KeyList::From({0x5fe916ea}, hasher, kPath, kCookie, 4);
  assert_int_equal(list.sequence(), 3);
  assert_int_equal(list.left(), 4);
  assert_true(list.taken().is_none());
  KeyId next = list.announced();
  for (size_t left = 4; left-- > 0;) {
    const auto key = list.Take();
    assert_true(key && key->is_autokey() && *key == list.taken());
    assert_int_equal(list.left(), left);
    assert_true(hasher.Derive(kPath, *key, kCookie).next() == next);
    next = *key;
  }
  assert_int_equal(next.value, 0x5fe916ea);
  assert_false(list.Take().has_value());
  assert_int_equal(list.taken().value, 0x5fe916ea);
}

void OurListsPassOurOwnTest(void**) {
  auto hasher = Md5();
  for (const size_t count : {size_t{1}, size_t{2}, msg::kMaxKeyList}) {
    KeyList list = KeyList::Make(hasher, kPath, 0, count);
    KeySequence sequence(list.announced(), list.sequence());
    size_t used = 0;
    for (auto key = list.Take(); key; key = list.Take(), ++used) {
      assert_true(key->is_autokey());
      assert_true(sequence.Accept(*key, hasher, kPath, 0));
    }
    assert_int_equal(used, list.sequence() + 1);
    assert_int_equal(sequence.left(), 0);
  }
}

void FirstIdentifiersAreRandomAndOf31Bits(void**) {
  auto hasher = Md5();
  std::vector<uint32_t> seen;
  for (int i = 0; i < 100; ++i) {
    const uint32_t first = KeyList::Make(hasher, kPath, 0, 1).Take()->value;
    assert_true(first > 65535 && first < 0x80000000U);
    assert_true(std::find(seen.begin(), seen.end(), first) == seen.end());
    seen.push_back(first);
  }
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(FollowsTheListsOfTheReference),
      cmocka_unit_test(LostPacketsBreakNothing),
      cmocka_unit_test(AKeyIsGoodOnceAndNeverAfterALaterOne),
      cmocka_unit_test(AForgedKeyChangesNothing),
      cmocka_unit_test(AListHoldsForOnePathAndOnePrivateValue),
      cmocka_unit_test(NothingComesAfterTheEndOfTheList),
      cmocka_unit_test(OurListsAreUsedFromTheLastToTheFirst),
      cmocka_unit_test(OurListsPassOurOwnTest),
      cmocka_unit_test(FirstIdentifiersAreRandomAndOf31Bits),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
