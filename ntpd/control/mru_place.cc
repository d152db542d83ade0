#include "ntpd/control/mru_place.h"

#include <algorithm>
#include <array>

#include "ntpd/wire/variable_values.h"
#include "privsep/base/bytes.h"

namespace ntpward::control {
namespace {

constexpr size_t kMostOctets = kMostPlaceDigits / 2;

enum Kind : uint8_t { kIpv4 = 4, kIpv6 = 6, kScoped = 7 };

// A row is its kind, its address, the scope of a scoped one and the time of its last request.
bool Put(const RecentClient& row, Writer* out) {
  const IpAddress& ip = row.client.ip;
  if (ip.is_none()) return false;
  const Kind kind = ip.scope != 0 ? kScoped : ip.family == Family::kIpv6 ? kIpv6 : kIpv4;
  out->U8(kind);
  out->Put(ip.bytes());
  if (kind == kScoped) out->U32(ip.scope);
  out->U64(row.last.raw());
  return true;
}

std::optional<MruPosition> Take(Reader* in) {
  const uint8_t kind = in->U8();
  if (kind != kIpv4 && kind != kIpv6 && kind != kScoped) return std::nullopt;
  MruPosition row;
  IpAddress& ip = row.client.ip;
  ip.family = kind == kIpv4 ? Family::kIpv4 : Family::kIpv6;
  const Bytes octets = in->Take(ip.bytes().size());
  if (octets.size() != ip.bytes().size()) return std::nullopt;
  std::copy(octets.begin(), octets.end(), ip.octets.begin());
  if (kind == kScoped) ip.scope = in->U32();
  row.last = NtpTimestamp::FromRaw(in->U64());
  return row;
}

}  // namespace

std::string MruPlaceDigits(std::span<const RecentClient> rows) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<uint8_t, kMostOctets> octets;
  size_t used = 0;
  for (const RecentClient& row : rows) {
    Writer writer(MutableBytes(octets).subspan(used));
    if (!Put(row, &writer) || !writer.Finish()) break;
    used += writer.size();
  }
  std::string digits;
  for (size_t i = 0; i < used; ++i)
    digits.append({kDigits[octets[i] >> 4], kDigits[octets[i] & 15]});
  return digits;
}

std::optional<std::vector<MruPosition>> ReadMruPlace(std::string_view digits) {
  if (digits.size() > kMostPlaceDigits || digits.size() % 2 != 0) return std::nullopt;
  std::vector<uint8_t> octets;
  for (; !digits.empty(); digits.remove_prefix(2)) {
    const auto octet = wire::DecodeHex(digits.substr(0, 2));
    if (!octet) return std::nullopt;
    octets.push_back(static_cast<uint8_t>(*octet));
  }
  std::vector<MruPosition> rows;
  Reader reader(octets);
  while (reader.remaining() > 0) {
    const auto row = Take(&reader);
    if (!row) return std::nullopt;
    rows.push_back(*row);
  }
  if (!reader.Finish()) return std::nullopt;
  return rows;
}

}  // namespace ntpward::control
