// ntpq: asks NTP servers about their state and shows what they say.
#include <cstdio>
#include <utility>
#include <vector>

#include "ntpq/cage.h"
#include "ntpq/command.h"
#include "ntpq/keyfile.h"
#include "ntpq/line_input.h"
#include "ntpq/metrics.h"
#include "ntpq/name_process.h"
#include "ntpq/options.h"
#include "ntpq/std_platform.h"
#include "ntpq/udp.h"
#include "privsep/standard_descriptors.h"

namespace {

using namespace ntpward;
using namespace ntpward::ntpq;

class SystemNetwork : public Network {
 public:
  explicit SystemNetwork(NameProcess& names) : names_(names) {}

  Result<Host, OpenError> Open(const std::string& name, Family family) override {
    auto resolved = names_.Resolve(name, family);
    if (!resolved.ok()) return Fail(OpenError{resolved.error().text, false});
    OpenError failed{"no address", true};
    for (const IpAddress& address : resolved->addresses) {
      auto transport = UdpTransport::Connect({address, kNtpPort});
      if (transport.ok()) return Host{resolved->name, address, std::move(transport).value()};
      failed.text = transport.error().text;
    }
    return Fail(failed);
  }

 private:
  NameProcess& names_;
};

int Complain(const char* program, const std::string& text) {
  std::fprintf(stderr, "%s: %s\n", program, text.c_str());
  return 1;
}

void RunInteractive(Session& session, const Options& options, LineInput& input) {
  session.at_prompt = input.prompts();
  VisitHost(session, options.hosts[0]);
  while (!session.quit) {
    const auto line = input.Next();
    if (!line) break;
    session.platform().HoldInterrupt();
    RunLine(session, *line);
    // A program that types waits for what it asked.
    std::fflush(stdout);
    if (session.platform().Interrupted()) session.PrintError(">>> command aborted <<<\n");
    session.platform().ReleaseInterrupt();
  }
}

void RunMetrics(Session& session, const Options& options) {
  if (session.OpenHost(options.hosts[0].name, options.hosts[0].family))
    PrintMetrics(session, *options.metrics);
  else
    PrintDown(session, *options.metrics);
  // That the server is down is what the metrics say.
  session.exit_status = 0;
}

// What must be open before the cage shuts.
Status OpenFiles(StdPlatform& platform, const Options& options) {
  platform.OpenTerminal();
  for (const std::string& command : options.commands) {
    const NamedFiles named = FilesOf(command);
    if (!named.written.empty()) TRY_VOID(platform.PrepareWrite(named.written));
    if (!named.read.empty()) platform.PrepareRead(named.read);
  }
  return {};
}

// Opens what it needs, shuts the cage, then asks.
int Run(const char* program, const Options& options) {
  auto names = NameProcess::Start();
  if (!names.ok()) return Complain(program, names.error().text);
  SystemNetwork network(**names);
  StdPlatform platform;
  Session session(platform, network, **names, options.settings);
  session.program = program;
  if (auto loaded = LoadKey(session, options); !loaded.ok())
    return Complain(program, loaded.error().text);
  const bool batch = !options.commands.empty() || options.metrics;
  const auto complete = [&session](std::string_view line) { return Complete(session, line); };
  const auto input = batch ? nullptr : MakeLineInput(options.interactive, complete);
  if (auto opened = OpenFiles(platform, options); !opened.ok())
    return Complain(program, opened.error().text);
  std::vector<int> needed = platform.Descriptors();
  needed.push_back((*names)->descriptor());
  CloseAllBut(std::move(needed));
  if (auto caged = EnterQueryCage(batch ? FileAccess::kNone : FileAccess::kOpen); !caged.ok())
    return Complain(program, caged.error().text);

  if (options.metrics)
    RunMetrics(session, options);
  else if (batch)
    RunBatch(session, options.hosts, options.commands);
  else
    RunInteractive(session, options, *input);
  // Who keeps the output must not take a part of it for the whole.
  if (auto written = platform.Flush(); !written.ok())
    return Complain(program, written.error().text);
  return session.exit_status;
}

int Save(const char* program, const Options& options) {
  auto saved = StdPlatform().WriteFile(*options.save_to, PresetText(options));
  return saved.ok() ? 0 : Complain(program, saved.error().text);
}

}  // namespace

int main(int argc, char** argv) {
  const char* program = argc > 0 ? argv[0] : "ntpq";
  if (!FillStandardDescriptors()) return 1;
  const auto options = ParseOptions(argc, argv);
  if (!options.ok()) return Complain(program, options.error().text + "\n" + UsageHint());
  if (options->save_to) return Save(program, *options);
  if (options->show_version)
    std::puts(VersionText().c_str());
  else if (options->show_help)
    std::fputs(HelpText().c_str(), stdout);
  else
    return Run(program, *options);
  return 0;
}
