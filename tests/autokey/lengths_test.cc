// Each of the three lengths that a message has, with every number that has ever been a trouble, in
// every message of both sides.
#include <algorithm>
#include <array>
#include <set>

#include "ntpd/autokey/announced_list.h"
#include "tests/autokey/captured_dances.h"
#include "tests/autokey/question.h"

namespace ntpward::autokey::test {
namespace {

using wire::AutokeyCode;
using Field = std::vector<uint8_t>;

// One way to lie: where the number stands, and what it says.
struct Lie {
  size_t at = 0;
  size_t octets = 0;  // of the number
  uint32_t number = 0;
};

std::vector<uint32_t> Numbers(uint32_t right, bool is_short) {
  std::set<uint32_t> numbers = {0,         1,         4,         7,         8,
                                20,        23,        24,        right - 8, right - 4,
                                right - 1, right + 1, right + 4, right + 8, 2 * right};
  if (is_short) {
    numbers.insert({0x7fff, 0x8000, 0x8000 | right, 0xfffc, 0xffff});
  } else {
    numbers.insert({0x7ffffffc, 0x7fffffff, 0x80000000, 0x80000000 | right, 0xffffff00 | right,
                    0xfffffffc, 0xffffffff});
  }
  numbers.erase(right);
  std::vector<uint32_t> fitting;
  for (const uint32_t number : numbers)
    if (!is_short || number <= 0xffff) fitting.push_back(number);
  return fitting;
}

std::vector<Lie> LiesAbout(Bytes field) {
  std::vector<Lie> lies;
  const auto parsed = wire::ParseAutokeyField(field);
  assert_true(parsed.ok());
  for (const uint32_t number : Numbers(static_cast<uint32_t>(field.size()), true))
    lies.push_back({2, 2, number});
  if (!parsed->has_value) return lies;
  const auto value = static_cast<uint32_t>(parsed->value.size());
  for (const uint32_t number : Numbers(value, false)) lies.push_back({16, 4, number});
  const auto signature = static_cast<uint32_t>(parsed->signature.size());
  for (const uint32_t number : Numbers(signature, false))
    lies.push_back({20 + (value + 3) / 4 * 4, 4, number});
  return lies;
}

Field Told(Bytes field, const Lie& lie) {
  Field changed(field.begin(), field.end());
  Writer writer(MutableBytes(changed).subspan(lie.at));
  if (lie.octets == 2) {
    writer.U16(static_cast<uint16_t>(lie.number));
  } else {
    writer.U32(lie.number);
  }
  return changed;
}

// A request or answer of each kind.
struct Messages {
  std::vector<Field> requests, answers;
};

Messages Captured() {
  Messages messages;
  std::set<uint8_t> seen;
  for (const CapturedDance& dance : CapturedDances()) {
    for (const Exchange& exchange : dance.exchanges) {
      if (!seen.insert(exchange.code()).second) continue;
      messages.requests.push_back(exchange.request);
      messages.answers.push_back(exchange.response);
    }
  }
  // What no capture has: AUTO, MV and the field of a client without parameters.
  for (const uint8_t code : {uint8_t{4}, uint8_t{0}})
    messages.requests.push_back({2, code, 0, 8, 0, 0, 0xa8, 0x6e});
  Question mv(AutokeyCode::kMv);
  (void)mv.Ask();
  assert_int_equal(mv.meeting->request.field[1], static_cast<uint8_t>(AutokeyCode::kMv));
  messages.requests.push_back(mv.meeting->request.field);
  assert_true(seen.size() >= 7);
  return messages;
}

// What a lie comes to: the field is taken apart exactly when its lengths agree, and then nothing
// points out of it.
void CheckPieces(Bytes field) {
  const auto parsed = wire::ParseAutokeyField(field);
  if (!parsed.ok() || !parsed->has_value) return;
  const auto is_inside = [&](Bytes part) {
    return part.empty() || (part.data() >= field.data() &&
                            part.data() + part.size() <= field.data() + field.size());
  };
  assert_true(is_inside(parsed->value) && is_inside(parsed->signature));
  assert_true(is_inside(parsed->signed_part));
  assert_int_equal(wire::AutokeyFieldSize(parsed->value.size(), parsed->signature.size()),
                   field.size());
}

void AServerRefusesEveryWrongLengthOfEveryRequest(void**) {
  Party server("server", TestKey::Shared(0), true, kIff | kGq | kMv);
  server.Sign(kTestNow);
  const AddressPair path{IpAddress::V4(10, 77, 0, 2), IpAddress::V4(10, 77, 0, 1)};
  const ServerContext context{server.host, server.certificates, NtpSeconds{kTestNow}, true};
  int told = 0;
  for (const Field& request : Captured().requests) {
    for (const Lie& lie : LiesAbout(request)) {
      // In an allocation of its own size, so that ASan sees each octet too far.
      const Field changed = Told(request, lie);
      CheckPieces(changed);
      ServerAnswer answer = server.side.OnRequest(changed, path, context);
      ++told;
      if (lie.at == 2) {
        assert_true(answer.kind == ServerAnswer::Kind::kDrop);
        continue;
      }
      // Padding hides a length that is a little off: that is then another value, for its owner to
      // refuse.
      if (wire::ParseAutokeyField(changed).ok()) {
        if (answer.operation)
          std::visit([](const auto& m) { assert_true(m.Valid()); }, *answer.operation);
        continue;
      }
      assert_true(answer.kind == ServerAnswer::Kind::kReply);
      assert_int_equal(answer.field[0], 0xc2);
      assert_int_equal(answer.field.size(), 8);
      assert_int_equal(answer.outcome, Outcome::kLength);
    }
  }
  assert_true(told > 200);
}

// A field that is longer or shorter than its datagram says, with its own length right.
void AServerRefusesFieldsThatAreCutOrStretched(void**) {
  Party server("server", TestKey::Shared(0), true, kIff | kGq | kMv);
  server.Sign(kTestNow);
  const AddressPair path{IpAddress::V4(10, 77, 0, 2), IpAddress::V4(10, 77, 0, 1)};
  const ServerContext context{server.host, server.certificates, NtpSeconds{kTestNow}, true};
  for (const Field& request : Captured().requests) {
    for (size_t size = 8; size <= request.size() + 64; size += 4) {
      Field changed = request;
      changed.resize(size);
      Writer(MutableBytes(changed).subspan(2)).U16(static_cast<uint16_t>(size));
      CheckPieces(changed);
      if (size == request.size() || size == 8) continue;
      const ServerAnswer answer = server.side.OnRequest(changed, path, context);
      assert_true(answer.kind == ServerAnswer::Kind::kReply);
      assert_int_equal(answer.field[0], 0xc2);
    }
  }
}

void AClientTakesNothingOfAWrongLength(void**) {
  for (const AutokeyCode step : kAllQuestions) {
    Question question(step);
    std::optional<Meeting>& meeting = question.meeting;
    const Field genuine = question.Ask();
    assert_int_equal(genuine[1], static_cast<uint8_t>(step));
    for (const Lie& lie : LiesAbout(genuine)) {
      question.Begin();
      const Field again = question.Ask();
      const uint32_t before = meeting->dance.flags();
      const Field changed = Told(again, lie);
      CheckPieces(changed);
      // Of a name that nobody signed one letter less is another name.
      const bool another_name =
          step == AutokeyCode::kAssociation && wire::ParseAutokeyField(changed).ok();
      meeting->Deliver(changed);
      if (another_name) continue;
      // Nobody checks the signature of a certificate's field; the certificate is whole.
      const bool certificate =
          step == AutokeyCode::kCertificate && lie.at > 16 && wire::ParseAutokeyField(changed).ok();
      if (certificate) continue;
      assert_true(meeting->last.outcome != Outcome::kOk);
      assert_int_equal(meeting->dance.flags(), before);
      assert_false(meeting->last.leap.has_value());
    }
  }
}

// AUTO, which no question of a dance brings: the list of a broadcast server or a peer.
void NoListIsTakenOfAWrongLength(void**) {
  constexpr uint32_t kAnnouncer = 3844;
  Party server("server", TestKey::Shared(0), true);
  server.Sign(kTestNow);
  std::array<uint8_t, 8> list{0x56, 0x84, 0xea, 0x51, 0, 0, 0, 99};
  wire::AutokeyField announcement;
  announcement.head = {true, false, static_cast<uint8_t>(AutokeyCode::kAutokey), kAnnouncer};
  announcement.has_value = true;
  announcement.timestamp = {kTestNow};
  announcement.filestamp = {kTestNow - 10};
  announcement.value = list;
  const Field genuine = server.SignField(announcement);
  const auto check = [&](const wire::AutokeyField& field) {
    return VerifySignature(server.scheme, server.key->public_key(), field.signed_part,
                           field.signature);
  };
  const AddressPair path{IpAddress::V4(10, 77, 0, 1), IpAddress::V4(10, 77, 0, 255)};
  for (const auto use : {msg::KeyListUse::kBroadcast, msg::KeyListUse::kSymmetric}) {
    const auto taken = [&](Bytes field) {
      AnnouncedList announced(AssocId{7}, use, path);
      const auto result = announced.OnAnnouncement(field, kAnnouncer, check);
      assert_int_equal(result.outcome == Outcome::kOk, result.accept.has_value());
      return result.accept.has_value();
    };
    assert_true(taken(genuine));
    for (const Lie& lie : LiesAbout(genuine)) {
      const Field changed = Told(genuine, lie);
      CheckPieces(changed);
      assert_false(taken(changed));
    }
  }
}

}  // namespace
}  // namespace ntpward::autokey::test

int main() {
  using namespace ntpward::autokey::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AServerRefusesEveryWrongLengthOfEveryRequest),
      cmocka_unit_test(AServerRefusesFieldsThatAreCutOrStretched),
      cmocka_unit_test(AClientTakesNothingOfAWrongLength),
      cmocka_unit_test(NoListIsTakenOfAWrongLength),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
