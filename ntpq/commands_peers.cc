// Commands that show all associations: the table of status words and the billboards.
#include "ntpq/associations.h"
#include "ntpq/billboard.h"
#include "ntpq/command.h"

namespace ntpward::ntpq {
namespace {

using enum ArgumentKind;

enum class Which : uint8_t { kOfInterest, kAll };

void PrintAssociations(Session& session, Which which) {
  if (session.settings.json)
    return WriteAssociations(session.BeginResult(), session.associations(), which == Which::kAll);
  if (session.associations().empty()) {
    session.Print("No association ID's in list\n");
    return;
  }
  session.Print(
      AssociationTable(session.associations(), which == Which::kAll, session.settings.version));
}

void Fetched(Session& session, Which which) {
  if (session.FetchAssociations()) PrintAssociations(session, which);
}

void Associations(Session& session, const Arguments&) { Fetched(session, Which::kOfInterest); }
void AllAssociations(Session& session, const Arguments&) { Fetched(session, Which::kAll); }
void CachedAssociations(Session& session, const Arguments&) {
  PrintAssociations(session, Which::kOfInterest);
}
void AllCachedAssociations(Session& session, const Arguments&) {
  PrintAssociations(session, Which::kAll);
}

bool InFamily(const BillboardRow& row, uint32_t family) {
  if (family == 0 || !row.remote) return true;
  return row.remote->family == (family == 4 ? Family::kIpv4 : Family::kIpv6);
}

// What the server says of one association, for the billboard; none after a complaint.
std::optional<BillboardRow> FetchRow(Session& session, const Association& association,
                                     bool* go_on) {
  const auto reply = session.Try(wire::ControlOp::kReadVariables, association.id, "");
  if (!reply.ok()) {
    session.Explain(reply.error(), association.id);
    // An association that has just gone is no reason to stop.
    *go_on = reply.error().kind == QueryError::Kind::kRefused;
    return std::nullopt;
  }
  std::string complaints;
  BillboardRow row = ReadRow(association, reply->data, complaints);
  row.association.status = reply->status;
  if (!complaints.empty()) session.Warn(complaints);
  return row;
}

// Hands each row that is asked for to `show`, until the server answers no more.
template <typename Show>
void ForEachRow(Session& session, Which which, uint32_t family, const Show& show) {
  const std::vector<Association> list = session.associations();
  bool go_on = true;
  for (const Association& association : list) {
    if (which == Which::kOfInterest && !IsOfInterest(association)) continue;
    const auto row = FetchRow(session, association, &go_on);
    if (row && InFamily(*row, family)) show(*row);
    if (!go_on) return;
  }
}

void WriteBillboard(Session& session, Which which, uint32_t family) {
  JsonWriter& json = session.BeginResult();
  json.BeginObject();
  json.Key("peers");
  json.BeginArray();
  ForEachRow(session, which, family,
             [&](const BillboardRow& row) { WriteRow(json, row, session.display()); });
  json.EndArray();
  json.EndObject();
}

void PrintBillboard(Session& session, BillboardKind kind, Which which, uint32_t family) {
  const BillboardStyle style{kind, session.settings.wide, session.settings.version,
                             session.host_column()};
  session.Print(BillboardHeader(style));
  ForEachRow(session, which, family, [&](const BillboardRow& row) {
    session.Print(RenderRow(row, style, session.display(), session.host().name));
  });
}

void Billboard(Session& session, const Arguments& arguments, BillboardKind kind, Which which) {
  const uint32_t family = arguments.empty() ? 0 : arguments[0].number;
  if (kind == BillboardKind::kRefid && session.settings.refid == RefidStyle::kHash)
    kind = BillboardKind::kAssociation;
  if (!session.FetchAssociations()) return;
  if (session.settings.json)
    WriteBillboard(session, which, family);
  else
    PrintBillboard(session, kind, which, family);
}

void Peers(Session& session, const Arguments& arguments) {
  Billboard(session, arguments, BillboardKind::kRefid, Which::kOfInterest);
}
void AllPeers(Session& session, const Arguments& arguments) {
  Billboard(session, arguments, BillboardKind::kRefid, Which::kAll);
}
void LocalPeers(Session& session, const Arguments& arguments) {
  Billboard(session, arguments, BillboardKind::kLocal, Which::kOfInterest);
}
void AllLocalPeers(Session& session, const Arguments& arguments) {
  Billboard(session, arguments, BillboardKind::kLocal, Which::kAll);
}
void AssociationPeers(Session& session, const Arguments& arguments) {
  Billboard(session, arguments, BillboardKind::kAssociation, Which::kOfInterest);
}

constexpr std::array<ArgumentSpec, kMaxArguments> kFamilyArgument = {{{kFamily, true, "-4|-6"}}};

constexpr std::array kCommands = {
    Command{
        "associations", Associations, {}, "list the associations that are configured or reachable"},
    Command{"passociations", CachedAssociations, {}, "list them again without asking the server"},
    Command{"lassociations", AllAssociations, {}, "list all associations"},
    Command{"lpassociations",
            AllCachedAssociations,
            {},
            "list all associations again without asking the server"},
    Command{"peers", Peers, kFamilyArgument,
            "obtain and print a list of the server's peers [IP version]"},
    Command{"lpeers", AllPeers, kFamilyArgument,
            "list the server's peers, clients included [IP version]"},
    Command{"opeers", LocalPeers, kFamilyArgument,
            "list the server's peers with local addresses [IP version]"},
    Command{"lopeers", AllLocalPeers, kFamilyArgument,
            "list the server's peers with local addresses, clients included [IP version]"},
    Command{"apeers", AssociationPeers, kFamilyArgument,
            "list the server's peers with association identifiers [IP version]"},
};

}  // namespace

std::span<const Command> PeerCommands() { return kCommands; }

}  // namespace ntpward::ntpq
