// links: control
// caged
//
// Any request: answers are well formed, bounded, never answerable themselves, and printable.
#include <string>

#include "ntpd/control/responder.h"

using namespace ntpward;

namespace {

class OneOfEach : public control::StateView {
 public:
  wire::SystemStatus Status() const override { return {}; }
  NtpTimestamp Now() const override { return {}; }
  const control::RecentClients& Recent() const override { return clients_; }
  control::SystemView System(control::SystemDetail) const override {
    control::SystemView view;
    view.autokey = control::AutokeyView{};
    view.autokey->certificates.push_back({"a\"b", "c\n", 4, 0});
    view.extra.push_back({"extra", value_, true, true});
    return view;
  }
  std::vector<control::AssociationStatus> Associations() const override {
    return {{AssocId{1}, {}}};
  }
  std::optional<control::PeerView> Peer(AssocId id) const override {
    if (id.value != 1) return std::nullopt;
    return control::PeerView{};
  }
  std::optional<control::ClockView> Clock(AssocId) const override { return control::ClockView{}; }
  void ClearEvents(AssocId) override {}
  std::vector<control::InterfaceView> Interfaces() const override {
    return std::vector<control::InterfaceView>(100);
  }
  std::vector<control::RestrictionView> Restrictions() const override {
    return std::vector<control::RestrictionView>(200);
  }
  bool SavesConfiguration() const override { return true; }
  void SetVariable(std::string_view name, std::string_view value) override {
    CHECK(name == "extra" && value.size() < 128);
    value_ = std::string(value);
  }

 private:
  std::string value_ = "x";
  // As many clients as addresses 10.0.0.0 to 10.0.0.99.
  class Hundred : public control::RecentClients {
   public:
    std::optional<control::RecentClient> Oldest() const override { return Row(0); }
    std::optional<control::RecentClient> After(const IpAddress& client) const override {
      const uint8_t last = client.octets[3];
      return Find(client) && last < 99 ? Row(last + 1) : std::nullopt;
    }
    std::optional<control::RecentClient> Find(const IpAddress& client) const override {
      const uint8_t last = client.octets[3];
      if (last > 99 || client != IpAddress::V4(10, 0, 0, last)) return std::nullopt;
      return Row(last);
    }

   private:
    static std::optional<control::RecentClient> Row(int last) {
      control::RecentClient row;
      row.client = {IpAddress::V4(10, 0, 0, static_cast<uint8_t>(last)), 123};
      row.count = static_cast<uint64_t>(last);
      row.last = NtpTimestamp::FromRaw(static_cast<uint64_t>(last));
      return row;
    }
  };
  Hundred clients_;
};

// A request may name its nonce by this instead of a good one, which no mutation would find.
constexpr std::string_view kGoodNonce = "nonce=GOOD";

// With a MAC: one that the key process takes for good, or not, by the last octet.
control::MacVerdict VerdictOn(Bytes request, control::Admission admission) {
  if (admission != control::Admission::kCheckMac) return control::MacVerdict::kNone;
  return (request.back() & 1) != 0 ? control::MacVerdict::kGood : control::MacVerdict::kBad;
}

void CheckAnswer(control::Responder& responder, const control::Answer& answer) {
  for (const auto& datagram : answer.datagrams) {
    CHECK(datagram.size() <= 484);
    auto fragment = wire::ParseControlResponse(datagram);
    CHECK(fragment.ok());
    CHECK(responder.Admit(datagram, control::Requester{}, MonoTime()) == control::Admission::kDrop);
    if (fragment->header.op == wire::ControlOp::kReadStatus && fragment->header.assoc.value == 0)
      continue;  // binary
    for (char c : AsText(fragment->data)) CHECK((c >= ' ' && c < 0x7f) || c == '\r' || c == '\n');
  }
}

// A stranger gets no more than he sent, but for what a nonce proves.
void CheckSize(const control::Answer& answer, Bytes request, bool may_have_nonce) {
  size_t octets = 0;
  for (const auto& datagram : answer.datagrams) octets += datagram.size();
  CHECK(octets <= request.size() || may_have_nonce);
}

void Run(Bytes data, bool is_known) {
  const SipKey key = {1, 2};
  const control::Requester requester = {{IpAddress::V4(127, 0, 0, 1), 1}, is_known};
  control::Responder responder(1, key);
  OneOfEach state;
  std::string bytes(AsText(data));
  const size_t at = bytes.find(kGoodNonce);
  if (at != std::string::npos)
    bytes.replace(at, kGoodNonce.size(),
                  "nonce=" + control::NonceMaker(key).Make(requester.address, MonoTime()));
  const Bytes request = AsBytes(bytes);
  const auto admission = responder.Admit(request, requester, MonoTime());
  if (admission == control::Admission::kDrop) return;
  const control::Answer answer = responder.Respond(
      request, requester, VerdictOn(request, admission), KeyId{1}, state, MonoTime());
  const auto header = wire::DecodeControlHeader(request);
  CHECK(!answer.datagrams.empty() || answer.inquiry != control::Inquiry::kNone ||
        (header.ok() && header->op == wire::ControlOp::kReadMru));
  CheckAnswer(responder, answer);
  CheckSize(answer, request, is_known || at != std::string::npos);
  if (answer.inquiry == control::Inquiry::kCommand)
    CheckAnswer(responder,
                responder.AnswerToWrite({request, requester, KeyId{1}, MonoTime()}, state));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  for (const bool is_known : {true, false}) Run(Bytes(data, size), is_known);
  return 0;
}
