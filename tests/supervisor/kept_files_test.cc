// What a runtime directory keeps across a crash: that the first step was made, what commands said
// of keys, which lines of configuration ntpq gave.
#include <sys/stat.h>

#include <filesystem>

#include "ntpd/supervisor/first_step_marker.h"
#include "ntpd/supervisor/kept_lines_file.h"
#include "ntpd/supervisor/kept_trust_file.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/kept_lines.h"
#include "tests/support/runtime_line.h"
#include "tests/support/scratch_directory.h"

namespace ntpward::supervisor {
namespace {

namespace fs = std::filesystem;
using namespace ntpward::test;

// --- the marker of the first step

void TheMarkerOfADeadDaemonIsFoundAndRemoved(void** state) {
  const ScratchDirectory& directory = In(state);
  FirstStepMarker first(directory.path);
  assert_false(first.found());
  assert_true(first.Write().ok());
  assert_true(FirstStepMarker(directory.path).found());
  FirstStepMarker successor(directory.path);
  assert_true(successor.Write().ok());
  successor.Remove();
  assert_false(FirstStepMarker(directory.path).found());
}

void AnOddMarkerKeepsTheGateShut(void** state) {
  const ScratchDirectory& directory = In(state);
  fs::create_symlink("/nowhere", directory.At("first-step-done"));
  assert_true(FirstStepMarker(directory.path).found());
}

void WithoutARuntimeDirectoryNothingIsRemembered(void** state) {
  FirstStepMarker none("");
  assert_true(none.Write().ok());
  assert_false(none.found());
  FirstStepMarker missing(In(state).At("missing"));
  assert_false(missing.Write().ok());
  assert_true(missing.Write().ok());
}

// --- what commands said of keys

KeptTrust Kept(std::vector<msg::TrustedNow> keys) {
  msg::RuntimeTrust change;
  for (const msg::TrustedNow& key : keys) CHECK(change.keys.Push(key));
  KeptTrust kept;
  CHECK(kept.Take(change));
  return kept;
}

std::string Shown(const KeptTrust& kept) {
  std::string text;
  for (const msg::RuntimeTrust& message : kept.Messages())
    for (const msg::TrustedNow& key : message.keys)
      text += std::to_string(key.key.value) + (key.trusted ? "+" : "-");
  return text;
}

void RevocationsOutliveACrashAndNoOrderlyEnd(void** state) {
  const ScratchDirectory& directory = In(state);
  const KeptTrustFile file(directory.path);
  assert_true(file.Read().ok() && file.Read()->size() == 0);
  assert_true(file.Write(Kept({{{5}, true}, {{65535}, false}})).ok());
  assert_true(file.Write(Kept({{{5}, true}, {{1}, false}, {{65535}, false}})).ok());
  assert_int_equal(ModeOf(directory.At("trusted-keys")), 0600);
  const auto kept = KeptTrustFile(directory.path).Read();
  assert_true(kept.ok());
  assert_string_equal(Shown(*kept).c_str(), "1-5+65535-");
  file.Remove();
  assert_true(file.Read().ok() && file.Read()->size() == 0);
  // Without a directory nothing is kept, and that is no error.
  const KeptTrustFile none("");
  assert_true(none.Write(*kept).ok());
  assert_true(none.Read().ok() && none.Read()->size() == 0);
  assert_false(KeptTrustFile(directory.At("missing")).Write(*kept).ok());
}

void AllKeysThatThereCanBeAreKept(void** state) {
  const KeptTrustFile file(In(state).path);
  KeptTrust kept;
  for (uint32_t key = 1; key <= 65535; ++key) {
    msg::RuntimeTrust change;
    CHECK(change.keys.Push({{key}, false}));
    (void)kept.Take(change);
  }
  assert_true(file.Write(kept).ok());
  const auto again = file.Read();
  assert_true(again.ok());
  assert_int_equal(again->size(), 65535);
}

void WhatIsNotWholeIsNotBelieved(void** state) {
  const std::string path = In(state).At("trusted-keys");
  const KeptTrustFile file(In(state).path);
  const std::string whole = "untrustedkey 1\ntrustedkey 5\nend\n";
  const auto readable = [&](const std::string& text) {
    Put(path, text);
    return file.Read().ok();
  };
  assert_true(readable(whole));
  for (size_t size = 0; size < whole.size(); ++size)
    if (readable(whole.substr(0, size))) fail_msg("%zu octets were believed", size);
  for (const char* text :
       {"untrustedkey 0\nend\n", "untrustedkey 65536\nend\n", "untrustedkey 1 2\nend\n",
        "untrustedkey\nend\n", "untrustedkey -1\nend\n", "untrustedkey 0x1\nend\n", "\nend\n",
        "key 1\nend\n", "end\nend\n", "untrustedkey 1end\n", " untrustedkey 1\nend\n"})
    if (readable(text)) fail_msg("'%s' was believed", text);
  assert_false(readable(std::string(2 << 20, '\n') + "end\n"));
}

// --- lines of configuration that ntpq gave

std::string Shown(const KeptChanges& kept) {
  std::string text;
  for (const msg::RuntimeLine& line : kept.lines())
    text += std::string(line.line.text()) + "|" + std::string(line.subject.text()) + ";";
  return text;
}

void LinesOutliveACrashInTheirOrder(void** state) {
  const ScratchDirectory& directory = In(state);
  const KeptLinesFile file(directory.path);
  KeptLines log;
  assert_true(file.Read(&log).ok() && file.Read(&log)->lines().empty());
  KeptChanges kept;
  for (const msg::RuntimeLine& line :
       {Line("server 192.0.2.1 key 5"), Line("unconfig 4711", "a host.example"), Line("end"),
        Line("restrict\t192.0.2.2 noquery"), Line("server 192.0.2.1 key 5")})
    assert_true(kept.Take(line));
  assert_true(file.Write(kept).ok());
  assert_int_equal(ModeOf(directory.At("config-lines")), 0600);
  const auto again = KeptLinesFile(directory.path).Read(&log);
  assert_true(again.ok());
  assert_string_equal(Shown(*again).c_str(),
                      "unconfig 4711|a host.example;end|;restrict\t192.0.2.2 noquery|;"
                      "server 192.0.2.1 key 5|;");
  assert_int_equal(log.all.size(), 0);
  file.Remove();
  assert_true(file.Read(&log).ok() && file.Read(&log)->lines().empty());
  const KeptLinesFile none("");
  assert_true(none.Write(kept).ok() && none.Read(&log).ok() && none.Read(&log)->lines().empty());
  assert_false(KeptLinesFile(directory.At("missing")).Write(kept).ok());
}

void AsManyLinesAsAreKeptAreRead(void** state) {
  const KeptLinesFile file(In(state).path);
  KeptLines log;
  KeptChanges kept;
  for (size_t i = 0; i < KeptChanges::kMost; ++i) {
    std::string text = std::to_string(i);
    text.resize(468, 'x');
    assert_true(kept.Take(Line(text, std::string(255, 'y'))));
  }
  assert_true(file.Write(kept).ok());
  const auto again = file.Read(&log);
  assert_true(again.ok() && log.all.empty());
  assert_string_equal(Shown(*again).c_str(), Shown(kept).c_str());
}

void AFileOfLinesIsWholeOrNotBelieved(void** state) {
  const std::string path = In(state).At("config-lines");
  const KeptLinesFile file(In(state).path);
  KeptLines log;
  const std::string whole = "of h\nline unconfig 1\nline tos minclock 2\nend\n";
  for (size_t size = 0; size < whole.size(); ++size) {
    Put(path, whole.substr(0, size));
    if (file.Read(&log).ok()) fail_msg("%zu octets were believed", size);
  }
  Put(path, whole);
  assert_string_equal(Shown(*file.Read(&log)).c_str(), "unconfig 1|h;tos minclock 2|;");
  assert_int_equal(chmod(path.c_str(), 0620), 0);
  assert_false(file.Read(&log).ok());
  assert_int_equal(log.all.size(), 0);
}

void ALineThatCannotBeOneIsLeftOutAloud(void** state) {
  const KeptLinesFile file(In(state).path);
  KeptLines log;
  Put(In(state).At("config-lines"), "line good one\nno line\nline \nline \x01\n" +
                                        ("line " + std::string(469, 'x')) +
                                        "\nof lost\nrubbish\nof a\nof b\nline good two\nend\n");
  const auto kept = file.Read(&log);
  assert_true(kept.ok());
  assert_string_equal(Shown(*kept).c_str(), "good one|;good two|b;");
  assert_int_equal(log.all.size(), 5);
  assert_true(log.all[0].ends_with("a line that makes no sense is left out: no line"));
}

void WhatOthersCanWriteIsNotBelieved(void** state) {
  const std::string path = In(state).At("trusted-keys");
  const KeptTrustFile file(In(state).path);
  Put(path, "untrustedkey 1\nend\n");
  assert_int_equal(chmod(path.c_str(), 0620), 0);
  assert_false(file.Read().ok());
  assert_int_equal(chmod(path.c_str(), 0602), 0);
  assert_false(file.Read().ok());
  fs::rename(path, In(state).At("elsewhere"));
  assert_int_equal(chmod(In(state).At("elsewhere").c_str(), 0600), 0);
  fs::create_symlink(In(state).At("elsewhere"), path);
  assert_false(file.Read().ok());
  fs::remove(path);
  assert_int_equal(mkfifo(path.c_str(), 0600), 0);
  assert_false(file.Read().ok());
}

}  // namespace
}  // namespace ntpward::supervisor

int main() {
  using namespace ntpward::supervisor;
  const CMUnitTest tests[] = {
      IN_A_DIRECTORY(TheMarkerOfADeadDaemonIsFoundAndRemoved),
      IN_A_DIRECTORY(AnOddMarkerKeepsTheGateShut),
      IN_A_DIRECTORY(WithoutARuntimeDirectoryNothingIsRemembered),
      IN_A_DIRECTORY(RevocationsOutliveACrashAndNoOrderlyEnd),
      IN_A_DIRECTORY(AllKeysThatThereCanBeAreKept),
      IN_A_DIRECTORY(WhatIsNotWholeIsNotBelieved),
      IN_A_DIRECTORY(LinesOutliveACrashInTheirOrder),
      IN_A_DIRECTORY(AsManyLinesAsAreKeptAreRead),
      IN_A_DIRECTORY(AFileOfLinesIsWholeOrNotBelieved),
      IN_A_DIRECTORY(ALineThatCannotBeOneIsLeftOutAloud),
      IN_A_DIRECTORY(WhatOthersCanWriteIsNotBelieved),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
