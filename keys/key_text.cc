#include "keys/key_text.h"

#include <charconv>
#include <optional>

#include "keys/openssl.h"
#include "keys/rsaref.h"
#include "privsep/base/text.h"

namespace ntpward::keys {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";
constexpr std::string_view kBlank = " \t\r\v\f";
constexpr size_t kMaxLabel = 64;
// What OpenSSL writes; its reader wants equal lines.
constexpr size_t kPemColumns = 64;

// Hands out trimmed lines.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}
  std::optional<std::string_view> Next() {
    if (text_.empty()) return std::nullopt;
    const size_t end = text_.find('\n');
    const std::string_view line = text_.substr(0, end);
    text_ = end == std::string_view::npos ? std::string_view{} : text_.substr(end + 1);
    return Trimmed(line);
  }

 private:
  std::string_view text_;
};

// "LABEL" of "-----BEGIN LABEL-----".
std::optional<std::string> Label(std::string_view line, std::string_view prefix) {
  if (!line.starts_with(prefix) || !line.ends_with(kDashes)) return std::nullopt;
  if (line.size() < prefix.size() + kDashes.size()) return std::nullopt;
  const auto label = line.substr(prefix.size(), line.size() - prefix.size() - kDashes.size());
  if (label.empty() || label.size() > kMaxLabel) return std::nullopt;
  return std::string(label);
}

struct Stamp {
  std::string name;
  NtpSeconds filestamp;
};

// "# NAME.DIGITS"; any other comment is none.
std::optional<Stamp> StampOf(std::string_view line) {
  if (!line.starts_with('#')) return std::nullopt;
  const std::string_view name = Trimmed(line.substr(1));
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const std::string_view digits = name.substr(dot + 1);
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || value == 0)
    return std::nullopt;
  // ntpd 4.1 puts words before it.
  return Stamp{std::string(name.substr(name.find_last_of(kBlank) + 1)), {value}};
}

bool IsBase64(std::string_view line) {
  return line.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") ==
         std::string_view::npos;
}

void Append(LockedBytes* to, std::string_view text) {
  to->insert(to->end(), text.begin(), text.end());
}

// One block in the making.
class BlockReader {
 public:
  explicit BlockReader(std::string label) : label_(std::move(label)) {}

  // A line between BEGIN and END.
  Status Add(std::string_view line) {
    if (line.empty()) return {};
    if (line.find(':') != std::string_view::npos) return AddHeader(line);
    if (!IsBase64(line)) return Fail("its PEM block holds a character that is no base64");
    Append(&base64_, line);
    return {};
  }

  Result<PemBlock> Finish() const {
    if (base64_.empty()) return Fail("its PEM block is empty");
    LockedBytes text;
    text.reserve(headers_.size() + base64_.size() + base64_.size() / kPemColumns + 256);
    Append(&text, std::string(kBegin) + label_ + "-----\n");
    if (!headers_.empty()) Append(&text, headers_ + "\n");
    const std::string_view base64 = AsText(base64_);
    for (size_t at = 0; at < base64.size(); at += kPemColumns) {
      Append(&text, base64.substr(at, kPemColumns));
      Append(&text, "\n");
    }
    Append(&text, std::string(kEnd) + label_ + "-----\n");
    PemBlock block{label_, encryption_, Secret()};
    block.pem = TRY(Secret::Copy(text));
    return block;
  }

  const std::string& label() const { return label_; }

 private:
  // Headers stand before the base64 only (RFC 1421), and only traditional encryption has them.
  Status AddHeader(std::string_view line) {
    if (!base64_.empty()) return Fail("its PEM block holds a header among the base64");
    if (headers_.size() > 512) return Fail("its PEM block has too many headers");
    constexpr std::string_view kInfo = "DEK-Info:";
    if (line.starts_with(kInfo)) encryption_ = Trimmed(line.substr(kInfo.size()));
    headers_.append(line).append("\n");
    return {};
  }

  std::string label_;
  std::string encryption_;
  std::string headers_;
  LockedBytes base64_;
};

Status ReadBlock(Lines* lines, std::string label, KeyText* out) {
  BlockReader block(std::move(label));
  while (const auto line = lines->Next()) {
    if (const auto end = Label(*line, kEnd)) {
      if (*end != block.label()) return Fail("its PEM block begins and ends with different names");
      if (out->blocks.size() == kMaxPemBlocks) return Fail("it holds too many PEM blocks");
      out->blocks.push_back(TRY(block.Finish()));
      return {};
    }
    TRY_VOID(block.Add(*line));
  }
  return Fail("it ends inside its PEM block: the file is truncated");
}

}  // namespace

namespace {

// The one line of a key of ntpd 4.1, as a block of its own.
Status AddRsaref(std::string_view line, KeyText* out) {
  PemBlock block{std::string(kRsarefLabel), "", Secret()};
  block.pem = TRY(Secret::Copy(AsBytes(line)));
  out->blocks.push_back(std::move(block));
  return {};
}

}  // namespace

Result<KeyText> ParseKeyText(Bytes file) {
  if (file.empty()) return Fail("it is empty");
  if (file.size() > kMaxKeyText) return Fail("it is too long for a key file");
  KeyText out;
  Lines lines(AsText(file));
  while (const auto line = lines.Next()) {
    if (auto label = Label(*line, kBegin)) {
      TRY_VOID(ReadBlock(&lines, std::move(*label), &out));
    } else if (out.blocks.empty() && IsRsarefLine(*line)) {
      TRY_VOID(AddRsaref(*line, &out));
    } else if (out.filestamp.value == 0 && out.blocks.empty()) {
      if (const auto stamp = StampOf(*line)) {
        out.name = stamp->name;
        out.filestamp = stamp->filestamp;
      }
    }
  }
  if (out.filestamp.value == 0)
    return Fail("it has no filestamp: its first line must be '# NAME.NUMBER'");
  if (out.blocks.empty())
    return Fail("it holds no PEM block: the file is truncated, or no key file");
  return out;
}

}  // namespace ntpward::keys
