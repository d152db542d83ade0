#include "tests/support/authority.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <map>

namespace ntpward::autokey::test {
namespace {

const EVP_MD* DigestOf(int scheme) {
  switch (scheme) {
    case NID_md5WithRSAEncryption:
      return EVP_md5();
    case NID_sha1WithRSAEncryption:
      return EVP_sha1();
    default:
      return EVP_sha256();
  }
}

void SetTime(ASN1_TIME* time, CalendarSeconds seconds) {
  CHECK(ASN1_TIME_set(time, static_cast<time_t>(seconds - CalendarSeconds{kUnixToNtpSeconds})) !=
        nullptr);
}

X509_NAME* MakeName(const std::string& name, bool twice) {
  X509_NAME* made = X509_NAME_new();
  const auto* text = AsBytes(name).data();
  for (int i = 0; i < (twice ? 2 : 1); ++i)
    X509_NAME_add_entry_by_txt(made, "CN", MBSTRING_UTF8, text, static_cast<int>(name.size()), -1,
                               0);
  return made;
}

void AddUsages(X509* x509, const CertificateSpec& spec) {
  if (spec.usages.empty()) return;
  const KeyUsagePtr usages(sk_ASN1_OBJECT_new_null());
  for (const std::string& usage : spec.usages)
    sk_ASN1_OBJECT_push(usages.get(), OBJ_txt2obj(usage.c_str(), 1));
  for (int i = 0; i < (spec.usage_twice ? 2 : 1); ++i)
    CHECK(X509_add1_ext_i2d(x509, NID_ext_key_usage, usages.get(), 0, X509V3_ADD_APPEND) == 1);
}

void AddGroupValue(X509* x509, const CertificateSpec& spec) {
  if (spec.group_value.empty()) return;
  const OctetStringPtr value(ASN1_OCTET_STRING_new());
  ASN1_OCTET_STRING_set(value.get(), spec.group_value.data(),
                        static_cast<int>(spec.group_value.size()));
  CHECK(X509_add1_ext_i2d(x509, NID_subject_key_identifier, value.get(), 0, 0) == 1);
}

template <typename Operation>
std::vector<uint8_t> Oaep(EVP_PKEY* pkey, Bytes in, Operation init,
                          int (*run)(EVP_PKEY_CTX*, unsigned char*, size_t*, const unsigned char*,
                                     size_t)) {
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new(pkey, nullptr);
  CHECK(init(context) == 1);
  CHECK(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1);
  std::vector<uint8_t> out(1024);
  size_t size = out.size();
  if (run(context, out.data(), &size, in.data(), in.size()) != 1) size = 0;
  out.resize(size);
  EVP_PKEY_CTX_free(context);
  ERR_clear_error();
  return out;
}

// The public key as the message's fields say it.
PkeyPtr RsaFrom(Bytes modulus, uint32_t exponent) {
  const BigPtr n(BN_bin2bn(modulus.data(), static_cast<int>(modulus.size()), nullptr));
  const BigPtr e(BN_new());
  CHECK(BN_set_word(e.get(), exponent) == 1);
  return RsaPublicKey(n.get(), e.get());
}

// What stands for a proof: nobody without the group's secret writes it.
std::vector<uint8_t> ProofOf(Bytes challenge, uint8_t secret) {
  std::vector<uint8_t> proof(challenge.begin(), challenge.end());
  for (uint8_t& octet : proof) octet = static_cast<uint8_t>(octet ^ secret);
  return proof;
}

}  // namespace

PkeyPtr RsaPublicKey(const BIGNUM* modulus, const BIGNUM* exponent) {
  OSSL_PARAM_BLD* builder = OSSL_PARAM_BLD_new();
  CHECK(OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) == 1);
  CHECK(OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) == 1);
  OSSL_PARAM* parameters = OSSL_PARAM_BLD_to_param(builder);
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, nullptr);
  EVP_PKEY* key = nullptr;
  CHECK(EVP_PKEY_fromdata_init(context) == 1);
  CHECK(EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) == 1);
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(parameters);
  OSSL_PARAM_BLD_free(builder);
  return PkeyPtr(key);
}

std::shared_ptr<TestKey> TestKey::Rsa(int bits) {
  auto key = std::make_shared<TestKey>();
  key->pkey_.reset(EVP_RSA_gen(static_cast<unsigned>(bits)));
  CHECK(key->pkey_ != nullptr);
  return key;
}

std::shared_ptr<TestKey> TestKey::Shared(int number, int bits) {
  static std::map<std::pair<int, int>, std::shared_ptr<TestKey>> keys;
  auto& key = keys[{number, bits}];
  if (!key) key = Rsa(bits);
  return key;
}

std::vector<uint8_t> TestKey::pkcs1() const {
  std::vector<uint8_t> der(static_cast<size_t>(i2d_PublicKey(pkey_.get(), nullptr)));
  uint8_t* out = der.data();
  i2d_PublicKey(pkey_.get(), &out);
  return der;
}

PublicKey TestKey::public_key() const {
  auto key = ParseRsaPublicKey(pkcs1());
  CHECK(key.has_value());
  return *key;
}

std::vector<uint8_t> TestKey::Sign(int nid, Bytes data) const {
  const DigestContextPtr context(EVP_MD_CTX_new());
  CHECK(EVP_DigestSignInit(context.get(), nullptr, DigestOf(nid), nullptr, pkey_.get()) == 1);
  size_t size = 0;
  CHECK(EVP_DigestSign(context.get(), nullptr, &size, data.data(), data.size()) == 1);
  std::vector<uint8_t> signature(size);
  CHECK(EVP_DigestSign(context.get(), signature.data(), &size, data.data(), data.size()) == 1);
  signature.resize(size);
  return signature;
}

std::vector<uint8_t> MakeCertificate(const CertificateSpec& spec, EVP_PKEY* subject_key,
                                     EVP_PKEY* issuer_key) {
  const X509Ptr x509(X509_new());
  X509_set_version(x509.get(), 2);
  const BigPtr serial(BN_bin2bn(spec.serial.data(), static_cast<int>(spec.serial.size()), nullptr));
  BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(x509.get()));
  SetTime(X509_getm_notBefore(x509.get()), spec.not_before);
  SetTime(X509_getm_notAfter(x509.get()), spec.not_after);
  X509_NAME* subject = MakeName(spec.subject, spec.second_name);
  X509_NAME* issuer = MakeName(spec.issuer, spec.second_name);
  X509_set_subject_name(x509.get(), subject);
  X509_set_issuer_name(x509.get(), issuer);
  X509_NAME_free(subject);
  X509_NAME_free(issuer);
  X509_set_pubkey(x509.get(), subject_key);
  AddGroupValue(x509.get(), spec);
  AddUsages(x509.get(), spec);
  CHECK(X509_sign(x509.get(), issuer_key, DigestOf(spec.scheme)) > 0);
  std::vector<uint8_t> der(static_cast<size_t>(i2d_X509(x509.get(), nullptr)));
  uint8_t* out = der.data();
  i2d_X509(x509.get(), &out);
  return der;
}

Certificate MakeParsed(const CertificateSpec& spec, EVP_PKEY* subject_key, EVP_PKEY* issuer_key,
                       uint32_t filestamp) {
  auto parsed =
      ParseCertificate(MakeCertificate(spec, subject_key, issuer_key), NtpSeconds{filestamp});
  CHECK(parsed.ok());
  return std::move(parsed).value();
}

Party::Party(std::string party_name, std::shared_ptr<TestKey> party_key, bool trusted,
             uint32_t identity_bits, int party_scheme)
    : name(std::move(party_name)), key(std::move(party_key)), scheme(party_scheme) {
  CertificateSpec spec;
  spec.subject = spec.issuer = name;
  spec.scheme = scheme;
  if (trusted) spec.usages = kTrustRoot;
  material.crypto_enabled = true;
  CHECK(material.subject.Assign(AsBytes(name)));
  material.status_word = static_cast<uint32_t>(scheme) << 16 | kEnabled | identity_bits;
  material.host_key_filestamp = material.certificate_filestamp = NtpSeconds{kTestNow - 200};
  CHECK(material.host_public_key.Assign(key->pkcs1()));
  CHECK(material.certificate.Assign(MakeCertificate(spec, key->pkey(), key->pkey())));
  CHECK(host.SetMaterial(material).ok());
  certificates.SetOwn(host.certificate());
}

void Party::MakePrivate(std::string_view group) {
  CertificateSpec spec;
  spec.subject = spec.issuer = group;
  spec.usages = {"1.3.6.1.4"};
  spec.scheme = scheme;
  material.status_word |= kPrivate;
  CHECK(material.subject.Assign(AsBytes(group)));
  CHECK(material.certificate.Assign(MakeCertificate(spec, key->pkey(), key->pkey())));
  CHECK(host.SetMaterial(material).ok());
  certificates.SetOwn(host.certificate());
}

void Party::AddGroup(std::string_view group, bool has_public, msg::IdentityScheme group_scheme) {
  msg::GroupParameters parameters;
  CHECK(parameters.group.Assign(AsBytes(group)));
  parameters.scheme = group_scheme;
  parameters.filestamp = NtpSeconds{group_filestamp};
  parameters.has_public = has_public;
  CHECK(material.groups.Push(parameters));
  CHECK(host.SetMaterial(material).ok());
}

msg::ValueAnswer Party::Signed(uint32_t now, uint32_t filestamp, Bytes value) const {
  msg::ValueAnswer answer;
  answer.code = msg::VerdictCode::kGood;
  answer.timestamp = NtpSeconds{now};
  answer.filestamp = NtpSeconds{filestamp};
  CHECK(answer.value.Assign(value));
  if (now == 0) return answer;
  std::vector<uint8_t> covered(12 + value.size());
  Writer writer(covered);
  writer.U32(now), writer.U32(filestamp), writer.U32(static_cast<uint32_t>(value.size()));
  writer.Put(value);
  CHECK(answer.signature.Assign(key->Sign(scheme, covered)));
  return answer;
}

std::vector<uint8_t> EncodedField(const wire::AutokeyField& field) {
  std::vector<uint8_t> bytes(wire::kMaxExtensionArea);
  Writer writer(bytes);
  if (field.has_value)
    wire::EncodeAutokeyField(writer, field);
  else
    wire::EncodeShortField(writer, field.head);
  CHECK(writer.Finish());
  bytes.resize(writer.size());
  return bytes;
}

std::vector<uint8_t> Party::SignField(const wire::AutokeyField& field) const {
  wire::AutokeyField made = field;
  const msg::ValueAnswer answer = Signed(field.timestamp.value, field.filestamp.value, field.value);
  made.signature = answer.signature.span();
  return EncodedField(made);
}

void Party::Sign(uint32_t now) {
  static int64_t calls = 0;  // far enough apart that an update is always due
  const auto update = host.DueUpdate(MonoTime::FromSeconds(static_cast<double>(++calls) * 1e6),
                                     NtpSeconds{now}, true);
  CHECK(update.has_value());
  const uint32_t filestamp = material.host_key_filestamp.value;
  std::array<uint8_t, 12> leap{};
  Writer writer(leap);
  writer.U32(update->tai), writer.U32(update->leap_epoch), writer.U32(update->leap_expiry);
  msg::SignedValues values;
  values.timestamp = NtpSeconds{now};
  values.host_public_key = Signed(now, filestamp, material.host_public_key.span()).signature;
  values.certificate = Signed(now, filestamp, material.certificate.span()).signature;
  values.leap = Signed(now, filestamp, leap).signature;
  host.OnSignedValues(values);
}

msg::ValueAnswer Party::Answer(const ServerOperation& operation) const {
  if (const auto* cookie = std::get_if<msg::CookieIssue>(&operation)) {
    CHECK(cookie->Valid());
    const PkeyPtr pkey = RsaFrom(cookie->modulus.span(), cookie->exponent);
    const std::array<uint8_t, 4> secret = {1, 2, 3, 4};
    return Signed(cookie->now.value, host.update_time().value,
                  Oaep(pkey.get(), secret, EVP_PKEY_encrypt_init, EVP_PKEY_encrypt));
  }
  if (const auto* prove = std::get_if<msg::IdentityProve>(&operation)) {
    CHECK(prove->Valid());
    return Signed(prove->now.value, group_filestamp,
                  ProofOf(prove->challenge.span(), group_secret));
  }
  const auto& issue = std::get<msg::CertificateIssue>(operation);
  CHECK(issue.Valid());
  // The tests' clients all have shared keys, so the key of that modulus is found again.
  for (int number = 0; number < 8; ++number) {
    const auto candidate = TestKey::Shared(number);
    if (!(candidate->public_key().modulus == issue.modulus)) continue;
    CertificateSpec spec;
    spec.subject = std::string(issue.subject.text());
    spec.issuer = name;
    spec.not_before = Unfold(issue.now);
    spec.scheme = scheme;
    return Signed(issue.now.value, issue.filestamp.value,
                  MakeCertificate(spec, candidate->pkey(), key->pkey()));
  }
  return {};
}

msg::ValueAnswer Party::Challenge(const msg::IdentityChallenge& challenge) const {
  CHECK(challenge.Valid());
  std::array<uint8_t, 20> octets{};
  octets.fill(0x5a);
  return Signed(challenge.now.value, group_filestamp, octets);
}

msg::VerdictCode Party::Verdict(const ClientOperation& operation) const {
  if (const auto* verify = std::get_if<msg::IdentityVerify>(&operation)) {
    CHECK(verify->Valid());
    std::array<uint8_t, 20> octets{};
    octets.fill(0x5a);
    if (verify->filestamp.value != group_filestamp) return msg::VerdictCode::kFilestamp;
    return EqualConstantTime(verify->value.span(), ProofOf(octets, group_secret))
               ? msg::VerdictCode::kGood
               : msg::VerdictCode::kBad;
  }
  const auto& open = std::get<msg::CookieOpen>(operation);
  CHECK(open.Valid());
  const auto plain =
      Oaep(key->pkey(), open.ciphertext.span(), EVP_PKEY_decrypt_init, EVP_PKEY_decrypt);
  return plain.size() == 4 ? msg::VerdictCode::kGood : msg::VerdictCode::kBad;
}

Meeting::Meeting(Party& meeting_client, Party& meeting_server, DancePolicy policy)
    : client(meeting_client),
      server(meeting_server),
      dance(AssocId{43118}, std::move(policy), MonoTime{}) {}

DanceContext Meeting::context() {
  return {client.host, client.certificates, MonoTime::FromSeconds(now - kTestNow),
          client_synchronised ? NtpSeconds{now} : NtpSeconds{}, client_synchronised};
}

ServerContext Meeting::server_context() const {
  return {server.host, server.certificates, NtpSeconds{now}, server_synchronised};
}

DanceResult Meeting::RunJobs(DanceResult result) {
  if (!result.event.empty()) events.push_back(result.event);
  if (result.restart != Restart::kNone) restarts.push_back(result.restart);
  const auto jobs = result.jobs;
  last = result;
  for (const ClientJob& job : jobs) {
    if (std::holds_alternative<msg::ForgetAssociation>(job.operation)) continue;
    if (const auto* challenge = std::get_if<msg::IdentityChallenge>(&job.operation)) {
      RunJobs(dance.OnValueAnswer(job.ticket, client.Challenge(*challenge), context()));
    } else {
      RunJobs(dance.OnVerdict(job.ticket, client.Verdict(job.operation), context()));
    }
  }
  return result;
}

const std::vector<uint8_t>& Meeting::Answer(Bytes field) {
  const AddressPair path{IpAddress::V4(10, 77, 0, 2), IpAddress::V4(10, 77, 0, 1)};
  ServerAnswer answer = server.side.OnRequest(field, path, server_context());
  if (answer.kind == ServerAnswer::Kind::kAskKeys)
    answer = server.side.OnValueAnswer(answer.pending, server.Answer(*answer.operation));
  return answers_.emplace_back(answer.field);
}

DanceResult Meeting::Deliver(Bytes response) {
  return RunJobs(dance.OnResponse(response, context()));
}

std::optional<wire::AutokeyCode> Meeting::Poll() {
  now += 2;
  request = dance.NextRequest(context());
  RunJobs(request.effects);
  if (request.kind == NextField::Kind::kWait) {
    request = dance.NextRequest(context());
    RunJobs(request.effects);
  }
  if (request.kind != NextField::Kind::kField) return std::nullopt;
  const auto code = static_cast<wire::AutokeyCode>(request.field[1]);
  const auto response = Answer(request.field);
  if (!response.empty()) Deliver(response);
  return code;
}

bool Meeting::PollUntil(wire::AutokeyCode code) {
  for (int i = 0; i < 40; ++i) {
    now += 2;
    request = dance.NextRequest(context());
    RunJobs(request.effects);
    if (request.kind != NextField::Kind::kField) continue;
    if (request.field[1] == static_cast<uint8_t>(code)) return true;
    Deliver(Answer(request.field));
  }
  return false;
}

}  // namespace ntpward::autokey::test
