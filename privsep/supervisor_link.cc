#include "privsep/supervisor_link.h"

#include <time.h>

namespace ntpward {
namespace {

template <size_t N>
void AssignCut(InlineText<N>* field, std::string_view text) {
  CHECK(field->Assign(AsBytes(text.substr(0, N))));
}

}  // namespace

void SupervisorLink::Log(LogLevel level, std::string_view line) {
  (void)channel_->Send(msg::MakeLogLine(level, line));
}

void SupervisorLink::Audit(LogLevel level, std::string_view line) {
  (void)channel_->Send(msg::MakeLogLine(level, line, msg::LogKind::kAudit));
}

void SupervisorLink::Ready(std::string_view sandbox) {
  msg::RoleReady message;
  AssignCut(&message.sandbox, sandbox);
  (void)channel_->Send(message);
}

void SupervisorLink::Failed(std::string_view text) {
  msg::RoleFailed message;
  AssignCut(&message.text, text);
  (void)channel_->Send(message);
}

void SupervisorLink::Accuse(msg::Role culprit, Bytes bytes) {
  msg::Misbehaviour message;
  message.culprit = culprit;
  if (const auto type = msg::PeekType(bytes)) message.message_type = static_cast<uint16_t>(*type);
  (void)channel_->Send(message);
}

bool SupervisorLink::AnswersLiveness(Bytes bytes) {
  msg::LivenessQuestion question;
  if (!msg::Decode(bytes, &question)) return false;
  (void)channel_->Send(msg::LivenessAnswer{.number = question.number});
  return true;
}

MonoTime MonotonicNow() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return MonoTime::FromNanoseconds(static_cast<int64_t>(now.tv_sec) * 1000000000 + now.tv_nsec);
}

NtpTimestamp SystemTimeNow() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return NtpTimestamp::FromUnix(now);
}

}  // namespace ntpward
