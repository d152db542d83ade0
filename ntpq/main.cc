// ntpq: asks NTP servers about their state and shows what they say.
#include <cstdio>

#include "ntpq/command.h"
#include "ntpq/keyfile.h"
#include "ntpq/line_input.h"
#include "ntpq/options.h"
#include "ntpq/resolver.h"
#include "ntpq/std_platform.h"
#include "ntpq/udp.h"

namespace {

using namespace ntpward;
using namespace ntpward::ntpq;

class SystemNames : public NameService {
 public:
  std::string NameOf(const IpAddress& address) override { return ResolveAddress(address); }
};

class SystemNetwork : public Network {
 public:
  Result<Host, OpenError> Open(const std::string& name, Family family) override {
    auto resolved = ResolveHost(name, family);
    if (!resolved.ok()) return Fail(OpenError{resolved.error().text, false});
    OpenError failed{"no address", true};
    for (const IpAddress& address : resolved->addresses) {
      auto transport = UdpTransport::Connect({address, kNtpPort});
      if (transport.ok()) return Host{resolved->name, address, std::move(transport).value()};
      failed.text = transport.error().text;
    }
    return Fail(failed);
  }
};

int Complain(const char* program, const std::string& text) {
  std::fprintf(stderr, "%s: %s\n%s", program, text.c_str(), UsageHint().c_str());
  return 1;
}

void RunInteractive(Session& session, const Options& options) {
  const auto input = MakeLineInput(options.interactive);
  session.OpenHost(options.hosts[0].name, options.hosts[0].family);
  while (!session.quit) {
    const auto line = input->Next();
    if (!line) break;
    RunLine(session, *line);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const char* program = argc > 0 ? argv[0] : "ntpq";
  auto options = ParseOptions(argc, argv);
  if (!options.ok()) return Complain(program, options.error().text);
  StdPlatform platform;
  if (options->show_version) platform.Out(VersionText() + "\n");
  else if (options->show_help) platform.Out(HelpText());
  if (options->show_version || options->show_help) return 0;

  tzset();
  platform.OpenTerminal();
  SystemNetwork network;
  SystemNames names;
  Session session(platform, network, names, options->settings);
  session.program = program;
  if (auto loaded = LoadKey(session, *options); !loaded.ok())
    return Complain(program, loaded.error().text);
  if (options->commands.empty())
    RunInteractive(session, *options);
  else
    RunBatch(session, options->hosts, options->commands);
  std::fflush(stdout);
  return session.exit_status;
}
