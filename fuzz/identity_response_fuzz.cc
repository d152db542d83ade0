// links: keys
//
// Any octets as a server's answer to an identity challenge, and as a GQ value: never a proof,
// because nobody here knows the secrets, which were drawn at the start.
#include "keys/crypto_setup.h"
#include "keys/gq.h"
#include "keys/iff.h"
#include "keys/key_maker.h"
#include "keys/mv.h"
#include "keys/mv_authority.h"

using namespace ntpward;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto crypto = keys::CryptoSetup::ForTool();
  CHECK(crypto.ok());
  static const auto iff = keys::MakeIffKey(512);
  static const auto gq = keys::MakeGqKey(256);
  static const auto mv = keys::MakeMvAuthority(256, 2);
  static const auto iff_challenge = keys::DrawIffChallenge(*iff);
  static const auto gq_challenge = keys::DrawGqChallenge(*gq);
  static const auto mv_challenge = keys::DrawMvChallenge(mv->clients[0]);
  const Bytes all(data, size);
  // The first octet says how many of the rest are the certificate's value.
  const size_t split = all.empty() ? 0 : std::min<size_t>(all[0], all.size() - 1);
  const Bytes value = all.empty() ? Bytes() : all.subspan(1, split);
  const Bytes response = all.empty() ? Bytes() : all.subspan(1 + split);
  CHECK(!keys::VerifyIff(*iff, iff_challenge, response));
  CHECK(!keys::VerifyGq(*gq, value, gq_challenge, response));
  CHECK(!keys::VerifyMv(mv->clients[0], mv_challenge, response));
  return 0;
}
