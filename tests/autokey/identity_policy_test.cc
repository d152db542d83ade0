// Each row of the identity table, and that a server's unsigned word cannot change rows.
#include "ntpd/autokey/identity_policy.h"

#include "ntpd/autokey/status_bits.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::autokey {
namespace {

using Groups = InlineVector<msg::GroupParameters, msg::kMaxGroups>;

constexpr uint32_t kPlainWord = 0x80001;
constexpr uint32_t kIffWord = kPlainWord | kIff;

msg::GroupParameters Parameters(std::string_view group, bool has_public,
                                msg::IdentityScheme scheme = msg::IdentityScheme::kIff) {
  msg::GroupParameters parameters;
  CHECK(parameters.group.Assign(AsBytes(group)));
  parameters.scheme = scheme;
  parameters.filestamp = NtpSeconds{4004293698};
  parameters.has_public = has_public;
  return parameters;
}

Groups With(std::initializer_list<msg::GroupParameters> list) {
  Groups groups;
  for (const auto& parameters : list) CHECK(groups.Push(parameters));
  return groups;
}

const DancePolicy kStrict{};
const DancePolicy kHere{"", true, false};
const DancePolicy kEverywhere{"", false, true};

Demand Decide(const DancePolicy& policy, const Groups& groups, uint32_t word) {
  return DecideIdentity(policy, groups, "server", "client", word).demand;
}

void DemandsProofWhenTheGroupKeyCanCheckIt(void**) {
  const auto demand =
      DecideIdentity(kStrict, With({Parameters("server", true)}), "server", "client", kIffWord);
  assert_true(demand.demand == Demand::kProof);
  assert_true(demand.scheme == msg::IdentityScheme::kIff);
  assert_string_equal(demand.group.c_str(), "server");
  assert_int_equal(demand.filestamp.value, 4004293698);
}

void OptionalDoesNotWaiveAProofThatCanBeHad(void**) {
  const auto groups = With({Parameters("server", true)});
  assert_true(Decide(kHere, groups, kIffWord) == Demand::kProof);
  assert_true(Decide(kEverywhere, groups, kIffWord) == Demand::kProof);
}

void RefusesAServerThatShowsNoSchemeWhileWeCanCheckOne(void**) {
  const auto groups = With({Parameters("server", true)});
  for (const DancePolicy& policy : {kStrict, kHere, kEverywhere})
    assert_true(Decide(policy, groups, kPlainWord) == Demand::kRefuse);
  // Another scheme than ours is no better.
  assert_true(Decide(kHere, groups, kPlainWord | kGq | kMv) == Demand::kRefuse);
}

void RefusesAGroupKeyWithoutPublicValueAndNamesTheFix(void**) {
  const auto groups = With({Parameters("server", false)});
  const auto demand = DecideIdentity(kStrict, groups, "server", "client", kIffWord);
  assert_true(demand.demand == Demand::kRefuse);
  assert_true(demand.reason.find("ntp-keygen -e") != std::string::npos);
}

void AKeyThatProvesNothingMayBeWaivedButOneThatProvesMayNot(void**) {
  const auto groups = With({Parameters("server", false)});
  assert_true(Decide(kHere, groups, kIffWord) == Demand::kTrail);
  assert_true(Decide(kEverywhere, groups, kIffWord) == Demand::kTrail);
  assert_true(Decide(kStrict, groups, kIffWord) == Demand::kRefuse);
  // With a public value the proof is demanded, whatever the operator or the server says.
  const auto proving = With({Parameters("server", true)});
  assert_true(Decide(kEverywhere, proving, kIffWord) == Demand::kProof);
  assert_true(Decide(kHere, proving, kPlainWord) == Demand::kRefuse);
}

void RefusesTheTrailAloneUnlessTheOperatorSaysSo(void**) {
  const auto demand = DecideIdentity(kStrict, {}, "server", "client", kIffWord);
  assert_true(demand.demand == Demand::kRefuse);
  assert_true(demand.reason.find("ntpkey_iffpar_server") != std::string::npos);
  assert_true(Decide(kStrict, {}, kPlainWord) == Demand::kRefuse);
  assert_true(Decide(kHere, {}, kPlainWord) == Demand::kTrail);
  assert_true(Decide(kEverywhere, {}, kPlainWord) == Demand::kTrail);
  // Other groups' keys neither help nor hinder.
  assert_true(Decide(kStrict, With({Parameters("other", true)}), kIffWord) == Demand::kRefuse);
  assert_true(Decide(kEverywhere, With({Parameters("other", true)}), kIffWord) == Demand::kTrail);
}

void APinnedGroupIsNeverOptional(void**) {
  const DancePolicy pinned{"grp", true, true};
  const auto named = With({Parameters("server", true)});
  assert_true(Decide(pinned, named, kIffWord) == Demand::kRefuse);
  assert_true(Decide(pinned, {}, kIffWord) == Demand::kRefuse);
  assert_true(Decide(pinned, With({Parameters("grp", false)}), kIffWord) == Demand::kRefuse);
  assert_true(Decide(pinned, With({Parameters("grp", true)}), kPlainWord) == Demand::kRefuse);
  const auto demand =
      DecideIdentity(pinned, With({Parameters("grp", true)}), "whoever", "client", kIffWord);
  assert_true(demand.demand == Demand::kProof);
  assert_string_equal(demand.group.c_str(), "grp");
}

void TakesTheFirstSchemeThatBothHave(void**) {
  const auto groups =
      With({Parameters("server", true, msg::IdentityScheme::kMv),
            Parameters("server", true, msg::IdentityScheme::kGq), Parameters("server", false)});
  const auto both =
      DecideIdentity(kStrict, groups, "server", "client", kPlainWord | kIff | kGq | kMv);
  assert_true(both.demand == Demand::kProof);
  assert_true(both.scheme == msg::IdentityScheme::kGq);
  const auto one = DecideIdentity(kStrict, groups, "server", "client", kPlainWord | kMv);
  assert_true(one.scheme == msg::IdentityScheme::kMv);
}

// A name is what an operator has to type, so it must be the right one.
void NamesTheFilesOfTheSchemesThatTheServerShows(void**) {
  const auto missing = [](uint32_t bits) {
    return DecideIdentity(kStrict, {}, "server", "client", kPlainWord | bits).reason;
  };
  assert_true(missing(kGq).find("install ntpkey_gqpar_server or") != std::string::npos);
  assert_true(missing(kMv).find("install ntpkey_mvpar_server or") != std::string::npos);
  assert_true(missing(kIff | kMv).find("ntpkey_iffpar_server or ntpkey_mvpar_server") !=
              std::string::npos);
  assert_true(missing(0).find("ntpkey_iffpar_server") != std::string::npos);
  const auto useless = With({Parameters("server", false, msg::IdentityScheme::kMv)});
  const auto refused = DecideIdentity(kStrict, useless, "server", "client", kPlainWord | kMv);
  assert_true(refused.reason.find("ntpkey_mvpar_server, has no public value") != std::string::npos);
  const auto other = With({Parameters("server", true, msg::IdentityScheme::kGq)});
  const auto hidden = DecideIdentity(kStrict, other, "server", "client", kIffWord);
  assert_true(hidden.reason.find("(ntpkey_gqpar_server)") != std::string::npos);
}

void TheGroupIsPinnedElseOursElseTheRoots(void**) {
  const auto group = [](const DancePolicy& policy, const Groups& groups, std::string_view root,
                        std::string_view own) {
    return DecideIdentity(policy, groups, root, own, kIffWord).group;
  };
  const DancePolicy pinned{"pinned", false, false};
  assert_string_equal(group(pinned, {}, "s@theirs", "c@ours").c_str(), "pinned");
  assert_string_equal(group(kStrict, {}, "s@theirs", "c@ours").c_str(), "ours");
  assert_string_equal(group(kStrict, {}, "s@theirs", "c").c_str(), "theirs");
  assert_string_equal(group(kStrict, {}, "s", "c").c_str(), "s");
  // An operator may have named the file for all of it.
  const auto whole = With({Parameters("s@theirs", true)});
  assert_string_equal(group(kStrict, whole, "s@theirs", "c").c_str(), "s@theirs");
}

void HostsOfAGroupFollowHostsOfThatGroup(void**) {
  assert_true(NamesAgree(kStrict, "client", "server"));
  assert_true(NamesAgree(kStrict, "client", "server@grp"));
  assert_true(NamesAgree(kStrict, "client@grp", "server@grp"));
  assert_false(NamesAgree(kStrict, "client@grp", "server@other"));
  assert_false(NamesAgree(kStrict, "client@grp", "server"));
  assert_true(NamesAgree({"other", false, false}, "client@grp", "server@other"));
}

void APrivateCertificateIsForItsOwnGroupOnly(void**) {
  assert_true(DecidePrivate(kStrict, "net").demand == Demand::kProof);
  assert_true(DecidePrivate(kStrict, "net").scheme == msg::IdentityScheme::kPc);
  assert_true(DecidePrivate({"net", false, false}, "net").demand == Demand::kProof);
  assert_true(DecidePrivate({"net", false, false}, "host@net").demand == Demand::kProof);
  assert_true(DecidePrivate({"other", true, true}, "net").demand == Demand::kRefuse);
}

void RootNamesLongerThanAnyGroupAreRefused(void**) {
  const std::string root(255, 'a');
  assert_true(
      DecideIdentity(kStrict, With({Parameters("a", true)}), root, "client", kIffWord).demand ==
      Demand::kRefuse);
}

// The log tells what to type, and the name comes from a stranger's certificate.
void NoFileIsNamedThatCouldNotBeAGroups(void**) {
  const auto reason = [](std::string_view root) {
    return DecideIdentity(kStrict, {}, root, "client", kIffWord).reason;
  };
  for (const std::string& root : {std::string("../../etc/cron.d/x"), std::string("a/b"),
                                  std::string("host@../x"), std::string(65, 'a')}) {
    assert_true(reason(root).find("ntpkey_") == std::string::npos);
    assert_true(reason(root).find("say `ident`") != std::string::npos);
  }
  for (const std::string& root : {std::string("a..b"), std::string(64, 'a')})
    assert_true(reason(root).find("install ntpkey_iffpar_" + root) != std::string::npos);
}

}  // namespace
}  // namespace ntpward::autokey

int main() {
  using namespace ntpward::autokey;
  const CMUnitTest tests[] = {
      cmocka_unit_test(DemandsProofWhenTheGroupKeyCanCheckIt),
      cmocka_unit_test(OptionalDoesNotWaiveAProofThatCanBeHad),
      cmocka_unit_test(RefusesAServerThatShowsNoSchemeWhileWeCanCheckOne),
      cmocka_unit_test(RefusesAGroupKeyWithoutPublicValueAndNamesTheFix),
      cmocka_unit_test(AKeyThatProvesNothingMayBeWaivedButOneThatProvesMayNot),
      cmocka_unit_test(RefusesTheTrailAloneUnlessTheOperatorSaysSo),
      cmocka_unit_test(APinnedGroupIsNeverOptional),
      cmocka_unit_test(TakesTheFirstSchemeThatBothHave),
      cmocka_unit_test(NamesTheFilesOfTheSchemesThatTheServerShows),
      cmocka_unit_test(TheGroupIsPinnedElseOursElseTheRoots),
      cmocka_unit_test(HostsOfAGroupFollowHostsOfThatGroup),
      cmocka_unit_test(APrivateCertificateIsForItsOwnGroupOnly),
      cmocka_unit_test(RootNamesLongerThanAnyGroupAreRefused),
      cmocka_unit_test(NoFileIsNamedThatCouldNotBeAGroups),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
