// The quantities of the field as distinct types, so that one cannot be passed for another.
//
// Sources: RFC 5905 section 6 (timestamp formats), RFC 5906 (key and association identifiers).
#pragma once

#include <time.h>

#include <cmath>
#include <compare>
#include <cstdint>

namespace ntpward {

// Seconds from 1900 (NTP era 0) to 1970 (the Unix epoch).
inline constexpr uint32_t kUnixToNtpSeconds = 2208988800U;

// A signed span of time in units of 2^-32 s; about +-68 years.
class NtpDuration {
 public:
  constexpr NtpDuration() = default;
  static constexpr NtpDuration FromRaw(int64_t raw) { return NtpDuration(raw); }
  static NtpDuration FromSeconds(double seconds) {
    return NtpDuration(static_cast<int64_t>(std::llround(seconds * 4294967296.0)));
  }
  constexpr int64_t raw() const { return raw_; }
  constexpr double seconds() const { return static_cast<double>(raw_) / 4294967296.0; }
  friend constexpr auto operator<=>(NtpDuration, NtpDuration) = default;

 private:
  explicit constexpr NtpDuration(int64_t raw) : raw_(raw) {}
  int64_t raw_ = 0;
};

// A point of time modulo 2^32 s, as 32.32 fixed point (RFC 5905 section 6). It has no order: only
// differences of points closer than 68 years mean anything. Zero means "unknown".
class NtpTimestamp {
 public:
  constexpr NtpTimestamp() = default;
  static constexpr NtpTimestamp FromRaw(uint64_t raw) { return NtpTimestamp(raw); }
  static constexpr NtpTimestamp FromUnix(const timespec& unix_time) {
    const uint64_t seconds =
        static_cast<uint32_t>(static_cast<uint64_t>(unix_time.tv_sec) + kUnixToNtpSeconds);
    const uint64_t fraction = (static_cast<uint64_t>(unix_time.tv_nsec) << 32) / 1000000000U;
    return NtpTimestamp((seconds << 32) | fraction);
  }
  constexpr uint64_t raw() const { return raw_; }
  constexpr uint32_t seconds() const { return static_cast<uint32_t>(raw_ >> 32); }
  constexpr uint32_t fraction() const { return static_cast<uint32_t>(raw_); }
  constexpr bool is_zero() const { return raw_ == 0; }

  // a - b, right for points less than 68 years apart whatever their era.
  friend constexpr NtpDuration operator-(NtpTimestamp a, NtpTimestamp b) {
    return NtpDuration::FromRaw(static_cast<int64_t>(a.raw_ - b.raw_));
  }
  friend constexpr NtpTimestamp operator+(NtpTimestamp a, NtpDuration d) {
    return NtpTimestamp(a.raw_ + static_cast<uint64_t>(d.raw()));
  }
  friend constexpr bool operator==(NtpTimestamp, NtpTimestamp) = default;

 private:
  explicit constexpr NtpTimestamp(uint64_t raw) : raw_(raw) {}
  uint64_t raw_ = 0;
};

// Seconds modulo 2^32 since 1900, as Autokey uses them (RFC 5906 "timestamp", "filestamp").
// Zero: not synchronised, or none.
struct NtpSeconds {
  uint32_t value = 0;
  friend constexpr auto operator<=>(NtpSeconds, NtpSeconds) = default;
};

// CLOCK_MONOTONIC in nanoseconds; for intervals and schedules only.
class MonoTime {
 public:
  constexpr MonoTime() = default;
  static constexpr MonoTime FromNanoseconds(int64_t ns) { return MonoTime(ns); }
  static MonoTime FromSeconds(double seconds) {
    return MonoTime(static_cast<int64_t>(std::llround(seconds * 1e9)));
  }
  constexpr int64_t nanoseconds() const { return ns_; }
  constexpr double seconds() const { return static_cast<double>(ns_) / 1e9; }
  friend constexpr auto operator<=>(MonoTime, MonoTime) = default;
  // Seconds from b to a. Wraps instead of overflowing: one of them may have come from another
  // process.
  friend constexpr double operator-(MonoTime a, MonoTime b) {
    const uint64_t difference = static_cast<uint64_t>(a.ns_) - static_cast<uint64_t>(b.ns_);
    return static_cast<double>(static_cast<int64_t>(difference)) / 1e9;
  }
  friend MonoTime operator+(MonoTime a, double seconds) {
    return MonoTime(a.ns_ + static_cast<int64_t>(std::llround(seconds * 1e9)));
  }

 private:
  explicit constexpr MonoTime(int64_t ns) : ns_(ns) {}
  int64_t ns_ = 0;
};

// The key identifier of a MAC (RFC 5905 section 7.3): 0 none (and crypto-NAK), 1..65535 symmetric,
// above that an Autokey session key.
struct KeyId {
  uint32_t value = 0;
  constexpr bool is_none() const { return value == 0; }
  constexpr bool is_symmetric() const { return value >= 1 && value <= 65535; }
  constexpr bool is_autokey() const { return value > 65535; }
  friend constexpr auto operator<=>(KeyId, KeyId) = default;
};

// Names an association in mode 6 and in Autokey (RFC 5905 appendix A, RFC 5906): 1..65535; 0 is the
// system itself.
struct AssocId {
  uint16_t value = 0;
  friend constexpr auto operator<=>(AssocId, AssocId) = default;
};

// Parts per million, of frequency.
struct Ppm {
  double value = 0;
  friend constexpr auto operator<=>(Ppm, Ppm) = default;
};

}  // namespace ntpward
