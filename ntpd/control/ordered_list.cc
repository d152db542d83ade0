#include "ntpd/control/ordered_list.h"

#include "ntpd/control/nonce.h"
#include "ntpd/wire/variable_values.h"

namespace ntpward::control {
namespace {

using wire::VariableListWriter;

constexpr std::string_view kInterfaceWord = "ifstats", kRestrictionWord = "addr_restrictions";
constexpr std::string_view kFirstWord = " from=";
// The longest row of either, with IPv6 addresses, a scope, and every number at its longest.
constexpr size_t kLongestRow = 480;
// ", rows=N" and the end of the line.
constexpr size_t kLongestEnd = 32;

struct AccessWord {
  uint16_t bit;
  std::string_view set;
  std::string_view clear;  // empty: nothing is said then
};

// In the order in which they are written.
constexpr AccessWord kAccessWords[] = {
    {0x0001, "ignore", ""},     {0x0002, "noserve", "serve"}, {0x0004, "notrust", "trust"},
    {0x0008, "version", ""},    {0x0010, "nopeer", "peer"},   {0x0020, "noepeer", "epeer"},
    {0x0040, "limited", ""},    {0x0080, "noquery", "query"}, {0x0100, "nomodify", ""},
    {0x0200, "notrap", "trap"}, {0x0400, "lptrap", ""},       {0x0800, "kod", ""},
    {0x1000, "mssntp", ""},     {0x2000, "flake", ""},        {0x4000, "nomrulist", ""},
    {0x8000, "srvrspfuz", ""},
};

void AddWord(std::string_view word, std::string* words) {
  if (word.empty()) return;
  if (!words->empty()) *words += ' ';
  *words += word;
}

// Rows are written whole or not at all.
bool HasRoom(const VariableListWriter& out) {
  return out.text().size() + kLongestRow + kLongestEnd <= wire::kMaxControlPayload;
}

void WriteRow(size_t number, const InterfaceView& row, VariableListWriter* out) {
  const std::string suffix = '.' + std::to_string(number);
  out->Add("addr" + suffix, row.address.ToString());
  out->Add("bcast" + suffix, row.broadcast.is_none()
                                 ? std::string()
                                 : SocketAddress{row.broadcast, row.address.port}.ToString());
  out->AddUnsigned("en" + suffix, row.enabled ? 1 : 0);
  out->AddQuoted("name" + suffix, row.name);
  out->AddHex("flags" + suffix, row.flags);
  out->AddUnsigned("tl" + suffix, row.hop_limit);
  out->AddUnsigned("mc" + suffix, row.groups);
  out->AddUnsigned("rx" + suffix, row.received);
  out->AddUnsigned("tx" + suffix, row.sent);
  out->AddUnsigned("txerr" + suffix, row.send_failed);
  out->AddUnsigned("pc" + suffix, row.peers);
  out->AddUnsigned("up" + suffix, row.uptime_s);
}

void WriteRow(size_t number, const RestrictionView& row, VariableListWriter* out) {
  const std::string suffix = '.' + std::to_string(number);
  const IpAddress mask{row.address.family, row.mask};
  out->Add("addr" + suffix, row.address.ToString());
  out->Add("mask" + suffix, mask.ToString());
  out->AddUnsigned("hits" + suffix, row.hits);
  out->Add("flags" + suffix, RestrictionWords(row));
}

template <typename Row>
VariableListWriter ListOf(std::span<const Row> rows, size_t first) {
  VariableListWriter out;
  size_t next = first;
  for (; next < rows.size() && HasRoom(out); ++next) WriteRow(next, rows[next], &out);
  if (next < rows.size()) out.AddUnsigned("rows", rows.size());
  out.Finish();
  return out;
}

}  // namespace

std::optional<ListRequest> ParseListRequest(Bytes data) {
  const ProvingText asked = SplitProof(data);
  std::string_view name = asked.text;
  ListRequest request{.nonce = asked.nonce};
  if (const size_t first = name.find(kFirstWord); first != std::string_view::npos) {
    const auto number = wire::DecodeUnsigned(name.substr(first + kFirstWord.size()));
    if (!number) return std::nullopt;
    request.first = *number;
    name = name.substr(0, first);
  }
  if (name == kRestrictionWord)
    request.list = OrderedList::kRestrictions;
  else if (!name.empty() && name != kInterfaceWord)
    return std::nullopt;
  return request;
}

VariableListWriter InterfaceList(std::span<const InterfaceView> rows, size_t first) {
  return ListOf(rows, first);
}

VariableListWriter RestrictionList(std::span<const RestrictionView> rows, size_t first) {
  return ListOf(rows, first);
}

std::string RestrictionWords(const RestrictionView& row) {
  std::string words;
  if (row.ntpport) AddWord("ntpport", &words);
  if (row.other_port) AddWord("non-ntpport", &words);
  if (row.is_interface) AddWord("interface", &words);
  if (row.is_source) AddWord("source", &words);
  for (const AccessWord& word : kAccessWords)
    AddWord((row.flags & word.bit) != 0 ? word.set : word.clear, &words);
  return words;
}

}  // namespace ntpward::control
