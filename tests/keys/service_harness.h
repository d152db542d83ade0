// A key service with a clock that tests set, loaded from tests/keys/data, and everything it says.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "keys/outbox.h"
#include "keys/service.h"
#include "keys/time_source.h"

namespace ntpward::keys::test {

class FakeTime : public TimeSource {
 public:
  NtpTimestamp System() override { return system; }
  MonoTime Monotonic() override { return mono; }
  void Advance(double seconds) {
    system = system + NtpDuration::FromSeconds(seconds);
    mono = mono + seconds;
  }

  // 2026-11-22, when the keys in tests/keys/data were valid.
  NtpTimestamp system = NtpTimestamp::FromRaw(uint64_t{4004300000U} << 32);
  MonoTime mono = MonoTime::FromSeconds(1000);
};

// Keeps every message.
class Recorder : public Outbox {
 public:
  void Send(const msg::ServeDone& m) override { Keep(&serve_done, m); }
  void Send(const msg::Sealed& m) override { Keep(&sealed, m); }
  void Send(const msg::Verdict& m) override { Keep(&verdicts, m); }
  void Send(const msg::HostMaterial& m) override { Keep(&material, m); }
  void Send(const msg::SignedValues& m) override { Keep(&signed_values, m); }
  void Send(const msg::KeyCount& m) override { Keep(&counts, m); }
  void Send(const msg::ValueAnswer& m) override { Keep(&answers, m); }
  void Send(const msg::KeyListTaken& m) override { Keep(&taken, m); }
  void Send(const msg::CommandNonce& m) override { Keep(&nonces, m); }
  void Send(const msg::CommandDone& m) override { Keep(&commands, m); }
  void Send(const msg::LogLine& m) override {
    (m.kind == msg::LogKind::kAudit ? audits : logs).emplace_back(m.text.text());
  }
  void Send(const msg::RoleReady& m) override { Keep(&readies, m); }
  void Send(const msg::RoleFailed& m) override { failures.emplace_back(m.text.text()); }
  void Send(const msg::Misbehaviour& m) override { Keep(&misbehaviours, m); }
  void Send(const msg::KeysInherited& m) override { Keep(&inherited, m); }
  bool Send(const msg::RuntimeTrust& m) override {
    if (supervisor_is_deaf) return false;
    Keep(&runtime_trust, m);
    return true;
  }

  bool Send(const msg::RuntimeLine& m) override {
    if (supervisor_is_deaf) return false;
    Keep(&runtime_lines, m);
    return true;
  }

  bool Logged(std::string_view part) const { return Has(logs, part); }
  // Such a line is of the audit trail.
  bool Audited(std::string_view part) const { return Has(audits, part); }

  std::vector<msg::ServeDone> serve_done;
  std::vector<msg::Sealed> sealed;
  std::vector<msg::Verdict> verdicts;
  std::vector<msg::HostMaterial> material;
  std::vector<msg::SignedValues> signed_values;
  std::vector<msg::KeyCount> counts;
  std::vector<msg::ValueAnswer> answers;
  std::vector<msg::KeyListTaken> taken;
  std::vector<std::string> logs, audits;
  std::vector<msg::RoleReady> readies;
  std::vector<std::string> failures;
  std::vector<msg::Misbehaviour> misbehaviours;
  std::vector<msg::KeysInherited> inherited;
  std::vector<msg::CommandNonce> nonces;
  std::vector<msg::CommandDone> commands;
  std::vector<msg::RuntimeTrust> runtime_trust;
  std::vector<msg::RuntimeLine> runtime_lines;
  bool supervisor_is_deaf = false;

 private:
  static bool Has(const std::vector<std::string>& lines, std::string_view part);
  // Every message must be fit for the pipe.
  template <typename M>
  void Keep(std::vector<M>* to, const M& message) {
    msg::Encoded bytes;
    msg::Encode(message, &bytes);
    to->push_back(message);
  }
};

struct FileRow {
  msg::KeyFileKind kind;
  std::string data;  // in tests/keys/data, or a whole path; empty: the file is missing
  std::string group = "server";
  bool world_readable = false;
  bool earlier = false;
};

class Harness {
 public:
  Harness() : service(&time, "seccomp=2") {}

  template <msg::Message M>
  void FromSupervisor(const M& message) {
    msg::Encoded bytes;
    msg::Encode(message, &bytes);
    service.HandleSupervisor(bytes.span(), out);
  }
  template <msg::Message M>
  void FromNet(const M& message) {
    msg::Encoded bytes;
    msg::Encode(message, &bytes);
    service.HandleNet(bytes.span(), out);
  }
  // The same, and all that waits is done.
  template <msg::Message M>
  void Ask(const M& message) {
    FromNet(message);
    while (service.HasWork()) service.RunOne(out);
  }
  // Until the next message.
  const msg::ValueAnswer& LastAnswer() const { return out.answers.back(); }
  msg::VerdictCode LastVerdict() const { return out.verdicts.back().code; }

  // Starts it with `crypto` and these files.
  void Start(const std::vector<FileRow>& files, std::string_view password = "serverpassword",
             std::vector<msg::TrustedKey> trusted = {});
  // The server of 4.2.8's laboratory, with its IFF key; trusted symmetric keys 1 (serve), 3
  // (upstream), 4 (control).
  void StartServer();
  // A client with the traditional group key of that server.
  void StartClient();

  msg::KeysStart start = DefaultStart();
  bool waits = false;  // KeysServe is left out, as at a reload while the one before is there
  FakeTime time;
  Recorder out;
  KeyService service;

 private:
  static msg::KeysStart DefaultStart();
};

// A descriptor in the range that KeysFile allows; -1 for an empty name.
int OpenForRole(const std::string& path);
// An empty file for KeysStart's seed_fd: the service takes the descriptor.
int NewSeedFile();

template <size_t N>
void Set(InlineBytes<N>* to, Bytes bytes) {
  CHECK(to->Assign(bytes));
}
template <size_t N>
void SetText(InlineBytes<N>* to, std::string_view text) {
  CHECK(to->Assign(AsBytes(text)));
}

}  // namespace ntpward::keys::test
