#include "ntpd/net/host_signatures.h"

namespace ntpward::net {

void HostSignatures::Update() {
  if (!node_->has_material) return;
  if (node_->synchronised()) node_->certificates.OnTime(autokey::Unfold(node_->time.Seconds()));
  node_->host.OnCertificates(node_->certificates.revision());
  // Clients that come within the first second see a server that has its time, and never ask one
  // for a table that it has not got.
  leap_seconds_->Offer(node_->time.Now());
  auto update =
      node_->host.DueUpdate(Timebase::Mono(), node_->time.Seconds(), node_->synchronised());
  if (!update) return;
  node_->keys.Update(*update, [node = node_](const msg::SignedValues& values) {
    node->host.OnSignedValues(values);
    node->reporter.CryptoStatistics(
        "0.0.0.0", "signature update ts " + std::to_string(values.timestamp.value));
  });
}

}  // namespace ntpward::net
