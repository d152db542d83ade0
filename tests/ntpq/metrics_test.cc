// `ntpq --openmetrics`: valid whatever the server sends, and in base units.
#include "ntpq/metrics.h"

#include <functional>
#include <set>

#include "ntpd/wire/control_message.h"
#include "ntpq/metric_tables.h"
#include "tests/ntpq/fake_server.h"
#include "tests/ntpq/openmetrics.h"
#include "tests/ntpq/recording.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::ntpq::test {
namespace {

// What a server answers; none: nothing.
struct Answer {
  std::string data;
  std::optional<wire::ControlError> error = {};
  uint16_t status = 0;
};
using Server = std::function<std::optional<Answer>(const wire::ControlHeader&, std::string_view)>;

struct Scrape {
  std::string text;
  std::string err;
};

Scrape Ask(Server server, MetricsFormat format = MetricsFormat::kOpenMetrics) {
  RecordingPlatform platform;
  platform.now.tv_sec = 1795304964;
  FakeServer played;
  played.on_request = [&](const wire::ControlRequest& request) {
    const auto answer = server(request.header, AsText(request.data));
    if (answer && answer->error)
      played.Refuse(request, *answer->error);
    else if (answer)
      played.Answer(request, answer->data, answer->status);
  };
  FakeNetwork network(played);
  RecordedNames names;
  Session session(platform, network, names, Settings{});
  session.OpenHost("127.0.0.1", Family::kNone);
  PrintMetrics(session, format);
  return {platform.out, platform.err};
}

// Two associations, 258 the system peer, and numbers for all that is asked for by name.
constexpr char kList[] = {1, 2, 0x16, 0x1a, 1, 3, '\x90', 0x14};
std::optional<Answer> Ordinary(const wire::ControlHeader& header, std::string_view data) {
  if (header.op == wire::ControlOp::kReadStatus) return Answer{{kList, sizeof kList}};
  if (!data.empty()) {
    std::string answer;
    for (std::string_view rest = data; !rest.empty();) {
      const size_t end = std::min(rest.find(','), rest.size());
      answer += (answer.empty() ? "" : ", ") + std::string(rest.substr(0, end)) + "=17";
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return Answer{answer};
  }
  if (header.assoc.value == 0)
    return Answer{
        "version=\"ntpd 4.2.8\", leap=0, stratum=2, precision=-20, rootdelay=1.500, "
        "refid=10.0.0.1, "
        "reftime=0xeeacac82.80000000, tc=6, offset=-0.250000, frequency=12.500, "
        "expire=202612280000\r\n",
        {},
        0x0615};
  return Answer{"srcadr=10.0.0." + std::to_string(header.assoc.value & 255) +
                    ", hmode=3, stratum=1, offset=0.250, delay=2, reach=0x7f, hpoll=10, "
                    "rec=0x00000000.00000000\r\n",
                {},
                static_cast<uint16_t>(header.assoc.value == 0x102 ? 0x161a : 0x9014)};
}

void GivesBaseUnits(void**) {
  const Exposition read = ReadOpenMetrics(Ask(Ordinary).text);
  assert_string_equal(read.wrong.c_str(), "");
  const auto is = [&](const char* name, double expected,
                      const std::map<std::string, std::string>& labels = {}) {
    const auto value = read.Value(name, labels);
    if (!value || std::abs(*value - expected) > 1e-15 * std::abs(expected))
      fail_msg("%s is %s", name, value ? std::to_string(*value).c_str() : "missing");
  };
  is("ntpward_up", 1);
  is("ntpward_synchronized", 1);
  is("ntpward_stratum", 2);
  is("ntpward_precision_seconds", 1.0 / (1 << 20));
  is("ntpward_root_delay_seconds", 0.0015);
  is("ntpward_offset_seconds", -0.00025);
  is("ntpward_frequency_ratio", 12.5e-6);
  is("ntpward_poll_interval_seconds", 64);
  is("ntpward_reference_timestamp_seconds", 1795304962.5);
  is("ntpward_leap_table_expiry_timestamp_seconds", 1798416000);
  is("ntpward_server_info", 1, {{"version", "ntpd 4.2.8"}, {"refid", "10.0.0.1"}});
  is("ntpward_packets_received_total", 17);
  is("ntpward_recent_clients_size_bytes", 17 * 1024);
  is("ntpward_associations", 2);
  is("ntpward_association_offset_seconds", 0.00025, {{"assid", "258"}, {"remote", "10.0.0.2"}});
  is("ntpward_association_selection", 6, {{"assid", "258"}});
  is("ntpward_association_reach_ratio", 7 / 8.0, {{"assid", "259"}});
  is("ntpward_association_poll_interval_seconds", 1024, {{"assid", "259"}});
  is("ntpward_association_packets_sent_total", 17, {{"assid", "259"}});
  is("ntpward_association_info", 1, {{"assid", "259"}, {"mode", "client"}});
}

// Nobody takes a page for whole from which a server kept a part.
void WhatIsNotAllowedIsSaid(void**) {
  const auto guarded = [](const wire::ControlHeader& header, std::string_view data) {
    if (header.op == wire::ControlOp::kReadVariables && !data.empty())
      return std::optional(Answer{"", wire::ControlError::kPermission});
    return Ordinary(header, data);
  };
  const Scrape scrape = Ask(guarded);
  assert_string_equal(scrape.err.c_str(), "***Server disallowed request (authentication?)\n");
  const Exposition read = ReadOpenMetrics(scrape.text);
  assert_string_equal(read.wrong.c_str(), "");
  assert_true(read.Value("ntpward_up", {}) == 0);
}

void WhatNeverWasIsLeftOut(void**) {
  const Exposition read = ReadOpenMetrics(Ask(Ordinary).text);
  for (const Sample& sample : read.samples)
    assert_true(sample.name != "ntpward_association_received_timestamp_seconds");
}

void BothFormatsAreValidAndSayTheSame(void**) {
  const Exposition open = ReadOpenMetrics(Ask(Ordinary).text);
  const Exposition file = ReadTextfile(Ask(Ordinary, MetricsFormat::kTextfile).text);
  assert_string_equal(open.wrong.c_str(), "");
  assert_string_equal(file.wrong.c_str(), "");
  assert_int_equal(open.samples.size(), file.samples.size());
  for (size_t i = 0; i < open.samples.size(); ++i) {
    assert_true(open.samples[i].name == file.samples[i].name);
    assert_true(open.samples[i].labels == file.samples[i].labels);
    assert_true(open.samples[i].value == file.samples[i].value);
    assert_true(open.samples[i].name.starts_with("ntpward_"));
  }
}

void ASilentServerIsDown(void**) {
  for (const MetricsFormat format : {MetricsFormat::kOpenMetrics, MetricsFormat::kTextfile}) {
    const Scrape scrape = Ask([](const auto&, auto) { return std::nullopt; }, format);
    const Exposition read = format == MetricsFormat::kOpenMetrics ? ReadOpenMetrics(scrape.text)
                                                                  : ReadTextfile(scrape.text);
    assert_string_equal(read.wrong.c_str(), "");
    assert_int_equal(read.samples.size(), 2);
    assert_true(read.Value("ntpward_up") == 0.0);
    assert_true(scrape.err.find("timed out") != std::string::npos);
  }
}

void AServerThatLacksNamesGivesTheOthers(void**) {
  const Exposition read = ReadOpenMetrics(
      Ask([](const wire::ControlHeader& header, std::string_view data) -> std::optional<Answer> {
        if (data.find("ss_limited") != std::string_view::npos)
          return Answer{{}, wire::ControlError::kUnknownVariable};
        return Ordinary(header, data);
      }).text);
  assert_string_equal(read.wrong.c_str(), "");
  assert_true(read.Value("ntpward_packets_received_total") == 17.0);
  assert_false(read.Value("ntpward_packets_rate_limited_total").has_value());
}

// The page of a server that answers the first questions only, in the way of `then`.
Scrape AskUntil(size_t answered, const std::optional<Answer>& then) {
  size_t asked = 0;
  return Ask([&](const wire::ControlHeader& header, std::string_view data) {
    return asked++ < answered ? Ordinary(header, data) : then;
  });
}

// Nobody takes a part for the whole.
void ServersThatStopHalfwayAreDown(void**) {
  size_t questions = 0;
  Ask([&](const wire::ControlHeader& header, std::string_view data) {
    ++questions;
    return Ordinary(header, data);
  });
  for (const auto& then :
       {std::optional<Answer>(), std::optional(Answer{"", wire::ControlError::kPermission})}) {
    for (size_t answered = 0; answered <= questions; ++answered) {
      const Scrape scrape = AskUntil(answered, then);
      const Exposition read = ReadOpenMetrics(scrape.text);
      const bool all = answered == questions;
      assert_string_equal(read.wrong.c_str(), "");
      assert_true(read.Value("ntpward_up") == (all ? 1.0 : 0.0));
      assert_true(all || read.samples.size() == 2);
      assert_true(scrape.err.empty() == all);
    }
  }
}

void AnAssociationThatHasJustGoneIsLeftOut(void**) {
  const Scrape scrape = Ask([](const wire::ControlHeader& header, std::string_view data) {
    if (header.assoc.value == 0x102)
      return std::optional(Answer{"", wire::ControlError::kBadAssociation});
    return Ordinary(header, data);
  });
  const Exposition read = ReadOpenMetrics(scrape.text);
  assert_string_equal(scrape.err.c_str(), "");
  assert_true(read.Value("ntpward_up") == 1.0);
  assert_true(read.Value("ntpward_association_selection", {{"assid", "259"}}).has_value());
  assert_false(read.Value("ntpward_association_selection", {{"assid", "258"}}).has_value());
}

void HostileValuesLeaveTheTextValid(void**) {
  const char* values[] = {"nan",
                          "inf",
                          "-inf",
                          "1e999",
                          "-5",
                          "0x",
                          "\"\\\"",
                          "\"a\\n b\"",
                          "\x1b[2J",
                          "\xff\xfe",
                          "",
                          "1 1",
                          "\"}\n# EOF\n\"",
                          "99999999999999999999"};
  for (const char* value : values) {
    const auto hostile = [&](const wire::ControlHeader& header, std::string_view) {
      if (header.op == wire::ControlOp::kReadStatus) return Answer{{kList, sizeof kList}};
      std::string text = "srcadr=" + std::string(value) + ", srchost=" + value +
                         ", version=" + value + ", refid=" + value + ", hmode=" + value;
      const auto add = [&](std::span<const VariableMetric> set) {
        for (const VariableMetric& metric : set)
          text += ", " + std::string(metric.variable) + "=" + value;
      };
      add(SystemMetrics());
      for (const auto set : NamedSystemMetrics()) add(set);
      add(AssociationMetrics());
      add(NamedAssociationMetrics());
      return Answer{text};
    };
    for (const MetricsFormat format : {MetricsFormat::kOpenMetrics, MetricsFormat::kTextfile}) {
      const std::string text = Ask(hostile, format).text;
      const Exposition read =
          format == MetricsFormat::kOpenMetrics ? ReadOpenMetrics(text) : ReadTextfile(text);
      if (!read.wrong.empty()) fail_msg("with %s: %s", value, read.wrong.c_str());
      for (const Sample& sample : read.samples)
        for (const auto& [name, label] : sample.labels) assert_true(label.size() <= 256);
    }
  }
}

void BoundsTheAssociationsThatItTellsOf(void**) {
  std::string list;
  for (unsigned id = 1; id <= 2000; ++id) {
    list += static_cast<char>(id >> 8);
    list += static_cast<char>(id & 255);
    list += {'\x90', 0x14};
  }
  const Exposition read = ReadOpenMetrics(
      Ask([&](const wire::ControlHeader& header, std::string_view data) -> std::optional<Answer> {
        if (header.op == wire::ControlOp::kReadStatus) return Answer{list};
        return Ordinary(header, data);
      }).text);
  assert_string_equal(read.wrong.c_str(), "");
  assert_true(read.Value("ntpward_associations") == 2000.0);
  size_t told = 0;
  for (const Sample& sample : read.samples) told += sample.name == "ntpward_association_selection";
  assert_int_equal(told, kMaxMetricAssociations);
}

// A list that names one association twice must not give one sample twice.
void TellsOfAnAssociationOnce(void**) {
  const Exposition read = ReadOpenMetrics(
      Ask([](const wire::ControlHeader& header, std::string_view data) -> std::optional<Answer> {
        if (header.op == wire::ControlOp::kReadStatus)
          return Answer{std::string(kList, 4) + std::string(kList, 4)};
        return Ordinary(header, data);
      }).text);
  assert_string_equal(read.wrong.c_str(), "");
}

void ReadsValuesOfEachScale(void**) {
  const auto is = [](const char* text, MetricScale scale, double expected) {
    const auto value = MetricValue(text, scale, {1795304964, 0});
    return value && *value == expected;
  };
  assert_true(is("1.6e+07", MetricScale::kMilliseconds, 16000));
  assert_true(is("-3", MetricScale::kLog2, 0.125));
  assert_true(is("0xff", MetricScale::kRegister, 1));
  assert_true(is("0x0", MetricScale::kRegister, 0));
  assert_true(is("197001010001", MetricScale::kMinute, 60));
  for (const char* text : {"", "x", "1x", "0x100000000000000000", "nan", "202613010000", "0"})
    for (const MetricScale scale : {MetricScale::kMinute, MetricScale::kTimestamp})
      assert_false(MetricValue(text, scale, {}).has_value());
  assert_false(MetricValue("0x100", MetricScale::kRegister, {}).has_value());
  assert_false(MetricValue("4000", MetricScale::kLog2, {}).has_value());
}

// Of the tables, and of what is told beside them.
std::set<std::string> AllNames() {
  std::set<std::string> names;
  const auto add = [&](std::span<const VariableMetric> set) {
    for (const VariableMetric& metric : set)
      names.insert(std::string(metric.family.name) +
                   (metric.family.type == MetricType::kCounter ? "_total" : ""));
  };
  add(SystemMetrics());
  for (const auto set : NamedSystemMetrics()) add(set);
  add(AssociationMetrics());
  add(NamedAssociationMetrics());
  for (const Sample& sample : ReadOpenMetrics(Ask(Ordinary).text).samples)
    names.insert(sample.name);
  return names;
}

void TheDocumentationListsEveryMetric(void**) {
  const auto bytes = ntpward::test::ReadFile("docs/ntpq-metrics.md");
  const std::string text(bytes.begin(), bytes.end());
  std::set<std::string> told;
  const std::string start = "\n| `ntpward_";
  for (size_t at = text.find(start); at != std::string::npos; at = text.find(start, at + 1)) {
    const size_t name = at + 4;
    told.insert(text.substr(name, text.find('`', name) - name));
  }
  for (const std::string& name : AllNames())
    if (!told.contains(name)) fail_msg("docs/ntpq-metrics.md lacks %s", name.c_str());
  assert_int_equal(told.size(), AllNames().size());
}

// --- the reader that the tests rely on

void TheReaderRefusesWhatTheStandardRefuses(void**) {
  const std::string head = "# TYPE a gauge\n# HELP a x\n";
  assert_string_equal(ReadOpenMetrics(head + "a 1\n# EOF\n").wrong.c_str(), "");
  assert_string_equal(
      ReadOpenMetrics(head + "a{b=\"\\\\\\\"\\n\",c=\"\"} -1.5e-05\n# EOF\n").wrong.c_str(), "");
  for (const char* body : {"a 1\n",
                           "a 1\n# EOF\na 1\n",
                           "a 1\n\n# EOF\n",
                           "a  1\n# EOF\n",
                           "a 1 1795304964\n# EOF\n",
                           "a x\n# EOF\n",
                           "a NaN\n# EOF\n",
                           "a_total 1\n# EOF\n",
                           "b 1\n# EOF\n",
                           "a 1\na 1\n# EOF\n",
                           "a{b=\"\\x\"} 1\n# EOF\n",
                           "a{b=\"1\",b=\"2\"} 1\n# EOF\n",
                           "a{b=\"\x80\"} 1\n# EOF\n",
                           "a{b=1} 1\n# EOF\n",
                           "a{} 1\n# EOF\n",
                           "a 1\n# HELP a y\n# EOF\n",
                           "# UNIT a seconds\na 1\n# EOF\n",
                           "a 1\n# TYPE a gauge\n# HELP a x\na{b=\"\"} 1\n# EOF\n",
                           "# EOF\n",
                           "# comment\n# EOF\n"})
    if (ReadOpenMetrics(head + body).wrong.empty()) fail_msg("takes %s", body);
  const std::string counter = "# TYPE a counter\n# HELP a x\n";
  assert_string_equal(ReadOpenMetrics(counter + "a_total 1\n# EOF\n").wrong.c_str(), "");
  assert_false(ReadOpenMetrics(counter + "a 1\n# EOF\n").wrong.empty());
  assert_false(ReadOpenMetrics(counter + "a_total -1\n# EOF\n").wrong.empty());
  assert_false(ReadOpenMetrics("# TYPE a info\n# HELP a x\na_info 2\n# EOF\n").wrong.empty());
  assert_false(ReadTextfile(head + "a 1\n# EOF\n").wrong.empty());
  assert_false(ReadTextfile("# TYPE a counter\n# HELP a x\na 1\n").wrong.empty());
  assert_false(ReadTextfile("# TYPE a info\n# HELP a x\na_info 1\n").wrong.empty());
}

}  // namespace
}  // namespace ntpward::ntpq::test

int main() {
  using namespace ntpward::ntpq::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(GivesBaseUnits),
      cmocka_unit_test(WhatIsNotAllowedIsSaid),
      cmocka_unit_test(WhatNeverWasIsLeftOut),
      cmocka_unit_test(BothFormatsAreValidAndSayTheSame),
      cmocka_unit_test(ASilentServerIsDown),
      cmocka_unit_test(AServerThatLacksNamesGivesTheOthers),
      cmocka_unit_test(ServersThatStopHalfwayAreDown),
      cmocka_unit_test(AnAssociationThatHasJustGoneIsLeftOut),
      cmocka_unit_test(HostileValuesLeaveTheTextValid),
      cmocka_unit_test(BoundsTheAssociationsThatItTellsOf),
      cmocka_unit_test(TellsOfAnAssociationOnce),
      cmocka_unit_test(ReadsValuesOfEachScale),
      cmocka_unit_test(TheDocumentationListsEveryMetric),
      cmocka_unit_test(TheReaderRefusesWhatTheStandardRefuses),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
