#include "ntpq/keyfile.h"

#include <algorithm>
#include <vector>

#include "ntpd/wire/variable_values.h"
#include "ntpq/text.h"
#include "privsep/base/des_key.h"

namespace ntpward::ntpq {
namespace {

std::vector<std::string_view> Words(std::string_view line) {
  line = line.substr(0, line.find('#'));
  std::vector<std::string_view> words;
  size_t start = 0;
  for (size_t i = 0; i <= line.size(); ++i) {
    if (i < line.size() && !IsBlank(line[i])) continue;
    if (i > start) words.push_back(line.substr(start, i - start));
    start = i + 1;
  }
  return words;
}

std::string InHexadecimal(Bytes octets) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * octets.size());
  for (const uint8_t octet : octets) text.append({kDigits[octet >> 4], kDigits[octet & 15]});
  return text;
}

Error Malformed(KeyId key) { return Error{"key " + std::to_string(key.value) + " is malformed"}; }

// Keeps a DES key in a form that a user could have typed.
Status TakeDesKey(Session& session, KeyId key, DesKeyForm form, std::string_view text) {
  auto octets = DecodeDesKey(form, text);
  if (!octets.ok()) return Fail(Malformed(key));
  std::string typed = form == DesKeyForm::kText ? std::string(text) : InHexadecimal(octets->span());
  const bool taken = session.SetPassword(typed);
  Wipe(octets->span());
  Wipe(MutableBytes(reinterpret_cast<uint8_t*>(typed.data()), typed.size()));
  if (!taken) return Fail(Malformed(key));
  session.key = key;
  session.key_type = *FindKeyType("DES");
  return {};
}

}  // namespace

Status TakeKey(Session& session, KeyId key, std::string_view file) {
  while (!file.empty()) {
    const size_t end = std::min(file.find('\n'), file.size());
    const auto words = Words(file.substr(0, end));
    file.remove_prefix(std::min(end + 1, file.size()));
    if (words.size() < 3 || wire::DecodeUnsigned(words[0]) != key.value) continue;
    if (const auto form = DesKeyFormOf(words[1])) return TakeDesKey(session, key, *form, words[2]);
    const auto type = FindKeyType(words[1]);
    if (!type) return Fail("key " + std::to_string(key.value) + " has an unknown type");
    session.key = key;
    session.key_type = *type;
    if (!session.SetPassword(words[2])) return Fail(Malformed(key));
    return {};
  }
  return Fail("key " + std::to_string(key.value) + " is not in the key file");
}

Status LoadKey(Session& session, const Options& options) {
  if (options.key) {
    session.key = KeyId{*options.key};
    if (!session.key.is_symmetric()) return Fail("the key of -a is not from 1 to 65535");
  }
  if (options.key_file.empty()) return {};
  if (!options.key) return Fail("-k needs -a");
  std::string file = TRY(session.platform().ReadFile(options.key_file));
  auto taken = TakeKey(session, session.key, file);
  Wipe(MutableBytes(reinterpret_cast<uint8_t*>(file.data()), file.size()));
  return taken;
}

}  // namespace ntpward::ntpq
