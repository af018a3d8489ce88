// Errors inside the core are values: a Result<T> holds either a T or an Error. Nothing here throws.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace millrace {

// The kinds of failure the core can name. The addon turns each into the `code` of a MillraceError.
enum class ErrorCode {
  kInvalidInput,
  kInvalidOption,
  kModelLoad,
  kStageFailed,
  kQueueFull,
  kDeadlineExceeded,
  kCancelled,
  kClosed,
  kOutOfMemory,  // of a device; less of it may succeed
  kDeviceLost,   // no call for this device will succeed any more in this process
};

struct Error {
  ErrorCode code;
  std::string message;
  std::string detail = {};  // JSON of an error thrown by a function of the user; else empty
};

template <class T>
class Result {
 public:
  // Implicit, so that a function may return either as it is.
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  T& value() { return *std::get_if<0>(&state_); }
  const T& value() const { return *std::get_if<0>(&state_); }
  const Error& error() const { return *std::get_if<1>(&state_); }

 private:
  std::variant<T, Error> state_;
};

// Outcome of an operation that yields nothing: an empty optional is success.
class Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)) {}  // NOLINT

  [[nodiscard]] bool ok() const { return !error_.has_value(); }
  const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

}  // namespace millrace
