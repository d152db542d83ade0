// Commands of mode 6 on their way through ntpd-net: real sockets on loopback, the test as
// ntpd-keys, which has the last word.
#pragma once

#include <string>

#include "ntpd/wire/control_message.h"
#include "tests/net/harness.h"

namespace ntpward::test {

inline const IpAddress kAsked = IpAddress::V4(127, 0, 0, 7);
inline constexpr KeyId kControl{9};

// An operator with ntpq, and everything between him and ntpd-keys.
struct ControlWorld {
  ControlWorld() {
    h.Synchronise();
    port = h.Listen();
    h.control.SetKeysChanged([this](std::span<const KeyId> keys, bool trusted) {
      ++changes;
      changed.assign(keys.begin(), keys.end());
      now_trusted = trusted;
    });
  }
  void Build(wire::ControlOp op, std::string_view data, bool with_mac) {
    wire::ControlHeader header;
    header.op = op;
    header.sequence = 7;
    const auto padding = with_mac ? wire::ControlPadding::kForMac : wire::ControlPadding::kPlain;
    datagram = wire::BuildControlRequest(header, AsBytes(data), padding);
    covered = datagram;
    const auto mac = SomeMac(kControl);
    if (with_mac) datagram.insert(datagram.end(), mac.begin(), mac.end());
  }
  void Send(wire::ControlOp op, std::string_view data, bool with_mac = true) {
    Build(op, data, with_mac);
    ntpq.Send(datagram, {kAsked, port});
    h.Spin();
  }
  template <msg::Message M>
  std::optional<M> Asked() {
    return Next<M>(&h.keys.far);
  }
  template <msg::Message M>
  void Say(const M& message) {
    CHECK(h.keys.far.Send(message) == SendOutcome::kSent);
    CHECK(h.node.keys.OnReadable());
  }
  // ntpd-keys is asked whether the MAC is right, and says this.
  void Judge(msg::VerdictCode code) {
    const auto check = Asked<msg::CheckMac>();
    CHECK(check.has_value());
    Say(msg::Verdict{.request = check->request, .code = code});
  }
  // Sends a line under a good MAC.
  void SendLine(std::string_view line) {
    Send(wire::ControlOp::kConfigure, line);
    Judge(msg::VerdictCode::kGood);
  }
  // Asks for a change under a good MAC; what ntpd-keys is asked then.
  std::optional<msg::Command> Change(wire::ControlOp op, std::string_view data) {
    Send(op, data);
    Judge(msg::VerdictCode::kGood);
    return Asked<msg::Command>();
  }
  // The same; what ntpd-keys is asked to do.
  std::optional<msg::Command> Configure(std::string_view line) {
    SendLine(line);
    return Asked<msg::Command>();
  }
  // The same with a line that is refused here: ntpd-keys only says that its sender may ask.
  std::string RefusalOf(std::string_view line) {
    const auto command = Configure(line);
    CHECK(command && command->judge_only && !command->keep);
    Done(*command, msg::CommandOutcome::kAuthorised);
    return Answer();
  }
  // What the operator was told since the last call, a line each.
  std::string Logged() {
    std::string lines;
    while (const auto line = Next<msg::LogLine>(&h.supervisor.far))
      lines += std::string(line->text.text()) + "\n";
    return lines;
  }
  void Done(const msg::Command& command, msg::CommandOutcome outcome, uint16_t column = 0) {
    msg::CommandDone done{.request = command.request, .outcome = outcome, .column = column};
    if (outcome == msg::CommandOutcome::kDone) CHECK(done.keys.Push(KeyId{5}));
    done.trusted = true;
    Say(done);
  }
  // Seals the answer under way; what it says, or "error N", or "" when there is none.
  std::string Answer(bool sealed = true) {
    if (sealed) {
      const auto seal = Asked<msg::SealRequest>();
      if (!seal) return "";
      CHECK(seal->key == kControl);
      msg::Sealed mac{.request = seal->request};
      CHECK(mac.mac.Assign(SomeMac(kControl)));
      Say(mac);
    }
    const auto got = ntpq.Receive();
    if (!got) return "";
    CHECK(got->from == (SocketAddress{kAsked, port}));
    const auto fragment = wire::ParseControlResponse(got->bytes);
    CHECK(fragment.ok() && fragment->header.sequence == 7 && !fragment->header.more);
    last_was_empty = fragment->header.count == 0;
    if (fragment->header.error)
      return "error " + std::to_string(static_cast<int>(fragment->header.error_code()));
    return std::string(AsText(fragment->data));
  }

  Harness h;
  uint16_t port;
  Stranger ntpq{IpAddress::V4(127, 0, 0, 1)};
  std::vector<uint8_t> datagram, covered;
  int changes = 0;
  std::vector<KeyId> changed;
  bool now_trusted = false;
  bool last_was_empty = false;
};

}  // namespace ntpward::test
