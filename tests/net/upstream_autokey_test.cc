// The dance over real sockets and a real channel: the test is the server and ntpd-keys.
#include <tuple>

#include "tests/net/danced.h"

namespace ntpward::net {
namespace {

using namespace ntpward::test;
using autokey::test::Party;
using autokey::test::TestKey;
using wire::AutokeyCode;

void TakesTimeOnlyAfterTheDance(void**) {
  Danced net;
  for (const AutokeyCode code : {AutokeyCode::kAssociation, AutokeyCode::kCertificate,
                                 AutokeyCode::kIff, AutokeyCode::kCookie}) {
    assert_false(net.dance().proven());
    assert_true(net.Step() == code);
  }
  assert_true(net.dance().proven());
  // The packets with fields were good replies, and set nothing.
  assert_false(net.HasSample());
  assert_int_equal(net.checks, 0);
  const auto request = net.PlainRequest();
  assert_int_equal(request.bytes.size(), 68);
  net.Deliver(Encoded(ReplyTo(request.header()), SomeMac(Danced::KeyOf(request))), request);
  assert_false(net.HasSample());
  net.ServeKeys();
  assert_int_equal(net.checks, 1);
  assert_true(net.HasSample());
}

void FieldsThatDoNotAnswerUsAreNotHeard(void**) {
  Danced net;
  const auto request = net.Poll(&net.first);
  assert_true(request && Danced::CodeOf(*request) == AutokeyCode::kAssociation);
  const auto field = net.ServersField(*request);
  const KeyId key = Danced::KeyOf(*request);
  auto broken = net.Reply(*request, field, key);
  broken.back() ^= 1;
  net.Deliver(broken, *request);
  net.Deliver(net.Reply(*request, field, KeyId{key.value + 1}), *request);
  auto bare = Encoded(ReplyTo(request->header()), field);
  net.Deliver(bare, *request);
  Stranger::Got other = *request;  // of another nonce
  other.bytes[40] ^= 1;
  net.Deliver(net.Reply(other, field, key), *request);
  assert_int_equal(net.dance().flags(), 0);
  net.Deliver(net.Reply(*request, field, key), *request);
  assert_int_not_equal(net.dance().flags(), 0);
}

void AMacBeforeTheProofIsNotLookedAt(void**) {
  Danced net;
  assert_true(net.Step() == AutokeyCode::kAssociation);
  const auto request = net.Poll(&net.first);
  assert_true(request.has_value());
  net.Deliver(Encoded(ReplyTo(request->header()), SomeMac(Danced::KeyOf(*request))), *request);
  net.ServeKeys();
  assert_int_equal(net.checks, 0);
  assert_false(net.HasSample());
}

void AMacOfAnotherKeyThanOursIsNotLookedAt(void**) {
  Danced net;
  net.Associate();
  const auto request = net.PlainRequest();
  const KeyId other{Danced::KeyOf(request).value + 1};
  net.Deliver(Encoded(ReplyTo(request.header()), SomeMac(other)), request);
  net.Deliver(Encoded(ReplyTo(request.header())), request);
  net.ServeKeys();
  assert_int_equal(net.checks, 0);
  assert_false(net.HasSample());
}

// Until the certificate that leads to a challenge; ntpd-keys has not drawn it yet.
Stranger::Got UpToTheChallenge(Danced* net) {
  CHECK(net->Step() == AutokeyCode::kAssociation);
  const auto request = net->Poll(&net->first);
  CHECK(request && Danced::CodeOf(*request) == AutokeyCode::kCertificate);
  net->Deliver(net->Reply(*request, net->ServersField(*request), Danced::KeyOf(*request)),
               *request);
  return *request;
}

void APollThatWaitsForTheKeyProcessGoesOutOnce(void**) {
  Danced net;
  UpToTheChallenge(&net);
  assert_false(net.Poll(&net.first).has_value());
  assert_false(net.Poll(&net.first).has_value());
  net.ServeKeys();
  const auto request = net.first.Receive();
  assert_true(request && Danced::CodeOf(*request) == AutokeyCode::kIff);
  assert_false(net.first.Receive().has_value());
}

void AnAssociationMayGoWhileKeysIsAtItsDance(void**) {
  Danced net;
  UpToTheChallenge(&net);
  assert_false(net.Poll(&net.first).has_value());
  net.h.upstreams.Configure({});
  assert_true(net.h.upstreams.all().empty());
  net.ServeKeys();
  assert_int_equal(net.forgotten, 1);
  assert_int_equal(net.h.node.keys.pending(), 0);
  assert_false(net.first.Receive().has_value());
}

// CVE-2016-1547, and what a genuine one is for: a server that has forgotten its cookies.
void OnlyACryptoNakThatAnswersUsStartsOver(void**) {
  Danced net;
  net.Associate();
  const auto request = net.PlainRequest();
  const uint8_t nak[4] = {};
  wire::Header forged = ReplyTo(request.header());
  forged.origin = NtpTimestamp::FromRaw(1);
  net.Deliver(Encoded(forged, nak), request);
  assert_true(net.dance().proven());
  const int before = net.forgotten;
  net.Deliver(Encoded(ReplyTo(request.header()), nak), request);
  net.ServeKeys();
  assert_false(net.dance().proven());
  assert_int_equal(net.forgotten, before + 1);
  net.Associate();
}

// What a forger sends who knows neither nonce nor cookie, or comes after the genuine answer: NAKs,
// and every kind of wrong MAC.
void SendForgeries(Danced* net, const Stranger::Got& request, bool answered) {
  const KeyId key = Danced::KeyOf(request);
  const std::vector<uint8_t> nak(4, 0), junk(16, 0x55);
  Stranger::Got other = request;  // of another nonce
  other.bytes[40] ^= 1;
  const Stranger::Got& asked = answered ? request : other;
  wire::Header no_origin = ReplyTo(request.header());
  no_origin.origin = NtpTimestamp();
  net->Deliver(Encoded(ReplyTo(asked.header()), nak), request);
  net->Deliver(Encoded(no_origin, nak), request);
  net->Deliver(Encoded(ReplyTo(asked.header()), SomeMac(key)), request);
  net->Deliver(Encoded(ReplyTo(request.header())), request);
  net->Deliver(Encoded(ReplyTo(request.header()), SomeMac(KeyId{key.value ^ 1})), request);
  net->Deliver(Encoded(ReplyTo(request.header()), SomeMac(KeyId{1})), request);
  if (Danced::CodeOf(request)) {
    const auto field = net->ServersField(request);
    auto broken = net->Reply(request, field, key);
    broken.back() ^= 1;
    net->Deliver(broken, request);
    net->Deliver(net->Reply(asked, field, key), request);
    net->Deliver(net->Reply(request, field, KeyId{key.value ^ 1}), request);
    --net->now;
  }
  net->ServeKeys();
}

// CVE-2016-4955: two dances, one of them attacked at each step, before and after the server's
// answer. Nothing that can be seen tells one from the other.
void ForgeriesLeaveNoTraceInAnyState(void**) {
  Danced honest, attacked;
  const auto word = [](const Danced& net) {
    const auto& dance = net.dance();
    return std::make_tuple(dance.flags(), dance.has_cookie(), dance.proven(),
                           std::string(dance.identity()), dance.group(), dance.server_name(),
                           dance.refusal(), dance.has_questions(), dance.renewing());
  };
  for (int step = 0; step < 6; ++step) {
    std::vector<std::vector<uint8_t>> fields;
    for (Danced* net : {&honest, &attacked}) {
      net->h.upstreams.Poll(net->Only());
      net->ServeKeys();
      const auto request = net->first.Receive();
      assert_true(request.has_value());
      const auto packet = *wire::ParsePacket(request->bytes);
      const Bytes field = packet.extensions().empty() ? Bytes() : packet.extensions()[0].field;
      fields.emplace_back(field.begin(), field.end());
      // The association's number, which each drew for itself.
      if (!field.empty()) std::fill_n(fields.back().begin() + 4, 4, uint8_t{0});
      if (net == &attacked) SendForgeries(net, *request, false);
      if (!field.empty()) {
        net->Deliver(net->Reply(*request, net->ServersField(*request), Danced::KeyOf(*request)),
                     *request);
      } else {
        net->Deliver(Encoded(ReplyTo(request->header()), SomeMac(Danced::KeyOf(*request))),
                     *request);
      }
      net->ServeKeys();
      if (net == &attacked) SendForgeries(net, *request, true);
    }
    assert_true(fields[0] == fields[1]);
    assert_true(word(honest) == word(attacked));
    assert_int_equal(honest.checks, attacked.checks);
    assert_int_equal(honest.forgotten, attacked.forgotten);
    assert_int_equal(honest.HasSample(), attacked.HasSample());
    assert_int_equal(honest.Snapshot().reach, attacked.Snapshot().reach);
  }
  assert_true(attacked.dance().proven() && attacked.HasSample());
}

void ACookieThatKeysHasLostIsAskedForAgain(void**) {
  Danced net;
  net.Associate();
  net.cookie_lost = true;
  assert_false(net.Step().has_value());
  assert_false(net.dance().has_cookie());
  net.cookie_lost = false;
  assert_true(net.Step() == AutokeyCode::kCookie);
  assert_true(net.dance().proven());
}

void ANewKeyProcessCostsTheCookieAlone(void**) {
  Danced net;
  net.Associate();
  net.h.node.keys.OnRestarted();
  net.h.upstreams.OnKeysRestarted();
  assert_true(net.Step() == AutokeyCode::kCookie);
  assert_true(net.dance().proven());
}

void KeyMaterialReadAgainCostsNothingThatWasProved(void**) {
  for (const autokey::HostChange& change :
       {autokey::HostChange{}, autokey::HostChange{.certificate = true},
        autokey::HostChange{.key = true}}) {
    Danced net;
    net.Associate();
    net.h.upstreams.OnHostMaterial(change);
    assert_true(net.dance().proven());
    assert_int_equal(net.PlainRequest().bytes.size(), 68);
  }
}

// The line is the same: what is said for all has changed.
void AReloadBringsTheNewPolicyToRunningDances(void**) {
  Danced net;
  net.Associate();
  const std::vector<msg::NetAssociation> same{net.upstream().config};
  const AssocId id = net.Only();
  const auto reload = [&](bool optional) {
    net.h.node.start.identity_optional = optional;
    // Whether key material comes before or after.
    net.h.upstreams.OnHostMaterial({});
    net.h.upstreams.Configure(same);
    assert_true(net.Only() == id);
  };
  net.h.node.start.identity_optional = true;
  net.h.upstreams.Configure(same);
  net.h.SetHost(Party("client", TestKey::Shared(1), false).material);
  reload(true);
  assert_true(net.dance().proven());
  reload(false);
  assert_false(net.dance().proven());
}

void ServersWaitUntilWeKnowWhoWeAre(void**) {
  Danced net;
  const msg::NetAssociation line = net.upstream().config;
  net.h.upstreams.Configure({});
  net.h.node.has_material = false;
  net.h.upstreams.Configure({line});
  assert_true(net.h.upstreams.all().empty());
  net.h.node.has_material = true;
  net.h.upstreams.OnHostMaterial({});
  net.ServeKeys();
  net.Associate();
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TakesTimeOnlyAfterTheDance),
      cmocka_unit_test(FieldsThatDoNotAnswerUsAreNotHeard),
      cmocka_unit_test(AMacBeforeTheProofIsNotLookedAt),
      cmocka_unit_test(AMacOfAnotherKeyThanOursIsNotLookedAt),
      cmocka_unit_test(APollThatWaitsForTheKeyProcessGoesOutOnce),
      cmocka_unit_test(AnAssociationMayGoWhileKeysIsAtItsDance),
      cmocka_unit_test(OnlyACryptoNakThatAnswersUsStartsOver),
      cmocka_unit_test(ForgeriesLeaveNoTraceInAnyState),
      cmocka_unit_test(ACookieThatKeysHasLostIsAskedForAgain),
      cmocka_unit_test(ANewKeyProcessCostsTheCookieAlone),
      cmocka_unit_test(KeyMaterialReadAgainCostsNothingThatWasProved),
      cmocka_unit_test(AReloadBringsTheNewPolicyToRunningDances),
      cmocka_unit_test(ServersWaitUntilWeKnowWhoWeAre),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
