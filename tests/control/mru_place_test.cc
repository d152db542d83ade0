// Filters that pass over more rows of the list of recent clients than one answer looks at: the
// nonce tells how far.
#include "ntpd/control/mru_place.h"

#include "ntpd/control/nonce.h"
#include "ntpd/wire/variable_values.h"
#include "tests/control/mru_clients.h"

namespace ntpward::control {
namespace {

using test::FakeRecent;

constexpr std::string_view kPlainNonce = "0123456789abcdef01234567";

struct Piece {
  std::vector<SocketAddress> clients;
  std::string last;  // of the last row
  std::string nonce;
  bool whole = false;
};

Piece Ask(const FakeRecent& recent, const std::string& request) {
  const auto answer = MruAnswer(Parsed(request), recent, kPlainNonce, kNow);
  assert_true(answer.ok());
  Piece piece;
  wire::VariableListReader reader(answer->text());
  for (auto item = reader.Next(); item.ok() && item->has_value(); item = reader.Next()) {
    const auto& [name, value] = **item;
    if (name.starts_with("addr.") && name != "addr.older")
      piece.clients.push_back(*wire::DecodeAddress(*value));
    if (name.starts_with("last.") && name != "last.older") piece.last = *value;
    if (name == "nonce") piece.nonce = *value;
    piece.whole = piece.whole || name == "now";
  }
  return piece;
}

// As every reader asks: with the nonce of the last answer, and the last row that it got.
std::vector<SocketAddress> ReadFiltered(FakeRecent& recent, const std::string& filter, int* answers,
                                        void (*meanwhile)(FakeRecent&, int) = nullptr) {
  std::vector<SocketAddress> clients;
  std::string nonce(kPlainNonce), position;
  for (*answers = 1;; ++*answers) {
    assert_true(*answers < 1000);
    const Piece piece = Ask(recent, "nonce=" + nonce + ", frags=32" + filter + position);
    clients.insert(clients.end(), piece.clients.begin(), piece.clients.end());
    if (piece.whole) return clients;
    nonce = piece.nonce;
    if (!piece.clients.empty())
      position = ", addr.0=" + clients.back().ToString() + ", last.0=" + piece.last;
    if (meanwhile != nullptr) meanwhile(recent, *answers);
  }
}

// No row is sent for it that does not pass: readers of other makers would show it.
void ANonceTellsHowFarAFilterHasLooked(void**) {
  FakeRecent recent = Clients(5 * kMruRowsPerAnswer);
  for (const uint32_t n : {700U, 701U, 2400U}) recent.rows[n].access = 0x840;
  int answers = 0;
  const auto found = ReadFiltered(recent, ", resany=0x800", &answers);
  assert_int_equal(answers, 5);
  assert_int_equal(found.size(), 3);
  assert_true(found[0] == Client(700) && found[1] == Client(701) && found[2] == Client(2400));
  assert_true(ReadFiltered(recent, ", resany=0x1", &answers).empty());
  assert_int_equal(answers, 5);
}

void ANonceIsLongerOnlyWhereItHasToBe(void**) {
  FakeRecent recent = Clients(2 * kMruRowsPerAnswer);
  assert_string_equal(Ask(recent, "frags=32").nonce.c_str(), kPlainNonce.data());
  recent.rows[kMruRowsPerAnswer - 1].access = 0x840;  // the reader has this row itself
  assert_string_equal(Ask(recent, "frags=32, resany=0x800").nonce.c_str(), kPlainNonce.data());
  recent.rows[kMruRowsPerAnswer - 1].access = 0;
  for (auto& row : recent.rows) {
    row.client.ip.family = Family::kIpv6;
    row.client.ip.octets[15] = 1;
  }
  assert_int_equal(Ask(recent, "frags=32, resany=0x800").nonce.size(), 124);
  for (auto& row : recent.rows) row.client.ip.scope = 4000000000U;
  assert_int_equal(Ask(recent, "frags=32, resany=0x800").nonce.size(), 24 + 58);
}

void RowsThatMoveMeanwhileAreNotLost(void**) {
  FakeRecent recent = Clients(3 * kMruRowsPerAnswer);
  recent.rows[700].access = 0x840;
  int answers = 0;
  // One of the two rows that are named moves; then the row that the reader has.
  const auto found = ReadFiltered(recent, ", resany=0x800", &answers, [](FakeRecent& r, int n) {
    if (n == 1) r.Add(Client(kMruRowsPerAnswer - 1), kNow);
  });
  assert_true(found.size() == 1 && found[0] == Client(700));
  assert_int_equal(answers, 4);
  recent = Clients(3 * kMruRowsPerAnswer);
  recent.rows[700].access = 0x840;
  // Both: it begins anew.
  const auto again = ReadFiltered(recent, ", resany=0x800", &answers, [](FakeRecent& r, int n) {
    if (n != 1) return;
    r.Add(Client(kMruRowsPerAnswer - 1), kNow);
    r.Add(Client(kMruRowsPerAnswer - 2), kNow);
  });
  assert_true(again.size() == 1 && again[0] == Client(700));
  assert_int_equal(answers, 4);
  // A nonce of before the row that the reader has.
  const auto digits = MruPlaceDigits({&recent.rows[10], 1});
  const std::string stale = "nonce=" + std::string(kPlainNonce) + digits + ", frags=2";
  const Piece first = Ask(recent, stale + ", mincount=1");
  assert_true(first.clients.size() > 2 && first.clients[0] == recent.rows[11].client);
  const Piece second =
      Ask(recent, stale + ", mincount=1, addr.0=" + first.clients.back().ToString() +
                      ", last.0=" + first.last);
  assert_true(second.clients[0] == recent.rows[11 + first.clients.size()].client);
}

// Its row no longer passes, so that the search goes on behind it, and behind where that stopped.
void WhoAsksForOneRowGetsPastWhatWasLookedAt(void**) {
  FakeRecent recent = Clients(4 * kMruRowsPerAnswer);
  recent.rows[1700].access = 0x840;
  const Piece first = Ask(recent, "limit=1");
  assert_true(first.clients.size() == 1 && first.clients[0] == Client(0));
  const std::string request = "limit=1, resany=0x800, addr.0=" + first.clients[0].ToString() +
                              ", last.0=" + first.last + ", nonce=";
  std::string nonce(kPlainNonce);
  for (int answers = 1; answers < 4; ++answers) {
    const Piece piece = Ask(recent, request + nonce);
    assert_true(piece.clients.empty() && !piece.whole);
    assert_true(piece.nonce != nonce);
    nonce = piece.nonce;
  }
  const Piece found = Ask(recent, request + nonce);
  assert_true(found.clients.size() == 1 && found.clients[0] == Client(1700));
  // Without a place behind the nonce it is the reader's own row again, as it is now.
  const Piece same = Ask(recent, "limit=1, resany=0x800, addr.0=" + Client(1700).ToString() +
                                     ", last.0=" + found.last + ", nonce=" + found.nonce);
  assert_true(same.clients.size() == 1 && same.clients[0] == Client(1700));
}

void APlaceIsReadAsItIsWritten(void**) {
  std::vector<RecentClient> rows(2);
  rows[0].client = Client(5);
  rows[0].last = kNow;
  rows[1].client.ip = *IpAddress::Parse("fe80::1");
  rows[1].client.ip.scope = 7;
  rows[1].last = Ago(3);
  const std::string digits = MruPlaceDigits(rows);
  const auto read = ReadMruPlace(digits);
  assert_true(read && read->size() == 2);
  for (size_t i = 0; i < 2; ++i) {
    assert_true((*read)[i].client.ip == rows[i].client.ip);
    assert_true((*read)[i].last == rows[i].last);
  }
  for (size_t size = 0; size < digits.size(); ++size)
    assert_true(ReadMruPlace(digits.substr(0, size)).has_value() == (size == 0 || size == 26));
  for (const char* bad : {"0", "00", "05", "zz", "0x", "-1", "04", "040a0000010000000000000001f"})
    assert_false(ReadMruPlace(bad).has_value());
  assert_false(ReadMruPlace(digits + digits).has_value());
  assert_true(MruPlaceDigits({}).empty());
}

}  // namespace
}  // namespace ntpward::control

int main() {
  using namespace ntpward::control;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ANonceTellsHowFarAFilterHasLooked),
      cmocka_unit_test(ANonceIsLongerOnlyWhereItHasToBe),
      cmocka_unit_test(RowsThatMoveMeanwhileAreNotLost),
      cmocka_unit_test(WhoAsksForOneRowGetsPastWhatWasLookedAt),
      cmocka_unit_test(APlaceIsReadAsItIsWritten),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
