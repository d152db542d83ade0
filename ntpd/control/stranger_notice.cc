#include "ntpd/control/stranger_notice.h"

namespace ntpward::control {

std::string StrangerNotice::OnRefused(const IpAddress& stranger, MonoTime now) {
  if (told_ && now - *told_ < kBetweenLines) return "";
  if (!watched_) watched_ = Watched{stranger, now};
  if (watched_->address == stranger) ++watched_->refused;
  if (now - watched_->since < kPatience) return "";
  const std::string name = watched_->address.ToString();
  const std::string line =
      "mode 6: " + std::to_string(watched_->refused) + " requests in the name of " + name +
      " were refused: they ask for more than they send, and that address is not proved, as ntpq of "
      "ntpward would; only if it is a host of yours that monitors this one with another tool: "
      "restrict " +
      name + " nomodify";
  told_ = now;
  watched_.reset();
  return line;
}

void StrangerNotice::OnProved(const IpAddress& address) {
  if (watched_ && watched_->address == address) watched_.reset();
}

}  // namespace ntpward::control
