// What the broadcasts of reference daemons under Autokey bring about: somebody to ask, and no more.
#include <sstream>

#include "ntpd/net/peering.h"
#include "tests/net/harness.h"
#include "tests/support/authority.h"
#include "tests/support/vectors.h"

namespace ntpward::net {
namespace {

using namespace ntpward::test;
using autokey::test::Party;

const IpAddress kOurs = IpAddress::V4(10, 77, 0, 2);

struct Captured {
  std::string name;
  std::string what;  // ASSOC or AUTO
  IpAddress source;
  IpAddress destination;
  std::vector<uint8_t> packet;
};

std::vector<Captured> Broadcasts() {
  std::istringstream lines{std::string(AsText(ReadFile("tests/net/data/broadcasts.txt")))};
  std::vector<Captured> all;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    Captured captured;
    std::string source, destination, hex;
    words >> captured.name >> captured.what >> source >> destination >> hex;
    CHECK(!!words);
    captured.source = *IpAddress::Parse(source);
    captured.destination = *IpAddress::Parse(destination);
    captured.packet = FromHex(hex);
    all.push_back(captured);
  }
  CHECK(all.size() == 6);
  return all;
}

struct Net {
  Net() {
    client.AddGroup("server");
    h.SetHost(client.material);
    h.node.start.broadcast_client = true;
    CHECK(h.node.start.multicast_groups.Push(IpAddress::V4(224, 0, 1, 1)));
    h.upstreams.Configure({});
  }
  void Hear(const Captured& captured) {
    const auto packet = wire::ParsePacket(captured.packet);
    CHECK(packet.ok());
    Datagram datagram;
    datagram.bytes = captured.packet;
    datagram.source = {captured.source, 123};
    datagram.destination = captured.destination;
    datagram.local = kOurs;
    (void)peering.Take(datagram, {}, *packet, packet->header.transmit);
  }
  size_t asked() const { return h.upstreams.all().size(); }

  Harness h;
  Party client{"client", autokey::test::TestKey::Shared(1), false};
  Peering peering{&h.node, &h.upstreams, [] {}};
};

void ASenderIsAskedWhoItIs(void**) {
  for (const Captured& captured : Broadcasts()) {
    Net net;
    net.Hear(captured);
    // The list's announcement does not say whose it is.
    assert_int_equal(net.asked(), captured.what == "ASSOC" ? 1 : 0);
    if (net.asked() == 0) continue;
    const AssocId id = net.h.upstreams.all().begin()->first;
    const auto snapshot = net.h.node.engine->Snapshot(id, Timebase::Mono());
    assert_true(snapshot->hmode == wire::Mode::kClient);
    assert_int_equal(snapshot->reach, 0);
    // Once is enough.
    net.Hear(captured);
    assert_int_equal(net.asked(), 1);
  }
}

void WhoDoesNotListenAsksNobody(void**) {
  for (const Captured& captured : Broadcasts()) {
    Net net;
    net.h.node.start.broadcast_client = false;
    net.h.node.start.multicast_groups = {};
    net.Hear(captured);
    assert_int_equal(net.asked(), 0);
  }
}

// The MAC can be made by anyone, and yet says that nothing was changed on the way.
void AChangedOneIsNotHeard(void**) {
  for (const Captured& captured : Broadcasts()) {
    if (captured.what != "ASSOC") continue;
    for (size_t at = 1; at < captured.packet.size(); at += 7) {
      Captured changed = captured;
      changed.packet[at] ^= 1;
      if (!wire::ParsePacket(changed.packet).ok()) continue;
      Net net;
      net.Hear(changed);
      assert_int_equal(net.asked(), 0);
    }
    Captured elsewhere = captured;
    elsewhere.destination = IpAddress::V4(255, 255, 255, 255);
    Net net;
    net.Hear(elsewhere);
    assert_int_equal(net.asked(), 0);
  }
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ASenderIsAskedWhoItIs),
      cmocka_unit_test(WhoDoesNotListenAsksNobody),
      cmocka_unit_test(AChangedOneIsNotHeard),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
