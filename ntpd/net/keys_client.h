// Net's side of the channel to ntpd-keys: requests go out, answers come back to whoever asked.
//
// Nothing here waits. An answer that does not come within kPatience, or that is lost because ntpd-keys
// died, is answered kBusy (or with an empty MAC), so that every question ends.
#pragma once

#include <functional>
#include <unordered_map>
#include <variant>

#include "ntpd/net/timebase.h"
#include "privsep/channel.h"
#include "privsep/msg/keys.h"
#include "privsep/supervisor_link.h"

namespace ntpward::net {

class KeysClient {
 public:
  static constexpr double kPatience = 5;      // seconds
  static constexpr size_t kMostPending = 4096;

  using OnServeDone = std::function<void(const msg::ServeDone&)>;
  using OnSealed = std::function<void(const msg::Sealed&)>;
  using OnVerdict = std::function<void(msg::VerdictCode)>;
  using OnValue = std::function<void(const msg::ValueAnswer&)>;
  using OnMaterial = std::function<void(const msg::HostMaterial&)>;
  using OnSigned = std::function<void(const msg::SignedValues&)>;

  // Both must outlive this object.
  KeysClient(Channel* channel, SupervisorLink* link);

  // `message.request` is filled in. The callback is called exactly once, but for ServeBatch,
  // HostMaterialRequest and SignatureUpdate, whose loss needs no answer: those are asked again.
  void Serve(msg::ServeBatch message, OnServeDone done);
  void Seal(msg::SealRequest message, OnSealed done);
  template <typename M>
  void Ask(M message, OnVerdict done) {
    Send(&message, std::move(done));
  }
  template <typename M>
  void AskValue(M message, OnValue done) {
    Send(&message, std::move(done));
  }
  void AskMaterial(OnMaterial done);
  void Update(msg::SignatureUpdate message, OnSigned done);
  void Forget(AssocId association);

  // The channel is readable. False when ntpd-keys sent nonsense, which was reported.
  bool OnReadable();
  // Ends the questions that waited too long; call about once a second.
  void Expire(MonoTime now);
  // ntpd-keys died: what it was asked is lost.
  void OnRestarted();

 private:
  using Callback =
      std::variant<OnServeDone, OnSealed, OnVerdict, OnValue, OnMaterial, OnSigned>;
  struct Pending {
    Callback callback;
    MonoTime asked;
  };

  template <typename M>
  void Send(M* message, Callback callback) {
    message->request = ++last_request_;
    const uint32_t request = message->request;
    if (pending_.size() >= kMostPending || channel_->Send(*message) != SendOutcome::kSent)
      return Lose(callback);
    pending_.emplace(request, Pending{std::move(callback), Timebase::Mono()});
  }
  template <typename M, typename F, typename Call>
  bool Deliver(Bytes bytes, Call call);
  bool Dispatch(Bytes bytes);
  static void Lose(const Callback& callback);

  Channel* channel_;
  SupervisorLink* link_;
  uint32_t last_request_;  // starts anywhere: answers meant for a dead predecessor must not fit
  std::unordered_map<uint32_t, Pending> pending_;
};

}  // namespace ntpward::net
