#include "ntpd/config/config.h"

namespace ntpward::config {

std::string_view Config::FileOf(const Location& where) const {
  return where.known() && where.file < files.size() ? std::string_view(files[where.file])
                                                    : std::string_view();
}

const Fudge* Config::FudgeFor(const IpAddress& clock) const {
  for (const Fudge& fudge : fudges)
    if (fudge.clock == clock) return &fudge;
  return nullptr;
}

Diagnostic At(const Config& config, const Location& where, Severity severity, std::string text) {
  return {std::string(config.FileOf(where)), where.line, where.column, severity, std::move(text)};
}

}  // namespace ntpward::config
