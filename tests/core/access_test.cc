// The restrict list against a brute-force oracle, and the rules that operators rely on.
#include "ntpd/core/access.h"

#include <random>
#include <tuple>

#include "tests/support/cmocka_cc.h"

namespace ntpward::core {
namespace {

AccessEntry Entry(const char* address, int length, AccessFlags flags,
                  SourcePort port = SourcePort::kAny) {
  AccessEntry entry;
  entry.address = *IpAddress::Parse(address);
  entry.mask = AccessList::Mask(entry.address.family, length);
  entry.flags = flags;
  entry.port = port;
  return entry;
}

SocketAddress From(const char* address, uint16_t port = 40000) {
  return {*IpAddress::Parse(address), port};
}

bool MatchesEntry(const AccessEntry& entry, const SocketAddress& source) {
  if (entry.address.family != source.ip.family) return false;
  if (entry.port == SourcePort::kNtp && source.port != 123) return false;
  if (entry.port == SourcePort::kOther && source.port == 123) return false;
  for (size_t i = 0; i < 16; ++i)
    if ((source.ip.octets[i] & entry.mask[i]) != (entry.address.octets[i] & entry.mask[i]))
      return false;
  return true;
}

// Of the entries that match the highest, by address, mask and port.
AccessFlags Oracle(const std::vector<AccessEntry>& entries, const SocketAddress& source) {
  const AccessEntry* best = nullptr;
  for (const AccessEntry& entry : entries) {
    if (!MatchesEntry(entry, source)) continue;
    const auto rank = [](const AccessEntry& e) {
      return std::tuple(e.address.octets, e.mask, e.port);
    };
    if (best == nullptr || rank(entry) > rank(*best)) best = &entry;
  }
  return best == nullptr ? AccessFlags() : best->flags;
}

// CVE-2015-1821: subnet lengths that are no multiple of 4 matched wrongly.
void EveryPrefixLengthMatchesAsTheOracleDoes(void**) {
  std::mt19937 random(7);
  for (Family family : {Family::kIpv4, Family::kIpv6}) {
    AccessList list;
    std::vector<AccessEntry> entries;
    const int width = family == Family::kIpv4 ? 32 : 128;
    IpAddress base;
    base.family = family;
    for (int i = 0; i < width / 8; ++i) base.octets[static_cast<size_t>(i)] = 0xa5;
    for (int length = 0; length <= width; ++length) {
      AccessEntry entry;
      entry.address = base;
      entry.mask = AccessList::Mask(family, length);
      entry.flags = AccessFlags(static_cast<uint16_t>(1 + length));
      entries.push_back(entry);
      if (length > 0)
        list.Add(entry);
      else
        list.SetDefault(family, entry.flags);
    }
    for (int flip = 0; flip < width; ++flip) {
      SocketAddress source{base, 1000};
      source.ip.octets[static_cast<size_t>(flip / 8)] ^= static_cast<uint8_t>(0x80 >> (flip % 8));
      for (int i = flip / 8 + 1; i < width / 8; ++i)
        source.ip.octets[static_cast<size_t>(i)] = static_cast<uint8_t>(random());
      assert_true(list.Lookup(source) == Oracle(entries, source));
      assert_int_equal(list.Lookup(source).bits, 1 + flip);
    }
    assert_int_equal(list.Lookup({base, 1000}).bits, 1 + width);
  }
}

void RandomListsMatchAsTheOracleDoes(void**) {
  std::mt19937 random(11);
  for (int round = 0; round < 40; ++round) {
    AccessList list;
    std::vector<AccessEntry> entries;
    for (int i = 0; i < 30; ++i) {
      AccessEntry entry;
      entry.address =
          IpAddress::V4(10, static_cast<uint8_t>(random() % 2), static_cast<uint8_t>(random() % 4),
                        static_cast<uint8_t>(random()));
      // Distinct masks, so that no entry adds to another.
      entry.mask = AccessList::Mask(Family::kIpv4, 1 + i);
      if (i % 5 == 4) std::swap(entry.mask[0], entry.mask[3]);  // not contiguous
      entry.flags = AccessFlags(static_cast<uint16_t>(1 + i));
      entry.port = static_cast<SourcePort>(random() % 3);
      for (size_t o = 0; o < 16; ++o) entry.address.octets[o] &= entry.mask[o];
      entries.push_back(entry);
      list.Add(entry);
    }
    for (int i = 0; i < 300; ++i) {
      const SocketAddress source{
          IpAddress::V4(10, static_cast<uint8_t>(random() % 2), static_cast<uint8_t>(random() % 4),
                        static_cast<uint8_t>(random())),
          static_cast<uint16_t>(random() % 2 ? 123 : 5000)};
      assert_int_equal(list.Lookup(source).bits, Oracle(entries, source).bits);
    }
  }
}

void MostSpecificEntryWinsAndFlagsAreNotMerged(void**) {
  AccessList list;
  list.SetDefault(Family::kIpv4, Access::kNoQuery | Access::kLimited);
  list.Add(Entry("10.0.0.0", 8, Access::kNoServe));
  list.Add(Entry("10.1.0.0", 16, AccessFlags()));
  assert_true(list.Lookup(From("10.1.2.3")) == AccessFlags());
  assert_true(list.Lookup(From("10.2.2.3")) == AccessFlags(Access::kNoServe));
  assert_true(list.Lookup(From("11.2.2.3")) == (Access::kNoQuery | Access::kLimited));
  assert_true(list.Lookup(From("2001:db8::1")) == AccessFlags());
}

// As ntpd 4.2.8p18 did with the same lines.
void AmongMasksWithGapsTheHighestAddressWins(void**) {
  AccessList list;
  AccessEntry gap = Entry("10.0.3.0", 24, Access::kNoServe);
  gap.mask = {255, 0, 255, 0};
  list.Add(gap);
  AccessEntry last = Entry("0.0.0.5", 32, Access::kNoServe);
  last.mask = {0, 0, 0, 255};
  list.Add(last);
  AccessEntry six = Entry("fd00:0:0:3::", 64, Access::kNoServe);
  six.mask[2] = six.mask[3] = 0;
  list.Add(six);
  list.Add(Entry("10.1.3.5", 32, {}));
  list.Add(Entry("10.2.3.0", 24, {}));
  list.Add(Entry("10.3.0.0", 16, {}));
  list.Add(Entry("12.0.0.0", 7, {}));
  list.Add(Entry("fd00:2::", 32, {}));
  for (const char* refused : {"10.0.3.4", "10.1.3.4", "14.0.0.5", "fd00:1:0:3::4"})
    if (!list.Lookup(From(refused)).has(Access::kNoServe)) fail_msg("%s", refused);
  for (const char* served : {"10.1.3.5", "10.2.3.4", "10.3.3.4", "10.9.9.9", "12.0.0.5", "13.0.0.5",
                             "fd00:2:0:3::4", "fd00:3::4"})
    if (list.Lookup(From(served)).has(Access::kNoServe)) fail_msg("%s", served);
  // In the order in which they are tried, as 4.2.8p18's reslist shows them.
  const std::vector<AccessEntry> entries = list.Entries();
  const char* const expected[] = {"12.0.0.0", "10.3.0.0", "10.2.3.0", "10.1.3.5",     "10.0.3.0",
                                  "0.0.0.5",  "0.0.0.0",  "fd00:2::", "fd00:0:0:3::", "::"};
  assert_int_equal(entries.size(), std::size(expected));
  for (size_t i = 0; i < entries.size(); ++i)
    assert_string_equal(entries[i].address.ToString().c_str(), expected[i]);
}

void RepeatingAnEntryAddsFlagsAndRemovingItFreesIt(void**) {
  AccessList list;
  list.Add(Entry("10.0.0.0", 8, Access::kNoQuery));
  list.Add(Entry("10.9.9.9", 8, Access::kNoServe));  // the same network
  assert_true(list.Lookup(From("10.1.1.1")) == (Access::kNoQuery | Access::kNoServe));
  const auto mask = AccessList::Mask(Family::kIpv4, 8);
  assert_true(list.Remove(*IpAddress::Parse("10.0.0.0"), mask, SourcePort::kAny));
  assert_false(list.Remove(*IpAddress::Parse("10.0.0.0"), mask, SourcePort::kAny));
  assert_true(list.Lookup(From("10.1.1.1")) == AccessFlags());
}

void NtpportEntryMatchesThatPortOnly(void**) {
  AccessList list;
  list.Add(Entry("10.0.0.1", 32, Access::kNoServe));
  list.Add(Entry("10.0.0.1", 32, Access::kIgnore, SourcePort::kNtp));
  assert_true(list.Lookup(From("10.0.0.1", 123)) == AccessFlags(Access::kIgnore));
  assert_true(list.Lookup(From("10.0.0.1", 124)) == AccessFlags(Access::kNoServe));
}

// CVE-2009-3563: what comes from our own address and port is our own packet.
void OwnAddressOnTheNtpPortIsIgnoredByItsInterfaceEntry(void**) {
  AccessList list;
  AccessEntry entry = Entry("10.0.0.7", 32, Access::kIgnore, SourcePort::kNtp);
  entry.origin = AccessOrigin::kInterface;
  list.Add(entry);
  assert_true(list.Lookup(From("10.0.0.7", 123)).has(Access::kIgnore));
  assert_false(list.Lookup(From("10.0.0.7", 50000)).has(Access::kIgnore));
}

void MappedIpv4AddressesFollowTheIpv4Rules(void**) {
  AccessList list;
  list.Add(Entry("10.0.0.1", 32, Access::kIgnore));
  assert_true(list.Lookup(From("::ffff:10.0.0.1")).has(Access::kIgnore));
}

void SourceTemplateComesAndGoesWithItsAssociations(void**) {
  AccessList list;
  list.SetDefault(Family::kIpv4, Access::kIgnore);
  list.SetSourceTemplate(Access::kNoQuery | Access::kNoModify);
  const IpAddress server = *IpAddress::Parse("192.0.2.1");
  list.AddSource(server);
  list.AddSource(server);
  assert_true(list.Lookup({server, 123}) == (Access::kNoQuery | Access::kNoModify));
  list.RemoveSource(server);
  assert_true(list.Lookup({server, 123}) == (Access::kNoQuery | Access::kNoModify));
  list.RemoveSource(server);
  list.RemoveSource(server);  // once too often
  assert_true(list.Lookup({server, 123}) == AccessFlags(Access::kIgnore));
}

void ASourceEntryCanBeTakenAwayUntilItsNextAssociation(void**) {
  AccessList list;
  list.SetSourceTemplate(AccessFlags(Access::kNoQuery));
  const IpAddress server = *IpAddress::Parse("192.0.2.1");
  assert_false(list.RemoveSourceEntry(server));
  list.AddSource(server);
  assert_true(list.RemoveSourceEntry(server));
  assert_false(list.RemoveSourceEntry(server));
  assert_true(list.Lookup({server, 123}) == AccessFlags());
  list.AddSource(server);
  assert_true(list.Lookup({server, 123}) == AccessFlags(Access::kNoQuery));
  // What the operator configured for an address stays.
  AccessEntry entry;
  entry.address = server;
  entry.mask = AccessList::Mask(Family::kIpv4, 32);
  entry.flags = Access::kIgnore;
  list.Add(entry);
  assert_false(list.RemoveSourceEntry(server));
  assert_true(list.Lookup({server, 123}).has(Access::kIgnore));
}

void AnyEntryTellsOfAFlag(void**) {
  AccessList list;
  assert_false(list.Has(Access::kLimited));
  AccessEntry entry;
  entry.address = *IpAddress::Parse("2001:db8::");
  entry.mask = AccessList::Mask(Family::kIpv6, 32);
  entry.flags = Access::kLimited | Access::kKod;
  entry.port = SourcePort::kNtp;
  list.Add(entry);
  assert_true(list.Has(Access::kLimited) && list.Has(Access::kKod));
  assert_false(list.Has(Access::kNoQuery));
  assert_true(list.Remove(entry.address, entry.mask, SourcePort::kNtp));
  assert_false(list.Has(Access::kLimited));
}

void ConfiguredHostEntryOverridesASourceEntry(void**) {
  AccessList list;
  list.SetSourceTemplate(AccessFlags());
  const IpAddress server = *IpAddress::Parse("192.0.2.1");
  list.AddSource(server);
  list.Add(Entry("192.0.2.1", 32, Access::kNoServe));
  assert_true(list.Lookup({server, 123}) == AccessFlags(Access::kNoServe));
  list.RemoveSource(server);
  assert_true(list.Lookup({server, 123}) == AccessFlags(Access::kNoServe));
  list.AddSource(server);  // now the configured one was first
  assert_true(list.Lookup({server, 123}) == AccessFlags(Access::kNoServe));
}

// CVE-2015-7978: a long list exhausted the stack.
void HundredThousandEntriesAreMatchedAndListed(void**) {
  AccessList list;
  for (uint32_t i = 0; i < 100000; ++i) {
    AccessEntry entry;
    entry.address = IpAddress::V4(10, static_cast<uint8_t>(i >> 16), static_cast<uint8_t>(i >> 8),
                                  static_cast<uint8_t>(i));
    entry.mask = AccessList::Mask(Family::kIpv4, 32);
    entry.flags = AccessFlags(static_cast<uint16_t>(1 + i % 1000));
    list.Add(entry);
  }
  for (uint32_t i = 0; i < 100000; ++i) {
    const IpAddress source = IpAddress::V4(10, static_cast<uint8_t>(i >> 16),
                                           static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i));
    assert_int_equal(list.Lookup({source, 1}).bits, 1 + i % 1000);
  }
  assert_int_equal(list.size(), 100002);
  const auto entries = list.Entries();
  assert_int_equal(entries.size(), 100002);
  assert_int_equal(entries[0].hits, 1);
  assert_true(entries[0].address == IpAddress::V4(10, 1, 134, 159));  // the highest
}

void AddressWithoutFamilyIsRefused(void**) {
  AccessList list;
  list.Add(AccessEntry{});
  assert_int_equal(list.size(), 2);
  assert_true(list.Lookup(SocketAddress{}).has(Access::kIgnore));
}

bool Opens(AccessList* list, const char* address, uint16_t port = 40000) {
  const SocketAddress source = From(address, port);
  return list->OpensNetwork(list->Match(source), source);
}

// Who matches such a line is believed to be who he says.
void OnlyTheOperatorsLinesForLessThanEverybodyOpenANetwork(void**) {
  AccessList list;
  AccessEntry interface = Entry("192.0.2.1", 32, {});
  interface.origin = AccessOrigin::kInterface;
  list.Add(interface);
  list.SetSourceTemplate(AccessFlags());
  list.AddSource(*IpAddress::Parse("192.0.2.2"));
  list.AddSource(*IpAddress::Parse("192.0.2.3"));
  list.Add(Entry("192.0.2.3", 32, {}));
  list.Add(Entry("198.51.100.0", 24, Access::kNoModify));
  list.Add(Entry("2001:db8::", 32, {}));
  for (const char* stranger : {"203.0.113.1", "192.0.2.1", "192.0.2.2", "2001:db9::1"})
    assert_false(Opens(&list, stranger));
  for (const char* known : {"192.0.2.3", "198.51.100.7", "::ffff:198.51.100.7", "2001:db8::1"})
    assert_true(Opens(&list, known));
  // What the operator says of everybody.
  list.Add(Entry("0.0.0.0", 0, Access::kNoModify));
  list.Add(Entry("0.0.0.0", 0, {}, SourcePort::kNtp));
  assert_false(Opens(&list, "203.0.113.1"));
  assert_false(Opens(&list, "203.0.113.1", 123));
}

// `default` lets everybody query: who takes something away from a network says nothing of its
// addresses.
void ALineThatOnlyRestrictsOpensNoNetwork(void**) {
  for (const Access flag : {Access::kIgnore, Access::kNoServe, Access::kNoTrust, Access::kVersion,
                            Access::kLimited, Access::kNoQuery, Access::kKod, Access::kNoMruList}) {
    AccessList list;
    list.SetDefault(Family::kIpv4, Access::kNoModify);
    list.Add(Entry("198.51.100.0", 24, Access::kNoModify | flag));
    if (Opens(&list, "198.51.100.7")) fail_msg("%x", static_cast<unsigned>(flag));
    // What everybody has is no restriction of that network.
    if (flag == Access::kIgnore || flag == Access::kNoQuery) continue;
    list.SetDefault(Family::kIpv4, flag);
    if (!Opens(&list, "198.51.100.7")) fail_msg("%x", static_cast<unsigned>(flag));
  }
}

// The usual lines for the hosts that watch this one, whatever else they say.
void ALineThatPermitsQueriesOpensANetwork(void**) {
  for (const Access closed : {Access::kNoQuery, Access::kIgnore}) {
    AccessList list;
    list.SetDefault(Family::kIpv4, closed | Access::kNoModify);
    list.Add(Entry("10.0.0.0", 8, Access::kLimited | Access::kKod));
    list.Add(Entry("10.1.0.0", 16, Access::kNoServe));
    list.Add(Entry("10.1.2.0", 24, closed));
    assert_true(Opens(&list, "10.0.0.1") && Opens(&list, "10.1.0.1"));
    assert_false(Opens(&list, "10.1.2.1"));
  }
  AccessList open;
  open.Add(Entry("10.0.0.0", 8, Access::kNoModify | Access::kNoTrap | Access::kNoPeer));
  assert_true(Opens(&open, "10.0.0.1"));
  // By the default for the port that the request comes from.
  open.Add(Entry("0.0.0.0", 0, Access::kNoQuery, SourcePort::kOther));
  open.Add(Entry("10.9.0.0", 16, Access::kLimited));
  assert_true(Opens(&open, "10.9.0.1"));
  assert_false(Opens(&open, "10.9.0.1", 123));
}

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EveryPrefixLengthMatchesAsTheOracleDoes),
      cmocka_unit_test(RandomListsMatchAsTheOracleDoes),
      cmocka_unit_test(MostSpecificEntryWinsAndFlagsAreNotMerged),
      cmocka_unit_test(AmongMasksWithGapsTheHighestAddressWins),
      cmocka_unit_test(RepeatingAnEntryAddsFlagsAndRemovingItFreesIt),
      cmocka_unit_test(NtpportEntryMatchesThatPortOnly),
      cmocka_unit_test(OwnAddressOnTheNtpPortIsIgnoredByItsInterfaceEntry),
      cmocka_unit_test(MappedIpv4AddressesFollowTheIpv4Rules),
      cmocka_unit_test(SourceTemplateComesAndGoesWithItsAssociations),
      cmocka_unit_test(ASourceEntryCanBeTakenAwayUntilItsNextAssociation),
      cmocka_unit_test(AnyEntryTellsOfAFlag),
      cmocka_unit_test(ConfiguredHostEntryOverridesASourceEntry),
      cmocka_unit_test(HundredThousandEntriesAreMatchedAndListed),
      cmocka_unit_test(AddressWithoutFamilyIsRefused),
      cmocka_unit_test(OnlyTheOperatorsLinesForLessThanEverybodyOpenANetwork),
      cmocka_unit_test(ALineThatOnlyRestrictsOpensNoNetwork),
      cmocka_unit_test(ALineThatPermitsQueriesOpensANetwork),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
