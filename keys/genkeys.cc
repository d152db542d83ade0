#include "keys/genkeys.h"

#include <unistd.h>

#include <map>
#include <memory>

#include "keys/key_change.h"
#include "keys/key_maker.h"
#include "keys/rsaref.h"
#include "keys/unix_time.h"

namespace ntpward::keys {
namespace {

std::string NameOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

LockedBytes Locked(std::string_view text) { return {text.begin(), text.end()}; }

// What is done in one directory.
struct Workplace {
  explicit Workplace(KeyDirectory opened) : directory(std::move(opened)) {}
  KeyDirectory directory;
  KeyChange change{directory};
  std::vector<std::string> said;  // when it is done
  std::vector<std::string> trash;
};

}  // namespace

void Genkeys::Say(const std::string& line) const {
  std::fprintf(environment_.out, "%s\n", line.c_str());
}

std::string Genkeys::DatedName(const File& file) const {
  return file.stem + "." + std::to_string(NtpFromUnix(now_).value);
}

Status Genkeys::Run() {
  DirectoryLocks locks(environment_.lock_patience_s, [this](const auto& line) { Say(line); });
  if (!options_.dry_run) TRY_VOID(LockDirectories(&locks));
  TRY_VOID(Make());
  ChooseSecond();
  if (options_.dry_run) return SayWouldDo(), Status();
  return Write();
}

Status Genkeys::LockDirectories(DirectoryLocks* locks) const {
  std::vector<std::string> places;
  if (options_.symmetric) places.push_back(places_.symmetric);
  if (options_.rsa) places.insert(places.end(), {places_.public_key, places_.private_key});
  if (options_.parameters) places.push_back(places_.parameters);
  for (const std::string& place : places) {
    const KeyDirectory directory = TRY(KeyDirectory::Open(DirectoryOf(place)));
    TRY_VOID(locks->Take(directory));
  }
  return {};
}

std::string Genkeys::DirectoryOf(const std::string& place) const {
  const size_t slash = place.rfind('/');
  if (options_.here || slash == std::string::npos) return ".";
  return slash == 0 ? "/" : place.substr(0, slash);
}

// Where one of the files is in use, all of its kind stay, as by 4.1.
bool Genkeys::Wanted(const std::string& what, const std::vector<std::string>& places) {
  bool missing = false;
  for (const std::string& place : places) missing |= access(place.c_str(), F_OK) != 0;
  if (missing || options_.force || options_.here) {
    Say("Generating " + what + "...");
    return true;
  }
  Say(places.back() + " is there: no new " + what + " without -f");
  return false;
}

Status Genkeys::Make() {
  if (options_.symmetric && Wanted("MD5 key file", {places_.symmetric}))
    files_.push_back({places_.symmetric, "ntp.keys", "MD5 key", 0600,
                      options_.dry_run ? LockedBytes() : MakeOlderSymmetricKeys()});
  const std::string bits = " (" + std::to_string(options_.modulus_bits) + " bits)";
  if (options_.rsa &&
      Wanted("RSA public/private key pair" + bits, {places_.public_key, places_.private_key}))
    TRY_VOID(MakeRsa());
  if (options_.parameters && Wanted("Diffie-Hellman parameters" + bits, {places_.parameters}))
    TRY_VOID(MakeParameters());
  return {};
}

Status Genkeys::MakeRsa() {
  File secret{places_.private_key, "ntpkey", "RSA private key", 0600, {}};
  File open{places_.public_key, "ntpkey_" + environment_.host_name, "RSA public key", 0644, {}};
  if (!options_.dry_run) {
    const PkeyPtr key = TRY(MakeRsaKey(options_.modulus_bits));
    secret.text = RsarefPrivateLine(key.get());
    open.text = Locked(RsarefPublicLine(key.get()));
  }
  files_.push_back(std::move(secret));
  files_.push_back(std::move(open));
  Say("These keys are for ntpd 4.1 and can be broken; 'ntp-keygen -H' makes those of later ones");
  return {};
}

Status Genkeys::MakeParameters() {
  File file{places_.parameters, "ntpkey_dh", "Diffie-Hellman parameter", 0644, {}};
  if (!options_.dry_run) {
    const DiffieHellman parameters = TRY(MakeDiffieHellman(options_.modulus_bits));
    const size_t octets = static_cast<size_t>(options_.modulus_bits) / 8;
    file.text = Locked(RsarefNumberLine(parameters.prime.get(), octets) +
                       RsarefNumberLine(parameters.generator.get(), octets));
  }
  files_.push_back(std::move(file));
  return {};
}

// One second for all files of the run, in which none of them exists yet.
void Genkeys::ChooseSecond() {
  for (;;) {
    now_ = environment_.now();
    bool taken = false;
    for (const File& file : files_)
      taken |= access((DirectoryOf(file.place) + "/" + DatedName(file)).c_str(), F_OK) == 0;
    if (!taken) return;
    environment_.wait_second();
  }
}

void Genkeys::SayWouldDo() const {
  for (const File& file : files_) {
    Say("Would write file <" + DirectoryOf(file.place) + "/" + DatedName(file) + ">");
    if (!options_.no_links) Say("Would link <" + file.place + "> -> <" + DatedName(file) + ">");
  }
}

Status Genkeys::Write() {
  std::map<std::string, std::unique_ptr<Workplace>> workplaces;
  for (const File& file : files_) {
    auto& at = workplaces[DirectoryOf(file.place)];
    if (at == nullptr)
      at = std::make_unique<Workplace>(TRY(KeyDirectory::Open(DirectoryOf(file.place))));
    const std::string name = DatedName(file), link = NameOf(file.place);
    LockedBytes text = Locked("# " + file.title + " file " + name + "\n# " + DateLine(now_) + "\n");
    text.insert(text.end(), file.text.begin(), file.text.end());
    TRY_VOID(at->change.WriteNew(name, AsText(text), file.mode));
    if (options_.no_links) continue;
    const std::string saved = link + ".saved." + std::to_string(NtpFromUnix(now_).value);
    const auto old = at->directory.LinkTarget(link);
    if (TRY(at->change.PrepareLink(link, name, saved)))
      at->said.push_back("the old " + link + " is now " + saved);
    at->said.push_back(file.place + "->" + name);
    // Of its own directory only: a link that points elsewhere was made by somebody else.
    if (options_.trash && old && old->find('/') == std::string::npos) at->trash.push_back(*old);
  }
  for (const auto& [path, at] : workplaces) {
    TRY_VOID(at->change.Commit());
    for (const std::string& line : at->said) Say(line);
    for (const std::string& old : at->trash) {
      TRY_VOID(at->directory.Remove(old));
      Say("removed " + old);
    }
    TRY_VOID(at->directory.Sync());
  }
  return {};
}

}  // namespace ntpward::keys
