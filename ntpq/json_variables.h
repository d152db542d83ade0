// A server's variables as one JSON object.
#pragma once

#include <time.h>

#include <functional>
#include <string_view>

#include "ntpq/json_writer.h"

namespace ntpward::ntpq {

// How values are written.
struct VariableStyle {
  bool raw = false;  // every value a string, as it came
  timespec now{};    // Unix time; decides the era of timestamps
};

// Writes {"name": value, ...} from the text of an answer. A value that is not what its name
// promises is a string, as it came; a name without a value is null. What cannot be read, and an
// item that came twice though its name stands for one, is told to `warn`.
void WriteVariables(JsonWriter& json, std::string_view text, const VariableStyle& style,
                    const std::function<void(std::string_view)>& warn);
// One value, quotes included if it came with them.
void WriteValue(JsonWriter& json, std::string_view name, std::string_view value,
                const VariableStyle& style);

}  // namespace ntpward::ntpq
