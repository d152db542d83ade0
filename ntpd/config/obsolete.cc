// Directives without effect here: accepted so that old files load, and said to do nothing.
#include <array>

#include "ntpd/config/directive.h"

namespace ntpward::config {
namespace {

void Ignore(Line& line, Config&) {
  line.Warn(line.Cite() + " has no effect: the line is ignored");
  while (!line.AtEnd()) (void)line.NextString();
  (void)line.Finish();
}

void IgnoreAuthenticate(Line& line, Config& config) {
  line.Warn("expected 'enable auth' or 'disable auth'");
  Ignore(line, config);
}

void RefuseNts(Line& line, Config&) { line.Fail("NTS is not supported: expected no such line"); }

void RefuseRefclock(Line& line, Config&) {
  line.Fail("this form is not supported: expected 'server 127.127.1.0' for the local clock");
}

void RefuseSimulate(Line& line, Config&) { line.Fail("there is no simulator here"); }

constexpr auto kDirectives = std::to_array<Directive>({
    {"authdelay", Ignore},
    {"authenticate", IgnoreAuthenticate},
    {"calldelay", Ignore},
    {"clientlimit", Ignore},
    {"clientperiod", Ignore},
    {"device", Ignore},
    {"leapsmearinterval", Ignore},
    {"maxpoll", Ignore},
    {"mdnstries", Ignore},
    {"minpoll", Ignore},
    {"ntpsigndsocket", Ignore, Weight::kPlain, true},
    {"phone", Ignore},
    {"poll", Ignore},
    {"pollskewlist", Ignore},
    {"reset", Ignore},
    {"resolver", Ignore},
    {"rlimit", Ignore},
    {"tick", Ignore},
    {"trap", Ignore},
    {"nts", RefuseNts},
    {"refclock", RefuseRefclock},
    {"simulate", RefuseSimulate},
});

}  // namespace

std::span<const Directive> ObsoleteDirectives() { return kDirectives; }

}  // namespace ntpward::config
