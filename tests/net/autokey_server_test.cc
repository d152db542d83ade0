// Requests with fields of Autokey, which net answers itself.
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "ntpd/net/time_server.h"
#include "tests/net/time_client.h"

namespace ntpward::net {
namespace {

using namespace ntpward::test;
using core::Access;

void AutokeysRefusalObeysTheRules(void**) {
  Harness h;
  const uint16_t port = h.Listen();
  Stranger client(kClient);
  std::vector<uint8_t> trailer(16 + 20, 0);
  Writer writer(trailer);
  writer.U16(0x0201);  // ASSOC
  writer.U16(16);
  Writer mac(MutableBytes(trailer).subspan(16));
  mac.U32(0x12345678);
  const auto ask = [&] {
    client.Send(Encoded(RequestHeader(), trailer), {kAsked, port});
    h.Spin();
    return client.Receive();
  };
  // Autokey is off here: the client should know.
  const auto nak = ask();
  assert_true(nak && wire::ParsePacket(nak->bytes)->crypto_nak);
  h.Restrict(Access::kNoServe);
  assert_false(ask().has_value());
  // It is on, and ntpd-keys has not told who we are yet: a crypto-NAK would cost the client its
  // dance.
  h.Restrict(core::AccessFlags());
  h.node.start.crypto_enabled = true;
  assert_false(ask().has_value());
}

// A host that has a key and this certificate: one that a reference host made for tests.
msg::HostMaterial Material() {
  std::FILE* file = std::fopen("tests/autokey/data/426_cert_client", "r");
  CHECK(file != nullptr);
  X509* certificate = PEM_read_X509(file, nullptr, nullptr, nullptr);
  CHECK(std::fclose(file) == 0 && certificate != nullptr);
  msg::HostMaterial material;
  material.crypto_enabled = true;
  CHECK(material.subject.Assign(AsBytes("client")) && material.digest_name.Assign(AsBytes("md5")));
  material.status_word = 0x80001;
  material.host_key_filestamp = material.certificate_filestamp = NtpSeconds{4004293698};
  uint8_t* der = nullptr;
  int size = i2d_X509(certificate, &der);
  CHECK(size > 0 && material.certificate.Assign(Bytes(der, static_cast<size_t>(size))));
  OPENSSL_free(der);
  der = nullptr;
  size = i2d_PublicKey(X509_get0_pubkey(certificate), &der);
  CHECK(size > 0 && material.host_public_key.Assign(Bytes(der, static_cast<size_t>(size))));
  OPENSSL_free(der);
  X509_free(certificate);
  return material;
}

struct AutokeyHost : Harness {
  AutokeyHost() : port(Listen()), client(kClient) {
    CHECK(node.host.SetMaterial(Material()).ok());
    node.has_material = node.start.crypto_enabled = true;
  }
  // An ASSOC request; `spoil` turns a bit of its MAC, `type` makes it another one.
  std::optional<Stranger::Got> Ask(bool spoil, uint16_t type = 0x0201) {
    std::vector<uint8_t> field(32);
    Writer writer(field);
    writer.U16(type), writer.U16(32);
    writer.U32(0), writer.U32(0), writer.U32(0x80001);
    writer.U32(6), writer.Put(AsBytes("visitr"));
    std::vector<uint8_t> packet =
        WithPublicMac({kClient, kAsked}, kKey, Encoded(RequestHeader(), field));
    if (spoil) packet.back() ^= 1;
    client.Send(packet, {kAsked, port});
    Spin();
    return client.Receive();
  }
  static constexpr KeyId kKey{0x12345678};
  uint16_t port;
  Stranger client;
};

void AutokeyFieldsAreAnsweredUnderThePublicMac(void**) {
  AutokeyHost h;
  const auto answer = h.Ask(false);
  assert_true(answer && answer->from == (SocketAddress{kAsked, h.port}));
  const auto packet = wire::ParsePacket(answer->bytes);
  assert_true(packet.ok() && packet->field_count == 1 && packet->mac.has_value());
  assert_int_equal(packet->fields[0].type, 0x8201);
  assert_true(packet->header.origin == RequestHeader().transmit);
  assert_true(packet->mac->key == AutokeyHost::kKey);
  const auto digest = h.node.PublicMac({kAsked, kClient}, AutokeyHost::kKey, packet->covered);
  assert_int_equal(packet->mac->digest.size(), digest.size());
  assert_memory_equal(packet->mac->digest.data(), digest.span().data(), digest.size());
}

void AnAutokeyFieldWithABadMacGetsACryptoNak(void**) {
  AutokeyHost h;
  const auto answer = h.Ask(true);
  assert_true(answer && answer->bytes.size() == 52);
  assert_true(wire::ParsePacket(answer->bytes)->crypto_nak);
  assert_int_equal(h.node.packets.bad_auth, 1);
}

void VersionOneIsToldAndCounted(void**) {
  AutokeyHost h;
  const auto answer = h.Ask(false, 0x0101);
  assert_true(answer.has_value());
  const auto packet = wire::ParsePacket(answer->bytes);
  assert_true(packet.ok() && packet->field_count == 1 && packet->mac.has_value());
  assert_int_equal(packet->fields[0].type, 0xc101);
  assert_int_equal(packet->fields[0].field.size(), 8);
  assert_int_equal(h.node.packets.autokey_version_1, 1);
  // Answers and errors of that version are answered by nobody, nor are versions that are none.
  constexpr uint16_t kOthers[] = {0x8101, 0x4101, 0xc101, 0x0001, 0x0301};
  for (const uint16_t type : kOthers) assert_false(h.Ask(false, type).has_value());
  assert_true(h.Ask(true, 0x0101)->bytes.size() == 52);  // a bad MAC
  assert_int_equal(h.node.packets.autokey_version_1, 1);
  h.Restrict(Access::kNoServe);
  assert_false(h.Ask(false, 0x0101).has_value());
  assert_int_equal(h.node.packets.autokey_version_1, 1);
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AutokeysRefusalObeysTheRules),
      cmocka_unit_test(AutokeyFieldsAreAnsweredUnderThePublicMac),
      cmocka_unit_test(AnAutokeyFieldWithABadMacGetsACryptoNak),
      cmocka_unit_test(VersionOneIsToldAndCounted),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
