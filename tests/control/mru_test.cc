// The list of recent clients: who may read it, piece by piece, and what a filter leaves.
#include <set>

#include "ntpd/control/mru_answer.h"
#include "ntpd/control/mru_place.h"
#include "ntpd/control/nonce.h"
#include "ntpd/control/responder.h"
#include "ntpd/wire/variable_values.h"
#include "tests/control/mru_clients.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::control {
namespace {

using test::FakeRecent;
using test::FakeState;
using wire::ControlError;
using wire::ControlOp;

bool Has(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

// --- nonces

void ANonceIsGoodForItsReaderUntilItIsOld(void**) {
  const NonceMaker maker({1, 2});
  const MonoTime made = MonoTime::FromSeconds(5000.9);
  const std::string nonce = maker.Make(kReader, made);
  assert_int_equal(nonce.size(), 24);
  for (double after : {0.0, 1.0, 15.9}) assert_true(maker.IsGood(nonce, kReader, made + after));
  assert_false(maker.IsGood(nonce, kReader, made + 17.2));
  assert_false(maker.IsGood(nonce, kReader, made + -2.0));
  SocketAddress other = kReader;
  ++other.port;
  assert_false(maker.IsGood(nonce, other, made));
  other = kReader;
  other.ip = IpAddress::V4(192, 0, 2, 2);
  assert_false(maker.IsGood(nonce, other, made));
  assert_false(NonceMaker({1, 3}).IsGood(nonce, kReader, made));
}

void AnAlteredNonceIsBad(void**) {
  const NonceMaker maker({1, 2});
  const MonoTime now = MonoTime::FromSeconds(5000);
  const std::string nonce = maker.Make(kReader, now);
  for (size_t i = 0; i < nonce.size(); ++i) {
    std::string altered = nonce;
    altered[i] = altered[i] == '0' ? '1' : '0';
    assert_false(maker.IsGood(altered, kReader, now));
    assert_false(maker.IsGood(nonce.substr(0, i), kReader, now));
  }
  assert_false(maker.IsGood(nonce + "0", kReader, now));
  assert_false(maker.IsGood("0x345678901234567890abcd", kReader, now));
}

// --- requests

// As ntpq 4.2.8 asks for the second piece.
void ReadsWhatTheReferenceAsks(void**) {
  const MruRequest request = Parsed(
      "nonce=eeacac95121852"
      "5afef8c2d1, frags=32, mincount=3, resany=0x840, laddr=10.77.0.2, "
      "maxlstint=60, addr.0=10.77.0.15:123, last.0=0xeeacac94.e97f5bba, "
      "addr.1=[fd77::1]:123, last.1=0xeeacac8c.64dfb612");
  assert_int_equal(*request.datagrams, 32);
  assert_false(request.rows.has_value());
  assert_int_equal(request.min_count, 3);
  assert_int_equal(request.any, 0x840);
  assert_int_equal(*request.max_age_s, 60);
  assert_true(*request.local == IpAddress::V4(10, 77, 0, 2));
  assert_int_equal(request.positions.size(), 2);
  assert_true(request.positions[1].client.ip == *IpAddress::Parse("fd77::1"));
  assert_true(request.positions[1].last.raw() == 0xeeacac8c64dfb612U);
}

void WhatCannotBeReadIsNotAnswered(void**) {
  for (const char* text :
       {"nonce=", "nonce=1, frags=x", "nonce=1, frags=-1", "nonce=1, frags=4294967296",
        "nonce=1, frags=1, mincount=", "nonce=1, frags=1, resall=0x10000", "frags=1, resany=z",
        "frags=1, laddr=example.com", "frags=1, addr.0=10.0.0.1:1", "frags=1, last.0=0x1.1",
        "frags=1, addr.0=host, last.0=0x1.1", "frags=1, addr.0=10.0.0.1:1, last.0=1",
        "frags=1, maxlstint=1.5"}) {
    const auto request = ParseMruRequest(AsBytes(text));
    if (request.ok()) print_message("%s\n", text);
    assert_true(!request.ok() && request.error() == MruReject::kUnreadable);
  }
}

void ALimitIsNeededAndBounded(void**) {
  for (const char* text : {"", "nonce=1", "frags=0", "frags=129", "limit=0", "limit=257",
                           "frags=1, limit=257", "nonce=1, other=1, frags=1"}) {
    const auto request = ParseMruRequest(AsBytes(text));
    assert_true(!request.ok() && request.error() == MruReject::kNoLimit);
  }
  assert_int_equal(*Parsed("frags=128").datagrams, 128);
  assert_int_equal(*Parsed("limit=256").rows, 256);
}

void TheListEndsAtAnUnknownName(void**) {
  const MruRequest request = Parsed("limit=5, addr.16=10.0.0.1:1, mincount=7");
  assert_true(request.positions.empty());
  assert_int_equal(request.min_count, 0);
}

// --- answers

std::string AnswerText(const MruRequest& request, const FakeRecent& recent) {
  const auto answer = MruAnswer(request, recent, "fresh", kNow);
  assert_true(answer.ok());
  return answer->text();
}

void AShortListComesWhole(void**) {
  FakeRecent recent = Clients(2);
  recent.rows[1].client.ip = *IpAddress::Parse("fd77::1");
  const std::string text = AnswerText(Parsed("frags=1"), recent);
  assert_string_equal(text.c_str(),
                      "nonce=fresh, addr.0=10.0.0.0:1024, last.0=0xeeacac93.123456c0,\r\n"
                      "first.0=0xeeacac91.123456c0, ct.0=1, mv.0=35, rs.0=0x40,\r\n"
                      "addr.1=[fd77::1]:1025, last.1=0xeeacac94.123456c0,\r\n"
                      "first.1=0xeeacac91.123456c0, ct.1=2, mv.1=35, rs.1=0x40,\r\n"
                      "now=0xeeacac95.123456c0, last.newest=0xeeacac94.123456c0\r\n");
}

void AnEmptyListIsJustTheEnd(void**) {
  assert_string_equal(AnswerText(Parsed("frags=32"), {}).c_str(),
                      "nonce=fresh, now=0xeeacac95.123456c0\r\n");
}

void EveryFilterLeavesOutOtherRows(void**) {
  FakeRecent recent = Clients(10);
  recent.rows[3].access = 0x840;
  recent.rows[4].local = IpAddress::V4(10, 77, 0, 2);
  const auto rows = [&](const std::string& filter) {
    const std::string text = AnswerText(Parsed("frags=32, " + filter), recent);
    assert_true(Has(text, "now="));
    std::set<std::string> found;
    for (uint32_t n = 0; n < 10; ++n)
      if (Has(text, '=' + Client(n).ToString() + ',')) found.insert(std::to_string(n));
    std::string joined;
    for (const std::string& n : found) joined += n;
    return joined;
  };
  assert_string_equal(rows("mincount=0").c_str(), "0123456789");
  assert_string_equal(rows("mincount=8").c_str(), "789");
  assert_string_equal(rows("resany=0x800").c_str(), "3");
  assert_string_equal(rows("resall=0x840").c_str(), "3");
  assert_string_equal(rows("resany=0xffff").c_str(), "0123456789");
  assert_string_equal(rows("laddr=10.77.0.2").c_str(), "4");
  assert_string_equal(rows("maxlstint=3").c_str(), "789");
  assert_string_equal(rows("resall=0x1").c_str(), "");
}

// Reads the whole list as a client does; returns the clients in the order of the rows.
std::vector<SocketAddress> ReadAll(const FakeRecent& recent, const std::string& limits,
                                   int* answers) {
  std::vector<SocketAddress> clients;
  std::string position;
  for (*answers = 1;; ++*answers) {
    const std::string text = AnswerText(Parsed(limits + position), recent);
    wire::VariableListReader reader(text);
    std::string last;
    bool done = false;
    for (;;) {
      const auto item = reader.Next();
      assert_true(item.ok());
      if (!item->has_value()) break;
      const auto& [name, value] = **item;
      if (name.starts_with("addr.") && name != "addr.older")
        clients.push_back(*wire::DecodeAddress(*value));
      if (name.starts_with("last.")) last = *value;
      done = done || name == "now";
    }
    if (done) return clients;
    assert_true(*answers < 100000);
    position = ", addr.0=" + clients.back().ToString() + ", last.0=" + last;
  }
}

void ALongListComesInPiecesWithoutGapOrRepetition(void**) {
  const FakeRecent recent = Clients(1000);
  for (const char* limits : {"frags=1", "frags=32", "limit=7", "frags=128, limit=256"}) {
    int answers = 0;
    const auto clients = ReadAll(recent, limits, &answers);
    assert_true(answers > 1);
    assert_int_equal(clients.size(), 1000);
    for (uint32_t n = 0; n < 1000; ++n) assert_true(clients[n] == Client(n));
  }
}

void AnAnswerKeepsWithinItsDatagrams(void**) {
  FakeRecent recent = Clients(2000);
  for (auto& row : recent.rows) {
    row.client.ip.family = Family::kIpv6;
    row.client.ip.octets.fill(0xaa);
    row.client.ip.scope = 4000000000U;
    row.client.port = 65535;
    row.count = ~uint64_t{0};
    row.access = 0xffff;
  }
  for (uint32_t datagrams : {1U, 2U, 32U, 128U}) {
    const std::string text = AnswerText(Parsed("frags=" + std::to_string(datagrams)), recent);
    assert_true(text.size() <= datagrams * wire::kMaxControlData);
    assert_true(text.size() > datagrams * wire::kMaxControlData * 7 / 10 || datagrams == 1);
  }
}

void GoesOnBehindTheFirstRowThatIsAsTheReaderHasIt(void**) {
  FakeRecent recent = Clients(4);
  const auto position = [&](int i, uint32_t n) {
    const std::string number = std::to_string(i);
    char last[64];
    const NtpTimestamp time = Ago(4.0 - n);
    std::snprintf(last, sizeof last, "0x%08x.%08x", time.seconds(), time.fraction());
    return ", addr." + number + '=' + Client(n).ToString() + ", last." + number + '=' + last;
  };
  const std::string both = "limit=9" + position(0, 2) + position(1, 1);
  assert_true(AnswerText(Parsed(both), recent).starts_with("last.older=0xeeacac93"));
  recent.Add(Client(2), kNow);  // moved: the older one is the place
  const std::string text = AnswerText(Parsed(both), recent);
  assert_true(Has(text, "addr.older=10.0.0.1:1025"));
  assert_true(Has(text, "addr.0=10.0.0.3"));
  assert_true(Has(text, "addr.1=10.0.0.2"));
  recent.Add(Client(1), kNow);
  const auto gone = MruAnswer(Parsed(both), recent, "fresh", kNow);
  assert_true(!gone.ok() && gone.error() == ControlError::kUnknownVariable);
}

// --- the responder

std::vector<uint8_t> Request(ControlOp op, std::string_view data) {
  wire::ControlHeader header;
  header.op = op;
  header.sequence = 7;
  return wire::BuildControlRequest(header, AsBytes(data), wire::ControlPadding::kPlain);
}

std::string Payload(const Answer& answer) {
  std::string payload;
  for (const auto& datagram : answer.datagrams) {
    const auto fragment = wire::ParseControlResponse(datagram);
    assert_true(fragment.ok());
    assert_int_equal(fragment->header.offset, payload.size());
    payload += AsText(fragment->data);
  }
  return payload;
}

struct Fixture {
  Responder responder{1, {3, 4}};
  FakeState state;
  Fixture() { state.recent = Clients(1000); }

  Answer Ask(ControlOp op, std::string_view data, const Requester& from = {kReader, true}) {
    const auto request = Request(op, data);
    return responder.Respond(request, from, MacVerdict::kNone, KeyId{}, state,
                             MonoTime::FromSeconds(1000));
  }
  std::string Nonce(const Requester& from = {kReader, true}) {
    const std::string payload = Payload(Ask(ControlOp::kRequestNonce, "", from));
    assert_true(payload.starts_with("nonce=") && payload.ends_with("\r\n"));
    return payload.substr(6, payload.size() - 8);
  }
};

void OnlyWhoShowsItsNonceGetsTheList(void**) {
  Fixture f;
  const std::string nonce = f.Nonce();
  const Answer answer = f.Ask(ControlOp::kReadMru, "nonce=" + nonce + ", frags=32");
  assert_int_equal(answer.datagrams.size(), 32);
  for (size_t i = 0; i + 1 < 32; ++i) assert_int_equal(answer.datagrams[i].size(), 480);
  for (const std::string& data : {std::string("frags=32"), "nonce=0" + nonce + ", frags=32",
                                  "nonce=" + f.Nonce({{kReader.ip, 1}, true}) + ", frags=32"})
    assert_int_equal(f.Ask(ControlOp::kReadMru, data).datagrams.size(), 0);
}

void ANonceIsNoLargerThanWhatItTakes(void**) {
  Fixture f;
  const Answer answer = f.Ask(ControlOp::kRequestNonce, "");
  assert_int_equal(answer.datagrams.size(), 1);
  assert_true(answer.datagrams[0].size() <= 44);
}

ControlError ErrorOf(const Answer& answer) {
  assert_int_equal(answer.datagrams.size(), 1);
  const auto fragment = wire::ParseControlResponse(answer.datagrams[0]);
  assert_true(fragment->header.error);
  return fragment->header.error_code();
}

void NomrulistAndLimitsAreRefusedByName(void**) {
  Fixture f;
  const std::string nonce = "nonce=" + f.Nonce();
  assert_int_equal(ErrorOf(f.Ask(ControlOp::kReadMru, nonce + ", frags=1", {kReader, true, false})),
                   ControlError::kPermission);
  assert_int_equal(ErrorOf(f.Ask(ControlOp::kReadMru, nonce + ", frags=999")),
                   ControlError::kBadValue);
  assert_int_equal(
      ErrorOf(f.Ask(ControlOp::kReadMru, nonce + ", frags=1, addr.0=10.9.9.9:1, last.0=0x1.1")),
      ControlError::kUnknownVariable);
}

}  // namespace
}  // namespace ntpward::control

int main() {
  using namespace ntpward::control;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ANonceIsGoodForItsReaderUntilItIsOld),
      cmocka_unit_test(AnAlteredNonceIsBad),
      cmocka_unit_test(ReadsWhatTheReferenceAsks),
      cmocka_unit_test(WhatCannotBeReadIsNotAnswered),
      cmocka_unit_test(ALimitIsNeededAndBounded),
      cmocka_unit_test(TheListEndsAtAnUnknownName),
      cmocka_unit_test(AShortListComesWhole),
      cmocka_unit_test(AnEmptyListIsJustTheEnd),
      cmocka_unit_test(EveryFilterLeavesOutOtherRows),
      cmocka_unit_test(ALongListComesInPiecesWithoutGapOrRepetition),
      cmocka_unit_test(AnAnswerKeepsWithinItsDatagrams),
      cmocka_unit_test(GoesOnBehindTheFirstRowThatIsAsTheReaderHasIt),
      cmocka_unit_test(OnlyWhoShowsItsNonceGetsTheList),
      cmocka_unit_test(ANonceIsNoLargerThanWhatItTakes),
      cmocka_unit_test(NomrulistAndLimitsAreRefusedByName),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
