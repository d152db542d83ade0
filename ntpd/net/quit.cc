#include "ntpd/net/quit.h"

#include <cstdio>

namespace ntpward::net {
namespace {

const char* FormatOf(Correction correction) {
  switch (correction) {
    case Correction::kStepped:
      return "ntpd: time set %+.6fs";
    case Correction::kSlewing:
      return "ntpd: time slew %+.6fs";
    case Correction::kLeftAlone:
      return "ntpd: measured %+.6fs; the system clock was left alone";
    case Correction::kRefused:
      break;
  }
  return "ntpd: measured %+.6fs; the correction was refused, the clock was not set";
}

}  // namespace

msg::NetQuit QuitAfterCorrection(Correction correction, double offset) {
  msg::NetQuit quit;
  quit.reason =
      correction == Correction::kRefused ? msg::QuitReason::kFailed : msg::QuitReason::kDone;
  char text[120];
  std::snprintf(text, sizeof text, FormatOf(correction), offset);
  CHECK(quit.text.Assign(AsBytes(std::string_view(text))));
  return quit;
}

msg::NetQuit QuitWithoutServer(bool heard) {
  msg::NetQuit quit;
  quit.reason = heard ? msg::QuitReason::kFailed : msg::QuitReason::kUnheard;
  CHECK(quit.text.Assign(AsBytes("ntpd: no servers found")));
  return quit;
}

}  // namespace ntpward::net
