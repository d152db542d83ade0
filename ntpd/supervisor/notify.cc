#include "ntpd/supervisor/notify.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>
#include <string>

namespace ntpward::supervisor {

ServiceManager::ServiceManager() {
  const char* path = getenv("NOTIFY_SOCKET");
  if (path == nullptr) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const size_t size = std::strlen(path);
  if (size >= 2 && size < sizeof address.sun_path) {
    std::memcpy(address.sun_path, path, size);
    // "@name" is the abstract socket of that name.
    if (path[0] == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size);
    socket_ = UniqueFd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0)
      socket_.Close();
  }
  unsetenv("NOTIFY_SOCKET");
}

void ServiceManager::Tell(std::string_view state) {
  if (socket_.valid()) (void)send(socket_.get(), state.data(), state.size(), MSG_NOSIGNAL);
}

}  // namespace ntpward::supervisor
