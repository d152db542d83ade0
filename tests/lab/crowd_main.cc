// Honest clients of Autokey, each from an address of its own, amid floods from other addresses.
//
// usage: ntp-crowd OPTION... SERVER
//   --name NAME          the server's Autokey name (server)
//   --clients N          honest ones, from 10.80.0.1 on (1000)
//   --rounds N           polls of each of them during one flood (3)
//   --headway SECONDS    least time between two requests of one of them (0)
//   --pid P              a process of the server, whose memory is told; repeatable
//   --flood KIND:PACKETS:SOURCES   one after the other; KIND is assoc, cert, cookie, sign, iff,
//                        autokey1 or mac; the sources begin at 10.81.0.0; "clients" in place of
//                        their number: the honest ones' own addresses
// Each honest client first gets a cookie, and a last one after the floods. All addresses must be
// local to the host (10.80.0.0/13). Prints a line for each step; the caller judges. Nothing here
// depends on how fast the server is: honest clients ask again as often as a Pace says, a flood
// waits for answers.
#include <poll.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <unordered_map>

#include "ntpd/net/random.h"
#include "ntpd/net/udp.h"
#include "privsep/supervisor_link.h"
#include "tests/lab/crowd_requests.h"

namespace ntpward::crowd {
namespace {

constexpr size_t kWindow = 32;        // honest requests in flight
constexpr int kFloodWindow = 256;     // of a flood, without an answer
constexpr double kFloodPause = 0.02;  // s without any answer, after which it goes on

// When an honest request is made again, and how often it is made at all.
struct Pace {
  double patience;  // s
  int most_tries;
};
// Cookies come as fast as the server's key may work.
constexpr Pace kCookiePace{.patience = 0.1, .most_tries = 100};
// After as many polls without a reply a client takes its server for unreachable.
constexpr Pace kTimePace{.patience = 1, .most_tries = 8};

struct Flood {
  std::string name;
  Kind kind{};
  size_t packets = 0;
  uint32_t sources = 1;
  bool as_clients = false;  // in the honest ones' names, all of them
};

struct Options {
  std::string name = "server";
  size_t clients = 1000;
  size_t rounds = 3;
  double headway = 0;  // s between two requests of an honest one
  std::vector<std::string> pids;
  std::vector<Flood> floods;
  IpAddress server;
};

struct Client {
  IpAddress address;
  uint32_t cookie = 0;
  MonoTime asked;  // the last time
};

struct Tally {
  size_t answered = 0;
  size_t naks = 0;
  size_t wrong = 0;     // a reply to a request of ours that is neither authentic nor a NAK
  size_t kisses = 0;    // that are not authentic: passed over
  size_t given_up = 0;  // after as many tries as there may be
  size_t repeated = 0;  // requests that were made more than once
  int most_tries = 0;
};

constexpr uint8_t kHonest = 80, kFlooding = 81, kNewcomer = 87;  // second octets

IpAddress Address(uint8_t second, uint32_t number) {
  return IpAddress::V4(10, static_cast<uint8_t>(second + (number >> 16)),
                       static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number));
}

UniqueFd Open() {
  UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1, room = 4 << 20;
  CHECK(fd.valid() && setsockopt(fd.get(), IPPROTO_IP, IP_PKTINFO, &on, sizeof on) == 0);
  (void)setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  sockaddr_storage any{};
  const socklen_t length = SocketAddress{IpAddress::V4(0, 0, 0, 0), 0}.ToSockaddr(&any);
  CHECK(bind(fd.get(), reinterpret_cast<const sockaddr*>(&any), length) == 0);
  return fd;
}

// The honest ones. `cookies`: they ask for their cookies, else for the time under them.
class Crowd {
 public:
  Crowd(Requests* requests, const Options& options, std::vector<Client>* clients)
      : requests_(requests),
        server_{options.server, 123},
        headway_(options.headway),
        clients_(clients),
        fd_(Open()) {}

  void Begin(bool cookies) {
    cookies_ = cookies;
    for (size_t i = 0; i < clients_->size(); ++i) waiting_.push_back({i, 0});
  }
  bool done() const { return waiting_.empty() && asked_.empty(); }
  int fd() const { return fd_.get(); }

  void Turn() {
    Receive();
    Repeat();
    while (asked_.size() < kWindow && !waiting_.empty() && Waited(waiting_.front(), headway_)) {
      asked_.push_back(waiting_.front());
      waiting_.pop_front();
      Ask(&asked_.back());
    }
  }
  Tally tally;

 private:
  struct Question {
    size_t client = 0;
    int tries = 0;
  };

  AddressPair PathOf(size_t client) const { return {(*clients_)[client].address, server_.ip}; }

  const Pace& OwnPace() const { return cookies_ ? kCookiePace : kTimePace; }
  double Patience() const { return std::max(OwnPace().patience, headway_); }
  // Since the client of that question asked.
  bool Waited(const Question& question, double seconds) const {
    return MonotonicNow() - (*clients_)[question.client].asked >= seconds;
  }

  void Ask(Question* question) {
    tally.most_tries = std::max(tally.most_tries, ++question->tries);
    if (question->tries == 2) ++tally.repeated;
    const uint64_t nonce = net::RandomNonce().raw();
    const AddressPair path = PathOf(question->client);
    const Bytes packet = cookies_
                             ? requests_->Flood(Kind::kCookie, path, nonce)
                             : requests_->Time(path, nonce, (*clients_)[question->client].cookie);
    (void)net::SendFrom(fd_.get(), packet, server_, path.source, 0);
    (*clients_)[question->client].asked = MonotonicNow();
    nonces_[nonce] = question->client;
  }

  void Receive() {
    for (;;) {
      const auto datagrams = batch_->Receive(fd_.get());
      for (const net::Datagram& datagram : datagrams) OnReply(datagram.bytes);
      if (datagrams.size() < net::ReceiveBatch::kSize) return;
    }
  }

  // A late reply counts, too: how long it took is not the question. A kiss-o'-death that anybody
  // may have sent does not: a client that has a key asks again at its next poll.
  void OnReply(Bytes bytes) {
    const auto packet = wire::ParsePacket(bytes);
    if (!packet.ok()) return;
    const auto found = nonces_.find(packet->header.origin.raw());
    if (found == nonces_.end()) return;
    const size_t number = found->second;
    if (!cookies_ && packet->header.stratum == 0 && !IsAuthentic(*packet, number)) {
      ++tally.kisses;
      return;
    }
    nonces_.erase(found);
    const auto end = std::remove_if(asked_.begin(), asked_.end(),
                                    [&](const Question& q) { return q.client == number; });
    if (end == asked_.end()) return;  // answered already
    asked_.erase(end, asked_.end());
    Judge(*packet, number);
  }

  bool IsAuthentic(const wire::Packet& reply, size_t number) const {
    return requests_->IsAuthentic(reply, PathOf(number), (*clients_)[number].cookie);
  }

  void Judge(const wire::Packet& reply, size_t number) {
    Client& client = (*clients_)[number];
    bool good = false;
    if (cookies_) {
      const auto cookie = requests_->CookieIn(reply);
      good = cookie.has_value();
      client.cookie = cookie.value_or(0);
    } else {
      good = IsAuthentic(reply, number);
    }
    ++(good ? tally.answered : reply.crypto_nak ? tally.naks : tally.wrong);
  }

  void Repeat() {
    const auto hopeless = [&](const Question& q) {
      return q.tries >= OwnPace().most_tries && Waited(q, Patience());
    };
    tally.given_up += std::erase_if(asked_, hopeless);
    for (Question& question : asked_)
      if (Waited(question, Patience())) Ask(&question);
    if (asked_.empty()) nonces_.clear();
  }

  Requests* requests_;
  SocketAddress server_;
  double headway_;
  std::vector<Client>* clients_;
  UniqueFd fd_;
  bool cookies_ = false;
  std::deque<Question> waiting_;
  std::vector<Question> asked_;
  std::unordered_map<uint64_t, size_t> nonces_;  // of requests, whose client that is
  std::unique_ptr<net::ReceiveBatch> batch_ = std::make_unique<net::ReceiveBatch>();
};

// The others: as many as the server answers, and more.
class Flooder {
 public:
  Flooder(Requests* requests, const Options& options, const Flood& flood)
      : requests_(requests), server_{options.server, 123}, flood_(flood), fd_(Open()) {
    if (flood_.as_clients) flood_.sources = static_cast<uint32_t>(options.clients);
  }

  void Turn() {
    Receive();
    if (unanswered_ >= kFloodWindow && MonotonicNow() - heard_ > kFloodPause) unanswered_ = 0;
    for (int i = 0; i < 32 && unanswered_ < kFloodWindow; ++i) Send();
  }
  int fd() const { return fd_.get(); }
  size_t sent() const { return sent_; }
  size_t answered() const { return answered_; }
  // Of the answers, those with a value: something was issued.
  size_t granted() const { return granted_; }

 private:
  void Send() {
    const auto number = static_cast<uint32_t>(net::RandomNumber()) % flood_.sources;
    const IpAddress source =
        flood_.as_clients ? Address(kHonest, number + 1) : Address(kFlooding, number);
    const AddressPair path{source, server_.ip};
    const Bytes packet = requests_->Flood(flood_.kind, path, net::RandomNonce().raw());
    (void)net::SendFrom(fd_.get(), packet, server_, path.source, 0);
    ++sent_;
    ++unanswered_;
  }

  void Receive() {
    for (;;) {
      const auto datagrams = batch_->Receive(fd_.get());
      for (const net::Datagram& datagram : datagrams) {
        ++answered_;
        unanswered_ = std::max(0, unanswered_ - 1);
        const auto packet = wire::ParsePacket(datagram.bytes);
        granted_ +=
            packet.ok() && packet->field_count > 0 && packet->extensions()[0].field.size() > 8;
      }
      if (!datagrams.empty()) heard_ = MonotonicNow();
      if (datagrams.size() < net::ReceiveBatch::kSize) return;
    }
  }

  Requests* requests_;
  SocketAddress server_;
  Flood flood_;
  UniqueFd fd_;
  MonoTime heard_ = MonotonicNow();
  int unanswered_ = 0;
  size_t sent_ = 0, answered_ = 0, granted_ = 0;
  std::unique_ptr<net::ReceiveBatch> batch_ = std::make_unique<net::ReceiveBatch>();
};

void WaitFor(int first, int second) {
  pollfd readable[] = {{first, POLLIN, 0}, {second, POLLIN, 0}};
  const timespec longest{0, 1000000};
  (void)ppoll(readable, 2, &longest, nullptr);
}

// Resident memory of a process, kB.
long MemoryOf(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/status");
  std::string word;
  long size = 0;
  while (file >> word)
    if (word == "VmRSS:") file >> size;
  return size;
}

void PrintMemory(const Options& options) {
  for (const std::string& pid : options.pids) std::printf(" rss%s=%ld", pid.c_str(), MemoryOf(pid));
  std::printf("\n");
  std::fflush(stdout);
}

void Print(const char* what, const Tally& tally) {
  std::printf(
      "%s answered=%zu naks=%zu wrong=%zu kisses=%zu given_up=%zu repeated=%zu most_tries=%d", what,
      tally.answered, tally.naks, tally.wrong, tally.kisses, tally.given_up, tally.repeated,
      tally.most_tries);
}

void AskForCookies(const char* what, const Options& options, Requests* requests,
                   std::vector<Client>* clients) {
  Crowd crowd(requests, options, clients);
  crowd.Begin(true);
  while (!crowd.done()) {
    crowd.Turn();
    WaitFor(crowd.fd(), crowd.fd());
  }
  Print(what, crowd.tally);
  PrintMemory(options);
}

// The rounds begin one after the other, all through the flood.
void Run(const Flood& flood, const Options& options, Requests* requests,
         std::vector<Client>* clients) {
  Crowd crowd(requests, options, clients);
  Flooder flooder(requests, options, flood);
  const MonoTime start = MonotonicNow();
  size_t begun = 0;
  while (flooder.sent() < flood.packets || begun < options.rounds || !crowd.done()) {
    if (crowd.done() && begun < options.rounds &&
        flooder.sent() >= begun * flood.packets / options.rounds) {
      crowd.Begin(false);
      ++begun;
    }
    crowd.Turn();
    flooder.Turn();
    WaitFor(crowd.fd(), flooder.fd());
  }
  Print(flood.name.c_str(), crowd.tally);
  std::printf(" sent=%zu replies=%zu granted=%zu seconds=%.0f", flooder.sent(), flooder.answered(),
              flooder.granted(), MonotonicNow() - start + 1);
  PrintMemory(options);
}

std::optional<Flood> ParseFlood(const std::string& text) {
  Flood flood{.name = text};
  const size_t first = text.find(':');
  const size_t second = text.rfind(':');
  if (first == std::string::npos || second == first) return std::nullopt;
  const auto kind = KindOf(text.substr(0, first));
  flood.packets = std::strtoul(&text[first + 1], nullptr, 10);
  flood.as_clients = text.substr(second + 1) == "clients";
  if (!flood.as_clients)
    flood.sources = static_cast<uint32_t>(std::strtoul(&text[second + 1], nullptr, 10));
  if (!kind || flood.packets == 0 || flood.sources == 0) return std::nullopt;
  flood.kind = *kind;
  return flood;
}

std::optional<Options> Parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const auto value = [&] { return i + 1 < argc ? argv[++i] : ""; };
    if (name == "--name") {
      options.name = value();
    } else if (name == "--clients") {
      options.clients = std::strtoul(value(), nullptr, 10);
    } else if (name == "--rounds") {
      options.rounds = std::strtoul(value(), nullptr, 10);
    } else if (name == "--headway") {
      options.headway = std::strtod(value(), nullptr);
    } else if (name == "--pid") {
      options.pids.emplace_back(value());
    } else if (name == "--flood") {
      const auto flood = ParseFlood(value());
      if (!flood) return std::nullopt;
      options.floods.push_back(*flood);
    } else if (const auto server = IpAddress::Parse(name)) {
      options.server = *server;
    } else {
      return std::nullopt;
    }
  }
  if (options.server.is_none()) return std::nullopt;
  return options;
}

int Main(int argc, char** argv) {
  const auto options = Parse(argc, argv);
  if (!options) return std::fprintf(stderr, "ntp-crowd: see the head of its source\n"), 2;
  Requests requests(options->name);
  std::vector<Client> clients(options->clients);
  for (uint32_t i = 0; i < clients.size(); ++i) clients[i].address = Address(kHonest, i + 1);
  AskForCookies("cookies", *options, &requests, &clients);
  for (const Flood& flood : options->floods) Run(flood, *options, &requests, &clients);
  std::vector<Client> newcomer(1);
  newcomer[0].address = Address(kNewcomer, 1);
  AskForCookies("newcomer", *options, &requests, &newcomer);
  return 0;
}

}  // namespace
}  // namespace ntpward::crowd

int main(int argc, char** argv) { return ntpward::crowd::Main(argc, argv); }
