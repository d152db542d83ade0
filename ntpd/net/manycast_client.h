// `manycastclient`: asks a group who is there, in growing circles, and follows those that answer.
//
// An answer comes from anyone. It counts only with the random transmit time of our question as its
// origin and, as `restrict` and `enable auth` demand, a good MAC under the key of the line; its
// time is not used: the association that it makes asks for itself.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "ntpd/core/manycast.h"
#include "ntpd/net/node.h"
#include "ntpd/net/udp.h"
#include "ntpd/net/upstreams.h"

namespace ntpward::net {

class ManycastClient {
 public:
  // Both must outlive this object. `on_change` is called when there is a new association. Groups
  // are asked on `port`, and answer from it.
  ManycastClient(Node* node, Upstreams* upstreams, std::function<void()> on_change,
                 uint16_t port = 123);

  // Once a second: searches of new lines begin, those of lines that are gone end, and what is due
  // is asked.
  void Maintain();

 private:
  // One line's search, by the identifier of its prototype.
  struct Search {
    explicit Search(core::ManycastSearch state_) : state(std::move(state_)) {}
    core::ManycastSearch state;
    UniqueFd socket;
    std::shared_ptr<void> receive_argument;  // of `readable`; outlives it
    Event readable;
    uint32_t question = 0;  // counts them: late verdicts belong to an earlier one
    int checks = 0;         // MACs that ntpd-keys was asked about, this question
    bool complained = false;
    KeyId key;  // Autokey: of the question, and of its answers
  };

  core::ManycastConfig ConfigOf(const Prototype& prototype) const;
  size_t Survivors() const;
  void Ask(const Prototype& prototype, Search* search);
  void AskAutokey(const Prototype& prototype, Search* search, const wire::Header& header,
                  uint8_t hops);
  bool IsAssociation(const Prototype& prototype, const Search& search, const Datagram& datagram,
                     const wire::Packet& packet) const;
  void Transmit(const Prototype& prototype, Search* search, const wire::Header& header,
                Bytes trailer, uint8_t hops, const IpAddress& from = {});
  bool Open(const Prototype& prototype, Search* search);
  void Receive(AssocId id);
  void OnDatagram(const Prototype& prototype, Search* search, const Datagram& datagram);
  void OnMac(const Prototype& prototype, Search* search, const Datagram& datagram,
             const wire::Packet& packet);
  void Follow(const Prototype& prototype, const SocketAddress& server, bool authenticated);

  Node* node_;
  Upstreams* upstreams_;
  std::function<void()> on_change_;
  uint16_t port_;
  std::map<AssocId, Search> searches_;
  std::unique_ptr<ReceiveBatch> batch_;
};

}  // namespace ntpward::net
