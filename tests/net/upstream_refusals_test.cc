// Servers that were refused, or went: who gets their place, and what of them stays.
#include "tests/net/danced.h"

namespace ntpward::net {
namespace {

using namespace ntpward::test;
using autokey::test::kTestNow;
using autokey::test::Party;
using autokey::test::TestKey;
using wire::AutokeyCode;

// Its next poll, which asks for the cookie, may be 1024 s away.
void ANewKeyProcessCostsNoManycastServer(void**) {
  Danced net(Danced::Kind::kManycastClient);
  net.Associate();
  const MonoTime now = Timebase::Mono();
  net.h.upstreams.Maintain(now);
  net.h.node.keys.OnRestarted();
  net.h.upstreams.OnKeysRestarted();
  net.h.upstreams.OnHostMaterial({});
  for (double after = 1000; after < 3000; after += 100) net.h.upstreams.Maintain(now + after);
  assert_int_equal(net.h.upstreams.all().size(), 1);
  assert_true(net.Step() == AutokeyCode::kCookie);
  assert_true(net.dance().proven());
}

void AManycastServerThatDoesNotProveItselfGoes(void**) {
  Danced net(Danced::Kind::kManycastClient);
  for (int i = 0; i < 2; ++i) assert_true(net.Step().has_value());
  const MonoTime now = Timebase::Mono();
  net.h.upstreams.Maintain(now + 170);
  assert_int_equal(net.h.upstreams.all().size(), 1);
  net.h.upstreams.Maintain(now + 190);
  assert_int_equal(net.h.upstreams.all().size(), 0);
}

// Another group's server answers in place of the one that was found.
void BeRefused(Danced& net) {
  Party neighbour("neighbour", TestKey::Shared(2), true, autokey::kIff);
  neighbour.Sign(kTestNow);
  for (int i = 0; i < 20 && !net.upstream().refused; ++i) {
    assert_int_equal(net.h.upstreams.CountOfRefused(0), 0);
    assert_false(net.h.upstreams.MakePlaceForManycast(0, kSecond));
    net.h.upstreams.Poll(net.Only());
    net.ServeKeys();
    const auto request = net.first.Receive();
    if (!request) continue;
    const auto packet = *wire::ParsePacket(request->bytes);
    const auto field = ServersAnswer(&neighbour, packet.extensions()[0].field,
                                     {request->from.ip, kFirst}, ++net.now);
    net.Deliver(net.Reply(*request, field, Danced::KeyOf(*request)), *request);
    net.ServeKeys();
  }
}

void ARefusalEndsWithTheProof(void**) {
  Danced net(Danced::Kind::kManycastClient);
  net.h.node.start.maxclock = 2;
  BeRefused(net);
  assert_int_equal(net.h.upstreams.CountOfRefused(0), 1);
  net.Associate();
  assert_true(net.dance().identified());
  assert_int_equal(net.h.upstreams.CountOfRefused(0), 0);
}

// One of another group has the place of its network until it is refused, and goes for the server.
void ARefusedManycastServerMakesRoom(void**) {
  Danced net(Danced::Kind::kManycastClient);
  // Neighbours have half of two places.
  net.h.node.start.maxclock = 2;
  BeRefused(net);
  assert_true(net.upstream().refused);
  // It does not end the search.
  assert_int_equal(net.h.upstreams.CountOfPool(0), 1);
  assert_int_equal(net.h.upstreams.CountOfRefused(0), 1);
  assert_true(net.h.upstreams.MakePlaceForManycast(0, kSecond));
  assert_int_equal(net.h.upstreams.all().size(), 0);
  assert_false(net.h.upstreams.MakePlaceForManycast(0, kFirst));
  // As a broadcast server it may be asked for another proof.
  assert_true(
      net.h.upstreams.MakePlaceForUnproven(Upstreams::UnprovenKind::kBroadcastServer, kFirst));
  net.h.upstreams.OnHostMaterial({});
  assert_true(net.h.upstreams.MakePlaceForManycast(0, kFirst));
}

void ATableOfLeapSecondsGoesWithItsServerAndWithItsProof(void**) {
  const autokey::LeapValues table{37, {3692217600}, {kTestNow + 1000000}};
  Danced net;
  net.Associate();
  autokey::LearnedLeap& learned = net.h.node.learned_leap;
  const auto chosen = [&learned] {
    learned.Choose({kTestNow}, [](AssocId) { return wire::Selection::kCandidate; });
    return learned.Best();
  };
  learned.Learn(net.Only(), table);
  net.h.upstreams.OnHostMaterial({.certificate = true, .key = true});
  assert_true(chosen() == table);
  // We can check no proof of its group any more.
  net.h.SetHost(Party("client", TestKey::Shared(1), false).material);
  net.h.upstreams.OnHostMaterial({});
  assert_false(net.dance().proven());
  assert_false(chosen().IsTable());
  learned.Learn(net.Only(), table);
  net.h.upstreams.Configure({});
  assert_false(chosen().IsTable());
}

// Neither a reload that takes a server away nor a refusal leaves its trail to our clients.
void ItsCertificatesGoWithAServerAndWithItsProof(void**) {
  for (const bool refused : {false, true}) {
    Danced net;
    net.Associate();
    const autokey::CertificateCache& cache = net.h.node.certificates;
    net.h.upstreams.OnHostMaterial({.certificate = true, .key = true});
    assert_non_null(cache.FindForClient("server"));
    if (refused) {
      // We can check no proof of its group any more.
      net.h.SetHost(Party("client", TestKey::Shared(1), false).material);
      net.h.upstreams.OnHostMaterial({});
    } else {
      net.h.upstreams.Configure({});
    }
    assert_null(cache.FindForClient("server"));
  }
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ANewKeyProcessCostsNoManycastServer),
      cmocka_unit_test(AManycastServerThatDoesNotProveItselfGoes),
      cmocka_unit_test(ARefusalEndsWithTheProof),
      cmocka_unit_test(ARefusedManycastServerMakesRoom),
      cmocka_unit_test(ATableOfLeapSecondsGoesWithItsServerAndWithItsProof),
      cmocka_unit_test(ItsCertificatesGoWithAServerAndWithItsProof),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
