// Key lists and the cookies of peers in the key process: what net can get, and what it cannot.
#include "keys/rsa.h"
#include "tests/keys/key_data.h"
#include "tests/keys/service_harness.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;
using msg::KeyListUse;
using msg::VerdictCode;

const IpAddress kUs = IpAddress::V4(10, 77, 0, 1);
const IpAddress kPeer = IpAddress::V4(10, 77, 0, 2);
const AddressPair kBroadcast{kUs, IpAddress::V4(10, 77, 0, 255)};
constexpr AssocId kId{7};

// The value of an AUTO message.
struct Announced {
  KeyId key;
  uint8_t sequence = 0;
};

Announced MakeList(Harness& h, const AddressPair& path, KeyListUse use, uint8_t count,
                   AssocId id = kId, uint32_t now = 1) {
  h.Ask(
      msg::KeyListMake{.now = {now}, .association = id, .path = path, .use = use, .count = count});
  assert_true(h.LastAnswer().code == VerdictCode::kGood);
  assert_int_equal(h.LastAnswer().value.size(), 8);
  Reader reader(h.LastAnswer().value.span());
  const KeyId key{reader.U32()};
  return {key, static_cast<uint8_t>(reader.U32())};
}

KeyId Take(Harness& h, AssocId id = kId) {
  h.FromNet(msg::KeyListTake{.association = id});
  return h.out.taken.back().key;
}

VerdictCode Accept(Harness& h, const AddressPair& path, KeyListUse use,
                   const Announced& announced) {
  h.FromNet(msg::KeyListAccept{.association = kId,
                               .path = path,
                               .use = use,
                               .key = announced.key,
                               .sequence = announced.sequence});
  return h.LastVerdict();
}

std::vector<uint8_t> Header(uint8_t mode) {
  std::vector<uint8_t> header(48, 0x55);
  header[0] = static_cast<uint8_t>(0x20 | mode);
  return header;
}

std::vector<uint8_t> PublicDigest(const AddressPair& path, KeyId key, Bytes covered) {
  auto hasher = SessionKeyHasher::Create("MD5");
  const auto digest = hasher->Mac(hasher->Derive(path, key, 0), covered);
  return {digest.span().begin(), digest.span().end()};
}

VerdictCode Check(Harness& h, const AddressPair& path, KeyId key, Bytes covered, Bytes digest) {
  msg::CheckMac check{.association = kId, .path = path, .key = key};
  Set(&check.covered, covered);
  Set(&check.digest, digest);
  h.FromNet(check);
  return h.LastVerdict();
}

Bytes Seal(Harness& h, const AddressPair& path, KeyId key, Bytes covered) {
  msg::SealRequest seal{.association = kId, .path = path, .key = key};
  Set(&seal.covered, covered);
  h.FromNet(seal);
  return h.out.sealed.back().mac.span();
}

// What was sealed: keys wrote the transmit time.
std::vector<uint8_t> Stamped(Harness& h, uint8_t mode = 1) {
  auto header = Header(mode);
  Writer writer(MutableBytes(header).last(8));
  writer.U64(h.out.sealed.back().transmit.raw());
  return header;
}

void DisclosesAListOneKeyAtATime(void**) {
  Harness h;
  h.StartServer();
  assert_true(Take(h).is_none());
  const Announced announced = MakeList(h, kBroadcast, KeyListUse::kBroadcast, 3);
  assert_int_equal(announced.sequence, 2);
  auto hasher = SessionKeyHasher::Create("MD5");
  KeySequence sequence(announced.key, announced.sequence);
  for (uint8_t left = 3; left-- > 0;) {
    assert_true(sequence.Accept(Take(h), *hasher, kBroadcast, 0));
    assert_int_equal(h.out.taken.back().left, left);
  }
  assert_true(Take(h).is_none());
  assert_int_equal(h.out.taken.back().left, 0);
}

void SignsWhatItAnnounces(void**) {
  Harness h;
  h.StartServer();
  h.Ask(msg::SignatureUpdate{.now = {1}});
  const auto updated = h.time.system.seconds();
  h.time.Advance(9);
  (void)MakeList(h, kBroadcast, KeyListUse::kBroadcast, 100);
  assert_int_equal(h.LastAnswer().timestamp.value, updated + 9);
  assert_int_equal(h.LastAnswer().filestamp.value, updated);
  assert_false(h.LastAnswer().signature.empty());
  (void)MakeList(h, kBroadcast, KeyListUse::kBroadcast, 1, kId, 0);
  assert_int_equal(h.LastAnswer().timestamp.value, 0);
  assert_true(h.LastAnswer().signature.empty());
}

void ANewListTakesTheOldOnesPlace(void**) {
  Harness h;
  h.StartServer();
  const Announced old = MakeList(h, kBroadcast, KeyListUse::kBroadcast, 100);
  const Announced fresh = MakeList(h, kBroadcast, KeyListUse::kBroadcast, 100);
  assert_false(old.key == fresh.key);
  auto hasher = SessionKeyHasher::Create("MD5");
  assert_true(hasher->Derive(kBroadcast, Take(h), 0).next() == fresh.key);
}

void ForgettingAnAssociationForgetsItsLists(void**) {
  Harness h;
  h.StartServer();
  const Announced announced = MakeList(h, kBroadcast, KeyListUse::kBroadcast, 100);
  assert_true(Accept(h, kBroadcast, KeyListUse::kBroadcast, announced) == VerdictCode::kGood);
  h.FromNet(msg::ForgetAssociation{.association = kId});
  assert_true(Take(h).is_none());
  assert_true(Check(h, kBroadcast, {0x12345678}, Header(5), std::vector<uint8_t>(16, 1)) ==
              VerdictCode::kUnknownKey);
}

void MalformedListsAreMisbehaviour(void**) {
  Harness h;
  h.StartServer();
  const auto accused = [&] { return h.out.misbehaviours.size(); };
  const auto send = [&](const auto& message, size_t octet_from_end, uint8_t value) {
    msg::Encoded bytes;
    msg::Encode(message, &bytes);
    bytes.span()[bytes.size() - octet_from_end] = value;
    h.service.HandleNet(bytes.span(), h.out);
  };
  const msg::KeyListMake make{.association = kId, .path = kBroadcast, .count = 100};
  send(make, 3, 0), send(make, 3, 101), send(make, 4, 2);
  send(make, 2, msg::kMaxElders + 1), send(make, 1, 2);
  assert_int_equal(accused(), 5);
  const msg::KeyListAccept accept{.association = kId, .path = kBroadcast, .key = {70000}};
  send(accept, 1, 100), send(accept, 1, 255);
  assert_int_equal(accused(), 7);
  assert_false(h.service.HasWork());
}

// ---------------------------------------------------------------------------- broadcasts

void ABroadcastCountsWhenItsKeyComesNext(void**) {
  Harness server;
  server.StartServer();
  Harness client;
  client.StartClient();
  const Announced announced = MakeList(server, kBroadcast, KeyListUse::kBroadcast, 100);
  assert_true(Accept(client, kBroadcast, KeyListUse::kBroadcast, announced) == VerdictCode::kGood);
  auto packet = Header(5);
  packet.insert(packet.end(), 32, 0x77);  // a field
  for (int i = 0; i < 5; ++i) {
    const KeyId key = Take(server);
    auto digest = PublicDigest(kBroadcast, key, packet);
    assert_true(Check(client, kBroadcast, key, packet, digest) == VerdictCode::kGood);
    assert_true(Check(client, kBroadcast, key, packet, digest) == VerdictCode::kSequence);
    digest[0] ^= 1;
    const KeyId next = Take(server);
    assert_true(Check(client, kBroadcast, next, packet, digest) == VerdictCode::kBad);
    // The same announcement again brings no key back.
    assert_true(Accept(client, kBroadcast, KeyListUse::kBroadcast, announced) ==
                VerdictCode::kGood);
  }
}

void AnyonesMacUnderAKeyOfHisOwnIsOutOfSequence(void**) {
  Harness client;
  client.StartClient();
  assert_true(Accept(client, kBroadcast, KeyListUse::kBroadcast, {{0x5684ea51}, 99}) ==
              VerdictCode::kGood);
  const auto packet = Header(5);
  const KeyId forged{0x01020304};
  assert_true(Check(client, kBroadcast, forged, packet, PublicDigest(kBroadcast, forged, packet)) ==
              VerdictCode::kSequence);
}

void AnAcceptedListHoldsForItsPathAndMode(void**) {
  Harness server;
  server.StartServer();
  Harness client;
  client.StartClient();
  const Announced announced = MakeList(server, kBroadcast, KeyListUse::kBroadcast, 100);
  (void)Accept(client, kBroadcast, KeyListUse::kBroadcast, announced);
  const KeyId key = Take(server);
  const AddressPair elsewhere{kPeer, kBroadcast.destination};
  assert_true(Check(client, elsewhere, key, Header(5), PublicDigest(elsewhere, key, Header(5))) ==
              VerdictCode::kNotAllowed);
  assert_true(Check(client, kBroadcast, key, Header(1), PublicDigest(kBroadcast, key, Header(1))) ==
              VerdictCode::kNotAllowed);
  // A broadcast's key makes no answer of a server.
  assert_true(Check(client, kBroadcast, key, Header(4), PublicDigest(kBroadcast, key, Header(4))) ==
              VerdictCode::kUnknownKey);
}

// What net needs no key for is not sealed.
void NeverSealsABroadcast(void**) {
  Harness h;
  h.StartServer();
  (void)MakeList(h, kBroadcast, KeyListUse::kBroadcast, 100);
  assert_true(Seal(h, kBroadcast, Take(h), Header(5)).empty());
}

// ---------------------------------------------------------------------------- peers

constexpr uint8_t kActive = 1, kPassive = 2;
const AddressPair kToPeer{kUs, kPeer};

// The server's service and the client's as peers with an agreed cookie.
struct Peers {
  Harness a, b;

  Peers() {
    a.StartServer();
    b.StartClient();
    Give(a, b);
    Give(b, a);
  }
  // `from` encrypts its half for the key of `to`, which opens it. Both have the same host key.
  static void Give(Harness& from, Harness& to) {
    const auto key = ReadRsaKey(Data("428_host_server"), AsBytes(kServerPassword));
    CHECK(key.ok());
    BigPtr n = Number(), e = Number();
    BIGNUM* raw = n.get();
    CHECK(EVP_PKEY_get_bn_param(key->key.get(), "n", &raw) == 1);
    raw = e.get();
    CHECK(EVP_PKEY_get_bn_param(key->key.get(), "e", &raw) == 1);
    msg::CookieIssue issue{.now = {1}, .association = kId, .path = kToPeer};
    Set(&issue.modulus, NumberOctets(n.get()));
    issue.exponent = static_cast<uint32_t>(BN_get_word(e.get()));
    from.Ask(issue);
    CHECK(from.LastAnswer().code == VerdictCode::kGood);
    msg::CookieOpen open{.association = kId, .symmetric = true};
    Set(&open.ciphertext, from.LastAnswer().value.span());
    to.Ask(open);
    CHECK(to.LastVerdict() == VerdictCode::kGood);
  }
};

void PeersAgreeOnACookieAndFollowEachOther(void**) {
  Peers peers;
  const Announced announced = MakeList(peers.a, kToPeer, KeyListUse::kSymmetric, 10);
  (void)Accept(peers.b, kToPeer, KeyListUse::kSymmetric, announced);
  for (int i = 0; i < 10; ++i) {
    const KeyId key = Take(peers.a);
    const auto mac = Seal(peers.a, kToPeer, key, Header(kActive));
    assert_int_equal(mac.size(), 20);
    assert_true(Check(peers.b, kToPeer, key, Stamped(peers.a), mac.subspan(4)) ==
                VerdictCode::kGood);
    // Nobody without the cookie can make it.
    assert_true(Check(peers.b, kToPeer, key, Header(kActive),
                      PublicDigest(kToPeer, key, Header(kActive))) == VerdictCode::kBad);
  }
}

void APeersPacketIsSealedOnceDisclosedAndForItsPathOnly(void**) {
  Peers peers;
  (void)MakeList(peers.a, kToPeer, KeyListUse::kSymmetric, 10);
  const KeyId first = Take(peers.a);
  assert_false(Seal(peers.a, kToPeer, first, Header(kPassive)).empty());
  // As if the peer had sent it: the way in which a taken-over net would forge an upstream.
  assert_true(Seal(peers.a, kToPeer.Reversed(), first, Header(kActive)).empty());
  assert_true(Seal(peers.a, kToPeer, {0x12345678}, Header(kActive)).empty());
  (void)Take(peers.a);
  assert_true(Seal(peers.a, kToPeer, first, Header(kActive)).empty());
  // A peer's cookie is no server's: neither a request nor its answer.
  assert_true(Seal(peers.a, kToPeer, first, Header(3)).empty());
  assert_true(Check(peers.a, kToPeer, first, Header(4), std::vector<uint8_t>(16, 0)) ==
              VerdictCode::kUnknownKey);
}

// As ntpd 4.2.8: a cookie of 0, which everybody knows.
void BeforeACookieAPeersKeysAreTheOnlyProof(void**) {
  Harness a, b;
  a.StartServer();
  b.StartClient();
  const Announced announced = MakeList(a, kToPeer, KeyListUse::kSymmetric, 10);
  (void)Accept(b, kToPeer, KeyListUse::kSymmetric, announced);
  const KeyId key = Take(a);
  const Bytes mac = Seal(a, kToPeer, key, Header(kActive));
  assert_true(Check(b, kToPeer, key, Stamped(a), mac.subspan(4)) == VerdictCode::kGood);
  assert_true(Check(b, kToPeer, key, Stamped(a), mac.subspan(4)) == VerdictCode::kSequence);
  const KeyId forged{0x01020304};
  assert_true(Check(b, kToPeer, forged, Header(kActive),
                    PublicDigest(kToPeer, forged, Header(kActive))) == VerdictCode::kSequence);
}

// Who has one half only uses 0 as well, until the other was given; who gave one away and has none
// does nothing.
void HalfACookieIsNotInForce(void**) {
  Harness a, b;
  a.StartServer();
  b.StartClient();
  Peers::Give(a, b);
  const auto sealed = [](Harness& h) {
    (void)MakeList(h, kToPeer, KeyListUse::kSymmetric, 2);
    const KeyId key = Take(h);
    const Bytes mac = Seal(h, kToPeer, key, Header(kActive));
    if (mac.empty()) return std::optional<bool>();
    const auto digest = PublicDigest(kToPeer, key, Stamped(h));
    return std::optional(std::equal(digest.begin(), digest.end(), mac.begin() + 4));
  };
  assert_false(sealed(a).has_value());
  assert_true(sealed(b) == std::optional(true));
  Peers::Give(b, a);
  assert_true(sealed(a) == std::optional(false));
  assert_true(sealed(b) == std::optional(false));
}

// Behind a field the MAC is anyone's, and the key alone says who sent it.
void ThePlaceInTheListCountsBehindAFieldToo(void**) {
  Peers peers;
  const Announced announced = MakeList(peers.a, kToPeer, KeyListUse::kSymmetric, 10);
  (void)Accept(peers.b, kToPeer, KeyListUse::kSymmetric, announced);
  auto packet = Header(kActive);
  packet.insert(packet.end(), 32, 0x77);
  const KeyId key = Take(peers.a);
  const auto digest = PublicDigest(kToPeer, key, packet);
  assert_true(Check(peers.b, kToPeer, key, packet, digest) == VerdictCode::kGood);
  assert_true(Check(peers.b, kToPeer, key, packet, digest) == VerdictCode::kSequence);
  // Net makes such packets itself.
  assert_true(Seal(peers.a, kToPeer, key, packet).empty());
}

void KeysWritesTheTransmitTimeOfWhatItSealsToAPeer(void**) {
  Peers peers;
  (void)MakeList(peers.a, kToPeer, KeyListUse::kSymmetric, 10);
  for (const uint8_t mode : {kActive, kPassive}) {
    auto packet = Header(mode);
    std::fill(packet.end() - 8, packet.end(), uint8_t{0xee});
    (void)Seal(peers.a, kToPeer, Take(peers.a), packet);
    assert_true(peers.a.out.sealed.back().transmit == peers.a.time.system);
  }
}

void OurHalfOfACookieStaysUntilForgotten(void**) {
  Peers peers;
  Peers::Give(peers.a, peers.b);  // asked again
  const Announced announced = MakeList(peers.a, kToPeer, KeyListUse::kSymmetric, 2);
  (void)Accept(peers.b, kToPeer, KeyListUse::kSymmetric, announced);
  const KeyId key = Take(peers.a);
  const auto mac = Seal(peers.a, kToPeer, key, Header(kActive));
  assert_true(Check(peers.b, kToPeer, key, Stamped(peers.a), mac.subspan(4)) == VerdictCode::kGood);
  peers.a.FromNet(msg::ForgetAssociation{.association = kId});
  Peers::Give(peers.b, peers.a);
  Harness nobody;
  nobody.StartClient();
  Peers::Give(peers.a, nobody);
  (void)MakeList(peers.a, kToPeer, KeyListUse::kSymmetric, 2);
  const KeyId other = Take(peers.a);
  const auto wrong = Seal(peers.a, kToPeer, other, Header(kActive));
  assert_true(Check(peers.b, kToPeer, other, Stamped(peers.a), wrong.subspan(4)) ==
              VerdictCode::kBad);
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(DisclosesAListOneKeyAtATime),
      cmocka_unit_test(SignsWhatItAnnounces),
      cmocka_unit_test(ANewListTakesTheOldOnesPlace),
      cmocka_unit_test(ForgettingAnAssociationForgetsItsLists),
      cmocka_unit_test(MalformedListsAreMisbehaviour),
      cmocka_unit_test(ABroadcastCountsWhenItsKeyComesNext),
      cmocka_unit_test(AnyonesMacUnderAKeyOfHisOwnIsOutOfSequence),
      cmocka_unit_test(AnAcceptedListHoldsForItsPathAndMode),
      cmocka_unit_test(NeverSealsABroadcast),
      cmocka_unit_test(PeersAgreeOnACookieAndFollowEachOther),
      cmocka_unit_test(APeersPacketIsSealedOnceDisclosedAndForItsPathOnly),
      cmocka_unit_test(BeforeACookieAPeersKeysAreTheOnlyProof),
      cmocka_unit_test(HalfACookieIsNotInForce),
      cmocka_unit_test(ThePlaceInTheListCountsBehindAFieldToo),
      cmocka_unit_test(KeysWritesTheTransmitTimeOfWhatItSealsToAPeer),
      cmocka_unit_test(OurHalfOfACookieStaysUntilForgotten),
  };
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
