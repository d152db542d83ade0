#include "ntpq/name_process.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <cerrno>

#include "ntpq/cage.h"
#include "ntpq/interrupt.h"
#include "ntpq/text.h"
#include "privsep/base/system_error.h"
#include "privsep/cage.h"
#include "privsep/landlock.h"
#include "privsep/policies.h"

namespace ntpward::ntpq {
namespace {

// Request: id, kind, family, then a name, or scope and octets of an address.
// Answer: id, ok, then what depends on the request; a failure carries its text.
enum class Kind : uint8_t { kName, kHost };

constexpr size_t kMaxMessage = 1024;
constexpr size_t kMaxName = 255;
// For one look-up, and for all the names that one command shows: whoever delays answers about his
// addresses must not delay the command without end.
constexpr int kHostPatienceMs = 20000;
constexpr int kNamePatienceMs = 10000;
constexpr int kCommandPatienceMs = 60000;
// How often an interrupt is looked for, which is held while a command runs.
constexpr int kLookMs = 200;
constexpr size_t kMaxKnown = 4096;

int64_t NowMs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

using Message = std::array<uint8_t, kMaxMessage>;

void PutAddress(Writer& out, const IpAddress& address) {
  out.U8(static_cast<uint8_t>(address.family));
  out.U32(address.scope);
  out.Put(address.octets);
}

std::optional<IpAddress> TakeAddress(Reader& in) {
  const uint8_t family = in.U8();
  IpAddress address;
  address.scope = in.U32();
  const Bytes octets = in.Take(address.octets.size());
  if (in.failed() || (family != 4 && family != 6)) return std::nullopt;
  address.family = static_cast<Family>(family);
  std::copy(octets.begin(), octets.end(), address.octets.begin());
  return address;
}

void PutText(Writer& out, std::string_view text) { out.Put(AsBytes(Cut(text, kMaxName))); }

// --- the process that looks up

void AnswerName(Reader& in, Writer& out) {
  const auto address = TakeAddress(in);
  out.U8(address ? 1 : 0);
  if (address) PutText(out, ResolveAddress(*address));
}

void AnswerHost(Reader& in, Writer& out) {
  const auto family = static_cast<Family>(in.U8());
  const std::string name(AsText(in.Rest()));
  const auto host = ResolveHost(name, family);
  out.U8(host.ok() ? 1 : 0);
  if (!host.ok()) {
    PutText(out, host.error().text);
    return;
  }
  out.U8(static_cast<uint8_t>(host->addresses.size()));
  for (const IpAddress& address : host->addresses) PutAddress(out, address);
  PutText(out, host->name);
}

[[noreturn]] void Serve(UniqueFd channel) {
  Message request;
  Message answer;
  while (true) {
    const ssize_t size = ::read(channel.get(), request.data(), request.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) _exit(0);
    Reader in(Bytes(request).first(static_cast<size_t>(size)));
    Writer out(answer);
    out.U32(in.U32());
    const auto kind = static_cast<Kind>(in.U8());
    if (in.failed()) _exit(1);
    kind == Kind::kName ? AnswerName(in, out) : AnswerHost(in, out);
    const Bytes written = out.written();
    if (::write(channel.get(), written.data(), written.size()) < 0) _exit(1);
  }
}

// Whatever a module of the name service does, it reads files and changes none.
bool CageForLookups() {
  const DirectoryGrant everything[] = {{"/", DirectoryAccess::kRead}};
  const Policy policies[] = {RuntimePolicy(), ResolvePolicy()};
  std::vector<std::string> missing;
  return ForbidDumps().ok() && ForbidNewPrivileges().ok() &&
         RestrictDirectories(everything, &missing).ok() && InstallPolicies(policies).ok();
}

[[noreturn]] void Become(UniqueFd channel, pid_t parent) {
  CloseAllBut({channel.get()});
  // First, since a change of user forgets the parent.
  if (!GiveUpRights(FileAccess::kNone).ok()) _exit(1);
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  signal(SIGINT, SIG_IGN);  // the keyboard talks to the other process
  if (getppid() != parent) _exit(1);
  if (!CageForLookups()) _exit(1);
  Serve(std::move(channel));
}

}  // namespace

Result<std::unique_ptr<NameProcess>> NameProcess::Start() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return FailErrno("socketpair");
  UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return FailErrno("fork");
  if (child == 0) {
    ours.Close();
    Become(std::move(theirs), parent);
  }
  return std::unique_ptr<NameProcess>(new NameProcess(std::move(ours)));
}

// Whether an answer waits; gives up after `patience_ms`, and on an interrupt.
bool NameProcess::Wait(int patience_ms) {
  const int64_t end = NowMs() + patience_ms;
  for (int64_t left = patience_ms; left > 0 && !InterruptIsHeld(); left = end - NowMs()) {
    pollfd wait{channel_.get(), POLLIN, 0};
    const int ready = ::poll(&wait, 1, static_cast<int>(std::min<int64_t>(left, kLookMs)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
  return false;
}

std::optional<std::vector<uint8_t>> NameProcess::Ask(Bytes request, int patience_ms) {
  const uint32_t id = Reader(request).U32();
  // The other process may have been taken over, and read nothing.
  if (::send(channel_.get(), request.data(), request.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
    return std::nullopt;
  Message answer;
  const int64_t end = NowMs() + patience_ms;
  while (Wait(static_cast<int>(end - NowMs()))) {
    const ssize_t size = ::read(channel_.get(), answer.data(), answer.size());
    if (size < 4) return std::nullopt;
    const Bytes bytes = Bytes(answer).first(static_cast<size_t>(size));
    // An answer that came too late for its question is passed over.
    if (Reader(bytes).U32() == id) return std::vector<uint8_t>(bytes.begin() + 4, bytes.end());
  }
  return std::nullopt;
}

void NameProcess::BeginCommand() { left_ms_ = kCommandPatienceMs; }

std::string NameProcess::NameOf(const IpAddress& address) {
  if (const auto found = known_.find(address); found != known_.end()) return found->second;
  const std::string number = address.ToString();
  if (left_ms_ <= 0) return number;
  Message buffer;
  Writer out(buffer);
  out.U32(next_id_++);
  out.U8(static_cast<uint8_t>(Kind::kName));
  PutAddress(out, address);
  const int64_t start = NowMs();
  const auto answer =
      Ask(out.written(), static_cast<int>(std::min<int64_t>(left_ms_, kNamePatienceMs)));
  left_ms_ -= NowMs() - start;
  if (!answer && InterruptIsHeld()) return number;
  std::string name = number;
  if (answer) {
    Reader in(*answer);
    if (in.U8() == 1) name = AsText(in.Rest());
  }
  if (known_.size() < kMaxKnown) known_.emplace(address, name);
  return name;
}

Result<ResolvedHost> NameProcess::Resolve(const std::string& name, Family family) {
  if (name.size() > kMaxName) return Fail("Name or service not known");
  Message buffer;
  Writer out(buffer);
  out.U32(next_id_++);
  out.U8(static_cast<uint8_t>(Kind::kHost));
  out.U8(static_cast<uint8_t>(family));
  PutText(out, name);
  const auto answer = Ask(out.written(), kHostPatienceMs);
  if (!answer) return Fail("Temporary failure in name resolution");
  Reader in(*answer);
  if (in.U8() != 1) return Fail(Printable(AsText(in.Rest())));
  ResolvedHost host;
  for (uint8_t left = in.U8(); left > 0; --left)
    if (const auto address = TakeAddress(in)) host.addresses.push_back(*address);
  host.name = Printable(AsText(in.Rest()));
  if (in.failed() || host.addresses.empty()) return Fail("Name or service not known");
  return host;
}

}  // namespace ntpward::ntpq
