#include "tests/ntpq/fake_server.h"

#include <algorithm>

#include "tests/ntpq/sealing.h"

namespace ntpward::ntpq::test {
namespace {

// As often as the live transport, or more seldom, it is asked whether the command is to end.
constexpr double kLookSeconds = 0.5;

}  // namespace

void FakeServer::Answer(const wire::ControlRequest& request, std::string_view data,
                        uint16_t status) {
  const auto header = wire::ReplyHeader(request.header, 0, status);
  for (auto& fragment :
       wire::BuildControlReply(header, AsBytes(data), {}, wire::ControlPadding::kPlain)) {
    const auto credentials = seals ? CredentialsOf(request) : std::nullopt;
    if (credentials) fragment = Sealed(std::move(fragment), *credentials);
    coming.push_back({0, std::move(fragment)});
  }
}

void FakeServer::Refuse(const wire::ControlRequest& request, wire::ControlError error) {
  coming.push_back({0, wire::BuildControlError(request.header, 0, error)});
}

Status FakeTransport::Send(Bytes datagram) {
  server_.sent.emplace_back(datagram.begin(), datagram.end());
  if (!server_.refusal.empty()) return Fail(server_.refusal);
  const auto request = wire::ParseControlRequest(datagram);
  if (!request.ok()) return Fail("not a request");
  if (server_.on_request) server_.on_request(*request);
  return {};
}

Result<std::optional<std::vector<uint8_t>>> FakeTransport::Receive(MonoTime deadline) {
  ++server_.waits;
  auto next = Next(deadline - server_.now);
  if (!next) {
    WaitUntil(deadline);
    return std::optional<std::vector<uint8_t>>();
  }
  server_.now = server_.now + next->after_s;
  std::vector<uint8_t>& datagram = next->datagram;
  if (server_.counts_from_question && datagram.size() > 4 && !server_.sent.empty())
    for (const size_t i : {2U, 3U})
      datagram[i] = static_cast<uint8_t>(datagram[i] + server_.sent.back()[i]);
  return std::optional<std::vector<uint8_t>>(std::move(datagram));
}

std::optional<FakeServer::Coming> FakeTransport::Next(double patience_s) {
  if (patience_s <= 0) return std::nullopt;
  if (server_.coming.empty()) {
    auto made = server_.on_silence ? server_.on_silence(patience_s) : std::nullopt;
    return made && made->after_s > 0 && made->after_s < patience_s ? made : std::nullopt;
  }
  if (server_.coming.front().after_s >= patience_s) return std::nullopt;
  FakeServer::Coming next = std::move(server_.coming.front());
  server_.coming.pop_front();
  return next;
}

void FakeTransport::WaitUntil(MonoTime deadline) {
  while (server_.now < deadline && !Interrupted())
    server_.now = server_.wants_end ? std::min(deadline, server_.now + kLookSeconds) : deadline;
}

}  // namespace ntpward::ntpq::test
