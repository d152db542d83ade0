// links: keys
//
// Session keys of any input: deterministic, of the digest's size, and what they start with is
// next().
#include "keys/session_key.h"

using namespace ntpward;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static keys::SessionKeyHasher hasher = keys::SessionKeyHasher::Create("SHA1").value();
  Reader reader(Bytes(data, size));
  AddressPair path;
  for (IpAddress* address : {&path.source, &path.destination}) {
    address->family = reader.U8() % 2 == 0 ? Family::kIpv4 : Family::kIpv6;
    const Bytes octets = reader.Take(16);
    std::copy(octets.begin(), octets.end(), address->octets.begin());
  }
  const KeyId id{reader.U32()};
  const uint32_t private_value = reader.U32();
  const keys::SessionKey key = hasher.Derive(path, id, private_value);
  const keys::SessionDigest mac = hasher.Mac(key, reader.Rest());
  CHECK(key.bytes().size() == 20 && mac.size() == 20);
  CHECK(EqualConstantTime(hasher.Derive(path, id, private_value).bytes(), key.bytes()));
  CHECK(Reader(key.bytes()).U32() == key.next().value);
  return 0;
}
