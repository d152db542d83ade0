#include "keys/mv_authority.h"

#include <array>

#include "keys/identity_numbers.h"
#include "keys/mv.h"

namespace ntpward::keys {
namespace {

constexpr size_t kPrivateInDsa = 3, kPublicInDsa = 4;

Failure<Error> Damaged() {
  return Fail("its MV numbers do not belong together: the file is damaged");
}

void Multiply(BIGNUM* to, const BIGNUM* factor, const BIGNUM* modulus, BN_CTX* context) {
  CHECK(BN_mod_mul(to, to, factor, modulus, context) == 1);
}

BigPtr Quotient(const BIGNUM* number, const BIGNUM* divisor, BN_CTX* context) {
  BigPtr out = SecretNumber();
  CHECK(BN_div(out.get(), nullptr, number, divisor, context) == 1);
  return out;
}

bool Divides(const BIGNUM* divisor, const BIGNUM* number, BN_CTX* context) {
  BigPtr rest = SecretNumber();
  CHECK(BN_mod(rest.get(), number, divisor, context) == 1);
  return BN_is_zero(rest.get());
}

// What each client's numbers are made of: X_j = x_j^n, or found again from the clients' keys, since
// b xbar_j = sum of all X but X_j.
std::vector<BigPtr> PowersOf(const MvAuthority& authority, BN_CTX* context) {
  const BIGNUM* q = authority.server.q.get();
  std::vector<BigPtr> powers;
  BigPtr sum = SecretNumber(), others = SecretNumber();
  for (const MvClientKey& client : authority.clients) {
    powers.push_back(SecretNumber());
    CHECK(BN_mod_mul(powers.back().get(), client.xbar.get(), authority.b.get(), q, context) == 1);
    CHECK(BN_mod_add(sum.get(), sum.get(), powers.back().get(), q, context) == 1);
  }
  CHECK(BN_set_word(others.get(), authority.clients.size() - 1) == 1);
  if (BN_mod_inverse(others.get(), others.get(), q, context) == nullptr) return {};
  Multiply(sum.get(), others.get(), q, context);
  for (BigPtr& power : powers)
    CHECK(BN_mod_sub(power.get(), sum.get(), power.get(), q, context) == 1);
  return powers;
}

// Each client's prime, out of xhat_j = (q / s_j + 1) X_j. Empty when the numbers do not belong
// together.
std::vector<BigPtr> PrimesOf(const MvAuthority& authority, BN_CTX* context) {
  const BIGNUM* q = authority.server.q.get();
  const std::vector<BigPtr> powers = PowersOf(authority, context);
  if (powers.empty()) return {};
  std::vector<BigPtr> primes;
  for (size_t i = 0; i < powers.size(); ++i) {
    BigPtr factor = SecretNumber();
    if (BN_mod_inverse(factor.get(), powers[i].get(), q, context) == nullptr) return {};
    Multiply(factor.get(), authority.clients[i].xhat.get(), q, context);
    if (BN_is_zero(factor.get()) || BN_is_one(factor.get())) return {};
    CHECK(BN_sub_word(factor.get(), 1) == 1);
    if (!Divides(factor.get(), q, context)) return {};
    primes.push_back(Quotient(q, factor.get(), context));
    if (BN_is_one(primes.back().get())) return {};
  }
  return primes;
}

// The servers' numbers with the enabling key s: E = A^s, gbar = g^s, ghat = g^(s b).
void Enable(MvAuthority* authority, const BIGNUM* s, BN_CTX* context) {
  MvServerKey& server = authority->server;
  const BIGNUM* p = server.p.get();
  BigPtr exponent = SecretNumber();
  CHECK(BN_mod_mul(exponent.get(), s, authority->b.get(), server.q.get(), context) == 1);
  SecretPower(server.e.get(), authority->a.get(), s, p, context);
  SecretPower(server.gbar.get(), authority->g.get(), s, p, context);
  SecretPower(server.ghat.get(), authority->g.get(), exponent.get(), p, context);
}

// ---- new keys

struct Modulus {
  BigPtr p, q;
  std::vector<BigPtr> primes;
};

bool Contains(const std::vector<BigPtr>& numbers, const BIGNUM* number) {
  for (const BigPtr& other : numbers)
    if (BN_cmp(other.get(), number) == 0) return true;
  return false;
}

// Finds primes whose product q makes 2q + 1 a prime. All but two are drawn once; for those two
// every pair out of two growing heaps is tried, so that few have to be drawn: one pair in about
// half as many as p has bits will do.
class ModulusSearch {
 public:
  ModulusSearch(int bits, int count) : bits_(bits - 1), count_(count), context_(SecretScratch()) {}

  // None when it had no luck.
  std::optional<Modulus> Run() {
    BigPtr product = SecretNumber();
    CHECK(BN_one(product.get()) == 1);
    for (int i = 0; i < count_ - 2; ++i) {
      BigPtr prime = Draw(SizeOf(i));
      CHECK(BN_mul(product.get(), product.get(), prime.get(), context_.get()) == 1);
      fixed_.push_back(std::move(prime));
    }
    std::vector<BigPtr> left, right;
    for (int i = 0; i < kHeap; ++i) {
      left.push_back(Draw(SizeOf(count_ - 2)));
      for (size_t j = 0; j < right.size(); ++j)
        if (Try(product.get(), &left.back(), &right[j])) return std::move(found_);
      right.push_back(Draw(SizeOf(count_ - 1)));
      for (size_t j = 0; j < left.size(); ++j)
        if (Try(product.get(), &left[j], &right.back())) return std::move(found_);
    }
    return std::nullopt;
  }

 private:
  // 40,000 pairs: at 2048 bits one in about 1100 will do.
  static constexpr int kHeap = 200;
  static constexpr int kDraws = 1000;

  // The sizes add up to those of q.
  int SizeOf(int index) const { return bits_ / count_ + (index < bits_ % count_ ? 1 : 0); }

  // A prime that is not among the fixed ones. There are 2^25 of the least size.
  BigPtr Draw(int bits) {
    BigPtr prime = SecretNumber();
    for (int i = 0; i < kDraws; ++i) {
      CHECK(BN_generate_prime_ex2(prime.get(), bits, 0, nullptr, nullptr, nullptr,
                                  context_.get()) == 1);
      if (!Contains(fixed_, prime.get())) break;
    }
    return prime;
  }

  bool Try(const BIGNUM* product, BigPtr* left, BigPtr* right) {
    if (BN_cmp(left->get(), right->get()) == 0) return false;
    BigPtr q = SecretNumber(), p = Number();
    CHECK(BN_mul(q.get(), product, left->get(), context_.get()) == 1 &&
          BN_mul(q.get(), q.get(), right->get(), context_.get()) == 1 &&
          BN_lshift1(p.get(), q.get()) == 1 && BN_add_word(p.get(), 1) == 1);
    if (BN_check_prime(p.get(), context_.get(), nullptr) != 1) return false;
    fixed_.push_back(std::move(*left));
    fixed_.push_back(std::move(*right));
    found_ = Modulus{std::move(p), std::move(q), std::move(fixed_)};
    return true;
  }

  int bits_;
  int count_;
  BigContextPtr context_;
  std::vector<BigPtr> fixed_;
  std::optional<Modulus> found_;
};

// An element of the full order q, and prime to p - 1 as the scheme wants it. Null without luck.
BigPtr DrawGenerator(const Modulus& modulus, BN_CTX* context) {
  constexpr int kDraws = 200;
  BigPtr last = Number(), g = Number(), other = Number();
  CHECK(BN_copy(last.get(), modulus.p.get()) != nullptr && BN_sub_word(last.get(), 1) == 1);
  for (int i = 0; i < kDraws; ++i) {
    DrawBelow(g.get(), last.get());
    CHECK(BN_mod_sqr(g.get(), g.get(), modulus.p.get(), context) == 1);
    CHECK(BN_gcd(other.get(), g.get(), last.get(), context) == 1);
    bool good = BN_is_one(other.get()) && IsNontrivial(g.get(), modulus.p.get());
    for (size_t j = 0; good && j < modulus.primes.size(); ++j) {
      const BigPtr part = Quotient(modulus.q.get(), modulus.primes[j].get(), context);
      SecretPower(other.get(), g.get(), part.get(), modulus.p.get(), context);
      good = !BN_is_one(other.get());
    }
    if (good) return g;
  }
  return {};
}

// 1 <= number < q and prime to it: q has no small factor, so that any will do but for bad luck.
BigPtr DrawUnit(const BIGNUM* q, BN_CTX* context) {
  constexpr int kDraws = 100;
  BigPtr number = SecretNumber(), divisor = SecretNumber();
  for (int i = 0; i < kDraws; ++i) {
    DrawBelow(number.get(), q);
    CHECK(BN_gcd(divisor.get(), number.get(), q, context) == 1);
    if (BN_is_one(divisor.get())) break;
  }
  return number;
}

// The clients' keys and A. With P(X) the product of all (X - x_j), whose coefficients a_i are the
// exponents of g_i, the product of all g_i^(x_j^i) below the n-th power is g^(P(x_j) - x_j^n), and
// P(x_j) = 0: so A = g^-(sum of all x_j^n).
void FillClients(MvAuthority* out, const Modulus& modulus, BN_CTX* context) {
  const BIGNUM* q = out->server.q.get();
  const size_t count = modulus.primes.size();
  BigPtr n = SecretNumber(), sum = SecretNumber(), inverse = SecretNumber();
  CHECK(BN_set_word(n.get(), count) == 1);
  std::vector<BigPtr> powers;
  for (size_t i = 0; i < count; ++i) {
    const BigPtr x = DrawUnit(q, context);
    powers.push_back(SecretNumber());
    SecretPower(powers.back().get(), x.get(), n.get(), q, context);
    CHECK(BN_mod_add(sum.get(), sum.get(), powers.back().get(), q, context) == 1);
  }
  CHECK(BN_mod_inverse(inverse.get(), out->b.get(), q, context) != nullptr);
  for (size_t i = 0; i < count; ++i) {
    MvClientKey client;
    client.p = BigPtr(BN_dup(out->server.p.get()));
    client.xbar = SecretNumber();
    CHECK(BN_mod_sub(client.xbar.get(), sum.get(), powers[i].get(), q, context) == 1);
    Multiply(client.xbar.get(), inverse.get(), q, context);
    client.xhat = Quotient(q, modulus.primes[i].get(), context);
    CHECK(BN_add_word(client.xhat.get(), 1) == 1);
    Multiply(client.xhat.get(), powers[i].get(), q, context);
    out->clients.push_back(std::move(client));
  }
  CHECK(BN_sub(sum.get(), q, sum.get()) == 1);
  SecretPower(out->a.get(), out->g.get(), sum.get(), out->server.p.get(), context);
}

bool Works(const MvAuthority& authority, size_t index) {
  const MvClientKey& client = authority.clients[index];
  const auto challenge = DrawMvChallenge(client);
  return VerifyMv(client, challenge, ProveMv(authority.server, challenge));
}

// The authority's own block, and then everything in it.
Status ReadBlocks(const KeyText& text, Bytes password, MvAuthority* out) {
  RawKey own = TRY(ReadRawKey(text.blocks[0], RawForm::kDsa, password));
  if (own.public_lost)
    return Fail(
        "its public numbers were lost when it was written (PKCS#8): make new MV keys with "
        "ntpward's 'ntp-keygen -V N'");
  out->weak_encryption = own.weak_encryption;
  out->g = std::move(own.numbers[2]);
  out->a = std::move(own.numbers[kPrivateInDsa]);
  out->b = std::move(own.numbers[kPublicInDsa]);
  RawKey servers = TRY(ReadRawKey(text.blocks[1], RawForm::kDsa, password));
  out->server = TRY(MvServerFromRaw(std::move(servers)));
  if (BN_cmp(own.numbers[0].get(), out->server.p.get()) != 0) return Damaged();
  for (size_t i = 2; i < text.blocks.size(); ++i) {
    RawKey raw = TRY(ReadRawKey(text.blocks[i], RawForm::kDsa, password));
    MvClientKey client = TRY(MvClientFromRaw(std::move(raw)));
    if (!client.has_public() || BN_cmp(client.p.get(), out->server.p.get()) != 0) return Damaged();
    out->clients.push_back(std::move(client));
  }
  return {};
}

}  // namespace

bool MvAuthority::IsEnabled(size_t index) const {
  BigContextPtr context = SecretScratch();
  const BIGNUM* p = server.p.get();
  BigPtr left = SecretNumber(), right = SecretNumber();
  SecretPower(left.get(), server.gbar.get(), clients[index].xhat.get(), p, context.get());
  SecretPower(right.get(), server.ghat.get(), clients[index].xbar.get(), p, context.get());
  Multiply(left.get(), right.get(), p, context.get());
  Multiply(left.get(), server.e.get(), p, context.get());
  return BN_is_one(left.get());
}

Result<MvAuthority> MakeMvAuthority(int bits, int clients) {
  CHECK(bits >= 256 && bits <= kMaxMvModulusBits);
  if (clients < kMinMvClients || clients > kMaxMvClients)
    return Fail("MV keys are for " + std::to_string(kMinMvClients) + " to " +
                std::to_string(kMaxMvClients) + " clients");
  if ((bits - 1) / clients < kMinMvPrimeBits)
    return Fail("MV keys for " + std::to_string(clients) + " clients need a modulus of at least " +
                std::to_string(clients * kMinMvPrimeBits + 1) + " bits (-b)");
  auto modulus = ModulusSearch(bits, clients).Run();
  BigContextPtr context = SecretScratch();
  BigPtr generator = modulus ? DrawGenerator(*modulus, context.get()) : BigPtr();
  if (generator == nullptr) return Fail("no MV parameters were found: try again");
  MvAuthority out;
  out.g = std::move(generator);
  out.a = SecretNumber();
  out.server.e = SecretNumber(), out.server.gbar = SecretNumber(), out.server.ghat = SecretNumber();
  out.server.p = BigPtr(BN_dup(modulus->p.get()));
  out.server.q = BigPtr(BN_dup(modulus->q.get()));
  out.b = DrawUnit(out.server.q.get(), context.get());
  FillClients(&out, *modulus, context.get());
  const BigPtr s = Quotient(modulus->q.get(), modulus->primes.back().get(), context.get());
  Enable(&out, s.get(), context.get());
  const size_t last = out.clients.size() - 1;
  for (size_t i = 0; i <= last; ++i)
    if (Works(out, i) != (i != last)) return Fail("MV keys: they prove nothing: try again");
  return out;
}

Status RevokeMvClient(MvAuthority* authority, size_t index) {
  if (index >= authority->clients.size())
    return Fail("there are only " + std::to_string(authority->clients.size()) + " MV clients");
  const std::string name = "MV client " + std::to_string(index + 1);
  if (!authority->IsEnabled(index)) return Fail(name + " is revoked already");
  BigContextPtr context = SecretScratch();
  const std::vector<BigPtr> primes = PrimesOf(*authority, context.get());
  if (primes.empty()) return Damaged();
  BigPtr s = BigPtr(BN_dup(authority->server.q.get()));
  bool enabled = false;
  for (size_t i = 0; i < primes.size(); ++i) {
    if (i != index && authority->IsEnabled(i)) {
      enabled = true;
      continue;
    }
    if (!Divides(primes[i].get(), s.get(), context.get())) return Damaged();
    s = Quotient(s.get(), primes[i].get(), context.get());
  }
  if (!enabled) return Fail(name + " is the last one enabled: make new keys with -V instead");
  Enable(authority, s.get(), context.get());
  if (authority->IsEnabled(index)) return Damaged();
  return {};
}

Result<MvAuthority> ReadMvAuthority(Bytes file, Bytes password) {
  const KeyText text = TRY(ParseKeyText(file));
  if (text.blocks.size() < 2 + static_cast<size_t>(kMinMvClients))
    return Fail("it holds no MV authority's keys: " + std::to_string(text.blocks.size()) +
                " PEM blocks");
  MvAuthority out;
  TRY_VOID(ReadBlocks(text, password, &out));
  BigContextPtr context = SecretScratch();
  for (const BIGNUM* number : {out.g.get(), out.a.get()})
    if (!IsMvElement(number, out.server.p.get(), context.get())) return Damaged();
  if (BN_is_zero(out.b.get()) || BN_cmp(out.b.get(), out.server.p.get()) >= 0) return Damaged();
  out.filestamp = out.server.filestamp = text.filestamp;
  out.name = text.name;
  for (MvClientKey& client : out.clients) client.filestamp = text.filestamp;
  return out;
}

Result<std::string> WriteMvAuthority(const MvAuthority& authority, Bytes password,
                                     const std::string& cipher) {
  const MvServerKey& server = authority.server;
  const std::array<const BIGNUM*, 5> own = {server.p.get(), server.q.get(), authority.g.get(),
                                            authority.b.get(), authority.a.get()};
  std::string text = TRY(SealRawKey(RawForm::kDsa, own, password, cipher));
  text += TRY(WriteMvServerKey(server, password, cipher));
  const BIGNUM* one = BN_value_one();
  for (const MvClientKey& client : authority.clients) {
    const std::array<const BIGNUM*, 5> numbers = {client.p.get(), one, one, client.xhat.get(),
                                                  client.xbar.get()};
    text += TRY(SealRawKey(RawForm::kDsa, numbers, password, cipher));
  }
  return text;
}

}  // namespace ntpward::keys
