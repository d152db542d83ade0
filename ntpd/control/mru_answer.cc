#include "ntpd/control/mru_answer.h"

#include <algorithm>
#include <string>

namespace ntpward::control {
namespace {

using wire::VariableListWriter;

// The longest row, with IPv6 address and scope, and what may follow the last one.
constexpr size_t kLongestRow = 240;
constexpr size_t kLongestEnd = 80;

bool Passes(const RecentClient& row, const MruRequest& request, NtpTimestamp now) {
  if (row.count < request.min_count) return false;
  if (request.any != 0 && (row.access & request.any) == 0) return false;
  if ((row.access & request.all) != request.all) return false;
  if (request.local && row.local != *request.local) return false;
  return !request.max_age_s || (now - row.last).seconds() <= *request.max_age_s;
}

void WriteRow(size_t number, const RecentClient& row, bool skip, VariableListWriter* out) {
  const std::string suffix = '.' + std::to_string(number);
  out->Add("addr" + suffix, row.client.ToString());
  out->AddTimestamp("last" + suffix, row.last);
  out->AddTimestamp("first" + suffix, row.first);
  out->AddUnsigned("ct" + suffix, row.count);
  out->AddUnsigned("mv" + suffix, static_cast<unsigned>(row.version << 3 | row.mode));
  out->AddHex("rs" + suffix, row.access);
  if (skip) out->Add("skip" + suffix, "1");
}

// Where the list goes on. None: no row of `positions` is as the reader has it.
std::optional<RecentClient> Resumption(const MruRequest& request, const RecentClients& clients) {
  for (const MruPosition& position : request.positions) {
    auto row = clients.Find(position.client.ip);
    if (row && row->last == position.last) return row;
  }
  return std::nullopt;
}

size_t RoomFor(const MruRequest& request) {
  return request.datagrams.value_or(MruRequest::kMaxDatagrams) * wire::kMaxControlData;
}

}  // namespace

Result<VariableListWriter, wire::ControlError> MruAnswer(const MruRequest& request,
                                                         const RecentClients& clients,
                                                         std::string_view nonce, NtpTimestamp now) {
  VariableListWriter out(RoomFor(request));
  std::optional<RecentClient> row = clients.Oldest();
  if (!request.positions.empty()) {
    row = Resumption(request, clients);
    if (!row) return Fail(wire::ControlError::kUnknownVariable);
    out.AddTimestamp("last.older", row->last);
    out.Add("addr.older", row->client.ToString());
    // As ntpd 4.2.8: who asks for one row gets that row, as it is now.
    if (request.rows != 1U) row = clients.After(row->client.ip);
  }
  out.Add("nonce", nonce);

  const size_t room = RoomFor(request) - kLongestEnd - kLongestRow;
  const size_t most = request.rows.value_or(~0U);
  NtpTimestamp newest;
  size_t sent = 0;
  for (size_t seen = 1; row && sent < most && out.text().size() < room; ++seen) {
    const bool passes = Passes(*row, request, now);
    const bool is_last = seen == kMruRowsPerAnswer;
    if (passes || is_last) WriteRow(sent++, *row, !passes, &out);
    newest = row->last;
    row = clients.After(row->client.ip);
    if (is_last) break;
  }
  if (!row) {
    out.AddTimestamp("now", now);
    if (sent > 0) out.AddTimestamp("last.newest", newest);
  }
  out.Finish();
  return out;
}

}  // namespace ntpward::control
