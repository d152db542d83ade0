#include "keys/heritage.h"

#include <openssl/x509.h>

#include <set>

#include "privsep/base/secret.h"

namespace ntpward::keys {
namespace {

// The message's own copy of what it carries is wiped by whoever made it: Forgotten.
template <typename M>
bool Tell(const M& message, const SendHeritage& send) {
  msg::Encoded bytes;
  msg::Encode(message, &bytes);
  const bool sent = send(bytes.span());
  Wipe(bytes.span());
  return sent;
}

// A record with secrets in it, wiped when it goes.
template <typename M>
class Forgotten {
 public:
  Forgotten() = default;
  ~Forgotten() { OPENSSL_cleanse(&record, sizeof record); }
  Forgotten(const Forgotten&) = delete;
  Forgotten& operator=(const Forgotten&) = delete;
  static_assert(std::is_trivially_destructible_v<M>);

  M record;
};

void Describe(const KeyState& state, AssocId id, msg::HeritageAssociation* record) {
  record->association = id;
  if (const auto at = state.cookies.find(id); at != state.cookies.end())
    record->cookie = at->second;
  if (const auto at = state.peer_cookies.find(id); at != state.peer_cookies.end())
    record->peer_cookie = {at->second.ours, at->second.agreed, at->second.told};
  if (const auto at = state.own_lists.find(id); at != state.own_lists.end()) {
    const KeyList& list = at->second.list;
    auto& own = record->own_list.emplace();
    own.path = list.path();
    own.use = at->second.use;
    for (const uint32_t key : list.unused()) CHECK(own.unused.Push(key));
    own.announced = list.announced();
    own.sequence = list.sequence();
    own.taken = list.taken();
  }
  if (const auto at = state.accepted_lists.find(id); at != state.accepted_lists.end()) {
    const KeySequence& list = at->second.sequence;
    record->accepted_list = {at->second.path, at->second.use, list.announced(),
                             list.sequence(), list.last(),    static_cast<uint8_t>(list.left())};
  }
}

std::set<AssocId> Associations(const KeyState& state) {
  std::set<AssocId> ids;
  const auto note = [&ids](const auto& map) {
    for (const auto& [id, value] : map) ids.insert(id);
  };
  note(state.cookies);
  note(state.peer_cookies);
  note(state.own_lists);
  note(state.accepted_lists);
  return ids;
}

using Pkcs8Ptr = std::unique_ptr<PKCS8_PRIV_KEY_INFO, FreeWith<PKCS8_PRIV_KEY_INFO_free>>;

bool TellSigner(const EVP_PKEY* key, const Signer& signer, std::optional<MonoTime> until,
                const SendHeritage& send) {
  const Pkcs8Ptr form(EVP_PKEY2PKCS8(key));
  uint8_t* der = nullptr;
  const int size = form == nullptr ? -1 : i2d_PKCS8_PRIV_KEY_INFO(form.get(), &der);
  if (size <= 0) return false;
  Forgotten<msg::HeritageSigner> told;
  const Bytes octets(der, static_cast<size_t>(size));
  const bool fits =
      told.record.key.Assign(octets) &&
      told.record.digest.Assign(AsBytes(std::string_view(EVP_MD_get0_name(signer.digest()))));
  OPENSSL_clear_free(der, static_cast<size_t>(size));
  told.record.until = until;
  return fits && Tell(told.record, send);
}

PkeyPtr KeyOf(Bytes der) {
  const uint8_t* at = der.data();
  const Pkcs8Ptr form(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size())));
  if (form == nullptr || at != der.data() + der.size()) return nullptr;
  return PkeyPtr(EVP_PKCS82PKEY(form.get()));
}

}  // namespace

bool Bequeath(const KeyState& state, const SendHeritage& send) {
  uint32_t messages = 0;
  for (const AssocId id : Associations(state)) {
    Forgotten<msg::HeritageAssociation> told;
    Describe(state, id, &told.record);
    if (!Tell(told.record, send)) return false;
    ++messages;
  }
  const HostKeys& host = *state.material.host;
  // In scheme PC it is the group's: whoever leaves that signs for nobody with it.
  if (!host.certificate.private_use) {
    if (!TellSigner(host.signing_key(), *host.signer, std::nullopt, send)) return false;
    ++messages;
  }
  for (const Elder& elder : state.elders) {
    if (!TellSigner(elder.key.get(), elder.signer, elder.until, send)) return false;
    ++messages;
  }
  msg::HeritageEnd end;
  CHECK(end.subject.Assign(AsBytes(host.certificate.subject)) &&
        end.digest_name.Assign(AsBytes(state.material.digest_name)));
  end.signature_update = state.signature_update;
  end.messages = messages;
  return Tell(end, send);
}

Heir::Progress Heir::Take(Bytes message) {
  bool taken = false;
  bool whole = false;
  if (!state_.material.host) {
    // Without `crypto` there is nothing to go on with.
  } else if (msg::PeekType(message) == msg::Type::kHeritageAssociation) {
    Forgotten<msg::HeritageAssociation> told;
    taken = msg::Decode(message, &told.record) && TakeAssociation(told.record);
  } else if (msg::PeekType(message) == msg::Type::kHeritageSigner) {
    Forgotten<msg::HeritageSigner> told;
    taken = msg::Decode(message, &told.record) && TakeSigner(told.record);
  } else {
    msg::HeritageEnd end;
    taken = whole = msg::Decode(message, &end) && TakeEnd(end);
  }
  ++messages_;
  if (taken) return whole ? Progress::kWhole : Progress::kMore;
  GiveUp();
  return Progress::kNothing;
}

void Heir::GiveUp() {
  state_.ForgetAll();
  state_.elders.clear();
  state_.signature_update = {};
}

bool Heir::TakeAssociation(const msg::HeritageAssociation& record) {
  if (messages_ >= 4 * kMaxAssociations) return false;
  const AssocId id = record.association;
  if (record.cookie) state_.cookies[id] = *record.cookie;
  if (record.peer_cookie)
    state_.peer_cookies[id] = {record.peer_cookie->ours, record.peer_cookie->agreed,
                               record.peer_cookie->told};
  if (const auto& own = record.own_list) {
    const KeyList list =
        KeyList::Resume(own->path, std::span(own->unused.begin(), own->unused.end()),
                        own->announced, own->sequence, own->taken);
    state_.own_lists.insert_or_assign(id, OwnList{own->use, list});
  }
  if (const auto& other = record.accepted_list)
    state_.accepted_lists.insert_or_assign(
        id, AcceptedList{
                other->use, other->path,
                KeySequence::Resume(other->announced, other->sequence, other->last, other->left)});
  return state_.cookies.size() <= kMaxAssociations &&
         state_.peer_cookies.size() <= kMaxAssociations &&
         state_.own_lists.size() <= kMaxAssociations &&
         state_.accepted_lists.size() <= kMaxAssociations;
}

bool Heir::TakeSigner(const msg::HeritageSigner& record) {
  PkeyPtr key = KeyOf(record.key.span());
  if (key == nullptr) return false;
  const MonoTime now = state_.time->Monotonic();
  auto signer = Signer::Create(key.get(), std::string(record.digest.text()));
  if (!signer.ok()) return false;
  Elder elder{std::move(key), std::move(signer).value(),
              record.until.value_or(now + kElderSeconds)};
  // Those behind it are counted from the key in use.
  const bool replaced = record.until || !IsOurs(elder);
  if (replaced && elder.until - now <= kElderSeconds && state_.elders.size() < msg::kMaxElders)
    state_.elders.push_back(std::move(elder));
  return true;
}

// As hosts see it, which know the public key and the scheme.
bool Heir::IsOurs(const Elder& elder) const {
  const HostKeys& host = *state_.material.host;
  return EVP_PKEY_eq(elder.key.get(), host.signing_key()) == 1 &&
         EVP_MD_is_a(host.signer->digest(), EVP_MD_get0_name(elder.signer.digest())) == 1;
}

bool Heir::TakeEnd(const msg::HeritageEnd& end) {
  state_.signature_update = end.signature_update;
  return end.messages == messages_ &&
         end.subject.text() == state_.material.host->certificate.subject &&
         end.digest_name.text() == state_.material.digest_name;
}

}  // namespace ntpward::keys
