// The last words of `ntpd -q`.
#include "ntpd/net/quit.h"

#include "tests/support/cmocka_cc.h"

namespace ntpward::net {
namespace {

void ACorrectionThatWasMadeIsSaidAsTheReferenceDoes(void**) {
  const msg::NetQuit step = QuitAfterCorrection(Correction::kStepped, 2.5);
  assert_true(step.text.text() == "ntpd: time set +2.500000s");
  assert_true(step.reason == msg::QuitReason::kDone);
  const msg::NetQuit slew = QuitAfterCorrection(Correction::kSlewing, -0.0025);
  assert_true(slew.text.text() == "ntpd: time slew -0.002500s");
  assert_true(slew.reason == msg::QuitReason::kDone);
}

void AClockThatWasLeftAloneIsNotSaidToBeSet(void**) {
  const msg::NetQuit quit = QuitAfterCorrection(Correction::kLeftAlone, 2.5);
  assert_true(quit.text.text() == "ntpd: measured +2.500000s; the system clock was left alone");
  assert_true(quit.reason == msg::QuitReason::kDone);
}

void ARefusedCorrectionIsAFailure(void**) {
  const msg::NetQuit quit = QuitAfterCorrection(Correction::kRefused, 5);
  assert_true(quit.text.text() ==
              "ntpd: measured +5.000000s; the correction was refused, the clock was not set");
  assert_true(quit.reason == msg::QuitReason::kFailed);
}

void WhereNobodySentAnythingThatIsSaid(void**) {
  const msg::NetQuit unheard = QuitWithoutServer(false);
  assert_true(unheard.text.text() == "ntpd: no servers found");
  assert_true(unheard.reason == msg::QuitReason::kUnheard);
  const msg::NetQuit refused = QuitWithoutServer(true);
  assert_true(refused.text.text() == unheard.text.text());
  assert_true(refused.reason == msg::QuitReason::kFailed);
  assert_int_equal(msg::ExitStatus(unheard.reason), 1);
  assert_int_equal(msg::ExitStatus(refused.reason), 1);
  assert_int_equal(msg::ExitStatus(msg::QuitReason::kPanic), 255);
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ACorrectionThatWasMadeIsSaidAsTheReferenceDoes),
      cmocka_unit_test(AClockThatWasLeftAloneIsNotSaidToBeSet),
      cmocka_unit_test(ARefusedCorrectionIsAFailure),
      cmocka_unit_test(WhereNobodySentAnythingThatIsSaid),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
