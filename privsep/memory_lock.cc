#include "privsep/memory_lock.h"

#include <malloc.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace ntpward {
namespace {

// What a key process with the largest keys needs beyond its start, several times over.
constexpr size_t kHeapReserve = 3 << 20;
// OpenSSL's secure heap, which is locked already, and every Secret: passwords, key files, key
// material.
constexpr size_t kRoomForSecrets = 2 << 20;

struct CloseFile {
  void operator()(std::FILE* file) const { (void)std::fclose(file); }
};

// Allocations come from the one heap that is locked, and what was freed stays with it.
void KeepOneHeap() {
  (void)mallopt(M_MMAP_MAX, 0);
  (void)mallopt(M_TRIM_THRESHOLD, -1);
  (void)mallopt(M_ARENA_MAX, 1);
  std::free(std::malloc(kHeapReserve));
}

struct Mapping {
  const void* start = nullptr;
  size_t size = 0;
};

// What /proc/self/maps calls `name`; empty when there is none.
Mapping FindMapping(const char* name) {
  const std::unique_ptr<std::FILE, CloseFile> maps(std::fopen("/proc/self/maps", "re"));
  char line[512];
  while (maps != nullptr && std::fgets(line, sizeof line, maps.get()) != nullptr) {
    if (std::strstr(line, name) == nullptr) continue;
    char* rest = nullptr;
    const unsigned long start = std::strtoul(line, &rest, 16);
    const unsigned long end = std::strtoul(rest + 1, nullptr, 16);
    return {reinterpret_cast<const void*>(start), end - start};  // NOLINT
  }
  return {};
}

// Heap and stack, but only if enough of the limit is left for what is locked later: a capability
// that makes the kernel look away now will be gone then.
bool LockHeapAndStack(size_t limit) {
  const Mapping heap = FindMapping("[heap]");
  const Mapping stack = FindMapping("[stack]");
  if (heap.size == 0 || stack.size == 0) return false;
  if (heap.size + stack.size + kRoomForSecrets > limit) return false;
  return mlock(heap.start, heap.size) == 0 && mlock(stack.start, stack.size) == 0;
}

}  // namespace

void RaiseLockLimit() {
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  if (setrlimit(RLIMIT_MEMLOCK, &unlimited) == 0) return;
  rlimit limit{};
  if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_MEMLOCK, &limit);
}

bool LockWorkingMemory() {
  KeepOneHeap();
  rlimit limit{};
  if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return false;
  if (limit.rlim_cur == RLIM_INFINITY) return mlockall(MCL_CURRENT | MCL_FUTURE) == 0;
  return LockHeapAndStack(limit.rlim_cur);
}

}  // namespace ntpward
