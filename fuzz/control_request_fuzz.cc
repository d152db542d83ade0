// links: control
//
// Any request: answers are well formed, bounded, never answerable themselves, and printable.
#include "ntpd/control/responder.h"

using namespace ntpward;

namespace {

class OneOfEach : public control::StateView {
 public:
  wire::SystemStatus Status() const override { return {}; }
  control::SystemView System() const override {
    control::SystemView view;
    view.autokey = control::AutokeyView{};
    view.autokey->certificates.push_back({"a\"b", "c\n", 4, 0});
    view.extra.push_back({"extra", "x", true});
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
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  control::Responder responder(1);
  OneOfEach state;
  const Bytes request(data, size);
  const auto admission = responder.Admit(request, IpAddress::V4(127, 0, 0, 1), MonoTime());
  if (admission == control::Admission::kDrop) return 0;
  const auto verdict = admission == control::Admission::kCheckMac ? control::MacVerdict::kBad
                                                                  : control::MacVerdict::kNone;
  const control::Answer answer = responder.Respond(request, verdict, KeyId{1}, state);
  CHECK(!answer.datagrams.empty());
  for (const auto& datagram : answer.datagrams) {
    CHECK(datagram.size() <= 484);
    auto fragment = wire::ParseControlResponse(datagram);
    CHECK(fragment.ok());
    CHECK(responder.Admit(datagram, {}, MonoTime()) == control::Admission::kDrop);
    if (fragment->header.op == wire::ControlOp::kReadStatus && fragment->header.assoc.value == 0)
      continue;  // binary
    for (char c : AsText(fragment->data)) CHECK((c >= ' ' && c < 0x7f) || c == '\r' || c == '\n');
  }
  return 0;
}
