#include "ntpd/autokey/crypto_statistics.h"

#include <cstdio>

#include "ntpd/autokey/certificate_cache.h"
#include "ntpd/autokey/status_bits.h"
#include "privsep/base/text.h"

namespace ntpward::autokey {
namespace {

std::string Number(uint32_t value) { return std::to_string(value); }

}  // namespace

std::string SetupLine(uint32_t status_word, std::string_view host) {
  return "setup " + HexNumber(status_word) + " host " + std::string(host) + " " +
         std::string(SchemeName(SchemeOf(status_word)));
}

std::string AssociationLine(AssocId own, uint32_t server_word, std::string_view server) {
  return "assoc " + Number(own.value) + " " + Number(own.value) + " host " + std::string(server) +
         " " + std::string(SchemeName(SchemeOf(server_word)));
}

std::string CertificateStatistic(std::string_view what, const Certificate& certificate) {
  uint32_t flags = kCertificateValid;
  if (certificate.trusted) flags |= kCertificateTrusted;
  if (certificate.private_use) flags |= kCertificatePrivate;
  return std::string(what) + " " + certificate.subject + " " + certificate.issuer + " " +
         HexNumber(flags) + " " + std::string(SchemeName(certificate.scheme)) + " (" +
         std::to_string(certificate.scheme) + ") fs " + Number(certificate.filestamp.value);
}

std::string IdentityLine(std::string_view scheme, std::string_view root, NtpSeconds filestamp) {
  std::string line;
  for (const char c : scheme) line += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return line + " " + std::string(root) + " fs " + Number(filestamp.value);
}

std::string CookieLine(NtpSeconds timestamp, NtpSeconds filestamp) {
  return "cook ts " + Number(timestamp.value) + " fs " + Number(filestamp.value);
}

std::string AutokeyLine(uint32_t sequence, KeyId key, NtpSeconds timestamp, NtpSeconds filestamp) {
  char text[96];
  std::snprintf(text, sizeof text, "auto seq %u key %08x ts %u fs %u", sequence, key.value,
                timestamp.value, filestamp.value);
  return text;
}

std::string LeapLine(const LeapValues& values, NtpSeconds filestamp) {
  return "leap TAI offset " + Number(values.tai) + " at " + Number(values.epoch.value) +
         " expire " + Number(values.expiry.value) + " fs " + Number(filestamp.value);
}

std::string UpdateLine(NtpSeconds timestamp) {
  return "signature update ts " + Number(timestamp.value);
}

}  // namespace ntpward::autokey
