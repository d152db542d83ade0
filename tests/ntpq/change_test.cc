// Requests that change something, and lists that need a key: what they carry, and when nothing
// leaves.
#include "ntpq/change.h"

#include "tests/ntpq/bench.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::ntpq::test {
namespace {

void AsksForKeyAndPasswordOnce(void**) {
  Bench bench(Recording::Load("to-4.2.8-config-ok"));
  bench.session.settings.no_nonce = true;
  bench.platform.answers = {"7", "ctlpass"};
  assert_string_equal(bench.Out(":config server 10.77.0.77 noselect").c_str(),
                      "Config Succeeded\n");
  assert_string_equal(bench.platform.err.c_str(), "Keyid: MD5 Password: ");
  assert_string_equal(bench.Out(":config unpeer 10.77.0.77").c_str(), "Config Succeeded\n");
  assert_string_equal(bench.network.mismatch.c_str(), "");
}

// A line of configuration and its answer; with `lost` the first answer does not arrive.
Recording OneLine(std::string_view line, std::string_view answer, bool lost = false,
                  wire::ControlOp op = wire::ControlOp::kConfigure) {
  wire::ControlHeader header;
  header.op = op;
  Exchange exchange;
  exchange.request =
      wire::BuildControlRequest(header, AsBytes(line), wire::ControlPadding::kForMac);
  exchange.request.resize(exchange.request.size() + 20);
  Recording recording;
  if (lost) recording.exchanges.push_back(exchange);
  header.response = true;
  exchange.responses.push_back(
      {{}, wire::BuildControlRequest(header, AsBytes(answer), wire::ControlPadding::kPlain)});
  recording.exchanges.push_back(exchange);
  return recording;
}

constexpr const char* kNonce = "00112233445566778899aabbccddeeff";

void SendsTheNonceOfAServerThatGivesOne(void**) {
  for (const bool lost : {false, true}) {
    Bench bench(OneLine(std::string("trustedkey 5 nonce=") + kNonce, "Config Succeeded\r\n", lost));
    bench.network.nonce_answer = std::string("config_nonce=") + kNonce + "\r\n";
    bench.platform.answers = {"7", "ctlpass"};
    assert_string_equal(bench.Out(":config trustedkey 5").c_str(), "Config Succeeded\n");
    assert_string_equal(bench.platform.err.c_str(), "Keyid: MD5 Password: ");
    assert_string_equal(bench.network.mismatch.c_str(), "");
    // A nonce is good once: each line that is sent has its own.
    assert_int_equal(bench.network.nonces_asked, bench.network.asked);
    assert_int_equal(bench.network.asked, lost ? 2 : 1);
  }
}

void SendsEveryChangeWithANonce(void**) {
  struct Row {
    const char* command;
    wire::ControlOp op;
    const char* data;
    const char* answer;
    const char* printed;
  };
  const Row rows[] = {
      {"saveconfig ntp-%Y", wire::ControlOp::kSaveConfig, "ntp-%Y",
       "Configuration saved to 'ntp-2026'\r\n", "Configuration saved to 'ntp-2026'\n"},
      {"writevar 0 foo=x", wire::ControlOp::kWriteVariables, "foo=x", "",
       "done! (no data returned)\n"}};
  for (const Row& row : rows) {
    Bench bench(OneLine(std::string(row.data) + " nonce=" + kNonce, row.answer, false, row.op));
    bench.network.nonce_answer = std::string("config_nonce=") + kNonce + "\r\n";
    bench.platform.answers = {"7", "ctlpass"};
    assert_string_equal(bench.Out(row.command).c_str(), row.printed);
    assert_string_equal(bench.network.mismatch.c_str(), "");
    Bench other(OneLine(row.data, row.answer, false, row.op));
    other.platform.answers = {"7", "ctlpass"};
    assert_string_equal(other.Out(row.command).c_str(), "");
    assert_int_equal(other.network.asked, 0);
  }
}

// A question and what comes back: text, or the error "not permitted".
Exchange AnExchange(wire::ControlOp op, std::string_view data, const char* answer, bool sealed) {
  wire::ControlHeader header;
  header.op = op;
  const auto padding = sealed ? wire::ControlPadding::kForMac : wire::ControlPadding::kPlain;
  Exchange exchange;
  exchange.request = wire::BuildControlRequest(header, AsBytes(data), padding);
  if (sealed) exchange.request.resize(exchange.request.size() + 20);
  if (answer == nullptr) {
    exchange.responses.push_back(
        {{}, wire::BuildControlError(header, 0, wire::ControlError::kPermission)});
  } else {
    header.response = true;
    exchange.responses.push_back(
        {{},
         wire::BuildControlRequest(header, AsBytes(std::string_view(answer)),
                                   wire::ControlPadding::kPlain)});
  }
  return exchange;
}

// A server far away gives its lists only to whom it can be sure to reach.
void ProvesItsAddressWhereAListIsRefused(void**) {
  constexpr auto kList = wire::ControlOp::kReadOrderedList;
  constexpr const char* kRule =
      "addr.0=10.0.0.0, mask.0=255.0.0.0, hits.0=5, flags.0=serve trust\r\n";
  Recording recording;
  recording.exchanges = {
      AnExchange(kList, "addr_restrictions", nullptr, true),
      AnExchange(wire::ControlOp::kRequestNonce, "", "nonce=eead1d407cad7e69c4cb583a\r\n", false),
      AnExchange(kList, "addr_restrictions nonce=eead1d407cad7e69c4cb583a", kRule, true)};
  Bench bench(recording);
  bench.platform.answers = {"7", "ctlpass"};
  assert_true(bench.Out("reslist").find("10.0.0.0/8\n           serve trust\n") !=
              std::string::npos);
  assert_string_equal(bench.network.mismatch.c_str(), "");
  assert_int_equal(bench.network.asked, 3);
}

void PutsNothingOfAServersIntoALineButANonce(void**) {
  const std::string nonce(kNonce);
  for (const std::string& answer :
       {std::string("nonce=") + kNonce, std::string("config_nonce=\"5 6\""),
        "config_nonce=" + nonce.substr(1), "config_nonce=" + nonce + "0",
        "config_nonce=" + nonce.substr(1) + "G", std::string("config_nonce")}) {
    Bench bench(OneLine("trustedkey 5", "Config Succeeded\r\n"));
    bench.session.settings.no_nonce = true;
    bench.network.nonce_answer = answer;
    bench.platform.answers = {"7", "ctlpass"};
    assert_string_equal(bench.Out(":config trustedkey 5").c_str(), "Config Succeeded\n");
    assert_string_equal(bench.network.mismatch.c_str(), "");
  }
}

// A server that was taken over would get a line that it can repeat.
void SendsNoLineWithoutANonceUnlessTold(void**) {
  for (const std::string answer : {"nonce=eeacac9512118d14db7101a5\r\n", ""}) {
    Bench bench(OneLine("trustedkey 5", "Config Succeeded\r\n"));
    bench.network.nonce_answer = answer;
    bench.platform.answers = {"7", "ctlpass"};
    assert_string_equal(bench.Out(":config trustedkey 5").c_str(), "");
    assert_true(bench.platform.err.find("***Server gave no nonce, nothing was sent") !=
                std::string::npos);
    assert_int_equal(bench.network.asked, 0);
  }
}

void PointsAtTheWordThatIsWrong(void**) {
  Bench bench(OneLine(std::string("trustedkey 5 77 nonce=") + kNonce,
                      "column 13 key 77 is not in the key file\r\n"));
  bench.network.nonce_answer = std::string("config_nonce=") + kNonce + "\r\n";
  bench.platform.answers = {"7", "ctlpass"};
  assert_string_equal(bench.Out(":config trustedkey 5 77").c_str(),
                      "trustedkey 5 77\n_____________^\ncolumn 13 key 77 is not in the key file\n");
}

void SendsNoLineThatDoesNotFitBesideItsNonce(void**) {
  const std::string line(wire::kMaxControlData - 20, 'x');
  Bench bench;
  bench.network.nonce_answer = std::string("config_nonce=") + kNonce + "\r\n";
  bench.platform.answers = {"7", "ctlpass"};
  bench.Out(":config " + line);
  assert_true(bench.platform.err.find("***Line is longer than a request holds") !=
              std::string::npos);
  assert_int_equal(bench.network.asked, 0);
}

// As ntpq 4.2.8: a password belongs to a key.
void APasswordWantsAKey(void**) {
  Bench bench;
  assert_string_equal(bench.Out("passwd x").c_str(), "Keyid must be defined\n");
  assert_string_equal(bench.platform.err.c_str(), "Keyid: ");
  assert_true(bench.session.password.empty());
  bench.platform.answers = {"7"};
  assert_string_equal(bench.Out("passwd x").c_str(), "");
  assert_int_equal(bench.session.key.value, 7);
  assert_true(AsText(bench.session.password.bytes()) == "x");
}

void SendsNothingWithoutAPassword(void**) {
  Bench bench;
  bench.platform.answers = {"7", ""};
  bench.Out(":config x");
  assert_true(bench.platform.err.find("Invalid password") != std::string::npos);
  assert_int_equal(bench.network.asked, 0);
}

}  // namespace
}  // namespace ntpward::ntpq::test

int main() {
  using namespace ntpward::ntpq::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AsksForKeyAndPasswordOnce),
      cmocka_unit_test(SendsTheNonceOfAServerThatGivesOne),
      cmocka_unit_test(SendsEveryChangeWithANonce),
      cmocka_unit_test(ProvesItsAddressWhereAListIsRefused),
      cmocka_unit_test(PutsNothingOfAServersIntoALineButANonce),
      cmocka_unit_test(SendsNoLineWithoutANonceUnlessTold),
      cmocka_unit_test(PointsAtTheWordThatIsWrong),
      cmocka_unit_test(SendsNoLineThatDoesNotFitBesideItsNonce),
      cmocka_unit_test(APasswordWantsAKey),
      cmocka_unit_test(SendsNothingWithoutAPassword),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
