// Certificates that nobody honest makes: names, keys, dates and sizes out of bounds. They are
// refused wherever one can come in: as a client's to be signed, and as a server's or its issuer's.
#include <functional>

#include "privsep/base/text.h"
#include "tests/support/authority.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::autokey::test {
namespace {

using wire::AutokeyCode;
using Der = std::vector<uint8_t>;

EVP_PKEY* Key() { return TestKey::Shared(3)->pkey(); }

// A certificate of the key that signs it, changed by `change` before it is signed.
Der Made(const std::string& name, const std::function<void(X509*)>& change) {
  CertificateSpec spec;
  spec.subject = spec.issuer = name;
  spec.usages = kTrustRoot;
  const Der plain = MakeCertificate(spec, Key(), Key());
  const uint8_t* in = plain.data();
  const X509Ptr x509(d2i_X509(nullptr, &in, static_cast<long>(plain.size())));
  change(x509.get());
  CHECK(X509_sign(x509.get(), Key(), EVP_md5()) > 0);
  unsigned char* out = nullptr;
  const int size = i2d_X509(x509.get(), &out);
  CHECK(size > 0);
  Der der(out, out + size);
  OPENSSL_free(out);
  return der;
}

void SetDates(X509* x509, const std::string& not_before, const std::string& not_after) {
  for (const auto& [date, text] : {std::pair{X509_getm_notBefore(x509), &not_before},
                                   std::pair{X509_getm_notAfter(x509), &not_after}}) {
    CHECK(ASN1_STRING_set(date, text->data(), static_cast<int>(text->size())) == 1);
    date->type = text->size() > 13 ? V_ASN1_GENERALIZEDTIME : V_ASN1_UTCTIME;
  }
}

void SetName(X509* x509, int type, const std::string& octets) {
  X509_NAME* name = X509_NAME_new();
  CHECK(X509_NAME_add_entry_by_NID(name, NID_commonName, type, AsBytes(octets).data(),
                                   static_cast<int>(octets.size()), -1, 0) == 1);
  CHECK(X509_set_subject_name(x509, name) == 1 && X509_set_issuer_name(x509, name) == 1);
  X509_NAME_free(name);
}

// A modulus of that many bits, all set or, if `even`, all but the last; an exponent 2^bits + 1.
PkeyPtr OddKey(int modulus_bits, int exponent_bits, bool even = false) {
  const BigPtr n(BN_new()), e(BN_new());
  CHECK(BN_set_bit(n.get(), modulus_bits) == 1 && BN_sub_word(n.get(), even ? 2 : 1) == 1);
  CHECK(BN_set_bit(e.get(), exponent_bits) == 1 && BN_add_word(e.get(), 1) == 1);
  return RsaPublicKey(n.get(), e.get());
}

struct Hostile {
  const char* what;
  Der der;
};

std::vector<Hostile> HostileDates() {
  std::vector<Hostile> list;
  const std::string good = "261121000000Z";
  for (const char* bad : {"", "Z", "99", "261121Z", "261121234820", "261121234820+2500",
                          "261332000000Z", "260230000000Z", "261121246000Z", "-61121234820Z",
                          "2x1121234820Z", "20261121234820", "99999999999999Z", "20261121234861Z",
                          "-0261121234820Z", "100000101000000Z", "00000000000000Z"}) {
    list.push_back({bad, Made("server", [&](X509* x) { SetDates(x, bad, "271121000000Z"); })});
    list.push_back({bad, Made("server", [&](X509* x) { SetDates(x, good, bad); })});
  }
  const std::string digits(400, '9');
  list.push_back({"400 digits", Made("server", [&](X509* x) { SetDates(x, good, digits); })});
  list.push_back({"reversed", Made("server", [](X509* x) {
                    SetDates(x, "99991231235959Z", "19700101000000Z");
                  })});
  return list;
}

std::vector<Hostile> HostileNames() {
  std::vector<Hostile> list;
  const auto named = [&](const char* what, int type, const std::string& octets) {
    list.push_back({what, Made("server", [&](X509* x) { SetName(x, type, octets); })});
  };
  named("NUL", V_ASN1_UTF8STRING, std::string("server\0x", 8));
  named("terminal", V_ASN1_UTF8STRING, "\x1b[2Jserver");
  named("bidirectional", V_ASN1_UTF8STRING, "ser\xe2\x80\xaever");
  named("wide", V_ASN1_BMPSTRING, std::string("\0s\x20\x2e", 4));
  named("latin", V_ASN1_T61STRING, "serv\xe9r");
  named("line", V_ASN1_PRINTABLESTRING, "server\r\n");
  named("long", V_ASN1_UTF8STRING, std::string(256, 'x'));
  named("very long", V_ASN1_UTF8STRING, std::string(1000, 'x'));
  list.push_back({"none", Made("server", [](X509* x) {
                    X509_NAME* empty = X509_NAME_new();
                    CHECK(X509_set_subject_name(x, empty) == 1);
                    CHECK(X509_set_issuer_name(x, empty) == 1);
                    X509_NAME_free(empty);
                  })});
  list.push_back({"organisation", Made("server", [](X509* x) {
                    X509_NAME* name = X509_get_subject_name(x);
                    CHECK(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC,
                                                     AsBytes("server").data(), 6, -1, 0) == 1);
                  })});
  return list;
}

// Their owner's key is another than the one that signs, so that the names have to differ.
std::vector<Hostile> HostileKeys() {
  std::vector<Hostile> list;
  const auto keyed = [&](const char* what, const PkeyPtr& key) {
    list.push_back({what, Made("server", [&](X509* x) {
                      CHECK(X509_set_pubkey(x, key.get()) == 1);
                      SetName(x, V_ASN1_UTF8STRING, "server");
                      X509_NAME* name = X509_NAME_new();
                      X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, AsBytes("root").data(),
                                                 4, -1, 0);
                      CHECK(X509_set_issuer_name(x, name) == 1);
                      X509_NAME_free(name);
                    })});
  };
  keyed("modulus of 248 bits", OddKey(248, 16));
  keyed("modulus of 4104 bits", OddKey(4104, 16));
  keyed("modulus of 8192 bits", OddKey(8192, 16));
  keyed("even modulus", OddKey(1024, 16, true));
  keyed("exponent of 33 bits", OddKey(1024, 32));
  keyed("exponent of 64 bits", OddKey(1024, 63));
  keyed("exponent as long as the modulus", OddKey(1024, 1020));
  keyed("exponent 2", OddKey(1024, 0));
  keyed("elliptic curve", PkeyPtr(EVP_EC_gen("P-256")));
  keyed("Edwards curve", PkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")));
  return list;
}

std::vector<Hostile> HostileExtensions() {
  std::vector<Hostile> list;
  const auto extended = [&](const char* what, int nid, const std::string& octets, int times) {
    list.push_back({what, Made("server", [&](X509* x) {
                      const OctetStringPtr value(ASN1_OCTET_STRING_new());
                      ASN1_OCTET_STRING_set(value.get(), AsBytes(octets).data(),
                                            static_cast<int>(octets.size()));
                      X509_EXTENSION* made =
                          X509_EXTENSION_create_by_NID(nullptr, nid, 0, value.get());
                      for (int i = 0; i < times; ++i) CHECK(X509_add_ext(x, made, -1) == 1);
                      X509_EXTENSION_free(made);
                    })});
  };
  extended("group value twice", NID_subject_key_identifier, "\x04\x02\x11\x11", 2);
  extended("group value cut off", NID_subject_key_identifier, "\x04\x7f\x11\x11", 1);
  extended("group value without end", NID_subject_key_identifier, "\x04\x84\xff\xff\xff\xff", 1);
  extended("usage twice", NID_ext_key_usage, "\x30\x03\x06\x01\x29", 1);  // there is one already
  extended("giant", NID_netscape_comment, std::string(1800, 'x'), 1);
  return list;
}

std::vector<Hostile> AllHostile() {
  std::vector<Hostile> all;
  for (const auto& make : {HostileDates, HostileNames, HostileKeys, HostileExtensions})
    for (Hostile& one : make()) all.push_back(std::move(one));
  return all;
}

Der FieldWith(AutokeyCode code, bool response, uint32_t association, Bytes value) {
  wire::AutokeyField field;
  field.head = {response, false, static_cast<uint8_t>(code), association};
  field.has_value = true;
  field.timestamp = NtpSeconds{kTestNow};
  field.filestamp = NtpSeconds{};
  field.value = value;
  Der octets(wire::kMaxExtensionArea);
  Writer writer(octets);
  wire::EncodeAutokeyField(writer, field);
  octets.resize(writer.Finish() ? writer.size() : 0);  // some are longer than any field
  return octets;
}

void NoneOfThemIsRead(void**) {
  // What the list is made of is fine by itself.
  assert_true(ParseCertificate(Made("server", [](X509*) {}), NtpSeconds{}).ok());
  for (const Hostile& hostile : AllHostile())
    if (ParseCertificate(hostile.der, NtpSeconds{}).ok()) fail_msg("accepted: %s", hostile.what);
}

void NoneOfThemIsSignedByAServer(void**) {
  Party server("server", TestKey::Shared(0), true, kIff);
  server.Sign(kTestNow);
  const AddressPair path{IpAddress::V4(10, 77, 0, 2), IpAddress::V4(10, 77, 0, 1)};
  const ServerContext context{server.host, server.certificates, NtpSeconds{kTestNow}, true};
  for (const Hostile& hostile : AllHostile()) {
    const Der field = FieldWith(AutokeyCode::kSign, false, 1, hostile.der);
    if (field.empty()) continue;  // longer than a packet
    const ServerAnswer answer = server.side.OnRequest(field, path, context);
    if (answer.kind != ServerAnswer::Kind::kReply || answer.field[0] != 0xc2)
      fail_msg("not refused: %s", hostile.what);
  }
  assert_int_equal(server.certificates.entries().size(), 1);
}

void NoneOfThemMovesAClient(void**) {
  Party server("server", TestKey::Shared(0), true, kIff);
  Party client("client", TestKey::Shared(1), false);
  client.AddGroup("server");
  client.certificates.SetOwn(client.host.certificate());
  server.Sign(kTestNow);
  for (const Hostile& hostile : AllHostile()) {
    Meeting meeting(client, server);
    assert_true(meeting.PollUntil(AutokeyCode::kCertificate));
    const Der genuine = meeting.Answer(meeting.request.field);
    const uint32_t before = meeting.dance.flags();
    const Der field = FieldWith(AutokeyCode::kCertificate, true, 43118, hostile.der);
    if (field.empty()) continue;
    meeting.Deliver(field);
    if (meeting.last.outcome == Outcome::kOk || meeting.dance.flags() != before)
      fail_msg("taken: %s", hostile.what);
    meeting.Deliver(genuine);
    assert_int_equal(meeting.dance.flags() & kTrusted, kTrusted);
  }
  assert_int_equal(client.certificates.entries().size(), 1);
}

// Dates far away are dates: in order, and not now.
void TheFirstAndTheLastYearAreInOrder(void**) {
  struct Row {
    const char *not_before, *not_after;
    bool valid_now;
  };
  for (const Row& row : {Row{"00010101000000Z", "18991231235959Z", false},
                         Row{"18500101000000Z", "99991231235959Z", true},
                         Row{"500101000000Z", "691231235959Z", false},
                         Row{"99980101000000Z", "99991231235959Z", false},
                         Row{"700101000000Z", "491231235959Z", true}}) {
    const auto parsed = ParseCertificate(
        Made("server", [&](X509* x) { SetDates(x, row.not_before, row.not_after); }), NtpSeconds{});
    assert_true(parsed.ok());
    assert_true(parsed->not_before < parsed->not_after);
    assert_int_equal(parsed->ValidAt(Unfold(NtpSeconds{kTestNow})), row.valid_now);
    assert_int_equal(MinuteText(parsed->not_before).size(), 12);
    assert_int_equal(MinuteText(parsed->not_after).size(), 12);
  }
}

// Whatever octet is changed to whatever: refused, or within the bounds that the rest relies on.
void EveryChangedOctetKeepsTheBounds(void**) {
  CertificateSpec spec;
  spec.subject = "middle";
  spec.issuer = "root";
  spec.group_value = Der(32, 0x77);
  const Der der = MakeCertificate(spec, TestKey::Shared(1)->pkey(), TestKey::Shared(0)->pkey());
  int accepted = 0;
  for (size_t at = 0; at < der.size(); ++at) {
    for (const int octet : {0x00, 0x01, 0x30, 0x7f, 0x80, 0x84, 0xff}) {
      Der changed = der;
      changed[at] = static_cast<uint8_t>(octet);
      const auto parsed = ParseCertificate(changed, NtpSeconds{});
      if (!parsed.ok()) continue;
      ++accepted;
      assert_true(IsPrintableName(parsed->subject) && IsPrintableName(parsed->issuer));
      assert_true(parsed->not_before <= parsed->not_after);
      assert_true(parsed->der == changed);
      if (changed != der)
        assert_false(VerifyCertificate(*parsed, TestKey::Shared(0)->public_key()));
    }
  }
  assert_true(accepted > 0);
}

}  // namespace
}  // namespace ntpward::autokey::test

int main() {
  using namespace ntpward::autokey::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(NoneOfThemIsRead),
      cmocka_unit_test(NoneOfThemIsSignedByAServer),
      cmocka_unit_test(NoneOfThemMovesAClient),
      cmocka_unit_test(TheFirstAndTheLastYearAreInOrder),
      cmocka_unit_test(EveryChangedOctetKeepsTheBounds),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
