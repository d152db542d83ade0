#include "ntpd/supervisor/outbox.h"

#include <fcntl.h>

namespace ntpward::supervisor {

bool Outbox::PostBytes(Bytes bytes, int fd) {
  if (items_.size() >= kMost) return false;
  Item item{{bytes.begin(), bytes.end()}, UniqueFd()};
  if (fd >= 0) {
    item.fd = UniqueFd(fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (!item.fd.valid()) return false;
  }
  items_.push_back(std::move(item));
  return true;
}

bool Outbox::Flush(Channel* channel) {
  while (!items_.empty()) {
    const Item& item = items_.front();
    switch (channel->SendEncoded(item.bytes, item.fd.get())) {
      case SendOutcome::kFull:
        return false;
      case SendOutcome::kClosed:
        return Clear(), true;
      case SendOutcome::kSent:
        items_.pop_front();
    }
  }
  return true;
}

}  // namespace ntpward::supervisor
