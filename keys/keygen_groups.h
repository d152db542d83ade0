// The part of ntp-keygen that makes, changes and exports group keys: GQ, IFF, MV, in this order.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "keys/gq_key.h"
#include "keys/iff_key.h"
#include "keys/key_directory.h"
#include "keys/keygen_file.h"
#include "keys/keygen_options.h"
#include "keys/mv_authority.h"

namespace ntpward::keys {

struct KeygenGroupsSetup {
  std::string group;
  std::string host;  // keys are looked for under its name as well, as ntp-keygen 4.2.8 links them
  Secret password;
  std::function<void(const std::string&)> say;
  // A file of this name, with its comment lines, to standard output.
  std::function<void(const std::string& name, const std::string& text)> print;
};

class KeygenGroups {
 public:
  // Both must outlive it.
  KeygenGroups(const KeygenOptions& options, const KeyDirectory& directory, KeygenGroupsSetup setup)
      : options_(options), directory_(directory), setup_(std::move(setup)) {}

  // The keys that -G, -I, -V and -v ask for.
  Status Make(std::vector<NewFile>* files);
  // The v that a certificate has to carry: of the new GQ key, else of the one in the directory;
  // empty without a GQ key.
  Result<std::vector<uint8_t>> CertificateValue();
  // What was made is written with this filestamp.
  void Stamp(NtpSeconds filestamp);

  // -e: what clients get.
  Status ExportParameters();
  // -q: what other servers get, under the export's password.
  Status ExportKeys();

 private:
  Status MakeGq(std::vector<NewFile>* files);
  Status MakeIff(std::vector<NewFile>* files);
  Status MakeMv(std::vector<NewFile>* files);
  Status RevokeMv(std::vector<NewFile>* files);
  Status AddMvFiles(std::optional<NtpSeconds> stamp, std::vector<NewFile>* files) const;

  // The key that a new one takes the place of.
  std::optional<GqKey> GqBefore() const;
  Status ReadGq();
  Status ReadIff();
  Status ReadMv();
  Status ReadAll();
  // The first of "ntpkey_KIND_GROUP" and "ntpkey_KIND_HOST" that exists.
  template <typename Key>
  Result<std::optional<Key>> Read(const std::string& kind, Result<Key> (*read)(Bytes, Bytes));

  // "ntpkey_KIND_GROUP.FILESTAMP"
  std::string NameOf(const std::string& kind, NtpSeconds filestamp) const {
    return "ntpkey_" + kind + "_" + setup_.group + "." + std::to_string(filestamp.value);
  }
  const MvServerKey* mv_server() const {
    return mv_ ? &mv_->server : mv_server_ ? &*mv_server_ : nullptr;
  }
  void Say(const std::string& line) const { setup_.say(line); }

  const KeygenOptions& options_;
  const KeyDirectory& directory_;
  KeygenGroupsSetup setup_;
  std::optional<GqKey> gq_;
  std::optional<IffKey> iff_;
  std::optional<MvAuthority> mv_;
  std::optional<MvServerKey> mv_server_;  // of a server that is not the authority
};

}  // namespace ntpward::keys
