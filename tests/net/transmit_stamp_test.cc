// When packets leave: the kernel's word for it, and how it gets into what is sent.
#include "ntpd/net/transmit_stamp.h"

#include "ntpd/net/delay_estimate.h"
#include "tests/net/harness.h"

namespace ntpward::net {
namespace {

using namespace ntpward::test;

void TheKernelStampsWhatLeaves(void**) {
  const UniqueFd to = BindTo(IpAddress::V4(127, 0, 0, 1));
  const UniqueFd fd = BindTo(IpAddress::V4(127, 0, 0, 1));
  assert_true(AskForTransmitStamps(fd.get()));
  assert_false(TakeTransmitStamp(fd.get()).has_value());
  const NtpTimestamp before = SystemTimeNow();
  const std::vector<uint8_t> bytes(48, 0);
  CHECK(SendFrom(fd.get(), bytes, LocalOf(to.get()), IpAddress(), 0));
  const auto stamp = TakeTransmitStamp(fd.get());
  assert_true(stamp.has_value());
  const NtpTimestamp left = NtpTimestamp::FromUnix(*stamp);
  assert_true((left - before).seconds() >= 0);
  assert_true((SystemTimeNow() - left).seconds() >= 0);
  assert_false(TakeTransmitStamp(fd.get()).has_value());  // taken once
}

void ASocketWithoutStampsHasNone(void**) {
  const UniqueFd to = BindTo(IpAddress::V4(127, 0, 0, 1));
  const UniqueFd fd = BindTo(IpAddress::V4(127, 0, 0, 1));
  const std::vector<uint8_t> bytes(48, 0);
  CHECK(SendFrom(fd.get(), bytes, LocalOf(to.get()), IpAddress(), 0));
  assert_false(TakeTransmitStamp(fd.get()).has_value());
}

void TheUsualDelayCounts(void**) {
  DelayEstimate delay;
  assert_true(delay.Value() == NtpDuration());
  delay.Add(10e-6);
  assert_true(std::abs(delay.Value().seconds() - 10e-6) < 1e-9);
  for (int i = 0; i < 20; ++i) delay.Add(i % 5 == 0 ? 5e-3 : 20e-6);
  assert_true(std::abs(delay.Value().seconds() - 20e-6) < 1e-9);
}

void WhatIsNoDelayIsNotCounted(void**) {
  DelayEstimate delay;
  for (const double wrong : {-1e-9, -5.0, 0.02, 1e9, std::nan("")}) delay.Add(wrong);
  assert_true(delay.Value() == NtpDuration());
}

// A reply without MAC says when it will have left.
void RepliesAreStampedAhead(void**) {
  Harness h;
  h.Synchronise();
  const uint16_t port = h.Listen();
  for (int i = 0; i < 15; ++i) h.node.leaving.Add(1.0 / 128);
  Stranger client(IpAddress::V4(127, 0, 0, 1));
  wire::Header request;
  request.mode = wire::Mode::kClient;
  request.version = 4;
  request.transmit = NtpTimestamp::FromRaw(1);
  client.Send(Encoded(request), {IpAddress::V4(127, 0, 0, 1), port});
  h.Spin();
  const NtpTimestamp now = SystemTimeNow();
  const auto reply = client.Receive();
  assert_true(reply.has_value());
  assert_true((reply->header().transmit - reply->header().receive).seconds() >= 1.0 / 128);
  assert_true((reply->header().transmit - now).seconds() <= 1.0 / 128);
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheKernelStampsWhatLeaves), cmocka_unit_test(ASocketWithoutStampsHasNone),
      cmocka_unit_test(TheUsualDelayCounts),       cmocka_unit_test(WhatIsNoDelayIsNotCounted),
      cmocka_unit_test(RepliesAreStampedAhead),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
