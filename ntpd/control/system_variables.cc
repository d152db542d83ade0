#include <array>
#include <cstdio>

#include "ntpd/control/variable_table.h"
#include "ntpd/control/variables.h"
#include "ntpd/wire/refid.h"
#include "privsep/base/text.h"

namespace ntpward::control {
namespace {

using Name = std::string_view;
using Out = wire::VariableListWriter;
using View = SystemView;
using Entry = VariableEntry<SystemView>;

// Tools look for a version of at least 4.2.8 behind the program's name, and scripts for "ntpd ".
constexpr std::string_view kVersion = "ntpd 4.2.8 (ntpward " NTPWARD_VERSION ")";

std::string VariableNames(const View& view);

// STA_* of <sys/timex.h>, in bit order; the last two are values rather than conditions.
constexpr std::array<std::string_view, 16> kKernelStatus = {
    "pll",       "ppsfreq",   "ppstime",   "fll",      "ins",      "del",  "unsync",   "freqhold",
    "ppssignal", "ppsjitter", "ppswander", "ppserror", "clockerr", "nano", "mode=fll", "src=B"};

std::string KernelStatus(uint32_t status) {
  std::string words;
  for (size_t bit = 0; bit < kKernelStatus.size(); ++bit) {
    if ((status >> bit & 1) == 0) continue;
    if (!words.empty()) words += ' ';
    words += kKernelStatus[bit];
  }
  return words;
}

void WriteCertificates(Name name, const View& view, Out& out) {
  if (!view.autokey) return;
  for (const CertView& cert : view.autokey->certificates) {
    out.AddQuoted(name, cert.subject + ' ' + cert.issuer + ' ' + HexNumber(cert.flags));
    out.Add("until", MinuteText(cert.not_after_unix_s));
  }
}

void WriteProcesses(Name name, const View& view, Out& out) {
  for (const ProcessView& process : view.processes) {
    std::string text = "state=" + process.state + " uptime=" + std::to_string(process.uptime_s) +
                       " restarts=" + std::to_string(process.restarts) +
                       " refused=" + std::to_string(process.refused);
    if (const auto& kernel = process.confinement) {
      text += " uid=" + std::to_string(kernel->uid) +
              " seccomp=" + std::to_string(kernel->seccomp) +
              " no_new_privs=" + (kernel->no_new_privileges ? "1" : "0") +
              " capabilities=" + HexNumber(kernel->capabilities);
    }
    out.AddQuoted(std::string(name) + '_' + process.name, text);
  }
}

// Listed, and written together with something else or not kept here at all.
void WriteNothing(Name, const View&, Out&) {}
void WriteZero(Name name, const View&, Out& out) { out.Add(name, "0"); }

// The order is part of the protocol: named variables are answered in it.
constexpr Entry kTable[] = {
    {"leap", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.status.leap & 3U); }},
    {"stratum", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.stratum); }},
    {"precision", [](Name n, const View& v, Out& o) { o.AddSigned(n, v.precision); }},
    {"rootdelay", [](Name n, const View& v, Out& o) { AddMilliseconds(o, n, v.root_delay_s); }},
    {"rootdisp", [](Name n, const View& v, Out& o) { AddMilliseconds(o, n, v.root_dispersion_s); }},
    {"refid", [](Name n, const View& v, Out& o) { o.Add(n, wire::RefidText(v.refid, v.stratum)); }},
    {"reftime", [](Name n, const View& v, Out& o) { o.AddTimestamp(n, v.reference); }},
    {"tc", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.time_constant); }},
    {"peer", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.system_peer.value); }},
    {"offset", [](Name n, const View& v, Out& o) { AddMilliseconds(o, n, v.offset_s, 6); }},
    {"frequency", [](Name n, const View& v, Out& o) { o.AddFixed(n, v.frequency.value, 3); }},
    {"sys_jitter",
     [](Name n, const View& v, Out& o) { AddMilliseconds(o, n, v.system_jitter_s, 6); }},
    {"clk_jitter", [](Name n, const View& v, Out& o) { AddMilliseconds(o, n, v.clock_jitter_s); }},
    {"clock", [](Name n, const View& v, Out& o) { o.AddTimestamp(n, v.now); }},
    {"processor", [](Name n, const View& v, Out& o) { o.AddQuoted(n, v.processor); }},
    {"system", [](Name n, const View& v, Out& o) { o.AddQuoted(n, v.system); }},
    {"version", [](Name n, const View&, Out& o) { o.AddQuoted(n, kVersion); }},
    {"clk_wander", [](Name n, const View& v, Out& o) { o.AddFixed(n, v.clock_wander.value, 3); }},
    {"sys_var_list", [](Name n, const View& v, Out& o) { o.AddQuoted(n, VariableNames(v)); }},
    {"tai",
     [](Name n, const View& v, Out& o) {
       if (v.tai_s > 0) o.AddUnsigned(n, static_cast<uint64_t>(v.tai_s));
     }},
    {"leapsec",
     [](Name n, const View& v, Out& o) {
       if (v.leap_table) o.Add(n, MinuteText(UnixSeconds(v.leap_table->last_leap)));
     }},
    {"expire",
     [](Name n, const View& v, Out& o) {
       if (v.leap_table) o.Add(n, MinuteText(UnixSeconds(v.leap_table->expires)));
     }},
    {"mintc", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.min_time_constant); }},
    {"mru_enabled", [](Name n, const View& v, Out& o) { o.AddHex(n, v.mru.enabled); }},
    {"mru_depth", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.mru.depth); }},
    {"mru_deepest", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.mru.deepest); }},
    {"mru_mindepth", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.mru.min_depth); }},
    {"mru_maxage", [](Name n, const View& v, Out& o) { o.AddSigned(n, v.mru.max_age_s); }},
    {"mru_maxdepth", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.mru.max_depth); }},
    {"mru_mem", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.mru.memory_kb); }},
    {"mru_maxmem", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.mru.max_memory_kb); }},
    {"ss_uptime", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.uptime_s); }},
    {"ss_reset", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.counters_since_reset_s); }},
    {"ss_received", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.packets.received); }},
    {"ss_thisver", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.packets.this_version); }},
    {"ss_oldver", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.packets.old_version); }},
    {"ss_badformat", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.packets.bad_format); }},
    {"ss_badauth", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.packets.bad_auth); }},
    {"ss_declined", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.packets.declined); }},
    {"ss_restricted",
     [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.packets.restricted); }},
    {"ss_limited", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.packets.limited); }},
    {"ss_kodsent", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.packets.kod_sent); }},
    {"ss_processed", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.packets.processed); }},
    {"ss_lamport", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.packets.lamport); }},
    {"ss_tsrounding",
     [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.packets.timestamp_rounding); }},
    {"peeradr",
     [](Name n, const View& v, Out& o) {
       o.Add(n, v.peer_address ? v.peer_address->ToString() : "0.0.0.0:0");
     }},
    {"peermode",
     [](Name n, const View& v, Out& o) { o.AddUnsigned(n, static_cast<uint8_t>(v.peer_mode)); }},
    {"bcastdelay",
     [](Name n, const View& v, Out& o) { AddMilliseconds(o, n, v.broadcast_delay_s); }},
    {"authdelay", [](Name n, const View& v, Out& o) { AddMilliseconds(o, n, v.auth_delay_s); }},
    {"authkeys", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.keys.stored); }},
    {"authfreek", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.keys.free); }},
    {"authklookups", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.keys.lookups); }},
    {"authknotfound", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.keys.not_found); }},
    {"authkuncached", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.keys.uncached); }},
    {"authkexpired", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.keys.expired); }},
    {"authencrypts", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.keys.encryptions); }},
    {"authdecrypts", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.keys.decryptions); }},
    {"authreset", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.keys.since_reset_s); }},
    {"koffset", [](Name n, const View& v, Out& o) { AddGeneral(o, n, v.kernel.offset_s * 1e3); }},
    {"kfreq", [](Name n, const View& v, Out& o) { AddGeneral(o, n, v.kernel.frequency.value); }},
    {"kmaxerr",
     [](Name n, const View& v, Out& o) { AddGeneral(o, n, v.kernel.max_error_s * 1e3); }},
    {"kesterr",
     [](Name n, const View& v, Out& o) { AddGeneral(o, n, v.kernel.estimated_error_s * 1e3); }},
    {"kstflags",
     [](Name n, const View& v, Out& o) { o.AddQuoted(n, KernelStatus(v.kernel.status)); }},
    {"ktimeconst", [](Name n, const View& v, Out& o) { o.AddSigned(n, v.kernel.time_constant); }},
    {"kprecis",
     [](Name n, const View& v, Out& o) { AddGeneral(o, n, v.kernel.precision_s * 1e3); }},
    {"kfreqtol", [](Name n, const View& v, Out& o) { AddGeneral(o, n, v.kernel.tolerance.value); }},
    {"kppsfreq", WriteZero},
    {"kppsstab", WriteZero},
    {"kppsjitter", WriteZero},
    {"kppscalibdur", WriteZero},
    {"kppscalibs", WriteZero},
    {"kppscaliberrs", WriteZero},
    {"kppsjitexc", WriteZero},
    {"kppsstbexc", WriteZero},
    {"iostats_reset", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.io.since_reset_s); }},
    {"total_rbuf", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.io.buffers); }},
    {"free_rbuf", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.io.free_buffers); }},
    {"used_rbuf", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.io.used_buffers); }},
    {"rbuf_lowater", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.io.low_water); }},
    {"io_dropped", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.io.dropped); }},
    {"io_ignored", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.io.ignored); }},
    {"io_received", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.io.received); }},
    {"io_sent", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.io.sent); }},
    {"io_sendfailed", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.io.send_failed); }},
    {"io_wakeups", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.io.wakeups); }},
    {"io_goodwakeups", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.io.good_wakeups); }},
    {"timerstats_reset",
     [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.timers.since_reset_s); }},
    {"timer_overruns", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.timers.overruns); }},
    {"timer_xmts", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.timers.transmits); }},
    {"fuzz", [](Name n, const View& v, Out& o) { AddMilliseconds(o, n, v.fuzz_s); }},
    {"clk_wander_threshold",
     [](Name n, const View& v, Out& o) { o.AddFixed(n, v.clock_wander_threshold.value, 3); }},
    {"leapsmearinterval",
     [](Name n, const View& v, Out& o) {
       if (v.leap_smear_interval_s > 0) o.AddUnsigned(n, v.leap_smear_interval_s);
     }},
    {"leapsmearoffset",
     [](Name n, const View& v, Out& o) {
       if (v.leap_smear_interval_s > 0) AddMilliseconds(o, n, v.leap_smear_offset_s);
     }},
    {"flags",
     [](Name n, const View& v, Out& o) {
       if (v.autokey) o.AddHex(n, v.autokey->flags);
     }},
    {"host",
     [](Name n, const View& v, Out& o) {
       if (v.autokey) o.AddQuoted(n, v.autokey->host);
     }},
    {"update",
     [](Name n, const View& v, Out& o) {
       if (v.autokey && v.autokey->update.value != 0)
         o.Add(n, MinuteText(UnixSeconds(v.autokey->update)));
     }},
    {"cert", WriteCertificates},
    {"signature",
     [](Name n, const View& v, Out& o) {
       if (v.autokey && !v.autokey->signature.empty()) o.AddQuoted(n, v.autokey->signature);
     }},
    // Each expiry follows its certificate: alone it would mean nothing.
    {"until", WriteNothing},
    {"ident",
     [](Name n, const View& v, Out& o) {
       if (v.autokey && !v.autokey->group.empty()) o.AddQuoted(n, v.autokey->group);
     }},
    {"digest",
     [](Name n, const View& v, Out& o) {
       if (v.autokey) o.AddQuoted(n, v.autokey->digest);
     }},
    {kProcesses, WriteProcesses},
    {"ctl_reset", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.control.since_reset_s); }},
    {"ctl_received", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.control.received); }},
    {"ctl_answered", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.control.answered); }},
    {"ctl_errors", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.control.errors); }},
    {"ctl_unproved", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.control.unproved); }},
    {"ctl_limited", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.control.rate_limited); }},
    {"ctl_malformed", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.control.malformed); }},
    {"ctl_mode7", [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.control.mode_7); }},
    {"ss_autokey1",
     [](Name n, const View& v, Out& o) { o.AddUnsigned(n, v.packets.autokey_version_1); }},
};

constexpr std::string_view kDefaults[] = {"version",
                                          "processor",
                                          "system",
                                          "leap",
                                          "stratum",
                                          "precision",
                                          "rootdelay",
                                          "rootdisp",
                                          "refid",
                                          "reftime",
                                          "clock",
                                          "peer",
                                          "tc",
                                          "mintc",
                                          "offset",
                                          "frequency",
                                          "sys_jitter",
                                          "clk_jitter",
                                          "clk_wander",
                                          "tai",
                                          "leapsec",
                                          "expire",
                                          "leapsmearinterval",
                                          "leapsmearoffset",
                                          "host",
                                          "ident",
                                          "flags",
                                          "digest",
                                          "signature",
                                          "update",
                                          "cert"};
constexpr auto kDefaultPlaces = PlacesOf(kTable, kDefaults);

std::string VariableNames(const View& view) {
  std::string names = JoinNames<View>(kTable);
  for (const ExtraVariable& extra : view.extra) names += ',' + extra.name;
  return names;
}

// What the operator set. Readers take the text apart at commas: those of a value would make it
// say more than one thing.
void WriteExtra(const ExtraVariable& extra, Out& out) {
  const bool quotes =
      extra.value.find(',') != std::string::npos && extra.value.find('"') == std::string::npos;
  quotes ? out.AddQuoted(extra.name, extra.value) : out.Add(extra.name, extra.value);
}

}  // namespace

bool IsSystemVariable(std::string_view name) { return FindVariable<View>(kTable, name) != nullptr; }

Result<wire::VariableListWriter, wire::ControlError> ReadSystem(
    const SystemView& view, std::span<const std::string_view> names) {
  const auto is_extra = [&](std::string_view name) {
    return std::any_of(view.extra.begin(), view.extra.end(),
                       [&](const ExtraVariable& extra) { return extra.name == name; });
  };
  for (std::string_view name : names)
    if (FindVariable<View>(kTable, name) == nullptr && !is_extra(name))
      return Fail(wire::ControlError::kUnknownVariable);

  Out out;
  if (names.empty())
    WriteAt<View>(kTable, view, kDefaultPlaces, out);
  else
    WriteNamed<View>(kTable, view, names, out);
  for (const ExtraVariable& extra : view.extra) {
    if (IsSystemVariable(extra.name)) continue;  // it says what is the case
    const bool wanted = names.empty()
                            ? extra.is_default
                            : std::find(names.begin(), names.end(), extra.name) != names.end();
    if (wanted) WriteExtra(extra, out);
  }
  out.Finish();
  return out;
}

}  // namespace ntpward::control
