#include "ntpq/mru_retrieval.h"

#include <algorithm>

#include "ntpq/proof.h"
#include "ntpq/text.h"
#include "ntpq/values.h"

namespace ntpward::ntpq {
namespace {

constexpr int kNonceUses = 4;
constexpr double kReportSeconds = 5;
constexpr double kCountSeconds = 10;
// In a row, before the server is given up. A server that has just refused to answer so often
// answers again after one timeout.
constexpr int kMostStepsBack = 8;
constexpr int kMostSilences = 2;
constexpr int kMostLosses = 6;

// A nonce proves to the server that this address asks; it is valid for 16 s. Empty after a
// complaint.
std::string FetchNonce(Session& session) {
  const auto reply = session.Ask(wire::ControlOp::kRequestNonce, AssocId{0}, "");
  std::string nonce = NonceIn(ReadValues(reply ? reply->data : ""));
  if (!nonce.empty()) return nonce;
  session.PrintError("nonce request failed\n", ErrorKind::kAnswer);
  return "";
}

class Retrieval {
 public:
  Retrieval(Session& session, std::string_view filters, std::string_view nonce, MruList& list)
      : session_(session),
        filters_(filters),
        list_(list),
        end_(Now() + kMruSeconds),
        next_report_(Now() + kReportSeconds),
        size_(session.host().address.is_loopback(), session.settings.authenticate) {
    TakeNonce(nonce);
  }

  MruEnd Run();

 private:
  MonoTime Now() const { return session_.host().transport->Now(); }
  void TakeNonce(std::string_view nonce);
  bool HaveNonce();
  Result<Reply, QueryError> AskForMore();
  // Why there is no point in asking again; empty when there is.
  std::optional<MruEnd> OnAnswer(const Reply& reply);
  // Whether to ask again, in another way.
  bool MayAskAgain(const QueryError& error);
  MruEnd GiveUp(const QueryError& error);
  void Report();

  Session& session_;
  std::string filters_;
  MruList& list_;
  MonoTime end_;
  MonoTime next_report_;
  bool reported_ = false;  // the cursor is behind a report
  MruAnswerSize size_;
  std::string nonce_;
  int nonce_uses_ = 0;  // that are left
  int steps_back_ = 0;
  int silences_ = 0;
  int losses_ = 0;
};

MruEnd Retrieval::Run() {
  while (!list_.complete()) {
    if (session_.platform().Interrupted())
      return GiveUp(QueryError{QueryError::Kind::kInterrupted, {}, {}});
    if (Now() >= end_) return MruEnd::kTooLate;
    Report();
    if (!HaveNonce()) return MruEnd::kUnanswered;
    const auto reply = AskForMore();
    if (!reply.ok()) {
      if (!MayAskAgain(reply.error())) return GiveUp(reply.error());
    } else if (const auto end = OnAnswer(*reply)) {
      return *end;
    }
  }
  return MruEnd::kWhole;
}

void Retrieval::TakeNonce(std::string_view nonce) {
  if (nonce.empty()) return;
  nonce_ = nonce;
  nonce_uses_ = kNonceUses;
}

bool Retrieval::HaveNonce() {
  if (nonce_uses_ == 0) TakeNonce(FetchNonce(session_));
  return nonce_uses_-- > 0;
}

Result<Reply, QueryError> Retrieval::AskForMore() {
  std::string question =
      "nonce=" + nonce_ + ", frags=" + std::to_string(size_.fragments()) + filters_;
  if (question.size() > wire::kMaxControlData)
    return Fail(QueryError{QueryError::Kind::kNotSent, {}, "***Filters are longer than a request"});
  question += list_.Position(wire::kMaxControlData - question.size());
  return session_.Try(wire::ControlOp::kReadMru, AssocId{0}, question, Auth::kAsSet, 1);
}

std::optional<MruEnd> Retrieval::OnAnswer(const Reply& reply) {
  if (session_.settings.raw && !session_.settings.json) session_.Print(PrintableLines(reply.data));
  steps_back_ = silences_ = losses_ = 0;
  size_.OnWhole();
  const bool progress = list_.Take(reply.data);
  TakeNonce(list_.nonce());
  if (list_.full()) return MruEnd::kFull;
  return progress ? std::nullopt : std::optional(MruEnd::kRepeated);
}

MruEnd Retrieval::GiveUp(const QueryError& error) {
  const bool stopped = error.kind == QueryError::Kind::kInterrupted;
  if (!stopped && Now() >= end_) return MruEnd::kTooLate;
  if (!stopped && reported_) session_.Notice("\n");
  session_.Explain(error, AssocId{0});
  return stopped ? MruEnd::kStopped : MruEnd::kUnanswered;
}

bool Retrieval::MayAskAgain(const QueryError& error) {
  if (Now() >= end_) return false;
  if (error.kind == QueryError::Kind::kRefused)
    return error.code == wire::ControlError::kUnknownVariable && ++steps_back_ <= kMostStepsBack &&
           list_.StepBack();
  // What was waited for may have outlived the nonce.
  nonce_uses_ = 0;
  if (error.kind == QueryError::Kind::kIncomplete) {
    size_.OnLoss();
    return ++losses_ < kMostLosses;
  }
  if (error.kind != QueryError::Kind::kNothing) return false;
  if (list_.size() > 0) size_.OnSilence();
  return ++silences_ < kMostSilences;
}

void Retrieval::Report() {
  if (Now() < next_report_) return;
  next_report_ = Now() + kReportSeconds;
  session_.Notice("\r" + std::to_string(list_.size()) + " (" + std::to_string(list_.updates()) +
                  " updates) ");
  reported_ = true;
}

}  // namespace

void MruAnswerSize::OnWhole() { fragments_ = std::min(most_, fragments_ + 1); }

void MruAnswerSize::OnLoss() { fragments_ = std::max(kLeast, fragments_ / 2); }

void MruAnswerSize::OnSilence() {
  most_ = limit_;
  fragments_ = std::min(most_, fragments_ * 2);
}

MruEnd RetrieveMru(Session& session, std::string_view filters, MruList& list) {
  session.BeginCommand(kMruSeconds);
  const std::string nonce = FetchNonce(session);
  if (nonce.empty()) return MruEnd::kUnanswered;
  return Retrieval(session, filters, nonce, list).Run();
}

std::optional<uint64_t> MissingClients(Session& session, const MruList& list) {
  session.BeginCommand(kCountSeconds);
  const auto reply = session.Try(wire::ControlOp::kReadVariables, AssocId{0}, "mru_depth");
  const auto depth = NumberOf(ReadValues(reply.ok() ? reply->data : ""), "mru_depth");
  if (!depth || *depth <= list.size()) return std::nullopt;
  return *depth - list.size();
}

}  // namespace ntpward::ntpq
