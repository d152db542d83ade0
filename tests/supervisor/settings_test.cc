// From command line and configuration to what the roles are told, and to what may be reached.
#include <unistd.h>

#include <tuple>

#include "ntpd/config/parser.h"
#include "ntpd/settings/lines.h"
#include "ntpd/supervisor/clock_start.h"
#include "ntpd/supervisor/directories.h"
#include "ntpd/supervisor/kept_trust.h"
#include "ntpd/supervisor/need_restart.h"
#include "ntpd/supervisor/role_process.h"
#include "ntpd/supervisor/translate.h"
#include "tests/supervisor/parsed_config.h"
#include "tests/support/arguments.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/kept_lines.h"

namespace ntpward::supervisor {
namespace {

using namespace ntpward::supervisor::test;
using ntpward::test::KeptLines;

Result<Options> ParseWords(std::vector<std::string> words) {
  words.insert(words.begin(), "ntpd");
  ntpward::test::Arguments arguments(std::move(words));
  return ParseOptions(arguments.argc(), arguments.argv());
}

// --- what is logged and recorded

void LogconfigChoosesAmongTheLinesThatThereAre(void**) {
  assert_int_equal(LogClasses(Parse("server 10.0.0.1\n")), msg::kLogEverything);
  assert_int_equal(LogClasses(Parse("logconfig =syncstatus +sysevents\n")), msg::kLogSystemEvents);
  assert_int_equal(LogClasses(Parse("logconfig +peerall\n")),
                   msg::kLogPeerEvents | msg::kLogPeerInfo);
  assert_int_equal(LogClasses(Parse("logconfig =all -sysinfo\n")),
                   msg::kLogEverything & ~msg::kLogSystemInfo);
  assert_int_equal(LogClasses(Parse("logconfig =all -all\n")), 0);
  KeptLines lines;
  const NetConfiguration net = Translate(Parse("logconfig =peerevents\n"), Options(), &lines);
  assert_int_equal(net.start.log_classes, msg::kLogPeerEvents);
}

void StatisticsThatAreNeverWrittenAreSaid(void**) {
  KeptLines lines;
  (void)Translate(Parse("statistics loopstats rawstats sysstats\n"), Options(), &lines);
  assert_int_equal(lines.all.size(), 0);
  (void)Translate(Parse("statistics clockstats\nfilegen timingstats\n"), Options(), &lines);
  assert_int_equal(lines.all.size(), 2);
  assert_true(lines.all[0].starts_with("clockstats: nothing"));
  assert_true(lines.all[1].starts_with("timingstats: nothing"));
}

void AVariableThatHidesNothingIsSaid(void**) {
  KeptLines lines;
  Options options;
  options.variables = {"*+site=attic", "+stratum=1"};
  (void)Translate(Parse("server 10.0.0.1\n"), options, &lines);
  assert_int_equal(lines.all.size(), 1);
  assert_true(lines.all[0].starts_with("variable stratum of the command line has no effect"));
}

// --- options

void UnderstandsEachOptionInBothForms(void**) {
  struct Case {
    std::vector<std::string> words;
    bool (*holds)(const Options&);
  };
  const Case cases[] = {
      {{}, [](const Options& o) { return o.config_file == "/etc/ntp.conf" && !o.foreground; }},
      {{"-c", "/a"}, [](const Options& o) { return o.config_file == "/a"; }},
      {{"--configfile=/a"}, [](const Options& o) { return o.config_file == "/a"; }},
      {{"-f", "/d"}, [](const Options& o) { return o.drift_file == "/d"; }},
      {{"--driftfile", "/d"}, [](const Options& o) { return o.drift_file == "/d"; }},
      {{"-g"}, [](const Options& o) { return o.allow_panic; }},
      {{"--panicgate"}, [](const Options& o) { return o.allow_panic; }},
      {{"-gq"}, [](const Options& o) { return o.allow_panic && o.quit && o.foreground; }},
      {{"--quit"}, [](const Options& o) { return o.quit; }},
      {{"-n"}, [](const Options& o) { return o.foreground; }},
      {{"--nofork"}, [](const Options& o) { return o.foreground; }},
      {{"-x"}, [](const Options& o) { return o.slew_only; }},
      {{"--slew"}, [](const Options& o) { return o.slew_only; }},
      {{"-d", "-d"}, [](const Options& o) { return o.debug == 2 && o.foreground; }},
      {{"-D", "7"}, [](const Options& o) { return o.debug == 7; }},
      {{"-l", "/l"}, [](const Options& o) { return o.log_file == "/l"; }},
      {{"--logfile=/l"}, [](const Options& o) { return o.log_file == "/l"; }},
      {{"-p", "/p"}, [](const Options& o) { return o.pid_file == "/p"; }},
      {{"-u", "a:b"}, [](const Options& o) { return o.user == "a:b"; }},
      {{"-i", "/j"}, [](const Options& o) { return o.chroot_directory == "/j"; }},
      {{"-4"}, [](const Options& o) { return o.family == 4; }},
      {{"--ipv6"}, [](const Options& o) { return o.family == 6; }},
      {{"-I", "lo", "-I", "eth0"}, [](const Options& o) { return o.interfaces.size() == 2; }},
      {{"-V"}, [](const Options& o) { return o.show_version; }},
      {{"-V", "site=attic", "-v", "level=1"},
       [](const Options& o) {
         return !o.show_version &&
                o.variables == std::vector<std::string>{"*+site=attic", "+level=1"};
       }},
      {{"--dvar=a=b c", "--var=d="},
       [](const Options& o) {
         return o.variables == std::vector<std::string>{"*+a=b c", "+d="};
       }},
      {{"--version"}, [](const Options& o) { return o.show_version; }},
      {{"--help"}, [](const Options& o) { return o.show_help; }},
      {{"-?"}, [](const Options& o) { return o.show_help; }},
      {{"-t"}, [](const Options& o) { return o.check_config; }},
      {{"--check-config"}, [](const Options& o) { return o.check_config; }},
      {{"--renew-certificate"}, [](const Options& o) { return o.renew_certificate; }},
      {{"-N"}, [](const Options& o) { return !o.show_help; }},
      {{"--no-clock"}, [](const Options& o) { return o.no_clock && o.clock_offset == 0; }},
      {{"--no-clock=-2.5,30"},
       [](const Options& o) {
         return o.no_clock && o.clock_offset == -2.5 && o.clock_error_ppm == 30;
       }},
  };
  for (const Case& c : cases) {
    const auto options = ParseWords(c.words);
    if (!options.ok() || !c.holds(*options))
      fail_msg("%s", c.words.empty() ? "no option" : c.words[0].c_str());
  }
}

void RefusesWhatItDoesNotUnderstand(void**) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"-Z"},
                                             {"--nonsense"},
                                             {"-c"},
                                             {"--configfile"},
                                             {"host"},
                                             {"-D", "x"},
                                             {"-D", "10"},
                                             {"-u", ""},
                                             {"--user="},
                                             {"-I", ""},
                                             {"-l", ""},
                                             {"--pidfile="},
                                             {"-f", ""},
                                             {"-nqf", ""},
                                             {"--no-clock=x"},
                                             {"--no-clock="},
                                             {"--no-clock=1,"},
                                             {"--no-clock=1,2,3"},
                                             {"--no-clock=nan"},
                                             {"--no-clock=inf"},
                                             {"--no-clock=1e300"},
                                             {"--no-clock=0,501"},
                                             {"--no-clock=0,nan"},
                                             {"-v"},
                                             {"-v", "name"},
                                             {"-v", "=x"},
                                             {"-v", "a b=x"},
                                             {"-v", "a,b=x"},
                                             {"-v", "*a=x"},
                                             {"-v", "a=\"x"},
                                             {"-v", "a=x\n"},
                                             {"-v", "a=" + std::string(119, 'x')},
                                             {"-4", "-6"}})
    if (ParseWords(words).ok()) fail_msg("%s", words[0].c_str());
}

// --- what net is told

void PeersBroadcastsAndGroupsReachNet(void**) {
  KeptLines log;
  const NetConfiguration net = Translate(
      Parse(
          "restrict default ippeerlimit 1\npeer 192.0.2.1 key 4\nbroadcast 224.0.1.1 key 5 ttl 1\n"
          "multicastclient 224.0.1.1\nmanycastserver 239.1.1.1\nttl 8 16\nkeys /k\n"),
      {}, &log);
  assert_true(log.all.empty());
  assert_int_equal(net.restrictions[0].entries[0].ippeerlimit, 1);
  assert_int_equal(net.associations.size(), 2);
  assert_true(net.associations[0].kind == msg::NetAssociationKind::kPeer);
  assert_true(net.associations[1].kind == msg::NetAssociationKind::kBroadcast);
  assert_int_equal(net.associations[1].ttl, 16);
  assert_int_equal(net.start.multicast_groups.size(), 1);
  assert_int_equal(net.start.manycast_groups.size(), 1);
  assert_false(net.start.broadcast_client);
}

void WhatCannotBeServedIsNamedByItsPlace(void**) {
  KeptLines log;
  std::string text = "server 192.0.2.1\nbroadcast time.example\nmulticastclient";
  for (int i = 1; i <= 9; ++i) text += " 224.0.1." + std::to_string(i);
  const NetConfiguration net = Translate(Parse(text + "\n"), {}, &log);
  assert_int_equal(net.associations.size(), 1);
  assert_int_equal(net.errors.size(), 2);
  const std::string said = ToString(net.errors[0]) + "\n" + ToString(net.errors[1]);
  assert_true(said.find("/etc/ntp.conf:2:11: error: expected a numeric address") !=
              std::string::npos);
  assert_true(said.find("/etc/ntp.conf:3:") != std::string::npos);
  assert_true(said.find("expected at most 8") != std::string::npos);
}

void ARuleThatCannotBeServedRefusesTheStart(void**) {
  KeptLines log;
  std::string text;
  for (size_t i = 0; i < msg::kMaxNames; ++i) text += "server n" + std::to_string(i) + ".example\n";
  const NetConfiguration full = Translate(Parse(text), {}, &log);
  assert_true(full.errors.empty());
  // A name that is known needs no new number.
  assert_true(Translate(Parse(text + "restrict n0.example ignore\n"), {}, &log).errors.empty());
  const NetConfiguration over = Translate(Parse(text + "restrict one.more ignore\n"), {}, &log);
  assert_int_equal(over.errors.size(), 1);
  assert_true(over.errors[0].fatal_at_start);
}

void EachKeyIsBoundToTheRolesOfItsLines(void**) {
  const auto messages =
      TrustedKeys(Parse("keys /k\ntrustedkey 1\nserver 192.0.2.1 key 2\npeer 192.0.2.2 key 3\n"
                        "broadcast 192.0.2.255 key 4\nbroadcastclient\n"));
  assert_int_equal(messages[0].keys.size(), 4);
  for (const msg::TrustedKey& key : messages[0].keys) {
    assert_int_equal(key.serve, key.key.value == 1);
    assert_int_equal(key.listen, key.key.value == 1);
    assert_int_equal(key.upstream, key.key.value == 2);
    assert_int_equal(key.peer, key.key.value == 3);
    assert_int_equal(key.broadcast, key.key.value == 4);
  }
}

void TheLastWordAboutAKeyIsKept(void**) {
  KeptTrust kept;
  assert_true(kept.Messages().empty());
  msg::RuntimeTrust change;
  assert_true(change.keys.Push({KeyId{7}, true}) && change.keys.Push({KeyId{5}, true}) &&
              change.keys.Push({KeyId{7}, false}));
  kept.Take(change);
  const auto messages = kept.Messages();
  assert_int_equal(messages.size(), 1);
  assert_int_equal(messages[0].keys.size(), 2);
  assert_true(messages[0].keys[0].key == KeyId{5} && messages[0].keys[0].trusted);
  assert_true(messages[0].keys[1].key == KeyId{7} && !messages[0].keys[1].trusted);
  for (uint32_t id = 1; id <= 65535; ++id) {
    msg::RuntimeTrust one;
    assert_true(one.keys.Push({KeyId{id}, true}));
    kept.Take(one);
  }
  assert_int_equal(kept.Messages().size(), (65535 + 299) / 300);
}

void NamesAreSentOnceAndKeepTheirIndex(void**) {
  KeptLines log;
  const auto first =
      Translate(Parse("server a.example\nserver b.example\nrestrict a.example\n"), Options(), &log);
  assert_int_equal(first.names.size(), 2);
  assert_int_equal(*first.associations[1].name, 1);
  const auto second =
      Translate(Parse("server c.example\nserver b.example\n"), Options(), &log, first.names);
  assert_int_equal(second.names.size(), 3);
  assert_int_equal(*second.associations[0].name, 2);
  assert_int_equal(*second.associations[1].name, 1);
}

void EachDirectionHasItsStepLimit(void**) {
  KeptLines log;
  const auto limits = [&log](const std::string& tinker) {
    const config::Config config = Parse("server 192.0.2.1\n" + tinker);
    const msg::NetStart start = Translate(config, Options(), &log).start;
    const bool slew_only = FirstClockStart(config, Options(), true, {}).slew_only;
    return std::tuple(start.step_forward, start.step_backward, slew_only);
  };
  assert_true(limits("") == std::tuple(0.128, 0.128, false));
  assert_true(limits("tinker stepfwd 2\n") == std::tuple(2.0, 0.128, false));
  assert_true(limits("tinker stepback 3\n") == std::tuple(0.128, 3.0, false));
  assert_true(limits("tinker step 0\n") == std::tuple(0.0, 0.0, true));
  assert_true(limits("tinker step 0 stepfwd 1\n") == std::tuple(1.0, 0.0, false));
}

void TheLocalClockGetsItsFudge(void**) {
  KeptLines log;
  const auto net = Translate(Parse("server 127.127.1.0\nfudge 127.127.1.0 stratum 9 refid LAN\n"),
                             Options(), &log);
  assert_int_equal(net.associations.size(), 1);
  assert_true(net.associations[0].kind == msg::NetAssociationKind::kLocalClock);
  assert_int_equal(net.associations[0].stratum, 9);
  assert_true(net.associations[0].refid.text() == "LAN");
}

void OptionsReachNet(void**) {
  KeptLines log;
  Options options;
  options.allow_panic = options.quit = options.slew_only = true;
  options.family = 6;
  const auto net = Translate(Parse("server a.example\ntinker panic 7\n"), options, &log);
  assert_true(net.start.allow_panic && net.start.quit && net.start.slew_only);
  // The second poll without a volley may be a minute away.
  assert_true(net.associations[0].iburst);
  assert_true(net.start.panic == 7);
  assert_int_equal(net.names[0].family, 6);
}

// --- the clock's limits

void ASuccessorGoesOnWhereTheClockWas(void**) {
  Options options;
  options.allow_panic = true;
  options.clock_error_ppm = 100;
  const auto first = FirstClockStart(Parse("tinker panic 50\n"), options, true, Ppm{3});
  assert_true(first.step_limit == 50 && first.first_step_free && !first.slew_only);
  assert_true(first.frequency == Ppm{3});
  msg::ClockMirror mirror{.frequency = Ppm{-50},
                          .correction = 1,
                          .slew = 0.001,
                          .as_of = MonoTime::FromSeconds(100),
                          .gate_shut = true};
  mirror.budget.steps = 4;
  mirror.tai_changed = MonoTime::FromSeconds(90);
  const auto next = NextClockStart(first, mirror, MonoTime::FromSeconds(110));
  // 10 s at -50 + 100 ppm, and the whole of the slew.
  assert_true(std::abs(next.initial_correction - (1 + 10 * 50e-6 + 0.001)) < 1e-9);
  assert_false(next.first_step_free);
  assert_true(next.frequency == Ppm{-50} && next.budget.steps == 4);
  assert_true(next.tai_changed == mirror.tai_changed);
  assert_true(FirstClockStart(Parse("tinker step 0\n"), options, true, {}).slew_only);
}

void OnlyQMaySlewByMoreAtOnce(void**) {
  const auto limit = [](const std::string& tinker, bool quit, bool slew_only) {
    Options options;
    options.quit = quit;
    options.slew_only = slew_only;
    return FirstClockStart(Parse(tinker), options, true, {}).first_slew_limit;
  };
  assert_true(limit("", false, true) == 0);
  assert_true(limit("tinker step 0\n", false, false) == 0);
  assert_true(limit("", true, false) == 0.128);
  assert_true(limit("", true, true) == 600);
  assert_true(limit("tinker step 0\n", true, false) == 600);
  assert_true(limit("tinker stepback 5\n", true, false) == 5);
  assert_true(limit("tinker stepback 700\n", true, false) == 600);
  Options options;
  options.quit = options.slew_only = true;
  const auto first = FirstClockStart(Parse(""), options, true, {});
  assert_true(NextClockStart(first, {}, MonoTime::FromSeconds(1)).first_slew_limit == 0);
}

// --- directories

void GrantsTheDirectoriesThatFilesAreIn(void**) {
  using enum DirectoryAccess;
  Options options;
  options.config_file = "/nowhere/etc/ntp.conf";
  options.log_file = "/nowhere/log/ntpd.log";
  const auto grants = ConfiguredDirectories(
      Parse("driftfile /nowhere/lib/ntp.drift\nkeys /nowhere/keys/ntp.keys\nstatsdir "
            "/nowhere/stats/\nstatistics loopstats\nleapfile /nowhere/leap/list\n"),
      options);
  const auto covered = [&](const char* path, DirectoryAccess access) {
    return NotCovered(grants, {{path, access}}).empty();
  };
  assert_true(covered("/nowhere/etc", kRead) && !covered("/nowhere/etc", kWrite));
  assert_true(covered("/nowhere/keys", kRead) && !covered("/nowhere/keys", kWrite));
  assert_true(covered("/nowhere/leap", kRead) && !covered("/nowhere/leap", kWrite));
  assert_true(covered("/nowhere/lib", kWrite) && covered("/nowhere/log", kWrite));
  assert_true(covered("/nowhere/stats/below", kWrite));
  assert_false(covered("/nowhere", kRead));
  assert_false(covered("/nowhere/library", kRead));
}

void SystemDirectoriesAreNotWritable(void**) {
  for (const DirectoryGrant& grant : SystemDirectories("/usr/local/libexec/ntpward"))
    assert_true(grant.access != DirectoryAccess::kWrite);
}

// --- restarts

void BackOffDoublesAndGivesUp(void**) {
  BackOff back_off(BackOff::Patience::kBounded);
  for (const double expected : {0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60})
    assert_true(back_off.AfterDeath(1) == expected);
  assert_false(back_off.AfterDeath(1).has_value());
  BackOff recovered(BackOff::Patience::kBounded);
  for (int i = 0; i < 12; ++i) assert_true(recovered.AfterDeath(1).has_value());
  assert_true(recovered.AfterDeath(61) == 0);
  assert_true(recovered.AfterDeath(1) == 1);
}

// The look-up of names: what kills it may come from the network.
void EndlessPatienceNeverGivesUp(void**) {
  BackOff back_off(BackOff::Patience::kEndless);
  for (const double expected : {0, 1, 2, 4, 8, 16, 32})
    assert_true(back_off.AfterDeath(1) == expected);
  for (int i = 0; i < 1000; ++i) assert_true(back_off.AfterDeath(1) == 60);
  assert_true(back_off.AfterDeath(61) == 0);
}

void OutboxKeepsTheOrderOverAFullPipe(void**) {
  Pipe pipe = std::move(MakePipe()).value();
  Channel sender(UniqueFd(), std::move(pipe.write_end));
  Channel receiver(std::move(pipe.read_end), UniqueFd());
  Outbox outbox;
  for (uint32_t i = 0; i < 2000; ++i) assert_true(outbox.Post(msg::ClockAdjust{.request = i}));
  uint32_t expected = 0;
  for (bool done = false; !done || expected < 2000;) {
    done = outbox.Flush(&sender);
    while (const auto bytes = receiver.Receive()) {
      msg::ClockAdjust adjust;
      assert_true(msg::Decode(*bytes, &adjust));
      assert_int_equal(adjust.request, expected++);
    }
  }
}

// --- reload

void OnlyWhatCannotBeFollowedNeedsARestart(void**) {
  const std::string base = "server 192.0.2.1\nlogfile /a\npidfile /b\n";
  const auto against = [&](const std::string& text, const Options& options = {}) {
    return NeedRestart(Parse(base), Parse(text), options);
  };
  assert_true(against(base).empty());
  assert_true(against(base +
                      "tinker panic 5 step 1 dispersion 20\ntos minclock 4\ndscp 0\nrevoke 12\n"
                      "interface listen lo\n")
                  .empty());
  assert_true(against(base + "tinker freq 0\n") == std::vector<std::string>{"tinker freq"});
  const std::string moved = "server 192.0.2.1\nlogfile /c\npidfile /d\n";
  assert_true((against(moved) == std::vector<std::string>{"logfile", "pidfile"}));
  Options options;
  options.log_file = options.pid_file = "/e";
  assert_true(against(moved, options).empty());
}

}  // namespace
}  // namespace ntpward::supervisor

int main() {
  using namespace ntpward::supervisor;
  const CMUnitTest tests[] = {
      cmocka_unit_test(LogconfigChoosesAmongTheLinesThatThereAre),
      cmocka_unit_test(StatisticsThatAreNeverWrittenAreSaid),
      cmocka_unit_test(AVariableThatHidesNothingIsSaid),
      cmocka_unit_test(UnderstandsEachOptionInBothForms),
      cmocka_unit_test(RefusesWhatItDoesNotUnderstand),
      cmocka_unit_test(PeersBroadcastsAndGroupsReachNet),
      cmocka_unit_test(WhatCannotBeServedIsNamedByItsPlace),
      cmocka_unit_test(ARuleThatCannotBeServedRefusesTheStart),
      cmocka_unit_test(EachKeyIsBoundToTheRolesOfItsLines),
      cmocka_unit_test(TheLastWordAboutAKeyIsKept),
      cmocka_unit_test(NamesAreSentOnceAndKeepTheirIndex),
      cmocka_unit_test(EachDirectionHasItsStepLimit),
      cmocka_unit_test(TheLocalClockGetsItsFudge),
      cmocka_unit_test(OptionsReachNet),
      cmocka_unit_test(ASuccessorGoesOnWhereTheClockWas),
      cmocka_unit_test(OnlyQMaySlewByMoreAtOnce),
      cmocka_unit_test(GrantsTheDirectoriesThatFilesAreIn),
      cmocka_unit_test(SystemDirectoriesAreNotWritable),
      cmocka_unit_test(BackOffDoublesAndGivesUp),
      cmocka_unit_test(EndlessPatienceNeverGivesUp),
      cmocka_unit_test(OutboxKeepsTheOrderOverAFullPipe),
      cmocka_unit_test(OnlyWhatCannotBeFollowedNeedsARestart),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
