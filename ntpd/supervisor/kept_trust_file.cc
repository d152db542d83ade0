#include "ntpd/supervisor/kept_trust_file.h"

#include <unistd.h>

#include <charconv>

#include "ntpd/supervisor/own_file.h"
#include "ntpd/supervisor/state_file.h"

namespace ntpward::supervisor {
namespace {

// A line a key, then the end: what was cut off would else be trusted again.
constexpr std::string_view kTrusted = "trustedkey ", kRevoked = "untrustedkey ", kEnd = "end\n";
constexpr uint32_t kLastKey = 65535;
constexpr size_t kMostOctets = kLastKey * (kRevoked.size() + 6) + kEnd.size();

std::optional<msg::TrustedNow> ParseLine(std::string_view line) {
  msg::TrustedNow key;
  key.trusted = line.starts_with(kTrusted);
  if (!key.trusted && !line.starts_with(kRevoked)) return std::nullopt;
  line.remove_prefix(key.trusted ? kTrusted.size() : kRevoked.size());
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), key.key.value);
  if (error != std::errc() || end != line.data() + line.size() || !key.Valid()) return std::nullopt;
  return key;
}

}  // namespace

std::optional<KeptTrust> ParseKeptTrust(std::string_view text) {
  if (!text.ends_with(kEnd)) return std::nullopt;
  text.remove_suffix(kEnd.size());
  KeptTrust kept;
  while (!text.empty()) {
    const size_t length = text.find('\n');
    if (length == std::string_view::npos) return std::nullopt;
    const auto key = ParseLine(text.substr(0, length));
    if (!key) return std::nullopt;
    msg::RuntimeTrust one;
    CHECK(one.keys.Push(*key));
    (void)kept.Take(one);
    text.remove_prefix(length + 1);
  }
  return kept;
}

std::string KeptTrustText(const KeptTrust& kept) {
  std::string text;
  for (const msg::RuntimeTrust& message : kept.Messages())
    for (const msg::TrustedNow& key : message.keys)
      text += std::string(key.trusted ? kTrusted : kRevoked) + std::to_string(key.key.value) + "\n";
  return text + std::string(kEnd);
}

KeptTrustFile::KeptTrustFile(const std::string& directory) {
  if (!directory.empty()) path_ = directory + "/trusted-keys";
}

Result<KeptTrust> KeptTrustFile::Read() const {
  if (path_.empty()) return KeptTrust();
  const std::string text = TRY(ReadOwnFile(path_, kMostOctets));
  if (text.empty()) return KeptTrust();
  auto kept = ParseKeptTrust(text);
  if (!kept) return Fail(path_ + ": is not whole");
  return std::move(*kept);
}

Status KeptTrustFile::Write(const KeptTrust& kept) const {
  if (path_.empty()) return {};
  return ReplaceFile(path_, KeptTrustText(kept), 0600);
}

void KeptTrustFile::Remove() const {
  if (!path_.empty()) (void)unlink(path_.c_str());
}

}  // namespace ntpward::supervisor
