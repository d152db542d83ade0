// Dances with one server as new clients do, in bursts, since servers give strangers so many private
// operations a second: what a whole dance costs a server that is busy.
//
// usage: ntp-dances [OPTION...] ADDRESS:PORT
//   --sign      SIGN too, after ASSOC, CERT and COOK
//   --clients N that dance at once (8)     --burst N  dances in a burst (60)
//   --bursts N  (4); the first is no figure --pause S  seconds between them (1.5)
//   --pid P     a process of the server; repeatable
// All clients share one host key. Prints one line: dances per second of the server's processor time
// while bursts last, and the dances that were not answered in full.
#include <poll.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "keys/certificate_maker.h"
#include "keys/key_maker.h"
#include "ntpd/net/udp.h"
#include "ntpd/wire/extension_field.h"
#include "privsep/supervisor_link.h"
#include "tests/bench/server.h"
#include "tests/support/autokey_client.h"

namespace ntpward::bench {
namespace {

using namespace ntpward::test;
using wire::AutokeyCode;

constexpr const char* kName = "bench-client";
constexpr uint32_t kAssociation = 1;
constexpr uint32_t kStatusWord = 0x00080001;  // signs with RSA and MD5, as ntp-keygen has it
constexpr double kPatience = 0.5;             // s, for one answer
constexpr AutokeyCode kSteps[] = {AutokeyCode::kAssociation, AutokeyCode::kCertificate,
                                  AutokeyCode::kCookie, AutokeyCode::kSign};

struct Options {
  bool sign = false;
  size_t clients = 8, burst = 60;
  int bursts = 4;
  double pause = 1.5;
  std::vector<std::string> pids;
  SocketAddress server;
};

// Who dances: a host with a key, a certificate and the fields of its requests, made ahead.
class Host {
 public:
  Host()
      : key_(Must(keys::MakeRsaKey(2048))), signer_(Must(keys::Signer::Create(key_.get(), "MD5"))) {
    // In the past, but not before the host was made: servers compare it with their own clock.
    filestamp_ = {SystemTimeNow().seconds() - 1};
    keys::CertificateContent content{.subject = kName, .issuer = kName, .serial = filestamp_.value};
    content.not_before = keys::UnixFromNtp(filestamp_);
    certificate_ = Must(keys::MakeCertificate(content, key_.get(), key_.get(),
                                              Must(keys::SignatureScheme::FromName("RSA-MD5"))));
  }

  // `server`: the name that ASSOC's answer told.
  std::vector<uint8_t> Field(AutokeyCode code, Bytes server) const {
    switch (code) {
      case AutokeyCode::kAssociation:
        return Encoded(code, {kStatusWord}, AsBytes(kName), {});
      case AutokeyCode::kCertificate:
        return Encoded(code, filestamp_, server, {});
      case AutokeyCode::kCookie:
        return Signed(code, PublicDerOf(key_.get()));
      default:
        return Signed(code, certificate_);
    }
  }
  // What is owed for a dance: a signed value, and a cookie that opens.
  bool Accepts(AutokeyCode code, const wire::AutokeyField& answer) const {
    if (!answer.has_value || answer.head.error || !answer.head.response) return false;
    if (code == AutokeyCode::kAssociation) return !answer.value.empty();
    if (answer.signature.empty()) return false;
    return code != AutokeyCode::kCookie || OpenCookie(key_.get(), answer.value).has_value();
  }

 private:
  std::vector<uint8_t> Signed(AutokeyCode code, Bytes value) const {
    return Encoded(code, filestamp_, value, signer_.Sign(filestamp_, filestamp_, value));
  }
  std::vector<uint8_t> Encoded(AutokeyCode code, NtpSeconds filestamp, Bytes value,
                               Bytes signature) const {
    wire::AutokeyField field;
    field.head = {false, false, static_cast<uint8_t>(code), kAssociation};
    field.has_value = true;
    field.timestamp = signature.empty() ? NtpSeconds{} : filestamp_;
    field.filestamp = filestamp;
    field.value = value;
    field.signature = signature;
    std::vector<uint8_t> octets(wire::AutokeyFieldSize(value.size(), signature.size()));
    Writer writer(octets);
    wire::EncodeAutokeyField(writer, field);
    CHECK(writer.Finish());
    return octets;
  }

  PkeyPtr key_;
  keys::Signer signer_;
  NtpSeconds filestamp_;
  std::vector<uint8_t> certificate_;
};

class Dances {
 public:
  Dances(const Options& options, int fd, const AddressPair& path)
      : options_(options), fd_(fd), path_(path), hasher_(Must(keys::SessionKeyHasher::Create())) {
    for (size_t step = 0; step < std::size(kSteps); ++step) fields_.emplace_back();
    fields_[0] = host_.Field(kSteps[0], {});
  }

  // One burst of dances, all of which have ended when it returns.
  void Run() {
    completed_ = lost_ = 0;
    size_t begun = 0;
    clients_.assign(options_.clients, {});
    for (size_t flying = 1; flying > 0;) {
      flying = 0;
      for (Client& client : clients_) {
        if (client.nonce != 0 && MonotonicNow() - client.asked > kPatience) ++lost_, client = {};
        if (client.nonce == 0 && begun < options_.burst) ++begun, Ask(client);
        if (client.nonce != 0) ++flying;
      }
      if (flying > 0) Receive();
    }
  }
  size_t completed() const { return completed_; }
  size_t lost() const { return lost_; }

 private:
  struct Client {
    size_t step = 0;
    uint64_t nonce = 0;  // 0: it waits for nothing
    MonoTime asked;
  };

  size_t steps() const { return options_.sign ? 4 : 3; }

  void Ask(Client& client) {
    client.nonce = net::RandomNumber() | 1;
    client.asked = MonotonicNow();
    std::array<uint8_t, wire::kMaxPacketSize> request{};
    Writer writer(request);
    PutClientHeader(writer, client.nonce);
    writer.Put(fields_[client.step]);
    PutSessionMac(writer, hasher_, path_, 0);
    CHECK(!writer.failed());
    (void)send(fd_, writer.written().data(), writer.size(), MSG_DONTWAIT);
  }

  void Receive() {
    pollfd readable{fd_, POLLIN, 0};
    if (poll(&readable, 1, 10) <= 0) return;
    for (const net::Datagram& datagram : batch_->Receive(fd_)) {
      const auto packet = wire::ParsePacket(datagram.bytes);
      if (packet.ok()) OnReply(*packet);
    }
  }

  void OnReply(const wire::Packet& reply) {
    for (Client& client : clients_)
      if (client.nonce != 0 && client.nonce == reply.header.origin.raw())
        return OnAnswer(client, reply);
  }

  void OnAnswer(Client& client, const wire::Packet& reply) {
    const auto field = reply.field_count == 0
                           ? wire::ParseAutokeyField({})
                           : wire::ParseAutokeyField(reply.extensions()[0].field);
    if (!field.ok() || !HasSessionMac(reply, hasher_, path_, 0) ||
        !host_.Accepts(kSteps[client.step], *field)) {
      ++lost_;
      client = {};
      return;
    }
    if (fields_[1].empty())
      for (size_t step = 1; step < std::size(kSteps); ++step)
        fields_[step] = host_.Field(kSteps[step], field->value);
    if (++client.step < steps()) return Ask(client);
    ++completed_;
    client = {};
  }

  Options options_;
  int fd_;
  AddressPair path_;
  Host host_;
  keys::SessionKeyHasher hasher_;
  std::vector<std::vector<uint8_t>> fields_;  // by step
  std::vector<Client> clients_;
  std::unique_ptr<net::ReceiveBatch> batch_ = std::make_unique<net::ReceiveBatch>();
  size_t completed_ = 0, lost_ = 0;
};

std::optional<Options> Parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const auto value = [&] { return i + 1 < argc ? argv[++i] : ""; };
    if (name == "--sign") {
      options.sign = true;
    } else if (name == "--clients") {
      options.clients = std::strtoul(value(), nullptr, 10);
    } else if (name == "--burst") {
      options.burst = std::strtoul(value(), nullptr, 10);
    } else if (name == "--bursts") {
      options.bursts = std::atoi(value());
    } else if (name == "--pause") {
      options.pause = std::strtod(value(), nullptr);
    } else if (name == "--pid") {
      options.pids.emplace_back(value());
    } else if (const auto server = ParseServer(name)) {
      options.server = *server;
    } else {
      return std::nullopt;
    }
  }
  if (options.server.port == 0 || options.clients == 0 || options.bursts < 2) return std::nullopt;
  return options;
}

int Main(int argc, char** argv) {
  const auto options = Parse(argc, argv);
  if (!options) return std::fprintf(stderr, "ntp-dances: see the head of its source\n"), 2;
  AddressPair path;
  path.destination = options->server.ip;
  const auto fd = net::ConnectTo(options->server, 0, &path.source);
  if (!fd.ok()) return std::fprintf(stderr, "ntp-dances: %s\n", fd.error().text.c_str()), 2;
  Dances dances(*options, fd->get(), path);
  size_t completed = 0, lost = 0;
  double spent = 0;
  for (int burst = 0; burst < options->bursts; ++burst) {
    (void)poll(nullptr, 0, static_cast<int>(options->pause * 1000));
    const double before = ProcessorSeconds(options->pids);
    dances.Run();
    if (burst == 0) continue;
    spent += ProcessorSeconds(options->pids) - before;
    completed += dances.completed();
    lost += dances.lost();
  }
  std::printf("dances=%zu dances_cpu_s=%.0f lost=%zu\n", completed,
              spent > 0 ? static_cast<double>(completed) / spent : 0, lost);
  return completed > 0 && lost == 0 ? 0 : 1;
}

}  // namespace
}  // namespace ntpward::bench

int main(int argc, char** argv) { return ntpward::bench::Main(argc, argv); }
