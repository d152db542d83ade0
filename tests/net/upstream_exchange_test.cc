// What an answer must be to count, without a key: real sockets on loopback, the test as servers and
// forgers.
#include "ntpd/wire/refid.h"
#include "tests/net/upstream_world.h"

namespace ntpward::net {
namespace {

using namespace ntpward::test;

void AcceptsAGenuineReply(void**) {
  Net net;
  net.h.upstreams.Configure({Line(kFirst)});
  const auto request = net.Poll(&net.first);
  assert_true(request && request->bytes.size() == 48);
  assert_true(request->header().mode == wire::Mode::kClient);
  assert_false(request->header().transmit.is_zero());
  net.first.Send(Encoded(ReplyTo(request->header())), request->from);
  net.h.Spin();
  assert_true(net.HasSample());
  assert_int_equal(net.h.updates, 1);
}

void EachExchangeHasItsOwnNonceAndPort(void**) {
  Net net;
  net.h.upstreams.Configure({Line(kFirst)});
  const auto one = net.Poll(&net.first);
  const auto two = net.Poll(&net.first);
  assert_true(one->header().transmit != two->header().transmit);
  // What comes for the exchange before is nobody's.
  net.first.Send(Encoded(ReplyTo(one->header())), one->from);
  net.h.Spin();
  assert_false(net.HasSample());
}

void ForgedRepliesChangeNothing(void**) {
  Net net;
  net.h.upstreams.Configure({Line(kFirst)});
  const auto request = net.Poll(&net.first);
  const core::PeerSnapshot before = net.Snapshot();
  const wire::Header genuine = ReplyTo(request->header());

  wire::Header forged = genuine;
  forged.leap = wire::Leap::kAddSecond;
  forged.origin = NtpTimestamp::FromRaw(1);
  net.first.Send(Encoded(forged), request->from);
  forged.origin = NtpTimestamp();  // CVE-2015-8138
  net.first.Send(Encoded(forged), request->from);
  forged = genuine;
  forged.mode = wire::Mode::kBroadcast;
  net.first.Send(Encoded(forged), request->from);
  forged.mode = wire::Mode::kSymmetricPassive;
  net.first.Send(Encoded(forged), request->from);
  // A kiss of death, and a crypto-NAK, that do not know the nonce (CVE-2015-7704, CVE-2016-1547).
  forged = genuine;
  forged.origin = NtpTimestamp::FromRaw(2);
  forged.stratum = 0;
  forged.leap = wire::Leap::kAlarm;
  forged.refid = wire::RefidCode("DENY");
  net.first.Send(Encoded(forged), request->from);
  const uint8_t nak[4] = {};
  net.first.Send(Encoded(forged, nak), request->from);
  // Knows the nonce, but sends from another address, or another port.
  net.second.Send(Encoded(genuine), request->from);
  Stranger other_port(kFirst);
  other_port.Send(Encoded(genuine), request->from);
  // Pieces and giants.
  for (size_t size = 0; size < 48; ++size) {
    auto part = Encoded(genuine);
    part.resize(size);
    net.first.Send(part, request->from);
  }
  net.first.Send(std::vector<uint8_t>(3000, 0x24), request->from);
  net.h.Spin();
  assert_true(net.Snapshot() == before);
  assert_int_equal(net.h.updates, 0);

  net.first.Send(Encoded(genuine), request->from);
  net.h.Spin();
  assert_true(net.HasSample());
}

// An upstream that answers a thousand times is listened to once.
void OneReplyAnExchange(void**) {
  Net net;
  net.h.upstreams.Configure({Line(kFirst)});
  const auto request = net.Poll(&net.first);
  const auto reply = Encoded(ReplyTo(request->header()));
  for (int i = 0; i < 1000; ++i) {
    net.first.Send(reply, request->from);
    if (i % 100 == 0) net.h.Spin();
  }
  net.h.Spin();
  assert_int_equal(net.h.updates, 1);
}

void UnknownExtensionFieldsAreSkipped(void**) {
  Net net;
  net.h.upstreams.Configure({Line(kFirst)});
  const auto request = net.Poll(&net.first);
  std::vector<uint8_t> field(28, 0);
  field[0] = 0x23, field[1] = 0x23, field[3] = 28;
  net.first.Send(Encoded(ReplyTo(request->header()), field), request->from);
  net.h.Spin();
  assert_true(net.HasSample());
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AcceptsAGenuineReply),
      cmocka_unit_test(EachExchangeHasItsOwnNonceAndPort),
      cmocka_unit_test(ForgedRepliesChangeNothing),
      cmocka_unit_test(OneReplyAnExchange),
      cmocka_unit_test(UnknownExtensionFieldsAreSkipped),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
