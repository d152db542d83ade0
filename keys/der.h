// A DER SEQUENCE of INTEGERs, which is all of ASN.1 that identity schemes use.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "keys/openssl.h"

namespace ntpward::keys {

// Takes SEQUENCE { count INTEGERs } apart: each not negative, of at most `max_octets` octets, in
// the shortest form, nothing behind them. The value may come from a hostile server. None when it is
// anything else.
// `make` is Number, or SecretNumber for numbers of a private key.
std::optional<std::vector<BigPtr>> ParseIntegers(Bytes der, size_t count, size_t max_octets,
                                                 BigPtr (*make)() = Number);

// SEQUENCE { content }.
LockedBytes AsSequence(Bytes content);

// The reverse of ParseIntegers. The octets lie in the locked heap, since a number may be secret.
LockedBytes WriteIntegers(std::span<const BIGNUM* const> numbers);
inline LockedBytes WriteIntegers(std::initializer_list<const BIGNUM*> numbers) {
  return WriteIntegers(std::span(numbers.begin(), numbers.size()));
}

}  // namespace ntpward::keys
