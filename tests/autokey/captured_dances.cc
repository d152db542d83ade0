#include "tests/autokey/captured_dances.h"

#include <sstream>

#include "ntpd/autokey/certificate.h"
#include "tests/support/vectors.h"

namespace ntpward::autokey::test {
namespace {

using ntpward::test::FromHex;

std::vector<CapturedDance> ReadDances() {
  const std::vector<uint8_t> file = ntpward::test::ReadFile("tests/autokey/data/dances.txt");
  std::istringstream lines{std::string(AsText(file))};
  std::vector<CapturedDance> dances;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    std::string kind, first, filestamp, hex;
    words >> kind >> first;
    if (kind == "dance") {
      dances.push_back({first, {}, {}, {}});
      continue;
    }
    CHECK(!dances.empty());
    CapturedDance& dance = dances.back();
    if (kind == "request") {
      dance.exchanges.push_back({FromHex(first), {}});
      continue;
    }
    if (kind == "pushed") {
      dance.pushed.push_back(FromHex(first));
      continue;
    }
    if (kind == "response") {
      dance.exchanges.back().response = FromHex(first);
      continue;
    }
    words >> filestamp >> hex;
    CHECK(!words.fail());
    const NtpSeconds stamp{static_cast<uint32_t>(std::stoul(filestamp))};
    if (kind == "certificate") {
      dance.hosts.push_back({first, FromHex(hex), stamp, {}, {}});
    } else {
      CHECK(kind == "host_key" && dance.hosts.back().role == first);
      dance.hosts.back().host_key = FromHex(hex);
      dance.hosts.back().host_key_filestamp = stamp;
    }
  }
  CHECK(!dances.empty());
  return dances;
}

}  // namespace

const HostFiles& CapturedDance::host(std::string_view role) const {
  for (const HostFiles& files : hosts)
    if (files.role == role) return files;
  Fatal(__FILE__, __LINE__, "no such host in the capture");
}

const Exchange& CapturedDance::exchange(uint8_t code) const {
  for (const Exchange& exchange : exchanges)
    if (exchange.code() == code) return exchange;
  Fatal(__FILE__, __LINE__, "no such exchange in the capture");
}

const std::vector<CapturedDance>& CapturedDances() {
  static const std::vector<CapturedDance> dances = ReadDances();
  return dances;
}

const CapturedDance& FindDance(std::string_view prefix) {
  for (const CapturedDance& dance : CapturedDances())
    if (std::string_view(dance.name).substr(0, prefix.size()) == prefix) return dance;
  Fatal(__FILE__, __LINE__, "no such dance");
}

msg::HostMaterial MaterialOf(const HostFiles& files, uint32_t status_word) {
  const auto certificate = ParseCertificate(files.certificate, files.certificate_filestamp);
  CHECK(certificate.ok());
  msg::HostMaterial material;
  material.crypto_enabled = true;
  CHECK(material.subject.Assign(AsBytes(certificate->subject)));
  material.status_word = status_word;
  CHECK(material.digest_name.Assign(AsBytes("md5")));
  material.host_key_filestamp = files.host_key_filestamp;
  CHECK(material.host_public_key.Assign(files.host_key));
  CHECK(material.certificate.Assign(files.certificate));
  material.certificate_filestamp = files.certificate_filestamp;
  return material;
}

}  // namespace ntpward::autokey::test
