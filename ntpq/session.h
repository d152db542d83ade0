// The state that commands share: the host, the settings, the credentials, the lists.
//
// Commands print through it and ask through it; it is where deadlines, credentials and the texts
// for failures come together.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ntpd/wire/status_word.h"
#include "ntpq/cook.h"
#include "ntpq/document.h"
#include "ntpq/mac.h"
#include "ntpq/platform.h"
#include "ntpq/query.h"
#include "ntpq/transport.h"
#include "privsep/base/secret.h"

namespace ntpward::ntpq {

// What options and local commands set.
struct Settings {
  bool numeric = false;       // addresses stay numbers
  bool raw = false;           // variables as they came
  bool signs = false;         // '+' before positive offsets and frequencies
  bool wide = false;          // remote column of any width
  bool no_nonce = false;      // configure servers that give no nonce, too
  bool old_rv = false;        // the status line also before named variables
  bool authenticate = false;  // a MAC on every request
  bool json = false;          // a document for each command instead of text
  RefidStyle refid = RefidStyle::kIpv4;
  uint8_t version = 2;  // NTP version that requests claim
  uint32_t timeout_ms = 5000;
  uint32_t delay_ms = 20;  // kept for old scripts; nothing uses it
  uint32_t debug = 0;
};

// One row of the list of associations.
struct Association {
  AssocId id;
  uint16_t status = 0;
};

// An item of the user's list of variables.
struct ListedVariable {
  std::string name;
  std::string value;
};

enum class Auth : uint8_t { kAsSet, kAlways };

class Session {
 public:
  // The three services outlive the session.
  Session(Platform& platform, Network& network, NameService& names, Settings initial)
      : settings(initial), platform_(platform), network_(network), names_(names) {}

  Settings settings;
  std::string program = "ntpq";
  std::vector<ListedVariable> variables;  // addvars
  KeyId key;
  KeyType key_type = kKeyTypes[2];
  Secret password;
  // Up to 20 characters verbatim, more as hexadecimal digits; false, unchanged, for neither.
  bool SetPassword(std::string_view text);
  // Has the user type the key identifier; false, unchanged and without a complaint, when what he
  // types is no symmetric one, or nobody can answer.
  bool AskForKey();
  bool at_prompt = false;  // the user types commands and sees them
  bool quit = false;
  int exit_status = 0;

  // --- hosts
  // Makes `name` the current host; says why not on standard error. The list of associations is
  // forgotten.
  bool OpenHost(const std::string& name, Family family);
  bool has_host() const { return host_.has_value(); }
  const Host& host() const { return *host_; }
  // Several hosts are being visited: output says which one it is about.
  void set_host_column(size_t width) { host_column_ = width; }
  size_t host_column() const { return host_column_; }
  // "server=NAME " or nothing.
  std::string HostPrefix() const;

  // --- output
  void Print(std::string_view text);
  // What went wrong: to standard error, or as the error of the document.
  void PrintError(std::string_view text, ErrorKind kind = ErrorKind::kUsage);
  // What does not make the command fail: to standard error, or among the document's warnings.
  void Warn(std::string_view text);
  // Progress, which no document has.
  void Notice(std::string_view text);
  // Collects what is printed instead of showing it, until EndCapture.
  void BeginCapture() { captured_.emplace(); }
  std::string EndCapture();
  Platform& platform() { return platform_; }
  Display display();

  // --- JSON, with settings.json only
  // Between the two whatever is said becomes one line of JSON. `command`: its whole name; `about`:
  // the host that it is about, if that is not the current one.
  void BeginDocument(std::string command, std::optional<std::string> about = std::nullopt);
  void EndDocument();
  // Instead of EndDocument: there is nothing to tell.
  void DropDocument() { document_.reset(); }
  // Where a command writes its result, one JSON value, instead of printing text.
  JsonWriter& BeginResult();

  // --- questions
  // Starts a command: from here on a server has this long for all its answers, whatever it sends.
  // The default is long enough for a billboard of hundreds of associations.
  void BeginCommand(double seconds = 120);
  // One question to the current host. A failure has been told to the user already. Where the server
  // wants to see first that we read what it sends here, it is shown, and the question asked again.
  std::optional<Reply> Ask(wire::ControlOp op, AssocId assoc, std::string_view data,
                           Auth auth = Auth::kAsSet);
  // The same, but why there is no answer is returned and, unless credentials are missing
  // (kCredentials), not told: see Explain. `attempts`: how often it is asked while nothing comes,
  // at least 1.
  Result<Reply, QueryError> Try(wire::ControlOp op, AssocId assoc, std::string_view data,
                                Auth auth = Auth::kAsSet, int attempts = 2);
  // Tells the user, or makes it the document's error. `assoc` is the association that was asked
  // for.
  void Explain(const QueryError& error, AssocId assoc);

  // Tells, once for all answers since the last call, what is wrong with the MACs of those that came
  // under one, or should have; call at the end of each command.
  void TellDoubt();

  // The list as last fetched, ascending.
  const std::vector<Association>& associations() const { return associations_; }
  // False after a complaint. An empty list is one in text, none in a document.
  bool FetchAssociations();
  // The whole table of associations, with the status word of its first part: what fits into no one
  // answer of ntpward it is asked for in parts. Explains nothing.
  Result<Reply, QueryError> TryAssociationTable();

 private:
  // Whether this command may still prove our address: a server that is never content must cost a
  // command no more than a few questions.
  bool MayProve() const;
  // Reads names that no single request holds, in as many as it takes; their answers become one.
  Result<Reply, QueryError> TryInParts(wire::ControlOp op, AssocId assoc, std::string_view names,
                                       size_t room, Auth auth, int attempts);
  Result<Reply, QueryError> AskOnce(wire::ControlOp op, AssocId assoc, std::string_view data,
                                    const QueryOptions& options,
                                    const std::optional<Credentials>& credentials);
  void Judge(wire::ControlOp op, AnswerMac worth);
  void Deliver(std::string_view text);
  // What the kernel said, as ntpq 4.2.8 tells it.
  std::string TransportText(const std::string& text) const;
  // Behind the program's name, where a terminal needs it.
  std::string Named(const std::string& text) const;
  void Refused(wire::ControlError code, AssocId assoc);
  void Trace(wire::ControlOp op, AssocId assoc, const Result<Reply, QueryError>& reply);
  DocumentHead Head();
  bool PrepareCredentials();
  bool AskForPassword();

  Platform& platform_;
  Network& network_;
  NameService& names_;
  std::optional<Host> host_;
  std::optional<Querier> querier_;
  std::optional<MonoTime> proof_begun_;  // in the present command
  AnswerMac doubt_ = AnswerMac::kGood;
  size_t host_column_ = 0;
  std::vector<Association> associations_;
  std::optional<std::string> captured_;
  std::optional<Document> document_;
  std::optional<std::string> document_host_;
};

// Takes the list that READSTAT of association 0 returns; sorted by id.
std::vector<Association> DecodeAssociations(std::string_view payload);

}  // namespace ntpward::ntpq
