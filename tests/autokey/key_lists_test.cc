// Key lists as others see them: announced when due, believed under a signature, asked for.
#include "ntpd/autokey/announced_list.h"
#include "ntpd/autokey/own_key_list.h"
#include "tests/support/authority.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::autokey::test {
namespace {

using msg::KeyListUse;
using ntpward::test::FromHex;

const IpAddress kServer = IpAddress::V4(10, 77, 0, 1);
const AddressPair kPath{kServer, IpAddress::V4(10, 77, 0, 255)};
constexpr AssocId kOwn{7};
constexpr uint32_t kServersId = 3844;

msg::ValueAnswer Made(uint32_t key, uint32_t sequence, uint32_t timestamp = kTestNow) {
  msg::ValueAnswer answer;
  answer.code = msg::VerdictCode::kGood;
  answer.timestamp = {timestamp};
  answer.filestamp = {kTestNow - 10};
  std::array<uint8_t, 8> value{};
  Writer writer(value);
  writer.U32(key), writer.U32(sequence);
  CHECK(answer.value.Assign(value));
  return answer;
}

// ---------------------------------------------------------------------------- ours

void AListIsAsLongAsItsLifeHasPolls(void**) {
  struct Row {
    int poll;
    uint8_t automax;
    int count;
  };
  // The reference's: 5 keys at automax 6, 65 at 64 s, never more than 100.
  const Row rows[] = {{4, 6, 5}, {6, 12, 65}, {4, 12, 100}, {3, 12, 100}, {10, 12, 5}, {17, 3, 1}};
  for (const Row& row : rows) {
    OwnKeyList list(kOwn, KeyListUse::kBroadcast, row.automax);
    const auto make = list.Due(kPath, row.poll, {kTestNow}, MonoTime());
    assert_true(make.has_value() && make->Valid());
    assert_int_equal(make->count, row.count);
    assert_true(make->association == kOwn && make->path == kPath);
  }
}

void AnUnsynchronisedHostsListHasOneKey(void**) {
  OwnKeyList list(kOwn, KeyListUse::kSymmetric, 12);
  assert_int_equal(list.Due(kPath, 6, {}, MonoTime())->count, 1);
  assert_true(list.OnMade(Made(70000, 0, 0)));
  assert_false(list.CanAnnounce() || list.MustAnnounce());
  // Time has come: a real one.
  assert_int_equal(list.Due(kPath, 6, {kTestNow}, MonoTime())->count, 65);
}

// A reload put another key in the place of what we signed with. A peer believes the one before
// until it has proved the other, and then the same list under that.
void APeersListsGoOnUnderTheReplacedKey(void**) {
  OwnKeyList list(kOwn, KeyListUse::kSymmetric, 12);
  (void)list.Due(kPath, 6, {kTestNow}, MonoTime());
  assert_true(list.OnMade(Made(70000, 64)));
  list.OnAnnounced();
  list.OnTaken(60);
  list.OnSignerReplaced();
  assert_false(list.Due(kPath, 6, {kTestNow}, MonoTime()).has_value());
  list.OnTaken(0);
  auto make = list.Due(kPath, 6, {kTestNow}, MonoTime());
  assert_true(make->elder == 1 && !make->again);
  assert_true(list.OnMade(Made(80000, 64)));
  list.OnAnnounced();
  list.OnTaken(50);
  // Another before the first was proved.
  list.OnSignerReplaced();
  assert_false(list.Due(kPath, 6, {kTestNow}, MonoTime()).has_value());
  list.SignByOurs();
  make = list.Due(kPath, 6, {kTestNow}, MonoTime());
  assert_true(make->elder == 0 && make->again);
  // A key process that is too busy puts it off.
  msg::ValueAnswer busy;
  busy.code = msg::VerdictCode::kBusy;
  assert_true(list.OnMade(busy));
  assert_true(list.Due(kPath, 6, {kTestNow}, MonoTime())->again);
  assert_true(list.OnMade(Made(80000, 64, kTestNow + 5)));
  assert_false(list.Due(kPath, 6, {kTestNow}, MonoTime()).has_value());
  assert_int_equal(list.left(), 50);
  // The peer asks for it; nobody else needs it.
  assert_false(list.MustAnnounce());
}

void ABroadcastListIsToldAgainUnderANewKey(void**) {
  OwnKeyList list(kOwn, KeyListUse::kBroadcast, 12);
  (void)list.Due(kPath, 6, {kTestNow}, MonoTime());
  assert_true(list.OnMade(Made(70000, 64)));
  list.OnAnnounced();
  list.OnTaken(30);
  list.OnSignerReplaced();
  const auto make = list.Due(kPath, 6, {kTestNow}, MonoTime());
  assert_true(make->elder == 0 && make->again);
  assert_true(list.OnMade(Made(70000, 64, kTestNow + 5)));
  for (int i = 0; i < OwnKeyList::kTellings; ++i) {
    assert_true(list.MustAnnounce());
    list.OnAnnounced();
  }
  assert_false(list.MustAnnounce());
  assert_int_equal(list.left(), 30);
  // A list that is lost meanwhile is made anew.
  list.OnSignerReplaced();
  assert_true(list.Due(kPath, 6, {kTestNow}, MonoTime())->again);
  msg::ValueAnswer lost;
  lost.code = msg::VerdictCode::kUnknownKey;
  assert_false(list.OnMade(lost));
  assert_false(list.Due(kPath, 6, {kTestNow}, MonoTime())->again);
}

// Scheme PC was left: nothing can be signed by the group's key any more.
void AListUnderALostKeyIsFollowedByOneOfOurOwn(void**) {
  for (const uint8_t left : {uint8_t{30}, uint8_t{1}}) {
    OwnKeyList list(kOwn, KeyListUse::kBroadcast, 12);
    (void)list.Due(kPath, 6, {kTestNow}, MonoTime());
    assert_true(list.OnMade(Made(70000, 64)));
    list.OnAnnounced();
    list.OnTaken(left);
    if (left == 1) list.OnSignerReplaced();
    list.OnSignerLost();
    const auto make = list.Due(kPath, 6, {kTestNow}, MonoTime());
    assert_true(make->elder == 0 && !make->again);
    assert_int_equal(make->count, 65);
  }
}

// Listeners could not prove the new key before the list ends: they get a longer one, which they can
// believe, and then hear of the other key.
void AShortBroadcastListIsFollowedByALongerOneFirst(void**) {
  OwnKeyList list(kOwn, KeyListUse::kBroadcast, 4);
  assert_int_equal(list.Due(kPath, 3, {kTestNow}, MonoTime())->count, 3);
  assert_true(list.OnMade(Made(70000, 2)));
  list.OnAnnounced();
  list.OnTaken(2);
  list.OnSignerReplaced();
  auto make = list.Due(kPath, 3, {kTestNow}, MonoTime());
  assert_true(make->elder == 1 && !make->again);
  assert_true(make->count * 8 >= OwnKeyList::kNoticeSeconds);
  const auto last = static_cast<uint8_t>(make->count - 1);
  assert_true(list.OnMade(Made(80000, last)));
  assert_false(list.Due(kPath, 3, {kTestNow}, MonoTime()).has_value());
  assert_true(list.MustAnnounce());
  list.OnAnnounced();
  list.OnTaken(last);
  make = list.Due(kPath, 3, {kTestNow}, MonoTime() + 8);
  assert_true(make->elder == 0 && make->again);
  assert_true(list.OnMade(Made(80000, last, kTestNow + 5)));
  // It is not too old before it is used up.
  list.OnTaken(1);
  assert_false(list.Due(kPath, 3, {kTestNow}, MonoTime() + 8.0 * last).has_value());
  list.OnTaken(0);
  make = list.Due(kPath, 3, {kTestNow}, MonoTime() + 8.0 * last);
  assert_true(make->elder == 0 && !make->again);
  assert_int_equal(make->count, 3);
}

void ANewListIsDueWhenTheOldOneWillNotDo(void**) {
  const MonoTime start = MonoTime::FromSeconds(1000);
  const auto fresh = [&] {
    OwnKeyList list(kOwn, KeyListUse::kBroadcast, 12);
    (void)list.Due(kPath, 4, {kTestNow}, start);
    CHECK(list.OnMade(Made(70000, 99)));
    list.OnTaken(99);
    return list;
  };
  OwnKeyList list = fresh();
  assert_false(list.Due(kPath, 4, {kTestNow}, start + 1600).has_value());
  list.OnTaken(0);
  assert_true(list.Due(kPath, 4, {kTestNow}, start).has_value());
  list = fresh();
  assert_true(list.Due(kPath, 5, {kTestNow}, start).has_value());
  list = fresh();
  assert_true(list.Due(kPath.Reversed(), 4, {kTestNow}, start).has_value());
  list = fresh();
  assert_true(list.Due(kPath, 4, {kTestNow}, start + 1617).has_value());
  list = fresh();
  list.Void();
  assert_true(list.Due(kPath, 4, {kTestNow}, start).has_value());
}

void KeysThatGrewTooOldAreCounted(void**) {
  const MonoTime start = MonoTime::FromSeconds(1000);
  OwnKeyList list(kOwn, KeyListUse::kBroadcast, 12);
  (void)list.Due(kPath, 4, {kTestNow}, start);
  assert_int_equal(list.left(), 0);
  assert_true(list.OnMade(Made(70000, 99)));
  list.OnTaken(97);
  assert_int_equal(list.left(), 97);
  // Another path voids what is left; it was not too old.
  assert_true(list.Due(kPath.Reversed(), 4, {kTestNow}, start + 16).has_value());
  assert_int_equal(list.left(), 0);
  assert_int_equal(list.TakeExpired(), 0);
  assert_true(list.OnMade(Made(70000, 99)));
  list.OnTaken(97);
  assert_true(list.Due(kPath.Reversed(), 4, {kTestNow}, start + 16 + 1617).has_value());
  assert_int_equal(list.TakeExpired(), 97);
  assert_int_equal(list.TakeExpired(), 0);
}

void ARefusedListIsAskedForAgain(void**) {
  OwnKeyList list(kOwn, KeyListUse::kBroadcast, 12);
  (void)list.Due(kPath, 4, {kTestNow}, MonoTime());
  msg::ValueAnswer busy;
  busy.code = msg::VerdictCode::kBusy;
  assert_false(list.OnMade(busy));
  assert_false(list.OnMade(Made(70000, 100)));
  assert_false(list.CanAnnounce());
  assert_true(list.Due(kPath, 4, {kTestNow}, MonoTime()).has_value());
}

void AListIsPushedOnce(void**) {
  OwnKeyList list(kOwn, KeyListUse::kBroadcast, 12);
  (void)list.Due(kPath, 4, {kTestNow}, MonoTime());
  assert_true(list.OnMade(Made(0x5684ea51, 99)));
  assert_true(list.MustAnnounce());
  list.OnAnnounced();
  assert_false(list.MustAnnounce());
  assert_true(list.CanAnnounce());
}

// ---------------------------------------------------------------------------- theirs

struct Sender {
  Sender() : party("server", TestKey::Shared(0), true) { party.Sign(kTestNow); }
  // Its announcement, signed.
  std::vector<uint8_t> Announce(uint32_t key, uint32_t sequence, uint32_t timestamp = kTestNow,
                                uint32_t id = kServersId) {
    const msg::ValueAnswer plain = Made(key, sequence, timestamp);
    OwnKeyList list(kOwn, KeyListUse::kBroadcast, 12);
    (void)list.Due(kPath, 4, {timestamp}, MonoTime());
    msg::ValueAnswer answer = party.Signed(timestamp, kTestNow - 10, plain.value.span());
    answer.code = msg::VerdictCode::kGood;
    CHECK(list.OnMade(answer));
    return list.Announcement(id);
  }
  AnnouncedList::Check check() {
    return [this](const wire::AutokeyField& field) {
      return VerifySignature(party.scheme, party.key->public_key(), field.signed_part,
                             field.signature);
    };
  }
  Party party;
};

void BelievesASignedAnnouncement(void**) {
  Sender sender;
  AnnouncedList list(kOwn, KeyListUse::kBroadcast, kPath);
  const auto result =
      list.OnAnnouncement(sender.Announce(0x5684ea51, 99), kServersId, sender.check());
  assert_true(result.outcome == Outcome::kOk && result.accept && result.accept->Valid());
  assert_true(result.accept->key == KeyId{0x5684ea51} && result.accept->path == kPath);
  assert_int_equal(result.accept->sequence, 99);
  assert_string_equal(result.statistics.c_str(),
                      "auto seq 99 key 5684ea51 ts 4004293700 fs 4004293690");
  assert_false(list.accepted());
  list.OnVerdict(msg::VerdictCode::kGood);
  assert_true(list.accepted());
}

// As a peer does in each packet that has nothing else to say.
void AListThatIsToldAgainGoesOn(void**) {
  Sender sender;
  AnnouncedList list(kOwn, KeyListUse::kSymmetric, kPath);
  const auto tell = [&](uint32_t key, uint32_t timestamp) {
    const auto result =
        list.OnAnnouncement(sender.Announce(key, 99, timestamp), kServersId, sender.check());
    assert_true(result.outcome == Outcome::kOk);
    return result.accept.has_value();
  };
  assert_true(tell(0x5684ea51, kTestNow));
  list.OnVerdict(msg::VerdictCode::kGood);
  assert_false(tell(0x5684ea51, kTestNow + 1));
  assert_true(list.accepted());
  assert_int_equal(list.timestamp().value, kTestNow + 1);
  // Another, and one whose keys came out of order.
  assert_true(tell(0x12345678, kTestNow + 2));
  list.OnVerdict(msg::VerdictCode::kGood);
  list.Void();
  assert_true(tell(0x12345678, kTestNow + 2));
}

void AWrongAnnouncementChangesNothing(void**) {
  Sender sender;
  AnnouncedList list(kOwn, KeyListUse::kBroadcast, kPath);
  (void)list.OnAnnouncement(sender.Announce(0x5684ea51, 99), kServersId, sender.check());
  list.OnVerdict(msg::VerdictCode::kGood);
  const auto refused = [&](const std::vector<uint8_t>& field, Outcome outcome) {
    const auto result = list.OnAnnouncement(field, kServersId, sender.check());
    return result.outcome == outcome && !result.accept && list.accepted() &&
           list.key() == KeyId{0x5684ea51};
  };
  auto forged = sender.Announce(0x12345678, 99, kTestNow + 1);
  forged.back() ^= 1;
  assert_true(refused(forged, Outcome::kSignature));
  assert_true(refused(sender.Announce(0x12345678, 99, kTestNow - 1), Outcome::kTimestamp));
  assert_true(
      refused(sender.Announce(0x12345678, 99, kTestNow + 1, kServersId + 1), Outcome::kProtocol));
  assert_true(refused(AnnouncementRequest(kServersId), Outcome::kProtocol));
  const auto good = sender.Announce(0x12345678, 99, kTestNow + 1);
  for (size_t size = 0; size < good.size(); ++size) {
    const auto result = list.OnAnnouncement(Bytes(good).first(size), kServersId, sender.check());
    assert_true(result.outcome != Outcome::kOk && !result.accept && list.accepted());
  }
}

// Its clock was an hour ahead when it announced a list. Only a proof since then, by which its clock
// is behind that date, and an answer to us let it date back.
void AServerThatWasAheadIsBelievedAfterAnotherProof(void**) {
  Sender sender;
  const MonoTime first = MonoTime::FromSeconds(100), second = MonoTime::FromSeconds(200);
  const uint32_t ahead = kTestNow + 3600;
  const auto refused = [&](const AnnouncedList::Proof& proof, uint32_t timestamp = kTestNow + 9) {
    AnnouncedList list(kOwn, KeyListUse::kBroadcast, kPath);
    const auto taken =
        list.OnAnnouncement(sender.Announce(0x5684ea51, 99, ahead), kServersId, sender.check(),
                            AnnouncedList::Proof{first, {ahead - 1}});
    assert_true(taken.accept.has_value());
    const auto result = list.OnAnnouncement(sender.Announce(0x12345678, 99, timestamp), kServersId,
                                            sender.check(), proof);
    assert_int_equal(result.older, !result.accept);
    assert_int_equal(list.timestamp().value, result.older ? ahead : timestamp);
    return result.older;
  };
  assert_false(refused({second, {kTestNow + 5}}));
  // By the proof that it had; one in which it was ahead still; one that it was not asked after.
  assert_true(refused({first, {kTestNow + 5}}));
  assert_true(refused({second, {ahead}}));
  assert_true(refused({second, {}}));
  // A recording of one that is older still is no worse than at the start.
  assert_false(refused({second, {kTestNow + 5}}, kTestNow - 5));
  // What was believed by the second proof is not undone by it.
  AnnouncedList list(kOwn, KeyListUse::kBroadcast, kPath);
  const auto told = [&](uint32_t timestamp, const AnnouncedList::Proof& proof) {
    return list
        .OnAnnouncement(sender.Announce(0x5684ea51, 99, timestamp), kServersId, sender.check(),
                        proof)
        .older;
  };
  assert_false(told(ahead, {second, {}}));
  assert_true(told(kTestNow + 9, {second, {kTestNow + 5}}));
}

// By a key that the server has, and longer than any list: still no list.
void RefusesASequenceThatNobodyHas(void**) {
  Sender sender;
  for (const char* value :
       {"5684ea5100000064", "5684ea51ffffffff", "5684ea5180000000", "0000000000000010"}) {
    wire::AutokeyField field;
    field.head = {true, false, static_cast<uint8_t>(wire::AutokeyCode::kAutokey), kServersId};
    field.has_value = true;
    const auto octets = FromHex(value);
    const msg::ValueAnswer answer = sender.party.Signed(kTestNow, kTestNow - 10, octets);
    field.timestamp = answer.timestamp;
    field.filestamp = answer.filestamp;
    field.value = octets;
    field.signature = answer.signature.span();
    AnnouncedList list(kOwn, KeyListUse::kBroadcast, kPath);
    const auto result = list.OnAnnouncement(EncodedField(field), kServersId, sender.check());
    assert_true(result.outcome == Outcome::kLength && !result.accept);
  }
}

void AnUnsignedAnnouncementIsNone(void**) {
  OwnKeyList list(kOwn, KeyListUse::kBroadcast, 12);
  (void)list.Due(kPath, 4, {kTestNow}, MonoTime());
  assert_true(list.OnMade(Made(0x5684ea51, 99)));  // without signature
  Party client("client", TestKey::Shared(1), false);
  Party server("server", TestKey::Shared(0), true);
  server.Sign(kTestNow);
  Meeting meeting(client, server, {.group = {}, .optional_everywhere = true});
  while (!meeting.dance.proven()) (void)meeting.Poll();
  AnnouncedList announced(kOwn, KeyListUse::kBroadcast, kPath);
  const auto result = announced.OnAnnouncement(
      list.Announcement(kServersId), kServersId, [&](const wire::AutokeyField& field) {
        return meeting.dance.CheckServer(field, meeting.context());
      });
  assert_true(result.outcome != Outcome::kOk && !result.accept);
}

void OnlyAServerThatProvedItselfSigns(void**) {
  Party client("client", TestKey::Shared(1), false);
  Sender sender;
  Meeting meeting(client, sender.party, {.group = {}, .optional_everywhere = true});
  const auto announce = [&](uint32_t timestamp) {
    AnnouncedList announced(kOwn, KeyListUse::kBroadcast, kPath);
    return announced
        .OnAnnouncement(sender.Announce(0x5684ea51, 99, timestamp), kServersId,
                        [&](const wire::AutokeyField& field) {
                          return meeting.dance.CheckServer(field, meeting.context());
                        })
        .outcome;
  };
  for (int polls = 0; !meeting.dance.proven(); ++polls) {
    assert_true(announce(kTestNow) == Outcome::kProtocol);
    assert_true(polls < 20);
    (void)meeting.Poll();
  }
  assert_true(announce(kTestNow) == Outcome::kOk);
}

// ---------------------------------------------------------------------------- asking

void AServerTellsTheListOfItsBroadcastToWhoAsks(void**) {
  Sender sender;
  OwnKeyList list(kOwn, KeyListUse::kBroadcast, 12);
  ServerContext context{sender.party.host, sender.party.certificates, {kTestNow}, true};
  const auto ask = [&](uint32_t id) {
    const AddressPair path{IpAddress::V4(10, 77, 0, 2), kServer};
    return sender.party.side.OnRequest(AnnouncementRequest(id), path, context);
  };
  // Without any broadcast, as the reference: "cannot", 8 octets.
  assert_true(ask(7).outcome == Outcome::kProtocol);
  assert_int_equal(ask(7).field.size(), 8);
  context.key_lists = [&](uint32_t id) { return id == 7 ? &list : nullptr; };
  assert_true(ask(8).outcome == Outcome::kProtocol);
  assert_true(ask(7).outcome == Outcome::kTimestamp);
  (void)list.Due(kPath, 4, {kTestNow}, MonoTime());
  assert_true(list.OnMade(Made(0x5684ea51, 99)));
  const ServerAnswer answer = ask(7);
  assert_true(answer.outcome == Outcome::kOk && answer.kind == ServerAnswer::Kind::kReply);
  assert_true(answer.field == list.Announcement(7));
}

}  // namespace
}  // namespace ntpward::autokey::test

int main() {
  using namespace ntpward::autokey::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AListIsAsLongAsItsLifeHasPolls),
      cmocka_unit_test(AnUnsynchronisedHostsListHasOneKey),
      cmocka_unit_test(APeersListsGoOnUnderTheReplacedKey),
      cmocka_unit_test(ABroadcastListIsToldAgainUnderANewKey),
      cmocka_unit_test(AListUnderALostKeyIsFollowedByOneOfOurOwn),
      cmocka_unit_test(AShortBroadcastListIsFollowedByALongerOneFirst),
      cmocka_unit_test(ANewListIsDueWhenTheOldOneWillNotDo),
      cmocka_unit_test(KeysThatGrewTooOldAreCounted),
      cmocka_unit_test(ARefusedListIsAskedForAgain),
      cmocka_unit_test(AListIsPushedOnce),
      cmocka_unit_test(BelievesASignedAnnouncement),
      cmocka_unit_test(AListThatIsToldAgainGoesOn),
      cmocka_unit_test(AWrongAnnouncementChangesNothing),
      cmocka_unit_test(AServerThatWasAheadIsBelievedAfterAnotherProof),
      cmocka_unit_test(RefusesASequenceThatNobodyHas),
      cmocka_unit_test(AnUnsignedAnnouncementIsNone),
      cmocka_unit_test(OnlyAServerThatProvedItselfSigns),
      cmocka_unit_test(AServerTellsTheListOfItsBroadcastToWhoAsks),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
