#include "ntpd/control/mru_request.h"

#include <array>
#include <limits>

#include "ntpd/control/mru_place.h"
#include "ntpd/control/nonce.h"
#include "ntpd/wire/variable_list.h"
#include "ntpd/wire/variable_values.h"

namespace ntpward::control {
namespace {

using Text = std::string_view;

// A request as far as it was read; an address waits for its time, which may come in either order.
struct Draft {
  MruRequest request;
  std::array<std::optional<SocketAddress>, MruRequest::kMaxPositions> clients;
  std::array<std::optional<NtpTimestamp>, MruRequest::kMaxPositions> times;
};

template <typename T, typename Number>
bool Store(std::optional<Number> number, T* out) {
  if (!number || *number > std::numeric_limits<T>::max()) return false;
  *out = static_cast<T>(*number);
  return true;
}

template <typename T>
bool StoreOptional(std::optional<uint64_t> number, std::optional<T>* out) {
  return Store(number, &out->emplace());
}

bool TakeLocal(Text value, MruRequest* request) {
  const auto address = wire::DecodeAddress(value);
  if (address) request->local = address->ip;
  return address.has_value();
}

bool TakeNonce(Text value, MruRequest* request) {
  request->nonce = value;
  if (value.size() <= NonceMaker::kDigits) return !value.empty();
  auto place = ReadMruPlace(value.substr(NonceMaker::kDigits));
  if (!place) return false;
  request->nonce = value.substr(0, NonceMaker::kDigits);
  request->looked_at = std::move(*place);
  return true;
}

struct Tag {
  Text name;
  bool (*take)(Text value, MruRequest* request);  // false: a wrong form
};

constexpr Tag kTags[] = {
    {"nonce", TakeNonce},
    {"frags",
     [](Text v, MruRequest* r) { return StoreOptional(wire::DecodeUnsigned(v), &r->datagrams); }},
    {"limit",
     [](Text v, MruRequest* r) { return StoreOptional(wire::DecodeUnsigned(v), &r->rows); }},
    {"mincount",
     [](Text v, MruRequest* r) { return Store(wire::DecodeUnsigned(v), &r->min_count); }},
    {"resall", [](Text v, MruRequest* r) { return Store(wire::DecodeNumber(v), &r->all); }},
    {"resany", [](Text v, MruRequest* r) { return Store(wire::DecodeNumber(v), &r->any); }},
    {"maxlstint",
     [](Text v, MruRequest* r) { return StoreOptional(wire::DecodeUnsigned(v), &r->max_age_s); }},
    {"laddr", TakeLocal},
};

const Tag* FindTag(Text name) {
  for (const Tag& tag : kTags)
    if (tag.name == name) return &tag;
  return nullptr;
}

// The number behind `prefix`; none when that is not what `name` is.
std::optional<size_t> IndexOf(Text name, Text prefix) {
  if (!name.starts_with(prefix)) return std::nullopt;
  const auto index = wire::DecodeUnsigned(name.substr(prefix.size()));
  if (!index || *index >= MruRequest::kMaxPositions) return std::nullopt;
  return static_cast<size_t>(*index);
}

enum class Taken : uint8_t { kYes, kUnknown, kUnreadable };

Taken Take(const wire::Variable& item, Draft* draft) {
  const Text value = wire::Unquoted(item.value.value_or(Text()));
  const auto verdict = [](bool good) { return good ? Taken::kYes : Taken::kUnreadable; };
  if (const Tag* tag = FindTag(item.name)) return verdict(tag->take(value, &draft->request));
  if (const auto index = IndexOf(item.name, "addr.")) {
    draft->clients[*index] = wire::DecodeAddress(value);
    return verdict(draft->clients[*index].has_value());
  }
  if (const auto index = IndexOf(item.name, "last.")) {
    draft->times[*index] = wire::DecodeTimestamp(value);
    return verdict(draft->times[*index].has_value());
  }
  return Taken::kUnknown;
}

// False when an address has no time, or a time no address.
bool TakePositions(Draft* draft) {
  for (size_t i = 0; i < draft->clients.size(); ++i) {
    if (draft->clients[i].has_value() != draft->times[i].has_value()) return false;
    if (draft->clients[i])
      draft->request.positions.push_back({*draft->clients[i], *draft->times[i]});
  }
  return true;
}

bool InRange(const std::optional<uint32_t>& value, uint32_t maximum) {
  return !value || (*value >= 1 && *value <= maximum);
}

}  // namespace

Result<MruRequest, MruReject> ParseMruRequest(Bytes data) {
  Draft draft;
  wire::VariableListReader reader(AsText(data));
  for (;;) {
    const auto item = reader.Next();
    if (!item.ok()) return Fail(MruReject::kUnreadable);
    if (!item->has_value()) break;
    const Taken taken = Take(**item, &draft);
    if (taken == Taken::kUnreadable) return Fail(MruReject::kUnreadable);
    if (taken == Taken::kUnknown) break;
  }
  if (!TakePositions(&draft)) return Fail(MruReject::kUnreadable);
  const MruRequest& request = draft.request;
  if ((!request.datagrams && !request.rows) ||
      !InRange(request.datagrams, MruRequest::kMaxDatagrams) ||
      !InRange(request.rows, MruRequest::kMaxRows))
    return Fail(MruReject::kNoLimit);
  return draft.request;
}

}  // namespace ntpward::control
