// The public material of two reference hosts of a capture, for fuzz targets that need a host of
// ours.
#pragma once

#include <string_view>
#include <vector>

#include "ntpd/autokey/host_state.h"

namespace ntpward::fuzz {

inline constexpr std::string_view kServerCertificate =
    "3082014a3081f5a003020102020500eeacac42300d06092a864886f70d01010405003011310f300d0603550403"
    "0c06736572766572301e170d3236313132313233343831385a170d3237313132313233343831385a3011310f30"
    "0d06035504030c06736572766572305a300d06092a864886f70d01010105000349003046024100c14db5caa472"
    "3b6b90928b8f0f47a43906248dcb9023f9b71a34e6857ff3c40d7c3c396a54e714b5d5ed98bd3de3cfd8aab11e"
    "a5aede1e0474a9fa12b74fbaaf020103a3363034300f0603551d130101ff040530030101ff300b0603551d0f04"
    "040302028430140603551d25040d300b06092b060105050730010b300d06092a864886f70d0101040500034100"
    "2732e969d58e075a64196a974916c3064933a9d8117a7e8352fc34fdcc72f0afa5dcbe2e5f768b8580068ead7e"
    "2fc0e9e69a0195e47b4a6bff2ec4abb053e3a3";
inline constexpr std::string_view kServerHostKey =
    "3046024100c14db5caa4723b6b90928b8f0f47a43906248dcb9023f9b71a34e6857ff3c40d7c3c396a54e714b5"
    "d5ed98bd3de3cfd8aab11ea5aede1e0474a9fa12b74fbaaf020103";
inline constexpr std::string_view kClientCertificate =
    "308201343081dfa003020102020500eeacac42300d06092a864886f70d01010405003011310f300d0603550403"
    "0c06636c69656e74301e170d3236313132313233343831385a170d3237313132313233343831385a3011310f30"
    "0d06035504030c06636c69656e74305a300d06092a864886f70d01010105000349003046024100bdcd267ebc83"
    "bdc28d9a6e5409a2264a41329453e59e28dc42894c8b1654664cb1f5efa0d0f54bed9773510a9bd0c47ed04c67"
    "d1a943e2243352f863500f4e05020103a320301e300f0603551d130101ff040530030101ff300b0603551d0f04"
    "0403020284300d06092a864886f70d01010405000341007427387ea7c310e4b2fbc32ac1e2c874a7497d9c8be4"
    "404b743a503a0ab689f56feb634f70d7a5b210af553eedcaf83f37613544e7dd8c58bd7a96c359201cd4";
inline constexpr std::string_view kClientHostKey =
    "3046024100bdcd267ebc83bdc28d9a6e5409a2264a41329453e59e28dc42894c8b1654664cb1f5efa0d0f54bed"
    "9773510a9bd0c47ed04c67d1a943e2243352f863500f4e05020103";
inline constexpr uint32_t kHostFilestamp = 4004293698;

inline std::vector<uint8_t> FromHex(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<uint8_t>(digit(hex[i]) << 4 | digit(hex[i + 1])));
  return bytes;
}

// `with_group`: it has what checks the proofs of group "server", of each scheme. Its values are
// signed, by nobody: nothing here checks its own signatures.
inline autokey::HostState MakeHost(std::string_view name, uint32_t status_word,
                                   std::string_view certificate, std::string_view host_key,
                                   bool with_group) {
  msg::HostMaterial material;
  material.crypto_enabled = true;
  material.status_word = status_word;
  material.host_key_filestamp = material.certificate_filestamp = NtpSeconds{kHostFilestamp};
  CHECK(material.subject.Assign(AsBytes(name)));
  CHECK(material.certificate.Assign(FromHex(certificate)));
  CHECK(material.host_public_key.Assign(FromHex(host_key)));
  for (const auto scheme :
       {msg::IdentityScheme::kIff, msg::IdentityScheme::kGq, msg::IdentityScheme::kMv}) {
    if (!with_group) break;
    msg::GroupParameters group;
    CHECK(group.group.Assign(AsBytes("server")));
    group.scheme = scheme;
    group.filestamp = NtpSeconds{kHostFilestamp};
    group.has_public = true;
    CHECK(material.groups.Push(group));
  }
  autokey::HostState host;
  CHECK(host.SetMaterial(material).ok());
  CHECK(host.DueUpdate(MonoTime{}, NtpSeconds{kHostFilestamp + 60}, true).has_value());
  msg::SignedValues values;
  values.timestamp = NtpSeconds{kHostFilestamp + 60};
  CHECK(values.certificate.Resize(64) && values.host_public_key.Resize(64));
  CHECK(values.leap.Resize(64));
  host.OnSignedValues(values);
  return host;
}

}  // namespace ntpward::fuzz
