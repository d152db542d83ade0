// Autokey fields: every length is exact, or the field is refused.
//
// The reference once trusted these lengths (CVE-2014-9750, CVE-2015-7691, -7692, -7702).
#include "ntpd/wire/extension_field.h"

#include <vector>

#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"
#include "tests/wire/captures.h"

namespace ntpward::wire {
namespace {

const std::vector<uint8_t>& SampleValue() {
  static const std::vector<uint8_t> value = {1, 2, 3, 4, 5};
  return value;
}
const std::vector<uint8_t>& SampleSignature() {
  static const std::vector<uint8_t> signature = {9, 8, 7, 6, 5, 4};
  return signature;
}

AutokeyField Sample(AutokeyCode code) {
  AutokeyField field;
  field.head = {true, false, static_cast<uint8_t>(code), 0x1234};
  field.has_value = true;
  field.timestamp = NtpSeconds{0xeeacaa69};
  field.filestamp = NtpSeconds{0xeeacaa64};
  field.value = SampleValue();
  field.signature = SampleSignature();
  return field;
}

std::vector<uint8_t> Encoded(const AutokeyField& field) {
  std::vector<uint8_t> bytes(kMaxExtensionArea);
  Writer writer(bytes);
  EncodeAutokeyField(writer, field);
  assert_true(writer.Finish());
  bytes.resize(writer.size());
  return bytes;
}

void PutU32(std::vector<uint8_t>& bytes, size_t at, uint32_t value) {
  Writer writer(MutableBytes(bytes).subspan(at));
  writer.U32(value);
}

void PutLength(std::vector<uint8_t>& bytes, size_t length) {
  Writer writer(MutableBytes(bytes).subspan(2));
  writer.U16(static_cast<uint16_t>(length));
}

bool Equal(Bytes a, Bytes b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

void FieldSurvivesARoundTrip(void**) {
  const auto bytes = Encoded(Sample(AutokeyCode::kCookie));
  assert_int_equal(bytes.size(), AutokeyFieldSize(5, 6));
  assert_string_equal(ntpward::test::ToHex(bytes).c_str(),
                      "8203002800001234eeacaa69eeacaa6400000005"
                      "010203040500000000000006"
                      "0908070605040000");
  auto field = ParseAutokeyField(bytes);
  assert_true(field.ok());
  assert_true(field->head == Sample(AutokeyCode::kCookie).head);
  assert_int_equal(field->timestamp.value, 0xeeacaa69);
  assert_int_equal(field->filestamp.value, 0xeeacaa64);
  assert_true(Equal(field->value, SampleValue()));
  assert_true(Equal(field->signature, SampleSignature()));
  assert_string_equal(ntpward::test::ToHex(field->signed_part).c_str(),
                      "eeacaa69eeacaa64000000050102030405");
}

void EveryCapturedFieldSurvivesARoundTrip(void**) {
  size_t seen = 0;
  for (const auto& capture : test::ReadCaptures()) {
    auto packet = ParsePacket(capture.datagram);
    for (const Extension& extension : packet->extensions()) {
      assert_true(IsAutokeyType(extension.type));
      auto field = ParseAutokeyField(extension.field);
      assert_true(field.ok());
      assert_true(Equal(Encoded(*field), extension.field));
      ++seen;
    }
  }
  assert_true(seen >= 20);
}

void RejectsEveryPrefix(void**) {
  const auto bytes = Encoded(Sample(AutokeyCode::kSign));
  for (size_t size = 0; size < bytes.size(); ++size) {
    std::vector<uint8_t> prefix(bytes.begin(), bytes.begin() + static_cast<long>(size));
    assert_false(ParseAutokeyField(prefix).ok());
    // With a length that agrees, only the 8-octet form is a message of its own.
    if (size < 4) continue;
    PutLength(prefix, size);
    assert_int_equal(ParseAutokeyField(prefix).ok(), size == kShortFieldSize);
  }
}

void RejectsEveryValueLengthButTheTrueOne(void**) {
  for (int code = 0; code <= 10; ++code) {
    const auto bytes = Encoded(Sample(static_cast<AutokeyCode>(code)));
    for (uint32_t length : {0U, 1U, 4U, 9U, 20U, 0xffffU, 0x7fffffffU, 0x80000000U, 0x80000001U,
                            0xfffffffcU, 0xfffffffdU, 0xffffffffU}) {
      auto changed = bytes;
      PutU32(changed, 16, length);
      assert_false(ParseAutokeyField(changed).ok());
    }
  }
}

void RejectsEverySignatureLengthButTheTrueOne(void**) {
  const size_t at = 20 + 8;
  for (int code = 0; code <= 10; ++code) {
    const auto bytes = Encoded(Sample(static_cast<AutokeyCode>(code)));
    for (uint32_t length :
         {0U, 1U, 4U, 9U, 12U, 0xffffU, 0x7fffffffU, 0x80000000U, 0xfffffffcU, 0xffffffffU}) {
      auto changed = bytes;
      PutU32(changed, at, length);
      assert_false(ParseAutokeyField(changed).ok());
    }
  }
}

void RejectsLeftovers(void**) {
  auto bytes = Encoded(Sample(AutokeyCode::kIff));
  bytes.resize(bytes.size() + 4);
  PutLength(bytes, bytes.size());
  assert_int_equal(ParseAutokeyField(bytes).error(), FieldReject::kLeftover);
}

void RejectsAnEmptyValue(void**) {
  AutokeyField empty = Sample(AutokeyCode::kAssociation);
  empty.value = {};
  assert_int_equal(ParseAutokeyField(Encoded(empty)).error(), FieldReject::kBadValue);
}

void AcceptsAnUnsignedField(void**) {
  AutokeyField field = Sample(AutokeyCode::kAssociation);
  field.signature = {};
  const auto bytes = Encoded(field);
  assert_true(ParseAutokeyField(bytes).ok());
  assert_true(ParseAutokeyField(bytes).value().signature.empty());
}

void OtherVersionsAreNotAutokey(void**) {
  for (int version = 0; version < 64; ++version) {
    auto bytes = Encoded(Sample(AutokeyCode::kCookie));
    bytes[0] = static_cast<uint8_t>(0x80 | version);
    assert_int_equal(ParseAutokeyField(bytes).ok(), version == 2);
    assert_int_equal(IsAutokeyType(static_cast<uint16_t>(bytes[0] << 8 | 3)), version == 2);
  }
}

// A request whose value is nonsense must still be answerable with an error.
void HeadIsReadableWhenTheRestIsNot(void**) {
  auto bytes = Encoded(Sample(AutokeyCode::kCookie));
  PutU32(bytes, 16, 0xffffffff);
  auto head = ParseAutokeyFieldHead(bytes);
  assert_true(head.ok());
  assert_int_equal(head->association, 0x1234);
}

void ErrorFieldHasBothBitsAndNoValue(void**) {
  uint8_t bytes[8];
  Writer writer(bytes);
  EncodeErrorField(writer, {false, false, 6, 0x5265});
  assert_string_equal(ntpward::test::ToHex(writer.written()).c_str(), "c206000800005265");
  auto field = ParseAutokeyField(bytes);
  assert_true(field.ok());
  assert_true(field->head.error && field->head.response);
  assert_false(field->has_value);
}

void ShortRequestIsEightOctets(void**) {
  uint8_t bytes[8];
  Writer writer(bytes);
  EncodeShortField(writer, {false, false, 5, 0x5265});
  assert_string_equal(ntpward::test::ToHex(writer.written()).c_str(), "0205000800005265");
}

void BuilderRefusesWhatNoPacketHolds(void**) {
  std::vector<uint8_t> buffer(2 * kMaxExtensionArea);
  const std::vector<uint8_t> value(kMaxExtensionArea - kValueFieldOverhead - 8 + 1);
  AutokeyField field = Sample(AutokeyCode::kCertificate);
  field.value = value;
  Writer writer(buffer);
  EncodeAutokeyField(writer, field);
  assert_true(writer.failed());
  field.value = Bytes(value).first(value.size() - 1);
  Writer second(buffer);
  EncodeAutokeyField(second, field);
  assert_int_equal(second.size(), kMaxExtensionArea);
}

}  // namespace
}  // namespace ntpward::wire

int main() {
  using namespace ntpward::wire;
  const CMUnitTest tests[] = {
      cmocka_unit_test(FieldSurvivesARoundTrip),
      cmocka_unit_test(EveryCapturedFieldSurvivesARoundTrip),
      cmocka_unit_test(RejectsEveryPrefix),
      cmocka_unit_test(RejectsEveryValueLengthButTheTrueOne),
      cmocka_unit_test(RejectsEverySignatureLengthButTheTrueOne),
      cmocka_unit_test(RejectsLeftovers),
      cmocka_unit_test(RejectsAnEmptyValue),
      cmocka_unit_test(AcceptsAnUnsignedField),
      cmocka_unit_test(OtherVersionsAreNotAutokey),
      cmocka_unit_test(HeadIsReadableWhenTheRestIsNot),
      cmocka_unit_test(ErrorFieldHasBothBitsAndNoValue),
      cmocka_unit_test(ShortRequestIsEightOctets),
      cmocka_unit_test(BuilderRefusesWhatNoPacketHolds),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
