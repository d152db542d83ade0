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
  Responder responder{1, {2, 3}};
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
       {w.responder.AnswerWithText(w.Sealed(), text, w.state),
        w.responder.AnswerWithNonce(w.Sealed(), nonce, w.state),
        w.responder.AnswerToCommand(w.Sealed(), {CommandResult::kSyntax, 0}, w.state),
        w.responder.AnswerToCommand(w.Sealed(), {CommandResult::kDenied, 0}, w.state)}) {
    assert_int_equal(ErrorOf(answer), 1);
    assert_int_equal(answer.datagrams.at(0).size(), kError);
    assert_true(answer.seal == kControl);
  }
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
  (void)w.Ask(ControlOp::kReadVariables, "", MacVerdict::kGood, 0x8a35);
  assert_int_equal(w.state.cleared.size(), 0);
  (void)w.Show(w.Nonce());
  (void)w.Ask(ControlOp::kReadVariables, "", MacVerdict::kGood, 0x8a35);
  assert_int_equal(w.state.cleared.size(), 1);
}

void StrangersFillNoLog(void**) {
  World w;
  assert_string_equal(
      w.Ask(ControlOp::kReadVariables).log.c_str(),
      "mode 6: 192.0.2.7 asks for more than it sends, and gets it only once its address is proved, "
      "as ntpq of ntpward does; for other tools there: restrict 192.0.2.7 nomodify");
  int lines = 0;
  for (int i = 0; i < 7200; ++i) {
    w.now = w.now + 1;
    w.requester.address.ip.octets[3] = static_cast<uint8_t>(i);
    lines += w.Ask(ControlOp::kReadVariables).log.empty() ? 0 : 1;
  }
  assert_int_equal(lines, 2);
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

void TheTableIsBoundedAndANetworkTakesLittleOfIt(void**) {
  ProvenAddresses proven({5, 6});
  const MonoTime now = MonoTime::FromSeconds(5);
  assert_false(proven.Has({}, now));
  for (uint64_t network = 0; network < 32; ++network) proven.Add(Host(network, 1), now);
  // One who has a /64, and all the addresses in it.
  for (uint64_t host = 0; host < 100000; ++host) proven.Add(Host(~uint64_t{0}, host), now + 1);
  int left = 0;
  for (uint64_t network = 0; network < 32; ++network) left += proven.Has(Host(network, 1), now + 1);
  assert_true(left >= 28);
  int theirs = 0;
  for (uint64_t host = 0; host < 100000; ++host)
    theirs += proven.Has(Host(~uint64_t{0}, host), now + 1);
  assert_int_equal(theirs, 4);
  // Room is made by the oldest.
  assert_true(proven.Has(Host(~uint64_t{0}, 99999), now + 1));
  assert_false(proven.Has(Host(~uint64_t{0}, 99999), now + 62));
}

}  // namespace
}  // namespace ntpward::control

int main() {
  using namespace ntpward::control;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AStrangerGetsNoMoreThanHeSent),
      cmocka_unit_test(WhatTheKeyProcessWasAskedForIsBoundedToo),
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
      cmocka_unit_test(StrangersFillNoLog),
      cmocka_unit_test(StrangersAreCounted),
      cmocka_unit_test(TheTableIsBoundedAndANetworkTakesLittleOfIt),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
