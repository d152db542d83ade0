// Stand-ins for ntpd-net and ntpd-keys, so that the supervisor can be tested with roles that
// misbehave on demand.
//
// A test program that is started under such a role's name becomes it. What it hears it says as log
// lines that begin with "fake"; ntpd-net does what the file "script" beside its program says.
#pragma once

namespace ntpward::test {

// Runs the role of argv[0] and ends the process; returns when that is no role's name.
void RunFakeRole(int argc, char** argv);

}  // namespace ntpward::test
