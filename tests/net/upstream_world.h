// Two servers of the test's on loopback, and the upstreams that ask them.
#pragma once

#include "ntpd/net/upstreams.h"
#include "tests/net/harness.h"

namespace ntpward::test {

inline const IpAddress kFirst = IpAddress::V4(127, 0, 0, 2);
inline const IpAddress kSecond = IpAddress::V4(127, 0, 0, 3);
inline const IpAddress kThird = IpAddress::V4(127, 0, 0, 4);

// A server, and its port for all of the others.
struct Net {
  Stranger first{kFirst};
  uint16_t port = first.address().port;
  Stranger second{kSecond, port};
  Harness h{port};

  AssocId Only() const { return h.Only(); }
  const net::Upstream& upstream() const { return *h.upstreams.Find(Only()); }
  core::PeerSnapshot Snapshot() const { return Lasting(h.Snapshot()); }
  // Polls and returns what arrived at the server, if it did.
  std::optional<Stranger::Got> Poll(Stranger* server) {
    h.upstreams.Poll(Only());
    return server->Receive();
  }
  bool HasSample() const { return h.node.engine->Find(Only())->filter().has_sample(); }
};

inline msg::NetAssociation Line(const IpAddress& address) {
  msg::NetAssociation line;
  line.address = address;
  return line;
}

}  // namespace ntpward::test
