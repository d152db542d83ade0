// links: privsep
//
// Messages of ntpd-keys, whoever sends them.
#include "fuzz/round_trip.h"
#include "privsep/msg/command.h"
#include "privsep/msg/heritage.h"
#include "privsep/msg/key_list.h"
#include "privsep/msg/keys.h"

using namespace ntpward;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(data, size);
  RoundTrip<msg::ServeBatch>(bytes);
  RoundTrip<msg::ServeDone>(bytes);
  RoundTrip<msg::SealRequest>(bytes);
  RoundTrip<msg::Sealed>(bytes);
  RoundTrip<msg::CheckMac>(bytes);
  RoundTrip<msg::Verdict>(bytes);
  RoundTrip<msg::HostMaterialRequest>(bytes);
  RoundTrip<msg::HostMaterial>(bytes);
  RoundTrip<msg::KeyCountRequest>(bytes);
  RoundTrip<msg::KeyCount>(bytes);
  RoundTrip<msg::SignatureUpdate>(bytes);
  RoundTrip<msg::SignedValues>(bytes);
  RoundTrip<msg::CookieIssue>(bytes);
  RoundTrip<msg::IdentityProve>(bytes);
  RoundTrip<msg::CertificateIssue>(bytes);
  RoundTrip<msg::ValueAnswer>(bytes);
  RoundTrip<msg::IdentityChallenge>(bytes);
  RoundTrip<msg::IdentityVerify>(bytes);
  RoundTrip<msg::CookieOpen>(bytes);
  RoundTrip<msg::ForgetAssociation>(bytes);
  RoundTrip<msg::KeyListMake>(bytes);
  RoundTrip<msg::KeyListTake>(bytes);
  RoundTrip<msg::KeyListTaken>(bytes);
  RoundTrip<msg::KeyListAccept>(bytes);
  RoundTrip<msg::KeysStart>(bytes);
  RoundTrip<msg::KeysPassword>(bytes);
  RoundTrip<msg::KeysFile>(bytes);
  RoundTrip<msg::KeysTrusted>(bytes);
  RoundTrip<msg::KeysEnd>(bytes);
  RoundTrip<msg::KeysServe>(bytes);
  RoundTrip<msg::KeysRollSeed>(bytes);
  RoundTrip<msg::KeysHandOver>(bytes);
  RoundTrip<msg::KeysInherited>(bytes);
  RoundTrip<msg::HeritageAssociation>(bytes);
  RoundTrip<msg::HeritageSigner>(bytes);
  RoundTrip<msg::HeritageEnd>(bytes);
  RoundTrip<msg::CommandNonceRequest>(bytes);
  RoundTrip<msg::CommandNonce>(bytes);
  RoundTrip<msg::Command>(bytes);
  RoundTrip<msg::CommandDone>(bytes);
  RoundTrip<msg::RuntimeTrust>(bytes);
  return 0;
}
