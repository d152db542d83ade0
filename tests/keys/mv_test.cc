// MV: keys that were just made, who can verify whom, and what an impostor may try.
#include "keys/mv.h"

#include <openssl/pem.h>

#include "keys/der.h"
#include "keys/identity_numbers.h"
#include "keys/mv_authority.h"
#include "tests/keys/key_data.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;

// Three clients; the last is revoked.
MvAuthority Made(int bits = 512, int clients = 3) {
  auto made = MakeMvAuthority(bits, clients);
  CHECK(made.ok());
  return std::move(made).value();
}

std::vector<uint8_t> Response(const BIGNUM* y, const BIGNUM* gbar, const BIGNUM* ghat) {
  const LockedBytes der = WriteIntegers({y, gbar, ghat});
  return {der.begin(), der.end()};
}

bool Proves(const MvServerKey& server, const MvClientKey& client) {
  const auto challenge = DrawMvChallenge(client);
  return VerifyMv(client, challenge, ProveMv(server, challenge));
}

std::string File(const std::string& pem) { return "# ntpkey_MVkey_g.4004293450\n#\n\n" + pem; }

void EveryClientButTheLastVerifiesTheServer(void**) {
  for (const auto& [bits, clients] :
       std::vector<std::pair<int, int>>{{256, 2}, {512, 2}, {512, 3}, {512, 15}, {1024, 4}}) {
    const MvAuthority authority = Made(bits, clients);
    assert_int_equal(authority.clients.size(), clients);
    assert_in_range(BN_num_bits(authority.server.p.get()), bits - clients, bits);
    for (size_t i = 0; i < authority.clients.size(); ++i) {
      const bool last = i + 1 == authority.clients.size();
      assert_int_equal(Proves(authority.server, authority.clients[i]), !last);
      assert_int_equal(authority.IsEnabled(i), !last);
    }
  }
}

void OtherGroupsServersDoNotPass(void**) {
  const MvAuthority mine = Made(), other = Made();
  const auto challenge = DrawMvChallenge(mine.clients[0]);
  assert_false(VerifyMv(mine.clients[0], challenge,
                        ProveMv(other.server, DrawMvChallenge(other.clients[0]))));
}

void ARevokedClientVerifiesNothingAndTheOthersGoOn(void**) {
  MvAuthority authority = Made(512, 5);
  assert_true(RevokeMvClient(&authority, 1).ok());
  const bool expected[] = {true, false, true, true, false};
  for (size_t i = 0; i < 5; ++i)
    assert_int_equal(Proves(authority.server, authority.clients[i]), expected[i]);
  assert_false(RevokeMvClient(&authority, 1).ok());
  assert_false(RevokeMvClient(&authority, 4).ok());
  assert_false(RevokeMvClient(&authority, 5).ok());
  assert_true(RevokeMvClient(&authority, 0).ok());
  assert_true(RevokeMvClient(&authority, 3).ok());
  assert_true(Proves(authority.server, authority.clients[2]));
  // Without any client the numbers would be those of nobody.
  assert_false(RevokeMvClient(&authority, 2).ok());
  assert_true(Proves(authority.server, authority.clients[2]));
}

void EachProofIsForOneChallengeAndNeverTheSame(void**) {
  const MvAuthority authority = Made();
  const auto challenge = DrawMvChallenge(authority.clients[0]);
  assert_int_equal(challenge.size(), authority.server.challenge_size());
  const auto first = ProveMv(authority.server, challenge);
  assert_true(first != ProveMv(authority.server, challenge));
  assert_false(VerifyMv(authority.clients[0], DrawMvChallenge(authority.clients[0]), first));
  std::vector<uint8_t> small(challenge.size());
  small.back() = 7;
  assert_true(VerifyMv(authority.clients[0], small, ProveMv(authority.server, small)));
}

// { r, 1, 1 } satisfies the equation for anybody, and so do signs.
void TrivialNumbersProveNothing(void**) {
  const MvAuthority authority = Made();
  const MvClientKey& client = authority.clients[0];
  const BIGNUM* p = client.p.get();
  const auto challenge = DrawMvChallenge(client);
  BigPtr r = Number(), minus_r = Number(), zero = Number(), one = Number(), last = Number();
  SetNumber(r.get(), challenge);
  CHECK(BN_one(one.get()) == 1 && BN_copy(last.get(), p) != nullptr &&
        BN_sub_word(last.get(), 1) == 1 && BN_sub(minus_r.get(), p, r.get()) == 1);
  for (const BIGNUM* y : {zero.get(), one.get(), r.get(), minus_r.get(), last.get()})
    for (const BIGNUM* gbar :
         {zero.get(), one.get(), last.get(), static_cast<BIGNUM*>(client.p.get())})
      for (const BIGNUM* ghat :
           {zero.get(), one.get(), last.get(), static_cast<BIGNUM*>(client.p.get())})
        assert_false(VerifyMv(client, challenge, Response(y, gbar, ghat)));
}

void NumbersOutOfBoundsAndEncodingAreRefused(void**) {
  const MvAuthority authority = Made();
  const MvClientKey& client = authority.clients[0];
  const auto challenge = DrawMvChallenge(client);
  const auto response = ProveMv(authority.server, challenge);
  for (size_t size = 0; size < response.size(); ++size)
    assert_false(VerifyMv(client, challenge, Bytes(response).first(size)));
  auto longer = response;
  longer.push_back(0);
  assert_false(VerifyMv(client, challenge, longer));
  assert_false(VerifyMv(client, Bytes(challenge).subspan(1), response));
  auto numbers = *ParseIntegers(response, 3, 64);
  assert_true(
      VerifyMv(client, challenge, Response(numbers[0].get(), numbers[1].get(), numbers[2].get())));
  for (BigPtr& number : numbers) {
    const BigPtr before(BN_dup(number.get()));
    CHECK(BN_add(number.get(), number.get(), client.p.get()) == 1);
    assert_false(VerifyMv(client, challenge,
                          Response(numbers[0].get(), numbers[1].get(), numbers[2].get())));
    CHECK(BN_copy(number.get(), before.get()) != nullptr);
  }
}

void FilesAreReadBack(void**) {
  MvAuthority made = Made(512, 4);
  assert_true(RevokeMvClient(&made, 2).ok());
  const auto text = WriteMvAuthority(made, AsBytes("pw"), "aes-256-cbc");
  assert_true(text.ok());
  auto authority = ReadMvAuthority(AsBytes(File(*text)), AsBytes("pw"));
  assert_true(authority.ok());
  assert_int_equal(authority->filestamp.value, 4004293450U);
  assert_int_equal(authority->server.filestamp.value, 4004293450U);
  assert_false(ReadMvAuthority(AsBytes(File(*text)), AsBytes("other")).ok());
  assert_true(authority->IsEnabled(0) && authority->IsEnabled(1) && !authority->IsEnabled(2));
  // The primes are found again from the clients' numbers.
  assert_true(RevokeMvClient(&*authority, 0).ok());
  const auto sealed = WriteMvServerKey(authority->server, AsBytes("pw"), "aes-128-cbc");
  const auto server = ReadMvServerKey(AsBytes(File(*sealed)), AsBytes("pw"));
  assert_true(server.ok());
  for (size_t i = 0; i < 4; ++i) {
    const auto client = ReadMvClientKey(AsBytes(File(WriteMvClientKey(made.clients[i]))), {});
    assert_true(client.ok() && client->has_public());
    assert_int_equal(Proves(*server, *client), i == 1);
  }
  // The authority's file also serves as a server's.
  assert_true(ReadMvServerKey(AsBytes(File(*text)), AsBytes("pw")).ok());
}

void TheLargestAuthorityIsReadBack(void**) {
  const MvAuthority made = Made(2048, kMaxMvClients);
  const auto text = WriteMvAuthority(made, AsBytes("pw"), "aes-256-cbc");
  auto authority = ReadMvAuthority(AsBytes(File(*text)), AsBytes("pw"));
  assert_true(authority.ok());
  assert_int_equal(authority->clients.size(), kMaxMvClients);
  assert_true(Proves(authority->server, authority->clients[kMaxMvClients - 2]));
}

// A key as OpenSSL 1.0 and later write it, PKCS#8, has lost a number.
void PublicNumbersLostInPkcs8AreNoticed(void**) {
  const MvAuthority made = Made();
  const auto as_pkcs8 = [](const std::string& pem) {
    BioPtr in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    PkeyPtr key(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
    CHECK(key != nullptr);
    BioPtr out(BIO_new(BIO_s_mem()));
    CHECK(PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                        nullptr) == 1);
    char* data = nullptr;
    const long size = BIO_get_mem_data(out.get(), &data);
    return std::string(data, static_cast<size_t>(size));
  };
  const auto client =
      ReadMvClientKey(AsBytes(File(as_pkcs8(WriteMvClientKey(made.clients[0])))), {});
  assert_true(client.ok());
  assert_false(client->has_public());
  const BIGNUM* numbers[] = {made.server.p.get(), made.server.q.get(), made.server.e.get(),
                             made.server.ghat.get(), made.server.gbar.get()};
  const auto server =
      ReadMvServerKey(AsBytes(File(as_pkcs8(WriteRawKey(RawForm::kDsa, numbers)))), {});
  assert_false(server.ok());
  assert_true(server.error().text.find("ntp-keygen -V") != std::string::npos);
}

std::string Text(std::initializer_list<const BIGNUM*> numbers) {
  return File(WriteRawKey(RawForm::kDsa, std::span(numbers.begin(), numbers.size())));
}

void HostileFilesAreRefused(void**) {
  const MvAuthority made = Made();
  const MvServerKey& s = made.server;
  const MvClientKey& c = made.clients[0];
  const BIGNUM *p = s.p.get(), *q = s.q.get(), *e = s.e.get(), *one = BN_value_one();
  const BIGNUM *ghat = s.ghat.get(), *gbar = s.gbar.get();
  BigPtr zero = Number(), last = Number(), even = Number(), composite = Number(), small = Number(),
         huge = Number(), outside = Number();
  CHECK(BN_copy(last.get(), p) != nullptr && BN_sub_word(last.get(), 1) == 1 &&
        BN_lshift1(even.get(), p) == 1 && BN_copy(composite.get(), p) != nullptr &&
        BN_mul_word(composite.get(), 5) == 1 && BN_set_word(small.get(), 23) == 1 &&
        BN_set_bit(huge.get(), 3100) == 1 && BN_sub(outside.get(), p, e) == 1);
  CHECK(BN_set_bit(huge.get(), 0) == 1 && BN_set_bit(huge.get(), 1) == 1);
  assert_true(ReadMvServerKey(AsBytes(Text({p, q, e, ghat, gbar})), {}).ok());
  const std::vector<std::string> servers = {Text({even.get(), q, e, ghat, gbar}),
                                            Text({composite.get(), q, e, ghat, gbar}),
                                            Text({small.get(), q, e, ghat, gbar}),
                                            Text({huge.get(), q, e, ghat, gbar}),
                                            Text({zero.get(), q, e, ghat, gbar}),
                                            Text({p, last.get(), e, ghat, gbar}),
                                            Text({p, zero.get(), e, ghat, gbar}),
                                            Text({p, q, one, ghat, gbar}),
                                            Text({p, q, outside.get(), ghat, gbar}),
                                            Text({p, q, e, last.get(), gbar}),
                                            Text({p, q, e, ghat, zero.get()}),
                                            Text({p, q, e, ghat, p}),
                                            File(WriteMvClientKey(c)),
                                            DataText("428_gqpar_server"),
                                            DataText("428_iffpar_server_pkcs8")};
  for (const std::string& text : servers) assert_false(ReadMvServerKey(AsBytes(text), {}).ok());
  const BIGNUM *xhat = c.xhat.get(), *xbar = c.xbar.get();
  assert_true(ReadMvClientKey(AsBytes(Text({p, one, one, xhat, xbar})), {}).ok());
  const std::vector<std::string> clients = {Text({p, q, one, xhat, xbar}),
                                            Text({p, one, q, xhat, xbar}),
                                            Text({p, one, one, zero.get(), xbar}),
                                            Text({p, one, one, xhat, zero.get()}),
                                            Text({p, one, one, p, xbar}),
                                            Text({p, one, one, xhat, p}),
                                            Text({even.get(), one, one, xhat, xbar}),
                                            Text({composite.get(), one, one, xhat, xbar}),
                                            Text({huge.get(), one, one, xhat, xbar})};
  for (const std::string& text : clients) assert_false(ReadMvClientKey(AsBytes(text), {}).ok());
}

void DamagedAuthoritiesRevokeNobody(void**) {
  MvAuthority authority = Made();
  std::swap(authority.clients[0].xhat, authority.clients[1].xhat);
  assert_false(RevokeMvClient(&authority, 0).ok());
  assert_false(RevokeMvClient(&authority, 1).ok());
}

void EveryTruncationOfAFileIsRefused(void**) {
  const MvAuthority made = Made();
  const std::string client = File(WriteMvClientKey(made.clients[0]));
  for (size_t size = 0; size + 1 < client.size(); ++size)
    assert_false(ReadMvClientKey(AsBytes(std::string_view(client).substr(0, size)), {}).ok());
}

// The reference draws until the end of days when there are too few primes.
void NumbersThatCannotWorkAreRefusedAtOnce(void**) {
  for (const auto& [bits, clients] : std::vector<std::pair<int, int>>{
           {512, 0}, {512, 1}, {512, 16}, {256, 8}, {2048, 63}, {512, -1}, {512, 1 << 30}})
    assert_false(MakeMvAuthority(bits, clients).ok());
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EveryClientButTheLastVerifiesTheServer),
      cmocka_unit_test(OtherGroupsServersDoNotPass),
      cmocka_unit_test(ARevokedClientVerifiesNothingAndTheOthersGoOn),
      cmocka_unit_test(EachProofIsForOneChallengeAndNeverTheSame),
      cmocka_unit_test(TrivialNumbersProveNothing),
      cmocka_unit_test(NumbersOutOfBoundsAndEncodingAreRefused),
      cmocka_unit_test(FilesAreReadBack),
      cmocka_unit_test(TheLargestAuthorityIsReadBack),
      cmocka_unit_test(PublicNumbersLostInPkcs8AreNoticed),
      cmocka_unit_test(HostileFilesAreRefused),
      cmocka_unit_test(DamagedAuthoritiesRevokeNobody),
      cmocka_unit_test(EveryTruncationOfAFileIsRefused),
      cmocka_unit_test(NumbersThatCannotWorkAreRefusedAtOnce),
  };
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
