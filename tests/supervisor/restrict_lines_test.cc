// From restrict lines to the entries that ntpd-net is told.
#include "ntpd/settings/lines.h"
#include "ntpd/supervisor/translate.h"
#include "tests/supervisor/parsed_config.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/kept_lines.h"

namespace ntpward::supervisor {
namespace {

using namespace ntpward::supervisor::test;
using ntpward::test::KeptLines;

void TellsNetTheBitsOfEachRestriction(void**) {
  using enum config::RestrictFlag;
  const std::pair<config::RestrictFlag, uint16_t> bits[] = {
      {kIgnore, 1},       {kNoServe, 2},    {kNoTrust, 4},         {kVersion, 8},
      {kNoPeer, 0x10},    {kNoEpeer, 0x20}, {kLimited, 0x40},      {kNoQuery, 0x80},
      {kNoModify, 0x100}, {kNoTrap, 0x200}, {kLowPrioTrap, 0x400}, {kKod, 0x800},
      {kMsSntp, 0x1000},  {kFlake, 0x2000}, {kNoMruList, 0x4000}};
  for (const auto& [flag, bit] : bits) {
    config::RestrictFlags flags;
    flags.Add(flag);
    assert_int_equal(settings::AccessBits(flags), bit);
  }
}

std::vector<msg::NetRestriction> EntriesOf(const NetConfiguration& net) {
  std::vector<msg::NetRestriction> entries;
  for (const auto& message : net.restrictions)
    for (const auto& entry : message.entries) entries.push_back(entry);
  return entries;
}

void TranslatesRestrictLines(void**) {
  KeptLines log;
  const auto entries = EntriesOf(Translate(
      Parse("restrict default kod nomodify\nrestrict -6 default ignore\nrestrict 10.0.0.0 mask "
            "255.0.0.0 ntpport\nrestrict 10.1.0.0/16 non-ntpport\nrestrict 10.2.0.0/16 ntpport "
            "non-ntpport\nrestrict source noquery\nunrestrict -4 default\n"),
      Options(), &log));
  size_t v4_defaults = 0;
  size_t v6_defaults = 0;
  bool ten = false;
  bool source = false;
  bool other = false, any = false;
  for (const auto& entry : entries) {
    if (entry.source) source = entry.flags == 0x80;
    const bool is_default = !entry.source && entry.mask == std::array<uint8_t, 16>{} && !entry.name;
    v4_defaults += is_default && entry.address.family == Family::kIpv4;
    v6_defaults += is_default && entry.address.family == Family::kIpv6;
    if (entry.address == IpAddress::V4(10, 0, 0, 0))
      ten = entry.mask == IpAddress::V4(255, 0, 0, 0).octets && entry.port == 1;
    if (entry.address == IpAddress::V4(10, 1, 0, 0)) other = entry.port == 2;
    if (entry.address == IpAddress::V4(10, 2, 0, 0)) any = entry.port == 0;
  }
  // One family's default goes, the other's stays.
  assert_int_equal(v4_defaults, 0);
  assert_int_equal(v6_defaults, 2);
  assert_true(ten && source && other && any);
}

void AMaskWithGapsArrivesWhole(void**) {
  KeptLines log;
  const auto entries = EntriesOf(
      Translate(Parse("restrict 10.0.3.0 mask 255.0.255.0 noquery\nrestrict fd00:0:0:3:: mask "
                      "ffff:0:ffff:ffff:: noquery\nrestrict 10.0.4.0 mask 255.0.255.0\n"
                      "restrict 10.0.4.0/24\nunrestrict 10.0.4.0 mask 255.0.255.0\n"),
                Options(), &log));
  assert_int_equal(entries.size(), 3);
  assert_true(entries[0].mask == IpAddress::V4(255, 0, 255, 0).octets);
  assert_true(entries[1].mask == IpAddress::Parse("ffff:0:ffff:ffff::")->octets);
  assert_true(entries[2].mask == IpAddress::V4(255, 255, 255, 0).octets);
}

// As many as there may be in a message, and with the longest names.
void NamedRestrictLinesFitTheirMessages(void**) {
  KeptLines log;
  std::string text;
  for (int i = 0; i < 150; ++i) text += "restrict 2001:db8::" + std::to_string(i) + " noquery\n";
  const std::string label(61, 'a');
  const std::string host = label + "." + label + "." + label + "." + label;
  for (int i = 0; i < 3; ++i) text += "restrict " + host + std::to_string(i) + " noquery\n";
  for (int i = 0; i < 150; ++i) text += "restrict 2001:db8:1::" + std::to_string(i) + " noquery\n";
  const NetConfiguration net = Translate(Parse(text), {}, &log);
  std::vector<std::string> names;
  size_t entries = 0;
  for (const auto& message : net.restrictions) {
    // Fatal when it does not fit.
    msg::Encoded encoded;
    msg::Encode(message, &encoded);
    for (const auto& entry : message.entries) {
      ++entries;
      if (entry.name) names.emplace_back(entry.label.text());
    }
  }
  assert_int_equal(names.size(), 3);
  assert_string_equal(names[2].c_str(), (host + "2").c_str());
  // With those of the source template and of loopback.
  assert_true(entries >= 303);
}

}  // namespace
}  // namespace ntpward::supervisor

int main() {
  using namespace ntpward::supervisor;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TellsNetTheBitsOfEachRestriction),
      cmocka_unit_test(TranslatesRestrictLines),
      cmocka_unit_test(AMaskWithGapsArrivesWhole),
      cmocka_unit_test(NamedRestrictLinesFitTheirMessages),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
