// Every question to ntpd-keys ends once, whatever ntpd-keys does.
#include "ntpd/net/keys_client.h"

#include "tests/net/peers.h"

namespace ntpward::net {
namespace {

using msg::VerdictCode;
using test::CountOf;
using test::Duplex;
using test::Next;

struct Fixture {
  Duplex pipes;
  Duplex supervisor;
  SupervisorLink link{&supervisor.near};
  KeysClient keys{&pipes.near, &link};

  MonoTime Later() { return Timebase::Mono() + KeysClient::kPatience + 1; }
  int Accusations() { return CountOf<msg::Misbehaviour>(&supervisor.far); }
  void Answer(uint32_t request, VerdictCode code) {
    assert_true(pipes.far.Send(msg::Verdict{.request = request, .code = code}) ==
                SendOutcome::kSent);
  }
};

msg::CheckMac Check(uint32_t key = 5) {
  msg::CheckMac check;
  check.key = KeyId{key};
  check.path = {IpAddress::V4(10, 0, 0, 1), IpAddress::V4(10, 0, 0, 2)};
  CHECK(check.covered.Resize(48) && check.digest.Resize(16));
  return check;
}

msg::SealRequest Seal() {
  msg::SealRequest seal;
  seal.key = KeyId{5};
  seal.path = {IpAddress::V4(10, 0, 0, 1), IpAddress::V4(10, 0, 0, 2)};
  CHECK(seal.covered.Resize(48));
  return seal;
}

msg::Sealed SealedAnswer(uint32_t request) {
  msg::Sealed sealed;
  sealed.request = request;
  CHECK(sealed.mac.Resize(20));
  return sealed;
}

// What a callback heard.
struct Heard {
  int count = 0;
  VerdictCode code = VerdictCode::kBad;
  KeysClient::OnVerdict Listen() {
    return [this](VerdictCode c) { ++count, code = c; };
  }
};

void MatchesAnswersByNumber(void**) {
  Fixture f;
  Heard first, second;
  f.keys.Ask(Check(1), first.Listen());
  f.keys.Ask(Check(2), second.Listen());
  const auto a = Next<msg::CheckMac>(&f.pipes.far);
  const auto b = Next<msg::CheckMac>(&f.pipes.far);
  assert_true(a && b && a->key == KeyId{1} && b->key == KeyId{2});
  f.Answer(b->request, VerdictCode::kUnknownKey);
  f.Answer(a->request, VerdictCode::kGood);
  assert_true(f.keys.OnReadable());
  assert_true(first.count == 1 && first.code == VerdictCode::kGood);
  assert_true(second.count == 1 && second.code == VerdictCode::kUnknownKey);
  assert_int_equal(f.keys.pending(), 0);
}

void IgnoresLateAnswers(void**) {
  Fixture f;
  Heard heard;
  f.keys.Ask(Check(), heard.Listen());
  const auto asked = Next<msg::CheckMac>(&f.pipes.far);
  f.keys.Expire(f.Later());
  f.Answer(asked->request, VerdictCode::kGood);
  f.Answer(asked->request, VerdictCode::kGood);
  assert_true(f.keys.OnReadable());
  assert_true(heard.count == 1 && heard.code == VerdictCode::kBusy);
  assert_int_equal(f.Accusations(), 0);
}

void AccusesOfAnAnswerOfAnotherKindAndKeepsTheQuestion(void**) {
  Fixture f;
  Heard heard;
  f.keys.Ask(Check(), heard.Listen());
  const auto asked = Next<msg::CheckMac>(&f.pipes.far);
  assert_true(f.pipes.far.Send(SealedAnswer(asked->request)) == SendOutcome::kSent);
  assert_false(f.keys.OnReadable());
  assert_int_equal(f.Accusations(), 1);
  assert_int_equal(heard.count, 0);
  f.keys.OnRestarted();
  assert_true(heard.count == 1 && heard.code == VerdictCode::kBusy);
}

void ATakenKeyComesOnceOrIsLost(void**) {
  Fixture f;
  std::vector<KeyId> heard;
  int lost = 0;
  const auto listen = [&](const msg::KeyListTaken* taken) {
    taken == nullptr ? static_cast<void>(++lost) : heard.push_back(taken->key);
  };
  f.keys.TakeKey(AssocId{7}, listen);
  f.keys.TakeKey(AssocId{8}, listen);
  const auto asked = Next<msg::KeyListTake>(&f.pipes.far);
  assert_true(asked && asked->association == AssocId{7});
  const msg::KeyListTaken taken{.request = asked->request, .key = {70000}, .left = 3};
  assert_true(f.pipes.far.Send(taken) == SendOutcome::kSent);
  assert_true(f.keys.OnReadable());
  assert_true(heard.size() == 1 && heard[0] == KeyId{70000} && lost == 0);
  f.keys.OnRestarted();
  assert_true(heard.size() == 1 && lost == 1);
}

void HearsNothingMoreOfAnAccusedRole(void**) {
  Fixture f;
  Heard before, after;
  f.keys.Ask(Check(), before.Listen());
  const auto asked = Next<msg::CheckMac>(&f.pipes.far);
  assert_true(f.pipes.far.Send(msg::ClockAdjust{}) == SendOutcome::kSent);
  f.Answer(asked->request, VerdictCode::kGood);
  assert_true(f.pipes.far.Send(msg::ClockAdjust{}) == SendOutcome::kSent);
  assert_false(f.keys.OnReadable());
  assert_false(f.keys.OnReadable());
  // Once: a second accusation would hit the successor.
  assert_int_equal(f.Accusations(), 1);
  assert_int_equal(before.count, 0);
  assert_true(f.pipes.far.Send(msg::ClockAdjust{}) == SendOutcome::kSent);
  f.keys.OnRestarted();
  f.keys.Ask(Check(), after.Listen());
  f.Answer(Next<msg::CheckMac>(&f.pipes.far)->request, VerdictCode::kGood);
  assert_true(f.keys.OnReadable());
  assert_true(after.count == 1 && after.code == VerdictCode::kGood);
  assert_int_equal(f.Accusations(), 0);
}

void ExpiryEndsEachQuestionOnce(void**) {
  Fixture f;
  Heard heard;
  int lost = 0, values = 0;
  f.keys.Ask(Check(), heard.Listen());
  f.keys.Seal(Seal(), [&](const msg::Sealed* sealed) { lost += sealed == nullptr ? 1 : 100; });
  msg::IdentityChallenge challenge;
  challenge.association = AssocId{7};
  CHECK(challenge.group.Assign(AsBytes("g")));
  f.keys.AskValue(challenge, [&](const msg::ValueAnswer& answer) {
    values += answer.code == VerdictCode::kBusy ? 1 : 100;
  });
  f.keys.Expire(Timebase::Mono());
  assert_int_equal(heard.count, 0);
  f.keys.Expire(f.Later());
  f.keys.Expire(f.Later());
  f.keys.OnRestarted();
  assert_true(heard.count == 1 && heard.code == VerdictCode::kBusy);
  assert_int_equal(lost, 1);
  assert_int_equal(values, 1);
}

void AFullPipeAnswersLaterAndNotFromWithinTheCall(void**) {
  Fixture f;
  int answered = 0, asked = 0;
  for (; f.pipes.near.dropped() == 0; ++asked)
    f.keys.Ask(Check(), [&](VerdictCode) { ++answered; });
  assert_int_equal(answered, 0);
  f.keys.Expire(Timebase::Mono());
  assert_int_equal(answered, 1);
  f.keys.OnRestarted();
  assert_int_equal(answered, asked);
}

// Else ntpd-keys keeps an association's cookie and lists until it is restarted.
void WhatIsToBeForgottenIsNotLostInAFullPipe(void**) {
  Fixture f;
  while (f.pipes.near.dropped() == 0) f.keys.Ask(Check(1), [](VerdictCode) {});
  for (const uint16_t id : {uint16_t{7}, uint16_t{8}, uint16_t{7}}) f.keys.Forget(AssocId{id});
  Heard lost;
  f.keys.Ask(Check(2), lost.Listen());
  while (const auto bytes = f.pipes.far.Receive()) {
    msg::ForgetAssociation forget;
    assert_false(msg::Decode(*bytes, &forget));
  }
  // The first that finds room sends them before itself: its association may be the same.
  f.keys.Ask(Check(3), [](VerdictCode) {});
  const auto first = Next<msg::ForgetAssociation>(&f.pipes.far);
  const auto second = Next<msg::ForgetAssociation>(&f.pipes.far);
  assert_true(first && first->association == AssocId{7});
  assert_true(second && second->association == AssocId{8});
  const auto asked = Next<msg::CheckMac>(&f.pipes.far);
  assert_true(asked && asked->key == KeyId{3});
  f.keys.Expire(Timebase::Mono());
  assert_int_equal(lost.count, 1);
  assert_false(f.pipes.far.Receive().has_value());
  // Time does as well as a question; a new process has nothing to forget.
  while (f.pipes.near.dropped() < 10) f.keys.Ask(Check(1), [](VerdictCode) {});
  f.keys.Forget(AssocId{9});
  while (f.pipes.far.Receive()) {
  }
  f.keys.Expire(Timebase::Mono());
  assert_true(Next<msg::ForgetAssociation>(&f.pipes.far).has_value());
  const uint64_t dropped = f.pipes.near.dropped();
  while (f.pipes.near.dropped() == dropped) f.keys.Ask(Check(1), [](VerdictCode) {});
  f.keys.Forget(AssocId{9});
  f.keys.OnRestarted();
  while (f.pipes.far.Receive()) {
  }
  f.keys.Expire(Timebase::Mono());
  assert_false(f.pipes.far.Receive().has_value());
}

void StrangersLeaveRoomForOurOwn(void**) {
  Fixture f;
  int refused = 0;
  for (size_t i = 0; i < 2 * KeysClient::kMostForClients; ++i)
    f.keys.Ask(
        Check(), [&](VerdictCode code) { refused += code == VerdictCode::kBusy; }, Lane::kClients);
  assert_int_equal(refused, KeysClient::kMostForClients);
  Heard own;
  f.keys.Ask(Check(77), own.Listen());
  std::optional<msg::CheckMac> asked;
  while (const auto next = Next<msg::CheckMac>(&f.pipes.far)) asked = next;
  assert_true(asked && asked->key == KeyId{77});
  f.Answer(asked->request, VerdictCode::kGood);
  assert_true(f.keys.OnReadable());
  assert_int_equal(own.count, 1);
  // Answered or expired, they make room again.
  f.keys.Expire(f.Later());
  const int before = refused;
  f.keys.Ask(
      Check(), [&](VerdictCode) { ++refused; }, Lane::kClients);
  assert_int_equal(refused, before);
}

// A flood of requests for cookies must not cost the clients who have one their replies.
void PrivateOperationsLeaveRoomForMacs(void**) {
  Fixture f;
  size_t refused = 0;
  const auto ask = [&](size_t times, Lane lane) {
    refused = 0;
    for (size_t i = 0; i < times; ++i)
      f.keys.Ask(
          Check(), [&](VerdictCode code) { refused += code == VerdictCode::kBusy; }, lane);
    return times - refused;
  };
  assert_int_equal(ask(1000, Lane::kPrivate), KeysClient::kMostPrivate);
  assert_int_equal(ask(1000, Lane::kClients),
                   KeysClient::kMostForClients - KeysClient::kMostPrivate);
  // Nor the other way round for ever: each makes room when it is answered.
  f.Answer(Next<msg::CheckMac>(&f.pipes.far)->request, VerdictCode::kGood);
  assert_true(f.keys.OnReadable());
  assert_int_equal(ask(10, Lane::kPrivate), 1);
}

// An operator changes something while clients, and who forges MACs of mode 6, ask what they can.
void FloodsLeaveRoomForAnOperator(void**) {
  Fixture f;
  for (const Lane lane : {Lane::kPrivate, Lane::kClients, Lane::kQueries})
    for (int i = 0; i < 1000; ++i)
      f.keys.Ask(
          Check(), [](VerdictCode) {}, lane);
  while (f.pipes.far.Receive()) {
  }
  int lost = 0;
  f.keys.AskNonce(
      IpAddress::V4(10, 0, 0, 1), [&](const auto* n) { lost += n == nullptr; }, Lane::kOperator);
  msg::Command command{.source = IpAddress::V4(10, 0, 0, 1), .key = KeyId{5}};
  CHECK(command.covered.Resize(48) && command.digest.Resize(16));
  f.keys.Command(
      command, [&](const msg::CommandDone&) { ++lost; }, Lane::kOperator);
  f.keys.Seal(
      Seal(), [&](const msg::Sealed*) { ++lost; }, Lane::kOperator);
  assert_int_equal(lost, 0);
  assert_true(Next<msg::CommandNonceRequest>(&f.pipes.far).has_value());
  assert_true(Next<msg::Command>(&f.pipes.far).has_value());
  assert_true(Next<msg::SealRequest>(&f.pipes.far).has_value());
  // Nor does he crowd out our own.
  for (int i = 0; i < 1000; ++i)
    f.keys.Ask(
        Check(), [](VerdictCode) {}, Lane::kOperator);
  Heard own;
  f.keys.Ask(Check(77), own.Listen());
  f.keys.Expire(Timebase::Mono());
  assert_int_equal(own.count, 0);
}

void PendingIsBounded(void**) {
  Fixture f;
  size_t answered = 0;
  for (size_t i = 0; i < KeysClient::kMostPending + 10; ++i) {
    f.keys.Ask(Check(), [&](VerdictCode) { ++answered; });
    while (f.pipes.far.Receive()) {
    }
  }
  assert_int_equal(f.keys.pending(), KeysClient::kMostPending);
  assert_int_equal(answered, 10);
}

void CallbacksMayAskAgain(void**) {
  Fixture f;
  Heard second;
  f.keys.Ask(Check(), [&](VerdictCode) { f.keys.Ask(Check(), second.Listen()); });
  f.Answer(Next<msg::CheckMac>(&f.pipes.far)->request, VerdictCode::kGood);
  assert_true(f.keys.OnReadable());
  assert_int_equal(f.keys.pending(), 1);
  f.keys.Expire(f.Later());
  assert_int_equal(second.count, 1);

  // From Expire and from OnRestarted, too; the new question is not the old one's victim.
  Heard third;
  f.keys.Ask(Check(), [&](VerdictCode) { f.keys.Ask(Check(), third.Listen()); });
  f.keys.Expire(f.Later());
  assert_int_equal(third.count, 0);
  f.keys.OnRestarted();
  assert_int_equal(third.count, 1);
  Heard fourth;
  f.keys.Ask(Check(), [&](VerdictCode) { f.keys.Ask(Check(), fourth.Listen()); });
  f.keys.OnRestarted();
  assert_int_equal(fourth.count, 0);
  assert_int_equal(f.keys.pending(), 1);
}

void CallbacksMayReadOnOrEndEverything(void**) {
  Fixture f;
  Heard second, third;
  int first = 0;
  f.keys.Seal(Seal(), [&](const msg::Sealed* sealed) {
    ++first;
    // The next message overwrites the channel's buffer: this answer must not live there.
    assert_true(f.keys.OnReadable());
    assert_int_equal(second.count, 1);
    assert_int_equal(sealed->mac.size(), 20);
    f.keys.OnRestarted();
  });
  f.keys.Ask(Check(), second.Listen());
  f.keys.Ask(Check(), third.Listen());
  const auto seal = Next<msg::SealRequest>(&f.pipes.far);
  const auto check = Next<msg::CheckMac>(&f.pipes.far);
  assert_true(f.pipes.far.Send(SealedAnswer(seal->request)) == SendOutcome::kSent);
  f.Answer(check->request, VerdictCode::kBad);
  assert_true(f.keys.OnReadable());
  assert_int_equal(first, 1);
  assert_true(second.count == 1 && second.code == VerdictCode::kBad);
  assert_true(third.count == 1 && third.code == VerdictCode::kBusy);
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(MatchesAnswersByNumber),
      cmocka_unit_test(IgnoresLateAnswers),
      cmocka_unit_test(ATakenKeyComesOnceOrIsLost),
      cmocka_unit_test(AccusesOfAnAnswerOfAnotherKindAndKeepsTheQuestion),
      cmocka_unit_test(HearsNothingMoreOfAnAccusedRole),
      cmocka_unit_test(ExpiryEndsEachQuestionOnce),
      cmocka_unit_test(AFullPipeAnswersLaterAndNotFromWithinTheCall),
      cmocka_unit_test(WhatIsToBeForgottenIsNotLostInAFullPipe),
      cmocka_unit_test(StrangersLeaveRoomForOurOwn),
      cmocka_unit_test(PrivateOperationsLeaveRoomForMacs),
      cmocka_unit_test(FloodsLeaveRoomForAnOperator),
      cmocka_unit_test(PendingIsBounded),
      cmocka_unit_test(CallbacksMayAskAgain),
      cmocka_unit_test(CallbacksMayReadOnOrEndEverything),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
