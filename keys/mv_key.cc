#include "keys/mv_key.h"

#include <array>

#include "keys/identity_numbers.h"

namespace ntpward::keys {
namespace {

constexpr size_t kPublicInDsa = 4;
constexpr size_t kBlocksOfAuthority = 3;  // at least: its own, the server's, one client's

Failure<Error> Lost() {
  return Fail(
      "its public number was lost when it was written (PKCS#8), and it can prove nothing: make "
      "new MV keys with ntpward's 'ntp-keygen -V N'");
}

Failure<Error> Damaged() {
  return Fail("its MV numbers do not belong together: the file is damaged");
}

BigPtr HalfOf(const BIGNUM* p) {
  BigPtr q = Number();
  CHECK(BN_rshift1(q.get(), p) == 1);
  return q;
}

// 1 <= number < bound.
bool IsExponent(const BIGNUM* number, const BIGNUM* bound) {
  return !BN_is_zero(number) && BN_cmp(number, bound) < 0;
}

}  // namespace

Status CheckMvModulus(const BIGNUM* p) {
  const int bits = BN_num_bits(p);
  if (bits < kMinMvModulusBits || bits > kMaxMvModulusBits)
    return Fail("its MV modulus is too short or too long");
  BigContextPtr context = SecretScratch();
  // An odd q: p = 3 mod 4.
  if (BN_is_bit_set(p, 0) != 1 || BN_is_bit_set(p, 1) != 1 ||
      BN_check_prime(p, context.get(), nullptr) != 1)
    return Damaged();
  return {};
}

bool IsMvElement(const BIGNUM* number, const BIGNUM* p, BN_CTX* context) {
  // The group of order q is that of the squares.
  return IsNontrivial(number, p) && BN_kronecker(number, p, context) == 1;
}

Result<MvServerKey> MvServerFromRaw(RawKey raw) {
  if (raw.public_lost) return Lost();
  MvServerKey out;
  out.weak_encryption = raw.weak_encryption;
  out.p = std::move(raw.numbers[0]);
  out.q = std::move(raw.numbers[1]);
  out.e = std::move(raw.numbers[2]);
  out.gbar = std::move(raw.numbers[3]);
  out.ghat = std::move(raw.numbers[kPublicInDsa]);
  if (BN_is_one(out.q.get())) return Fail("it is a client's MV key and cannot prove anything");
  TRY_VOID(CheckMvModulus(out.p.get()));
  BigContextPtr context = SecretScratch();
  if (BN_cmp(out.q.get(), HalfOf(out.p.get()).get()) != 0) return Damaged();
  for (const BIGNUM* number : {out.e.get(), out.gbar.get(), out.ghat.get()})
    if (!IsMvElement(number, out.p.get(), context.get())) return Damaged();
  return out;
}

Result<MvClientKey> MvClientFromRaw(RawKey raw) {
  MvClientKey out;
  out.weak_encryption = raw.weak_encryption;
  out.p = std::move(raw.numbers[0]);
  if (!BN_is_one(raw.numbers[1].get()) || !BN_is_one(raw.numbers[2].get()))
    return Fail("it holds no client's MV key");
  TRY_VOID(CheckMvModulus(out.p.get()));
  // Below q when they were reduced, which nothing depends on.
  out.xbar = std::move(raw.numbers[3]);
  if (!IsExponent(out.xbar.get(), out.p.get())) return Damaged();
  if (raw.public_lost) return out;
  out.xhat = std::move(raw.numbers[kPublicInDsa]);
  if (!IsExponent(out.xhat.get(), out.p.get())) return Damaged();
  // What a reader of PKCS#8 makes up, g^xbar, when it is written out again.
  if (BN_is_one(out.xhat.get())) out.xhat.reset();
  return out;
}

Result<MvServerKey> ReadMvServerKey(Bytes file, Bytes password) {
  const KeyText text = TRY(ParseKeyText(file));
  const PemBlock& block = text.blocks[text.blocks.size() >= kBlocksOfAuthority ? 1 : 0];
  RawKey raw = TRY(ReadRawKey(block, RawForm::kDsa, password));
  MvServerKey out = TRY(MvServerFromRaw(std::move(raw)));
  out.filestamp = text.filestamp;
  out.name = text.name;
  return out;
}

Result<MvClientKey> ReadMvClientKey(Bytes file, Bytes password) {
  const KeyText text = TRY(ParseKeyText(file));
  RawKey raw = TRY(ReadRawKey(text.blocks[0], RawForm::kDsa, password));
  MvClientKey out = TRY(MvClientFromRaw(std::move(raw)));
  out.filestamp = text.filestamp;
  out.name = text.name;
  return out;
}

std::string WriteMvClientKey(const MvClientKey& key) {
  CHECK(key.has_public());
  const BIGNUM* one = BN_value_one();
  const std::array<const BIGNUM*, 5> numbers = {key.p.get(), one, one, key.xhat.get(),
                                                key.xbar.get()};
  return WriteRawKey(RawForm::kDsa, numbers);
}

Result<std::string> WriteMvServerKey(const MvServerKey& key, Bytes password,
                                     const std::string& cipher) {
  const std::array<const BIGNUM*, 5> numbers = {key.p.get(), key.q.get(), key.e.get(),
                                                key.ghat.get(), key.gbar.get()};
  return SealRawKey(RawForm::kDsa, numbers, password, cipher);
}

}  // namespace ntpward::keys
