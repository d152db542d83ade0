// The servers that we follow: who they are, what is sent to them, what their answers do.
//
// A reply comes from anyone until its origin, its MAC and, for Autokey, the dance say otherwise;
// the order of those tests is the point of this file.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ntpd/autokey/announced_list.h"
#include "ntpd/autokey/announcer.h"
#include "ntpd/autokey/own_key_list.h"
#include "ntpd/autokey/peer_dance.h"
#include "ntpd/core/kept_out.h"
#include "ntpd/core/unproven.h"
#include "ntpd/net/node.h"
#include "ntpd/net/suspicion.h"
#include "ntpd/net/udp.h"
#include "ntpd/wire/packet.h"
#include "ntpd/wire/status_word.h"
#include "privsep/msg/resolve.h"

namespace ntpward::net {

// What went wrong with Autokey, for `autokeyerror`.
struct AutokeyFailure {
  std::string_view name;  // OutcomeText(), "crypto_nak" or "bad_mac"
  MonoTime at;
  std::string cause;  // ClientDance::refusal() then
};

// One association's side of the shell.
struct Upstream {
  AssocId id;
  size_t line = 0;  // which configuration line it comes from
  msg::NetAssociation config;
  SocketAddress remote;
  bool pooled = false;    // came from a `pool` or `manycastclient` line, by a name or an answer
  IpAddress local;        // ours, as the route to it says
  bool said_own = false;  // the operator knows that it is this very host
  IpAddress heard;        // a broadcast server: where it sends to; else none
  std::unique_ptr<autokey::RenewingDance> dance;
  std::unique_ptr<autokey::PeerDance> peer;           // of symmetric modes, once `local` is known
  std::unique_ptr<autokey::OwnKeyList> own_list;      // keys that we send by
  std::unique_ptr<autokey::AnnouncedList> announced;  // keys that we listen by
  std::optional<AutokeyFailure> failure;              // the last one
  autokey::Announcer announcer;                       // who that is to a broadcast server
  bool asked_announcement = false;                    // by the request in flight
  NtpTimestamp beside_nonce;  // of a question to one that we listen to; zero: none is open
  std::optional<MonoTime> asked_beside;  // the last of those
  std::optional<MonoTime> list_asked;    // the last of those for a list that we missed
  bool renewing = false;                 // its proofs, when we looked last
  MonoTime mobilised;                    // a packet made it then
  core::Trial trial;                     // of one that a packet made, under Autokey
  // A peer that a packet made follows us and has a place for that (NoteTrials).
  bool settled = false;
  // A broadcast or manycast server whose answers are no proof for us.
  bool refused = false;
  // A peer that a packet made and that is tried: another was turned away for want of its place.
  bool keeps_others_out = false;
  bool said_no_source = false;  // that it cannot be sent to
  // The flag of its restrict entry for which its last packet was dropped, by its name; else none.
  std::string_view refused_by;
  bool said_refused = false;  // that its packets are dropped
  UniqueFd socket;
  std::shared_ptr<void> receive_argument;  // of `readable`; outlives it
  Event readable;
  KeyId sent_key;         // of the request in flight
  NtpTimestamp sent;      // when it left; the packet holds a nonce instead
  uint32_t exchange = 0;  // counts requests: late key answers belong to an earlier one
  int checks = 0;         // MACs of replies that ntpd-keys was asked about, this exchange
  // A poll whose field waits for ntpd-keys; it goes out when the answer comes.
  std::optional<wire::Header> waiting;
  std::string label() const { return remote.ip.ToString(); }
  bool IsAutokeyPeer() const {
    return config.autokey && config.kind == msg::NetAssociationKind::kPeer && dance == nullptr;
  }
};

// A `pool`, name or group that stands for addresses not known yet, as ntpq shows it.
struct Prototype {
  AssocId id;
  size_t line = 0;
  msg::NetAssociation config;
  wire::PeerStatus status;
  uint8_t hops = 0;  // how far the last question to a group went; 0: there was none
};

class Upstreams {
 public:
  // `node` and `resolve` must outlive this object. `on_update` is called after each sample that was
  // accepted. Servers are asked on `port`.
  Upstreams(Node* node, Channel* resolve, std::function<void()> on_update, uint16_t port = 123);

  // A new configuration begins: names are looked up for what it says alone.
  void ForgetNames() {
    lookups_.clear();
    asked_.clear();
  }
  // The configuration's lines, in order. Associations of lines that are in both stay as they are;
  // broadcast servers go whose group or broadcasts we no longer listen to.
  void Configure(const std::vector<msg::NetAssociation>& lines);
  // A name whose addresses an access list line needs; each goes to `on_address`. `host`: the name,
  // for what is logged of it.
  using OnAddress = std::function<void(const IpAddress&)>;
  void ResolveFor(uint16_t name, std::string host, OnAddress on_address);

  // How packets of symmetric and broadcast modes leave: by a listening socket.
  using SendByListener =
      std::function<bool(const SocketAddress& to, const IpAddress& from, uint8_t hops, Bytes)>;
  void SetSend(SendByListener send) { send_ = std::move(send); }
  // Whether a listening socket of this process gets what is sent to that address.
  using IsListening = std::function<bool(const SocketAddress&)>;
  void SetListening(IsListening listening) { is_listening_ = std::move(listening); }

  // Which address packets of these modes to `to` leave from (TimeServer::SourceTowards).
  using ChooseSource =
      std::function<std::optional<IpAddress>(const SocketAddress& to, const IpAddress& wanted)>;
  void SetSource(ChooseSource choose) { choose_source_ = std::move(choose); }

  // The addresses that this host has on its interfaces, those of loopback left out, in place of the
  // ones before. May come before the engine is there.
  void SetOwnAddresses(std::vector<msg::OwnAddress> addresses);
  // Whether it is an address of this very host, as far as those, routes and listening sockets tell.
  bool IsThisHost(const IpAddress& address) const;

  // The engine says that this one is due.
  void Poll(AssocId id);

  // --- what came to a listening socket (see Peering)

  // A packet of an association whose mode uses listening sockets. `local`: our address.
  void Deliver(AssocId id, const wire::Packet& packet, NtpTimestamp t4, const IpAddress& local);
  // The same for one whose MAC was found good under `key` (0: it had none).
  void DeliverProved(AssocId id, const wire::Header& header, KeyId key, NtpTimestamp t4);
  // What a packet made; the caller has asked MayMobilise.
  struct Ephemeral {
    core::HostMode mode = core::HostMode::kSymmetricPassive;
    bool listen = false;  // a broadcast client that measures the path first
    SocketAddress remote;
    IpAddress local;
    KeyId key;  // 0: none
    uint8_t version = 4;
    int8_t poll = 6;  // of its packet
    IpAddress heard;  // a broadcast: the group or broadcast address that it was sent to
    // Autokey: a peer or a broadcast server that has yet to prove itself. `announcer`: the
    // identifier of the latter.
    bool autokey = false;
    uint32_t announcer = 0;
  };
  // Is there a place for another `kind` at that address, which has yet to prove itself
  // (core/unproven.h)? Who goes for it is gone then, so ask last.
  enum class UnprovenKind : uint8_t { kPassivePeer, kBroadcastServer, kManycastServer };
  bool MakePlaceForUnproven(UnprovenKind kind, const IpAddress& newcomer);
  // The same among those that the `manycastclient` line found: of `maxclock` places the unproven of
  // one network have half at most, since the servers of a segment are neighbours.
  bool MakePlaceForManycast(size_t line, const IpAddress& newcomer);
  // Under Autokey a server has a list for each address that it broadcasts to. Do we follow it by
  // that of another than `to`? Then the packet is none of ours, and shows nothing.
  bool IsOfAnotherList(AssocId id, const IpAddress& to) const;
  // A broadcast in the name of a server that we still ask: it says under which identifier there
  // may be a list, and no more.
  void NoteAnnouncer(AssocId id, const wire::Packet& packet);
  // A broadcast of a server whose key list we know.
  void DeliverListed(AssocId id, const wire::Packet& packet, NtpTimestamp t4);
  AssocId AddEphemeral(const Ephemeral& wanted);
  // A server that answered the solicitation of a `manycastclient` line.
  void AddManycast(size_t line, const IpAddress& address);
  // Once a second: names to look up again, pools to fill, servers of a name that do not answer.
  void Maintain(MonoTime now);

  bool OnResolveReadable();
  void OnKeysRestarted();
  // Symmetric keys are trusted from now on, or no longer: associations under them start over, so
  // that what was measured under a revoked key counts no more.
  void OnKeysChanged(std::span<const KeyId> keys, bool trusted);
  // The name that it was looking up when it died is asked for later, the others at once.
  void OnResolveRestarted(MonoTime now);
  // Our own key material was read again.
  void OnHostMaterial(const autokey::HostChange& change);
  // Logs what the engine has to say of associations and of the system.
  void ReportEvents();

  // Where an association comes from, as the operator wrote it. Without a line of its own: a member
  // of a pool, or one that a packet made.
  struct Origin {
    bool own_line = false;
    std::string label;
  };
  std::optional<Origin> OriginOf(AssocId id) const;
  std::optional<AssocId> FindAddress(const IpAddress& address) const;
  // Ends one that has no line of its own. A pool may find it again.
  void End(AssocId id) { Remove(id); }

  const Upstream* Find(AssocId id) const;
  const std::map<AssocId, std::unique_ptr<Upstream>>& all() const { return upstreams_; }
  const std::map<AssocId, Prototype>& prototypes() const { return prototypes_; }
  // A prototype's question goes so far.
  void NoteHops(AssocId id, uint8_t hops) { prototypes_.at(id).hops = hops; }
  // Somebody has read the events of a prototype.
  void ClearPrototypeEvents(AssocId id);
  // The address for event lines.
  std::string LabelOf(AssocId id) const;
  // Who is to answer for what is said of it: strangers for one that a packet made and that has
  // proved nothing.
  static Cause CauseOf(const Upstream& upstream);
  Cause CauseOf(AssocId id) const;
  size_t CountOfPool(size_t line) const;
  // Those of them that were refused: they make room for who asks.
  size_t CountOfRefused(size_t line) const;
  // Autokey's keys of our own lists that are still to be used.
  uint64_t CountOfSessionKeys() const;
  // Is it followed already, or about to be?
  bool Has(const IpAddress& address) const;
  const std::vector<msg::NetAssociation>& lines() const { return lines_; }
  // Whether a packet of it is to be dropped by the restrict entry of its address, which has
  // `flags`. Counts that, and says it once.
  bool Refuses(AssocId id, core::AccessFlags flags, uint8_t version);
  // The access list has changed: what was said of it is said anew.
  void OnAccessChanged();

 private:
  // In place of a line, for associations that a packet made.
  static constexpr size_t kNoLine = SIZE_MAX - 1;

  // Of an access list line that waits for its addresses.
  struct RestrictedHost {
    std::string name;
    OnAddress on_address;
  };
  // A line whose name is being looked up.
  struct Lookup {
    bool wanted = true;       // an answer would be of use
    bool resolved = false;    // there was an answer
    bool complained = false;  // the operator was told that there is none
    bool said_limit = false;  // he was told that it was not even asked for
    bool said_own = false;    // he was told that this host is among them, or no other one
    bool died = false;        // ntpd-resolve did when it last looked it up
    MonoTime next;            // when to ask (again)
    double wait = 2;          // seconds, doubles with each question
    std::vector<RestrictedHost> restricts;
  };

  bool IsTaken(AssocId id) const;
  AssocId NewId();
  AssocId IdOfBroadcasts(const IpAddress& to);
  // What ntp.conf says of its identity, on its line and for all.
  autokey::DancePolicy PolicyOf(const Upstream& upstream) const;
  void ApplyPolicies();
  void AddLine(size_t line);
  void AddPrototype(size_t line);
  void AddServer(size_t line, const IpAddress& address, bool pooled);
  void Remove(AssocId id);
  // It had its chance and did not answer, or does not want us.
  bool IsSilent(const Upstream& upstream) const;
  void Ask(uint16_t name);
  void NoteAnswered(uint16_t name);
  void OnAnswer(const msg::ResolveAnswer& answer);
  bool IsUsable(const IpAddress& address) const;
  bool SayOwnAmong(const msg::ResolveAnswer& answer) const;
  bool SayNoneUsable(const msg::ResolveAnswer& answer) const;
  void ComplainOnce(const msg::ResolveAnswer& answer);
  bool FillPool(const Prototype& prototype, const msg::ResolveAnswer& answer);
  bool AddFirst(const Prototype& prototype, const msg::ResolveAnswer& answer);
  void ReplaceSilent(const msg::ResolveAnswer& answer);
  void MoveOn(AssocId id, const msg::ResolveAnswer& answer);
  std::optional<AssocId> SilentOfPool(size_t line) const;
  size_t CountOfAnswering(size_t line) const;
  void WantNames(MonoTime now);

  void SayRefused(Upstream* upstream, std::string_view flag);
  void SayIfIgnored(Upstream* upstream);
  void PollAutokey(Upstream* upstream, const wire::Header& header);
  void OnKeysAnswer(AssocId id, const autokey::DanceResult& result);
  void TellOwnRefids();
  bool IsAskedBy(const msg::OwnAddress& own) const;
  bool IsAsked(const IpAddress& address) const;
  void NoteOwnAddress(const IpAddress& local);
  void NoteOwnAddresses(Upstream* upstream);
  bool IsOurs(const SocketAddress& remote, const IpAddress& local) const;
  void SendField(Upstream* upstream, const wire::Header& header, Bytes field);
  void SealAndSend(Upstream* upstream, const wire::Header& header, KeyId key);
  bool OpenSocket(Upstream* upstream);
  void Transmit(Upstream* upstream, Bytes packet, KeyId key);
  void SendListening(Upstream* upstream, const wire::Header& header);
  void SealAndTransmit(Upstream* upstream, const wire::Header& header, KeyId key);
  void TransmitListening(Upstream* upstream, const wire::Header& header, Bytes trailer, KeyId key);
  void LearnLocal(Upstream* upstream);
  void Store(std::unique_ptr<Upstream> upstream, const core::AssociationConfig& config);
  void RemoveExpired();
  void RemoveUnheard();
  void PollPeer(Upstream* upstream, const wire::Header& header);
  bool MakePeer(Upstream* upstream);
  void TakeAndSend(AssocId id, uint32_t exchange, const wire::Header& header);
  void SendToPeer(Upstream* upstream, const wire::Header& header, KeyId key);
  void OnPeerPacket(Upstream* upstream, const wire::Packet& packet, NtpTimestamp t4);
  bool KeepSource(Upstream* upstream);
  void HearBare(const Upstream& upstream, const wire::Header& header, NtpTimestamp t4);
  bool TakePeerFields(Upstream* upstream, const wire::Packet& packet, bool answers);
  void CarryPeer(Upstream* upstream, const autokey::PeerResult& result, bool answers);
  void CheckPeerKey(Upstream* upstream, const wire::Packet& packet, bool answers, NtpTimestamp t4);
  void HurryPeer(const Upstream& upstream);
  void PollList(Upstream* upstream, const wire::Header& header);
  void TakeAndBroadcast(AssocId id, uint32_t exchange, const wire::Header& header);
  void BroadcastField(Upstream* upstream, const wire::Header& header, KeyId key);
  void TransmitFields(Upstream* upstream, const wire::Header& header, Bytes fields, KeyId key);
  bool IsListenedTo(const Upstream& upstream) const;
  void AskForMissedList(Upstream* upstream);
  bool AskBeside(Upstream* upstream, Bytes field);
  bool OnAnswerBeside(Upstream* upstream, const wire::Packet& packet);
  void RenewListened(Upstream* upstream, MonoTime now);
  autokey::AnnouncedList::Result TakeAnnouncement(Upstream* upstream, Bytes field, bool asked);
  autokey::AnnouncedList::Result TakeAskedAnnouncement(Upstream* upstream, Bytes field);
  void AcceptList(AssocId id, const msg::KeyListAccept& accept);
  void ResumeLists(Upstream* upstream);
  static std::optional<UnprovenKind> UnprovenKindOf(const Upstream& upstream);
  void NoteTrials(MonoTime now);
  std::vector<core::Unproven> Tried(UnprovenKind kind) const;
  bool FollowsUs(const Upstream& upstream, MonoTime now) const;
  std::vector<AssocId> TooManyLetIn(MonoTime now) const;
  bool MakePlace(std::span<const core::Unproven> tried, const IpAddress& newcomer,
                 const core::UnprovenLimits& limits);
  void TurnAway(std::span<const core::Unproven> tried, const IpAddress& newcomer, MonoTime now);
  void LetOthersIn(const Upstream& upstream, MonoTime now);
  void RemoveUnproven(MonoTime now);
  static void NoteRefusal(Upstream* upstream, const autokey::DanceResult& result);
  void ForgetRefusals();
  bool IsKeptOut(size_t line, const IpAddress& address, MonoTime now) const;
  void OnPacket(Upstream* upstream, const wire::Packet& packet, NtpTimestamp t4);
  void TakeStamp(Upstream* upstream);
  void Receive(AssocId id);
  void OnDatagram(Upstream* upstream, const Datagram& datagram);
  bool IsPublicMacGood(const Upstream& upstream, const wire::Packet& packet);
  void OnAutokeyField(Upstream* upstream, const wire::Packet& packet, NtpTimestamp t4);
  void HurryDance(const Upstream& upstream);
  void OnMac(Upstream* upstream, const wire::Packet& packet, NtpTimestamp t4);
  void Finish(AssocId id, const wire::Header& header, std::optional<core::MacVerdict> verdict,
              NtpTimestamp t4);
  void Carry(Upstream* upstream, const autokey::DanceResult& result);
  static void NoteFailure(Upstream* upstream, const autokey::DanceResult& result);
  void SayCrypto(const Upstream& upstream, const autokey::DanceResult& result);
  void NoteLeap(const Upstream& upstream, const autokey::DanceResult& result);
  void RestartUpstream(const Upstream& upstream, autokey::Restart why);
  void AskKeys(AssocId id, const autokey::ClientJob& job);

  Node* node_;
  Channel* resolve_;
  Suspicion suspicion_;
  std::function<void()> on_update_;
  SendByListener send_;
  IsListening is_listening_ = [](const SocketAddress&) { return false; };
  ChooseSource choose_source_ = [](const SocketAddress&, const IpAddress& wanted) {
    return std::optional<IpAddress>(wanted);
  };
  uint16_t port_;
  std::vector<msg::NetAssociation> lines_;
  std::map<AssocId, std::unique_ptr<Upstream>> upstreams_;
  std::map<AssocId, Prototype> prototypes_;
  // Autokey servers that wait for ntpd-keys to say who we are.
  struct Deferred {
    size_t line;
    IpAddress address;
    bool pooled;
  };
  std::vector<Deferred> deferred_;
  std::vector<msg::OwnAddress> own_addresses_;
  std::vector<uint32_t> own_refids_, own_loopback_refids_;  // of those by which we ask, or asked
  std::map<uint16_t, Lookup> lookups_;
  std::vector<uint16_t> asked_;  // names without answer yet, the longest asked first; each once
  uint16_t last_id_;
  // Those that made room when they had been refused, by line: what is demanded of them is said
  // there. kNoLine: broadcast servers.
  std::map<size_t, core::KeptOut> kept_out_;
  core::KeptOut kept_out_peers_;  // that had their time while others waited for the place
  std::optional<MonoTime> said_turned_away_;
  std::unique_ptr<ReceiveBatch> batch_;
};

}  // namespace ntpward::net
