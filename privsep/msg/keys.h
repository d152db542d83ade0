// net <-> keys and supervisor <-> keys: what may be asked of the process that holds every secret.
//
// No message of these channels can carry a private key, a cookie or a symmetric key out of ntpd-keys,
// and none carries X.509, extension fields or control messages from the network into it: ntpd-net,
// which has nothing to steal, parses those and passes on the fixed-shape values below.
//
// Each request of net has an id that the answer repeats; answers may come in another order. keys
// serves MACs (ServeBatch, SealRequest, CheckMac) before private-key operations, which are rate
// limited: an operation over the limit is answered kBusy.
//
// `now` is the served time in NTP seconds, 0 while not synchronised (RFC 5906: timestamps of an
// unsynchronised host are 0 and its values are unsigned). With a real clock keys uses its own reading
// of the system's clock wherever a non-zero `now` would go, and net's word counts only as
// "synchronised or not"; with a virtual clock it must believe net.
#pragma once

#include "privsep/msg/codec.h"

namespace ntpward::msg {

inline constexpr size_t kMaxModulus = 512;      // octets: 4096 bits
inline constexpr size_t kMaxDsaModulus = 384;   // octets: 3072 bits
inline constexpr size_t kMaxDsaOrder = 32;      // octets of q
inline constexpr size_t kMaxMac = 68;           // key id and up to 64 octets of digest
inline constexpr size_t kMaxCovered = 600;      // octets under one MAC: NTP header or mode 6 message
inline constexpr size_t kMaxSubject = 255;      // a certificate's common name
inline constexpr size_t kMaxCertificate = 1900; // DER
inline constexpr size_t kMaxField = 2048;       // an extension field in all (as ntpd 4.2.x)
inline constexpr size_t kMaxGroups = 16;

// Identity schemes by their bit in the host status word (RFC 5906; autokey flags bits 4..7).
enum class IdentityScheme : uint8_t { kNone = 0, kPc = 1, kIff = 2, kGq = 3, kMv = 4, kLast = kMv };

// ---------------------------------------------------------------------------- MACs

// What all replies of one batch share: the served system state (RFC 5905 section 7.3 field order).
struct ReplyTemplate {
  uint8_t leap = 3;           // 0..3
  uint8_t stratum = 0;        // as on the wire: 0 when unsynchronised
  int8_t precision = 0;       // log2 s
  uint32_t root_delay = 0;    // 16.16 s
  uint32_t root_dispersion = 0;
  uint32_t refid = 0;
  NtpTimestamp reference;
  NtpDuration correction;     // virtual clock: served time minus system time, now
  NtpDuration wire_delay;     // how much later than its stamp a packet leaves, as net measured

  bool Valid() const { return leap <= 3; }
  static auto Fields(auto& m) {
    return std::tie(m.leap, m.stratum, m.precision, m.root_delay, m.root_dispersion, m.refid,
                    m.reference, m.correction, m.wire_delay);
  }
};

// One client's request that carried a MAC (client mode, no extension fields).
struct ServeJob {
  uint16_t job = 0;                // position in net's batch
  AddressPair path;                // client -> server
  KeyId key;
  InlineBytes<48> covered;         // the header exactly as received: what the MAC covers
  InlineBytes<kMaxMac - 4> digest; // received digest
  NtpTimestamp receive;            // served time of arrival

  bool Valid() const { return covered.size() == 48 && !digest.empty() && !key.is_none(); }
  static auto Fields(auto& m) {
    return std::tie(m.job, m.path, m.key, m.covered, m.digest, m.receive);
  }
};

// net -> keys: check each request and seal its reply. keys builds the 48-octet reply from the
// template and the request (mode 4, version and poll of the request, origin = its transmit time),
// writes the transmit time itself, seals it under the cookie or the key of the request.
struct ServeBatch {
  static constexpr Type kType = Type::kServeBatch;
  uint32_t request = 0;
  ReplyTemplate reply;
  InlineVector<ServeJob, 20> jobs;

  bool Valid() const { return !jobs.empty(); }
  static auto Fields(auto& m) { return std::tie(m.request, m.reply, m.jobs); }
};

enum class ServeOutcome : uint8_t {
  kSealed = 0,   // `transmit` and `mac` (key id and digest) complete the reply
  kNak,          // MAC wrong or key unknown: answer with a crypto-NAK (MAC of four zero octets)
  kRefused,      // key is not allowed to serve (bound to an upstream only): no answer
  kLast = kRefused,
};

struct ServeResult {
  uint16_t job = 0;
  ServeOutcome outcome = ServeOutcome::kRefused;
  NtpTimestamp transmit;
  InlineBytes<kMaxMac> mac;

  bool Valid() const { return (outcome == ServeOutcome::kSealed) == !mac.empty(); }
  static auto Fields(auto& m) { return std::tie(m.job, m.outcome, m.transmit, m.mac); }
};

// keys -> net.
struct ServeDone {
  static constexpr Type kType = Type::kServeDone;
  uint32_t request = 0;
  InlineVector<ServeResult, 20> results;

  static auto Fields(auto& m) { return std::tie(m.request, m.results); }
};

// net -> keys: make the MAC of one of our own packets.
//
// With an Autokey key id the session key is made from `path`, the key id and the cookie of
// `association`. With a symmetric one the first octet's mode decides whether the key's role allows
// it: client mode (3) for an upstream's key, symmetric active (1) for a peer's, symmetric passive (2)
// for a peer's or a client's, broadcast (5) for a broadcast line's, mode 6 for a control key.
//
// In packets of modes 1, 2 and 5 keys writes the transmit time itself, so that nobody can have one
// sealed for another time.
struct SealRequest {
  static constexpr Type kType = Type::kSealRequest;
  uint32_t request = 0;
  AssocId association;    // 0: none (symmetric key only)
  AddressPair path;       // this host -> the other
  KeyId key;
  NtpDuration correction;  // as in ReplyTemplate; for modes 1, 2 and 5
  InlineBytes<kMaxCovered> covered;

  bool Valid() const { return covered.size() >= 12 && !key.is_none(); }
  static auto Fields(auto& m) {
    return std::tie(m.request, m.association, m.path, m.key, m.correction, m.covered);
  }
};

// keys -> net. An empty MAC: no such key, no cookie, or not allowed.
struct Sealed {
  static constexpr Type kType = Type::kSealed;
  uint32_t request = 0;
  NtpTimestamp transmit;     // modes 1, 2 and 5: belongs into the packet; else zero
  InlineBytes<kMaxMac> mac;  // key id and digest

  static auto Fields(auto& m) { return std::tie(m.request, m.transmit, m.mac); }
};

// net -> keys: is this MAC good? The same choice of key as SealRequest, for a packet that came in.
//
// With an Autokey key id, mode 4 wants the cookie that the server gave `association`. Modes 1, 2 and 5
// want a key list that was accepted for it (KeyListAccept) and the `path` of that, in which the key must
// come next. The session key is made with the agreed cookie for a bare header of modes 1 and 2, and with
// private value 0 in mode 5, behind a field, and before the peer was given our half of a cookie.
struct CheckMac {
  static constexpr Type kType = Type::kCheckMac;
  uint32_t request = 0;
  AssocId association;
  AddressPair path;  // the other -> this host
  KeyId key;
  InlineBytes<kMaxCovered> covered;
  InlineBytes<kMaxMac - 4> digest;

  bool Valid() const { return covered.size() >= 12 && !key.is_none() && !digest.empty(); }
  static auto Fields(auto& m) {
    return std::tie(m.request, m.association, m.path, m.key, m.covered, m.digest);
  }
};

enum class VerdictCode : uint8_t {
  kGood = 0,
  kBad,          // MAC, proof or ciphertext wrong
  kUnknownKey,   // no such key, no cookie yet, no parameters for the group
  kNotAllowed,   // the key is not trusted, bound to another role, or its address list says no
  kFilestamp,    // identity: the server's group key is of another generation than our file
  kBusy,         // over the rate of private-key operations: ask again later
  kSequence,     // the MAC is good, but the key does not come next in the list that was accepted
  kLast = kSequence,
};

// keys -> net: answers CheckMac, IdentityVerify, CookieOpen and KeyListAccept.
struct Verdict {
  static constexpr Type kType = Type::kVerdict;
  uint32_t request = 0;
  VerdictCode code = VerdictCode::kBad;

  static auto Fields(auto& m) { return std::tie(m.request, m.code); }
};

// ---------------------------------------------------------------------------- host material

// A group whose parameter file (ntpkey_iffpar_GROUP and its like) was found: what a client can demand.
struct GroupParameters {
  InlineText<64> group;
  IdentityScheme scheme = IdentityScheme::kIff;
  NtpSeconds filestamp;
  bool has_public = false;  // false: no public value in the file, nothing can be proved with it

  static auto Fields(auto& m) { return std::tie(m.group, m.scheme, m.filestamp, m.has_public); }
};

// net -> keys: tell me what of the host's key material is public. Also sent again after SIGHUP.
struct HostMaterialRequest {
  static constexpr Type kType = Type::kHostMaterialRequest;
  uint32_t request = 0;
  static auto Fields(auto& m) { return std::tie(m.request); }
};

// keys -> net. Everything in it is public. Without `crypto` only `request` is set.
struct HostMaterial {
  static constexpr Type kType = Type::kHostMaterial;
  uint32_t request = 0;
  bool crypto_enabled = false;
  InlineText<kMaxSubject> subject;              // CN of our certificate: our Autokey name
  uint32_t status_word = 0;                     // ENAB, identity bits, scheme NID in the upper half
  InlineText<16> digest_name;                   // session key digest: "md5" unless `crypto digest`
  NtpSeconds host_key_filestamp;
  InlineBytes<kMaxModulus + 32> host_public_key;  // PKCS#1 RSAPublicKey, DER
  InlineBytes<kMaxCertificate> certificate;     // own self-signed certificate, DER
  NtpSeconds certificate_filestamp;
  InlineVector<GroupParameters, kMaxGroups> groups;

  static auto Fields(auto& m) {
    return std::tie(m.request, m.crypto_enabled, m.subject, m.status_word, m.digest_name,
                    m.host_key_filestamp, m.host_public_key, m.certificate,
                    m.certificate_filestamp, m.groups);
  }
};

// net -> keys: how many symmetric keys are there? For ntpq's authinfo.
struct KeyCountRequest {
  static constexpr Type kType = Type::kKeyCountRequest;
  uint32_t request = 0;
  static auto Fields(auto& m) { return std::tie(m.request); }
};

// keys -> net. It holds for as long as that ntpd-keys lives: a command trusts keys and revokes them, and
// makes none.
struct KeyCount {
  static constexpr Type kType = Type::kKeyCount;
  uint32_t request = 0;
  // Of the key file, whether trusted or not. ntpd 4.2.8 also counts numbers in trustedkey that the
  // file does not have.
  uint32_t symmetric = 0;

  static auto Fields(auto& m) { return std::tie(m.request, m.symmetric); }
};

// net -> keys: sign the host's values anew (at first synchronisation, then every 2^revoke s and
// when leap values change).
struct SignatureUpdate {
  static constexpr Type kType = Type::kSignatureUpdate;
  uint32_t request = 0;
  NtpSeconds now;               // not 0
  uint32_t tai = 0;             // leap values as sent in LEAP responses; all zero without a table
  uint32_t leap_epoch = 0;
  uint32_t leap_expiry = 0;

  // Bounded, so that little can be chosen of what gets signed.
  bool Valid() const {
    return now.value != 0 && tai <= 255 && (tai != 0 || (leap_epoch == 0 && leap_expiry == 0));
  }
  static auto Fields(auto& m) {
    return std::tie(m.request, m.now, m.tai, m.leap_epoch, m.leap_expiry);
  }
};

// keys -> net. Signatures over ts || fs || length || value, ts = `timestamp` for all. All empty, with
// timestamp 0: over the rate of private-key operations, ask again later; or no `crypto`.
struct SignedValues {
  static constexpr Type kType = Type::kSignedValues;
  uint32_t request = 0;
  NtpSeconds timestamp;
  InlineBytes<kMaxModulus> host_public_key;  // fs = host_key_filestamp: COOK request
  InlineBytes<kMaxModulus> certificate;      // fs = certificate_filestamp: CERT response, SIGN request
  InlineBytes<kMaxModulus> leap;             // fs = host_key_filestamp: LEAP response

  static auto Fields(auto& m) {
    return std::tie(m.request, m.timestamp, m.host_public_key, m.certificate, m.leap);
  }
};

// ---------------------------------------------------------------------------- server's answers

// net -> keys: the cookie of this client, encrypted under its public key (COOK). To a peer of symmetric
// modes, our half of the cookie of `association`: random, and the same until that is forgotten.
struct CookieIssue {
  static constexpr Type kType = Type::kCookieIssue;
  uint32_t request = 0;
  NtpSeconds now;
  AssocId association;                  // 0: a client's
  AddressPair path;                     // client -> server
  InlineBytes<kMaxModulus> modulus;     // odd, no leading zero octet, 46..512 octets
  uint32_t exponent = 0;                // odd, at least 3

  bool Valid() const {
    return modulus.size() >= 46 && modulus.span()[0] != 0 && (modulus.span().back() & 1) == 1 &&
           exponent >= 3 && (exponent & 1) == 1;
  }
  static auto Fields(auto& m) {
    return std::tie(m.request, m.now, m.association, m.path, m.modulus, m.exponent);
  }
};

// net -> keys: prove that we know the group key (IFF, GQ, MV), to a client whose parameters have this
// filestamp: by the key of that generation where there still is one, else by the one in use.
struct IdentityProve {
  static constexpr Type kType = Type::kIdentityProve;
  uint32_t request = 0;
  NtpSeconds now;
  IdentityScheme scheme = IdentityScheme::kIff;
  NtpSeconds filestamp;                 // of the client's parameters, as it says
  InlineBytes<kMaxModulus> challenge;   // r, big-endian, as long as the scheme says

  bool Valid() const { return !challenge.empty() && scheme >= IdentityScheme::kIff; }
  static auto Fields(auto& m) {
    return std::tie(m.request, m.now, m.scheme, m.filestamp, m.challenge);
  }
};

// A DSA public key: big-endian numbers without leading zeros. All empty: none.
struct DsaNumbers {
  InlineBytes<kMaxDsaModulus> p;  // 512..3072 bits, odd
  InlineBytes<kMaxDsaOrder> q;    // 160..256 bits, odd
  InlineBytes<kMaxDsaModulus> g;
  InlineBytes<kMaxDsaModulus> y;

  bool none() const { return p.empty() && q.empty() && g.empty() && y.empty(); }
  bool Valid() const {
    const auto is_odd = [](Bytes number) { return number[0] != 0 && (number.back() & 1) == 1; };
    const auto is_below_p = [&](Bytes number) {
      return !number.empty() && number[0] != 0 && number.size() <= p.size();
    };
    return none() || (p.size() >= 64 && q.size() >= 20 && is_odd(p.span()) && is_odd(q.span()) &&
                      is_below_p(g.span()) && is_below_p(y.span()));
  }
  static auto Fields(auto& m) { return std::tie(m.p, m.q, m.g, m.y); }
};

// net -> keys: issue a certificate for a client (SIGN), whose key is RSA or DSA. keys makes it from these
// values alone; the issuer is our own subject, validity now .. + 365 days, serial = now.
struct CertificateIssue {
  static constexpr Type kType = Type::kCertificateIssue;
  uint32_t request = 0;
  NtpSeconds now;
  NtpSeconds filestamp;                 // of the request; the answer repeats it
  InlineText<kMaxSubject> subject;      // printable ASCII
  InlineBytes<kMaxModulus> modulus;     // of an RSA key; else empty
  uint32_t exponent = 0;                // of an RSA key; else 0
  DsaNumbers dsa;
  bool trusted = false;                 // the client's certificate has trustRoot usage

  bool Valid() const { return !subject.empty() && (dsa.none() ? HasRsa() : HasDsaOnly()); }
  static auto Fields(auto& m) {
    return std::tie(m.request, m.now, m.filestamp, m.subject, m.modulus, m.exponent, m.dsa,
                    m.trusted);
  }

 private:
  bool HasRsa() const {
    return modulus.size() >= 32 && modulus.span()[0] != 0 && (modulus.span().back() & 1) == 1 &&
           exponent >= 3 && (exponent & 1) == 1;
  }
  bool HasDsaOnly() const { return dsa.Valid() && modulus.empty() && exponent == 0; }
};

// keys -> net: answers CookieIssue, IdentityProve, CertificateIssue, IdentityChallenge and KeyListMake
// with the value part of an extension field, signed unless `now` was 0.
struct ValueAnswer {
  static constexpr Type kType = Type::kValueAnswer;
  uint32_t request = 0;
  VerdictCode code = VerdictCode::kBad;
  NtpSeconds timestamp;
  NtpSeconds filestamp;
  InlineBytes<kMaxCertificate> value;
  InlineBytes<kMaxModulus> signature;

  bool Valid() const { return (code == VerdictCode::kGood) == !value.empty(); }
  static auto Fields(auto& m) {
    return std::tie(m.request, m.code, m.timestamp, m.filestamp, m.value, m.signature);
  }
};

// ---------------------------------------------------------------------------- client's side

// net -> keys: draw a challenge for the group's scheme and remember it for this association. The
// answer's value is r, left-padded to full length; its filestamp is the parameter file's.
struct IdentityChallenge {
  static constexpr Type kType = Type::kIdentityChallenge;
  uint32_t request = 0;
  NtpSeconds now;
  AssocId association;
  IdentityScheme scheme = IdentityScheme::kIff;
  InlineText<64> group;

  bool Valid() const {
    return association.value != 0 && !group.empty() && scheme >= IdentityScheme::kIff;
  }
  static auto Fields(auto& m) {
    return std::tie(m.request, m.now, m.association, m.scheme, m.group);
  }
};

// net -> keys: the server's answer to the challenge of this association. A challenge is good for one
// answer. Answered by Verdict.
struct IdentityVerify {
  static constexpr Type kType = Type::kIdentityVerify;
  uint32_t request = 0;
  AssocId association;
  NtpSeconds filestamp;                  // of the response
  InlineBytes<1200> value;               // DER SEQUENCE of two (IFF, GQ) or three (MV) INTEGERs
  InlineBytes<kMaxModulus> group_public; // GQ: v from the server's certificate; else empty

  bool Valid() const { return association.value != 0 && !value.empty(); }
  static auto Fields(auto& m) {
    return std::tie(m.request, m.association, m.filestamp, m.value, m.group_public);
  }
};

// net -> keys: decrypt the cookie that the server sent and keep it for this association; a peer's half
// is joined with ours. Answered by Verdict; the cookie itself never leaves.
struct CookieOpen {
  static constexpr Type kType = Type::kCookieOpen;
  uint32_t request = 0;
  AssocId association;
  bool symmetric = false;
  InlineBytes<kMaxModulus> ciphertext;

  bool Valid() const { return association.value != 0 && !ciphertext.empty(); }
  static auto Fields(auto& m) {
    return std::tie(m.request, m.association, m.symmetric, m.ciphertext);
  }
};

// net -> keys: forget cookies, challenge and key lists of this association. No answer.
struct ForgetAssociation {
  static constexpr Type kType = Type::kForgetAssociation;
  AssocId association;

  bool Valid() const { return association.value != 0; }
  static auto Fields(auto& m) { return std::tie(m.association); }
};

// ---------------------------------------------------------------------------- supervisor -> keys

// Where a request by mode 6 that changes something needs a nonce, besides its MAC (`controlnonce`).
enum class ControlNonce : uint8_t { kAlways = 0, kRemote, kNever, kLast = kNever };

// First message after the cage is shut.
struct KeysStart {
  static constexpr Type kType = Type::kKeysStart;
  bool crypto_enabled = false;
  bool virtual_clock = false;
  bool allow_trusted_issue = false;     // may SIGN keep a client's trustRoot usage
  InlineText<64> host;                  // H of ntpkey_host_H; also the default password
  InlineText<64> ident;                 // `crypto ident`: the group of our own server keys
  InlineText<16> digest_name;           // session key digest
  uint8_t revoke = 17;                  // log2 s between server seeds, 4..31
  int32_t seed_fd = -1;                 // state file of the server seed, read-write; -1: none
  ControlNonce control_nonce = ControlNonce::kRemote;
  bool listens = false;                 // broadcasts of others are listened to

  bool Valid() const { return revoke >= 3 && revoke <= 31 && !digest_name.empty(); }
  static auto Fields(auto& m) {
    return std::tie(m.crypto_enabled, m.virtual_clock, m.allow_trusted_issue, m.host, m.ident,
                    m.digest_name, m.revoke, m.seed_fd, m.control_nonce, m.listens);
  }
};

// `crypto pw`; the sender wipes its copies at once.
struct KeysPassword {
  static constexpr Type kType = Type::kKeysPassword;
  InlineBytes<256> password;
  static auto Fields(auto& m) { return std::tie(m.password); }
};

enum class KeyFileKind : uint8_t {
  kHost = 0,       // ntpkey_host_H, required with crypto
  kSign,           // ntpkey_sign_H
  kCertificate,    // ntpkey_cert_H, required with crypto
  kIffKey,         // ntpkey_iffkey_G
  kGqKey,
  kMvKey,
  kIffPar,         // ntpkey_iffpar_G
  kGqPar,
  kMvPar,
  kSymmetric,      // keys FILE
  kFarm,           // ntpkey_farm_NAME, the secret that a farm's servers share
  kLast = kFarm,
};

// A file that the supervisor opened read-only and that the role inherited; read it to its end, then
// close it. `fd` -1: expected but missing, `name` says which.
struct KeysFile {
  static constexpr Type kType = Type::kKeysFile;
  KeyFileKind kind = KeyFileKind::kHost;
  int32_t fd = -1;
  InlineText<64> group;   // H or G of the name
  InlineText<512> name;   // for messages to the operator
  bool world_readable = false;
  // A server's group key of a generation before the one in use; these come after it, newest first.
  bool earlier = false;

  static auto Fields(auto& m) {
    return std::tie(m.kind, m.fd, m.group, m.name, m.world_readable, m.earlier);
  }
};

// What a symmetric key may be used for: the union of its roles in ntp.conf.
struct TrustedKey {
  KeyId key;
  bool serve = false;      // clients may use it: in trustedkey
  bool upstream = false;   // `key N` on a line that makes us a client
  bool control = false;    // controlkey
  bool peer = false;       // `key N` on a peer line
  bool broadcast = false;  // `key N` on a broadcast line
  bool listen = false;     // in trustedkey, and broadcasts are listened to

  bool Valid() const { return key.is_symmetric(); }
  static auto Fields(auto& m) {
    return std::tie(m.key, m.serve, m.upstream, m.control, m.peer, m.broadcast, m.listen);
  }
};

// May be sent several times; they add up.
struct KeysTrusted {
  static constexpr Type kType = Type::kKeysTrusted;
  InlineVector<TrustedKey, 300> keys;
  static auto Fields(auto& m) { return std::tie(m.keys); }
};

// Everything was sent: load, then answer RoleReady or RoleFailed.
struct KeysEnd {
  static constexpr Type kType = Type::kKeysEnd;
  uint8_t reserved = 0;
  static auto Fields(auto& m) { return std::tie(m.reserved); }
};

// After RoleReady: listen to net from now on. At a reload it comes when the one before is dead and
// all that it had done is told: two at once would execute net's commands in no order.
struct KeysServe {
  static constexpr Type kType = Type::kKeysServe;
  uint8_t reserved = 0;
  static auto Fields(auto& m) { return std::tie(m.reserved); }
};

// After RoleReady, when net was replaced because it misbehaved or died: cookies that it has seen may be
// known to others, so new ones are made from a new seed (clients' old ones stay good), and what was
// kept for its associations is forgotten. No answer.
struct KeysRollSeed {
  static constexpr Type kType = Type::kKeysRollSeed;
  uint8_t reserved = 0;
  static auto Fields(auto& m) { return std::tie(m.reserved); }
};

}  // namespace ntpward::msg
