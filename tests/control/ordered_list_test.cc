// READ_ORDLIST: rows as the reference wrote them, whole rows only, and only for who may have them.
#include "ntpd/control/ordered_list.h"

#include "ntpd/control/responder.h"
#include "tests/control/fake_state.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::control {
namespace {

using test::FakeState;

const SocketAddress kOperator{IpAddress::V4(192, 0, 2, 7), 40000};

InterfaceView Wildcard() {
  IpAddress any6;
  any6.family = Family::kIpv6;
  return {.address = {any6, 123},
          .enabled = false,
          .name = "v6wildcard",
          .flags = kInterfaceUp | kInterfaceWildcard,
          .uptime_s = 235};
}
InterfaceView Ethernet() {
  return {.address = {IpAddress::V4(10, 77, 0, 2), 123},
          .broadcast = IpAddress::V4(10, 77, 0, 255),
          .name = "eth0",
          .flags = 0x39,
          .groups = 1,
          .received = 115,
          .sent = 145,
          .send_failed = 2,
          .peers = 9,
          .uptime_s = 235};
}

RestrictionView Rule(IpAddress address, int ones, uint16_t flags, uint64_t hits) {
  RestrictionView rule{.address = address, .hits = hits, .flags = flags};
  for (int i = 0; i < ones; ++i)
    rule.mask[static_cast<size_t>(i / 8)] |= static_cast<uint8_t>(0x80 >> (i % 8));
  return rule;
}

void EachInterfaceHasTwelveFields(void**) {
  const InterfaceView rows[] = {Wildcard(), Ethernet()};
  assert_string_equal(InterfaceList(rows).text().c_str(),
                      "addr.0=[::]:123, bcast.0=, en.0=0, name.0=\"v6wildcard\", flags.0=0x81,\r\n"
                      "tl.0=0, mc.0=0, rx.0=0, tx.0=0, txerr.0=0, pc.0=0, up.0=235,\r\n"
                      "addr.1=10.77.0.2:123, bcast.1=10.77.0.255:123, en.1=1, name.1=\"eth0\",\r\n"
                      "flags.1=0x39, tl.1=0, mc.1=1, rx.1=115, tx.1=145, txerr.1=2, pc.1=9,\r\n"
                      "up.1=235\r\n");
}

void EachRuleHasFourFields(void**) {
  const RestrictionView rows[] = {Rule(IpAddress::V4(10, 77, 0, 0), 24, 0, 3),
                                  Rule(*IpAddress::Parse("fd77::1"), 128, 0x380, 18)};
  assert_string_equal(RestrictionList(rows).text().c_str(),
                      "addr.0=10.77.0.0, mask.0=255.255.255.0, hits.0=3,\r\n"
                      "flags.0=serve trust peer epeer query trap, addr.1=fd77::1,\r\n"
                      "mask.1=ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff, hits.1=18,\r\n"
                      "flags.1=serve trust peer epeer noquery nomodify notrap\r\n");
}

// The texts of a reference daemon's reslist.
void RulesAreInTheReferencesWords(void**) {
  struct Row {
    uint16_t flags;
    bool ntpport, is_interface, is_source;
    const char* words;
  };
  const Row rows[] = {
      {0x0001, true, true, false, "ntpport interface ignore serve trust peer epeer query trap"},
      {0x0000, false, false, false, "serve trust peer epeer query trap"},
      {0x0380, false, false, true, "source serve trust peer epeer noquery nomodify notrap"},
      {0x09d0, false, false, false, "serve trust nopeer epeer limited noquery nomodify trap kod"},
      {0xffff, false, false, false,
       "ignore noserve notrust version nopeer noepeer limited noquery nomodify notrap lptrap kod "
       "mssntp flake nomrulist srvrspfuz"}};
  for (const Row& row : rows) {
    RestrictionView view{.flags = row.flags,
                         .ntpport = row.ntpport,
                         .is_interface = row.is_interface,
                         .is_source = row.is_source};
    assert_string_equal(RestrictionWords(view).c_str(), row.words);
  }
  // Which the reference cannot have.
  const RestrictionView other{.flags = 0, .other_port = true};
  assert_string_equal(RestrictionWords(other).c_str(),
                      "non-ntpport serve trust peer epeer query trap");
}

size_t Count(const std::string& text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

void ALongListEndsAfterAWholeRow(void**) {
  InterfaceView longest = Ethernet();
  longest.address = {*IpAddress::Parse("fe80:1111:2222:3333:4444:5555:6666:7777%4294967295"),
                     65535};
  longest.broadcast = longest.address.ip;
  longest.name = "abcdefghijklmno";
  longest.flags = 0xffff;
  longest.hop_limit = longest.groups = longest.peers = 0xffffffff;
  longest.received = longest.sent = longest.send_failed = longest.uptime_s = ~uint64_t{0};
  const std::vector<InterfaceView> interfaces(1000, longest);
  const std::string ifstats = InterfaceList(interfaces).text();
  assert_true(ifstats.size() <= wire::kMaxControlPayload && ifstats.size() > 10000);
  RestrictionView rule = Rule(longest.address.ip, 128, 0xffff, ~uint64_t{0});
  rule.ntpport = rule.is_interface = rule.is_source = true;
  const std::vector<RestrictionView> rules(1000, rule);
  const std::string reslist = RestrictionList(rules).text();
  assert_true(reslist.size() <= wire::kMaxControlPayload && reslist.size() > 10000);
  for (const char* field :
       {"bcast.", "en.", "name.", "flags.", "tl.", "mc.", "rx.", "tx.", "txerr.", "pc.", "up."})
    assert_int_equal(Count(ifstats, field), Count(ifstats, "addr."));
  for (const char* field : {"mask.", "hits.", "flags."})
    assert_int_equal(Count(reslist, field), Count(reslist, "addr."));
}

// What a reader puts together who asks for the rest of a list, each row once.
void TheRestOfALongListIsAskedFor(void**) {
  std::vector<RestrictionView> rules;
  for (uint8_t i = 0; i < 250; ++i)
    rules.push_back(Rule(IpAddress::V4(10, 77, i, 0), 24, 0x380, i));
  size_t next = 0;
  size_t answers = 0;
  while (next < rules.size()) {
    const std::string text = RestrictionList(rules, next).text();
    const size_t rows = Count(text, "addr.");
    assert_true(rows > 0);
    assert_true(text.find("addr." + std::to_string(next) + "=10.77." + std::to_string(next)) !=
                std::string::npos);
    next += rows;
    // Only one that is not the last says how many there are.
    assert_int_equal(Count(text, "rows=250\r\n"), next < rules.size() ? 1 : 0);
    ++answers;
  }
  assert_int_equal(next, rules.size());
  assert_int_equal(answers, 3);
  assert_true(RestrictionList(rules, 250).text().empty());
  assert_true(InterfaceList({}, ~size_t{0}).text().empty());
}

void RequestsAreRead(void**) {
  assert_true(ParseListRequest(AsBytes(""))->list == OrderedList::kInterfaces);
  assert_true(ParseListRequest(AsBytes("ifstats"))->list == OrderedList::kInterfaces);
  assert_true(ParseListRequest(AsBytes("addr_restrictions"))->list == OrderedList::kRestrictions);
  assert_true(ParseListRequest(AsBytes("ifstats"))->nonce.empty());
  assert_true(ParseListRequest(AsBytes("ifstats nonce=01ab"))->nonce == "01ab");
  assert_true(ParseListRequest(AsBytes(" nonce=01ab"))->list == OrderedList::kInterfaces);
  assert_int_equal(ParseListRequest(AsBytes("addr_restrictions"))->first, 0);
  const auto rest = ParseListRequest(AsBytes("addr_restrictions from=117 nonce=01ab"));
  assert_true(rest->list == OrderedList::kRestrictions && rest->first == 117);
  assert_true(rest->nonce == "01ab");
  assert_int_equal(ParseListRequest(AsBytes("ifstats from=3"))->first, 3);
  for (const char* none : {"ifstats from=", "ifstats from=x", "ifstats from=-1", "ifstats from=3 "})
    assert_false(ParseListRequest(AsBytes(none)).has_value());
  const std::string_view whole = "addr_restrictions";
  for (size_t size = 1; size < whole.size(); ++size)
    assert_false(ParseListRequest(AsBytes(whole.substr(0, size))).has_value());
  for (const char* other : {"ifstat", "ifstats ", "IFSTATS", "ifstats,addr_restrictions", ","})
    assert_false(ParseListRequest(AsBytes(other)).has_value());
}

// --- who may ---------------------------------------------------------------------------------

struct World {
  World() {
    state.interfaces = {Wildcard(), Ethernet()};
    state.restrictions.assign(60, Rule(IpAddress::V4(10, 77, 0, 0), 24, 0x380, 3));
  }
  Answer Ask(std::string_view data, MacVerdict verdict, bool proved,
             wire::ControlOp op = wire::ControlOp::kReadOrderedList, double at = 1,
             KeyId key = KeyId{7}) {
    wire::ControlHeader header;
    header.op = op;
    request = wire::BuildControlRequest(header, AsBytes(data), wire::ControlPadding::kForMac);
    const Requester requester{
        .address = from, .is_known = true, .control_key = control_key, .nonce_waived = proved};
    return responder.Respond(request, requester, verdict, key, state, MonoTime::FromSeconds(at));
  }
  std::string Nonce() {
    const Answer answer = Ask("", MacVerdict::kNone, false, wire::ControlOp::kRequestNonce);
    const auto fragment = wire::ParseControlResponse(answer.datagrams.at(0));
    const std::string text(AsText(fragment->data));
    return text.substr(6, text.find('\r') - 6);
  }

  FakeState state;
  Responder responder{1, {}};
  SocketAddress from = kOperator;
  KeyId control_key{7};
  std::vector<uint8_t> request;
};

int ErrorOf(const Answer& answer) {
  assert_int_equal(answer.datagrams.size(), 1);
  const auto fragment = wire::ParseControlResponse(answer.datagrams[0]);
  return fragment->header.error ? static_cast<int>(fragment->header.error_code()) : -1;
}

void OnlyTheControlKeyGetsAList(void**) {
  for (const char* list : {"", "ifstats", "addr_restrictions"}) {
    for (const auto verdict : {MacVerdict::kNone, MacVerdict::kBad, MacVerdict::kUnknownKey}) {
      World w;
      assert_int_equal(ErrorOf(w.Ask(list, verdict, true)), 1);
    }
    World w;
    const Answer answer = w.Ask(list, MacVerdict::kGood, true);
    assert_true(answer.seal == KeyId{7});
    const auto fragment = wire::ParseControlResponse(answer.datagrams[0]);
    assert_false(fragment->header.error);
    assert_int_equal(fragment->header.status, 0);
    assert_true(AsText(fragment->data).starts_with("addr.0="));
  }
  World w;
  assert_int_equal(ErrorOf(w.Ask("peers", MacVerdict::kGood, true)), 5);
  // A good MAC of another trusted key, and any where there is no control key, on this host, too.
  constexpr auto kList = wire::ControlOp::kReadOrderedList;
  for (const SocketAddress& from : {kOperator, SocketAddress{*IpAddress::Parse("127.0.0.1"), 5}}) {
    w.from = from;
    w.control_key = KeyId{7};
    assert_int_equal(ErrorOf(w.Ask("ifstats", MacVerdict::kGood, true, kList, 1, KeyId{8})), 1);
    w.control_key = KeyId{};
    assert_int_equal(ErrorOf(w.Ask("ifstats", MacVerdict::kGood, true)), 1);
    assert_int_equal(ErrorOf(w.Ask("ifstats", MacVerdict::kGood, true, kList, 1, KeyId{})), 1);
  }
}

// A captured request, sent again in a victim's name, must not bring the list upon him.
void WhoseAddressIsNotProvedGetsNoMoreThanHeSent(void**) {
  World w;
  const Answer refused = w.Ask("addr_restrictions", MacVerdict::kGood, false);
  assert_int_equal(ErrorOf(refused), 1);
  assert_true(refused.datagrams[0].size() <= w.request.size());
  const std::string nonced = "addr_restrictions nonce=" + w.Nonce();
  assert_true(w.Ask(nonced, MacVerdict::kGood, false).datagrams.size() > 1);
  // Neither from elsewhere nor later.
  w.from.port = 40001;
  assert_int_equal(ErrorOf(w.Ask(nonced, MacVerdict::kGood, false)), 1);
  w.from = kOperator;
  assert_int_equal(
      ErrorOf(w.Ask(nonced, MacVerdict::kGood, false, wire::ControlOp::kReadOrderedList, 30)), 1);
  // And the nonce, which anybody gets, is no key.
  assert_int_equal(ErrorOf(w.Ask(nonced, MacVerdict::kNone, true)), 1);
}

}  // namespace
}  // namespace ntpward::control

int main() {
  using namespace ntpward::control;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EachInterfaceHasTwelveFields),
      cmocka_unit_test(EachRuleHasFourFields),
      cmocka_unit_test(RulesAreInTheReferencesWords),
      cmocka_unit_test(ALongListEndsAfterAWholeRow),
      cmocka_unit_test(TheRestOfALongListIsAskedFor),
      cmocka_unit_test(RequestsAreRead),
      cmocka_unit_test(OnlyTheControlKeyGetsAList),
      cmocka_unit_test(WhoseAddressIsNotProvedGetsNoMoreThanHeSent),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
