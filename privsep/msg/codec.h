// Turns a message between our processes into bytes and back.
//
// A message type lists its fields once, in Fields(); that list drives encoding, decoding and
// fuzzing. The other end may have been taken over: decoding consumes the whole message or fails,
// every length is bounded by the type, numbers are finite, enumerations are in range, and Valid()
// holds.
//
// Form: type (2 octets), protocol version (1), then the fields in order, big-endian. Both ends come
// from one build (roles are exec'd by descriptors opened at start), so the version never differs in
// practice; it is checked because nothing else would notice.
#pragma once

#include <bit>
#include <cmath>
#include <optional>
#include <tuple>
#include <type_traits>

#include "privsep/base/address.h"
#include "privsep/base/bytes.h"
#include "privsep/base/inline_vector.h"
#include "privsep/base/types.h"

namespace ntpward::msg {

inline constexpr uint8_t kProtocolVersion = 1;
// What one packet-mode pipe write may hold without being split (PIPE_BUF; pipe(7)).
inline constexpr size_t kMaxMessage = 4096;

// One number space over all channels, so that a message on the wrong channel is noticed.
enum class Type : uint16_t {
  // every role <-> supervisor
  kLogLine = 1,
  kRoleReady = 2,
  kRoleFailed = 3,
  kMisbehaviour = 4,
  kLivenessQuestion = 5,
  kLivenessAnswer = 6,
  // net <-> clock
  kClockAdjust = 16,
  kClockState = 17,
  // supervisor <-> clock
  kClockStart = 20,
  kClockMirror = 21,
  // net <-> keys
  kServeBatch = 32,
  kServeDone = 33,
  kSealRequest = 34,
  kSealed = 35,
  kCheckMac = 36,
  kVerdict = 37,
  kHostMaterialRequest = 38,
  kHostMaterial = 39,
  kSignatureUpdate = 40,
  kSignedValues = 41,
  kCookieIssue = 42,
  kIdentityProve = 43,
  kCertificateIssue = 44,
  kValueAnswer = 45,
  kIdentityChallenge = 46,
  kIdentityVerify = 47,
  kCookieOpen = 48,
  kForgetAssociation = 49,
  kKeyListMake = 50,
  kKeyListTake = 51,
  kKeyListTaken = 52,
  kKeyListAccept = 53,
  kCommandNonceRequest = 54,
  kCommandNonce = 55,
  kCommand = 56,
  kCommandDone = 57,
  kKeyCountRequest = 58,
  kKeyCount = 59,
  // supervisor <-> keys
  kKeysStart = 64,
  kKeysPassword = 65,
  kKeysFile = 66,
  kKeysTrusted = 67,
  kKeysEnd = 68,
  kKeysRollSeed = 69,
  kRuntimeTrust = 70,
  kKeysServe = 71,
  kRuntimeLine = 72,  // and supervisor -> net
  kKeysHandOver = 73,
  kKeysInherited = 74,
  // keys -> keys
  kHeritageAssociation = 75,
  kHeritageSigner = 76,
  kHeritageEnd = 77,
  // supervisor <-> net
  kNetStart = 80,
  kNetAssociation = 81,
  kNetRestrict = 82,
  kNetSocket = 83,
  kNetSocketGone = 84,
  kNetEnd = 85,
  kNetDrift = 86,
  kNetStatistics = 87,
  kNetStatus = 88,
  kNetQuit = 89,
  kNetTerminate = 90,
  kNetRoleRestarted = 91,
  kLeapTable = 92,
  kNetProcesses = 93,
  kNetSaveConfig = 94,
  kNetConfigSaved = 95,
  kNetAddresses = 100,
  // resolve
  kResolveName = 96,
  kResolveEnd = 97,
  kResolveRequest = 98,
  kResolveAnswer = 99,
};

template <typename M>
concept HasFields = requires(M& m) {
  M::Fields(m);
};
template <typename M>
concept HasValid = requires(const M& m) {
  m.Valid();
};
template <typename M>
concept Message = HasFields<M> && requires {
  M::kType;
};

// One overload pair a kind of field. A new kind of field is added here and nowhere else.
namespace detail {

template <typename T>
struct IsOptional : std::false_type {};
template <typename T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <typename T>
struct IsInlineBytes : std::false_type {};
template <size_t N>
struct IsInlineBytes<InlineBytes<N>> : std::true_type {};
template <typename T>
struct IsInlineVector : std::false_type {};
template <typename T, size_t N>
struct IsInlineVector<InlineVector<T, N>> : std::true_type {};
template <typename T>
struct IsArray : std::false_type {};
template <typename T, size_t N>
struct IsArray<std::array<T, N>> : std::true_type {};

inline void PutNumber(Writer& w, uint64_t value, size_t size) {
  if (size == 1) return w.U8(static_cast<uint8_t>(value));
  if (size == 2) return w.U16(static_cast<uint16_t>(value));
  if (size == 4) return w.U32(static_cast<uint32_t>(value));
  w.U64(value);
}
inline uint64_t GetNumber(Reader& r, size_t size) {
  if (size == 1) return r.U8();
  if (size == 2) return r.U16();
  if (size == 4) return r.U32();
  return r.U64();
}

// An enumeration must say where it ends: `kLast` names its greatest enumerator.
template <typename E>
concept BoundedEnum = std::is_enum_v<E> && requires {
  E::kLast;
};

template <typename T>
void Put(Writer& w, const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    w.U8(value ? 1 : 0);
  } else if constexpr (std::is_same_v<T, double>) {
    w.U64(std::bit_cast<uint64_t>(value));
  } else if constexpr (BoundedEnum<T>) {
    PutNumber(w, static_cast<uint64_t>(value), sizeof(T));
  } else if constexpr (std::is_integral_v<T>) {
    PutNumber(w, static_cast<uint64_t>(value), sizeof(T));
  } else if constexpr (std::is_same_v<T, NtpTimestamp>) {
    w.U64(value.raw());
  } else if constexpr (std::is_same_v<T, NtpDuration>) {
    w.U64(static_cast<uint64_t>(value.raw()));
  } else if constexpr (std::is_same_v<T, MonoTime>) {
    w.U64(static_cast<uint64_t>(value.nanoseconds()));
  } else if constexpr (std::is_same_v<T, NtpSeconds> || std::is_same_v<T, KeyId> ||
                       std::is_same_v<T, AssocId> || std::is_same_v<T, Ppm>) {
    Put(w, value.value);
  } else if constexpr (std::is_same_v<T, IpAddress>) {
    w.U8(static_cast<uint8_t>(value.family));
    w.Put(value.bytes());
    if (value.family == Family::kIpv6) w.U32(value.scope);
  } else if constexpr (std::is_same_v<T, SocketAddress>) {
    Put(w, value.ip), w.U16(value.port);
  } else if constexpr (std::is_same_v<T, AddressPair>) {
    Put(w, value.source), Put(w, value.destination);
  } else if constexpr (IsOptional<T>::value) {
    w.U8(value ? 1 : 0);
    if (value) Put(w, *value);
  } else if constexpr (IsInlineBytes<T>::value) {
    w.U16(static_cast<uint16_t>(value.size()));
    w.Put(value.span());
  } else if constexpr (IsInlineVector<T>::value) {
    w.U16(static_cast<uint16_t>(value.size()));
    for (const auto& item : value) Put(w, item);
  } else if constexpr (IsArray<T>::value) {
    for (const auto& item : value) Put(w, item);
  } else {
    static_assert(HasFields<T>, "this kind of field has no encoding");
    std::apply([&w](const auto&... field) { (Put(w, field), ...); }, T::Fields(value));
  }
}

inline void GetAddress(Reader& r, IpAddress* value) {
  const uint8_t family = r.U8();
  if (family != 0 && family != 4 && family != 6) return r.MarkFailed();
  *value = IpAddress{};
  value->family = static_cast<Family>(family);
  const Bytes octets = r.Take(family == 4 ? 4 : family == 6 ? 16 : 0);
  std::copy(octets.begin(), octets.end(), value->octets.begin());
  if (family == 6) value->scope = r.U32();
}

template <typename T>
void Get(Reader& r, T* value) {
  if constexpr (std::is_same_v<T, bool>) {
    const uint8_t octet = r.U8();
    if (octet > 1) r.MarkFailed();
    *value = octet == 1;
  } else if constexpr (std::is_same_v<T, double>) {
    *value = std::bit_cast<double>(r.U64());
    if (!std::isfinite(*value)) r.MarkFailed(), *value = 0;
  } else if constexpr (BoundedEnum<T>) {
    const uint64_t number = GetNumber(r, sizeof(T));
    if (number > static_cast<uint64_t>(T::kLast)) return r.MarkFailed();
    *value = static_cast<T>(number);
  } else if constexpr (std::is_integral_v<T>) {
    *value = static_cast<T>(GetNumber(r, sizeof(T)));
  } else if constexpr (std::is_same_v<T, NtpTimestamp>) {
    *value = NtpTimestamp::FromRaw(r.U64());
  } else if constexpr (std::is_same_v<T, NtpDuration>) {
    *value = NtpDuration::FromRaw(static_cast<int64_t>(r.U64()));
  } else if constexpr (std::is_same_v<T, MonoTime>) {
    *value = MonoTime::FromNanoseconds(static_cast<int64_t>(r.U64()));
  } else if constexpr (std::is_same_v<T, NtpSeconds> || std::is_same_v<T, KeyId> ||
                       std::is_same_v<T, AssocId> || std::is_same_v<T, Ppm>) {
    Get(r, &value->value);
  } else if constexpr (std::is_same_v<T, IpAddress>) {
    GetAddress(r, value);
  } else if constexpr (std::is_same_v<T, SocketAddress>) {
    Get(r, &value->ip), value->port = r.U16();
  } else if constexpr (std::is_same_v<T, AddressPair>) {
    Get(r, &value->source), Get(r, &value->destination);
  } else if constexpr (IsOptional<T>::value) {
    const uint8_t present = r.U8();
    if (present > 1) return r.MarkFailed();
    value->reset();
    if (present == 1) Get(r, &value->emplace());
  } else if constexpr (IsInlineBytes<T>::value) {
    if (!value->Assign(r.Take(r.U16()))) r.MarkFailed();
  } else if constexpr (IsInlineVector<T>::value) {
    const size_t count = r.U16();
    value->Clear();
    if (count > T::kCapacity) return r.MarkFailed();
    for (size_t i = 0; i < count && !r.failed(); ++i) {
      std::remove_reference_t<decltype((*value)[0])> item{};
      Get(r, &item);
      if (!value->Push(item)) r.MarkFailed();
    }
  } else if constexpr (IsArray<T>::value) {
    for (auto& item : *value) Get(r, &item);
  } else {
    static_assert(HasFields<T>, "this kind of field has no decoding");
    std::apply([&r](auto&... field) { (Get(r, &field), ...); }, T::Fields(*value));
    if constexpr (HasValid<T>) {
      if (!r.failed() && !value->Valid()) r.MarkFailed();
    }
  }
}

}  // namespace detail

using Encoded = InlineBytes<kMaxMessage>;

// Fatal when the message is not valid or does not fit: we made it ourselves.
template <Message M>
void Encode(const M& message, Encoded* out) {
  if constexpr (HasValid<M>) CHECK(message.Valid());
  CHECK(out->Resize(kMaxMessage));
  Writer w(out->span());
  w.U16(static_cast<uint16_t>(M::kType));
  w.U8(kProtocolVersion);
  detail::Put(w, message);
  CHECK(w.Finish());
  CHECK(out->Resize(w.size()));
}

// The type of a received message; none when it is too short or of another version.
inline std::optional<Type> PeekType(Bytes bytes) {
  Reader r(bytes);
  const auto type = static_cast<Type>(r.U16());
  const uint8_t version = r.U8();
  if (r.failed() || version != kProtocolVersion) return std::nullopt;
  return type;
}

// None when anything at all is wrong: then the sender is to be reported as compromised. On failure
// `*out` holds rubbish and must not be used.
template <Message M>
[[nodiscard]] bool Decode(Bytes bytes, M* out) {
  if (PeekType(bytes) != M::kType) return false;
  Reader r(bytes);
  r.Skip(3);
  detail::Get(r, out);
  return r.Finish();
}

}  // namespace ntpward::msg
