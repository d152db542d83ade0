// Presets: options that the environment or a file sets before the command line is read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ntpward::ntpq {

// What can be preset, by the long names of options: how things look, and which key. No command.
bool CanBePreset(std::string_view option);

// "--numeric" and "--refid=hash" for NTPQ_NUMERIC=1 and NTPQ_REFID=hash in the environment. "0" and
// the empty text set nothing.
std::vector<std::string> PresetsOfEnvironment();

// The same for the text of a file as ntpq 4.2.8 writes it: a name on each line, with its value
// behind a blank, '=' or ':'; '#' begins a comment; of sections like "[ntpq]" and "<?program ntpq>"
// those of other programs are passed over. So is what cannot be preset.
std::vector<std::string> PresetsOfFile(std::string_view text);

// "$HOME/.ntprc"; empty without a home. Not the one of the current directory, which may be
// anyone's.
std::string PresetFile();

}  // namespace ntpward::ntpq
