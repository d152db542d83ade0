// What strangers can send in a peer's name: the MAC behind a field is anyone's to make.
#include "tests/autokey/peer_pair.h"
#include "tests/support/authority.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::autokey::test {
namespace {

using wire::AutokeyCode;

struct Settled : PeerPair {
  Settled() {
    one->host.Synchronise();
    two->host.Synchronise();
    assert_true(Settle());
    for (int i = 0; i < 3; ++i) (void)Poll();
  }
  // Time goes on both ways, and nothing was asked for anew.
  bool GoesOn() {
    const size_t lines = one->statistics.size() + two->statistics.size();
    for (int i = 0; i < 4; ++i) {
      const Turn turn = Poll();
      if (turn.at_one != Heard::kTime || turn.at_two != Heard::kTime) return false;
    }
    return one->statistics.size() + two->statistics.size() == lines;
  }
  PeerResult Forge(Bytes field, bool answers_us = false) {
    return one->dance->OnField(field, answers_us, one->context());
  }
};

std::vector<uint8_t> Field(AutokeyCode code, bool response, uint32_t association,
                           std::string_view value = {}, uint32_t timestamp = kPeersNow + 100000,
                           uint32_t word = 0x80001, size_t signature = 0) {
  wire::AutokeyField field;
  field.head = {response, false, static_cast<uint8_t>(code), association};
  const std::vector<uint8_t> forged(signature, 0x11);
  field.has_value = !value.empty();
  field.timestamp = {timestamp};
  field.filestamp = {word};
  field.value = AsBytes(value);
  field.signature = forged;
  return EncodedField(field);
}

Bytes FirstField(const PeerPacket& packet) {
  return Bytes(packet.fields).first(Reader(packet.fields).U32() & 0xffff);
}

// CVE-2014-9750 and its like; ntpd 4.2.8 starts over because of the second.
void ForgedFieldsChangeNothing(void**) {
  Settled pair;
  const uint32_t flags = pair.one->dance->flags();
  for (const bool response : {false, true})
    for (uint8_t code = 0; code < 12; ++code)
      for (const std::string_view value : {"", "two", "12345678"}) {
        (void)pair.Forge(Field(static_cast<AutokeyCode>(code), response, 111, value, kPeersNow + 1,
                               0x80001, code % 2 == 0 ? 64 : 0));
        assert_int_equal(pair.one->dance->flags(), flags);
      }
  assert_true(pair.GoesOn());
}

// It is heard, and that is all; nor does what a peer of the reference's kind says of ours.
void AFirstAnswerSaysNothing(void**) {
  Settled pair;
  for (const bool response : {false, true})
    for (const bool answers_us : {false, true}) {
      const PeerResult result = pair.Forge(Field(AutokeyCode::kNull, response, 0), answers_us);
      assert_true(result.dance.outcome == Outcome::kOk && result.dance.statistics.empty());
      assert_false(result.question.has_value());
    }
  assert_true(pair.GoesOn());
}

// A forger who saw our last packet can make the peer look as if it had started over. It costs a
// question for the cookie, once in a while, and neither end its time.
void ACookieAskedForAgainCostsAQuestion(void**) {
  Settled pair;
  const Bytes key = pair.two->host.state.public_key();
  for (int i = 0; i < 5; ++i) {
    const PeerResult result =
        pair.Forge(Field(AutokeyCode::kCookie, false, 222, AsText(key)), true);
    assert_true(result.question.has_value());
    assert_true(pair.one->restarts.empty());
  }
  (void)pair.Poll();
  assert_true(pair.Settle(6));
  assert_true(pair.one->restarts.empty() && pair.two->restarts.empty());
}

void AnAnnouncementCountsUnderThePeersSignatureAlone(void**) {
  Settled pair;
  const auto forged =
      Field(AutokeyCode::kAutokey, true, 111, std::string_view("\x01\x02\x03\x04\0\0\0\x63", 8),
            kPeersNow + 5000, kPeersNow + 5000, 64);
  assert_false(pair.Forge(forged).accept.has_value());
  assert_true(pair.one->dance->follows_list());
  assert_true(pair.GoesOn());
  // Who hears us can make us ask for the peer's proofs once more, and no poll is lost by that.
  assert_false(pair.Forge(forged, true).accept.has_value());
  assert_true(pair.one->dance->follows_list());
  for (int i = 0; i < 20; ++i) {
    const auto turn = pair.Poll();
    assert_true(turn.at_one == Heard::kTime && turn.at_two == Heard::kTime);
  }
  assert_true(pair.GoesOn());
  assert_true(pair.one->restarts.empty());
}

// Whoever sits in between can void an announced list by wrong keys; a stranger cannot.
void KeysOutOfOrderFromStrangersVoidNoList(void**) {
  Settled pair;
  for (int i = 0; i < 100; ++i)
    pair.one->dance->OnPacketVerdict(msg::VerdictCode::kSequence, false, false);
  assert_true(pair.one->dance->follows_list());
  assert_true(pair.GoesOn());
}

void AForgedRequestDoesNotTakeTheGenuineOnesPlace(void**) {
  Settled pair;
  assert_true(pair.Forge(Field(AutokeyCode::kCertificate, false, 222, "one"), true).dance.outcome ==
              Outcome::kOk);
  assert_true(pair.Forge(Field(AutokeyCode::kCertificate, false, 9, "nobody")).dance.outcome ==
              Outcome::kProtocol);
  const PeerPacket packet = pair.one->dance->NextPacket(pair.one->context());
  const auto head = wire::ParseAutokeyFieldHead(FirstField(packet));
  assert_true(head.ok() && head->response && head->association == 222);
  assert_int_equal(head->code, static_cast<uint8_t>(AutokeyCode::kCertificate));
}

// Nothing leaves because a packet came: an answer waits for our own poll, and there is one.
void ManyRequestsAreOneAnswer(void**) {
  Settled pair;
  for (int i = 0; i < 100; ++i) {
    const auto result = pair.Forge(Field(AutokeyCode::kCertificate, false, 222, "one"));
    assert_false(result.question.has_value());
  }
  const PeerPacket packet = pair.one->dance->NextPacket(pair.one->context());
  const auto parsed = wire::ParseAutokeyField(packet.fields);
  assert_true(parsed.ok() && parsed->head.response);
  assert_true(pair.one->dance->NextPacket(pair.one->context()).fields.empty());
}

// A real peer that sends questions without end, hundreds to a packet, gets what a peer needs.
void AFloodOfQuestionsCostsFewAnswers(void**) {
  Settled pair;
  const Bytes key = pair.two->host.state.public_key();
  const auto field = Field(AutokeyCode::kCookie, false, 222, AsText(key));
  const auto flood = [&] {
    int asked = 0;
    for (int i = 0; i < 10000; ++i) asked += pair.Forge(field, true).question.has_value() ? 1 : 0;
    return asked;
  };
  assert_in_range(flood(), 1, PeerDance::kAnsweringBurst);
  pair.one->host.time.seconds += 4;
  assert_in_range(flood(), 1, 4 * PeerDance::kFieldRate);
  pair.one->host.time.seconds -= 4;
  assert_true(pair.Settle(20));
  assert_true(pair.one->restarts.empty() && pair.two->restarts.empty());
}

// A peer that asks all the time for a certificate that cannot be signed, then for the rest of its
// life.
void CertificatesOfAPeerAreLookedAtWithoutEnd(void**) {
  Settled pair;
  const auto field = Field(AutokeyCode::kSign, false, 222, "no certificate");
  for (int i = 0; i < 2 * ServerSide::kSignBurst; ++i) {
    pair.one->host.time.seconds += 1;
    (void)pair.one->dance->NextPacket(pair.one->context());
    (void)pair.Forge(field, true);
    const PeerPacket packet = pair.one->dance->NextPacket(pair.one->context());
    const auto answer = wire::ParseAutokeyFieldHead(FirstField(packet));
    assert_int_equal(answer->code, static_cast<int>(AutokeyCode::kSign));
    assert_true(answer->error);
  }
}

// Whoever does not hear us gets signatures checked seldom, and the peer's are checked all the same.
void AFloodOfAnnouncementsUsesUpNothingOfThePeers(void**) {
  Settled pair;
  const auto forged =
      Field(AutokeyCode::kAutokey, true, 111, std::string_view("\x01\x02\x03\x04\0\0\0\x63", 8),
            kPeersNow + 5000, kPeersNow + 5000, 64);
  int checked = 0;
  for (int i = 0; i < 10000; ++i)
    checked += pair.Forge(forged).dance.outcome == Outcome::kSignature;
  assert_in_range(checked, 1, PeerDance::kOthersBurst);
  assert_true(pair.GoesOn());
}

// Of the first packet of a stranger nothing is believed, not even a name: it may be a forger's, and
// the genuine one would be asked for it.
void ANameCountsFromWhoHearsUsAlone(void**) {
  PeerPair pair;
  const auto request = Field(AutokeyCode::kAssociation, false, 222, "mallory");
  (void)pair.one->dance->OnField(request, false, pair.one->context());
  assert_int_equal(pair.one->dance->flags(), 0);
  const PeerPacket packet = pair.one->dance->NextPacket(pair.one->context());
  // Answered it is, and asked the same.
  const auto head = wire::ParseAutokeyFieldHead(FirstField(packet));
  assert_true(head.ok() && head->response && head->association == 111);
}

void EveryPrefixOfAFieldIsSurvived(void**) {
  Settled pair;
  const uint32_t flags = pair.one->dance->flags();
  for (const bool answers : {false, true})
    for (uint8_t code = 0; code < 10; ++code) {
      const auto field =
          Field(static_cast<AutokeyCode>(code), (code & 1) != 0, 111, "12345678", 1, 1, 64);
      for (size_t size = 0; size < field.size(); ++size)
        (void)pair.Forge(Bytes(field).first(size), answers);
    }
  assert_int_equal(pair.one->dance->flags() & ~kCookie, flags & ~kCookie);
  (void)pair.one->dance->NextPacket(pair.one->context());
  assert_true(pair.Settle(20));
}

}  // namespace
}  // namespace ntpward::autokey::test

int main() {
  using namespace ntpward::autokey::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ForgedFieldsChangeNothing),
      cmocka_unit_test(AFirstAnswerSaysNothing),
      cmocka_unit_test(ACookieAskedForAgainCostsAQuestion),
      cmocka_unit_test(AnAnnouncementCountsUnderThePeersSignatureAlone),
      cmocka_unit_test(KeysOutOfOrderFromStrangersVoidNoList),
      cmocka_unit_test(AForgedRequestDoesNotTakeTheGenuineOnesPlace),
      cmocka_unit_test(ManyRequestsAreOneAnswer),
      cmocka_unit_test(AFloodOfQuestionsCostsFewAnswers),
      cmocka_unit_test(CertificatesOfAPeerAreLookedAtWithoutEnd),
      cmocka_unit_test(AFloodOfAnnouncementsUsesUpNothingOfThePeers),
      cmocka_unit_test(ANameCountsFromWhoHearsUsAlone),
      cmocka_unit_test(EveryPrefixOfAFieldIsSurvived),
  };
  return cmocka_run_group_tests(tests, LoadCrypto, nullptr);
}
