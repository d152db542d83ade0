#include "keys/genkeys_options.h"

#include <algorithm>
#include <charconv>

#include "privsep/option_rows.h"

namespace ntpward::keys {
namespace {

constexpr std::string_view kDefaultDirectory = "/usr/local/etc";

Status TakeTargets(char* letters, GenkeysOptions* out) {
  for (const char letter : std::string_view(letters)) {
    if (letter == 'd')
      out->parameters = true;
    else if (letter == 'm')
      out->symmetric = true;
    else if (letter == 'r')
      out->rsa = true;
    else
      return Fail("-g: expected some of d (Diffie-Hellman), m (MD5 keys) and r (RSA keys)");
  }
  return {};
}

Status TakeModulus(char* argument, GenkeysOptions* out) {
  const std::string_view text = argument;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), out->modulus_bits);
  if (error != std::errc() || end != text.data() + text.size() || out->modulus_bits < 512 ||
      out->modulus_bits > 1024 || out->modulus_bits % 64 != 0)
    return Fail("-m: expected a multiple of 64 from 512 to 1024");
  return {};
}

using Row = OptionRow<GenkeysOptions>;

constexpr Row kRows[] = {
    {'c', nullptr, required_argument, KeepText<&GenkeysOptions::configuration>},
    // Nothing more can be said than is said anyway.
    {'d', nullptr, no_argument, [](char*, GenkeysOptions*) { return Status(); }},
    {'f', nullptr, no_argument, SetSwitch<&GenkeysOptions::force>},
    {'g', nullptr, required_argument, TakeTargets},
    {'h', nullptr, no_argument, SetSwitch<&GenkeysOptions::here, &GenkeysOptions::no_links>},
    {'k', nullptr, required_argument, KeepText<&GenkeysOptions::key_file>},
    {'l', nullptr, no_argument, SetSwitch<&GenkeysOptions::no_links>},
    {'m', nullptr, required_argument, TakeModulus},
    {'n', nullptr, no_argument, SetSwitch<&GenkeysOptions::dry_run>},
    {'t', nullptr, no_argument, SetSwitch<&GenkeysOptions::trash>},
    {0, "help", no_argument, SetSwitch<&GenkeysOptions::help>},
    {0, "version", no_argument, SetSwitch<&GenkeysOptions::version>},
};

// The words of a line up to a comment; quotes are taken off.
std::vector<std::string> Words(std::string_view line) {
  constexpr std::string_view kBlank = " \t\r";
  std::vector<std::string> words;
  while (true) {
    const size_t first = line.find_first_not_of(kBlank);
    if (first == std::string_view::npos || line[first] == '#') return words;
    line.remove_prefix(first);
    const bool quoted = line.front() == '"';
    if (quoted) line.remove_prefix(1);
    const size_t end =
        std::min(quoted ? line.find('"') : line.find_first_of(" \t\r#"), line.size());
    words.emplace_back(line.substr(0, end));
    line.remove_prefix(std::min(end + (quoted ? 1 : 0), line.size()));
  }
}

void TakeCrypto(const std::vector<std::string>& words, GenkeysPlaces* places) {
  for (size_t i = 1; i + 1 < words.size(); i += 2) {
    if (words[i] == "privatekey") places->private_key = words[i + 1];
    if (words[i] == "publickey") places->public_key = words[i + 1];
    if (words[i] == "dhparms") places->parameters = words[i + 1];
  }
}

}  // namespace

Result<GenkeysOptions> ParseGenkeysOptions(int argc, char** argv) {
  GenkeysOptions out;
  optind = 0;  // begins anew: tests parse several times
  opterr = 0;
  const std::span<const Row> rows = kRows;
  const std::string letters = ShortOptions(rows);
  const std::vector<option> names = LongOptions(rows);
  int found = 0;
  while ((found = getopt_long(argc, argv, letters.c_str(), names.data(), nullptr)) != -1) {
    if (found == '?')
      return Fail(OptionStoppedAt(rows, argv) + ": unknown, or its value is missing");
    TRY_VOID(FindOption(rows, found)->take(optarg, &out));
  }
  if (optind < argc) return Fail(std::string(argv[optind]) + ": not expected: options only");
  if (!out.parameters && !out.symmetric && !out.rsa)
    out.parameters = out.symmetric = out.rsa = true;
  return out;
}

std::string GenkeysUsage() {
  return "Usage: ntp_genkeys [options]: key files of ntpd 4.1 (see ntp-keygen for today's)\n"
         "  -c FILE    ntp.conf, which says where they are; default /etc/ntp.conf\n"
         "  -d         accepted\n"
         "  -f         make new ones although there are files in use\n"
         "  -g [dmr]   only Diffie-Hellman parameters, MD5 keys, RSA keys\n"
         "  -h         into the current directory, without links\n"
         "  -k FILE    the file of MD5 keys; default: what 'keys' in ntp.conf says\n"
         "  -l         without links\n"
         "  -m BITS    of RSA and Diffie-Hellman, 512 to 1024; default 1024, which 4.1 can read\n"
         "  -n         only say what would be done\n"
         "  -t         remove the files that the links pointed to\n"
         "      --help, --version\n";
}

GenkeysPlaces PlacesIn(std::string_view text, const std::string& host) {
  GenkeysPlaces places{"ntp.keys", "ntpkey", "ntpkey_" + host, "ntpkey_dh"};
  std::string directory(kDefaultDirectory);
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::vector<std::string> words = Words(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (words.size() < 2) continue;
    if (words[0] == "keysdir") directory = words[1];
    if (words[0] == "keys") places.symmetric = words[1];
    if (words[0] == "crypto") TakeCrypto(words, &places);
  }
  for (std::string* place :
       {&places.symmetric, &places.private_key, &places.public_key, &places.parameters})
    if (!place->starts_with('/')) *place = directory + "/" + *place;
  return places;
}

}  // namespace ntpward::keys
