// A peer whose trail comes back to us: when that is an end, for how long, and when it is none.
#include "tests/support/authority.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::autokey::test {
namespace {

using wire::AutokeyCode;

// We are the host "us"; the other calls itself "peer", and shows what it is told to.
struct World {
  explicit World(DanceRole role = DanceRole::kPeer)
      : dance(AssocId{7}, {.group = "", .optional_here = true}, MonoTime{}, 0, role) {
    us.certificates.SetOwn(us.host.certificate());
    us.Sign(kTestNow);
    peer.Sign(kTestNow);
  }
  DanceContext context() {
    return {us.host, us.certificates, MonoTime::FromSeconds(elapsed),
            NtpSeconds{kTestNow + static_cast<uint32_t>(elapsed)}, true};
  }
  // What is asked at the next poll; none: nothing.
  std::optional<AutokeyCode> Ask() {
    elapsed += 16;
    const NextField next = dance.NextRequest(context());
    if (next.kind != NextField::Kind::kField) return std::nullopt;
    const auto field = wire::ParseAutokeyField(next.field);
    wanted = field.ok() ? std::string(AsText(field->value)) : "";
    return static_cast<AutokeyCode>(next.field[1]);
  }
  void Meet() {
    assert_true(Ask() == AutokeyCode::kAssociation);
    (void)dance.OnResponse(AssociationResponse(peer.host, 7), context());
    assert_true(Ask() == AutokeyCode::kCertificate);
  }
  // The answer to the question for a certificate.
  static std::vector<uint8_t> Shown(const std::string& subject, const std::string& issuer,
                                    const TestKey& key, const TestKey& signer) {
    CertificateSpec spec;
    spec.subject = subject;
    spec.issuer = issuer;
    if (subject == issuer) spec.usages = kTrustRoot;
    const auto der = MakeCertificate(spec, key.pkey(), signer.pkey());
    wire::AutokeyField field;
    field.head = {true, false, static_cast<uint8_t>(AutokeyCode::kCertificate), 7};
    field.has_value = true;
    field.timestamp = NtpSeconds{kTestNow};
    field.filestamp = NtpSeconds{kTestNow - 200};
    field.value = der;
    return EncodedField(field);
  }
  DanceResult Show(const std::string& subject, const std::string& issuer, const TestKey& key,
                   const TestKey& signer) {
    return dance.OnResponse(Shown(subject, issuer, key, signer), context());
  }
  DanceResult ShowOurs() { return Show("peer", "us", *peer.key, *us.key); }

  Party us{"us", TestKey::Shared(1), true};
  Party peer{"peer", TestKey::Shared(0), false};
  ClientDance dance;
  std::string wanted;
  double elapsed = 0;
};

void WhoIsSignedByUsAloneIsAskedForNothing(void**) {
  World world;
  world.Meet();
  const DanceResult said = world.ShowOurs();
  assert_true(said.outcome == Outcome::kOk && said.warn);
  assert_true(world.dance.ends_in_us());
  assert_false(world.dance.has_questions());
  while (world.elapsed + 16 < ClientDance::kOwnNameSeconds) assert_false(world.Ask().has_value());
  assert_true(world.dance.ends_in_us());
}

// Somebody else signed it meanwhile.
void ThenItsTrailIsAskedForAnew(void**) {
  World world;
  world.Meet();
  (void)world.ShowOurs();
  const double since = world.elapsed;
  while (world.elapsed - since < ClientDance::kOwnNameSeconds)
    if (world.Ask()) break;
  assert_true(world.elapsed - since >= ClientDance::kOwnNameSeconds);
  assert_false(world.dance.ends_in_us());
  assert_string_equal(world.wanted.c_str(), "peer");
  const TestKey& root = *TestKey::Shared(2);
  assert_true(world.Show("peer", "root", *world.peer.key, root).outcome == Outcome::kOk);
  assert_true(world.Ask() == AutokeyCode::kCertificate);
  assert_string_equal(world.wanted.c_str(), "root");
  assert_true(world.Show("root", "root", root, root).outcome == Outcome::kOk);
  assert_int_equal(world.dance.flags() & (kTrusted | kVerified), kTrusted | kVerified);
  assert_false(world.dance.ends_in_us());
}

// ... or nobody did. It is said once.
void AndEndsInUsAgain(void**) {
  World world;
  world.Meet();
  (void)world.ShowOurs();
  for (int again = 0; again < 3; ++again) {
    world.elapsed += ClientDance::kOwnNameSeconds;
    assert_true(world.Ask() == AutokeyCode::kCertificate);
    const DanceResult said = world.ShowOurs();
    assert_true(said.outcome == Outcome::kOk && said.event.empty());
    assert_true(world.dance.ends_in_us());
  }
}

void AServerWhoseTrailComesBackToUsIsNoPeer(void**) {
  World world(DanceRole::kClient);
  world.Meet();
  assert_true(world.ShowOurs().outcome != Outcome::kOk);
  assert_false(world.dance.ends_in_us());
  assert_true(world.Ask() == AutokeyCode::kCertificate);
}

// What was not asked for is no answer, whoever issued it.
void ACertificateOfAnotherNameEndsNothing(void**) {
  World world;
  world.Meet();
  assert_true(world.Show("other", "us", *world.peer.key, *world.us.key).outcome != Outcome::kOk);
  assert_false(world.dance.ends_in_us());
  assert_true(world.Ask() == AutokeyCode::kCertificate);
}

void OneThatAnotherHostIssuedEndsNothing(void**) {
  World world;
  world.Meet();
  assert_true(world.Show("peer", "us2", *world.peer.key, *world.us.key).outcome == Outcome::kOk);
  assert_false(world.dance.ends_in_us());
  assert_true(world.Ask() == AutokeyCode::kCertificate);
  assert_string_equal(world.wanted.c_str(), "us2");
}

// Two hosts of one name: the other's root is none of ours, and its trail does not come back.
void ARootOfOurNameIsNoWayBack(void**) {
  World world;
  world.peer = Party("us", TestKey::Shared(3), true);
  world.peer.Sign(kTestNow);
  world.Meet();
  (void)world.Show("us", "us", *world.peer.key, *world.peer.key);
  assert_false(world.dance.ends_in_us());
}

// Further up the trail, too.
void ATrailThatComesBackAtItsSecondStepEndsInUs(void**) {
  World world;
  world.Meet();
  const TestKey& middle = *TestKey::Shared(2);
  assert_true(world.Show("peer", "middle", *world.peer.key, middle).outcome == Outcome::kOk);
  assert_true(world.Ask() == AutokeyCode::kCertificate);
  assert_true(world.Show("middle", "us", middle, *world.us.key).outcome == Outcome::kOk);
  assert_true(world.dance.ends_in_us());
  assert_true(world.dance.trail().steps().empty());
}

// Who proved itself has had another trail: in its renewal one that comes back is a wrong answer.
void ARenewalDoesNotEndInUs(void**) {
  World world;
  world.Meet();
  ClientDance renewed(AssocId{7}, {.group = "", .optional_here = true}, MonoTime{}, 1U << 24,
                      DanceRole::kPeer);
  (void)renewed.BeginAfter(world.dance, world.context());
  (void)renewed.NextRequest(world.context());
  assert_true(renewed.asked() == AutokeyCode::kCertificate);
  const auto shown = World::Shown("peer", "us", *world.peer.key, *world.us.key);
  assert_true(renewed.OnResponse(shown, world.context()).outcome != Outcome::kOk);
  assert_false(renewed.ends_in_us());
}

}  // namespace
}  // namespace ntpward::autokey::test

int main() {
  using namespace ntpward::autokey::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(WhoIsSignedByUsAloneIsAskedForNothing),
      cmocka_unit_test(ThenItsTrailIsAskedForAnew),
      cmocka_unit_test(AndEndsInUsAgain),
      cmocka_unit_test(AServerWhoseTrailComesBackToUsIsNoPeer),
      cmocka_unit_test(ACertificateOfAnotherNameEndsNothing),
      cmocka_unit_test(OneThatAnotherHostIssuedEndsNothing),
      cmocka_unit_test(ARootOfOurNameIsNoWayBack),
      cmocka_unit_test(ATrailThatComesBackAtItsSecondStepEndsInUs),
      cmocka_unit_test(ARenewalDoesNotEndInUs),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
