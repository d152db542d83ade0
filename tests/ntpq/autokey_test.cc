// Autokey in words: from what our own daemon tells, and from the little that 4.2.8 does.
#include "ntpq/autokey.h"

#include "tests/support/cmocka_cc.h"

namespace ntpward::ntpq {
namespace {

constexpr int64_t kNow = 1795391999;  // 2026-11-22 23:59:59 UTC

std::string Show(std::string_view variables, bool tells_all = true) {
  AutokeyState state{.name = "10.77.0.1", .id = 12345, .variables = ReadValues(variables)};
  state.trail = ReadTrail(state.variables);
  state.tells_all = tells_all;
  return AutokeyText(state, kNow);
}

bool Has(const std::string& text, std::string_view part) {
  if (text.find(part) != std::string::npos) return true;
  print_message("%s\nlacks: %s\n", text.c_str(), std::string(part).c_str());
  return false;
}

void AProvenServerIsShownWhole(void**) {
  const std::string text = Show(
      "flags=0x29c7f21, host=\"server\", signature=\"sha256WithRSAEncryption\", ident=\"ca\", "
      "identity=\"IFF\", trail.0=\"server ca 202712010000\", trail.1=\"ca ca 203101010000\", "
      "cookieage=720, hmode=3");
  assert_string_equal(
      text.c_str(),
      "10.77.0.1, association 12345, calls itself server\n"
      "  state        authenticated\n"
      "  identity     IFF: it proved that it has the group key of group ca\n"
      "  signatures   sha256WithRSAEncryption\n"
      "  certificates server, signed by ca, until 2027-12-01 00:00 UTC, in 373 d 0 h\n"
      "               ca, trusted root, until 2031-01-01 00:00 UTC, in 1500 d 0 h\n"
      "  cookie       12 min old\n"
      "  last failure none\n");
}

void EveryFailureHasACauseInWords(void**) {
  for (const char* name :
       {"bad_field_format_or_length", "bad_timestamp", "bad_filestamp", "bad_or_missing_public_key",
        "unsupported_digest_type", "unsupported_identity_type", "bad_signature_length",
        "signature_not_verified", "certificate_not_verified", "host_certificate_expired",
        "host_certificate_not_yet_valid", "bad_or_missing_cookie", "bad_or_missing_leapseconds",
        "bad_or_missing_certificate", "bad_or_missing_group key", "protocol_error", "crypto_nak",
        "bad_mac"}) {
    const std::string text =
        Show("flags=0x80101, autokeyerrorage=7200, autokeyerror=\"" + std::string(name) + "\"");
    const std::string line = std::string(name) + ", 2 h 0 min ago\n";
    assert_true(Has(text, line));
    assert_true(text.find(line) + line.size() + 20 < text.size());
  }
  // What the daemon itself says is better than what its name says.
  assert_true(Has(Show("flags=0x80101, autokeyerror=\"bad_filestamp\", autokeycause=\"server x has "
                       "another generation\""),
                  "server x has another generation.\n"));
}

void WhatIsMissingIsNamed(void**) {
  assert_true(Has(Show("keyid=0x2ead7dd2"), "has not begun"));
  assert_true(Has(Show("keyid=0x2ead7dd2, autokeycause=\"server x refused\""),
                  "refused, for the cause below"));
  assert_true(Has(Show("flags=0x80101, identity=\"none\""), "under way: it has not proved"));
  assert_true(Has(Show("flags=0x80121, identity=\"none\""), "not proved (the server offers IFF)"));
  assert_true(Has(Show("flags=0x80f01, hmode=3"), "under way: its key list"));
  assert_true(Has(Show("flags=0x87701, hmode=1"), "authenticated; it has not given us a cookie"));
  assert_true(Has(Show("flags=0x87701, hmode=1"), "cookie       none"));
  assert_true(Has(Show("flags=0x87f01, identity=\"TC\""), "no group key proved who it is"));
  assert_true(
      Has(Show("flags=0x87f01, initsequence=99, keylistage=65"), "signed 1 min ago, 99 keys"));
}

// A peer that follows the host that is asked, and has nobody else's signature.
void ATrailThatComesBackIsSpokenOf(void**) {
  const std::string text = Show("flags=0x80021, host=\"client\", hmode=1, trailloop=1");
  assert_true(Has(text, "state        shows no trail but one that comes back to this host"));
  assert_true(text.find("under way") == std::string::npos);
  assert_true(Has(Show("flags=0x80021, hmode=1"), "under way"));
}

void ExpiryIsLoud(void**) {
  assert_true(Has(Show("flags=0x100, trail.0=\"a a 202611222359\""), "23:59 UTC, EXPIRED"));
  assert_true(Has(Show("flags=0x100, trail.0=\"a a 202611240000\""), "SOON: in 1 d 0 h"));
  assert_true(Has(Show("flags=0x100, trail.0=\"a a 209999999999\""), "until 209999999999"));
}

void AReferenceDaemonSaysLess(void**) {
  const std::string text = Show("flags=0x87f01, host=\"server\"", false);
  assert_true(Has(text, "accepted; this daemon does not tell by which scheme"));
  assert_true(Has(text, "certificates this daemon does not tell"));
  assert_true(Has(text, "there is one; this daemon does not tell how old"));
  assert_true(Has(text, "this daemon does not tell; see its cryptostats"));
}

void ATrailIsPutTogetherFromTheCertificatesHeld(void**) {
  const auto trail = GuessTrail(
      "cert=\"client server 0x4\", until=202711212346,\r\ncert=\"ca ca 0x5\", "
      "until=202711212341,\r\n"
      "cert=\"server ca 0x6\", until=202711212340,\r\ncert=\"client client 0x0\", until=1",
      "server");
  assert_int_equal(trail.size(), 2);
  assert_string_equal(trail[0].issuer.c_str(), "ca");
  assert_string_equal(trail[0].until.c_str(), "202711212340");
  assert_string_equal(trail[1].subject.c_str(), "ca");
  // A circle ends.
  assert_int_equal(GuessTrail("cert=\"a b 1\", cert=\"b a 1\"", "a").size(), 16);
  assert_true(GuessTrail("cert=\"a b 1\"", "c").empty());
}

void MinutesAreDatesOrNothing(void**) {
  assert_int_equal(ReadMinute("197001010001")->unix_s, 60);
  assert_int_equal(ReadMinute("202611222359")->unix_s, 1795391940);
  for (const char* text : {"", "0", "20261122235", "2026112223599", "202613222359", "202611312359",
                           "202611222459", "202611222360", "2026112223x9"})
    assert_false(ReadMinute(text).has_value());
}

void UseOfAutokeyIsSeen(void**) {
  assert_true(UsesAutokey(ReadValues("flags=0x80001, keyid=0")));
  assert_true(UsesAutokey(ReadValues("keyid=0x2ead7dd2")));
  assert_true(UsesAutokey(ReadValues("keyid=783121874")));
  assert_false(UsesAutokey(ReadValues("keyid=7")));
  assert_false(UsesAutokey(ReadValues("")));
}

void AHostileServerPrintsOnlyText(void**) {
  std::string variables = "flags=0xffffffff, keyid=\x1b[2J, hmode=\x07, ";
  for (const char* name : {"host", "identity", "ident", "signature", "autokeyerror", "autokeycause",
                           "initsequence", "cookieage", "trail.0"})
    variables += std::string(name) + "=\"\x1b]0;x\x07 \x9b" + "2J\x7f a b\", ";
  for (const char c : Show(variables) + Show(variables, false))
    assert_true(c == '\n' || (static_cast<unsigned char>(c) >= ' ' && c != 0x7f));
  for (size_t size = 0; size < variables.size(); ++size) (void)Show(variables.substr(0, size));
}

}  // namespace
}  // namespace ntpward::ntpq

int main() {
  using namespace ntpward::ntpq;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AProvenServerIsShownWhole),
      cmocka_unit_test(EveryFailureHasACauseInWords),
      cmocka_unit_test(WhatIsMissingIsNamed),
      cmocka_unit_test(ATrailThatComesBackIsSpokenOf),
      cmocka_unit_test(ExpiryIsLoud),
      cmocka_unit_test(AReferenceDaemonSaysLess),
      cmocka_unit_test(ATrailIsPutTogetherFromTheCertificatesHeld),
      cmocka_unit_test(MinutesAreDatesOrNothing),
      cmocka_unit_test(UseOfAutokeyIsSeen),
      cmocka_unit_test(AHostileServerPrintsOnlyText),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
