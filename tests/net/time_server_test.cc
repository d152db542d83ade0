// Who gets an answer, and which: real sockets on loopback, the test as ntpd-keys.
#include "ntpd/net/time_server.h"

#include "ntpd/wire/refid.h"
#include "tests/net/time_client.h"

namespace ntpward::net {
namespace {

using namespace ntpward::test;
using core::Access;

void AnswersAPlainRequestFromTheAskedAddress(void**) {
  Harness h;
  h.Synchronise();
  const uint16_t port = h.Listen();
  Stranger client(kClient);
  client.Send(Encoded(RequestHeader()), {kAsked, port});
  h.Spin();
  const auto answer = client.Receive();
  assert_true(answer.has_value());
  assert_true(answer->from == (SocketAddress{kAsked, port}));
  assert_int_equal(answer->bytes.size(), 48);
  const wire::Header reply = answer->header();
  assert_true(reply.mode == wire::Mode::kServer && reply.version == 4);
  assert_true(reply.origin == RequestHeader().transmit);
  assert_true(reply.stratum != 0 && reply.leap == wire::Leap::kNone);
  const double served = (reply.transmit - reply.receive).seconds();
  assert_true(served >= 0 && served < 10);
  const double off = (h.node.time.Now() - reply.transmit).seconds();
  assert_true(off >= 0 && off < 10);
  assert_false(client.Receive().has_value());
}

void AnswersEachRequestOfManyBatchesOnce(void**) {
  Harness h;
  const uint16_t port = h.Listen();
  Stranger client(kClient);
  for (uint64_t i = 1; i <= 75; ++i) {
    wire::Header request = RequestHeader();
    request.transmit = NtpTimestamp::FromRaw(i);
    client.Send(Encoded(request), {kAsked, port});
  }
  h.Spin();
  for (uint64_t i = 1; i <= 75; ++i) {
    const auto answer = client.Receive();
    assert_true(answer && answer->header().origin == NtpTimestamp::FromRaw(i));
  }
  assert_false(client.Receive().has_value());
}

void TheAddressesThatItIsAskedAtAreKnown(void**) {
  Harness h;
  const uint16_t port = h.Listen();
  assert_true(h.server.IsListening({IpAddress::V4(127, 0, 1, 1), port}));
  assert_false(h.server.IsListening({IpAddress::V4(192, 0, 2, 1), port}));
  assert_false(
      h.server.IsListening({IpAddress::V4(127, 0, 1, 1), static_cast<uint16_t>(port + 1)}));
}

void SaysThatItIsNotSynchronised(void**) {
  Harness h;
  const uint16_t port = h.Listen();
  Stranger client(kClient);
  client.Send(Encoded(RequestHeader()), {kAsked, port});
  h.Spin();
  const auto answer = client.Receive();
  assert_true(answer && answer->header().leap == wire::Leap::kAlarm);
  assert_int_equal(answer->header().stratum, 0);
}

// CVE-2009-3563: two servers must not answer each other's answers.
void NeverAnswersAnswersOrNonsense(void**) {
  Harness h;
  const uint16_t port = h.Listen();
  Stranger client(kClient);
  for (const int mode : {0, 2, 4, 5, 7}) {
    wire::Header request = RequestHeader();
    request.mode = static_cast<wire::Mode>(mode);
    client.Send(Encoded(request), {kAsked, port});
  }
  for (size_t size = 0; size < 48; ++size) {
    auto part = Encoded(RequestHeader());
    part.resize(size);
    client.Send(part, {kAsked, port});
  }
  for (const uint8_t second : {uint8_t{0x82}, uint8_t{0xc2}}) {  // a mode 6 answer, and an error
    const uint8_t control[12] = {0x26, second, 0, 1};
    client.Send(control, {kAsked, port});
  }
  h.Spin();
  assert_false(client.Receive().has_value());
}

void IgnoresForgedLoopbackAndItself(void**) {
  Harness h;
  // No packet info, and a listener whose address is not loopback: the source is forged.
  UniqueFd fd = test::BindTo(kClient);
  const SocketAddress real = test::LocalOf(fd.get());
  msg::NetSocket socket;
  socket.index = 5;
  socket.local = {IpAddress::V4(192, 0, 2, 1), 123};
  const UniqueFd copy(dup(fd.get()));
  h.server.AddListener(socket, std::move(fd));
  Stranger client(kClient);
  client.Send(Encoded(RequestHeader()), real);
  h.Spin();
  assert_false(client.Receive().has_value());
  assert_int_equal(h.node.packets.bad_format, 1);
  h.server.RemoveListener(5);

  // The same socket as what it is, and a request from its own address and port.
  socket.local = real;
  h.server.AddListener(socket, UniqueFd(dup(copy.get())));
  client.Send(Encoded(RequestHeader()), real);
  h.Spin();
  assert_true(client.Receive().has_value());
  assert_true(SendFrom(copy.get(), Encoded(RequestHeader()), real, IpAddress(), 0));
  h.Spin();
  assert_int_equal(h.node.packets.bad_format, 2);
}

void SendsFromAnAddressThatIsListenedOn(void**) {
  Harness h;
  const SocketAddress to{IpAddress::V4(10, 77, 0, 2), 123};
  const IpAddress routed = IpAddress::V4(10, 77, 0, 1);
  const auto listen = [&h](uint16_t index, const IpAddress& local, bool drop = false,
                           bool to_many = false) {
    msg::NetSocket socket;
    socket.index = index;
    socket.local = {local, 123};
    socket.drop = drop;
    socket.to_many = to_many;
    h.server.AddListener(socket, test::BindTo(kClient));
  };
  const auto source = [&](const IpAddress& wanted) { return h.server.SourceTowards(to, wanted); };
  listen(1, IpAddress::V4(127, 0, 0, 1));
  listen(2, routed, /*drop=*/true);
  listen(7, IpAddress::V4(10, 77, 0, 255), false, /*to_many=*/true);
  assert_false(source(routed).has_value());
  listen(3, IpAddress::V4(192, 0, 2, 1));
  assert_true(source(routed) == IpAddress::V4(192, 0, 2, 1));
  listen(4, IpAddress::V4(10, 77, 0, 3));
  assert_true(source(routed) == IpAddress::V4(10, 77, 0, 3));
  assert_true(source(IpAddress()) == IpAddress::V4(10, 77, 0, 3));
  listen(5, routed);
  assert_true(source(routed) == routed);
  // All addresses are listened on: the kernel may choose.
  listen(6, IpAddress::V4(0, 0, 0, 0));
  assert_true(source(IpAddress()) == IpAddress());
}

// Fields of other protocols: no echo, and an answer no longer than without them.
void UnknownExtensionFieldsGetAPlainReply(void**) {
  Harness h;
  h.Synchronise();
  const uint16_t port = h.Listen();
  Stranger client(kClient);
  for (const int type : {0x0104, 0x0204, 0x0304, 0x2104, 0xbeef}) {
    std::vector<uint8_t> field(32, 0x5a);
    Writer writer(field);
    writer.U16(static_cast<uint16_t>(type)), writer.U16(32);
    client.Send(Encoded(RequestHeader(), field), {kAsked, port});
    h.Spin();
    const auto answer = client.Receive();
    assert_true(answer.has_value());
    assert_int_equal(answer->bytes.size(), wire::kHeaderSize);
    assert_true(answer->header().origin == RequestHeader().transmit);
  }
  assert_false(h.keys.far.Receive().has_value());
}

void NoqueryHidesControl(void**) {
  Harness h;
  const uint16_t port = h.Listen();
  Stranger client(kClient);
  const uint8_t read_status[12] = {0x26, 0x01, 0, 1};
  client.Send(read_status, {kAsked, port});
  h.Spin();
  const auto answer = client.Receive();
  assert_true(answer && answer->from == (SocketAddress{kAsked, port}));
  h.Restrict(Access::kNoQuery);
  client.Send(read_status, {kAsked, port});
  h.Spin();
  assert_false(client.Receive().has_value());
  client.Send(Encoded(RequestHeader()), {kAsked, port});
  h.Spin();
  assert_true(client.Receive().has_value());
}

// As ntpd 4.2.8 counts them, though mode 7 is not under the rules here: it is served to nobody.
void WhatIsNotServedOfModesSixAndSevenIsRestricted(void**) {
  Harness h;
  const uint16_t port = h.Listen();
  Stranger client(kClient);
  const uint8_t read_status[12] = {0x26, 0x01, 0, 1};
  const uint8_t mode_7[8] = {0x17, 0x00, 0x03, 0x2a};
  const auto send = [&](Bytes datagram) {
    client.Send(datagram, {kAsked, port});
    h.Spin();
  };
  send(read_status);
  assert_int_equal(h.node.packets.restricted, 0);
  send(mode_7);
  assert_int_equal(h.node.packets.restricted, 1);
  assert_true(h.control.counters().mode_7 == 1 && h.control.counters().received == 2);
  h.Restrict(Access::kNoQuery);
  send(read_status);
  send(mode_7);
  assert_int_equal(h.node.packets.restricted, 3);
  h.Restrict(Access::kIgnore);
  send(read_status);
  assert_int_equal(h.node.packets.restricted, 4);
  // Counted once, and by the rules alone.
  assert_int_equal(h.control.counters().received, 2);
}

void LimitedGetsOneKiss(void**) {
  Harness h;
  h.Restrict(Access::kLimited | Access::kKod);
  const uint16_t port = h.Listen();
  Stranger client(kClient);
  for (int i = 0; i < 20; ++i) client.Send(Encoded(RequestHeader()), {kAsked, port});
  h.Spin();
  int kisses = 0, replies = 0;
  while (const auto answer = client.Receive()) {
    const wire::Header header = answer->header();
    const bool kiss = header.refid == wire::RefidCode("RATE");
    ++(kiss ? kisses : replies);
    // A kiss never tells the time.
    if (kiss) assert_true(header.transmit == RequestHeader().transmit);
  }
  assert_int_equal(kisses, 1);
  assert_true(replies >= 1 && replies < 20);
  assert_int_equal(h.node.packets.kod_sent, 1);
  assert_int_equal(h.node.packets.limited, 20 - replies);
  assert_int_equal(h.node.packets.this_version, 20);
  assert_int_equal(h.node.packets.processed, 0);
}

void LateControlAnswersLookTheirListenerUp(void**) {
  Harness h;
  const uint16_t port = h.Listen(3);
  Stranger client(kClient);
  std::vector<uint8_t> request = {0x26, 0x01, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  const auto trailer = SomeMac(KeyId{9});
  request.insert(request.end(), trailer.begin(), trailer.end());
  client.Send(request, {kAsked, port});
  h.Spin();
  const auto check = Next<msg::CheckMac>(&h.keys.far);
  assert_true(check && check->key == KeyId{9});
  h.server.RemoveListener(3);
  // Somebody else's descriptor has the number now.
  const Stranger other(kClient);
  (void)h.keys.far.Send(
      msg::Verdict{.request = check->request, .code = msg::VerdictCode::kUnknownKey});
  assert_true(h.node.keys.OnReadable());
  assert_false(client.Receive().has_value());
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AnswersAPlainRequestFromTheAskedAddress),
      cmocka_unit_test(AnswersEachRequestOfManyBatchesOnce),
      cmocka_unit_test(TheAddressesThatItIsAskedAtAreKnown),
      cmocka_unit_test(SaysThatItIsNotSynchronised),
      cmocka_unit_test(NeverAnswersAnswersOrNonsense),
      cmocka_unit_test(SendsFromAnAddressThatIsListenedOn),
      cmocka_unit_test(IgnoresForgedLoopbackAndItself),
      cmocka_unit_test(UnknownExtensionFieldsGetAPlainReply),
      cmocka_unit_test(NoqueryHidesControl),
      cmocka_unit_test(WhatIsNotServedOfModesSixAndSevenIsRestricted),
      cmocka_unit_test(LimitedGetsOneKiss),
      cmocka_unit_test(LateControlAnswersLookTheirListenerUp),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
