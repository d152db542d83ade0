// Words as the arguments of a program.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace ntpward::test {

// What main() is given, and execv(). Whoever reads argv() may write into the words.
class Arguments {
 public:
  // The program's own name first.
  explicit Arguments(std::vector<std::string> words) : words_(std::move(words)) {
    for (std::string& word : words_) pointers_.push_back(word.data());
    pointers_.push_back(nullptr);
  }
  Arguments(const Arguments&) = delete;
  Arguments& operator=(const Arguments&) = delete;

  int argc() const { return static_cast<int>(words_.size()); }
  // argc() of them, and a null pointer.
  char** argv() { return pointers_.data(); }
  const std::vector<std::string>& words() const { return words_; }

 private:
  std::vector<std::string> words_;
  std::vector<char*> pointers_;
};

}  // namespace ntpward::test
