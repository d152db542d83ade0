#include "tests/bench/traffic.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "keys/farm_seeds.h"
#include "keys/key_maker.h"
#include "ntpd/wire/extension_field.h"
#include "tests/support/autokey_client.h"

namespace ntpward::bench {
namespace {

using namespace ntpward::test;

constexpr uint32_t kAssociation = 1;

class Plain : public Traffic {
 public:
  void Request(Writer& writer, uint64_t nonce) override { PutClientHeader(writer, nonce); }
  bool Accepts(Bytes reply) override { return reply.size() == wire::kHeaderSize; }
};

class Symmetric : public Traffic {
 public:
  Symmetric(KeyId id, keys::MacAlgorithm algorithm, std::vector<uint8_t> secret)
      : id_(id), algorithm_(std::move(algorithm)), secret_(std::move(secret)) {}

  void Request(Writer& writer, uint64_t nonce) override {
    PutClientHeader(writer, nonce);
    wire::EncodeMac(writer, {id_, algorithm_.Compute(secret_, writer.written()).span()});
  }
  bool Accepts(Bytes reply) override {
    const auto packet = wire::ParsePacket(reply);
    return packet.ok() && packet->mac && packet->mac->key == id_ &&
           EqualConstantTime(packet->mac->digest,
                             algorithm_.Compute(secret_, packet->covered).span());
  }

 private:
  KeyId id_;
  keys::MacAlgorithm algorithm_;
  std::vector<uint8_t> secret_;
};

class Autokey : public Traffic {
 public:
  Autokey(const AddressPair& path, uint32_t cookie)
      : path_(path), cookie_(cookie), hasher_(Must(keys::SessionKeyHasher::Create())) {}

  void Request(Writer& writer, uint64_t nonce) override {
    PutClientHeader(writer, nonce);
    PutSessionMac(writer, hasher_, path_, cookie_);
  }
  bool Accepts(Bytes reply) override {
    const auto packet = wire::ParsePacket(reply);
    return packet.ok() && HasSessionMac(*packet, hasher_, path_, cookie_);
  }

 private:
  AddressPair path_;
  uint32_t cookie_;
  keys::SessionKeyHasher hasher_;
};

}  // namespace

std::unique_ptr<Traffic> PlainTraffic() { return std::make_unique<Plain>(); }

std::unique_ptr<Traffic> SymmetricTraffic(const std::string& key) {
  const size_t type = key.find(':');
  const size_t hex = key.rfind(':');
  if (type == std::string::npos || hex <= type) return nullptr;
  auto algorithm = keys::MacAlgorithm::Create(key.substr(type + 1, hex - type - 1));
  if (!algorithm.ok()) return nullptr;
  std::vector<uint8_t> secret;
  for (size_t at = hex + 1; at + 1 < key.size(); at += 2)
    secret.push_back(static_cast<uint8_t>(std::strtoul(key.substr(at, 2).c_str(), nullptr, 16)));
  const KeyId id{static_cast<uint32_t>(std::strtoul(key.c_str(), nullptr, 10))};
  return std::make_unique<Symmetric>(id, std::move(algorithm).value(), std::move(secret));
}

std::optional<uint32_t> FarmSeed(const std::string& path, int64_t epochs_ago) {
  constexpr uint8_t kRevoke = 17;
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  auto secret = keys::ParseFarmFile(AsBytes(text));
  if (!secret.ok()) return std::nullopt;
  const int64_t then = time(nullptr) - epochs_ago * (int64_t{1} << kRevoke);
  return keys::FarmSeeds(std::move(secret).value(), kRevoke).Newest(then);
}

uint32_t CookieOf(const AddressPair& path, uint32_t seed) {
  return Must(keys::SessionKeyHasher::Create()).Derive(path, KeyId{0}, seed).next().value;
}

std::unique_ptr<Traffic> AutokeyTraffic(const AddressPair& path, uint32_t cookie) {
  return std::make_unique<Autokey>(path, cookie);
}

CookieTraffic::CookieTraffic(const AddressPair& path)
    : path_(path),
      hasher_(Must(keys::SessionKeyHasher::Create())),
      key_(Must(keys::MakeRsaKey(2048))) {
  const std::vector<uint8_t> public_key = PublicDerOf(key_.get());
  // Servers do not check the signature of a public key, whose owner they do not know; 4.2.8 wants
  // one that is there, and times that are not in the future.
  const std::vector<uint8_t> signature(256, 1);
  wire::AutokeyField field;
  field.head = {false, false, static_cast<uint8_t>(wire::AutokeyCode::kCookie), kAssociation};
  field.has_value = true;
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  field.timestamp = field.filestamp = {NtpTimestamp::FromUnix(now).seconds()};
  field.value = public_key;
  field.signature = signature;
  field_.resize(wire::AutokeyFieldSize(public_key.size(), signature.size()));
  Writer writer(field_);
  wire::EncodeAutokeyField(writer, field);
  CHECK(writer.Finish());
}

void CookieTraffic::Request(Writer& writer, uint64_t nonce) {
  PutClientHeader(writer, nonce);
  writer.Put(field_);
  PutSessionMac(writer, hasher_, path_, 0);
}

bool CookieTraffic::Accepts(Bytes reply) {
  const auto packet = wire::ParsePacket(reply);
  if (!packet.ok() || packet->field_count == 0) return false;
  answer_.clear();
  const auto field = wire::ParseAutokeyField(packet->extensions()[0].field);
  if (field.ok() && field->has_value) answer_.assign(field->value.begin(), field->value.end());
  return true;
}

std::optional<uint32_t> CookieTraffic::Cookie() const { return OpenCookie(key_.get(), answer_); }

}  // namespace ntpward::bench
