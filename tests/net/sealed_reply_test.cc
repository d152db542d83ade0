// Requests with a MAC: ntpd-keys, which is the test, checks them and seals the replies.
#include "ntpd/net/time_server.h"
#include "tests/net/time_client.h"

namespace ntpward::net {
namespace {

using namespace ntpward::test;
using core::Access;

msg::ServeDone Done(const msg::ServeBatch& asked, msg::ServeOutcome outcome) {
  msg::ServeDone done;
  done.request = asked.request;
  for (const msg::ServeJob& job : asked.jobs) {
    msg::ServeResult result;
    result.job = job.job;
    result.outcome = outcome;
    if (outcome == msg::ServeOutcome::kSealed) {
      result.transmit = NtpTimestamp::FromRaw(0x99);
      CHECK(result.mac.Assign(SomeMac(job.key)));
    }
    CHECK(done.results.Push(result));
  }
  return done;
}

struct Sealing : Harness {
  Sealing() : port(Listen()), client(kClient) {}
  void Ask(const wire::Header& request) {
    client.Send(Encoded(request, SomeMac(KeyId{11})), {kAsked, port});
    Spin();
  }
  void Answer(const msg::ServeDone& done) {
    CHECK(keys.far.Send(done) == SendOutcome::kSent);
    CHECK(node.keys.OnReadable());
  }
  uint16_t port;
  Stranger client;
};

void SendsExactlyWhatWasSealed(void**) {
  Sealing h;
  wire::Header request = RequestHeader();
  request.poll = 0;  // outside of what we poll at: repeated all the same
  h.Ask(request);
  const auto asked = Next<msg::ServeBatch>(&h.keys.far);
  assert_true(asked && asked->jobs.size() == 1);
  assert_true(asked->jobs[0].key == KeyId{11});
  assert_true(asked->jobs[0].path == (AddressPair{kClient, kAsked}));
  assert_int_equal(asked->reply.leap, 3);
  assert_false(h.client.Receive().has_value());
  // The system's state changes while ntpd-keys is at it: what it sealed is what counts.
  h.Synchronise();
  h.Answer(Done(*asked, msg::ServeOutcome::kSealed));
  const auto answer = h.client.Receive();
  assert_true(answer && answer->bytes.size() == 68);
  assert_true(answer->from == (SocketAddress{kAsked, h.port}));
  const wire::Header reply = answer->header();
  assert_true(reply.leap == wire::Leap::kAlarm);
  assert_int_equal(reply.stratum, asked->reply.stratum);
  assert_int_equal(reply.poll, 0);
  assert_int_equal(reply.root_dispersion.raw(), asked->reply.root_dispersion);
  assert_int_equal(reply.refid, asked->reply.refid);
  assert_true(reply.reference == asked->reply.reference);
  assert_true(reply.receive == asked->jobs[0].receive);
  assert_true(reply.transmit == NtpTimestamp::FromRaw(0x99));
}

// As ntpd 4.2.8 answers fields that it does not know: by a header alone, under the key.
void FieldsThatNobodyKnowsAreUnderTheMac(void**) {
  Sealing h;
  std::vector<uint8_t> fields(2048, 0x5a);
  Writer writer(fields);
  writer.U16(0xf323);
  writer.U16(static_cast<uint16_t>(fields.size()));
  std::vector<uint8_t> trailer = fields;
  for (const uint8_t octet : SomeMac(KeyId{11})) trailer.push_back(octet);
  const auto plain = Encoded(RequestHeader(), SomeMac(KeyId{11}));
  h.client.Send(plain, {kAsked, h.port});
  h.client.Send(Encoded(RequestHeader(), trailer), {kAsked, h.port});
  h.client.Send(plain, {kAsked, h.port});
  h.Spin();
  for (const bool with : {false, true, false}) {
    const auto asked = Next<msg::ServeBatch>(&h.keys.far);
    assert_true(asked && asked->jobs.size() == 1);
    assert_int_equal(asked->jobs[0].covered.size(), 48);
    assert_int_equal(asked->fields.size(), with ? 2048 : 0);
    if (with) assert_memory_equal(asked->fields.span().data(), fields.data(), fields.size());
    h.Answer(Done(*asked, msg::ServeOutcome::kSealed));
    const auto answer = h.client.Receive();
    assert_true(answer && answer->bytes.size() == 68);
  }
}

// A digest of less than 20 octets leaves room for some octets of fields more than are served.
void MoreFieldsThanAreServedAreDeclined(void**) {
  Sealing h;
  constexpr size_t kMost = 2048 + 24;  // fields and MAC
  constexpr size_t kMacs[] = {20, 16, 12, 8};
  for (const size_t mac : kMacs) {
    std::vector<uint8_t> trailer(kMost, 0x5a);
    Writer writer(trailer);
    writer.U16(0xf323);
    writer.U16(static_cast<uint16_t>(kMost - mac));
    Writer(std::span(trailer).last(mac)).U32(11);
    h.client.Send(Encoded(RequestHeader(), trailer), {kAsked, h.port});
    h.Spin();
    assert_false(Next<msg::ServeBatch>(&h.keys.far).has_value());
    assert_false(h.client.Receive().has_value());
  }
}

// Anybody can make such a packet's MAC.
void FieldsUnderAnAutokeyKeyAreNotServed(void**) {
  Sealing h;
  std::vector<uint8_t> trailer(28);
  Writer(trailer).U32(0xf323001c);
  for (const uint8_t octet : SomeMac(KeyId{70000})) trailer.push_back(octet);
  h.client.Send(Encoded(RequestHeader(), trailer), {kAsked, h.port});
  h.Spin();
  assert_false(Next<msg::ServeBatch>(&h.keys.far).has_value());
  assert_false(h.client.Receive().has_value());
}

void ABadMacGetsACryptoNak(void**) {
  Sealing h;
  h.Ask(RequestHeader());
  h.Answer(Done(*Next<msg::ServeBatch>(&h.keys.far), msg::ServeOutcome::kNak));
  const auto answer = h.client.Receive();
  assert_true(answer && answer->bytes.size() == 52);
  assert_true(wire::ParsePacket(answer->bytes)->crypto_nak);
  assert_true(answer->header().origin == RequestHeader().transmit);
  // Who must have a good MAC to be answered at all gets nothing.
  h.Restrict(Access::kNoTrust);
  h.Ask(RequestHeader());
  h.Answer(Done(*Next<msg::ServeBatch>(&h.keys.far), msg::ServeOutcome::kNak));
  assert_false(h.client.Receive().has_value());
}

void ARefusedOrLostJobGetsNothing(void**) {
  Sealing h;
  h.Ask(RequestHeader());
  h.Answer(Done(*Next<msg::ServeBatch>(&h.keys.far), msg::ServeOutcome::kRefused));
  h.Ask(RequestHeader());
  const auto lost = Next<msg::ServeBatch>(&h.keys.far);
  h.node.keys.OnRestarted();
  h.Answer(Done(*lost, msg::ServeOutcome::kSealed));
  assert_false(h.client.Receive().has_value());
}

void OneRequestGetsOneReplyWhateverKeysSays(void**) {
  Sealing h;
  h.Ask(RequestHeader());
  const auto asked = Next<msg::ServeBatch>(&h.keys.far);
  msg::ServeDone done = Done(*asked, msg::ServeOutcome::kSealed);
  for (const uint16_t job : std::initializer_list<uint16_t>{0, 0, 1, 65535}) {
    msg::ServeResult more = done.results[0];
    more.job = job;
    CHECK(done.results.Push(more));
  }
  h.Answer(done);
  assert_true(h.client.Receive().has_value());
  assert_false(h.client.Receive().has_value());
}

// A stranger who writes a client's address uses up what `limited` gives it.
void WhoHasAKeyIsServedInSpiteOfForgedRequests(void**) {
  Sealing h;
  h.Restrict(Access::kLimited | Access::kKod);
  for (int i = 0; i < 20; ++i) h.client.Send(Encoded(RequestHeader()), {kAsked, h.port});
  h.Spin();
  while (h.client.Receive()) {
  }
  h.Ask(RequestHeader());
  h.Answer(Done(*Next<msg::ServeBatch>(&h.keys.far), msg::ServeOutcome::kSealed));
  const auto answer = h.client.Receive();
  assert_true(answer && answer->bytes.size() == 68);
  // The next comes too soon, key or not, and nothing is said to it.
  h.Ask(RequestHeader());
  h.Answer(Done(*Next<msg::ServeBatch>(&h.keys.far), msg::ServeOutcome::kSealed));
  assert_false(h.client.Receive().has_value());
}

void AForgedMacBeyondTheLimitGetsNothing(void**) {
  Sealing h;
  h.Restrict(Access::kLimited | Access::kKod);
  for (int i = 0; i < 20; ++i) h.client.Send(Encoded(RequestHeader()), {kAsked, h.port});
  h.Spin();
  while (h.client.Receive()) {
  }
  const uint64_t limited = h.node.packets.limited;
  for (int i = 0; i < 10; ++i) {
    h.Ask(RequestHeader());
    h.Answer(Done(*Next<msg::ServeBatch>(&h.keys.far), msg::ServeOutcome::kNak));
  }
  assert_false(h.client.Receive().has_value());
  assert_int_equal(h.node.packets.limited, limited + 10);
}

// They come in several messages, are more than leave with one call, and were asked by two
// listeners.
void SealedRepliesOfOneWakeUpAllLeave(void**) {
  Sealing h;
  const uint16_t other = h.Listen(1);
  Stranger second(IpAddress::V4(127, 0, 0, 2));
  const auto client_of = [&](uint64_t i) -> Stranger& { return i % 2 == 0 ? second : h.client; };
  constexpr uint64_t kRequests = 2 * (2 * SendBatch::kSize + 1);
  for (uint64_t i = 1; i <= kRequests; ++i) {
    wire::Header request = RequestHeader();
    request.transmit = NtpTimestamp::FromRaw(i);
    const auto packet = Encoded(request, SomeMac(KeyId{static_cast<uint32_t>(i)}));
    client_of(i).Send(packet, {kAsked, i % 3 == 0 ? other : h.port});
    if (i % 5 == 0) h.Spin();
  }
  h.Spin();
  int messages = 0;
  while (const auto asked = Next<msg::ServeBatch>(&h.keys.far)) {
    CHECK(h.keys.far.Send(Done(*asked, msg::ServeOutcome::kSealed)) == SendOutcome::kSent);
    ++messages;
  }
  assert_true(messages > 2);
  const uint64_t before = h.node.io.datagrams.sent;
  assert_true(h.node.keys.OnReadable());
  assert_int_equal(h.node.io.datagrams.sent - before, kRequests);
  std::vector<bool> answered(kRequests + 1);
  for (Stranger* const client : {&h.client, &second}) {
    while (const auto answer = client->Receive()) {
      const uint64_t i = answer->header().origin.raw();
      assert_true(i >= 1 && i <= kRequests && !answered[i]);
      assert_ptr_equal(client, &client_of(i));
      answered[i] = true;
      assert_int_equal(wire::ParsePacket(answer->bytes)->mac->key.value, i);
      assert_int_equal(answer->from.port, i % 3 == 0 ? other : h.port);
    }
  }
  assert_true(std::count(answered.begin(), answered.end(), true) == kRequests);
}

// From ntpd-keys' stamp to the call, whatever it was told to add.
void HowLongASealedReplyWaitsIsMeasured(void**) {
  Sealing h;
  for (int i = 0; i < 20; ++i) {
    h.Ask(RequestHeader());
    const auto asked = Next<msg::ServeBatch>(&h.keys.far);
    msg::ServeDone done = Done(*asked, msg::ServeOutcome::kSealed);
    done.results[0].transmit =
        h.node.time.Now() + NtpDuration::FromSeconds(-0.003) + asked->reply.wire_delay;
    h.Answer(done);
  }
  const double waits = h.node.sealed.Value().seconds();
  assert_true(waits >= 0.003 && waits < DelayEstimate::kMost);
}

void ALateAnswerDoesNotNeedItsListener(void**) {
  Sealing h;
  h.Ask(RequestHeader());
  const auto asked = Next<msg::ServeBatch>(&h.keys.far);
  h.server.RemoveListener(0);
  h.Answer(Done(*asked, msg::ServeOutcome::kSealed));
  assert_false(h.client.Receive().has_value());
}

void MacsThatKeysDoesNotAnswerAreBounded(void**) {
  Sealing h;
  for (int i = 0; i < 300; ++i) h.Ask(RequestHeader());
  assert_true(h.node.keys.pending() <= KeysClient::kMostForClients);
  // Plain clients are served all the same.
  h.client.Send(Encoded(RequestHeader()), {kAsked, h.port});
  h.Spin();
  assert_true(h.client.Receive().has_value());
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(SendsExactlyWhatWasSealed),
      cmocka_unit_test(FieldsThatNobodyKnowsAreUnderTheMac),
      cmocka_unit_test(MoreFieldsThanAreServedAreDeclined),
      cmocka_unit_test(FieldsUnderAnAutokeyKeyAreNotServed),
      cmocka_unit_test(ABadMacGetsACryptoNak),
      cmocka_unit_test(ARefusedOrLostJobGetsNothing),
      cmocka_unit_test(OneRequestGetsOneReplyWhateverKeysSays),
      cmocka_unit_test(WhoHasAKeyIsServedInSpiteOfForgedRequests),
      cmocka_unit_test(AForgedMacBeyondTheLimitGetsNothing),
      cmocka_unit_test(SealedRepliesOfOneWakeUpAllLeave),
      cmocka_unit_test(HowLongASealedReplyWaitsIsMeasured),
      cmocka_unit_test(ALateAnswerDoesNotNeedItsListener),
      cmocka_unit_test(MacsThatKeysDoesNotAnswerAreBounded),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
