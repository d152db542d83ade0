// A server under Autokey that we follow: the test is the server and ntpd-keys.
#pragma once

#include "tests/net/dance_keys.h"
#include "tests/net/upstream_world.h"

namespace ntpward::test {

struct Danced : Net {
  using Kind = msg::NetAssociationKind;
  // kManycastClient: the server answered a solicitation.
  explicit Danced(Kind kind = Kind::kServer) {
    client.AddGroup("server");
    server.Sign(autokey::test::kTestNow);
    h.SetHost(client.material);
    msg::NetAssociation line = Line(kFirst);
    line.kind = kind;
    line.autokey = true;
    h.upstreams.Configure({line});
    if (kind == Kind::kManycastClient) h.upstreams.AddManycast(0, kFirst);
  }
  const autokey::RenewingDance& dance() const { return *upstream().dance; }

  // What the next packet asks for; none when it carries no field.
  static std::optional<wire::AutokeyCode> CodeOf(const Stranger::Got& request) {
    const auto packet = *wire::ParsePacket(request.bytes);
    if (packet.extensions().empty()) return std::nullopt;
    return static_cast<wire::AutokeyCode>(packet.extensions()[0].field[1]);
  }
  static KeyId KeyOf(const Stranger::Got& request) {
    return wire::ParsePacket(request.bytes)->mac->key;
  }
  // `field` in a reply to `request`, under the MAC that anyone can make.
  std::vector<uint8_t> Reply(const Stranger::Got& request, Bytes field, KeyId key) {
    return h.WithPublicMac({kFirst, request.from.ip}, key,
                           Encoded(ReplyTo(request.header()), field));
  }
  std::vector<uint8_t> ServersField(const Stranger::Got& request) {
    const auto packet = *wire::ParsePacket(request.bytes);
    return ServersAnswer(&server, packet.extensions()[0].field, {request.from.ip, kFirst}, ++now);
  }
  void Deliver(Bytes packet, const Stranger::Got& request) {
    first.Send(packet, request.from);
    h.Spin();
  }
  // A poll, the server's answer, and whatever ntpd-keys is asked meanwhile.
  std::optional<wire::AutokeyCode> Step() {
    h.upstreams.Poll(Only());
    ServeKeys();
    const auto request = first.Receive();
    if (!request) return std::nullopt;
    const auto code = CodeOf(*request);
    if (!code) return std::nullopt;
    Deliver(Reply(*request, ServersField(*request), KeyOf(*request)), *request);
    ServeKeys();
    return code;
  }
  // Until plain packets can be sent.
  void Associate() {
    for (int i = 0; i < 4; ++i) CHECK(Step().has_value());
    CHECK(dance().proven());
  }
  // A poll of a proven server: what arrives there.
  Stranger::Got PlainRequest() {
    h.upstreams.Poll(Only());
    ServeKeys();
    const auto request = first.Receive();
    CHECK(request && !CodeOf(*request));
    return *request;
  }

  // ntpd-keys answers all that it was asked.
  void ServeKeys() {
    h.ServeKeys([this](Bytes message) { ServeOne(message); });
  }
  void ServeOne(Bytes bytes) {
    msg::SealRequest seal;
    msg::CheckMac check;
    msg::ForgetAssociation forget;
    if (ServeDance(&h, client, bytes)) return;
    if (msg::Decode(bytes, &seal)) {
      CHECK(seal.association == Only());
      msg::Sealed sealed;
      sealed.request = seal.request;
      if (!cookie_lost) CHECK(sealed.mac.Assign(SomeMac(seal.key)));
      h.SayAsKeys(sealed);
    } else if (msg::Decode(bytes, &check)) {
      CHECK(check.association == Only());
      ++checks;
      h.SayAsKeys(msg::Verdict{.request = check.request, .code = msg::VerdictCode::kGood});
    } else {
      CHECK(msg::Decode(bytes, &forget));
      ++forgotten;
    }
  }

  autokey::test::Party server{"server", autokey::test::TestKey::Shared(0), true, autokey::kIff};
  autokey::test::Party client{"client", autokey::test::TestKey::Shared(1), false};
  uint32_t now = autokey::test::kTestNow;
  bool cookie_lost = false;
  int checks = 0;
  int forgotten = 0;
};

}  // namespace ntpward::test
