#include "keys/iff_key.h"

#include <openssl/core_names.h>
#include <openssl/pem.h>

#include "keys/der.h"
#include "keys/identity_numbers.h"
#include "keys/private_key.h"

namespace ntpward::keys {
namespace {

Status Take(const EVP_PKEY* dsa, const char* name, BIGNUM* number) {
  if (EVP_PKEY_get_bn_param(dsa, name, &number) != 1)
    return Fail("its DSA key lacks a number (" + OpensslReason() + ")");
  return {};
}

// base^exponent mod p == 1, and base neither 0 nor 1: base generates the group of order q.
bool HasOrder(const BIGNUM* base, const BIGNUM* q, const BIGNUM* p, BN_CTX* context) {
  if (BN_is_zero(base) || BN_is_one(base) || BN_cmp(base, p) >= 0) return false;
  BigPtr power = Number();
  CHECK(BN_mod_exp(power.get(), base, q, p, context) == 1);
  return BN_is_one(power.get());
}

Status CheckGroup(const IffKey& key, BN_CTX* context) {
  const int p_bits = BN_num_bits(key.p.get()), q_bits = BN_num_bits(key.q.get());
  if (p_bits < kMinIffModulusBits || p_bits > kMaxIffModulusBits || q_bits < kMinIffOrderBits ||
      q_bits > kMaxIffOrderBits || BN_cmp(key.q.get(), key.p.get()) >= 0)
    return Fail("its IFF numbers are too short or too long");
  if (!BN_is_odd(key.p.get()) || !BN_is_odd(key.q.get()) ||
      !HasOrder(key.g.get(), key.q.get(), key.p.get(), context))
    return Fail("its IFF numbers do not belong together: the file is damaged");
  return {};
}

}  // namespace

BigPtr IffPublicValue(const IffKey& key) {
  BigContextPtr context = SecretScratch();
  BigPtr exponent = SecretNumber();
  CHECK(BN_sub(exponent.get(), key.q.get(), key.b.get()) == 1);
  BigPtr v = Number();
  SecretPower(v.get(), key.g.get(), exponent.get(), key.p.get(), context.get());
  return v;
}

Result<IffKey> IffKeyFromDsa(const EVP_PKEY* dsa) {
  if (EVP_PKEY_is_a(dsa, "DSA") != 1) return Fail("it holds no IFF key (DSA form)");
  IffKey out;
  out.p = Number(), out.q = Number(), out.g = Number();
  TRY_VOID(Take(dsa, OSSL_PKEY_PARAM_FFC_P, out.p.get()));
  TRY_VOID(Take(dsa, OSSL_PKEY_PARAM_FFC_Q, out.q.get()));
  TRY_VOID(Take(dsa, OSSL_PKEY_PARAM_FFC_G, out.g.get()));
  BigPtr secret = SecretNumber(), stored = Number();
  TRY_VOID(Take(dsa, OSSL_PKEY_PARAM_PRIV_KEY, secret.get()));
  TRY_VOID(Take(dsa, OSSL_PKEY_PARAM_PUB_KEY, stored.get()));
  BigContextPtr context = SecretScratch();
  TRY_VOID(CheckGroup(out, context.get()));
  if (BN_is_zero(secret.get()) || BN_cmp(secret.get(), out.q.get()) >= 0)
    return Fail("its IFF numbers do not belong together: the file is damaged");
  if (!BN_is_one(secret.get())) {
    out.b = std::move(secret);
    out.v = IffPublicValue(out);
  } else if (BN_cmp(stored.get(), out.g.get()) != 0) {
    // A client's v. Were it g^1, it would have been made up from the private 1 by the reader.
    if (!HasOrder(stored.get(), out.q.get(), out.p.get(), context.get()))
      return Fail("its public value does not belong to its group: the file is damaged");
    out.v = std::move(stored);
  }
  return out;
}

Result<IffKey> ReadIffKey(Bytes file, Bytes password) {
  const KeyText text = TRY(ParseKeyText(file));
  const PrivateKey read = TRY(ReadPrivateKey(text.blocks[0], password));
  IffKey out = TRY(IffKeyFromDsa(read.key.get()));
  out.filestamp = text.filestamp;
  out.name = text.name;
  out.weak_encryption = read.weak_encryption;
  return out;
}

std::string WriteIffParameters(const IffKey& key) {
  CHECK(key.has_public());
  BigPtr zero = Number();
  const LockedBytes der = WriteIntegers(
      {zero.get(), key.p.get(), key.q.get(), key.g.get(), key.v.get(), BN_value_one()});
  BioPtr bio(BIO_new(BIO_s_mem()));
  CHECK(bio != nullptr && PEM_write_bio(bio.get(), PEM_STRING_DSA, "", der.data(),
                                        static_cast<long>(der.size())) > 0);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

}  // namespace ntpward::keys
