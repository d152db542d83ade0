// Session keys and MACs: recomputed for packets that reference daemons sent to each other.
#include "keys/session_key.h"

#include <openssl/provider.h>

#include <sstream>

#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::keys {
namespace {

using ntpward::test::FromHex;
using ntpward::test::ToHex;

SessionKeyHasher Hasher(const std::string& digest) {
  auto hasher = SessionKeyHasher::Create(digest);
  CHECK(hasher.ok());
  return std::move(hasher).value();
}

AddressPair Path(const std::string& source, const std::string& destination) {
  return {*IpAddress::Parse(source), *IpAddress::Parse(destination)};
}

uint32_t Hex32(const std::string& text) {
  return static_cast<uint32_t>(std::strtoul(text.c_str(), nullptr, 16));
}

void KnownNextKeyIdentifiers(void**) {
  struct Row {
    const char *source, *destination;
    uint32_t key, private_value, next;
  };
  const Row rows[] = {
      {"10.77.0.2", "10.77.0.1", 0x5fe916ea, 0, 0x1ce32a3e},
      {"10.77.0.1", "10.77.0.2", 0x5fe916ea, 0, 0x76af5f70},
      {"10.77.0.2", "10.77.0.1", 0x5fe916ea, 0x71a8a65c, 0x63a9839b},
      {"10.77.0.2", "10.77.0.1", 0, 0x21f2b428, 0x71a8a65c},
      {"10.77.0.2", "10.77.0.1", 0, 0, 0x9498bc2a},
  };
  auto hasher = Hasher("MD5");
  for (const Row& row : rows) {
    const auto key =
        hasher.Derive(Path(row.source, row.destination), KeyId{row.key}, row.private_value);
    assert_int_equal(key.next().value, row.next);
  }
  assert_string_equal(
      ToHex(hasher.Derive(Path("10.77.0.2", "10.77.0.1"), KeyId{0}, 0).bytes()).c_str(),
      "9498bc2a4616157ce961dfc01cd98d27");
}

// IPv4 and IPv6, MD5 and SHA-1, cookies and private value 0, broadcast.
void CapturedMacsAreRecomputed(void**) {
  const auto file = ntpward::test::ReadFile("tests/keys/data/session_keys.txt");
  std::istringstream lines{std::string(AsText(file))};
  size_t seen = 0, sha1 = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    std::string digest, source, destination, key_id, private_value, session_key, mac, packet;
    words >> digest >> source >> destination >> key_id >> private_value >> session_key >> mac >>
        packet;
    assert_true(static_cast<bool>(words));  // cmocka has a macro named fail
    auto hasher = Hasher(digest);
    const auto key =
        hasher.Derive(Path(source, destination), KeyId{Hex32(key_id)}, Hex32(private_value));
    assert_string_equal(ToHex(key.bytes()).c_str(), session_key.c_str());
    const auto bytes = FromHex(packet);
    const Bytes covered = Bytes(bytes).first(bytes.size() - 4 - hasher.digest_size());
    assert_string_equal(ToHex(hasher.Mac(key, covered).span()).c_str(), mac.c_str());
    ++seen;
    sha1 += digest == "SHA1";
  }
  assert_true(seen > 30);
  assert_true(sha1 > 5);
}

void EveryInputChangesTheKey(void**) {
  auto hasher = Hasher("MD5");
  const auto path = Path("10.0.0.1", "10.0.0.2");
  const auto base = ToHex(hasher.Derive(path, KeyId{70000}, 5).bytes());
  assert_string_equal(ToHex(hasher.Derive(path, KeyId{70000}, 5).bytes()).c_str(), base.c_str());
  assert_true(ToHex(hasher.Derive(path.Reversed(), KeyId{70000}, 5).bytes()) != base);
  assert_true(ToHex(hasher.Derive(path, KeyId{70001}, 5).bytes()) != base);
  assert_true(ToHex(hasher.Derive(path, KeyId{70000}, 6).bytes()) != base);
}

// ntpd-net, which makes session keys too, has the default provider alone.
void RefusesDigestsOfTheLegacyProvider(void**) {
  OSSL_PROVIDER* standard = OSSL_PROVIDER_load(nullptr, "default");
  OSSL_PROVIDER* legacy = OSSL_PROVIDER_load(nullptr, "legacy");
  assert_non_null(standard);
  assert_non_null(legacy);
  assert_false(SessionKeyHasher::Create("MD4").ok());
  assert_true(SessionKeyHasher::Create("MD5").ok());
  OSSL_PROVIDER_unload(legacy);
  OSSL_PROVIDER_unload(standard);
}

void RefusesDigestsThatFitNoMac(void**) {
  for (const char* name : {"SHA256", "SHA512", "nonsense", ""})
    assert_false(SessionKeyHasher::Create(name).ok());
  assert_int_equal(Hasher("SHA1").digest_size(), 20);
  assert_int_equal(Hasher("RIPEMD160").digest_size(), 20);
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(KnownNextKeyIdentifiers),
      cmocka_unit_test(CapturedMacsAreRecomputed),
      cmocka_unit_test(EveryInputChangesTheKey),
      cmocka_unit_test(RefusesDigestsOfTheLegacyProvider),
      cmocka_unit_test(RefusesDigestsThatFitNoMac),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
