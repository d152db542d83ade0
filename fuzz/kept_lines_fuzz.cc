// links: supervisor
//
// Any octets as the lines of configuration that a supervisor left when it crashed: not believed, or
// lines that are read again as they are, without a word, once they are written.
#include "ntpd/supervisor/kept_lines_file.h"

using namespace ntpward;

namespace {

struct Counted : Logger {
  void Log(LogLevel, std::string_view) override { ++lines; }
  int lines = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Counted log, silence;
  const auto kept = supervisor::ParseKeptLines(AsText(Bytes(data, size)), "file", &log);
  if (!kept.ok()) return 0;
  const auto again = supervisor::ParseKeptLines(supervisor::KeptLinesText(*kept), "file", &silence);
  CHECK(again.ok() && again->lines() == kept->lines() && silence.lines == 0);
  CHECK(kept->lines().size() <= KeptChanges::kMost);
  return 0;
}
