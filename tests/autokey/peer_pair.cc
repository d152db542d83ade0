#include "tests/autokey/peer_pair.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <memory>

#include "keys/keygen.h"
#include "tests/support/arguments.h"
#include "tests/support/scratch_directory.h"

namespace ntpward::autokey::test {
namespace {

const IpAddress kOne = IpAddress::V4(10, 77, 0, 1);
const IpAddress kTwo = IpAddress::V4(10, 77, 0, 2);

keys::SessionKeyHasher Md5() {
  auto hasher = keys::SessionKeyHasher::Create("MD5");
  CHECK(hasher.ok());
  return std::move(hasher).value();
}

// ntp-keygen in `path`; what it exports.
std::string Make(const std::string& path, std::string host, std::vector<std::string> words) {
  CHECK(mkdir(path.c_str(), 0700) == 0 || errno == EEXIST);
  words.insert(words.begin(), "ntp-keygen");
  ntpward::test::Arguments arguments(std::move(words));
  auto options = keys::ParseKeygenOptions(arguments.argc(), arguments.argv());
  auto directory = keys::KeyDirectory::Open(path);
  CHECK(options.ok() && directory.ok());
  char* text = nullptr;
  size_t size = 0;
  keys::KeygenEnvironment environment;
  environment.host_name = std::move(host);
  static int64_t clock = int64_t{kPeersNow} - int64_t{kUnixToNtpSeconds} - 1000;
  environment.now = [] { return ++clock; };
  environment.wait_second = [] { ++clock; };
  environment.out = open_memstream(&text, &size);
  environment.err = fopen("/dev/null", "w");
  keys::Keygen keygen(std::move(options).value(), std::move(directory).value(), environment);
  CHECK(keygen.Run().ok());
  fclose(environment.out), fclose(environment.err);
  std::string out(text, size);
  free(text);
  return out;
}

// The hosts' directories "one" and "two", and "par" with the group's parameters; made once a
// program.
const std::string& KeysFor(PeerPair::Scheme scheme, bool trusted_two) {
  static std::map<std::pair<PeerPair::Scheme, bool>, ntpward::test::ScratchDirectory> made;
  const auto [entry, fresh] = made.try_emplace({scheme, trusted_two});
  const ntpward::test::ScratchDirectory& directory = entry->second;
  if (!fresh) return directory.path;
  std::vector<std::string> words = {"-m", "512", "-b", "512", "-c", "RSA-MD5", "-p", "pw"};
  const bool group = scheme == PeerPair::Scheme::kIff;
  if (group) words.insert(words.end(), {"-i", "grp"});
  std::vector<std::string> trusted = words;
  trusted.push_back(scheme == PeerPair::Scheme::kPrivate ? "-P" : "-T");
  (void)Make(directory.At("two"), "two", trusted_two ? trusted : words);
  if (scheme != PeerPair::Scheme::kPrivate) {
    (void)Make(directory.At("new"), "two", trusted);
    (void)Make(directory.At("newer"), "two", trusted);
  }
  if (group) trusted.push_back("-I");
  (void)Make(directory.At("one"), "one", trusted);
  if (group)
    ntpward::test::Put(directory.At("par"),
                       Make(directory.At("one"), "one", {"-e", "-i", "grp", "-p", "pw"}));
  return directory.path;
}

}  // namespace

PeerHost::PeerHost(std::string_view password, const std::vector<File>& files,
                   DancePolicy its_policy, uint8_t its_automax, AssocId its_id, IpAddress own,
                   IpAddress other)
    : host(password, files, kPeersNow, "grp"),
      to_peer{own, other},
      policy(std::move(its_policy)),
      automax(its_automax),
      hasher_(Md5()) {
  StartDanceAnew(its_id);
}

void PeerHost::StartDanceAnew(AssocId its_id) {
  if (dance) host.Ask(msg::ForgetAssociation{.association = id});
  id = its_id;
  dance.emplace(id, policy, automax, to_peer, host.time.Monotonic());
  sent_.clear();
  heard_ = 0;
}

void PeerHost::LoseKeys() {
  host.Supervisor(msg::KeysRollSeed{});
  dance->OnKeysRestarted();
}

void PeerHost::TakeKeys(std::string_view password, const std::vector<File>& files, bool crash) {
  const uint32_t now = host.time.seconds;
  const bool synchronised = host.synchronised;
  Heritage heritage;
  if (!crash) heritage = host.Bequeath();
  std::destroy_at(&host);
  std::construct_at(&host, password, files, kPeersNow, "grp", crash ? nullptr : &heritage);
  host.time.seconds = now;
  if (synchronised) host.Synchronise();
  if (crash) dance->OnKeysRestarted();
  Run(dance->OnHostMaterial({.certificate = true, .key = true, .signer = true}, context()));
}

DanceContext PeerHost::context() {
  return {host.state, host.certificates, host.time.Monotonic(),
          host.synchronised ? NtpSeconds{host.time.seconds} : NtpSeconds{}, host.synchronised};
}

void PeerHost::Run(DanceResult result) {
  if (!result.event.empty()) events.push_back(result.event);
  for (const auto& line : result.statistics) statistics.push_back(line);
  if (result.restart != Restart::kNone) restarts.push_back(result.restart);
  for (const ClientJob& job : result.jobs) {
    std::visit([&](const auto& operation) { host.Ask(operation); }, job.operation);
    if (std::holds_alternative<msg::ForgetAssociation>(job.operation)) continue;
    if (std::holds_alternative<msg::IdentityChallenge>(job.operation)) {
      Run(dance->OnValueAnswer(job.ticket, host.out.answer, context()));
    } else {
      Run(dance->OnVerdict(job.ticket, host.out.verdict.code, context()));
    }
  }
}

void PeerHost::Run(PeerResult result) {
  Run(std::move(result.dance));
  if (result.question) {
    std::visit([&](const auto& operation) { host.Ask(operation); }, result.question->operation);
    Run(dance->OnValue(result.question->ticket, host.out.answer));
  }
  if (result.accept) {
    host.Ask(*result.accept);
    dance->OnListVerdict(host.out.verdict.code);
  }
}

std::vector<uint8_t> PeerHost::Sealed(KeyId key, const wire::Header& header) {
  msg::SealRequest seal;
  seal.association = id;
  seal.path = to_peer;
  seal.key = key;
  std::vector<uint8_t> packet(wire::kHeaderSize);
  Writer writer(packet);
  wire::EncodeHeader(writer, header);
  CHECK(writer.Finish() && seal.covered.Assign(packet));
  host.Ask(seal);
  // The transmit time of the test's clock is not fine enough to tell packets apart.
  Writer stamp(MutableBytes(packet).last(8));
  stamp.U64(host.out.sealed.transmit.raw());
  packet.insert(packet.end(), host.out.sealed.mac.span().begin(), host.out.sealed.mac.span().end());
  return packet;
}

std::optional<std::vector<uint8_t>> PeerHost::Send() {
  host.Maintain();
  if (const auto make = dance->DueList(poll, context())) {
    host.Ask(*make);
    if (!dance->OnListMade(host.out.answer)) return std::nullopt;
  }
  host.Ask(msg::KeyListTake{.association = id});
  const msg::KeyListTaken taken = host.out.taken;
  if (taken.key.is_none()) {
    dance->OnNoKey();
    return std::nullopt;
  }
  dance->OnKeyTaken(taken.left);
  wire::Header header;
  header.mode = wire::Mode::kSymmetricActive;
  header.leap = host.synchronised ? wire::Leap::kNone : wire::Leap::kAlarm;
  header.origin = NtpTimestamp::FromRaw(heard_);
  header.transmit = NtpTimestamp::FromRaw((uint64_t{host.time.seconds} << 32));
  sent_.push_back(header.transmit.raw());
  if (dance->TakeNak()) {
    ++naks_sent;
    std::vector<uint8_t> packet(wire::kHeaderSize + 4);
    Writer writer(packet);
    wire::EncodeHeader(writer, header);
    wire::EncodeCryptoNak(writer);
    return packet;
  }
  PeerPacket made = dance->NextPacket(context());
  Run(std::move(made.effects));
  if (!made.send) return std::nullopt;
  CHECK(made.fields.size() <= wire::kMaxExtensionArea);
  last_was_bare = made.fields.empty();
  if (last_was_bare) return Sealed(taken.key, header);
  std::vector<uint8_t> packet(wire::kHeaderSize + made.fields.size() + wire::kMaxMacSize);
  Writer writer(packet);
  wire::EncodeHeader(writer, header);
  writer.Put(made.fields);
  const auto digest = hasher_.Mac(hasher_.Derive(to_peer, taken.key, 0), writer.written());
  wire::EncodeMac(writer, {taken.key, digest.span()});
  packet.resize(writer.size());
  return packet;
}

bool PeerHost::AnswersUs(const wire::Header& header) const {
  const auto newest = sent_.size() > 8 ? sent_.end() - 8 : sent_.begin();
  return !header.origin.is_zero() &&
         std::find(newest, sent_.end(), header.origin.raw()) != sent_.end();
}

Heard PeerHost::Receive(Bytes bytes) {
  const auto packet = wire::ParsePacket(bytes);
  CHECK(packet.ok());
  const bool answers = AnswersUs(packet->header);
  if (packet->crypto_nak) {
    if (!sent_.empty() && packet->header.origin.raw() == sent_.back())
      Run(dance->OnCryptoNak(context()));
    return Heard::kNothing;
  }
  if (!packet->mac) return Heard::kNothing;
  const bool bare = packet->extensions().empty();
  bool follows = dance->follows_list();
  if (!bare) {
    const auto digest =
        hasher_.Mac(hasher_.Derive(to_peer.Reversed(), packet->mac->key, 0), packet->covered);
    if (!EqualConstantTime(digest.span(), packet->mac->digest)) return Heard::kNothing;
    for (const wire::Extension& field : packet->extensions())
      Run(dance->OnField(field.field, answers, context()));
    follows = dance->follows_list();
  }
  heard_ = packet->header.transmit.raw();
  if (!follows) return Heard::kNothing;
  msg::CheckMac check;
  check.association = id;
  check.path = dance->from_peer();
  check.key = packet->mac->key;
  if (!check.covered.Assign(packet->covered) || !check.digest.Assign(packet->mac->digest))
    return Heard::kNothing;
  host.Ask(check);
  const msg::VerdictCode code = host.out.verdict.code;
  Run(dance->OnPacketVerdict(code, answers, bare, dance->TakeBeginsAnew()));
  return code == msg::VerdictCode::kGood ? Heard::kTime : Heard::kRefused;
}

std::vector<File> PeerPair::FilesOf(std::string host, std::string at) const {
  at = path_ + "/" + at;
  std::vector<File> all = {{KeyFileKind::kHost, at + "/ntpkey_host_" + host},
                           {KeyFileKind::kCertificate, at + "/ntpkey_cert_" + host}};
  if (scheme_ == Scheme::kIff) {
    all.push_back({KeyFileKind::kIffKey, path_ + "/one/ntpkey_iffkey_grp"});
    all.push_back({KeyFileKind::kIffPar, path_ + "/par"});
  }
  return all;
}

PeerPair::PeerPair(Scheme scheme, uint8_t automax, bool trusted_two)
    : scheme_(scheme), path_(KeysFor(scheme, trusted_two)) {
  DancePolicy policy;
  policy.optional_here = scheme == Scheme::kTrail;
  if (scheme == Scheme::kIff) policy.group = "grp";
  const std::string second = scheme == Scheme::kPrivate ? "one" : "two";
  one.emplace("pw", FilesOf("one", "one"), policy, automax, AssocId{111}, kOne, kTwo);
  two.emplace("pw", FilesOf(second, second), policy, automax, AssocId{222}, kTwo, kOne);
}

void PeerPair::RenewKeysOfTwo(int which) {
  two->TakeKeys("pw", FilesOf("two", which == 0 ? "new" : "newer"), false);
}

void PeerPair::RenewKeysOfTwoByACrash() { two->TakeKeys("pw", FilesOf("two", "new"), true); }

PeerPair::Turn PeerPair::Poll(uint32_t seconds) {
  Turn turn;
  one->host.time.seconds += seconds / 2;
  two->host.time.seconds += seconds / 2;
  if (const auto packet = one->Send(); packet && !lose_to_two) turn.at_two = two->Receive(*packet);
  one->host.time.seconds += seconds - seconds / 2;
  two->host.time.seconds += seconds - seconds / 2;
  if (const auto packet = two->Send(); packet && !lose_to_one) turn.at_one = one->Receive(*packet);
  return turn;
}

bool PeerPair::Settle(int turns) {
  for (int good = 0; turns > 0; --turns) {
    const Turn turn = Poll();
    const bool both = turn.at_one == Heard::kTime && turn.at_two == Heard::kTime &&
                      one->last_was_bare && two->last_was_bare;
    good = both ? good + 1 : 0;
    if (good == 2) return true;
  }
  return false;
}

}  // namespace ntpward::autokey::test
