// links: keys
//
// Any octets as the secret of a farm: refused, or as many octets as a secret has.
#include "keys/farm_seeds.h"

using namespace ntpward;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto secret = keys::ParseFarmFile(Bytes(data, size));
  CHECK(secret.ok() ? secret->size() == keys::FarmSeeds::kSecretOctets
                    : !secret.error().text.empty());
  return 0;
}
