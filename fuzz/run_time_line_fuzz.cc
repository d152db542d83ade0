// links: settings keys
// caged
//
// Any octets as lines of configuration that come by mode 6, one after the other: each is judged,
// what it leaves fits the messages, and a line that is in force changes nothing when it comes
// again.
#include <algorithm>

#include "keys/key_binding.h"
#include "ntpd/settings/run_time_line.h"
#include "privsep/msg/same.h"

using namespace ntpward;

namespace {

void CheckSame(const settings::Settings& a, const settings::Settings& b) {
  CHECK(msg::Same(a.start, b.start));
  CHECK(std::equal(a.associations.begin(), a.associations.end(), b.associations.begin(),
                   b.associations.end(), msg::Same<msg::NetAssociation>));
  CHECK(a.restrictions.size() == b.restrictions.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text = AsText(Bytes(data, size));
  settings::Settings now;
  now.start.crypto_enabled = size % 2 == 0;
  const settings::Settings file = now;
  for (int lines = 0; lines < 20 && !text.empty(); ++lines) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    (void)settings::UnpeerOf(line);
    (void)keys::BindingOf(line);
    const auto change = settings::Apply(line, "", file, now);
    if (!change.ok()) {
      CHECK(!change.error().text.empty() && change.error().column <= line.size());
      continue;
    }
    now = change->after;
    const auto again = settings::Apply(line, "", file, now);
    if (again.ok()) CheckSame(again->after, now);
  }
  return 0;
}
