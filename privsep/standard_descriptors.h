// Descriptors 0, 1 and 2 of a program that somebody else has started.
#pragma once

namespace ntpward {

// To be called before the program opens anything: gives each of them that the caller has closed to
// /dev/null, open for reading only, so that no socket or file that is opened later takes its place
// and is read for commands or written into. What is written to such a descriptor is an error and
// not lost in silence. False, errno set, when there is no /dev/null.
bool FillStandardDescriptors();

}  // namespace ntpward
