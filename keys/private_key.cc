#include "keys/private_key.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "keys/rsaref.h"

namespace ntpward::keys {
namespace {

// Slows down a search for the password; 4.2.8 uses 2048.
constexpr int kPbkdf2Rounds = 100000;
constexpr int kSaltOctets = 16;
// Some seconds of work.
constexpr int64_t kMaxRounds = 10000000;

constexpr std::string_view kEncryptedLabel = "ENCRYPTED PRIVATE KEY";

using X509SigPtr = std::unique_ptr<X509_SIG, FreeWith<X509_SIG_free>>;
using Pkcs8Ptr = std::unique_ptr<PKCS8_PRIV_KEY_INFO, FreeWith<PKCS8_PRIV_KEY_INFO_free>>;
using AlgorithmPtr = std::unique_ptr<X509_ALGOR, FreeWith<X509_ALGOR_free>>;

BioPtr ReadOnly(Bytes bytes) {
  BioPtr bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
  CHECK(bio != nullptr);
  return bio;
}

// How a PKCS#8 block is encrypted.
struct Encryption {
  int cipher = NID_undef;
  int64_t rounds = 0;  // of PBKDF2, or of the older PBES1
};

template <typename T, typename Free>
std::unique_ptr<T, Free> Unpacked(const X509_ALGOR* algorithm, const ASN1_ITEM* item) {
  int type = 0;
  const void* parameter = nullptr;
  X509_ALGOR_get0(nullptr, &type, &parameter, algorithm);
  if (type != V_ASN1_SEQUENCE) return {};
  return std::unique_ptr<T, Free>(
      static_cast<T*>(ASN1_item_unpack(static_cast<const ASN1_STRING*>(parameter), item)));
}

int64_t Rounds(const ASN1_INTEGER* number) {
  int64_t rounds = 0;
  return ASN1_INTEGER_get_int64(&rounds, number) == 1 ? rounds : INT64_MAX;
}

int Nid(const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* object = nullptr;
  X509_ALGOR_get0(&object, nullptr, nullptr, algorithm);
  return OBJ_obj2nid(object);
}

Encryption Pkcs8Encryption(const PemBlock& block) {
  BioPtr bio = ReadOnly(block.pem.bytes());
  X509SigPtr sealed(PEM_read_bio_PKCS8(bio.get(), nullptr, nullptr, nullptr));
  if (sealed == nullptr) return {};
  const X509_ALGOR* algorithm = nullptr;
  X509_SIG_get0(sealed.get(), &algorithm, nullptr);
  if (Nid(algorithm) != NID_pbes2) {
    const auto pbe =
        Unpacked<PBEPARAM, FreeWith<PBEPARAM_free>>(algorithm, ASN1_ITEM_rptr(PBEPARAM));
    return {NID_undef, pbe == nullptr ? 0 : Rounds(pbe->iter)};
  }
  const auto pbe =
      Unpacked<PBE2PARAM, FreeWith<PBE2PARAM_free>>(algorithm, ASN1_ITEM_rptr(PBE2PARAM));
  if (pbe == nullptr) return {};
  Encryption out{OBJ_obj2nid(pbe->encryption->algorithm), 0};
  if (Nid(pbe->keyfunc) != NID_id_pbkdf2) return out;  // scrypt: OpenSSL bounds it
  const auto kdf =
      Unpacked<PBKDF2PARAM, FreeWith<PBKDF2PARAM_free>>(pbe->keyfunc, ASN1_ITEM_rptr(PBKDF2PARAM));
  if (kdf != nullptr) out.rounds = Rounds(kdf->iter);
  return out;
}

bool IsEncrypted(const PemBlock& block) {
  return block.label == kEncryptedLabel || !block.encryption.empty();
}

}  // namespace

int GivePassword(char* buffer, int size, int /*writing*/, void* user) {
  const Bytes password = *static_cast<const Bytes*>(user);
  if (password.empty() || password.size() > static_cast<size_t>(size)) return -1;
  std::copy(password.begin(), password.end(), buffer);
  return static_cast<int>(password.size());
}

bool IsSingleDes(const PemBlock& block) {
  if (block.label == kEncryptedLabel) return Pkcs8Encryption(block).cipher == NID_des_cbc;
  return block.encryption.starts_with("DES-CBC");
}

std::string WhyUnreadable(const PemBlock& block, Bytes password, const std::string& reason) {
  if (!IsEncrypted(block)) return "its private key is damaged (" + reason + ")";
  if (IsSingleDes(block) && OSSL_PROVIDER_available(nullptr, "legacy") != 1)
    return "it is encrypted with single DES, which needs OpenSSL's legacy provider (legacy.so)";
  if (password.empty()) return "it is encrypted, and there is no password";
  return "wrong password, or it is damaged (" + reason + ")";
}

Status CheckDecryptionCost(const PemBlock& block) {
  if (block.label != kEncryptedLabel || Pkcs8Encryption(block).rounds <= kMaxRounds) return {};
  return Fail("its encryption asks for more than " + std::to_string(kMaxRounds) + " rounds");
}

Result<PrivateKey> ReadPrivateKey(const PemBlock& block, Bytes password) {
  if (!block.label.ends_with("PRIVATE KEY"))
    return Fail("it holds a " + block.label + ", not a private key");
  PrivateKey out;
  if (block.label == kRsarefLabel) {
    out.key = TRY(ReadRsarefLine(block.pem.bytes()));
    return out;
  }
  TRY_VOID(CheckDecryptionCost(block));
  out.encrypted = IsEncrypted(block);
  out.weak_encryption = out.encrypted && IsSingleDes(block);
  ERR_clear_error();
  BioPtr bio = ReadOnly(block.pem.bytes());
  out.key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, GivePassword, &password));
  if (out.key == nullptr) return Fail(WhyUnreadable(block, password, OpensslReason()));
  ERR_clear_error();
  return out;
}

Result<std::string> WritePrivateKey(const EVP_PKEY* key, Bytes password,
                                    const std::string& cipher) {
  const Pkcs8Ptr plain(EVP_PKEY2PKCS8(key));
  CHECK(plain != nullptr);
  return SealPkcs8(plain.get(), password, cipher);
}

Result<std::string> SealPkcs8(PKCS8_PRIV_KEY_INFO* key, Bytes password, const std::string& cipher) {
  const EVP_CIPHER* algorithm = EVP_get_cipherbyname(cipher.c_str());
  if (algorithm == nullptr) return Fail("Unknown cipher " + cipher);
  std::array<uint8_t, kSaltOctets> salt{};
  CHECK(RAND_bytes(salt.data(), kSaltOctets) == 1);
  AlgorithmPtr scheme(PKCS5_pbe2_set_iv(algorithm, kPbkdf2Rounds, salt.data(), kSaltOctets, nullptr,
                                        NID_hmacWithSHA256));
  if (scheme == nullptr) return Fail("cipher " + cipher + ": " + OpensslReason());
  const std::string_view text = AsText(password);
  X509SigPtr sealed(PKCS8_set0_pbe(text.data(), static_cast<int>(text.size()), key, scheme.get()));
  if (sealed == nullptr) return Fail("cipher " + cipher + ": " + OpensslReason());
  (void)scheme.release();  // PKCS8_set0_pbe took it over
  BioPtr bio(BIO_new(BIO_s_mem()));
  CHECK(bio != nullptr && PEM_write_bio_PKCS8(bio.get(), sealed.get()) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

std::vector<uint8_t> KeyPair::PublicDer() const {
  uint8_t* data = nullptr;
  const int size = i2d_PublicKey(key.get(), &data);
  CHECK(size > 0);
  std::vector<uint8_t> der(data, data + size);
  OPENSSL_free(data);
  return der;
}

namespace {

Status CheckSize(const EVP_PKEY* key, const char* kind, int least, int most) {
  const int bits = EVP_PKEY_get_bits(key);
  if (bits >= least && bits <= most) return {};
  return Fail(std::string("its ") + kind + " key has " + std::to_string(bits) + " bits; " +
              std::to_string(least) + " to " + std::to_string(most) + " can be used");
}

Result<KeyPair> ReadKeyPair(Bytes file, Bytes password, bool may_be_dsa) {
  const KeyText text = TRY(ParseKeyText(file));
  PrivateKey read = TRY(ReadPrivateKey(text.blocks[0], password));
  KeyPair out;
  out.key = std::move(read.key);
  const bool dsa = out.is_dsa();
  if (EVP_PKEY_is_a(out.key.get(), "RSA") != 1 && !(dsa && may_be_dsa))
    return Fail(std::string("it holds no RSA ") + (may_be_dsa ? "or DSA " : "") +
                "key; make one with ntp-keygen -H (host) or -S RSA (sign)");
  if (dsa)
    TRY_VOID(CheckSize(out.key.get(), "DSA", kMinDsaBits, kMaxDsaBits));
  else
    TRY_VOID(CheckSize(out.key.get(), "RSA", kMinRsaBits, kMaxRsaBits));
  // A key that was damaged on disk would give itself away with its first signature.
  PkeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, out.key.get(), nullptr));
  CHECK(context != nullptr);
  if ((dsa ? EVP_PKEY_pairwise_check(context.get()) : EVP_PKEY_check(context.get())) != 1)
    return Fail(std::string("its ") + (dsa ? "DSA" : "RSA") + " key is damaged (" +
                OpensslReason() + ")");
  out.filestamp = text.filestamp;
  out.name = text.name;
  out.weak_encryption = read.weak_encryption;
  return out;
}

}  // namespace

Result<KeyPair> ReadRsaKey(Bytes file, Bytes password) {
  return ReadKeyPair(file, password, false);
}
Result<KeyPair> ReadSignKey(Bytes file, Bytes password) {
  return ReadKeyPair(file, password, true);
}

}  // namespace ntpward::keys
