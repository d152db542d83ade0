// Who is found by asking a group: real sockets on loopback, the test as group, servers and
// ntpd-keys.
#include "ntpd/net/manycast_client.h"

#include "ntpd/wire/refid.h"
#include "tests/net/harness.h"
#include "tests/support/authority.h"

namespace ntpward::net {
namespace {

using test::CountOf;
using test::Encoded;
using test::Harness;
using test::Next;
using test::ReplyTo;
using test::SomeMac;
using test::Stranger;

// The kernel brings nothing that was sent to a group by loopback: an address of one host stands for
// the group.
const IpAddress kGroup = IpAddress::V4(127, 0, 0, 2);
const IpAddress kServer = IpAddress::V4(127, 0, 0, 3);

msg::NetAssociation Line(uint32_t key = 0) {
  msg::NetAssociation line;
  line.kind = msg::NetAssociationKind::kManycastClient;
  line.address = kGroup;
  line.key = KeyId{key};
  return line;
}

struct Net {
  explicit Net(uint32_t key = 0) {
    h.node.start.authentication = key != 0;
    CHECK(h.node.start.ttls.Assign(std::array<uint8_t, 2>{31, 63}));
    h.upstreams.Configure({Line(key)});
  }
  Stranger group{kGroup};
  uint16_t port = group.address().port;
  Stranger server{kServer, port};
  Harness h{port};
  int changes = 0;
  ManycastClient client{&h.node, &h.upstreams, [this] { ++changes; }, port};

  std::optional<Stranger::Got> Question() {
    client.Maintain();
    return group.Receive();
  }
  // The server answers.
  void Answer(const Stranger::Got& question) {
    server.Send(Encoded(ReplyTo(question.header())), question.from);
    h.Spin();
  }
  AssocId prototype() const { return h.upstreams.prototypes().begin()->first; }
  size_t followed() const { return h.upstreams.all().size(); }
};

void FollowsWhoAnswersTheGroup(void**) {
  Net net;
  const auto question = net.Question();
  assert_true(question && question->bytes.size() == 48);
  assert_true(question->header().mode == wire::Mode::kClient);
  assert_false(question->header().transmit.is_zero());
  net.Answer(*question);
  assert_int_equal(net.followed(), 1);
  assert_int_equal(net.changes, 1);
  const auto& [id, upstream] = *net.h.upstreams.all().begin();
  assert_true(upstream->remote.ip == kServer);
  assert_true(upstream->pooled);
  const auto snapshot = net.h.node.engine->Snapshot(id, Timebase::Mono());
  assert_false(snapshot->status.configured);
  assert_int_equal(snapshot->counters.received, 0);  // its time was not taken
  // The same again is nothing new.
  net.Answer(*question);
  assert_int_equal(net.followed(), 1);
}

// Under `restrict limited` a second question at once would get RATE.
void WhoHasJustAnsweredIsGivenTime(void**) {
  Net net;
  const auto question = net.Question();
  const MonoTime before = Timebase::Mono();
  net.Answer(*question);
  const AssocId id = net.h.upstreams.all().begin()->first;
  assert_true(net.h.node.engine->Find(id)->next_poll() - before >=
              core::PollSchedule::kBurstSpacing);
}

// Whoever answers under many addresses of his own leaves places for others.
void NeighboursHaveHalfOfThePlacesUntilTheyProveThemselves(void**) {
  Net net;
  autokey::test::Party client("client", autokey::test::TestKey::Shared(1), true);
  net.h.SetHost(client.material);
  msg::NetAssociation line = Line();
  line.autokey = true;
  net.h.node.start.maxclock = 10;
  net.h.upstreams.Configure({line});
  const auto answer = [&](uint8_t network, uint8_t last) {
    const IpAddress from = IpAddress::V4(127, 0, network, last);
    if (!net.h.upstreams.MakePlaceForManycast(0, from)) return false;
    net.h.upstreams.AddManycast(0, from);
    return true;
  };
  for (uint8_t last = 1; last < 30; ++last) assert_true(answer(5, last) == (last <= 5));
  for (uint8_t network = 6; network < 30; ++network)
    assert_true(answer(network, 1) == (network <= 10));
  assert_int_equal(net.followed(), 10);
}

void AsksOnceAPoll(void**) {
  Net net;
  assert_true(net.Question().has_value());
  assert_false(net.Question().has_value());
}

void ForgedAnswersMakeNothing(void**) {
  Net net;
  const auto question = net.Question();
  const wire::Header right = ReplyTo(question->header());
  std::vector<wire::Header> wrong(6, right);
  wrong[0].origin = NtpTimestamp::FromRaw(right.origin.raw() + 1);
  wrong[1].origin = NtpTimestamp();
  wrong[2].mode = wire::Mode::kSymmetricPassive;
  wrong[3].mode = wire::Mode::kBroadcast;
  wrong[4].leap = wire::Leap::kAlarm;
  wrong[5].stratum = 0;
  for (const wire::Header& header : wrong) net.server.Send(Encoded(header), question->from);
  Stranger other_port(IpAddress::V4(127, 0, 0, 4));
  other_port.Send(Encoded(right), question->from);
  const std::vector<uint8_t> nak(4);
  net.server.Send(Encoded(right, nak), question->from);
  net.h.Spin();
  assert_int_equal(net.followed(), 0);
}

void FloorAndCeilingHold(void**) {
  Net net;
  net.h.node.start.floor = 2;
  net.h.node.start.ceiling = 3;
  const auto question = net.Question();
  wire::Header header = ReplyTo(question->header());
  for (const uint8_t stratum : {uint8_t{1}, uint8_t{3}}) {
    header.stratum = stratum;
    net.server.Send(Encoded(header), question->from);
  }
  net.h.Spin();
  assert_int_equal(net.followed(), 0);
  header.stratum = 2;
  net.server.Send(Encoded(header), question->from);
  net.h.Spin();
  assert_int_equal(net.followed(), 1);
}

void WithoutAMacOnlyIfAuthIsDisabled(void**) {
  Net net;
  net.h.node.start.authentication = true;
  const auto question = net.Question();
  net.Answer(*question);
  assert_int_equal(net.followed(), 0);
}

void NoMoreThanMaxclock(void**) {
  Net net;
  net.h.node.start.maxclock = 1;
  const auto question = net.Question();
  Stranger second(IpAddress::V4(127, 0, 0, 4), net.port);
  for (Stranger* server : {&net.server, &second})
    server->Send(Encoded(ReplyTo(question->header())), question->from);
  net.h.Spin();
  assert_int_equal(net.followed(), 1);
}

// The question of a line with a key, sealed by the test.
std::optional<Stranger::Got> SealedQuestion(Net* net) {
  assert_false(net->Question().has_value());
  const auto request = Next<msg::SealRequest>(&net->h.keys.far);
  assert_true(request && request->key == KeyId{11});
  assert_int_equal(request->covered.span()[0] & 7, 3);
  msg::Sealed sealed;
  sealed.request = request->request;
  CHECK(sealed.mac.Assign(SomeMac(KeyId{11})));
  CHECK(net->h.keys.far.Send(sealed) == SendOutcome::kSent);
  (void)net->h.node.keys.OnReadable();
  return net->group.Receive();
}

void AnswerVerdict(Net* net, msg::VerdictCode code) {
  const auto check = Next<msg::CheckMac>(&net->h.keys.far);
  assert_true(check && check->key == KeyId{11});
  assert_true(check->path.source == kServer);
  msg::Verdict verdict;
  verdict.request = check->request;
  verdict.code = code;
  CHECK(net->h.keys.far.Send(verdict) == SendOutcome::kSent);
  (void)net->h.node.keys.OnReadable();
}

void AGoodMacOfTheLinesKeyIsFollowed(void**) {
  Net net(11);
  const auto question = SealedQuestion(&net);
  assert_true(question && question->bytes.size() == 68);
  const wire::Header header = ReplyTo(question->header());
  net.server.Send(Encoded(header, SomeMac(KeyId{11})), question->from);
  net.h.Spin();
  assert_int_equal(net.followed(), 0);
  AnswerVerdict(&net, msg::VerdictCode::kBad);
  assert_int_equal(net.followed(), 0);
  net.server.Send(Encoded(header, SomeMac(KeyId{11})), question->from);
  net.h.Spin();
  AnswerVerdict(&net, msg::VerdictCode::kGood);
  assert_int_equal(net.followed(), 1);
}

void AnotherKeysMacIsNotLookedAt(void**) {
  Net net(11);
  const auto question = SealedQuestion(&net);
  net.server.Send(Encoded(ReplyTo(question->header()), SomeMac(KeyId{12})), question->from);
  net.Answer(*question);
  assert_int_equal(CountOf<msg::CheckMac>(&net.h.keys.far), 0);
  assert_int_equal(net.followed(), 0);
}

void NoPeerForbidsWhoHasNoMac(void**) {
  Net net;
  net.h.Restrict(core::AccessFlags(static_cast<uint16_t>(core::Access::kNoPeer)));
  const auto question = net.Question();
  net.Answer(*question);
  assert_int_equal(net.followed(), 0);
}

void ALineThatGoesEndsItsSearch(void**) {
  Net net;
  const auto question = net.Question();
  net.Answer(*question);
  assert_int_equal(net.followed(), 1);
  net.h.upstreams.Configure({});
  net.client.Maintain();
  assert_int_equal(net.followed(), 0);
  net.Answer(*question);
  assert_int_equal(net.followed(), 0);
}

void TheSearchIsShownAsItsGroup(void**) {
  Net net;
  const auto view = net.h.view.Peer(net.prototype());
  assert_true(view.has_value());
  assert_true(view->remote.ip == kGroup);
  assert_true(view->remote_name.empty());
  assert_int_equal(view->refid, wire::RefidCode("ACST"));
  assert_int_equal(view->ttl, 0);
  assert_true(net.Question().has_value());
  assert_int_equal(net.h.view.Peer(net.prototype())->ttl, 31);
  assert_true(view->status.broadcast && view->status.configured);
  assert_true(view->host_mode == wire::Mode::kClient);
  assert_false(view->status.auth_enabled);
  Net keyed(11);
  assert_true(keyed.h.view.Peer(keyed.prototype())->status.auth_enabled);
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(FollowsWhoAnswersTheGroup),
      cmocka_unit_test(WhoHasJustAnsweredIsGivenTime),
      cmocka_unit_test(NeighboursHaveHalfOfThePlacesUntilTheyProveThemselves),
      cmocka_unit_test(AsksOnceAPoll),
      cmocka_unit_test(ForgedAnswersMakeNothing),
      cmocka_unit_test(FloorAndCeilingHold),
      cmocka_unit_test(WithoutAMacOnlyIfAuthIsDisabled),
      cmocka_unit_test(NoMoreThanMaxclock),
      cmocka_unit_test(AGoodMacOfTheLinesKeyIsFollowed),
      cmocka_unit_test(AnotherKeysMacIsNotLookedAt),
      cmocka_unit_test(NoPeerForbidsWhoHasNoMac),
      cmocka_unit_test(ALineThatGoesEndsItsSearch),
      cmocka_unit_test(TheSearchIsShownAsItsGroup),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
