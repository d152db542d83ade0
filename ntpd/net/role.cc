#include "ntpd/net/role.h"

#include <algorithm>
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

}  // namespace

RoleChannels RoleChannels::Inherited() {
  return {{UniqueFd(kSupervisorIn), UniqueFd()},
          {UniqueFd(kClockIn), UniqueFd(kClockOut)},
          {UniqueFd(kKeysIn), UniqueFd(kKeysOut)},
          {UniqueFd(kResolveIn), UniqueFd(kResolveOut)}};
}

Role::Role(RoleChannels channels, uint16_t port)
    : base_(event_base_new()),
      channels_(std::move(channels)),
      node_(base_.get(), &channels_.supervisor, &channels_.clock, &channels_.keys),
      upstreams_(
          &node_, &channels_.resolve, [this] { Update(); }, port),
      run_time_(&node_, &upstreams_),
      leap_seconds_(&node_),
      signatures_(&node_, &leap_seconds_),
      view_(&node_, &upstreams_, &leap_seconds_),
      control_(&node_, &view_, &run_time_),
      server_(&node_, &control_),
      peering_(&node_, &upstreams_, [this] { Update(); }),
      manycast_(&node_, &upstreams_, [this] { Update(); }) {
  view_.SetServer(&server_);
  server_.SetPeering(&peering_);
  upstreams_.SetSend([this](const SocketAddress& to, const IpAddress& from, uint8_t hops,
                            Bytes packet) { return server_.SendTo(to, from, hops, packet); });
  upstreams_.SetListening([this](const SocketAddress& to) { return server_.IsListening(to); });
  upstreams_.SetSource([this](const SocketAddress& to, const IpAddress& wanted) {
    return server_.SourceTowards(to, wanted);
  });
  control_.SetSave([this](const msg::NetSaveConfig& ask) {
    return channels_.supervisor.Send(ask) == SendOutcome::kSent;
  });
  control_.SetKeysChanged([this](std::span<const KeyId> keys, bool trusted) {
    upstreams_.OnKeysChanged(keys, trusted);
    Update();
  });
  run_time_.SetOnChange([this](const settings::Change& change) { ApplyChange(change); });
  auto hasher = keys::SessionKeyHasher::Create();
  if (hasher.ok()) node_.hasher.emplace(std::move(hasher).value());
}

template <void (Role::*kCall)()>
Event Role::When(int fd, short what) {
  return Event(event_new(
      base_.get(), fd, what,
      [](evutil_socket_t, short, void* self) { (static_cast<Role*>(self)->*kCall)(); }, this));
}

template <void (Role::*kCall)()>
void Role::Hear(const Channel& channel) {
  event_add(heard_.emplace_back(When<kCall>(channel.in_fd(), EV_READ | EV_PERSIST)).get(), nullptr);
}

int Role::Run(std::string sandbox) {
  Start(std::move(sandbox));
  event_base_dispatch(base_.get());
  return 0;
}

void Role::Start(std::string sandbox) {
  sandbox_ = std::move(sandbox);
  Hear<&Role::OnSupervisor>(channels_.supervisor);
  Hear<&Role::OnClock>(channels_.clock);
  Hear<&Role::OnKeys>(channels_.keys);
  Hear<&Role::OnResolve>(channels_.resolve);
  deadline_ = When<&Role::OnDeadline>(-1, 0);
  second_ = When<&Role::OnSecond>(-1, EV_PERSIST);
  const timeval one = ToTimeval(1);
  event_add(second_.get(), &one);
  // Asks nothing but to be told the state: an ntpd-clock that outlived our predecessor says it only
  // when asked.
  (void)channels_.clock.Send(msg::ClockAdjust{});
}

void Role::OnClock() {
  if (!node_.steering.OnReadable()) return;
  if (node_.steering.TakeSlewRefusal() && node_.engine != nullptr)
    node_.engine->OnSlewRefused(Timebase::Mono());
  clock_known_ = true;
  TryApply();
}
void Role::OnKeys() { (void)node_.keys.OnReadable(); }
void Role::OnResolve() { (void)upstreams_.OnResolveReadable(); }

void Role::AskMaterial() {
  material_asked_ = Timebase::Mono();
  node_.keys.AskMaterial([this](const msg::HostMaterial& material) { OnMaterial(material); });
}

void Role::AskKeyCount() {
  key_count_asked_ = Timebase::Mono();
  node_.key_counts.symmetric.reset();
  node_.keys.AskCount(
      [this](const msg::KeyCount& count) { node_.key_counts.symmetric = count.symmetric; });
}

void Role::OnMaterial(const msg::HostMaterial& material) {
  const bool had = node_.has_material;
  const std::vector<uint8_t> key(node_.host.public_key().begin(), node_.host.public_key().end());
  const std::vector<uint8_t> certificate = node_.host.certificate().der;
  const autokey::PublicKey sign_key = node_.host.certificate().key;
  const int scheme = node_.host.certificate().scheme;
  const bool was_private = node_.host.is_private();
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
  const bool other_scheme = scheme != node_.host.certificate().scheme;
  const bool replaced = had && (sign_key != node_.host.certificate().key || other_scheme);
  change.signer = replaced && !was_private;
  change.lost_signer = replaced && was_private;
  change.certificate = had && certificate != node_.host.certificate().der;
  // What servers signed for us stays good as long as our key does.
  if (!had || change.certificate) node_.certificates.SetOwn(node_.host.certificate());
  node_.has_material = true;
  char line[300];
  std::snprintf(line, sizeof line, "setup 0x%x host %s %s", node_.host.status_word(),
                std::string(node_.host.subject()).c_str(),
                std::string(node_.host.digest_name()).c_str());
  node_.reporter.CryptoStatistics("0.0.0.0", line);
  if (!had && node_.host.enabled())
    node_.reporter.Info(
        msg::kLogSystemInfo,
        "crypto: Autokey is on; its cookies have 32 bits, which keeps out accidents "
        "and no determined attacker");
  if (change.signer) server_.OnSignerReplaced(Timebase::Mono(), other_scheme);
  upstreams_.OnHostMaterial(change);
  signatures_.Update();
  Schedule();
}

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
  upstreams_.ReportEvents();
  Schedule();
}

// After anything that may have brought a sample.
void Role::Update() {
  if (ending_) return;
  Act(node_.engine->Update(Timebase::Mono(), node_.time.Now()));
  signatures_.Update();
  upstreams_.ReportEvents();
  Say();
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
      if (outcome == StepOutcome::kMade && !node_.steering.leaves_clock_alone())
        node_.clock_was_stepped = true;
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
  Quit(quit);
}

void Role::QuitAfter(const core::ClockAction& action, bool stepped) {
  if (ending_) return;
  const bool slewing = action.kind == core::ClockAction::Kind::kSlew &&
                       node_.steering.SlewWhole(action.offset, *node_.engine);
  const Correction correction = node_.steering.leaves_clock_alone() ? Correction::kLeftAlone
                                : stepped                           ? Correction::kStepped
                                : slewing                           ? Correction::kSlewing
                                                                    : Correction::kRefused;
  Quit(QuitAfterCorrection(correction, action.offset));
}

void Role::Quit(const msg::NetQuit& quit) {
  (void)channels_.supervisor.Send(quit);
  ending_ = true;
}

void Role::OnSecond() {
  const MonoTime now = Timebase::Mono();
  node_.timer.overruns += seconds_.OnSecond(now);
  node_.keys.Expire(now);
  if (node_.engine == nullptr || ending_) return;
  upstreams_.Maintain(Timebase::Mono());
  manycast_.Maintain();
  leap_seconds_.OnSecond(node_.time.Now());
  upstreams_.ReportEvents();
  if (node_.start.crypto_enabled && !node_.has_material &&
      now - material_asked_ > kMaterialPatience)
    AskMaterial();
  if (!node_.key_counts.symmetric && now - key_count_asked_ > kMaterialPatience) AskKeyCount();
  signatures_.Update();
  if (now - drift_saved_ > kDriftInterval) {
    drift_saved_ = now;
    SaveDrift();
  }
  node_.reporter.SystemStatistics(now, node_.packets);
  Say();
  QuitWithoutCorrection(now);
}

// There is nothing to correct by a local clock, which a server may yet come before.
void Role::QuitWithoutCorrection(MonoTime now) {
  if (!node_.start.quit) return;
  const bool waits_for_servers = std::any_of(
      upstreams_.lines().begin(), upstreams_.lines().end(),
      [](const auto& line) { return line.kind != msg::NetAssociationKind::kLocalClock; });
  if (waits_for_servers && now - node_.started <= kQuitPatience) return;
  if (node_.engine->system().synchronised())
    return Quit(QuitAfterCorrection(
        node_.steering.leaves_clock_alone() ? Correction::kLeftAlone : Correction::kSlewing, 0));
  if (now - node_.started > kQuitPatience) Quit(QuitWithoutServer(node_.io.datagrams.received > 0));
}

void Role::SaveDrift() {
  if (node_.engine == nullptr || !node_.engine->discipline().frequency_known()) return;
  const Ppm frequency = node_.engine->discipline().frequency();
  (void)channels_.supervisor.Send(msg::NetDrift{.frequency = frequency});
}

// One line for the service manager, when it changes.
void Role::Say() {
  const core::SystemState& system = node_.engine->system();
  std::string text = "not synchronised";
  if (system.synchronised())
    text = "synchronised, stratum " + std::to_string(system.stratum) + ", source " +
           wire::RefidText(system.refid, system.stratum);
  if (node_.time.state().is_virtual) text += "; system clock left alone";
  if (text == said_) return;
  said_ = text;
  msg::NetStatus status;
  status.synchronised = system.synchronised();
  CHECK(status.text.Assign(AsBytes(text)));
  (void)channels_.supervisor.Send(status);
}

}  // namespace ntpward::net
