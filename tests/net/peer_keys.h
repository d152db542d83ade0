// ntpd-keys' part in our dances with peers, and the peers' side of them.
#pragma once

#include "ntpd/autokey/peer_dance.h"
#include "tests/net/harness.h"
#include "tests/support/authority.h"

namespace ntpward::test {

// The end of a key list of `party`'s, signed as of `now`; unsigned without time.
inline msg::ValueAnswer ListAnswer(const autokey::test::Party& party, uint32_t request,
                                   uint32_t now) {
  const std::array<uint8_t, 8> value = {0x11, 0x22, 0x33, 0x44, 0, 0, 0, 50};
  msg::ValueAnswer answer = party.Signed(now, now == 0 ? 0 : autokey::test::kTestNow, value);
  answer.request = request;
  return answer;
}

// The key process of `ours`: what the dances with peers ask of it is answered, every key of their
// lists is another.
struct PeerKeys {
  // Hands what was asked to `look` first; false for any other message.
  template <typename F>
  bool Serve(Harness* h, Bytes bytes, F look) {
    msg::KeyListMake make;
    msg::KeyListTake take;
    msg::KeyListAccept accept;
    msg::CookieIssue issue;
    msg::SealRequest seal;
    if (msg::Decode(bytes, &make)) {
      look(make);
      h->SayAsKeys(ListAnswer(ours, make.request, make.now.value));
    } else if (msg::Decode(bytes, &take)) {
      look(take);
      h->SayAsKeys(
          msg::KeyListTaken{.request = take.request, .key = KeyId{++last_key}, .left = 50});
    } else if (msg::Decode(bytes, &accept)) {
      look(accept);
      h->SayAsKeys(msg::Verdict{.request = accept.request, .code = msg::VerdictCode::kGood});
    } else if (msg::Decode(bytes, &issue)) {
      look(issue);
      msg::ValueAnswer answer = ours.Answer(issue);
      answer.request = issue.request;
      h->SayAsKeys(answer);
    } else if (msg::Decode(bytes, &seal)) {
      look(seal);
      msg::Sealed sealed{.request = seal.request, .transmit = SystemTimeNow()};
      CHECK(sealed.mac.Assign(SomeMac(seal.key)));
      h->SayAsKeys(sealed);
    } else {
      return false;
    }
    return true;
  }

  autokey::test::Party ours{"client", autokey::test::TestKey::Shared(1), true};
  uint32_t last_key = 100000;
};

// The host of a peer, or of several: each of its packets is a second after the one before.
struct PeerHost {
  PeerHost() { party.Sign(autokey::test::kTestNow); }

  autokey::DanceContext Context() {
    return {party.host, party.certificates, MonoTime(), NtpSeconds{++now}, true};
  }
  // `dance` takes our packet; the fields of what it answers.
  std::vector<uint8_t> Answer(autokey::PeerDance* dance, const Stranger::Got& got) {
    const auto packet = *wire::ParsePacket(got.bytes);
    for (const wire::Extension& field : packet.extensions())
      Run(dance, dance->OnField(field.field, true, Context()));
    if (dance->DueList(6, Context())) CHECK(dance->OnListMade(ListAnswer(party, 1, now)));
    dance->OnKeyTaken(20);
    return dance->NextPacket(Context()).fields;
  }

  autokey::test::Party party{"server", autokey::test::TestKey::Shared(0), true};
  uint32_t now = autokey::test::kTestNow;

 private:
  // Its key process finds everything good.
  void Run(autokey::PeerDance* dance, const autokey::PeerResult& result) {
    if (result.question)
      (void)dance->OnValue(result.question->ticket, party.Answer(result.question->operation));
    if (result.accept) dance->OnListVerdict(msg::VerdictCode::kGood);
    for (const auto& job : result.dance.jobs)
      (void)dance->OnVerdict(job.ticket, msg::VerdictCode::kGood, Context());
  }
};

}  // namespace ntpward::test
