// What the supervisor tells ntpd-net: a configuration, sockets, who was started anew, the end.
#include <cmath>
#include <cstdio>

#include "ntpd/net/random.h"
#include "ntpd/net/role.h"
#include "privsep/supervisor_link.h"

namespace ntpward::net {
namespace {

core::Parameters ParametersOf(const msg::NetStart& start) {
  core::Parameters p;
  p.minclock = static_cast<int>(start.minclock);
  p.maxclock = static_cast<int>(start.maxclock);
  p.minsane = static_cast<int>(start.minsane);
  p.floor = start.floor;
  p.ceiling = start.ceiling;
  p.mindist = start.mindist;
  p.maxdist = start.maxdist;
  p.orphan = start.orphan;
  p.orphanwait = start.orphanwait;
  p.phi = start.dispersion * 1e-6;
  p.panic = start.panic;
  p.step_forward = start.step_forward;
  p.step_backward = start.step_backward;
  p.stepout = start.stepout;
  return p;
}

}  // namespace

void Role::OnSupervisor() {
  SupervisorLink link(&channels_.supervisor);
  while (auto message = channels_.supervisor.ReceiveWithFd()) {
    if (link.AnswersLiveness(message->bytes)) continue;
    if (OnMessage(message->bytes, std::move(message->fd))) continue;
    // The supervisor made us and can end us: nonsense from it is a defect, and not survivable.
    Fatal(__FILE__, __LINE__, "a message of the supervisor could not be read");
  }
  if (channels_.supervisor.peer_gone()) event_base_loopbreak(base_.get());
}

bool Role::OnMessage(Bytes bytes, UniqueFd fd) {
  switch (msg::PeekType(bytes).value_or(msg::Type{})) {
    case msg::Type::kNetSocket: {
      msg::NetSocket socket;
      if (!msg::Decode(bytes, &socket) || !fd.valid()) return false;
      server_.AddListener(socket, std::move(fd));
      return true;
    }
    case msg::Type::kNetSocketGone: {
      msg::NetSocketGone gone;
      if (!msg::Decode(bytes, &gone)) return false;
      server_.RemoveListener(gone.index);
      return true;
    }
    case msg::Type::kNetAddresses: {
      msg::NetAddresses part;
      if (!msg::Decode(bytes, &part)) return false;
      new_addresses_.insert(new_addresses_.end(), part.addresses.begin(), part.addresses.end());
      if (!part.more) upstreams_.SetOwnAddresses(std::exchange(new_addresses_, {}));
      return true;
    }
    case msg::Type::kNetRoleRestarted: {
      msg::NetRoleRestarted restarted;
      if (!msg::Decode(bytes, &restarted)) return false;
      OnRoleRestarted(restarted);
      return true;
    }
    case msg::Type::kLeapTable: {
      msg::LeapTable table;
      if (!msg::Decode(bytes, &table)) return false;
      leap_seconds_.SetTable(table);
      return true;
    }
    case msg::Type::kNetProcesses: {
      msg::NetProcesses processes;
      if (!msg::Decode(bytes, &processes)) return false;
      node_.processes = processes;
      return true;
    }
    case msg::Type::kNetConfigSaved: {
      msg::NetConfigSaved saved;
      if (!msg::Decode(bytes, &saved)) return false;
      control_.OnConfigSaved(saved);
      return true;
    }
    case msg::Type::kNetTerminate: {
      msg::NetTerminate terminate;
      if (!msg::Decode(bytes, &terminate)) return false;
      OnTerminate();
      return true;
    }
    default:
      return OnConfiguration(bytes);
  }
}

bool Role::OnConfiguration(Bytes bytes) {
  switch (msg::PeekType(bytes).value_or(msg::Type{})) {
    case msg::Type::kNetStart:
      new_ = {};
      new_kept_.clear();
      return msg::Decode(bytes, &new_.start);
    case msg::Type::kNetAssociation:
      return msg::Decode(bytes, &new_.associations.emplace_back());
    case msg::Type::kRuntimeLine:
      return msg::Decode(bytes, &new_kept_.emplace_back());
    case msg::Type::kNetRestrict: {
      msg::NetRestrict restrict_message;
      if (!msg::Decode(bytes, &restrict_message)) return false;
      for (const auto& entry : restrict_message.entries) new_.restrictions.push_back(entry);
      return true;
    }
    case msg::Type::kNetEnd: {
      msg::NetEnd end;
      if (!msg::Decode(bytes, &end)) return false;
      configured_ = true;
      TryApply();
      return true;
    }
    default:
      return false;
  }
}

void Role::MakeEngine() {
  core::EngineConfig config;
  config.parameters = ParametersOf(node_.start);
  config.discipline.drift = node_.start.drift;
  config.discipline.panic_gate_open = node_.start.allow_panic;
  config.discipline.slew_only = node_.start.slew_only;
  config.discipline.running = node_.time.state().frequency;
  config.precision = Timebase::MeasurePrecision();
  config.seed = RandomNumber();
  node_.engine = std::make_unique<core::Engine>(config, Timebase::Mono());
  char line[80];
  std::snprintf(line, sizeof line, "proto: precision = %.3f usec (%d)",
                std::ldexp(1e6, config.precision), config.precision);
  node_.reporter.Info(msg::kLogSystemInfo, line);
}

// The engine has to know how the clock runs, so a configuration waits for ntpd-clock's first word.
void Role::TryApply() {
  if (!configured_ || !clock_known_) return;
  configured_ = false;
  ApplyConfiguration();
}

void Role::ApplyConfiguration() {
  run_time_.SetFile(std::move(new_), new_kept_);
  const settings::Settings& now = run_time_.in_force();
  ApplyStart(now.start);
  ApplyRestrictions(now.restrictions);
  if (node_.start.crypto_enabled && !node_.has_material) AskMaterial();
  upstreams_.Configure(now.associations);
  if (!ready_) {
    ready_ = true;
    AskKeyCount();
    node_.link.Ready(sandbox_);
  }
  upstreams_.Maintain(Timebase::Mono());
  upstreams_.ReportEvents();
  Schedule();
}

void Role::ApplyStart(const msg::NetStart& start) {
  node_.start = start;
  node_.reporter.SetLogClasses(start.log_classes);
  node_.steering.SetMeasureOnly(!start.discipline);
  if (node_.engine == nullptr) {
    MakeEngine();
  } else {
    node_.engine->SetParameters(ParametersOf(start));
  }
  node_.host.SetRevoke(start.revoke);
  node_.engine->SetMeasureOnly(!start.discipline);
  server_.Configure(start);
}

void Role::ApplyChange(const settings::Change& change) {
  ApplyStart(change.after.start);
  for (const settings::AccessStep& step : change.access) ApplyAccess(step);
  if (!change.access.empty()) upstreams_.OnAccessChanged();
  upstreams_.Configure(change.after.associations);
  upstreams_.Maintain(Timebase::Mono());
  upstreams_.ReportEvents();
  Update();
}

void Role::ApplyAccess(const settings::AccessStep& step) {
  const msg::NetRestriction& entry = step.entry;
  if (entry.source) {
    std::optional<core::AccessFlags> flags;
    if (!step.remove) flags = core::AccessFlags(entry.flags);
    node_.access.SetSourceTemplate(flags, entry.ippeerlimit);
    for (const auto& [id, upstream] : upstreams_.all()) {
      if (upstream->remote.ip.is_refclock()) continue;
      node_.access.RemoveSource(upstream->remote.ip);
      node_.access.AddSource(upstream->remote.ip);
    }
  } else if (step.remove) {
    for (const auto port :
         {core::SourcePort::kAny, core::SourcePort::kNtp, core::SourcePort::kOther})
      (void)node_.access.Remove(entry.address, entry.mask, port);
  } else {
    AddRestriction(entry, entry.address, entry.mask);
  }
}

void Role::AddRestriction(const msg::NetRestriction& entry, const IpAddress& address,
                          const std::array<uint8_t, 16>& mask) {
  core::AccessEntry access;
  access.address = address;
  access.mask = mask;
  access.flags = core::AccessFlags(entry.flags);
  access.port = static_cast<core::SourcePort>(entry.port);
  access.ippeerlimit = entry.ippeerlimit;
  node_.access.Add(access);
}

void Role::ApplyRestrictions(const std::vector<msg::NetRestriction>& restrictions) {
  node_.access = core::AccessList();
  upstreams_.ForgetNames();
  for (const msg::NetRestriction& entry : restrictions) {
    if (entry.source) {
      node_.access.SetSourceTemplate(core::AccessFlags(entry.flags), entry.ippeerlimit);
    } else if (entry.name) {
      const auto add = [this, entry](const IpAddress& address) {
        AddRestriction(entry, address, core::AccessList::Mask(address.family, 128));
      };
      upstreams_.ResolveFor(*entry.name, std::string(entry.label.text()), add);
    } else {
      AddRestriction(entry, entry.address, entry.mask);
    }
  }
  // Associations that stay have their entries in the new list, too.
  for (const auto& [id, upstream] : upstreams_.all())
    if (!upstream->remote.ip.is_refclock()) node_.access.AddSource(upstream->remote.ip);
  upstreams_.OnAccessChanged();
}

void Role::OnRoleRestarted(const msg::NetRoleRestarted& restarted) {
  switch (restarted.role) {
    case msg::Role::kClock:
      return node_.steering.OnRestarted();
    case msg::Role::kResolve:
      return upstreams_.OnResolveRestarted(Timebase::Mono());
    case msg::Role::kKeys:
      if (restarted.continues) {
        node_.keys.OnContinued();
      } else {
        node_.keys.OnRestarted();
        upstreams_.OnKeysRestarted();
      }
      AskKeyCount();
      if (node_.start.crypto_enabled) AskMaterial();
      return;
    case msg::Role::kNet:
      return;
  }
}

void Role::OnTerminate() {
  ending_ = true;
  SaveDrift();
  event_base_loopbreak(base_.get());
}

}  // namespace ntpward::net
