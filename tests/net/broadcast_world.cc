#include "tests/net/broadcast_world.h"

namespace ntpward::test {

using autokey::test::kTestNow;
using autokey::test::Party;
using autokey::test::TestKey;
using wire::AutokeyCode;

keys::SessionKeyHasher NewHasher() {
  auto hasher = keys::SessionKeyHasher::Create();
  CHECK(hasher.ok());
  return std::move(hasher).value();
}

BroadcastWorld::BroadcastWorld() {
  h.Attach(&peering);
  h.node.start.broadcast_client = true;
  client.AddGroup("server");
  server.Sign(kTestNow);
  h.SetHost(client.material);
  for (const Stranger* one : {&socket, &other}) Enable(one->fd.get(), SOL_SOCKET, SO_BROADCAST);
  h.upstreams.Configure({});
}

core::PeerSnapshot BroadcastWorld::Snapshot() const {
  core::PeerSnapshot snapshot = Lasting(h.Snapshot());
  snapshot.status = {};
  snapshot.dispersion = 0;
  for (core::FilterStage& stage : snapshot.filter) stage.dispersion = 0;
  return snapshot;
}

std::vector<uint8_t> BroadcastWorld::Announcement(uint32_t timestamp, KeyId key,
                                                  uint32_t number) const {
  std::array<uint8_t, 8> value;
  Writer writer(value);
  writer.U32(key.value), writer.U32(number);
  wire::AutokeyField field;
  field.head = {true, false, static_cast<uint8_t>(AutokeyCode::kAutokey), announcer};
  field.has_value = true;
  field.timestamp = NtpSeconds{timestamp};
  field.filestamp = NtpSeconds{kTestNow - 200};
  field.value = value;
  return server.SignField(field);
}

void BroadcastWorld::Send(Bytes packet, const IpAddress& to) {
  socket.Send(packet, {to, port});
  h.Spin();
  ServeKeys();
}

bool BroadcastWorld::Genuine() {
  const auto before = h.node.packets.processed;
  const auto key = list.Take();
  CHECK(key.has_value());
  last = Packet(Broadcast(), Name(), *key);
  Send(last);
  return h.node.packets.processed == before + 1;
}

void BroadcastWorld::Follow() {
  Send(Packet(Broadcast(), Name(), KeyId{0x5fe916ea}));
  for (int i = 0; i < 40 && !listens(); ++i) Volley();
  CHECK(upstream().announced->accepted() && upstream().dance->proven());
}

void BroadcastWorld::Volley() {
  h.upstreams.Poll(upstream().id);
  ServeKeys();
  AnswerOne();
}

void BroadcastWorld::AnswerOne() {
  const auto request = socket.Receive();
  if (!request) return;
  const auto packet = *wire::ParsePacket(request->bytes);
  wire::Header reply = ReplyTo(request->header());
  if (packet.extensions().empty()) {
    socket.Send(Encoded(reply, SomeMac(packet.mac->key)), request->from);
  } else {
    socket.Send(h.WithPublicMac({kServer, request->from.ip}, packet.mac->key,
                                Encoded(reply, Answer(packet, request->from.ip))),
                request->from);
  }
  h.Spin();
  ServeKeys();
}

void BroadcastWorld::Pass(double seconds) {
  passed = passed.value_or(net::Timebase::Mono()) + seconds;
  h.upstreams.Maintain(*passed);
}

std::vector<uint8_t> BroadcastWorld::Answer(const wire::Packet& request, const IpAddress& from) {
  const Bytes field = request.extensions()[0].field;
  if (field[1] == static_cast<uint8_t>(AutokeyCode::kAutokey)) {
    asked_as = wire::ParseAutokeyFieldHead(field)->association;
    if (asked_as == announcer) return Announcement(++now, list.announced(), list.sequence());
    std::vector<uint8_t> cannot(field.begin(), field.end());
    cannot[0] |= 0xc0;
    return cannot;
  }
  return ServersAnswer(&server, field, {from, kServer}, ++now);
}

void BroadcastWorld::RenewKeys() {
  Party renewed("server", TestKey::Shared(2), true, autokey::kIff);
  renewed.Sign(kTestNow + 100);
  now = kTestNow + 1000;
  server.key = renewed.key;
  server.material = renewed.material;
  server.host = renewed.host;
  server.certificates = renewed.certificates;
}

void BroadcastWorld::RestartServer() {
  announcer += 0x333;
  list = NewList(hasher);
  ForgetQuestions();
}

int BroadcastWorld::AskedFor(AutokeyCode code) {
  int count = 0;
  while (const auto request = socket.Receive()) {
    const auto packet = *wire::ParsePacket(request->bytes);
    const auto fields = packet.extensions();
    count += !fields.empty() && fields[0].field[1] == static_cast<uint8_t>(code) ? 1 : 0;
  }
  return count;
}

void BroadcastWorld::RestartKeys() {
  h.node.keys.OnRestarted();
  h.upstreams.OnKeysRestarted();
  ServeKeys();
}

void BroadcastWorld::ServeOne(Bytes bytes) {
  msg::SealRequest seal;
  msg::CheckMac check;
  msg::KeyListAccept accept;
  if (ServeDance(&h, client, bytes)) return;
  if (msg::Decode(bytes, &seal)) {
    msg::Sealed sealed;
    sealed.request = seal.request;
    CHECK(sealed.mac.Assign(SomeMac(seal.key)));
    h.SayAsKeys(sealed);
  } else if (msg::Decode(bytes, &accept)) {
    if (!sequence || !sequence->IsFor(accept.key, accept.sequence))
      sequence.emplace(accept.key, accept.sequence);
    h.SayAsKeys(msg::Verdict{.request = accept.request, .code = msg::VerdictCode::kGood});
  } else if (msg::Decode(bytes, &check)) {
    h.SayAsKeys(msg::Verdict{.request = check.request, .code = Judge(check)});
  }
}

msg::VerdictCode BroadcastWorld::Judge(const msg::CheckMac& check) {
  ++checks;
  if (wire::PeekMode(check.covered.span()) != wire::Mode::kBroadcast)
    return msg::VerdictCode::kGood;
  const auto digest = h.node.PublicMac(check.path, check.key, check.covered.span());
  if (!EqualConstantTime(digest.span(), check.digest.span())) return msg::VerdictCode::kBad;
  return sequence && sequence->Accept(check.key, hasher, check.path, 0)
             ? msg::VerdictCode::kGood
             : msg::VerdictCode::kSequence;
}

}  // namespace ntpward::test
