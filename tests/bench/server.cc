#include "tests/bench/server.h"

#include <cstdlib>
#include <fstream>

namespace ntpward::bench {

std::optional<SocketAddress> ParseServer(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  const auto ip = IpAddress::Parse(text.substr(0, colon));
  if (!ip) return std::nullopt;
  return SocketAddress{*ip, static_cast<uint16_t>(std::strtoul(&text[colon + 1], nullptr, 10))};
}

double ProcessorSeconds(const std::vector<std::string>& pids) {
  double sum = 0;
  for (const std::string& pid : pids) {
    std::ifstream file("/proc/" + pid + "/schedstat");
    double nanoseconds = 0;
    file >> nanoseconds;
    sum += nanoseconds / 1e9;
  }
  return sum;
}

}  // namespace ntpward::bench
