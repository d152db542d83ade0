#include "keys/keygen_options.h"

#include <errno.h>
#include <fcntl.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "keys/certificate_maker.h"
#include "keys/mv_authority.h"
#include "keys/read_file.h"
#include "privsep/base/text.h"
#include "privsep/option_rows.h"

namespace ntpward::keys {
namespace {

constexpr int kLeastModulusBits = 512, kMostModulusBits = 4096;

constexpr size_t kMaxPassword = 256;
constexpr size_t kMaxPasswordFile = 4096;

Status Number(const char* text, int least, int most, const char* what, int* out) {
  const char* end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, *out);
  if (error == std::errc() && stop == end && *out >= least && *out <= most) return {};
  return Fail(std::string(what) + ": expected a number from " + std::to_string(least) + " to " +
              std::to_string(most));
}

// The reference takes 256 to 2048.
Status TakeModulus(const char* text, int* out) {
  TRY_VOID(Number(text, 1, 1000000, "-m", out));
  if (*out < kLeastModulusBits)
    return Fail("-m: OpenSSL makes no keys of less than " + std::to_string(kLeastModulusBits) +
                " bits, and none of less than 368 can carry a cookie");
  if (*out > kMostModulusBits)
    return Fail("-m: a certificate with a key of more than " + std::to_string(kMostModulusBits) +
                " bits and its signatures do not fit into a packet");
  return {};
}

// A carriage return at the end is that of a CRLF file which the word was cut from: what reads
// ntp.conf and password files for the daemon leaves it out too.
Status TakePassword(char* argument, Secret* out) {
  const size_t length = std::strlen(argument);
  const size_t size = length > 0 && argument[length - 1] == '\r' ? length - 1 : length;
  if (size == 0 || size > kMaxPassword) return Fail("a password has 1 to 256 characters");
  *out = TRY(Secret::Copy(AsBytes({argument, size})));
  Wipe({reinterpret_cast<uint8_t*>(argument), length});
  return {};
}

// The first line of a file, which may be a pipe: unlike a word of the command line no other process
// sees it.
Status TakePasswordFile(const char* path, Secret* out) {
  UniqueFd file(open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!file.valid()) return Fail(std::string(path) + ": " + std::strerror(errno));
  const Secret text = TRY(ReadToEnd(std::move(file), kMaxPasswordFile));
  const Bytes bytes = text.bytes();
  const auto end = std::find_if(bytes.begin(), bytes.end(),
                                [](uint8_t c) { return c == '\n' || c == '\r' || c == '\0'; });
  const auto size = static_cast<size_t>(end - bytes.begin());
  if (size == 0 || size > kMaxPassword)
    return Fail(std::string(path) +
                ": expected a password of 1 to 256 characters in its first line");
  *out = TRY(Secret::Copy(bytes.first(size)));
  return {};
}

// A part of file names.
Status TakeName(std::string_view text, const char* what, std::optional<std::string>* out) {
  if (!IsPrintableName(text) || text.find('/') != std::string_view::npos || text.front() == '.')
    return Fail(std::string(what) + ": expected printable characters, no blank, '/' or '\"'");
  *out = std::string(text);
  return {};
}

// HOST, HOST@GROUP or @GROUP.
Status TakeSubject(char* argument, KeygenOptions* out) {
  const std::string_view text = argument;
  const size_t at = text.find('@');
  if (at != 0) TRY_VOID(TakeName(text.substr(0, at), "-s", &out->host));
  if (at != std::string_view::npos) TRY_VOID(TakeName(text.substr(at + 1), "-s", &out->group));
  return {};
}

Status TakeSignKey(char* argument, KeygenOptions* out) {
  const std::string_view text = argument;
  if (text != "RSA" && text != "DSA") return Fail("-S: expected RSA or DSA");
  out->sign_key = std::string(text);
  return {};
}

Status TakeScheme(char* text, KeygenOptions* out) {
  (void)TRY(SignatureScheme::FromName(text));
  out->scheme = text;
  return {};
}

template <std::string RenewalFiles::*kFile>
Status TakeRenewal(char* argument, KeygenOptions* out) {
  if (!out->renewal) out->renewal.emplace();
  *out->renewal.*kFile = argument;
  return {};
}

using Row = OptionRow<KeygenOptions>;
using Out = KeygenOptions*;

constexpr Row kRows[] = {
    {'b', "imbits", required_argument,
     [](char* text, Out out) {
       return Number(text, 256, 2048, "-b", &out->identity_bits.emplace());
     }},
    {'c', "certificate", required_argument, TakeScheme},
    {'C', "cipher", required_argument, KeepText<&KeygenOptions::cipher>},
    {'d', "debug-level", no_argument, [](char*, Out out) { return ++out->debug, Status(); }},
    {'D', "set-debug-level", required_argument,
     [](char* text, Out out) { return Number(text, 0, 100, "-D", &out->debug); }},
    {'e', "id-key", no_argument, SetSwitch<&KeygenOptions::export_parameters>},
    {'G', "gq-params", no_argument, SetSwitch<&KeygenOptions::gq_key>},
    {'H', "host-key", no_argument, SetSwitch<&KeygenOptions::host_key>},
    {'I', "iffkey", no_argument, SetSwitch<&KeygenOptions::iff_key>},
    {'i', "ident", required_argument,
     [](char* text, Out out) { return TakeName(text, "-i", &out->group); }},
    {'l', "lifetime", required_argument,
     [](char* text, Out out) {
       return Number(text, 1, kMostLifetimeDays, "-l", &out->lifetime_days.emplace());
     }},
    {'m', "modulus", required_argument,
     [](char* text, Out out) { return TakeModulus(text, &out->modulus_bits); }},
    {'M', "md5key", no_argument, SetSwitch<&KeygenOptions::symmetric>},
    {'P', "pvt-cert", no_argument, SetSwitch<&KeygenOptions::private_use>},
    {'p', "password", required_argument,
     [](char* text, Out out) { return TakePassword(text, &out->password); }},
    {0, "password-file", required_argument,
     [](char* text, Out out) { return TakePasswordFile(text, &out->password); }},
    {'q', "export-passwd", required_argument,
     [](char* text, Out out) { return TakePassword(text, &out->export_password); }},
    {'s', "subject-name", required_argument, TakeSubject},
    {'S', "sign-key", required_argument, TakeSignKey},
    {'T', "trusted-cert", no_argument, SetSwitch<&KeygenOptions::trusted>},
    {'V', "mv-params", required_argument,
     [](char* text, Out out) {
       return Number(text, kMinMvClients, kMaxMvClients, "-V", &out->mv_clients);
     }},
    {'v', "mv-keys", required_argument,
     [](char* text, Out out) {
       return Number(text, 1, kMaxMvClients, "-v", &out->mv_revoked.emplace_back());
     }},
    {0, "mv-client", required_argument,
     [](char* text, Out out) {
       return Number(text, 1, kMaxMvClients, "--mv-client", &out->mv_client);
     }},
    {0, "farm", required_argument,
     [](char* text, Out out) { return TakeName(text, "--farm", &out->farm); }},
    {0, "renew", required_argument, TakeRenewal<&RenewalFiles::certificate>},
    {0, "renew-host-key", required_argument, TakeRenewal<&RenewalFiles::host_key>},
    {0, "renew-sign-key", required_argument, TakeRenewal<&RenewalFiles::sign_key>},
    {0, "renew-name", required_argument, TakeRenewal<&RenewalFiles::name>},
    {0, "version", no_argument, SetSwitch<&KeygenOptions::version>},
    {'?', "help", no_argument, SetSwitch<&KeygenOptions::help>},
};

Status CheckTogether(const KeygenOptions& options) {
  if (options.trusted && options.private_use)
    return Fail("-T with -P: a certificate is trusted or private");
  if (options.symmetric && options.farm) return Fail("-M with --farm: one of them at a time");
  if (options.renewal &&
      (options.makes_something() || options.export_parameters || options.symmetric ||
       options.farm || options.mv_clients != 0 || !options.mv_revoked.empty()))
    return Fail("--renew makes a certificate like the one before, and nothing else");
  if (options.renewal &&
      (options.renewal->certificate.empty() || options.renewal->host_key.empty()))
    return Fail("--renew: expected together with --renew-host-key");
  if (options.mv_clients != 0 && !options.mv_revoked.empty())
    return Fail("-V with -v: clients of new keys need no revocation");
  return {};
}

}  // namespace

Result<KeygenOptions> ParseKeygenOptions(int argc, char** argv) {
  KeygenOptions out;
  optind = 0;  // begins anew: tests parse several times
  opterr = 0;
  const std::span<const Row> rows = kRows;
  const std::string letters = ShortOptions(rows);
  const std::vector<option> names = LongOptions(rows);
  int letter = 0;
  while ((letter = getopt_long(argc, argv, letters.c_str(), names.data(), nullptr)) != -1) {
    // "-?" itself asks for help; an option that is not known also comes back as '?'.
    if (letter == '?' && optopt != '?')
      return Fail(OptionStoppedAt(rows, argv) + ": unknown, or its value is missing");
    TRY_VOID(FindOption(rows, letter)->take(optarg, &out));
  }
  TRY_VOID(CheckTogether(out));
  if (optind < argc) return Fail(std::string(argv[optind]) + ": not expected: options only");
  return out;
}

std::string KeygenUsage() {
  return "Usage: ntp-keygen [options], in the keys directory\n"
         "  -T, --trusted-cert        trusted certificate (server)\n"
         "  -H, --host-key            new host key\n"
         "  -P, --pvt-cert            private certificate (PC scheme)\n"
         "  -I, --iffkey              new IFF group key (trusted server)\n"
         "  -G, --gq-params           new GQ group key\n"
         "  -V, --mv-params N         new MV keys for N clients, 2 to 62; the last one is revoked\n"
         "  -v, --mv-keys J           revoke MV client J; may be repeated\n"
         "  -S, --sign-key RSA|DSA    new sign key; without, the host key signs\n"
         "  -e, --id-key              write the clients' group keys to standard output\n"
         "      --password-file FILE  -p from the first line of FILE, where ps cannot see it\n"
         "      --mv-client J         whose MV key -e writes; default 1\n"
         "  -p, --password PW         password of the private files; default: the host's name\n"
         "  -q, --export-passwd PW    with -p: write the servers' group keys, encrypted with PW, "
         "to "
         "standard\n"
         "                            output; without -p: PW is the password of the private files\n"
         "  -c, --certificate NAME    signature scheme; default: as before, else RSA-SHA256\n"
         "  -C, --cipher NAME         cipher of private files; default aes-256-cbc\n"
         "  -m, --modulus BITS        RSA modulus, 512 to 4096; default 2048\n"
         "  -b, --imbits BITS         group key's modulus, 256 to 2048; default 2048, GQ 1016\n"
         "  -l, --lifetime DAYS       of the certificate; default: the old one's, else 365\n"
         "  -s, --subject-name HOST[@GROUP]  other names than the host's\n"
         "  -i, --ident GROUP         group name\n"
         "  -M, --md5key              symmetric keys file ntp.keys, and nothing else\n"
         "      --farm NAME           the secret that a farm's servers share, and nothing else\n"
         "      --renew FILE          a certificate like that in FILE in its place, and nothing "
         "else;\n"
         "                            with --renew-host-key FILE [--renew-sign-key FILE]\n"
         "                            [--renew-name HOST]: see 'ntpd --renew-certificate'\n"
         "  -d, -D LEVEL              show the new certificate\n"
         "      --help, --version\n";
}

}  // namespace ntpward::keys
