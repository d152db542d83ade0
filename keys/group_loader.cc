#include "keys/group_loader.h"

namespace ntpward::keys {
namespace {

const char* OptionOf(msg::KeyFileKind kind) {
  switch (kind) {
    case msg::KeyFileKind::kGqKey:
      return "-G";
    case msg::KeyFileKind::kMvKey:
      return "-V N";
    default:
      return "-I";
  }
}

template <typename T>
Result<T> Naming(const GroupFile& file, Result<T> result) {
  if (result.ok()) return result;
  return Fail(file.name + ": " + result.error().text);
}

Failure<Error> CannotServe(const GroupFile& file) {
  return Fail(file.name +
              ": it is a client's group key and cannot prove anything: a server needs the file "
              "that 'ntp-keygen " +
              OptionOf(file.kind) + "' made");
}

template <typename Key>
Result<Key> WithSecret(Result<Key> key) {
  if (key.ok() && !key->has_secret()) return Fail("it is a client's group key");
  return key;
}

}  // namespace

Status GroupLoader::LoadServer(const GroupFile& file) {
  if (file.kind == msg::KeyFileKind::kIffKey) {
    IffKey key = TRY(Naming(file, ReadIffKey(file.content, password_)));
    if (!key.has_secret()) return CannotServe(file);
    WarnOfWeakEncryption(file, key.weak_encryption);
    host_.iff_server.SetCurrent(std::move(key));
  } else if (file.kind == msg::KeyFileKind::kGqKey) {
    GqKey key = TRY(Naming(file, ReadGqKey(file.content, password_)));
    if (!key.has_secret()) return CannotServe(file);
    WarnOfWeakEncryption(file, key.weak_encryption);
    host_.gq_server.SetCurrent(std::move(key));
  } else if (file.kind == msg::KeyFileKind::kMvKey) {
    MvServerKey key = TRY(Naming(file, ReadMvServerKey(file.content, password_)));
    WarnOfWeakEncryption(file, key.weak_encryption);
    host_.mv_server.SetCurrent(std::move(key));
  }
  return {};
}

void GroupLoader::LoadEarlier(const GroupFile& file) {
  const auto add = [&](auto* generations, auto read) {
    if (generations->current() == nullptr) return;
    if (!read.ok())
      return Warn(file.name + ": " + read.error().text +
                  ": clients that still have this group key's parameters are not served");
    generations->AddEarlier(std::move(read).value());
  };
  if (file.kind == msg::KeyFileKind::kIffKey)
    add(&host_.iff_server, WithSecret(ReadIffKey(file.content, password_)));
  if (file.kind == msg::KeyFileKind::kGqKey) {
    const GqKey* current = host_.gq_server.current();
    auto read = WithSecret(ReadGqKey(file.content, password_));
    // It is checked with the v in our certificate, which is that of the key in use.
    if (read.ok() && current != nullptr && BN_cmp(read->v.get(), current->v.get()) != 0)
      return Warn(file.name +
                  ": another public value is in the certificate: clients that still have "
                  "this group key's parameters are not served");
    add(&host_.gq_server, std::move(read));
  }
  if (file.kind == msg::KeyFileKind::kMvKey)
    add(&host_.mv_server, ReadMvServerKey(file.content, password_));
}

void GroupLoader::LoadClient(const GroupFile& file) {
  if (file.kind == msg::KeyFileKind::kIffPar) LoadClientIff(file);
  if (file.kind == msg::KeyFileKind::kGqPar) LoadClientGq(file);
  if (file.kind == msg::KeyFileKind::kMvPar) LoadClientMv(file);
}

void GroupLoader::LoadClientIff(const GroupFile& file) {
  auto read = ReadIffKey(file.content, password_);
  if (!read.ok()) return Unusable(file, read.error());
  if (read->has_secret()) WarnOfSecret(file);
  read->b.reset();
  const bool weak = read->weak_encryption;
  AddGroup(file, std::move(read).value(), weak);
}

void GroupLoader::LoadClientGq(const GroupFile& file) {
  auto read = ReadGqKey(file.content, password_);
  if (!read.ok()) return Unusable(file, read.error());
  if (read->has_secret()) WarnOfSecret(file);
  read->u.reset(), read->v.reset();
  const bool weak = read->weak_encryption;
  AddGroup(file, std::move(read).value(), weak);
}

void GroupLoader::LoadClientMv(const GroupFile& file) {
  auto read = ReadMvClientKey(file.content, password_);
  if (!read.ok()) return Unusable(file, read.error());
  const bool weak = read->weak_encryption;
  AddGroup(file, std::move(read).value(), weak);
}

void GroupLoader::AddGroup(const GroupFile& file, GroupParameters parameters,
                           bool weak_encryption) {
  WarnOfWeakEncryption(file, weak_encryption);
  if (host_.groups.size() == msg::kMaxGroups)
    return Warn(file.name + ": not used: there are more than " + std::to_string(msg::kMaxGroups) +
                " groups");
  Group group{file.group, std::move(parameters)};
  if (!group.CanVerify())
    Warn(file.name +
         ": the group key carries no public value, so that no server can be verified with "
         "it; on the group's server run ntpward's 'ntp-keygen -e -p PASSWORD' and install "
         "what it prints in place of this file");
  host_.groups.push_back(std::move(group));
}

void GroupLoader::WarnOfWeakEncryption(const GroupFile& file, bool weak) {
  if (weak)
    Warn(file.name +
         ": it is encrypted with single DES, as ntp-keygen 4.2.6 did; new keys have better "
         "encryption");
}

void GroupLoader::WarnOfSecret(const GroupFile& file) {
  Warn(file.name +
       ": it holds the group's secret, which only servers should have; export a client's "
       "key with 'ntp-keygen -e'");
}

void GroupLoader::Unusable(const GroupFile& file, const Error& error) {
  unusable_.push_back(
      {file.group, file.name + ": " + error.text +
                       ": install it anew from the group's server ('ntp-keygen -e')"});
}

}  // namespace ntpward::keys
