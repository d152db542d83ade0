#include "ntpd/supervisor/config_saver.h"

#include <errno.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "ntpd/config/render.h"
#include "ntpd/supervisor/log_sink.h"
#include "ntpd/supervisor/options.h"
#include "ntpd/supervisor/state_file.h"

namespace ntpward::supervisor {
namespace {

using msg::SaveOutcome;

constexpr size_t kLongestName = 240;  // of a file, with what CreateFile puts around it
constexpr unsigned kMode = 0600;

std::string TimeText(const char* format, std::time_t wall_clock) {
  std::tm local{};
  tzset();
  if (localtime_r(&wall_clock, &local) == nullptr) return "";
  std::array<char, kLongestName + 1> text{};
  const size_t size = std::strftime(text.data(), text.size(), format, &local);
  return {text.data(), size};
}

bool IsWord(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

void Shorten(std::string_view text, auto* field) {
  using Field = std::remove_pointer_t<decltype(field)>;
  CHECK(field->Assign(AsBytes(text.substr(0, Field::kCapacity))));
}

bool TakesAway(std::string_view line) {
  const std::string_view directive = line.substr(0, line.find_first_of(" \t"));
  for (const char* word : {"unconfig", "unpeer", "delrestrict", "unrestrict"})
    if (directive == word) return true;
  return false;
}

std::string PathIn(const std::string& directory, const std::string& name) {
  return directory + (directory.ends_with('/') ? "" : "/") + name;
}

}  // namespace

std::string FileNameFrom(std::string_view pattern, std::time_t wall_clock) {
  return TimeText(std::string(pattern).c_str(), wall_clock);
}

bool IsSafeFileName(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName && IsWord(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return IsWord(c) || c == '+' || c == '.' || c == '-'; });
}

std::string SavedText(const InForce& in_force, std::time_t wall_clock) {
  const config::Config& config = in_force.config;
  std::string text = "#NTF:D " + TimeText("%Y%m%d@%H:%M:%S", wall_clock) + "\n";
  text += "#NTF:V " + VersionText() + "\n";
  if (!config.files.empty()) text += "# in force, of " + Printable(config.files[0]) + "\n";
  // The password itself went to ntpd-keys and was wiped here.
  if (config.authentication.crypto.password_where.known()) text += "# crypto pw left out\n";
  text += config::Render(config, in_force.trust.Over(config.authentication.trusted));
  if (!in_force.lines.lines().empty()) text += "# by ntpq's :config since then\n";
  for (const msg::RuntimeLine& each : in_force.lines.lines()) {
    const std::string_view line = each.line.text();
    text += (TakesAway(line) ? "# " : "") + Printable(line) + "\n";
  }
  return text;
}

msg::NetConfigSaved ConfigSaver::Save(const msg::NetSaveConfig& request, const InForce& in_force,
                                      MonoTime now, std::time_t wall_clock) {
  msg::NetConfigSaved saved{.request = request.request};
  const std::string& directory = in_force.config.output.saveconfigdir.value;
  const std::string name = FileNameFrom(request.pattern.text(), wall_clock);
  const bool safe = IsSafeFileName(name);
  Shorten(safe ? std::string_view(name) : request.pattern.text(), &saved.name);
  const auto ended = [&](SaveOutcome outcome, std::string_view reason = "") {
    saved.outcome = outcome;
    Shorten(reason, &saved.reason);
    const bool done = outcome == SaveOutcome::kSaved;
    if (done || refusals_.Take(now))
      log_->Log(done ? LogLevel::kNotice : LogLevel::kWarning,
                "saveconfig " + Printable(saved.name.text()) + (done ? ": saved" : ": not saved") +
                    (reason.empty() ? "" : ", " + std::string(reason)));
    return saved;
  };
  if (directory.empty()) return ended(SaveOutcome::kNoDirectory);
  if (!safe) return ended(SaveOutcome::kUnsafeName);
  if (!rate_.Take(now)) return ended(SaveOutcome::kFailed, std::strerror(EAGAIN));
  const int failed = CreateFile(PathIn(directory, name), SavedText(in_force, wall_clock), kMode);
  return failed == 0 ? ended(SaveOutcome::kSaved)
                     : ended(SaveOutcome::kFailed, std::strerror(failed));
}

}  // namespace ntpward::supervisor
