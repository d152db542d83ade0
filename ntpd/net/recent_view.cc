#include "ntpd/net/recent_view.h"

#include "ntpd/net/time_server.h"

namespace ntpward::net {
namespace {

std::optional<control::RecentClient> RowOf(const core::RecentSource* source) {
  if (source == nullptr) return std::nullopt;
  control::RecentClient row;
  row.client = source->address;
  row.local = {source->address.ip.family, source->local, 0};
  row.first = source->first;
  row.last = source->last;
  row.count = source->count;
  row.version = source->version;
  row.mode = source->mode;
  row.access = source->flags.bits;
  return row;
}

}  // namespace

std::optional<control::RecentClient> RecentView::Oldest() const {
  const core::RateLimiter* table = server_ == nullptr ? nullptr : server_->recent();
  return table == nullptr ? std::nullopt : RowOf(table->Oldest());
}

std::optional<control::RecentClient> RecentView::After(const IpAddress& client) const {
  const core::RateLimiter* table = server_ == nullptr ? nullptr : server_->recent();
  return table == nullptr ? std::nullopt : RowOf(table->Newer(client));
}

std::optional<control::RecentClient> RecentView::Find(const IpAddress& client) const {
  const core::RateLimiter* table = server_ == nullptr ? nullptr : server_->recent();
  return table == nullptr ? std::nullopt : RowOf(table->Find(client));
}

}  // namespace ntpward::net
