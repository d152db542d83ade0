// The captured dances of tests/autokey/data/dances.txt.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "privsep/base/types.h"
#include "privsep/msg/keys.h"

namespace ntpward::autokey::test {

struct HostFiles {
  std::string role;  // "server", "client", "middle"
  std::vector<uint8_t> certificate;
  NtpSeconds certificate_filestamp;
  std::vector<uint8_t> host_key;
  NtpSeconds host_key_filestamp;
};

struct Exchange {
  std::vector<uint8_t> request;  // whole extension fields
  std::vector<uint8_t> response;

  uint8_t code() const { return request[1]; }
};

struct CapturedDance {
  std::string name;
  std::vector<HostFiles> hosts;
  std::vector<Exchange> exchanges;
  std::vector<std::vector<uint8_t>> pushed;  // whole fields of its broadcasts: ASSOC, then AUTO

  const HostFiles& host(std::string_view role) const;
  // The first exchange with that code; aborts when there is none.
  const Exchange& exchange(uint8_t code) const;
};

// All of them; aborts when the file is missing or malformed.
const std::vector<CapturedDance>& CapturedDances();
// The one whose name starts with `prefix`.
const CapturedDance& FindDance(std::string_view prefix);

// What the key process would say about that host.
msg::HostMaterial MaterialOf(const HostFiles& files, uint32_t status_word);

}  // namespace ntpward::autokey::test
