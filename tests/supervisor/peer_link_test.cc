// The pipes between roles, emptied for a successor by a supervisor that must never wait.
#include <fcntl.h>
#include <unistd.h>

#include "ntpd/supervisor/role_process.h"
#include "privsep/msg/clock.h"
#include "tests/support/child.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::supervisor {
namespace {

// One that never came back would be ended by the alarm.
constexpr unsigned kPatience = 20;

PeerLink NewLink() {
  auto made = PeerLink::Make();
  CHECK(made.ok());
  return std::move(made).value();
}

void Write(const Pipe& pipe, int messages) {
  Channel sender(UniqueFd(), WithOwnFlags(pipe.write_end.get()));
  for (int i = 0; i < messages; ++i)
    CHECK(sender.Send(msg::ClockAdjust{.request = 1}) == SendOutcome::kSent);
}

bool IsEmpty(const Pipe& pipe) {
  return !Channel(WithOwnFlags(pipe.read_end.get()), UniqueFd()).Receive();
}

template <typename Body>
void ReturnsZero(Body body) {
  const test::ChildEnd end = test::RunInChild([&] {
    alarm(kPatience);
    return body();
  });
  assert_int_equal(end.signal, 0);
  assert_int_equal(end.exit_status, 0);
}

void EmptiesBothWays(void**) {
  PeerLink link = NewLink();
  Write(link.to_net, 3);
  Write(link.from_net, 2);
  link.Drain();
  assert_true(IsEmpty(link.to_net));
  assert_true(IsEmpty(link.from_net));
}

void EmptiesAFullPipe(void**) {
  PeerLink link = NewLink();
  Channel sender(UniqueFd(), WithOwnFlags(link.to_net.write_end.get()));
  while (sender.Send(msg::ClockAdjust{.request = 1}) == SendOutcome::kSent) {
  }
  link.Drain();
  assert_true(IsEmpty(link.to_net));
}

// A process that holds the same end may clear O_NONBLOCK, and the write ends are ours too.
void WaitsForNothingInAPipeThatBlocks(void**) {
  ReturnsZero([] {
    PeerLink link = NewLink();
    for (const Pipe* pipe : {&link.to_net, &link.from_net})
      if (fcntl(pipe->read_end.get(), F_SETFL, 0) != 0) return 1;
    Write(link.to_net, 2);
    link.Drain();
    return IsEmpty(link.to_net) && IsEmpty(link.from_net) ? 0 : 2;
  });
}

// As one whose writer fills it again and again.
void LeavesWhatNeverEnds(void**) {
  ReturnsZero([] {
    PeerLink link = NewLink();
    link.to_net.read_end = UniqueFd(open("/dev/zero", O_RDONLY | O_CLOEXEC));
    link.Drain();
    return 0;
  });
}

}  // namespace
}  // namespace ntpward::supervisor

int main() {
  using namespace ntpward::supervisor;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EmptiesBothWays),
      cmocka_unit_test(EmptiesAFullPipe),
      cmocka_unit_test(WaitsForNothingInAPipeThatBlocks),
      cmocka_unit_test(LeavesWhatNeverEnds),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
