#include "tests/keys/workshop.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "keys/keygen.h"
#include "keys/renewal.h"
#include "tests/support/arguments.h"
#include "tests/support/vectors.h"

namespace ntpward::keys::test {

bool Workshop::Run(std::vector<std::string> words) {
  words.insert(words.begin(), "ntp-keygen");
  ntpward::test::Arguments arguments(std::move(words));
  auto options = ParseKeygenOptions(arguments.argc(), arguments.argv());
  for (const std::string& word : arguments.words()) arguments_left += word + " ";
  if (!options.ok()) return error = options.error().text, false;
  auto directory = KeyDirectory::Open(path);
  CHECK(directory.ok());
  char *out_data = nullptr, *err_data = nullptr;
  size_t out_size = 0, err_size = 0;
  KeygenEnvironment environment;
  environment.host_name = "server";
  environment.now = [this] { return clock; };
  environment.wait_second = [this] { ++clock; };
  environment.lock_patience_s = patience_s;
  environment.out = open_memstream(&out_data, &out_size);
  environment.err = open_memstream(&err_data, &err_size);
  const bool renews = options->renewal.has_value();
  const auto run = [&](auto tool) { return tool.Run(); };
  const Status done = renews ? run(Renewal(std::move(*options), std::move(*directory), environment))
                             : run(Keygen(std::move(*options), std::move(*directory), environment));
  fclose(environment.out), fclose(environment.err);
  out.assign(out_data, out_size), err.assign(err_data, err_size);
  free(out_data), free(err_data);
  error = done.ok() ? "" : done.error().text;
  return done.ok();
}

std::vector<std::string> Workshop::Names() const {
  std::vector<std::string> names;
  DIR* directory = opendir(path.c_str());
  while (const dirent* entry = readdir(directory))
    if (const std::string name = entry->d_name; name != "." && name != "..") names.push_back(name);
  closedir(directory);
  std::sort(names.begin(), names.end());
  return names;
}

std::map<std::string, std::string> Workshop::Contents() const {
  std::map<std::string, std::string> all;
  for (const auto& name : Names()) all[name] = Text(name);
  return all;
}

std::string Workshop::Text(const std::string& name) const {
  const auto bytes = ntpward::test::ReadFile(path + "/" + name);
  return std::string(AsText(bytes));
}

std::string Workshop::Link(const std::string& name) const {
  char target[256] = {};
  return readlink((path + "/" + name).c_str(), target, sizeof target - 1) > 0 ? target : "";
}

void Workshop::Put(const std::string& name, std::string_view text) const {
  FILE* file = fopen((path + "/" + name).c_str(), "w");
  CHECK(file != nullptr && fwrite(text.data(), 1, text.size(), file) == text.size());
  fclose(file);
}

mode_t Workshop::Mode(const std::string& name) const {
  return ntpward::test::ModeOf(path + "/" + name);
}

OwnCertificate Workshop::Certificate() const {
  auto certificate = ReadCertificateFile(AsBytes(Text("ntpkey_cert_server")));
  CHECK(certificate.ok());
  return std::move(certificate).value();
}

bool Workshop::Opens(const std::string& name, std::string_view password) const {
  return ReadRsaKey(AsBytes(Text(name)), AsBytes(password)).ok();
}

std::vector<std::string> With(std::vector<std::string> words,
                              const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

}  // namespace ntpward::keys::test
