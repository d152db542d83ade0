// What net asks of the key process for Autokey, and whether its answers are well signed.
#pragma once

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include <array>
#include <string_view>
#include <vector>

#include "keys/rsa.h"
#include "tests/keys/key_data.h"
#include "tests/keys/service_harness.h"

namespace ntpward::keys::test {

inline const AddressPair kAutokeyPath{IpAddress::V4(10, 77, 0, 2), IpAddress::V4(10, 77, 0, 1)};

// The host key behind StartServer() and StartClient().
inline KeyPair ServerKey() {
  auto key = ReadRsaKey(Data("428_host_server"), AsBytes(kServerPassword));
  CHECK(key.ok());
  return std::move(key).value();
}

// Whether `signature` is `key`'s over the value as Autokey covers it (RFC 5906 section 10).
inline bool Verifies(EVP_PKEY* key, NtpSeconds timestamp, NtpSeconds filestamp, Bytes value,
                     Bytes signature) {
  std::vector<uint8_t> covered(12 + value.size());
  Writer w(covered);
  w.U32(timestamp.value), w.U32(filestamp.value), w.U32(static_cast<uint32_t>(value.size()));
  w.Put(value);
  DigestContextPtr context(EVP_MD_CTX_new());
  CHECK(EVP_DigestVerifyInit(context.get(), nullptr, EVP_md5(), nullptr, key) == 1);
  return EVP_DigestVerify(context.get(), signature.data(), signature.size(), covered.data(),
                          covered.size()) == 1;
}

// The same for an answer of StartServer()'s host.
inline bool Verifies(const msg::ValueAnswer& answer) {
  return Verifies(ServerKey().key.get(), answer.timestamp, answer.filestamp, answer.value.span(),
                  answer.signature.span());
}

inline std::vector<uint8_t> ModulusOf(const EVP_PKEY* key) {
  BigPtr n = Number();
  BIGNUM* raw = n.get();
  CHECK(EVP_PKEY_get_bn_param(key, "n", &raw) == 1);
  return NumberOctets(n.get());
}

inline msg::CookieIssue CookieRequest(uint32_t now = 1) {
  const PkeyPtr key(EVP_RSA_gen(512));
  msg::CookieIssue issue;
  issue.request = 11;
  issue.now = {now};
  issue.path = kAutokeyPath;
  Set(&issue.modulus, ModulusOf(key.get()));
  issue.exponent = 65537;
  return issue;
}

inline msg::CertificateIssue CertificateRequest(std::string_view subject) {
  const PkeyPtr key(EVP_RSA_gen(512));
  msg::CertificateIssue issue;
  issue.now = {1};
  issue.filestamp = {4004293705U};
  SetText(&issue.subject, subject);
  Set(&issue.modulus, ModulusOf(key.get()));
  issue.exponent = 65537;
  return issue;
}

// The same for a DSA key of our own making.
inline msg::CertificateIssue DsaCertificateRequest(std::string_view subject, const EVP_PKEY* key) {
  msg::CertificateIssue issue = CertificateRequest(subject);
  issue.modulus.Clear(), issue.exponent = 0;
  const auto number = [&](const char* name, auto* to) {
    BIGNUM* value = nullptr;
    CHECK(EVP_PKEY_get_bn_param(key, name, &value) == 1);
    const BigPtr owner(value);
    Set(to, NumberOctets(value));
  };
  number(OSSL_PKEY_PARAM_FFC_P, &issue.dsa.p);
  number(OSSL_PKEY_PARAM_FFC_Q, &issue.dsa.q);
  number(OSSL_PKEY_PARAM_FFC_G, &issue.dsa.g);
  number(OSSL_PKEY_PARAM_PUB_KEY, &issue.dsa.y);
  return issue;
}

// `cookie` as the server would send it to StartClient()'s host.
inline msg::CookieOpen Ciphertext(uint16_t association, uint32_t cookie) {
  std::array<uint8_t, 4> plain{};
  Writer(plain).U32(cookie);
  msg::CookieOpen open;
  open.association = {association};
  Set(&open.ciphertext, OaepEncrypt(ServerKey().key.get(), plain));
  return open;
}

// The MAC of a request under the association's cookie; empty when there is none.
inline std::vector<uint8_t> SealWith(Harness& h, uint16_t association) {
  msg::SealRequest request;
  request.association = {association};
  request.path = kAutokeyPath;
  request.key = {0x5fe916ea};
  std::vector<uint8_t> header(48, 0);
  header[0] = 0xe3;
  Set(&request.covered, header);
  h.FromNet(request);
  const Bytes mac = h.out.sealed.back().mac.span();
  return {mac.begin(), mac.end()};
}

}  // namespace ntpward::keys::test
