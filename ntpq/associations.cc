#include "ntpq/associations.h"

#include <array>
#include <cstdio>

#include "ntpq/json_values.h"
#include "ntpq/text.h"

namespace ntpward::ntpq {
namespace {

// Version 1 of the protocol has other words for the low bits of the status; two bits select them.
constexpr std::array<std::string_view, 4> kOldSelections = {"", "sel_cand", "sync_cand",
                                                            "sys_peer"};
constexpr std::string_view kOldTally = " .+*";
constexpr uint16_t kOldSane = 0x0800;
constexpr uint16_t kOldDispersionOk = 0x0400;

std::string_view OldCondition(uint16_t status) {
  const size_t selection = (status >> 8) & 3;
  if (selection != 0) return kOldSelections[selection];
  if ((status & kOldSane) == 0) return "insane";
  return (status & kOldDispersionOk) == 0 ? "hi_disp" : "";
}

std::string_view Condition(uint16_t status, uint8_t version) {
  if (version > 1) return wire::ConditionName(wire::PeerStatus::FromWord(status).selection);
  return OldCondition(status);
}

std::string_view AuthColumn(const wire::PeerStatus& status) {
  if (status.broadcast) return status.auth_enabled ? "yes" : "none";
  if (!status.auth_enabled) return "none";
  // The trailing blank is part of the column as readers know it.
  return status.authentic ? "ok " : "bad";
}

std::string Row(size_t index, const Association& association, uint8_t version) {
  const auto status = wire::PeerStatus::FromWord(association.status);
  const std::string_view reach = status.broadcast ? "none" : status.reachable ? "yes" : "no";
  std::array<char, 16> word;
  std::snprintf(word.data(), word.size(), "%04x", association.status);
  return PadLeft(std::to_string(index), 3) + " " +
         PadLeft(std::to_string(association.id.value), 5) + "  " + word.data() + "   " +
         PadLeft(status.configured ? "yes" : "no", 3) + "  " + PadLeft(reach, 4) + " " +
         PadLeft(AuthColumn(status), 5) + " " + PadLeft(Condition(association.status, version), 9) +
         " " + PadLeft(wire::LastEventName(status.last_event), 11) + " " +
         PadLeft(std::to_string(status.events), 2) + "\n";
}

}  // namespace

std::string AssociationTable(const std::vector<Association>& list, bool all, uint8_t version) {
  std::string table =
      "ind assid status  conf reach auth condition  last_event cnt\n"
      "===========================================================\n";
  for (size_t i = 0; i < list.size(); ++i)
    if (all || IsOfInterest(list[i])) table += Row(i + 1, list[i], version);
  return table;
}

void WriteAssociations(JsonWriter& json, const std::vector<Association>& list, bool all) {
  json.BeginObject();
  json.Key("associations");
  json.BeginArray();
  for (size_t i = 0; i < list.size(); ++i) {
    if (!all && !IsOfInterest(list[i])) continue;
    json.BeginObject();
    json.Key("index").Unsigned(i + 1);
    json.Key("assid").Unsigned(list[i].id.value);
    json.Key("status");
    WriteStatus(json, Scope::kPeer, list[i].status);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
}

bool IsOfInterest(const Association& association) {
  const auto status = wire::PeerStatus::FromWord(association.status);
  return status.configured || status.reachable;
}

char Tally(uint16_t status, uint8_t version) {
  if (version > 1) return wire::TallyCharacter(wire::PeerStatus::FromWord(status).selection);
  return kOldTally[(status >> 8) & 3];
}

}  // namespace ntpward::ntpq
