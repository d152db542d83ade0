#include "ntpq/session.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>

#include "ntpd/wire/variable_values.h"
#include "ntpq/proof.h"
#include "ntpq/text.h"
#include "privsep/base/bytes.h"

namespace ntpward::ntpq {
namespace {

// Longer passwords are hexadecimal (as ntpq 4.2.8 reads them).
constexpr size_t kMaxPlainPassword = 20;
constexpr size_t kAssociationSize = 4;
// What ntpward lists in one answer, and what all that there can be take.
constexpr size_t kMostAssociationOctets =
    wire::kMaxControlPayload / kAssociationSize * kAssociationSize;
constexpr size_t kAllAssociationOctets = 0xffff * kAssociationSize;
// How a transport begins to say that a datagram could not leave.
constexpr std::string_view kWriteFailed = "write: ";
// A proof is good for longer than this; s.
constexpr double kBetweenProofsS = 30;
// " nonce=", and what a server may make it of.
constexpr size_t kRoomForNonce = 80;
// With --json: a document has an error.
constexpr int kExitFailed = 2;

uint16_t RandomSequence() {
  std::array<uint8_t, 2> bytes;
  CHECK(RAND_bytes(bytes.data(), bytes.size()) == 1);
  return Reader(bytes).U16();
}

// A list of names to read: such a request may be made in parts.
bool IsListOfNames(wire::ControlOp op) {
  return op == wire::ControlOp::kReadVariables || op == wire::ControlOp::kReadClock;
}

// Adds the items of `more` to a list of variables, as one server would have sent both.
void AppendItems(std::string* list, std::string_view more) {
  while (list->ends_with('\n') || list->ends_with('\r')) list->pop_back();
  if (!list->empty() && !more.empty()) *list += ", ";
  *list += more;
}

std::string ServerErrorText(wire::ControlError code, AssocId assoc) {
  switch (code) {
    case wire::ControlError::kUnspecified:
      return "Server returned an unspecified error";
    case wire::ControlError::kPermission:
      return "Server disallowed request (authentication?)";
    case wire::ControlError::kBadFormat:
      return "Server reports a bad format request packet";
    case wire::ControlError::kBadOperation:
      return "Server reports a bad opcode in request";
    case wire::ControlError::kBadAssociation:
      return "Association ID " + std::to_string(assoc.value) + " unknown to server";
    case wire::ControlError::kUnknownVariable:
      return "A request variable unknown to the server";
    case wire::ControlError::kBadValue:
      return "Server indicates a request variable was bad";
    case wire::ControlError::kRestricted:
      break;
  }
  return "Server returns unknown error code " + std::to_string(static_cast<unsigned>(code));
}

QueryError TooLong() {
  return {QueryError::Kind::kNotSent, {}, "***The question is longer than a request"};
}

std::optional<std::vector<uint8_t>> FromHex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i < text.size(); i += 2) {
    const auto byte = wire::DecodeHex(text.substr(i, 2));
    if (!byte || text[i + 1] == 'x') return std::nullopt;
    bytes.push_back(static_cast<uint8_t>(*byte));
  }
  return bytes;
}

}  // namespace

bool Session::OpenHost(const std::string& name, Family family) {
  auto opened = network_.Open(name, family);
  if (!opened.ok()) {
    const Network::OpenError& error = opened.error();
    PrintError((error.fatal ? Named(error.text) : error.text) + "\n", ErrorKind::kHost);
    if (error.fatal) {
      quit = true;
      exit_status = 1;
    }
    return false;
  }
  associations_.clear();
  querier_.reset();
  proof_begun_.reset();
  host_ = std::move(opened).value();
  querier_.emplace(*host_->transport, RandomSequence());
  return true;
}

std::string Session::HostPrefix() const {
  return host_column_ == 0 || !host_ ? "" : "server=" + host_->name + " ";
}

void Session::Print(std::string_view text) {
  if (document_)
    document_->AddText(text);
  else
    Deliver(text);
}

void Session::Deliver(std::string_view text) {
  if (captured_)
    captured_->append(text);
  else
    platform_.Out(text);
}

void Session::PrintError(std::string_view text, ErrorKind kind) {
  if (document_)
    document_->Fail(kind, text);
  else
    platform_.Err(text);
}

void Session::Warn(std::string_view text) {
  if (document_)
    document_->Warn(text);
  else
    platform_.Err(text);
}

void Session::Notice(std::string_view text) {
  if (!document_) platform_.Err(text);
}

void Session::BeginDocument(std::string command, std::optional<std::string> about) {
  document_host_ = std::move(about);
  document_.emplace(std::move(command), [this](std::string_view text) { Deliver(text); });
}

void Session::EndDocument() {
  document_->Finish(Head());
  if (document_->failed() && exit_status == 0) exit_status = kExitFailed;
  document_.reset();
}

JsonWriter& Session::BeginResult() { return document_->Result(Head()); }

DocumentHead Session::Head() {
  DocumentHead head;
  head.time = platform_.Now();
  head.host = document_host_;
  if (!host_ || document_host_) return head;
  head.host = host_->name;
  head.address = host_->address.ToString();
  return head;
}

std::string Session::EndCapture() {
  std::string text = std::move(captured_).value_or("");
  captured_.reset();
  return text;
}

Display Session::display() {
  return {settings.numeric ? nullptr : &names_, settings.signs, settings.refid, platform_.Now()};
}

void Session::BeginCommand(double seconds) {
  names_.BeginCommand();
  proof_begun_.reset();
  if (host_) querier_->set_deadline(host_->transport->Now() + seconds);
}

std::optional<Reply> Session::Ask(wire::ControlOp op, AssocId assoc, std::string_view data,
                                  Auth auth) {
  auto reply = Try(op, assoc, data, auth);
  if (reply.ok()) return std::move(reply).value();
  Explain(reply.error(), assoc);
  return std::nullopt;
}

Result<Reply, QueryError> Session::Try(wire::ControlOp op, AssocId assoc, std::string_view data,
                                       Auth auth, int attempts) {
  if (!host_)
    return Fail(QueryError{QueryError::Kind::kNoHost, {}, "***No host open, use `host' command"});
  std::optional<Credentials> credentials;
  if (auth == Auth::kAlways || settings.authenticate) {
    if (!PrepareCredentials()) return Fail(QueryError{QueryError::Kind::kCredentials, {}, {}});
    credentials = Credentials{key, key_type, password.bytes()};
  }
  // Under a MAC a nonce may have to go with it.
  const size_t room = wire::kMaxControlData - (credentials ? kRoomForNonce : 0);
  if (IsListOfNames(op) && data.size() > room)
    return TryInParts(op, assoc, data, room, auth, attempts);
  const QueryOptions options{settings.version, settings.timeout_ms / 1000.0,
                             std::max(3.0, settings.timeout_ms / 2000.0), attempts};
  auto reply = AskOnce(op, assoc, data, options, credentials);
  if (!MayWantProof(op, reply) || !MayProve()) return reply;
  proof_begun_ = host_->transport->Now();
  if (op == wire::ControlOp::kRequestNonce && data.empty())
    return AskOnce(op, assoc, NonceRequestData(), options, credentials);
  const auto nonce = ProveAddress([&](wire::ControlOp which, std::string_view what) {
    return AskOnce(which, AssocId{0}, what, options, credentials);
  });
  if (!nonce.ok() && nonce.error().kind == QueryError::Kind::kInterrupted)
    return Fail(nonce.error());
  if (!nonce.ok()) return reply;
  // Under a MAC the nonce belongs to the question, too: else anybody could send it again.
  const bool sealed = credentials && op == wire::ControlOp::kReadVariables && assoc.value == 0;
  return AskOnce(op, assoc, std::string(data) + (sealed ? " nonce=" + *nonce : ""), options,
                 credentials);
}

Result<Reply, QueryError> Session::TryInParts(wire::ControlOp op, AssocId assoc,
                                              std::string_view names, size_t room, Auth auth,
                                              int attempts) {
  Reply whole;
  while (!names.empty()) {
    const bool is_last = names.size() <= room;
    const size_t end = is_last ? names.size() : names.rfind(',', room);
    if (end == std::string_view::npos || end == 0) return Fail(TooLong());
    auto part = Try(op, assoc, names.substr(0, end), auth, attempts);
    if (!part.ok()) return part;
    whole.status = part->status;
    AppendItems(&whole.data, part->data);
    names.remove_prefix(is_last ? end : end + 1);
  }
  return whole;
}

Result<Reply, QueryError> Session::AskOnce(wire::ControlOp op, AssocId assoc, std::string_view data,
                                           const QueryOptions& options,
                                           const std::optional<Credentials>& credentials) {
  if (data.size() > wire::kMaxControlData) return Fail(TooLong());
  auto reply = querier_->Ask(op, assoc, data, options, credentials);
  if (settings.debug > 0) Trace(op, assoc, reply);
  if (reply.ok() && credentials) Judge(op, reply->mac);
  return reply;
}

// A server that does not know the key answers what everybody may ask without a MAC.
void Session::Judge(wire::ControlOp op, AnswerMac worth) {
  const bool takes_key = op == wire::ControlOp::kConfigure || op == wire::ControlOp::kSaveConfig ||
                         op == wire::ControlOp::kWriteVariables ||
                         op == wire::ControlOp::kReadOrderedList;
  if (worth == AnswerMac::kBad || takes_key) doubt_ = std::max(doubt_, worth);
}

void Session::TellDoubt() {
  const AnswerMac doubt = std::exchange(doubt_, AnswerMac::kGood);
  if (doubt == AnswerMac::kGood) return;
  Warn(std::string("***The answer has ") + (doubt == AnswerMac::kNone ? "no" : "a wrong") +
       " MAC: whoever is on the way may have written it\n");
}

bool Session::MayProve() const {
  return !proof_begun_ || host_->transport->Now() - *proof_begun_ >= kBetweenProofsS;
}

void Session::Trace(wire::ControlOp op, AssocId assoc, const Result<Reply, QueryError>& reply) {
  platform_.Err("asked operation " + std::to_string(static_cast<unsigned>(op)) +
                " of association " + std::to_string(assoc.value) + ": " +
                (reply.ok() ? std::to_string(reply->data.size()) + " octets" : "no answer") + "\n");
}

void Session::Explain(const QueryError& error, AssocId assoc) {
  switch (error.kind) {
    case QueryError::Kind::kRefused:
      Refused(error.code, assoc);
      break;
    case QueryError::Kind::kNothing:
      Notice(host_->name + ": timed out, nothing received\n");
      PrintError(HostPrefix() + "***Request timed out\n", ErrorKind::kTimeout);
      break;
    case QueryError::Kind::kIncomplete:
      Notice(host_->name + ": timed out with incomplete data\n");
      PrintError(HostPrefix() + "***Response from server was incomplete\n", ErrorKind::kIncomplete);
      break;
    case QueryError::Kind::kTooMuch:
      PrintError(HostPrefix() + "***Buffer size exceeded for returned data\n", ErrorKind::kTooMuch);
      break;
    case QueryError::Kind::kInterrupted:
      // Said once, at the prompt, however many questions the command would still have had.
      if (document_) document_->Fail(ErrorKind::kInterrupted, "interrupted");
      break;
    case QueryError::Kind::kNoHost:
      PrintError(error.text + "\n", ErrorKind::kHost);
      break;
    case QueryError::Kind::kNotSent:
      PrintError(error.text + "\n", ErrorKind::kUsage);
      break;
    case QueryError::Kind::kTransport:
      PrintError(Named(TransportText(error.text)) + "\n", ErrorKind::kTransport);
      break;
    case QueryError::Kind::kCredentials:
      break;  // told when they were asked for
  }
}

std::string Session::TransportText(const std::string& text) const {
  if (!text.starts_with(kWriteFailed)) return text;
  return "write to " + host_->name + " failed: " + text.substr(kWriteFailed.size());
}

std::string Session::Named(const std::string& text) const {
  return document_ ? text : program + ": " + text;
}

void Session::Refused(wire::ControlError code, AssocId assoc) {
  const std::string text = ServerErrorText(code, assoc);
  if (document_)
    document_->Fail(ErrorKind::kRefused, text, code);
  else
    platform_.Err(HostPrefix() + "***" + text + "\n");
}

Result<Reply, QueryError> Session::TryAssociationTable() {
  Reply whole = TRY(Try(wire::ControlOp::kReadStatus, AssocId{0}, ""));
  size_t last_part = whole.data.size();
  while (last_part == kMostAssociationOctets && whole.data.size() < kAllAssociationOctets) {
    const std::string from = "from=" + std::to_string(whole.data.size() / kAssociationSize);
    const Reply next = TRY(Try(wire::ControlOp::kReadStatus, AssocId{0}, from));
    // Another daemon says all at once, and the same again.
    const std::string_view first_id = std::string_view(whole.data).substr(0, 2);
    if (std::string_view(next.data).starts_with(first_id)) break;
    last_part = next.data.size();
    whole.data += next.data;
  }
  return whole;
}

bool Session::FetchAssociations() {
  associations_.clear();
  const auto reply = TryAssociationTable();
  if (!reply.ok()) {
    Explain(reply.error(), AssocId{0});
    return false;
  }
  if (reply->data.size() % kAssociationSize != 0) {
    PrintError("***Server returned " + std::to_string(reply->data.size()) +
                   " octets, should be multiple of 4\n",
               ErrorKind::kAnswer);
    return false;
  }
  associations_ = DecodeAssociations(reply->data);
  if (!associations_.empty() || document_) return true;
  PrintError("No association ID's returned\n");
  return false;
}

bool Session::PrepareCredentials() {
  if (key.is_none() && !AskForKey()) {
    PrintError("Invalid key identifier\n", ErrorKind::kCredentials);
    return false;
  }
  return !password.empty() || AskForPassword();
}

bool Session::AskForKey() {
  const auto answer = platform_.Ask("Keyid: ", false);
  const auto number = answer ? wire::DecodeUnsigned(*answer) : std::nullopt;
  const KeyId typed{static_cast<uint32_t>(std::min<uint64_t>(number.value_or(0), 65536))};
  if (!typed.is_symmetric()) return false;
  key = typed;
  return true;
}

bool Session::AskForPassword() {
  auto answer = platform_.Ask(std::string(key_type.name) + " Password: ", true);
  const bool taken = answer && SetPassword(*answer);
  if (answer) Wipe(MutableBytes(reinterpret_cast<uint8_t*>(answer->data()), answer->size()));
  if (!taken) PrintError("Invalid password\n", ErrorKind::kCredentials);
  return taken;
}

bool Session::SetPassword(std::string_view text) {
  if (text.empty()) return false;
  std::vector<uint8_t> bytes(text.begin(), text.end());
  if (text.size() > kMaxPlainPassword) {
    auto decoded = FromHex(text);
    if (!decoded) return false;
    bytes = *decoded;
  }
  auto secret = Secret::Copy(bytes);
  Wipe(bytes);
  if (!secret.ok()) return false;
  password = std::move(secret).value();
  return true;
}

std::vector<Association> DecodeAssociations(std::string_view payload) {
  std::vector<Association> list;
  Reader in(AsBytes(payload));
  while (in.remaining() >= kAssociationSize) {
    Association association;
    association.id = AssocId{in.U16()};
    association.status = in.U16();
    list.push_back(association);
  }
  std::stable_sort(list.begin(), list.end(),
                   [](const Association& a, const Association& b) { return a.id < b.id; });
  return list;
}

}  // namespace ntpward::ntpq
