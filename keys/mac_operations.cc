#include "keys/mac_operations.h"

#include <algorithm>
#include <array>

namespace ntpward::keys {
namespace {

constexpr size_t kHeaderSize = 48;
constexpr uint8_t kModeClient = 3, kModeServer = 4, kModeBroadcast = 5, kModeControl = 6;
constexpr uint8_t kModeSymmetricActive = 1, kModeSymmetricPassive = 2;
constexpr uint8_t kControlResponse = 0x80;  // second octet of a mode 6 message
// What a packet may take from its stamp to the wire; more is no measurement.
constexpr int64_t kMaxWireDelay = int64_t{1} << 26;  // 2^-6 s, in units of 2^-32 s

using Header = std::array<uint8_t, kHeaderSize>;

uint8_t ModeOf(Bytes covered) { return covered[0] & 7; }

// RFC 5905 section 7.3. Everything but the transmit time, which is stamped last.
Header ReplyHeader(const msg::ReplyTemplate& reply, const msg::ServeJob& job,
                   NtpTimestamp transmit) {
  Reader request(job.covered.span());
  const uint8_t version = (request.U8() >> 3) & 7;
  request.Skip(1);
  const uint8_t poll = request.U8();
  request.Skip(kHeaderSize - 8 - 3);
  const uint64_t origin = request.U64();
  Header header{};
  Writer writer(header);
  writer.U8(static_cast<uint8_t>((reply.leap << 6) | (version << 3) | kModeServer));
  writer.U8(reply.stratum);
  writer.U8(poll);
  writer.U8(static_cast<uint8_t>(reply.precision));
  writer.U32(reply.root_delay);
  writer.U32(reply.root_dispersion);
  writer.U32(reply.refid);
  writer.U64(reply.reference.raw());
  writer.U64(origin);
  writer.U64(job.receive.raw());
  writer.U64(transmit.raw());
  CHECK(request.Finish() && writer.Finish() && writer.size() == kHeaderSize);
  return header;
}

// A real clock serves the system's time; net's word counts for a virtual one only.
NtpTimestamp TransmitTime(const KeyState& state, NtpDuration correction, NtpDuration wire_delay) {
  const int64_t delay = std::clamp(wire_delay.raw(), int64_t{0}, kMaxWireDelay);
  NtpTimestamp now = state.time->System() + NtpDuration::FromRaw(delay);
  if (state.material.virtual_clock) now = now + correction;
  return now;
}
NtpTimestamp TransmitTime(const KeyState& state, const msg::ReplyTemplate& reply) {
  return TransmitTime(state, reply.correction, reply.wire_delay);
}

// Packets that tell our time without being asked.
bool TellsTime(KeyUse use) {
  return use == KeyUse::kPeer || use == KeyUse::kPassive || use == KeyUse::kBroadcast;
}

// `covered` is a header; its last field is the transmit time (RFC 5905 section 7.3).
Header Stamped(Bytes covered, NtpTimestamp transmit) {
  Header header{};
  Writer writer(header);
  writer.Put(covered.first(kHeaderSize - 8));
  writer.U64(transmit.raw());
  CHECK(writer.Finish());
  return header;
}

void PutMac(InlineBytes<msg::kMaxMac>* mac, KeyId key, Bytes digest) {
  CHECK(mac->Resize(4 + digest.size()));
  Writer writer(mac->span());
  writer.U32(key.value);
  writer.Put(digest);
  CHECK(writer.Finish());
}

msg::ServeResult Sealed(const msg::ServeJob& job, NtpTimestamp transmit, Bytes digest) {
  msg::ServeResult result;
  result.job = job.job;
  result.outcome = msg::ServeOutcome::kSealed;
  result.transmit = transmit;
  PutMac(&result.mac, job.key, digest);
  return result;
}

msg::ServeResult Unsealed(const msg::ServeJob& job, msg::ServeOutcome outcome) {
  msg::ServeResult result;
  result.job = job.job;
  result.outcome = outcome;
  return result;
}

// What a symmetric key must be good for so that we may send this. Nothing else is ever sealed.
std::optional<KeyUse> UseToSeal(Bytes covered) {
  if (covered.size() == kHeaderSize) {
    switch (ModeOf(covered)) {
      case kModeClient:
        return KeyUse::kUpstream;
      case kModeSymmetricActive:
        return KeyUse::kPeer;
      case kModeSymmetricPassive:
        return KeyUse::kPassive;
      case kModeBroadcast:
        return KeyUse::kBroadcast;
      default:
        break;
    }
  }
  // Only responses: a request under a control key would command another host that shares it.
  if (ModeOf(covered) == kModeControl && (covered[1] & kControlResponse) != 0)
    return KeyUse::kControl;
  return std::nullopt;
}

// What a symmetric key must be good for so that a packet under it counts.
std::optional<KeyUse> UseToCheck(Bytes covered) {
  switch (ModeOf(covered)) {
    case kModeSymmetricActive:
      return KeyUse::kPassive;
    case kModeSymmetricPassive:
      return KeyUse::kPeer;
    case kModeServer:
      return KeyUse::kUpstream;
    case kModeBroadcast:
      return KeyUse::kListen;
    case kModeClient:
      return KeyUse::kServe;
    case kModeControl:
      return KeyUse::kControl;
    default:
      return std::nullopt;
  }
}

}  // namespace

msg::ServeDone MacOperations::Serve(const msg::ServeBatch& batch) {
  msg::ServeDone done;
  done.request = batch.request;
  for (const msg::ServeJob& job : batch.jobs)
    CHECK(done.results.Push(ServeOne(batch.reply, job, batch.fields.span())));
  return done;
}

msg::ServeResult MacOperations::ServeOne(const msg::ReplyTemplate& reply, const msg::ServeJob& job,
                                         Bytes fields) {
  if (ModeOf(job.covered.span()) != kModeClient) return Unsealed(job, msg::ServeOutcome::kRefused);
  if (job.key.is_symmetric()) return ServeSymmetric(reply, job, fields);
  // Anybody can make the MAC of a packet with fields under an Autokey key (RFC 5906 section 10).
  if (!fields.empty()) return Unsealed(job, msg::ServeOutcome::kRefused);
  return ServeAutokey(reply, job);
}

msg::ServeResult MacOperations::ServeSymmetric(const msg::ReplyTemplate& reply,
                                               const msg::ServeJob& job, Bytes fields) {
  SymmetricKeys& keys = state_.material.symmetric;
  InlineBytes<msg::kMaxChecked> covered;
  CHECK(covered.Resize(kHeaderSize + fields.size()));
  Writer writer(covered.span());
  writer.Put(job.covered.span());
  writer.Put(fields);
  CHECK(writer.Finish());
  // Like ntpd 4.2.8, a key's address list is for those that serve us, not for clients.
  const MacCheck check =
      keys.Check(job.key, KeyUse::kServe, covered.span(), job.digest.span(), nullptr);
  if (check == MacCheck::kNotAllowed) return Unsealed(job, msg::ServeOutcome::kRefused);
  if (check != MacCheck::kGood) return Unsealed(job, msg::ServeOutcome::kNak);
  const NtpTimestamp transmit = TransmitTime(state_, reply);
  const auto mac = keys.Seal(job.key, KeyUse::kServe, ReplyHeader(reply, job, transmit));
  CHECK(mac.has_value());
  return Sealed(job, transmit, mac->span());
}

// The cookie is computed anew for each request (RFC 5906 section 10); the seed under which the MAC
// is right is the one that the reply is sealed with.
msg::ServeResult MacOperations::ServeAutokey(const msg::ReplyTemplate& reply,
                                             const msg::ServeJob& job) {
  if (!state_.material.host) return Unsealed(job, msg::ServeOutcome::kNak);
  SessionKeyHasher& hasher = *state_.material.hasher;
  uint32_t cookie = 0;
  const bool sealed = state_.FindSeed(&state_.guesses.Of(job.path.source), [&](uint32_t seed) {
    // Else a stranger could use up what a client is granted for having a cookie.
    if (job.over_limit && seed == kReferenceSeed) return false;
    cookie = hasher.Derive(job.path, KeyId{0}, seed).next().value;
    const SessionKey request_key = hasher.Derive(job.path, job.key, cookie);
    const SessionDigest expected = hasher.Mac(request_key, job.covered.span());
    return EqualConstantTime(expected.span(), job.digest.span());
  });
  if (!sealed) return Unsealed(job, msg::ServeOutcome::kNak);
  const SessionKey reply_key = hasher.Derive(job.path.Reversed(), job.key, cookie);
  const NtpTimestamp transmit = TransmitTime(state_, reply);
  return Sealed(job, transmit, hasher.Mac(reply_key, ReplyHeader(reply, job, transmit)).span());
}

msg::Sealed MacOperations::Seal(const msg::SealRequest& request) {
  msg::Sealed out;
  out.request = request.request;
  const Bytes covered = request.covered.span();
  if (request.key.is_symmetric()) {
    const auto use = UseToSeal(covered);
    if (!use) return out;
    SymmetricKeys& keys = state_.material.symmetric;
    if (TellsTime(*use)) out.transmit = TransmitTime(state_, request.correction, NtpDuration());
    const auto mac = TellsTime(*use) ? keys.Seal(request.key, *use, Stamped(covered, out.transmit))
                                     : keys.Seal(request.key, *use, covered);
    if (mac) PutMac(&out.mac, request.key, mac->span());
    return out;
  }
  const auto private_value = ValueToSeal(request);
  if (!private_value) return out;
  SessionKeyHasher& hasher = *state_.material.hasher;
  const SessionKey key = hasher.Derive(request.path, request.key, *private_value);
  const bool tells_time = ModeOf(covered) != kModeClient;
  if (tells_time) out.transmit = TransmitTime(state_, request.correction, NtpDuration());
  const SessionDigest digest =
      tells_time ? hasher.Mac(key, Stamped(covered, out.transmit)) : hasher.Mac(key, covered);
  PutMac(&out.mac, request.key, digest.span());
  return out;
}

// A cookie seals our own packets without extension fields; net makes the other MACs itself. To a
// peer, only the one that the key was disclosed for.
std::optional<uint32_t> MacOperations::ValueToSeal(const msg::SealRequest& request) const {
  const Bytes covered = request.covered.span();
  if (covered.size() != kHeaderSize) return std::nullopt;
  const uint8_t mode = ModeOf(covered);
  if (mode == kModeClient) {
    const auto cookie = state_.cookies.find(request.association);
    if (cookie == state_.cookies.end()) return std::nullopt;
    return cookie->second;
  }
  if (mode != kModeSymmetricActive && mode != kModeSymmetricPassive) return std::nullopt;
  const auto own = state_.own_lists.find(request.association);
  if (own == state_.own_lists.end() || own->second.use != msg::KeyListUse::kSymmetric ||
      own->second.list.taken() != request.key || own->second.list.path() != request.path)
    return std::nullopt;
  return state_.PrivateValue(msg::KeyListUse::kSymmetric, request.association);
}

msg::KeyListTaken MacOperations::Take(const msg::KeyListTake& request) {
  msg::KeyListTaken out;
  out.request = request.request;
  const auto own = state_.own_lists.find(request.association);
  if (own == state_.own_lists.end()) return out;
  const auto key = own->second.list.Take();
  if (!key) return out;
  out.key = *key;
  out.left = static_cast<uint8_t>(own->second.list.left());
  return out;
}

msg::Verdict MacOperations::Accept(const msg::KeyListAccept& request) {
  msg::Verdict verdict{.request = request.request, .code = msg::VerdictCode::kGood};
  auto& lists = state_.accepted_lists;
  const auto found = lists.find(request.association);
  if (found == lists.end() && lists.size() >= kMaxAssociations) {
    verdict.code = msg::VerdictCode::kBusy;
    return verdict;
  }
  const bool same = found != lists.end() && found->second.use == request.use &&
                    found->second.path == request.path &&
                    found->second.sequence.IsFor(request.key, request.sequence);
  // What was used of it stays used.
  if (!same)
    lists.insert_or_assign(
        request.association,
        AcceptedList{request.use, request.path, KeySequence(request.key, request.sequence)});
  return verdict;
}

msg::Verdict MacOperations::Check(const msg::CheckMac& request) {
  return {.request = request.request,
          .code = request.key.is_symmetric() ? CheckSymmetric(request) : CheckAutokey(request)};
}

msg::VerdictCode MacOperations::CheckSymmetric(const msg::CheckMac& request) {
  const auto use = UseToCheck(request.covered.span());
  if (!use) return msg::VerdictCode::kNotAllowed;
  // Address lists name who may serve us: they bind modes 1, 2, 4 and 5 (as ntpd 4.2.8).
  const bool serves_us = *use != KeyUse::kServe && *use != KeyUse::kControl;
  const IpAddress* source = serves_us ? &request.path.source : nullptr;
  switch (state_.material.symmetric.Check(request.key, *use, request.covered.span(),
                                          request.digest.span(), source)) {
    case MacCheck::kGood:
      return msg::VerdictCode::kGood;
    case MacCheck::kBad:
      return msg::VerdictCode::kBad;
    case MacCheck::kUnknown:
      return msg::VerdictCode::kUnknownKey;
    case MacCheck::kNotAllowed:
      return msg::VerdictCode::kNotAllowed;
  }
  return msg::VerdictCode::kBad;
}

msg::VerdictCode MacOperations::CheckAutokey(const msg::CheckMac& request) {
  switch (ModeOf(request.covered.span())) {
    case kModeServer:
      return CheckCookie(request);
    case kModeSymmetricActive:
    case kModeSymmetricPassive:
    case kModeBroadcast:
      return CheckListed(request);
    default:
      return msg::VerdictCode::kNotAllowed;
  }
}

// The MAC first: once peers have a cookie it takes that to make one for a bare header, so that
// nobody else gets keys looked for in the list. Behind a field it is made with 0 in every mode.
msg::VerdictCode MacOperations::CheckListed(const msg::CheckMac& request) {
  const Bytes covered = request.covered.span();
  const bool broadcast = ModeOf(covered) == kModeBroadcast;
  const auto use = broadcast ? msg::KeyListUse::kBroadcast : msg::KeyListUse::kSymmetric;
  const auto accepted = state_.accepted_lists.find(request.association);
  const auto private_value = state_.PrivateValue(use, request.association);
  if (accepted == state_.accepted_lists.end() || !private_value)
    return msg::VerdictCode::kUnknownKey;
  if (accepted->second.use != use || accepted->second.path != request.path)
    return msg::VerdictCode::kNotAllowed;
  SessionKeyHasher& hasher = *state_.material.hasher;
  const uint32_t sealed_with = covered.size() == kHeaderSize ? *private_value : 0;
  const SessionKey key = hasher.Derive(request.path, request.key, sealed_with);
  const SessionDigest expected = hasher.Mac(key, covered);
  if (!EqualConstantTime(expected.span(), request.digest.span())) return msg::VerdictCode::kBad;
  return accepted->second.sequence.Accept(request.key, hasher, request.path, *private_value)
             ? msg::VerdictCode::kGood
             : msg::VerdictCode::kSequence;
}

msg::VerdictCode MacOperations::CheckCookie(const msg::CheckMac& request) {
  const auto cookie = state_.cookies.find(request.association);
  if (cookie == state_.cookies.end()) return msg::VerdictCode::kUnknownKey;
  SessionKeyHasher& hasher = *state_.material.hasher;
  const SessionKey key = hasher.Derive(request.path, request.key, cookie->second);
  const SessionDigest expected = hasher.Mac(key, request.covered.span());
  return EqualConstantTime(expected.span(), request.digest.span()) ? msg::VerdictCode::kGood
                                                                   : msg::VerdictCode::kBad;
}

}  // namespace ntpward::keys
