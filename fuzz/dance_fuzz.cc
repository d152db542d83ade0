// links: autokey
//
// A client's dance and its renewals. Whatever comes in whatever order, nothing is believed before
// what it rests on.
#include "fuzz/autokey_hosts.h"
#include "fuzz/dances.h"
#include "ntpd/autokey/renewing_dance.h"

using namespace ntpward;
using namespace ntpward::autokey;

namespace {

const HostState& Host(bool with_group) {
  static const auto make = [](bool group) {
    return fuzz::MakeHost("client", 0x80001, fuzz::kClientCertificate, fuzz::kClientHostKey, group);
  };
  static const HostState bare = make(false), grouped = make(true);
  return with_group ? grouped : bare;
}

struct Dancer {
  Dancer(uint8_t policy, uint16_t association)
      : host(Host((policy & 1) == 0)),
        dance(AssocId{association}, {"", (policy & 1) != 0, (policy & 2) != 0}, MonoTime{}) {
    cache.SetOwn(host.certificate());
  }
  DanceContext context() {
    return {host, cache, MonoTime::FromSeconds(elapsed),
            NtpSeconds{fuzz::kHostFilestamp + 100 + elapsed}, synchronised};
  }
  void Run(const DanceResult& result) {
    CHECK(result.jobs.size() <= 2);
    fuzz::RunJobs(this, result);
  }
  static msg::ValueAnswer Challenge() {
    msg::ValueAnswer challenge;
    challenge.code = msg::VerdictCode::kGood;
    CHECK(challenge.value.Resize(20));
    return challenge;
  }
  void Poll() {
    const NextField next = dance.NextRequest(context());
    Run(next.effects);
    if (next.kind == NextField::Kind::kField) CHECK(wire::ParseAutokeyField(next.field).ok());
  }
  void Event(uint8_t event, Bytes octets) {
    switch (event % 10) {
      case 0:
        return Poll(), Run(dance.OnResponse(octets, context()));
      case 1:
        return Run(dance.OnResponse(octets, context()));
      case 2:
        return Run(dance.OnCryptoNak(context()));
      case 3:
        return dance.OnKeysRestarted();
      case 4:
        synchronised = !synchronised;
        return;
      case 5:
        verdict = static_cast<msg::VerdictCode>(octets.size() % 6);
        return;
      case 6:  // until a renewal is due, and the end
        elapsed += octets.empty() ? 16 : 4096U * octets[0];
        return;
      case 7:
        return Run(
            dance.OnHostMaterial({octets.size() % 2 == 1, octets.size() % 4 > 1}, context()));
      case 8:
        return Run(dance.OnBadMac());
      case 9:
        return Replay(octets);
    }
  }
  // An answer to the last question, whatever its identifier: what the seeds have was recorded.
  void Replay(Bytes octets) {
    Poll();
    std::vector<uint8_t> field(octets.begin(), octets.end());
    if (field.size() >= 8) Writer(MutableBytes(field).subspan(4)).U32(dance.association().value);
    Run(dance.OnResponse(field, context()));
  }
  void CheckOrder() const {
    const uint32_t flags = dance.flags();
    fuzz::CheckFlags(flags);
    CHECK(!fuzz::IsLit(flags, kVerified) || !dance.identity().empty());
    CHECK(!fuzz::IsLit(flags, kSigned) || fuzz::IsLit(flags, kVerified));
    CHECK(!dance.proven() || fuzz::IsLit(flags, kCookie | kProven));
    CHECK((flags != 0) == !dance.server_name().empty());
    CHECK(cache.entries().size() <= CertificateCache::kCapacity);
  }

  const HostState& host;
  CertificateCache cache;
  RenewingDance dance;
  uint32_t elapsed = 0;  // s
  bool synchronised = false;
  msg::VerdictCode verdict = msg::VerdictCode::kGood;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::DanceThrough<Dancer>(Bytes(data, size));
  return 0;
}
