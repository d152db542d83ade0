// links: ntpq
//
// A server that answers anything to every command: ntpq ends, and prints nothing that a terminal
// would take for a command, whether as text, as JSON or as metrics. The input's first octet chooses
// the command; the rest are datagrams, each after its length in two octets.
#include <algorithm>

#include "ntpq/command.h"
#include "ntpq/metrics.h"

using namespace ntpward;
using namespace ntpward::ntpq;

namespace {

constexpr const char* kCommands[] = {"peers",    "lpeers",   "opeers",   "apeers",   "rv",
                                     "rv 1",     "rv &1",    "cv",       "as",       "sysinfo",
                                     "pstats 1", "sysstats", "kerninfo", "mrulist",  "ifstats",
                                     "reslist",  "mrv 1 2",  "raw",      ":config x"};

class AnyPlatform : public Platform {
 public:
  timespec Now() override { return {1795304967, 0}; }
  void Out(std::string_view text) override { Check(text); }
  void Err(std::string_view text) override { Check(text); }
  std::optional<std::string> Ask(std::string_view, bool) override { return "1"; }
  Status WriteFile(const std::string&, std::string_view) override { return {}; }
  Result<std::string> ReadFile(const std::string&) override { return std::string("line\n"); }
  void HoldInterrupt() override {}
  void ReleaseInterrupt() override {}
  bool Interrupted() override { return false; }

 private:
  // A carriage return is ntpq's own, before its count of retrieved entries.
  static void Check(std::string_view text) {
    for (char c : text) CHECK((c >= 0x20 && c < 0x7f) || c == '\n' || c == '\r');
  }
};

// The sequence number is made to fit; all else comes as it is. Each datagram takes a millisecond.
class AnyTransport : public Transport {
 public:
  explicit AnyTransport(Reader& input) : input_(input) {}
  MonoTime Now() override { return now_; }
  Status Send(Bytes datagram) override {
    sequence_ = {datagram[2], datagram[3]};
    return {};
  }
  Result<std::optional<std::vector<uint8_t>>> Receive(MonoTime deadline) override {
    const Bytes bytes = input_.Take(std::min<size_t>(input_.U16(), input_.remaining()));
    if (bytes.empty()) {
      now_ = deadline;
      return std::optional<std::vector<uint8_t>>();
    }
    now_ = now_ + 0.001;
    std::vector<uint8_t> datagram(bytes.begin(), bytes.end());
    if (datagram.size() > 4) std::copy(sequence_.begin(), sequence_.end(), datagram.begin() + 2);
    return std::optional<std::vector<uint8_t>>(std::move(datagram));
  }

 private:
  Reader& input_;
  MonoTime now_;
  std::array<uint8_t, 2> sequence_{};
};

class AnyNetwork : public Network {
 public:
  explicit AnyNetwork(Reader& input) : input_(input) {}
  Result<Host, OpenError> Open(const std::string& name, Family) override {
    return Host{name, IpAddress::V4(127, 0, 0, 1), std::make_unique<AnyTransport>(input_)};
  }

 private:
  Reader& input_;
};

class NoNames : public NameService {
 public:
  std::string NameOf(const IpAddress& address) override { return address.ToString() + "\x1b[0m"; }
};

enum class Form : uint8_t { kText, kJson, kMetrics };

// The server answers the same whatever the form.
void Run(Bytes data, Form form) {
  Reader input(data);
  const uint8_t choice = input.U8();
  AnyPlatform platform;
  AnyNetwork network(input);
  NoNames names;
  Settings settings;
  settings.wide = (choice & 0x80) != 0;
  settings.raw = (choice & 0x40) != 0;
  settings.json = form == Form::kJson;
  Session session(platform, network, names, settings);
  if (form == Form::kMetrics) {
    CHECK(session.OpenHost("host", Family::kNone));
    PrintMetrics(session, MetricsFormat::kOpenMetrics);
  } else {
    RunBatch(session, {{"host", Family::kNone}},
             {kCommands[(choice & 0x3f) % std::size(kCommands)]});
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  for (const Form form : {Form::kText, Form::kJson, Form::kMetrics}) Run(Bytes(data, size), form);
  return 0;
}
