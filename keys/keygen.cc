#include "keys/keygen.h"

#include "keys/certificate_maker.h"
#include "keys/directory_lock.h"
#include "keys/key_change.h"
#include "keys/key_maker.h"
#include "keys/unix_time.h"
#include "privsep/base/text.h"

namespace ntpward::keys {
namespace {

constexpr int kStrongBits = 2048;

// The whole certificate as text, as the reference shows it with -d.
std::string CertificateText(Bytes der) {
  const uint8_t* at = der.data();
  const X509Ptr certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  BioPtr bio(BIO_new(BIO_s_mem()));
  CHECK(certificate != nullptr && bio != nullptr && X509_print(bio.get(), certificate.get()) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

}  // namespace

void Keygen::Say(const std::string& line) const {
  std::fprintf(environment_.err, "%s\n", line.c_str());
}

std::string Keygen::FileName(const NewFile& file) const {
  return "ntpkey_" + file.kind + "_" + file.owner + "." + std::to_string(filestamp_.value);
}

std::string Keygen::StampedName(const NewFile& file) const {
  return "ntpkey_" + file.kind + "_" + file.owner + "." +
         std::to_string(file.stamp.value_or(filestamp_).value);
}

std::string Keygen::Header(const std::string& file_name) const {
  return KeyFileHeader(file_name, now_);
}

Status Keygen::Run() {
  host_ = options_.host.value_or(environment_.host_name);
  if (!IsPrintableName(host_)) return Fail("the host has no usable name: give one with -s");
  Say(std::string("Using OpenSSL version ") + OpenSSL_version(OPENSSL_VERSION));
  DirectoryLocks locks(environment_.lock_patience_s, [this](const auto& line) { Say(line); });
  TRY_VOID(locks.Take(directory_));
  now_ = environment_.now();
  if (options_.symmetric) return MakeSymmetricFile();
  if (options_.farm) return MakeFarmFile();
  TRY_VOID(ReadOldCertificate());
  ChooseNames();
  Say("Using host " + host_ + " group " + group_);
  TRY_VOID(ChoosePassword());
  TRY_VOID(PrepareGroups());
  const bool exports = options_.export_parameters || export_server_key_;
  const bool revokes = !options_.mv_revoked.empty();
  const bool certifies = options_.makes_something() || !(exports || revokes);
  // Keys take seconds to make.
  if (certifies || revokes) TRY_VOID(directory_.CheckWritable());
  if (certifies) {
    TRY_VOID(TakeHostKey());
    TRY_VOID(TakeSignKey());
    TRY_VOID(TakeScheme());
  }
  TRY_VOID(groups_->Make(&files_));
  if (certifies) TRY_VOID(MakeNewCertificate());
  if (!files_.empty()) TRY_VOID(WriteAll());
  return exports ? Export() : Status();
}

Status Keygen::ReadOldCertificate() {
  const std::string link = LinkName("cert");
  const auto content = TRY(directory_.Read(link));
  if (!content) return {};
  auto certificate = ReadCertificateFile(content->bytes());
  // It is about to be replaced, so that what is wrong with it does no harm.
  if (!certificate.ok()) return Say(link + " is not used: " + certificate.error().text), Status();
  old_certificate_ = std::move(certificate).value();
  return {};
}

// As ntp-keygen 4.2.8: the subject is HOST, or HOST@GROUP when a group is named; a renewed
// certificate keeps the old one's.
void Keygen::ChooseNames() {
  group_ = options_.group.value_or(host_);
  subject_ = options_.group ? host_ + "@" + group_ : host_;
  if (!old_certificate_ || options_.group || options_.host) return;
  subject_ = old_certificate_->subject;
  if (const size_t at = subject_.find('@'); at != std::string::npos)
    group_ = subject_.substr(at + 1);
}

bool Keygen::Opens(Bytes host_key_file, Bytes password) const {
  return ReadRsaKey(host_key_file, password).ok();
}

// Old guides renew with `-q PASSWORD`, meaning the password of the files; for the reference that is
// the password of an export. Whatever opens the host key decides.
Status Keygen::ChoosePassword() {
  const bool only_q = options_.password.empty() && !options_.export_password.empty();
  export_server_key_ = !options_.password.empty() && !options_.export_password.empty();
  if (!options_.password.empty()) {
    password_ = TRY(Secret::Copy(options_.password.bytes()));
    return {};
  }
  password_ = TRY(Secret::Copy(only_q ? options_.export_password.bytes() : AsBytes(host_)));
  if (!only_q) return Say("No -p: the password of the private files is the host's name"), Status();
  const auto host_file = TRY(directory_.Read(LinkName("host")));
  if (!host_file || Opens(host_file->bytes(), password_.bytes())) return {};
  if (!Opens(host_file->bytes(), AsBytes(host_))) return {};  // neither: told when it is read
  password_ = TRY(Secret::Copy(AsBytes(host_)));
  export_server_key_ = true;
  return {};
}

Result<std::string> Keygen::Encrypted(const EVP_PKEY* key) const {
  return WritePrivateKey(key, password_.bytes(), options_.cipher);
}

Result<KeyPair> Keygen::ReadPrivate(const std::string& name, Bytes content,
                                    Result<KeyPair> (*read)(Bytes, Bytes)) const {
  auto key = read(content, password_.bytes());
  if (!key.ok()) return Fail("Corrupt file " + name + " or wrong password: " + key.error().text);
  return key;
}

Status Keygen::MakeRsa(const char* kind, KeyPair* out) {
  Say("Generating RSA keys (" + std::to_string(options_.modulus_bits) + " bits)...");
  if (options_.modulus_bits < kStrongBits)
    Say("Warning: less than 2048 bits can be broken; use them for old peers only");
  out->key = TRY(MakeRsaKey(options_.modulus_bits));
  std::string pem = TRY(Encrypted(out->key.get()));
  files_.push_back({std::string("RSA") + kind, host_, LinkName(kind), std::move(pem)});
  return {};
}

// Old peers take DSA signatures now and then only: they want each to have the largest size.
Status Keygen::MakeDsaSignKey() {
  const int bits = std::min(options_.modulus_bits, kMaxDsaBits);
  Say("Generating DSA keys (" + std::to_string(bits) + " bits)...");
  Say("Warning: ntpd 4.2.x verifies few DSA signatures; use -S RSA where such peers are");
  sign_key_.emplace().key = TRY(MakeDsaKey(bits));
  std::string pem = TRY(Encrypted(sign_key_->key.get()));
  files_.push_back({"DSAsign", host_, LinkName("sign"), std::move(pem)});
  return {};
}

// As asked for, else as it was, else a good one for the key.
Result<SignatureScheme> Keygen::ChooseScheme(bool dsa) const {
  const std::string usual = dsa ? "DSA-SHA256" : "RSA-SHA256";
  const bool keep = old_certificate_ && old_certificate_->scheme.dsa == dsa;
  const std::string name = keep ? old_certificate_->scheme.name : usual;
  const SignatureScheme scheme = TRY(SignatureScheme::FromName(options_.scheme.value_or(name)));
  if (scheme.dsa == dsa) return scheme;
  return Fail("-c " + scheme.name +
              (dsa ? ": the sign key is DSA: make one with -S RSA"
                   : ": it needs a DSA sign key: make one with -S DSA"));
}

Status Keygen::TakeHostKey() {
  const std::string link = LinkName("host");
  const auto content = TRY(directory_.Read(link));
  if (options_.host_key || !content) return MakeRsa("host", &host_key_);
  host_key_ = TRY(ReadPrivate(link, content->bytes(), ReadRsaKey));
  Say("Using host key " + host_key_.name);
  return {};
}

Status Keygen::TakeSignKey() {
  const std::string link = LinkName("sign");
  if (options_.sign_key == "DSA") return MakeDsaSignKey();
  if (options_.sign_key) return MakeRsa("sign", &sign_key_.emplace());
  const auto content = TRY(directory_.Read(link));
  if (!content) return Say("Using host key as sign key"), Status();
  sign_key_ = TRY(ReadPrivate(link, content->bytes(), ReadSignKey));
  Say("Using sign key " + sign_key_->name);
  return {};
}

EVP_PKEY* Keygen::signing_key() const {
  return sign_key_ ? sign_key_->key.get() : host_key_.key.get();
}

// Before groups are made, which takes long.
Status Keygen::TakeScheme() {
  scheme_ = TRY(ChooseScheme(sign_key_ && sign_key_->is_dsa()));
  return CheckKeySize(scheme_, signing_key());
}

Status Keygen::PrepareGroups() {
  KeygenGroupsSetup setup;
  setup.group = group_;
  setup.host = host_;
  setup.password = TRY(Secret::Copy(password_.bytes()));
  setup.say = [this](const std::string& line) { Say(line); };
  setup.print = [this](const std::string& name, const std::string& text) {
    std::fputs((Header(name) + text).c_str(), environment_.out);
  };
  groups_.emplace(options_, directory_, std::move(setup));
  return {};
}

Status Keygen::MakeNewCertificate() {
  const SignatureScheme& scheme = scheme_;
  ChooseFilestamp();
  const OwnCertificate* old = old_certificate_ ? &*old_certificate_ : nullptr;
  CertificateContent content;
  content.subject = content.issuer = subject_;
  content.serial = filestamp_.value;
  content.not_before = now_;
  content.lifetime_days =
      options_.lifetime_days.value_or(old ? old->lifetime_days() : kUsualLifetimeDays);
  content.trusted = options_.trusted || (!options_.private_use && old && old->trusted);
  content.private_use = options_.private_use || (!options_.trusted && old && old->private_use);
  content.group_value = TRY(groups_->CertificateValue());
  EVP_PKEY* key = signing_key();
  Say("Generating new certificate " + subject_ + " " + scheme.name);
  const auto der = TRY(MakeCertificate(content, key, key, scheme));
  if (!FitsPacket(der.size(), static_cast<size_t>(EVP_PKEY_get_size(key))))
    return Fail(
        "the certificate with its signature does not fit into a packet: take a shorter key "
        "(-m), GQ value (-b) or name (-s)");
  Say("X509v3 Basic Constraints: critical,CA:TRUE");
  Say("X509v3 Key Usage: digitalSignature,keyCertSign");
  if (!content.group_value.empty()) Say("X509v3 Subject Key Identifier: the GQ public value");
  if (content.trusted) Say("X509v3 Extended Key Usage: trustRoot");
  if (content.private_use) Say("X509v3 Extended Key Usage: private");
  if (scheme.digest_name == "MD5" || scheme.digest_name == "SHA1")
    Say("Warning: " + scheme.name + " can be forged; use it for old peers only");
  if (options_.debug > 0) Say(CertificateText(der));
  files_.push_back({scheme.name + "cert", host_, LinkName("cert"), PemCertificate(der), 0644});
  return {};
}

Status Keygen::MakeSymmetricFile() {
  group_ = options_.group.value_or(host_);
  Say("Generating new md5 file and link");
  return WriteSecretFile({"MD5key", group_, "ntp.keys", {}}, MakeSymmetricKeys());
}

Status Keygen::MakeFarmFile() {
  Say("Generating new farm file and link");
  return WriteSecretFile({"farm", *options_.farm, "ntpkey_farm_" + *options_.farm, {}},
                         MakeFarmSecret());
}

// One file that holds secrets in clear text: they stay in locked memory.
Status Keygen::WriteSecretFile(NewFile file, const LockedBytes& content) {
  files_.push_back(std::move(file));
  ChooseFilestamp();
  const std::string name = FileName(files_[0]);
  const std::string header = Header(name);
  LockedBytes text;
  text.reserve(header.size() + content.size());
  text.insert(text.end(), header.begin(), header.end());
  text.insert(text.end(), content.begin(), content.end());
  KeyChange change(directory_);
  TRY_VOID(change.WriteNew(name, AsText(text), 0600));
  const bool saves = TRY(change.PrepareLink(files_[0].link, name, SavedName(files_[0])));
  TRY_VOID(change.Commit());
  SayLink(files_[0], saves);
  return {};
}

// One second for all files of the run, in which none of them exists yet: a dated name never changes
// its content. The certificate must not begin before its filestamp, so both are the same second.
void Keygen::ChooseFilestamp() {
  const auto taken = [&] {
    for (const NewFile& file : files_)
      if (directory_.Exists(FileName(file))) return true;
    const std::string certificate = old_certificate_ ? old_certificate_->name : std::string();
    return certificate.ends_with("." + std::to_string(filestamp_.value));
  };
  for (;;) {
    now_ = environment_.now();
    filestamp_ = NtpFromUnix(now_);
    if (!taken()) return;
    environment_.wait_second();
  }
}

Status Keygen::WriteAll() {
  if (filestamp_.value == 0) ChooseFilestamp();
  KeyChange change(directory_);
  for (const NewFile& file : files_)
    TRY_VOID(change.WriteNew(FileName(file), Header(StampedName(file)) + file.text, file.mode));
  std::vector<bool> saves;
  for (const NewFile& file : files_)
    saves.push_back(TRY(change.PrepareLink(file.link, FileName(file), SavedName(file))));
  TRY_VOID(change.Commit());
  for (size_t i = 0; i < files_.size(); ++i) {
    const std::string& link = files_[i].link;
    Say("Generating new " + link.substr(7, link.find('_', 7) - 7) + " file and link");
    SayLink(files_[i], saves[i]);
  }
  groups_->Stamp(filestamp_);
  return {};
}

std::string Keygen::SavedName(const NewFile& file) const {
  return file.link + ".saved." + std::to_string(filestamp_.value);
}

void Keygen::SayLink(const NewFile& file, bool saved) const {
  Say(file.link + "->" + FileName(file));
  if (saved) Say("the old " + file.link + " is now " + SavedName(file));
}

Status Keygen::Export() {
  if (options_.export_parameters) TRY_VOID(groups_->ExportParameters());
  if (export_server_key_) TRY_VOID(groups_->ExportKeys());
  if (std::fflush(environment_.out) != 0) return Fail("standard output cannot be written");
  return {};
}

}  // namespace ntpward::keys
