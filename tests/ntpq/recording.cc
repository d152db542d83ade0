#include "tests/ntpq/recording.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <deque>
#include <sstream>
#include <utility>

#include "ntpd/wire/control_message.h"
#include "ntpq/command.h"
#include "ntpq/options.h"
#include "tests/ntpq/sealing.h"
#include "tests/support/arguments.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::ntpq::test {
namespace {

const std::string kData = "tests/ntpq/data/";

std::istringstream ReadText(const std::string& path) {
  const auto bytes = ntpward::test::ReadFile(path);
  return std::istringstream(std::string(bytes.begin(), bytes.end()));
}

timespec ToTime(double seconds) {
  const double whole = std::floor(seconds);
  return {static_cast<time_t>(whole), static_cast<long>((seconds - whole) * 1e9)};
}

// "\r", "\n", "\\" and "\xNN".
std::string Unescaped(const std::string& text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      plain += text[i];
      continue;
    }
    const char kind = text.at(++i);
    if (kind == 'x') {
      plain += static_cast<char>(ntpward::test::FromHex(text.substr(i + 1, 2)).at(0));
      i += 2;
    } else {
      plain += kind == 'r' ? '\r' : kind == 'n' ? '\n' : kind;
    }
  }
  return plain;
}

// The reference lets the carriage returns of the server's line ends through to the terminal; we do
// not.
std::string PrintedLine(const std::string& text) {
  std::string line = Unescaped(text);
  if (line.ends_with('\r')) line.pop_back();
  return line + "\n";
}

// A header in hexadecimal, a blank, the data; padded as it was sent.
std::vector<uint8_t> ToDatagram(const std::string& text) {
  const size_t blank = std::min(text.find(' '), text.size());
  auto datagram = ntpward::test::FromHex(text.substr(0, blank));
  const std::string data = Unescaped(text.substr(std::min(blank + 1, text.size())));
  datagram.insert(datagram.end(), data.begin(), data.end());
  datagram.resize((datagram.size() + 3) / 4 * 4);
  return datagram;
}

void TakeResponse(Recording& recording, double start, const std::string& rest) {
  const size_t blank = rest.find(' ');
  const double when = start + std::strtod(rest.c_str(), nullptr);
  recording.exchanges.back().responses.push_back(
      {ToTime(when), ToDatagram(rest.substr(blank + 1))});
}

struct Loader {
  Recording recording;
  double start = 0;

  void TakeLine(const std::string& key, const std::string& rest) {
    if (key == "recording") recording.name = rest;
    if (key == "arg") recording.arguments.push_back(rest);
    if (key == "start") recording.start = ToTime(start = std::strtod(rest.c_str(), nullptr));
    if (key == "request") recording.exchanges.push_back({ToDatagram(rest), {}});
    if (key == "response") TakeResponse(recording, start, rest);
    if (key == "fails") recording.exchanges.back().failure = rest;
    if (key == "unreachable") recording.unreachable = rest;
    if (key == "out") recording.out += PrintedLine(rest);
    if (key == "err") recording.err += PrintedLine(rest);
    if (key == "exit") recording.exit_status = std::stoi(rest);
    if (key == "file") TakeFile(rest);
  }

  void TakeFile(const std::string& rest) {
    const size_t blank = std::min(rest.find(' '), rest.size());
    recording.files[rest.substr(0, blank)] += rest.substr(std::min(blank + 1, rest.size())) + "\n";
  }
};

// What must agree: all but the sequence number and the MAC that depends on it.
std::vector<uint8_t> Comparable(Bytes datagram) {
  Reader in(datagram);
  in.Skip(10);
  const size_t size = std::min<size_t>(12 + in.U16(), datagram.size());
  std::vector<uint8_t> bytes(datagram.begin(),
                             datagram.begin() + static_cast<std::ptrdiff_t>(size));
  std::fill(bytes.begin() + 2, bytes.begin() + 4, uint8_t{0});
  return bytes;
}

}  // namespace

// Time passes only when nothing comes: then it jumps to the deadline.
class RecordedTransport : public Transport {
 public:
  explicit RecordedTransport(RecordedNetwork& network) : network_(network) {}

  MonoTime Now() override { return now_; }

  Status Send(Bytes datagram) override {
    RecordedNetwork& network = network_;
    const auto& exchanges = network.recording_.exchanges;
    if (AnswersNonceRequest(datagram)) return {};
    const size_t index = network.asked++;
    if (index >= exchanges.size() || Comparable(datagram) != Comparable(exchanges[index].request)) {
      network.mismatch =
          "request " + std::to_string(index) + " is " + ntpward::test::ToHex(datagram);
      return {};
    }
    failure_ = exchanges[index].failure;
    for (Response response : exchanges[index].responses) {
      std::copy_n(datagram.begin() + 2, 2, response.datagram.begin() + 2);
      Seal(datagram, &response.datagram);
      waiting_.push_back(std::move(response));
    }
    return {};
  }

  Result<std::optional<std::vector<uint8_t>>> Receive(MonoTime deadline) override {
    if (!failure_.empty()) return Fail(std::exchange(failure_, ""));
    if (waiting_.empty()) {
      now_ = deadline;
      return std::optional<std::vector<uint8_t>>();
    }
    Response response = std::move(waiting_.front());
    waiting_.pop_front();
    network_.platform_.now = response.when;
    return std::optional<std::vector<uint8_t>>(std::move(response.datagram));
  }

 private:
  // Recordings leave MACs out.
  static void Seal(Bytes request, std::vector<uint8_t>* response) {
    const auto parsed = wire::ParseControlRequest(request);
    const auto credentials = parsed.ok() ? CredentialsOf(*parsed) : std::nullopt;
    if (credentials) *response = Sealed(std::move(*response), *credentials);
  }

  // The reference's ntpq asks for no nonce before it configures, so that there is none in its
  // recordings. Its daemon answers such a request with a nonce for mrulist.
  bool AnswersNonceRequest(Bytes datagram) {
    const auto request = wire::ParseControlRequest(datagram);
    if (!request.ok() || request->header.op != wire::ControlOp::kRequestNonce ||
        AsText(request->data) != "config")
      return false;
    ++network_.nonces_asked;
    const auto reply = wire::ReplyHeader(request->header, 0, 0);
    waiting_.push_back(
        {network_.platform_.now, wire::BuildControlReply(reply, AsBytes(network_.nonce_answer), {},
                                                         wire::ControlPadding::kPlain)[0]});
    return true;
  }

  RecordedNetwork& network_;
  MonoTime now_ = MonoTime::FromSeconds(1000);
  std::deque<Response> waiting_;
  std::string failure_;
};

std::vector<Recording> Recording::LoadAll(const std::string& file) {
  std::vector<Recording> all;
  auto text = ReadText(kData + file + ".txt");
  Loader loader;
  for (std::string line; std::getline(text, line);) {
    const size_t blank = std::min(line.find(' '), line.size());
    const std::string key = line.substr(0, blank);
    if (key == "recording" && !loader.recording.name.empty())
      all.push_back(std::exchange(loader, {}).recording);
    loader.TakeLine(key, line.substr(std::min(blank + 1, line.size())));
  }
  all.push_back(std::move(loader.recording));
  return all;
}

Recording Recording::Load(const std::string& name) {
  for (const char* file : {"to-4.2.8", "to-4.2.6"})
    for (Recording& recording : LoadAll(file))
      if (std::string(file) + "-" + recording.name == name) return std::move(recording);
  fail_msg("no recording %s", name.c_str());
  return {};
}

std::optional<std::string> RecordingPlatform::Ask(std::string_view prompt, bool) {
  err += prompt;
  if (answers.empty()) return std::nullopt;
  std::string answer = answers.front();
  answers.erase(answers.begin());
  return answer;
}

Status RecordingPlatform::WriteFile(const std::string& path, std::string_view text) {
  files[path] = text;
  return {};
}

Result<std::string> RecordingPlatform::ReadFile(const std::string& path) {
  const auto found = files.find(path);
  if (found == files.end()) return Fail(path + ": No such file or directory");
  return found->second;
}

Result<Host, Network::OpenError> RecordedNetwork::Open(const std::string& name, Family) {
  if (!recording_.unreachable.empty()) return Fail(OpenError{recording_.unreachable, true});
  if (name.starts_with("no")) return Fail(OpenError{"Name or service not known", false});
  return Host{name, IpAddress::V4(127, 0, 0, 1), std::make_unique<RecordedTransport>(*this)};
}

RecordedNames::RecordedNames() {
  auto text = ReadText(kData + "hosts");
  for (std::string address, name, rest; text >> address >> name && std::getline(text, rest);)
    names_.emplace(address, name);
}

std::string RecordedNames::NameOf(const IpAddress& address) {
  const auto found = names_.find(address.ToString());
  return found == names_.end() ? address.ToString() : found->second;
}

Played Play(const Recording& recording, const std::vector<std::string>& extra) {
  std::vector<std::string> words = {"ntpq"};
  words.insert(words.end(), extra.begin(), extra.end());
  words.insert(words.end(), recording.arguments.begin(), recording.arguments.end());
  ntpward::test::Arguments arguments(std::move(words));
  const auto options = ParseOptions(arguments.argc(), arguments.argv());
  assert_true(options.ok());

  RecordingPlatform platform;
  platform.now = recording.start;
  platform.files = recording.files;
  RecordedNetwork network(recording, platform);
  RecordedNames names;
  Session session(platform, network, names, options->settings);
  RunBatch(session, options->hosts, options->commands);
  return {platform.out, platform.err, network.mismatch, network.asked, session.exit_status};
}

}  // namespace ntpward::ntpq::test
