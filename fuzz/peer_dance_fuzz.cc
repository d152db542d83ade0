// links: autokey
//
// A dance between peers. Whatever comes in whatever order, nothing is believed before what it rests
// on, and what goes out is well-formed.
#include "fuzz/autokey_hosts.h"
#include "fuzz/dances.h"
#include "ntpd/autokey/peer_dance.h"

using namespace ntpward;
using namespace ntpward::autokey;

namespace {

const AddressPair kToPeer{IpAddress::V4(10, 77, 0, 2), IpAddress::V4(10, 77, 0, 1)};

const HostState& Host() {
  static const HostState host =
      fuzz::MakeHost("client", 0x80001, fuzz::kClientCertificate, fuzz::kClientHostKey, true);
  return host;
}

struct Dancer {
  Dancer(uint8_t policy, uint16_t association)
      : dance(AssocId{association}, {"", (policy & 1) != 0, (policy & 2) != 0}, 12, kToPeer,
              MonoTime{}) {
    cache.SetOwn(Host().certificate());
  }
  DanceContext context() { return {Host(), cache, MonoTime{}, NtpSeconds{now}, synchronised}; }
  msg::ValueAnswer Value(size_t size) const {
    msg::ValueAnswer answer;
    answer.code = verdict;
    answer.timestamp = answer.filestamp = NtpSeconds{synchronised ? now : 0};
    if (verdict == msg::VerdictCode::kGood) CHECK(answer.value.Resize(size));
    return answer;
  }
  msg::ValueAnswer Challenge() const { return Value(20); }
  void Run(const DanceResult& result) { fuzz::RunJobs(this, result); }
  void Take(Bytes field, bool answers_us) {
    const PeerResult result = dance.OnField(field, answers_us, context());
    Run(result.dance);
    if (result.question) {
      std::visit([](const auto& operation) { CHECK(operation.Valid()); },
                 result.question->operation);
      Run(dance.OnValue(result.question->ticket, Value(64)));
    }
    if (!result.accept) return;
    CHECK(result.accept->Valid());
    dance.OnListVerdict(verdict);
  }
  void Poll() {
    if (const auto make = dance.DueList(4, context())) {
      CHECK(make->Valid());
      (void)dance.OnListMade(Value(8));
    }
    dance.OnKeyTaken(3);
    const PeerPacket packet = dance.NextPacket(context());
    Run(packet.effects);
    CHECK(packet.send && packet.fields.size() <= wire::kMaxExtensionArea);
    for (Bytes rest = packet.fields; !rest.empty();) {
      const size_t size = Reader(rest).U32() & 0xffff;
      CHECK(wire::ParseAutokeyField(rest.first(size)).ok());
      rest = rest.subspan(size);
    }
  }
  void Event(uint8_t event, Bytes octets) {
    ++now;
    switch (event % 8) {
      case 0:
        Poll();
        return Take(octets, true);
      case 1:
        return Take(octets, true);
      case 2:
        return Take(octets, false);
      case 3:
        return Run(dance.OnCryptoNak(context()));
      case 4:
        return dance.OnKeysRestarted();
      case 5:
        synchronised = !synchronised;
        return;
      case 6:
        verdict = static_cast<msg::VerdictCode>(octets.size() % 7);
        return;
      case 7:
        Run(dance.OnPacketVerdict(static_cast<msg::VerdictCode>(octets.size() % 7), true, true,
                                  dance.TakeBeginsAnew()));
        (void)dance.TakeHaste(context());
        (void)dance.TakeNak();
        return;
    }
  }
  void CheckOrder() const {
    const uint32_t flags = dance.flags();
    fuzz::CheckFlags(flags);
    CHECK(!fuzz::IsLit(flags, kCookie) || fuzz::IsLit(flags, kProven));
    CHECK(!dance.follows_list() || fuzz::IsLit(flags, kProven | kAutokey));
    CHECK(cache.entries().size() <= CertificateCache::kCapacity);
  }

  CertificateCache cache;
  PeerDance dance;
  uint32_t now = fuzz::kHostFilestamp + 100;
  bool synchronised = false;
  msg::VerdictCode verdict = msg::VerdictCode::kGood;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::DanceThrough<Dancer>(Bytes(data, size));
  return 0;
}
