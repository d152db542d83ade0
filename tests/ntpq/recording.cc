#include "tests/ntpq/recording.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <sstream>

#include "ntpd/wire/control_message.h"
#include "tests/support/vectors.h"

namespace ntpward::ntpq::test {
namespace {

const std::string kData = "tests/ntpq/data/";

std::istringstream ReadText(const std::string& path) {
  const auto bytes = ntpward::test::ReadFile(path);
  return std::istringstream(std::string(bytes.begin(), bytes.end()));
}

timespec ToTime(const std::string& text) {
  const double seconds = std::strtod(text.c_str(), nullptr);
  const double whole = std::floor(seconds);
  return {static_cast<time_t>(whole), static_cast<long>((seconds - whole) * 1e9)};
}

// A carriage return is written as "\r" in the files. The reference lets those of the server's line
// ends through to the terminal; we do not.
std::string Unescaped(std::string text) {
  if (text.ends_with("\\r")) text.resize(text.size() - 2);
  for (size_t at; (at = text.find("\\r")) != std::string::npos;) text.replace(at, 2, "\r");
  return text;
}

void TakeLine(Recording& recording, const std::string& key, const std::string& rest) {
  if (key == "arg") recording.arguments.push_back(rest);
  if (key == "start") recording.start = ToTime(rest);
  if (key == "request") recording.exchanges.push_back({ntpward::test::FromHex(rest), {}});
  if (key == "out") recording.out += Unescaped(rest) + "\n";
  if (key == "err") recording.err += Unescaped(rest) + "\n";
  if (key != "response") return;
  const size_t blank = rest.find(' ');
  recording.exchanges.back().responses.push_back(
      {ToTime(rest.substr(0, blank)), ntpward::test::FromHex(rest.substr(blank))});
}

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
    for (Response response : exchanges[index].responses) {
      std::copy_n(datagram.begin() + 2, 2, response.datagram.begin() + 2);
      waiting_.push_back(std::move(response));
    }
    return {};
  }

  Result<std::optional<std::vector<uint8_t>>> Receive(MonoTime deadline) override {
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
};

Recording Recording::Load(const std::string& name) {
  Recording recording;
  auto text = ReadText(kData + name + ".txt");
  for (std::string line; std::getline(text, line);) {
    const size_t blank = std::min(line.find(' '), line.size());
    TakeLine(recording, line.substr(0, blank), line.substr(std::min(blank + 1, line.size())));
  }
  return recording;
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

}  // namespace ntpward::ntpq::test
