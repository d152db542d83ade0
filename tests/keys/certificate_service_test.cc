// Certificates that the key process issues: made from four values, never in our own name.
#include <openssl/x509.h>

#include "keys/key_maker.h"
#include "tests/keys/autokey_requests.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;
using msg::VerdictCode;

void IssuedCertificatesAreMadeFromFourValues(void**) {
  Harness h;
  h.StartServer();
  auto request = CertificateRequest("client");
  request.trusted = true;
  h.Ask(request);
  const auto& answer = h.LastAnswer();
  assert_true(answer.code == VerdictCode::kGood);
  assert_int_equal(answer.filestamp.value, 4004293705U);
  assert_true(Verifies(answer));
  const uint8_t* at = answer.value.span().data();
  const X509Ptr certificate(d2i_X509(nullptr, &at, static_cast<long>(answer.value.size())));
  assert_non_null(certificate.get());
  assert_int_equal(X509_verify(certificate.get(), ServerKey().key.get()), 1);
  char* names[] = {X509_NAME_oneline(X509_get_subject_name(certificate.get()), nullptr, 0),
                   X509_NAME_oneline(X509_get_issuer_name(certificate.get()), nullptr, 0)};
  assert_string_equal(names[0], "/CN=client");
  assert_string_equal(names[1], "/CN=server");
  OPENSSL_free(names[0]), OPENSSL_free(names[1]);
  // trustRoot only where the operator allows it.
  assert_int_equal(X509_get_ext_by_NID(certificate.get(), NID_ext_key_usage, -1), -1);
}

void ADsaClientGetsOneForItsKey(void**) {
  Harness h;
  h.StartServer();
  for (const int bits : {1024, 2048}) {
    const auto key = MakeDsaKey(bits);
    assert_true(key.ok());
    const auto request = DsaCertificateRequest("client", key->get());
    assert_true(request.Valid());
    h.Ask(request);
    assert_true(h.LastAnswer().code == VerdictCode::kGood);
    assert_true(Verifies(h.LastAnswer()));
    const Bytes der = h.LastAnswer().value.span();
    const uint8_t* at = der.data();
    const X509Ptr certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
    assert_non_null(certificate.get());
    assert_int_equal(X509_verify(certificate.get(), ServerKey().key.get()), 1);
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(certificate.get()), key->get()), 1);
  }
}

// ntpd-net refuses both as well; taken over, it would not.
void APrivateCertificateSignsNobodyAndGivesItsCookiesToItsGroup(void**) {
  using msg::KeyFileKind;
  Harness h;
  h.Start(
      {{KeyFileKind::kHost, "426_host_private"}, {KeyFileKind::kCertificate, "426_cert_private"}});
  assert_true(h.service.ready());
  h.Ask(CertificateRequest("client"));
  assert_true(h.LastAnswer().code == VerdictCode::kNotAllowed);
  auto cookie = CookieRequest();
  h.Ask(cookie);
  assert_true(h.LastAnswer().code == VerdictCode::kNotAllowed);
  cookie.association = {3};  // a peer's
  h.Ask(cookie);
  assert_true(h.LastAnswer().code == VerdictCode::kNotAllowed);
  const auto group = ReadRsaKey(Data("426_host_private"), AsBytes(kServerPassword));
  assert_true(group.ok());
  Set(&cookie.modulus, ModulusOf(group->key.get()));
  cookie.exponent = 3;  // as 4.2.6 makes them
  for (const uint16_t association : {uint16_t{0}, uint16_t{3}}) {
    cookie.association = {association};
    h.Ask(cookie);
    assert_true(h.LastAnswer().code == VerdictCode::kGood);
  }
}

// The message takes one key, whose numbers can be one.
void AKeyIsRsaOrDsaAndInBounds(void**) {
  const auto key = MakeDsaKey(1024);
  const auto good = DsaCertificateRequest("client", key->get());
  auto both = good;
  Set(&both.modulus, std::vector<uint8_t>(64, 0xff)), both.exponent = 3;
  assert_false(both.Valid());
  both.modulus.Clear();
  assert_false(both.Valid());
  auto neither = good;
  neither.dsa = {};
  assert_false(neither.Valid());
  auto even = good;
  even.dsa.p.span().back() &= 0xfe;
  assert_false(even.Valid());
  auto padded = good;
  padded.dsa.q.span()[0] = 0;
  assert_false(padded.Valid());
  auto small = good;
  Set(&small.dsa.p, good.dsa.p.span().first(63));
  assert_false(small.Valid());
  auto large = good;
  Set(&large.dsa.y, std::vector<uint8_t>(129, 1));
  assert_false(large.Valid());
  for (auto member : {&msg::DsaNumbers::g, &msg::DsaNumbers::y}) {
    auto lacking = good;
    (lacking.dsa.*member).Clear();
    assert_false(lacking.Valid());
  }
}

void TrustRootNeedsTheOperatorsLeave(void**) {
  Harness h;
  h.start.allow_trusted_issue = true;
  h.StartServer();
  auto request = CertificateRequest("client");
  for (const bool trusted : {false, true}) {
    request.trusted = trusted;
    h.Ask(request);
    const uint8_t* at = h.LastAnswer().value.span().data();
    const X509Ptr certificate(
        d2i_X509(nullptr, &at, static_cast<long>(h.LastAnswer().value.size())));
    assert_true((X509_get_ext_by_NID(certificate.get(), NID_ext_key_usage, -1) >= 0) == trusted);
  }
}

void NobodyGetsACertificateInOurName(void**) {
  Harness h;
  h.StartServer();
  h.Ask(CertificateRequest("server"));
  assert_true(h.LastAnswer().code == VerdictCode::kNotAllowed);
  for (const std::string& subject :
       {std::string("a b"), std::string("a\nb"), std::string("x\0y", 3), std::string("\xff")}) {
    h.Ask(CertificateRequest(subject));
    assert_true(h.LastAnswer().code == VerdictCode::kBad);
  }
}

void AnExpiredServerIssuesNothing(void**) {
  Harness h;
  h.Start({{msg::KeyFileKind::kHost, "426_host_expired"},
           {msg::KeyFileKind::kCertificate, "426_cert_expired"}});
  assert_true(h.service.ready());
  h.Ask(CertificateRequest("client"));
  assert_true(h.LastAnswer().code == VerdictCode::kNotAllowed);
  Harness unsynchronised;
  unsynchronised.StartServer();
  auto request = CertificateRequest("client");
  request.now = {0};
  unsynchronised.Ask(request);
  assert_true(unsynchronised.LastAnswer().code == VerdictCode::kNotAllowed);
}

void TheLongestCertificateFits(void**) {
  Harness h;
  h.Start({{msg::KeyFileKind::kHost, "428_host_server_2048"},
           {msg::KeyFileKind::kCertificate, "428_cert_server_sha256"}});
  assert_true(h.service.ready());
  auto request = CertificateRequest(std::string(255, 'x'));
  Set(&request.modulus, std::vector<uint8_t>(512, 0xff));
  h.Ask(request);
  // A common name ends at 64 characters in X.509; whatever OpenSSL says, nobody dies of it.
  assert_true(h.LastAnswer().code == VerdictCode::kGood ||
              h.LastAnswer().code == VerdictCode::kBad);
  SetText(&request.subject, std::string(64, 'x'));
  h.Ask(request);
  assert_true(h.LastAnswer().code == VerdictCode::kGood);
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(IssuedCertificatesAreMadeFromFourValues),
      cmocka_unit_test(ADsaClientGetsOneForItsKey),
      cmocka_unit_test(APrivateCertificateSignsNobodyAndGivesItsCookiesToItsGroup),
      cmocka_unit_test(AKeyIsRsaOrDsaAndInBounds),
      cmocka_unit_test(TrustRootNeedsTheOperatorsLeave),
      cmocka_unit_test(NobodyGetsACertificateInOurName),
      cmocka_unit_test(AnExpiredServerIssuesNothing),
      cmocka_unit_test(TheLongestCertificateFits),
  };
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
