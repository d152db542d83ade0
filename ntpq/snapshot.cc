#include "ntpq/snapshot.h"

#include "ntpd/wire/packet.h"
#include "ntpd/wire/variable_values.h"
#include "ntpq/autokey.h"
#include "ntpq/billboard.h"
#include "ntpq/text.h"

namespace ntpward::ntpq {
namespace {

constexpr size_t kMostIdentities = 4096;
constexpr size_t kMostFigure = 16;
constexpr size_t kMostWord = 40;  // of what a server sends as a value of one word

std::string Words(const QueryError& error) {
  switch (error.kind) {
    case QueryError::Kind::kRefused:
      return "the server refuses to answer";
    case QueryError::Kind::kNothing:
      return "no answer";
    case QueryError::Kind::kIncomplete:
      return "only parts of an answer";
    case QueryError::Kind::kTooMuch:
      return "a longer answer than is taken";
    case QueryError::Kind::kInterrupted:
      return "interrupted";
    case QueryError::Kind::kCredentials:
      return "there is no key to ask with";
    case QueryError::Kind::kNoHost:
    case QueryError::Kind::kNotSent:
    case QueryError::Kind::kTransport:
      break;
  }
  return error.text.empty() ? "nothing was sent" : Printable(error.text);
}

std::string Cooked(const Values& values, std::string_view name, const Display& display) {
  const auto value = Find(values, name);
  if (!value) return "?";
  return std::string(Cut(CookValue(name, *value, Scope::kSystem, display), kMostWord));
}

std::string StatusLine(wire::SystemStatus status, const Values& values, const Display& display) {
  return wire::SystemSourceName(status.source) + ", " +
         wire::LeapName(static_cast<uint8_t>(status.leap)) + ", stratum " +
         Cooked(values, "stratum", display) + ", refid " + Cooked(values, "refid", display);
}

// Three decimals are what a line of 80 columns has room for.
std::string Figure(const Values& values, std::string_view name) {
  const auto number = wire::DecodeFixed(Find(values, name).value_or(""));
  return number ? std::string(Cut(FixedText(*number, 3, false), kMostFigure)) : "?";
}

std::string FigureLine(const Values& values) {
  return "offset " + Figure(values, "offset") + ", jitter " + Figure(values, "sys_jitter") +
         ", rootdelay " + Figure(values, "rootdelay") + ", rootdisp " + Figure(values, "rootdisp") +
         " ms, freq " + Figure(values, "frequency") + " ppm";
}

Result<WatchedSource, QueryError> LookAt(Session& session, const Association& association,
                                         IdentityCache& identities) {
  const auto reply = session.Try(wire::ControlOp::kReadVariables, association.id, "");
  if (!reply.ok()) return Fail(reply.error());
  const Values values = ReadValues(reply->data);
  const auto status = wire::PeerStatus::FromWord(reply->status);
  const uint64_t flags = NumberOf(values, "flags").value_or(0);
  const std::string identity = flags == 0 ? "" : identities.Get(session, association.id, flags);
  WatchedSource source = DescribeAuthentication(status, values, identity);
  std::string complaints;
  BillboardRow row = ReadRow({association.id, reply->status}, reply->data, complaints);
  const BillboardStyle style{.version = session.settings.version};
  source.row = RenderRow(row, style, session.display(), session.host().name);
  while (!source.row.empty() && source.row.back() == '\n') source.row.pop_back();
  source.selection = status.selection;
  return source;
}

}  // namespace

std::string BillboardLine() { return BillboardHeader({}); }

std::string IdentityCache::Get(Session& session, AssocId id, uint64_t flags) {
  if (never_told_) return "";
  const auto found = known_.find(id);
  if (found != known_.end() && found->second.flags == flags) return found->second.identity;
  const auto reply = session.Try(wire::ControlOp::kReadVariables, id, "identity");
  if (!reply.ok()) {
    never_told_ = reply.error().kind == QueryError::Kind::kRefused &&
                  reply.error().code == wire::ControlError::kUnknownVariable;
    return "";
  }
  if (known_.size() >= kMostIdentities) known_.clear();
  std::string identity = TextOf(ReadValues(reply->data), "identity");
  known_[id] = {flags, identity};
  return identity;
}

WatchedSource DescribeAuthentication(wire::PeerStatus status, const Values& variables,
                                     const std::string& identity) {
  WatchedSource source;
  const auto number = [&](std::string_view name) { return NumberOf(variables, name).value_or(0); };
  const uint64_t flags = number("flags");
  const uint64_t key = number("keyid");
  if (flags == 0 && key == 0) {
    source.authentication = "none";
    return source;
  }
  if (!UsesAutokey(variables)) {
    source.authenticated = status.authentic;
    source.authentication_failed = !status.authentic && status.reachable;
    source.authentication = (status.authentic   ? "ok "
                             : status.reachable ? "bad "
                                                : "") +
                            ("key " + std::to_string(key));
    return source;
  }
  const uint32_t needed = IsSymmetric(variables) ? kAutokeyOfPeers : kAutokeyOfServers;
  const bool proved = (flags & needed) == needed;
  if (!proved) {
    source.authentication = flags == 0 ? "not begun" : "under way";
    return source;
  }
  // What is proved gives time from its next packet on.
  const bool unnamed = identity.empty() || identity == "none";
  source.authenticated = status.authentic;
  source.authentication =
      (status.authentic ? "ok " : "wait ") + (unnamed ? "autokey" : std::string(Cut(identity, 6)));
  return source;
}

Result<Snapshot> TakeSnapshot(Session& session, IdentityCache& identities) {
  session.BeginCommand();
  const auto system = session.Try(wire::ControlOp::kReadVariables, AssocId{0}, "");
  if (!system.ok()) return Fail(Words(system.error()));
  const auto list = session.TryAssociationTable();
  if (!list.ok()) return Fail(Words(list.error()));
  Snapshot snapshot;
  const auto status = wire::SystemStatus::FromWord(system->status);
  const Values values = ReadValues(system->data);
  snapshot.status = StatusLine(status, values, session.display());
  snapshot.figures = FigureLine(values);
  snapshot.synchronised = status.leap != static_cast<uint8_t>(wire::Leap::kAlarm);
  for (const Association& association : DecodeAssociations(list->data)) {
    if (!IsOfInterest(association)) continue;
    auto source = LookAt(session, association, identities);
    // One that has just gone is left out.
    if (source.ok())
      snapshot.sources.push_back(std::move(source).value());
    else if (source.error().kind != QueryError::Kind::kRefused)
      return Fail(Words(source.error()));
  }
  snapshot.taken = session.platform().Now();
  return snapshot;
}

}  // namespace ntpward::ntpq
