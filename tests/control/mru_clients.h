// A list of recent clients, and who asks for it.
#pragma once

#include "ntpd/control/mru_answer.h"
#include "tests/control/fake_state.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::control {

inline const SocketAddress kReader = {IpAddress::V4(192, 0, 2, 1), 40000};
inline const NtpTimestamp kNow = NtpTimestamp::FromRaw(0xeeacac95123456c0U);

inline NtpTimestamp Ago(double seconds) { return kNow + NtpDuration::FromSeconds(-seconds); }
inline SocketAddress Client(uint32_t n) {
  return {IpAddress::V4(10, static_cast<uint8_t>(n >> 16), static_cast<uint8_t>(n >> 8),
                        static_cast<uint8_t>(n)),
          static_cast<uint16_t>(1024 + n % 60000)};
}

inline test::FakeRecent Clients(uint32_t count) {
  test::FakeRecent recent;
  for (uint32_t n = 0; n < count; ++n)
    recent.rows.push_back({Client(n), {}, Ago(2.0 * count), Ago(count - n), n + 1, 4, 3, 0x40});
  return recent;
}

inline MruRequest Parsed(std::string_view text) {
  auto request = ParseMruRequest(AsBytes(text));
  assert_true(request.ok());
  return *request;
}

}  // namespace ntpward::control
