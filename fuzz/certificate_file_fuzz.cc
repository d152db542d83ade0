// links: keys
//
// Any octets as a certificate file: refused, or a self-signed certificate with a printable subject.
#include "keys/certificate_file.h"
#include "keys/certificate_maker.h"
#include "keys/crypto_setup.h"
#include "privsep/base/text.h"

using namespace ntpward;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto crypto = keys::CryptoSetup::ForTool();
  CHECK(crypto.ok());
  const auto certificate = keys::ReadCertificateFile(Bytes(data, size));
  if (!certificate.ok()) {
    CHECK(!certificate.error().text.empty());
    return 0;
  }
  CHECK(IsPrintableName(certificate->subject));
  CHECK(certificate->not_before <= certificate->not_after && !certificate->der.empty());
  return 0;
}
