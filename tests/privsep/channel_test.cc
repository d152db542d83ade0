// Channels: whole messages or nothing, nobody waits, descriptors only where they are wanted.
#include "privsep/channel.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

#include <cstring>

#include "privsep/msg/clock.h"
#include "privsep/msg/role.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward {
namespace {

Pipe NewPipe() {
  Result<Pipe> pipe = MakePipe();
  assert_true(pipe.ok());
  return std::move(pipe).value();
}

void DeliversMessagesOneByOne(void**) {
  Pipe pipe = NewPipe();
  Channel sender(UniqueFd(), std::move(pipe.write_end));
  Channel receiver(std::move(pipe.read_end), UniqueFd());
  for (uint32_t i = 0; i < 3; ++i)
    assert_true(sender.Send(msg::ClockAdjust{.request = i}) == SendOutcome::kSent);
  for (uint32_t i = 0; i < 3; ++i) {
    const auto bytes = receiver.Receive();
    assert_true(bytes.has_value());
    msg::ClockAdjust adjust;
    assert_true(msg::Decode(*bytes, &adjust));
    assert_int_equal(adjust.request, i);
  }
  assert_false(receiver.Receive().has_value());
  assert_false(receiver.peer_gone());
}

// Flags belong to the open file description, which dup, fork and SCM_RIGHTS share.
void AnEndWithFlagsOfItsOwnCannotChangeAnothers(void**) {
  const Pipe pipe = NewPipe();
  for (const int end : {pipe.read_end.get(), pipe.write_end.get()}) {
    const UniqueFd own = WithOwnFlags(end);
    assert_true(own.valid());
    assert_true((fcntl(own.get(), F_GETFD) & FD_CLOEXEC) != 0);
    assert_true((fcntl(own.get(), F_GETFL) & O_NONBLOCK) != 0);
    assert_int_equal(fcntl(own.get(), F_SETFL, O_ASYNC), 0);
    assert_int_equal(fcntl(end, F_GETFL) & (O_NONBLOCK | O_ASYNC), O_NONBLOCK);
    assert_int_equal(fcntl(end, F_SETFL, 0), 0);
    const UniqueFd next = WithOwnFlags(end);
    assert_int_equal(fcntl(next.get(), F_GETFL) & (O_NONBLOCK | O_ASYNC), O_NONBLOCK);
  }
}

void AnEndWithFlagsOfItsOwnKeepsMessagesApart(void**) {
  const Pipe pipe = NewPipe();
  Channel sender(UniqueFd(), WithOwnFlags(pipe.write_end.get()));
  Channel receiver(WithOwnFlags(pipe.read_end.get()), UniqueFd());
  for (uint32_t i = 0; i < 2; ++i)
    assert_true(sender.Send(msg::ClockAdjust{.request = i}) == SendOutcome::kSent);
  for (uint32_t i = 0; i < 2; ++i) {
    const auto bytes = receiver.Receive();
    msg::ClockAdjust adjust;
    assert_true(bytes && msg::Decode(*bytes, &adjust));
    assert_int_equal(adjust.request, i);
  }
  assert_false(receiver.Receive().has_value());
}

void DropsAndCountsWhenFull(void**) {
  Pipe pipe = NewPipe();
  Channel sender(UniqueFd(), UniqueFd(dup(pipe.write_end.get())));
  SendOutcome outcome = SendOutcome::kSent;
  for (int i = 0; i < 100000 && outcome == SendOutcome::kSent; ++i)
    outcome = sender.Send(msg::ClockAdjust{});
  assert_true(outcome == SendOutcome::kFull);
  assert_int_equal(sender.dropped(), 1);
}

void NoticesThatTheOtherEndIsGone(void**) {
  signal(SIGPIPE, SIG_IGN);
  Pipe pipe = NewPipe();
  Channel sender(UniqueFd(), std::move(pipe.write_end));
  Channel receiver(std::move(pipe.read_end), UniqueFd());
  { Channel gone = std::move(receiver); }
  assert_true(sender.Send(msg::ClockAdjust{}) == SendOutcome::kClosed);
  Pipe other = NewPipe();
  Channel reader(std::move(other.read_end), UniqueFd());
  other.write_end.Close();
  assert_false(reader.Receive().has_value());
  assert_true(reader.peer_gone());
}

void ReturnsOversizedAsMalformed(void**) {
  int fds[2];
  assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
  UniqueFd out(fds[1]);
  Channel receiver(UniqueFd(fds[0]), UniqueFd{});
  std::array<uint8_t, msg::kMaxMessage + 100> big{};
  assert_int_equal(write(out.get(), big.data(), big.size()), static_cast<int>(big.size()));
  const auto received = receiver.ReceiveWithFd();
  assert_true(received.has_value());
  assert_true(received->bytes.empty());
  assert_int_equal(write(out.get(), big.data(), msg::kMaxMessage + 1), msg::kMaxMessage + 1);
  const auto plain = receiver.Receive();
  assert_true(plain.has_value());
  assert_true(plain->empty());
}

void CarriesOneDescriptorOverASocketpair(void**) {
  int fds[2];
  assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
  Channel sender(UniqueFd(fds[0]), UniqueFd{});
  Channel receiver(UniqueFd(fds[1]), UniqueFd{});
  UniqueFd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  assert_true(sender.SendWithFd(msg::LogLine{}, null.get()) == SendOutcome::kSent);
  const auto received = receiver.ReceiveWithFd();
  assert_true(received.has_value());
  assert_true(received->fd.valid());
  assert_true((fcntl(received->fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
}

// Two in one message: one is taken, the other is closed, and the message does not count.
void TakesNoSecondDescriptor(void**) {
  int fds[2];
  assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
  UniqueFd out(fds[0]);
  Channel receiver(UniqueFd(fds[1]), UniqueFd{});
  UniqueFd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int two[2] = {null.get(), null.get()};
  uint8_t octet = 1;
  iovec data{&octet, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof two)] = {};
  msghdr header{};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  cmsghdr* rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof two);
  std::memcpy(CMSG_DATA(rights), two, sizeof two);
  const int before = dup(null.get());
  close(before);
  assert_int_equal(sendmsg(out.get(), &header, 0), 1);
  {
    const auto received = receiver.ReceiveWithFd();
    assert_true(received.has_value());
    assert_true(received->bytes.empty());
  }
  const int after = dup(null.get());
  close(after);
  assert_int_equal(before, after);
}

// A descriptor that arrives where none is wanted must not pile up in the receiver.
void PlainReceiveClosesStrayDescriptors(void**) {
  int fds[2];
  assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
  Channel sender(UniqueFd(fds[0]), UniqueFd{});
  Channel receiver(UniqueFd(fds[1]), UniqueFd{});
  UniqueFd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int before = dup(null.get());
  close(before);
  for (int i = 0; i < 20; ++i) {
    assert_true(sender.SendWithFd(msg::LogLine{}, null.get()) == SendOutcome::kSent);
    assert_true(receiver.Receive().has_value());
  }
  const int after = dup(null.get());
  close(after);
  assert_int_equal(before, after);
}

}  // namespace
}  // namespace ntpward

int main() {
  using namespace ntpward;
  const CMUnitTest tests[] = {
      cmocka_unit_test(DeliversMessagesOneByOne),
      cmocka_unit_test(AnEndWithFlagsOfItsOwnCannotChangeAnothers),
      cmocka_unit_test(AnEndWithFlagsOfItsOwnKeepsMessagesApart),
      cmocka_unit_test(DropsAndCountsWhenFull),
      cmocka_unit_test(NoticesThatTheOtherEndIsGone),
      cmocka_unit_test(ReturnsOversizedAsMalformed),
      cmocka_unit_test(CarriesOneDescriptorOverASocketpair),
      cmocka_unit_test(TakesNoSecondDescriptor),
      cmocka_unit_test(PlainReceiveClosesStrayDescriptors),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
