// This host's own addresses as the supervisor tells them: whoever has one, or follows one, is not
// followed.
#include "tests/net/upstream_world.h"

namespace ntpward::net {
namespace {

using namespace ntpward::test;

const IpAddress kElsewhere = IpAddress::V4(192, 0, 2, 7);
const IpAddress kAsking = IpAddress::V4(127, 0, 0, 1);  // by which all of the others are asked
const IpAddress kBridge = IpAddress::V4(172, 17, 0, 1);

bool IsLoop(Net& net) {
  (void)net.h.node.engine->Tick(Timebase::Mono(), net.h.node.time.Now());
  return (net.h.Snapshot().flash & wire::kFlashPeerLoop) != 0;
}

void EveryAddressOfAnInterfaceIsThisHost(void**) {
  Net net;
  const IpAddress link = *IpAddress::Parse("fe80::1%2");
  assert_false(net.h.upstreams.IsThisHost(kElsewhere));
  net.h.upstreams.SetOwnAddresses({{1, kSecond}, {1, kElsewhere}, {2, link}});
  for (const IpAddress& own : {kSecond, kElsewhere, link})
    assert_true(net.h.upstreams.IsThisHost(own));
  assert_false(net.h.upstreams.IsThisHost(kThird));
  // The same on another link may be another host.
  assert_false(net.h.upstreams.IsThisHost(*IpAddress::Parse("fe80::1%3")));
}

void ItIsNotFollowedUntilTheAddressIsAnothers(void**) {
  Net net;
  net.h.upstreams.Configure({Line(kFirst)});
  (void)net.Poll(&net.first);
  assert_false(IsLoop(net));
  // A cluster's address came to us, and went.
  net.h.upstreams.SetOwnAddresses({{1, kElsewhere}, {1, kFirst}});
  (void)net.Poll(&net.first);
  assert_true(IsLoop(net));
  net.h.upstreams.SetOwnAddresses({{1, kElsewhere}});
  (void)net.Poll(&net.first);
  assert_false(IsLoop(net));
}

bool IsLoopWithReference(const IpAddress& reference) {
  Net net;
  net.h.upstreams.Configure({Line(kFirst)});
  net.h.upstreams.SetOwnAddresses({{1, kAsking},
                                   {1, kSecond},
                                   {1, kElsewhere},
                                   {1, *IpAddress::Parse("fe80::1%2")},
                                   {2, kBridge}});
  const auto request = net.Poll(&net.first);
  wire::Header reply = ReplyTo(request->header());
  reply.stratum = 3;
  reply.refid = RefidOf(reference);
  net.first.Send(Encoded(reply), request->from);
  net.h.Spin();
  assert_true(net.HasSample());
  return IsLoop(net);
}

void WhoFollowsUsByWhicheverAddressIsNotFollowed(void**) {
  assert_true(IsLoopWithReference(kElsewhere));
  assert_true(IsLoopWithReference(kSecond));
  assert_false(IsLoopWithReference(kThird));
  // These are no names of ours: other hosts have the same on their links, and on their bridges.
  assert_false(IsLoopWithReference(kBridge));
  assert_false(IsLoopWithReference(*IpAddress::Parse("fe80::1")));
}

void AddressesMayBeKnownBeforeThereIsAnEngine(void**) {
  Net net;
  net.h.node.engine.reset();
  net.h.upstreams.SetOwnAddresses({{1, kFirst}});
  net.h.node.engine = std::make_unique<core::Engine>(core::EngineConfig{}, Timebase::Mono());
  net.h.upstreams.Configure({Line(kFirst)});
  (void)net.Poll(&net.first);
  assert_true(IsLoop(net));
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EveryAddressOfAnInterfaceIsThisHost),
      cmocka_unit_test(ItIsNotFollowedUntilTheAddressIsAnothers),
      cmocka_unit_test(WhoFollowsUsByWhicheverAddressIsNotFollowed),
      cmocka_unit_test(AddressesMayBeKnownBeforeThereIsAnEngine),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
