// The lines that scripts parse, and which of them `logconfig` leaves out.
#include "ntpd/net/reporter.h"

#include "ntpd/wire/refid.h"
#include "tests/net/harness.h"

namespace ntpward::net {
namespace {

using test::Harness;
using test::Next;

void RawstatsHasTheColumnsOfTheReference(void**) {
  Harness h;
  wire::Header header;
  header.leap = wire::Leap::kNone;
  header.mode = wire::Mode::kServer;
  header.stratum = 4;
  header.poll = 3;
  header.precision = -24;
  header.root_dispersion = wire::NtpShort::FromRaw(0x0007f291);
  header.refid = 0x7f7f0100;
  header.receive = NtpTimestamp::FromRaw(uint64_t{3000000000} << 32 | 0x80000000);
  // Rounds up into the next second.
  header.transmit = NtpTimestamp::FromRaw(uint64_t{3000000000} << 32 | 0xffffffff);
  const NtpTimestamp t1 = NtpTimestamp::FromRaw(uint64_t{3000000000} << 32);
  const NtpTimestamp t4 = NtpTimestamp::FromRaw(uint64_t{3000000002} << 32);
  const IpAddress source = IpAddress::V4(10, 77, 0, 1), ours = IpAddress::V4(10, 77, 0, 2);
  h.node.reporter.RawStatistics({source, ours, t1, t4, header});
  auto line = Next<msg::NetStatistics>(&h.supervisor.far);
  assert_true(line && line->file == msg::StatisticsFile::kRaw);
  assert_string_equal(std::string(line->line.text()).c_str(),
                      "10.77.0.1 10.77.0.2 3000000000.000000000 3000000000.500000000 "
                      "3000000001.000000000 3000000002.000000000 0 4 4 4 3 -24 0.000000 7.947525 "
                      "127.127.1.0");
  header.stratum = 0;
  header.refid = wire::RefidCode("INIT");
  h.node.reporter.RawStatistics({source, ours, t1, t4, header});
  line = Next<msg::NetStatistics>(&h.supervisor.far);
  assert_true(line && line->line.text().ends_with(" 4 16 3 -24 0.000000 7.947525 .INIT."));
}

void SysstatsCountsEachHourAnew(void**) {
  Harness h;
  Reporter& reporter = h.node.reporter;
  control::PacketCounters packets{.received = 5};
  const auto at = [](double seconds) { return MonoTime::FromSeconds(1000 + seconds); };
  reporter.SystemStatistics(at(0), packets);
  packets = {12, 10, 2, 1, 3, 4, 5, 6, 7, 8, 99, 99};
  reporter.SystemStatistics(at(3599), packets);
  assert_false(Next<msg::NetStatistics>(&h.supervisor.far).has_value());
  reporter.SystemStatistics(at(3600), packets);
  auto line = Next<msg::NetStatistics>(&h.supervisor.far);
  assert_true(line && line->file == msg::StatisticsFile::kSys);
  assert_string_equal(std::string(line->line.text()).c_str(), "3600 12 8 10 2 5 1 3 4 6 7");
  packets.received += 2;
  packets.kod_sent += 1;
  reporter.SystemStatistics(at(7201), packets);
  line = Next<msg::NetStatistics>(&h.supervisor.far);
  assert_string_equal(std::string(line->line.text()).c_str(), "3601 2 0 0 0 0 0 0 0 0 1");
}

void ProtostatsNamesTheServerAndTheEvent(void**) {
  Harness h;
  const auto line_of = [&](const core::EngineEvent& event, const std::string& address) {
    h.node.reporter.Event(event, address);
    const auto line = Next<msg::NetStatistics>(&h.supervisor.far);
    return line && line->file == msg::StatisticsFile::kProto ? std::string(line->line.text()) : "";
  };
  h.node.reporter.SetLogClasses(0);
  core::EngineEvent event;
  event.code = static_cast<uint8_t>(wire::SystemEvent::kClockStep);
  event.status_word = 0x061c;
  event.detail = "+1.5 s";
  assert_string_equal(line_of(event, "").c_str(), "0.0.0.0 061c 0c clock_step +1.5 s");
  event = {.id = AssocId{7}, .code = static_cast<uint8_t>(wire::PeerEvent::kReachable)};
  event.status_word = 0x9014;
  assert_string_equal(line_of(event, "fd77::1").c_str(), "fd77::1 9014 84 reachable");
}

void EventsOfAClassThatIsOffGoToProtostatsAlone(void**) {
  Harness h;
  core::EngineEvent peer;
  peer.id = AssocId{7};
  peer.code = 1;
  core::EngineEvent system;
  h.node.reporter.SetLogClasses(msg::kLogSystemEvents);
  h.node.reporter.Event(peer, "10.0.0.1");
  // What was sent first is what is found first.
  assert_true(Next<msg::NetStatistics>(&h.supervisor.far).has_value());
  assert_false(Next<msg::LogLine>(&h.supervisor.far).has_value());
  h.node.reporter.Event(system, "");
  assert_true(Next<msg::LogLine>(&h.supervisor.far).has_value());
  h.node.reporter.Info(msg::kLogPeerInfo, "not wanted");
  h.node.reporter.Log(LogLevel::kWarning, "always");
  const auto warning = Next<msg::LogLine>(&h.supervisor.far);
  assert_true(warning && warning->text.text() == "always");
}

// An audit trail: neither our own lines nor those of strangers cost one of it, and it is bounded.
void LinesUnderTheControlKeyHaveABoundOfTheirOwn(void**) {
  Harness h;
  const auto next = [&] {
    const auto line = Next<msg::LogLine>(&h.supervisor.far);
    return line ? std::string(line->text.text()) : "";
  };
  for (const Cause cause : {Cause::kOurs, Cause::kStranger})
    for (int i = 0; i < 1000; ++i) {
      h.node.reporter.Log(LogLevel::kNotice, "flood", cause);
      (void)next();
    }
  int written = 0;
  for (int i = 0; i < 2000; ++i) {
    h.node.reporter.Audit(LogLevel::kNotice, "10.0.0.1 config: " + std::to_string(i));
    if (next() == "10.0.0.1 config: " + std::to_string(i)) ++written;
    assert_true(written == i + 1 || i >= 500);
  }
  assert_true(written < 1500);
}

// The supervisor has a bound for such lines that is reckoned by these lengths.
void LinesUnderTheControlKeyAreMarkedAndCut(void**) {
  Harness h;
  h.node.reporter.Audit(LogLevel::kNotice, std::string(2000, 'x'));
  auto line = Next<msg::LogLine>(&h.supervisor.far);
  assert_true(line && line->kind == msg::LogKind::kAudit);
  assert_int_equal(line->text.size(), msg::kLongestAudit);
  h.node.reporter.Log(LogLevel::kNotice, std::string(2000, 'x'));
  line = Next<msg::LogLine>(&h.supervisor.far);
  assert_true(line && line->kind == msg::LogKind::kOrdinary && line->text.size() == 1000);
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(RawstatsHasTheColumnsOfTheReference),
      cmocka_unit_test(SysstatsCountsEachHourAnew),
      cmocka_unit_test(ProtostatsNamesTheServerAndTheEvent),
      cmocka_unit_test(EventsOfAClassThatIsOffGoToProtostatsAlone),
      cmocka_unit_test(LinesUnderTheControlKeyHaveABoundOfTheirOwn),
      cmocka_unit_test(LinesUnderTheControlKeyAreMarkedAndCut),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
