#include "keys/group.h"

#include <algorithm>

#include "keys/gq.h"
#include "keys/iff.h"
#include "keys/mv.h"

namespace ntpward::keys {
namespace {

template <typename... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <typename... F>
Overloaded(F...) -> Overloaded<F...>;

}  // namespace

msg::IdentityScheme Group::scheme() const {
  return std::visit(Overloaded{[](const IffKey&) { return msg::IdentityScheme::kIff; },
                               [](const GqKey&) { return msg::IdentityScheme::kGq; },
                               [](const MvClientKey&) { return msg::IdentityScheme::kMv; }},
                    parameters);
}

NtpSeconds Group::filestamp() const {
  return std::visit([](const auto& key) { return key.filestamp; }, parameters);
}

bool Group::CanVerify() const {
  return std::visit(Overloaded{[](const IffKey& key) { return key.has_public(); },
                               [](const GqKey&) { return true; },
                               [](const MvClientKey& key) { return key.has_public(); }},
                    parameters);
}

std::vector<uint8_t> Group::DrawChallenge() const {
  return std::visit(Overloaded{[](const IffKey& key) { return DrawIffChallenge(key); },
                               [](const GqKey& key) { return DrawGqChallenge(key); },
                               [](const MvClientKey& key) { return DrawMvChallenge(key); }},
                    parameters);
}

bool Group::Accepts(NtpSeconds server_filestamp) const {
  const uint32_t ahead = server_filestamp.value - filestamp().value;
  if (scheme() != msg::IdentityScheme::kGq) return ahead == 0;
  return static_cast<int32_t>(ahead) >= 0;
}

bool Group::Verify(Bytes public_value, Bytes challenge, Bytes response) const {
  return std::visit(
      Overloaded{[&](const IffKey& key) { return VerifyIff(key, challenge, response); },
                 [&](const GqKey& key) { return VerifyGq(key, public_value, challenge, response); },
                 [&](const MvClientKey& key) { return VerifyMv(key, challenge, response); }},
      parameters);
}

double ProofCost(msg::IdentityScheme scheme, size_t challenge_octets) {
  // A power with a full exponent costs four times RSA's signature, which works with the halves.
  constexpr double kPowers = 3 * 4;
  if (scheme == msg::IdentityScheme::kIff) return 1;  // short exponents
  const double size = static_cast<double>(challenge_octets) / 256;
  return std::max(1.0, kPowers * size * size * size);
}

}  // namespace ntpward::keys
