// Datagrams in and out, in batches, with what comes beside them: addresses, interface, receive
// time.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "privsep/base/address.h"
#include "privsep/base/bytes.h"
#include "privsep/base/result.h"
#include "privsep/base/unique_fd.h"

namespace ntpward::net {

// One received datagram. `bytes` points into the batch that received it.
struct Datagram {
  Bytes bytes;
  SocketAddress source;
  IpAddress destination;  // the address of ours that it was sent to; none when not known
  // Ours, to answer from: `destination`, or the interface's own where that is a broadcast or an
  // IPv4 group; none when not known.
  IpAddress local;
  uint32_t interface = 0;  // index
  bool truncated = false;
  std::optional<timespec> received;  // CLOCK_REALTIME by the kernel
};

// A buffer for one recvmmsg call, reused.
class ReceiveBatch {
 public:
  static constexpr size_t kSize = 32;
  // Header, extension fields and MAC, and one octet that shows what is longer.
  static constexpr size_t kMaxDatagram = 2300;

  ReceiveBatch();
  // What is there now, without waiting; valid until the next call.
  std::span<const Datagram> Receive(int fd);

 private:
  void Decode(size_t index, size_t size);

  std::array<std::array<uint8_t, kMaxDatagram>, kSize> buffers_;
  static constexpr size_t kControlSize = 256;
  struct alignas(cmsghdr) Control {
    std::array<char, kControlSize> octets;
  };
  std::array<Control, kSize> controls_;
  std::array<sockaddr_storage, kSize> names_;
  std::array<iovec, kSize> vectors_;
  std::array<mmsghdr, kSize> headers_;
  std::array<Datagram, kSize> datagrams_;
};

// Short datagrams that leave together, by one sendmmsg call; the memory is reused.
class SendBatch {
 public:
  // Few, so that the last one leaves soon after it was stamped.
  static constexpr size_t kSize = 8;
  static constexpr size_t kMaxDatagram = 128;

  bool full() const { return count_ == kSize; }
  size_t size() const { return count_; }
  // Room for a datagram of `size` octets (at most kMaxDatagram), to be filled before Flush; not to
  // be called when full(). Addresses as for SendFrom.
  MutableBytes Add(size_t size, const SocketAddress& to, const IpAddress& from, uint32_t interface);
  // Sends none of them.
  void Clear() { count_ = 0; }
  // Sends all through a listening socket, without waiting. How many the kernel refused.
  size_t Flush(int fd);

 private:
  struct alignas(cmsghdr) Control {
    std::array<char, CMSG_SPACE(sizeof(in6_pktinfo))> octets;
  };
  std::array<std::array<uint8_t, kMaxDatagram>, kSize> buffers_{};
  std::array<Control, kSize> controls_{};
  std::array<sockaddr_storage, kSize> names_{};
  std::array<iovec, kSize> vectors_{};
  std::array<mmsghdr, kSize> headers_{};
  size_t count_ = 0;
};

// A header and the longest MAC: what is longer has extension fields.
inline constexpr size_t kLongestWithoutFields = 48 + 68;

// Sends `bytes` to `to` from our address `from` (none: the kernel chooses) through a listening
// socket. False when the kernel refused. Only a packet with fields leaves in fragments where the
// path takes no longer ones.
bool SendFrom(int fd, Bytes bytes, const SocketAddress& to, const IpAddress& from,
              uint32_t interface);

// Sends the datagrams of one answer, each of at most kLongestInPieces octets, with one call for 32
// of them. How many the kernel refused. The rest as SendFrom.
inline constexpr size_t kLongestInPieces = 548;  // what every IPv4 path takes whole
size_t SendAllFrom(int fd, std::span<const std::vector<uint8_t>> datagrams, const SocketAddress& to,
                   const IpAddress& from, uint32_t interface);

// Sends `bytes` to an address, a broadcast address or a group, with that hop limit (0: as the
// socket has it). The rest as SendFrom; an IPv4 group without a route leaves by the interface of
// `from`.
bool SendWithHops(int fd, Bytes bytes, const SocketAddress& to, const IpAddress& from,
                  uint8_t hops);

// A UDP socket on a random port that sends to groups and hears whoever answers, with receive
// timestamps. What it sends is not heard by this host.
Result<UniqueFd> OpenForGroup(Family family, uint8_t dscp);

// Our address on the way to `remote`, also when that is a group or a broadcast address; none when
// there is no way. Nothing is sent.
IpAddress LocalAddressTowards(const SocketAddress& remote);

// A UDP socket connected to `remote`, on a random port of the kernel's choice, with receive
// timestamps; only datagrams from `remote` reach it. `*local` gets the address that the route gave
// it.
Result<UniqueFd> ConnectTo(const SocketAddress& remote, uint8_t dscp, IpAddress* local);

}  // namespace ntpward::net
