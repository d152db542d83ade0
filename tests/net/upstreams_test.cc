// Which servers are followed: the configuration's lines, names and pools; the test is ntpd-resolve.
#include "ntpd/net/upstreams.h"

#include "tests/net/upstream_world.h"

namespace ntpward::net {
namespace {

using namespace ntpward::test;

msg::NetAssociation NamedLine(uint16_t name, msg::NetAssociationKind kind) {
  msg::NetAssociation line;
  line.kind = kind;
  line.name = name;
  CHECK(line.label.Assign(AsBytes("time.example")));
  return line;
}

struct Named : Net {
  explicit Named(msg::NetAssociationKind kind) {
    h.upstreams.Configure({NamedLine(3, kind)});
    h.upstreams.Maintain(Timebase::Mono());
  }
  // ntpd-resolve answers what it was asked, if it was asked.
  bool Resolve(std::initializer_list<IpAddress> addresses) {
    const auto asked = Next<msg::ResolveRequest>(&h.resolve.far);
    if (!asked || asked->index != 3) return false;
    msg::ResolveAnswer answer;
    answer.index = 3;
    for (const IpAddress& address : addresses) CHECK(answer.addresses.Push(address));
    CHECK(h.resolve.far.Send(answer) == SendOutcome::kSent);
    return h.upstreams.OnResolveReadable();
  }
  void LetItBeSilent() {
    for (int i = 0; i < 12; ++i) h.upstreams.Poll(Only());
  }
  // As time passes, more of it than lies between any two questions.
  void Maintain() {
    h.upstreams.Maintain(later);
    later = later + 2048;
    h.upstreams.Maintain(later);
  }
  MonoTime later = Timebase::Mono();
};

void AReloadKeepsWhatDidNotChange(void**) {
  Net net;
  net.h.upstreams.Configure({Line(kFirst), Line(kSecond)});
  AssocId kept, gone;
  for (const auto& [id, upstream] : net.h.upstreams.all())
    (upstream->remote.ip == kSecond ? kept : gone) = id;
  net.h.upstreams.Configure({Line(kThird), Line(kSecond)});
  assert_int_equal(net.h.upstreams.all().size(), 2);
  assert_non_null(net.h.upstreams.Find(kept));
  assert_null(net.h.upstreams.Find(gone));
  net.h.upstreams.Configure({Line(kThird), Line(kSecond)});
  assert_non_null(net.h.upstreams.Find(kept));
}

// It would climb from stratum to stratum behind its own local clock.
void AnAddressOfThisHostIsNeverFollowed(void**) {
  Net net;
  net.h.upstreams.SetListening([](const SocketAddress& to) { return to.ip == kFirst; });
  assert_true(net.h.upstreams.IsThisHost(kFirst));
  assert_true(net.h.upstreams.IsThisHost(IpAddress::V4(127, 0, 0, 1)));  // asks by itself
  assert_false(net.h.upstreams.IsThisHost(kSecond));
  net.h.upstreams.Configure({Line(kFirst), Line(kSecond)});
  std::vector<AssocId> ids;
  for (const auto& [id, upstream] : net.h.upstreams.all()) ids.push_back(id);
  for (int twice = 0; twice < 2; ++twice)
    for (const AssocId id : ids) net.h.upstreams.Poll(id);
  (void)net.h.node.engine->Tick(Timebase::Mono(), net.h.node.time.Now());
  for (const AssocId id : ids) {
    const bool own = net.h.upstreams.Find(id)->remote.ip == kFirst;
    const auto snapshot = net.h.node.engine->Snapshot(id, Timebase::Mono());
    assert_int_equal((snapshot->flash & wire::kFlashPeerLoop) != 0, own);
  }
  std::string log;
  while (const auto line = Next<msg::LogLine>(&net.h.supervisor.far))
    log += std::string(line->text.text()) + "\n";
  const std::string said =
      kFirst.ToString() + " is an address of this host: its time is never taken";
  const size_t at = log.find(said);
  assert_true(at != std::string::npos && log.find(said, at + 1) == std::string::npos);
}

msg::NetAssociation PeerLine(const IpAddress& address) {
  msg::NetAssociation line = Line(address);
  line.kind = msg::NetAssociationKind::kPeer;
  return line;
}

// Its local address is learnt before it is one of the associations.
void APeerOfThisHostIsNamed(void**) {
  Net net;
  const msg::NetAssociation line = PeerLine(IpAddress::V4(127, 0, 0, 1));
  net.h.upstreams.Configure({line});
  std::string log;
  while (const auto each = Next<msg::LogLine>(&net.h.supervisor.far))
    log += std::string(each->text.text()) + "\n";
  assert_true(log.find("127.0.0.1 is an address of this host") != std::string::npos);
  assert_true(log.find("0.0.0.0 is") == std::string::npos);
}

// Forged packets in turns, of which the entry refuses every other one, are no flood of the log.
void WhatItsRestrictEntryRefusesIsSaidOnce(void**) {
  Net net;
  const msg::NetAssociation line = PeerLine(IpAddress::V4(192, 0, 2, 9));
  net.h.upstreams.Configure({line});
  const AssocId id = net.h.upstreams.all().begin()->first;
  const core::AccessFlags version = core::Access::kVersion;
  const uint64_t before = net.h.node.packets.restricted;
  for (int i = 0; i < 3; ++i) {
    assert_true(net.h.upstreams.Refuses(id, version, 3));
    assert_false(net.h.upstreams.Refuses(id, version, 4));
  }
  assert_true(net.h.view.Peer(id)->refused_by.empty());
  assert_true(net.h.upstreams.Refuses(id, core::Access::kNoTrust, 4));
  assert_true(net.h.view.Peer(id)->refused_by == "notrust");
  assert_int_equal(net.h.node.packets.restricted, before + 4);
  int said = 0;
  while (const auto each = Next<msg::LogLine>(&net.h.supervisor.far))
    said += std::string(each->text.text()).find("what it sends is dropped") != std::string::npos;
  assert_int_equal(said, 1);
  // Of another list it is said anew.
  net.h.upstreams.OnAccessChanged();
  assert_true(net.h.view.Peer(id)->refused_by.empty());
  assert_true(net.h.upstreams.Refuses(id, version, 3));
  const auto anew = Next<msg::LogLine>(&net.h.supervisor.far);
  assert_true(anew && anew->text.text().ends_with("entry has version"));
}

void APeerWhosePacketsAreIgnoredIsToldWhenItIsSentTo(void**) {
  Net net;
  const msg::NetAssociation line = PeerLine(IpAddress::V4(127, 0, 0, 2));
  net.h.upstreams.Configure({line});
  core::AccessEntry entry;
  entry.address = line.address;
  entry.mask = core::AccessList::Mask(Family::kIpv4, 32);
  entry.flags = core::Access::kIgnore;
  net.h.node.access.Add(entry);
  const AssocId id = net.h.upstreams.all().begin()->first;
  for (int i = 0; i < 3; ++i) net.h.upstreams.Poll(id);
  std::vector<std::string> lines;
  while (const auto each = Next<msg::LogLine>(&net.h.supervisor.far))
    if (each->text.text().starts_with("127.0.0.2: what it sends is dropped"))
      lines.emplace_back(each->text.text());
  assert_int_equal(lines.size(), 1);
  // No packet has come.
  for (const core::AccessEntry& each : net.h.node.access.Entries()) assert_int_equal(each.hits, 0);
}

// With interface lines the route's address may be one that nobody listens on.
void APeerIsSentToFromAnAddressThatIsListenedOn(void**) {
  Net net;
  std::optional<IpAddress> listened = IpAddress::V4(127, 0, 0, 9);
  std::vector<IpAddress> sources;
  net.h.upstreams.SetSource([&](const SocketAddress&, const IpAddress&) { return listened; });
  net.h.upstreams.SetSend([&](const SocketAddress&, const IpAddress& from, uint8_t, Bytes) {
    sources.push_back(from);
    return true;
  });
  const msg::NetAssociation line = PeerLine(IpAddress::V4(127, 0, 0, 2));
  net.h.upstreams.Configure({line});
  const AssocId id = net.h.upstreams.all().begin()->first;
  net.h.upstreams.Poll(id);
  assert_true(sources == std::vector<IpAddress>{*listened});
  // The poll that finds it changed was made for the one before.
  listened = IpAddress::V4(127, 0, 0, 10);
  net.h.upstreams.Poll(id);
  assert_int_equal(sources.size(), 1);
  net.h.upstreams.Poll(id);
  assert_true(sources.back() == *listened);
  listened.reset();
  net.h.upstreams.Poll(id);
  net.h.upstreams.Poll(id);
  assert_int_equal(sources.size(), 2);
  int said = 0;
  while (const auto each = Next<msg::LogLine>(&net.h.supervisor.far))
    said += each->text.text().find("no address is listened on") != std::string_view::npos;
  assert_int_equal(said, 1);
}

void OneServerHasOneVote(void**) {
  Net net;
  net.h.upstreams.Configure({Line(kFirst), Line(kFirst)});
  assert_int_equal(net.h.upstreams.all().size(), 1);
}

void ANamesNextAddressGetsItsChance(void**) {
  Named net(msg::NetAssociationKind::kServer);
  const std::initializer_list<IpAddress> all = {kFirst, kSecond};
  assert_true(net.Resolve(all));
  assert_true(net.upstream().remote.ip == kFirst);
  net.Maintain();
  assert_false(net.Resolve(all));  // nothing to ask: it has not had its chance yet
  net.LetItBeSilent();
  net.Maintain();
  assert_true(net.Resolve(all));
  assert_true(net.upstream().remote.ip == kSecond);
  net.LetItBeSilent();
  net.Maintain();
  assert_true(net.Resolve(all));
  assert_true(net.upstream().remote.ip == kFirst);
}

void AnAnswerIsTakenOnlyWhenAsked(void**) {
  Named net(msg::NetAssociationKind::kServer);
  assert_true(net.Resolve({kFirst}));
  net.LetItBeSilent();
  msg::ResolveAnswer answer;
  answer.index = 3;
  CHECK(answer.addresses.Push(kSecond));
  (void)net.h.resolve.far.Send(answer);
  answer.index = 4;
  (void)net.h.resolve.far.Send(answer);
  assert_true(net.h.upstreams.OnResolveReadable());
  assert_true(net.upstream().remote.ip == kFirst);
}

void AddressesThatNoServerHasAreSkipped(void**) {
  Named net(msg::NetAssociationKind::kServer);
  assert_true(net.Resolve({IpAddress::V4(0, 0, 0, 0), IpAddress::V4(224, 0, 1, 1),
                           IpAddress::V4(127, 127, 1, 0), *IpAddress::Parse("::ffff:10.0.0.1"),
                           *IpAddress::Parse("ff02::101"), kSecond}));
  assert_true(net.upstream().remote.ip == kSecond);
}

// Who answers for a name must not make us our own source, or ask what else listens here. Also when
// he does so later.
void AddressesOfThisHostAreSkipped(void**) {
  for (const auto kind : {msg::NetAssociationKind::kServer, msg::NetAssociationKind::kPool}) {
    Named net(kind);
    net.h.upstreams.SetOwnAddresses({{1, kThird}});
    const IpAddress self = IpAddress::V4(127, 0, 0, 1);
    assert_true(net.Resolve({self, kThird}));
    assert_int_equal(net.h.upstreams.all().size(), 0);
    assert_int_equal(net.h.upstreams.prototypes().size(), 1);  // still wanted
    net.Maintain();
    assert_true(net.Resolve({self, kThird, kSecond}));
    assert_true(net.upstream().remote.ip == kSecond);
    net.LetItBeSilent();
    net.Maintain();
    assert_true(net.Resolve({self, kThird}));
    assert_true(net.upstream().remote.ip == kSecond);
    std::string log;
    while (const auto line = Next<msg::LogLine>(&net.h.supervisor.far))
      log += std::string(line->text.text()) + "\n";
    const std::string said = "time.example: 127.0.0.1 is an address of this host: not followed";
    const size_t at = log.find(said);
    assert_true(at != std::string::npos && log.find(said, at + 1) == std::string::npos);
  }
}

void APoolReplacesMembersThatDoNotAnswer(void**) {
  Named net(msg::NetAssociationKind::kPool);
  net.h.node.start.maxclock = 1;
  assert_true(net.Resolve({kFirst, kSecond}));
  assert_true(net.upstream().remote.ip == kFirst);
  net.LetItBeSilent();
  net.Maintain();
  assert_true(net.Resolve({kFirst, kThird}));
  assert_true(net.upstream().remote.ip == kThird);
  assert_int_equal(net.h.upstreams.prototypes().size(), 1);
}

void APoolIsFilledUpToMaxclock(void**) {
  Named net(msg::NetAssociationKind::kPool);
  net.h.node.start.maxclock = 2;
  assert_true(net.Resolve({kFirst}));
  net.Maintain();
  assert_true(net.Resolve({kFirst, kSecond, kThird}));
  assert_int_equal(net.h.upstreams.all().size(), 2);
  net.Maintain();
  assert_false(net.Resolve({kThird}));
}

void AReloadAsksForRestrictNamesAgain(void**) {
  Net net;
  int entries = 0;
  for (int i = 1; i <= 2; ++i) {
    net.h.upstreams.ForgetNames();
    net.h.upstreams.ResolveFor(8, "clients.example", [&](const IpAddress&) { ++entries; });
    net.h.upstreams.Configure({});
    net.h.upstreams.Maintain(Timebase::Mono());
    assert_true(Next<msg::ResolveRequest>(&net.h.resolve.far).has_value());
    msg::ResolveAnswer answer;
    answer.index = 8;
    CHECK(answer.addresses.Push(kFirst));
    (void)net.h.resolve.far.Send(answer);
    assert_true(net.h.upstreams.OnResolveReadable());
    assert_int_equal(entries, i);
  }
}

void NonsenseOfTheResolverIsAccusedOnce(void**) {
  Named net(msg::NetAssociationKind::kServer);
  for (int i = 0; i < 3; ++i) (void)net.h.resolve.far.Send(msg::ClockAdjust{});
  assert_false(net.h.upstreams.OnResolveReadable());
  assert_false(net.h.upstreams.OnResolveReadable());
  assert_int_equal(net.h.Accusations(), 1);
  while (Next<msg::ResolveRequest>(&net.h.resolve.far)) {
  }
  net.h.upstreams.OnResolveRestarted(net.later);
  net.Maintain();
  assert_true(net.Resolve({kFirst}));
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AReloadKeepsWhatDidNotChange),
      cmocka_unit_test(AnAddressOfThisHostIsNeverFollowed),
      cmocka_unit_test(APeerOfThisHostIsNamed),
      cmocka_unit_test(WhatItsRestrictEntryRefusesIsSaidOnce),
      cmocka_unit_test(APeerWhosePacketsAreIgnoredIsToldWhenItIsSentTo),
      cmocka_unit_test(APeerIsSentToFromAnAddressThatIsListenedOn),
      cmocka_unit_test(OneServerHasOneVote),
      cmocka_unit_test(ANamesNextAddressGetsItsChance),
      cmocka_unit_test(AnAnswerIsTakenOnlyWhenAsked),
      cmocka_unit_test(AddressesThatNoServerHasAreSkipped),
      cmocka_unit_test(AddressesOfThisHostAreSkipped),
      cmocka_unit_test(APoolReplacesMembersThatDoNotAnswer),
      cmocka_unit_test(APoolIsFilledUpToMaxclock),
      cmocka_unit_test(AReloadAsksForRestrictNamesAgain),
      cmocka_unit_test(NonsenseOfTheResolverIsAccusedOnce),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
