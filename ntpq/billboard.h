// The billboard: one line for each association, ten columns.
//
// Every column that monitoring scripts read stays where ntpq 4.2.8 has it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ntpq/associations.h"
#include "ntpq/cook.h"
#include "ntpq/json_writer.h"
#include "privsep/base/address.h"
#include "privsep/base/types.h"

namespace ntpward::ntpq {

// peers, opeers and apeers.
enum class BillboardKind : uint8_t { kRefid, kLocal, kAssociation };

struct BillboardStyle {
  BillboardKind kind = BillboardKind::kRefid;
  bool wide = false;       // a long remote name gets a line of its own
  uint8_t version = 2;     // of the requests; selects the tally characters
  size_t host_column = 0;  // width of a leading column that says which server; 0: none
};

// What a row shows, read from an association's variables; what is missing or damaged stays empty or
// zero.
struct BillboardRow {
  Association association;
  std::optional<IpAddress> remote;
  std::string remote_name;  // srchost, when the server sent it
  std::optional<IpAddress> local;
  std::string refid;  // as it came, quotes removed
  std::optional<uint64_t> stratum;
  std::optional<uint64_t> host_mode;
  std::optional<uint64_t> reach;
  std::optional<uint64_t> flash;
  int64_t peer_poll = 0;  // log2 s
  int64_t host_poll = 0;
  std::optional<double> delay;  // milliseconds, as everything below
  std::optional<double> offset;
  std::optional<double> jitter;
  std::optional<double> dispersion;
  std::optional<double> root_dispersion;
  NtpTimestamp received;
  NtpTimestamp reference;
};

// Reads the variables of `association`. Text about malformed values is appended to `complaints`.
BillboardRow ReadRow(const Association& association, std::string_view variables,
                     std::string& complaints);

// The two lines above the rows.
std::string BillboardHeader(const BillboardStyle& style);
// The same as a JSON object, whatever the kind: docs/ntpq-json.md has its members.
void WriteRow(JsonWriter& json, const BillboardRow& row, const Display& display);
// One row; `host` is shown in the leading column when the row names no local address.
std::string RenderRow(const BillboardRow& row, const BillboardStyle& style, const Display& display,
                      const std::string& host);

}  // namespace ntpward::ntpq
