// links: autokey
//
// AUTO responses of another host, each behind an octet that says whether its signature is good and
// what the key process answers, and its length. What is passed on is a message that keys accepts,
// and times never go back.
#include <algorithm>

#include "ntpd/autokey/announced_list.h"

using namespace ntpward;
using namespace ntpward::autokey;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr uint32_t kAssociation = 0xa86e;
  const AddressPair path{IpAddress::V4(10, 77, 0, 1), IpAddress::V4(10, 77, 0, 255)};
  AnnouncedList list(AssocId{7}, msg::KeyListUse::kBroadcast, path);
  Reader reader(Bytes(data, size));
  while (reader.remaining() >= 3) {
    const uint8_t verdicts = reader.U8();
    const Bytes field = reader.Take(std::min<size_t>(reader.U16(), reader.remaining()));
    const bool was = list.accepted();
    const KeyId key = list.key();
    const auto result = list.OnAnnouncement(field, kAssociation, [&](const wire::AutokeyField&) {
      return (verdicts & 1) == 0 ? Outcome::kOk : Outcome::kSignature;
    });
    // One that is followed and told again goes on as it was.
    CHECK(result.accept ? result.outcome == Outcome::kOk : result.outcome != Outcome::kOk || was);
    if (!result.accept) {
      CHECK(list.accepted() == was && list.key() == key);
      continue;
    }
    CHECK((verdicts & 1) == 0 && result.accept->Valid() && !list.accepted());
    list.OnVerdict((verdicts & 2) == 0 ? msg::VerdictCode::kGood : msg::VerdictCode::kBad);
    CHECK(list.accepted() == ((verdicts & 2) == 0));
  }
  return 0;
}
