// Packets: what is accepted is exactly what the delimiting rule says, and nothing is lost.
#include "ntpd/wire/packet.h"

#include <limits>
#include <vector>

#include "tests/support/cmocka_cc.h"
#include "tests/wire/captures.h"

namespace ntpward::wire {
namespace {

Header SampleHeader() {
  Header header;
  header.leap = Leap::kDeleteSecond;
  header.version = 3;
  header.mode = Mode::kServer;
  header.stratum = 2;
  header.poll = 6;
  header.precision = -24;
  header.root_delay = NtpShort::FromRaw(0x00012345);
  header.root_dispersion = NtpShort::FromRaw(0xfffefdfc);
  header.refid = 0x0a4d0001;
  header.reference = NtpTimestamp::FromRaw(0xeeacaa69b8bef44b);
  header.origin = NtpTimestamp::FromRaw(0xeeacaa6abaa9aad3);
  header.receive = NtpTimestamp::FromRaw(1);
  header.transmit = NtpTimestamp::FromRaw(0xffffffffffffffff);
  return header;
}

std::vector<uint8_t> Encoded(const Header& header) {
  std::vector<uint8_t> bytes(kHeaderSize);
  Writer writer(bytes);
  EncodeHeader(writer, header);
  assert_true(writer.Finish());
  assert_int_equal(writer.size(), kHeaderSize);
  return bytes;
}

// A header followed by `rest`.
std::vector<uint8_t> WithRest(const std::vector<uint8_t>& rest) {
  std::vector<uint8_t> bytes = Encoded(SampleHeader());
  bytes.insert(bytes.end(), rest.begin(), rest.end());
  return bytes;
}

std::vector<uint8_t> Field(uint16_t type, uint16_t length, size_t size) {
  std::vector<uint8_t> field(size, 0xab);
  Writer writer(field);
  writer.U16(type);
  writer.U16(length);
  return field;
}

void AssertRejected(const std::vector<uint8_t>& bytes, Reject reason) {
  auto packet = ParsePacket(bytes);
  assert_false(packet.ok());
  assert_int_equal(packet.error(), reason);
}

void HeaderSurvivesARoundTrip(void**) {
  const auto bytes = Encoded(SampleHeader());
  auto packet = ParsePacket(bytes);
  assert_true(packet.ok());
  assert_true(packet->header == SampleHeader());
  assert_int_equal(packet->covered.size(), kHeaderSize);
  assert_false(packet->mac.has_value());
  assert_int_equal(bytes[0], 0x80 | 3 << 3 | 4);
}

// A precision below -31 once divided by zero in the reference (CVE-2015-5219), a wild poll of a
// kiss tripped an assertion: every value has to pass here, since judging them is for others.
void EveryPollAndPrecisionSurvives(void**) {
  for (int value = -128; value <= 127; ++value) {
    Header header = SampleHeader();
    header.poll = static_cast<int8_t>(value);
    header.precision = static_cast<int8_t>(-1 - value);
    const auto bytes = Encoded(header);
    auto packet = ParsePacket(bytes);
    assert_true(packet.ok());
    assert_int_equal(packet->header.poll, value);
    assert_int_equal(packet->header.precision, -1 - value);
  }
}

void EveryFirstOctetIsTakenOrRefused(void**) {
  for (int first = 0; first < 256; ++first) {
    auto bytes = Encoded(SampleHeader());
    bytes[0] = static_cast<uint8_t>(first);
    const int version = first >> 3 & 7, mode = first & 7;
    auto packet = ParsePacket(bytes);
    if (version < 1 || version > 4) {
      assert_int_equal(packet.error(), Reject::kBadVersion);
    } else if (mode >= 6) {
      assert_int_equal(packet.error(), Reject::kNotTime);
    } else {
      assert_int_equal(packet->header.version, version);
      assert_int_equal(packet->header.mode, mode);
      assert_int_equal(packet->header.leap, first >> 6);
      assert_true(Encoded(packet->header) == bytes);
    }
  }
}

void RejectsEveryPrefixOfAHeader(void**) {
  const auto bytes = Encoded(SampleHeader());
  for (size_t size = 0; size < kHeaderSize; ++size) {
    auto packet = ParsePacket(Bytes(bytes).first(size));
    assert_int_equal(packet.error(), Reject::kShort);
  }
}

// S3610 and CVE-2012-4502: short packets. Each length either fails or stays inside its own octets.
void EveryPrefixOfACaptureStaysInside(void**) {
  for (const auto& capture : test::ReadCaptures()) {
    for (size_t size = kHeaderSize; size < capture.datagram.size(); ++size) {
      // A copy of its own, so that the sanitiser sees a read past the end.
      const std::vector<uint8_t> prefix(capture.datagram.begin(),
                                        capture.datagram.begin() + static_cast<long>(size));
      auto packet = ParsePacket(prefix);
      if (size % 4 != 0) {
        assert_int_equal(packet.error(), Reject::kBadLength);
      } else if (packet.ok()) {
        const size_t mac = packet->mac ? 4 + packet->mac->digest.size() : 0;
        assert_int_equal(packet->covered.size() + mac, size);
      }
    }
  }
}

void CapturesAreDelimitedAsTheirSendersMeant(void**) {
  bool saw_nak = false;
  for (const auto& capture : test::ReadCaptures()) {
    auto packet = ParsePacket(capture.datagram);
    assert_true(packet.ok());
    assert_int_equal(packet->header.mode, capture.mode);
    assert_int_equal(packet->extensions().size(), capture.fields);
    assert_int_equal(packet->mac.has_value(), capture.digest_size.has_value());
    if (packet->mac) assert_int_equal(packet->mac->digest.size(), *capture.digest_size);
    saw_nak = saw_nak || packet->crypto_nak;
  }
  assert_true(saw_nak);
}

void CapturesEncodeToTheSameOctets(void**) {
  for (const auto& capture : test::ReadCaptures()) {
    auto packet = ParsePacket(capture.datagram);
    std::vector<uint8_t> out(capture.datagram.size());
    Writer writer(out);
    EncodeHeader(writer, packet->header);
    for (const Extension& extension : packet->extensions()) writer.Put(extension.field);
    if (packet->mac) EncodeMac(writer, *packet->mac);
    assert_true(writer.Finish());
    assert_true(out == capture.datagram);
  }
}

void FourToTwentyFourOctetsAreAMac(void**) {
  for (size_t size = 4; size <= kMaxMacSize; size += 4) {
    const auto bytes = WithRest(std::vector<uint8_t>(size, 0x11));
    auto packet = ParsePacket(bytes);
    assert_true(packet.ok());
    assert_int_equal(packet->mac->key.value, 0x11111111);
    assert_int_equal(packet->mac->digest.size(), size - 4);
    assert_int_equal(packet->covered.size(), kHeaderSize);
    assert_false(packet->crypto_nak);
  }
}

void OnlyFourZeroOctetsAreACryptoNak(void**) {
  assert_true(ParsePacket(WithRest({0, 0, 0, 0})).value().crypto_nak);
  assert_false(ParsePacket(WithRest({0, 0, 0, 1})).value().crypto_nak);
  assert_false(ParsePacket(WithRest(std::vector<uint8_t>(20, 0))).value().crypto_nak);
}

void UnknownFieldsAreSkipped(void**) {
  auto rest = Field(0xbeef, 28, 28);
  const auto second = Field(0x0104, 36, 36);
  rest.insert(rest.end(), second.begin(), second.end());
  rest.resize(rest.size() + 20, 0x22);
  const auto bytes = WithRest(rest);
  auto packet = ParsePacket(bytes);
  assert_true(packet.ok());
  assert_int_equal(packet->extensions().size(), 2);
  assert_int_equal(packet->extensions()[0].type, 0xbeef);
  assert_int_equal(packet->extensions()[0].field.size(), 28);
  assert_int_equal(packet->extensions()[1].type, 0x0104);
  assert_int_equal(packet->covered.size(), kHeaderSize + 64);
  assert_int_equal(packet->mac->key.value, 0x22222222);
}

void RejectsFieldsThatDoNotFit(void**) {
  for (int length : {0, 1, 3, 5, 27, 30, 32, 0x7ffc, 0xfffc, 0xffff})
    AssertRejected(WithRest(Field(0x0201, static_cast<uint16_t>(length), 28)),
                   Reject::kBadExtension);
  // The last field with no room for a MAC behind it is taken whole.
  assert_true(ParsePacket(WithRest(Field(0x0201, 28, 28))).ok());
  // The least length advances; it does not loop.
  assert_int_equal(ParsePacket(WithRest(Field(0x0201, 4, 28))).value().covered.size(),
                   kHeaderSize + 4);
}

void RejectsMoreFieldsThanItCanHold(void**) {
  std::vector<uint8_t> rest;
  for (size_t i = 0; i < kMaxExtensions; ++i) {
    const auto field = Field(0x0201, 8, 8);
    rest.insert(rest.end(), field.begin(), field.end());
  }
  rest.resize(rest.size() + kMaxMacSize);
  assert_int_equal(ParsePacket(WithRest(rest)).value().extensions().size(), kMaxExtensions);
  const auto one_more = Field(0x0201, 8, 8);
  rest.insert(rest.begin(), one_more.begin(), one_more.end());
  AssertRejected(WithRest(rest), Reject::kTooManyExtensions);
}

void RejectsWhatIsLongerThanAnyPacket(void**) {
  std::vector<uint8_t> rest = Field(0x0201, kMaxExtensionArea, kMaxExtensionArea);
  rest.resize(rest.size() + kMaxMacSize);
  assert_true(ParsePacket(WithRest(rest)).ok());
  rest.resize(rest.size() + 4);
  AssertRejected(WithRest(rest), Reject::kLong);
}

void ShortSecondsRoundUpAndClamp(void**) {
  assert_int_equal(NtpShort::FromSeconds(0).raw(), 0);
  assert_int_equal(NtpShort::FromSeconds(-1).raw(), 0);
  assert_int_equal(NtpShort::FromSeconds(1e-9).raw(), 1);
  assert_int_equal(NtpShort::FromSeconds(1.5).raw(), 0x18000);
  assert_int_equal(NtpShort::FromSeconds(1e9).raw(), 0xffffffff);
  assert_int_equal(NtpShort::FromSeconds(std::numeric_limits<double>::quiet_NaN()).raw(),
                   0xffffffff);
}

void PeekModeOfNothingIsNone(void**) {
  assert_false(PeekMode({}).has_value());
  const uint8_t control[1] = {0x16};
  assert_int_equal(*PeekMode(control), Mode::kControl);
}

}  // namespace
}  // namespace ntpward::wire

int main() {
  using namespace ntpward::wire;
  const CMUnitTest tests[] = {
      cmocka_unit_test(HeaderSurvivesARoundTrip),
      cmocka_unit_test(EveryPollAndPrecisionSurvives),
      cmocka_unit_test(EveryFirstOctetIsTakenOrRefused),
      cmocka_unit_test(RejectsEveryPrefixOfAHeader),
      cmocka_unit_test(EveryPrefixOfACaptureStaysInside),
      cmocka_unit_test(CapturesAreDelimitedAsTheirSendersMeant),
      cmocka_unit_test(CapturesEncodeToTheSameOctets),
      cmocka_unit_test(FourToTwentyFourOctetsAreAMac),
      cmocka_unit_test(OnlyFourZeroOctetsAreACryptoNak),
      cmocka_unit_test(UnknownFieldsAreSkipped),
      cmocka_unit_test(RejectsFieldsThatDoNotFit),
      cmocka_unit_test(RejectsMoreFieldsThanItCanHold),
      cmocka_unit_test(RejectsWhatIsLongerThanAnyPacket),
      cmocka_unit_test(ShortSecondsRoundUpAndClamp),
      cmocka_unit_test(PeekModeOfNothingIsNone),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
