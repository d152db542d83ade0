// What a reader of the list of recent clients asks for (operation READ_MRU of ntpd 4.2.8).
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "privsep/base/address.h"
#include "privsep/base/bytes.h"
#include "privsep/base/result.h"
#include "privsep/base/types.h"

namespace ntpward::control {

// A row that the reader has.
struct MruPosition {
  SocketAddress client;
  NtpTimestamp last;  // as it was sent
};

struct MruRequest {
  static constexpr uint32_t kMaxDatagrams = 128;
  static constexpr uint32_t kMaxRows = 256;
  static constexpr size_t kMaxPositions = 16;

  std::string_view nonce;  // points into the request; empty: none
  // At least one of the two is set, each within 1 and its maximum.
  std::optional<uint32_t> datagrams;  // `frags`
  std::optional<uint32_t> rows;       // `limit`

  // Only rows that pass all of these are sent.
  uint64_t min_count = 0;             // `mincount`
  uint16_t any = 0;                   // `resany`: one of these core::Access bits; 0: any row
  uint16_t all = 0;                   // `resall`: all of these bits
  std::optional<uint32_t> max_age_s;  // `maxlstint`: seconds since the last request
  std::optional<IpAddress> local;     // `laddr`: which address of ours was asked

  // Newest first: the list goes on behind the first of these that is still as the reader has it.
  // Empty: from the oldest row.
  std::vector<MruPosition> positions;
  // Behind the nonce, MruPlaceDigits: up to the first of these that has not moved all has been
  // looked at since.
  std::vector<MruPosition> looked_at;
};

enum class MruReject : uint8_t {
  kUnreadable,  // a value of a wrong form, an address without its time: no answer
  kNoLimit,     // neither `frags` nor `limit`, or one out of range
};

// An unknown name ends the list, as ntpd 4.2.8 reads it. The nonce is not checked here.
Result<MruRequest, MruReject> ParseMruRequest(Bytes data);

}  // namespace ntpward::control
