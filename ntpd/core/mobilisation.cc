#include "ntpd/core/mobilisation.h"

namespace ntpward::core {

Mobilisation MayMobilise(const MobilisationRequest& request) {
  const bool needs_proof = request.auth_required || request.flags.has(Access::kNoTrust);
  if (needs_proof && !request.authenticated) return Mobilisation::kUnauthenticated;
  if (request.flags.has(Access::kNoEpeer)) return Mobilisation::kNoEpeer;
  if (request.flags.has(Access::kNoPeer) && !request.authenticated) return Mobilisation::kNoPeer;
  if (request.ippeerlimit >= 0 && request.of_address >= static_cast<size_t>(request.ippeerlimit))
    return Mobilisation::kPeerLimit;
  if (request.of_all >= kMostEphemeral) return Mobilisation::kTooMany;
  return Mobilisation::kAllowed;
}

}  // namespace ntpward::core
