// Captured dances between peers, replayed: what a peer of the reference's kind sent goes through
// our dance and our key process, and every signature, key and MAC of it has to fit.
#include <algorithm>
#include <sstream>

#include "keys/key_list.h"
#include "ntpd/autokey/peer_dance.h"
#include "tests/autokey/key_host.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::autokey::test {
namespace {

const IpAddress kPeer = IpAddress::V4(10, 77, 0, 1);
const IpAddress kOurs = IpAddress::V4(10, 77, 0, 2);

struct CapturedPacket {
  bool ours = false;
  uint32_t time = 0;
  std::vector<uint8_t> bytes;

  wire::Packet packet() const { return *wire::ParsePacket(bytes); }
  bool bare() const { return packet().extensions().empty(); }
  AddressPair path() const { return ours ? AddressPair{kOurs, kPeer} : AddressPair{kPeer, kOurs}; }
  std::vector<int> codes() const {
    std::vector<int> out;
    const auto parsed = packet();
    for (const auto& field : parsed.extensions())
      out.push_back(field.field[0] << 8 | field.field[1]);
    return out;
  }
};

std::vector<CapturedPacket> Captured(const std::string& name) {
  const std::vector<uint8_t> file = ntpward::test::ReadFile("tests/autokey/data/peers.txt");
  std::istringstream lines{std::string(AsText(file))};
  std::vector<CapturedPacket> out;
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string kind, first, hex;
    words >> kind >> first >> hex;
    if (kind == "dance" || kind == "end") inside = kind == "dance" && first == name;
    if (!inside || (kind != "ours" && kind != "peer")) continue;
    out.push_back(
        {kind == "ours", static_cast<uint32_t>(std::stoul(first)), ntpward::test::FromHex(hex)});
  }
  CHECK(!out.empty());
  return out;
}

struct Replay {
  explicit Replay(const std::string& name)
      : packets(Captured(name)),
        host("clientpassword",
             {{KeyFileKind::kHost, "tests/autokey/data/peers_" + name + "_host"},
              {KeyFileKind::kCertificate, "tests/autokey/data/peers_" + name + "_cert"}},
             packets.front().time),
        dance(OurId(), {.optional_here = true}, 12, {kOurs, kPeer}, host.time.Monotonic()) {
    // Where a packet made the association, it answered one of ours that was not the dance's.
    const NtpTimestamp origin = packets.front().packet().header.origin;
    if (!packets.front().ours && origin != NtpTimestamp{}) sent.push_back(origin);
  }

  AssocId OurId() const {
    for (const CapturedPacket& captured : packets) {
      const auto codes = captured.codes();
      if (captured.ours && !codes.empty() && (codes.back() & 0x8000) == 0)
        return AssocId{static_cast<uint16_t>(
            wire::ParseAutokeyFieldHead(captured.packet().extensions()[codes.size() - 1].field)
                ->association)};
    }
    Fatal(__FILE__, __LINE__, "no request of ours");
  }
  DanceContext context() {
    return {host.state, host.certificates, host.time.Monotonic(), NtpSeconds{host.time.seconds},
            host.synchronised};
  }
  // Our packet goes out; what it carries.
  std::vector<int> Send(const CapturedPacket& captured) {
    host.time.seconds = captured.time;
    const auto header = captured.packet().header;
    // The clock was set between a packet's fields and its header.
    const auto codes_then = captured.codes();
    const bool asks_cookie = !codes_then.empty() && codes_then.back() == 0x0203;
    if ((header.leap != wire::Leap::kAlarm || asks_cookie) && !host.synchronised)
      host.Synchronise();
    sent.push_back(header.transmit);
    if (const auto make = dance.DueList(header.poll, context())) {
      host.Ask(*make);
      CHECK(dance.OnListMade(host.out.answer));
    }
    host.Ask(msg::KeyListTake{.association = dance.dance().association()});
    dance.OnKeyTaken(host.out.taken.left);
    PeerPacket packet = dance.NextPacket(context());
    Run(std::move(packet.effects));
    std::vector<int> codes;
    for (Bytes rest = packet.fields; !rest.empty();) {
      codes.push_back(rest[0] << 8 | rest[1]);
      rest = rest.subspan(static_cast<size_t>(rest[2]) << 8 | rest[3]);
    }
    return codes;
  }
  // Theirs came. The verdict of its key, when a list is known.
  std::optional<msg::VerdictCode> Receive(const CapturedPacket& captured) {
    host.time.seconds = captured.time;
    const auto packet = captured.packet();
    const bool answers = std::find(sent.begin(), sent.end(), packet.header.origin) != sent.end();
    for (const auto& field : packet.extensions())
      Run(dance.OnField(field.field, answers, context()));
    if (!dance.follows_list()) return std::nullopt;
    msg::CheckMac check;
    check.association = dance.dance().association();
    check.path = dance.from_peer();
    check.key = packet.mac->key;
    CHECK(check.digest.Assign(packet.mac->digest));
    if (!check.covered.Assign(packet.covered)) return std::nullopt;
    host.Ask(check);
    (void)dance.OnPacketVerdict(host.out.verdict.code, answers, captured.bare());
    return host.out.verdict.code;
  }
  void Run(PeerResult result) {
    outcomes.push_back(result.dance.outcome);
    Run(std::move(result.dance));
    if (result.question) {
      std::visit([&](const auto& operation) { host.Ask(operation); }, result.question->operation);
      gave_half |=
          std::holds_alternative<msg::CookieIssue>(result.question->operation) && host.synchronised;
      Run(dance.OnValue(result.question->ticket, host.out.answer));
    }
    if (result.accept) {
      host.Ask(*result.accept);
      dance.OnListVerdict(host.out.verdict.code);
    }
  }
  void Run(DanceResult result) {
    assert_true(result.restart == Restart::kNone);
    for (const auto& line : result.statistics) statistics.push_back(line);
    for (const ClientJob& job : result.jobs) {
      std::visit([&](const auto& operation) { host.Ask(operation); }, job.operation);
      Run(dance.OnVerdict(job.ticket, host.out.verdict.code, context()));
    }
  }
  bool Said(std::string_view beginning) const {
    return std::any_of(statistics.begin(), statistics.end(),
                       [&](const std::string& line) { return line.starts_with(beginning); });
  }

  std::vector<CapturedPacket> packets;
  Host host;
  PeerDance dance;
  std::vector<NtpTimestamp> sent;
  std::vector<Outcome> outcomes;
  std::vector<std::string> statistics;
  bool gave_half = false;  // a random one, not that of the capture
};

struct Followed {
  const char* name;
  int good;  // packets whose key came next
  std::vector<const char*> said;
};

// Ours is without time at first, so that the peer's list is hashed with 0, and every key of it
// comes next.
void CheckFollowed(const Followed& followed) {
  Replay replay(followed.name);
  int good = 0;
  for (const CapturedPacket& captured : replay.packets) {
    // Sealed with a cookie whose half here is another, or of a list that is hashed with it.
    if (replay.host.synchronised && (captured.bare() || (replay.gave_half && !captured.ours)))
      break;
    // ntpd 4.2.6 goes by another list once it has given its half, which it tells later.
    const bool told = replay.dance.dance().has_cookie();
    if (captured.ours) {
      assert_true(replay.Send(captured) == captured.codes());
      continue;
    }
    const auto verdict = replay.Receive(captured);
    if (!verdict) continue;
    assert_true(*verdict == msg::VerdictCode::kGood ||
                (told && *verdict == msg::VerdictCode::kSequence));
    good += *verdict == msg::VerdictCode::kGood ? 1 : 0;
  }
  assert_int_equal(good, followed.good);
  for (const char* beginning : followed.said) assert_true(replay.Said(beginning));
  for (const Outcome outcome : replay.outcomes)
    assert_true(outcome == Outcome::kOk || outcome == Outcome::kLeapValues);
  assert_int_equal(replay.dance.flags() & (kProven | kCookie | kAutokey | kSigned),
                   kProven | kCookie | kAutokey | kSigned);
}

void AnActivePeerIsFollowedAsItWas(void**) {
  CheckFollowed({"active",
                 7,
                 {"cert server server 0x5 md5WithRSAEncryption", "auto seq 99 key b3942cbc",
                  "cook ts 4004326712", "sign client server"}});
}

void AnActivePeerOf426IsFollowedAsItWas(void**) {
  CheckFollowed({"active426",
                 5,
                 {"cert server server 0x5 md5WithRSAEncryption", "auto seq ", "cook ts 4004394967",
                  "sign client server"}});
}

// Its first packets made our association.
void APeerOf426ThatCameByItselfIsFollowedAsItWas(void**) {
  CheckFollowed({"passive426",
                 5,
                 {"cert server server 0x5 md5WithRSAEncryption", "auto seq ", "cook ts 4004394970",
                  "sign client server"}});
}

// Ours has the time, and is asked and asks at once.
void APassiveEndGivesWhatItGave(void**) {
  Replay replay("passive");
  for (const CapturedPacket& captured : replay.packets) {
    if (captured.bare()) break;
    if (captured.ours) {
      (void)replay.Send(captured);
    } else {
      (void)replay.Receive(captured);
    }
  }
  assert_true(replay.gave_half);
  assert_true(replay.Said("cert server server 0x5 md5WithRSAEncryption"));
  assert_true(replay.Said("cook ts 4004326660"));
  assert_true(replay.Said("auto seq 99 key 358d4052"));
  assert_true((replay.dance.flags() & (kProven | kCookie)) == (kProven | kCookie));
}

// The reference prints it; each bare header is sealed with it, and the keys are a chain hashed with
// it.
void TheAgreedCookieSealsBareHeadersBothWays(void**) {
  struct Row {
    const char* name;
    uint32_t cookie;
    int bare;  // headers sealed with it
  };
  auto hasher = keys::SessionKeyHasher::Create("MD5");
  for (const Row& row : {Row{"active", 0x3da5c75f, 6},
                         {"passive", 0x6bf33c6a, 6},
                         {"active426", 0x35b3d3fa, 5},
                         {"passive426", 0xce5091e5, 5}}) {
    int bare = 0;
    for (const bool ours : {true, false}) {
      std::optional<KeyId> last;
      for (const CapturedPacket& captured : Captured(row.name)) {
        const auto packet = captured.packet();
        // Before the cookie bare headers of a host without time are sealed with 0.
        if (captured.ours != ours || !captured.bare() || packet.header.leap == wire::Leap::kAlarm)
          continue;
        const keys::SessionKey key = hasher->Derive(captured.path(), packet.mac->key, row.cookie);
        assert_true(EqualConstantTime(hasher->Mac(key, packet.covered).span(), packet.mac->digest));
        if (last) {
          // Some were used by packets with fields in between.
          keys::KeySequence sequence(*last, 10);
          assert_true(sequence.Accept(packet.mac->key, *hasher, captured.path(), row.cookie));
        }
        last = packet.mac->key;
        ++bare;
      }
    }
    assert_int_equal(bare, row.bare);
  }
}

}  // namespace
}  // namespace ntpward::autokey::test

int main() {
  using namespace ntpward::autokey::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AnActivePeerIsFollowedAsItWas),
      cmocka_unit_test(AnActivePeerOf426IsFollowedAsItWas),
      cmocka_unit_test(APeerOf426ThatCameByItselfIsFollowedAsItWas),
      cmocka_unit_test(APassiveEndGivesWhatItGave),
      cmocka_unit_test(TheAgreedCookieSealsBareHeadersBothWays),
  };
  return cmocka_run_group_tests(tests, LoadCrypto, nullptr);
}
