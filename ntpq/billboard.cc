#include "ntpq/billboard.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "ntpd/wire/status_word.h"
#include "ntpd/wire/variable_list.h"
#include "ntpd/wire/variable_values.h"
#include "ntpq/json_values.h"
#include "ntpq/text.h"

namespace ntpward::ntpq {
namespace {

constexpr size_t kRemoteWidth = 15;
constexpr size_t kWideIndent = 17;
constexpr size_t kRuleWidth = 78;

// --- reading

struct NumberField {
  std::string_view name;
  std::optional<uint64_t> BillboardRow::*field;
};
constexpr NumberField kNumbers[] = {{"stratum", &BillboardRow::stratum},
                                    {"hmode", &BillboardRow::host_mode},
                                    {"reach", &BillboardRow::reach},
                                    {"flash", &BillboardRow::flash}};

struct FixedField {
  std::string_view name;
  std::optional<double> BillboardRow::*field;
};
constexpr FixedField kFixed[] = {{"delay", &BillboardRow::delay},
                                 {"offset", &BillboardRow::offset},
                                 {"jitter", &BillboardRow::jitter},
                                 {"dispersion", &BillboardRow::dispersion},
                                 {"rootdisp", &BillboardRow::root_dispersion}};

void ReadAddress(std::optional<IpAddress>& field, const wire::Variable& variable,
                 std::string& complaints) {
  const std::string_view value = variable.value.value_or("");
  if (const auto address = wire::DecodeAddress(value))
    field = address->ip;
  else
    complaints += "malformed " + Printable(variable.name) + "=" + Printable(value) + "\n";
}

void ReadNumber(BillboardRow& row, std::string_view name, std::string_view value) {
  for (const NumberField& number : kNumbers)
    if (number.name == name) row.*number.field = wire::DecodeNumber(value);
  for (const FixedField& fixed : kFixed)
    if (fixed.name == name) row.*fixed.field = wire::DecodeFixed(value);
  if (name == "ppoll") row.peer_poll = wire::DecodeSigned(value).value_or(0);
  if (name == "hpoll") row.host_poll = wire::DecodeSigned(value).value_or(0);
  if (name == "rec") row.received = wire::DecodeTimestamp(value).value_or(NtpTimestamp());
  if (name == "reftime") row.reference = wire::DecodeTimestamp(value).value_or(NtpTimestamp());
}

void ReadVariable(BillboardRow& row, const wire::Variable& variable, std::string& complaints) {
  const std::string_view name = variable.name;
  const std::string_view value = wire::Unquoted(variable.value.value_or(""));
  if (name == "srcadr" || name == "peeradr") ReadAddress(row.remote, variable, complaints);
  if (name == "dstadr") ReadAddress(row.local, variable, complaints);
  if (name == "srchost") row.remote_name = Printable(value);
  if (name == "refid") row.refid = value;
  ReadNumber(row, name, value);
}

// --- columns

// Seconds in at most four characters: "-", "64", "17m", "5h", "40d".
std::string Interval(int64_t seconds) {
  if (seconds <= 0) return "-";
  if (seconds <= 2048) return std::to_string(seconds);
  const int64_t minutes = (seconds + 29) / 60;
  if (minutes <= 300) return std::to_string(minutes) + "m";
  const int64_t hours = (minutes + 29) / 60;
  if (hours <= 96) return std::to_string(hours) + "h";
  const int64_t days = (hours + 11) / 24;
  if (days <= 999) return std::to_string(days) + "d";
  return std::to_string((days + 182) / 365) + "y";
}

// Whole seconds, negative when our clock is behind; none when it never was.
std::optional<int64_t> SecondsSinceHeard(const BillboardRow& row, const Display& display) {
  const NtpTimestamp heard = row.received.is_zero() ? row.reference : row.received;
  if (heard.is_zero()) return std::nullopt;
  const auto now = NtpTimestamp::FromUnix(display.now).seconds();
  return static_cast<int32_t>(now - heard.seconds());
}

int64_t PollSeconds(const BillboardRow& row) {
  const int64_t exponent = std::clamp<int64_t>(std::min(row.peer_poll, row.host_poll), 0, 31);
  return int64_t{1} << exponent;
}

bool IsLimitedBroadcast(const IpAddress& address) {
  return address.family == Family::kIpv4 && address.octets[3] == 255;
}

// Without a mode in the answer the local address gives a hint (as ntpq 4.2.6 judged).
char TypeByAddress(const std::optional<IpAddress>& local) {
  if (!local) return '?';
  if (local->is_multicast()) return 'm';
  if (IsLimitedBroadcast(*local)) return 'b';
  if (*local == IpAddress::V4(127, 0, 0, 1)) return 'l';
  if (local->is_wildcard()) return '-';
  return 'u';
}

// A server whose name has no address yet (refid INIT) is shown with the wildcard, as a pool is.
char TypeOfClient(const BillboardRow& row) {
  if (!row.remote) return 'u';
  if (row.remote->is_refclock()) return 'l';
  if (row.remote->is_wildcard()) return row.refid == "INIT" ? 'u' : 'p';
  return row.remote->is_multicast() ? 'a' : 'u';
}

char TypeColumn(const BillboardRow& row) {
  switch (row.host_mode.value_or(0)) {
    case 1:
      return 's';
    case 2:
      return 'S';
    case 3:
      return TypeOfClient(row);
    case 5:
      return row.remote && row.remote->is_multicast() ? 'M' : 'B';
    case 6:
      return 'b';
    default:
      return TypeByAddress(row.local);
  }
}

std::string RefidText(std::string_view refid) {
  std::string text = ".";
  for (char c : Cut(refid, 4)) text += c > 0x20 && c < 0x7f ? c : '?';
  return text + ".";
}

std::string RefidAddress(const IpAddress& address, BillboardKind kind) {
  if (address.is_refclock()) return RefclockName(address);
  if (kind != BillboardKind::kAssociation || address.family != Family::kIpv4 ||
      address.is_wildcard())
    return address.ToString();
  std::array<char, 16> text;
  const auto& octets = address.octets;
  std::snprintf(text.data(), text.size(), "%02x%02x%02x%02x", octets[0], octets[1], octets[2],
                octets[3]);
  return text.data();
}

std::string RefidColumn(const BillboardRow& row, BillboardKind kind) {
  if ((row.flash.value_or(0) & wire::kFlashPeerLoop) != 0) return "(loop)";
  if (row.refid.empty()) return "";
  if (const auto address = IpAddress::Parse(row.refid)) {
    // Stratum 0 and loopback is how an orphan parent calls itself.
    if (row.stratum.value_or(0) == 0 && *address == IpAddress::V4(127, 0, 0, 1)) return ".ORPH.";
    return RefidAddress(*address, kind);
  }
  return RefidText(row.refid);
}

std::string LocalColumn(const BillboardRow& row) {
  const std::string text = row.local ? row.local->ToString() : "";
  if (text.size() <= kRemoteWidth) return text;
  return "_" + text.substr(text.size() - kRemoteWidth + 1);
}

// The name that the server keeps for it, if numbers were not asked for; a pool has no number.
std::string RemoteColumn(const BillboardRow& row, BillboardKind kind, const Display& display) {
  const bool named = !row.remote_name.empty() && kind != BillboardKind::kLocal;
  if (named && (display.names != nullptr || !row.remote || row.remote->is_wildcard()))
    return row.remote_name;
  return row.remote ? AddressName(*row.remote, display) : "0.0.0.0";
}

// What stands between the remote column and the stratum.
std::string SecondColumn(const BillboardRow& row, BillboardKind kind) {
  switch (kind) {
    case BillboardKind::kLocal:
      return PadRight(LocalColumn(row), kRemoteWidth);
    case BillboardKind::kRefid:
      return PadRight(RefidColumn(row, kind), kRemoteWidth);
    case BillboardKind::kAssociation:
      break;
  }
  const std::string refid = FitRight(RefidColumn(row, kind), 8);
  return refid + " " + PadRight(std::to_string(row.association.id.value), 6);
}

double LastColumn(const BillboardRow& row, BillboardKind kind) {
  if (kind == BillboardKind::kLocal)
    return row.dispersion.value_or(row.root_dispersion.value_or(0));
  if (row.jitter) return *row.jitter;
  return row.dispersion.value_or(row.root_dispersion.value_or(0));
}

std::string Milliseconds(double value, bool sign) {
  return std::string(Cut(FixedText(value, 3, sign), 7));
}

std::string Octal(uint64_t value) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%3lo", static_cast<unsigned long>(value));
  return text.data();
}

std::string HostColumn(const BillboardRow& row, const BillboardStyle& style, const Display& display,
                       const std::string& host) {
  if (style.host_column == 0) return "";
  const std::string name = row.local ? AddressName(*row.local, display) : host;
  return FitRight(name, style.host_column) + " ";
}

// --- JSON

void WriteOptional(JsonWriter& json, std::string_view key, const std::optional<double>& value) {
  json.Key(key);
  if (value)
    json.Real(*value);
  else
    json.Null();
}
void WriteOptional(JsonWriter& json, std::string_view key, const std::optional<uint64_t>& value) {
  json.Key(key);
  if (value)
    json.Unsigned(*value);
  else
    json.Null();
}
void WriteOptional(JsonWriter& json, std::string_view key, const std::optional<IpAddress>& value) {
  json.Key(key).OptionalText(value ? std::optional(value->ToString()) : std::nullopt);
}

// A name as the server or, unless numbers were asked for, the resolver knows it.
std::optional<std::string> RemoteName(const BillboardRow& row, const Display& display) {
  if (!row.remote_name.empty()) return row.remote_name;
  if (display.names == nullptr || !row.remote) return std::nullopt;
  std::string name = AddressName(*row.remote, display);
  if (name == row.remote->ToString()) return std::nullopt;
  return name;
}

void WriteState(JsonWriter& json, const BillboardRow& row) {
  json.Key("assid").Unsigned(row.association.id.value);
  json.Key("status");
  WriteStatus(json, Scope::kPeer, row.association.status);
  json.Key("tally").Text(std::string(1, Tally(row.association.status, 2)));
  json.Key("condition")
      .Text(wire::ConditionName(wire::PeerStatus::FromWord(row.association.status).selection));
}

void WriteSchedule(JsonWriter& json, const BillboardRow& row, const Display& display) {
  json.Key("when_s");
  if (const auto when = SecondsSinceHeard(row, display))
    json.Signed(*when);
  else
    json.Null();
  json.Key("poll_s").Signed(PollSeconds(row));
  WriteOptional(json, "reach", row.reach);
}

}  // namespace

void WriteRow(JsonWriter& json, const BillboardRow& row, const Display& display) {
  json.BeginObject();
  WriteState(json, row);
  WriteOptional(json, "remote", row.remote);
  json.Key("name").OptionalText(RemoteName(row, display));
  WriteOptional(json, "local", row.local);
  json.Key("refid").Text(row.refid);
  WriteOptional(json, "stratum", row.stratum);
  json.Key("type").Text(std::string(1, TypeColumn(row)));
  WriteSchedule(json, row, display);
  WriteOptional(json, "delay_ms", row.delay);
  WriteOptional(json, "offset_ms", row.offset);
  WriteOptional(json, "jitter_ms", row.jitter);
  WriteOptional(json, "dispersion_ms", row.dispersion);
  WriteOptional(json, "root_dispersion_ms", row.root_dispersion);
  json.Key("flash");
  if (row.flash && *row.flash <= 0xffff)
    WriteFlash(json, static_cast<uint16_t>(*row.flash));
  else
    json.Null();
  json.EndObject();
}

BillboardRow ReadRow(const Association& association, std::string_view variables,
                     std::string& complaints) {
  BillboardRow row;
  row.association = association;
  wire::VariableListReader reader(variables);
  while (true) {
    const auto next = reader.Next();
    if (!next.ok()) {
      complaints += DamageText(next.error());
      if (next.error() != wire::VariableReject::kValueTooLong) break;
      continue;
    }
    if (!next->has_value()) break;
    ReadVariable(row, **next, complaints);
  }
  return row;
}

std::string BillboardHeader(const BillboardStyle& style) {
  std::string header;
  if (style.host_column > 0) header = FitRight("server (local)", style.host_column) + " ";
  switch (style.kind) {
    case BillboardKind::kRefid:
      header += "     remote           refid      st t when poll reach   delay   offset  jitter\n";
      break;
    case BillboardKind::kLocal:
      header += "     remote           local      st t when poll reach   delay   offset    disp\n";
      break;
    case BillboardKind::kAssociation:
      header += "     remote       refid   assid  st t when poll reach   delay   offset  jitter\n";
      break;
  }
  const size_t extra = style.host_column > 0 ? style.host_column + 1 : 0;
  return header + std::string(kRuleWidth + extra, '=') + "\n";
}

std::string RenderRow(const BillboardRow& row, const BillboardStyle& style, const Display& display,
                      const std::string& host) {
  std::string line = HostColumn(row, style, display, host);
  line += Tally(row.association.status, style.version);
  const std::string remote = RemoteColumn(row, style.kind, display);
  if (style.wide && remote.size() > kRemoteWidth)
    line += remote + "\n" + std::string(kWideIndent, ' ');
  else
    line += FitRight(remote, kRemoteWidth) + " ";
  line += SecondColumn(row, style.kind) + " ";
  line += PadLeft(std::to_string(row.stratum.value_or(0)), 2) + " " + TypeColumn(row) + " ";
  line += PadLeft(Interval(SecondsSinceHeard(row, display).value_or(0)), 4) + " " +
          PadLeft(Interval(PollSeconds(row)), 4) + "  " + Octal(row.reach.value_or(0)) + "  ";
  line += PadLeft(Milliseconds(row.delay.value_or(0), false), 7) + " " +
          PadLeft(Milliseconds(row.offset.value_or(0), display.signs), 8) + " " +
          PadLeft(Milliseconds(LastColumn(row, style.kind), false), 7) + "\n";
  return line;
}

}  // namespace ntpward::ntpq
