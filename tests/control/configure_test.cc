// Lines of configuration that come by mode 6: what each of them is answered.
#include "ntpd/control/configure.h"

#include "tests/support/cmocka_cc.h"

namespace ntpward::control {
namespace {

LineDecision Judge(std::string_view line, Rights rights = Rights::kModify) {
  return JudgeLine(line, IpAddress::V4(192, 0, 2, 7), rights);
}
std::string AnswerTo(std::string_view line) { return Judge(line).answer; }

void KeysAreForTheKeyProcessToJudge(void**) {
  for (const char* line : {"trustedkey 5", "untrustedkey 5", "trustedkey", "trustedkey\t5 nonce=0"})
    assert_string_equal(AnswerTo(line).c_str(), "");
}

// As a 4.2.8 of the laboratory answered them.
void AnswersAsTheReferenceWhereThatHasAText(void**) {
  assert_string_equal(AnswerTo("").c_str(), "Config Succeeded");
  assert_string_equal(AnswerTo("foo bar").c_str(), "column 0 syntax error");
  assert_string_equal(AnswerTo(" trustedkey 5").c_str(), "column 0 syntax error");
  assert_string_equal(AnswerTo("Trustedkey 5").c_str(), "column 0 syntax error");
  for (const char* line : {"trustedkey 2\x01", "trustedkey 2\n", "trustedkey 2\ntrustedkey 1",
                           "server \xc3\xa9", "trustedkey 2\r"})
    assert_string_equal(AnswerTo(line).c_str(),
                        "runtime configuration failed: request contains an unprintable character");
  assert_string_equal(AnswerTo(std::string_view("trustedkey 2\0", 13)).c_str(),
                      "runtime configuration failed: request contains an unprintable character");
}

// CVE-2015-5196, 7703, 7850, 7976.
void NothingThatNamesAFileIsTaken(void**) {
  for (const char* name :
       {"logfile", "pidfile", "driftfile", "statsdir", "saveconfigdir", "includefile", "filegen",
        "keys", "keysdir", "leapfile", "crypto", "controlkey", "controlnonce", "ntpsigndsocket"})
    assert_string_equal(AnswerTo(std::string(name) + " /tmp/x").c_str(),
                        ("column 0 " + std::string(name) + " remote config ignored").c_str());
}

void WhatOtherProcessesHaveToKnowSaysWhatToDoInstead(void**) {
  assert_string_equal(
      AnswerTo("interface listen all").c_str(),
      "column 0 interface cannot be changed at run time: change ntp.conf and send SIGHUP");
  for (const char* line : {"revoke 5", "dscp 4", "broadcastclient", "statistics loopstats"})
    assert_true(AnswerTo(line).find("cannot be changed at run time") != std::string::npos);
  for (const char* line : {"trap 192.0.2.1", "requestkey 5", "nonvolatile 1"})
    assert_true(AnswerTo(line).find(" has no effect here") != std::string::npos);
}

void WhatNetDecidesWaitsForTheKeyProcess(void**) {
  wire::ControlRequest request;
  request.header.op = wire::ControlOp::kConfigure;
  for (const std::string_view line : {"server 192.0.2.1 key 5", "restrict default", "unpeer 1",
                                      "enable auth", "tos\tminclock 3"}) {
    assert_string_equal(AnswerTo(line).c_str(), "");
    request.data = AsBytes(line);
    assert_true(IsForNet(request));
  }
  for (const std::string_view line : {"trustedkey 5", "crypto pw x", "interface listen all", ""}) {
    request.data = AsBytes(line);
    assert_false(IsForNet(request));
  }
  request.header.op = wire::ControlOp::kSaveConfig;
  request.data = AsBytes(std::string_view("server 192.0.2.1"));
  assert_false(IsForNet(request));
}

void NomodifyPermitsNothing(void**) {
  for (const char* line : {"trustedkey 5", "", "server 10.0.0.1", "x\n"}) {
    const LineDecision decision = Judge(line, Rights::kRead);
    assert_string_equal(decision.answer.c_str(),
                        "runtime configuration prohibited by restrict ... nomodify");
    assert_string_equal(decision.log.c_str(),
                        "runtime config from 192.0.2.7 rejected due to nomodify restriction");
  }
}

void TheLogHasTheLineWithoutItsNonce(void**) {
  assert_string_equal(Judge("trustedkey 5 6 nonce=00112233445566778899aabbccddeeff").log.c_str(),
                      "192.0.2.7 config: trustedkey 5 6");
  // A password that somebody sent in vain is nobody's business.
  for (const char* line :
       {"crypto pw secret", " crypto pw secret", "Crypto pw secret", "crypt PW secret"})
    assert_string_equal(Judge(line).log.c_str(),
                        "192.0.2.7 config: (left out: it may hold a password)");
  // Nothing that could pass for another line.
  assert_string_equal(Judge("x\nJan 1 forged").log.c_str(),
                      "runtime config from 192.0.2.7 rejected: request contains an unprintable "
                      "character");
}

void WhatTheKeyProcessFoundIsPutIntoWords(void**) {
  const std::string_view line = "trustedkey 5 77 nonce=00";
  const auto text = [line](CommandResult result, size_t column) {
    return CommandText(line, {result, column});
  };
  assert_string_equal(text(CommandResult::kDone, 0).c_str(), "Config Succeeded");
  assert_string_equal(text(CommandResult::kSyntax, 13).c_str(), "column 13 syntax error");
  assert_string_equal(text(CommandResult::kUnknownKey, 13).c_str(),
                      "column 13 key 77 is not in the key file");
  assert_string_equal(text(CommandResult::kControlKey, 11).c_str(),
                      "column 11 key 5 is the control key: only ntp.conf can take it away");
  assert_string_equal(text(CommandResult::kDenied, 0).c_str(), "");
  // A column past the end points to the end.
  assert_string_equal(text(CommandResult::kSyntax, 65535).c_str(), "column 24 syntax error");
  assert_string_equal(text(CommandResult::kUnknownKey, 24).c_str(),
                      "column 24 key  is not in the key file");
}

}  // namespace
}  // namespace ntpward::control

int main() {
  using namespace ntpward::control;
  const CMUnitTest tests[] = {
      cmocka_unit_test(KeysAreForTheKeyProcessToJudge),
      cmocka_unit_test(AnswersAsTheReferenceWhereThatHasAText),
      cmocka_unit_test(NothingThatNamesAFileIsTaken),
      cmocka_unit_test(WhatOtherProcessesHaveToKnowSaysWhatToDoInstead),
      cmocka_unit_test(WhatNetDecidesWaitsForTheKeyProcess),
      cmocka_unit_test(NomodifyPermitsNothing),
      cmocka_unit_test(TheLogHasTheLineWithoutItsNonce),
      cmocka_unit_test(WhatTheKeyProcessFoundIsPutIntoWords),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
