// Strangers: whoever has not proved his address gets no more than he sent, and how he proves it.
#include "ntpd/control/proven_addresses.h"
#include "ntpd/control/responder.h"
#include "tests/control/fake_state.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::control {
namespace {

using test::FakeState;
using wire::ControlOp;

const SocketAddress kStranger{IpAddress::V4(192, 0, 2, 7), 40000};
constexpr KeyId kControl{9};
constexpr size_t kMacSize = 20;
constexpr size_t kError = 12;
// Long enough for a nonce, as ntpq of ntpward sends it.
const std::string kBlanks(40, ' ');

constexpr SipKey kNonceKey{2, 3};

struct World {
  // As it comes: with a MAC unless the verdict says that there is none.
  Answer Ask(ControlOp op, std::string_view data = "", MacVerdict verdict = MacVerdict::kNone,
             uint16_t id = 0) {
    wire::ControlHeader header;
    header.op = op;
    header.assoc = AssocId{id};
    const bool has_mac = verdict != MacVerdict::kNone;
    datagram = wire::BuildControlRequest(
        header, AsBytes(data),
        has_mac ? wire::ControlPadding::kForMac : wire::ControlPadding::kPlain);
    if (has_mac) datagram.insert(datagram.end(), kMacSize, 0xab);
    return responder.Respond(datagram, requester, verdict, kControl, state, now);
  }
  Asked Sealed() { return {datagram, requester, kControl, now}; }
  std::string Nonce() {
    const Answer answer = Ask(ControlOp::kRequestNonce, kBlanks);
    const auto fragment = wire::ParseControlResponse(answer.datagrams.at(0));
    const std::string text(AsText(fragment->data));
    return text.substr(6, text.find('\r') - 6);
  }
  Answer Show(const std::string& nonce) {
    return Ask(ControlOp::kReadMru, "nonce=" + nonce + ", limit=1");
  }
  bool GetsAll() { return Ask(ControlOp::kReadVariables).datagrams.size() > 1; }

  FakeState state;
  Responder responder{1, kNonceKey};
  Requester requester{.address = kStranger, .control_key = kControl};
  MonoTime now = MonoTime::FromSeconds(1000);
  std::vector<uint8_t> datagram;
};

size_t Octets(const Answer& answer) {
  size_t octets = 0;
  for (const auto& datagram : answer.datagrams)
    octets += datagram.size() + (answer.seal ? kMacSize : 0);
  return octets;
}

// -1: no error; -2: no answer.
int ErrorOf(const Answer& answer) {
  if (answer.datagrams.empty()) return -2;
  const auto fragment = wire::ParseControlResponse(answer.datagrams[0]);
  return fragment->header.error ? static_cast<int>(fragment->header.error_code()) : -1;
}

constexpr MacVerdict kVerdicts[] = {MacVerdict::kNone, MacVerdict::kGood, MacVerdict::kBad,
                                    MacVerdict::kUnknownKey};

// CVE-2013-5211: the answer goes to whoever is named as the sender.
void AStrangerGetsNoMoreThanHeSent(void**) {
  World w;
  const std::string datas[] = {"",
                               "leap",
                               "stratum,leap,refid",
                               "nosuch",
                               "privsep",
                               "config",
                               "ifstats",
                               "limit=1",
                               "nonce=123, frags=32",
                               "nonce=000003e80123456789abcdef, frags=32",
                               std::string(100, ' '),
                               "logfile /tmp/x",
                               std::string(wire::kMaxControlData, 'x')};
  for (uint8_t op = 0; op < 32; ++op) {
    for (const uint16_t id : {uint16_t{0}, uint16_t{1}, uint16_t{0x8a35}}) {
      for (const MacVerdict verdict : kVerdicts) {
        for (const std::string& data : datas) {
          const Answer answer = w.Ask(static_cast<ControlOp>(op), data, verdict, id);
          if (Octets(answer) > w.datagram.size())
            fail_msg("operation %d, association %d, '%s'", op, id, data.c_str());
        }
      }
    }
  }
}

void WhatTheKeyProcessWasAskedForIsBoundedToo(void**) {
  World w;
  (void)w.Ask(ControlOp::kConfigure, "x", MacVerdict::kGood);
  const std::string_view text = "column 0 logfile remote config ignored";
  const std::array<uint8_t, 16> nonce{};
  for (const Answer& answer :
       {w.responder.AnswerWithText(w.Sealed(), text, Told::kNotDone, w.state),
        w.responder.AnswerWithNonce(w.Sealed(), nonce, w.state),
        w.responder.AnswerToCommand(w.Sealed(), {CommandResult::kSyntax, 0}, w.state),
        w.responder.AnswerToCommand(w.Sealed(), {CommandResult::kDenied, 0}, w.state)}) {
    assert_int_equal(ErrorOf(answer), 1);
    assert_int_equal(answer.datagrams.at(0).size(), kError);
    assert_true(answer.seal == kControl);
  }
}

// With `controlnonce never` a change comes from who has proved nothing.
void WhatWasDoneIsNotCalledForbidden(void**) {
  const std::string_view done = "Config Succeeded";
  for (const std::string line : {"x", "trustedkey 5", "setvar a = b"}) {
    World w;
    w.requester.nonce_waived = true;
    assert_int_equal(w.Ask(ControlOp::kConfigure, line, MacVerdict::kGood).inquiry,
                     Inquiry::kCommand);
    for (const Answer& answer :
         {w.responder.AnswerToCommand(w.Sealed(), {CommandResult::kDone, 0}, w.state),
          w.responder.AnswerWithText(w.Sealed(), done, Told::kDone, w.state)}) {
      assert_int_equal(ErrorOf(answer), -1);
      assert_true(Octets(answer) <= w.datagram.size());
      assert_true(answer.seal == kControl && answer.log.empty());
      assert_int_equal(wire::ParseControlResponse(answer.datagrams[0])->data.size(), 0);
    }
    assert_int_equal(w.responder.counters().unproved, 0);
    assert_false(w.GetsAll());
  }
  // What there is room for is said.
  World w;
  (void)w.Ask(ControlOp::kConfigure, "trustedkey 5 6 7 8", MacVerdict::kGood);
  const Answer whole = w.responder.AnswerWithText(w.Sealed(), done, Told::kDone, w.state);
  assert_true(AsText(wire::ParseControlResponse(whole.datagrams.at(0))->data) ==
              "Config Succeeded\r\n");
}

void WhatFitsIsAnswered(void**) {
  World w;
  const std::string padded = "stratum" + std::string(20, ',');
  assert_int_equal(ErrorOf(w.Ask(ControlOp::kReadVariables, padded)), -1);
  assert_int_equal(ErrorOf(w.Ask(ControlOp::kUnspecified)), -1);
  assert_int_equal(ErrorOf(w.Ask(ControlOp::kReadVariables)), 1);
  assert_int_equal(ErrorOf(w.Ask(ControlOp::kReadStatus)), 1);
  assert_int_equal(ErrorOf(w.Ask(ControlOp::kReadClock)), 1);
}

void KnownOnesAreAnsweredInFull(void**) {
  World w;
  w.requester.is_known = true;
  assert_true(w.GetsAll());
  assert_int_equal(ErrorOf(w.Ask(ControlOp::kReadStatus)), -1);
  assert_int_equal(ErrorOf(w.Ask(ControlOp::kRequestNonce)), -1);
  w.requester.is_known = false;
  assert_false(w.GetsAll());
}

// --- the proof -------------------------------------------------------------------------------

void ANonceIsForARequestThatIsAsLong(void**) {
  World w;
  assert_int_equal(ErrorOf(w.Ask(ControlOp::kRequestNonce)), 1);
  assert_int_equal(ErrorOf(w.Ask(ControlOp::kRequestNonce, std::string(28, ' '))), 1);
  assert_int_equal(ErrorOf(w.Ask(ControlOp::kRequestNonce, std::string(32, ' '))), -1);
  assert_int_equal(w.Nonce().size(), 24);
}

void WhoSendsItBackHasProvedHisAddressForAMinute(void**) {
  World w;
  const std::string nonce = w.Nonce();
  assert_false(w.GetsAll());
  assert_int_equal(ErrorOf(w.Show(nonce)), -1);
  assert_true(w.GetsAll());
  // The address, whatever the port.
  w.requester.address.port = 40001;
  assert_true(w.GetsAll());
  assert_int_equal(ErrorOf(w.Ask(ControlOp::kRequestNonce)), -1);
  w.now = w.now + 59;
  assert_true(w.GetsAll());
  // Each good nonce is another minute.
  assert_int_equal(ErrorOf(w.Show(w.Nonce())), -1);
  w.now = w.now + 59;
  assert_true(w.GetsAll());
  w.now = w.now + 2;
  assert_false(w.GetsAll());
}

void AnotherAddressIsNotProvedByIt(void**) {
  World w;
  (void)w.Show(w.Nonce());
  for (const char* other : {"192.0.2.8", "::ffff:192.0.2.7", "2001:db8::1"}) {
    w.requester.address.ip = *IpAddress::Parse(other);
    assert_false(w.GetsAll());
  }
}

void NoncesOfOthersProveNothing(void**) {
  World w, other;
  other.responder = Responder(1, {2, 4});
  const std::string nonce = w.Nonce();
  std::string damaged = nonce;
  damaged.back() = damaged.back() == '0' ? '1' : '0';
  for (const std::string& bad : {std::string(), damaged, other.Nonce(), nonce + "0"}) {
    assert_int_equal(ErrorOf(w.Show(bad)), -2);
    assert_false(w.GetsAll());
  }
  // Made for another port, or for another address.
  ++w.requester.address.port;
  assert_int_equal(ErrorOf(w.Show(nonce)), -2);
  w.requester.address = {IpAddress::V4(192, 0, 2, 8), kStranger.port};
  assert_int_equal(ErrorOf(w.Show(nonce)), -2);
  w.requester.address = kStranger;
  assert_false(w.GetsAll());
  // Too old.
  w.now = w.now + NonceMaker::kLifetime + 2;
  assert_int_equal(ErrorOf(w.Show(nonce)), -2);
  assert_false(w.GetsAll());
}

void NomrulistHidesTheListButTakesTheProof(void**) {
  World w;
  w.requester.may_list_clients = false;
  assert_int_equal(ErrorOf(w.Show(w.Nonce())), 1);
  assert_true(w.GetsAll());
}

// Who saw a request under a MAC can send it again, in anybody's name.
void AMacAloneProvesNothing(void**) {
  World w;
  for (const MacVerdict verdict : kVerdicts) {
    (void)w.Ask(ControlOp::kReadVariables, "", verdict);
    (void)w.Ask(ControlOp::kReadOrderedList, "ifstats", verdict);
    assert_false(w.GetsAll());
  }
  assert_int_equal(ErrorOf(w.Ask(ControlOp::kReadVariables, "", MacVerdict::kGood)), 1);
}

void TheControlKeysMacWithANonceProves(void**) {
  World w;
  const std::string nonced = "privsep nonce=" + w.Nonce();
  for (const MacVerdict verdict : {MacVerdict::kNone, MacVerdict::kBad, MacVerdict::kUnknownKey}) {
    (void)w.Ask(ControlOp::kReadVariables, nonced, verdict);
    assert_false(w.GetsAll());
  }
  // Any trusted key is not enough.
  w.requester.control_key = KeyId{10};
  (void)w.Ask(ControlOp::kReadVariables, nonced, MacVerdict::kGood);
  assert_false(w.GetsAll());
  w.requester.control_key = kControl;
  (void)w.Ask(ControlOp::kReadVariables, nonced, MacVerdict::kGood);
  assert_true(w.GetsAll());
}

void ANonceThatTheKeyProcessTookProves(void**) {
  World w;
  assert_int_equal(w.Ask(ControlOp::kConfigure, "x", MacVerdict::kGood).inquiry, Inquiry::kCommand);
  w.responder.NoteProof(w.Sealed());
  assert_false(w.GetsAll());  // it had none
  const std::string line = "x nonce=00112233445566778899aabbccddeeff";
  assert_int_equal(w.Ask(ControlOp::kConfigure, line, MacVerdict::kGood).inquiry,
                   Inquiry::kCommand);
  assert_false(w.GetsAll());  // it may be a replay, or nobody's
  (void)w.Ask(ControlOp::kConfigure, line, MacVerdict::kGood);
  w.responder.NoteProof(w.Sealed());
  assert_true(w.GetsAll());
}

// --- what strangers cost ---------------------------------------------------------------------

void ARefusedReaderHasSeenNoEvents(void**) {
  World w;
  const auto read = [&](const std::string& data) {
    (void)w.Ask(ControlOp::kReadVariables, data, MacVerdict::kGood, 0x8a35);
    return w.state.cleared.size();
  };
  assert_int_equal(read(""), 0);
  const std::string nonce = w.Nonce();
  (void)w.Show(nonce);
  assert_true(w.GetsAll());
  // A captured request, played again to clear what nobody has read.
  assert_int_equal(read(""), 0);
  assert_int_equal(read(" nonce="), 0);
  assert_int_equal(read(" nonce=000003e80123456789abcdef"), 0);
  assert_int_equal(read(" nonce=" + nonce), 1);
  ++w.requester.address.port;
  assert_int_equal(read(" nonce=" + nonce), 1);
  w.requester.nonce_waived = true;
  assert_int_equal(read(""), 2);
}

void WhoGoesOnAskingIsToldOf(void**) {
  World w;
  assert_true(w.Ask(ControlOp::kReadVariables).log.empty());
  w.now = w.now + StrangerNotice::kPatience;
  assert_string_equal(
      w.Ask(ControlOp::kReadVariables).log.c_str(),
      "mode 6: 2 requests in the name of 192.0.2.7 were refused: they ask for more than they send, "
      "and that address is not proved, as ntpq of ntpward would; only if it is a host of yours "
      "that monitors this one with another tool: restrict 192.0.2.7 nomodify");
}

// ntpq of ntpward is refused first, too.
void WhoProvesHisAddressIsNotToldOf(void**) {
  World w;
  assert_true(w.Ask(ControlOp::kReadVariables).log.empty());
  (void)w.Show(w.Nonce());
  w.now = w.now + ProvenAddresses::kLifetime + 1;
  assert_true(w.Ask(ControlOp::kReadVariables).log.empty());
  // Nor is another one in his stead, who has asked but once.
  (void)w.Show(w.Nonce());
  w.requester.address.ip.octets[3] = 9;
  w.now = w.now + ProvenAddresses::kLifetime + 1;
  assert_true(w.Ask(ControlOp::kReadVariables).log.empty());
  w.now = w.now + StrangerNotice::kPatience;
  assert_true(w.Ask(ControlOp::kReadVariables)
                  .log.starts_with("mode 6: 2 requests in the name of 192.0.2.9 were refused"));
}

void StrangersFillNoLog(void**) {
  World w;
  int lines = 0;
  for (int i = 0; i < 7300; ++i) {
    w.now = w.now + 1;
    w.requester.address.ip.octets[3] = static_cast<uint8_t>(i);
    lines += w.Ask(ControlOp::kReadVariables).log.empty() ? 0 : 1;
  }
  assert_int_equal(lines, 3);
}

void StrangersAreCounted(void**) {
  World w;
  (void)w.Ask(ControlOp::kReadVariables);
  (void)w.Ask(ControlOp::kReadStatus);
  (void)w.Ask(ControlOp::kWriteVariables, "a=b");
  const ControlCounters& counters = w.responder.counters();
  assert_int_equal(counters.answered, 3);
  assert_int_equal(counters.errors, 3);
  assert_int_equal(counters.unproved, 2);
}

IpAddress Host(uint64_t network, uint64_t host) {
  IpAddress address{Family::kIpv6, {}, 0};
  Writer writer(address.octets);
  writer.U64(network);
  writer.U64(host);
  CHECK(writer.Finish());
  return address;
}

// Sites, of which each has a /48.
IpAddress HostOfSite(uint64_t site, uint64_t host) { return Host(site << 16, host); }

void TheTableIsBoundedAndASiteTakesLittleOfIt(void**) {
  constexpr uint64_t kSites = 32, kTheirs = 0xffffffffffff, kHosts = 100000;
  ProvenAddresses proven({5, 6});
  const MonoTime now = MonoTime::FromSeconds(5);
  assert_false(proven.Has({}, now));
  for (uint64_t site = 0; site < kSites; ++site) proven.Add(HostOfSite(site, 1), now);
  // One who has a site, all the networks in it, and all their addresses.
  const auto theirs = [](uint64_t i) { return Host(kTheirs << 16 | (i & 0xffff), i); };
  for (uint64_t i = 0; i < kHosts; ++i) proven.Add(theirs(i), now + 1);
  int left = 0;
  for (uint64_t site = 0; site < kSites; ++site) left += proven.Has(HostOfSite(site, 1), now + 1);
  assert_int_equal(left, kSites);
  int taken = 0;
  for (uint64_t i = 0; i < kHosts; ++i) taken += proven.Has(theirs(i), now + 1);
  assert_int_equal(taken, 4);
  // Room is made by the oldest.
  assert_true(proven.Has(theirs(kHosts - 1), now + 1));
  assert_false(proven.Has(theirs(kHosts - 1), now + 62));
}

// Whose hash is the same share the places: that costs a proof more, and nothing is believed
// wrongly.
void ThoseThatShareASetAreDrivenOutOfIt(void**) {
  ProvenAddresses proven({5, 6});
  const MonoTime now = MonoTime::FromSeconds(5);
  for (uint64_t site = 0; site < 5000; ++site) proven.Add(HostOfSite(site, 1), now);
  int left = 0;
  for (uint64_t site = 0; site < 5000; ++site) left += proven.Has(HostOfSite(site, 1), now);
  assert_int_equal(left, 1024);
  assert_false(proven.Has(HostOfSite(4999, 2), now));
}

}  // namespace
}  // namespace ntpward::control

int main() {
  using namespace ntpward::control;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AStrangerGetsNoMoreThanHeSent),
      cmocka_unit_test(WhatTheKeyProcessWasAskedForIsBoundedToo),
      cmocka_unit_test(WhatWasDoneIsNotCalledForbidden),
      cmocka_unit_test(WhatFitsIsAnswered),
      cmocka_unit_test(KnownOnesAreAnsweredInFull),
      cmocka_unit_test(ANonceIsForARequestThatIsAsLong),
      cmocka_unit_test(WhoSendsItBackHasProvedHisAddressForAMinute),
      cmocka_unit_test(AnotherAddressIsNotProvedByIt),
      cmocka_unit_test(NoncesOfOthersProveNothing),
      cmocka_unit_test(NomrulistHidesTheListButTakesTheProof),
      cmocka_unit_test(AMacAloneProvesNothing),
      cmocka_unit_test(TheControlKeysMacWithANonceProves),
      cmocka_unit_test(ANonceThatTheKeyProcessTookProves),
      cmocka_unit_test(ARefusedReaderHasSeenNoEvents),
      cmocka_unit_test(WhoGoesOnAskingIsToldOf),
      cmocka_unit_test(WhoProvesHisAddressIsNotToldOf),
      cmocka_unit_test(StrangersFillNoLog),
      cmocka_unit_test(StrangersAreCounted),
      cmocka_unit_test(TheTableIsBoundedAndASiteTakesLittleOfIt),
      cmocka_unit_test(ThoseThatShareASetAreDrivenOutOfIt),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
