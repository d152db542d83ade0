#include "ntpq/metric_tables.h"

#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>

#include "ntpd/wire/variable_values.h"
#include "ntpq/json_values.h"

namespace ntpward::ntpq {
namespace {

constexpr VariableMetric kSystem[] = {
    {"leap",
     MetricScale::kPlain,
     {"ntpward_leap_indicator", MetricType::kGauge, "",
      "0 none, 1 insert, 2 delete a second, 3 not synchronised."}},
    {"stratum",
     MetricScale::kPlain,
     {"ntpward_stratum", MetricType::kGauge, "",
      "Distance from a reference clock; 16 is not synchronised."}},
    {"precision",
     MetricScale::kLog2,
     {"ntpward_precision_seconds", MetricType::kGauge, "seconds",
      "Precision of the system clock."}},
    {"rootdelay",
     MetricScale::kMilliseconds,
     {"ntpward_root_delay_seconds", MetricType::kGauge, "seconds",
      "Round trip to the reference clock."}},
    {"rootdisp",
     MetricScale::kMilliseconds,
     {"ntpward_root_dispersion_seconds", MetricType::kGauge, "seconds",
      "Maximum error relative to the reference clock."}},
    {"reftime",
     MetricScale::kTimestamp,
     {"ntpward_reference_timestamp_seconds", MetricType::kGauge, "seconds",
      "Unix time of the last update of the clock."}},
    {"tc",
     MetricScale::kLog2,
     {"ntpward_poll_interval_seconds", MetricType::kGauge, "seconds",
      "Time constant of the clock discipline."}},
    {"offset",
     MetricScale::kMilliseconds,
     {"ntpward_offset_seconds", MetricType::kGauge, "seconds",
      "Offset of the combined sources; positive: the clock is behind."}},
    {"frequency",
     MetricScale::kPpm,
     {"ntpward_frequency_ratio", MetricType::kGauge, "ratio",
      "Frequency correction of the clock."}},
    {"sys_jitter",
     MetricScale::kMilliseconds,
     {"ntpward_system_jitter_seconds", MetricType::kGauge, "seconds",
      "Jitter of the combined sources."}},
    {"clk_jitter",
     MetricScale::kMilliseconds,
     {"ntpward_clock_jitter_seconds", MetricType::kGauge, "seconds",
      "Jitter of the clock discipline."}},
    {"clk_wander",
     MetricScale::kPpm,
     {"ntpward_clock_wander_ratio", MetricType::kGauge, "ratio",
      "Wander of the clock's frequency."}},
    {"tai",
     MetricScale::kPlain,
     {"ntpward_tai_offset_seconds", MetricType::kGauge, "seconds", "TAI minus UTC."}},
    {"expire",
     MetricScale::kMinute,
     {"ntpward_leap_table_expiry_timestamp_seconds", MetricType::kGauge, "seconds",
      "Unix time at which the table of leap seconds ends."}},
};

constexpr VariableMetric kStatistics[] = {
    {"ss_uptime",
     MetricScale::kPlain,
     {"ntpward_uptime_seconds", MetricType::kGauge, "seconds",
      "Time since the daemon was started."}},
    {"ss_received",
     MetricScale::kPlain,
     {"ntpward_packets_received", MetricType::kCounter, "", "Packets received."}},
    {"ss_thisver",
     MetricScale::kPlain,
     {"ntpward_packets_current_version", MetricType::kCounter, "", "Packets of NTP version 4."}},
    {"ss_oldver",
     MetricScale::kPlain,
     {"ntpward_packets_older_version", MetricType::kCounter, "",
      "Packets of NTP versions 1 to 3."}},
    {"ss_badformat",
     MetricScale::kPlain,
     {"ntpward_packets_malformed", MetricType::kCounter, "",
      "Packets of a wrong length or format."}},
    {"ss_badauth",
     MetricScale::kPlain,
     {"ntpward_packets_authentication_failed", MetricType::kCounter, "",
      "Packets with a wrong MAC."}},
    {"ss_declined",
     MetricScale::kPlain,
     {"ntpward_packets_declined", MetricType::kCounter, "", "Packets declined."}},
    {"ss_restricted",
     MetricScale::kPlain,
     {"ntpward_packets_restricted", MetricType::kCounter, "",
      "Packets that access rules refused."}},
    {"ss_limited",
     MetricScale::kPlain,
     {"ntpward_packets_rate_limited", MetricType::kCounter, "", "Packets beyond the rate limit."}},
    {"ss_kodsent",
     MetricScale::kPlain,
     {"ntpward_kod_responses", MetricType::kCounter, "", "Kiss-o'-death packets sent."}},
    {"ss_processed",
     MetricScale::kPlain,
     {"ntpward_packets_processed", MetricType::kCounter, "", "Packets used for the time."}},
};

constexpr VariableMetric kInputOutput[] = {
    {"io_received",
     MetricScale::kPlain,
     {"ntpward_io_packets_received", MetricType::kCounter, "", "Datagrams read from sockets."}},
    {"io_sent",
     MetricScale::kPlain,
     {"ntpward_io_packets_sent", MetricType::kCounter, "", "Datagrams sent."}},
    {"io_sendfailed",
     MetricScale::kPlain,
     {"ntpward_io_send_failures", MetricType::kCounter, "", "Datagrams that could not be sent."}},
    {"io_dropped",
     MetricScale::kPlain,
     {"ntpward_io_packets_dropped", MetricType::kCounter, "",
      "Datagrams dropped for want of room."}},
    {"io_ignored",
     MetricScale::kPlain,
     {"ntpward_io_packets_ignored", MetricType::kCounter, "",
      "Datagrams on interfaces that are ignored."}},
    {"io_wakeups",
     MetricScale::kPlain,
     {"ntpward_io_wakeups", MetricType::kCounter, "", "Times that input woke the daemon."}},
};

constexpr VariableMetric kKeys[] = {
    {"authkeys",
     MetricScale::kPlain,
     {"ntpward_keys", MetricType::kGauge, "", "Keys held, Autokey's session keys among them."}},
    {"authklookups",
     MetricScale::kPlain,
     {"ntpward_key_lookups", MetricType::kCounter, "", "Keys looked up."}},
    {"authknotfound",
     MetricScale::kPlain,
     {"ntpward_key_lookups_failed", MetricType::kCounter, "", "Keys looked up and not found."}},
    {"authencrypts",
     MetricScale::kPlain,
     {"ntpward_macs_computed", MetricType::kCounter, "", "MACs made."}},
    {"authdecrypts",
     MetricScale::kPlain,
     {"ntpward_macs_checked", MetricType::kCounter, "", "MACs checked."}},
};

constexpr VariableMetric kRecentClients[] = {
    {"mru_depth",
     MetricScale::kPlain,
     {"ntpward_recent_clients", MetricType::kGauge, "", "Clients in the list of recent clients."}},
    {"mru_maxdepth",
     MetricScale::kPlain,
     {"ntpward_recent_clients_limit", MetricType::kGauge, "", "Clients that the list can hold."}},
    {"mru_mem",
     MetricScale::kKilobytes,
     {"ntpward_recent_clients_size_bytes", MetricType::kGauge, "bytes",
      "Memory of the list of recent clients."}},
};

constexpr VariableMetric kTimers[] = {
    {"timer_overruns",
     MetricScale::kPlain,
     {"ntpward_timer_overruns", MetricType::kCounter, "",
      "Seconds of the interval timer that were missed."}},
    {"timer_xmts",
     MetricScale::kPlain,
     {"ntpward_transmit_calls", MetricType::kCounter, "", "Polls that the timer started."}},
};

constexpr VariableMetric kControl[] = {
    {"ctl_received",
     MetricScale::kPlain,
     {"ntpward_control_requests_received", MetricType::kCounter, "",
      "Datagrams of modes 6 and 7 that access rules let in."}},
    {"ctl_answered",
     MetricScale::kPlain,
     {"ntpward_control_requests_answered", MetricType::kCounter, "",
      "Requests of mode 6 answered."}},
    {"ctl_errors",
     MetricScale::kPlain,
     {"ntpward_control_errors", MetricType::kCounter, "",
      "Requests of mode 6 answered with an error."}},
    {"ctl_unproved",
     MetricScale::kPlain,
     {"ntpward_control_strangers_refused", MetricType::kCounter, "",
      "Errors of those because an address was not proved."}},
    {"ctl_limited",
     MetricScale::kPlain,
     {"ntpward_control_requests_rate_limited", MetricType::kCounter, "",
      "Requests of mode 6 beyond the rate limit."}},
    {"ctl_malformed",
     MetricScale::kPlain,
     {"ntpward_control_requests_malformed", MetricType::kCounter, "",
      "Datagrams of mode 6 that are no request."}},
    {"ctl_mode7",
     MetricScale::kPlain,
     {"ntpward_private_requests", MetricType::kCounter, "",
      "Datagrams of mode 7, which is not served."}},
    {"ss_autokey1",
     MetricScale::kPlain,
     {"ntpward_autokey_version_1_requests", MetricType::kCounter, "",
      "Requests of Autokey version 1, which is refused."}},
};

constexpr VariableMetric kKernel[] = {
    {"kmaxerr",
     MetricScale::kMilliseconds,
     {"ntpward_kernel_maximum_error_seconds", MetricType::kGauge, "seconds",
      "Maximum error that the kernel is told."}},
    {"kesterr",
     MetricScale::kMilliseconds,
     {"ntpward_kernel_estimated_error_seconds", MetricType::kGauge, "seconds",
      "Estimated error that the kernel is told."}},
    {"kfreq",
     MetricScale::kPpm,
     {"ntpward_kernel_frequency_ratio", MetricType::kGauge, "ratio",
      "Frequency correction that the kernel is told."}},
};

constexpr VariableMetric kAssociation[] = {
    {"stratum",
     MetricScale::kPlain,
     {"ntpward_association_stratum", MetricType::kGauge, "", "Stratum of the source."}},
    {"leap",
     MetricScale::kPlain,
     {"ntpward_association_leap_indicator", MetricType::kGauge, "",
      "Leap indicator of the source."}},
    {"offset",
     MetricScale::kMilliseconds,
     {"ntpward_association_offset_seconds", MetricType::kGauge, "seconds",
      "Offset of the source; positive: our clock is behind."}},
    {"delay",
     MetricScale::kMilliseconds,
     {"ntpward_association_delay_seconds", MetricType::kGauge, "seconds",
      "Round trip to the source."}},
    {"jitter",
     MetricScale::kMilliseconds,
     {"ntpward_association_jitter_seconds", MetricType::kGauge, "seconds",
      "Jitter of the source."}},
    {"dispersion",
     MetricScale::kMilliseconds,
     {"ntpward_association_dispersion_seconds", MetricType::kGauge, "seconds",
      "Dispersion of the source."}},
    {"rootdelay",
     MetricScale::kMilliseconds,
     {"ntpward_association_root_delay_seconds", MetricType::kGauge, "seconds",
      "Round trip from the source to its reference clock."}},
    {"rootdisp",
     MetricScale::kMilliseconds,
     {"ntpward_association_root_dispersion_seconds", MetricType::kGauge, "seconds",
      "Dispersion that the source reports."}},
    {"hpoll",
     MetricScale::kLog2,
     {"ntpward_association_poll_interval_seconds", MetricType::kGauge, "seconds",
      "Interval of our polls."}},
    {"reach",
     MetricScale::kRegister,
     {"ntpward_association_reach_ratio", MetricType::kGauge, "ratio",
      "Part of the last eight polls that was answered."}},
    {"unreach",
     MetricScale::kPlain,
     {"ntpward_association_unanswered_polls", MetricType::kGauge, "",
      "Polls without an answer since the last one."}},
    {"flash",
     MetricScale::kPlain,
     {"ntpward_association_flash", MetricType::kGauge, "",
      "Why the source is no good, as bits; 0 is good."}},
    {"rec",
     MetricScale::kTimestamp,
     {"ntpward_association_received_timestamp_seconds", MetricType::kGauge, "seconds",
      "Unix time of the last packet from the source."}},
};

constexpr VariableMetric kAssociationCounters[] = {
    {"sent",
     MetricScale::kPlain,
     {"ntpward_association_packets_sent", MetricType::kCounter, "", "Packets sent to the source."}},
    {"received",
     MetricScale::kPlain,
     {"ntpward_association_packets_received", MetricType::kCounter, "",
      "Packets received from the source."}},
    {"badauth",
     MetricScale::kPlain,
     {"ntpward_association_authentication_failures", MetricType::kCounter, "",
      "Packets of the source with a wrong MAC."}},
    {"bogusorg",
     MetricScale::kPlain,
     {"ntpward_association_bogus_origins", MetricType::kCounter, "",
      "Packets that answer nothing we asked."}},
    {"oldpkt",
     MetricScale::kPlain,
     {"ntpward_association_duplicates", MetricType::kCounter, "", "Packets that came twice."}},
    {"seldisp",
     MetricScale::kPlain,
     {"ntpward_association_bad_dispersion", MetricType::kCounter, "",
      "Packets with a dispersion out of bounds."}},
    {"selbroken",
     MetricScale::kPlain,
     {"ntpward_association_kisses_of_death", MetricType::kCounter, "",
      "Times the source told us to go away or to slow down."}},
};

constexpr std::span<const VariableMetric> kNamedSystem[] = {
    kStatistics, kInputOutput, kKeys, kRecentClients, kTimers, kKernel, kControl};

// Decimal, with or without exponent, or hexadecimal after 0x.
std::optional<double> Number(std::string_view text) {
  if (text.starts_with("0x")) {
    const auto bits = wire::DecodeNumber(text);
    return bits ? std::optional(static_cast<double>(*bits)) : std::nullopt;
  }
  double value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return std::nullopt;
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

double UnixSeconds(const timespec& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

std::optional<double> TimestampSeconds(std::string_view text, const timespec& now) {
  const auto time = wire::DecodeTimestamp(text);
  if (!time || time->is_zero()) return std::nullopt;
  return UnixSeconds(ToUnix(*time, now));
}

std::optional<double> MinuteSeconds(std::string_view text) {
  const auto number = wire::DecodeUnsigned(text);
  if (!number || text.size() != 12) return std::nullopt;
  using std::chrono::day, std::chrono::month, std::chrono::year;
  const std::chrono::year_month_day date{year(static_cast<int>(*number / 100000000)),
                                         month(static_cast<unsigned>(*number / 1000000 % 100)),
                                         day(static_cast<unsigned>(*number / 10000 % 100))};
  if (!date.ok()) return std::nullopt;
  const auto days = std::chrono::sys_days(date).time_since_epoch().count();
  return static_cast<double>(days) * 86400 + static_cast<double>(*number / 100 % 100) * 3600 +
         static_cast<double>(*number % 100) * 60;
}

// The part of a shift register of eight that is set.
std::optional<double> RegisterRatio(double bits) {
  if (bits < 0 || bits > 255) return std::nullopt;
  return std::popcount(static_cast<unsigned>(bits)) / 8.0;
}

}  // namespace

std::span<const VariableMetric> SystemMetrics() { return kSystem; }
bool IsOurs(std::string_view variable) { return variable.starts_with("ctl_"); }

std::span<const std::span<const VariableMetric>> NamedSystemMetrics() { return kNamedSystem; }
std::span<const VariableMetric> AssociationMetrics() { return kAssociation; }
std::span<const VariableMetric> NamedAssociationMetrics() { return kAssociationCounters; }

std::optional<double> MetricValue(std::string_view text, MetricScale scale, const timespec& now) {
  if (scale == MetricScale::kTimestamp) return TimestampSeconds(text, now);
  if (scale == MetricScale::kMinute) return MinuteSeconds(text);
  const auto number = Number(text);
  if (!number) return std::nullopt;
  switch (scale) {
    case MetricScale::kMilliseconds:
      return *number / 1e3;
    case MetricScale::kPpm:
      return *number / 1e6;
    case MetricScale::kLog2:
      return std::fabs(*number) <= 64 ? std::optional(std::exp2(*number)) : std::nullopt;
    case MetricScale::kKilobytes:
      return *number * 1024;
    case MetricScale::kRegister:
      return RegisterRatio(*number);
    default:
      return number;
  }
}

}  // namespace ntpward::ntpq
