// links: wire
// caged
//
// Any text: what is read, written again and read again is the same.
#include "ntpd/wire/control_message.h"
#include "ntpd/wire/variable_list.h"

using namespace ntpward;

namespace {

bool IsPlain(std::string_view text) {
  for (char c : text)
    if (c < 0x20 || c >= 0x7f) return false;
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  wire::VariableListReader reader(AsText(Bytes(data, size)));
  while (true) {
    const auto next = reader.Next();
    if (!next.ok() && next.error() == wire::VariableReject::kValueTooLong) continue;
    if (!next.ok() || !next->has_value()) return 0;
    const wire::Variable& variable = **next;
    CHECK(variable.name.size() <= 255 && variable.value.value_or("").size() <= 2047);
    if (variable.name.empty() || !variable.value || !IsPlain(variable.name) ||
        !IsPlain(*variable.value))
      continue;
    wire::VariableListWriter writer;
    writer.Add(variable.name, *variable.value);
    writer.Finish();
    const auto again = wire::VariableListReader(writer.text()).Next();
    CHECK(again.ok() && again->has_value());
    CHECK((*again)->name == variable.name && (*again)->value == variable.value);
  }
}
