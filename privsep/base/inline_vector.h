// Up to N values held in place; never allocates and never grows past N.
#pragma once

#include <array>
#include <cstddef>

#include "privsep/base/result.h"

namespace ntpward {

template <typename T, size_t N>
class InlineVector {
 public:
  static constexpr size_t kCapacity = N;

  // False, and unchanged, when full.
  [[nodiscard]] bool Push(const T& value) {
    if (size_ == N) return false;
    items_[size_++] = value;
    return true;
  }
  void Clear() { size_ = 0; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  bool full() const { return size_ == N; }
  T& operator[](size_t i) {
    CHECK(i < size_);
    return items_[i];
  }
  const T& operator[](size_t i) const {
    CHECK(i < size_);
    return items_[i];
  }
  T* begin() { return items_.data(); }
  T* end() { return items_.data() + size_; }
  const T* begin() const { return items_.data(); }
  const T* end() const { return items_.data() + size_; }

 private:
  std::array<T, N> items_{};
  size_t size_ = 0;
};

}  // namespace ntpward
