// The manual page, `help` and --help say the same: what one has, the others have.
#include <stdlib.h>

#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "ntpq/command.h"
#include "ntpq/options.h"
#include "ntpq/presets.h"
#include "tests/support/arguments.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::ntpq::test {
namespace {

using Names = std::set<std::string>;

std::string Page() {
  const auto bytes = ntpward::test::ReadFile("packaging/man/ntpq.8");
  return std::string(bytes.begin(), bytes.end());
}

std::vector<std::string> Words(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

// What stands behind `macro` in lines that begin an item with it.
Names Items(const std::string& page, const std::string& macro) {
  const Names others = {"Ar", "Cm", "Fl", "Ic", "Ns", "Op", "Oo", "Oc", "=", "|"};
  Names items;
  std::istringstream in(page);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(".It " + macro + " ")) continue;
    bool ours = false;
    for (const std::string& word : Words(line.substr(4))) {
      if (word == macro)
        ours = true;
      else if (others.contains(word))
        ours = false;
      else if (ours && word != ",")
        items.insert(word.starts_with("\\&") ? word.substr(2) : word);
    }
  }
  return items;
}

void IsSubset(const Names& part, const Names& whole, const char* where) {
  for (const std::string& name : part)
    if (!whole.contains(name)) fail_msg("%s is not in %s", name.c_str(), where);
}

void DescribesEveryCommandAndNoOther(void**) {
  const Names described = Items(Page(), "Ic");
  Names commands;
  for (const Command* command : AllCommands()) commands.insert(std::string(command->name));
  IsSubset(commands, described, "the manual page");
  IsSubset(described, commands, "ntpq");
  assert_true(commands.size() > 50);
}

void NamesEveryKeyTypeAndNoOther(void**) {
  std::string listed;
  for (const KeyType& type : kKeyTypes)
    listed += (listed.empty() ? "    " : ", ") + std::string(type.name);
  for (const Command* command : AllCommands())
    if (command->name == "keytype")
      assert_string_equal(command->purpose.substr(command->purpose.find('\n') + 1).data(),
                          listed.c_str());
  const std::string page = Page();
  const size_t begin = page.find("The key types are\n");
  assert_true(begin != std::string::npos);
  const std::string told = page.substr(begin, page.find(".It ", begin) - begin);
  for (const KeyType& type : kKeyTypes) {
    const std::regex name("\\b" + std::string(type.name) + "\\b");
    if (!std::regex_search(told, name)) fail_msg("%s is not told of", type.name.data());
  }
}

struct Option {
  std::string letter;
  std::string argument;
  std::string name;
};
std::vector<Option> HelpedOptions() {
  std::vector<Option> options;
  const std::string text = HelpText();
  const std::regex line("\n   (?:-(.)|  ) ([A-Za-z]+) +([a-z0-9-]+) ");
  for (std::sregex_iterator it(text.begin(), text.end(), line), end; it != end; ++it)
    options.push_back({(*it)[1], (*it)[2], (*it)[3]});
  return options;
}

void DescribesEveryOptionAndNoOther(void**) {
  const Names described = Items(Page(), "Fl");
  Names options;
  for (const Option& option : HelpedOptions()) {
    if (!option.letter.empty()) options.insert(option.letter);
    options.insert("-" + option.name);
  }
  IsSubset(options, described, "the manual page");
  IsSubset(described, options, "--help");
  assert_true(options.size() > 30);
}

bool Parses(std::vector<std::string> words) {
  words.insert(words.begin(), {"ntpq", "--no-load-opts"});
  ntpward::test::Arguments arguments(std::move(words));
  return ParseOptions(arguments.argc(), arguments.argv()).ok();
}

void HelpNamesOptionsThatExist(void**) {
  const std::map<std::string, std::string> values = {
      {"Num", "1"}, {"Str", "/dev/null"}, {"KWd", "hash"}};
  for (const Option& option : HelpedOptions()) {
    std::vector<std::string> by_name = {"--" + option.name};
    std::vector<std::string> by_letter = {"-" + option.letter};
    if (const auto value = values.find(option.argument); value != values.end()) {
      by_name.push_back(value->second);
      by_letter.push_back(value->second);
    }
    if (!Parses(by_name)) fail_msg("no option --%s", option.name.c_str());
    if (!option.letter.empty() && !Parses(by_letter))
      fail_msg("no option -%s", option.letter.c_str());
  }
}

// getopt knows the letters: what it takes without complaint, --help names.
void HelpNamesEveryLetter(void**) {
  Names letters;
  for (const Option& option : HelpedOptions()) letters.insert(option.letter);
  for (char letter = '!'; letter < 0x7f; ++letter) {
    if (letter == '-' || letter == ':') continue;
    const std::string text(1, letter);
    if (Parses({"-" + text}) || Parses({"-" + text, "1"}) || Parses({"-" + text, "hash"}))
      assert_true(letters.contains(text));
  }
}

void NamesTheVariablesOfTheEnvironment(void**) {
  const std::string page = Page();
  for (const std::string& text : {page, HelpText()}) {
    const std::regex name("NTPQ_[A-Z0-9_]+");
    Names named;
    for (std::sregex_iterator it(text.begin(), text.end(), name), end; it != end; ++it)
      named.insert(it->str());
    for (const std::string& variable : named) {
      std::string option = variable.substr(5);
      for (char& c : option) c = c == '_' ? '-' : static_cast<char>(tolower(c));
      if (!CanBePreset(option)) fail_msg("%s presets nothing", variable.c_str());
    }
    assert_int_equal(named.size(), 9);
  }
}

}  // namespace
}  // namespace ntpward::ntpq::test

int main() {
  using namespace ntpward::ntpq::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(DescribesEveryCommandAndNoOther),
      cmocka_unit_test(DescribesEveryOptionAndNoOther),
      cmocka_unit_test(NamesEveryKeyTypeAndNoOther),
      cmocka_unit_test(HelpNamesOptionsThatExist),
      cmocka_unit_test(HelpNamesEveryLetter),
      cmocka_unit_test(NamesTheVariablesOfTheEnvironment),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
