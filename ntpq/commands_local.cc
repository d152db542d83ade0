// Commands that set or show ntpq's own state: no packet is sent.
#include <algorithm>

#include "ntpd/wire/variable_list.h"
#include "ntpq/command.h"
#include "ntpq/text.h"

namespace ntpward::ntpq {
namespace {

using enum ArgumentKind;
using Run = void (*)(Session&, const Arguments&);

constexpr uint32_t kMaxTimeoutMs = 600000;
constexpr size_t kMaxListed = 128;

// A complaint that ntpq 4.2.8 makes on standard output.
void Refuse(Session& session, std::string_view text, ErrorKind kind) {
  if (session.settings.json)
    session.PrintError(text, kind);
  else
    session.Print(text);
}

// Sets `value` from "yes" or "no"; complains otherwise.
bool SetYesNo(Session& session, const std::string& text, bool& value) {
  if (text != "yes" && text != "no") {
    session.PrintError("What?\n");
    return false;
  }
  value = text == "yes";
  return true;
}

void ShowHost(Session& session, const Arguments& arguments) {
  if (arguments.empty()) {
    session.Print(session.has_host() ? "current host is " + session.host().name + "\n"
                                     : "no current host\n");
    return;
  }
  Family family = Family::kNone;
  size_t next = 0;
  if (arguments[0].text == "-4" || arguments[0].text == "-6") {
    family = arguments[0].text == "-4" ? Family::kIpv4 : Family::kIpv6;
    next = 1;
    if (arguments.size() == 1) {
      session.PrintError("What?\n");
      return;
    }
  }
  const int status_before = session.exit_status;
  const bool opened = session.OpenHost(arguments[next].text, family);
  // A host that was asked for by command and cannot be reached is no reason to leave.
  session.quit = false;
  session.exit_status = status_before;
  if (opened)
    session.Print("current host set to " + session.host().name + "\n");
  else
    session.Print(session.has_host() ? "current host remains " + session.host().name + "\n"
                                     : "still no current host\n");
}

void Hostnames(Session& session, const Arguments& arguments) {
  if (arguments.empty()) {
    session.Print(session.settings.numeric ? "hostnames not being shown\n"
                                           : "hostnames being shown\n");
    return;
  }
  bool show = false;
  if (SetYesNo(session, arguments[0].text, show)) session.settings.numeric = !show;
}

void ShowKeyId(Session& session, const Arguments& arguments) {
  if (!arguments.empty()) {
    const KeyId key{arguments[0].number};
    if (key.is_autokey())
      session.PrintError("Invalid key identifier\n");
    else
      session.key = key;
    return;
  }
  session.Print(session.key.is_none() ? "no keyid defined\n"
                                      : "keyid is " + std::to_string(session.key.value) + "\n");
}

void ShowKeyType(Session& session, const Arguments& arguments) {
  if (!arguments.empty()) {
    if (const auto type = FindKeyType(arguments[0].text))
      session.key_type = *type;
    else
      Refuse(session,
             "keytype is not valid. Type \"help keytype\" for the available digest types.\n",
             ErrorKind::kUsage);
    return;
  }
  session.Print("keytype is " + std::string(session.key_type.name) + " with " +
                std::to_string(session.key_type.size) + " octet digests\n");
}

void SetPassword(Session& session, const Arguments& arguments) {
  if (session.key.is_none() && !session.AskForKey())
    return Refuse(session, "Keyid must be defined\n", ErrorKind::kCredentials);
  std::string text;
  if (!arguments.empty()) {
    text = arguments[0].text;
  } else {
    const std::string prompt = std::string(session.key_type.name) + " Password: ";
    text = session.platform().Ask(prompt, true).value_or("");
    if (text.empty()) session.PrintError("Password unchanged\n");
  }
  if (!text.empty() && !session.SetPassword(text)) session.PrintError("Invalid password\n");
  Wipe(MutableBytes(reinterpret_cast<uint8_t*>(text.data()), text.size()));
}

void ShowTimeout(Session& session, const Arguments& arguments) {
  if (!arguments.empty())
    session.settings.timeout_ms = std::clamp<uint32_t>(arguments[0].number, 1, kMaxTimeoutMs);
  else
    session.Print("primary timeout " + std::to_string(session.settings.timeout_ms) + " ms\n");
}

void ShowDelay(Session& session, const Arguments& arguments) {
  if (!arguments.empty())
    session.settings.delay_ms = arguments[0].number;
  else
    session.Print("delay " + std::to_string(session.settings.delay_ms) + " ms\n");
}

void ShowNtpVersion(Session& session, const Arguments& arguments) {
  if (arguments.empty()) {
    session.Print("NTP version being claimed is " + std::to_string(session.settings.version) +
                  "\n");
  } else if (arguments[0].number < 1 || arguments[0].number > 4) {
    session.PrintError("versions 1 to 4, please\n");
  } else {
    session.settings.version = static_cast<uint8_t>(arguments[0].number);
  }
}

void Authenticate(Session& session, const Arguments& arguments) {
  if (!arguments.empty()) {
    SetYesNo(session, arguments[0].text, session.settings.authenticate);
    return;
  }
  session.Print(session.settings.authenticate ? "authenticated requests being sent\n"
                                              : "unauthenticated requests being sent\n");
}

void SetRaw(Session& session, const Arguments&) {
  session.settings.raw = true;
  session.Print("Output set to raw\n");
}

void SetCooked(Session& session, const Arguments&) {
  session.settings.raw = false;
  session.Print("Output set to cooked\n");
}

void Debug(Session& session, const Arguments& arguments) {
  uint32_t& level = session.settings.debug;
  if (arguments.empty()) {
    session.Print("debug level is " + std::to_string(level) + "\n");
    return;
  }
  if (arguments[0].text == "no") {
    level = 0;
  } else if (arguments[0].text == "more") {
    ++level;
  } else if (arguments[0].text == "less") {
    level -= level > 0 ? 1 : 0;
  } else {
    session.PrintError("What?\n");
    return;
  }
  session.Print("debug level set to " + std::to_string(level) + "\n");
}

void SetRefid(Session& session, const Arguments& arguments) {
  if (!arguments.empty() && arguments[0].text != "hash" && arguments[0].text != "ipv4") {
    session.PrintError("What?\n");
    return;
  }
  if (!arguments.empty())
    session.settings.refid = arguments[0].text == "hash" ? RefidStyle::kHash : RefidStyle::kIpv4;
  session.Print(std::string("drefid value ") + (arguments.empty() ? "is " : "set to ") +
                (session.settings.refid == RefidStyle::kHash ? "hash\n" : "ipv4\n"));
}

// A first number of at least 4.2.8 is what monitoring plugins look for.
void ShowVersion(Session& session, const Arguments&) {
  if (!session.settings.json) return session.Print(VersionText() + "\n");
  JsonWriter& json = session.BeginResult();
  json.BeginObject();
  json.Key("version").Text(VersionText());
  json.Key("ntpward").Text(NTPWARD_VERSION);
  json.EndObject();
}

// Exactly what ntpq 4.2.6 and 4.2.8 answer: the command never did anything in either.
void Poll(Session& session, const Arguments&) {
  Refuse(session, "poll not implemented yet\n", ErrorKind::kUnavailable);
}

void Quit(Session& session, const Arguments&) { session.quit = true; }

// What the commands above set, as the result of each of them.
void WriteSettings(Session& session) {
  const Settings& settings = session.settings;
  JsonWriter& json = session.BeginResult();
  json.BeginObject();
  json.Key("hostnames").Bool(!settings.numeric);
  json.Key("keyid");
  if (session.key.is_none())
    json.Null();
  else
    json.Unsigned(session.key.value);
  json.Key("keytype").Text(session.key_type.name);
  json.Key("password").Bool(!session.password.empty());
  json.Key("authenticate").Bool(settings.authenticate);
  json.Key("timeout_ms").Unsigned(settings.timeout_ms);
  json.Key("delay_ms").Unsigned(settings.delay_ms);
  json.Key("ntpversion").Unsigned(settings.version);
  json.Key("raw").Bool(settings.raw);
  json.Key("refid").Text(settings.refid == RefidStyle::kHash ? "hash" : "ipv4");
  json.Key("debug").Unsigned(settings.debug);
  json.EndObject();
}

// A command that sets or shows one of them.
template <Run run>
void Setting(Session& session, const Arguments& arguments) {
  run(session, arguments);
  if (session.settings.json) WriteSettings(session);
}

// --- the list of variables

void AddVariables(Session& session, const Arguments& arguments) {
  wire::VariableListReader list(arguments[0].text);
  while (true) {
    const auto next = list.Next();
    if (!next.ok() || !next->has_value()) return;
    const ListedVariable added{std::string((*next)->name),
                               std::string((*next)->value.value_or(""))};
    const auto same =
        std::find_if(session.variables.begin(), session.variables.end(),
                     [&](const ListedVariable& listed) { return listed.name == added.name; });
    if (same != session.variables.end())
      same->value = added.value;
    else if (session.variables.size() < kMaxListed)
      session.variables.push_back(added);
    else
      session.PrintError("Variable list full\n");
  }
}

void RemoveVariables(Session& session, const Arguments& arguments) {
  wire::VariableListReader list(arguments[0].text);
  while (true) {
    const auto next = list.Next();
    if (!next.ok() || !next->has_value()) return;
    const auto removed = std::erase_if(session.variables, [&](const ListedVariable& listed) {
      return listed.name == (*next)->name;
    });
    if (removed == 0)
      session.PrintError("Variable `" + std::string((*next)->name) + "' not found\n");
  }
}

void ClearVariables(Session& session, const Arguments&) { session.variables.clear(); }

void ShowVariables(Session& session, const Arguments&) {
  if (session.variables.empty()) session.Print("No variables on list\n");
  for (const ListedVariable& listed : session.variables)
    session.Print(listed.name + "=" + listed.value + "\n");
}

void WriteList(Session& session) {
  JsonWriter& json = session.BeginResult();
  json.BeginObject();
  json.Key("list");
  json.BeginArray();
  for (const ListedVariable& listed : session.variables) {
    json.BeginObject();
    json.Key("name").Text(listed.name);
    json.Key("value").Text(listed.value);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
}

// A command that changes or shows it.
template <Run run>
void OfList(Session& session, const Arguments& arguments) {
  run(session, arguments);
  if (session.settings.json) WriteList(session);
}

// --- help

void WriteCommands(JsonWriter& json, const std::vector<const Command*>& commands) {
  json.BeginObject();
  json.Key("commands");
  json.BeginArray();
  for (const Command* command : commands) {
    json.BeginObject();
    json.Key("name").Text(command->name);
    json.Key("purpose").Text(command->purpose);
    json.Key("usage").Text(Usage(*command));
    json.Key("own").Bool(command->own);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
}

// Those that the reference has look as there; ours follow.
void PrintCommands(Session& session, std::string_view title, bool own) {
  constexpr size_t kColumn = 17;
  constexpr size_t kPerRow = 4;
  auto all = AllCommands();
  std::erase_if(all, [own](const Command* command) { return command->own != own; });
  const size_t rows = (all.size() + kPerRow - 1) / kPerRow;
  session.Print(std::string(title) + ":\n");
  for (size_t row = 0; row < rows; ++row) {
    std::string line;
    for (size_t i = row; i < all.size(); i += rows) line += PadRight(all[i]->name, kColumn);
    session.Print(line + "\n");
  }
}

void Help(Session& session, const Arguments& arguments) {
  if (arguments.empty()) {
    if (session.settings.json) return WriteCommands(session.BeginResult(), AllCommands());
    PrintCommands(session, "ntpq commands", false);
    PrintCommands(session, "commands of ntpward's ntpq", true);
    return;
  }
  const Found found = FindCommand(arguments[0].text);
  if (found.command == nullptr || found.ambiguous) {
    session.PrintError("Command `" + arguments[0].text + "' is " +
                       (found.ambiguous ? "ambiguous" : "unknown") + "\n");
    return;
  }
  if (session.settings.json) return WriteCommands(session.BeginResult(), {found.command});
  session.Print("function: " + std::string(found.command->purpose) + "\n");
  session.Print("usage: " + Usage(*found.command) + "\n");
}

constexpr std::array kCommands = {
    Command{"help", Help, {{{kText, true, "command"}}}, "list the commands, or explain one"},
    Command{"timeout",
            Setting<ShowTimeout>,
            {{{kNumber, true, "msec"}}},
            "show or set how long a first answer may take"},
    Command{"delay",
            Setting<ShowDelay>,
            {{{kNumber, true, "msec"}}},
            "show or set a delay; kept for old scripts, without effect"},
    Command{"host",
            Setting<ShowHost>,
            {{{kText, true, "-4|-6"}, {kText, true, "hostname"}}},
            "show or choose the server that is asked"},
    Command{"poll",
            Poll,
            {{{kNumber, true, "n"}, {kText, true, "verbose"}}},
            "poll a server as a client would; not available"},
    Command{"passwd",
            Setting<SetPassword>,
            {{{kText, true, ""}}},
            "set the password of authenticated requests"},
    Command{"hostnames",
            Setting<Hostnames>,
            {{{kText, true, "yes|no"}}},
            "show names or numbers for addresses"},
    Command{"debug",
            Setting<Debug>,
            {{{kText, true, "no|more|less"}}},
            "show or change the debug level"},
    Command{"quit", Setting<Quit>, {}, "leave ntpq"},
    Command{"exit", Setting<Quit>, {}, "leave ntpq"},
    Command{"keyid",
            Setting<ShowKeyId>,
            {{{kNumber, true, "key#"}}},
            "show or set the key of authenticated requests"},
    Command{"version", ShowVersion, {}, "show the version of ntpq"},
    Command{"raw", Setting<SetRaw>, {}, "show variables as the server sends them"},
    Command{"cooked", Setting<SetCooked>, {}, "show variables in readable form"},
    Command{"authenticate",
            Setting<Authenticate>,
            {{{kText, true, "yes|no"}}},
            "show or set whether every request carries a MAC"},
    Command{"ntpversion",
            Setting<ShowNtpVersion>,
            {{{kNumber, true, "version number"}}},
            "show or set the NTP version that requests claim"},
    Command{"keytype",
            Setting<ShowKeyType>,
            {{{kText, true, "digest-name"}}},
            "set key type to use for authenticated requests, one of:\n"
            "    AES128CMAC, MD4, MD5, RIPEMD160, SHA1, SHA256, SHAKE128, DES"},
    Command{"drefid",
            Setting<SetRefid>,
            {{{kText, true, "hash|ipv4"}}},
            "show or set how reference identifiers are shown"},
    Command{"addvars",
            OfList<AddVariables>,
            {{{kText, false, "name[=value][,...]"}}},
            "add variables to the list, or change their values"},
    Command{"rmvars",
            OfList<RemoveVariables>,
            {{{kText, false, "name[,...]"}}},
            "remove variables from the list"},
    Command{"clearvars", OfList<ClearVariables>, {}, "empty the list of variables"},
    Command{"showvars", OfList<ShowVariables>, {}, "show the list of variables"},
};

}  // namespace

std::string VersionText() {
  // Munin's plugins search for digits with two dots, and stumble over a second such number.
  const std::string_view version = NTPWARD_VERSION;
  const size_t second_dot = version.find('.', version.find('.') + 1);
  return "ntpq 4.2.8 (ntpward " + std::string(version.substr(0, second_dot)) + ")";
}

std::span<const Command> LocalCommands() { return kCommands; }

}  // namespace ntpward::ntpq
