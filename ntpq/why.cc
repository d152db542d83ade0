#include "ntpq/why.h"

#include <sstream>

#include "ntpd/wire/variable_values.h"
#include "ntpq/autokey.h"
#include "ntpq/text.h"

namespace ntpward::ntpq {
namespace {

using wire::PeerEvent;
using wire::PeerStatus;
using wire::Selection;

constexpr size_t kWidth = 78;
constexpr uint64_t kMaxSymmetricKey = 0xffff;

// A bit of a word, and what to say when it is set.
struct BitText {
  uint32_t bit;
  std::string_view text;
};

// In the order in which they matter to somebody who looks for the cause.
constexpr BitText kFlash[] = {
    {wire::kFlashAuth,
     "The authentication of its last packet failed: the two ends have different keys, or the key "
     "is not trusted here."},
    {wire::kFlashCrypto, "Autokey's last message from it was wrong; cryptostats says which."},
    {wire::kFlashAutokey, "The key of its last packet does not follow from its key list."},
    {wire::kFlashBogus,
     "Its last packet answers none of our requests: it came late, twice, or from somebody else."},
    {wire::kFlashDuplicate, "Its last packet was a copy of the one before."},
    {wire::kFlashUnsynchronised, "Its last packet had no time in it that answers a request."},
    {wire::kFlashHeader, "Its last packet claims a distance to its own source beyond all limits."},
    {wire::kFlashPeerLoop,
     "It is this host, or takes its time from it: to follow it would be a circle."},
    {wire::kFlashPeerDistance,
     "Its time is too uncertain (root distance over the limit of 1.5 s, or of tos maxdist): that "
     "shrinks with each answer after a start, and grows while answers stay out."},
};

// The server tells of good sources, but follows none.
bool NothingIsFollowed(Selection selection, std::optional<AssocId> system_peer) {
  return system_peer && system_peer->value == 0 &&
         (selection == Selection::kCandidate || selection == Selection::kBackup ||
          selection == Selection::kExcess || selection == Selection::kOutlier);
}

std::string_view Verdict(Selection selection, std::optional<AssocId> system_peer) {
  if (NothingIsFollowed(selection, system_peer))
    return "is not used: it is good, but fewer sources agree with each other than tos minsane "
           "asks for, and so the clock follows none.";
  switch (selection) {
    case Selection::kSystemPeer:
    case Selection::kPpsPeer:
      return "is used: it is the source that the clock follows.";
    case Selection::kCandidate:
      return "is used: it agrees with the others, and its time is combined with theirs.";
    case Selection::kBackup:
      return "is a spare: it is good, but there are enough better ones.";
    case Selection::kExcess:
      return "is not used: there are more good sources than tos maxclock allows, and the others "
             "are "
             "nearer.";
    case Selection::kOutlier:
      return "is not used: it is right, but so much further from the others than they are from "
             "each "
             "other that the mean is better without it.";
    case Selection::kFalsetick:
      return "is not used: its time differs from what the majority of the sources agrees on, by "
             "more "
             "than its own uncertainty explains.";
    case Selection::kReject:
      break;
  }
  return "is not used.";
}

// Of this host itself: no packet of it is on the way (as ntpd 4.2.8 numbers reference clocks).
bool IsReferenceClock(const Values& variables) {
  return Find(variables, "srcadr").value_or("").starts_with("127.127.");
}

// A name that no address is known for yet.
bool IsUnresolved(const Values& variables) {
  const std::string_view address = Find(variables, "srcadr").value_or("");
  return (address == "0.0.0.0" || address == "::") && !TextOf(variables, "srchost").empty();
}

// The last thing that the source said was a kiss-o'-death (RFC 5905 section 7.4); empty when it was
// not. What else is wrong with it follows from that.
std::string_view Kiss(PeerStatus status, uint32_t flash, const Values& variables) {
  const std::string_view refid = Find(variables, "refid").value_or("");
  // Nothing that came from it is told any more.
  const bool forgotten = refid.empty() || refid == "INIT";
  if (refid == "DENY" || refid == "RSTR" || (flash & wire::kFlashDenied) != 0 ||
      (forgotten && status.last_event == PeerEvent::kAccessDenied))
    return "It says that we may not ask it (kiss-o'-death DENY or RSTR): its operator has to allow "
           "this host.";
  if (refid == "RATE" || (forgotten && status.last_event == PeerEvent::kRateExceeded))
    return "It says that we ask too often (kiss-o'-death RATE): asked more seldom, it answers "
           "again.";
  return "";
}

// Packets came, but none that could be taken.
constexpr uint32_t kFlashRefused =
    wire::kFlashAuth | wire::kFlashCrypto | wire::kFlashAutokey | wire::kFlashBogus;

// Of what gave no good answer to the last eight polls.
std::string Silence(uint32_t flash, const Values& variables) {
  const std::string unreach = TextOf(variables, "unreach");
  const std::string polls =
      unreach.empty() || unreach == "0" ? "" : " (" + unreach + " without an answer)";
  if (const std::string flag = TextOf(variables, "restrict"); !flag.empty())
    return "What it sends is dropped here: its restrict entry has " + flag + ".";
  if (IsReferenceClock(variables)) return "Its driver has given no time" + polls + ".";
  if ((flash & kFlashRefused) != 0)
    return "Nothing that could be taken has come to answer our last polls" + polls + ".";
  if (NumberOf(variables, "received") != 0U)
    return "It has not answered our last polls" + polls + ": it, or the way to it, is down.";
  const uint64_t key = NumberOf(variables, "keyid").value_or(0);
  return "Nothing has ever come from it: it does not run, it does not serve this host, a restrict "
         "line here refuses it, or UDP port 123 is closed on the way" +
         (key == 0 || key > kMaxSymmetricKey
              ? "."
              : "; or key " + std::to_string(key) + " is missing, or not trusted, at one end.");
}

bool IsSynchronised(const Values& variables) {
  const uint64_t stratum = NumberOf(variables, "stratum").value_or(0);
  return NumberOf(variables, "leap") != 3U && stratum != 0 && stratum < 16;
}

// A server tells no header of its own, but of the last that it took from the source; an answer of
// Autokey's dance makes it reachable, and is good for nothing else.
bool HadNoHeader(const Values& variables) {
  const std::string_view received = Find(variables, "rec").value_or("");
  return received == "0x00000000.00000000" || received == "(no time)";
}

std::string Stratum(const Values& variables) {
  if (HadNoHeader(variables)) return "";
  if (!IsSynchronised(variables)) return "It is not synchronised itself, and says so.";
  return "Its stratum, " + TextOf(variables, "stratum") +
         ", is outside what is allowed here (tos floor and tos ceiling).";
}

void Append(std::string_view sentence, std::string* text) {
  if (sentence.empty()) return;
  if (!text->empty()) *text += ' ';
  *text += sentence;
}

// That the distance grows needs no words where no good packet comes.
bool DistanceFollows(bool silent, uint32_t flash, const Values& variables) {
  constexpr uint32_t kNoGoodPacket =
      wire::kFlashUnsynchronised | wire::kFlashStratum | wire::kFlashHeader;
  const bool unsynchronised = (flash & wire::kFlashPeerStratum) != 0 && !IsSynchronised(variables);
  return silent || unsynchronised || (flash & kNoGoodPacket) != 0;
}

// Selection left out a source without a fault.
std::string_view SetAside(uint32_t flash, const Values& variables) {
  // A server marks one that it must not follow as if it did not answer.
  if ((flash & wire::kFlashPeerUnreachable) != 0)
    return "Nothing is wrong with it: it was configured with noselect.";
  if (IsReferenceClock(variables))
    return "Nothing is wrong with it: this host's own clock is the last resort, for when no other "
           "source can be used.";
  return "Nothing is wrong with it: it was not looked at yet, or too few of the sources that agree "
         "with it answer yet.";
}

// Autokey's first packets are sealed by no secret, so nobody can have the wrong one.
bool BeginsAutokey(const Values& variables) {
  const auto flags = NumberOf(variables, "flags");
  return flags ? *flags == 0 : NumberOf(variables, "keyid").value_or(0) > kMaxSymmetricKey;
}

constexpr std::string_view kOtherAddresses =
    "It refused our first packets of Autokey, or sent an answer that does not check. Their keys "
    "are made of both hosts' addresses: if something on the way changes one of them (NAT, a "
    "relay), Autokey does not work through it.";

std::string_view TextOf(const BitText& cause, const Values& variables) {
  const bool begins = cause.bit == wire::kFlashAuth && BeginsAutokey(variables);
  return begins ? kOtherAddresses : cause.text;
}

void AppendCauses(PeerStatus status, const Values& variables, std::string* text) {
  if (IsUnresolved(variables))
    return Append(
        "No address is known for it: its name is wrong, or no name server answers; it is asked "
        "for again.",
        text);
  const auto flash = static_cast<uint32_t>(NumberOf(variables, "flash").value_or(0));
  if (const std::string_view kiss = Kiss(status, flash, variables); !kiss.empty())
    return Append(kiss, text);
  const bool silent = !status.reachable;
  if (silent) Append(Silence(flash, variables), text);
  for (const BitText& cause : kFlash) {
    const bool follows =
        cause.bit == wire::kFlashPeerDistance && DistanceFollows(silent, flash, variables);
    if ((flash & cause.bit) != 0 && !follows) Append(TextOf(cause, variables), text);
  }
  const bool bad_stratum = (flash & (wire::kFlashStratum | wire::kFlashPeerStratum)) != 0;
  if (!silent && bad_stratum) Append(Stratum(variables), text);
  const bool set_aside = !silent && (flash & ~uint32_t{wire::kFlashPeerUnreachable}) == 0;
  if (set_aside) Append(SetAside(flash, variables), text);
}

// Why the last answer that was refused was; empty: none was.
std::string Refusal(const Values& variables) {
  const std::string error = TextOf(variables, "autokeyerror");
  if (error.empty()) return "";
  const std::string cause = TextOf(variables, "autokeycause");
  return "(" + error + (cause.empty() ? ")." : "): " + cause + ".");
}

std::string AutokeyBeginning(const Values& variables) {
  const auto flash = static_cast<uint32_t>(NumberOf(variables, "flash").value_or(0));
  if ((flash & wire::kFlashAuth) != 0) return "Autokey has not begun.";
  const std::string refused = Refusal(variables);
  if (refused.empty())
    return "Autokey has not begun: the server has not answered, or does not speak it.";
  return "Autokey begins anew: what the server answered was refused " + refused;
}

std::string Autokey(uint32_t flags, const Values& variables) {
  if (flags == 0) return AutokeyBeginning(variables);
  const std::string host = TextOf(variables, "host");
  std::string text = "Autokey";
  if (!host.empty()) text += " (the server calls itself " + host + ")";
  if (const std::string_view loop = TrailLoop(variables); !loop.empty()) {
    const std::string who = host.empty() ? "" : " (it calls itself " + host + ")";
    return "Autokey: the peer" + who + " " + std::string(loop) + ".";
  }
  const std::string_view missing = MissingStep(flags);
  const uint32_t needed = IsSymmetric(variables) ? kAutokeyOfPeers : kAutokeyOfServers;
  if ((flags & needed) != needed) {
    const std::string refused = Refusal(variables);
    return text + " is under way: " + std::string(missing) + " yet." +
           (refused.empty() ? "" : " The last answer that was refused: " + refused);
  }
  const std::string identity = TextOf(variables, "identity");
  text += " has authenticated it";
  if (identity == "TC") {
    text += ", by the trail of certificates alone: no group key proved who it is";
  } else if (!identity.empty() && identity != "none") {
    text += ", and it proved its group by " + identity;
  }
  if ((flags & kAutokeyCookie) == 0)
    text += "; for now by its list of keys alone, as a broadcast is";
  else if (!missing.empty())
    text += "; " + std::string(missing);
  return text + ".";
}

// Empty for what no packet can be forged of.
std::string Authentication(PeerStatus status, const Values& variables) {
  if (IsReferenceClock(variables) || IsUnresolved(variables)) return "";
  if (const auto flags = NumberOf(variables, "flags"))
    return Autokey(static_cast<uint32_t>(*flags), variables);
  const auto key = NumberOf(variables, "keyid");
  if (!status.auth_enabled || key.value_or(0) == 0)
    return "Nothing authenticates it: whoever is on the way can forge its time.";
  if (*key > kMaxSymmetricKey) return Autokey(0, variables);
  const std::string name = "symmetric key " + std::to_string(*key);
  if (!status.reachable) return "It is to be authenticated by " + name + ".";
  return status.authentic
             ? "It is authenticated by " + name + "."
             : "It should be authenticated by " + name + ", and its last packet was not.";
}

bool IsZero(std::string_view number) {
  return number.find_first_not_of("+-.0") == std::string_view::npos;
}

std::string Figures(PeerStatus status, const Values& variables) {
  const std::string offset = TextOf(variables, "offset");
  const std::string delay = TextOf(variables, "delay");
  const std::string jitter = TextOf(variables, "jitter");
  if (!status.reachable || offset.empty() || delay.empty() || jitter.empty()) return "";
  // So a server writes what it has not measured yet.
  if (IsZero(offset) && IsZero(delay) && IsZero(jitter)) return "";
  return "It differs from our clock by " + offset + " ms, over a delay of " + delay +
         " ms, with a jitter of " + jitter + " ms.";
}

std::string Wrapped(const std::string& text) {
  std::istringstream words(text);
  std::string lines;
  size_t column = 0;
  for (std::string word; words >> word;) {
    const bool breaks = column > 0 && column + 1 + word.size() > kWidth;
    if (column > 0) lines += breaks ? '\n' : ' ';
    column = (column == 0 || breaks ? 0 : column + 1) + word.size();
    lines += word;
  }
  return lines + "\n";
}

}  // namespace

std::string Explanation(const std::string& name, PeerStatus status, const Values& variables,
                        std::optional<AssocId> system_peer) {
  std::string text = Printable(name) + " ";
  if (status.broadcast) {
    // It only sends, or stands for the servers that are found for it.
    return Wrapped(text +
                   "is never used itself: it sends, or finds other sources, which are listed "
                   "beside it.");
  }
  text += Verdict(status.selection, system_peer);
  if (status.selection == Selection::kReject) AppendCauses(status, variables, &text);
  Append(Authentication(status, variables), &text);
  Append(Figures(status, variables), &text);
  return Wrapped(text);
}

}  // namespace ntpward::ntpq
