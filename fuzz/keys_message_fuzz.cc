// links: keys
//
// Any messages from a taken-over net to the key process, and any as if from the supervisor:
// answered or refused whole, and every answer is fit for the pipe.
#include <fcntl.h>
#include <openssl/pem.h>
#include <sys/mman.h>
#include <unistd.h>

#include "keys/certificate_maker.h"
#include "keys/crypto_setup.h"
#include "keys/private_key.h"
#include "keys/service.h"
#include "privsep/fds.h"

using namespace ntpward;

namespace {

class Clock : public keys::TimeSource {
 public:
  NtpTimestamp System() override { return NtpTimestamp::FromRaw(uint64_t{4004300000U} << 32); }
  MonoTime Monotonic() override { return now = now + 1.0; }
  MonoTime now;
};

class Encoder : public keys::Outbox {
 public:
  void Send(const msg::ServeDone& m) override { Check(m); }
  void Send(const msg::Sealed& m) override { Check(m); }
  void Send(const msg::Verdict& m) override { Check(m); }
  void Send(const msg::HostMaterial& m) override { Check(m); }
  void Send(const msg::SignedValues& m) override { Check(m); }
  void Send(const msg::KeyCount& m) override { Check(m); }
  void Send(const msg::ValueAnswer& m) override { Check(m); }
  void Send(const msg::KeyListTaken& m) override { Check(m); }
  void Send(const msg::CommandNonce& m) override { Check(m); }
  void Send(const msg::CommandDone& m) override { Check(m); }
  void Send(const msg::LogLine& m) override { Check(m); }
  void Send(const msg::RoleReady& m) override { Check(m); }
  void Send(const msg::RoleFailed& m) override { Check(m); }
  void Send(const msg::Misbehaviour& m) override { Check(m); }
  void Send(const msg::KeysInherited& m) override { Check(m); }
  bool Send(const msg::RuntimeTrust& m) override { return Check(m), true; }
  bool Send(const msg::RuntimeLine& m) override { return Check(m), true; }

 private:
  template <msg::Message M>
  void Check(const M& m) {
    msg::Encoded bytes;
    msg::Encode(m, &bytes);
    M again;
    CHECK(msg::Decode(bytes.span(), &again));
  }
};

template <msg::Message M>
Bytes Encoded(const M& m, msg::Encoded* bytes) {
  msg::Encode(m, bytes);
  return bytes->span();
}

msg::KeysFile FileOf(msg::KeyFileKind kind, const std::string& text) {
  const int fd = memfd_create("fuzz", 0);
  CHECK(fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  msg::KeysFile file;
  file.kind = kind;
  file.fd = fcntl(fd, F_DUPFD, kFirstKeyFile);
  CHECK(lseek(file.fd, 0, SEEK_SET) == 0);
  close(fd);
  return file;
}

// A service with a host key of its own, made once.
struct Target {
  Target() : service(&clock, "fuzz") {
    CHECK(crypto.ok());
    const PkeyPtr key(EVP_RSA_gen(512));
    const auto scheme = keys::SignatureScheme::FromName("RSA-MD5");
    keys::CertificateContent content{.subject = "h", .issuer = "h", .not_before = 1795304898};
    const auto der = keys::MakeCertificate(content, key.get(), key.get(), *scheme);
    const keys::BioPtr bio(BIO_new(BIO_s_mem()));
    PEM_write_bio(bio.get(), "CERTIFICATE", "", der->data(), static_cast<long>(der->size()));
    char* pem = nullptr;
    const auto size = static_cast<size_t>(BIO_get_mem_data(bio.get(), &pem));
    const auto host = keys::WritePrivateKey(key.get(), AsBytes("h"), "aes-256-cbc");
    msg::KeysStart start{.crypto_enabled = true};
    CHECK(start.host.Assign(AsBytes("h")) && start.digest_name.Assign(AsBytes("md5")));
    msg::KeysTrusted trusted;
    CHECK(trusted.keys.Push({.key = {1}, .serve = true, .upstream = true, .control = true}));
    Tell(start);
    Tell(FileOf(msg::KeyFileKind::kHost, "# h.4004293698\n" + *host));
    Tell(FileOf(msg::KeyFileKind::kCertificate, "# h.4004293698\n" + std::string(pem, size)));
    Tell(FileOf(msg::KeyFileKind::kSymmetric, "1 MD5 secret\n"));
    Tell(trusted);
    Tell(msg::KeysEnd{});
    CHECK(service.ready());
    Tell(msg::KeysServe{});
  }
  template <msg::Message M>
  void Tell(const M& m) {
    msg::Encoded bytes;
    service.HandleSupervisor(Encoded(m, &bytes), out);
  }

  Result<keys::CryptoSetup> crypto = keys::CryptoSetup::ForTool();
  Clock clock;
  Encoder out;
  keys::KeyService service;
};

template <msg::Message M>
void SurvivesReencoding(Bytes bytes) {
  M message;
  msg::Encoded again;
  if (msg::Decode(bytes, &message)) CHECK(EqualConstantTime(Encoded(message, &again), bytes));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Target target;
  Reader reader(Bytes(data, size));
  // Several messages, each behind its length.
  while (reader.remaining() > 0 && !reader.failed()) {
    const Bytes message = reader.Take(std::min<size_t>(reader.U16(), reader.remaining()));
    if (message.size() > msg::kMaxMessage) return 0;
    target.service.HandleNet(message, target.out);
    while (target.service.HasWork()) target.service.RunOne(target.out);
    SurvivesReencoding<msg::KeysStart>(message);
    SurvivesReencoding<msg::KeysFile>(message);
    SurvivesReencoding<msg::KeysPassword>(message);
    SurvivesReencoding<msg::KeysTrusted>(message);
  }
  return 0;
}
