#include "ntpq/mru.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

#include "ntpd/wire/variable_values.h"
#include "ntpq/json_values.h"
#include "ntpq/proof.h"
#include "ntpq/text.h"
#include "ntpq/values.h"

namespace ntpward::ntpq {
namespace {

constexpr size_t kMaxPositions = 16;
constexpr uint64_t kLimited = 0x40;
constexpr uint64_t kKissOfDeath = 0x800;

std::string TimestampText(NtpTimestamp time) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "0x%08x.%08x", time.seconds(), time.fraction());
  return text.data();
}

double AverageInterval(const MruEntry& entry) {
  return entry.count == 0 ? 0
                          : (entry.last - entry.first).seconds() / static_cast<double>(entry.count);
}

long Rounded(double seconds) { return std::lround(std::clamp(seconds, -1e9, 1e9)); }

}  // namespace

bool MruList::Take(std::string_view payload) {
  const NumberedList list = ReadNumberedList(payload);
  const std::string asked_with = std::exchange(nonce_, NonceIn(list.unnumbered));
  if (const auto now = Find(list.unnumbered, "now")) now_ = wire::DecodeTimestamp(*now);
  empty_answers_ = list.rows.empty() ? empty_answers_ + 1 : 0;
  bool progress = list.rows.empty() && nonce_ != asked_with && empty_answers_ <= kMostEmptyAnswers;
  for (const NumberedRow& row : list.rows) progress = TakeRow(row) || progress;
  return (progress || complete()) && !full();
}

bool MruList::TakeRow(const NumberedRow& row) {
  const auto client = wire::DecodeAddress(Find(row.values, "addr").value_or(""));
  const auto first = wire::DecodeTimestamp(Find(row.values, "first").value_or(""));
  const auto last = wire::DecodeTimestamp(Find(row.values, "last").value_or(""));
  if (!client || !first || !last) return false;
  const auto number = [&](std::string_view name) { return NumberOf(row.values, name).value_or(0); };
  const MruEntry entry{*client, *first, *last, number("ct"), number("mv"), number("rs")};
  const auto [place, added] = entries_.try_emplace(client->ip, entry);
  if (!added) std::erase(newest_, client->ip);
  newest_.push_back(client->ip);
  if (newest_.size() > kMaxNewest) newest_.pop_front();
  if (added) return true;
  // Sent again as it was: a server that does only this would keep us for ever.
  const bool moved = (entry.last - place->second.last).raw() > 0;
  place->second = entry;
  ++updates_;
  return moved;
}

std::string MruList::Position(size_t room) const {
  std::string text;
  const size_t count = std::min(newest_.size(), kMaxPositions);
  for (size_t i = 0; i < count; ++i) {
    const MruEntry& entry = entries_.at(newest_[newest_.size() - 1 - i]);
    const std::string number = std::to_string(i);
    const std::string item = ", addr." + number + "=" + entry.client.ToString() + ", last." +
                             number + "=" + TimestampText(entry.last);
    if (text.size() + item.size() > room) break;
    text += item;
  }
  return text;
}

bool MruList::StepBack() {
  const size_t dropped = std::min(newest_.size(), kMaxPositions);
  newest_.resize(newest_.size() - dropped);
  return dropped > 0;
}

std::vector<MruEntry> MruList::entries() const {
  std::vector<MruEntry> all;
  all.reserve(size());
  for (const auto& [client, entry] : entries_) all.push_back(entry);
  return all;
}

NtpTimestamp MruList::now() const {
  if (now_) return *now_;
  return newest_.empty() ? NtpTimestamp() : entries_.at(newest_.back()).last;
}

void SortMru(std::vector<MruEntry>& entries, MruOrder order, bool reversed) {
  // Newest first, so that equal entries of the other orders show the newest first.
  std::stable_sort(entries.begin(), entries.end(), [](const MruEntry& a, const MruEntry& b) {
    return (a.last - b.last).raw() > 0;
  });
  const auto less = [order](const MruEntry& a, const MruEntry& b) {
    switch (order) {
      case MruOrder::kLastInterval:
        return (a.last - b.last).raw() > 0;
      case MruOrder::kAverageInterval:
        return AverageInterval(a) < AverageInterval(b);
      case MruOrder::kAddress:
        return a.client < b.client;
      case MruOrder::kCount:
        return a.count < b.count;
    }
    return false;
  };
  std::stable_sort(entries.begin(), entries.end(), [&](const MruEntry& a, const MruEntry& b) {
    return reversed ? less(b, a) : less(a, b);
  });
}

void WriteMruEntry(JsonWriter& json, const MruEntry& entry, NtpTimestamp now,
                   const Display& display) {
  const std::string address = entry.client.ip.ToString();
  const std::string name = AddressName(entry.client.ip, display);
  json.BeginObject();
  json.Key("address").Text(address);
  json.Key("port").Unsigned(entry.client.port);
  json.Key("name").OptionalText(name == address ? std::nullopt : std::optional(name));
  json.Key("first");
  WriteTime(json, entry.first, display.now);
  json.Key("last");
  WriteTime(json, entry.last, display.now);
  json.Key("last_interval_s").Signed(Rounded((now - entry.last).seconds()));
  json.Key("average_interval_s").Signed(Rounded(AverageInterval(entry)));
  json.Key("count").Unsigned(entry.count);
  json.Key("mode");
  WriteCode(json, entry.mode_version & 7, ModeName(entry.mode_version & 7));
  json.Key("version").Unsigned(entry.mode_version >> 3 & 7);
  json.Key("restrictions").Unsigned(entry.restrictions);
  json.Key("limited").Bool((entry.restrictions & kLimited) != 0);
  json.Key("kod").Bool((entry.restrictions & kKissOfDeath) != 0);
  json.EndObject();
}

std::string MruHeader() {
  return "lstint avgint rstr r m v  count rport remote address\n"
         "==============================================================================\n";
}

std::string MruRow(const MruEntry& entry, NtpTimestamp now, const Display& display) {
  const char answer = (entry.restrictions & kKissOfDeath) != 0 ? 'K'
                      : (entry.restrictions & kLimited) != 0   ? 'L'
                                                               : '.';
  std::array<char, 128> text;
  std::snprintf(text.data(), text.size(), "%6ld %6ld %4llx %c %u %u %6llu %5u ",
                Rounded((now - entry.last).seconds()), Rounded(AverageInterval(entry)),
                static_cast<unsigned long long>(entry.restrictions), answer,
                static_cast<unsigned>(entry.mode_version & 7),
                static_cast<unsigned>(entry.mode_version >> 3 & 7),
                static_cast<unsigned long long>(entry.count), unsigned{entry.client.port});
  return text.data() + AddressName(entry.client.ip, display) + "\n";
}

}  // namespace ntpward::ntpq
