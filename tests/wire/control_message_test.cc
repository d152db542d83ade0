// Mode 6 datagrams: what is accepted as a request, where a MAC starts, how answers are cut up.
#include "ntpd/wire/control_message.h"

#include <array>
#include <string>

#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::wire {
namespace {

using test::FromHex;

// READVAR "stratum" by ntpq 4.2.8 with key 7, MD5.
constexpr char kAuthenticated[] =
    "160200010000000000000007"
    "7374726174756d000000000000000007"
    "9654030c400d6709b662e07c00d91f46";

std::vector<uint8_t> Request(size_t data, size_t padding) {
  ControlHeader header;
  header.op = ControlOp::kReadVariables;
  header.count = static_cast<uint16_t>(data);
  std::vector<uint8_t> datagram(kControlHeaderSize + data + padding);
  Writer out(datagram);
  Encode(header, out);
  return datagram;
}

ControlReject WhyNot(const std::vector<uint8_t>& datagram) {
  const auto request = ParseControlRequest(datagram);
  assert_false(request.ok());
  return request.error();
}

void AcceptsABareRequest(void**) {
  const auto datagram = FromHex(
      "1602beef0000000112340000"
      "");
  assert_int_equal(WhyNot(datagram), ControlReject::kNotARequest);  // an offset
  const auto good = FromHex("1602beef0000123400000000");
  const auto request = ParseControlRequest(good);
  assert_true(request.ok());
  assert_int_equal(request->header.sequence, 0xbeef);
  assert_int_equal(request->header.assoc.value, 0x1234);
  assert_true(request->header.op == ControlOp::kReadVariables);
  assert_true(request->data.empty());
  assert_false(request->mac.has_value());
}

void FindsTheMacAtAMultipleOfEight(void**) {
  const auto datagram = FromHex(kAuthenticated);
  const auto request = ParseControlRequest(datagram);
  assert_true(request.ok());
  assert_true(AsText(request->data) == "stratum");
  assert_true(request->mac.has_value());
  assert_int_equal(request->mac->key.value, 7);
  assert_int_equal(request->mac->digest.size(), 16);
  assert_int_equal(request->mac->covered.size(), 24);
}

void ServesExcessPaddingAsNoDigest(void**) {
  // 12 + 3 octets: the MAC would start at 16. Four more octets of padding look like a key number.
  const auto request = ParseControlRequest(Request(3, 5));
  assert_true(request.ok());
  assert_true(request->mac.has_value());
  assert_true(request->mac->digest.empty());
  assert_true(request->mac->key.is_none());
}

void TakesNoMacLongerThanTwentyFourOctets(void**) {
  assert_true(ParseControlRequest(Request(4, 24))->mac.has_value());
  assert_false(ParseControlRequest(Request(4, 28))->mac.has_value());
}

void AcceptsVersionsOneToFour(void**) {
  for (unsigned version = 0; version < 8; ++version) {
    auto datagram = Request(0, 0);
    datagram[0] = static_cast<uint8_t>(version << 3 | kControlMode);
    const bool accepted = ParseControlRequest(datagram).ok();
    assert_int_equal(accepted, version >= 1 && version <= 4);
  }
}

void NeverAnswersAnAnswer(void**) {
  for (const uint8_t bit : std::array<uint8_t, 3>{0x80, 0x40, 0x20}) {
    auto datagram = Request(0, 0);
    datagram[1] |= bit;
    assert_int_equal(WhyNot(datagram), ControlReject::kNotARequest);
  }
  auto datagram = Request(0, 0);
  datagram[9] = 1;
  assert_int_equal(WhyNot(datagram), ControlReject::kNotARequest);
}

void RejectsWrongModeAndLength(void**) {
  auto datagram = Request(0, 0);
  datagram[0] = 0x17;
  assert_int_equal(WhyNot(datagram), ControlReject::kWrongMode);
  assert_int_equal(WhyNot(Request(3, 0)), ControlReject::kBadFormat);
  auto counted = Request(4, 0);
  counted[11] = 5;
  assert_int_equal(WhyNot(counted), ControlReject::kBadFormat);
  assert_int_equal(WhyNot(Request(472, 0)), ControlReject::kBadFormat);
  assert_int_equal(WhyNot(Request(468, 560)), ControlReject::kTooLong);
  // ntpstat pads its request to 576 octets.
  assert_true(ParseControlRequest(Request(0, 564)).ok());
}

void SurvivesEveryTruncation(void**) {
  const auto whole = FromHex(kAuthenticated);
  for (size_t size = 0; size < whole.size(); ++size) {
    const std::vector<uint8_t> part(whole.begin(),
                                    whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto request = ParseControlRequest(part);
    if (size < kControlHeaderSize) assert_int_equal(request.error(), ControlReject::kTooShort);
    // What is left of the MAC must not be taken for a whole one.
    if (request.ok() && request->mac) assert_true(request->mac->digest.size() < 16);
  }
}

void SurvivesEveryTruncationOfAnAnswer(void**) {
  const auto whole = FromHex(
      "168200010604000000000008"
      "6c6561703d302c0d");
  assert_true(ParseControlResponse(whole).ok());
  for (size_t size = 0; size < whole.size(); ++size)
    assert_false(ParseControlResponse(Bytes(whole).first(size)).ok());
}

void TakesAnErrorWhateverItsOffsetSays(void**) {
  const auto fragment = ParseControlResponse(FromHex("16c20001050000000bad0000"));
  assert_true(fragment.ok());
  assert_true(fragment->header.error_code() == ControlError::kUnknownVariable);
}

void RoundTripsEveryHeader(void**) {
  ControlHeader header;
  header.leap = 3;
  header.version = 4;
  header.response = header.more = true;
  header.op = ControlOp::kUnsetTrap;
  header.sequence = 0x0102;
  header.status = 0x0304;
  header.assoc = AssocId{0x0506};
  header.offset = 0x0708;
  header.count = 0x090a;
  std::array<uint8_t, kControlHeaderSize> buffer;
  Writer out(buffer);
  Encode(header, out);
  assert_true(out.Finish());
  assert_string_equal(test::ToHex(buffer).c_str(),
                      "e6bf01020304050607080"
                      "90a");
  assert_true(*DecodeControlHeader(buffer) == header);
}

ControlHeader AnyReply() { return ReplyHeader(ControlHeader{}, 0, 0x0615); }

void CutsAnAnswerBetweenItems(void**) {
  const std::string payload(1000, 'x');
  const auto datagrams =
      BuildControlReply(AnyReply(), AsBytes(payload), {300, 460, 700, 901}, ControlPadding::kPlain);
  assert_int_equal(datagrams.size(), 3);
  const size_t offsets[] = {0, 460, 901};
  for (size_t i = 0; i < datagrams.size(); ++i) {
    const auto fragment = ParseControlResponse(datagrams[i]);
    assert_true(fragment.ok());
    assert_int_equal(fragment->header.offset, offsets[i]);
    assert_int_equal(fragment->header.more, i < 2);
    assert_int_equal(datagrams[i].size() % 4, 0);
  }
}

void CutsInsideAnItemThatFitsNowhere(void**) {
  const std::string payload(469, 'x');
  const auto datagrams =
      BuildControlReply(AnyReply(), AsBytes(payload), {}, ControlPadding::kForMac);
  assert_int_equal(datagrams.size(), 2);
  assert_int_equal(datagrams[0].size(), 480);
  assert_int_equal(datagrams[1].size(), 16);
  assert_int_equal(ParseControlResponse(datagrams[1])->data.size(), 1);
}

void AnswersNothingWithOneDatagram(void**) {
  assert_int_equal(BuildControlReply(AnyReply(), {}, {}, ControlPadding::kPlain).size(), 1);
}

void BoundsTheWholeAnswer(void**) {
  const std::string payload(100000, 'x');
  const auto datagrams =
      BuildControlReply(AnyReply(), AsBytes(payload), {}, ControlPadding::kPlain);
  assert_int_equal(datagrams.size(), 128);
  assert_false(ParseControlResponse(datagrams.back())->header.more);
}

void EchoesTheRequestInAnError(void**) {
  const auto request = ParseControlRequest(FromHex("260c00070000abcd00000000"));
  const auto error = BuildControlError(request->header, 3, ControlError::kBadOperation);
  assert_string_equal(test::ToHex(error).c_str(), "e6cc00070300abcd00000000");
}

}  // namespace
}  // namespace ntpward::wire

int main() {
  using namespace ntpward::wire;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AcceptsABareRequest),
      cmocka_unit_test(FindsTheMacAtAMultipleOfEight),
      cmocka_unit_test(ServesExcessPaddingAsNoDigest),
      cmocka_unit_test(TakesNoMacLongerThanTwentyFourOctets),
      cmocka_unit_test(AcceptsVersionsOneToFour),
      cmocka_unit_test(NeverAnswersAnAnswer),
      cmocka_unit_test(RejectsWrongModeAndLength),
      cmocka_unit_test(SurvivesEveryTruncation),
      cmocka_unit_test(SurvivesEveryTruncationOfAnAnswer),
      cmocka_unit_test(TakesAnErrorWhateverItsOffsetSays),
      cmocka_unit_test(RoundTripsEveryHeader),
      cmocka_unit_test(CutsAnAnswerBetweenItems),
      cmocka_unit_test(CutsInsideAnItemThatFitsNowhere),
      cmocka_unit_test(AnswersNothingWithOneDatagram),
      cmocka_unit_test(BoundsTheWholeAnswer),
      cmocka_unit_test(EchoesTheRequestInAnError),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
