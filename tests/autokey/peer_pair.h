// Two peers with the real key process behind each, and the packets between them: what ntpd-net
// does, as far as Autokey can see.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ntpd/autokey/peer_dance.h"
#include "tests/autokey/key_host.h"

namespace ntpward::autokey::test {

inline constexpr uint32_t kPeersNow = 4004300000;

// What one packet came to at its receiver.
enum class Heard : uint8_t {
  kNothing,  // no list is known, or it had no good MAC
  kTime,     // its key comes next: good for time
  kRefused,  // it does not
};

class PeerHost {
 public:
  PeerHost(std::string_view password, const std::vector<File>& files, DancePolicy policy,
           uint8_t automax, AssocId id, IpAddress own, IpAddress other);

  // The packet of a poll; none when nothing can be sent.
  std::optional<std::vector<uint8_t>> Send();
  Heard Receive(Bytes packet);
  // As a new process with the same keys: nothing is known any more.
  void StartDanceAnew(AssocId id);
  // As when ntpd-keys was replaced.
  void LoseKeys();
  // As when other key files were installed and read: another ntpd-keys, which goes on where the one
  // before stopped, or (`crash`) knows nothing of it.
  void TakeKeys(std::string_view password, const std::vector<File>& files, bool crash);
  DanceContext context();

  Host host;
  AddressPair to_peer;
  DancePolicy policy;
  uint8_t automax;
  AssocId id;
  std::optional<PeerDance> dance;
  int poll = 4;
  std::vector<std::string> events;
  std::vector<std::string> statistics;
  std::vector<Restart> restarts;
  int naks_sent = 0;
  bool last_was_bare = false;

 private:
  void Run(DanceResult result);
  void Run(PeerResult result);
  bool AnswersUs(const wire::Header& header) const;
  std::vector<uint8_t> Sealed(KeyId key, const wire::Header& header);

  keys::SessionKeyHasher hasher_;
  std::vector<uint64_t> sent_;  // transmit times, newest last
  uint64_t heard_ = 0;          // that of the other's last packet
};

// Both in scheme TC, of the group "grp" with IFF, or with one private certificate; keys are made
// here.
struct PeerPair {
  enum class Scheme : uint8_t { kTrail, kIff, kPrivate };
  // `trusted_two`: false when two is no trusted host (ntp-keygen without -T).
  explicit PeerPair(Scheme scheme = Scheme::kTrail, uint8_t automax = 12, bool trusted_two = true);

  // A second passes `seconds` times, then both send; what each made of the other's packet.
  struct Turn {
    Heard at_one = Heard::kNothing;
    Heard at_two = Heard::kNothing;
  };
  Turn Poll(uint32_t seconds = 16);
  // Until both take time from each other by bare headers; false after `turns`.
  bool Settle(int turns = 40);
  // Two gets another host key and certificate of its name, by a reload; not in scheme PC. There are
  // two of them to take.
  void RenewKeysOfTwo(int which = 0);
  // The same, and all is lost that it had agreed with One.
  void RenewKeysOfTwoByACrash();

  std::optional<PeerHost> one, two;
  // Packets that get lost on their way.
  bool lose_to_one = false;
  bool lose_to_two = false;

 private:
  std::vector<File> FilesOf(std::string host, std::string at) const;

  const Scheme scheme_;
  const std::string path_;
};

}  // namespace ntpward::autokey::test
