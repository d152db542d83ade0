#include "keys/symmetric_file.h"

#include <cctype>
#include <charconv>
#include <optional>
#include <set>

#include "keys/mac.h"
#include "privsep/base/des_key.h"
#include "privsep/base/text.h"

namespace ntpward::keys {
namespace {

constexpr uint32_t kMaxSymmetricId = 65535;
constexpr size_t kMaxLiteral = 20;
constexpr size_t kMaxOldLiteral = 31;  // of type M in xntp and ntpd 4.1
constexpr size_t kMaxHexDigits = 2 * kMaxSymmetricSecret;
// A log file that is named as key file by mistake must not fill the log.
constexpr size_t kMaxDiagnostics = 15;

struct Token {
  std::string_view text;
  size_t column = 0;  // from 1
};

// Splits one line; '#' ends any token and the line.
class Tokens {
 public:
  explicit Tokens(std::string_view line) : line_(line.substr(0, line.find('#'))) {}
  std::optional<Token> Next() {
    const size_t first = line_.find_first_not_of(" \t\r", at_);
    if (first == std::string_view::npos) return std::nullopt;
    const size_t end = std::min(line_.find_first_of(" \t\r", first), line_.size());
    at_ = end;
    return Token{line_.substr(first, end - first), first + 1};
  }
  size_t column() const { return at_ + 1; }

 private:
  std::string_view line_;
  size_t at_ = 0;
};

std::optional<uint32_t> Decimal(std::string_view text) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool IsHexadecimal(std::string_view text) {
  return text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

class Parser {
 public:
  Parser(Bytes file, const std::string& name, SymmetricFile* out)
      : text_(AsText(file)), name_(name), out_(out) {}

  void Run() {
    while (!text_.empty() && out_->errors.size() <= kMaxDiagnostics) {
      const size_t end = text_.find('\n');
      ++line_;
      Line(text_.substr(0, end));
      text_ = end == std::string_view::npos ? std::string_view{} : text_.substr(end + 1);
    }
  }

 private:
  std::string At(size_t column, const std::string& what) const {
    return name_ + ":" + std::to_string(line_) + ":" + std::to_string(column) + ": " + what;
  }
  // Never quotes a secret: only keys' numbers, types and addresses.
  void Error(size_t column, const std::string& what) { out_->errors.push_back(At(column, what)); }
  void Warning(size_t column, const std::string& what) {
    if (out_->warnings.size() <= kMaxDiagnostics) out_->warnings.push_back(At(column, what));
  }

  void Line(std::string_view line) {
    if (line.find('\0') != std::string_view::npos)
      return Error(line.find('\0') + 1, "a NUL byte: this is no text");
    Tokens tokens(line);
    const auto id_token = tokens.Next();
    if (!id_token) return;
    SymmetricKey key;
    if (!ReadId(*id_token, &key)) return;
    const auto type_token = tokens.Next();
    if (!type_token)
      return Error(tokens.column(), "expected the key's type (MD5, SHA1, AES128CMAC)");
    const auto des = DesKeyFormOf(type_token->text);
    const bool known = des || ReadType(*type_token, &key);
    const auto secret_token = tokens.Next();
    if (!secret_token) return Error(tokens.column(), "expected the key's secret");
    const bool old_md5 = type_token->text == "M" || type_token->text == "m";
    if (!(des ? ReadDes(*secret_token, *des, &key) : ReadSecret(*secret_token, old_md5, &key)))
      return;
    if (const auto addresses = tokens.Next()) ReadAddresses(*addresses, &key);
    if (const auto more = tokens.Next())
      Warning(more->column, "words after the addresses are ignored");
    if (known) Keep(id_token->column, std::move(key));
  }

  bool ReadId(const Token& token, SymmetricKey* key) {
    const auto id = Decimal(token.text);
    if (!id || *id < 1) {
      Error(token.column, "expected a key number from 1 to 65535");
      return false;
    }
    if (*id > kMaxSymmetricId) {
      Error(token.column, "key numbers above 65535 are reserved for Autokey");
      return false;
    }
    key->id = {*id};
    return true;
  }

  // False for a type that this host cannot compute: as by 4.2.8, the line is checked and skipped.
  bool ReadType(const Token& token, SymmetricKey* key) {
    for (const char c : token.text)
      key->type.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
    if (IsMacType(key->type)) return true;
    if (key->type.starts_with('M')) {
      key->type = "MD5";
      return true;
    }
    Warning(token.column, "key " + std::to_string(key->id.value) +
                              " is skipped: its type is not supported (MD5, SHA1, AES128CMAC are)");
    return false;
  }

  bool ReadDes(const Token& token, DesKeyForm form, SymmetricKey* key) {
    auto octets = DecodeDesKey(form, token.text);
    if (!octets.ok()) {
      Error(token.column + octets.error().at, octets.error().expected);
      return false;
    }
    key->type = kDesType;
    key->offset = used_;
    Append(octets->span());
    key->length = octets->size();
    Wipe(octets->span());
    Warning(token.column, "key " + std::to_string(key->id.value) +
                              " is a DES key: it can be broken in hours; use AES128CMAC "
                              "('ntp-keygen -M') as soon as the other side can");
    return true;
  }

  bool ReadSecret(const Token& token, bool old_md5, SymmetricKey* key) {
    key->offset = used_;
    const bool old_literal = old_md5 && token.text.size() > kMaxLiteral &&
                             token.text.size() <= kMaxOldLiteral && !IsHexadecimal(token.text);
    if (old_literal)
      Warning(token.column, "key " + std::to_string(key->id.value) +
                                " is literal, as for ntpd 4.1: later ones want hexadecimal digits "
                                "behind 20 characters");
    if (token.text.size() <= kMaxLiteral || old_literal) {
      Append(AsBytes(token.text));
    } else if (!ReadHex(token)) {
      used_ = key->offset;
      return false;
    }
    key->length = used_ - key->offset;
    if (key->type == kCmacType && key->length != 16)
      Warning(token.column, "an AES128CMAC key has 16 octets: this one is " +
                                std::string(key->length < 16 ? "filled up with zeros" : "cut off"));
    return true;
  }

  bool ReadHex(const Token& token) {
    if (token.text.size() > kMaxHexDigits) {
      Error(token.column, "the secret has more than 128 hexadecimal digits");
      return false;
    }
    for (size_t i = 0; i < token.text.size(); i += 2) {
      const int high = HexDigit(token.text[i]);
      // An odd last digit is the upper half of its octet.
      const int low = i + 1 < token.text.size() ? HexDigit(token.text[i + 1]) : 0;
      if (high < 0 || low < 0) {
        Error(token.column + i + (high < 0 ? 0 : 1),
              "no hexadecimal digit (a secret of more than 20 characters is hexadecimal)");
        return false;
      }
      const auto octet = static_cast<uint8_t>((high << 4) | low);
      Append({&octet, 1});
    }
    return true;
  }

  void ReadAddresses(const Token& token, SymmetricKey* key) {
    for (size_t at = 0; at <= token.text.size();) {
      const size_t comma = std::min(token.text.find(',', at), token.text.size());
      ReadAddress({token.text.substr(at, comma - at), token.column + at}, key);
      at = comma + 1;
    }
  }

  void ReadAddress(const Token& token, SymmetricKey* key) {
    const size_t slash = token.text.find('/');
    const auto address = IpAddress::Parse(token.text.substr(0, slash));
    if (!address) return Error(token.column, "expected an IP address or ADDRESS/BITS");
    const uint32_t whole = address->family == Family::kIpv4 ? 32 : 128;
    uint32_t bits = whole;
    if (slash != std::string_view::npos) {
      const auto given = Decimal(token.text.substr(slash + 1));
      if (!given)
        return Error(token.column + slash + 1, "expected the number of bits of the prefix");
      bits = *given;
    }
    if (bits > whole) Warning(token.column + slash + 1, "the prefix is longer than the address");
    key->addresses.push_back({*address, static_cast<uint8_t>(std::min(bits, whole))});
  }

  void Keep(size_t column, SymmetricKey key) {
    if (!seen_.insert(key.id).second)
      return Warning(
          column, "key " + std::to_string(key.id.value) + " stands twice: the first line counts");
    out_->keys.push_back(std::move(key));
  }

  // A secret is never longer than its text, so that all of them fit the file's size.
  void Append(Bytes bytes) {
    std::copy(bytes.begin(), bytes.end(), out_->secrets.bytes().subspan(used_).begin());
    used_ += bytes.size();
  }

  std::string_view text_;
  const std::string& name_;
  SymmetricFile* out_;
  size_t line_ = 0;
  size_t used_ = 0;
  std::set<KeyId> seen_;
};

}  // namespace

bool KeyAddress::Contains(const IpAddress& candidate) const {
  if (candidate.family != address.family) return false;
  for (size_t bit = 0; bit < bits; bit += 8) {
    const size_t left = bits - bit;
    const auto mask = static_cast<uint8_t>(left >= 8 ? 0xff : 0xff << (8 - left));
    if ((address.octets[bit / 8] & mask) != (candidate.octets[bit / 8] & mask)) return false;
  }
  return true;
}

Result<SymmetricFile> ParseSymmetricFile(Bytes file, const std::string& name) {
  SymmetricFile out;
  if (file.size() > kMaxSymmetricFile) {
    out.errors.push_back(name + ": is longer than 1 MiB");
    return out;
  }
  out.secrets = TRY(Secret::Zeros(file.size()));
  Parser(file, name, &out).Run();
  return out;
}

}  // namespace ntpward::keys
