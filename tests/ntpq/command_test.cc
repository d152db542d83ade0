// The command line and the command language, and what monitoring programs rely on.
#include "ntpq/command.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "ntpq/keyfile.h"
#include "ntpq/options.h"
#include "ntpq/presets.h"
#include "ntpq/std_platform.h"
#include "tests/ntpq/fake_server.h"
#include "tests/ntpq/recording.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::ntpq::test {
namespace {

// A session that answers from a recording, or not at all.
struct Bench {
  explicit Bench(Recording played = {}) : recording(std::move(played)) {
    platform.now = recording.start;
    session.OpenHost("127.0.0.1", Family::kNone);
  }

  std::string Out(const std::string& line) {
    platform.out.clear();
    platform.err.clear();
    RunLine(session, line);
    return platform.out;
  }
  std::string Err(const std::string& line) {
    Out(line);
    return platform.err;
  }

  Recording recording;
  RecordingPlatform platform;
  RecordedNetwork network{recording, platform};
  RecordedNames names;
  Session session{platform, network, names, Settings{}};
};

Result<Options> Parse(std::vector<std::string> words) {
  words.insert(words.begin(), "ntpq");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  return ParseOptions(static_cast<int>(words.size()), argv.data());
}

size_t Columns(const std::string& line) {
  std::istringstream words(line);
  size_t count = 0;
  for (std::string word; words >> word;) ++count;
  return count;
}

// --- what the kernel refuses

void SaysThatAQuestionCouldNotLeave(void**) {
  RecordingPlatform platform;
  FakeServer server{.refusal = "write: No buffer space available"};
  FakeNetwork network(server);
  RecordedNames names;
  Session session(platform, network, names, Settings{});
  session.OpenHost("ntp1", Family::kNone);
  RunLine(session, "rv");
  assert_string_equal(platform.err.c_str(),
                      "ntpq: write to ntp1 failed: No buffer space available\n");
}

// --- monitoring programs

void ShowsTenColumnsAndNoEmptyLine(void**) {
  Bench bench(Recording::Load("to-4.2.8-lpeers-n"));
  bench.session.settings.numeric = true;
  std::istringstream lines(bench.Out("lpeers"));
  std::string line;
  std::getline(lines, line);
  assert_true(line.find(" st t when poll reach ") != std::string::npos);
  assert_int_equal(Columns(line), 10);
  std::getline(lines, line);
  assert_int_equal(line.find_first_not_of('='), std::string::npos);
  size_t rows = 0;
  for (; std::getline(lines, line); ++rows) assert_int_equal(Columns(line), 10);
  assert_int_equal(rows, 12);
}

void PrintsAVersionThatPluginsAccept(void**) {
  Bench bench;
  int major = 0;
  int minor = 0;
  int point = 0;
  assert_int_equal(sscanf(bench.Out("version").c_str(), "ntpq %d.%d.%d", &major, &minor, &point),
                   3);
  assert_true(major * 10000 + minor * 100 + point >= 40208);
}

void TakesALoopbackAddressForTheSystem(void**) {
  Bench bench(Recording::Load("to-4.2.8-rv"));
  const std::string text = bench.Out("rv 127.0.0.1");
  assert_string_equal(bench.network.mismatch.c_str(), "");
  for (const char* item : {" offset=0.0", " frequency=0.0", " sys_jitter=0.0", "clk_wander="})
    assert_true(text.find(item) != std::string::npos);
}

void IgnoresAnArgumentOfACommandWithout(void**) {
  Bench bench(Recording::Load("to-4.2.8-iostats"));
  assert_true(bench.Out("iostats 127.0.0.1").starts_with("time since reset:"));
}

// As ntpq 4.2.8, whose other commands name it LOCAL(0).
void SysinfoShowsAReferenceClockByItsNumber(void**) {
  Recording recording = Recording::Load("to-4.2.8-sysinfo");
  const std::string_view theirs = "refid=10.77.0.15, ", ours = "refid=127.127.1.0,";
  size_t changed = 0;
  for (Exchange& exchange : recording.exchanges)
    for (Response& response : exchange.responses) {
      const auto at = std::search(response.datagram.begin(), response.datagram.end(),
                                  theirs.begin(), theirs.end());
      if (at == response.datagram.end()) continue;
      std::copy(ours.begin(), ours.end(), at);
      ++changed;
    }
  assert_int_equal(changed, 1);
  Bench bench(recording);
  assert_true(bench.Out("sysinfo").find("reference ID:       127.127.1.0\n") != std::string::npos);
}

// --- the command language

void NamesWhatIsWrong(void**) {
  Bench bench;
  assert_string_equal(bench.Err("nope").c_str(), "***Command `nope' unknown\n");
  assert_string_equal(bench.Err("p").c_str(), "***Command `p' ambiguous\n");
  assert_string_equal(bench.Err("pas").c_str(), "***Command `pas' ambiguous\n");
  assert_string_equal(bench.Err("rv abc").c_str(), "***Illegal unsigned value abc\n");
  assert_string_equal(bench.Err("rv -1").c_str(), "***Illegal unsigned value -1\n");
  assert_string_equal(bench.Err("rv 99999").c_str(), "***Invalid association ID 99999 specified\n");
  assert_string_equal(bench.Err("rv &x").c_str(),
                      "***Association index `&x' invalid/undecodable\n");
  assert_string_equal(bench.Err("peers 7").c_str(), "***Version must be either 4 or 6\n");
  assert_string_equal(bench.Err("keyid 70000").c_str(), "Invalid key identifier\n");
  assert_string_equal(bench.Err("hostnames x").c_str(), "What?\n");
  assert_string_equal(bench.Err("raw >").c_str(), "***No file for redirect\n");
  assert_string_equal(bench.Err("addvars").c_str(), "usage: addvars name[=value][,...]\n");
  assert_int_equal(bench.network.asked, 0);
}

void RedirectsAndDiscards(void**) {
  Bench bench;
  assert_string_equal(bench.Out("hostnames > out").c_str(), "");
  assert_string_equal(bench.platform.files["out"].c_str(), "hostnames being shown\n");
  assert_string_equal(bench.Out("~hostnames").c_str(), "");
  assert_string_equal(FilesOf("rv 0 x > some/file").written.c_str(), "some/file");
  assert_string_equal(FilesOf("config-from-file a.conf").read.c_str(), "a.conf");
  assert_true(FilesOf(":config restrict > x").written.empty());
}

void KeepsQuotedWordsTogether(void**) {
  Bench bench;
  bench.Out("addvars \"a=b c\"");
  assert_string_equal(bench.Out("showvars").c_str(), "a=b c\n");
}

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

void SendsNothingWithoutAPassword(void**) {
  Bench bench;
  bench.platform.answers = {"7", ""};
  bench.Out(":config x");
  assert_true(bench.platform.err.find("Invalid password") != std::string::npos);
  assert_int_equal(bench.network.asked, 0);
}

void TakesLongPasswordsAsHexadecimal(void**) {
  Bench bench;
  assert_true(bench.session.SetPassword("000102030405060708090a0b0c0d0e0f"));
  assert_int_equal(bench.session.password.size(), 16);
  assert_int_equal(bench.session.password.bytes()[15], 15);
  assert_true(bench.session.SetPassword("exactly20characters!"));
  assert_int_equal(bench.session.password.size(), 20);
  assert_false(bench.session.SetPassword("twenty-one characters"));
  assert_false(bench.session.SetPassword(""));
  assert_int_equal(bench.session.password.size(), 20);
}

void FindsAKeyInAKeyFile(void**) {
  Bench bench;
  const char* file = "# keys\n 1 MD5 other\n7 SHA1 ctlpass # control\n8 NOPE x\n";
  assert_true(TakeKey(bench.session, KeyId{7}, file).ok());
  assert_true(bench.session.key_type.name == "SHA1");
  assert_true(AsText(bench.session.password.bytes()) == "ctlpass");
  assert_false(TakeKey(bench.session, KeyId{8}, file).ok());
  assert_false(TakeKey(bench.session, KeyId{9}, file).ok());
}

// RFC 1305 appendix C; computed by `openssl enc -des-cbc`.
void MakesDesCheckSumsOfEveryFormOfAKey(void**) {
  const std::vector<uint8_t> covered(16, 0x2a);
  const auto mac = [&](std::string_view key) {
    return MakeMac(*FindKeyType("des"), KeyId{7}, AsBytes(key), covered);
  };
  const std::vector<uint8_t> expected = {0,    0,    0,    7,    0x31, 0x76,
                                         0x47, 0x75, 0x0c, 0x8a, 0xa4, 0x3d};
  assert_true(*mac("0123456789abcdef") == expected);
  assert_false(mac("0123456789abcdee").ok());
  assert_false(mac("123456789").ok());
  assert_true(mac("x").ok());

  Bench bench;
  Session& session = bench.session;
  const std::string_view file = "1 S 0123456789ABCDEF\n2 N 8091a2b3c4d5e6f7\n3 A x\n4 S 00\n";
  for (const uint32_t key : {1u, 2u}) {
    assert_true(TakeKey(session, KeyId{key}, file).ok());
    assert_string_equal(session.key_type.name.data(), "DES");
    assert_true(*mac(AsText(session.password.bytes())) == expected);
  }
  assert_true(TakeKey(session, KeyId{3}, file).ok());
  assert_string_equal(std::string(AsText(session.password.bytes())).c_str(), "x");
  assert_string_equal(TakeKey(session, KeyId{4}, file).error().text.c_str(), "key 4 is malformed");
}

void RejectsAListOfAssociationsThatIsNoList(void**) {
  Recording odd;
  odd.exchanges.push_back({{0x16, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
                           {{{}, {0x16, 0x81, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0x8a, 0x40, 0, 0}}}});
  Bench bench(odd);
  assert_string_equal(bench.Err("as").c_str(),
                      "***Server returned 2 octets, should be multiple of 4\n");
}

// --- the program's options

void KeepsFamiliesAndHostsInOrder(void**) {
  const auto options = Parse({"-4", "a", "-6", "b", "-nwp", "-c", "as", "[::1]"});
  assert_true(options.ok());
  assert_int_equal(options->hosts.size(), 3);
  assert_true(options->hosts[0].family == Family::kIpv4);
  assert_true(options->hosts[1].family == Family::kIpv6);
  assert_string_equal(options->commands[0].c_str(), "peers");
  assert_string_equal(options->commands[1].c_str(), "as");
  assert_true(options->settings.numeric && options->settings.wide);
}

void RefusesWhatItDoesNotKnow(void**) {
  assert_string_equal(Parse({"-Z"}).error().text.c_str(), "illegal option -- Z");
  assert_string_equal(Parse({"--nosuch"}).error().text.c_str(), "illegal option -- nosuch");
  assert_string_equal(Parse({"-n", "-c"}).error().text.c_str(), "option requires an argument -- c");
  assert_false(Parse({"-r", "foo"}).ok());
  assert_false(Parse({"-a", "x"}).ok());
  assert_false(Parse({"-i", "-p"}).ok());
  assert_false(Parse(std::vector<std::string>(201, "host")).ok());
  assert_true(Parse({"-?"})->show_help);
  assert_true(Parse({"--help"})->show_help);
  assert_true(Parse({"--version"})->show_version);
}

void TakesPresetsFromTheEnvironment(void**) {
  setenv("HOME", "/nonexistent", 1);
  setenv("NTPQ_SIGNS", "1", 1);
  setenv("NTPQ_NUMERIC", "0", 1);
  setenv("NTPQ_REFID", "hash", 1);
  const auto options = Parse({});
  unsetenv("NTPQ_SIGNS");
  unsetenv("NTPQ_NUMERIC");
  unsetenv("NTPQ_REFID");
  assert_true(options->settings.signs);
  assert_false(options->settings.numeric);
  assert_true(options->settings.refid == RefidStyle::kHash);
  assert_string_equal(options->hosts[0].name.c_str(), "localhost");
  setenv("NTPQ_REFID", "nonsense", 1);
  const bool refused = !Parse({}).ok();
  unsetenv("NTPQ_REFID");
  assert_true(refused);
}

// No command, and nothing for other programs.
void TakesPresetsFromAFile(void**) {
  const auto presets = PresetsOfFile(
      "# mine\n numeric\nwide = 0\nrefid: 'hash'\ncommand = \"passwd x\"\nno-nonce\nnosuch 5\n\n"
      "[NTPD]\nsigns\n[ntpq]\nauthentication 7\n<?program sntp>\nold-rv\nkeyfile\n");
  const std::vector<std::string> expected = {"--numeric", "--refid=hash", "--authentication=7"};
  assert_true(presets == expected);
  assert_true(PresetsOfFile("").empty());
}

int MakeDirectory(void** state) {
  char name[] = "/tmp/ntpward-presets.XXXXXX";
  if (mkdtemp(name) == nullptr) return -1;
  *state = strdup(name);
  return setenv("HOME", name, 1);
}

int RemoveDirectory(void** state) {
  const std::string home = static_cast<char*>(*state);
  for (const char* file : {"/.ntprc", "/other"}) (void)unlink((home + file).c_str());
  std::free(*state);
  return rmdir(home.c_str());
}

void TakesTheUsersFileBeforeTheCommandLine(void** state) {
  const std::string home = static_cast<char*>(*state);
  StdPlatform platform;
  const auto wanted = Parse({"-n", "-r", "hash", "-a", "5", "--save-opts"});
  assert_string_equal(wanted->save_to->c_str(), (home + "/.ntprc").c_str());
  assert_true(platform.WriteFile(*wanted->save_to, PresetText(*wanted)).ok());
  const auto options = Parse({"-r", "ipv4"});
  assert_true(options->settings.numeric);
  assert_true(options->settings.refid == RefidStyle::kIpv4);
  assert_int_equal(*options->key, 5);
  assert_false(Parse({"--no-load-opts"})->settings.numeric);

  assert_true(platform.WriteFile(home + "/other", "wide\n").ok());
  assert_true(Parse({"-<", home + "/other"})->settings.wide);
  assert_true(Parse({"--load-opts=" + home + "/other"})->settings.wide);
  assert_false(Parse({"--load-opts=" + home + "/nosuch"}).ok());
  assert_true(platform.WriteFile(home + "/.ntprc", "refid nonsense\n").ok());
  assert_false(Parse({}).ok());
}

}  // namespace
}  // namespace ntpward::ntpq::test

int main() {
  using namespace ntpward::ntpq::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(SaysThatAQuestionCouldNotLeave),
      cmocka_unit_test(ShowsTenColumnsAndNoEmptyLine),
      cmocka_unit_test(PrintsAVersionThatPluginsAccept),
      cmocka_unit_test(TakesALoopbackAddressForTheSystem),
      cmocka_unit_test(IgnoresAnArgumentOfACommandWithout),
      cmocka_unit_test(SysinfoShowsAReferenceClockByItsNumber),
      cmocka_unit_test(NamesWhatIsWrong),
      cmocka_unit_test(RedirectsAndDiscards),
      cmocka_unit_test(KeepsQuotedWordsTogether),
      cmocka_unit_test(AsksForKeyAndPasswordOnce),
      cmocka_unit_test(SendsTheNonceOfAServerThatGivesOne),
      cmocka_unit_test(SendsEveryChangeWithANonce),
      cmocka_unit_test(ProvesItsAddressWhereAListIsRefused),
      cmocka_unit_test(PutsNothingOfAServersIntoALineButANonce),
      cmocka_unit_test(SendsNoLineWithoutANonceUnlessTold),
      cmocka_unit_test(PointsAtTheWordThatIsWrong),
      cmocka_unit_test(SendsNoLineThatDoesNotFitBesideItsNonce),
      cmocka_unit_test(SendsNothingWithoutAPassword),
      cmocka_unit_test(TakesLongPasswordsAsHexadecimal),
      cmocka_unit_test(FindsAKeyInAKeyFile),
      cmocka_unit_test(MakesDesCheckSumsOfEveryFormOfAKey),
      cmocka_unit_test(RejectsAListOfAssociationsThatIsNoList),
      cmocka_unit_test(KeepsFamiliesAndHostsInOrder),
      cmocka_unit_test(RefusesWhatItDoesNotKnow),
      cmocka_unit_test(TakesPresetsFromTheEnvironment),
      cmocka_unit_test(TakesPresetsFromAFile),
      cmocka_unit_test_setup_teardown(TakesTheUsersFileBeforeTheCommandLine, MakeDirectory,
                                      RemoveDirectory),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
