#include "keys/key_loader.h"

#include <time.h>

#include <algorithm>
#include <array>

#include "keys/farm_seeds.h"
#include "keys/key_binding.h"
#include "keys/read_file.h"
#include "privsep/fds.h"

namespace ntpward::keys {
namespace {

constexpr uint32_t kEnabledBit = 0x1, kPrivateBit = 0x10, kIffBit = 0x20, kGqBit = 0x40,
                   kMvBit = 0x80;
constexpr int kStrongRsaBits = 2048;

std::string UtcDate(int64_t unix_seconds) {
  const time_t seconds = unix_seconds;
  tm fields{};
  std::array<char, 32> text{};
  gmtime_r(&seconds, &fields);
  strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &fields);
  return text.data();
}

// What is weak about one file, for one warning.
class Weaknesses {
 public:
  void Add(const std::string& text) { text_ += (text_.empty() ? "" : ", and ") + text; }
  bool any() const { return !text_.empty(); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string Listed(const std::vector<KeyId>& ids) {
  std::string text;
  for (const KeyId id : ids) text += (text.empty() ? "" : " ") + std::to_string(id.value);
  return text;
}

template <typename T>
Result<T> Naming(const std::string& file, Result<T> result, const std::string& mend) {
  if (result.ok()) return result;
  return Fail(file + ": " + result.error().text + mend);
}

// A truncated file wants no other password.
std::string PasswordHint(std::string_view error) {
  return error.find("password") == std::string_view::npos
             ? ""
             : ": the password is what 'crypto pw' says, else the host's name";
}

// What hands, editors and package managers leave beside a group's file, or beside the dated one.
bool IsCopyOf(std::string_view group, std::string_view original) {
  static constexpr std::string_view kSuffixes[] = {
      "~",    ".bak",     ".old",    ".orig",     ".save",     ".swp",
      ".tmp", ".rpmsave", ".rpmnew", ".dpkg-old", ".dpkg-new", ".dpkg-dist"};
  if (!group.starts_with(original)) return false;
  std::string_view rest = group.substr(original.size());
  if (const size_t end = rest.find_first_not_of("0123456789", 1);
      rest.starts_with('.') && end != std::string_view::npos && end > 1)
    rest = rest.substr(end);
  return std::find(std::begin(kSuffixes), std::end(kSuffixes), rest) != std::end(kSuffixes);
}

}  // namespace

uint32_t HostKeys::StatusWord() const {
  uint32_t word = kEnabledBit | (static_cast<uint32_t>(certificate.scheme.nid) << 16);
  if (certificate.private_use) word |= kPrivateBit;
  if (iff_server.current() != nullptr) word |= kIffBit;
  if (gq_server.current() != nullptr) word |= kGqBit;
  if (mv_server.current() != nullptr) word |= kMvBit;
  return word;
}

void KeyLoader::Start(const msg::KeysStart& message) { start_ = message; }

Status KeyLoader::Password(Bytes password) {
  password_ = TRY(Secret::Copy(password));
  return {};
}

void KeyLoader::File(const msg::KeysFile& message) {
  LoadedFile file;
  file.kind = message.kind;
  file.group = message.group.text();
  file.name = message.name.text();
  file.world_readable = message.world_readable;
  file.earlier = message.earlier;
  if (message.fd >= kFirstKeyFile && message.fd < kFirstKeyFile + kMaxKeyFiles) {
    const bool symmetric = message.kind == msg::KeyFileKind::kSymmetric;
    file.content = ReadToEnd(UniqueFd(message.fd), symmetric ? kMaxSymmetricFile : kMaxKeyText);
  } else if (message.fd != -1) {
    file.content = Result<Secret>(Fail("its descriptor is out of range"));
  }
  files_.push_back(std::move(file));
}

void KeyLoader::Trusted(const msg::KeysTrusted& message) {
  trusted_.insert(trusted_.end(), message.keys.begin(), message.keys.end());
}

void KeyLoader::Line(const msg::RuntimeLine& message) { (void)lines_.Take(message); }

void KeyLoader::Runtime(const msg::RuntimeTrust& message) {
  runtime_.insert(runtime_.end(), message.keys.begin(), message.keys.end());
}

std::string KeyLoader::NameOf(const LoadedFile* file, const std::string& usual) {
  return file == nullptr || file->name.ends_with(usual) ? usual : file->name;
}

const KeyLoader::LoadedFile* KeyLoader::Find(msg::KeyFileKind kind) const {
  for (const LoadedFile& file : files_)
    if (file.kind == kind) return &file;
  return nullptr;
}

// ntp-keygen's default password is the host's name.
Bytes KeyLoader::password() const {
  return password_.empty() ? start_->host.span() : password_.bytes();
}

Result<KeyMaterial> KeyLoader::Load(int64_t unix_now) {
  if (!start_) return Fail("the supervisor sent no start message");
  KeyMaterial out;
  out.virtual_clock = start_->virtual_clock;
  out.allow_trusted_issue = start_->allow_trusted_issue;
  out.revoke = start_->revoke;
  out.digest_name = start_->digest_name.text();
  out.hasher = TRY(SessionKeyHasher::Create(out.digest_name));
  out.symmetric = TRY(LoadSymmetric());
  out.control_nonce = start_->control_nonce;
  out.lines = lines_;
  if (start_->crypto_enabled) {
    out.host = TRY(LoadHost(unix_now));
    if (start_->seed_fd >= 0) out.seed_file.emplace(UniqueFd(start_->seed_fd));
    out.farm_secret = TRY(LoadFarmSecret());
    if (out.revoke < kMinRevoke)
      Warn("revoke " + std::to_string(out.revoke) +
           ": the server's private value is rolled every 2^" + std::to_string(kMinRevoke) +
           " s, so that cookies stay good as long as clients use them");
  }
  out.warnings = std::move(warnings_);
  return out;
}

// ntp-keygen makes certificates for the keys of its own names; one that ntp.conf calls otherwise
// (`crypto privatekey`, `sign`) has to have that name, too.
std::string KeyLoader::HowToLink(const LoadedFile& file, const std::string& usual) {
  if (file.name == usual || file.name.ends_with("/" + usual)) return "";
  return " (in keysdir, after 'ln -s " + file.name + " " + usual + "': that is what it certifies)";
}

Result<HostKeys> KeyLoader::LoadHost(int64_t unix_now) {
  const std::string host(start_->host.text());
  const LoadedFile* host_file = Find(msg::KeyFileKind::kHost);
  const LoadedFile* certificate_file = Find(msg::KeyFileKind::kCertificate);
  const std::string make =
      ": make it in keysdir with 'ntp-keygen -T -p PASSWORD' (trusted server) or "
      "'ntp-keygen -H -p PASSWORD' (client)";
  if (host_file == nullptr || !host_file->content)
    return Fail("host key file " + NameOf(host_file, "ntpkey_host_" + host) + " not found" + make);
  if (certificate_file == nullptr || !certificate_file->content)
    return Fail("certificate file " + NameOf(certificate_file, "ntpkey_cert_" + host) +
                " not found" + make + HowToLink(*host_file, "ntpkey_host_" + host));
  HostKeys out;
  out.host = TRY(LoadKeyPair(*host_file));
  const LoadedFile* sign = Find(msg::KeyFileKind::kSign);
  if (sign != nullptr && !sign->content)
    return Fail("sign key file " + sign->name + " is not there, or cannot be read");
  if (sign != nullptr) out.sign = TRY(LoadKeyPair(*sign));
  out.certificate = TRY(LoadCertificate(*certificate_file, unix_now));
  if (!BelongsTo(out.certificate, out.signing_key()))
    return Fail(certificate_file->name + ": it was made for another key than " +
                (out.sign ? "the sign key" : "the host key") + ": " +
                HowToCertify(out.certificate) +
                (sign != nullptr ? HowToLink(*sign, "ntpkey_sign_" + host)
                                 : HowToLink(*host_file, "ntpkey_host_" + host)));
  if (!FitsPacket(out.certificate.der.size(), out.signing().octets()))
    return Fail(
        certificate_file->name +
        ": with its signature it does not fit into a packet: take a shorter key (ntp-keygen "
        "-m), GQ value (-b) or name");
  out.signer = TRY(Signer::Create(out.signing_key(), out.certificate.scheme.digest_name));
  TRY_VOID(LoadGroupFiles(&out));
  return out;
}

Result<KeyPair> KeyLoader::LoadKeyPair(const LoadedFile& file) {
  WarnOfReaders(file);
  const auto& content = *file.content;
  if (!content.ok()) return Fail(file.name + ": " + content.error().text);
  const bool sign = file.kind == msg::KeyFileKind::kSign;
  auto read = (sign ? ReadSignKey : ReadRsaKey)(content->bytes(), password());
  const std::string mend = read.ok() ? "" : PasswordHint(read.error().text);
  KeyPair key = TRY(Naming(file.name, std::move(read), mend));
  Weaknesses weak;
  if (key.weak_encryption) weak.Add("it is encrypted with single DES, as ntp-keygen 4.2.6 did");
  if (const int bits = EVP_PKEY_get_bits(key.key.get()); bits < kStrongRsaBits)
    weak.Add("a key of " + std::to_string(bits) + " bits can be broken");
  if (weak.any())
    Warn(file.name + ": " + weak.text() + ": 'ntp-keygen " + (sign ? "-S RSA" : "-H") +
         " -p PASSWORD' makes one of 2048 bits with better encryption");
  return key;
}

Result<OwnCertificate> KeyLoader::LoadCertificate(const LoadedFile& file, int64_t unix_now) {
  const auto& content = *file.content;
  if (!content.ok()) return Fail(file.name + ": " + content.error().text);
  OwnCertificate certificate = TRY(Naming(file.name, ReadCertificateFile(content->bytes()),
                                          ": renew it with 'ntp-keygen -p PASSWORD'"));
  Weaknesses weak;
  const SignatureScheme& scheme = certificate.scheme;
  if (certificate.ExpiredAt(unix_now))
    weak.Add("the certificate expired on " + UtcDate(certificate.not_after));
  const bool forgeable = scheme.digest_name == "MD5" || scheme.digest_name == "SHA1";
  if (forgeable) weak.Add("its signature (" + scheme.name + ") can be forged");
  if (weak.any())
    Warn(file.name + ": " + weak.text() + ": renew it with 'ntp-keygen" +
         (forgeable ? std::string(" -c ") + (scheme.dsa ? "DSA" : "RSA") + "-SHA256" : "") +
         " -p PASSWORD'");
  if (certificate.NotYetValidAt(unix_now))
    Warn(file.name + ": the certificate is valid from " + UtcDate(certificate.not_before) +
         " only: is this host's clock right?");
  return certificate;
}

Status KeyLoader::LoadGroupFiles(HostKeys* host) {
  using msg::KeyFileKind;
  std::vector<UnusableGroup> unusable;
  GroupLoader loader(password(), host, &warnings_, &unusable);
  for (const LoadedFile& file : files_) {
    const bool server = file.kind == KeyFileKind::kIffKey || file.kind == KeyFileKind::kGqKey ||
                        file.kind == KeyFileKind::kMvKey;
    const bool client = file.kind == KeyFileKind::kIffPar || file.kind == KeyFileKind::kGqPar ||
                        file.kind == KeyFileKind::kMvPar;
    if (!file.content || (!server && !client)) continue;
    if (server && !IsOfOurGroup(file, host->certificate)) continue;
    // A client's key of IFF is no secret.
    if (file.kind != KeyFileKind::kIffPar) WarnOfReaders(file);
    if (!file.content->ok()) {
      const std::string text = file.name + ": " + file.content->error().text;
      if (server && !file.earlier) return Fail(text);
      if (client) {
        unusable.push_back({file.group, text});
      } else {
        Warn(text);
      }
      continue;
    }
    const GroupFile read{file.kind, file.group, file.name, (*file.content)->bytes()};
    if (server && file.earlier) loader.LoadEarlier(read);
    if (server && !file.earlier) TRY_VOID(loader.LoadServer(read));
    if (client) loader.LoadClient(read);
  }
  return JudgeUnusable(unusable, host->groups);
}

// keysdir may hold files of groups that nobody uses: a start goes without those that are broken. A
// reload has a key in use to lose, but not by "ntpkey_iffpar_GROUP.bak" and the like.
Status KeyLoader::JudgeUnusable(const std::vector<UnusableGroup>& unusable,
                                const std::vector<Group>& usable) {
  std::vector<std::string> errors;
  for (const UnusableGroup& file : unusable) {
    const bool copy = std::any_of(usable.begin(), usable.end(), [&file](const Group& group) {
      return IsCopyOf(file.group, group.name);
    });
    if (start_->strict && !copy) {
      errors.push_back(file.reason);
    } else {
      Warn(file.reason);
    }
  }
  if (errors.empty()) return {};
  further_errors_.assign(errors.begin() + 1, errors.end());
  return Fail(errors[0]);
}

// Those of `crypto ident` and of the host, as with ntpd 4.2.8; and that of the group in our name,
// which is where ntp-keygen -i puts the link. 4.2.6's -i makes the group the whole name.
bool KeyLoader::IsOfOurGroup(const LoadedFile& file, const OwnCertificate& certificate) const {
  const std::string& name = certificate.subject;
  const size_t at = name.find('@');
  return file.group == start_->ident.text() || file.group == start_->host.text() ||
         file.group == (at == std::string::npos ? name : name.substr(at + 1));
}

// A member without the secret would answer the others' clients with crypto-NAKs: better no start.
Result<Secret> KeyLoader::LoadFarmSecret() {
  const LoadedFile* file = Find(msg::KeyFileKind::kFarm);
  if (file == nullptr) return Secret();
  if (!file->content)
    return Fail(file->name +
                ": not found (crypto farm): make it on one member with 'ntp-keygen --farm " +
                file->group + "' and copy it to all");
  if (!file->content->ok()) return Fail(file->name + ": " + file->content->error().text);
  WarnOfReaders(*file);
  return Naming(file->name, ParseFarmFile((*file->content)->bytes()), "");
}

Result<SymmetricKeys> KeyLoader::LoadSymmetric() {
  const LoadedFile* file = Find(msg::KeyFileKind::kSymmetric);
  SymmetricKeys keys;
  const bool missing = file != nullptr && !file->content;
  if (missing && !trusted_.empty()) return Fail(file->name + ": not found, or no file (keys)");
  // Default files of some distributions name one that nothing uses.
  if (missing)
    Warn(file->name + ": not found, or no file (keys); no line of the configuration uses a key");
  if (file != nullptr && !missing) {
    WarnOfReaders(*file);
    const auto& content = *file->content;
    if (!content.ok()) return Fail(file->name + ": " + content.error().text);
    SymmetricFile parsed = TRY(ParseSymmetricFile(content->bytes(), file->name));
    if (!parsed.errors.empty()) {
      further_errors_.assign(parsed.errors.begin() + 1, parsed.errors.end());
      return Fail(parsed.errors[0]);
    }
    for (const std::string& warning : parsed.warnings) Warn(warning);
    if (parsed.keys.empty()) Warn(file->name + ": holds no key");
    keys = TRY(SymmetricKeys::Create(std::move(parsed)));
  }
  for (const msg::TrustedKey& trusted : trusted_)
    if (!keys.Trust(trusted.key, {trusted.serve, trusted.upstream, trusted.control, trusted.peer,
                                  trusted.broadcast, trusted.listen}) &&
        (trusted.upstream || trusted.control || trusted.peer || trusted.broadcast))
      Warn("key " + std::to_string(trusted.key.value) + " is used by " +
           (trusted.control && !trusted.upstream ? "controlkey" : "an association") +
           " and is not in the key file");
  ApplyRuntime(&keys);
  if (const std::string shared = Listed(keys.SharedByRoles()); !shared.empty())
    Warn("symmetric keys of clients and of servers: " + shared +
         ": a client that has one can pose as the server that it is used for; take it out of "
         "trustedkey to bind it to that server");
  return keys;
}

// Commands outlive a reload: who revoked a key had a reason, and the file may not know of it yet.
void KeyLoader::ApplyRuntime(SymmetricKeys* keys) {
  keys->SetListens(start_->listens);
  for (const msg::RuntimeLine& kept : lines_.lines()) {
    const auto binding = BindingOf(kept.line.text());
    if (binding.ok() && *binding && !keys->Bind((*binding)->key, (*binding)->uses))
      Warn("a line given at run time names key " + std::to_string((*binding)->key.value) +
           ", which is the control key now, or gone: its association gets no answer");
  }
  for (const msg::TrustedNow& key : runtime_) keys->SetRuntime(key.key, key.trusted);
  if (const std::string revoked = Listed(keys->Revoked()); !revoked.empty())
    Warn("symmetric keys of the configuration that a command has revoked: " + revoked +
         ": not trusted until ntpq's ':config trustedkey' or a restart of the daemon");
}

void KeyLoader::WarnOfReaders(const LoadedFile& file) {
  if (file.world_readable) Warn(file.name + ": everybody can read it: chmod 600 " + file.name);
}

}  // namespace ntpward::keys
