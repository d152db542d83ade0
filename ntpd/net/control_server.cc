#include "ntpd/net/control_server.h"

#include <algorithm>

#include "ntpd/control/save_config.h"
#include "ntpd/net/random.h"
#include "ntpd/wire/control_message.h"
#include "privsep/base/nonce_word.h"

namespace ntpward::net {
namespace {

// Requests to write a file that wait for the supervisor.
constexpr size_t kMostSaving = 8;

control::MacVerdict FromCode(msg::VerdictCode code) {
  switch (code) {
    case msg::VerdictCode::kGood:
      return control::MacVerdict::kGood;
    case msg::VerdictCode::kBad:
      return control::MacVerdict::kBad;
    default:
      return control::MacVerdict::kUnknownKey;
  }
}

control::CommandResult FromOutcome(msg::CommandOutcome outcome) {
  switch (outcome) {
    case msg::CommandOutcome::kDone:
      return control::CommandResult::kDone;
    case msg::CommandOutcome::kSyntax:
      return control::CommandResult::kSyntax;
    case msg::CommandOutcome::kUnknownKey:
      return control::CommandResult::kUnknownKey;
    case msg::CommandOutcome::kControlKey:
      return control::CommandResult::kControlKey;
    case msg::CommandOutcome::kKeyInUse:
      return control::CommandResult::kKeyInUse;
    case msg::CommandOutcome::kFull:
      return control::CommandResult::kFull;
    default:
      return control::CommandResult::kDenied;
  }
}

control::SaveResult FromOutcome(msg::SaveOutcome outcome) {
  switch (outcome) {
    case msg::SaveOutcome::kSaved:
      return control::SaveResult::kSaved;
    case msg::SaveOutcome::kNoDirectory:
      return control::SaveResult::kNoDirectory;
    case msg::SaveOutcome::kUnsafeName:
      return control::SaveResult::kUnsafeName;
    case msg::SaveOutcome::kFailed:
      break;
  }
  return control::SaveResult::kFailed;
}

// From this host for certain. The kernel lets no datagram from outside have a loopback source, nor
// an IPv4 source of ours; an IPv6 source of ours it does.
bool IsOfThisHost(const Route& route) {
  if (route.client.ip.is_loopback()) return true;
  return route.client.ip.family == Family::kIpv4 && route.client.ip == route.server;
}

control::Requester RequesterOf(const Route& route, const core::AccessEntry& rule, Node* node) {
  const msg::NetStart& start = node->start;
  return {.address = route.client,
          .is_known = IsOfThisHost(route) || node->access.OpensNetwork(rule, route.client),
          .may_list_clients = !rule.flags.has(core::Access::kNoMruList),
          .rights = rule.flags.has(core::Access::kNoModify) ? control::Rights::kRead
                                                            : control::Rights::kModify,
          .control_key = start.control_key,
          .nonce_waived = route.client.ip.is_loopback() || !start.control_nonce};
}

std::vector<uint8_t> Copy(Bytes datagram) { return {datagram.begin(), datagram.end()}; }

}  // namespace

ControlServer::ControlServer(Node* node, control::StateView* state, RunTimeLines* lines)
    : node_(node),
      state_(state),
      lines_(lines),
      responder_(RandomNumber(), {RandomNumber(), RandomNumber()}) {
  responder_.ResetCounters(Timebase::Mono());
  lines_->SetOnControlReset([this] { responder_.ResetCounters(Timebase::Mono()); });
}

Lane ControlServer::LaneOf(KeyId key) const {
  return key == node_->start.control_key ? Lane::kOperator : Lane::kQueries;
}

void ControlServer::OnDatagram(const Route& route, const core::AccessEntry& rule, Bytes datagram) {
  const Asker asker{route, RequesterOf(route, rule, node_)};
  const control::Admission admission =
      responder_.Admit(datagram, asker.requester, Timebase::Mono());
  switch (admission) {
    case control::Admission::kDrop:
      return;
    case control::Admission::kAnswer:
      return Respond(asker, datagram, control::MacVerdict::kNone, KeyId{});
    case control::Admission::kCheckMac:
    case control::Admission::kOnlyGood:
      return Check(asker, datagram, admission);
  }
}

void ControlServer::Check(const Asker& asker, Bytes datagram, control::Admission admission) {
  const auto request = wire::ParseControlRequest(datagram);
  msg::CheckMac check;
  if (!request.ok() || !request->mac || !check.covered.Assign(request->mac->covered) ||
      !check.digest.Assign(request->mac->digest) || check.digest.empty() ||
      request->mac->key.is_none())
    return OnVerdict(asker, datagram, admission, control::MacVerdict::kUnknownKey, KeyId{});
  check.key = request->mac->key;
  check.path = asker.route.path();
  node_->keys.Ask(
      check,
      [this, asker, admission, key = check.key, kept = Copy(datagram)](msg::VerdictCode code) {
        if (code == msg::VerdictCode::kBusy) return;  // nothing is known of it: ntpq asks again
        OnVerdict(asker, kept, admission, FromCode(code), key);
      },
      Lane::kQueries);
}

void ControlServer::OnVerdict(const Asker& asker, Bytes datagram, control::Admission admission,
                              control::MacVerdict verdict, KeyId key) {
  if (admission == control::Admission::kOnlyGood && verdict != control::MacVerdict::kGood)
    return responder_.CountLimited();
  Respond(asker, datagram, verdict, key);
}

void ControlServer::Respond(const Asker& asker, Bytes datagram, control::MacVerdict verdict,
                            KeyId key) {
  const control::Answer answer =
      responder_.Respond(datagram, asker.requester, verdict, key, *state_, Timebase::Mono());
  switch (answer.inquiry) {
    case control::Inquiry::kNone:
      return Deliver(asker.route, answer);
    case control::Inquiry::kNonce:
      return AskNonce(asker, datagram, key);
    case control::Inquiry::kCommand:
      return Command({asker, Copy(datagram), key, answer.refusal, answer.log});
  }
}

void ControlServer::AskNonce(const Asker& asker, Bytes datagram, KeyId key) {
  const auto answer = [this, asker, key, kept = Copy(datagram)](const msg::CommandNonce* made) {
    if (made == nullptr) return;
    Deliver(asker.route,
            responder_.AnswerWithNonce(Now(asker, kept, key), made->nonce.span(), *state_));
  };
  node_->keys.AskNonce(asker.route.client.ip, answer, LaneOf(key));
}

void ControlServer::AnswerWithText(const Asker& asker, Bytes datagram, KeyId key,
                                   std::string_view text, control::Told told) {
  Deliver(asker.route, responder_.AnswerWithText(Now(asker, datagram, key), text, told, *state_));
}

control::Asked ControlServer::Now(const Asker& asker, Bytes datagram, KeyId key) {
  return {datagram, asker.requester, key, Timebase::Mono()};
}

// The whole request goes along: our word that its MAC was right counts for nothing there. What is
// refused here anyway goes, too: who repeats a request that he saw is told nothing, and causes no
// line but those that are counted.
void ControlServer::Command(Judging judging) {
  const auto request = wire::ParseControlRequest(judging.datagram);
  msg::Command command;
  command.source = judging.asker.route.client.ip;
  command.key = judging.key;
  if (!request.ok() || !request->mac || !command.covered.Assign(request->mac->covered) ||
      !command.digest.Assign(request->mac->digest) || !command.Valid())
    return;
  if (judging.refusal.empty() && control::IsForNet(*request)) {
    const LinePlan plan = lines_->Plan(SplitNonce(AsText(request->data)).text);
    judging.refusal = plan.refusal;
    command.keep = plan.refusal.empty() && plan.keep;
    if (!command.subject.Assign(AsBytes(plan.subject))) return;
  }
  command.judge_only = !judging.refusal.empty();
  node_->keys.Command(
      command,
      [this, judging = std::move(judging)](const msg::CommandDone& done) {
        OnCommandDone(judging, done);
      },
      LaneOf(command.key));
}

void ControlServer::OnCommandDone(const Judging& judging, const msg::CommandDone& done) {
  const auto& [asker, datagram, key, refusal, log] = judging;
  if (done.outcome == msg::CommandOutcome::kBusy) return;
  const bool rejected =
      done.outcome == msg::CommandOutcome::kDenied || done.outcome == msg::CommandOutcome::kNonce;
  if (rejected) {
    TellRejected(asker, done.outcome);
  } else {
    responder_.NoteProof(Now(asker, datagram, key));
    if (!log.empty()) node_->reporter.Audit(LogLevel::kNotice, log);
  }
  if (done.outcome == msg::CommandOutcome::kAuthorised)
    return refusal.empty() ? Perform(asker, datagram, key)
                           : AnswerWithText(asker, datagram, key, refusal, control::Told::kNotDone);
  if (done.outcome == msg::CommandOutcome::kDone)
    keys_changed_({done.keys.begin(), done.keys.end()}, done.trusted);
  const control::CommandVerdict verdict{FromOutcome(done.outcome), done.column};
  Deliver(asker.route, responder_.AnswerToCommand(Now(asker, datagram, key), verdict, *state_));
}

void ControlServer::TellRejected(const Asker& asker, msg::CommandOutcome outcome) {
  if (!rejected_.Take(Timebase::Mono())) return;
  std::string line =
      "runtime config from " + asker.route.client.ip.ToString() + " rejected: " +
      (outcome == msg::CommandOutcome::kNonce ? "no nonce, or one that is too old or was used"
                                              : "its key is not the control key");
  if (const uint64_t lost = rejected_.TakeLost(); lost > 0)
    line += " (so were " + std::to_string(lost) + " since the line before)";
  node_->reporter.Log(LogLevel::kNotice, line);
}

void ControlServer::Perform(const Asker& asker, Bytes datagram, KeyId key) {
  const auto request = wire::ParseControlRequest(datagram);
  if (!request.ok()) return;
  switch (request->header.op) {
    case wire::ControlOp::kWriteVariables:
      return Deliver(asker.route, responder_.AnswerToWrite(Now(asker, datagram, key), *state_));
    case wire::ControlOp::kSaveConfig:
      return Save(asker, datagram, key);
    default: {
      if (control::IsForNet(*request)) {
        const LineOutcome outcome = lines_->Do(SplitNonce(AsText(request->data)).text);
        return AnswerWithText(asker, datagram, key, outcome.text,
                              outcome.done ? control::Told::kDone : control::Told::kNotDone);
      }
      const control::CommandVerdict nothing{control::CommandResult::kDenied, 0};
      return Deliver(asker.route,
                     responder_.AnswerToCommand(Now(asker, datagram, key), nothing, *state_));
    }
  }
}

void ControlServer::Save(const Asker& asker, Bytes datagram, KeyId key) {
  const auto request = wire::ParseControlRequest(datagram);
  const std::string_view pattern = SplitNonce(AsText(request->data)).text;
  msg::NetSaveConfig ask{.request = ++last_save_};
  if (!ask.pattern.Assign(AsBytes(pattern)) || !ask.Valid()) {
    const std::string text = control::SaveText(control::SaveResult::kUnsafeName, pattern, "");
    return AnswerWithText(asker, datagram, key, text, control::Told::kNotDone);
  }
  if (!ask_to_save_(ask)) return;  // ntpq asks again
  if (saving_.size() >= kMostSaving) saving_.pop_front();
  saving_.push_back({ask.request, asker, Copy(datagram), key});
}

void ControlServer::OnConfigSaved(const msg::NetConfigSaved& saved) {
  const auto found = std::find_if(saving_.begin(), saving_.end(), [&](const Saving& waiting) {
    return waiting.request == saved.request;
  });
  if (found == saving_.end()) return;
  const Saving waiting = std::move(*found);
  saving_.erase(found);
  const bool done = saved.outcome == msg::SaveOutcome::kSaved;
  if (done) node_->saved_config = std::string(saved.name.text());
  const std::string text =
      control::SaveText(FromOutcome(saved.outcome), saved.name.text(), saved.reason.text());
  AnswerWithText(waiting.asker, waiting.datagram, waiting.key, text,
                 done ? control::Told::kDone : control::Told::kNotDone);
}

void ControlServer::Deliver(const Route& route, const control::Answer& answer) {
  if (answer.inquiry == control::Inquiry::kNone && !answer.log.empty())
    node_->reporter.Log(LogLevel::kNotice, answer.log);
  if (!answer.seal) return send_(route, answer.datagrams);
  for (const std::vector<uint8_t>& reply : answer.datagrams)
    SealAndSend(route, reply, *answer.seal);
}

void ControlServer::SealAndSend(const Route& route, std::vector<uint8_t> reply, KeyId key) {
  msg::SealRequest request;
  request.path = route.path().Reversed();
  request.key = key;
  if (!request.covered.Assign(reply)) return;
  node_->keys.Seal(
      request,
      [this, route, reply](const msg::Sealed* sealed) {
        if (sealed == nullptr || sealed->mac.empty()) return;
        std::vector<uint8_t> packet = reply;
        packet.insert(packet.end(), sealed->mac.span().begin(), sealed->mac.span().end());
        send_(route, {&packet, 1});
      },
      LaneOf(key));
}

}  // namespace ntpward::net
