// A broadcast server under Autokey and its forgers: real sockets on loopback, the test as the
// server and as ntpd-keys, whose key lists are the real ones.
#include <tuple>

#include "keys/key_list.h"
#include "ntpd/net/peering.h"
#include "tests/net/dance_keys.h"
#include "tests/net/harness.h"

namespace ntpward::net {
namespace {

using autokey::test::kTestNow;
using autokey::test::Party;
using autokey::test::TestKey;
using test::Encoded;
using test::Harness;
using test::SomeMac;
using test::Stranger;
using wire::AutokeyCode;

const IpAddress kServer = IpAddress::V4(127, 0, 0, 2);
const IpAddress kOther = IpAddress::V4(127, 0, 0, 3);
const IpAddress kEverybody = IpAddress::V4(127, 255, 255, 255);
constexpr uint32_t kAnnouncer = 0x4711;

keys::SessionKeyHasher NewHasher() {
  auto hasher = keys::SessionKeyHasher::Create();
  CHECK(hasher.ok());
  return std::move(hasher).value();
}

wire::Header Broadcast() { return test::PacketOf(wire::Mode::kBroadcast); }

struct World {
  World() {
    h.Attach(&peering);
    h.node.start.broadcast_client = true;
    client.AddGroup("server");
    server.Sign(kTestNow);
    h.SetHost(client.material);
    for (const Stranger* one : {&socket, &other})
      test::Enable(one->fd.get(), SOL_SOCKET, SO_BROADCAST);
    h.upstreams.Configure({});
  }

  const Upstream& upstream() const { return *h.upstreams.Find(h.Only()); }
  core::PeerSnapshot Snapshot() const {
    core::PeerSnapshot snapshot = test::Lasting(h.Snapshot());
    snapshot.status = {};
    snapshot.dispersion = 0;
    for (core::FilterStage& stage : snapshot.filter) stage.dispersion = 0;
    return snapshot;
  }
  bool listens() const {
    return h.node.engine->Find(upstream().id)->hmode() == core::HostMode::kBroadcastClient;
  }
  // All that a forger would like to change.
  auto State() const {
    const Upstream& one = upstream();
    return std::make_tuple(one.dance->flags(), one.dance->proven(), one.announced->accepted(),
                           one.announced->key(), one.announced->sequence(),
                           one.announced->timestamp().value, Snapshot());
  }

  // AUTO: the end of a list.
  std::vector<uint8_t> Announcement(uint32_t timestamp, KeyId key, uint32_t number) const {
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
  std::vector<uint8_t> Name() const { return NameAs(announcer); }
  std::vector<uint8_t> NameAs(uint32_t id) const {
    return autokey::AssociationResponse(server.host, id);
  }
  // A broadcast with `field`, if any, and a MAC by `key` such as anyone can make.
  std::vector<uint8_t> Packet(const wire::Header& header, Bytes field, KeyId key) {
    return h.WithPublicMac({kServer, kEverybody}, key, Encoded(header, field));
  }
  void Send(Bytes packet, const IpAddress& to = kEverybody) {
    socket.Send(packet, {to, port});
    h.Spin();
    ServeKeys();
  }
  // The server's next broadcast; true when it was taken for time.
  bool Genuine() {
    const auto before = h.node.packets.processed;
    const auto key = list.Take();
    CHECK(key.has_value());
    last = Packet(Broadcast(), Name(), *key);
    Send(last);
    return h.node.packets.processed == before + 1;
  }

  // From its first broadcast until it is listened to.
  void Follow() {
    Send(Packet(Broadcast(), Name(), KeyId{0x5fe916ea}));
    for (int i = 0; i < 40 && !listens(); ++i) Volley();
    CHECK(upstream().announced->accepted() && upstream().dance->proven());
  }
  // A poll of ours, and the server's answer.
  void Volley() {
    h.upstreams.Poll(upstream().id);
    ServeKeys();
    AnswerOne();
  }
  void AnswerOne() {
    const auto request = socket.Receive();
    if (!request) return;
    const auto packet = *wire::ParsePacket(request->bytes);
    wire::Header reply = test::ReplyTo(request->header());
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
  std::vector<uint8_t> Answer(const wire::Packet& request, const IpAddress& from) {
    const Bytes field = request.extensions()[0].field;
    if (field[1] == static_cast<uint8_t>(AutokeyCode::kAutokey)) {
      asked_as = wire::ParseAutokeyFieldHead(field)->association;
      if (asked_as == announcer) return Announcement(++now, list.announced(), list.sequence());
      std::vector<uint8_t> cannot(field.begin(), field.end());
      cannot[0] |= 0xc0;
      return cannot;
    }
    return test::ServersAnswer(&server, field, {from, kServer}, ++now);
  }

  // The server has another host key and certificate.
  void RenewKeys() {
    Party renewed("server", TestKey::Shared(2), true, autokey::kIff);
    renewed.Sign(kTestNow + 100);
    now = kTestNow + 1000;
    server.key = renewed.key;
    server.material = renewed.material;
    server.host = renewed.host;
    server.certificates = renewed.certificates;
  }
  static keys::KeyList NewList(keys::SessionKeyHasher& hasher) {
    return keys::KeyList::Make(hasher, {kServer, kEverybody}, 0, 50);
  }
  // It was started anew: other identifiers, another list.
  void RestartServer() {
    announcer += 0x333;
    list = NewList(hasher);
    while (socket.Receive()) {
    }
  }
  // A broadcast in the server's name by who cannot hear it.
  void Forge(uint32_t id) { Send(Packet(Broadcast(), NameAs(id), KeyId{0x5fe916ea})); }
  // Questions of this kind that came to the server and have no answer.
  int AskedFor(AutokeyCode code) {
    int count = 0;
    while (const auto request = socket.Receive()) {
      const auto packet = *wire::ParsePacket(request->bytes);
      const auto fields = packet.extensions();
      count += !fields.empty() && fields[0].field[1] == static_cast<uint8_t>(code) ? 1 : 0;
    }
    return count;
  }

  // ntpd-keys answers all that it was asked.
  void ServeKeys() {
    h.ServeKeys([this](Bytes message) { ServeOne(message); });
  }
  void ServeOne(Bytes bytes) {
    msg::SealRequest seal;
    msg::CheckMac check;
    msg::KeyListAccept accept;
    if (test::ServeDance(&h, client, bytes)) return;
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
  // As keys/mac_operations.cc: the MAC, then the list.
  msg::VerdictCode Judge(const msg::CheckMac& check) {
    ++checks;
    if (wire::PeekMode(check.covered.span()) != wire::Mode::kBroadcast)
      return msg::VerdictCode::kGood;
    const auto digest = h.node.PublicMac(check.path, check.key, check.covered.span());
    if (!EqualConstantTime(digest.span(), check.digest.span())) return msg::VerdictCode::kBad;
    return sequence && sequence->Accept(check.key, hasher, check.path, 0)
               ? msg::VerdictCode::kGood
               : msg::VerdictCode::kSequence;
  }

  Harness h;
  int changes = 0;
  Peering peering{&h.node, &h.upstreams, [this] { ++changes; }};
  uint16_t port = h.Listen();
  Stranger socket{kServer};
  Stranger other{kOther};
  Party server{"server", TestKey::Shared(0), true, autokey::kIff};
  Party client{"client", TestKey::Shared(1), false};
  keys::SessionKeyHasher hasher = NewHasher();
  keys::KeyList list = keys::KeyList::Make(hasher, {kServer, kEverybody}, 0, 50);
  std::optional<keys::KeySequence> sequence;  // what ntpd-keys accepted
  uint32_t now = kTestNow;
  uint32_t announcer = kAnnouncer;
  uint32_t asked_as = 0;  // the identifier that its list was asked for by last
  int checks = 0;
  std::vector<uint8_t> last;  // the server's last broadcast
};

void AServerThatProvedItselfIsListenedTo(void**) {
  World world;
  world.Follow();
  for (int i = 0; i < 5; ++i) assert_true(world.Genuine());
  // A list that goes on with some lost.
  for (int i = 0; i < 3; ++i) (void)world.list.Take();
  assert_true(world.Genuine());
}

// The announcement of a new list was lost. The server is asked, and tells it again.
void AMissedListIsAskedFor(void**) {
  World world;
  world.Follow();
  assert_true(world.Genuine());
  const auto view = [&] { return world.h.view.Peer(world.upstream().id)->autokey; };
  assert_int_equal(view()->key_list->key.value, world.list.announced().value);
  assert_int_equal(view()->key_list->sequence, world.list.sequence());
  while (world.socket.Receive()) {
  }
  world.list = keys::KeyList::Make(world.hasher, {kServer, kEverybody}, 0, 50);
  assert_false(world.Genuine());
  const auto asked = world.socket.Receive();
  assert_true(asked.has_value());
  const auto packet = *wire::ParsePacket(asked->bytes);
  assert_true(packet.header.mode == wire::Mode::kClient);
  assert_int_equal(packet.extensions()[0].field[1], static_cast<int>(AutokeyCode::kAutokey));
  const auto answer = [&](const wire::Header& header) {
    const auto list =
        world.Announcement(++world.now, world.list.announced(), world.list.sequence());
    world.socket.Send(
        world.h.WithPublicMac({kServer, asked->from.ip}, packet.mac->key, Encoded(header, list)),
        asked->from);
    world.h.Spin();
    world.ServeKeys();
  };
  // Not the answer to our question: nothing is taken of it.
  wire::Header reply = test::ReplyTo(packet.header);
  reply.origin = NtpTimestamp::FromRaw(reply.origin.raw() ^ 1);
  answer(reply);
  assert_false(world.Genuine());
  // And nothing more was asked because of that, as anybody could make us ask.
  assert_false(world.socket.Receive().has_value());
  answer(test::ReplyTo(packet.header));
  for (int i = 0; i < 3; ++i) assert_true(world.Genuine());
  assert_int_equal(view()->key_list->key.value, world.list.announced().value);
  assert_true(world.listens());
}

// Ours was reloaded, or died. The list goes on where it was, and none of its keys is good twice.
void ANewKeyProcessCostsNoBroadcast(void**) {
  World world;
  world.Follow();
  for (int i = 0; i < 3; ++i) assert_true(world.Genuine());
  const KeyId used = world.list.taken();
  const auto told = world.Announcement(world.upstream().announced->timestamp().value,
                                       world.list.announced(), world.list.sequence());
  world.sequence.reset();
  world.h.node.keys.OnRestarted();
  world.h.upstreams.OnKeysRestarted();
  world.ServeKeys();
  const auto is_taken = [&](Bytes packet) {
    const auto before = world.h.node.packets.processed;
    world.Send(packet);
    return world.h.node.packets.processed != before;
  };
  assert_false(is_taken(world.Packet(Broadcast(), world.Name(), used)));
  // Not even with the announcement, heard again.
  assert_false(is_taken(world.Packet(Broadcast(), told, used)));
  assert_true(world.Genuine());
  const MonoTime now = Timebase::Mono();
  for (double after = 0; after < 1000; after += 50) world.h.upstreams.Maintain(now + after);
  assert_true(world.listens());
  assert_true(world.Genuine());
}

// The server's new key signs its lists: it proves itself anew beside, and the association stays.
void AServerWithANewKeyIsProvedAnewAndListenedTo(void**) {
  World world;
  world.Follow();
  assert_true(world.Genuine());
  const AssocId id = world.upstream().id;
  const uint64_t sent = world.Snapshot().counters.sent;
  while (world.socket.Receive()) {
  }
  world.RenewKeys();
  world.list = keys::KeyList::Make(world.hasher, {kServer, kEverybody}, 0, 50);
  MonoTime now = Timebase::Mono();
  assert_false(world.Genuine());
  int seconds = 0;
  for (bool good = false; !good; ++seconds) {
    assert_true(seconds < 30);
    world.AnswerOne();
    assert_true(world.listens());
    world.h.upstreams.Maintain(now = now + 1);
    world.ServeKeys();
    if (seconds % 8 == 7) good = world.Genuine();
  }
  assert_int_equal(world.upstream().id.value, id.value);
  assert_int_equal(world.Snapshot().counters.sent, sent);
  for (int i = 0; i < 3; ++i) assert_true(world.Genuine());
  assert_true(world.upstream().dance->trail().server()->key == world.server.key->public_key());
  // Once is enough.
  for (int i = 0; i < 300; ++i) world.h.upstreams.Maintain(now = now + 1);
  assert_false(world.socket.Receive().has_value());
}

// At a reload the server goes on with its list and tells it again under the new key's signature:
// that is proved beside, and no broadcast is lost.
void ANewKeyUnderTheSameListCostsNoBroadcast(void**) {
  World world;
  world.Follow();
  assert_true(world.Genuine());
  while (world.socket.Receive()) {
  }
  world.RenewKeys();
  // Whoever is off the path has no key of the list: nobody is asked because of him.
  const auto told = world.Announcement(++world.now, world.list.announced(), world.list.sequence());
  world.Send(world.Packet(Broadcast(), told, world.list.taken()));
  assert_int_equal(world.AskedFor(AutokeyCode::kAutokey), 1);
  MonoTime now = Timebase::Mono();
  for (int i = 0; i < 60; ++i) world.h.upstreams.Maintain(now = now + 1);
  assert_false(world.upstream().dance->renewing());
  world.Send(world.Packet(Broadcast(), told, *world.list.Take()));
  bool proved = false;
  for (int seconds = 0; seconds < 40; ++seconds) {
    world.AnswerOne();
    world.h.upstreams.Maintain(now = now + 1);
    world.ServeKeys();
    proved = world.upstream().dance->trail().server()->key == world.server.key->public_key();
    assert_true(world.Genuine());
  }
  assert_true(proved);
  assert_true(world.listens());
  assert_true(world.Genuine());
}

// Its identifiers are others then, and even the packet that announces its list is lost on us: the
// server says that it has no list under the old one, and is asked by the one that it names now.
void AServerThatWasStartedAnewIsFollowed(void**) {
  World world;
  world.Follow();
  assert_true(world.Genuine());
  const AssocId id = world.upstream().id;
  MonoTime now = Timebase::Mono();
  // And again, soon after.
  for (int restart = 0; restart < 2; ++restart) {
    world.RestartServer();
    assert_false(world.Genuine());
    for (int second = 0; second < 4; ++second) {
      world.AnswerOne();
      world.h.upstreams.Maintain(now = now + 1);
      world.ServeKeys();
    }
    for (int i = 0; i < 3; ++i) assert_true(world.Genuine());
  }
  assert_int_equal(world.upstream().id.value, id.value);
  assert_true(world.listens());
}

// The server has lists under its own alone.
void MadeUpIdentifiersChangeNothing(void**) {
  World world;
  world.Follow();
  while (world.socket.Receive()) {
  }
  for (uint32_t i = 0; i < 20; ++i) world.Forge(0x6000 + i);
  world.AnswerOne();
  assert_int_equal(world.asked_as, kAnnouncer);
  assert_true(world.Genuine());
  MonoTime now = Timebase::Mono();
  for (int i = 0; i < 300; ++i) world.h.upstreams.Maintain(now = now + 1);
  assert_false(world.socket.Receive().has_value());
}

// They put the new one off when it was started anew, by a few questions.
void MadeUpIdentifiersDoNotHideANewOne(void**) {
  World world;
  world.Follow();
  world.RestartServer();
  MonoTime now = Timebase::Mono();
  int seconds = 0, asked = 0;
  for (bool good = false; !good; ++seconds) {
    assert_true(seconds < 5000);
    world.Forge(0x6000 + static_cast<uint32_t>(seconds));
    if (world.list.left() == 0) world.list = World::NewList(world.hasher);
    if (seconds % 8 == 0) good = world.Genuine();
    world.asked_as = 0;
    world.AnswerOne();
    asked += world.asked_as != 0 ? 1 : 0;
    world.h.upstreams.Maintain(now = now + 1);
    world.ServeKeys();
  }
  assert_true(asked <= 4 + seconds / 8);
}

// The packet that made the association was forged, or the server was started anew during our
// volley.
void TheIdentifierIsLearnedDuringTheVolley(void**) {
  World world;
  world.Forge(0x0815);
  for (int i = 0; i < 40 && !world.listens(); ++i) {
    if (i == 2) world.Send(world.Packet(Broadcast(), world.Name(), *world.list.Take()));
    world.Volley();
  }
  assert_true(world.upstream().announced->accepted());
  assert_true(world.Genuine());
}

// The server has a list for each address that it broadcasts to, and we hear both.
void TheOtherListOfAServerIsNoneOfOurs(void**) {
  World world;
  const IpAddress group = IpAddress::V4(224, 0, 1, 1);
  CHECK(world.h.node.start.multicast_groups.Push(group));
  world.Follow();
  while (world.socket.Receive()) {
  }
  const auto before = world.h.node.packets;
  const int checks = world.checks;
  keys::KeyList list = keys::KeyList::Make(world.hasher, {kServer, group}, 0, 50);
  for (int i = 0; i < 5; ++i) {
    const auto packet = world.h.WithPublicMac({kServer, group}, *list.Take(),
                                              Encoded(Broadcast(), world.NameAs(kAnnouncer + 1)));
    net::Datagram datagram;
    datagram.bytes = packet;
    datagram.source = world.socket.address();
    datagram.destination = group;
    assert_true(world.peering.Take(datagram, *wire::ParsePacket(packet), SystemTimeNow()));
    world.ServeKeys();
  }
  assert_int_equal(world.checks, checks);
  assert_int_equal(world.h.node.packets.bad_auth, before.bad_auth);
  assert_int_equal(world.AskedFor(AutokeyCode::kAutokey), 0);
  assert_true(world.Genuine());
}

// Our ntpd-keys died: the cookie is asked for beside, and seldom.
void ALostCookieIsAskedForBeside(void**) {
  World world;
  world.Follow();
  world.h.node.keys.OnRestarted();
  world.h.upstreams.OnKeysRestarted();
  world.ServeKeys();
  while (world.socket.Receive()) {
  }
  assert_false(world.upstream().dance->has_cookie());
  MonoTime now = Timebase::Mono();
  for (int i = 0; i < 60; ++i) world.h.upstreams.Maintain(now = now + 1);
  world.AnswerOne();
  assert_true(world.upstream().dance->has_cookie());
  for (int i = 0; i < 300; ++i) world.h.upstreams.Maintain(now = now + 1);
  // One question was all.
  assert_false(world.socket.Receive().has_value());
  assert_true(world.Genuine());
}

// Only who answers us can have us ask: a forged list has a signature that does not fit, too.
void AForgedListBeginsNoRenewal(void**) {
  World world;
  world.Follow();
  while (world.socket.Receive()) {
  }
  auto forged = world.Announcement(world.now + 60, KeyId{0x70000001}, 3);
  forged.back() ^= 1;
  MonoTime now = Timebase::Mono();
  for (int i = 0; i < 20; ++i) {
    world.Send(world.Packet(Broadcast(), forged, KeyId{0x5fe916ea}));
    world.h.upstreams.Maintain(now = now + 4);
    world.ServeKeys();
    assert_false(world.upstream().dance->renewing());
  }
  // One question for the list that a key out of order stood for.
  assert_true(world.socket.Receive().has_value());
  assert_false(world.socket.Receive().has_value());
  assert_true(world.Genuine());
}

// From the server's own address and port, as a forger on another network can write it.
void ForgedBroadcastsDoNoHarm(void**) {
  World world;
  world.Follow();
  assert_true(world.Genuine());
  const KeyId used = world.list.taken();
  const auto honest = world.State();
  const auto later = [] {
    wire::Header header = Broadcast();
    header.transmit = header.transmit + NtpDuration::FromSeconds(3600);
    header.poll = 17;
    return header;
  };
  const uint32_t stamp = world.upstream().announced->timestamp().value;
  const KeyId announced = world.list.announced();
  auto unsigned_list = world.Announcement(stamp + 60, KeyId{0x70000001}, 3);
  unsigned_list.back() ^= 1;
  auto of_another = world.Announcement(stamp + 60, KeyId{0x70000001}, 3);
  of_another[7] ^= 1;
  const std::vector<uint8_t> nak(4, 0), junk(20, 0x5a);
  const std::vector<std::vector<uint8_t>> forged = {
      world.last,                                         // the very same again
      world.Packet(later(), world.Name(), used),          // the last key, other contents
      world.Packet(later(), world.Name(), announced),     // the end of the list
      world.Packet(later(), world.Name(), {0x5fe916ea}),  // a key of his own
      world.Packet(later(), world.Name(), {1}),
      world.Packet(later(), {}, {0x5fe916ea}),                                       // no field
      world.Packet(later(), world.Announcement(stamp - 60, {0x70000001}, 9), used),  // an old list
      world.Packet(later(), world.Announcement(stamp, announced, world.list.sequence()), used),
      world.Packet(later(), world.Announcement(stamp + 60, {0x70000001}, 100), used),
      world.Packet(later(), world.Announcement(stamp + 60, {0x70000001}, 0xffffffff), used),
      world.Packet(later(), unsigned_list, {0x5fe916ea}),
      world.Packet(later(), of_another, {0x5fe916ea}),
      Encoded(later(), nak),
      Encoded(later(), junk),
      Encoded(later()),
  };
  for (size_t i = 0; i < forged.size(); ++i) {
    const auto processed = world.h.node.packets.processed;
    world.Send(forged[i]);
    if (world.h.node.packets.processed != processed) fail_msg("forgery %zu was taken", i);
    if (world.State() != honest) fail_msg("forgery %zu changed something", i);
  }
  assert_true(world.Genuine());
}

// Whoever is at the server's address before it has proved itself gets no further by it.
void ForgeriesDuringTheDanceDoNoHarm(void**) {
  World world;
  world.Send(world.Packet(Broadcast(), world.Name(), KeyId{0x5fe916ea}));
  for (int i = 0; i < 40 && !world.listens(); ++i) {
    const auto before = world.State();
    world.Send(world.Packet(Broadcast(), world.Name(), KeyId{0x5fe916eb}));
    world.Send(world.Packet(Broadcast(), world.Announcement(kTestNow, {0x70000001}, 9),
                            KeyId{0x5fe916ec}));
    world.Send(Encoded(Broadcast(), std::vector<uint8_t>(4, 0)));
    assert_true(world.State() == before);
    world.Volley();
  }
  assert_true(world.upstream().announced->accepted());
  assert_true(world.Genuine());
}

// Anyone can name himself a broadcast server, once for each address that he can write as his own.
void StrangersAreTriedFewAtATime(void**) {
  World world;
  world.Follow();
  for (int i = 0; i < 20; ++i) {
    const IpAddress from = IpAddress::V4(127, 1, static_cast<uint8_t>(i + 1), 1);
    Stranger stranger(from);
    test::Enable(stranger.fd.get(), SOL_SOCKET, SO_BROADCAST);
    stranger.Send(world.h.WithPublicMac({from, kEverybody}, KeyId{0x5fe916ea},
                                        Encoded(Broadcast(), world.Name())),
                  {kEverybody, world.port});
    world.h.Spin();
  }
  assert_int_equal(world.h.upstreams.all().size(), 1 + 4);
  assert_true(world.Genuine());
}

// One of another group has the place of its network until it is refused, and goes for the server;
// that very address is not tried again then, before we are configured anew.
void ANeighbourOfAnotherGroupMakesRoom(void**) {
  World world;
  Party neighbour("neighbour", TestKey::Shared(2), true, autokey::kIff);
  neighbour.Sign(kTestNow);
  const auto broadcast = [&] {
    world.other.Send(world.h.WithPublicMac(
                         {kOther, kEverybody}, KeyId{0x5fe916ea},
                         Encoded(Broadcast(), autokey::AssociationResponse(neighbour.host, 0x99))),
                     {kEverybody, world.port});
    world.h.Spin();
  };
  broadcast();
  assert_true(world.upstream().remote.ip == kOther);
  for (int i = 0; i < 40 && !world.upstream().refused; ++i) {
    // Before that it has the place of the network.
    if (i > 0) world.Send(world.Packet(Broadcast(), world.Name(), KeyId{0x5fe916ea}));
    assert_true(world.upstream().remote.ip == kOther);
    world.h.upstreams.Poll(world.upstream().id);
    world.ServeKeys();
    const auto request = world.other.Receive();
    if (!request) continue;
    const auto packet = *wire::ParsePacket(request->bytes);
    const auto field = test::ServersAnswer(&neighbour, packet.extensions()[0].field,
                                           {request->from.ip, kOther}, ++world.now);
    world.other.Send(world.h.WithPublicMac({kOther, request->from.ip}, packet.mac->key,
                                           Encoded(test::ReplyTo(packet.header), field)),
                     request->from);
    world.h.Spin();
    world.ServeKeys();
  }
  assert_true(world.upstream().refused);
  world.Send(world.Packet(Broadcast(), world.Name(), KeyId{0x5fe916ea}));
  assert_true(world.upstream().remote.ip == kServer);
  broadcast();
  for (int i = 0; i < 40 && !world.listens(); ++i) world.Volley();
  assert_true(world.Genuine());
  broadcast();
  assert_true(world.upstream().remote.ip == kServer);
  world.h.upstreams.Configure({});
  broadcast();
  assert_int_equal(world.h.upstreams.all().size(), 2);
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AServerThatProvedItselfIsListenedTo),
      cmocka_unit_test(AMissedListIsAskedFor),
      cmocka_unit_test(ANewKeyProcessCostsNoBroadcast),
      cmocka_unit_test(AServerWithANewKeyIsProvedAnewAndListenedTo),
      cmocka_unit_test(ANewKeyUnderTheSameListCostsNoBroadcast),
      cmocka_unit_test(AServerThatWasStartedAnewIsFollowed),
      cmocka_unit_test(MadeUpIdentifiersChangeNothing),
      cmocka_unit_test(MadeUpIdentifiersDoNotHideANewOne),
      cmocka_unit_test(TheIdentifierIsLearnedDuringTheVolley),
      cmocka_unit_test(TheOtherListOfAServerIsNoneOfOurs),
      cmocka_unit_test(ALostCookieIsAskedForBeside),
      cmocka_unit_test(AForgedListBeginsNoRenewal),
      cmocka_unit_test(ForgedBroadcastsDoNoHarm),
      cmocka_unit_test(ForgeriesDuringTheDanceDoNoHarm),
      cmocka_unit_test(StrangersAreTriedFewAtATime),
      cmocka_unit_test(ANeighbourOfAnotherGroupMakesRoom),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
