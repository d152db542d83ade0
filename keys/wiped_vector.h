// An InlineVector for secrets: its octets are overwritten when it goes, those of elements that were
// taken out with them.
#pragma once

#include <openssl/crypto.h>

#include <type_traits>

#include "privsep/base/inline_vector.h"

namespace ntpward::keys {

template <typename T, size_t N>
class WipedVector : public InlineVector<T, N> {
 public:
  static_assert(std::is_trivially_copyable_v<T>);

  WipedVector() = default;
  WipedVector(const WipedVector&) = default;
  WipedVector& operator=(const WipedVector&) = default;
  ~WipedVector() { OPENSSL_cleanse(this->begin(), N * sizeof(T)); }
};

}  // namespace ntpward::keys
