#include "tests/keys/service_harness.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "privsep/fds.h"

namespace ntpward::keys::test {

bool Recorder::Has(const std::vector<std::string>& lines, std::string_view part) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& line) { return line.find(part) != line.npos; });
}

int OpenForRole(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  CHECK(fd.valid());
  const int moved = fcntl(fd.get(), F_DUPFD_CLOEXEC, kFirstKeyFile);
  CHECK(moved >= kFirstKeyFile);
  return moved;
}

int NewSeedFile() {
  const int fd = memfd_create("seed", MFD_CLOEXEC);
  CHECK(fd >= 0);
  return fd;
}

msg::KeysStart Harness::DefaultStart() {
  msg::KeysStart start;
  start.crypto_enabled = true;
  SetText(&start.host, "server");
  SetText(&start.digest_name, "md5");
  return start;
}

void Harness::Start(const std::vector<FileRow>& files, std::string_view password,
                    std::vector<msg::TrustedKey> trusted) {
  FromSupervisor(start);
  if (!password.empty()) {
    msg::KeysPassword message;
    SetText(&message.password, password);
    FromSupervisor(message);
  }
  for (const FileRow& row : files) {
    msg::KeysFile file;
    file.kind = row.kind;
    const std::string path = (row.data.starts_with('/') ? "" : "tests/keys/data/") + row.data;
    file.fd = row.data.empty() ? -1 : OpenForRole(path);
    SetText(&file.group, row.group);
    SetText(&file.name, "keys/" + row.data);
    file.world_readable = row.world_readable;
    file.earlier = row.earlier;
    FromSupervisor(file);
  }
  msg::KeysTrusted list;
  for (const auto& key : trusted) CHECK(list.keys.Push(key));
  FromSupervisor(list);
  FromSupervisor(msg::KeysEnd{});
  if (service.ready() && !waits) FromSupervisor(msg::KeysServe{});
}

void Harness::StartServer() {
  using msg::KeyFileKind;
  Start(
      {{KeyFileKind::kHost, "428_host_server"},
       {KeyFileKind::kCertificate, "428_cert_server"},
       {KeyFileKind::kIffKey, "428_iffkey_server"},
       {KeyFileKind::kSymmetric, "428_ntp.keys"}},
      "serverpassword",
      {{.key = {1}, .serve = true}, {.key = {3}, .upstream = true}, {.key = {4}, .control = true}});
  CHECK(service.ready());
}

// Its own certificate is the server's: what a client proves it with does not matter here.
void Harness::StartClient() {
  using msg::KeyFileKind;
  Start({{KeyFileKind::kHost, "428_host_server"},
         {KeyFileKind::kCertificate, "428_cert_server"},
         {KeyFileKind::kIffPar, "428_iffpar_server_traditional"},
         {KeyFileKind::kIffPar, "428_iffpar_server_pkcs8", "mute"}});
  CHECK(service.ready());
}

}  // namespace ntpward::keys::test
