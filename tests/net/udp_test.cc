// Real sockets on loopback: what comes beside a datagram, and by which way an answer leaves.
#include "ntpd/net/udp.h"

#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <memory>
#include <vector>

#include "privsep/supervisor_link.h"
#include "tests/net/sockets.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::net {
namespace {

using test::Enable;
using test::LocalOf;

// As the supervisor makes them: bound, packet info, receive timestamps.
UniqueFd Listen(const IpAddress& address) {
  const bool v4 = address.family == Family::kIpv4;
  UniqueFd fd(socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return fd;
  Enable(fd.get(), SOL_SOCKET, SO_TIMESTAMPNS);
  if (v4) {
    Enable(fd.get(), IPPROTO_IP, IP_PKTINFO);
  } else {
    Enable(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY);
    Enable(fd.get(), IPPROTO_IPV6, IPV6_RECVPKTINFO);
  }
  sockaddr_storage where{};
  const socklen_t length = SocketAddress{address, 0}.ToSockaddr(&where);
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&where), length) != 0) return UniqueFd();
  return fd;
}

IpAddress V6(const char* text) { return *IpAddress::Parse(text); }

bool HasIpv6() { return Listen(V6("::1")).valid(); }

std::vector<uint8_t> Octets(size_t size) { return std::vector<uint8_t>(size, 0x5a); }

std::span<const Datagram> Await(ReceiveBatch* batch, int fd) {
  pollfd readable{fd, POLLIN, 0};
  CHECK(poll(&readable, 1, 5000) == 1);
  return batch->Receive(fd);
}

// A datagram to `asked` is answered by a wildcard socket from `asked`.
void AnswersFromTheAddressThatWasAsked(const IpAddress& wildcard, const IpAddress& asked,
                                       const IpAddress& client_address) {
  const UniqueFd server = Listen(wildcard);
  const UniqueFd client = Listen(client_address);
  const uint16_t port = LocalOf(server.get()).port;
  assert_true(SendFrom(client.get(), Octets(48), {asked, port}, IpAddress(), 0));
  const auto batch = std::make_unique<ReceiveBatch>();
  const auto received = Await(batch.get(), server.get());
  assert_int_equal(received.size(), 1);
  const Datagram request = received[0];
  IpAddress destination = request.destination;
  assert_true(destination == asked);
  assert_true(request.source == LocalOf(client.get()));
  assert_true(request.interface != 0);
  assert_true(SendFrom(server.get(), Octets(48), request.source, destination, request.interface));
  const auto answer = Await(batch.get(), client.get());
  assert_int_equal(answer.size(), 1);
  assert_true(answer[0].source == (SocketAddress{asked, port}));
}

void KeepsTheAskedAddressV4(void**) {
  AnswersFromTheAddressThatWasAsked(IpAddress::V4(0, 0, 0, 0), IpAddress::V4(127, 0, 0, 7),
                                    IpAddress::V4(127, 0, 0, 1));
}

void KeepsTheAskedAddressV6(void**) {
  // Where the machine has switched IPv6 off, a network of our own has it.
  assert_true(HasIpv6() || (test::EnterOwnNetwork() && HasIpv6()));
  AnswersFromTheAddressThatWasAsked(V6("::"), V6("::1"), V6("::1"));
}

// As the supervisor sets listening sockets, on a path that takes 1500 octets.
void OnlyPacketsWithFieldsLeaveInFragments(void**) {
  assert_true(test::EnterOwnNetwork());
  ifreq loopback{};
  loopback.ifr_name[0] = 'l', loopback.ifr_name[1] = 'o';
  loopback.ifr_mtu = 1500;
  const UniqueFd server = Listen(IpAddress::V4(127, 0, 0, 1));
  assert_int_equal(ioctl(server.get(), SIOCSIFMTU, &loopback), 0);
  const int never = IP_PMTUDISC_DO;
  assert_int_equal(setsockopt(server.get(), IPPROTO_IP, IP_MTU_DISCOVER, &never, sizeof never), 0);
  const SocketAddress to = LocalOf(server.get());
  const auto batch = std::make_unique<ReceiveBatch>();
  for (const bool by_hops : {false, true}) {
    assert_true(by_hops ? SendWithHops(server.get(), Octets(2116), to, IpAddress(), 0)
                        : SendFrom(server.get(), Octets(2116), to, IpAddress(), 0));
    const auto received = Await(batch.get(), server.get());
    assert_true(received.size() == 1 && received[0].bytes.size() == 2116);
    // And the next one does not by mistake.
    int now = 0;
    socklen_t size = sizeof now;
    assert_int_equal(getsockopt(server.get(), IPPROTO_IP, IP_MTU_DISCOVER, &now, &size), 0);
    assert_int_equal(now, IP_PMTUDISC_DO);
  }
  loopback.ifr_mtu = 100;
  assert_int_equal(ioctl(server.get(), SIOCSIFMTU, &loopback), 0);
  assert_false(SendFrom(server.get(), Octets(kLongestWithoutFields), to, IpAddress(), 0));
  assert_true(SendFrom(server.get(), Octets(kLongestWithoutFields + 1), to, IpAddress(), 0));
}

void HasTheKernelsReceiveTime(void**) {
  const UniqueFd server = Listen(IpAddress::V4(127, 0, 0, 1));
  const auto batch = std::make_unique<ReceiveBatch>();
  const NtpTimestamp before = SystemTimeNow();
  assert_true(SendFrom(server.get(), Octets(48), LocalOf(server.get()), IpAddress(), 0));
  const auto received = Await(batch.get(), server.get());
  const NtpTimestamp after = SystemTimeNow();
  assert_true(received.size() == 1 && received[0].received.has_value());
  const NtpTimestamp stamp = NtpTimestamp::FromUnix(*received[0].received);
  assert_true((stamp - before).raw() >= 0 && (after - stamp).raw() >= 0);
}

void FlagsWhatIsTooLong(void**) {
  const UniqueFd server = Listen(IpAddress::V4(127, 0, 0, 1));
  const auto batch = std::make_unique<ReceiveBatch>();
  const SocketAddress to = LocalOf(server.get());
  for (const size_t size : {ReceiveBatch::kMaxDatagram, ReceiveBatch::kMaxDatagram + 1, size_t{0}})
    assert_true(SendFrom(server.get(), Octets(size), to, IpAddress(), 0));
  const auto received = Await(batch.get(), server.get());
  assert_int_equal(received.size(), 3);
  assert_false(received[0].truncated);
  assert_int_equal(received[0].bytes.size(), ReceiveBatch::kMaxDatagram);
  assert_true(received[1].truncated);
  assert_false(received[2].truncated);
  assert_true(received[2].bytes.empty());
}

void TakesMoreThanABatchInTurns(void**) {
  const UniqueFd server = Listen(IpAddress::V4(127, 0, 0, 1));
  const auto batch = std::make_unique<ReceiveBatch>();
  const SocketAddress to = LocalOf(server.get());
  for (uint8_t i = 0; i < 40; ++i)
    assert_true(SendFrom(server.get(), Bytes(&i, 1), to, IpAddress(), 0));
  uint8_t expected = 0;
  for (const size_t count : {ReceiveBatch::kSize, size_t{8}}) {
    const auto received = batch->Receive(server.get());
    assert_int_equal(received.size(), count);
    for (const Datagram& datagram : received) {
      assert_int_equal(datagram.bytes[0], expected++);
      assert_true(datagram.received.has_value());
    }
  }
  assert_int_equal(batch->Receive(server.get()).size(), 0);
}

void SendsABatchAroundOneThatCannotLeave(void**) {
  const UniqueFd server = Listen(IpAddress::V4(127, 0, 0, 1));
  const auto batch = std::make_unique<ReceiveBatch>();
  const SocketAddress to = LocalOf(server.get());
  SendBatch sending;
  for (uint8_t i = 0; i < SendBatch::kSize; ++i) {
    // Not an address of this host: the kernel refuses to send from it.
    const IpAddress from = i == 3 ? IpAddress::V4(192, 0, 2, 1) : IpAddress::V4(127, 0, 0, 9);
    sending.Add(1, to, from, 0)[0] = i;
  }
  assert_true(sending.full());
  assert_int_equal(sending.Flush(server.get()), 1);
  assert_int_equal(sending.size(), 0);
  const auto received = Await(batch.get(), server.get());
  assert_int_equal(received.size(), SendBatch::kSize - 1);
  for (const Datagram& datagram : received) {
    assert_true(datagram.source.ip == IpAddress::V4(127, 0, 0, 9));
    assert_int_not_equal(datagram.bytes[0], 3);
  }
}

void TheDatagramsOfAnAnswerLeaveInOrderFromTheAddressThatWasAsked(void**) {
  const UniqueFd server = Listen(IpAddress::V4(127, 0, 0, 1));
  const auto batch = std::make_unique<ReceiveBatch>();
  std::vector<std::vector<uint8_t>> answer;
  for (uint8_t i = 0; i < 70; ++i) answer.push_back({i, 1, 2, 3});
  const IpAddress from = IpAddress::V4(127, 0, 0, 9);
  assert_int_equal(SendAllFrom(server.get(), answer, LocalOf(server.get()), from, 0), 0);
  std::vector<uint8_t> numbers;
  while (numbers.size() < answer.size()) {
    const auto received = Await(batch.get(), server.get());
    assert_false(received.empty());
    for (const Datagram& datagram : received) {
      assert_int_equal(datagram.bytes.size(), 4);
      assert_true(datagram.source.ip == from);
      numbers.push_back(datagram.bytes[0]);
    }
  }
  for (size_t i = 0; i < answer.size(); ++i) assert_int_equal(numbers[i], i);
}

void DatagramsThatTheKernelRefusesAreCounted(void**) {
  const UniqueFd server = Listen(IpAddress::V4(127, 0, 0, 1));
  const std::vector<std::vector<uint8_t>> answer(40, {0, 0, 0, 0});
  // Not an address of this host.
  assert_int_equal(
      SendAllFrom(server.get(), answer, LocalOf(server.get()), IpAddress::V4(192, 0, 2, 1), 0), 40);
}

void AConnectedSocketHearsItsServerAlone(void**) {
  const UniqueFd server = Listen(IpAddress::V4(127, 0, 0, 1));
  const UniqueFd stranger = Listen(IpAddress::V4(127, 0, 0, 1));
  IpAddress local;
  auto socket = ConnectTo(LocalOf(server.get()), 46, &local);
  assert_true(socket.ok());
  assert_true(local == IpAddress::V4(127, 0, 0, 1));
  const SocketAddress client = LocalOf(socket->get());
  assert_true(SendFrom(stranger.get(), Octets(48), client, IpAddress(), 0));
  // The right port from another address of the same host is another sender.
  assert_true(SendFrom(stranger.get(), Octets(48), client, IpAddress::V4(127, 0, 0, 3), 0));
  assert_true(SendFrom(server.get(), Octets(49), client, IpAddress(), 0));
  const auto batch = std::make_unique<ReceiveBatch>();
  const auto received = Await(batch.get(), socket->get());
  assert_int_equal(received.size(), 1);
  assert_int_equal(received[0].bytes.size(), 49);
  assert_true(received[0].received.has_value());
}

void ADeadServerLeavesTheSocketUsable(void**) {
  SocketAddress gone;
  {
    const UniqueFd server = Listen(IpAddress::V4(127, 0, 0, 1));
    gone = LocalOf(server.get());
  }
  IpAddress local;
  auto socket = ConnectTo(gone, 46, &local);
  assert_true(socket.ok());
  (void)send(socket->get(), "x", 1, 0);
  // The refusal that came back makes it readable once, with nothing in it.
  pollfd readable{socket->get(), POLLIN, 0};
  (void)poll(&readable, 1, 1000);
  const auto batch = std::make_unique<ReceiveBatch>();
  assert_int_equal(batch->Receive(socket->get()).size(), 0);
  assert_int_equal(poll(&readable, 1, 0), 0);
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(KeepsTheAskedAddressV4),
      cmocka_unit_test(KeepsTheAskedAddressV6),
      cmocka_unit_test(HasTheKernelsReceiveTime),
      cmocka_unit_test(FlagsWhatIsTooLong),
      cmocka_unit_test(TakesMoreThanABatchInTurns),
      cmocka_unit_test(SendsABatchAroundOneThatCannotLeave),
      cmocka_unit_test(TheDatagramsOfAnAnswerLeaveInOrderFromTheAddressThatWasAsked),
      cmocka_unit_test(DatagramsThatTheKernelRefusesAreCounted),
      cmocka_unit_test(AConnectedSocketHearsItsServerAlone),
      cmocka_unit_test(ADeadServerLeavesTheSocketUsable),
      // Last of all: it moves to a network of its own.
      cmocka_unit_test(OnlyPacketsWithFieldsLeaveInFragments),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
