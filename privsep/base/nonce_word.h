// The word that makes a request by mode 6 good once: " nonce=HEX" at the end of its data.
//
// HEX is kNonceOctets octets in lower-case digits. It stands behind what the request says,
// whatever its operation, after one blank or tab at least. Data without it is data all through. It
// is for what changes something; what only reads bears the nonce that net made
// (control::SplitProof).
#pragma once

#include <string_view>

#include "privsep/base/bytes.h"

namespace ntpward {

inline constexpr size_t kNonceOctets = 16;

struct NoncedText {
  std::string_view text;            // without the word and the blanks before it
  InlineBytes<kNonceOctets> nonce;  // empty: none came along
};

// `text` points into `data`.
NoncedText SplitNonce(std::string_view data);

}  // namespace ntpward
