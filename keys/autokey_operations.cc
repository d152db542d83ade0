#include "keys/autokey_operations.h"

#include <algorithm>
#include <array>

#include "keys/certificate_maker.h"
#include "keys/gq.h"
#include "keys/iff.h"
#include "keys/mv.h"
#include "privsep/base/text.h"

namespace ntpward::keys {
namespace {

constexpr size_t kCookieOctets = 4;
constexpr size_t kAnnouncementOctets = 8;
constexpr int kIssuedDays = 365;

std::array<uint8_t, 12> LeapValue(const msg::SignatureUpdate& request) {
  std::array<uint8_t, 12> value{};
  Writer writer(value);
  writer.U32(request.tai);
  writer.U32(request.leap_epoch);
  writer.U32(request.leap_expiry);
  return value;
}

Result<SignatureScheme> SchemeOf(const Elder& elder) {
  int nid = NID_undef;
  if (OBJ_find_sigid_by_algs(&nid, EVP_MD_get_type(elder.signer.digest()),
                             EVP_PKEY_get_base_id(elder.key.get())) != 1)
    return Fail("no signature scheme of that key and digest");
  return SignatureScheme::FromNid(nid);
}

}  // namespace

msg::ValueAnswer Refusal(uint32_t request, msg::VerdictCode code) {
  CHECK(code != msg::VerdictCode::kGood);
  msg::ValueAnswer answer;
  answer.request = request;
  answer.code = code;
  return answer;
}

AutokeyOperations::AutokeyOperations(KeyState* state)
    : state_(*state),
      host_(*state->material.host),
      signature_cost_(PrivateCost(host_.signing_key())) {}

msg::ValueAnswer AutokeyOperations::AnswerBy(const Signer& signer, uint32_t request, NtpSeconds now,
                                             NtpSeconds filestamp, Bytes value) {
  msg::ValueAnswer answer;
  answer.request = request;
  answer.code = msg::VerdictCode::kGood;
  answer.timestamp = now;
  answer.filestamp = filestamp;
  CHECK(answer.value.Assign(value));
  if (now.value != 0) CHECK(answer.signature.Assign(signer.Sign(now, filestamp, value)));
  return answer;
}

msg::HostMaterial AutokeyOperations::Material(uint32_t request) const {
  msg::HostMaterial out;
  out.request = request;
  out.crypto_enabled = true;
  out.status_word = host_.StatusWord();
  CHECK(out.subject.Assign(AsBytes(host_.certificate.subject)) &&
        out.digest_name.Assign(AsBytes(state_.material.digest_name)) &&
        out.host_public_key.Assign(host_.host.PublicDer()) &&
        out.certificate.Assign(host_.certificate.der));
  out.host_key_filestamp = host_.host.filestamp;
  out.certificate_filestamp = host_.certificate.filestamp;
  for (const Group& group : host_.groups) {
    msg::GroupParameters parameters;
    CHECK(parameters.group.Assign(AsBytes(group.name)));
    parameters.scheme = group.scheme();
    parameters.filestamp = group.filestamp();
    parameters.has_public = group.CanVerify();
    CHECK(out.groups.Push(parameters));
  }
  return out;
}

msg::SignedValues AutokeyOperations::UpdateSignatures(const msg::SignatureUpdate& request) {
  const NtpSeconds now = state_.Now(request.now);
  const NtpSeconds host_stamp = host_.host.filestamp;
  msg::SignedValues out;
  out.request = request.request;
  out.timestamp = now;
  CHECK(out.host_public_key.Assign(host_.signer->Sign(now, host_stamp, host_.host.PublicDer())) &&
        out.certificate.Assign(
            host_.signer->Sign(now, host_.certificate.filestamp, host_.certificate.der)) &&
        out.leap.Assign(host_.signer->Sign(now, host_stamp, LeapValue(request))));
  for (uint8_t i = 1; state_.ElderOf(i) != nullptr; ++i) {
    InlineBytes<msg::kMaxModulus> leap;
    CHECK(leap.Assign(state_.SignerOf(i).Sign(now, host_stamp, LeapValue(request))) &&
          out.elder_leaps.Push(leap));
  }
  state_.signature_update = now;
  return out;
}

msg::ValueAnswer AutokeyOperations::IssueCookie(const msg::CookieIssue& request) {
  const PkeyPtr key = RsaPublicKey(request.modulus.span(), request.exponent);
  if (key == nullptr) return Refusal(request.request, msg::VerdictCode::kBad);
  if (!IsOfOurGroup(key.get())) return Refusal(request.request, msg::VerdictCode::kNotAllowed);
  const auto cookie = CookieFor(request);
  if (!cookie) return Refusal(request.request, msg::VerdictCode::kBusy);
  std::array<uint8_t, kCookieOctets> octets{};
  Writer(octets).U32(*cookie);
  const std::vector<uint8_t> sealed = OaepEncrypt(key.get(), octets);
  Wipe(octets);
  if (sealed.empty()) return Refusal(request.request, msg::VerdictCode::kBad);
  // Without a signature no peer takes it.
  if (request.association.value != 0 && request.now.value != 0)
    state_.PeerCookieOf(request.association)->told = true;
  return AnswerBy(state_.SignerOf(request.elder), request.request, state_.Now(request.now),
                  state_.signature_update, sealed);
}

// In scheme PC all hosts have one key: whoever shows another is none of them.
bool AutokeyOperations::IsOfOurGroup(const EVP_PKEY* key) const {
  return !host_.certificate.private_use || EVP_PKEY_eq(key, host_.host.key.get()) == 1;
}

std::optional<uint32_t> AutokeyOperations::CookieFor(const msg::CookieIssue& request) {
  if (request.association.value == 0)
    return state_.material.hasher->Derive(request.path, KeyId{0}, state_.seeds.newest())
        .next()
        .value;
  const PeerCookie* cookie = state_.PeerCookieOf(request.association);
  if (cookie == nullptr) return std::nullopt;
  return cookie->ours;
}

msg::ValueAnswer AutokeyOperations::ProveIdentity(const msg::IdentityProve& request) {
  switch (request.scheme) {
    case msg::IdentityScheme::kIff:
      return ProveWith(host_.iff_server, ProveIff, request);
    case msg::IdentityScheme::kGq:
      return ProveWith(host_.gq_server, ProveGq, request);
    case msg::IdentityScheme::kMv:
      return ProveWith(host_.mv_server, ProveMv, request);
    default:
      return Refusal(request.request, msg::VerdictCode::kUnknownKey);
  }
}

template <typename Key>
msg::ValueAnswer AutokeyOperations::ProveWith(const Generations<Key>& keys,
                                              std::vector<uint8_t> (*prove)(const Key&, Bytes),
                                              const msg::IdentityProve& request) const {
  const Key* key = keys.For(request.filestamp);
  if (key == nullptr) return Refusal(request.request, msg::VerdictCode::kUnknownKey);
  if (request.challenge.size() != key->challenge_size())
    return Refusal(request.request, msg::VerdictCode::kBad);
  const auto response = prove(*key, request.challenge.span());
  return AnswerBy(state_.SignerOf(request.elder), request.request, state_.Now(request.now),
                  key->filestamp, response);
}

// A challenge of another length costs nothing: it must not use up what others need.
double AutokeyOperations::Cost(const msg::IdentityProve& request) const {
  const auto is_answered = [&](const auto& keys) {
    const auto* key = keys.For(request.filestamp);
    return key != nullptr && key->challenge_size() == request.challenge.size();
  };
  const bool gq = request.scheme == msg::IdentityScheme::kGq && is_answered(host_.gq_server);
  const bool mv = request.scheme == msg::IdentityScheme::kMv && is_answered(host_.mv_server);
  const double proof = gq || mv ? ProofCost(request.scheme, request.challenge.size()) : 1;
  return proof - 1 + SignatureCost(request.elder);
}

double AutokeyOperations::SignatureCost(uint8_t elder) const {
  const Elder* known = state_.ElderOf(elder);
  return known != nullptr ? PrivateCost(known->key.get()) : signature_cost_;
}

double AutokeyOperations::Cost(const msg::SignatureUpdate&) const {
  double cost = signature_cost_;
  for (uint8_t i = 1; state_.ElderOf(i) != nullptr; ++i) cost += SignatureCost(i);
  return cost;
}

double AutokeyOperations::Cost(const msg::IdentityVerify& request) const {
  const auto at = state_.challenges.find(request.association);
  if (at == state_.challenges.end()) return 1;
  return ProofCost(host_.groups.at(at->second.group).scheme(), at->second.octets.size());
}

double AutokeyOperations::Cost(const msg::CookieOpen&) const {
  return PrivateCost(host_.host.key.get());
}

// By the time that clients will see in the certificate's place: our own.
bool AutokeyOperations::CertificateIsValid(NtpSeconds now) const {
  const int64_t unix_now = UnixFromNtp(now);
  return !host_.certificate.ExpiredAt(unix_now) && !host_.certificate.NotYetValidAt(unix_now);
}

msg::ValueAnswer AutokeyOperations::IssueCertificate(const msg::CertificateIssue& request) {
  const NtpSeconds now = state_.Now(request.now);
  const std::string subject(request.subject.text());
  // One in our own name would let its owner pose as us. Those of scheme PC are never signed.
  if (now.value == 0 || !CertificateIsValid(now) || subject == host_.certificate.subject ||
      host_.certificate.private_use)
    return Refusal(request.request, msg::VerdictCode::kNotAllowed);
  const PkeyPtr key = request.dsa.none() ? RsaPublicKey(request.modulus.span(), request.exponent)
                                         : DsaPublicKey(request.dsa);
  if (key == nullptr || !IsPrintableName(subject))
    return Refusal(request.request, msg::VerdictCode::kBad);
  CertificateContent content;
  content.subject = subject;
  content.issuer = host_.certificate.subject;
  content.serial = now.value;
  content.not_before = UnixFromNtp(now);
  content.lifetime_days = kIssuedDays;
  content.trusted = request.trusted && state_.material.allow_trusted_issue;
  const Elder* elder = state_.ElderOf(request.elder);
  const auto scheme = elder != nullptr ? SchemeOf(*elder) : Result(host_.certificate.scheme);
  if (!scheme.ok()) return Refusal(request.request, msg::VerdictCode::kBad);
  const auto made = MakeCertificate(
      content, key.get(), elder != nullptr ? elder->key.get() : host_.signing_key(), *scheme);
  if (!made.ok() || made->size() > msg::kMaxCertificate)
    return Refusal(request.request, msg::VerdictCode::kBad);
  return AnswerBy(state_.SignerOf(request.elder), request.request, now, request.filestamp, *made);
}

msg::ValueAnswer AutokeyOperations::DrawChallenge(const msg::IdentityChallenge& request) {
  for (size_t i = 0; i < host_.groups.size(); ++i) {
    const Group& group = host_.groups[i];
    if (group.name != request.group.text() || !group.CanVerify() ||
        request.scheme != group.scheme())
      continue;
    if (state_.challenges.size() >= kMaxAssociations &&
        !state_.challenges.contains(request.association))
      return Refusal(request.request, msg::VerdictCode::kBusy);
    OpenChallenge& open = state_.challenges[request.association];
    open.group = i;
    open.octets = group.DrawChallenge();
    return Answer(request.request, state_.Now(request.now), group.filestamp(), open.octets);
  }
  return Refusal(request.request, msg::VerdictCode::kUnknownKey);
}

msg::Verdict AutokeyOperations::VerifyIdentity(const msg::IdentityVerify& request) {
  const auto at = state_.challenges.find(request.association);
  if (at == state_.challenges.end())
    return {.request = request.request, .code = msg::VerdictCode::kUnknownKey};
  // Good for one answer, whatever it is.
  const OpenChallenge open = std::move(at->second);
  state_.challenges.erase(at);
  const Group& group = host_.groups.at(open.group);
  if (group.scheme() == msg::IdentityScheme::kGq && request.group_public.empty())
    return {.request = request.request, .code = msg::VerdictCode::kUnknownKey};
  if (!group.Accepts(request.filestamp))
    return {.request = request.request, .code = msg::VerdictCode::kFilestamp};
  const bool proved = group.Verify(request.group_public.span(), open.octets, request.value.span());
  return {.request = request.request,
          .code = proved ? msg::VerdictCode::kGood : msg::VerdictCode::kBad};
}

msg::Verdict AutokeyOperations::OpenCookie(const msg::CookieOpen& request) {
  PeerCookie* peer = request.symmetric ? state_.PeerCookieOf(request.association) : nullptr;
  if (request.symmetric && peer == nullptr)
    return {.request = request.request, .code = msg::VerdictCode::kBusy};
  if (!request.symmetric && state_.cookies.size() >= kMaxAssociations &&
      !state_.cookies.contains(request.association))
    return {.request = request.request, .code = msg::VerdictCode::kBusy};
  const auto plain = OaepDecrypt(host_.host.key.get(), request.ciphertext.span(), kCookieOctets);
  if (!plain) return {.request = request.request, .code = msg::VerdictCode::kBad};
  const uint32_t theirs = Reader(*plain).U32();
  if (peer != nullptr) {
    peer->agreed = peer->ours ^ theirs;
  } else {
    state_.cookies[request.association] = theirs;
  }
  return {.request = request.request, .code = msg::VerdictCode::kGood};
}

// Before the peer has our half of the cookie the list is hashed with 0 (as ntpd 4.2.8).
msg::ValueAnswer AutokeyOperations::MakeKeyList(const msg::KeyListMake& request) {
  auto& lists = state_.own_lists;
  const auto present = lists.find(request.association);
  if (request.again) {
    const bool same = present != lists.end() && present->second.use == request.use &&
                      present->second.list.path() == request.path;
    return same ? Announce(request, present->second.list)
                : Refusal(request.request, msg::VerdictCode::kUnknownKey);
  }
  if (present != lists.end()) lists.erase(present);
  if (lists.size() >= kMaxAssociations) return Refusal(request.request, msg::VerdictCode::kBusy);
  const uint32_t private_value = state_.PrivateValue(request.use, request.association).value_or(0);
  const KeyList list =
      KeyList::Make(*state_.material.hasher, request.path, private_value, request.count);
  lists.emplace(request.association, OwnList{request.use, list});
  return Announce(request, list);
}

msg::ValueAnswer AutokeyOperations::Announce(const msg::KeyListMake& request,
                                             const KeyList& list) const {
  std::array<uint8_t, kAnnouncementOctets> value{};
  Writer writer(value);
  writer.U32(list.announced().value);
  writer.U32(list.sequence());
  return AnswerBy(state_.SignerOf(request.elder), request.request, state_.Now(request.now),
                  state_.signature_update, value);
}

}  // namespace ntpward::keys
