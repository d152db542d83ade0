// ntpd-net's role: what it makes of the supervisor's messages, and what it tells the other roles.
#include "ntpd/net/role.h"

#include <poll.h>

#include <cmath>
#include <future>

#include "tests/net/role_world.h"
#include "tests/support/authority.h"
#include "tests/support/child.h"

namespace ntpward::net {
namespace {

using namespace ntpward::test;

const IpAddress kClient = IpAddress::V4(127, 0, 0, 1);
const IpAddress kServer = IpAddress::V4(127, 0, 0, 2);

msg::NetAssociation Named(uint16_t name) {
  msg::NetAssociation line;
  line.name = name;
  return line;
}

bool Near(Ppm value, double expected) { return std::abs(value.value - expected) < 1e-9; }

bool IsAnswered(RoleWorld* world, uint16_t port) {
  Stranger client(kClient);
  wire::Header request;
  request.transmit = NtpTimestamp::FromRaw(0x1122334455667788);
  client.Send(Encoded(request), {kClient, port});
  world->Spin();
  return client.Receive().has_value();
}

void AsksNothingOfTheClockAtTheStartButItsState(void**) {
  RoleWorld world;
  const auto asked = Next<msg::ClockAdjust>(&world.clock.far);
  assert_true(asked.has_value());
  assert_false(asked->frequency || asked->slew || asked->step || asked->leap || asked->tai);
}

void IsReadyOnceTheClockIsKnown(void**) {
  RoleWorld world;
  world.Configure({});
  assert_false(Next<msg::RoleReady>(&world.supervisor).has_value());
  world.SayClock();
  const auto ready = Next<msg::RoleReady>(&world.supervisor);
  assert_true(ready && ready->sandbox.text() == "seccomp=2");
  world.Configure({});
  assert_false(Next<msg::RoleReady>(&world.supervisor).has_value());
}

void AppliesAConfigurationAtItsEnd(void**) {
  RoleWorld world;
  world.SayClock();
  world.Tell(msg::NetStart{});
  world.Tell(Named(3));
  assert_false(Next<msg::ResolveRequest>(&world.resolve.far).has_value());
  // Begun anew before its end: what came before does not count.
  world.Configure({}, {Named(4)});
  const auto asked = Next<msg::ResolveRequest>(&world.resolve.far);
  assert_true(asked && asked->index == 4);
  assert_false(Next<msg::ResolveRequest>(&world.resolve.far).has_value());
}

void StartsWithTheFrequencyOfTheDriftFile(void**) {
  RoleWorld world;
  world.SayClock();
  world.Configure({.drift = Ppm{12.5}});
  assert_true(Near(world.role.node().engine->discipline().frequency(), 12.5));
}

void ServesOnAHandedOverSocketUntilItIsGone(void**) {
  RoleWorld world;
  world.SayClock();
  world.Configure({});
  const uint16_t port = world.HandOverSocket(7);
  assert_true(IsAnswered(&world, port));
  world.Tell(msg::NetSocketGone{.index = 8});
  assert_true(IsAnswered(&world, port));
  world.Tell(msg::NetSocketGone{.index = 7});
  assert_false(IsAnswered(&world, port));
}

void AReloadReplacesTheRestrictions(void**) {
  RoleWorld world;
  world.SayClock();
  msg::NetRestriction ignore;
  ignore.address = kClient;
  ignore.mask = core::AccessList::Mask(Family::kIpv4, 32);
  ignore.flags = static_cast<uint16_t>(core::Access::kIgnore);
  world.Configure({}, {}, {ignore});
  const uint16_t port = world.HandOverSocket(0);
  assert_false(IsAnswered(&world, port));
  // He does not ask from port 123.
  ignore.port = 1;
  world.Configure({}, {}, {ignore});
  assert_true(IsAnswered(&world, port));
  ignore.port = 2;
  world.Configure({}, {}, {ignore});
  assert_false(IsAnswered(&world, port));
  world.Configure({});
  assert_true(IsAnswered(&world, port));
}

void ARestrictedNameStandsForItsAddresses(void**) {
  RoleWorld world;
  world.SayClock();
  msg::NetRestriction ignore;
  ignore.name = 5;
  ignore.flags = static_cast<uint16_t>(core::Access::kIgnore);
  world.Configure({}, {}, {ignore});
  const uint16_t port = world.HandOverSocket(0);
  assert_true(IsAnswered(&world, port));
  const auto asked = Next<msg::ResolveRequest>(&world.resolve.far);
  assert_true(asked && asked->index == 5);
  msg::ResolveAnswer answer;
  answer.index = 5;
  assert_true(answer.addresses.Push(kClient));
  assert_true(world.resolve.far.Send(answer) == SendOutcome::kSent);
  world.Spin();
  assert_false(IsAnswered(&world, port));
}

void ANewKeyProcessIsAskedWhoWeAre(void**) {
  RoleWorld world;
  world.SayClock();
  world.Tell(msg::NetRoleRestarted{.role = msg::Role::kKeys});
  assert_false(Next<msg::HostMaterialRequest>(&world.keys.far).has_value());
  world.Configure({.crypto_enabled = true});
  assert_true(Next<msg::HostMaterialRequest>(&world.keys.far).has_value());
  world.Tell(msg::NetRoleRestarted{.role = msg::Role::kKeys});
  assert_true(Next<msg::HostMaterialRequest>(&world.keys.far).has_value());
}

// It answers what the one before was asked, and only what is public of it is new.
void AKeyProcessThatGoesOnKeepsWhatWasAsked(void**) {
  RoleWorld world;
  world.SayClock();
  world.Configure({.crypto_enabled = true});
  while (world.keys.far.Receive()) {
  }
  const size_t pending = world.role.node().keys.pending();
  assert_true(pending > 0);
  world.Tell(msg::NetRoleRestarted{.role = msg::Role::kKeys, .continues = true});
  assert_int_equal(world.role.node().keys.pending(), pending + 2);
  assert_true(Next<msg::HostMaterialRequest>(&world.keys.far).has_value());
}

void EachKeyProcessIsAskedHowManyKeysItHas(void**) {
  RoleWorld world;
  world.SayClock();
  world.Configure({});
  const auto answer = [&](uint32_t count) {
    const auto asked = Next<msg::KeyCountRequest>(&world.keys.far);
    assert_true(asked.has_value());
    assert_true(world.keys.far.Send(msg::KeyCount{asked->request, count}) == SendOutcome::kSent);
    world.Spin();
  };
  answer(7);
  assert_int_equal(world.role.node().key_counts.symmetric.value(), 7);
  // It may have read another file.
  world.Tell(msg::NetRoleRestarted{.role = msg::Role::kKeys});
  assert_false(world.role.node().key_counts.symmetric.has_value());
  answer(8);
  assert_int_equal(world.role.node().key_counts.symmetric.value(), 8);
  world.Configure({});
  assert_false(Next<msg::KeyCountRequest>(&world.keys.far).has_value());
}

// Who relies on Autokey is told what it is worth, once, and not at each new key process.
void SaysOnceWhatAutokeyIsWorth(void**) {
  RoleWorld world;
  world.SayClock();
  world.Configure({.crypto_enabled = true});
  autokey::test::Party host("host", autokey::test::TestKey::Shared(0), true);
  CHECK(host.material.digest_name.Assign(AsBytes("MD5")));
  const auto warned = [&] {
    const auto asked = Next<msg::HostMaterialRequest>(&world.keys.far);
    assert_true(asked.has_value());
    msg::HostMaterial material = host.material;
    material.request = asked->request;
    assert_true(world.keys.far.Send(material) == SendOutcome::kSent);
    world.Spin();
    int count = 0;
    while (const auto line = Next<msg::LogLine>(&world.supervisor))
      count += line->text.text().find("Autokey is on; its cookies have 32 bits") !=
               std::string_view::npos;
    return count;
  };
  assert_int_equal(warned(), 1);
  world.Tell(msg::NetRoleRestarted{.role = msg::Role::kKeys});
  assert_int_equal(warned(), 0);
}

void ANewResolverIsAskedAgain(void**) {
  RoleWorld world;
  world.SayClock();
  world.Configure({}, {Named(3)});
  assert_true(Next<msg::ResolveRequest>(&world.resolve.far).has_value());
  world.Tell(msg::NetRoleRestarted{.role = msg::Role::kResolve});
  world.Configure({}, {Named(3)});
  assert_true(Next<msg::ResolveRequest>(&world.resolve.far).has_value());
}

void ANonsenseClockIsAccusedAndNotBelieved(void**) {
  RoleWorld world;
  world.Configure({});
  assert_true(world.clock.far.Send(msg::ResolveRequest{}) == SendOutcome::kSent);
  world.Spin();
  const auto accused = Next<msg::Misbehaviour>(&world.supervisor);
  assert_true(accused && accused->culprit == msg::Role::kClock);
  // What the accused says now is not heard; its successor is.
  world.SayClock();
  assert_false(Next<msg::RoleReady>(&world.supervisor).has_value());
  world.Tell(msg::NetRoleRestarted{.role = msg::Role::kClock});
  world.SayClock();
  assert_true(Next<msg::RoleReady>(&world.supervisor).has_value());
}

// A server whose first answer is enough.
struct Followed {
  explicit Followed(bool quit = false) {
    world.SayClock();
    while (world.clock.far.Receive()) {
    }
    msg::NetAssociation line;
    line.address = kServer;
    // No step for less than 10 s: a busy machine that stalls between two packets changes nothing.
    world.Configure({.quit = quit, .maxdist = 100, .step_forward = 10, .step_backward = 10},
                    {line});
  }
  void Believe(double ahead) {
    for (int i = 0; i < 20 && !Answer(ahead); ++i) event_base_loop(world.role.loop(), EVLOOP_ONCE);
    world.Spin();
  }
  bool Answer(double ahead) {
    const auto request = server.Receive();
    if (!request) return false;
    server.Send(Encoded(ReplyTo(request->header(), ahead)), request->from);
    return true;
  }
  Stranger server{kServer};
  RoleWorld world{server.address().port};
};

void PanicsRatherThanFollowAnAbsurdClock(void**) {
  Followed followed;
  followed.Believe(5000);
  const auto quit = Next<msg::NetQuit>(&followed.world.supervisor);
  assert_true(quit.has_value());
  assert_true(quit->reason == msg::QuitReason::kPanic);
  assert_true(quit->text.text().find("exceeds panic threshold") != std::string_view::npos);
  while (const auto adjust = Next<msg::ClockAdjust>(&followed.world.clock.far))
    assert_false(adjust->step || adjust->slew.value_or(0) != 0);
}

void QuitIsDoneAtOnceWithALocalClockAlone(void**) {
  RoleWorld world;
  msg::NetAssociation line;
  line.kind = msg::NetAssociationKind::kLocalClock;
  line.address = IpAddress::V4(127, 127, 1, 0);
  world.SayClock();
  world.Configure({.quit = true}, {line});
  std::optional<msg::NetQuit> quit;
  for (int i = 0; i < 20 && !quit; ++i) {
    event_base_loop(world.role.loop(), EVLOOP_ONCE);
    quit = Next<msg::NetQuit>(&world.supervisor);
  }
  assert_true(quit.has_value());
  assert_true(quit->reason == msg::QuitReason::kDone);
  assert_true(quit->text.text() == "ntpd: time slew +0.000000s");
}

// ntpd-clock at `channel`: answers what it is asked until that is a slew, which is returned.
std::optional<double> AnswerUntilSlew(Channel* channel, msg::ClockRefusal refusal) {
  pollfd asked{channel->in_fd(), POLLIN, 0};
  while (poll(&asked, 1, 10000) == 1) {
    const auto adjust = Next<msg::ClockAdjust>(channel);
    if (!adjust) continue;
    const msg::ClockState answer{.request = adjust->request, .refusal = refusal};
    CHECK(channel->Send(answer) == SendOutcome::kSent);
    if (adjust->slew.value_or(0) != 0) return adjust->slew;
  }
  return std::nullopt;
}

void QuitsAfterOneSlewWhenAskedTo(void**) {
  Followed followed(true);
  // The role waits for the answer, so that somebody else has to give it.
  auto clock = std::async(std::launch::async, AnswerUntilSlew, &followed.world.clock.far,
                          msg::ClockRefusal::kNone);
  followed.Believe(5);
  const auto slew = clock.get();
  assert_true(slew && *slew > 2.5 && *slew < 7.5);
  const auto quit = Next<msg::NetQuit>(&followed.world.supervisor);
  assert_true(quit && quit->reason == msg::QuitReason::kDone);
  assert_true(quit->text.text().starts_with("ntpd: time slew +"));
}

void QuitsWithAFailureWhenTheClockRefuses(void**) {
  Followed followed(true);
  auto clock = std::async(std::launch::async, AnswerUntilSlew, &followed.world.clock.far,
                          msg::ClockRefusal::kSlewBudget);
  followed.Believe(5);
  assert_true(clock.get().has_value());
  const auto quit = Next<msg::NetQuit>(&followed.world.supervisor);
  assert_true(quit && quit->reason == msg::QuitReason::kFailed);
}

void TellsWhomItFollowsOnce(void**) {
  Followed followed;
  followed.Believe(0.01);
  const auto status = Next<msg::NetStatus>(&followed.world.supervisor);
  assert_true(status && status->synchronised);
  assert_true(status->text.text() == "synchronised, stratum 3, source 127.0.0.2");
  assert_false(Next<msg::NetStatus>(&followed.world.supervisor).has_value());
}

// What the drift file said is no measurement: written back, it would look like one.
void EndsWhenToldToAndSavesNoUnmeasuredDrift(void**) {
  RoleWorld world;
  world.SayClock();
  world.Configure({.drift = Ppm{-3.25}});
  assert_true(world.supervisor.Send(msg::NetTerminate{}) == SendOutcome::kSent);
  event_base_dispatch(world.role.loop());
  assert_false(Next<msg::NetDrift>(&world.supervisor).has_value());
}

void EndsWithItsSupervisor(void**) {
  RoleWorld world;
  world.Configure({});
  world.supervisor = Channel(UniqueFd(), UniqueFd());
  event_base_dispatch(world.role.loop());
}

// Malformed, of another channel, or a socket's message without the socket.
void NonsenseOfTheSupervisorIsFatal(void**) {
  const auto dies_of = [](auto message) {
    return RunInChild([&] {
             RoleWorld world;
             world.Tell(message);
             return 0;
           }).signal == SIGABRT;
  };
  assert_true(dies_of(msg::ClockAdjust{}));
  assert_true(dies_of(msg::NetSocket{}));
  assert_true(dies_of(msg::NetDrift{}));
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AsksNothingOfTheClockAtTheStartButItsState),
      cmocka_unit_test(IsReadyOnceTheClockIsKnown),
      cmocka_unit_test(AppliesAConfigurationAtItsEnd),
      cmocka_unit_test(StartsWithTheFrequencyOfTheDriftFile),
      cmocka_unit_test(ServesOnAHandedOverSocketUntilItIsGone),
      cmocka_unit_test(AReloadReplacesTheRestrictions),
      cmocka_unit_test(ARestrictedNameStandsForItsAddresses),
      cmocka_unit_test(ANewKeyProcessIsAskedWhoWeAre),
      cmocka_unit_test(AKeyProcessThatGoesOnKeepsWhatWasAsked),
      cmocka_unit_test(EachKeyProcessIsAskedHowManyKeysItHas),
      cmocka_unit_test(SaysOnceWhatAutokeyIsWorth),
      cmocka_unit_test(ANewResolverIsAskedAgain),
      cmocka_unit_test(ANonsenseClockIsAccusedAndNotBelieved),
      cmocka_unit_test(PanicsRatherThanFollowAnAbsurdClock),
      cmocka_unit_test(QuitsAfterOneSlewWhenAskedTo),
      cmocka_unit_test(QuitsWithAFailureWhenTheClockRefuses),
      cmocka_unit_test(TellsWhomItFollowsOnce),
      cmocka_unit_test(EndsWhenToldToAndSavesNoUnmeasuredDrift),
      cmocka_unit_test(EndsWithItsSupervisor),
      cmocka_unit_test(NonsenseOfTheSupervisorIsFatal),
      cmocka_unit_test(QuitIsDoneAtOnceWithALocalClockAlone),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
