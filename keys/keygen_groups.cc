#include "keys/keygen_groups.h"

#include "keys/key_maker.h"
#include "keys/private_key.h"

namespace ntpward::keys {
namespace {

constexpr int kDefaultBits = 2048;

std::string Bits(int bits) { return " (" + std::to_string(bits) + " bits)..."; }

}  // namespace

Status KeygenGroups::Make(std::vector<NewFile>* files) {
  if (options_.gq_key) TRY_VOID(MakeGq(files));
  if (options_.iff_key) TRY_VOID(MakeIff(files));
  if (options_.mv_clients != 0) TRY_VOID(MakeMv(files));
  if (!options_.mv_revoked.empty()) TRY_VOID(RevokeMv(files));
  return {};
}

Status KeygenGroups::MakeGq(std::vector<NewFile>* files) {
  const int bits = options_.identity_bits.value_or(kMaxReadableGqBits);
  Say("Generating GQ keys" + Bits(bits));
  if (bits > kMaxReadableGqBits)
    Say("Warning: ntpd 4.2.6 cannot read the public value of more than " +
        std::to_string(kMaxReadableGqBits) + " bits in a certificate");
  const std::optional<GqKey> before = GqBefore();
  gq_ = TRY(MakeGqKey(bits, before ? before->v.get() : nullptr));
  if (before && BN_cmp(before->v.get(), gq_->v.get()) == 0)
    Say("Keeping the public value of " + before->name + ", whose clients stay served");
  else if (before)
    Say("Warning: the public value changes: clients with the parameters of " + before->name +
        " cannot verify the server until they have the new ones");
  Say("Confirm v = (u^-1)^b mod n and a proof with it: yes");
  std::string pem = TRY(WriteGqKey(*gq_, setup_.password.bytes(), options_.cipher));
  files->push_back({"GQkey", setup_.group, "ntpkey_gqkey_" + setup_.group, std::move(pem)});
  return {};
}

Status KeygenGroups::MakeIff(std::vector<NewFile>* files) {
  const int bits = options_.identity_bits.value_or(kDefaultBits);
  Say("Generating IFF keys" + Bits(bits));
  iff_ = TRY(MakeIffKey(bits));
  Say("Confirm g^(q - b) g^b = 1 mod p: yes");
  Say("Confirm g^k = g^(k + b r) g^(q - b) r: yes");
  std::string pem =
      TRY(WritePrivateKey(IffAsDsa(*iff_).get(), setup_.password.bytes(), options_.cipher));
  files->push_back({"IFFkey", setup_.group, "ntpkey_iffkey_" + setup_.group, std::move(pem)});
  return {};
}

Status KeygenGroups::MakeMv(std::vector<NewFile>* files) {
  const int bits = options_.identity_bits.value_or(kDefaultBits);
  const int clients = options_.mv_clients;
  Say("Generating MV keys for " + std::to_string(clients) + " clients" + Bits(bits));
  if (bits / clients < kStrongMvPrimeBits)
    Say("Warning: a revoked client can find primes of " + std::to_string(bits / clients) +
        " bits and undo its revocation; use -b, or fewer clients");
  mv_ = TRY(MakeMvAuthority(bits, clients));
  Say("Confirm that clients 1 to " + std::to_string(clients - 1) + " verify the server, and " +
      std::to_string(clients) + " does not: yes");
  return AddMvFiles(std::nullopt, files);
}

Status KeygenGroups::RevokeMv(std::vector<NewFile>* files) {
  TRY_VOID(ReadMv());
  if (!mv_)
    return Fail("there is no MV authority's file ntpkey_mvta_" + setup_.group +
                ": revoke where 'ntp-keygen -V N' was run");
  for (const int client : options_.mv_revoked) {
    TRY_VOID(RevokeMvClient(&*mv_, static_cast<size_t>(client - 1)));
    Say("MV client " + std::to_string(client) + " is revoked");
  }
  // Clients accept only servers of their own key's filestamp.
  return AddMvFiles(mv_->filestamp, files);
}

Status KeygenGroups::AddMvFiles(std::optional<NtpSeconds> stamp,
                                std::vector<NewFile>* files) const {
  const Bytes password = setup_.password.bytes();
  std::string authority = TRY(WriteMvAuthority(*mv_, password, options_.cipher));
  std::string server = TRY(WriteMvServerKey(mv_->server, password, options_.cipher));
  const std::string& group = setup_.group;
  files->push_back({"MVta", group, "ntpkey_mvta_" + group, std::move(authority), 0600, stamp});
  files->push_back({"MVkey", group, "ntpkey_mvkey_" + group, std::move(server), 0600, stamp});
  return {};
}

Result<std::vector<uint8_t>> KeygenGroups::CertificateValue() {
  if (!gq_) TRY_VOID(ReadGq());
  return gq_ ? NumberOctets(gq_->v.get()) : std::vector<uint8_t>();
}

void KeygenGroups::Stamp(NtpSeconds filestamp) {
  if (options_.gq_key) gq_->filestamp = filestamp;
  if (options_.iff_key) iff_->filestamp = filestamp;
  if (options_.mv_clients != 0) mv_->filestamp = mv_->server.filestamp = filestamp;
}

template <typename Key>
Result<std::optional<Key>> KeygenGroups::Read(const std::string& kind,
                                              Result<Key> (*read)(Bytes, Bytes)) {
  for (const std::string& owner : {setup_.group, setup_.host}) {
    const std::string link = "ntpkey_" + kind + "_" + owner;
    const auto content = TRY(directory_.Read(link));
    if (!content) continue;
    auto key = read(content->bytes(), setup_.password.bytes());
    if (!key.ok()) return Fail("Corrupt file " + link + " or wrong password: " + key.error().text);
    Say("Using " + kind + " " + key->name);
    if (key->weak_encryption) Say("Warning: " + link + " is encrypted with single DES");
    return std::optional<Key>(std::move(key).value());
  }
  return std::optional<Key>();
}

// Without it a new key can be made all the same, so nothing is said of what is wrong with it.
std::optional<GqKey> KeygenGroups::GqBefore() const {
  for (const std::string& owner : {setup_.group, setup_.host}) {
    const auto content = directory_.Read("ntpkey_gqkey_" + owner);
    if (!content.ok() || !*content) continue;
    auto key = ReadGqKey((*content)->bytes(), setup_.password.bytes());
    if (key.ok() && key->has_secret()) return std::move(key).value();
  }
  return std::nullopt;
}

Status KeygenGroups::ReadGq() {
  gq_ = TRY(Read("gqkey", ReadGqKey));
  if (gq_ && !gq_->has_secret())
    return Fail("ntpkey_gqkey_" + setup_.group + ": it is a client's group key");
  return {};
}

Status KeygenGroups::ReadIff() {
  iff_ = TRY(Read("iffkey", ReadIffKey));
  if (iff_ && !iff_->has_secret())
    return Fail("ntpkey_iffkey_" + setup_.group +
                ": it is a client's group key: export on the server");
  return {};
}

Status KeygenGroups::ReadMv() {
  mv_ = TRY(Read("mvta", ReadMvAuthority));
  if (!mv_) mv_server_ = TRY(Read("mvkey", ReadMvServerKey));
  return {};
}

Status KeygenGroups::ReadAll() {
  if (!gq_) TRY_VOID(ReadGq());
  if (!iff_) TRY_VOID(ReadIff());
  if (!mv_) TRY_VOID(ReadMv());
  if (gq_ || iff_ || mv_server() != nullptr) return {};
  return Fail("there is no group key of " + setup_.group +
              ": make one with 'ntp-keygen -T -I' (or -G, -V N)");
}

Status KeygenGroups::ExportParameters() {
  TRY_VOID(ReadAll());
  const auto print = [&](const char* scheme, const std::string& name, const std::string& text) {
    Say(std::string("Writing ") + scheme + " parameters " + name + " to stdout");
    setup_.print(name, text);
  };
  if (gq_) print("GQ", NameOf("gqpar", gq_->filestamp), WriteGqParameters(*gq_));
  if (iff_) print("IFF", NameOf("iffpar", iff_->filestamp), WriteIffParameters(*iff_));
  if (mv_) {
    const auto index = static_cast<size_t>(options_.mv_client - 1);
    if (index >= mv_->clients.size())
      return Fail("--mv-client: there are only " + std::to_string(mv_->clients.size()) +
                  " MV clients");
    const std::string client = " of client " + std::to_string(options_.mv_client);
    if (!mv_->IsEnabled(index)) Say("Warning: the MV key" + client + " is revoked");
    print("MV", NameOf("mvpar", mv_->filestamp), WriteMvClientKey(mv_->clients[index]));
  } else if (mv_server_) {
    Say("No MV parameters: clients' keys are with the authority (ntpkey_mvta_" + setup_.group +
        ")");
    if (!gq_ && !iff_) return Fail("there is nothing to export for clients");
  }
  return {};
}

Status KeygenGroups::ExportKeys() {
  TRY_VOID(ReadAll());
  const Bytes password = options_.export_password.bytes();
  const auto print = [&](const char* scheme, const std::string& name, const std::string& text) {
    Say(std::string("Writing ") + scheme + " keys " + name + " to stdout");
    setup_.print(name, text);
  };
  if (gq_) {
    const std::string text = TRY(WriteGqKey(*gq_, password, options_.cipher));
    print("GQ", NameOf("gqkey", gq_->filestamp), text);
  }
  if (iff_) {
    const std::string text = TRY(WritePrivateKey(IffAsDsa(*iff_).get(), password, options_.cipher));
    print("IFF", NameOf("iffkey", iff_->filestamp), text);
  }
  if (const MvServerKey* server = mv_server()) {
    const std::string text = TRY(WriteMvServerKey(*server, password, options_.cipher));
    print("MV", NameOf("mvkey", server->filestamp), text);
  }
  return {};
}

}  // namespace ntpward::keys
