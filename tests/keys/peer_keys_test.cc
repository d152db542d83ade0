// Keys of peers and broadcasts: each seals what its lines say and nothing else, and nobody can have
// a packet that tells the time sealed for another time.
#include "keys/mac.h"
#include "tests/keys/key_data.h"
#include "tests/keys/served_client.h"
#include "tests/keys/service_harness.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;
using ntpward::test::ToHex;

constexpr uint8_t kActive = 1, kPassive = 2, kClient = 3, kServer = 4, kBroadcast = 5;

// Numbers of keys in 428_ntp.keys that stand for their one use here.
constexpr uint32_t kServe = 1, kUpstream = 2, kPeer = 9, kSend = 6, kListen = 5;

void Start(Harness* h) {
  h->start.crypto_enabled = false;
  h->Start({{msg::KeyFileKind::kSymmetric, "428_ntp.keys"}}, "",
           {{.key = {kServe}, .serve = true},
            {.key = {kUpstream}, .upstream = true},
            {.key = {kPeer}, .peer = true},
            {.key = {kSend}, .broadcast = true},
            {.key = {kListen}, .listen = true}});
  CHECK(h->service.ready());
}

std::vector<uint8_t> Header(uint8_t mode) {
  return ClientHeader(static_cast<uint8_t>(0x20 | mode));
}

msg::Sealed Seal(Harness* h, uint32_t key, Bytes covered, double correction = 0) {
  msg::SealRequest request;
  request.path = kPath;
  request.key = {key};
  request.correction = NtpDuration::FromSeconds(correction);
  Set(&request.covered, covered);
  h->FromNet(request);
  return h->out.sealed.back();
}

bool Seals(Harness* h, uint32_t key, uint8_t mode) {
  return !Seal(h, key, Header(mode)).mac.empty();
}

void EachKeySealsWhatItsLinesSay(void**) {
  Harness h;
  Start(&h);
  struct Row {
    uint32_t key;
    std::vector<uint8_t> modes;
  };
  const Row rows[] = {
      // A client's key may become a passive peer's: a stranger's line chooses it.
      {kServe, {kPassive}},
      {kUpstream, {kClient}},
      {kPeer, {kActive, kPassive}},
      {kSend, {kBroadcast}},
      // A listener measures the path to the server.
      {kListen, {kClient}},
  };
  for (const Row& row : rows)
    for (uint8_t mode = 0; mode < 8; ++mode) {
      const bool wanted = std::count(row.modes.begin(), row.modes.end(), mode) != 0;
      assert_true(Seals(&h, row.key, mode) == wanted);
    }
}

void TheTransmitTimeIsWrittenByKeys(void**) {
  Harness h;
  Start(&h);
  auto algorithm = MacAlgorithm::Create("MD5");
  assert_true(algorithm.ok());
  for (const uint8_t mode : {kActive, kPassive}) {
    // Whatever the packet said, and however net would correct a real clock.
    auto packet = Header(mode);
    std::fill(packet.end() - 8, packet.end(), uint8_t{0xee});
    const msg::Sealed sealed = Seal(&h, kPeer, packet, 3600);
    assert_true(sealed.transmit == h.time.system);
    Writer writer(MutableBytes(packet).last(8));
    writer.U64(h.time.system.raw());
    const auto secret = AsBytes(std::string_view("server-secret-nine"));
    const MacDigest digest = algorithm->Compute(secret, packet);
    assert_string_equal(ToHex(sealed.mac.span()).c_str(),
                        ("00000009" + ToHex(digest.span())).c_str());
  }
  // A request tells no time: its transmit field is a nonce.
  assert_true(Seal(&h, kUpstream, Header(kClient)).transmit.is_zero());
}

void AVirtualClockIsCorrected(void**) {
  Harness h;
  h.start.virtual_clock = true;
  Start(&h);
  const msg::Sealed sealed = Seal(&h, kSend, Header(kBroadcast), 3600);
  assert_true(sealed.transmit - h.time.system == NtpDuration::FromSeconds(3600));
}

void NothingBehindTheHeaderIsSealed(void**) {
  Harness h;
  Start(&h);
  for (const auto& [key, mode] :
       {std::pair{kPeer, kActive}, {kPeer, kPassive}, {kSend, kBroadcast}})
    for (size_t size = 12; size <= 100; ++size) {
      auto packet = Header(mode);
      packet.resize(size);
      assert_true(Seal(&h, key, packet).mac.empty() == (size != 48));
    }
}

msg::VerdictCode Check(Harness* h, uint32_t key, uint8_t mode) {
  msg::CheckMac request;
  request.path = kPath;
  request.key = {key};
  Set(&request.covered, Header(mode));
  Set(&request.digest, std::vector<uint8_t>(16, 0));
  h->FromNet(request);
  return h->LastVerdict();
}

// kBad says that the key was tried: the digest here is never right.
void EachKeyIsBelievedForWhatItsLinesSay(void**) {
  Harness h;
  Start(&h);
  for (uint8_t mode = kActive; mode <= kBroadcast; ++mode) {
    const auto tried = [&](uint32_t key) { return Check(&h, key, mode) == msg::VerdictCode::kBad; };
    assert_true(tried(kServe) == (mode == kActive || mode == kClient));
    assert_true(tried(kUpstream) == (mode == kServer));
    assert_true(tried(kPeer) == (mode == kActive || mode == kPassive));
    assert_true(tried(kSend) == false);
    assert_true(tried(kListen) == (mode == kBroadcast || mode == kServer));
  }
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EachKeySealsWhatItsLinesSay),
      cmocka_unit_test(TheTransmitTimeIsWrittenByKeys),
      cmocka_unit_test(AVirtualClockIsCorrected),
      cmocka_unit_test(NothingBehindTheHeaderIsSealed),
      cmocka_unit_test(EachKeyIsBelievedForWhatItsLinesSay),
  };
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
