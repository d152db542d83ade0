// Commands that show a fixed set of variables as a table of labels and values.
//
// Each asks for its whole set by name: a server that lacks one name refuses all, as ntpd does.
#include <array>

#include "ntpd/wire/variable_values.h"
#include "ntpq/command.h"
#include "ntpq/json_values.h"
#include "ntpq/text.h"
#include "ntpq/values.h"

namespace ntpward::ntpq {
namespace {

using enum ArgumentKind;

enum class Form : uint8_t {
  kText,     // as it came
  kCooked,   // as the variable's name says
  kRefid,    // kCooked, but a reference clock by its number
  kMode,     // an association mode as a word
  kAddress,  // an address and, from the next variable, its port
  kPort,     // shown by the kAddress before it
};

struct TableLine {
  std::string_view label;
  std::string_view variable;
  Form form = Form::kText;
};

struct Table {
  size_t width;      // of the label column, the two blanks after it excluded
  bool status_line;  // starts with the status word
  std::span<const TableLine> lines;
};

constexpr TableLine kSysStats[] = {{"uptime:", "ss_uptime"},
                                   {"sysstats reset:", "ss_reset"},
                                   {"packets received:", "ss_received"},
                                   {"current version:", "ss_thisver"},
                                   {"older version:", "ss_oldver"},
                                   {"bad length or format:", "ss_badformat"},
                                   {"authentication failed:", "ss_badauth"},
                                   {"declined:", "ss_declined"},
                                   {"restricted:", "ss_restricted"},
                                   {"rate limited:", "ss_limited"},
                                   {"KoD responses:", "ss_kodsent"},
                                   {"processed for time:", "ss_processed"}};

constexpr TableLine kSysInfo[] = {{"system peer:", "peeradr", Form::kAddress},
                                  {"system peer mode:", "peermode", Form::kMode},
                                  {"leap indicator:", "leap", Form::kCooked},
                                  {"stratum:", "stratum"},
                                  {"log2 precision:", "precision"},
                                  {"root delay:", "rootdelay"},
                                  {"root dispersion:", "rootdisp"},
                                  {"reference ID:", "refid", Form::kRefid},
                                  {"reference time:", "reftime", Form::kCooked},
                                  {"system jitter:", "sys_jitter"},
                                  {"clock jitter:", "clk_jitter"},
                                  {"clock wander:", "clk_wander"},
                                  {"broadcast delay:", "bcastdelay"},
                                  {"symm. auth. delay:", "authdelay"}};

constexpr TableLine kKernInfo[] = {{"pll offset:", "koffset"},
                                   {"pll frequency:", "kfreq"},
                                   {"maximum error:", "kmaxerr"},
                                   {"estimated error:", "kesterr"},
                                   {"kernel status:", "kstflags"},
                                   {"pll time constant:", "ktimeconst"},
                                   {"precision:", "kprecis"},
                                   {"frequency tolerance:", "kfreqtol"},
                                   {"pps frequency:", "kppsfreq"},
                                   {"pps stability:", "kppsstab"},
                                   {"pps jitter:", "kppsjitter"},
                                   {"calibration interval", "kppscalibdur"},
                                   {"calibration cycles:", "kppscalibs"},
                                   {"jitter exceeded:", "kppsjitexc"},
                                   {"stability exceeded:", "kppsstbexc"},
                                   {"calibration errors:", "kppscaliberrs"}};

constexpr TableLine kMonStats[] = {{"enabled:", "mru_enabled"},
                                   {"addresses:", "mru_depth"},
                                   {"peak addresses:", "mru_deepest"},
                                   {"maximum addresses:", "mru_maxdepth"},
                                   {"reclaim above count:", "mru_mindepth"},
                                   {"reclaim older than:", "mru_maxage"},
                                   {"kilobytes:", "mru_mem"},
                                   {"maximum kilobytes:", "mru_maxmem"}};

constexpr TableLine kIoStats[] = {
    {"time since reset:", "iostats_reset"}, {"receive buffers:", "total_rbuf"},
    {"free receive buffers:", "free_rbuf"}, {"used receive buffers:", "used_rbuf"},
    {"low water refills:", "rbuf_lowater"}, {"dropped packets:", "io_dropped"},
    {"ignored packets:", "io_ignored"},     {"received packets:", "io_received"},
    {"packets sent:", "io_sent"},           {"packet send failures:", "io_sendfailed"},
    {"input wakeups:", "io_wakeups"},       {"useful input wakeups:", "io_goodwakeups"}};

constexpr TableLine kTimerStats[] = {{"time since reset:", "timerstats_reset"},
                                     {"timer overruns:", "timer_overruns"},
                                     {"calls to transmit:", "timer_xmts"}};

constexpr TableLine kAuthInfo[] = {
    {"time since reset:", "authreset"},   {"stored keys:", "authkeys"},
    {"free keys:", "authfreek"},          {"key lookups:", "authklookups"},
    {"keys not found:", "authknotfound"}, {"uncached keys:", "authkuncached"},
    {"expired keys:", "authkexpired"},    {"encryptions:", "authencrypts"},
    {"decryptions:", "authdecrypts"}};

constexpr TableLine kControlStats[] = {
    {"time since reset:", "ctl_reset"},      {"requests received:", "ctl_received"},
    {"answered:", "ctl_answered"},           {"with an error:", "ctl_errors"},
    {"address not proved:", "ctl_unproved"}, {"rate limited:", "ctl_limited"},
    {"malformed:", "ctl_malformed"},         {"mode 7, dropped:", "ctl_mode7"},
    {"Autokey 1, refused:", "ss_autokey1"}};

constexpr TableLine kPeerStats[] = {{"remote host:", "srcadr", Form::kAddress},
                                    {"", "srcport", Form::kPort},
                                    {"local address:", "dstadr", Form::kAddress},
                                    {"", "dstport", Form::kPort},
                                    {"time last received:", "timerec"},
                                    {"time until next send:", "timer"},
                                    {"reachability change:", "timereach"},
                                    {"packets sent:", "sent"},
                                    {"packets received:", "received"},
                                    {"bad authentication:", "badauth"},
                                    {"bogus origin:", "bogusorg"},
                                    {"duplicate:", "oldpkt"},
                                    {"bad dispersion:", "seldisp"},
                                    {"bad reference time:", "selbroken"},
                                    {"candidate order:", "candidate"}};

std::string ModeText(std::string_view value) {
  constexpr std::string_view kUnknown = "unknown";
  const auto mode = wire::DecodeUnsigned(value);
  const std::string_view name = mode ? ModeName(*mode) : kUnknown;
  return name == kUnknown ? "unknown mode " + Printable(value) : std::string(name);
}

std::string AddressAndPort(std::string_view value, std::string_view port, const Display& display) {
  const auto address = wire::DecodeAddress(value);
  if (!address) return Printable(value);
  const auto number =
      port.empty() ? std::optional<uint64_t>(address->port) : wire::DecodeUnsigned(port);
  if (display.names != nullptr && address->ip.is_refclock()) return RefclockName(address->ip);
  const std::string name = AddressName(address->ip, display);
  const bool bracketed = name.find(':') != std::string::npos;
  return (bracketed ? "[" + name + "]" : name) + ":" + std::to_string(number.value_or(0));
}

std::string LineValue(const Table& table, size_t index, std::string_view value,
                      const Values& values, const Display& display) {
  const TableLine& line = table.lines[index];
  switch (line.form) {
    case Form::kMode:
      return ModeText(value);
    case Form::kRefid:
      if (const auto address = IpAddress::Parse(value); address && address->is_refclock())
        return address->ToString();
      [[fallthrough]];
    case Form::kCooked:
      return CookValue(line.variable, value, Scope::kSystem, display);
    case Form::kAddress: {
      const bool own_port =
          index + 1 < table.lines.size() && table.lines[index + 1].form == Form::kPort;
      const auto port = own_port ? Find(values, table.lines[index + 1].variable) : std::nullopt;
      return AddressAndPort(value, port.value_or(""), display);
    }
    case Form::kText:
    case Form::kPort:
      break;
  }
  return Printable(value);
}

std::string Names(const Table& table) {
  std::string names;
  for (const TableLine& line : table.lines) {
    names += names.empty() ? "" : ",";
    names += line.variable;
  }
  return names;
}

void ShowTable(Session& session, const Table& table, AssocId assoc) {
  const auto reply = session.Ask(wire::ControlOp::kReadVariables, assoc, Names(table));
  if (!reply) return;
  const Scope scope = assoc.value == 0 ? Scope::kSystem : Scope::kPeer;
  if (session.settings.json)
    return WriteAnswer(session, session.BeginResult(), assoc, scope, *reply);
  if (session.settings.raw) {
    session.Print(PrintableLines(reply->data));
    return;
  }
  if (table.status_line) PrintStatusLine(session, assoc, scope, reply->status);
  const Display display = session.display();
  const auto values = ReadValues(reply->data);
  for (size_t i = 0; i < table.lines.size(); ++i) {
    const TableLine& line = table.lines[i];
    const auto value = Find(values, line.variable);
    if (!value || line.form == Form::kPort) continue;
    session.Print(PadRight(line.label, table.width) + "  " +
                  LineValue(table, i, *value, values, display) + "\n");
  }
}

void SysStats(Session& session, const Arguments&) {
  ShowTable(session, {22, false, kSysStats}, AssocId{0});
}
void SysInfo(Session& session, const Arguments&) {
  ShowTable(session, {18, true, kSysInfo}, AssocId{0});
}
void KernInfo(Session& session, const Arguments&) {
  ShowTable(session, {21, true, kKernInfo}, AssocId{0});
}
void MonStats(Session& session, const Arguments&) {
  ShowTable(session, {20, false, kMonStats}, AssocId{0});
}
void IoStats(Session& session, const Arguments&) {
  ShowTable(session, {22, false, kIoStats}, AssocId{0});
}
void TimerStats(Session& session, const Arguments&) {
  ShowTable(session, {19, false, kTimerStats}, AssocId{0});
}
void AuthInfo(Session& session, const Arguments&) {
  ShowTable(session, {17, false, kAuthInfo}, AssocId{0});
}

void ControlStats(Session& session, const Arguments&) {
  ShowTable(session, {19, false, kControlStats}, AssocId{0});
}

void PeerStats(Session& session, const Arguments& arguments) {
  const uint32_t number = arguments[0].number;
  if (number == 0 || number > 0xffff) {
    session.PrintError("***Invalid association ID " + arguments[0].text + " specified\n");
    return;
  }
  ShowTable(session, {21, true, kPeerStats}, AssocId{static_cast<uint16_t>(number)});
}

constexpr std::array kCommands = {
    Command{"sysstats", SysStats, {}, "show how many packets came and what became of them"},
    Command{"sysinfo", SysInfo, {}, "show a summary of the system"},
    Command{"kerninfo", KernInfo, {}, "show the kernel's clock discipline"},
    Command{"monstats", MonStats, {}, "show how full the list of recent clients is"},
    Command{"iostats", IoStats, {}, "show network input and output"},
    Command{"timerstats", TimerStats, {}, "show the interval timer"},
    Command{"authinfo", AuthInfo, {}, "show how many keys there are and their use"},
    Command{"ctlstats",
            ControlStats,
            {},
            "show how many requests of this protocol came and what became of them",
            true},
    Command{"pstats",
            PeerStats,
            {{{kAssociation, false, "assocID"}}},
            "show the statistics of an association"},
};

}  // namespace

std::span<const Command> TableCommands() { return kCommands; }

}  // namespace ntpward::ntpq
