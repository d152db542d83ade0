// Questions and answers: loss, reordering, forgery and slow servers, all within deadlines.
#include "ntpq/query.h"

#include "tests/ntpq/fake_server.h"
#include "tests/ntpq/sealing.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::ntpq {
namespace {

constexpr QueryOptions kOptions{2, 5, 3};

// A server by script: what waits speaks of the question as number 0.
struct ScriptedServer : test::FakeServer {
  ScriptedServer() { counts_from_question = true; }
  // Each time that nothing else comes, this.
  void Repeat(double after_s, std::vector<uint8_t> datagram) {
    on_silence = [coming = Coming{after_s, std::move(datagram)}](double) { return coming; };
  }
};

std::vector<uint8_t> Fragment(size_t offset, std::string_view data, bool more) {
  wire::ControlHeader header;
  header.response = true;
  header.more = more;
  header.op = wire::ControlOp::kReadVariables;
  header.status = static_cast<uint16_t>(more ? 0xdead : 0x0615);
  header.offset = static_cast<uint16_t>(offset);
  return wire::BuildControlRequest(header, AsBytes(data), wire::ControlPadding::kPlain);
}

Result<Reply, QueryError> Ask(ScriptedServer& server, double patience_s = 120) {
  test::FakeTransport transport(server);
  Querier querier(transport, 1);
  querier.set_deadline(server.now + patience_s);
  return querier.Ask(wire::ControlOp::kReadVariables, AssocId{0}, "", kOptions, std::nullopt);
}

void PutsFragmentsTogetherInAnyOrder(void**) {
  ScriptedServer server;
  server.coming = {{0, Fragment(8, "c=3", false)},
                   {0, Fragment(0, "a=1,", true)},
                   {0, Fragment(0, "a=1,", true)},
                   {0, Fragment(4, "b=2,", true)}};
  const auto reply = Ask(server);
  assert_true(reply.ok());
  assert_string_equal(reply->data.c_str(), "a=1,b=2,c=3");
  assert_int_equal(reply->status, 0x0615);
}

void IgnoresWhatDoesNotBelong(void**) {
  ScriptedServer server;
  auto other_number = Fragment(0, "x", false);
  other_number[3] = 7;
  auto other_operation = Fragment(0, "x", false);
  other_operation[1] = 0x84;
  auto request = Fragment(0, "x", false);
  request[1] &= 0x7f;
  auto other_version = Fragment(0, "x", false);
  other_version[0] = 0x26;
  server.coming = {{0, other_number},
                   {0, other_operation},
                   {0, request},
                   {0, other_version},
                   {0, {0x16}},
                   {0, {}},
                   {0, Fragment(0, "a=1", false)}};
  assert_string_equal(Ask(server)->data.c_str(), "a=1");
}

void IgnoresOverlaps(void**) {
  ScriptedServer server;
  server.coming = {{0, Fragment(0, "aaaa", true)}, {0, Fragment(2, "XXXX", true)},
                   {0, Fragment(0, "XX", true)},   {0, Fragment(8, "end", false)},
                   {0, Fragment(12, "XX", true)},  {0, Fragment(4, "XXXXXX", true)},
                   {0, Fragment(4, "bbbb", true)}};
  assert_string_equal(Ask(server)->data.c_str(), "aaaabbbbend");
}

void AsksTwiceThenGivesUp(void**) {
  ScriptedServer server;
  const MonoTime start = server.now;
  const auto reply = Ask(server);
  assert_true(reply.error().kind == QueryError::Kind::kNothing);
  assert_int_equal(server.sent.size(), 2);
  assert_true(server.now - start == 10);
}

void SaysThatPartsAreMissing(void**) {
  ScriptedServer server;
  server.coming = {{0, Fragment(0, "a=1,", true)}};
  server.Repeat(0.1, Fragment(0, "a=1,", true));
  const auto reply = Ask(server);
  assert_true(reply.error().kind == QueryError::Kind::kIncomplete);
}

void ReportsARefusal(void**) {
  ScriptedServer server;
  wire::ControlHeader request;
  request.op = wire::ControlOp::kReadVariables;
  server.coming = {{0, wire::BuildControlError(request, 0, wire::ControlError::kBadAssociation)}};
  const auto reply = Ask(server);
  assert_true(reply.error().kind == QueryError::Kind::kRefused);
  assert_true(reply.error().code == wire::ControlError::kBadAssociation);
}

// CVE-2015-8158: a server that never stops, nor ever finishes.
void EndsThoughAServerDripsFragmentsForEver(void**) {
  ScriptedServer server;
  const MonoTime start = server.now;
  size_t offset = 0;
  for (int i = 0; i < 2000; ++i, offset += 4)
    server.coming.push_back({2.9, Fragment(offset, "a=1,", true)});
  const auto reply = Ask(server);
  assert_false(reply.ok());
  assert_true(server.now - start <= 2 * (5 + 2 * 3) + 0.001);
}

void EndsThoughAServerFloodsRubbish(void**) {
  ScriptedServer server;
  const MonoTime start = server.now;
  server.Repeat(0.001, {0x16, 0x82, 0, 0, 0});
  assert_true(Ask(server).error().kind == QueryError::Kind::kNothing);
  assert_true(server.now - start <= 10.001);
}

void BoundsTheNumberOfFragments(void**) {
  ScriptedServer server;
  for (size_t i = 0; i < 1000; ++i) server.coming.push_back({0, Fragment(4 * i + 4, "a=1,", true)});
  assert_true(Ask(server).error().kind == QueryError::Kind::kTooMuch);
}

// Not asked a second time.
void EndsWhenTheUserInterrupts(void**) {
  ScriptedServer server;
  server.interrupted = true;
  assert_true(Ask(server).error().kind == QueryError::Kind::kInterrupted);
  assert_int_equal(server.sent.size(), 1);
}

void PassesOnWhatTheKernelSays(void**) {
  ScriptedServer server;
  server.refusal = "write: Connection refused";
  const auto reply = Ask(server);
  assert_true(reply.error().kind == QueryError::Kind::kTransport);
  assert_string_equal(reply.error().text.c_str(), "write: Connection refused");
}

void SealsARequestAsTheReferenceDoes(void**) {
  // READVAR "stratum", number 1, by ntpq 4.2.8 with key 7 of type MD5, "ctlpass".
  ScriptedServer server;
  test::FakeTransport transport(server);
  Querier querier(transport, 1);
  querier.set_deadline(server.now);
  const Credentials credentials{KeyId{7}, *FindKeyType("md5"), AsBytes("ctlpass")};
  (void)querier.Ask(wire::ControlOp::kReadVariables, AssocId{0}, "stratum", kOptions, credentials);
  const std::vector<uint8_t> expected = {
      0x16, 0x02, 0,    1,    0,    0,    0,    0,    0,    0,    0,    7,    's',  't',  'r',
      'a',  't',  'u',  'm',  0,    0,    0,    0,    0,    0,    0,    0,    7,    0x96, 0x54,
      0x03, 0x0c, 0x40, 0x0d, 0x67, 0x09, 0xb6, 0x62, 0xe0, 0x7c, 0x00, 0xd9, 0x1f, 0x46};
  assert_int_equal(server.sent.at(0).size(), expected.size());
  assert_memory_equal(server.sent[0].data(), expected.data(), expected.size());
}

AnswerMac MacOfAnswer(std::vector<std::vector<uint8_t>> datagrams) {
  test::FakeServer server;
  server.on_request = [&](const wire::ControlRequest&) {
    for (auto& datagram : datagrams) server.coming.push_back({0, std::move(datagram)});
  };
  test::FakeTransport transport(server);
  Querier querier(transport, 0);
  querier.set_deadline(server.now + 120);
  const Credentials credentials{KeyId{7}, *FindKeyType("md5"), AsBytes("ctlpass")};
  const auto reply =
      querier.Ask(wire::ControlOp::kReadVariables, AssocId{0}, "", kOptions, credentials);
  assert_true(reply.ok());
  return reply->mac;
}

// All fragments have to be under the key that was asked under.
void AnAnswerIsWorthItsWorstMac(void**) {
  const Credentials good{KeyId{7}, *FindKeyType("md5"), AsBytes("ctlpass")};
  const auto first = Fragment(0, "stratum=1", true);
  const auto last = Fragment(9, ", leap=0", false);
  const auto with = [](std::vector<uint8_t> datagram, const Credentials& credentials) {
    return test::Sealed(std::move(datagram), credentials);
  };
  assert_true(MacOfAnswer({with(first, good), with(last, good)}) == AnswerMac::kGood);
  assert_true(MacOfAnswer({first, last}) == AnswerMac::kNone);
  assert_true(MacOfAnswer({with(last, good), first}) == AnswerMac::kNone);
  for (const Credentials& other :
       {Credentials{KeyId{7}, *FindKeyType("md5"), AsBytes("ctlpas")},
        Credentials{KeyId{8}, *FindKeyType("md5"), AsBytes("ctlpass")},
        Credentials{KeyId{7}, *FindKeyType("sha1"), AsBytes("ctlpass")}}) {
    assert_true(MacOfAnswer({with(first, other), with(last, good)}) == AnswerMac::kBad);
    assert_true(MacOfAnswer({first, with(last, other)}) == AnswerMac::kBad);
  }
  for (size_t bit = 0; bit < 8 * first.size(); ++bit) {
    auto sealed = with(Fragment(0, "stratum=1", false), good);
    // What belongs to no answer is ignored: the server's bits, mode, number, lengths.
    if (bit / 8 < 4 || (bit / 8 >= 8 && bit / 8 < 12)) continue;
    sealed[bit / 8] ^= static_cast<uint8_t>(0x80 >> bit % 8);
    assert_true(MacOfAnswer({sealed}) == AnswerMac::kBad);
  }
  // "Yours was wrong."
  auto lone = Fragment(0, "stratum=1", false);
  lone.resize(24 + 4);
  assert_true(MacOfAnswer({lone}) == AnswerMac::kNone);
}

}  // namespace
}  // namespace ntpward::ntpq

int main() {
  using namespace ntpward::ntpq;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AnAnswerIsWorthItsWorstMac),
      cmocka_unit_test(PutsFragmentsTogetherInAnyOrder),
      cmocka_unit_test(IgnoresWhatDoesNotBelong),
      cmocka_unit_test(IgnoresOverlaps),
      cmocka_unit_test(AsksTwiceThenGivesUp),
      cmocka_unit_test(SaysThatPartsAreMissing),
      cmocka_unit_test(ReportsARefusal),
      cmocka_unit_test(EndsThoughAServerDripsFragmentsForEver),
      cmocka_unit_test(EndsThoughAServerFloodsRubbish),
      cmocka_unit_test(BoundsTheNumberOfFragments),
      cmocka_unit_test(EndsWhenTheUserInterrupts),
      cmocka_unit_test(PassesOnWhatTheKernelSays),
      cmocka_unit_test(SealsARequestAsTheReferenceDoes),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
