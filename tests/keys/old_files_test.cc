// What ntp-keygen 4.2.6, 4.2.8 and 4.1 wrote: it loads, with one warning for each file that is
// weak, or is refused with words that say why and what to do.
#include <algorithm>

#include "tests/keys/key_data.h"
#include "tests/keys/service_harness.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;
using msg::KeyFileKind;

constexpr const char* kNoWarning = nullptr;

struct Row {
  const char* what;
  std::vector<FileRow> files;
  const char* password;
  const char* refused;  // words of the refusal; null: it loads
  // Words of the warning about each file, in the files' order; null: there is none.
  std::vector<const char*> warnings;
};

const FileRow kHost426{KeyFileKind::kHost, "426_host_server"};
const FileRow kCertificate426{KeyFileKind::kCertificate, "426_cert_server"};
const FileRow kHost428{KeyFileKind::kHost, "428_host_server"};
const FileRow kCertificate428{KeyFileKind::kCertificate, "428_cert_server"};
const FileRow kStrongHost{KeyFileKind::kHost, "428_host_server_2048"};
const FileRow kStrongCertificate{KeyFileKind::kCertificate, "428_cert_server_sha256"};

constexpr const char* kDes512 =
    "it is encrypted with single DES, as ntp-keygen 4.2.6 did, and a key of 512 bits can be broken";
constexpr const char* kShort = "a key of 512 bits can be broken";
constexpr const char* kMd5 = "its signature (RSA-MD5) can be forged";
constexpr const char* kDes = "it is encrypted with single DES, as ntp-keygen 4.2.6 did";
constexpr const char* kLost = "carries no public value";

const Row kRows[] = {
    {"4.2.6: RSA of 512 bits in PBES2 with single DES, RSA-MD5",
     {kHost426, kCertificate426},
     "serverpassword",
     nullptr,
     {kDes512, kMd5}},
    {"4.2.8: RSA of 512 bits, RSA-MD5",
     {kHost428, kCertificate428},
     "serverpassword",
     nullptr,
     {kShort, kMd5}},
    {"4.2.8: the same in the traditional form",
     {{KeyFileKind::kHost, "428_host_server_traditional"}, kCertificate428},
     "serverpassword",
     nullptr,
     {kShort, kMd5}},
    {"4.2.8: RSA of 2048 bits, RSA-SHA256",
     {kStrongHost, kStrongCertificate},
     "serverpassword",
     nullptr,
     {kNoWarning, kNoWarning}},
    {"4.2.6: a DSA sign key and its certificate",
     {kHost426, {KeyFileKind::kCertificate, "426_cert_dsa"}, {KeyFileKind::kSign, "426_sign_dsa"}},
     "serverpassword",
     nullptr,
     {kDes512, "its signature (DSA-SHA1) can be forged", "and a key of 1024 bits can be broken"}},
    {"4.2.6: a private certificate",
     {{KeyFileKind::kHost, "426_host_private"}, {KeyFileKind::kCertificate, "426_cert_private"}},
     "serverpassword",
     nullptr,
     {kDes512, kMd5}},
    {"4.2.6: IFF, server",
     {kHost426, kCertificate426, {KeyFileKind::kIffKey, "426_iffkey_server"}},
     "serverpassword",
     nullptr,
     {kDes512, kMd5, kDes}},
    {"4.2.8: IFF, server",
     {kHost428, kCertificate428, {KeyFileKind::kIffKey, "428_iffkey_server"}},
     "serverpassword",
     nullptr,
     {kShort, kMd5, kNoWarning}},
    {"4.2.6: GQ, server",
     {{KeyFileKind::kHost, "426_host_gq"},
      {KeyFileKind::kCertificate, "426_cert_gq"},
      {KeyFileKind::kGqKey, "426_gqkey_server"}},
     "serverpassword",
     nullptr,
     {kDes512, kMd5, kDes}},
    {"4.2.8: GQ, server",
     {kHost428, kCertificate428, {KeyFileKind::kGqKey, "428_gqkey_server"}},
     "serverpassword",
     nullptr,
     {kShort, kMd5, kNoWarning}},
    {"4.2.8: MV in PKCS#8, server: its public number is lost",
     {kHost428, kCertificate428, {KeyFileKind::kMvKey, "428_mvta_server"}},
     "serverpassword",
     "its public number was lost when it was written (PKCS#8), and it can prove nothing",
     {}},
    {"4.2.6: group keys, clients",
     {{KeyFileKind::kHost, "426_host_client"},
      {KeyFileKind::kCertificate, "426_cert_client"},
      {KeyFileKind::kIffPar, "426_iffpar_server_pkcs8", "a"},
      {KeyFileKind::kIffPar, "426_iffpar_server_traditional", "b"},
      {KeyFileKind::kGqPar, "426_gqpar_server", "c"}},
     "clientpassword",
     nullptr,
     {kDes512, kMd5, kLost, kNoWarning, kNoWarning}},
    {"4.2.8: group keys, clients",
     {{KeyFileKind::kHost, "428_host_client"},
      {KeyFileKind::kCertificate, "428_cert_client"},
      {KeyFileKind::kIffPar, "428_iffpar_server_pkcs8", "a"},
      {KeyFileKind::kIffPar, "428_iffpar_server_traditional", "b"},
      {KeyFileKind::kGqPar, "428_gqpar_server", "c"},
      {KeyFileKind::kMvPar, "mvpar_pkcs8", "d"}},
     "clientpassword",
     nullptr,
     {kShort, kMd5, kLost, kNoWarning, kNoWarning, kLost}},
    {"4.1: an RSA key in RSAREF's form, with a certificate of today",
     {{KeyFileKind::kHost, "410_ntpkey"}, {KeyFileKind::kCertificate, "410_cert"}},
     "",
     nullptr,
     {"a key of 512 bits can be broken", kNoWarning}},
    {"4.1: the public key in place of the private one",
     {{KeyFileKind::kHost, "410_ntpkey_server"}, {KeyFileKind::kCertificate, "410_cert"}},
     "",
     "the private one is the file ntpkey",
     {}},
    {"a wrong password",
     {kHost426, kCertificate426},
     "another",
     "wrong password, or it is damaged",
     {}},
};

// The warnings that name `file`; a newline after each.
std::string WarningsOf(const Recorder& out, const std::string& file) {
  std::string all;
  for (const auto& line : out.logs)
    if (line.find("/" + file + ":") != std::string::npos) all += line + "\n";
  return all;
}

void Check(const Row& row) {
  Harness h;
  h.time.Advance(86400);  // when all of them were valid
  h.Start(row.files, row.password);
  if (row.refused != nullptr) {
    assert_false(h.service.ready());
    assert_int_equal(h.out.failures.size(), 1);
    if (h.out.failures[0].find(row.refused) == std::string::npos)
      fail_msg("%s: %s", row.what, h.out.failures[0].c_str());
    return;
  }
  if (!h.service.ready()) fail_msg("%s: %s", row.what, h.out.failures[0].c_str());
  for (size_t i = 0; i < row.files.size(); ++i) {
    const std::string said = WarningsOf(h.out, row.files[i].data);
    const char* expected = row.warnings[i];
    const auto lines = std::count(said.begin(), said.end(), '\n');
    if (expected == kNoWarning ? lines != 0
                               : lines != 1 || said.find(expected) == std::string::npos)
      fail_msg("%s: %s: %s", row.what, row.files[i].data.c_str(), said.c_str());
  }
}

void EachLoadsWithOneWarningOrIsRefused(void**) {
  for (const Row& row : kRows) Check(row);
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {cmocka_unit_test(EachLoadsWithOneWarningOrIsRefused)};
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
