#include "ntpd/supervisor/confinement.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace ntpward::supervisor {
namespace {

// Longer than any; the end of it says nothing that is wanted.
constexpr size_t kMostText = 4096;

// What stands behind "NAME:\t".
std::optional<std::string_view> Field(std::string_view status, std::string_view name) {
  while (!status.empty()) {
    std::string_view line = status.substr(0, status.find('\n'));
    status.remove_prefix(std::min(status.size(), line.size() + 1));
    if (!line.starts_with(name) || !line.substr(name.size()).starts_with(":\t")) continue;
    line.remove_prefix(name.size() + 2);
    return line;
  }
  return std::nullopt;
}

template <typename T>
bool Number(std::string_view status, std::string_view name, int base, T* number) {
  const auto text = Field(status, name);
  if (!text) return false;
  const char* end = text->data() + text->size();
  const auto [stop, failed] = std::from_chars(text->data(), end, *number, base);
  return failed == std::errc{} && (stop == end || *stop == '\t');
}

// Real, effective, saved, of the file system: the second.
bool EffectiveUid(std::string_view status, uint32_t* uid) {
  const auto text = Field(status, "Uid");
  if (!text) return false;
  const size_t tab = text->find('\t');
  if (tab == std::string_view::npos) return false;
  const char* end = text->data() + text->size();
  return std::from_chars(text->data() + tab + 1, end, *uid).ec == std::errc{};
}

}  // namespace

std::optional<msg::Confinement> ParseConfinement(std::string_view status) {
  msg::Confinement confinement;
  unsigned no_new_privileges = 0;
  const bool read = EffectiveUid(status, &confinement.uid) &&
                    Number(status, "Seccomp", 10, &confinement.seccomp) &&
                    Number(status, "NoNewPrivs", 10, &no_new_privileges) &&
                    Number(status, "CapEff", 16, &confinement.capabilities);
  if (!read || !confinement.Valid()) return std::nullopt;
  confinement.no_new_privileges = no_new_privileges == 1;
  return confinement;
}

std::optional<msg::Confinement> ReadConfinement(int status_fd) {
  std::array<char, kMostText> text;
  const ssize_t size = status_fd < 0 ? -1 : pread(status_fd, text.data(), text.size(), 0);
  if (size <= 0) return std::nullopt;
  return ParseConfinement({text.data(), static_cast<size_t>(size)});
}

}  // namespace ntpward::supervisor
