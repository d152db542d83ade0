// The table of associations: what the status word of each one says.
#pragma once

#include <string>
#include <vector>

#include "ntpq/session.h"

namespace ntpward::ntpq {

// The table of `as`, header included; `all`: also what is neither configured nor reachable.
// `version` is the one that requests claim: 1 selects the words of that version.
std::string AssociationTable(const std::vector<Association>& list, bool all, uint8_t version);

// The same as {"associations": [...]}.
void WriteAssociations(JsonWriter& json, const std::vector<Association>& list, bool all);

// Whether the tables show it when not asked for all.
bool IsOfInterest(const Association& association);
// The first character of a billboard row.
char Tally(uint16_t status, uint8_t version);

}  // namespace ntpward::ntpq
