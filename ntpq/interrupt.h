// Ctrl-C, held back while a command runs: it ends the command, not ntpq.
#pragma once

namespace ntpward::ntpq {

void HoldInterrupts();
// One came since HoldInterrupts().
bool InterruptIsHeld();
// Forgets it, and lets the next one end ntpq.
void ReleaseInterrupts();

}  // namespace ntpward::ntpq
