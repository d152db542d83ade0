// links: keys
//
// Any octets as a slot of the file of the server's seeds, with the check sum that they need:
// nothing, or a record that is read again as it was once it is written.
#include <openssl/evp.h>
#include <sys/mman.h>
#include <unistd.h>

#include "keys/seed_file.h"
#include "privsep/base/bytes.h"

using namespace ntpward;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kCovered = 480;
  std::array<uint8_t, 512> slot{};
  std::copy_n(data, std::min(size, kCovered), slot.begin());
  size_t digest = 0;
  CHECK(EVP_Q_digest(nullptr, "SHA256", nullptr, slot.data(), kCovered, &slot[kCovered], &digest));
  UniqueFd fd(memfd_create("fuzz", MFD_CLOEXEC));
  CHECK(fd.valid() && write(fd.get(), slot.data(), slot.size()) == ssize_t{slot.size()});
  const keys::SeedFile file(std::move(fd));
  const auto record = file.Load();
  if (!record) return 0;
  CHECK(file.HasContent() && file.Store(*record).ok());
  const auto again = file.Load();
  CHECK(again && again->entries.size() == record->entries.size());
  for (size_t i = 0; i < record->entries.size(); ++i)
    CHECK(again->entries[i].seed == record->entries[i].seed);
  return 0;
}
