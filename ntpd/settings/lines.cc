#include "ntpd/settings/lines.h"

#include <algorithm>

namespace ntpward::settings {
namespace {

using config::RestrictFlag;

msg::NetAssociationKind KindOf(const config::Association& line) {
  if (line.is_local_clock()) return msg::NetAssociationKind::kLocalClock;
  switch (line.kind) {
    case config::AssociationKind::kPool:
      return msg::NetAssociationKind::kPool;
    case config::AssociationKind::kPeer:
      return msg::NetAssociationKind::kPeer;
    case config::AssociationKind::kBroadcast:
      return msg::NetAssociationKind::kBroadcast;
    case config::AssociationKind::kManycastClient:
      return msg::NetAssociationKind::kManycastClient;
    case config::AssociationKind::kServer:
      break;
  }
  return msg::NetAssociationKind::kServer;
}

void FillOptions(const config::Association& line, msg::NetAssociation* message) {
  message->key = line.key.value;
  message->autokey = line.autokey;
  message->identity_optional = line.identity_optional;
  message->minpoll = static_cast<uint8_t>(line.minpoll.value);
  message->maxpoll = static_cast<uint8_t>(line.maxpoll.value);
  message->version = line.version.value;
  message->iburst = line.iburst;
  message->burst = line.burst;
  message->prefer = line.prefer;
  message->noselect = line.noselect;
  message->always_true = line.always_true;
  message->preempt = line.preempt;
}

}  // namespace

bool IsGroupKind(config::AssociationKind kind) {
  return kind == config::AssociationKind::kBroadcast ||
         kind == config::AssociationKind::kManycastClient;
}

Result<msg::NetAssociation, LineError> AssociationOf(const config::Association& line,
                                                     NameIndex name, Bytes hops,
                                                     const config::Fudge* fudge) {
  if (!line.address && IsGroupKind(line.kind))
    return Fail(LineError{line.host_where, "expected a numeric address after '" +
                                               std::string(KindName(line.kind)) + "'"});
  msg::NetAssociation message;
  message.kind = KindOf(line);
  if (line.address) {
    message.address = *line.address;
  } else {
    message.name = name;
  }
  Show(&message.label, line.host);
  FillOptions(line, &message);
  if (!Fits(&message.ident, line.ident)) return Fail(LineError{line.where, TooLong(message.ident)});
  if (IsGroupKind(line.kind) && !hops.empty())
    message.ttl = hops[std::min<size_t>(line.ttl.value, hops.size() - 1)];
  // A broadcast server has no reason to slow down.
  if (line.kind == config::AssociationKind::kBroadcast) message.maxpoll = message.minpoll;
  if (line.is_local_clock()) {
    message.stratum = config::kLocalClockStratum;
    if (fudge != nullptr) {
      message.stratum = fudge->stratum.value_or(config::kLocalClockStratum);
      Show(&message.refid, fudge->refid);
    }
  }
  if (!message.Valid())
    return Fail(LineError{
        line.where, "these options cannot be served together: expected those of ntp.conf(5)"});
  return message;
}

Result<msg::NetRestriction, LineError> RestrictionOf(const config::Restriction& line,
                                                     NameIndex name) {
  msg::NetRestriction entry;
  entry.flags = AccessBits(line.flags);
  const bool ntp = line.flags.Has(RestrictFlag::kNtpPort);
  const bool other = line.flags.Has(RestrictFlag::kNonNtpPort);
  if (ntp != other) entry.port = ntp ? 1 : 2;
  entry.ippeerlimit = line.ippeerlimit.value_or(-1);
  switch (line.target) {
    case config::RestrictTarget::kDefault:
      entry.address.family = line.family;
      break;
    case config::RestrictTarget::kSource:
      entry.source = true;
      break;
    case config::RestrictTarget::kAddress:
      entry.address = line.address;
      entry.mask = line.mask.octets;
      break;
    case config::RestrictTarget::kHost:
      entry.name = name;
      Show(&entry.label, line.host);
      break;
  }
  if (!entry.Valid()) return Fail(LineError{line.where, "this rule cannot be served"});
  return entry;
}

uint16_t AccessBits(config::RestrictFlags flags) {
  static constexpr std::pair<RestrictFlag, uint16_t> kBits[] = {
      {RestrictFlag::kIgnore, 0x0001},      {RestrictFlag::kNoServe, 0x0002},
      {RestrictFlag::kNoTrust, 0x0004},     {RestrictFlag::kVersion, 0x0008},
      {RestrictFlag::kNoPeer, 0x0010},      {RestrictFlag::kNoEpeer, 0x0020},
      {RestrictFlag::kLimited, 0x0040},     {RestrictFlag::kNoQuery, 0x0080},
      {RestrictFlag::kNoModify, 0x0100},    {RestrictFlag::kNoTrap, 0x0200},
      {RestrictFlag::kLowPrioTrap, 0x0400}, {RestrictFlag::kKod, 0x0800},
      {RestrictFlag::kMsSntp, 0x1000},      {RestrictFlag::kFlake, 0x2000},
      {RestrictFlag::kNoMruList, 0x4000},   {RestrictFlag::kServerResponseFuzz, 0x8000},
  };
  uint16_t bits = 0;
  for (const auto& [flag, bit] : kBits)
    if (flags.Has(flag)) bits = static_cast<uint16_t>(bits | bit);
  return bits;
}

uint8_t LogClasses(config::LogMask mask) {
  using config::LogClass;
  using config::LogKind;
  unsigned classes = 0;
  if (mask.Has(LogClass::kSys, LogKind::kEvents)) classes |= msg::kLogSystemEvents;
  if (mask.Has(LogClass::kPeer, LogKind::kEvents)) classes |= msg::kLogPeerEvents;
  if (mask.Has(LogClass::kSys, LogKind::kInfo)) classes |= msg::kLogSystemInfo;
  if (mask.Has(LogClass::kPeer, LogKind::kInfo)) classes |= msg::kLogPeerInfo;
  return static_cast<uint8_t>(classes);
}

uint32_t ClientsOf(const config::MruLimits& mru) {
  using config::kMostMruEntries;
  const uint32_t of_memory =
      std::min(mru.maxmem.value, kMostMruEntries) * config::kMruEntriesPerKibibyte;
  const uint32_t entries = mru.maxdepth.value != 0 ? mru.maxdepth.value : of_memory;
  return std::clamp(entries, 1U, kMostMruEntries);
}

std::string VariableItem(const config::SystemVariable& variable) {
  return (variable.by_default ? "*" : "") + variable.name + "=" + variable.value;
}

}  // namespace ntpward::settings
