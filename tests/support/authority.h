// Keys, certificates and a stand-in for the key process, made by the tests for themselves.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ntpd/autokey/client_dance.h"
#include "ntpd/autokey/server_side.h"
#include "privsep/openssl/owners.h"

namespace ntpward::autokey::test {

// A time within every certificate made here: 2026-11-21 23:48:20.
inline constexpr uint32_t kTestNow = 0xeeacac44;
inline constexpr CalendarSeconds kYear = 365 * 86400;

// A public RSA key of that modulus and exponent, whatever they are worth.
PkeyPtr RsaPublicKey(const BIGNUM* modulus, const BIGNUM* exponent);

// An RSA key pair.
class TestKey {
 public:
  static std::shared_ptr<TestKey> Rsa(int bits);
  // A key of that number that is made once per program.
  static std::shared_ptr<TestKey> Shared(int number, int bits = 512);

  EVP_PKEY* pkey() const { return pkey_.get(); }
  std::vector<uint8_t> pkcs1() const;
  PublicKey public_key() const;
  std::vector<uint8_t> Sign(int nid, Bytes data) const;

 private:
  PkeyPtr pkey_;
};

struct CertificateSpec {
  std::string subject = "server";
  std::string issuer = "server";
  CalendarSeconds not_before = CalendarSeconds{kTestNow} - 100;
  CalendarSeconds not_after = CalendarSeconds{kTestNow} + kYear;
  std::vector<std::string> usages;  // dotted object identifiers
  bool usage_twice = false;
  bool second_name = false;  // a second common name
  int scheme = NID_md5WithRSAEncryption;
  std::vector<uint8_t> group_value;
  std::vector<uint8_t> serial = {0x00, 0xee, 0xac, 0xac, 0x42};
};
inline const std::vector<std::string> kTrustRoot = {"1.3.6.1.5.5.7.48.1.11"};

// DER of a certificate for `subject_key`, signed by `issuer_key`.
std::vector<uint8_t> MakeCertificate(const CertificateSpec& spec, EVP_PKEY* subject_key,
                                     EVP_PKEY* issuer_key);
// The same, parsed; aborts when it is refused.
Certificate MakeParsed(const CertificateSpec& spec, EVP_PKEY* subject_key, EVP_PKEY* issuer_key,
                       uint32_t filestamp = kTestNow - 200);

// A field as it goes out, whatever is in it.
std::vector<uint8_t> EncodedField(const wire::AutokeyField& field);

// A host with its keys: does what the key process does, as far as the protocol can see.
class Party {
 public:
  Party(std::string name, std::shared_ptr<TestKey> key, bool trusted, uint32_t identity_bits = 0,
        int scheme = NID_md5WithRSAEncryption);

  // Scheme PC: all hosts of that key have the same private certificate of that name.
  void MakePrivate(std::string_view group);
  // The files in keysdir that prove or check a group. `has_public`: not the reference's own export.
  void AddGroup(std::string_view group, bool has_public = true,
                msg::IdentityScheme scheme = msg::IdentityScheme::kIff);
  // First synchronisation and later updates.
  void Sign(uint32_t now);

  msg::ValueAnswer Answer(const ServerOperation& operation) const;
  // As a client; verdicts are those of a key process whose group key is `group_secret`.
  msg::ValueAnswer Challenge(const msg::IdentityChallenge& challenge) const;
  msg::VerdictCode Verdict(const ClientOperation& operation) const;
  msg::ValueAnswer Signed(uint32_t now, uint32_t filestamp, Bytes value) const;
  std::vector<uint8_t> SignField(const wire::AutokeyField& field) const;

  std::string name;
  std::shared_ptr<TestKey> key;
  int scheme;
  uint8_t group_secret = 7;
  uint32_t group_filestamp = kTestNow - 200;  // of the group's key, before AddGroup
  msg::HostMaterial material;
  HostState host;
  CertificateCache certificates;
  ServerSide side;
};

// One client and one server that exchange fields as their shells would.
class Meeting {
 public:
  Meeting(Party& client, Party& server, DancePolicy policy = {});

  // One poll: request, answer, key operations of both. Returns what the client's packet asked; none
  // for a plain packet or silence.
  std::optional<wire::AutokeyCode> Poll();
  // Polls until `code` is the next request, which is left in `request`; false after 40 polls.
  bool PollUntil(wire::AutokeyCode code);
  // What the server answers to `request` now; kept as long as the meeting.
  const std::vector<uint8_t>& Answer(Bytes field);
  // Delivers an answer, with the key operations that follow.
  DanceResult Deliver(Bytes response);
  DanceResult RunJobs(DanceResult result);
  DanceContext context();
  ServerContext server_context() const;

  Party& client;
  Party& server;
  ClientDance dance;
  bool client_synchronised = false;
  bool server_synchronised = true;
  uint32_t now = kTestNow;
  NextField request;  // of the last poll
  DanceResult last;   // what the last answer or verdict came to
  std::vector<std::string> events;
  std::vector<Restart> restarts;

 private:
  std::deque<std::vector<uint8_t>> answers_;
};

}  // namespace ntpward::autokey::test
