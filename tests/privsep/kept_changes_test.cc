// Lines that commands gave: the last word counts, and there is an end to them.
#include "privsep/kept_changes.h"

#include <string>

#include "tests/support/cmocka_cc.h"
#include "tests/support/runtime_line.h"

namespace ntpward {
namespace {

using test::Line;

std::string Lines(const KeptChanges& kept) {
  std::string text;
  for (const msg::RuntimeLine& line : kept.lines()) text += std::string(line.line.text()) + ";";
  return text;
}

void ALineThatIsSaidAgainTakesTheLastPlace(void**) {
  KeptChanges kept;
  for (const char* text : {"server a", "unconfig a", "server a"})
    assert_true(kept.Take(Line(text)));
  assert_string_equal(Lines(kept).c_str(), "unconfig a;server a;");
  // The same number stood for another then.
  assert_true(kept.Take(Line("unconfig 5", "a")) && kept.Take(Line("unconfig 5", "b")));
  assert_int_equal(kept.lines().size(), 4);
}

void ThereIsAnEndToThem(void**) {
  KeptChanges kept;
  for (size_t i = 0; i < KeptChanges::kMost; ++i) assert_true(kept.Take(Line(std::to_string(i))));
  assert_false(kept.Take(Line("x")));
  assert_true(kept.HasRoomFor(Line("7")) && kept.Take(Line("7")));
  assert_int_equal(kept.lines().size(), KeptChanges::kMost);
  assert_true(kept.lines().back().line.text() == "7");
}

void OnlyTextIsALine(void**) {
  assert_true(Line("tos\tminclock 3").Valid());
  for (const std::string_view text : {"", "a\nb", "a\rb", "\x7f", "\xc3\xa9"})
    assert_false(Line(text).Valid());
  assert_false(Line("unconfig 5", "a\nb").Valid());
}

}  // namespace
}  // namespace ntpward

int main() {
  using namespace ntpward;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ALineThatIsSaidAgainTakesTheLastPlace),
      cmocka_unit_test(ThereIsAnEndToThem),
      cmocka_unit_test(OnlyTextIsALine),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
