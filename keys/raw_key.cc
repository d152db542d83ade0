#include "keys/raw_key.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "keys/der.h"
#include "keys/private_key.h"

namespace ntpward::keys {
namespace {

constexpr size_t kMaxNumberOctets = 512;
constexpr size_t kRsaNumbers = 9;  // version, n, e, d, p, q and three remainders
constexpr size_t kDsaNumbers = 6;  // version, p, q, g, public, private

using X509SigPtr = std::unique_ptr<X509_SIG, FreeWith<X509_SIG_free>>;
using Pkcs8Ptr = std::unique_ptr<PKCS8_PRIV_KEY_INFO, FreeWith<PKCS8_PRIV_KEY_INFO_free>>;

const char* TraditionalLabel(RawForm form) {
  return form == RawForm::kRsa ? PEM_STRING_RSA : PEM_STRING_DSA;
}

// What is inside the PEM block, after a traditional decryption. Empty when that fails.
LockedBytes Unwrap(const PemBlock& block, Bytes password) {
  BioPtr bio(BIO_new_mem_buf(block.pem.bytes().data(), static_cast<int>(block.pem.size())));
  CHECK(bio != nullptr);
  uint8_t* data = nullptr;
  long size = 0;
  if (PEM_bytes_read_bio_secmem(&data, &size, nullptr, block.label.c_str(), bio.get(), GivePassword,
                                &password) != 1)
    return {};
  LockedBytes out(data, data + size);
  OPENSSL_secure_clear_free(data, static_cast<size_t>(size));
  return out;
}

// DER that ends where it should.
template <typename Pointer, typename Parse>
Pointer Whole(Bytes der, Parse parse) {
  const uint8_t* at = der.data();
  Pointer out(parse(nullptr, &at, static_cast<long>(der.size())));
  if (at != der.data() + der.size()) out.reset();
  return out;
}

Pkcs8Ptr ReadPkcs8(const PemBlock& block, Bytes der, Bytes password) {
  if (block.label == PEM_STRING_PKCS8INF) return Whole<Pkcs8Ptr>(der, d2i_PKCS8_PRIV_KEY_INFO);
  const auto sealed = Whole<X509SigPtr>(der, d2i_X509_SIG);
  if (sealed == nullptr || password.empty()) return {};
  const std::string_view text = AsText(password);
  return Pkcs8Ptr(PKCS8_decrypt(sealed.get(), text.data(), static_cast<int>(text.size())));
}

using Numbers = std::optional<std::vector<BigPtr>>;

// The numbers behind the version, which is 0.
Numbers Traditional(Bytes der, size_t count) {
  Numbers all = ParseIntegers(der, count, kMaxNumberOctets, SecretNumber);
  if (!all || !BN_is_zero(all->front().get())) return std::nullopt;
  all->erase(all->begin());
  return all;
}

// Parameters and private number of a DSA key lie in two places.
Numbers DsaOfPkcs8(const X509_ALGOR* algorithm, Bytes private_number) {
  int type = 0;
  const void* parameters = nullptr;
  X509_ALGOR_get0(nullptr, &type, &parameters, algorithm);
  if (type != V_ASN1_SEQUENCE) return std::nullopt;
  const auto* sequence = static_cast<const ASN1_STRING*>(parameters);
  Numbers all = ParseIntegers(
      {ASN1_STRING_get0_data(sequence), static_cast<size_t>(ASN1_STRING_length(sequence))}, 3,
      kMaxNumberOctets, SecretNumber);
  const Numbers secret =
      ParseIntegers(AsSequence(private_number), 1, kMaxNumberOctets, SecretNumber);
  if (!all || !secret) return std::nullopt;
  all->push_back(BigPtr(BN_dup((*secret)[0].get())));
  return all;
}

Numbers FromPkcs8(const PKCS8_PRIV_KEY_INFO* key, RawForm form) {
  const ASN1_OBJECT* kind = nullptr;
  const uint8_t* data = nullptr;
  int size = 0;
  const X509_ALGOR* algorithm = nullptr;
  if (PKCS8_pkey_get0(&kind, &data, &size, &algorithm, key) != 1) return std::nullopt;
  const Bytes content(data, static_cast<size_t>(size));
  const int nid = OBJ_obj2nid(kind);
  if (form == RawForm::kRsa && nid == NID_rsaEncryption) return Traditional(content, kRsaNumbers);
  if (form == RawForm::kDsa && nid == NID_dsa) return DsaOfPkcs8(algorithm, content);
  return std::nullopt;
}

// Traditional DSA has the public number before the private one.
Numbers FromTraditional(Bytes der, RawForm form) {
  Numbers all = Traditional(der, form == RawForm::kRsa ? kRsaNumbers : kDsaNumbers);
  if (all && form == RawForm::kDsa) std::swap((*all)[3], (*all)[4]);
  return all;
}

LockedBytes Der(std::span<const BIGNUM* const> numbers) {
  const BigPtr zero = Number();
  std::vector<const BIGNUM*> all = {zero.get()};
  all.insert(all.end(), numbers.begin(), numbers.end());
  return WriteIntegers(all);
}

std::string Text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(size));
}

// PEM_ASN1_write_bio asks for the octets this way.
int CopyDer(const void* object, uint8_t** out) {
  const auto& der = *static_cast<const LockedBytes*>(object);
  if (out != nullptr) *out = std::copy(der.begin(), der.end(), *out);
  return static_cast<int>(der.size());
}

}  // namespace

Result<RawKey> ReadRawKey(const PemBlock& block, RawForm form, Bytes password) {
  const bool pkcs8 = block.label == PEM_STRING_PKCS8 || block.label == PEM_STRING_PKCS8INF;
  if (!pkcs8 && block.label != TraditionalLabel(form))
    return Fail("it holds a " + block.label + ", not " + TraditionalLabel(form));
  TRY_VOID(CheckDecryptionCost(block));
  RawKey out;
  out.weak_encryption = IsSingleDes(block);
  ERR_clear_error();
  const LockedBytes der = Unwrap(block, password);
  if (der.empty()) return Fail(WhyUnreadable(block, password, OpensslReason()));
  Numbers numbers;
  if (pkcs8) {
    const Pkcs8Ptr key = ReadPkcs8(block, der, password);
    if (key == nullptr) return Fail(WhyUnreadable(block, password, OpensslReason()));
    numbers = FromPkcs8(key.get(), form);
    out.public_lost = form == RawForm::kDsa;
  } else {
    numbers = FromTraditional(der, form);
  }
  ERR_clear_error();
  if (!numbers) return Fail("its key is damaged, or of another kind");
  out.numbers = std::move(*numbers);
  return out;
}

std::string WriteRawKey(RawForm form, std::span<const BIGNUM* const> numbers) {
  const LockedBytes der = Der(numbers);
  BioPtr bio(BIO_new(BIO_s_mem()));
  CHECK(bio != nullptr && PEM_write_bio(bio.get(), TraditionalLabel(form), "", der.data(),
                                        static_cast<long>(der.size())) > 0);
  return Text(bio.get());
}

Result<std::string> SealRawKey(RawForm form, std::span<const BIGNUM* const> numbers, Bytes password,
                               const std::string& cipher) {
  const EVP_CIPHER* algorithm = EVP_get_cipherbyname(cipher.c_str());
  if (algorithm == nullptr) return Fail("Unknown cipher " + cipher);
  const LockedBytes der = Der(numbers);
  BioPtr bio(BIO_new(BIO_s_mem()));
  CHECK(bio != nullptr);
  if (PEM_ASN1_write_bio(CopyDer, TraditionalLabel(form), bio.get(), &der, algorithm,
                         password.data(), static_cast<int>(password.size()), nullptr, nullptr) != 1)
    return Fail("cipher " + cipher + ": " + OpensslReason());
  return Text(bio.get());
}

Result<std::string> SealRsaNumbers(std::span<const BIGNUM* const> numbers, Bytes password,
                                   const std::string& cipher) {
  const LockedBytes der = Der(numbers);
  const Pkcs8Ptr plain(PKCS8_PRIV_KEY_INFO_new());
  auto* copy = static_cast<uint8_t*>(OPENSSL_malloc(der.size()));
  CHECK(plain != nullptr && copy != nullptr);
  std::copy(der.begin(), der.end(), copy);
  // It takes `copy` over, and clears it when it goes.
  CHECK(PKCS8_pkey_set0(plain.get(), OBJ_nid2obj(NID_rsaEncryption), 0, V_ASN1_NULL, nullptr, copy,
                        static_cast<int>(der.size())) == 1);
  return SealPkcs8(plain.get(), password, cipher);
}

}  // namespace ntpward::keys
