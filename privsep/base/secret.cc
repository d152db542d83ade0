#include "privsep/base/secret.h"

#include <string.h>
#include <sys/mman.h>

#include <utility>

namespace ntpward {
namespace {

constexpr size_t kPage = 4096;

size_t PagesFor(size_t size) { return (size + kPage - 1) / kPage * kPage; }

}  // namespace

void Wipe(MutableBytes memory) {
  if (!memory.empty()) explicit_bzero(memory.data(), memory.size());
}

Result<Secret> Secret::Zeros(size_t size) {
  Secret secret;
  if (size == 0) return secret;
  void* pages =
      mmap(nullptr, PagesFor(size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return Fail("no memory for a secret");
  if (mlock(pages, PagesFor(size)) != 0) {
    munmap(pages, PagesFor(size));
    return Fail("cannot lock a secret into memory: raise the limit (ulimit -l, LimitMEMLOCK=)");
  }
  (void)madvise(pages, PagesFor(size), MADV_DONTDUMP);
  secret.data_ = static_cast<uint8_t*>(pages);
  secret.size_ = size;
  return secret;
}

Result<Secret> Secret::Copy(Bytes bytes) {
  Secret secret = TRY(Zeros(bytes.size()));
  std::copy(bytes.begin(), bytes.end(), secret.bytes().begin());
  return secret;
}

Secret::Secret(Secret&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    Destroy();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

Secret::~Secret() { Destroy(); }

void Secret::Destroy() {
  if (data_ == nullptr) return;
  Wipe({data_, size_});
  munmap(data_, PagesFor(size_));
  data_ = nullptr;
  size_ = 0;
}

}  // namespace ntpward
