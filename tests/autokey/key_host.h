// A host with the real key process behind it, on key files.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "keys/crypto_setup.h"
#include "keys/service.h"
#include "ntpd/autokey/certificate_cache.h"
#include "ntpd/autokey/host_state.h"
#include "ntpd/autokey/server_side.h"
#include "privsep/fds.h"

namespace ntpward::autokey::test {

using msg::KeyFileKind;

// Once in a program; the providers stay loaded.
inline int LoadCrypto(void**) {
  static const auto setup = keys::CryptoSetup::ForTool();
  CHECK(setup.ok());
  return 0;
}

// A clock that the test moves: NTP seconds.
class TestTime : public keys::TimeSource {
 public:
  explicit TestTime(uint32_t now) : seconds(now), begin_(now) {}
  NtpTimestamp System() override { return NtpTimestamp::FromRaw(uint64_t{seconds} << 32); }
  MonoTime Monotonic() override { return MonoTime::FromSeconds(1000.0 + (seconds - begin_)); }

  // The clock is set; intervals go on.
  void Step(int32_t by) {
    seconds += static_cast<uint32_t>(by);
    begin_ += static_cast<uint32_t>(by);
  }

  uint32_t seconds;

 private:
  uint32_t begin_;
};

// The last message of each kind.
class Last : public keys::Outbox {
 public:
  void Send(const msg::ServeDone& m) override { serve_done = m; }
  void Send(const msg::Sealed& m) override { sealed = m; }
  void Send(const msg::Verdict& m) override { verdict = m; }
  void Send(const msg::HostMaterial& m) override { material = m; }
  void Send(const msg::SignedValues& m) override { signed_values = m; }
  void Send(const msg::KeyCount&) override {}
  void Send(const msg::ValueAnswer& m) override { answer = m; }
  void Send(const msg::KeyListTaken& m) override { taken = m; }
  void Send(const msg::CommandNonce&) override {}
  void Send(const msg::CommandDone&) override {}
  void Send(const msg::LogLine&) override {}
  void Send(const msg::RoleReady&) override {}
  void Send(const msg::RoleFailed& m) override { Fatal(__FILE__, __LINE__, m.text.text()); }
  void Send(const msg::Misbehaviour&) override { Fatal(__FILE__, __LINE__, "accused"); }
  void Send(const msg::KeysInherited& m) override { inherited = m; }
  bool Send(const msg::RuntimeTrust&) override { return true; }
  bool Send(const msg::RuntimeLine&) override { return true; }

  msg::ServeDone serve_done;
  msg::Sealed sealed;
  msg::Verdict verdict;
  msg::HostMaterial material;
  msg::SignedValues signed_values;
  msg::ValueAnswer answer;
  msg::KeyListTaken taken;
  msg::KeysInherited inherited;
};

struct File {
  KeyFileKind kind;
  std::string path;
};

// What a key process left to its successor.
using Heritage = std::vector<std::vector<uint8_t>>;

struct Host {
  // `heritage`: of the one that it takes the place of, at a reload; must not outlive the call.
  Host(std::string_view password, const std::vector<File>& files, uint32_t now,
       std::string_view group = "server", const Heritage* heritage = nullptr)
      : time(now), keys(&time, "none") {
    msg::KeysStart start;
    start.crypto_enabled = true;
    CHECK(start.host.Assign(AsBytes("host")) && start.digest_name.Assign(AsBytes("md5")));
    Supervisor(start);
    msg::KeysPassword secret;
    CHECK(secret.password.Assign(AsBytes(password)));
    Supervisor(secret);
    for (const File& file : files) {
      const UniqueFd fd(open(file.path.c_str(), O_RDONLY | O_CLOEXEC));
      CHECK(fd.valid());
      msg::KeysFile message;
      message.kind = file.kind;
      message.fd = fcntl(fd.get(), F_DUPFD_CLOEXEC, kFirstKeyFile);
      CHECK(message.group.Assign(AsBytes(group)) && message.name.Assign(AsBytes(file.path)));
      Supervisor(message);
    }
    Supervisor(msg::KeysEnd{});
    CHECK(keys.ready());
    if (heritage != nullptr) {
      Supervisor(msg::KeysHandOver{});
      for (const auto& message : *heritage) keys.Inherit(message, out);
      CHECK(out.inherited.whole);
    }
    Supervisor(msg::KeysServe{});
    Ask(msg::HostMaterialRequest{});
    CHECK(state.SetMaterial(out.material).ok());
    certificates.SetOwn(state.certificate());
  }
  template <typename M>
  void Supervisor(const M& message) {
    msg::Encoded bytes;
    msg::Encode(message, &bytes);
    keys.HandleSupervisor(bytes.span(), out);
  }
  template <typename M>
  void Ask(const M& message) {
    msg::Encoded bytes;
    msg::Encode(message, &bytes);
    keys.HandleNet(bytes.span(), out);
    while (keys.HasWork()) keys.RunOne(out);
  }
  Heritage Bequeath() {
    Heritage heritage;
    Supervisor(msg::KeysHandOver{});
    CHECK(keys.bequeaths());
    CHECK(keys.Bequeath(
        [&](Bytes message) {
          heritage.emplace_back(message.begin(), message.end());
          return true;
        },
        out));
    return heritage;
  }
  void Synchronise() {
    CHECK(SignValues());
    synchronised = true;
  }
  // What ntpd-net does now and then: certificates that came are served under a new signature.
  void Maintain() {
    if (!synchronised) return;
    certificates.OnTime(Unfold(NtpSeconds{time.seconds}));
    state.OnCertificates(certificates.revision());
    (void)SignValues();
  }
  // False: there was no need.
  bool SignValues() {
    const auto update = state.DueUpdate(time.Monotonic(), NtpSeconds{time.seconds}, true);
    if (!update) return false;
    Ask(*update);
    state.OnSignedValues(out.signed_values);
    return true;
  }

  TestTime time;
  Last out;
  keys::KeyService keys;
  HostState state;
  CertificateCache certificates;
  ServerSide side;
  bool synchronised = false;
};

}  // namespace ntpward::autokey::test
