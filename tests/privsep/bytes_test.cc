// Cursors over hostile bytes: nothing is read or written past an end, and failure is sticky.
#include "privsep/base/bytes.h"

#include "tests/support/cmocka_cc.h"

namespace ntpward {
namespace {

void ReaderFailsAtEveryTruncation(void**) {
  const uint8_t bytes[15] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  for (size_t size = 0; size < sizeof bytes; ++size) {
    Reader reader(Bytes(bytes, size));
    reader.U8(), reader.U16(), reader.U32(), reader.U64();
    assert_false(reader.Finish());
    assert_true(reader.failed());
    assert_int_equal(reader.U8(), 0);
  }
  Reader reader(Bytes(bytes, sizeof bytes));
  assert_int_equal(reader.U8(), 1);
  assert_int_equal(reader.U16(), 0x0203);
  assert_int_equal(reader.U32(), 0x04050607);
  assert_true(reader.U64() == 0x08090a0b0c0d0e0fU);
  assert_true(reader.Finish());
}

void ReaderRejectsLeftovers(void**) {
  const uint8_t bytes[2] = {1, 2};
  Reader reader(Bytes(bytes, 2));
  reader.U8();
  assert_false(reader.Finish());
}

void WriterNeverPassesTheEnd(void**) {
  uint8_t buffer[8] = {};
  buffer[4] = 0xee;
  Writer writer(MutableBytes(buffer, 4));
  writer.U16(0x0102);
  writer.U32(0x03040506);
  assert_false(writer.Finish());
  writer.U8(7);  // would fit, but failure is sticky
  assert_int_equal(buffer[2], 0);
  assert_int_equal(buffer[4], 0xee);
  assert_int_equal(writer.written().size(), 0);
}

void InlineBytesRefusesWhatDoesNotFit(void**) {
  InlineBytes<4> small;
  const uint8_t five[5] = {1, 2, 3, 4, 5};
  assert_true(small.Assign(Bytes(five, 4)));
  assert_false(small.Assign(Bytes(five, 5)));
  assert_true(small.empty());
  assert_false(small.Resize(5));
}

// CVE-2016-1550. tests/tools/check-secrets sees to it that MACs are compared by nothing else.
void EqualConstantTimeLooksAtEveryBit(void**) {
  const std::array<uint8_t, 20> digest = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  assert_true(EqualConstantTime(digest, digest));
  for (size_t bit = 0; bit < 8 * digest.size(); ++bit) {
    auto other = digest;
    other[bit / 8] = static_cast<uint8_t>(other[bit / 8] ^ 1 << bit % 8);
    assert_false(EqualConstantTime(digest, other));
  }
  for (size_t size = 0; size < digest.size(); ++size)
    assert_false(EqualConstantTime(digest, Bytes(digest).first(size)));
  assert_true(EqualConstantTime({}, {}));
}

}  // namespace
}  // namespace ntpward

int main() {
  using namespace ntpward;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ReaderFailsAtEveryTruncation),
      cmocka_unit_test(ReaderRejectsLeftovers),
      cmocka_unit_test(WriterNeverPassesTheEnd),
      cmocka_unit_test(InlineBytesRefusesWhatDoesNotFit),
      cmocka_unit_test(EqualConstantTimeLooksAtEveryBit),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
