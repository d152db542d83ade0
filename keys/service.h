// The key process as a function from messages to messages: no descriptor but those it is sent, no
// event loop, time from an interface.
//
// It is first told its keys by the supervisor, then serves net. MACs are answered at once;
// operations with private keys wait in three short queues: our own, those of associations that a
// packet made, and those that clients ask for. Each is within a rate, so that a flood of requests
// delays neither MACs nor our own dance.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "keys/autokey_operations.h"
#include "keys/command_operations.h"
#include "keys/heritage.h"
#include "keys/key_loader.h"
#include "keys/key_state.h"
#include "keys/mac_operations.h"
#include "keys/outbox.h"
#include "privsep/base/token_bucket.h"

namespace ntpward::keys {

class KeyService {
 public:
  // `time` must outlive it. `sandbox` is what RoleReady tells.
  KeyService(TimeSource* time, std::string sandbox);

  // One message from the supervisor. Answers KeysEnd with RoleReady or RoleFailed.
  void HandleSupervisor(Bytes message, Outbox& out);
  // One message from net; before serves_net() it is dropped. Anything malformed or not permitted is
  // reported as Misbehaviour, and nothing of it is done.
  void HandleNet(Bytes message, Outbox& out);

  // Private-key operations are waiting; RunOne() does one of them, our own first.
  bool HasWork() const;
  void RunOne(Outbox& out);

  // Rolls the server's seed when it is due, once net is served. Call it at least once a minute.
  void Tick(Outbox& out);

  // KeysHandOver came: while this process serves, Bequeath() comes next; else what its predecessor
  // tells, each to Inherit(), until that wants no more, or GiveUpHeritage().
  bool bequeaths() const { return handing_over_ && serves_net_; }
  bool inherits() const { return heir_.has_value(); }
  // Tells all that is kept and serves nobody any more. Operations that wait are refused: net asks
  // again. False when it could not be told.
  bool Bequeath(const SendHeritage& send, Outbox& out);
  void Inherit(Bytes message, Outbox& out);
  void GiveUpHeritage(Outbox& out);

  bool ready() const { return state_ != nullptr; }
  // It is ready, and nobody else takes net's messages: see KeysServe.
  bool serves_net() const { return serves_net_; }
  // After RoleFailed: the process should end.
  bool failed() const { return failed_; }

 private:
  using Operation = std::variant<msg::SignatureUpdate, msg::CookieIssue, msg::IdentityProve,
                                 msg::CertificateIssue, msg::IdentityChallenge, msg::IdentityVerify,
                                 msg::CookieOpen, msg::KeyListMake>;
  struct Lane {
    TokenBucket rate;
    std::deque<Operation> queue;
  };
  enum LaneIndex : size_t { kOwn, kStrangers, kClients, kLanes };  // the first goes first

  void Finish(Outbox& out);
  void Serve(Outbox& out);
  void Fail(const std::string& text, Outbox& out);
  // What costs no operation with a private key. False: it is none of these, and nothing was done.
  bool AnswerAtOnce(Bytes message, Outbox& out);
  void OnMaterialRequest(const msg::HostMaterialRequest& request, Outbox& out);
  void OnCount(const msg::KeyCountRequest& request, Outbox& out);
  void OnForget(const msg::ForgetAssociation& request, Outbox& out);
  static LaneIndex LaneOf(const Operation& operation);
  double CostOf(const Operation& operation) const;
  void Enqueue(Operation operation, Outbox& out);
  // The answer of its kind that says why not; `code` is not kGood.
  void Refuse(const Operation& operation, msg::VerdictCode code, Outbox& out);
  void OnRollSeed(Outbox& out);
  void OnHandOver();
  void OnRuntimeTrust(const msg::RuntimeTrust& message);
  void OnRuntimeLine(const msg::RuntimeLine& message);
  void OnCommand(const msg::Command& command, Outbox& out);
  void Run(const Operation& operation, Outbox& out);
  void RunUpdate(const msg::SignatureUpdate& request, Outbox& out);

  TimeSource* time_;
  std::string sandbox_;
  KeyLoader loader_;
  std::unique_ptr<KeyState> state_;
  std::optional<MacOperations> macs_;
  std::optional<AutokeyOperations> autokey_;  // empty without `crypto`
  std::optional<CommandOperations> commands_;
  std::array<Lane, kLanes> lanes_;
  std::optional<Heir> heir_;  // while it is told what its predecessor had
  bool handing_over_ = false;
  bool serves_net_ = false;
  bool failed_ = false;
};

}  // namespace ntpward::keys
