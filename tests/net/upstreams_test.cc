// What an answer must be to count, and which servers are followed: real sockets on loopback, the
// test as servers, forgers, ntpd-keys and ntpd-resolve.
#include "ntpd/net/upstreams.h"

#include "ntpd/wire/refid.h"
#include "tests/net/harness.h"

namespace ntpward::net {
namespace {

using test::CountOf;
using test::Encoded;
using test::Harness;
using test::Next;
using test::Stranger;

const IpAddress kFirst = IpAddress::V4(127, 0, 0, 2);
const IpAddress kSecond = IpAddress::V4(127, 0, 0, 3);
const IpAddress kThird = IpAddress::V4(127, 0, 0, 4);

// A server, and its port for all of the others.
struct Net {
  Stranger first{kFirst};
  uint16_t port = first.address().port;
  Stranger second{kSecond, port};
  Harness h{port};

  AssocId Only() const {
    CHECK(h.upstreams.all().size() == 1);
    return h.upstreams.all().begin()->first;
  }
  const Upstream& upstream() const { return *h.upstreams.Find(Only()); }
  core::PeerSnapshot Snapshot() const {
    auto snapshot = *h.node.engine->Snapshot(Only(), Timebase::Mono());
    // What passes with time alone, and what counts refusals.
    snapshot.until_poll = snapshot.headway = snapshot.root_distance = 0;
    snapshot.since_received.reset();
    snapshot.since_reachable.reset();
    snapshot.counters = {};
    snapshot.flash = 0;
    return snapshot;
  }
  // Polls and returns what arrived at the server, if it did.
  std::optional<Stranger::Got> Poll(Stranger* server) {
    h.upstreams.Poll(Only());
    return server->Receive();
  }
  core::AssociationCounters Counters() const { return h.node.engine->Find(Only())->counters(); }
  bool HasSample() const { return h.node.engine->Find(Only())->filter().has_sample(); }
};

msg::NetAssociation Line(const IpAddress& address) {
  msg::NetAssociation line;
  line.address = address;
  return line;
}

msg::NetAssociation KeyedLine(const IpAddress& address) {
  msg::NetAssociation line = Line(address);
  line.key = KeyId{11};
  return line;
}

msg::NetAssociation NamedLine(uint16_t name, msg::NetAssociationKind kind) {
  msg::NetAssociation line;
  line.kind = kind;
  line.name = name;
  CHECK(line.label.Assign(AsBytes("time.example")));
  return line;
}

wire::Header ReplyTo(const wire::Header& request) {
  const NtpTimestamp now = SystemTimeNow();
  wire::Header reply;
  reply.leap = wire::Leap::kNone;
  reply.mode = wire::Mode::kServer;
  reply.stratum = 2;
  reply.poll = 6;
  reply.precision = -20;
  reply.refid = 0x0a000001;
  reply.reference = now;
  reply.origin = request.transmit;
  reply.receive = reply.transmit = now;
  return reply;
}

std::vector<uint8_t> Mac(uint32_t key) {
  std::vector<uint8_t> trailer(20, 0xab);
  Writer writer(trailer);
  writer.U32(key);
  return trailer;
}

void AcceptsAGenuineReply(void**) {
  Net net;
  net.h.upstreams.Configure({Line(kFirst)});
  const auto request = net.Poll(&net.first);
  assert_true(request && request->bytes.size() == 48);
  assert_true(request->header().mode == wire::Mode::kClient);
  assert_false(request->header().transmit.is_zero());
  net.first.Send(Encoded(ReplyTo(request->header())), request->from);
  net.h.Spin();
  assert_true(net.HasSample());
  assert_int_equal(net.h.updates, 1);
}

void EachExchangeHasItsOwnNonceAndPort(void**) {
  Net net;
  net.h.upstreams.Configure({Line(kFirst)});
  const auto one = net.Poll(&net.first);
  const auto two = net.Poll(&net.first);
  assert_true(one->header().transmit != two->header().transmit);
  // What comes for the exchange before is nobody's.
  net.first.Send(Encoded(ReplyTo(one->header())), one->from);
  net.h.Spin();
  assert_false(net.HasSample());
}

void ForgedRepliesChangeNothing(void**) {
  Net net;
  net.h.upstreams.Configure({Line(kFirst)});
  const auto request = net.Poll(&net.first);
  const core::PeerSnapshot before = net.Snapshot();
  const wire::Header genuine = ReplyTo(request->header());

  wire::Header forged = genuine;
  forged.leap = wire::Leap::kAddSecond;
  forged.origin = NtpTimestamp::FromRaw(1);
  net.first.Send(Encoded(forged), request->from);
  forged.origin = NtpTimestamp();  // CVE-2015-8138
  net.first.Send(Encoded(forged), request->from);
  forged = genuine;
  forged.mode = wire::Mode::kBroadcast;
  net.first.Send(Encoded(forged), request->from);
  forged.mode = wire::Mode::kSymmetricPassive;
  net.first.Send(Encoded(forged), request->from);
  // A kiss of death, and a crypto-NAK, that do not know the nonce (CVE-2015-7704, CVE-2016-1547).
  forged = genuine;
  forged.origin = NtpTimestamp::FromRaw(2);
  forged.stratum = 0;
  forged.leap = wire::Leap::kAlarm;
  forged.refid = wire::RefidCode("DENY");
  net.first.Send(Encoded(forged), request->from);
  const uint8_t nak[4] = {};
  net.first.Send(Encoded(forged, nak), request->from);
  // Knows the nonce, but sends from another address, or another port.
  net.second.Send(Encoded(genuine), request->from);
  Stranger other_port(kFirst);
  other_port.Send(Encoded(genuine), request->from);
  // Pieces and giants.
  for (size_t size = 0; size < 48; ++size) {
    auto part = Encoded(genuine);
    part.resize(size);
    net.first.Send(part, request->from);
  }
  net.first.Send(std::vector<uint8_t>(3000, 0x24), request->from);
  net.h.Spin();
  assert_true(net.Snapshot() == before);
  assert_int_equal(net.h.updates, 0);

  net.first.Send(Encoded(genuine), request->from);
  net.h.Spin();
  assert_true(net.HasSample());
}

// An upstream that answers a thousand times is listened to once.
void OneReplyAnExchange(void**) {
  Net net;
  net.h.upstreams.Configure({Line(kFirst)});
  const auto request = net.Poll(&net.first);
  const auto reply = Encoded(ReplyTo(request->header()));
  for (int i = 0; i < 1000; ++i) {
    net.first.Send(reply, request->from);
    if (i % 100 == 0) net.h.Spin();
  }
  net.h.Spin();
  assert_int_equal(net.h.updates, 1);
}

void UnknownExtensionFieldsAreSkipped(void**) {
  Net net;
  net.h.upstreams.Configure({Line(kFirst)});
  const auto request = net.Poll(&net.first);
  std::vector<uint8_t> field(28, 0);
  field[0] = 0x23, field[1] = 0x23, field[3] = 28;
  net.first.Send(Encoded(ReplyTo(request->header()), field), request->from);
  net.h.Spin();
  assert_true(net.HasSample());
}

// --- with a key
// -----------------------------------------------------------------------------------

struct Keyed : Net {
  Keyed() { h.upstreams.Configure({KeyedLine(kFirst)}); }
  // Polls; what ntpd-keys is asked to seal.
  msg::SealRequest PollKeyed() {
    h.upstreams.Poll(Only());
    const auto seal = Next<msg::SealRequest>(&h.keys.far);
    CHECK(seal.has_value());
    return *seal;
  }
  std::optional<Stranger::Got> Seal(const msg::SealRequest& asked) {
    msg::Sealed sealed;
    sealed.request = asked.request;
    CHECK(sealed.mac.Assign(Mac(asked.key.value)));
    CHECK(h.keys.far.Send(sealed) == SendOutcome::kSent);
    CHECK(h.node.keys.OnReadable());
    return first.Receive();
  }
  void Say(uint32_t request, msg::VerdictCode code) {
    CHECK(h.keys.far.Send(msg::Verdict{.request = request, .code = code}) == SendOutcome::kSent);
    CHECK(h.node.keys.OnReadable());
  }
};

void TakesTimeOnlyFromAGoodMac(void**) {
  Keyed net;
  const msg::SealRequest seal = net.PollKeyed();
  assert_true(seal.key == KeyId{11} && seal.path.destination == kFirst);
  assert_false(net.first.Receive().has_value());
  const auto request = net.Seal(seal);
  assert_true(request && request->bytes.size() == 68);
  const core::PeerSnapshot before = net.Snapshot();
  const wire::Header reply = ReplyTo(request->header());
  const uint8_t nothing[4] = {0, 0, 0, 9};
  net.first.Send(Encoded(reply), request->from);           // CVE-2015-1798
  net.first.Send(Encoded(reply, Mac(12)), request->from);  // another key (CVE-2015-7974)
  net.first.Send(Encoded(reply, nothing), request->from);
  net.h.Spin();
  assert_false(Next<msg::CheckMac>(&net.h.keys.far).has_value());
  assert_true(net.Snapshot() == before);

  net.first.Send(Encoded(reply, Mac(11)), request->from);
  net.h.Spin();
  auto check = Next<msg::CheckMac>(&net.h.keys.far);
  assert_true(check && check->key == KeyId{11} && check->path.source == kFirst);
  net.Say(check->request, msg::VerdictCode::kBad);  // CVE-2015-1799
  assert_true(net.Snapshot() == before);

  net.first.Send(Encoded(reply, Mac(11)), request->from);
  net.h.Spin();
  check = Next<msg::CheckMac>(&net.h.keys.far);
  net.Say(check->request, msg::VerdictCode::kGood);
  assert_true(net.HasSample());
}

void RepliesAreCountedAsWellAsRequests(void**) {
  Keyed net;
  const auto request = net.Seal(net.PollKeyed());
  wire::Header reply = ReplyTo(request->header());
  const std::vector<uint8_t> shred(20);
  net.first.Send(shred, request->from);
  wire::Header other = reply;
  other.origin = NtpTimestamp::FromRaw(1);
  net.first.Send(Encoded(other, Mac(11)), request->from);
  net.first.Send(Encoded(reply), request->from);
  reply.version = 3;
  net.first.Send(Encoded(reply, Mac(11)), request->from);
  net.h.Spin();
  const auto check = Next<msg::CheckMac>(&net.h.keys.far);
  net.Say(check->request, msg::VerdictCode::kGood);
  const control::PacketCounters& packets = net.h.node.packets;
  assert_int_equal(packets.received, 4);
  assert_int_equal(packets.bad_format, 1);
  assert_int_equal(packets.declined, 1);
  assert_int_equal(packets.bad_auth, 1);
  assert_int_equal(packets.this_version, 2);
  assert_int_equal(packets.old_version, 1);
  assert_int_equal(packets.processed, 1);
}

void MacsOfOneExchangeAreBounded(void**) {
  Keyed net;
  const auto request = net.Seal(net.PollKeyed());
  for (int i = 0; i < 300; ++i) {
    net.first.Send(Encoded(ReplyTo(request->header()), Mac(11)), request->from);
    if (i % 50 == 0) net.h.Spin();
  }
  net.h.Spin();
  const int checks = CountOf<msg::CheckMac>(&net.h.keys.far);
  assert_true(checks > 1 && checks <= 16);
}

void ALateSealIsNotSent(void**) {
  Keyed net;
  const msg::SealRequest early = net.PollKeyed();
  const msg::SealRequest now = net.PollKeyed();
  assert_false(net.Seal(early).has_value());
  const auto request = net.Seal(now);
  assert_true(request.has_value());
  assert_memory_equal(request->bytes.data(), now.covered.span().data(), 48);
}

void ALateVerdictIsOfAnEarlierExchange(void**) {
  Keyed net;
  const auto request = net.Seal(net.PollKeyed());
  net.first.Send(Encoded(ReplyTo(request->header()), Mac(11)), request->from);
  net.h.Spin();
  const auto check = Next<msg::CheckMac>(&net.h.keys.far);
  (void)net.PollKeyed();
  net.Say(check->request, msg::VerdictCode::kGood);
  assert_false(net.HasSample());
}

void AnAssociationMayGoWhileKeysIsAtIt(void**) {
  Keyed net;
  const auto request = net.Seal(net.PollKeyed());
  net.first.Send(Encoded(ReplyTo(request->header()), Mac(11)), request->from);
  net.h.Spin();
  const auto check = Next<msg::CheckMac>(&net.h.keys.far);
  const msg::SealRequest seal = net.PollKeyed();
  net.h.upstreams.Configure({});
  assert_true(net.h.upstreams.all().empty());
  net.Say(check->request, msg::VerdictCode::kGood);
  assert_false(net.Seal(seal).has_value());
}

void ADeadKeyProcessCostsPollsAndNothingElse(void**) {
  Keyed net;
  for (int i = 0; i < 3; ++i) (void)net.PollKeyed();
  net.h.node.keys.OnRestarted();
  net.h.upstreams.OnKeysRestarted();
  assert_int_equal(net.h.node.keys.pending(), 0);
  const auto request = net.Seal(net.PollKeyed());
  assert_true(request.has_value());
}

// --- which servers
// --------------------------------------------------------------------------------

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

void OneServerHasOneVote(void**) {
  Net net;
  net.h.upstreams.Configure({Line(kFirst), Line(kFirst)});
  assert_int_equal(net.h.upstreams.all().size(), 1);
}

struct Named : Net {
  explicit Named(msg::NetAssociationKind kind) {
    h.upstreams.Configure({NamedLine(3, kind)});
    h.upstreams.Maintain();
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
  // As time passes; the intervals between questions are left out.
  void Maintain() {
    h.upstreams.Maintain();
    h.upstreams.OnResolveRestarted();
    h.upstreams.Maintain();
  }
};

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
    net.h.upstreams.ResolveFor(8, [&](const IpAddress&) { ++entries; });
    net.h.upstreams.Configure({});
    net.h.upstreams.Maintain();
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
  net.Maintain();
  assert_true(net.Resolve({kFirst}));
}

void LinesThatStrangersCauseAreBounded(void**) {
  Harness h;
  for (int i = 0; i < 5000; ++i) {
    h.node.reporter.CryptoStatistics("10.0.0.1", "error 1");
    h.node.reporter.Log(LogLevel::kInfo, "somebody said something");
    while (i % 50 == 0 && h.supervisor.far.Receive()) {
    }
  }
  LineBudget budget(10, 20);
  const MonoTime start = Timebase::Mono();
  int taken = 0;
  for (int i = 0; i < 1000; ++i) taken += budget.Take(start);
  assert_int_equal(taken, 20);
  assert_int_equal(budget.TakeLost(), 980);
  for (int i = 0; i < 1000; ++i) taken += budget.Take(start + 1);
  assert_int_equal(taken, 30);
  // Room is left for what must be said.
  while (h.supervisor.far.Receive()) {
  }
  h.node.link.Accuse(msg::Role::kClock, {});
  assert_int_equal(h.Accusations(), 1);
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AcceptsAGenuineReply),
      cmocka_unit_test(EachExchangeHasItsOwnNonceAndPort),
      cmocka_unit_test(ForgedRepliesChangeNothing),
      cmocka_unit_test(OneReplyAnExchange),
      cmocka_unit_test(UnknownExtensionFieldsAreSkipped),
      cmocka_unit_test(TakesTimeOnlyFromAGoodMac),
      cmocka_unit_test(RepliesAreCountedAsWellAsRequests),
      cmocka_unit_test(MacsOfOneExchangeAreBounded),
      cmocka_unit_test(ALateSealIsNotSent),
      cmocka_unit_test(ALateVerdictIsOfAnEarlierExchange),
      cmocka_unit_test(AnAssociationMayGoWhileKeysIsAtIt),
      cmocka_unit_test(ADeadKeyProcessCostsPollsAndNothingElse),
      cmocka_unit_test(AReloadKeepsWhatDidNotChange),
      cmocka_unit_test(OneServerHasOneVote),
      cmocka_unit_test(ANamesNextAddressGetsItsChance),
      cmocka_unit_test(AnAnswerIsTakenOnlyWhenAsked),
      cmocka_unit_test(AddressesThatNoServerHasAreSkipped),
      cmocka_unit_test(APoolReplacesMembersThatDoNotAnswer),
      cmocka_unit_test(APoolIsFilledUpToMaxclock),
      cmocka_unit_test(AReloadAsksForRestrictNamesAgain),
      cmocka_unit_test(NonsenseOfTheResolverIsAccusedOnce),
      cmocka_unit_test(LinesThatStrangersCauseAreBounded),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
