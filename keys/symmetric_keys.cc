#include "keys/symmetric_keys.h"

#include <algorithm>

namespace ntpward::keys {

bool KeyUses::Allows(KeyUse use) const {
  switch (use) {
    case KeyUse::kServe:
      return serve;
    case KeyUse::kUpstream:
      // A volley to the broadcast server measures the path.
      return upstream || listen;
    case KeyUse::kControl:
      return control;
    case KeyUse::kPeer:
      return peer;
    case KeyUse::kPassive:
      // A passive end tells the time to whoever asks, as a server does.
      return peer || serve;
    case KeyUse::kBroadcast:
      return broadcast;
    case KeyUse::kListen:
      return listen;
  }
  return false;
}

Result<SymmetricKeys> SymmetricKeys::Create(SymmetricFile file) {
  CHECK(file.errors.empty());
  SymmetricKeys out;
  for (const SymmetricKey& key : file.keys) {
    auto at = out.algorithms_.find(key.type);
    if (at == out.algorithms_.end())
      at = out.algorithms_.emplace(key.type, TRY(MacAlgorithm::Create(key.type))).first;
    out.keys_.emplace(key.id, Entry{key, &at->second, {}, {}});
  }
  out.file_ = std::move(file);
  return out;
}

KeyUses KeyUses::With(const KeyUses& more) const {
  return {.serve = serve || more.serve,
          .upstream = upstream || more.upstream,
          .control = control || more.control,
          .peer = peer || more.peer,
          .broadcast = broadcast || more.broadcast,
          .listen = listen || more.listen};
}

bool SymmetricKeys::Trust(KeyId id, const KeyUses& uses) {
  const auto at = keys_.find(id);
  if (at == keys_.end()) return false;
  at->second.configured = at->second.configured.With(uses);
  return true;
}

bool SymmetricKeys::Bind(KeyId id, const KeyUses& uses) {
  const auto at = keys_.find(id);
  if (at == keys_.end() || at->second.configured.control) return false;
  at->second.bound = at->second.bound.With(uses);
  return true;
}

void SymmetricKeys::SetRuntime(KeyId id, bool trusted) {
  const auto at = keys_.find(id);
  if (at != keys_.end()) at->second.runtime = trusted;
}

bool SymmetricKeys::IsControl(KeyId id) const {
  const auto at = keys_.find(id);
  return at != keys_.end() && at->second.configured.control;
}

std::vector<KeyId> SymmetricKeys::Revoked() const {
  std::vector<KeyId> revoked;
  for (const auto& [id, entry] : keys_)
    if (entry.configured.With(entry.bound).any() && entry.runtime == false) revoked.push_back(id);
  return revoked;
}

KeyUses SymmetricKeys::UsesOf(const Entry& entry) const {
  if (entry.runtime == false) return {};
  const KeyUses given = entry.configured.With(entry.bound);
  if (given.any() || !entry.runtime) return given;
  return {.serve = true, .listen = listens_};
}

std::vector<KeyId> SymmetricKeys::SharedByRoles() const {
  std::vector<KeyId> shared;
  for (const auto& [id, entry] : keys_)
    // Who shares a peer's or a broadcast's key is an equal, or hears only: no role of its own. And
    // a control key in trustedkey is what ntpd 4.2.8 asks for.
    if (const KeyUses given = entry.configured.With(entry.bound);
        (given.serve || given.broadcast) && given.upstream)
      shared.push_back(id);
  return shared;
}

MacCheck SymmetricKeys::Check(KeyId id, KeyUse use, Bytes covered, Bytes digest,
                              const IpAddress* source) {
  const auto at = keys_.find(id);
  if (at == keys_.end()) return MacCheck::kUnknown;
  const Entry& entry = at->second;
  const KeyUses uses = UsesOf(entry);
  if (!uses.any()) return MacCheck::kUnknown;
  if (!uses.Allows(use)) return MacCheck::kNotAllowed;
  const MacDigest expected = entry.algorithm->Compute(SecretOf(entry), covered);
  if (!EqualConstantTime(expected.span(), digest)) return MacCheck::kBad;
  const auto& list = entry.key.addresses;
  if (source == nullptr || list.empty()) return MacCheck::kGood;
  const bool listed = std::any_of(
      list.begin(), list.end(), [&](const KeyAddress& prefix) { return prefix.Contains(*source); });
  return listed ? MacCheck::kGood : MacCheck::kNotAllowed;
}

std::optional<MacDigest> SymmetricKeys::Seal(KeyId id, KeyUse use, Bytes covered) {
  const auto at = keys_.find(id);
  if (at == keys_.end() || !UsesOf(at->second).Allows(use)) return std::nullopt;
  return at->second.algorithm->Compute(SecretOf(at->second), covered);
}

}  // namespace ntpward::keys
