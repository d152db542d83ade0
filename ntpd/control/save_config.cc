#include "ntpd/control/save_config.h"

namespace ntpward::control {
namespace {

// A name that was refused may hold any octet.
std::string Quoted(std::string_view name) {
  std::string text(name);
  for (char& c : text)
    if (c < ' ' || c >= 0x7f) c = '?';
  return "'" + text + "'";
}

}  // namespace

std::string SaveText(SaveResult result, std::string_view name, std::string_view reason) {
  const std::string quoted = Quoted(name);
  switch (result) {
    case SaveResult::kSaved:
      return "Configuration saved to " + quoted;
    case SaveResult::kProhibited:
      return "saveconfig prohibited by restrict ... nomodify";
    case SaveResult::kNoDirectory:
      return "saveconfig prohibited, no saveconfigdir configured";
    case SaveResult::kUnsafeName:
      return "saveconfig rejects unsafe file name " + quoted;
    case SaveResult::kFailed:
      break;
  }
  return "Unable to save configuration to file " + quoted + ": " + std::string(reason);
}

}  // namespace ntpward::control
