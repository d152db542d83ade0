#include "tests/keys/trusted_keys.h"

#include "tests/keys/commands.h"
#include "tests/keys/served_client.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::keys::test {

msg::ServeOutcome Served(Harness& h, uint32_t key, const char* type, std::string_view secret) {
  const auto request = ClientHeader();
  return Serve(h, Batch(key, request, MacOf(type, secret, request))).outcome;
}
bool Serves1(Harness& h) {
  return Served(h, 1, "MD5", "secretMD5ascii") == msg::ServeOutcome::kSealed;
}
bool Serves2(Harness& h) {
  return Served(h, 2, "MD5", "secretMD5two") == msg::ServeOutcome::kSealed;
}

bool Asks(Harness& h, uint32_t key, uint8_t first) {
  msg::SealRequest request;
  request.key = KeyId{key};
  Set(&request.covered, ClientHeader(first));
  h.FromNet(request);
  return !h.out.sealed.back().mac.empty();
}

void AssertUnchanged(Harness& h) {
  assert_int_equal(h.out.runtime_trust.size(), 0);
  assert_true(Serves1(h) && !Serves2(h) && Asks(h, 3));
  assert_int_equal(h.out.misbehaviours.size(), 0);
}

}  // namespace ntpward::keys::test
