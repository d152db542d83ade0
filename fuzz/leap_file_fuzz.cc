// links: config
//
// Any octets as a leap second file: bounded and ascending; what was understood, written out and
// read again, is the same.
#include "ntpd/config/leap_file.h"
#include "privsep/base/bytes.h"

using namespace ntpward;

namespace {

std::string Render(const config::LeapTable& table) {
  std::string text = "#@ " + std::to_string(table.expiry) + "\n";
  if (table.updated != 0) text += "#$ " + std::to_string(table.updated) + "\n";
  for (const config::LeapSecond& second : table.seconds)
    text += std::to_string(second.at) + " " + std::to_string(second.tai) + "\n";
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto checked = config::ParseLeapFile(text, "f", config::HashCheck::kRequired);
  const auto table = config::ParseLeapFile(text, "f", config::HashCheck::kIgnored);
  CHECK(!checked.ok() || (table.ok() && *checked == *table));
  if (!table.ok()) return 0;
  CHECK(!table->seconds.empty() && table->seconds.size() <= config::kMaxLeapSeconds);
  const auto again = config::ParseLeapFile(Render(*table), "g", config::HashCheck::kIgnored);
  CHECK(again.ok() && *again == *table);
  return 0;
}
