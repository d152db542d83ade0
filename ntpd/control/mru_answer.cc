#include "ntpd/control/mru_answer.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "ntpd/control/mru_place.h"

namespace ntpward::control {
namespace {

using wire::VariableListWriter;

// The longest row, with IPv6 address and scope, and what may follow the last one.
constexpr size_t kLongestRow = 240;
constexpr size_t kLongestEnd = 80;
constexpr size_t kLongestNonce = 140;  // behind the rows of a filter

bool HasFilter(const MruRequest& request) {
  return request.min_count != 0 || request.any != 0 || request.all != 0 || request.local ||
         request.max_age_s;
}

bool Passes(const RecentClient& row, const MruRequest& request, NtpTimestamp now) {
  if (row.count < request.min_count) return false;
  if (request.any != 0 && (row.access & request.any) == 0) return false;
  if ((row.access & request.all) != request.all) return false;
  if (request.local && row.local != *request.local) return false;
  return !request.max_age_s || (now - row.last).seconds() <= *request.max_age_s;
}

void WriteRow(size_t number, const RecentClient& row, VariableListWriter* out) {
  const std::string suffix = '.' + std::to_string(number);
  out->Add("addr" + suffix, row.client.ToString());
  out->AddTimestamp("last" + suffix, row.last);
  out->AddTimestamp("first" + suffix, row.first);
  out->AddUnsigned("ct" + suffix, row.count);
  out->AddUnsigned("mv" + suffix, static_cast<unsigned>(row.version << 3 | row.mode));
  out->AddHex("rs" + suffix, row.access);
}

// The first of `rows` that is as the reader has it.
std::optional<RecentClient> FirstUnmoved(std::span<const MruPosition> rows,
                                         const RecentClients& clients) {
  for (const MruPosition& each : rows) {
    auto row = clients.Find(each.client.ip);
    if (row && row->last == each.last) return row;
  }
  return std::nullopt;
}

// The row to begin with: none at the end of the list.
Result<std::optional<RecentClient>, wire::ControlError> Begin(const MruRequest& request,
                                                              const RecentClients& clients,
                                                              VariableListWriter* out) {
  std::optional<RecentClient> last;
  if (!request.positions.empty()) {
    last = FirstUnmoved(request.positions, clients);
    if (!last) return Fail(wire::ControlError::kUnknownVariable);
    out->AddTimestamp("last.older", last->last);
    out->Add("addr.older", last->client.ToString());
  }
  // Rows that moved meanwhile are at the end, and come.
  const auto looked_at = FirstUnmoved(request.looked_at, clients);
  if (looked_at && (!last || (looked_at->last - last->last).raw() > 0))
    return clients.After(looked_at->client.ip);
  // As ntpd 4.2.8: who asks for one row gets that row, as it is now; a filter that it does not pass
  // looks on behind it.
  if (last && request.rows == 1U) return last;
  return last ? clients.After(last->client.ip) : clients.Oldest();
}

// What an answer has room for.
struct Room {
  size_t octets;
  size_t rows;
  bool Takes(size_t sent, const VariableListWriter& out) const {
    return sent < rows && (sent == 0 || out.text().size() < octets);
  }
};

// The rows that were looked at last, the last one first.
struct LookedAt {
  std::array<RecentClient, 2> rows;
  size_t count = 0;
  bool last_was_sent = false;

  void Add(const RecentClient& row, bool sent) {
    rows[1] = rows[0];
    rows[0] = row;
    last_was_sent = sent;
    ++count;
  }
  // Behind a nonce; the reader names what it was sent by itself.
  std::string Digits() const {
    return last_was_sent ? "" : MruPlaceDigits(std::span(rows).first(std::min<size_t>(count, 2)));
  }
};

size_t OctetsFor(const MruRequest& request) {
  return request.datagrams.value_or(MruRequest::kMaxDatagrams) * wire::kMaxControlData;
}

}  // namespace

Result<VariableListWriter, wire::ControlError> MruAnswer(const MruRequest& request,
                                                         const RecentClients& clients,
                                                         std::string_view nonce, NtpTimestamp now) {
  VariableListWriter out(OctetsFor(request));
  std::optional<RecentClient> row = TRY(Begin(request, clients, &out));
  const bool has_filter = HasFilter(request);
  if (!has_filter) out.Add("nonce", nonce);

  const size_t end = kLongestEnd + kLongestRow + (has_filter ? kLongestNonce : 0);
  const Room room{OctetsFor(request) - std::min(end, OctetsFor(request)),
                  request.rows.value_or(~0U)};
  size_t sent = 0;
  LookedAt looked_at;
  while (row && room.Takes(sent, out) && looked_at.count < kMruRowsPerAnswer) {
    const bool passes = Passes(*row, request, now);
    if (passes) WriteRow(sent++, *row, &out);
    looked_at.Add(*row, passes);
    row = clients.After(row->client.ip);
  }
  if (has_filter) out.Add("nonce", std::string(nonce) + (row ? looked_at.Digits() : ""));
  if (!row) {
    out.AddTimestamp("now", now);
    if (sent > 0) out.AddTimestamp("last.newest", looked_at.rows[0].last);
  }
  out.Finish();
  return out;
}

}  // namespace ntpward::control
