// The way from a server's certificate to a trusted one.
#include "ntpd/autokey/trail.h"

#include "tests/autokey/trails.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::autokey::test {
namespace {

void EndsAtATrustedSelfSignedCertificate(void**) {
  Trail trail = Started("middle");
  assert_int_equal(trail.Add(Make({"middle", "root"}, 1, 0), "client"), Outcome::kOk);
  assert_string_equal(trail.wanted().c_str(), "root");
  assert_false(trail.complete());
  assert_int_equal(trail.Add(Make({"root", "root"}, 0, 0, true), "client"), Outcome::kOk);
  assert_true(trail.complete());
  // Messages are signed by the first, not by the root.
  assert_string_equal(trail.server()->subject.c_str(), "middle");
  assert_string_equal(trail.last()->subject.c_str(), "root");
}

void SelfSignedWithoutTrustEndsNothing(void**) {
  Trail trail = Started("server");
  assert_int_equal(trail.Add(Make({"server", "server"}, 0, 0), "client"), Outcome::kOk);
  assert_false(trail.complete());
  assert_null(trail.server());
  assert_string_equal(trail.wanted().c_str(), "server");
  assert_int_equal(trail.Add(Make({"server", "root"}, 0, 1), "client"), Outcome::kOk);
  assert_string_equal(trail.wanted().c_str(), "root");
}

void RefusesAnIssuerThatDidNotSign(void**) {
  Trail trail = Started("middle");
  (void)trail.Add(Make({"middle", "root"}, 1, 0), "client");
  assert_int_equal(trail.Add(Make({"root", "root"}, 2, 2, true), "client"),
                   Outcome::kCertificateSignature);
  assert_false(trail.complete());
  assert_int_equal(trail.Add(Make({"root", "root"}, 0, 0, true), "client"), Outcome::kOk);
}

void RefusesACertificateMadeOutsideItsIssuersValidity(void**) {
  Trail trail = Started("middle");
  (void)trail.Add(Make({"middle", "root"}, 1, 0, false, CalendarSeconds{kTestNow} - 10000),
                  "client");
  assert_int_equal(trail.Add(Make({"root", "root"}, 0, 0, true), "client"), Outcome::kNotYetValid);
}

void RefusesLoops(void**) {
  Trail trail = Started("a");
  assert_int_equal(trail.Add(Make({"a", "b"}, 0, 1), "client"), Outcome::kOk);
  assert_int_equal(trail.Add(Make({"b", "a"}, 1, 0), "client"), Outcome::kCertificate);
  // Through ourselves: we would vouch for our own server.
  assert_int_equal(trail.Add(Make({"b", "client"}, 1, 2), "client"), Outcome::kCertificate);
}

void RefusesTrailsWithoutEnd(void**) {
  Trail trail = Started("host0");
  size_t accepted = 0;
  for (int i = 0; i < 20; ++i) {
    const Names names{"host" + std::to_string(i), "host" + std::to_string(i + 1)};
    if (trail.Add(Make(names, 0, 0), "client") != Outcome::kOk) break;
    ++accepted;
  }
  assert_int_equal(accepted, Trail::kMaxLength - 1);
}

}  // namespace
}  // namespace ntpward::autokey::test

int main() {
  using namespace ntpward::autokey::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EndsAtATrustedSelfSignedCertificate),
      cmocka_unit_test(SelfSignedWithoutTrustEndsNothing),
      cmocka_unit_test(RefusesAnIssuerThatDidNotSign),
      cmocka_unit_test(RefusesACertificateMadeOutsideItsIssuersValidity),
      cmocka_unit_test(RefusesLoops),
      cmocka_unit_test(RefusesTrailsWithoutEnd),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
