// ntp-keygen --renew: the certificate that a daemon uses gets a successor of its own kind, wherever
// it lies, or a reason why not.
#include "keys/renewal.h"

#include <unistd.h>

#include <algorithm>

#include "keys/gq_key.h"
#include "tests/keys/key_data.h"
#include "tests/keys/workshop.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;

OwnCertificate CertificateIn(const Workshop& w, const std::string& name) {
  auto certificate = ReadCertificateFile(AsBytes(w.Text(name)));
  assert_true(certificate.ok());
  return std::move(certificate).value();
}

// As the supervisor asks for H's usual files; more words come last.
bool Renew(Workshop* w, const std::string& host, const std::vector<std::string>& more = {}) {
  w->clock += 1000;
  return w->Run(With({"--renew-name", host, "-p", "pw", "--renew", w->path + "/ntpkey_cert_" + host,
                      "--renew-host-key", w->path + "/ntpkey_host_" + host},
                     more));
}

size_t Certificates(const Workshop& w) {
  const auto names = w.Names();
  return static_cast<size_t>(std::count_if(names.begin(), names.end(), [](const std::string& name) {
    return name.find("cert_") != std::string::npos && !name.starts_with("ntpkey_cert_");
  }));
}

void TheGroupInTheSubjectStays(void**) {
  Workshop w;
  assert_true(w.Run(With({"-T", "-I", "-s", "srv1@grp", "-p", "pw"}, kSmall)));
  auto before = w.Contents();
  assert_true(Renew(&w, "srv1"));
  const auto certificate = CertificateIn(w, "ntpkey_cert_srv1");
  assert_string_equal(certificate.subject.c_str(), "srv1@grp");
  assert_true(certificate.trusted);
  assert_string_equal(certificate.scheme.name.c_str(), "RSA-MD5");
  assert_true(certificate.filestamp == NtpFromUnix(w.clock));
  // One file more, and one link that leads elsewhere.
  auto after = w.Contents();
  assert_int_equal(after.size(), before.size() + 1);
  before.erase("ntpkey_cert_srv1");
  for (const auto& [name, text] : before) assert_true(after.at(name) == text);
}

void NoGroupIsAddedToASubject(void**) {
  Workshop w;
  assert_true(w.Run(With({"-I", "-s", "srv1", "-p", "pw"}, kSmall)));
  assert_true(Renew(&w, "srv1", {"-i", "grp"}));
  const auto certificate = CertificateIn(w, "ntpkey_cert_srv1");
  assert_string_equal(certificate.subject.c_str(), "srv1");
  assert_false(certificate.trusted);
}

void APrivateCertificateStaysPrivate(void**) {
  Workshop w;
  assert_true(w.Run(With({"-P", "-s", "srv1", "-p", "pw"}, kSmall)));
  assert_true(Renew(&w, "srv1"));
  assert_true(CertificateIn(w, "ntpkey_cert_srv1").private_use);
}

void FilesOutsideKeysdirAreRenewedWhereTheyLie(void**) {
  Workshop w, elsewhere;
  assert_true(elsewhere.Run(With({"-T", "-s", "srv1", "-p", "pw"}, kSmall)));
  elsewhere.Put("key", elsewhere.Text("ntpkey_host_srv1"));
  const std::string old = elsewhere.Text("ntpkey_cert_srv1");
  elsewhere.Put("cert", old);
  w.clock += 1000;
  assert_true(w.Run({"--renew-name", "other", "-p", "pw", "--renew", elsewhere.path + "/cert",
                     "--renew-host-key", elsewhere.path + "/key"}));
  assert_true(w.Names().empty());
  const auto certificate = CertificateIn(elsewhere, "cert");
  assert_true(certificate.trusted && certificate.filestamp == NtpFromUnix(w.clock));
  assert_string_equal(certificate.subject.c_str(), "srv1");
  const auto key = ReadRsaKey(AsBytes(elsewhere.Text("key")), AsBytes("pw"));
  assert_true(key.ok() && BelongsTo(certificate, key->key.get()));
  // What stood there is kept.
  assert_true(elsewhere.Text("cert.saved.4004294698") == old);
}

void TheSignKeyAndItsSchemeStay(void**) {
  Workshop w;
  assert_true(w.Run({"-T", "-S", "DSA", "-m", "1024", "-s", "srv1", "-p", "pw"}));
  const std::string sign = w.path + "/ntpkey_sign_srv1";
  assert_true(Renew(&w, "srv1", {"--renew-sign-key", sign}));
  const auto certificate = CertificateIn(w, "ntpkey_cert_srv1");
  assert_string_equal(certificate.scheme.name.c_str(), "DSA-SHA256");
  const auto key = ReadSignKey(AsBytes(w.Text("ntpkey_sign_srv1")), AsBytes("pw"));
  assert_true(key.ok() && BelongsTo(certificate, key->key.get()));
}

void TheGqValueIsThatOfTheKeyThatTheDaemonUses(void**) {
  Workshop w;
  assert_true(w.Run({"-T", "-G", "-s", "srv1@grp", "-p", "pw", "-m", "512", "-b", "512"}));
  assert_true(Renew(&w, "srv1"));
  const auto key = ReadGqKey(AsBytes(w.Text("ntpkey_gqkey_grp")), AsBytes("pw"));
  assert_true(key.ok());
  const auto value = NumberOctets(key->v.get());
  const auto der = CertificateIn(w, "ntpkey_cert_srv1").der;
  assert_true(std::search(der.begin(), der.end(), value.begin(), value.end()) != der.end());
}

void WhatIsNotThereIsNotMade(void**) {
  Workshop w;
  assert_false(Renew(&w, "srv1"));
  assert_true(w.error.starts_with("host key file " + w.path + "/ntpkey_host_srv1 not found"));
  assert_true(w.Names().empty());
  assert_true(w.Run(With({"-T", "-s", "srv1", "-p", "pw"}, kSmall)));
  unlink((w.path + "/ntpkey_cert_srv1").c_str());
  const auto before = w.Contents();
  assert_false(Renew(&w, "srv1"));
  assert_true(w.error.starts_with("certificate file "));
  assert_true(w.Contents() == before);
}

void ACertificateOfAnotherKeyIsRefused(void**) {
  Workshop w;
  assert_true(w.Run(With({"-T", "-s", "srv1", "-p", "pw"}, kSmall)));
  assert_true(w.Run(With({"-T", "-s", "srv2", "-p", "pw"}, kSmall)));
  const auto before = w.Contents();
  assert_false(Renew(&w, "srv1", {"--renew", w.path + "/ntpkey_cert_srv2"}));
  assert_true(w.error.find("it was made for another key") != std::string::npos);
  assert_true(w.Contents() == before);
}

// Power was lost when the link to a new host key had moved and that to its certificate had not.
void HalfOfAChangeIsMendedByTheCommandThatTheRefusalNames(void**) {
  for (const std::string subject : {"srv1", "srv1@grp"}) {
    Workshop w;
    assert_true(w.Run(With({"-T", "-s", subject, "-p", "pw"}, kSmall)));
    const std::string old = w.Link("ntpkey_cert_srv1");
    w.clock += 1000;
    assert_true(w.Run(With({"-H", "-s", subject, "-p", "pw"}, kSmall)));
    const std::string link = w.path + "/ntpkey_cert_srv1";
    assert_int_equal(unlink(link.c_str()), 0);
    assert_int_equal(symlink(old.c_str(), link.c_str()), 0);
    assert_false(Renew(&w, "srv1"));
    const std::string command = "'ntp-keygen -s " + subject + " -p PASSWORD'";
    assert_true(w.error.find(command) != std::string::npos);
    assert_true(w.Run({"-s", subject, "-p", "pw"}));
    const auto mended = CertificateIn(w, "ntpkey_cert_srv1");
    assert_string_equal(mended.subject.c_str(), subject.c_str());
    assert_true(mended.trusted);
    assert_true(Renew(&w, "srv1"));
  }
}

void AWrongPasswordAndADamagedCertificateAreRefused(void**) {
  Workshop w;
  assert_true(w.Run(With({"-T", "-s", "srv1", "-p", "pw"}, kSmall)));
  auto before = w.Contents();
  assert_false(Renew(&w, "srv1", {"-p", "other"}));
  assert_true(w.error.find("wrong password") != std::string::npos);
  assert_true(w.Contents() == before);
  w.Put("ntpkey_cert_srv1", "no certificate");
  before = w.Contents();
  assert_false(Renew(&w, "srv1"));
  assert_true(w.error.find("cannot be renewed") != std::string::npos);
  assert_true(w.Contents() == before);
  assert_int_equal(Certificates(w), 1);
}

// What the operator chose once holds for the timer's renewals, too, however many.
void TheLifetimeStays(void**) {
  for (const int days : {1, 90, 3650, 36500}) {
    Workshop w;
    assert_true(w.Run(With({"-T", "-s", "srv1", "-p", "pw", "-l", std::to_string(days)}, kSmall)));
    for (int i = 0; i < 2; ++i) assert_true(Renew(&w, "srv1"));
    const auto certificate = CertificateIn(w, "ntpkey_cert_srv1");
    assert_int_equal(certificate.not_before, w.clock);
    assert_int_equal(certificate.not_after - certificate.not_before, days * int64_t{86400});
  }
}

void ARenewalIsNothingElse(void**) {
  Workshop w;
  for (const auto& more : std::vector<std::vector<std::string>>{{"-I"}, {"-l", "365"}}) {
    assert_false(Renew(&w, "srv1", more));
    assert_true(w.error.find("nothing else") != std::string::npos);
  }
  assert_false(w.Run({"--renew", "ntpkey_cert_server"}));
  assert_false(w.Run({"--renew-host-key", "ntpkey_host_server"}));
  assert_true(w.Names().empty());
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheGroupInTheSubjectStays),
      cmocka_unit_test(NoGroupIsAddedToASubject),
      cmocka_unit_test(APrivateCertificateStaysPrivate),
      cmocka_unit_test(FilesOutsideKeysdirAreRenewedWhereTheyLie),
      cmocka_unit_test(TheSignKeyAndItsSchemeStay),
      cmocka_unit_test(TheGqValueIsThatOfTheKeyThatTheDaemonUses),
      cmocka_unit_test(WhatIsNotThereIsNotMade),
      cmocka_unit_test(ACertificateOfAnotherKeyIsRefused),
      cmocka_unit_test(HalfOfAChangeIsMendedByTheCommandThatTheRefusalNames),
      cmocka_unit_test(AWrongPasswordAndADamagedCertificateAreRefused),
      cmocka_unit_test(TheLifetimeStays),
      cmocka_unit_test(ARenewalIsNothingElse),
  };
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
