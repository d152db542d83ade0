#include "ntpd/wire/refid.h"

#include <array>

#include "ntpd/wire/packet.h"

namespace ntpward::wire {
namespace {

std::array<uint8_t, 4> Octets(uint32_t refid) {
  std::array<uint8_t, 4> octets{};
  Writer writer(octets);
  writer.U32(refid);
  return octets;
}

std::string CodeText(uint32_t refid) {
  std::string text;
  for (uint8_t octet : Octets(refid)) {
    if (octet == 0) break;
    const bool plain = octet > ' ' && octet < 0x7f && octet != ',';
    text += plain ? static_cast<char>(octet) : '.';
  }
  return text;
}

}  // namespace

Kiss KissFromRefid(uint32_t refid) {
  switch (refid) {
    case RefidCode("DENY"):
      return Kiss::kDeny;
    case RefidCode("RSTR"):
      return Kiss::kRstr;
    case RefidCode("RATE"):
      return Kiss::kRate;
    case RefidCode("CRYP"):
      return Kiss::kCryp;
    case RefidCode("NKEY"):
      return Kiss::kNkey;
    case RefidCode("INIT"):
      return Kiss::kInit;
    case RefidCode("STEP"):
      return Kiss::kStep;
    default:
      return Kiss::kNone;
  }
}

std::string RefidText(uint32_t refid, uint8_t stratum) {
  if (stratum <= 1 || stratum >= kStratumUnsynchronised) return CodeText(refid);
  const auto octets = Octets(refid);
  return IpAddress::V4(octets[0], octets[1], octets[2], octets[3]).ToString();
}

uint32_t RefidOfUpstream(const IpAddress& upstream, uint32_t ipv6_hash) {
  if (upstream.family != Family::kIpv4) return ipv6_hash;
  return Reader(upstream.bytes()).U32();
}

}  // namespace ntpward::wire
