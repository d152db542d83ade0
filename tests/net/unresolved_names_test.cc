// Names that have no address yet: said to the operator, once, and shown as what they are.
#include "tests/net/harness.h"

namespace ntpward::net {
namespace {

using namespace ntpward::test;

constexpr uint16_t kName = 3;

struct Unresolved {
  explicit Unresolved(msg::NetAssociationKind kind) {
    msg::NetAssociation line;
    line.kind = kind;
    line.name = kName;
    CHECK(line.label.Assign(AsBytes(std::string_view("late.example"))));
    h.upstreams.Configure({line});
    h.upstreams.Maintain(Timebase::Mono());
  }
  void Answer(msg::ResolveOutcome outcome) { Say(outcome, IpAddress::V4(127, 0, 0, 2)); }
  void AnswerWith(const IpAddress& address) { Say(msg::ResolveOutcome::kOk, address); }
  void Say(msg::ResolveOutcome outcome, const IpAddress& address) {
    later = later + 2048;  // more than lies between any two questions
    h.upstreams.Maintain(later);
    while (Next<msg::ResolveRequest>(&h.resolve.far)) {
    }
    msg::ResolveAnswer answer;
    answer.index = kName;
    answer.outcome = outcome;
    if (outcome == msg::ResolveOutcome::kOk) CHECK(answer.addresses.Push(address));
    CHECK(h.resolve.far.Send(answer) == SendOutcome::kSent);
    CHECK(h.upstreams.OnResolveReadable());
  }
  std::vector<std::string> Lines() {
    std::vector<std::string> lines;
    while (const auto line = Next<msg::LogLine>(&h.supervisor.far))
      lines.emplace_back(line->text.text());
    return lines;
  }
  AssocId id() const { return h.upstreams.prototypes().begin()->first; }

  Harness h;
  MonoTime later = Timebase::Mono();
};

void ANameWithoutAddressIsToldOnce(void**) {
  Unresolved net(msg::NetAssociationKind::kServer);
  (void)net.Lines();
  net.Answer(msg::ResolveOutcome::kTemporary);
  const auto lines = net.Lines();
  assert_int_equal(lines.size(), 1);
  assert_string_equal(
      lines[0].c_str(),
      "error resolving host late.example: temporary failure in name resolution; asking again");
  net.Answer(msg::ResolveOutcome::kTemporary);
  net.Answer(msg::ResolveOutcome::kPermanent);
  assert_true(net.Lines().empty());
}

// Neither hides the other.
void OurOwnLimitIsToldAsSuch(void**) {
  Unresolved net(msg::NetAssociationKind::kServer);
  (void)net.Lines();
  net.Answer(msg::ResolveOutcome::kTooOften);
  const auto lines = net.Lines();
  assert_int_equal(lines.size(), 1);
  assert_string_equal(lines[0].c_str(),
                      "error resolving host late.example: it was looked up too often, which is our "
                      "own limit and no fault of the DNS; asking again");
  net.Answer(msg::ResolveOutcome::kTooOften);
  assert_true(net.Lines().empty());
  net.Answer(msg::ResolveOutcome::kTemporary);
  assert_true(net.Lines().at(0).find("temporary failure") != std::string::npos);
  net.Answer(msg::ResolveOutcome::kTooOften);
  assert_true(net.Lines().empty());
}

void APoolIsToldAsSuch(void**) {
  Unresolved net(msg::NetAssociationKind::kPool);
  (void)net.Lines();
  net.Answer(msg::ResolveOutcome::kPermanent);
  assert_string_equal(net.Lines().at(0).c_str(),
                      "error resolving pool late.example: name or service not known; asking again");
}

// Once, though the name is asked for again and again.
void AnAddressThatNoHostCanHaveIsTold(void**) {
  for (const char* address : {"0.0.0.0", "224.0.1.1"}) {
    Unresolved net(msg::NetAssociationKind::kServer);
    (void)net.Lines();
    net.AnswerWith(*IpAddress::Parse(address));
    const auto lines = net.Lines();
    assert_int_equal(lines.size(), 1);
    assert_string_equal(lines[0].c_str(), (std::string("late.example: ") + address +
                                           " can be no other host's address: not asked")
                                              .c_str());
    net.AnswerWith(*IpAddress::Parse(address));
    assert_true(net.Lines().empty());
  }
}

void ARestrictLineWithoutAddressIsTold(void**) {
  Unresolved net(msg::NetAssociationKind::kServer);
  net.h.upstreams.Configure({});
  (void)net.Lines();
  net.h.upstreams.ResolveFor(kName, "clients.example", [](const IpAddress&) {});
  net.Answer(msg::ResolveOutcome::kPermanent);
  assert_string_equal(net.Lines().at(0).c_str(),
                      "error resolving host clients.example of a restrict line: name or service "
                      "not known; that line is not in force yet");
}

void TheNextOutageIsToldAgain(void**) {
  Unresolved net(msg::NetAssociationKind::kPool);
  net.Answer(msg::ResolveOutcome::kTemporary);
  net.Answer(msg::ResolveOutcome::kOk);
  (void)net.Lines();
  net.h.upstreams.ForgetNames();
  net.h.upstreams.ResolveFor(kName, "clients.example", [](const IpAddress&) {});
  net.Answer(msg::ResolveOutcome::kTemporary);
  assert_false(net.Lines().empty());
}

// What looks them up dies of some: the others must get their answers.
struct Several {
  explicit Several(size_t names) {
    std::vector<msg::NetAssociation> lines(names);
    for (size_t i = 0; i < names; ++i) {
      lines[i].kind = msg::NetAssociationKind::kServer;
      lines[i].name = static_cast<uint16_t>(i);
    }
    h.upstreams.Configure(lines);
  }
  // Which names are asked for by `seconds` after the beginning.
  std::vector<int> AskedAt(double seconds) {
    h.upstreams.Maintain(begin + seconds);
    std::vector<int> names;
    while (const auto request = Next<msg::ResolveRequest>(&h.resolve.far))
      names.push_back(request->index);
    return names;
  }
  void RestartAt(double seconds) { h.upstreams.OnResolveRestarted(begin + seconds); }
  void Answer(uint16_t name) {
    msg::ResolveAnswer answer;
    answer.index = name;
    answer.outcome = msg::ResolveOutcome::kTemporary;
    CHECK(h.resolve.far.Send(answer) == SendOutcome::kSent);
    CHECK(h.upstreams.OnResolveReadable());
  }

  Harness h;
  MonoTime begin = Timebase::Mono();
};

void ANameThatIsDeadlyDoesNotStarveTheOthers(void**) {
  Several net(4);
  assert_true(net.AskedAt(0) == (std::vector{0, 1, 2, 3}));
  net.Answer(0);
  net.RestartAt(0.5);  // died of 1
  assert_true(net.AskedAt(0.5) == (std::vector{0, 2, 3}));
  net.Answer(0);
  net.RestartAt(1);  // of 2
  assert_true(net.AskedAt(1) == (std::vector{0, 3}));
  net.Answer(0);
  net.Answer(3);
  assert_true(net.AskedAt(4.9).empty());
  assert_true(net.AskedAt(5) == (std::vector{1}));
  net.RestartAt(6);  // of 1 again: it waits longer
  assert_true(net.AskedAt(6) == (std::vector{0, 3}));
  assert_true(net.AskedAt(13.9).empty());
  assert_true(net.AskedAt(14) == (std::vector{1, 2}));
}

void ANameThatGotAnAnswerIsSuspectedNoMore(void**) {
  Several net(2);
  (void)net.AskedAt(0);
  net.RestartAt(1);
  assert_true(net.AskedAt(1) == (std::vector{1}));
  assert_true(net.AskedAt(5) == (std::vector{0, 1}));
  net.Answer(1);
  net.Answer(0);
  net.Answer(1);
  net.RestartAt(6);  // it had nothing to do
  assert_true(net.AskedAt(6) == (std::vector{0, 1}));
}

// As ntpd 4.2.8: 8811 for a pool, whose prototype only sends.
void APrototypeShowsItsMobilisation(void**) {
  Unresolved pool(msg::NetAssociationKind::kPool);
  assert_string_equal(pool.Lines().at(0).c_str(), "late.example 8811 81 mobilize");
  assert_int_equal(pool.h.view.Associations().at(0).status.word(), 0x8811);
  pool.h.view.ClearEvents(pool.id());
  assert_int_equal(pool.h.view.Peer(pool.id())->status.word(), 0x8801);
  Unresolved server(msg::NetAssociationKind::kServer);
  assert_int_equal(server.h.view.Peer(server.id())->status.word(), 0x8011);
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ANameWithoutAddressIsToldOnce),
      cmocka_unit_test(OurOwnLimitIsToldAsSuch),
      cmocka_unit_test(APoolIsToldAsSuch),
      cmocka_unit_test(AnAddressThatNoHostCanHaveIsTold),
      cmocka_unit_test(ARestrictLineWithoutAddressIsTold),
      cmocka_unit_test(TheNextOutageIsToldAgain),
      cmocka_unit_test(ANameThatIsDeadlyDoesNotStarveTheOthers),
      cmocka_unit_test(ANameThatGotAnAnswerIsSuspectedNoMore),
      cmocka_unit_test(APrototypeShowsItsMobilisation),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
