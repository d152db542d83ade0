// Answers mode 6 (ntpq): the responder decides, this sends, and asks ntpd-keys about MACs.
#pragma once

#include <deque>
#include <functional>
#include <span>
#include <vector>

#include "ntpd/control/responder.h"
#include "ntpd/net/node.h"
#include "ntpd/net/run_time_lines.h"
#include "ntpd/net/udp.h"

namespace ntpward::net {

// Where an answer goes. The listener is named, not held: it may be gone when a late answer comes.
struct Route {
  uint16_t listener = 0;
  SocketAddress client;
  IpAddress server;        // the address of ours that was asked; without scope
  uint32_t interface = 0;  // index
  IpAddress group;         // where the question was sent, when that was to many; else none
  AddressPair path() const { return {client.ip, server}; }
  // As the question's session key was made.
  AddressPair asked_path() const { return {client.ip, group.is_none() ? server : group}; }
};

class ControlServer {
 public:
  using SendTo = std::function<void(const Route&, std::span<const std::vector<uint8_t>>)>;
  // Symmetric keys are trusted from now on, or no longer.
  using OnKeysChanged = std::function<void(std::span<const KeyId>, bool trusted)>;

  // Asks the supervisor to write the configuration; false when that cannot be asked.
  using AskToSave = std::function<bool(const msg::NetSaveConfig&)>;

  // All must outlive this object.
  ControlServer(Node* node, control::StateView* state, RunTimeLines* lines);
  // How the datagrams of an answer leave; they are dropped before it is set.
  void SetSend(SendTo send) { send_ = std::move(send); }
  void SetKeysChanged(OnKeysChanged changed) { keys_changed_ = std::move(changed); }
  void SetSave(AskToSave ask) { ask_to_save_ = std::move(ask); }

  // A datagram of mode 6 or 7 whose sender may ask; `rule` is the one for it.
  void OnDatagram(const Route& route, const core::AccessEntry& rule, Bytes datagram);
  // The supervisor has answered what SetSave's function asked.
  void OnConfigSaved(const msg::NetConfigSaved& saved);
  const control::ControlCounters& counters() const { return responder_.counters(); }

 private:
  // Where an answer goes, and what its receiver may see.
  struct Asker {
    Route route;
    control::Requester requester;
  };

  // For what is asked under a good MAC by this key.
  Lane LaneOf(KeyId key) const;
  void Check(const Asker& asker, Bytes datagram, control::Admission admission);
  void OnVerdict(const Asker& asker, Bytes datagram, control::Admission admission,
                 control::MacVerdict verdict, KeyId key);
  void Respond(const Asker& asker, Bytes datagram, control::MacVerdict verdict, KeyId key);
  void AskNonce(const Asker& asker, Bytes datagram, KeyId key);
  // What the answer to a command depends on while ntpd-keys judges it.
  struct Judging {
    Asker asker;
    std::vector<uint8_t> datagram;
    KeyId key;
    std::string refusal;  // the answer to who may ask, instead of doing it; empty: it is done
    std::string log;
  };
  void Command(Judging judging);
  void OnCommandDone(const Judging& judging, const msg::CommandDone& done);
  void TellRejected(const Asker& asker, msg::CommandOutcome outcome);
  // Does what a request says that ntpd-keys has authorised: its MAC was the control key's, and it
  // is no replay.
  void Perform(const Asker& asker, Bytes datagram, KeyId key);
  void Save(const Asker& asker, Bytes datagram, KeyId key);
  static control::Asked Now(const Asker& asker, Bytes datagram, KeyId key);
  void AnswerWithText(const Asker& asker, Bytes datagram, KeyId key, std::string_view text,
                      control::Told told);
  void Deliver(const Route& route, const control::Answer& answer);
  void SealAndSend(const Route& route, std::vector<uint8_t> reply, KeyId key);

  Node* node_;
  control::StateView* state_;
  RunTimeLines* lines_;
  SendTo send_ = [](const Route&, std::span<const std::vector<uint8_t>>) {};
  OnKeysChanged keys_changed_ = [](std::span<const KeyId>, bool) {};
  AskToSave ask_to_save_ = [](const msg::NetSaveConfig&) { return false; };
  control::Responder responder_;
  // Anybody who saw a request can send it again, and would fill the log.
  LineBudget rejected_{1.0 / 60, 5};
  // Who waits for the supervisor to write a file; the oldest first.
  struct Saving {
    uint32_t request = 0;
    Asker asker;
    std::vector<uint8_t> datagram;
    KeyId key;
  };
  std::deque<Saving> saving_;
  uint32_t last_save_ = 0;
};

}  // namespace ntpward::net
