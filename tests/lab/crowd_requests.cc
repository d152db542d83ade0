#include "tests/lab/crowd_requests.h"

#include <string>

#include "keys/certificate_maker.h"
#include "keys/key_maker.h"
#include "keys/private_key.h"
#include "keys/rsa.h"
#include "ntpd/net/random.h"
#include "ntpd/wire/extension_field.h"
#include "privsep/supervisor_link.h"

namespace ntpward::crowd {
namespace {

constexpr const char* kName = "crowd";
constexpr std::string_view kKinds[] = {"assoc", "cert", "cookie", "sign", "iff", "autokey1", "mac"};

template <typename T, typename E>
T Must(Result<T, E> result) {
  CHECK(result.ok());
  return std::move(result).value();
}

std::vector<uint8_t> Field(wire::AutokeyCode code, Bytes value, NtpSeconds filestamp) {
  wire::AutokeyField field;
  field.head = {false, false, static_cast<uint8_t>(code), 1};
  field.has_value = true;
  field.filestamp = filestamp;
  field.value = value;
  std::vector<uint8_t> octets(wire::AutokeyFieldSize(value.size(), 0));
  Writer writer(octets);
  wire::EncodeAutokeyField(writer, field);
  CHECK(writer.Finish());
  return octets;
}

std::vector<uint8_t> OwnCertificate(EVP_PKEY* key, uint32_t now) {
  keys::CertificateContent content{.subject = kName, .issuer = kName, .serial = now};
  content.not_before = keys::UnixFromNtp({now});
  return Must(keys::MakeCertificate(content, key, key,
                                    Must(keys::SignatureScheme::FromName("RSA-SHA256"))));
}

}  // namespace

std::optional<Kind> KindOf(std::string_view name) {
  for (size_t i = 0; i < std::size(kKinds); ++i)
    if (kKinds[i] == name) return static_cast<Kind>(i);
  return std::nullopt;
}

Requests::Requests(std::string_view server)
    : hasher_(Must(keys::SessionKeyHasher::Create())), key_(Must(keys::MakeRsaKey(2048))) {
  const NtpSeconds now{SystemTimeNow().seconds() - 60};
  keys::KeyPair own;
  CHECK(EVP_PKEY_up_ref(key_.get()) == 1);
  own.key.reset(key_.get());
  using wire::AutokeyCode;
  fields_ = {Field(AutokeyCode::kAssociation, AsBytes(kName), {0x00080001}),
             Field(AutokeyCode::kCertificate, AsBytes(server), now),
             Field(AutokeyCode::kCookie, own.PublicDer(), now),
             Field(AutokeyCode::kSign, OwnCertificate(key_.get(), now.value), now),
             Field(AutokeyCode::kIff, std::vector<uint8_t>(20, 0x5a), now),
             Field(AutokeyCode::kAssociation, AsBytes(kName), {0x00080001}),
             {}};
  fields_[static_cast<size_t>(Kind::kVersion1)][0] = wire::kOldAutokeyVersion;
}

void Requests::PutHeader(Writer& writer, uint64_t nonce) const {
  wire::Header header;
  header.poll = 6;
  header.precision = -20;
  header.transmit = NtpTimestamp::FromRaw(nonce);
  wire::EncodeHeader(writer, header);
}

void Requests::Seal(Writer& writer, const AddressPair& path, uint32_t private_value) {
  const KeyId id = net::RandomSessionKeyId();
  const keys::SessionDigest digest =
      hasher_.Mac(hasher_.Derive(path, id, private_value), writer.written());
  wire::EncodeMac(writer, {id, digest.span()});
  CHECK(writer.Finish());
}

Bytes Requests::Flood(Kind kind, const AddressPair& path, uint64_t nonce) {
  Writer writer(packet_);
  PutHeader(writer, nonce);
  writer.Put(fields_[static_cast<size_t>(kind)]);
  // Whose cookie this would be nobody knows.
  Seal(writer, path, kind == Kind::kMac ? static_cast<uint32_t>(nonce) : 0);
  return writer.written();
}

Bytes Requests::Peer(const AddressPair& path, NtpTimestamp origin, NtpTimestamp transmit) {
  Writer writer(packet_);
  wire::Header header;
  header.mode = wire::Mode::kSymmetricActive;
  header.poll = 6;
  header.precision = -20;
  header.stratum = 2;
  header.origin = origin;
  header.receive = header.reference = header.transmit = transmit;
  wire::EncodeHeader(writer, header);
  writer.Put(fields_[static_cast<size_t>(Kind::kAssociation)]);
  Seal(writer, path, 0);
  return writer.written();
}

Bytes Requests::Time(const AddressPair& path, uint64_t nonce, uint32_t cookie) {
  Writer writer(packet_);
  PutHeader(writer, nonce);
  Seal(writer, path, cookie);
  return writer.written();
}

bool Requests::IsAuthentic(const wire::Packet& reply, const AddressPair& path, uint32_t cookie) {
  if (!reply.mac || reply.crypto_nak || reply.field_count != 0) return false;
  if (reply.header.mode != wire::Mode::kServer) return false;
  const keys::SessionKey key = hasher_.Derive(path.Reversed(), reply.mac->key, cookie);
  return EqualConstantTime(reply.mac->digest, hasher_.Mac(key, reply.covered).span());
}

std::optional<uint32_t> Requests::CookieIn(const wire::Packet& reply) const {
  if (reply.field_count == 0) return std::nullopt;
  const auto field = wire::ParseAutokeyField(reply.extensions()[0].field);
  if (!field.ok() || !field->has_value) return std::nullopt;
  const auto plain = keys::OaepDecrypt(key_.get(), field->value, 4);
  if (!plain) return std::nullopt;
  return Reader(*plain).U32();
}

}  // namespace ntpward::crowd
