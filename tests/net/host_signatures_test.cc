// What ntpd-net has ntpd-keys sign of this host, and when.
#include "ntpd/net/host_signatures.h"

#include "tests/net/harness.h"
#include "tests/support/authority.h"

namespace ntpward::net {
namespace {

using autokey::test::Party;
using autokey::test::TestKey;

constexpr uint32_t k2015 = 3644697600;
constexpr uint32_t k2017 = 3692217600;

struct Fixture : test::Harness {
  Fixture() { SetHost(Party("server", TestKey::Shared(0), true).material); }

  uint32_t expiry() { return node.time.Seconds().value + 86400; }
  void SetTable() {
    msg::LeapTable table;
    table.expiry = expiry();
    CHECK(table.seconds.Push({k2015, 36}) && table.seconds.Push({k2017, 37}) && table.Valid());
    leap_seconds.SetTable(table);
  }
  std::optional<msg::SignatureUpdate> Asked() {
    signatures.Update();
    return test::Next<msg::SignatureUpdate>(&keys.far);
  }
  void Answer(const msg::SignatureUpdate& update) {
    SayAsKeys(msg::SignedValues{.request = update.request, .timestamp = update.now});
    CHECK(node.keys.OnReadable());
  }
  bool OffersTable() const { return (node.host.status_word() & autokey::kTai) != 0; }

  HostSignatures signatures{&node, &leap_seconds};
};

// No tick of the second comes between: a client whose ASSOC does finds the table in our word.
void TheFirstSignatureAfterSynchronisationCoversTheLeapTable(void**) {
  Fixture f;
  f.SetTable();
  f.Synchronise();
  const auto asked = f.Asked();
  assert_true(asked && asked->tai == 37 && asked->leap_epoch == k2017);
  // Until it is answered the timestamp is 0, which tells clients to ask for a table all the same.
  assert_int_equal(f.node.host.update_time().value, 0);
  f.Answer(*asked);
  assert_int_equal(f.node.host.update_time().value, asked->now.value);
  assert_true(f.OffersTable());
}

void NothingIsSignedBeforeTheTimeIsKnown(void**) {
  Fixture f;
  f.SetTable();
  assert_false(f.Asked().has_value());
  f.Synchronise();
  assert_true(f.Asked().has_value());
}

void ATableThatComesLaterIsSignedAtOnce(void**) {
  Fixture f;
  f.Synchronise();
  const auto without = f.Asked();
  assert_true(without && without->tai == 0);
  f.Answer(*without);
  assert_false(f.OffersTable());
  assert_false(f.Asked().has_value());
  f.SetTable();
  const auto with = f.Asked();
  assert_true(with && with->tai == 37);
  f.Answer(*with);
  assert_true(f.OffersTable());
}

void NothingIsSignedWithoutKeyMaterial(void**) {
  Fixture f;
  f.Synchronise();
  f.node.has_material = false;
  assert_false(f.Asked().has_value());
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheFirstSignatureAfterSynchronisationCoversTheLeapTable),
      cmocka_unit_test(NothingIsSignedBeforeTheTimeIsKnown),
      cmocka_unit_test(ATableThatComesLaterIsSignedAtOnce),
      cmocka_unit_test(NothingIsSignedWithoutKeyMaterial),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
