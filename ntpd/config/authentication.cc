#include "ntpd/config/authentication.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "ntpd/config/directive.h"
#include "ntpd/config/options.h"

namespace ntpward::config {
namespace {

constexpr uint32_t kMaxSymmetricKey = 65535;
constexpr std::string_view kRangeDots = "...";

// --- trustedkey -------------------------------------------------------------------------------

KeyId TakeKeyNumber(Line& line) {
  return KeyId{static_cast<uint32_t>(line.Integer("key number", 1, kMaxSymmetricKey))};
}

std::optional<uint32_t> KeyNumber(std::string_view text) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value < 1 || value > kMaxSymmetricKey) return std::nullopt;
  return value;
}

// "(LOW ... HIGH)", with or without blanks; the parenthesis is taken.
KeyRange TakeRange(Line& line) {
  KeyRange range{line.where()};
  const std::string_view word = line.Next();
  const size_t dots = word.find(kRangeDots);
  if (dots != std::string_view::npos) {  // (1...19)
    const auto first = KeyNumber(word.substr(0, dots));
    const auto last = KeyNumber(word.substr(dots + kRangeDots.size()));
    if (!first || !last) line.Fail("bad range: expected (LOW ... HIGH), each from 1 to 65535");
    range.first = KeyId{first.value_or(1)};
    range.last = KeyId{last.value_or(1)};
  } else {
    if (!line.failed()) {
      const auto first = KeyNumber(word);
      if (!first) line.Fail("bad range: expected (LOW ... HIGH), each from 1 to 65535");
      range.first = KeyId{first.value_or(1)};
    }
    if (!line.Accept(kRangeDots)) line.FailNext("'...' between the ends of the range");
    range.last = TakeKeyNumber(line);
  }
  if (!line.failed() && range.last < range.first)
    line.Fail("the range is upside down: expected (LOW ... HIGH)");
  if (!line.Accept(")")) line.FailNext("')' after the range");
  return range;
}

void ParseTrustedKey(Line& line, Config& config) {
  std::vector<KeyRange> keys;
  if (line.AtEnd()) line.FailNext("key numbers (1 to 65535) or ranges (LOW ... HIGH)");
  while (!line.AtEnd()) {
    if (line.Accept("(")) {
      keys.push_back(TakeRange(line));
    } else {
      const KeyId key = TakeKeyNumber(line);
      keys.push_back({line.where(), key, key});
    }
  }
  auto& trusted = config.authentication.trusted;
  if (!trusted.empty()) line.Warn("trustedkey lines add up (ntpd 4.2.8 would keep this one only)");
  if (line.Finish()) trusted.insert(trusted.end(), keys.begin(), keys.end());
}

// --- crypto -----------------------------------------------------------------------------------

// What one `crypto` line says; merged into the Config when the whole line was understood.
struct CryptoLine {
  Secret password;
  Location password_where;
  Setting<std::string> password_file, host, ident, digest, randfile, seedfile, farm;
  Setting<std::string> host_key_file, sign_key_file, certificate_file, leap_file;
  Setting<bool> identity_optional;
  Setting<uint8_t> revoke;
};

template <Setting<std::string> CryptoLine::*kMember>
void TakeText(Line& line, CryptoLine& crypto) {
  std::string text = line.String("text");
  (crypto.*kMember).Set(std::move(text), line.where());
}

uint8_t TakeLifetime(Line& line) {
  return static_cast<uint8_t>(line.Integer("log2 of seconds", 3, 31));
}

// Options of older guides whose value means nothing any more; the text says what took its place.
void Replaced(Line& line, const char* text) {
  (void)line.String("text");
  line.Warn(text);
}

void TakeGroupFile(Line& line, CryptoLine&) {
  Replaced(
      line,
      "no effect: group keys are the files ntpkey_iffkey_GROUP, ntpkey_iffpar_GROUP and their "
      "like in 'keysdir', GROUP as 'crypto ident' (servers) or 'ident' on an association says");
}

void TakePublicKey(Line& line, CryptoLine&) {
  Replaced(line,
           "no effect: public keys come in certificates; 'ntp-keygen' makes ntpkey_cert_HOST in "
           "'keysdir'");
}

void TakeDiffieHellman(Line& line, CryptoLine&) {
  Replaced(line,
           "no effect: Autokey version 2 agrees on cookies by the host keys, without "
           "Diffie-Hellman parameters");
}

void TakeFlags(Line& line, CryptoLine&) {
  Replaced(line, "no effect: what a server has to prove follows from the installed group keys");
}

constexpr auto kCryptoOptions = std::to_array<Option<CryptoLine>>({
    {"pw",
     [](Line& l, CryptoLine& c) {
       c.password = l.SecretString("password");
       c.password_where = l.where();
     }},
    {"pwfile", TakeText<&CryptoLine::password_file>},
    {"host", TakeText<&CryptoLine::host>},
    {"ident", TakeText<&CryptoLine::ident>},
    {"digest", TakeText<&CryptoLine::digest>},
    {"randfile", TakeText<&CryptoLine::randfile>},
    {"seedfile", TakeText<&CryptoLine::seedfile>},
    {"farm", TakeText<&CryptoLine::farm>},
    {"identity",
     [](Line& l, CryptoLine& c) {
       if (!l.Accept("optional")) return l.FailNext("'optional' after 'identity'");
       c.identity_optional.Set(true, l.where());
     }},
    {"revoke",
     [](Line& l, CryptoLine& c) {
       const uint8_t life = TakeLifetime(l);
       c.revoke.Set(life, l.where());
     }},
    {"privatekey", TakeText<&CryptoLine::host_key_file>},
    {"sign", TakeText<&CryptoLine::sign_key_file>},
    {"cert", TakeText<&CryptoLine::certificate_file>},
    {"leap", TakeText<&CryptoLine::leap_file>},
    {"publickey", TakePublicKey},
    {"dhparms", TakeDiffieHellman},
    {"dhparams", TakeDiffieHellman},
    {"dh", TakeDiffieHellman},
    {"flags", TakeFlags},
    {"iffpar", TakeGroupFile},
    {"gqpar", TakeGroupFile},
    {"mvpar", TakeGroupFile},
    {"gq", TakeGroupFile},
    {"mv", TakeGroupFile},
});

template <typename T>
void Merge(Setting<T>& into, Setting<T>&& from) {
  if (from.is_set()) into = std::move(from);
}

void ParseCrypto(Line& line, Config& config) {
  CryptoLine said;
  const Location where = line.where();
  TakeOptions(line, said, kCryptoOptions, "option");
  Crypto& crypto = config.authentication.crypto;
  if (!said.password.empty() && !crypto.password.empty())
    line.Warn("an earlier line gave a password: this one replaces it");
  if (!line.Finish()) return;
  if (!crypto.enabled()) crypto.where = where;
  if (!said.password.empty()) {
    crypto.password = std::move(said.password);
    crypto.password_where = said.password_where;
  }
  Merge(crypto.password_file, std::move(said.password_file));
  Merge(crypto.host, std::move(said.host));
  Merge(crypto.ident, std::move(said.ident));
  Merge(crypto.digest, std::move(said.digest));
  Merge(crypto.randfile, std::move(said.randfile));
  Merge(crypto.seedfile, std::move(said.seedfile));
  Merge(crypto.farm, std::move(said.farm));
  Merge(crypto.host_key_file, std::move(said.host_key_file));
  Merge(crypto.sign_key_file, std::move(said.sign_key_file));
  Merge(crypto.certificate_file, std::move(said.certificate_file));
  Merge(crypto.leap_file, std::move(said.leap_file));
  Merge(crypto.identity_optional, std::move(said.identity_optional));
  Merge(config.authentication.revoke, std::move(said.revoke));
}

// --- single values ----------------------------------------------------------------------------

template <Setting<std::string> Authentication::*kMember>
void ParseText(Line& line, Config& config) {
  std::string text = line.String("name");
  const Location where = line.where();
  if (line.Finish()) (config.authentication.*kMember).Set(std::move(text), where);
}

template <Setting<KeyId> Authentication::*kMember>
void ParseKey(Line& line, Config& config) {
  const KeyId key = TakeKeyNumber(line);
  const Location where = line.where();
  if (line.Finish()) (config.authentication.*kMember).Set(key, where);
}

constexpr std::array kControlNonces = {ControlNonce::kAlways, ControlNonce::kRemote,
                                       ControlNonce::kNever};

void ParseControlNonce(Line& line, Config& config) {
  if (line.AtEnd()) return line.FailNext("always, remote or never");
  const std::string_view word = line.Next();
  const Location where = line.where();
  std::array<std::string_view, kControlNonces.size()> names;
  for (size_t i = 0; i < names.size(); ++i) names[i] = ControlNonceName(kControlNonces[i]);
  const auto found = std::find(names.begin(), names.end(), word);
  if (found == names.end() || line.last_was_quoted()) return line.FailUnknown("rule", names);
  if (line.Finish())
    config.authentication.control_nonce.Set(
        kControlNonces[static_cast<size_t>(found - names.begin())], where);
}

template <Setting<uint8_t> Authentication::*kMember>
void ParseLifetime(Line& line, Config& config) {
  const uint8_t life = TakeLifetime(line);
  const Location where = line.where();
  if (line.Finish()) (config.authentication.*kMember).Set(life, where);
}

constexpr auto kDirectives = std::to_array<Directive>({
    {"keys", ParseText<&Authentication::keys_file>, Weight::kGuard, true},
    {"trustedkey", ParseTrustedKey, Weight::kGuard},
    {"controlkey", ParseKey<&Authentication::control_key>, Weight::kGuard},
    {"requestkey", ParseKey<&Authentication::request_key>, Weight::kGuard},
    {"controlnonce", ParseControlNonce, Weight::kGuard, true},
    {"keysdir", ParseText<&Authentication::keys_dir>, Weight::kGuard, true},
    {"crypto", ParseCrypto, Weight::kGuard, true},
    {"revoke", ParseLifetime<&Authentication::revoke>, Weight::kGuard},
    {"automax", ParseLifetime<&Authentication::automax>, Weight::kGuard},
    {"ident", ParseText<&Authentication::ident>, Weight::kGuard},
});

}  // namespace

std::string_view ControlNonceName(ControlNonce rule) {
  switch (rule) {
    case ControlNonce::kAlways:
      return "always";
    case ControlNonce::kRemote:
      return "remote";
    case ControlNonce::kNever:
      break;
  }
  return "never";
}

bool Authentication::IsTrusted(KeyId key) const {
  for (const KeyRange& range : trusted)
    if (key >= range.first && key <= range.last) return true;
  return false;
}

std::span<const Directive> AuthenticationDirectives() { return kDirectives; }

}  // namespace ntpward::config
