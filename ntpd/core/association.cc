#include "ntpd/core/association.h"

#include <algorithm>
#include <cmath>

#include "ntpd/wire/refid.h"

namespace ntpward::core {
namespace {

using wire::FlashBit;

constexpr uint32_t kInit = wire::RefidCode("INIT");
constexpr uint32_t kStep = wire::RefidCode("STEP");
// An honest exchange takes seconds; more means a clock that jumped in between.
constexpr double kMaxRoundTrip = 16;
constexpr int kSilentPolls = 12;  // RFC 5905 UNREACH: the end of an ephemeral association
// Samples of a volley that tell a broadcast client its path delay.
constexpr int kVolleySamples = 4;

bool IsLeapAlarm(const wire::Header& header) { return header.leap == wire::Leap::kAlarm; }

bool IsSymmetric(HostMode mode) {
  return mode == HostMode::kSymmetricActive || mode == HostMode::kSymmetricPassive;
}

std::variant<ClientExchange, SymmetricExchange, BroadcastExchange> FirstExchange(
    const AssociationConfig& config, uint64_t seed) {
  if (IsSymmetric(config.mode)) return SymmetricExchange(seed);
  if (config.mode == HostMode::kBroadcastClient) return BroadcastExchange(config.delay);
  return ClientExchange();
}

// What we tell a peer or a group of our clock; the times of the exchange are not in it.
wire::Header Announce(HostMode mode, uint8_t version, const SystemState& system, MonoTime now) {
  wire::Header header;
  header.leap = system.leap;
  header.version = version;
  header.mode = static_cast<wire::Mode>(mode);
  header.stratum = system.stratum >= wire::kStratumUnsynchronised ? uint8_t{0} : system.stratum;
  header.precision = system.precision;
  header.root_delay = wire::NtpShort::FromSeconds(system.root_delay);
  header.root_dispersion = wire::NtpShort::FromSeconds(system.RootDispersionAt(now));
  header.refid = system.refid;
  header.reference = system.reference;
  return header;
}

}  // namespace

Association::Association(AssocId id, const SocketAddress& remote, const AssociationConfig& config,
                         const Parameters& parameters, int8_t precision, uint64_t seed,
                         MonoTime now)
    : id_(id),
      remote_(remote),
      config_(config),
      parameters_(parameters),
      precision_(precision),
      seed_(seed),
      schedule_(config.poll, seed, now),
      filter_(parameters.phi, Log2Seconds(precision)),
      hmode_(config.mode),
      exchange_(FirstExchange(config, seed)) {
  header_.refid = hmode_ != HostMode::kBroadcast ? kInit
                  : remote.ip.is_multicast()     ? wire::RefidCode("MCST")
                                                 : wire::RefidCode("BCST");
  Report(wire::PeerEvent::kMobilize);
}

// --- the exchange -------------------------------------------------------------------------------

bool Association::expired() const {
  return config_.ephemeral && schedule_.unreach() > kSilentPolls;
}

void Association::OnPolled(MonoTime now) {
  const PollSchedule::PollEffect effect = schedule_.OnPoll(now);
  if (effect.lost) filter_.AddLost(now);
  if (!effect.unreachable) return;
  reachable_since_.reset();
  if (auto* broadcast = std::get_if<BroadcastExchange>(&exchange_)) broadcast->Forget();
  Report(wire::PeerEvent::kUnreachable);
}

// The volley is over: from now on nothing is sent (RFC 5905 section 3).
void Association::Listen() {
  hmode_ = HostMode::kBroadcastClient;
  exchange_ = BroadcastExchange(filter_.delay());
}

std::optional<wire::Header> Association::BuildRequest(MonoTime now, NtpTimestamp nonce,
                                                      const SystemState& system) {
  if (config_.listen && may_listen_ && hmode_ == HostMode::kClient && !schedule_.in_burst() &&
      filter_.samples() >= kVolleySamples)
    Listen();
  OnPolled(now);
  if (hmode_ == HostMode::kBroadcastClient) return std::nullopt;
  if (hmode_ == HostMode::kBroadcast && !system.synchronised()) return std::nullopt;
  ++counters_.sent;
  wire::Header request;
  if (auto* client = std::get_if<ClientExchange>(&exchange_);
      client && hmode_ == HostMode::kClient) {
    request.leap = wire::Leap::kNone;
    request.version = config_.version;
    request.precision = 0x20;  // "unset": our precision would be a fingerprint
    request.transmit = client->Start(nonce);
  } else {
    request = Announce(hmode_, config_.version, system, now);
  }
  request.poll = static_cast<int8_t>(schedule_.poll());
  const auto* peer = std::get_if<SymmetricExchange>(&exchange_);
  // A peer that goes by what we sent before a restart or a step knows by its own time that we hear
  // it.
  if (peer != nullptr && (keyed() || peer->in_touch(Reachable()))) peer->Fill(&request);
  if (peer != nullptr && !keyed() && !peer->in_touch(Reachable())) peer->FillHeard(&request);
  return request;
}

void Association::OnSent(NtpTimestamp t1, KeyId key) {
  if (auto* client = std::get_if<ClientExchange>(&exchange_)) client->OnSent(t1, key);
  if (auto* peer = std::get_if<SymmetricExchange>(&exchange_)) peer->OnSent(t1);
}

void Association::VoidExchange() {
  if (auto* client = std::get_if<ClientExchange>(&exchange_)) client->Void();
  if (auto* peer = std::get_if<SymmetricExchange>(&exchange_)) peer->Void();
}

Result<void, Reject> Association::Forged(Reject reason) {
  switch (reason) {
    case Reject::kDuplicate:
      ++counters_.old;
      forged_flash_ |= FlashBit::kFlashDuplicate;
      break;
    case Reject::kNoMac:
    case Reject::kBadMac:
    case Reject::kCryptoNak:
      ++counters_.bad_auth;
      forged_flash_ |= FlashBit::kFlashAuth;
      break;
    default:
      ++counters_.bogus_origin;
      forged_flash_ |= FlashBit::kFlashBogus;
  }
  return Fail(reason);
}

Result<void, Reject> Association::MatchReply(const wire::Header& reply) {
  const auto screened = std::visit(
      [&](const auto& exchange) -> Result<void, Reject> {
        using T = std::decay_t<decltype(exchange)>;
        if constexpr (std::is_same_v<T, ClientExchange>) return exchange.Match(reply);
        if constexpr (std::is_same_v<T, SymmetricExchange>)
          return exchange.Screen(reply, keyed(), Reachable());
        if constexpr (std::is_same_v<T, BroadcastExchange>) return exchange.Screen(reply);
      },
      exchange_);
  if (!screened.ok()) return Forged(screened.error());
  return {};
}

Result<void, Reject> Association::CheckMac(const wire::Header& reply,
                                           const std::optional<MacVerdict>& verdict) {
  const auto* client = std::get_if<ClientExchange>(&exchange_);
  if (verdict && verdict->result == MacResult::kCryptoNak) {
    const auto* peer = std::get_if<SymmetricExchange>(&exchange_);
    // What we sent must be what it answers; a broadcast answers nothing.
    const bool answers = client != nullptr || (peer != nullptr && peer->Answers(reply));
    if (!keyed() || !verdict->key.is_none() || !answers) return Forged(Reject::kBadMac);
    if ((forged_flash_ & FlashBit::kFlashAuth) == 0)
      Report(wire::PeerEvent::kBadAuth, "crypto_NAK");
    return Forged(Reject::kCryptoNak);
  }
  if (verdict && verdict->result == MacResult::kBad) return Forged(Reject::kBadMac);
  if (!keyed()) return {};
  if (!verdict) return Forged(Reject::kNoMac);
  // What was not asked for carries a key of a list, whose order the verdict has judged.
  if (config_.autokey && client == nullptr) return {};
  const KeyId in_flight = client != nullptr ? client->key() : KeyId{};
  const KeyId wanted = config_.key ? *config_.key : in_flight;
  if (wanted.is_none() || verdict->key != wanted) return Forged(Reject::kBadMac);
  return {};
}

Result<Sample, Reject> Association::OnReply(const wire::Header& reply,
                                            std::optional<MacVerdict> verdict, NtpTimestamp t4,
                                            MonoTime now) {
  ++counters_.received;
  TRY_VOID(MatchReply(reply));
  TRY_VOID(CheckMac(reply, verdict));
  if (IsSymmetric(hmode_)) return OnPeer(reply, t4, now);
  if (hmode_ == HostMode::kBroadcastClient) return OnBroadcast(reply, t4, now);
  return OnServed(reply, t4, now);
}

Result<Sample, Reject> Association::OnServed(const wire::Header& reply, NtpTimestamp t4,
                                             MonoTime now) {
  auto& exchange = std::get<ClientExchange>(exchange_);
  if (!exchange.is_sent()) return Fail(Reject::kNotAsked);  // answered before it was sent
  const NtpTimestamp t1 = *exchange.Consume();
  authentic_ = keyed();
  Answered(now);
  if (const auto kiss = TakeKiss(reply, now)) return Fail(*kiss);
  Commit(reply, t4);
  TRY_VOID(CheckHeader(reply));
  return MakeSample(reply, t1, t4, kMaxRoundTrip, now);
}

Result<Sample, Reject> Association::OnPeer(const wire::Header& packet, NtpTimestamp t4,
                                           MonoTime now) {
  auto& exchange = std::get<SymmetricExchange>(exchange_);
  if (!keyed() && !exchange.IsOurs(packet.origin)) {
    exchange.Hear(packet, t4);
    return Fail(Reject::kOutOfStep);
  }
  const auto accepted = exchange.Accept(packet, t4, Reachable());
  if (!accepted.ok() && accepted.error() == Reject::kOutOfStep) return Fail(Reject::kOutOfStep);
  if (!accepted.ok()) {
    (void)Forged(accepted.error());
    return Fail(accepted.error());
  }
  authentic_ = keyed();
  Answered(now);
  if (const auto kiss = TakeKiss(packet, now)) return Fail(*kiss);
  schedule_.SetPeerPoll(packet.poll);
  Commit(packet, t4);
  TRY_VOID(CheckHeader(packet));
  // Each end sends when its own poll is due: between its packet and ours a whole interval may pass.
  return MakeSample(packet, *accepted, t4, kMaxRoundTrip + 2 * Log2Seconds(schedule_.maxpoll()),
                    now);
}

Result<Sample, Reject> Association::OnBroadcast(const wire::Header& packet, NtpTimestamp t4,
                                                MonoTime now) {
  auto& exchange = std::get<BroadcastExchange>(exchange_);
  exchange.Accept(packet);
  authentic_ = keyed();
  Answered(now);
  schedule_.SetPeerPoll(packet.poll);
  Commit(packet, t4);
  // A broadcast answers nobody: its receive time is not for us.
  wire::Header checked = packet;
  checked.receive = packet.transmit;
  TRY_VOID(CheckHeader(checked));
  const double own_precision = Log2Seconds(precision_);
  Sample sample;
  sample.time = now;
  sample.offset = exchange.OffsetOf(packet, t4);
  sample.delay = std::max(exchange.delay(), own_precision);
  sample.dispersion =
      std::min(kMaxDispersion, Log2Seconds(packet.precision) + own_precision +
                                   parameters_.phi * std::max(0.0, exchange.delay()));
  return Keep(sample);
}

// A kiss of death counts only in the answer to what we sent (CVE-2015-7704, CVE-2015-7705).
std::optional<Reject> Association::TakeKiss(const wire::Header& reply, MonoTime now) {
  if (reply.stratum != 0 || !IsLeapAlarm(reply)) return std::nullopt;
  const wire::Kiss kiss = wire::KissFromRefid(reply.refid);
  if (kiss != wire::Kiss::kRate && kiss != wire::Kiss::kDeny && kiss != wire::Kiss::kRstr)
    return std::nullopt;
  return OnKiss(reply, now);
}

Result<void, Reject> Association::OnHeard(const wire::Header& reply, NtpTimestamp t4,
                                          MonoTime now) {
  ++counters_.received;
  TRY_VOID(MatchReply(reply));
  if (auto* client = std::get_if<ClientExchange>(&exchange_)) (void)client->Consume();
  if (auto* peer = std::get_if<SymmetricExchange>(&exchange_)) {
    peer->Hear(reply, t4);
    if (!peer->IsOurs(reply.origin)) return {};
  }
  Answered(now);
  return {};
}

bool Association::AnswersUs(const wire::Header& packet) const {
  const auto* peer = std::get_if<SymmetricExchange>(&exchange_);
  return peer != nullptr && peer->IsOurs(packet.origin);
}

bool Association::IsCrowded() const {
  const auto* peer = std::get_if<SymmetricExchange>(&exchange_);
  return peer != nullptr && peer->crowded();
}

void Association::FillHeard(wire::Header* header) const {
  if (const auto* peer = std::get_if<SymmetricExchange>(&exchange_)) peer->FillHeard(header);
}

void Association::Answered(MonoTime now) {
  flash_ = forged_flash_ = 0;
  last_received_ = now;
  heard_ = true;
  if (!schedule_.OnAnswer(now)) return;
  reachable_since_ = now;
  Report(wire::PeerEvent::kReachable);
}

Reject Association::OnKiss(const wire::Header& reply, MonoTime now) {
  ++counters_.kisses;
  const bool rate = wire::KissFromRefid(reply.refid) == wire::Kiss::kRate;
  // Beside the stratum of a server that is still followed it would be read as an address.
  if (!rate || stratum_ >= wire::kStratumUnsynchronised) header_.refid = reply.refid;
  if (rate) {
    schedule_.OnRate(reply.poll, now);
    Report(wire::PeerEvent::kRateExceeded, "RATE");
    return Reject::kRate;
  }
  flash_ |= FlashBit::kFlashDenied;
  schedule_.Stop();
  filter_.Reset();
  stratum_ = wire::kStratumUnsynchronised;
  Report(wire::PeerEvent::kAccessDenied);
  return Reject::kDenied;
}

void Association::Commit(const wire::Header& reply, NtpTimestamp t4) {
  const bool armed =
      header_.leap == wire::Leap::kAddSecond || header_.leap == wire::Leap::kDeleteSecond;
  header_ = reply;
  t4_ = t4;
  stratum_ = reply.stratum == 0 ? wire::kStratumUnsynchronised : reply.stratum;
  const bool arms = reply.leap == wire::Leap::kAddSecond || reply.leap == wire::Leap::kDeleteSecond;
  if (arms && !armed) Report(wire::PeerEvent::kLeapArmed);
}

// RFC 5905 section 9.2, packet tests 3, 6 and 7.
Result<void, Reject> Association::CheckHeader(const wire::Header& reply) {
  if (reply.receive.is_zero() || reply.transmit.is_zero()) {
    flash_ |= FlashBit::kFlashUnsynchronised;
    return Fail(Reject::kBadTimestamp);
  }
  if (IsLeapAlarm(reply) || stratum_ >= wire::kStratumUnsynchronised) {
    flash_ |= FlashBit::kFlashStratum;
    ++counters_.bad_distance;
    return Fail(reply.stratum == 0 ? Reject::kKiss : Reject::kUnsynchronised);
  }
  const double root = reply.root_delay.seconds() / 2 + reply.root_dispersion.seconds();
  const bool from_the_future = (reply.transmit - reply.reference).raw() < 0;
  if (root >= kMaxDispersion || (!reply.reference.is_zero() && from_the_future)) {
    flash_ |= FlashBit::kFlashHeader;
    ++counters_.bad_distance;
    return Fail(Reject::kBadHeader);
  }
  return {};
}

// RFC 5905 section 8. Each difference is exact and right across eras; only then does it become
// floating point.
Result<Sample, Reject> Association::MakeSample(const wire::Header& reply, NtpTimestamp t1,
                                               NtpTimestamp t4, double longest, MonoTime now) {
  const double round_trip = (t4 - t1).seconds();
  const double served = (reply.transmit - reply.receive).seconds();
  if (round_trip < 0 || round_trip > longest || served < 0 || served > longest) {
    flash_ |= FlashBit::kFlashUnsynchronised;
    return Fail(Reject::kBadTimestamp);
  }
  const double own_precision = Log2Seconds(precision_);
  // Precision is any octet: ldexp cannot fail (CVE-2015-5219), and a coarse one only widens the
  // bound.
  const double precision = std::min(kMaxDispersion, Log2Seconds(reply.precision));
  Sample sample;
  sample.time = now;
  sample.offset = (reply.receive - t1).seconds() / 2 + (reply.transmit - t4).seconds() / 2;
  // Below zero one of the clocks was moved meanwhile, as while it is slewed between two packets of
  // a peer. RFC 5905 would take that for the shortest of all delays, and so for the best sample.
  sample.delay = std::max(std::abs(round_trip - served), own_precision);
  sample.dispersion =
      std::min(kMaxDispersion, precision + own_precision + parameters_.phi * round_trip);
  if (!filter_.has_sample()) schedule_.OnFirstSample(now);
  return Keep(sample);
}

Sample Association::Keep(Sample sample) {
  schedule_.OnSample();
  if (filter_.Add(sample, Log2Seconds(schedule_.poll())) == ClockFilter::Outcome::kPopcorn)
    Report(wire::PeerEvent::kPopcorn);
  return sample;
}

// --- schedule -----------------------------------------------------------------------------------

void Association::Restart(uint32_t refid, MonoTime now) {
  filter_.Reset();
  hmode_ = config_.mode;
  exchange_ = FirstExchange(config_, seed_);
  header_ = wire::Header();
  header_.refid = refid;
  stratum_ = wire::kStratumUnsynchronised;
  selection_ = wire::Selection::kReject;
  flash_ = forged_flash_ = 0;
  authentic_ = heard_ = false;
  reachable_since_.reset();
  schedule_.Restart(now);
  Report(wire::PeerEvent::kRestart);
}

void Association::OnClockStep() {
  filter_.Reset();
  VoidExchange();
  header_.refid = kStep;
  stratum_ = wire::kStratumUnsynchronised;
  selection_ = wire::Selection::kReject;
}

// --- selection ----------------------------------------------------------------------------------

double Association::RootDistanceAt(MonoTime now) const {
  if (!filter_.has_sample()) return kMaxDispersion;
  return RootDistance({filter_.delay(), header_.root_delay.seconds(), filter_.dispersion(),
                       header_.root_dispersion.seconds(), filter_.jitter(), now - filter_.time()},
                      parameters_.phi, parameters_.mindist);
}

// RFC 5905 section 11.1 (fit); the bits are those of variable `flash`.
uint16_t Association::Unfit(MonoTime now, std::span<const uint32_t> own_refids) const {
  uint16_t bits = 0;
  if (header_.leap == wire::Leap::kAlarm || stratum_ < parameters_.floor ||
      stratum_ >= parameters_.ceiling)
    bits |= FlashBit::kFlashPeerStratum;
  // A long poll interval widens the bound by itself; that alone must not unseat a source.
  const double allowance = parameters_.phi * Log2Seconds(schedule_.poll());
  if (!filter_.has_sample() || RootDistanceAt(now) >= parameters_.maxdist + allowance)
    bits |= FlashBit::kFlashPeerDistance;
  // At stratum 2 and up the identifier is an address: if it is ours, the source follows us.
  if (stratum_ > 1 &&
      std::find(own_refids.begin(), own_refids.end(), header_.refid) != own_refids.end())
    bits |= FlashBit::kFlashPeerLoop;
  if (schedule_.reach() == 0 || schedule_.stopped() || config_.noselect)
    bits |= FlashBit::kFlashPeerUnreachable;
  return bits;
}

Candidate Association::AsCandidate(MonoTime now) const {
  Candidate candidate;
  candidate.id = id_;
  candidate.offset = filter_.offset();
  candidate.root_distance = RootDistanceAt(now);
  candidate.jitter = filter_.jitter();
  candidate.stratum = stratum_;
  candidate.leap = header_.leap;
  candidate.prefer = config_.prefer;
  candidate.always_true = config_.always_true;
  return candidate;
}

// --- events -------------------------------------------------------------------------------------

void Association::Report(wire::PeerEvent code, std::string_view detail) {
  if (event_count_ < kMaxEvents) events_[event_count_++] = {code, detail};
}

std::optional<Association::Event> Association::TakeEvent() {
  if (event_count_ == 0) return std::nullopt;
  const Event event = events_[0];
  std::rotate(events_.begin(), events_.begin() + 1, events_.end());
  --event_count_;
  return event;
}

}  // namespace ntpward::core
