#include "tests/keys/key_data.h"

#include "keys/crypto_setup.h"
#include "tests/support/vectors.h"

namespace ntpward::keys::test {

int LoadCrypto(void**) {
  // Lives until the program ends: the providers stay loaded.
  static const auto setup = CryptoSetup::ForTool();
  CHECK(setup.ok());
  CHECK(setup->legacy_available());
  return 0;
}

std::vector<uint8_t> Data(const std::string& name) {
  return ntpward::test::ReadFile("tests/keys/data/" + name);
}

std::string DataText(const std::string& name) {
  const auto bytes = Data(name);
  return std::string(AsText(bytes));
}

}  // namespace ntpward::keys::test
