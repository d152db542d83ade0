// Success or failure as a value: every fallible function says so in its type.
//
// Three tiers (style.md): a hostile packet is Result<T, Reject>; a failing system call or file is
// Result<T> with a text for the operator; a broken invariant is Fatal(), which does not return.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace ntpward {

// What an operator is told when a file, a system call or the configuration fails.
struct Error {
  std::string text;  // one line, no trailing newline, names the object that failed
};

// Ends the process at once: an invariant of our own code does not hold.
[[noreturn]] inline void Fatal(const char* file, int line, std::string_view what) {
  std::fprintf(stderr, "ntpward: fatal: %s:%d: %.*s\n", file, line, static_cast<int>(what.size()),
               what.data());
  std::abort();
}

// Always on, in every build: an unchecked assumption in a daemon that faces the network is a hole.
#define CHECK(condition)                                                \
  do {                                                                  \
    if (!(condition)) ::ntpward::Fatal(__FILE__, __LINE__, #condition); \
  } while (0)

// Marks a Result as failed: `return Fail(Error{"..."});`
template <typename E>
struct Failure {
  E error;
};
template <typename E>
Failure<std::decay_t<E>> Fail(E&& error) {
  return {std::forward<E>(error)};
}
inline Failure<Error> Fail(const char* text) { return {Error{text}}; }
inline Failure<Error> Fail(std::string text) { return {Error{std::move(text)}}; }

// A value of T or an error of E. Reading the side that is not there is Fatal.
template <typename T, typename E = Error>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit
  template <typename F>
  Result(Failure<F> failure)  // NOLINT: implicit
      : state_(std::in_place_index<1>, std::move(failure.error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    CHECK(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const E& error() const {
    CHECK(!ok());
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, E> state_;
};

// Nothing or an error.
template <typename E>
class [[nodiscard]] Result<void, E> {
 public:
  Result() = default;
  template <typename F>
  Result(Failure<F> failure) : error_(std::move(failure.error)) {}  // NOLINT: implicit

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  void value() const { CHECK(ok()); }
  const E& error() const {
    CHECK(!ok());
    return *error_;
  }

 private:
  std::optional<E> error_;
};

using Status = Result<void, Error>;

// TRY(expression): the value, or returns the error from its function. Never in an initialiser's {}.
#define TRY(expression)                                               \
  __extension__({                                                     \
    auto try_result = (expression);                                   \
    if (!try_result.ok()) return ::ntpward::Fail(try_result.error()); \
    std::move(try_result).value();                                    \
  })
// For Result<void, E>.
#define TRY_VOID(expression)                              \
  do {                                                    \
    if (auto try_result = (expression); !try_result.ok()) \
      return ::ntpward::Fail(try_result.error());         \
  } while (0)

}  // namespace ntpward
