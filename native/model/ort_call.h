// Calls into ONNX Runtime whose failures are values, with its own error code and text kept.
#pragma once

#include <string>
#include <utility>

#include "model/ort_abi.h"

namespace millrace {

struct OrtFailure {
  ort::Code code{};
  std::string text;  // such as "ONNX Runtime error 7 (INVALID_PROTOBUF): ..."
};

// Reads a status and releases it. It must not be null.
OrtFailure take_failure(const ort::Api& api, ort::ErrorStatus* status);

// A series of calls of which the first to fail is kept and makes the later ones do nothing, so that
// the failure is looked at once, at the end. Used by one thread.
class OrtCalls {
 public:
  explicit OrtCalls(const ort::Api& api) : api_(api) {}

  template <class Entry, class... Arguments>
  OrtCalls& operator()(Entry entry, Arguments&&... arguments) {
    if (failed_) return *this;
    if (ort::ErrorStatus* status = api_[entry](std::forward<Arguments>(arguments)...)) {
      failure_ = take_failure(api_, status);
      failed_ = true;
    }
    return *this;
  }

  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] const OrtFailure& failure() const { return failure_; }

 private:
  const ort::Api& api_;
  bool failed_ = false;
  OrtFailure failure_;
};

}  // namespace millrace
