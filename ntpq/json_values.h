// The values that documents are made of: codes with their words, times, status words.
#pragma once

#include <time.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "ntpq/cook.h"
#include "ntpq/json_writer.h"
#include "privsep/base/types.h"

namespace ntpward::ntpq {

// "2026-11-21T23:49:22.375449000Z": UTC, RFC 3339.
std::string UnixTimeText(const timespec& time);
// The Unix time that a timestamp, which has no era, means: the one closest to `now`.
timespec ToUnix(NtpTimestamp time, const timespec& now);

// {"code": 3, "name": "client"}.
void WriteCode(JsonWriter& json, uint64_t code, std::string_view name);
// {"ntp": "0xeeacac82.601ea377", "time": "2026-11-21T23:49:22.375449387Z"}; the time is null for
// the timestamp 0, which means "never".
void WriteTime(JsonWriter& json, NtpTimestamp time, const timespec& now);
// {"code": 16, "names": ["pkt_auth"]}: the bits of `flash`.
void WriteFlash(JsonWriter& json, uint16_t flash);
// A status word taken apart.
void WriteStatus(JsonWriter& json, Scope scope, uint16_t word);

// "client" for 3; modes as ntpq 4.2.8 calls them.
std::string_view ModeName(uint64_t mode);

}  // namespace ntpward::ntpq
