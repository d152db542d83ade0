// OpenSSL's objects with owners. Header only, and in a folder of its own: who includes it links
// OpenSSL, and the table of tests/tools/check-includes says who may.
#pragma once

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

namespace ntpward {

// A deleter: gives the object to `Function`, whatever that returns.
template <auto Function>
struct FreeWith {
  template <typename T>
  void operator()(T* object) const {
    (void)Function(object);
  }
};

using PkeyPtr = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using DigestContextPtr = std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>>;
using X509Ptr = std::unique_ptr<X509, FreeWith<X509_free>>;
using ObjectPtr = std::unique_ptr<ASN1_OBJECT, FreeWith<ASN1_OBJECT_free>>;
using OctetStringPtr = std::unique_ptr<ASN1_OCTET_STRING, FreeWith<ASN1_OCTET_STRING_free>>;
using KeyUsagePtr = std::unique_ptr<EXTENDED_KEY_USAGE, FreeWith<EXTENDED_KEY_USAGE_free>>;
// Numbers are cleared when they go, secret or not: one type cannot be mistaken for the other.
using BigPtr = std::unique_ptr<BIGNUM, FreeWith<BN_clear_free>>;

}  // namespace ntpward
