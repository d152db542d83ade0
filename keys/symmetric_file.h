// The file of symmetric keys that ntp.conf's `keys` names, as ntpd 4.2.8 reads it.
//
//     ID TYPE SECRET [ADDRESS[/BITS],...] [# comment]
//
// ID is 1..65535. TYPE is the name of an OpenSSL digest, AES128CMAC, or a word that begins with M
// (MD5), in any case. SECRET is literal up to 20 characters, else 2 to 128 hexadecimal digits.
//
// Files of xntp and ntpd 4.1 are read as well: the types S, N and A are DES keys
// (privsep/base/des_key.h), and the secret of type M is literal up to 31 characters unless it is
// hexadecimal. The operator supplies the file; what is wrong in it is said by line and column.
#pragma once

#include <string>
#include <vector>

#include "privsep/base/address.h"
#include "privsep/base/result.h"
#include "privsep/base/secret.h"
#include "privsep/base/types.h"

namespace ntpward::keys {

inline constexpr size_t kMaxSymmetricFile = 1024 * 1024;
inline constexpr size_t kMaxSymmetricSecret = 64;
inline constexpr std::string_view kCmacType = "AES128CMAC";
inline constexpr std::string_view kDesType = "DES";

// Who may send us packets under a key.
struct KeyAddress {
  IpAddress address;
  uint8_t bits = 0;

  bool Contains(const IpAddress& candidate) const;
};

struct SymmetricKey {
  KeyId id;
  std::string type;                   // upper case: "MD5", "SHA1", "AES128CMAC"; or kDesType
  size_t offset = 0, length = 0;      // of the secret in SymmetricFile::secrets
  std::vector<KeyAddress> addresses;  // empty: any
};

struct SymmetricFile {
  std::vector<SymmetricKey> keys;
  Secret secrets;                   // all of them, one after the other: locked pages are few
  std::vector<std::string> errors;  // any: the file is refused as a whole; "NAME:LINE:COLUMN: text"
  std::vector<std::string> warnings;  // a line was skipped, or is not what it seems

  Bytes SecretOf(const SymmetricKey& key) const {
    return secrets.bytes().subspan(key.offset, key.length);
  }
};

// `name` is what diagnostics call the file. Fails only for want of locked memory.
Result<SymmetricFile> ParseSymmetricFile(Bytes file, const std::string& name);

}  // namespace ntpward::keys
