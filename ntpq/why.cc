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

// A bit of a word, and what to say when it is set.
struct BitText {
  uint32_t bit;
  std::string_view text;
};

// In the order in which they matter to somebody who looks for the cause.
constexpr BitText kFlash[] = {
    {wire::kFlashDenied, "Our own access rules (restrict) refuse its packets."},
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
    {wire::kFlashPeerLoop, "It takes its time from this host: to follow it would be a circle."},
    {wire::kFlashPeerDistance,
     "Its time is too uncertain (root distance over the limit of 1.5 s, or of tos maxdist): that "
     "shrinks with each answer after a start, and grows while answers stay out."},
};

std::string_view Verdict(Selection selection) {
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

// What nothing but silence came from, and what its last words were.
std::string Silence(PeerStatus status, const Values& variables) {
  switch (status.last_event) {
    case PeerEvent::kAccessDenied:
      return "It says that we may not ask it (kiss-o'-death DENY or RSTR): its operator has to "
             "allow "
             "this host.";
    case PeerEvent::kRateExceeded:
      return "It says that we ask too often (kiss-o'-death RATE): asked more seldom, it answers "
             "again.";
    default:
      break;
  }
  const auto received = NumberOf(variables, "received");
  if (received && *received == 0)
    return "Nothing has ever come from it: it does not run, it does not serve this host, or UDP "
           "port "
           "123 is closed on the way.";
  const std::string unreach = TextOf(variables, "unreach");
  return "It has not answered our last polls" +
         (unreach.empty() || unreach == "0" ? "" : " (" + unreach + " without an answer)") +
         ": it, or the way to it, is down.";
}

std::string Stratum(const Values& variables) {
  const auto stratum = NumberOf(variables, "stratum");
  const auto leap = NumberOf(variables, "leap");
  if (leap == 3U || stratum.value_or(0) == 0 || stratum.value_or(0) >= 16)
    return "It is not synchronised itself, and says so.";
  return "Its stratum, " + std::to_string(*stratum) +
         ", is outside what is allowed here (tos floor and tos ceiling).";
}

void Append(std::string_view sentence, std::string* text) {
  if (sentence.empty()) return;
  if (!text->empty()) *text += ' ';
  *text += sentence;
}

void AppendCauses(PeerStatus status, const Values& variables, std::string* text) {
  const auto flash = static_cast<uint32_t>(NumberOf(variables, "flash").value_or(0));
  const bool silent = !status.reachable;
  if (silent) Append(Silence(status, variables), text);
  for (const BitText& cause : kFlash) {
    // Everything is uncertain about a source that does not answer.
    const bool follows = silent && cause.bit == wire::kFlashPeerDistance;
    if ((flash & cause.bit) != 0 && !follows) Append(cause.text, text);
  }
  const bool bad_stratum = (flash & (wire::kFlashStratum | wire::kFlashPeerStratum)) != 0;
  if (!silent && bad_stratum) Append(Stratum(variables), text);
  // A server marks one that it must not follow as if it did not answer.
  const bool set_aside = !silent && (flash & ~uint32_t{wire::kFlashPeerUnreachable}) == 0;
  if (set_aside)
    Append(
        "Nothing is wrong with it: it was configured with noselect, or too few of the sources that "
        "agree with it answer yet.",
        text);
}

std::string Autokey(uint32_t flags, const Values& variables) {
  if (flags == 0)
    return "Autokey has not begun: the server has not answered, or does not speak it.";
  const std::string host = TextOf(variables, "host");
  std::string text = "Autokey";
  if (!host.empty()) text += " (the server calls itself " + host + ")";
  const std::string_view missing = MissingStep(flags);
  const uint32_t needed = IsSymmetric(variables) ? kAutokeyOfPeers : kAutokeyOfServers;
  if ((flags & needed) != needed) return text + " is under way: " + std::string(missing) + " yet.";
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

std::string Authentication(PeerStatus status, const Values& variables) {
  if (const auto flags = NumberOf(variables, "flags"))
    return Autokey(static_cast<uint32_t>(*flags), variables);
  const auto key = NumberOf(variables, "keyid");
  if (!status.auth_enabled || key.value_or(0) == 0)
    return "Nothing authenticates it: whoever is on the way can forge its time.";
  if (*key > 0xffff) return Autokey(0, variables);
  const std::string name = "symmetric key " + std::to_string(*key);
  if (!status.reachable) return "It is to be authenticated by " + name + ".";
  return status.authentic
             ? "It is authenticated by " + name + "."
             : "It should be authenticated by " + name + ", and its last packet was not.";
}

std::string Figures(PeerStatus status, const Values& variables) {
  const std::string offset = TextOf(variables, "offset");
  const std::string delay = TextOf(variables, "delay");
  const std::string jitter = TextOf(variables, "jitter");
  if (!status.reachable || offset.empty() || delay.empty() || jitter.empty()) return "";
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

std::string Explanation(const std::string& name, PeerStatus status, const Values& variables) {
  std::string text = Printable(name) + " ";
  if (status.broadcast) {
    // It only sends, or stands for the servers that are found for it.
    return Wrapped(text +
                   "is never used itself: it sends, or finds other sources, which are listed "
                   "beside it.");
  }
  text += Verdict(status.selection);
  if (status.selection == Selection::kReject) AppendCauses(status, variables, &text);
  Append(Authentication(status, variables), &text);
  Append(Figures(status, variables), &text);
  return Wrapped(text);
}

}  // namespace ntpward::ntpq
