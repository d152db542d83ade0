// Who gets an answer, and which: real sockets on loopback, the test as ntpd-keys.
#include "ntpd/net/time_server.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "ntpd/wire/refid.h"
#include "tests/net/harness.h"

namespace ntpward::net {
namespace {

using core::Access;
using test::Encoded;
using test::Harness;
using test::Next;
using test::SomeMac;
using test::Stranger;

const IpAddress kClient = IpAddress::V4(127, 0, 0, 1);
const IpAddress kAsked = IpAddress::V4(127, 0, 0, 7);

wire::Header RequestHeader() {
  wire::Header request;
  request.leap = wire::Leap::kNone;
  request.poll = 6;
  request.transmit = NtpTimestamp::FromRaw(0x1122334455667788);
  return request;
}

void AnswersAPlainRequestFromTheAskedAddress(void**) {
  Harness h;
  h.Synchronise();
  const uint16_t port = h.Listen();
  Stranger client(kClient);
  client.Send(Encoded(RequestHeader()), {kAsked, port});
  h.Spin();
  const auto answer = client.Receive();
  assert_true(answer.has_value());
  assert_true(answer->from == (SocketAddress{kAsked, port}));
  assert_int_equal(answer->bytes.size(), 48);
  const wire::Header reply = answer->header();
  assert_true(reply.mode == wire::Mode::kServer && reply.version == 4);
  assert_true(reply.origin == RequestHeader().transmit);
  assert_true(reply.stratum != 0 && reply.leap == wire::Leap::kNone);
  const double served = (reply.transmit - reply.receive).seconds();
  assert_true(served >= 0 && served < 10);
  const double off = (h.node.time.Now() - reply.transmit).seconds();
  assert_true(off >= 0 && off < 10);
  assert_false(client.Receive().has_value());
}

void AnswersEachRequestOfManyBatchesOnce(void**) {
  Harness h;
  const uint16_t port = h.Listen();
  Stranger client(kClient);
  for (uint64_t i = 1; i <= 75; ++i) {
    wire::Header request = RequestHeader();
    request.transmit = NtpTimestamp::FromRaw(i);
    client.Send(Encoded(request), {kAsked, port});
  }
  h.Spin();
  for (uint64_t i = 1; i <= 75; ++i) {
    const auto answer = client.Receive();
    assert_true(answer && answer->header().origin == NtpTimestamp::FromRaw(i));
  }
  assert_false(client.Receive().has_value());
}

void SaysThatItIsNotSynchronised(void**) {
  Harness h;
  const uint16_t port = h.Listen();
  Stranger client(kClient);
  client.Send(Encoded(RequestHeader()), {kAsked, port});
  h.Spin();
  const auto answer = client.Receive();
  assert_true(answer && answer->header().leap == wire::Leap::kAlarm);
  assert_int_equal(answer->header().stratum, 0);
}

// CVE-2009-3563: two servers must not answer each other's answers.
void NeverAnswersAnswersOrNonsense(void**) {
  Harness h;
  const uint16_t port = h.Listen();
  Stranger client(kClient);
  for (const int mode : {0, 2, 4, 5, 7}) {
    wire::Header request = RequestHeader();
    request.mode = static_cast<wire::Mode>(mode);
    client.Send(Encoded(request), {kAsked, port});
  }
  for (size_t size = 0; size < 48; ++size) {
    auto part = Encoded(RequestHeader());
    part.resize(size);
    client.Send(part, {kAsked, port});
  }
  for (const uint8_t second : {uint8_t{0x82}, uint8_t{0xc2}}) {  // a mode 6 answer, and an error
    const uint8_t control[12] = {0x26, second, 0, 1};
    client.Send(control, {kAsked, port});
  }
  h.Spin();
  assert_false(client.Receive().has_value());
}

void IgnoresForgedLoopbackAndItself(void**) {
  Harness h;
  // No packet info, and a listener whose address is not loopback: the source is forged.
  UniqueFd fd = test::BindTo(kClient);
  const SocketAddress real = test::LocalOf(fd.get());
  msg::NetSocket socket;
  socket.index = 5;
  socket.local = {IpAddress::V4(192, 0, 2, 1), 123};
  const UniqueFd copy(dup(fd.get()));
  h.server.AddListener(socket, std::move(fd));
  Stranger client(kClient);
  client.Send(Encoded(RequestHeader()), real);
  h.Spin();
  assert_false(client.Receive().has_value());
  assert_int_equal(h.node.packets.bad_format, 1);
  h.server.RemoveListener(5);

  // The same socket as what it is, and a request from its own address and port.
  socket.local = real;
  h.server.AddListener(socket, UniqueFd(dup(copy.get())));
  client.Send(Encoded(RequestHeader()), real);
  h.Spin();
  assert_true(client.Receive().has_value());
  assert_true(SendFrom(copy.get(), Encoded(RequestHeader()), real, IpAddress(), 0));
  h.Spin();
  assert_int_equal(h.node.packets.bad_format, 2);
}

// Fields of other protocols: no echo, and an answer no longer than without them.
void UnknownExtensionFieldsGetAPlainReply(void**) {
  Harness h;
  h.Synchronise();
  const uint16_t port = h.Listen();
  Stranger client(kClient);
  for (const int type : {0x0104, 0x0204, 0x0304, 0x2104, 0xbeef}) {
    std::vector<uint8_t> field(32, 0x5a);
    Writer writer(field);
    writer.U16(static_cast<uint16_t>(type)), writer.U16(32);
    client.Send(Encoded(RequestHeader(), field), {kAsked, port});
    h.Spin();
    const auto answer = client.Receive();
    assert_true(answer.has_value());
    assert_int_equal(answer->bytes.size(), wire::kHeaderSize);
    assert_true(answer->header().origin == RequestHeader().transmit);
  }
  assert_false(h.keys.far.Receive().has_value());
}

void NoqueryHidesControl(void**) {
  Harness h;
  const uint16_t port = h.Listen();
  Stranger client(kClient);
  const uint8_t read_status[12] = {0x26, 0x01, 0, 1};
  client.Send(read_status, {kAsked, port});
  h.Spin();
  const auto answer = client.Receive();
  assert_true(answer && answer->from == (SocketAddress{kAsked, port}));
  h.Restrict(Access::kNoQuery);
  client.Send(read_status, {kAsked, port});
  h.Spin();
  assert_false(client.Receive().has_value());
  client.Send(Encoded(RequestHeader()), {kAsked, port});
  h.Spin();
  assert_true(client.Receive().has_value());
}

// As ntpd 4.2.8 counts them, though mode 7 is not under the rules here: it is served to nobody.
void WhatIsNotServedOfModesSixAndSevenIsRestricted(void**) {
  Harness h;
  const uint16_t port = h.Listen();
  Stranger client(kClient);
  const uint8_t read_status[12] = {0x26, 0x01, 0, 1};
  const uint8_t mode_7[8] = {0x17, 0x00, 0x03, 0x2a};
  const auto send = [&](Bytes datagram) {
    client.Send(datagram, {kAsked, port});
    h.Spin();
  };
  send(read_status);
  assert_int_equal(h.node.packets.restricted, 0);
  send(mode_7);
  assert_int_equal(h.node.packets.restricted, 1);
  assert_true(h.control.counters().mode_7 == 1 && h.control.counters().received == 2);
  h.Restrict(Access::kNoQuery);
  send(read_status);
  send(mode_7);
  assert_int_equal(h.node.packets.restricted, 3);
  h.Restrict(Access::kIgnore);
  send(read_status);
  assert_int_equal(h.node.packets.restricted, 4);
  // Counted once, and by the rules alone.
  assert_int_equal(h.control.counters().received, 2);
}

void LimitedGetsOneKiss(void**) {
  Harness h;
  h.Restrict(Access::kLimited | Access::kKod);
  const uint16_t port = h.Listen();
  Stranger client(kClient);
  for (int i = 0; i < 20; ++i) client.Send(Encoded(RequestHeader()), {kAsked, port});
  h.Spin();
  int kisses = 0, replies = 0;
  while (const auto answer = client.Receive()) {
    const wire::Header header = answer->header();
    const bool kiss = header.refid == wire::RefidCode("RATE");
    ++(kiss ? kisses : replies);
    // A kiss never tells the time.
    if (kiss) assert_true(header.transmit == RequestHeader().transmit);
  }
  assert_int_equal(kisses, 1);
  assert_true(replies >= 1 && replies < 20);
  assert_int_equal(h.node.packets.kod_sent, 1);
  assert_int_equal(h.node.packets.limited, 20 - replies);
  assert_int_equal(h.node.packets.this_version, 20);
  assert_int_equal(h.node.packets.processed, 0);
}

// --- with a MAC
// -----------------------------------------------------------------------------------

msg::ServeDone Done(const msg::ServeBatch& asked, msg::ServeOutcome outcome) {
  msg::ServeDone done;
  done.request = asked.request;
  for (const msg::ServeJob& job : asked.jobs) {
    msg::ServeResult result;
    result.job = job.job;
    result.outcome = outcome;
    if (outcome == msg::ServeOutcome::kSealed) {
      result.transmit = NtpTimestamp::FromRaw(0x99);
      CHECK(result.mac.Assign(SomeMac(job.key)));
    }
    CHECK(done.results.Push(result));
  }
  return done;
}

struct Sealing : Harness {
  Sealing() : port(Listen()), client(kClient) {}
  void Ask(const wire::Header& request) {
    client.Send(Encoded(request, SomeMac(KeyId{11})), {kAsked, port});
    Spin();
  }
  void Answer(const msg::ServeDone& done) {
    CHECK(keys.far.Send(done) == SendOutcome::kSent);
    CHECK(node.keys.OnReadable());
  }
  uint16_t port;
  Stranger client;
};

void SendsExactlyWhatWasSealed(void**) {
  Sealing h;
  wire::Header request = RequestHeader();
  request.poll = 0;  // outside of what we poll at: repeated all the same
  h.Ask(request);
  const auto asked = Next<msg::ServeBatch>(&h.keys.far);
  assert_true(asked && asked->jobs.size() == 1);
  assert_true(asked->jobs[0].key == KeyId{11});
  assert_true(asked->jobs[0].path == (AddressPair{kClient, kAsked}));
  assert_int_equal(asked->reply.leap, 3);
  assert_false(h.client.Receive().has_value());
  // The system's state changes while ntpd-keys is at it: what it sealed is what counts.
  h.Synchronise();
  h.Answer(Done(*asked, msg::ServeOutcome::kSealed));
  const auto answer = h.client.Receive();
  assert_true(answer && answer->bytes.size() == 68);
  assert_true(answer->from == (SocketAddress{kAsked, h.port}));
  const wire::Header reply = answer->header();
  assert_true(reply.leap == wire::Leap::kAlarm);
  assert_int_equal(reply.stratum, asked->reply.stratum);
  assert_int_equal(reply.poll, 0);
  assert_int_equal(reply.root_dispersion.raw(), asked->reply.root_dispersion);
  assert_int_equal(reply.refid, asked->reply.refid);
  assert_true(reply.reference == asked->reply.reference);
  assert_true(reply.receive == asked->jobs[0].receive);
  assert_true(reply.transmit == NtpTimestamp::FromRaw(0x99));
}

void ABadMacGetsACryptoNak(void**) {
  Sealing h;
  h.Ask(RequestHeader());
  h.Answer(Done(*Next<msg::ServeBatch>(&h.keys.far), msg::ServeOutcome::kNak));
  const auto answer = h.client.Receive();
  assert_true(answer && answer->bytes.size() == 52);
  assert_true(wire::ParsePacket(answer->bytes)->crypto_nak);
  assert_true(answer->header().origin == RequestHeader().transmit);
  // Who must have a good MAC to be answered at all gets nothing.
  h.Restrict(Access::kNoTrust);
  h.Ask(RequestHeader());
  h.Answer(Done(*Next<msg::ServeBatch>(&h.keys.far), msg::ServeOutcome::kNak));
  assert_false(h.client.Receive().has_value());
}

void ARefusedOrLostJobGetsNothing(void**) {
  Sealing h;
  h.Ask(RequestHeader());
  h.Answer(Done(*Next<msg::ServeBatch>(&h.keys.far), msg::ServeOutcome::kRefused));
  h.Ask(RequestHeader());
  const auto lost = Next<msg::ServeBatch>(&h.keys.far);
  h.node.keys.OnRestarted();
  h.Answer(Done(*lost, msg::ServeOutcome::kSealed));
  assert_false(h.client.Receive().has_value());
}

void OneRequestGetsOneReplyWhateverKeysSays(void**) {
  Sealing h;
  h.Ask(RequestHeader());
  const auto asked = Next<msg::ServeBatch>(&h.keys.far);
  msg::ServeDone done = Done(*asked, msg::ServeOutcome::kSealed);
  for (const uint16_t job : std::initializer_list<uint16_t>{0, 0, 1, 65535}) {
    msg::ServeResult more = done.results[0];
    more.job = job;
    CHECK(done.results.Push(more));
  }
  h.Answer(done);
  assert_true(h.client.Receive().has_value());
  assert_false(h.client.Receive().has_value());
}

// A stranger who writes a client's address uses up what `limited` gives it.
void WhoHasAKeyIsServedInSpiteOfForgedRequests(void**) {
  Sealing h;
  h.Restrict(Access::kLimited | Access::kKod);
  for (int i = 0; i < 20; ++i) h.client.Send(Encoded(RequestHeader()), {kAsked, h.port});
  h.Spin();
  while (h.client.Receive()) {
  }
  h.Ask(RequestHeader());
  h.Answer(Done(*Next<msg::ServeBatch>(&h.keys.far), msg::ServeOutcome::kSealed));
  const auto answer = h.client.Receive();
  assert_true(answer && answer->bytes.size() == 68);
  // The next comes too soon, key or not, and nothing is said to it.
  h.Ask(RequestHeader());
  h.Answer(Done(*Next<msg::ServeBatch>(&h.keys.far), msg::ServeOutcome::kSealed));
  assert_false(h.client.Receive().has_value());
}

void AForgedMacBeyondTheLimitGetsNothing(void**) {
  Sealing h;
  h.Restrict(Access::kLimited | Access::kKod);
  for (int i = 0; i < 20; ++i) h.client.Send(Encoded(RequestHeader()), {kAsked, h.port});
  h.Spin();
  while (h.client.Receive()) {
  }
  const uint64_t limited = h.node.packets.limited;
  for (int i = 0; i < 10; ++i) {
    h.Ask(RequestHeader());
    h.Answer(Done(*Next<msg::ServeBatch>(&h.keys.far), msg::ServeOutcome::kNak));
  }
  assert_false(h.client.Receive().has_value());
  assert_int_equal(h.node.packets.limited, limited + 10);
}

// They come in several messages, are more than leave with one call, and were asked by two
// listeners.
void SealedRepliesOfOneWakeUpAllLeave(void**) {
  Sealing h;
  const uint16_t other = h.Listen(1);
  Stranger second(IpAddress::V4(127, 0, 0, 2));
  const auto client_of = [&](uint64_t i) -> Stranger& { return i % 2 == 0 ? second : h.client; };
  constexpr uint64_t kRequests = 2 * (2 * SendBatch::kSize + 1);
  for (uint64_t i = 1; i <= kRequests; ++i) {
    wire::Header request = RequestHeader();
    request.transmit = NtpTimestamp::FromRaw(i);
    const auto packet = Encoded(request, SomeMac(KeyId{static_cast<uint32_t>(i)}));
    client_of(i).Send(packet, {kAsked, i % 3 == 0 ? other : h.port});
    if (i % 5 == 0) h.Spin();
  }
  h.Spin();
  int messages = 0;
  while (const auto asked = Next<msg::ServeBatch>(&h.keys.far)) {
    CHECK(h.keys.far.Send(Done(*asked, msg::ServeOutcome::kSealed)) == SendOutcome::kSent);
    ++messages;
  }
  assert_true(messages > 2);
  const uint64_t before = h.node.io.datagrams.sent;
  assert_true(h.node.keys.OnReadable());
  assert_int_equal(h.node.io.datagrams.sent - before, kRequests);
  std::vector<bool> answered(kRequests + 1);
  for (Stranger* const client : {&h.client, &second}) {
    while (const auto answer = client->Receive()) {
      const uint64_t i = answer->header().origin.raw();
      assert_true(i >= 1 && i <= kRequests && !answered[i]);
      assert_ptr_equal(client, &client_of(i));
      answered[i] = true;
      assert_int_equal(wire::ParsePacket(answer->bytes)->mac->key.value, i);
      assert_int_equal(answer->from.port, i % 3 == 0 ? other : h.port);
    }
  }
  assert_true(std::count(answered.begin(), answered.end(), true) == kRequests);
}

// From ntpd-keys' stamp to the call, whatever it was told to add.
void HowLongASealedReplyWaitsIsMeasured(void**) {
  Sealing h;
  for (int i = 0; i < 20; ++i) {
    h.Ask(RequestHeader());
    const auto asked = Next<msg::ServeBatch>(&h.keys.far);
    msg::ServeDone done = Done(*asked, msg::ServeOutcome::kSealed);
    done.results[0].transmit =
        h.node.time.Now() + NtpDuration::FromSeconds(-0.003) + asked->reply.wire_delay;
    h.Answer(done);
  }
  const double waits = h.node.sealed.Value().seconds();
  assert_true(waits >= 0.003 && waits < DelayEstimate::kMost);
}

void ALateAnswerDoesNotNeedItsListener(void**) {
  Sealing h;
  h.Ask(RequestHeader());
  const auto asked = Next<msg::ServeBatch>(&h.keys.far);
  h.server.RemoveListener(0);
  h.Answer(Done(*asked, msg::ServeOutcome::kSealed));
  assert_false(h.client.Receive().has_value());
}

void MacsThatKeysDoesNotAnswerAreBounded(void**) {
  Sealing h;
  for (int i = 0; i < 300; ++i) h.Ask(RequestHeader());
  assert_true(h.node.keys.pending() <= KeysClient::kMostForClients);
  // Plain clients are served all the same.
  h.client.Send(Encoded(RequestHeader()), {kAsked, h.port});
  h.Spin();
  assert_true(h.client.Receive().has_value());
}

void AutokeysRefusalObeysTheRules(void**) {
  Harness h;
  const uint16_t port = h.Listen();
  Stranger client(kClient);
  std::vector<uint8_t> trailer(16 + 20, 0);
  Writer writer(trailer);
  writer.U16(0x0201);  // ASSOC
  writer.U16(16);
  Writer mac(MutableBytes(trailer).subspan(16));
  mac.U32(0x12345678);
  const auto ask = [&] {
    client.Send(Encoded(RequestHeader(), trailer), {kAsked, port});
    h.Spin();
    return client.Receive();
  };
  // Autokey is off here: the client should know.
  const auto nak = ask();
  assert_true(nak && wire::ParsePacket(nak->bytes)->crypto_nak);
  h.Restrict(Access::kNoServe);
  assert_false(ask().has_value());
  // It is on, and ntpd-keys has not told who we are yet: a crypto-NAK would cost the client its
  // dance.
  h.Restrict(core::AccessFlags());
  h.node.start.crypto_enabled = true;
  assert_false(ask().has_value());
}

// --- Autokey
// --------------------------------------------------------------------------------------

// A host that has a key and this certificate: one that a reference host made for tests.
msg::HostMaterial Material() {
  std::FILE* file = std::fopen("tests/autokey/data/426_cert_client", "r");
  CHECK(file != nullptr);
  X509* certificate = PEM_read_X509(file, nullptr, nullptr, nullptr);
  CHECK(std::fclose(file) == 0 && certificate != nullptr);
  msg::HostMaterial material;
  material.crypto_enabled = true;
  CHECK(material.subject.Assign(AsBytes("client")) && material.digest_name.Assign(AsBytes("md5")));
  material.status_word = 0x80001;
  material.host_key_filestamp = material.certificate_filestamp = NtpSeconds{4004293698};
  uint8_t* der = nullptr;
  int size = i2d_X509(certificate, &der);
  CHECK(size > 0 && material.certificate.Assign(Bytes(der, static_cast<size_t>(size))));
  OPENSSL_free(der);
  der = nullptr;
  size = i2d_PublicKey(X509_get0_pubkey(certificate), &der);
  CHECK(size > 0 && material.host_public_key.Assign(Bytes(der, static_cast<size_t>(size))));
  OPENSSL_free(der);
  X509_free(certificate);
  return material;
}

struct AutokeyHost : Harness {
  AutokeyHost() : port(Listen()), client(kClient) {
    CHECK(node.host.SetMaterial(Material()).ok());
    node.has_material = node.start.crypto_enabled = true;
  }
  // An ASSOC request; `spoil` turns a bit of its MAC, `type` makes it another one.
  std::optional<Stranger::Got> Ask(bool spoil, uint16_t type = 0x0201) {
    std::vector<uint8_t> field(32);
    Writer writer(field);
    writer.U16(type), writer.U16(32);
    writer.U32(0), writer.U32(0), writer.U32(0x80001);
    writer.U32(6), writer.Put(AsBytes("visitr"));
    std::vector<uint8_t> packet = Encoded(RequestHeader(), field);
    auto digest = node.PublicMac({kClient, kAsked}, kKey, packet);
    if (spoil) digest.span()[5] ^= 1;
    std::vector<uint8_t> mac(4 + digest.size());
    Writer mac_writer(mac);
    wire::EncodeMac(mac_writer, {kKey, digest.span()});
    packet.insert(packet.end(), mac.begin(), mac.end());
    client.Send(packet, {kAsked, port});
    Spin();
    return client.Receive();
  }
  static constexpr KeyId kKey{0x12345678};
  uint16_t port;
  Stranger client;
};

void AutokeyFieldsAreAnsweredUnderThePublicMac(void**) {
  AutokeyHost h;
  const auto answer = h.Ask(false);
  assert_true(answer && answer->from == (SocketAddress{kAsked, h.port}));
  const auto packet = wire::ParsePacket(answer->bytes);
  assert_true(packet.ok() && packet->field_count == 1 && packet->mac.has_value());
  assert_int_equal(packet->fields[0].type, 0x8201);
  assert_true(packet->header.origin == RequestHeader().transmit);
  assert_true(packet->mac->key == AutokeyHost::kKey);
  const auto digest = h.node.PublicMac({kAsked, kClient}, AutokeyHost::kKey, packet->covered);
  assert_int_equal(packet->mac->digest.size(), digest.size());
  assert_memory_equal(packet->mac->digest.data(), digest.span().data(), digest.size());
}

void AnAutokeyFieldWithABadMacGetsACryptoNak(void**) {
  AutokeyHost h;
  const auto answer = h.Ask(true);
  assert_true(answer && answer->bytes.size() == 52);
  assert_true(wire::ParsePacket(answer->bytes)->crypto_nak);
  assert_int_equal(h.node.packets.bad_auth, 1);
}

void VersionOneIsToldAndCounted(void**) {
  AutokeyHost h;
  const auto answer = h.Ask(false, 0x0101);
  assert_true(answer.has_value());
  const auto packet = wire::ParsePacket(answer->bytes);
  assert_true(packet.ok() && packet->field_count == 1 && packet->mac.has_value());
  assert_int_equal(packet->fields[0].type, 0xc101);
  assert_int_equal(packet->fields[0].field.size(), 8);
  assert_int_equal(h.node.packets.autokey_version_1, 1);
  // Answers and errors of that version are answered by nobody, nor are versions that are none.
  constexpr uint16_t kOthers[] = {0x8101, 0x4101, 0xc101, 0x0001, 0x0301};
  for (const uint16_t type : kOthers) assert_false(h.Ask(false, type).has_value());
  assert_true(h.Ask(true, 0x0101)->bytes.size() == 52);  // a bad MAC
  assert_int_equal(h.node.packets.autokey_version_1, 1);
  h.Restrict(Access::kNoServe);
  assert_false(h.Ask(false, 0x0101).has_value());
  assert_int_equal(h.node.packets.autokey_version_1, 1);
}

void LateControlAnswersLookTheirListenerUp(void**) {
  Harness h;
  const uint16_t port = h.Listen(3);
  Stranger client(kClient);
  std::vector<uint8_t> request = {0x26, 0x01, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  const auto trailer = SomeMac(KeyId{9});
  request.insert(request.end(), trailer.begin(), trailer.end());
  client.Send(request, {kAsked, port});
  h.Spin();
  const auto check = Next<msg::CheckMac>(&h.keys.far);
  assert_true(check && check->key == KeyId{9});
  h.server.RemoveListener(3);
  // Somebody else's descriptor has the number now.
  const Stranger other(kClient);
  (void)h.keys.far.Send(
      msg::Verdict{.request = check->request, .code = msg::VerdictCode::kUnknownKey});
  assert_true(h.node.keys.OnReadable());
  assert_false(client.Receive().has_value());
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AnswersAPlainRequestFromTheAskedAddress),
      cmocka_unit_test(AnswersEachRequestOfManyBatchesOnce),
      cmocka_unit_test(SaysThatItIsNotSynchronised),
      cmocka_unit_test(NeverAnswersAnswersOrNonsense),
      cmocka_unit_test(IgnoresForgedLoopbackAndItself),
      cmocka_unit_test(UnknownExtensionFieldsGetAPlainReply),
      cmocka_unit_test(NoqueryHidesControl),
      cmocka_unit_test(WhatIsNotServedOfModesSixAndSevenIsRestricted),
      cmocka_unit_test(LimitedGetsOneKiss),
      cmocka_unit_test(SendsExactlyWhatWasSealed),
      cmocka_unit_test(ABadMacGetsACryptoNak),
      cmocka_unit_test(ARefusedOrLostJobGetsNothing),
      cmocka_unit_test(OneRequestGetsOneReplyWhateverKeysSays),
      cmocka_unit_test(WhoHasAKeyIsServedInSpiteOfForgedRequests),
      cmocka_unit_test(AForgedMacBeyondTheLimitGetsNothing),
      cmocka_unit_test(SealedRepliesOfOneWakeUpAllLeave),
      cmocka_unit_test(HowLongASealedReplyWaitsIsMeasured),
      cmocka_unit_test(ALateAnswerDoesNotNeedItsListener),
      cmocka_unit_test(MacsThatKeysDoesNotAnswerAreBounded),
      cmocka_unit_test(AutokeysRefusalObeysTheRules),
      cmocka_unit_test(AutokeyFieldsAreAnsweredUnderThePublicMac),
      cmocka_unit_test(AnAutokeyFieldWithABadMacGetsACryptoNak),
      cmocka_unit_test(VersionOneIsToldAndCounted),
      cmocka_unit_test(LateControlAnswersLookTheirListenerUp),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
