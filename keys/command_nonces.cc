#include "keys/command_nonces.h"

#include <openssl/rand.h>

#include <string>

#include "keys/symmetric_file.h"

namespace ntpward::keys {
namespace {

constexpr size_t kKeyOctets = 16;
constexpr size_t kPlainOctets = 8;  // number and time
constexpr size_t kMaxAddressOctets = 16;
constexpr size_t kMacOctets = msg::kCommandNonceOctets - kPlainOctets;

// Only differences of this count, so that it may wrap.
uint32_t Seconds(MonoTime now) { return static_cast<uint32_t>(now.nanoseconds() / 1000000000); }

bool TooOld(uint32_t made_s, MonoTime now) {
  return Seconds(now) - made_s > static_cast<uint32_t>(CommandNonces::kLifetime);
}

}  // namespace

Result<CommandNonces> CommandNonces::Create() {
  CommandNonces out(TRY(MacAlgorithm::Create(std::string(kCmacType))));
  out.key_.resize(kKeyOctets);
  if (RAND_priv_bytes(out.key_.data(), kKeyOctets) != 1) return Fail("no random octets");
  return out;
}

CommandNonces::Nonce CommandNonces::Sealed(uint32_t number, uint32_t made_s,
                                           const IpAddress& source) {
  InlineBytes<kPlainOctets + kMaxAddressOctets> covered;
  CHECK(covered.Resize(kPlainOctets + source.bytes().size()));
  Writer sealed(covered.span());
  sealed.U32(number);
  sealed.U32(made_s);
  sealed.Put(source.bytes());
  CHECK(sealed.Finish());
  Nonce nonce;
  CHECK(nonce.Resize(msg::kCommandNonceOctets));
  Writer writer(nonce.span());
  writer.Put(Bytes(covered.span()).first(kPlainOctets));
  const MacDigest mac = algorithm_.Compute(key_, covered.span());
  writer.Put(mac.span().first(kMacOctets));
  CHECK(writer.Finish());
  return nonce;
}

CommandNonces::Nonce CommandNonces::Make(MonoTime now, const IpAddress& source) {
  return Sealed(++last_, Seconds(now), source);
}

bool CommandNonces::Take(Bytes nonce, MonoTime now, const IpAddress& source) {
  Reader reader(nonce);
  const uint32_t number = reader.U32();
  const uint32_t made_s = reader.U32();
  reader.Skip(kMacOctets);
  if (!reader.Finish() || !EqualConstantTime(Sealed(number, made_s, source).span(), nonce))
    return false;
  if (TooOld(made_s, now) || number <= used_) return false;
  used_ = number;
  return true;
}

}  // namespace ntpward::keys
