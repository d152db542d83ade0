#include "ntpd/autokey/certificate.h"

#include <time.h>

#include <algorithm>
#include <optional>

#include "ntpd/autokey/quiet_errors.h"
#include "privsep/base/text.h"
#include "privsep/openssl/owners.h"

namespace ntpward::autokey {
namespace {

// The reference marks certificates with these as the only extended key usage.
constexpr char kTrustRootUsage[] = "1.3.6.1.5.5.7.48.1.11";
constexpr char kPrivateUsage[] = "1.3.6.1.4";

X509Ptr Decode(Bytes der) {
  const uint8_t* in = der.data();
  X509Ptr x509(d2i_X509(nullptr, &in, static_cast<long>(der.size())));
  if (x509 && in != der.data() + der.size()) x509.reset();
  return x509;
}

// The reference takes what follows the first "CN=" of the printed name, which lets one name be
// written as another; here a name is one common name and nothing else, as ntp-keygen makes them.
std::optional<std::string> CommonName(const X509_NAME* name) {
  if (X509_NAME_entry_count(name) != 1) return std::nullopt;
  const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, 0);
  if (OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)) != NID_commonName) return std::nullopt;
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(entry));
  if (size < 0) return std::nullopt;
  std::string text(AsText(Bytes(utf8, static_cast<size_t>(size))));
  OPENSSL_free(utf8);
  if (!IsPrintableName(text)) return std::nullopt;
  return text;
}

std::optional<CalendarSeconds> Date(const ASN1_TIME* time) {
  tm utc{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &utc) != 1) return std::nullopt;
  return static_cast<CalendarSeconds>(timegm(&utc)) + CalendarSeconds{kUnixToNtpSeconds};
}

bool FillSerial(const X509* x509, Certificate& certificate) {
  const BigPtr serial(ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), nullptr));
  if (!serial) return false;
  if (!certificate.serial.Resize(static_cast<size_t>(BN_num_bytes(serial.get())))) return false;
  BN_bn2bin(serial.get(), certificate.serial.span().data());
  return true;
}

bool IsUsage(const ASN1_OBJECT* usage, const char* dotted) {
  const ObjectPtr wanted(OBJ_txt2obj(dotted, 1));
  return wanted && OBJ_cmp(usage, wanted.get()) == 0;
}

// An extension that is there twice, or cannot be read, is refused: which one counts would depend on
// the reader.
bool FillUsage(const X509* x509, Certificate& certificate) {
  int critical = 0;
  const KeyUsagePtr usages(static_cast<EXTENDED_KEY_USAGE*>(
      X509_get_ext_d2i(x509, NID_ext_key_usage, &critical, nullptr)));
  if (!usages) return critical == -1;
  if (sk_ASN1_OBJECT_num(usages.get()) != 1) return true;
  const ASN1_OBJECT* usage = sk_ASN1_OBJECT_value(usages.get(), 0);
  certificate.trusted = IsUsage(usage, kTrustRootUsage);
  certificate.private_use = IsUsage(usage, kPrivateUsage);
  return true;
}

bool FillGroupValue(const X509* x509, Certificate& certificate) {
  int critical = 0;
  const OctetStringPtr value(static_cast<ASN1_OCTET_STRING*>(
      X509_get_ext_d2i(x509, NID_subject_key_identifier, &critical, nullptr)));
  if (!value) return critical == -1;
  return certificate.group_value.Assign(Bytes(
      ASN1_STRING_get0_data(value.get()), static_cast<size_t>(ASN1_STRING_length(value.get()))));
}

bool FillNamesAndDates(const X509* x509, NtpSeconds filestamp, Certificate& certificate) {
  const auto subject = CommonName(X509_get_subject_name(x509));
  const auto issuer = CommonName(X509_get_issuer_name(x509));
  const auto not_before = Date(X509_get0_notBefore(x509));
  const auto not_after = Date(X509_get0_notAfter(x509));
  if (!subject || !issuer || !not_before || !not_after || *not_before > *not_after) return false;
  if (filestamp.value != 0 && *not_before < Unfold(filestamp)) return false;
  certificate.subject = *subject;
  certificate.issuer = *issuer;
  certificate.not_before = *not_before;
  certificate.not_after = *not_after;
  certificate.filestamp = filestamp;
  return true;
}

}  // namespace

Result<Certificate, Outcome> ParseCertificate(Bytes der, NtpSeconds filestamp) {
  const QuietErrors quiet;
  if (der.empty() || der.size() > msg::kMaxCertificate) return Fail(Outcome::kCertificate);
  const X509Ptr x509 = Decode(der);
  if (!x509) return Fail(Outcome::kCertificate);

  Certificate certificate;
  certificate.scheme = X509_get_signature_nid(x509.get());
  if (!IsKnownScheme(certificate.scheme) || !FillSerial(x509.get(), certificate) ||
      !FillNamesAndDates(x509.get(), filestamp, certificate) ||
      !FillUsage(x509.get(), certificate) || !FillGroupValue(x509.get(), certificate))
    return Fail(Outcome::kCertificate);
  EVP_PKEY* pkey = X509_get0_pubkey(x509.get());
  auto key = pkey == nullptr ? std::nullopt : PublicKeyOf(pkey);
  if (!key) return Fail(Outcome::kPublicKey);
  certificate.key = std::move(*key);
  certificate.der.assign(der.begin(), der.end());
  if (certificate.self_signed() && X509_verify(x509.get(), pkey) != 1)
    return Fail(Outcome::kCertificate);
  return certificate;
}

bool VerifyCertificate(const Certificate& certificate, const PublicKey& issuer) {
  const QuietErrors quiet;
  const X509Ptr x509 = Decode(certificate.der);
  const PkeyPtr pkey = PkeyOf(issuer);
  return x509 && pkey && X509_verify(x509.get(), pkey.get()) == 1;
}

}  // namespace ntpward::autokey
