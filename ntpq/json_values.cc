#include "ntpq/json_values.h"

#include <array>
#include <cstdio>

#include "ntpd/wire/status_word.h"

namespace ntpward::ntpq {
namespace {

std::string Hex(uint16_t word) {
  std::array<char, 8> text;
  std::snprintf(text.data(), text.size(), "%04x", unsigned{word});
  return text.data();
}

template <typename Code, typename Name>
void WriteNamed(JsonWriter& json, std::string_view key, Code code, const Name& name) {
  json.Key(key);
  WriteCode(json, static_cast<unsigned>(code), name);
}

void WriteSystemStatus(JsonWriter& json, const wire::SystemStatus& status) {
  WriteNamed(json, "leap", status.leap, wire::LeapName(status.leap));
  WriteNamed(json, "source", status.source, wire::SystemSourceName(status.source));
  json.Key("events").Unsigned(status.events);
  WriteNamed(json, "last_event", status.last_event, wire::SystemEventName(status.last_event));
}

void WritePeerStatus(JsonWriter& json, const wire::PeerStatus& status) {
  json.Key("configured").Bool(status.configured);
  json.Key("auth_enabled").Bool(status.auth_enabled);
  json.Key("authentic").Bool(status.authentic);
  json.Key("reachable").Bool(status.reachable);
  json.Key("broadcast").Bool(status.broadcast);
  WriteNamed(json, "selection", status.selection, wire::SelectionName(status.selection));
  json.Key("events").Unsigned(status.events);
  WriteNamed(json, "last_event", status.last_event, wire::PeerEventName(status.last_event));
}

void WriteClockStatus(JsonWriter& json, const wire::ClockStatus& status) {
  json.Key("events").Unsigned(status.events);
  WriteNamed(json, "clock", status.code, wire::ClockCodeName(status.code));
}

}  // namespace

std::string UnixTimeText(const timespec& time) {
  tm utc{};
  gmtime_r(&time.tv_sec, &utc);
  std::array<char, 32> date;
  const size_t length = strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::array<char, 16> fraction;
  std::snprintf(fraction.data(), fraction.size(), ".%09ldZ", time.tv_nsec % 1000000000L);
  return std::string(date.data(), length) + fraction.data();
}

timespec ToUnix(NtpTimestamp time, const timespec& now) {
  const auto distance =
      static_cast<int32_t>(time.seconds() - NtpTimestamp::FromUnix(now).seconds());
  const auto nanoseconds = static_cast<long>(uint64_t{time.fraction()} * 1000000000U >> 32);
  return {now.tv_sec + distance, nanoseconds};
}

void WriteCode(JsonWriter& json, uint64_t code, std::string_view name) {
  json.BeginObject();
  json.Key("code").Unsigned(code);
  json.Key("name").Text(name);
  json.EndObject();
}

void WriteTime(JsonWriter& json, NtpTimestamp time, const timespec& now) {
  std::array<char, 24> hex;
  std::snprintf(hex.data(), hex.size(), "0x%08x.%08x", time.seconds(), time.fraction());
  json.BeginObject();
  json.Key("ntp").Text(hex.data());
  json.Key("time");
  if (time.is_zero())
    json.Null();
  else
    json.Text(UnixTimeText(ToUnix(time, now)));
  json.EndObject();
}

void WriteFlash(JsonWriter& json, uint16_t flash) {
  json.BeginObject();
  json.Key("code").Unsigned(flash);
  json.Key("names");
  json.BeginArray();
  for (unsigned bit = 0; bit < 16; ++bit) {
    const auto mask = static_cast<uint16_t>(flash & (1U << bit));
    const std::string name = mask == 0 ? "" : wire::DescribeFlash(mask);
    if (!name.empty()) json.Text(name);
  }
  json.EndArray();
  json.EndObject();
}

void WriteStatus(JsonWriter& json, Scope scope, uint16_t word) {
  json.BeginObject();
  json.Key("word").Unsigned(word);
  json.Key("hex").Text(Hex(word));
  switch (scope) {
    case Scope::kSystem:
      WriteSystemStatus(json, wire::SystemStatus::FromWord(word));
      break;
    case Scope::kPeer:
      WritePeerStatus(json, wire::PeerStatus::FromWord(word));
      break;
    case Scope::kClock:
      WriteClockStatus(json, wire::ClockStatus::FromWord(word));
      break;
  }
  json.EndObject();
}

std::string_view ModeName(uint64_t mode) {
  constexpr std::array<std::string_view, 9> kModes = {"unspec",  "sym_active", "sym_passive",
                                                      "client",  "server",     "broadcast",
                                                      "control", "private",    "bclient"};
  return mode < kModes.size() ? kModes[mode] : "unknown";
}

}  // namespace ntpward::ntpq
