// links: config
//
// Any octets as ntp.conf: what was understood, written out and read again, must be the same.
#include "ntpd/config/parser.h"
#include "ntpd/config/render.h"
#include "ntpd/config/validate.h"

using namespace ntpward;

namespace {

config::Parsed Parse(Bytes text, config::ParsePolicy policy) {
  auto secret = Secret::Copy(text);
  CHECK(secret.ok());
  return config::ParseText(std::move(secret).value(), "fuzz", nullptr, policy);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto policy = static_cast<config::ParsePolicy>(size % 3);
  config::Parsed first = Parse({data, size}, policy);
  const std::string text = config::Render(first.config);
  config::Parsed second = Parse(AsBytes(text), config::ParsePolicy::kStrict);
  CHECK(second.usable(config::ParsePolicy::kStrict));
  CHECK(config::Render(second.config) == text);
  (void)config::Validate(first.config);
  return 0;
}
