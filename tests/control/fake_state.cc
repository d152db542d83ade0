#include "tests/control/fake_state.h"

#include <algorithm>

#include "ntpd/wire/refid.h"
#include "tests/support/vectors.h"

namespace ntpward::control::test {
namespace {

constexpr uint16_t kSilent = 0x8a35;
constexpr uint16_t kClock = 0x8a40;

// 2027-11-21 23:41 UTC, when the certificates of the captures expire.
constexpr int64_t kExpiry = 1826840460;

AutokeyView Autokey() {
  AutokeyView autokey;
  autokey.host = "client";
  autokey.flags = 0x80003;
  autokey.digest = "md5";
  autokey.signature = "md5WithRSAEncryption";
  autokey.update = NtpSeconds{0xeeacabc7};  // 2026-11-21 23:46:15
  autokey.certificates = {{"client", "server", 4, kExpiry + 300},
                          {"server", "server", 5, kExpiry},
                          {"client", "client", 0, kExpiry}};
  return autokey;
}

SystemView System() {
  SystemView system;
  system.status = wire::SystemStatus::FromWord(0x0604);
  system.stratum = 7;
  system.precision = -25;
  system.root_delay_s = 0.000045;
  system.root_dispersion_s = 0.010629;
  system.refid = 0x0a4d000f;
  system.reference = NtpTimestamp::FromRaw(0xeeacac82601ea377);
  system.now = NtpTimestamp::FromRaw(0xeeacac874c7ec982);
  system.time_constant = 4;
  system.system_peer = AssocId{35392};
  system.peer_address = SocketAddress{IpAddress::V4(10, 77, 0, 15), 123};
  system.peer_mode = wire::Mode::kClient;
  system.system_jitter_s = 0.000006902;
  system.clock_jitter_s = 0.000014;
  system.processor = "x86_64";
  system.system = "Linux/6.18.44-fc-v657";
  system.uptime_s = 232;
  system.counters_since_reset_s = 232;
  system.packets = {890, 132, 0, 0, 0, 1, 15, 0, 0, 108, 0, 0};
  system.mru = {3, 8, 8, 600, 64, 1000, 1, 86};
  system.keys = {234, 93, 23, 195, 2, 130, 0, 116, 78};
  system.kernel = {0, Ppm{0}, 16, 16, 0x40, 2, 1e-6, Ppm{500}};
  system.io = {233, 64, 63, 0, 1, 0, 88, 894, 1482, 0, 1675, 1448};
  system.timers = {233, 0, 0};
  system.autokey = Autokey();
  system.extra = {{"foo", "bar", true}, {"hidden", "xyz", false}, {"quoted", "two words", true}};
  return system;
}

}  // namespace

FakeState::FakeState() : system(test::System()) {
  const std::pair<uint16_t, uint16_t> rows[] = {
      {0x8a40, 0x162a}, {0x8a3f, 0x142a}, {0x8a3e, 0xf314}, {0x8a3d, 0xf414},
      {0x8a3c, 0x8811}, {0x8a3b, 0xc811}, {0x8a3a, 0x8013}, {0x8a39, 0xf314},
      {0x8a38, 0x9414}, {0x8a37, 0x8011}, {0x8a36, 0x9014}, {0x8a35, 0xc011}};
  for (const auto& [id, word] : rows)
    associations.push_back({AssocId{id}, wire::PeerStatus::FromWord(word)});
  clock.device = "Undisciplined local clock";
  clock.polls = 4;
  clock.stratum = 10;
  clock.refid = wire::RefidCode("LOCL");
}

std::optional<PeerView> FakeState::Peer(AssocId id) const {
  for (const AssociationStatus& row : associations) {
    if (row.id != id) continue;
    PeerView peer = id.value == kSilent ? SilentPeer() : AnsweringPeer();
    peer.status = row.status;
    return peer;
  }
  return std::nullopt;
}

std::optional<ClockView> FakeState::Clock(AssocId id) const {
  if (!has_clock || (id.value != 0 && id.value != kClock)) return std::nullopt;
  return clock;
}

void FakeState::SetVariable(std::string_view name, std::string_view value) {
  for (ExtraVariable& variable : system.extra)
    if (variable.name == name) variable.value = std::string(value);
}

PeerView AnsweringPeer() {
  PeerView peer;
  peer.status = wire::PeerStatus::FromWord(0x162a);
  peer.remote = {IpAddress::V4(10, 77, 0, 15), 123};
  peer.local = {IpAddress::V4(10, 77, 0, 2), 123};
  peer.leap = wire::Leap::kNone;
  peer.stratum = 6;
  peer.host_mode = wire::Mode::kClient;
  peer.peer_mode = wire::Mode::kServer;
  peer.host_poll = 4;
  peer.peer_poll = 4;
  peer.precision = -25;
  peer.root_dispersion_s = 0.010284;
  peer.refid = 0x7f7f0100;
  peer.reference = NtpTimestamp::FromRaw(0xeeacac7e5ec5a2d0);
  peer.received_at = NtpTimestamp::FromRaw(0xeeacac82601ea377);
  peer.reach = 0xff;
  peer.headway_s = 33;
  peer.delay_s = 0.000045;
  peer.offset_s = 0.000019;
  peer.jitter_s = 0.000008;
  peer.dispersion_s = 0.000264;
  peer.interleave_delay_s = 0.000057;
  peer.filter_delay_s = {4e-5, 5e-5, 5e-5, 4e-5, 2e-5, 3e-5, 5e-5, 3e-5};
  peer.filter_offset_s = {2e-5, 2e-5, 2e-5, 2e-5, 1e-5, 1e-5, 2e-5, 1e-5};
  peer.filter_dispersion_s = {0, 2.7e-4, 5.6e-4, 8.3e-4, 1.1e-3, 1.37e-3, 1.64e-3, 1.91e-3};
  return peer;
}

PeerView SilentPeer() {
  PeerView peer;
  peer.status = wire::PeerStatus::FromWord(0xc011);
  peer.remote = {IpAddress::V4(10, 77, 0, 12), 123};
  peer.local = {IpAddress::V4(10, 77, 0, 2), 123};
  peer.precision = -25;
  peer.refid = wire::RefidCode("INIT");
  peer.unreach = 14;
  peer.host_poll = 4;
  peer.peer_poll = 4;
  peer.headway_s = 7;
  peer.flash = 0x1600;
  peer.key = KeyId{5};
  peer.dispersion_s = 15.9375;
  peer.interleave_delay_s = 0.000047;
  peer.filter_dispersion_s.fill(16);
  return peer;
}

std::optional<RecentClient> FakeRecent::Oldest() const {
  return rows.empty() ? std::nullopt : std::optional(rows.front());
}

std::optional<RecentClient> FakeRecent::After(const IpAddress& client) const {
  auto row = std::find_if(rows.begin(), rows.end(),
                          [&](const RecentClient& r) { return r.client.ip == client; });
  if (row == rows.end() || ++row == rows.end()) return std::nullopt;
  return *row;
}

std::optional<RecentClient> FakeRecent::Find(const IpAddress& client) const {
  for (const RecentClient& row : rows)
    if (row.client.ip == client) return row;
  return std::nullopt;
}

void FakeRecent::Add(const SocketAddress& client, NtpTimestamp when) {
  RecentClient row = Find(client.ip).value_or(RecentClient{});
  std::erase_if(rows, [&](const RecentClient& r) { return r.client.ip == client.ip; });
  if (row.count == 0) row = {client, {}, when, when, 0, 4, 3, 0};
  row.client = client;
  row.last = when;
  ++row.count;
  rows.push_back(row);
}

std::string ReadText(std::string_view name) {
  const auto bytes = ntpward::test::ReadFile("tests/control/data/" + std::string(name));
  return std::string(AsText(bytes));
}

}  // namespace ntpward::control::test
