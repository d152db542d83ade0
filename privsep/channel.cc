#include "privsep/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "privsep/base/secret.h"
#include "privsep/base/system_error.h"

namespace ntpward {
Result<Pipe> MakePipe() {
  int fds[2];
  if (pipe2(fds, O_DIRECT | O_NONBLOCK | O_CLOEXEC) != 0) return FailErrno("pipe");
  Pipe pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
  (void)fcntl(pipe.write_end.get(), F_SETPIPE_SZ, kPipeBytes);
  return pipe;
}

UniqueFd WithOwnFlags(int end) {
  const std::string path = "/proc/self/fd/" + std::to_string(end);
  const int access = fcntl(end, F_GETFL) & O_ACCMODE;
  UniqueFd own(open(path.c_str(), access | O_NONBLOCK | O_CLOEXEC));
  // open(2) refuses O_DIRECT for a pipe. A read end does not need it.
  if (own.valid() && fcntl(own.get(), F_SETFL, O_NONBLOCK | O_DIRECT) == 0) return own;
  return UniqueFd(fcntl(end, F_DUPFD_CLOEXEC, 0));
}

SendOutcome Channel::FailedSend(int error) {
  if (error == EPIPE || error == ECONNRESET || error == ENOTCONN) return SendOutcome::kClosed;
  ++dropped_;
  return SendOutcome::kFull;
}

SendOutcome Channel::SendBytes(Bytes bytes) {
  // A packet of more than PIPE_BUF octets would be split (pipe(7)).
  CHECK(!bytes.empty() && bytes.size() <= msg::kMaxMessage);
  for (;;) {
    const ssize_t sent = write(out_fd(), bytes.data(), bytes.size());
    if (sent == static_cast<ssize_t>(bytes.size())) return SendOutcome::kSent;
    if (sent < 0 && errno == EINTR) continue;
    return FailedSend(sent < 0 ? errno : EMSGSIZE);
  }
}

SendOutcome Channel::SendBytesWithFd(Bytes bytes, int fd) {
  iovec data{const_cast<uint8_t*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr header{};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  cmsghdr* rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  for (;;) {
    if (sendmsg(out_fd(), &header, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return SendOutcome::kSent;
    if (errno != EINTR) return FailedSend(errno);
  }
}

std::optional<Bytes> Channel::Receive() {
  for (;;) {
    const ssize_t size = read(in_.get(), receive_buffer_.data(), receive_buffer_.size());
    if (size > 0 && static_cast<size_t>(size) <= msg::kMaxMessage)
      return Bytes(receive_buffer_.data(), static_cast<size_t>(size));
    if (size > 0) return Bytes();
    if (size == 0) {
      peer_gone_ = true;
      return std::nullopt;
    }
    if (errno != EINTR) return std::nullopt;
  }
}

void Channel::WipeReceived() { Wipe(receive_buffer_); }

std::optional<Channel::WithFd> Channel::ReceiveWithFd() {
  // Room for one descriptor and not for the padding behind it, into which a second one would fit:
  // the kernel closes what does not fit and sets MSG_CTRUNC.
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  iovec data{receive_buffer_.data(), receive_buffer_.size()};
  msghdr header{};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = CMSG_LEN(sizeof(int));
  ssize_t size;
  do {
    size = recvmsg(in_.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  if (size < 0) return std::nullopt;
  if (size == 0) {
    peer_gone_ = true;
    return std::nullopt;
  }
  WithFd received;
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(c), sizeof fd);
    received.fd = UniqueFd(fd);
  }
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0 &&
      static_cast<size_t>(size) <= msg::kMaxMessage)
    received.bytes = Bytes(receive_buffer_.data(), static_cast<size_t>(size));
  return received;
}

void Channel::WipeBuffer() {
  CHECK(buffer_.Resize(msg::kMaxMessage));
  Wipe(buffer_.span());
  buffer_.Clear();
}

}  // namespace ntpward
