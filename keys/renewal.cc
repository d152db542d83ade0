#include "keys/renewal.h"

#include "keys/directory_lock.h"
#include "keys/key_change.h"
#include "keys/keygen_groups.h"
#include "keys/unix_time.h"
#include "privsep/base/text.h"

namespace ntpward::keys {
namespace {

constexpr std::string_view kUsualLink = "ntpkey_cert_";

std::string GroupOf(const std::string& subject) {
  const size_t at = subject.find('@');
  return at == std::string::npos ? subject : subject.substr(at + 1);
}

}  // namespace

void Renewal::Say(const std::string& line) const {
  std::fprintf(environment_.err, "%s\n", line.c_str());
}

Status Renewal::Run() {
  if (options_.password.empty()) options_.password = TRY(Secret::Copy(AsBytes(host_)));
  const Place place = TRY(OpenPlace());
  DirectoryLocks locks(environment_.lock_patience_s, [this](const auto& line) { Say(line); });
  TRY_VOID(locks.Take(directory_));
  TRY_VOID(locks.Take(place.directory));
  const RenewalFiles& files = *options_.renewal;
  const KeyPair host_key = TRY(ReadKey(files.host_key, "host key", ReadRsaKey));
  std::optional<KeyPair> sign_key;
  if (!files.sign_key.empty()) sign_key = TRY(ReadKey(files.sign_key, "sign key", ReadSignKey));
  const OwnCertificate old = TRY(ReadCertificate());
  EVP_PKEY* key = sign_key ? sign_key->key.get() : host_key.key.get();
  if (!BelongsTo(old, key))
    return Fail(files.certificate + ": it was made for another key than " +
                (sign_key ? files.sign_key : files.host_key) +
                ", so that no daemon uses it and there is nothing to renew: install the key that "
                "belongs to it, or " +
                HowToCertify(old));
  const int64_t now = ChooseSecond(place, old);
  CertificateContent content;
  content.subject = content.issuer = old.subject;
  content.serial = NtpFromUnix(now).value;
  content.not_before = now;
  content.lifetime_days = old.lifetime_days();
  content.trusted = old.trusted;
  content.private_use = old.private_use;
  content.group_value = TRY(GroupValue(old));
  Say("Generating new certificate " + old.subject + " " + old.scheme.name +
      (old.trusted ? ", trusted" : "") + (old.private_use ? ", private" : ""));
  const auto der = TRY(MakeCertificate(content, key, key, old.scheme));
  if (!FitsPacket(der.size(), static_cast<size_t>(EVP_PKEY_get_size(key))))
    return Fail("the certificate with its signature does not fit into a packet");
  return Write(place, DatedName(place, old, now), now, der);
}

Result<Secret> Renewal::Content(const std::string& path, const char* what) const {
  auto content = TRY(directory_.Read(path));
  if (content) return std::move(*content);
  return Fail(std::string(what) + " file " + path +
              " not found, and only what is in use is renewed: make it with 'ntp-keygen -T -p "
              "PASSWORD' (trusted server) or 'ntp-keygen -H -p PASSWORD' (client)");
}

Result<KeyPair> Renewal::ReadKey(const std::string& path, const char* what,
                                 Result<KeyPair> (*read)(Bytes, Bytes)) const {
  const Secret content = TRY(Content(path, what));
  auto key = read(content.bytes(), options_.password.bytes());
  if (!key.ok()) return Fail("Corrupt file " + path + " or wrong password: " + key.error().text);
  Say(std::string("Using ") + what + " " + key->name);
  return key;
}

Result<OwnCertificate> Renewal::ReadCertificate() const {
  const std::string& path = options_.renewal->certificate;
  const Secret content = TRY(Content(path, "certificate"));
  auto old = ReadCertificateFile(content.bytes());
  if (!old.ok())
    return Fail(path + ": " + old.error().text +
                ", so that it cannot be renewed: make a new one with ntp-keygen");
  return old;
}

// As ntpd looks for it: of `crypto ident`, of the host, of the group in the certificate's name.
Result<std::string> Renewal::GqGroup(const OwnCertificate& old) const {
  for (const std::string& group : {options_.group.value_or(""), host_})
    if (!group.empty() && TRY(directory_.Read("ntpkey_gqkey_" + group))) return group;
  return GroupOf(old.subject);
}

Result<std::vector<uint8_t>> Renewal::GroupValue(const OwnCertificate& old) const {
  KeygenGroupsSetup setup;
  setup.group = setup.host = TRY(GqGroup(old));
  setup.password = TRY(Secret::Copy(options_.password.bytes()));
  setup.say = [this](const std::string& line) { Say(line); };
  return KeygenGroups(options_, directory_, std::move(setup)).CertificateValue();
}

Result<Renewal::Place> Renewal::OpenPlace() const {
  const std::string& path = options_.renewal->certificate;
  const size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  KeyDirectory opened = TRY(KeyDirectory::OpenAt(directory_, directory));
  return Place{std::move(opened), path.substr(slash + 1)};
}

std::string Renewal::DatedName(const Place& place, const OwnCertificate& old, int64_t now) const {
  const std::string owner = place.link.starts_with(kUsualLink) && place.link != kUsualLink
                                ? place.link.substr(kUsualLink.size())
                                : host_;
  return "ntpkey_" + old.scheme.name + "cert_" + owner + "." +
         std::to_string(NtpFromUnix(now).value);
}

int64_t Renewal::ChooseSecond(const Place& place, const OwnCertificate& old) const {
  for (;;) {
    const int64_t now = environment_.now();
    if (!place.directory.Exists(DatedName(place, old, now)) && NtpFromUnix(now) != old.filestamp)
      return now;
    environment_.wait_second();
  }
}

Status Renewal::Write(const Place& place, const std::string& name, int64_t now, Bytes der) const {
  const std::string saved = place.link + ".saved." + std::to_string(NtpFromUnix(now).value);
  KeyChange change(place.directory);
  TRY_VOID(change.WriteNew(name, KeyFileHeader(name, now) + PemCertificate(der), 0644));
  const bool saves = TRY(change.PrepareLink(place.link, name, saved));
  TRY_VOID(change.Commit());
  Say(options_.renewal->certificate + "->" + name);
  if (saves) Say("the old " + place.link + " is now " + saved);
  return {};
}

}  // namespace ntpward::keys
