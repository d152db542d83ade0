// ntp-names ADDRESS TRICK NAME=FIRST/COUNT...: a name server whose answers do not fit a datagram.
// Answers on port 53 of an IPv4 address; NAME has COUNT IPv4 addresses from FIRST upwards, all
// other names have none. By UDP it says of every name that is one of these to ask by TCP; what it
// does then is the trick:
//
//   whole    the answer
//   halves   the answer in two segments
//   hang     takes the connection and says nothing
//   reset    resets it
//   refuse   does not listen
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "privsep/base/address.h"
#include "privsep/base/bytes.h"
#include "privsep/base/unique_fd.h"

namespace {

using namespace ntpward;

constexpr size_t kHeader = 12;           // RFC 1035 section 4.1.1
constexpr uint16_t kAnswer = 0x8180;     // an answer, recursion asked for and had
constexpr uint16_t kTruncated = 0x0200;  // ask by TCP
constexpr uint16_t kNoSuchName = 3;
constexpr uint16_t kTypeA = 1;

struct Hosts {
  in_addr_t first = 0;  // in the host's order
  uint16_t count = 0;
};
using Names = std::map<std::string, Hosts>;

struct Question {
  std::string name;
  uint16_t type = 0;
  size_t end = 0;  // octets of header and question
};

std::optional<Question> Parse(Bytes message) {
  if (message.size() < kHeader) return std::nullopt;
  Reader reader(message.subspan(kHeader));
  Question question;
  for (size_t length = reader.U8(); length != 0; length = reader.U8()) {
    if (!question.name.empty()) question.name += '.';
    question.name += AsText(reader.Take(length));
  }
  question.type = reader.U16();
  (void)reader.U16();
  question.end = message.size() - reader.remaining();
  if (reader.failed()) return std::nullopt;
  return question;
}

// `by_tcp`: all of it; else that it is too long.
std::vector<uint8_t> AnswerTo(Bytes message, const Question& question, const Names& names,
                              bool by_tcp) {
  const auto found = names.find(question.name);
  const Hosts none;
  const Hosts& hosts = found == names.end() ? none : found->second;
  const bool all = by_tcp || found == names.end();
  const uint16_t count = all && question.type == kTypeA ? hosts.count : 0;
  std::vector<uint8_t> answer(question.end + size_t{count} * 16);
  Writer writer(answer);
  writer.Put(message.first(2));
  writer.U16(found == names.end() ? kAnswer | kNoSuchName : all ? kAnswer : kAnswer | kTruncated);
  writer.U16(1);
  writer.U16(count);
  writer.U32(0);
  writer.Put(message.subspan(kHeader, question.end - kHeader));
  for (uint16_t i = 0; i < count; ++i) {
    writer.U16(0xc00c);  // the name of the question
    writer.U16(kTypeA);
    writer.U16(1);
    writer.U32(1);
    writer.U16(4);
    writer.U32(hosts.first + i);
  }
  CHECK(writer.Finish());
  return answer;
}

bool ReadAll(int socket, MutableBytes into) {
  return ::recv(socket, into.data(), into.size(), MSG_WAITALL) == static_cast<ssize_t>(into.size());
}

// Several questions may come by one connection.
void AnswerByTcp(int socket, const Names& names, bool halves) {
  std::array<uint8_t, 2> size;
  while (ReadAll(socket, size)) {
    std::vector<uint8_t> message(size_t{size[0]} * 256 + size[1]);
    if (!ReadAll(socket, message)) return;
    const auto question = Parse(message);
    if (!question) return;
    const auto answer = AnswerTo(message, *question, names, true);
    std::vector<uint8_t> framed = {static_cast<uint8_t>(answer.size() >> 8),
                                   static_cast<uint8_t>(answer.size())};
    framed.insert(framed.end(), answer.begin(), answer.end());
    const size_t first = halves ? framed.size() / 2 : framed.size();
    (void)::send(socket, framed.data(), first, MSG_NOSIGNAL);
    if (halves) ::usleep(200000);
    (void)::send(socket, framed.data() + first, framed.size() - first, MSG_NOSIGNAL);
  }
}

class Server {
 public:
  Server(std::string trick, Names names) : trick_(std::move(trick)), names_(std::move(names)) {}

  bool Listen(const IpAddress& address) {
    sockaddr_storage storage;
    const socklen_t length = SocketAddress{address, 53}.ToSockaddr(&storage);
    const auto* place = reinterpret_cast<const sockaddr*>(&storage);
    udp_ = UniqueFd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    tcp_ = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::bind(udp_.get(), place, length) != 0 || ::bind(tcp_.get(), place, length) != 0)
      return false;
    return trick_ == "refuse" || ::listen(tcp_.get(), 16) == 0;
  }

  [[noreturn]] void Serve() {
    while (true) {
      pollfd ready[] = {{udp_.get(), POLLIN, 0}, {tcp_.get(), POLLIN, 0}};
      (void)::poll(ready, trick_ == "refuse" ? 1 : 2, -1);
      if (ready[0].revents != 0) OnDatagram();
      if (ready[1].revents != 0) OnConnection();
    }
  }

 private:
  void OnDatagram() {
    std::array<uint8_t, 512> buffer;
    sockaddr_storage from{};
    socklen_t length = sizeof(from);
    auto* sender = reinterpret_cast<sockaddr*>(&from);
    const ssize_t size =
        ::recvfrom(udp_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT, sender, &length);
    if (size < 0) return;
    const Bytes message = Bytes(buffer).first(static_cast<size_t>(size));
    const auto question = Parse(message);
    if (!question) return;
    const auto answer = AnswerTo(message, *question, names_, false);
    (void)::sendto(udp_.get(), answer.data(), answer.size(), 0, sender, length);
  }

  void OnConnection() {
    UniqueFd socket(::accept4(tcp_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket.valid()) return;
    if (trick_ == "hang") return held_.push_back(std::move(socket));
    if (trick_ == "reset") {
      const linger at_once{1, 0};
      (void)::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
      return;
    }
    const int on = 1;
    (void)::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    AnswerByTcp(socket.get(), names_, trick_ == "halves");
  }

  std::string trick_;
  Names names_;
  UniqueFd udp_;
  UniqueFd tcp_;
  std::vector<UniqueFd> held_;
};

// NAME=FIRST/COUNT.
bool AddName(const std::string& text, Names* names) {
  const size_t equals = text.find('=');
  const size_t slash = text.find('/');
  if (equals == std::string::npos || slash == std::string::npos) return false;
  const auto first = IpAddress::Parse(text.substr(equals + 1, slash - equals - 1));
  sockaddr_storage storage;
  if (!first || SocketAddress{*first, 0}.ToSockaddr(&storage) != sizeof(sockaddr_in)) return false;
  Hosts hosts;
  hosts.first = ntohl(reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr.s_addr);
  const char* end = text.data() + text.size();
  if (std::from_chars(text.data() + slash + 1, end, hosts.count).ptr != end) return false;
  (*names)[text.substr(0, equals)] = hosts;
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const auto address = IpAddress::Parse(argv[1]);
  Names names;
  for (int i = 3; i < argc; ++i)
    if (!AddName(argv[i], &names)) return 2;
  Server server(argv[2], std::move(names));
  if (!address || !server.Listen(*address)) {
    std::perror("ntp-names");
    return 1;
  }
  std::puts("ready");
  std::fflush(stdout);
  server.Serve();
}
