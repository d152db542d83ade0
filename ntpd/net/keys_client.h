// Net's side of the channel to ntpd-keys: requests go out, answers come back to whoever asked.
//
// Nothing here waits. A question whose answer does not come within kPatience, or that is lost
// because the pipe was full or ntpd-keys died, is answered kBusy (or with no MAC), so that every
// question ends. Callbacks may call anything here, OnRestarted too.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <unordered_map>
#include <variant>
#include <vector>

#include "ntpd/net/suspicion.h"
#include "ntpd/net/timebase.h"
#include "ntpd/wire/packet.h"
#include "privsep/channel.h"
#include "privsep/msg/command.h"
#include "privsep/msg/key_list.h"
#include "privsep/msg/keys.h"
#include "privsep/supervisor_link.h"

namespace ntpward::net {

// For whom something is asked. Strangers can ask as much as they like: what they cause is bounded,
// so that there is always room for what our own time depends on, and a flood of one kind costs the
// others nothing.
enum class Lane : uint8_t {
  kOwn,
  kClients,   // MACs of clients
  kPrivate,   // what takes the private key, for clients: it must leave room for their MACs
  kQueries,   // MACs of mode 6
  kOperator,  // what comes of a mode 6 request under a good MAC by the control key
};
inline constexpr size_t kLanes = 5;

// What ntpd-keys has done for us (ntpq's authinfo).
struct KeyUse {
  uint64_t made = 0;       // MACs
  uint64_t checked = 0;    // MACs
  uint64_t not_found = 0;  // questions about a key that there is not, or that is not trusted
};

// The question whether the MAC of `packet`, which went along `path`, is good, of no association.
// None: there is no MAC, or by its size or its key it can be none.
std::optional<msg::CheckMac> QuestionOf(const wire::Packet& packet, const AddressPair& path);

class KeysClient {
 public:
  static constexpr double kPatience = 5;  // seconds
  static constexpr size_t kMostPending = 4096;
  static constexpr size_t kMostForClients = 96;  // of a pipe that holds 256 messages
  static constexpr size_t kMostPrivate = 32;     // of these; ntpd-keys keeps no more, either
  static constexpr size_t kMostQueries = 48;     // two of the longest answers to be sealed
  static constexpr size_t kMostForOperator = 48;

  using OnServeDone = std::function<void(const msg::ServeDone&)>;
  using OnSealed = std::function<void(const msg::Sealed*)>;  // null: lost; ask again
  using OnVerdict = std::function<void(msg::VerdictCode)>;
  using OnValue = std::function<void(const msg::ValueAnswer&)>;
  using OnMaterial = std::function<void(const msg::HostMaterial&)>;
  using OnSigned = std::function<void(const msg::SignedValues&)>;
  using OnCount = std::function<void(const msg::KeyCount&)>;
  using OnNonce = std::function<void(const msg::CommandNonce*)>;   // null: lost
  using OnCommand = std::function<void(const msg::CommandDone&)>;  // kBusy: lost
  using OnTaken = std::function<void(const msg::KeyListTaken*)>;   // null: lost

  // Both must outlive this object.
  KeysClient(Channel* channel, SupervisorLink* link);

  // `message.request` is filled in. The callback is called exactly once, but for ServeBatch,
  // HostMaterialRequest, KeyCountRequest and SignatureUpdate, whose loss needs no answer: those are
  // asked again. It is called from within the asking call only when a bound is reached, else by one
  // of those below.
  void Serve(msg::ServeBatch message, OnServeDone done);
  void Seal(msg::SealRequest message, OnSealed done, Lane lane = Lane::kOwn);
  template <typename M>
  void Ask(M message, OnVerdict done, Lane lane = Lane::kOwn) {
    Send(&message, std::move(done), lane);
  }
  template <typename M>
  void AskValue(M message, OnValue done, Lane lane = Lane::kOwn) {
    Send(&message, std::move(done), lane);
  }
  void AskMaterial(OnMaterial done);
  void AskCount(OnCount done);
  void Update(msg::SignatureUpdate message, OnSigned done);
  // The next key of our list; a key that is not used is lost.
  void TakeKey(AssocId association, OnTaken done);
  // It is sent as soon as there is room, and before any later message.
  void Forget(AssocId association);
  void AskNonce(const IpAddress& source, OnNonce done, Lane lane);
  void Command(msg::Command message, OnCommand done, Lane lane);

  // What is to be done once all answers of one wake-up were told; replaces what was said before.
  void SetOnTurn(std::function<void()> on_turn) { on_turn_ = std::move(on_turn); }
  // The channel is readable. False when ntpd-keys sent nonsense, which was reported.
  bool OnReadable();
  // Ends the questions that waited too long; call about once a second.
  void Expire(MonoTime now);
  // ntpd-keys died: what it was asked is lost.
  void OnRestarted();
  // Another ntpd-keys goes on where the one before stopped, and answers what that was asked.
  void OnContinued() { suspicion_.OnContinued(); }
  // Questions that wait for an answer.
  size_t pending() const { return pending_.size(); }
  const KeyUse& use() const { return use_; }
  void ResetUse() { use_ = {}; }

 private:
  using Callback = std::variant<OnServeDone, OnSealed, OnVerdict, OnValue, OnMaterial, OnCount,
                                OnSigned, OnTaken, OnNonce, OnCommand>;
  struct Pending {
    Callback callback;
    MonoTime asked;
    Lane lane = Lane::kOwn;
  };

  template <typename M>
  void Send(M* message, Callback callback, Lane lane) {
    message->request = ++last_request_;
    if (!HasRoom(lane)) return Lose(callback);
    if (!SendForgets() || channel_->Send(*message) != SendOutcome::kSent)
      return LoseLater(std::move(callback), lane);
    Remember(message->request, std::move(callback), lane);
  }
  size_t& Waiting(Lane lane) { return waiting_[static_cast<size_t>(lane)]; }
  size_t Waiting(Lane lane) const { return waiting_[static_cast<size_t>(lane)]; }
  bool HasRoom(Lane lane) const;
  bool SendForgets();
  void Remember(uint32_t request, Callback callback, Lane lane);
  void LoseLater(Callback callback, Lane lane);
  Callback Take(std::unordered_map<uint32_t, Pending>::iterator entry);
  template <typename M, typename F, typename Call>
  bool Deliver(Bytes bytes, Call call);
  bool TellAll();
  bool Dispatch(Bytes bytes);
  void Count(const msg::Sealed& sealed);
  void Count(msg::VerdictCode code);
  void Count(const msg::ServeDone& done);
  static void Lose(const Callback& callback);

  Channel* channel_;
  std::function<void()> on_turn_;
  Suspicion suspicion_;
  uint32_t last_request_;  // starts anywhere: answers meant for a dead predecessor must not fit
  std::unordered_map<uint32_t, Pending> pending_;
  std::array<size_t, kLanes> waiting_{};  // of pending_
  KeyUse use_;
  std::vector<Callback> unsent_;  // lost already; told at the next Expire
  std::vector<AssocId> forgets_;  // each once
};

}  // namespace ntpward::net
