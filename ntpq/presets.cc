#include "ntpq/presets.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>

#include "ntpq/text.h"

namespace ntpward::ntpq {
namespace {

struct Preset {
  std::string_view option;
  bool takes_value;
};
constexpr std::array<Preset, 10> kPresets = {{{"ipv4", false},
                                              {"ipv6", false},
                                              {"numeric", false},
                                              {"old-rv", false},
                                              {"signs", false},
                                              {"unconnected", false},
                                              {"wide", false},
                                              {"refid", true},
                                              {"authentication", true},
                                              {"keyfile", true}}};

const Preset* Find(std::string_view option) {
  const auto found = std::find_if(kPresets.begin(), kPresets.end(),
                                  [&](const Preset& preset) { return preset.option == option; });
  return found == kPresets.end() ? nullptr : found;
}

void Add(std::vector<std::string>& presets, std::string_view option, std::string_view value) {
  const Preset* preset = Find(option);
  if (preset == nullptr || value == "0" || (preset->takes_value && value.empty())) return;
  presets.push_back("--" + std::string(option) +
                    (preset->takes_value ? "=" + std::string(value) : ""));
}

std::string VariableFor(std::string_view option) {
  std::string name = "NTPQ_";
  for (const char c : option)
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view WithoutQuotes(std::string_view text) {
  const bool quoted = text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
                      text.back() == text.front();
  return quoted ? text.substr(1, text.size() - 2) : text;
}

// Whether a line that begins a section begins one of ours.
bool IsOurSection(std::string_view line) {
  std::string name;
  for (const char c : line) name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return name == "[ntpq]" || name == "<?program ntpq>";
}

void TakeLine(std::string_view line, std::vector<std::string>& presets) {
  const size_t end = std::min(line.find_first_of(" \t=:"), line.size());
  std::string_view value = Trim(line.substr(end));
  if (value.starts_with('=') || value.starts_with(':')) value = Trim(value.substr(1));
  Add(presets, line.substr(0, end), WithoutQuotes(value));
}

}  // namespace

bool CanBePreset(std::string_view option) { return Find(option) != nullptr; }

std::vector<std::string> PresetsOfEnvironment() {
  std::vector<std::string> presets;
  for (const Preset& preset : kPresets) {
    const char* value = std::getenv(VariableFor(preset.option).c_str());
    if (value != nullptr && *value != '\0') Add(presets, preset.option, value);
  }
  return presets;
}

std::vector<std::string> PresetsOfFile(std::string_view text) {
  std::vector<std::string> presets;
  bool ours = true;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = Trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with('[') || line.starts_with("<?program"))
      ours = IsOurSection(line);
    else if (ours && !line.empty() && line.front() != '#')
      TakeLine(line, presets);
  }
  return presets;
}

std::string PresetFile() {
  const char* home = std::getenv("HOME");
  return home == nullptr || *home == '\0' ? "" : std::string(home) + "/.ntprc";
}

}  // namespace ntpward::ntpq
