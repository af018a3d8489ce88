#include "model/ort_call.h"

#include <array>
#include <string_view>

namespace millrace {
namespace {

constexpr std::array<std::string_view, 16> kCodeNames = {"OK",
                                                         "FAIL",
                                                         "INVALID_ARGUMENT",
                                                         "NO_SUCHFILE",
                                                         "NO_MODEL",
                                                         "ENGINE_ERROR",
                                                         "RUNTIME_EXCEPTION",
                                                         "INVALID_PROTOBUF",
                                                         "MODEL_LOADED",
                                                         "NOT_IMPLEMENTED",
                                                         "INVALID_GRAPH",
                                                         "EP_FAIL",
                                                         "MODEL_LOAD_CANCELED",
                                                         "MODEL_REQUIRES_COMPILATION",
                                                         "NOT_FOUND",
                                                         "DEVICE_RESET"};

std::string_view code_name(ort::Code code) {
  const auto number = static_cast<std::size_t>(code);
  return number < kCodeNames.size() ? kCodeNames[number] : "UNKNOWN";
}

}  // namespace

OrtFailure take_failure(const ort::Api& api, ort::ErrorStatus* status) {
  const ort::Code code = api[ort::kGetErrorCode](status);
  OrtFailure failure{code, "ONNX Runtime error " + std::to_string(static_cast<int>(code)) + " ("};
  failure.text.append(code_name(code)).append("): ").append(api[ort::kGetErrorMessage](status));
  api[ort::kReleaseStatus](status);
  return failure;
}

}  // namespace millrace
