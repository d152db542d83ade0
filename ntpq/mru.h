// The server's list of recent clients: how it is asked for piece by piece, and how a row looks.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ntpq/cook.h"
#include "ntpq/json_writer.h"
#include "privsep/base/address.h"
#include "privsep/base/types.h"

namespace ntpward::ntpq {

// A client as the server remembers it; names on the wire are those of READ_MRU, ntpd 4.2.8.
struct MruEntry {
  SocketAddress client;  // the port of its last request
  NtpTimestamp first;    // of its first request and its last, by the server's clock
  NtpTimestamp last;
  uint64_t count = 0;         // of its requests
  uint64_t mode_version = 0;  // of the last one: version << 3 | mode
  uint64_t restrictions = 0;  // bits of the server's rules for it: 0x40 limited, 0x800 told so
};

// What has been received so far. The server sends entries oldest first and goes on behind the
// newest ones that we name; an entry that moved in the meantime comes again, perhaps with another
// port, and replaces itself.
class MruList {
 public:
  // More clients than a server keeps. Each takes some 150 octets, and 80 in entries(): a hostile
  // server can make us use half a gigabyte and no more.
  static constexpr size_t kMaxEntries = 2000000;
  // So many of the newest entries can be named to a server: enough for eight steps back.
  static constexpr size_t kMaxNewest = 9 * 16;

  // A filter leaves out so many rows at a time that an answer may be without any: the server says
  // by its nonce how far it has looked. As many such answers in a row as two million clients make.
  static constexpr size_t kMostEmptyAnswers = 4000;

  // Takes one answer. False when the answer brought nothing new, or the list is full().
  bool Take(std::string_view payload);
  // A hostile server could go on without end: it is to be asked no more.
  bool full() const { return entries_.size() >= kMaxEntries || updates_ >= kMaxEntries; }
  // The server said `now`: nothing is missing.
  bool complete() const { return now_.has_value(); }
  // The next nonce, as the last answer had it; empty when it had none (proof.h).
  const std::string& nonce() const { return nonce_; }
  // ", addr.0=..., last.0=...": the newest entries, at most 16, for the server to go on from; as
  // many as fit into `room` octets.
  std::string Position(size_t room) const;
  // The server knows none of the entries of Position: name older ones. False when there are none.
  bool StepBack();

  // Clients.
  size_t size() const { return entries_.size(); }
  // How often a client came again, since it had asked again meanwhile.
  size_t updates() const { return updates_; }
  // A copy, by address.
  std::vector<MruEntry> entries() const;
  // The server's time at the end, else the newest entry's.
  NtpTimestamp now() const;

 private:
  bool TakeRow(const struct NumberedRow& row);

  std::map<IpAddress, MruEntry> entries_;
  std::deque<IpAddress> newest_;  // the last kMaxNewest, in the order of arrival
  std::optional<NtpTimestamp> now_;
  std::string nonce_;
  size_t updates_ = 0;
  size_t empty_answers_ = 0;  // the last ones
};

enum class MruOrder : uint8_t { kLastInterval, kAverageInterval, kAddress, kCount };

// As mrulist's sort= orders them: newest first, shortest mean interval first, by address, seldomest
// first; the other way round when `reversed`.
void SortMru(std::vector<MruEntry>& entries, MruOrder order, bool reversed);
// The same as a row, as a JSON object; intervals are whole seconds before `now`.
void WriteMruEntry(JsonWriter& json, const MruEntry& entry, NtpTimestamp now,
                   const Display& display);
// The two lines above the rows, and one row with its line end, as ntpq 4.2.8 prints them. Intervals
// are whole seconds: since the last request at `now`, and between requests on average.
std::string MruHeader();
std::string MruRow(const MruEntry& entry, NtpTimestamp now, const Display& display);

}  // namespace ntpward::ntpq
