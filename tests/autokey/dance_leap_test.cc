// SIGN and LEAP: asked for seldom, believed only when they make sense.
#include "privsep/base/tai_offset.h"
#include "tests/autokey/guide.h"

namespace ntpward::autokey::test {
namespace {

using wire::AutokeyCode;

// The guide's second word: the server had no time at ASSOC, so its word has no TAI bit.
void LeapTableOfAServerThatHadNoTimeAtFirst(void**) {
  Guide guide;
  Party server("server", TestKey::Shared(0), true, kIff);
  Meeting meeting(guide.client, server);
  meeting.server_synchronised = false;
  meeting.Poll();
  server.host.SetLeap({37, NtpSeconds{3692217600}, NtpSeconds{kTestNow + 1000000}});
  server.Sign(meeting.now);
  meeting.server_synchronised = true;
  for (int i = 0; i < 4; ++i) meeting.Poll();
  meeting.client_synchronised = true;
  guide.client.Sign(meeting.now);
  assert_true(meeting.Poll() == AutokeyCode::kSign);
  assert_true(meeting.Poll() == AutokeyCode::kLeap);
  assert_int_equal(meeting.dance.flags(), 0x87f21);
}

void LeapTableOfASynchronisedServer(void**) {
  Guide guide;
  guide.server.host.SetLeap({37, NtpSeconds{3692217600}, NtpSeconds{kTestNow + 1000000}});
  guide.server.Sign(kTestNow + 1);
  guide.Associate();
  guide.Synchronise();
  assert_true(guide->Poll() == AutokeyCode::kSign);
  assert_true(guide->Poll() == AutokeyCode::kLeap);
  assert_int_equal(guide.dance().flags(), 0x87f23);
}

void LeapIsNotAskedOfAServerWithoutTable(void**) {
  Guide guide;
  guide.Associate();
  guide.Synchronise();
  assert_true(guide->Poll() == AutokeyCode::kSign);
  for (int i = 0; i < 100; ++i) assert_false(guide->Poll().has_value());
  assert_int_equal(guide.dance().flags(), 0x83f21);
}

// An all-zero answer (ntpd 4.2.8 without a table), an expired table, and offsets that ntpd-clock
// would refuse, light nothing.
void EmptyAndExpiredLeapTablesLightNothing(void**) {
  for (const LeapValues& values :
       {LeapValues{}, LeapValues{37, NtpSeconds{3692217600}, NtpSeconds{kTestNow - 1}},
        LeapValues{kLeastTaiOffset - 1, NtpSeconds{3692217600}, NtpSeconds{kTestNow + 1000000}},
        LeapValues{kMostTaiOffset + 1, NtpSeconds{3692217600}, NtpSeconds{kTestNow + 1000000}},
        LeapValues{9, NtpSeconds{1}, NtpSeconds{kTestNow + 1000000}}}) {
    Guide guide;
    guide.server.host.SetLeap({37, NtpSeconds{3692217600}, NtpSeconds{kTestNow + 1000000}});
    guide.server.Sign(kTestNow + 1);
    guide.Associate();
    guide.Synchronise();
    assert_true(guide->PollUntil(AutokeyCode::kLeap));
    std::array<uint8_t, 12> octets{};
    Writer writer(octets);
    writer.U32(values.tai), writer.U32(values.epoch.value), writer.U32(values.expiry.value);
    wire::AutokeyField field = *wire::ParseAutokeyField(guide->Answer(guide->request.field));
    field.value = octets;
    guide->Deliver(guide.server.SignField(field));
    assert_int_equal(guide->last.outcome, Outcome::kLeapValues);
    assert_int_equal(guide.dance().flags() & kLeap, 0);
    assert_false(guide->last.leap.has_value());
    // What an expired one says of today is passed on as such.
    assert_true(guide->last.expired_leap.has_value() == (values.tai == 37));
    assert_true(guide->restarts.empty());
  }
}

// Tables are issued for a year at most: one that is to last for decades would outlive every
// mistake.
void ATableThatLastsTooLongIsRefused(void**) {
  const uint32_t most = kTestNow + 400 * 86400;
  for (const uint32_t expiry : {most, most + 100, kTestNow + 2400000000U}) {
    Guide guide;
    guide.server.host.SetLeap({38, NtpSeconds{3692217600}, NtpSeconds{expiry}});
    guide.server.Sign(kTestNow + 1);
    guide.Associate();
    guide.Synchronise();
    assert_true(guide->PollUntil(AutokeyCode::kLeap));
    guide->Deliver(guide->Answer(guide->request.field));
    const bool good = expiry == most;
    assert_int_equal(guide->last.outcome, good ? Outcome::kOk : Outcome::kLeapValues);
    assert_int_equal(guide->last.leap.has_value(), good);
    assert_int_equal((guide.dance().flags() & kLeap) != 0, good);
    assert_false(guide->last.expired_leap.has_value());
    assert_true(guide->restarts.empty());
  }
}

// What its server has then is not news for five days.
void ATableThatExpiredIsAskedForAnew(void**) {
  Guide guide;
  const auto tell = [&](uint32_t expiry) {
    guide.server.host.SetLeap({37, NtpSeconds{3692217600}, NtpSeconds{expiry}});
    guide.server.Sign(guide->now);
  };
  const auto knows = [&] { return (guide.dance().flags() & kLeap) != 0; };
  tell(kTestNow + 1000);
  guide.Associate();
  guide.Synchronise();
  for (int i = 0; i < 2; ++i) guide->Poll();
  while (guide->now < kTestNow + 1000) {
    assert_true(knows());
    assert_false(guide->Poll().has_value());
  }
  // The next one is late.
  for (int i = 0; i < 40; ++i) {
    guide->Poll();
    assert_false(knows());
  }
  tell(kTestNow + 1000000);
  for (int i = 0; i < 16; ++i) guide->Poll();
  assert_true(knows());
  for (int i = 0; i < 100; ++i) assert_false(guide->Poll().has_value());
  assert_true(guide->restarts.empty());
}

// Its operator installs a table, or a newer one than that which had expired, long after our ASSOC:
// neither its word nor anything else tells us so. What it answers until then, if anything, costs
// one poll in 4.5 h.
void ATableThatComesAfterAssocIsLearnt(void**) {
  const LeapValues table{37, NtpSeconds{3692217600}, NtpSeconds{kTestNow + 1000000}};
  enum { kZeros, kCannot, kNoValue, kSilence, kEnd };
  for (int answer = 0; answer < kEnd; ++answer) {
    Guide guide;
    guide.Associate();
    guide.Synchronise();
    int asked = 0;
    // What the poll asked, unless that was SIGN.
    const auto poll = [&](bool has_table) {
      const NextField next = guide.dance().NextRequest(guide->context());
      guide->now += 16;
      if (next.kind != NextField::Kind::kField) return;
      std::vector<uint8_t> field = guide->Answer(next.field);
      if (next.field[1] == static_cast<uint8_t>(AutokeyCode::kLeap)) {
        ++asked;
        if (!has_table && answer == kSilence) return;
        if (!has_table && answer == kCannot) {
          field.resize(8);
          Writer(field).U32(0xc2050008U);
        }
        if (!has_table && answer == kNoValue) {
          wire::AutokeyField empty = *wire::ParseAutokeyField(field);
          empty.value = {};
          field = guide.server.SignField(empty);
        }
      }
      guide->Deliver(field);
    };
    const auto knows = [&] { return (guide.dance().flags() & kLeap) != 0; };
    for (double passed = 0; passed < 3.1 * ClientDance::kTableAgainSeconds; passed += 16) {
      poll(false);
      assert_false(knows());
    }
    assert_int_equal(asked, 3);
    guide.server.host.SetLeap(table);
    guide.server.Sign(guide->now);
    for (double passed = 0; !knows(); passed += 16) {
      assert_true(passed <= ClientDance::kTableAgainSeconds);
      poll(true);
    }
    assert_int_equal(guide.dance().flags(), 0x87f21);
    for (double passed = 0; passed < 3 * ClientDance::kTableAgainSeconds; passed += 16) poll(true);
    assert_int_equal(asked, 4);
    assert_true(guide.dance().proven());
    assert_true(guide->restarts.empty());
  }
}

// Whoever has kept it cannot bring back what another one has replaced.
void ATableThatWasReplacedIsNotTakenAgain(void**) {
  Guide guide;
  const auto tell = [&](uint32_t expiry) {
    guide.server.host.SetLeap({37, NtpSeconds{3692217600}, NtpSeconds{expiry}});
    guide.server.Sign(guide->now);
  };
  tell(kTestNow + 1000000);
  guide.Associate();
  guide.Synchronise();
  assert_true(guide->PollUntil(AutokeyCode::kLeap));
  const auto kept = guide->Answer(guide->request.field);
  guide->now += 10;
  tell(kTestNow + 1000);
  guide->Deliver(guide->Answer(guide->request.field));
  assert_int_equal(guide->last.outcome, Outcome::kOk);
  while (guide->now < kTestNow + 1100) guide->Poll();
  assert_true(guide->PollUntil(AutokeyCode::kLeap));
  guide->Deliver(kept);
  assert_int_equal(guide->last.outcome, Outcome::kTimestamp);
  assert_int_equal(guide.dance().flags() & kLeap, 0);
  assert_true(guide->restarts.empty());
}

// Under `identity optional` a packet is all that it takes to have an association with us.
void TablesOfStrangersAreNotTaken(void**) {
  for (const bool expired : {false, true}) {
    DancePolicy stranger;
    stranger.optional_here = true;
    stranger.chosen = false;
    Guide guide(0, false, stranger);
    const uint32_t expiry = expired ? kTestNow - 1000 : kTestNow + 1000000;
    guide.server.host.SetLeap({38, NtpSeconds{3692217600}, NtpSeconds{expiry}});
    guide.server.Sign(kTestNow + 1);
    guide.Synchronise();
    assert_true(guide->PollUntil(AutokeyCode::kLeap));
    guide->Deliver(guide->Answer(guide->request.field));
    assert_int_equal((guide.dance().flags() & kLeap) != 0, !expired);
    assert_false(guide->last.leap.has_value());
    assert_false(guide->last.expired_leap.has_value());
  }
}

// One packet in 16 may carry each, however long they fail; the others give time.
void SignAndLeapNeverStarveTheClock(void**) {
  Guide guide;
  guide.server.host.SetLeap({37, NtpSeconds{3692217600}, NtpSeconds{kTestNow + 1000000}});
  guide.server.Sign(kTestNow + 1);
  guide.Associate();
  guide.Synchronise();
  int plain = 0, sign = 0, leap = 0;
  for (int i = 0; i < 160; ++i) {
    const NextField next = guide.dance().NextRequest(guide->context());
    if (next.kind == NextField::Kind::kPlain) {
      ++plain;
      continue;
    }
    (next.field[1] == 6 ? sign : leap) += 1;
    // "Cannot" and rubbish alike.
    std::vector<uint8_t> error(next.field.begin(), next.field.begin() + 8);
    error[0] = 0xc2, error[2] = 0, error[3] = 8;
    guide->Deliver(error);
  }
  assert_int_equal(sign, 10);
  assert_int_equal(leap, 10);
  assert_int_equal(plain, 140);
  assert_true(guide.dance().proven());
  assert_true(guide->restarts.empty());
}

// A lost packet, or a server that is over its rate, does not leave the bits dark for 16 polls.
void UnansweredQuestionsAreRepeatedSoonerAtFirst(void**) {
  Guide guide;
  guide.server.host.SetLeap({37, NtpSeconds{3692217600}, NtpSeconds{kTestNow + 1000000}});
  guide.server.Sign(kTestNow + 1);
  guide.Associate();
  guide.Synchronise();
  std::string asked;
  for (int i = 0; i < 50; ++i) {
    const NextField next = guide.dance().NextRequest(guide->context());
    if (next.kind == NextField::Kind::kField)
      asked += (next.field[1] == 6 ? "S" : "L") + std::to_string(i) + " ";
  }
  assert_string_equal(asked.c_str(), "S0 L1 S2 L3 S6 L7 S14 L15 S30 L31 S46 L47 ");
}

}  // namespace
}  // namespace ntpward::autokey::test

int main() {
  using namespace ntpward::autokey::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(LeapTableOfAServerThatHadNoTimeAtFirst),
      cmocka_unit_test(LeapTableOfASynchronisedServer),
      cmocka_unit_test(LeapIsNotAskedOfAServerWithoutTable),
      cmocka_unit_test(EmptyAndExpiredLeapTablesLightNothing),
      cmocka_unit_test(ATableThatLastsTooLongIsRefused),
      cmocka_unit_test(ATableThatExpiredIsAskedForAnew),
      cmocka_unit_test(ATableThatComesAfterAssocIsLearnt),
      cmocka_unit_test(ATableThatWasReplacedIsNotTakenAgain),
      cmocka_unit_test(TablesOfStrangersAreNotTaken),
      cmocka_unit_test(SignAndLeapNeverStarveTheClock),
      cmocka_unit_test(UnansweredQuestionsAreRepeatedSoonerAtFirst),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
