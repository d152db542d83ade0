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

constexpr const char* kCommands[] = {
    "peers", "lpeers", "opeers", "apeers", "rv", "rv 1", "rv &1", "cv", "as", "sysinfo", "pstats 1",
    "sysstats", "kerninfo", "mrulist", "ifstats", "reslist", "mrv 1 2", "raw", ":config x",
    // Behind the others, since the seeds name them by number.
    "rl", "mrl &1 &2", "cl", "monstats", "iostats", "timerstats", "authinfo", "lopeers",
    "lassociations", "lpassociations", "config-from-file x", "saveconfig x", "writevar 0 x=1",
    "mrulist sort=addr kod", "why &1", "autokey", "privsep", "rv 0 reftime,offset,refid > x",
    "peers -6", "ctlstats", "writelist 1", "watch 1"};
// As long as any command may take.
constexpr double kLongestCommand = 600;

void CheckText(std::string_view text) {
  for (char c : text) CHECK((c >= 0x20 && c < 0x7f) || c == '\n');
}

// Looks at the first drawings, and quits. Waiting takes the time that it takes.
class AnyTerminal : public Terminal {
 public:
  explicit AnyTerminal(MonoTime& now) : now_(now) {}
  ScreenSize Size() override { return {24, 80}; }
  void Draw(const std::vector<ScreenLine>& lines) override {
    CheckText(RenderText(lines));
    ++drawn_;
  }
  Key Wait(double seconds) override {
    now_ = now_ + seconds;
    return drawn_ < kDrawings ? Key::kNone : Key::kQuit;
  }

 private:
  static constexpr int kDrawings = 3;
  MonoTime& now_;  // the transport's too
  int drawn_ = 0;
};

class AnyPlatform : public Platform {
 public:
  AnyPlatform(bool has_terminal, MonoTime& now) : has_terminal_(has_terminal), now_(now) {}
  timespec Now() override { return {1795304967, 0}; }
  void Out(std::string_view text) override { CheckText(text); }
  void Err(std::string_view text) override {
    // ntpq's own, before its count of retrieved entries.
    CheckText(text.substr(text.starts_with("\r") ? 1 : 0));
  }
  std::optional<std::string> Ask(std::string_view, bool) override { return "1"; }
  // What goes to a file is looked at on a terminal later.
  Status WriteFile(const std::string&, std::string_view text) override {
    CheckText(text);
    return {};
  }
  Result<std::string> ReadFile(const std::string&) override { return std::string("line\n"); }
  void HoldInterrupt() override {}
  void ReleaseInterrupt() override {}
  bool Interrupted() override { return false; }
  std::unique_ptr<Terminal> TakeTerminal() override {
    return has_terminal_ ? std::make_unique<AnyTerminal>(now_) : nullptr;
  }

 private:
  bool has_terminal_;
  MonoTime& now_;
};

// The sequence number is made to fit, and version and operation of most datagrams; all else comes
// as it is. Each datagram takes a millisecond.
class AnyTransport : public Transport {
 public:
  AnyTransport(Reader& input, MonoTime& now) : input_(input), now_(now) {}
  MonoTime Now() override { return now_; }
  Status Send(Bytes datagram) override {
    std::copy_n(datagram.begin(), header_.size(), header_.begin());
    return {};
  }
  bool Interrupted() override { return wants_end_ && wants_end_(); }
  void SetInterruption(std::function<bool()> wants_end) override {
    wants_end_ = std::move(wants_end);
  }
  Result<std::optional<std::vector<uint8_t>>> Receive(MonoTime deadline) override {
    if (Interrupted()) return std::optional<std::vector<uint8_t>>();
    const Bytes bytes = input_.Take(std::min<size_t>(input_.U16(), input_.remaining()));
    if (bytes.empty()) {
      now_ = deadline;
      return std::optional<std::vector<uint8_t>>();
    }
    CHECK(deadline - MonoTime() <= kLongestCommand);
    now_ = now_ + 0.001;
    std::vector<uint8_t> datagram(bytes.begin(), bytes.end());
    if (datagram.size() > 4) Fit(datagram);
    return std::optional<std::vector<uint8_t>>(std::move(datagram));
  }

 private:
  void Fit(std::vector<uint8_t>& datagram) const {
    constexpr uint8_t kAsItIs = 0xff;
    constexpr uint8_t kResponse = 0x80;
    constexpr uint8_t kErrorAndMore = 0x60;
    std::copy_n(header_.begin() + 2, 2, datagram.begin() + 2);
    if (datagram[0] == kAsItIs) return;
    datagram[0] = header_[0];
    datagram[1] = static_cast<uint8_t>(kResponse | (datagram[1] & kErrorAndMore) | header_[1]);
  }

  Reader& input_;
  MonoTime& now_;
  std::array<uint8_t, 4> header_{};  // how the request begins
  std::function<bool()> wants_end_;
};

class AnyNetwork : public Network {
 public:
  AnyNetwork(Reader& input, MonoTime& now) : input_(input), now_(now) {}
  Result<Host, OpenError> Open(const std::string& name, Family) override {
    return Host{name, IpAddress::V4(127, 0, 0, 1), std::make_unique<AnyTransport>(input_, now_)};
  }

 private:
  Reader& input_;
  MonoTime& now_;
};

class NoNames : public NameService {
 public:
  std::string NameOf(const IpAddress& address) override { return address.ToString() + "\x1b[0m"; }
};

enum class Form : uint8_t { kText, kJson, kMetrics, kTextfile };

// The server answers the same whatever the form.
void Run(Bytes data, Form form) {
  Reader input(data);
  const uint8_t choice = input.U8();
  MonoTime now;
  AnyPlatform platform((choice & 0x80) != 0, now);
  AnyNetwork network(input, now);
  NoNames names;
  Settings settings;
  settings.wide = (choice & 0x80) != 0;
  settings.raw = (choice & 0x40) != 0;
  settings.json = form == Form::kJson;
  Session session(platform, network, names, settings);
  if (form == Form::kMetrics || form == Form::kTextfile) {
    CHECK(session.OpenHost("host", Family::kNone));
    PrintMetrics(session,
                 form == Form::kMetrics ? MetricsFormat::kOpenMetrics : MetricsFormat::kTextfile);
  } else {
    // What readlist and writelist name.
    RunBatch(session, {{"host", Family::kNone}},
             {"addvars offset,x=1", kCommands[(choice & 0x3f) % std::size(kCommands)]});
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  for (const Form form : {Form::kText, Form::kJson, Form::kMetrics, Form::kTextfile})
    Run(Bytes(data, size), form);
  return 0;
}
