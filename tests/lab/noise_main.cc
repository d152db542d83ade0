// Sends what a server refuses or throws away, in whatever names, and hears nothing of the answers.
//
// usage: ntp-noise KIND[,KIND...] PER-SECOND SERVER FIRST [COUNT]
// A packet of each KIND by turns, each from any of the COUNT addresses (1) from FIRST on, until it
// is killed. It needs CAP_NET_ADMIN for addresses that are not its own. A KIND is one of
// ntp-crowd's, or
//   time       a request without MAC
//   key        a request with a MAC of rubbish under the symmetric key 1
//   symmetric  as a peer sends it, without MAC
//   peer       the first packet of a peer under Autokey
//   broadcast  to the server alone
//   kiss       a kiss of death
//   nak        an answer that is a crypto-NAK
//   mode6      a request of rubbish; now and then a good one
//   write      a line of configuration with a MAC of rubbish under key 1
//   mode7      rubbish
//   rubbish    octets of any kind and number
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "ntpd/net/random.h"
#include "ntpd/net/udp.h"
#include "ntpd/wire/control_message.h"
#include "ntpd/wire/refid.h"
#include "privsep/supervisor_link.h"
#include "tests/lab/crowd_requests.h"

namespace ntpward::crowd {
namespace {

constexpr uint16_t kPort = 123;
constexpr KeyId kSymmetricKey{1};
using Octets = std::vector<uint8_t>;

size_t Below(size_t limit) { return net::RandomNumber() % limit; }

Octets Random(size_t size) {
  Octets octets(size + 8);
  Writer writer(octets);
  while (writer.size() < size) writer.U64(net::RandomNumber());
  octets.resize(size);
  return octets;
}

Octets Joined(Octets octets, const Octets& more) {
  octets.insert(octets.end(), more.begin(), more.end());
  return octets;
}

// Of SHA-1's length.
Octets RubbishMac(KeyId key) {
  Octets mac = Random(24);
  Writer writer(mac);
  writer.U32(key.value);
  return mac;
}

Octets TimePacket(wire::Mode mode, uint8_t stratum, uint32_t refid) {
  wire::Header header;
  header.mode = mode;
  header.stratum = stratum;
  header.poll = 6;
  header.precision = -20;
  header.refid = refid;
  header.origin = net::RandomNonce();
  header.receive = header.reference = header.transmit = SystemTimeNow();
  if (mode == wire::Mode::kClient) header.origin = NtpTimestamp();
  Octets packet(wire::kHeaderSize);
  Writer writer(packet);
  wire::EncodeHeader(writer, header);
  return packet;
}

Octets ControlPacket(wire::ControlOp op, Bytes data, wire::ControlPadding padding) {
  wire::ControlHeader header;
  header.op = op;
  return wire::BuildControlRequest(header, data, padding);
}

// --- one of each kind

Octets Time() { return TimePacket(wire::Mode::kClient, 0, 0); }
Octets Key() { return Joined(Time(), RubbishMac(kSymmetricKey)); }
Octets Symmetric() { return TimePacket(wire::Mode::kSymmetricActive, 2, 0x0a000001); }
Octets Broadcast() { return TimePacket(wire::Mode::kBroadcast, 2, 0x0a000001); }
Octets Kiss() {
  return TimePacket(wire::Mode::kServer, 0, wire::RefidCode(Below(2) == 0 ? "RATE" : "DENY"));
}
Octets Nak() { return Joined(TimePacket(wire::Mode::kServer, 2, 0x0a000001), Octets(4)); }
Octets Mode6() {
  const auto op = static_cast<wire::ControlOp>(Below(32));
  Octets packet = ControlPacket(op, Below(4) == 0 ? Octets() : Random(Below(400)),
                                wire::ControlPadding::kPlain);
  if (Below(4) == 0) packet.resize(Below(packet.size()) + 1);
  return packet;
}
Octets Write() {
  return Joined(ControlPacket(wire::ControlOp::kConfigure, AsBytes("server 192.0.2.1"),
                              wire::ControlPadding::kForMac),
                RubbishMac(kSymmetricKey));
}
Octets Mode7() {
  Octets packet = Random(8 + Below(180));
  packet[0] = 0x17;
  return packet;
}
Octets Rubbish() { return Random(1 + Below(300)); }

constexpr struct {
  std::string_view name;
  Octets (*make)();
} kKinds[] = {{"time", Time},           {"key", Key},     {"symmetric", Symmetric},
              {"broadcast", Broadcast}, {"kiss", Kiss},   {"nak", Nak},
              {"mode6", Mode6},         {"write", Write}, {"mode7", Mode7},
              {"rubbish", Rubbish}};

class Maker {
 public:
  // Empty: there is no such kind.
  Octets Make(std::string_view kind, const AddressPair& path) {
    for (const auto& [name, make] : kKinds)
      if (name == kind) return make();
    Bytes packet;
    if (kind == "peer") {
      packet = requests_.Peer(path, NtpTimestamp(), SystemTimeNow());
    } else if (const auto flood = KindOf(kind)) {
      packet = requests_.Flood(*flood, path, net::RandomNumber());
    }
    return {packet.begin(), packet.end()};
  }

 private:
  Requests requests_{"server"};
};

struct Options {
  std::vector<std::string> kinds;
  double per_second = 0;
  IpAddress server;
  IpAddress first;
  uint32_t sources = 1;
};

IpAddress Source(const Options& options) {
  IpAddress address = options.first;
  const MutableBytes last = MutableBytes(address.octets).subspan(0, 4);
  const uint32_t number = Reader(last).U32() + static_cast<uint32_t>(Below(options.sources));
  Writer(last).U32(number);
  return address;
}

std::optional<Options> Parse(int argc, char** argv) {
  if (argc < 5 || argc > 6) return std::nullopt;
  Options options;
  for (std::string_view rest = argv[1]; !rest.empty();) {
    const std::string_view kind = rest.substr(0, rest.find(','));
    options.kinds.emplace_back(kind);
    rest.remove_prefix(std::min(rest.size(), kind.size() + 1));
  }
  options.per_second = std::strtod(argv[2], nullptr);
  const auto server = IpAddress::Parse(argv[3]);
  const auto first = IpAddress::Parse(argv[4]);
  if (argc == 6) options.sources = static_cast<uint32_t>(std::strtoul(argv[5], nullptr, 10));
  if (!(options.per_second > 0) || options.sources == 0 || !server || !first ||
      first->family != Family::kIpv4)
    return std::nullopt;
  options.server = *server;
  options.first = *first;
  return options;
}

UniqueFd Open() {
  UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  CHECK(fd.valid() && setsockopt(fd.get(), SOL_IP, IP_TRANSPARENT, &on, sizeof on) == 0);
  return fd;
}

[[noreturn]] void Send(const Options& options, Maker* maker) {
  const UniqueFd fd = Open();
  constexpr timespec kPause{0, 5000000};
  const MonoTime start = MonotonicNow();
  for (uint64_t sent = 0;; (void)nanosleep(&kPause, nullptr)) {
    const auto due = static_cast<uint64_t>((MonotonicNow() - start) * options.per_second);
    for (; sent < due; ++sent) {
      const AddressPair path{Source(options), options.server};
      const Octets packet = maker->Make(options.kinds[sent % options.kinds.size()], path);
      (void)net::SendFrom(fd.get(), packet, {options.server, kPort}, path.source, 0);
    }
  }
}

int Main(int argc, char** argv) {
  const auto options = Parse(argc, argv);
  Maker maker;
  const bool understood =
      options && std::all_of(options->kinds.begin(), options->kinds.end(), [&](const auto& kind) {
        return !maker.Make(kind, {options->first, options->server}).empty();
      });
  if (!understood) return std::fprintf(stderr, "ntp-noise: see the head of its source\n"), 2;
  Send(*options, &maker);
}

}  // namespace
}  // namespace ntpward::crowd

int main(int argc, char** argv) { return ntpward::crowd::Main(argc, argv); }
