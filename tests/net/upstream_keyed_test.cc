// Answers of a server with a symmetric key: ntpd-keys, which is the test, has the last word.
#include "tests/net/upstream_world.h"

namespace ntpward::net {
namespace {

using namespace ntpward::test;

msg::NetAssociation KeyedLine(const IpAddress& address) {
  msg::NetAssociation line = Line(address);
  line.key = KeyId{11};
  return line;
}

struct Keyed : Net {
  Keyed() { h.upstreams.Configure({KeyedLine(kFirst)}); }
  // Polls; what ntpd-keys is asked to seal.
  msg::SealRequest PollKeyed() {
    h.upstreams.Poll(Only());
    const auto seal = Next<msg::SealRequest>(&h.keys.far);
    CHECK(seal.has_value());
    return *seal;
  }
  std::optional<Stranger::Got> Seal(const msg::SealRequest& asked) {
    msg::Sealed sealed;
    sealed.request = asked.request;
    CHECK(sealed.mac.Assign(SomeMac(asked.key)));
    CHECK(h.keys.far.Send(sealed) == SendOutcome::kSent);
    CHECK(h.node.keys.OnReadable());
    return first.Receive();
  }
  // Polls, and the server answers; what ntpd-keys is asked to check.
  msg::CheckMac CheckOfReply() {
    const auto request = Seal(PollKeyed());
    first.Send(Encoded(ReplyTo(request->header()), SomeMac(KeyId{11})), request->from);
    h.Spin();
    const auto check = Next<msg::CheckMac>(&h.keys.far);
    CHECK(check.has_value());
    return *check;
  }
  void Say(uint32_t request, msg::VerdictCode code) {
    CHECK(h.keys.far.Send(msg::Verdict{.request = request, .code = code}) == SendOutcome::kSent);
    CHECK(h.node.keys.OnReadable());
  }
};

void TakesTimeOnlyFromAGoodMac(void**) {
  Keyed net;
  const msg::SealRequest seal = net.PollKeyed();
  assert_true(seal.key == KeyId{11} && seal.path.destination == kFirst);
  assert_false(net.first.Receive().has_value());
  const auto request = net.Seal(seal);
  assert_true(request && request->bytes.size() == 68);
  const core::PeerSnapshot before = net.Snapshot();
  const wire::Header reply = ReplyTo(request->header());
  const uint8_t nothing[4] = {0, 0, 0, 9};
  net.first.Send(Encoded(reply), request->from);                      // CVE-2015-1798
  net.first.Send(Encoded(reply, SomeMac(KeyId{12})), request->from);  // another key (CVE-2015-7974)
  net.first.Send(Encoded(reply, nothing), request->from);
  net.h.Spin();
  assert_false(Next<msg::CheckMac>(&net.h.keys.far).has_value());
  assert_true(net.Snapshot() == before);

  net.first.Send(Encoded(reply, SomeMac(KeyId{11})), request->from);
  net.h.Spin();
  auto check = Next<msg::CheckMac>(&net.h.keys.far);
  assert_true(check && check->key == KeyId{11} && check->path.source == kFirst);
  net.Say(check->request, msg::VerdictCode::kBad);  // CVE-2015-1799
  assert_true(net.Snapshot() == before);

  net.first.Send(Encoded(reply, SomeMac(KeyId{11})), request->from);
  net.h.Spin();
  check = Next<msg::CheckMac>(&net.h.keys.far);
  net.Say(check->request, msg::VerdictCode::kGood);
  assert_true(net.HasSample());
}

void ARevokedKeysAssociationStartsOver(void**) {
  Keyed net;
  net.Say(net.CheckOfReply().request, msg::VerdictCode::kGood);
  assert_true(net.HasSample() && net.Snapshot().authentic);
  const KeyId other[] = {KeyId{12}}, its[] = {KeyId{12}, KeyId{11}};
  net.h.upstreams.OnKeysChanged(other, false);
  assert_true(net.HasSample());
  // Trusted once more: it works already.
  net.h.upstreams.OnKeysChanged(its, true);
  assert_true(net.HasSample());
  net.h.upstreams.OnKeysChanged(its, false);
  assert_false(net.HasSample() || net.Snapshot().authentic);
}

void RepliesAreCountedAsWellAsRequests(void**) {
  Keyed net;
  const auto request = net.Seal(net.PollKeyed());
  wire::Header reply = ReplyTo(request->header());
  const std::vector<uint8_t> shred(20);
  net.first.Send(shred, request->from);
  wire::Header other = reply;
  other.origin = NtpTimestamp::FromRaw(1);
  net.first.Send(Encoded(other, SomeMac(KeyId{11})), request->from);
  net.first.Send(Encoded(reply), request->from);
  reply.version = 3;
  net.first.Send(Encoded(reply, SomeMac(KeyId{11})), request->from);
  net.h.Spin();
  const auto check = Next<msg::CheckMac>(&net.h.keys.far);
  net.Say(check->request, msg::VerdictCode::kGood);
  const control::PacketCounters& packets = net.h.node.packets;
  assert_int_equal(packets.received, 4);
  assert_int_equal(packets.bad_format, 1);
  assert_int_equal(packets.declined, 1);
  assert_int_equal(packets.bad_auth, 1);
  assert_int_equal(packets.this_version, 2);
  assert_int_equal(packets.old_version, 1);
  assert_int_equal(packets.processed, 1);
}

void MacsOfOneExchangeAreBounded(void**) {
  Keyed net;
  const auto request = net.Seal(net.PollKeyed());
  for (int i = 0; i < 300; ++i) {
    net.first.Send(Encoded(ReplyTo(request->header()), SomeMac(KeyId{11})), request->from);
    if (i % 50 == 0) net.h.Spin();
  }
  net.h.Spin();
  const int checks = CountOf<msg::CheckMac>(&net.h.keys.far);
  assert_true(checks > 1 && checks <= 16);
}

void ALateSealIsNotSent(void**) {
  Keyed net;
  const msg::SealRequest early = net.PollKeyed();
  const msg::SealRequest now = net.PollKeyed();
  assert_false(net.Seal(early).has_value());
  const auto request = net.Seal(now);
  assert_true(request.has_value());
  assert_memory_equal(request->bytes.data(), now.covered.span().data(), 48);
}

void ALateVerdictIsOfAnEarlierExchange(void**) {
  Keyed net;
  const msg::CheckMac check = net.CheckOfReply();
  (void)net.PollKeyed();
  net.Say(check.request, msg::VerdictCode::kGood);
  assert_false(net.HasSample());
}

void AnAssociationMayGoWhileKeysIsAtIt(void**) {
  Keyed net;
  const msg::CheckMac check = net.CheckOfReply();
  const msg::SealRequest seal = net.PollKeyed();
  net.h.upstreams.Configure({});
  assert_true(net.h.upstreams.all().empty());
  net.Say(check.request, msg::VerdictCode::kGood);
  assert_false(net.Seal(seal).has_value());
}

void ADeadKeyProcessCostsPollsAndNothingElse(void**) {
  Keyed net;
  for (int i = 0; i < 3; ++i) (void)net.PollKeyed();
  net.h.node.keys.OnRestarted();
  net.h.upstreams.OnKeysRestarted();
  assert_int_equal(net.h.node.keys.pending(), 0);
  const auto request = net.Seal(net.PollKeyed());
  assert_true(request.has_value());
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TakesTimeOnlyFromAGoodMac),
      cmocka_unit_test(ARevokedKeysAssociationStartsOver),
      cmocka_unit_test(RepliesAreCountedAsWellAsRequests),
      cmocka_unit_test(MacsOfOneExchangeAreBounded),
      cmocka_unit_test(ALateSealIsNotSent),
      cmocka_unit_test(ALateVerdictIsOfAnEarlierExchange),
      cmocka_unit_test(AnAssociationMayGoWhileKeysIsAtIt),
      cmocka_unit_test(ADeadKeyProcessCostsPollsAndNothingElse),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
