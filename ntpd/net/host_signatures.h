// The signatures over our own Autokey values: what clients check our public key, our certificate
// and our leap table by.
#pragma once

#include "ntpd/net/leap_seconds.h"
#include "ntpd/net/node.h"

namespace ntpward::net {

class HostSignatures {
 public:
  // Both must outlive this object.
  HostSignatures(Node* node, LeapSeconds* leap_seconds)
      : node_(node), leap_seconds_(leap_seconds) {}

  // To be called after anything that may have changed what is signed: time, key material,
  // certificates, the leap table. Asks ntpd-keys when an update is due (RFC 5906 section 10); the
  // answer comes later, to node->host.
  void Update();

 private:
  Node* node_;
  LeapSeconds* leap_seconds_;
};

}  // namespace ntpward::net
