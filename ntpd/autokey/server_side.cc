#include "ntpd/autokey/server_side.h"

#include <algorithm>
#include <utility>

#include "ntpd/autokey/identity_policy.h"

namespace ntpward::autokey {
namespace {

using wire::AutokeyCode;
using wire::AutokeyField;
using wire::AutokeyFieldHead;

constexpr size_t kLeapValueSize = 12;

AutokeyFieldHead ResponseTo(const AutokeyFieldHead& request) {
  return {true, false, request.code, request.association};
}

std::vector<uint8_t> ShortResponse(const AutokeyFieldHead& request) {
  std::vector<uint8_t> bytes(wire::kShortFieldSize);
  Writer writer(bytes);
  wire::EncodeShortField(writer, ResponseTo(request));
  CHECK(writer.Finish());
  return bytes;
}

ServerAnswer Reply(std::vector<uint8_t> field) {
  ServerAnswer answer;
  answer.kind = ServerAnswer::Kind::kReply;
  answer.field = std::move(field);
  return answer;
}

ServerAnswer AskKeys(ServerOperation operation) {
  ServerAnswer answer;
  answer.kind = ServerAnswer::Kind::kAskKeys;
  answer.operation = std::move(operation);
  return answer;
}

// None when it would not fit into a packet.
std::optional<std::vector<uint8_t>> Encoded(const AutokeyField& field) {
  std::vector<uint8_t> bytes(wire::kMaxExtensionArea);
  Writer writer(bytes);
  wire::EncodeAutokeyField(writer, field);
  if (!writer.Finish()) return std::nullopt;
  bytes.resize(writer.size());
  return bytes;
}

// A request in progress: either an answer, or why there is none.
using Answered = Result<ServerAnswer, Outcome>;

Answered ReplyWith(const AutokeyField& field) {
  auto bytes = Encoded(field);
  if (!bytes) return Fail(Outcome::kLength);
  return Reply(std::move(*bytes));
}

Answered AnswerAssociation(const AutokeyField& request, const ServerContext& context) {
  if (!request.has_value || request.value.size() > wire::kMaxSubjectName)
    return Fail(Outcome::kLength);
  return Reply(AssociationResponse(context.host, request.head.association));
}

// A list that was announced once in a broadcast, told again to who missed that.
Answered AnswerAutokey(const AutokeyField& request, const ServerContext& context) {
  if (!context.key_lists) return Fail(Outcome::kProtocol);
  const OwnKeyList* list = context.key_lists(request.head.association);
  if (list == nullptr) return Fail(Outcome::kProtocol);
  if (!list->CanAnnounce()) return Fail(Outcome::kTimestamp);
  return Reply(list->Announcement(request.head.association));
}

// Our own certificate is signed anew with the host's values. Those of others go out unsigned:
// nobody checks that signature, and the key process signs no octets that came from elsewhere.
Answered AnswerCertificate(const AutokeyField& request, const ServerContext& context) {
  if (!request.has_value || request.value.size() > wire::kMaxSubjectName)
    return Fail(Outcome::kLength);
  const HostState& host = context.host;
  const Certificate* found = context.certificates.FindForClient(AsText(request.value));
  const bool signed_once = host.update_time().value != 0;
  if (found == nullptr || !context.synchronised || !signed_once)
    return Reply(ShortResponse(request.head));
  const bool own = found->der == host.certificate().der;
  // One that begins after our signatures were made would be refused for that; they are made anew.
  // Of our own nothing but its date would make it good, and who asks should hear that.
  if (!own && Unfold(host.update_time()) < found->not_before)
    return Reply(ShortResponse(request.head));
  AutokeyField field;
  field.head = ResponseTo(request.head);
  field.has_value = true;
  field.timestamp = host.update_time();
  field.filestamp = found->filestamp;
  field.value = found->der;
  if (own) field.signature = host.certificate_signature();
  return ReplyWith(field);
}

Answered AnswerCookie(const AutokeyField& request, const AddressPair& path,
                      const ServerContext& context) {
  if (!request.has_value) return Fail(Outcome::kLength);
  const auto key = ParseRsaPublicKey(request.value);
  if (!key || key->modulus.size() < kMinCookieModulusOctets) return Fail(Outcome::kPublicKey);
  // In scheme PC all hosts have one key, so nobody else can want a cookie. The reference gives it.
  if (context.host.is_private() && !std::ranges::equal(request.value, context.host.public_key()))
    return Fail(Outcome::kPublicKey);
  msg::CookieIssue issue;
  issue.now = context.synchronised ? context.now : NtpSeconds{};
  issue.path = path;
  issue.modulus = key->modulus;
  issue.exponent = key->exponent;
  if (!issue.Valid()) return Fail(Outcome::kPublicKey);
  return AskKeys(issue);
}

Answered AnswerIdentity(const AutokeyField& request, msg::IdentityScheme scheme,
                        const ServerContext& context) {
  if ((context.host.status_word() & SchemeBit(scheme)) == 0) return Fail(Outcome::kIdentity);
  if (!request.has_value) return Fail(Outcome::kLength);
  msg::IdentityProve prove;
  prove.now = context.synchronised ? context.now : NtpSeconds{};
  prove.scheme = scheme;
  prove.filestamp = request.filestamp;
  if (!prove.challenge.Assign(request.value)) return Fail(Outcome::kLength);
  return AskKeys(prove);
}

// Unsigned values would make the client start over. So must one that goes by a key of ours that is
// lost: it would not believe another, and ask for ever.
Answered AnswerLeap(const AutokeyField& request, const ServerContext& context, uint8_t elder) {
  const HostState& host = context.host;
  const Bytes signature = host.leap_signature(elder);
  if (host.update_time().value == 0 || signature.empty()) return Fail(Outcome::kTimestamp);
  std::array<uint8_t, kLeapValueSize> value{};
  Writer writer(value);
  writer.U32(host.signed_leap().tai);
  writer.U32(host.signed_leap().epoch.value);
  writer.U32(host.signed_leap().expiry.value);
  AutokeyField field;
  field.head = ResponseTo(request.head);
  field.has_value = true;
  field.timestamp = host.update_time();
  field.filestamp = host.host_key_filestamp();
  field.value = writer.written();
  field.signature = signature;
  return ReplyWith(field);
}

// A request may come unsigned, as ntpd 4.2.8 allows; a signature that is there must be good.
Answered AnswerSign(const AutokeyField& request, const ServerContext& context) {
  // A certificate under the group's name would be its owner's entry to the group.
  if (context.host.is_private()) return Fail(Outcome::kIdentityType);
  if (!context.synchronised) return Fail(Outcome::kTimestamp);
  if (!request.has_value) return Fail(Outcome::kLength);
  const auto client = ParseCertificate(request.value, request.filestamp);
  if (!client) return Fail(client.error());
  // Its own signature shows that the sender has the key that we are asked to vouch for.
  if (!client->self_signed()) return Fail(Outcome::kCertificate);
  if (!request.signature.empty()) {
    const Outcome checked =
        VerifySignature(client->scheme, client->key, request.signed_part, request.signature);
    if (checked != Outcome::kOk) return Fail(checked);
  }
  // Not-yet-valid is let pass: a new client's clock is what it wants us to set.
  if (Unfold(context.now) > client->not_after) return Fail(Outcome::kPeriod);
  const Outcome period = context.host.certificate().PeriodAt(Unfold(context.now));
  if (period != Outcome::kOk) return Fail(period);

  msg::CertificateIssue issue;
  issue.now = context.now;
  issue.filestamp = request.filestamp;
  if (client->key.kind == KeyKind::kRsa) {
    issue.modulus = client->key.modulus;
    issue.exponent = client->key.exponent;
  } else if (const auto dsa = DsaNumbersOf(client->key)) {
    issue.dsa = *dsa;
  } else {
    return Fail(Outcome::kPublicKey);
  }
  issue.trusted = client->trusted;
  if (!issue.subject.Assign(AsBytes(client->subject)) || !issue.Valid())
    return Fail(Outcome::kCertificate);
  return AskKeys(issue);
}

Answered Answer(const AutokeyField& request, const AddressPair& path, const ServerContext& context,
                uint8_t elder) {
  switch (static_cast<AutokeyCode>(request.head.code)) {
    case AutokeyCode::kAssociation:
      return AnswerAssociation(request, context);
    case AutokeyCode::kCertificate:
      return AnswerCertificate(request, context);
    case AutokeyCode::kCookie:
      return AnswerCookie(request, path, context);
    case AutokeyCode::kLeap:
      return AnswerLeap(request, context, elder);
    case AutokeyCode::kSign:
      return AnswerSign(request, context);
    case AutokeyCode::kIff:
      return AnswerIdentity(request, msg::IdentityScheme::kIff, context);
    case AutokeyCode::kGq:
      return AnswerIdentity(request, msg::IdentityScheme::kGq, context);
    case AutokeyCode::kMv:
      return AnswerIdentity(request, msg::IdentityScheme::kMv, context);
    case AutokeyCode::kAutokey:
      return AnswerAutokey(request, context);
    // And whatever is not in the list.
    case AutokeyCode::kNull:
      break;
  }
  return Fail(Outcome::kProtocol);
}

// What it means that the key process could not do what `request` asked for.
Outcome FailureOf(const AutokeyFieldHead& request) {
  switch (static_cast<AutokeyCode>(request.code)) {
    case AutokeyCode::kCookie:
      return Outcome::kPublicKey;
    case AutokeyCode::kSign:
      return Outcome::kCertificate;
    default:
      return Outcome::kIdentity;
  }
}

}  // namespace

std::vector<uint8_t> AssociationResponse(const HostState& host, uint32_t association) {
  AutokeyField field;
  field.head = {true, false, static_cast<uint8_t>(AutokeyCode::kAssociation), association};
  field.has_value = true;
  field.timestamp = host.update_time();
  field.filestamp = NtpSeconds{host.status_word()};
  field.value = AsBytes(host.subject());
  auto bytes = Encoded(field);
  CHECK(bytes.has_value());  // a name has at most 255 octets
  return std::move(*bytes);
}

ServerAnswer ServerSide::Cannot(const PendingReply& request, Outcome outcome) {
  ++counters_.refused;
  std::vector<uint8_t> bytes(wire::kShortFieldSize);
  Writer writer(bytes);
  wire::EncodeErrorField(writer, request.request);
  CHECK(writer.Finish());
  ServerAnswer answer = Reply(std::move(bytes));
  answer.outcome = outcome;
  answer.statistics = OutcomeLine(request.first_word, request.request.association, outcome);
  return answer;
}

// Version 1 was never used by anybody who is still there; its requests are told "cannot" in the
// form that the reference uses, which keeps the version of the request.
ServerAnswer ServerSide::RefuseOldVersion(Bytes field) {
  ++counters_.version_1;
  Reader reader(field);
  reader.Skip(1);
  const uint8_t code = reader.U8();
  reader.Skip(2);
  const uint32_t association = reader.U32();
  ServerAnswer answer =
      Cannot({{true, true, code, association}, FirstWord(field)}, Outcome::kProtocol);
  answer.field[0] = static_cast<uint8_t>(0xc0 | wire::kOldAutokeyVersion);
  return answer;
}

ServerAnswer ServerSide::OnRequest(Bytes field, const AddressPair& path,
                                   const ServerContext& context) {
  if (!context.host.enabled()) return {};
  const auto head = wire::ParseAutokeyFieldHead(field);
  if (!head.ok() && head.error() == wire::FieldReject::kNotAutokey &&
      wire::IsOldAutokeyRequest(static_cast<uint16_t>(field[0] << 8 | field[1])))
    return RefuseOldVersion(field);
  // Answering a response could go on forever between two hosts.
  if (!head.ok() || head->response || head->error) {
    ++counters_.not_autokey;
    return {};
  }
  if (head->code < counters_.requests.size()) {
    ++counters_.requests[head->code];
  } else {
    ++counters_.unknown_code;
  }
  const PendingReply pending{*head, FirstWord(field)};
  const auto request = wire::ParseAutokeyField(field);
  if (!request.ok()) return Cannot(pending, Outcome::kLength);
  if (head->code == static_cast<uint8_t>(AutokeyCode::kSign) && !sign_rate_.Take(context.mono)) {
    ++counters_.busy;
    return {};
  }
  const auto code = static_cast<AutokeyCode>(head->code);
  const bool asks_for_ours =
      code == AutokeyCode::kCertificate && AsText(request->value) == context.host.subject();
  if (asks_for_ours && MissedScheme(path.source, context))
    return Cannot(pending, Outcome::kDigestType);
  const uint8_t elder = ElderFor(path.source, context);
  auto answer = Answer(*request, path, context, elder);
  if (!answer.ok()) return Cannot(pending, answer.error());
  if (answer->operation)
    std::visit([elder](auto& operation) { operation.elder = elder; }, *answer->operation);
  if (asks_for_ours) shown_.set(PlaceOf(path.source));
  if (code == AutokeyCode::kAssociation) told_scheme_.set(PlaceOf(path.source));
  answer->pending = pending;
  return std::move(answer).value();
}

void ServerSide::OnSignerReplaced(MonoTime now, bool scheme) {
  replaced_.insert(replaced_.begin(), now);
  if (replaced_.size() > msg::kMaxElders) replaced_.pop_back();
  shown_.reset();
  if (!scheme) return;
  other_scheme_ = now;
  told_scheme_.reset();
}

size_t ServerSide::PlaceOf(const IpAddress& client) {
  uint64_t sum = 0;
  for (const uint8_t octet : client.octets) sum = (sum ^ octet) * 0x100000001b3U;
  return static_cast<size_t>((sum * 0x9e3779b97f4a7c15U) >> (64 - kPlacesLog2));
}

// Which key a client goes by that was shown our certificate before we came by this one is left to
// chance: it asks again. In scheme PC nobody is shown one, and who has another key than ours is not
// of the group.
uint8_t ServerSide::ElderFor(const IpAddress& client, const ServerContext& context) const {
  if (context.host.is_private()) return 0;
  if (context.elder) return *context.elder;
  if (shown_[PlaceOf(client)]) return 0;
  const auto recent = std::count_if(replaced_.begin(), replaced_.end(),
                                    [&](MonoTime at) { return context.mono - at < kElderSeconds; });
  return static_cast<uint8_t>(context.draw % (static_cast<uint32_t>(recent) + 1));
}

// ntpd 4.2.x takes the digest from ASSOC and the key from CERT: with one of before and one of after
// it would verify nothing, and ask for ever.
bool ServerSide::MissedScheme(const IpAddress& client, const ServerContext& context) const {
  return other_scheme_ && context.mono - *other_scheme_ < kElderSeconds &&
         !told_scheme_[PlaceOf(client)];
}

ServerAnswer ServerSide::OnValueAnswer(const PendingReply& pending,
                                       const msg::ValueAnswer& answer) {
  if (answer.code == msg::VerdictCode::kBusy) {
    ++counters_.busy;
    return {};
  }
  if (answer.code != msg::VerdictCode::kGood) return Cannot(pending, FailureOf(pending.request));
  AutokeyField field;
  field.head = ResponseTo(pending.request);
  field.has_value = true;
  field.timestamp = answer.timestamp;
  field.filestamp = answer.filestamp;
  field.value = answer.value.span();
  field.signature = answer.signature.span();
  auto bytes = Encoded(field);
  if (!bytes) return Cannot(pending, Outcome::kLength);
  return Reply(std::move(*bytes));
}

}  // namespace ntpward::autokey
