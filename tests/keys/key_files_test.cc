// Key files of the reference's two generations are read; damaged and hostile ones are refused.
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "keys/certificate_file.h"
#include "keys/iff_key.h"
#include "keys/private_key.h"
#include "tests/keys/key_data.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;
using ntpward::test::ToHex;

const Bytes kPassword = AsBytes(kServerPassword);

Result<KeyPair> Host(const std::string& text, std::string_view password = kServerPassword) {
  return ReadRsaKey(AsBytes(text), AsBytes(password));
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

void ReadsHostKeysOfBothGenerations(void**) {
  const auto old_key = ReadRsaKey(Data("426_host_server"), kPassword);
  assert_true(old_key.ok());
  assert_int_equal(old_key->filestamp.value, 4004293698U);
  assert_string_equal(old_key->name.c_str(), "ntpkey_RSAhost_server.4004293698");
  assert_true(old_key->weak_encryption);
  assert_int_equal(old_key->octets(), 64);
  const auto new_key = ReadRsaKey(Data("428_host_server"), kPassword);
  assert_true(new_key.ok());
  assert_false(new_key->weak_encryption);
  assert_true(ReadRsaKey(Data("428_host_server_2048"), kPassword).ok());
}

void ReadsTheTraditionalForm(void**) {
  const auto pkcs8 = ReadRsaKey(Data("428_host_server"), kPassword);
  const auto traditional = ReadRsaKey(Data("428_host_server_traditional"), kPassword);
  assert_true(traditional.ok());
  assert_true(pkcs8->PublicDer() == traditional->PublicDer());
}

void SaysThatThePasswordIsWrong(void**) {
  for (const char* file : {"426_host_server", "428_host_server", "428_host_server_traditional"}) {
    const auto wrong = ReadRsaKey(Data(file), AsBytes("nonsense"));
    assert_false(wrong.ok());
    assert_non_null(strstr(wrong.error().text.c_str(), "wrong password"));
    const auto none = ReadRsaKey(Data(file), {});
    assert_false(none.ok());
    assert_non_null(strstr(none.error().text.c_str(), "there is no password"));
  }
}

void MailAndTerminalsDoNoHarm(void**) {
  const std::string text = DataText("428_host_server");
  const auto plain = Host(text);
  for (const std::string& mangled :
       {Replaced(text, "\n", "\r\n"), Replaced("\n" + text, "\n", "\n    "),
        Replaced(text, "\n", "\n\n"),
        "Here is the key, see you.\n\n" + text + "\n-- \nA. User\n"}) {
    const auto read = Host(mangled);
    assert_true(read.ok());
    assert_int_equal(read->filestamp.value, plain->filestamp.value);
    assert_true(read->PublicDer() == plain->PublicDer());
  }
}

void LineLengthsDoNotMatter(void**) {
  // All base64 in one line, as some tools paste it.
  std::string text = DataText("428_host_server"), joined;
  bool inside = false;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    const bool mark = line.starts_with("-----");
    if (mark && inside) joined += "\n";
    joined += line + (inside && !mark ? "" : "\n");
    if (mark) inside = !inside;
    at = end + 1;
  }
  assert_true(joined.size() < text.size());
  assert_true(Host(joined).ok());
}

void TheNumberBehindTheLastDotIsTheFilestamp(void**) {
  const std::string body =
      DataText("428_host_server").substr(strlen("# ntpkey_RSAhost_server.4004293699"));
  assert_int_equal(Host("# ntpkey_RSAhost_my.host.example.17" + body)->filestamp.value, 17);
  for (const char* bad :
       {"# no stamp", "# a.", "# a.x", "# a.12x", "# a.0", "# a.4294967296", "a.17"}) {
    const auto read = Host(bad + body);
    assert_false(read.ok());
    assert_non_null(strstr(read.error().text.c_str(), "filestamp"));
  }
}

void EveryTruncationIsRefused(void**) {
  for (const char* file :
       {"426_iffkey_server", "428_iffpar_server_traditional", "428_cert_server"}) {
    const std::string text = DataText(file);
    const size_t whole = text.rfind("-----\n") + strlen("-----");
    for (size_t size = 0; size < whole; ++size) {
      const Bytes part = AsBytes(std::string_view(text).substr(0, size));
      assert_false(ReadIffKey(part, kPassword).ok());
      assert_false(ReadCertificateFile(part).ok());
      assert_false(ReadRsaKey(part, kPassword).ok());
    }
  }
}

void OneFlippedBitNeverPassesAsAnotherKey(void**) {
  const std::string text = DataText("428_iffpar_server_traditional");
  const auto whole = ReadIffKey(AsBytes(text), {});
  assert_true(whole.ok());
  const size_t begin = text.find("KEY-----") + 9, end = text.rfind("-----END");
  size_t refused = 0, tried = 0;
  for (size_t at = begin; at < end; ++at, ++tried) {
    std::string damaged = text;
    damaged[at] = damaged[at] == 'A' ? 'B' : 'A';
    refused += !ReadIffKey(AsBytes(damaged), {}).ok();
  }
  // The last character before the padding may hold unused bits; line ends become a character too
  // many.
  assert_true(refused + 3 >= tried);
}

void KnowsWhetherAGroupKeyCanProve(void**) {
  for (const char* generation : {"426", "428"}) {
    const std::string prefix = generation;
    const auto server = ReadIffKey(Data(prefix + "_iffkey_server"), kPassword);
    const auto with = ReadIffKey(Data(prefix + "_iffpar_server_traditional"), {});
    const auto without = ReadIffKey(Data(prefix + "_iffpar_server_pkcs8"), {});
    assert_true(server.ok() && with.ok() && without.ok());
    assert_true(server->has_secret() && server->has_public());
    assert_true(!with->has_secret() && with->has_public());
    assert_true(!without->has_secret() && !without->has_public());
    assert_int_equal(server->challenge_size(), 20);
    assert_int_equal(server->filestamp.value, with->filestamp.value);
    // v computed from the server's file is the v that clients verified with.
    assert_int_equal(BN_cmp(server->v.get(), with->v.get()), 0);
  }
}

void ReExportsWithThePublicValue(void**) {
  const auto server = ReadIffKey(Data("428_iffkey_server"), kPassword);
  const std::string text = "# ntpkey_iffpar_server.4004293699\n\n" + WriteIffParameters(*server);
  const auto client = ReadIffKey(AsBytes(text), {});
  assert_true(client.ok());
  assert_true(client->has_public() && !client->has_secret());
  assert_int_equal(BN_cmp(client->v.get(), server->v.get()), 0);
}

void RefusesAPublicValueOutsideItsGroup(void**) {
  auto key = ReadIffKey(Data("428_iffpar_server_traditional"), {});
  assert_true(key.ok());
  BN_add_word(key->v.get(), 1);
  const std::string text = "# a.5\n" + WriteIffParameters(*key);
  assert_false(ReadIffKey(AsBytes(text), {}).ok());
}

void ReadsTheHostsCertificate(void**) {
  const auto certificate = ReadCertificateFile(Data("426_cert_server"));
  assert_true(certificate.ok());
  assert_string_equal(certificate->subject.c_str(), "server");
  assert_int_equal(certificate->scheme.nid, 8);
  assert_string_equal(certificate->scheme.name.c_str(), "RSA-MD5");
  assert_true(certificate->trusted);
  assert_false(certificate->private_use);
  assert_int_equal(certificate->not_before, 4004293698LL - kUnixToNtpSeconds);
  assert_int_equal(certificate->not_after - certificate->not_before, 365 * 86400);
  assert_int_equal(certificate->der.size(), 334);
  assert_true(BelongsTo(*certificate, ReadRsaKey(Data("426_host_server"), kPassword)->key.get()));
  assert_false(BelongsTo(*certificate, ReadRsaKey(Data("428_host_server"), kPassword)->key.get()));
  assert_int_equal(ReadCertificateFile(Data("428_cert_server_sha256"))->scheme.nid, 668);
  assert_string_equal(ReadCertificateFile(Data("428_cert_group"))->subject.c_str(), "server@grp");
  assert_true(ReadCertificateFile(Data("428_cert_private"))->private_use);
  assert_true(ReadCertificateFile(Data("426_cert_dsa"))->scheme.dsa);
}

void KnowsWhenACertificateExpired(void**) {
  const auto certificate = ReadCertificateFile(Data("426_cert_expired"));
  assert_true(certificate.ok());
  assert_false(certificate->ExpiredAt(certificate->not_after));
  assert_true(certificate->ExpiredAt(certificate->not_after + 1));
  assert_true(certificate->NotYetValidAt(certificate->not_before - 1));
}

// The same PKCS#8 with another number of PBKDF2's rounds.
std::string WithRounds(const std::string& pem, uint32_t rounds) {
  BioPtr in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const std::unique_ptr<X509_SIG, FreeWith<X509_SIG_free>> sealed(
      PEM_read_bio_PKCS8(in.get(), nullptr, nullptr, nullptr));
  X509_ALGOR* algorithm = nullptr;
  ASN1_OCTET_STRING* digest = nullptr;
  X509_SIG_getm(sealed.get(), &algorithm, &digest);
  const void* parameter = nullptr;
  int type = 0;
  X509_ALGOR_get0(nullptr, &type, &parameter, algorithm);
  const std::unique_ptr<PBE2PARAM, FreeWith<PBE2PARAM_free>> pbe(static_cast<PBE2PARAM*>(
      ASN1_item_unpack(static_cast<const ASN1_STRING*>(parameter), ASN1_ITEM_rptr(PBE2PARAM))));
  X509_ALGOR_get0(nullptr, &type, &parameter, pbe->keyfunc);
  const std::unique_ptr<PBKDF2PARAM, FreeWith<PBKDF2PARAM_free>> kdf(static_cast<PBKDF2PARAM*>(
      ASN1_item_unpack(static_cast<const ASN1_STRING*>(parameter), ASN1_ITEM_rptr(PBKDF2PARAM))));
  CHECK(ASN1_INTEGER_set_uint64(kdf->iter, rounds) == 1);
  const auto replace = [](X509_ALGOR* to, void* object, const ASN1_ITEM* item) {
    ASN1_STRING* packed = ASN1_item_pack(object, item, nullptr);
    const ASN1_OBJECT* name = nullptr;
    X509_ALGOR_get0(&name, nullptr, nullptr, to);
    CHECK(X509_ALGOR_set0(to, OBJ_dup(name), V_ASN1_SEQUENCE, packed) == 1);
  };
  replace(pbe->keyfunc, kdf.get(), ASN1_ITEM_rptr(PBKDF2PARAM));
  replace(algorithm, pbe.get(), ASN1_ITEM_rptr(PBE2PARAM));
  BioPtr out(BIO_new(BIO_s_mem()));
  CHECK(PEM_write_bio_PKCS8(out.get(), sealed.get()) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

void ASignKeyMayBeDsaAndAHostKeyMayNot(void**) {
  const auto sign = ReadSignKey(Data("426_sign_dsa"), AsBytes(kServerPassword));
  assert_true(sign.ok() && sign->is_dsa() && sign->weak_encryption);
  assert_true(BelongsTo(*ReadCertificateFile(Data("426_cert_dsa")), sign->key.get()));
  assert_false(ReadRsaKey(Data("426_sign_dsa"), AsBytes(kServerPassword)).ok());
  assert_true(ReadSignKey(Data("428_host_server"), AsBytes(kServerPassword)).ok());
  // A group's key has the form of DSA, but no public number that belongs to it.
  assert_false(ReadSignKey(Data("428_iffpar_server_traditional"), {}).ok());
}

// Who sends a file can make its reader work for years, unless that is bounded.
void RefusesEndlessKeyDerivation(void**) {
  const PkeyPtr key(EVP_RSA_gen(512));
  const auto sealed = WritePrivateKey(key.get(), AsBytes("pw"), "aes-128-cbc");
  const std::string header = "# ntpkey_RSAhost_h.4004293699\n";
  assert_true(ReadRsaKey(AsBytes(header + *sealed), AsBytes("pw")).ok());
  assert_true(ReadRsaKey(AsBytes(header + WithRounds(*sealed, 100000)), AsBytes("pw")).ok());
  for (const uint32_t rounds : {0x7fffffffU, 10000001U}) {
    const auto refused = ReadRsaKey(AsBytes(header + WithRounds(*sealed, rounds)), AsBytes("pw"));
    assert_false(refused.ok());
    assert_non_null(strstr(refused.error().text.c_str(), "rounds"));
  }
}

void RefusesCertificatesThatCannotServe(void**) {
  assert_false(ReadCertificateFile(Data("428_host_server")).ok());
  // A filestamp later than the certificate's own beginning.
  const auto late = ReadCertificateFile(
      AsBytes(Replaced(DataText("428_cert_server"), ".4004293699", ".4004293999")));
  assert_false(late.ok());
  assert_non_null(strstr(late.error().text.c_str(), "filestamp"));
  // One changed octet of the certificate breaks its own signature.
  std::string text = DataText("428_cert_server");
  char& digit = text[text.rfind("\n-----END") - 30];
  digit = digit == 'A' ? 'B' : 'A';
  assert_false(ReadCertificateFile(AsBytes(text)).ok());
}

void RefusesKeysOfTheWrongKind(void**) {
  assert_false(ReadRsaKey(Data("426_sign_dsa"), kPassword).ok());
  assert_false(ReadRsaKey(Data("428_cert_server"), kPassword).ok());
  assert_false(ReadIffKey(Data("428_host_server"), kPassword).ok());
}

void WrittenKeysAreReadBack(void**) {
  const auto key = ReadRsaKey(Data("428_host_server"), kPassword);
  const auto text = WritePrivateKey(key->key.get(), AsBytes("new word"), "aes-256-cbc");
  assert_true(text.ok());
  const auto again = ReadRsaKey(AsBytes("# h.9\n" + *text), AsBytes("new word"));
  assert_true(again.ok());
  assert_true(again->PublicDer() == key->PublicDer());
  assert_false(ReadRsaKey(AsBytes("# h.9\n" + *text), AsBytes("new worm")).ok());
  assert_false(WritePrivateKey(key->key.get(), AsBytes("x"), "rot13").ok());
}

void RefusesOversizedFiles(void**) {
  std::string text = DataText("428_cert_server");
  text.append(kMaxKeyText, ' ');
  assert_false(ReadCertificateFile(AsBytes(text)).ok());
  std::string many = "# a.5\n";
  for (size_t i = 0; i <= kMaxPemBlocks; ++i) many += "-----BEGIN X-----\nAAAA\n-----END X-----\n";
  assert_false(ParseKeyText(AsBytes(many)).ok());
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ReadsHostKeysOfBothGenerations),
      cmocka_unit_test(ReadsTheTraditionalForm),
      cmocka_unit_test(SaysThatThePasswordIsWrong),
      cmocka_unit_test(MailAndTerminalsDoNoHarm),
      cmocka_unit_test(LineLengthsDoNotMatter),
      cmocka_unit_test(TheNumberBehindTheLastDotIsTheFilestamp),
      cmocka_unit_test(EveryTruncationIsRefused),
      cmocka_unit_test(OneFlippedBitNeverPassesAsAnotherKey),
      cmocka_unit_test(KnowsWhetherAGroupKeyCanProve),
      cmocka_unit_test(ReExportsWithThePublicValue),
      cmocka_unit_test(RefusesAPublicValueOutsideItsGroup),
      cmocka_unit_test(ReadsTheHostsCertificate),
      cmocka_unit_test(KnowsWhenACertificateExpired),
      cmocka_unit_test(ASignKeyMayBeDsaAndAHostKeyMayNot),
      cmocka_unit_test(RefusesEndlessKeyDerivation),
      cmocka_unit_test(RefusesCertificatesThatCannotServe),
      cmocka_unit_test(RefusesKeysOfTheWrongKind),
      cmocka_unit_test(WrittenKeysAreReadBack),
      cmocka_unit_test(RefusesOversizedFiles),
  };
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
