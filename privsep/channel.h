// One end of the way between two of our processes: whole messages or nothing, and nobody ever
// waits.
//
// Over packet-mode pipes (pipe2(O_DIRECT)), which cannot carry a descriptor; only the supervisor's
// channel to net is a SOCK_SEQPACKET socketpair, because sockets travel over it, that way only. The
// other end may have been taken over: what it sends is bounded here and judged by msg::Decode.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "privsep/base/result.h"
#include "privsep/base/unique_fd.h"
#include "privsep/msg/codec.h"

namespace ntpward {

// Two descriptors of one pipe.
struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
};

// The most octets that a pipe holds, a message counting as a page. The kernel gives less to a user
// over its soft limit, and then 16 messages must do.
inline constexpr int kPipeBytes = 1 << 20;

// A non-blocking, close-on-exec, packet-mode pipe, enlarged to kPipeBytes where the system allows.
Result<Pipe> MakePipe();

// The same end of such a pipe with file status flags of its own, which whoever holds `end` cannot
// change: dup, fork and SCM_RIGHTS share them. Needs /proc; without it a duplicate, or none when no
// descriptor is free.
UniqueFd WithOwnFlags(int end);

enum class SendOutcome : uint8_t {
  kSent,
  kFull,    // dropped and counted: the other end is slow, or gone and not yet replaced
  kClosed,  // nobody holds the other end
};

class Channel {
 public:
  // Takes both ends. `in` and `out` may be the same descriptor number of a socketpair when `out` is
  // not valid.
  Channel(UniqueFd in, UniqueFd out) : in_(std::move(in)), out_(std::move(out)) {}

  int in_fd() const { return in_.get(); }
  int out_fd() const { return out_.valid() ? out_.get() : in_.get(); }

  template <msg::Message M>
  SendOutcome Send(const M& message) {
    msg::Encode(message, &buffer_);
    return SendBytes(buffer_.span());
  }
  // The same, and the encoded copy is wiped afterwards.
  template <msg::Message M>
  SendOutcome SendSecret(const M& message) {
    msg::Encode(message, &buffer_);
    const SendOutcome outcome = SendBytes(buffer_.span());
    WipeBuffer();
    return outcome;
  }
  // Sends a message with one descriptor; sockets only. The caller keeps `fd`.
  template <msg::Message M>
  SendOutcome SendWithFd(const M& message, int fd) {
    msg::Encode(message, &buffer_);
    return SendBytesWithFd(buffer_.span(), fd);
  }

  // A message that msg::Encode made; `fd` (-1: none) goes with it over a socket.
  SendOutcome SendEncoded(Bytes message, int fd) {
    return fd < 0 ? SendBytes(message) : SendBytesWithFd(message, fd);
  }

  // The next message; none when there is none now. The bytes stay until the next call. A message of
  // no octets or of more than kMaxMessage counts as malformed: it is returned empty.
  std::optional<Bytes> Receive();

  // Wipes what Receive() returned last, and what is left of those before.
  void WipeReceived();

  // As Receive() over a socketpair, with the descriptor that came along, if any. Extra descriptors
  // are closed. Only net calls this, only on the supervisor's channel.
  struct WithFd {
    Bytes bytes;
    UniqueFd fd;
  };
  std::optional<WithFd> ReceiveWithFd();

  // The other end is closed for good (read returned end of file).
  bool peer_gone() const { return peer_gone_; }
  uint64_t dropped() const { return dropped_; }

 private:
  SendOutcome SendBytes(Bytes bytes);
  SendOutcome SendBytesWithFd(Bytes bytes, int fd);
  SendOutcome FailedSend(int error);
  void WipeBuffer();

  UniqueFd in_;
  UniqueFd out_;
  msg::Encoded buffer_;
  // One octet more than a message may have, so that a longer one shows.
  std::array<uint8_t, msg::kMaxMessage + 1> receive_buffer_{};
  bool peer_gone_ = false;
  uint64_t dropped_ = 0;
};

}  // namespace ntpward
