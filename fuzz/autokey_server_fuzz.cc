// links: autokey
//
// One field of a client's packet. Whatever it is, the answer is a field that a client can take
// apart, or a message that the key process accepts.
#include "fuzz/autokey_hosts.h"
#include "ntpd/autokey/server_side.h"

using namespace ntpward;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const autokey::HostState host =
      fuzz::MakeHost("server", 0x800e1, fuzz::kServerCertificate, fuzz::kServerHostKey, false);
  static autokey::CertificateCache cache = [] {
    autokey::CertificateCache made;
    made.SetOwn(host.certificate());
    return made;
  }();
  autokey::ServerSide side;
  const AddressPair path{IpAddress::V4(10, 77, 0, 2), IpAddress::V4(10, 77, 0, 1)};
  const NtpSeconds now{fuzz::kHostFilestamp + 100};
  auto answer = side.OnRequest(Bytes(data, size), path, {host, cache, now, true});
  using Kind = autokey::ServerAnswer::Kind;
  if (answer.kind == Kind::kAskKeys) {
    std::visit([](const auto& operation) { CHECK(operation.Valid()); }, *answer.operation);
    msg::ValueAnswer value;
    value.code = msg::VerdictCode::kGood;
    value.timestamp = now;
    CHECK(value.value.Resize(64) && value.signature.Resize(64));
    answer = side.OnValueAnswer(answer.pending, value);
  }
  if (answer.kind == Kind::kDrop) return 0;
  CHECK(answer.kind == Kind::kReply && answer.field.size() <= wire::kMaxExtensionArea);
  const bool old_version = answer.field[0] == 0xc1;
  CHECK(old_version || wire::ParseAutokeyField(answer.field).ok());
  CHECK((answer.field[0] & 0x80) != 0);
  return 0;
}
