#include "ntpd/net/role.h"

#include <cmath>
#include <cstdio>

#include "ntpd/net/quit.h"
#include "ntpd/net/random.h"
#include "ntpd/wire/refid.h"
#include "privsep/fds.h"

namespace ntpward::net {
namespace {

constexpr double kDriftInterval = 3600;  // seconds
constexpr double kMaterialPatience = 3;  // seconds
constexpr double kQuitPatience = 60;     // -q: seconds without any source
constexpr double kLongestSleep = 3600;

timeval ToTimeval(double seconds) {
  timeval value{};
  value.tv_sec = static_cast<time_t>(seconds);
  value.tv_usec = static_cast<suseconds_t>((seconds - std::floor(seconds)) * 1e6);
  return value;
}

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
  p.allan = std::ldexp(1.0, start.allan);
  p.phi = start.dispersion * 1e-6;
  p.panic = start.panic;
  p.step_forward = p.step_backward = start.step;
  p.stepout = start.stepout;
  return p;
}

}  // namespace

Role::Role()
    : base_(event_base_new()),
      supervisor_(UniqueFd(kSupervisorIn), UniqueFd()),
      clock_(UniqueFd(kClockIn), UniqueFd(kClockOut)),
      keys_(UniqueFd(kKeysIn), UniqueFd(kKeysOut)),
      resolve_(UniqueFd(kResolveIn), UniqueFd(kResolveOut)),
      node_(base_.get(), &supervisor_, &clock_, &keys_),
      upstreams_(&node_, &resolve_, [this] { Update(); }),
      leap_seconds_(&node_),
      view_(&node_, &upstreams_, &leap_seconds_),
      control_(&node_, &view_),
      server_(&node_, &control_),
      peering_(&node_, &upstreams_, [this] { Update(); }),
      manycast_(&node_, &upstreams_, [this] { Update(); }) {
  view_.SetServer(&server_);
  server_.SetPeering(&peering_);
  upstreams_.SetSend([this](const SocketAddress& to, const IpAddress& from, uint8_t hops,
                            Bytes packet) { return server_.SendTo(to, from, hops, packet); });
  auto hasher = keys::SessionKeyHasher::Create();
  if (hasher.ok()) node_.hasher.emplace(std::move(hasher).value());
}

Event Role::Watch(int fd, void (Role::*on_readable)()) {
  struct Argument {
    Role* role;
    void (Role::*call)();
  };
  // Lives as long as the process: one for each channel.
  static_assert(std::is_trivially_destructible_v<Argument>);
  auto* argument = new Argument{this, on_readable};
  Event watch(event_new(
      base_.get(), fd, EV_READ | EV_PERSIST,
      [](evutil_socket_t, short, void* pointer) {
        const auto* what = static_cast<Argument*>(pointer);
        (what->role->*what->call)();
      },
      argument));
  event_add(watch.get(), nullptr);
  return watch;
}

int Role::Run(std::string sandbox) {
  sandbox_ = std::move(sandbox);
  watches_.push_back(Watch(supervisor_.in_fd(), &Role::OnSupervisor));
  watches_.push_back(Watch(clock_.in_fd(), &Role::OnClock));
  watches_.push_back(Watch(keys_.in_fd(), &Role::OnKeys));
  watches_.push_back(Watch(resolve_.in_fd(), &Role::OnResolve));
  deadline_.reset(evtimer_new(
      base_.get(),
      [](evutil_socket_t, short, void* self) { static_cast<Role*>(self)->OnDeadline(); }, this));
  second_.reset(event_new(
      base_.get(), -1, EV_PERSIST,
      [](evutil_socket_t, short, void* self) { static_cast<Role*>(self)->OnSecond(); }, this));
  const timeval one = ToTimeval(1);
  event_add(second_.get(), &one);
  // Asks nothing but to be told the state: an ntpd-clock that outlived our predecessor says it only
  // when asked.
  (void)clock_.Send(msg::ClockAdjust{});
  event_base_dispatch(base_.get());
  return 0;
}

// ---------------------------------------------------------------------------- the supervisor

void Role::OnSupervisor() {
  while (auto message = supervisor_.ReceiveWithFd()) {
    if (OnMessage(message->bytes, std::move(message->fd))) continue;
    // The supervisor made us and can end us: nonsense from it is a defect, and not survivable.
    Fatal(__FILE__, __LINE__, "a message of the supervisor could not be read");
  }
  if (supervisor_.peer_gone()) event_base_loopbreak(base_.get());
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
    case msg::Type::kNetRoleRestarted: {
      msg::NetRoleRestarted restarted;
      if (!msg::Decode(bytes, &restarted)) return false;
      OnRoleRestarted(restarted.role);
      return true;
    }
    case msg::Type::kNetLeapTable: {
      msg::NetLeapTable table;
      if (!msg::Decode(bytes, &table)) return false;
      leap_seconds_.SetTable(table);
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
      new_lines_.clear();
      new_restrictions_.clear();
      return msg::Decode(bytes, &new_start_);
    case msg::Type::kNetAssociation:
      return msg::Decode(bytes, &new_lines_.emplace_back());
    case msg::Type::kNetRestrict: {
      msg::NetRestrict restrict_message;
      if (!msg::Decode(bytes, &restrict_message)) return false;
      for (const auto& entry : restrict_message.entries) new_restrictions_.push_back(entry);
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
  node_.start = new_start_;
  node_.reporter.SetLogClasses(node_.start.log_classes);
  node_.steering.SetMeasureOnly(!node_.start.discipline);
  if (node_.engine == nullptr) {
    MakeEngine();
  } else {
    node_.engine->SetParameters(ParametersOf(node_.start));
  }
  node_.host.SetRevoke(node_.start.revoke);
  node_.engine->SetMeasureOnly(!node_.start.discipline);
  server_.Configure(node_.start);
  ApplyRestrictions();
  if (node_.start.crypto_enabled && !node_.has_material) AskMaterial();
  upstreams_.Configure(new_lines_);
  if (!ready_) {
    ready_ = true;
    node_.link.Ready(sandbox_);
  }
  upstreams_.Maintain();
  ReportEvents();
  Schedule();
}

void Role::AddRestriction(const msg::NetRestriction& entry, const IpAddress& address,
                          uint8_t prefix) {
  core::AccessEntry access;
  access.address = address;
  access.mask = core::AccessList::Mask(address.family, prefix);
  access.flags = core::AccessFlags(entry.flags);
  access.ntpport = entry.port == 1;
  access.ippeerlimit = entry.ippeerlimit;
  node_.access.Add(access);
}

void Role::ApplyRestrictions() {
  node_.access = core::AccessList();
  upstreams_.ForgetNames();
  for (const msg::NetRestriction& entry : new_restrictions_) {
    if (entry.source) {
      node_.access.SetSourceTemplate(core::AccessFlags(entry.flags), entry.ippeerlimit);
    } else if (entry.name) {
      upstreams_.ResolveFor(*entry.name, [this, entry](const IpAddress& address) {
        AddRestriction(entry, address, static_cast<uint8_t>(address.bytes().size() * 8));
      });
    } else {
      AddRestriction(entry, entry.address, entry.prefix);
    }
  }
  // Associations that stay have their entries in the new list, too.
  for (const auto& [id, upstream] : upstreams_.all())
    if (!upstream->remote.ip.is_refclock()) node_.access.AddSource(upstream->remote.ip);
}

void Role::OnRoleRestarted(msg::Role role) {
  switch (role) {
    case msg::Role::kClock:
      return node_.steering.OnRestarted();
    case msg::Role::kResolve:
      return upstreams_.OnResolveRestarted();
    case msg::Role::kKeys:
      node_.keys.OnRestarted();
      upstreams_.OnKeysRestarted();
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

// ---------------------------------------------------------------------------- other roles

void Role::OnClock() {
  if (!node_.steering.OnReadable()) return;
  clock_known_ = true;
  TryApply();
}
void Role::OnKeys() { (void)node_.keys.OnReadable(); }
void Role::OnResolve() { (void)upstreams_.OnResolveReadable(); }

void Role::AskMaterial() {
  material_asked_ = Timebase::Mono();
  node_.keys.AskMaterial([this](const msg::HostMaterial& material) { OnMaterial(material); });
}

void Role::OnMaterial(const msg::HostMaterial& material) {
  const bool had = node_.has_material;
  const std::vector<uint8_t> key(node_.host.public_key().begin(), node_.host.public_key().end());
  const std::vector<uint8_t> certificate = node_.host.certificate().der;
  const autokey::PublicKey sign_key = node_.host.certificate().key;
  if (const Status set = node_.host.SetMaterial(material); !set.ok()) {
    node_.reporter.Log(LogLevel::kError, "crypto: " + set.error().text);
    return;
  }
  auto hasher = keys::SessionKeyHasher::Create(std::string(node_.host.digest_name()));
  if (!hasher.ok()) return node_.reporter.Log(LogLevel::kError, "crypto: " + hasher.error().text);
  node_.hasher.emplace(std::move(hasher).value());
  const Bytes now = node_.host.public_key();
  autokey::HostChange change;
  change.key = had && (!std::equal(key.begin(), key.end(), now.begin(), now.end()) ||
                       sign_key != node_.host.certificate().key);
  change.certificate = had && certificate != node_.host.certificate().der;
  // What servers signed for us stays good as long as our certificate does.
  if (!had || change.certificate) node_.certificates.SetOwn(node_.host.certificate());
  node_.has_material = true;
  char line[300];
  std::snprintf(line, sizeof line, "setup 0x%x host %s %s", node_.host.status_word(),
                std::string(node_.host.subject()).c_str(),
                std::string(node_.host.digest_name()).c_str());
  node_.reporter.CryptoStatistics("0.0.0.0", line);
  upstreams_.OnHostMaterial(change);
  UpdateSignatures();
  Schedule();
}

// ---------------------------------------------------------------------------- time passes

void Role::Schedule() {
  if (node_.engine == nullptr || ending_) return;
  const double wait = node_.engine->NextDeadline() - Timebase::Mono();
  const timeval delay = ToTimeval(std::clamp(wait, 0.0, kLongestSleep));
  evtimer_add(deadline_.get(), &delay);
}

void Role::OnDeadline() {
  core::Engine& engine = *node_.engine;
  const core::Engine::TickResult result = engine.Tick(Timebase::Mono(), node_.time.Now());
  node_.steering.Run(result.clock, engine);
  Act(result.action);
  for (const AssocId id : result.due) upstreams_.Poll(id);
  ReportEvents();
  Schedule();
}

// After anything that may have brought a sample.
void Role::Update() {
  if (ending_) return;
  Act(node_.engine->Update(Timebase::Mono(), node_.time.Now()));
  UpdateSignatures();
  ReportEvents();
  Say(false);
  Schedule();
}

void Role::Act(const core::ClockAction& action) {
  using Kind = core::ClockAction::Kind;
  switch (action.kind) {
    case Kind::kNone:
    case Kind::kIgnore:
      return;
    case Kind::kPanic:
      return Panic(action.offset);
    case Kind::kStep: {
      const StepOutcome outcome = node_.steering.Step(action.offset);
      // Of a clock that may have been stepped nothing is known until it is measured again.
      if (outcome == StepOutcome::kRefused) {
        node_.engine->OnStepRefused(Timebase::Mono());
      } else {
        node_.engine->OnStepMade(Timebase::Mono());
      }
      if (node_.start.quit) QuitAfter(action, outcome == StepOutcome::kMade);
      break;
    }
    case Kind::kSlew:
      if (node_.start.quit) QuitAfter(action, false);
      break;
  }
  node_.reporter.LoopStatistics(*node_.engine);
}

void Role::Panic(double offset) {
  msg::NetQuit quit;
  quit.reason = msg::QuitReason::kPanic;
  char text[160];
  std::snprintf(text, sizeof text,
                "Clock offset %+.6f s exceeds panic threshold. Set system clock by hand.", offset);
  CHECK(quit.text.Assign(AsBytes(std::string_view(text))));
  (void)supervisor_.Send(quit);
  ending_ = true;
}

void Role::QuitAfter(const core::ClockAction& action, bool stepped) {
  if (ending_) return;
  const bool slewing = action.kind == core::ClockAction::Kind::kSlew &&
                       node_.steering.SlewWhole(action.offset, *node_.engine);
  const Correction correction = node_.steering.leaves_clock_alone() ? Correction::kLeftAlone
                                : stepped                           ? Correction::kStepped
                                : slewing                           ? Correction::kSlewing
                                                                    : Correction::kRefused;
  (void)supervisor_.Send(QuitAfterCorrection(correction, action.offset));
  ending_ = true;
}

void Role::OnSecond() {
  const MonoTime now = Timebase::Mono();
  node_.keys.Expire(now);
  if (node_.engine == nullptr || ending_) return;
  upstreams_.Maintain();
  manycast_.Maintain();
  leap_seconds_.OnSecond(node_.time.Now());
  ReportEvents();
  if (node_.start.crypto_enabled && !node_.has_material &&
      now - material_asked_ > kMaterialPatience)
    AskMaterial();
  UpdateSignatures();
  if (now - drift_saved_ > kDriftInterval) {
    drift_saved_ = now;
    SaveDrift();
  }
  node_.reporter.SystemStatistics(now, node_.packets);
  Say(false);
  if (node_.start.quit && now - node_.started > kQuitPatience) {
    msg::NetQuit quit;
    quit.reason = msg::QuitReason::kFailed;
    CHECK(quit.text.Assign(AsBytes("ntpd: no servers found")));
    (void)supervisor_.Send(quit);
    ending_ = true;
  }
}

void Role::ReportEvents() { upstreams_.ReportEvents(); }

void Role::SaveDrift() {
  if (node_.engine == nullptr || !node_.engine->discipline().frequency_known()) return;
  (void)supervisor_.Send(msg::NetDrift{.frequency = node_.engine->discipline().frequency()});
}

void Role::UpdateSignatures() {
  if (!node_.has_material) return;
  node_.host.OnCertificates(node_.certificates.revision());
  auto update = node_.host.DueUpdate(Timebase::Mono(), node_.time.Seconds(), node_.synchronised());
  if (!update) return;
  node_.keys.Update(*update, [this](const msg::SignedValues& values) {
    node_.host.OnSignedValues(values);
    node_.reporter.CryptoStatistics(
        "0.0.0.0", "signature update ts " + std::to_string(values.timestamp.value));
  });
}

// One line for the service manager, when it changes.
void Role::Say(bool force) {
  const core::SystemState& system = node_.engine->system();
  std::string text = "not synchronised";
  if (system.synchronised())
    text = "synchronised, stratum " + std::to_string(system.stratum) + ", source " +
           wire::RefidText(system.refid, system.stratum);
  if (node_.time.state().is_virtual) text += "; system clock left alone";
  if (text == said_ && !force) return;
  said_ = text;
  msg::NetStatus status;
  status.synchronised = system.synchronised();
  CHECK(status.text.Assign(AsBytes(text)));
  (void)supervisor_.Send(status);
}

}  // namespace ntpward::net
