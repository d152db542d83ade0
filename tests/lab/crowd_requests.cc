#include "tests/lab/crowd_requests.h"

#include <string>

#include "keys/certificate_maker.h"
#include "keys/key_maker.h"
#include "ntpd/wire/extension_field.h"
#include "privsep/supervisor_link.h"
#include "tests/support/autokey_client.h"

namespace ntpward::crowd {
namespace {

using namespace ntpward::test;

constexpr const char* kName = "crowd";
constexpr std::string_view kKinds[] = {"assoc", "cert", "cookie", "sign", "iff", "autokey1", "mac"};

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
  using wire::AutokeyCode;
  fields_ = {Field(AutokeyCode::kAssociation, AsBytes(kName), {0x00080001}),
             Field(AutokeyCode::kCertificate, AsBytes(server), now),
             Field(AutokeyCode::kCookie, PublicDerOf(key_.get()), now),
             Field(AutokeyCode::kSign, OwnCertificate(key_.get(), now.value), now),
             Field(AutokeyCode::kIff, std::vector<uint8_t>(20, 0x5a), now),
             Field(AutokeyCode::kAssociation, AsBytes(kName), {0x00080001}),
             {}};
  fields_[static_cast<size_t>(Kind::kVersion1)][0] = wire::kOldAutokeyVersion;
}

void Requests::Seal(Writer& writer, const AddressPair& path, uint32_t private_value) {
  PutSessionMac(writer, hasher_, path, private_value);
  CHECK(writer.Finish());
}

Bytes Requests::Flood(Kind kind, const AddressPair& path, uint64_t nonce) {
  Writer writer(packet_);
  PutClientHeader(writer, nonce);
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
  PutClientHeader(writer, nonce);
  Seal(writer, path, cookie);
  return writer.written();
}

bool Requests::IsAuthentic(const wire::Packet& reply, const AddressPair& path, uint32_t cookie) {
  if (reply.crypto_nak || reply.field_count != 0) return false;
  if (reply.header.mode != wire::Mode::kServer) return false;
  return HasSessionMac(reply, hasher_, path, cookie);
}

std::optional<uint32_t> Requests::CookieIn(const wire::Packet& reply) const {
  if (reply.field_count == 0) return std::nullopt;
  const auto field = wire::ParseAutokeyField(reply.extensions()[0].field);
  if (!field.ok() || !field->has_value) return std::nullopt;
  return OpenCookie(key_.get(), field->value);
}

}  // namespace ntpward::crowd
