// What runs the operators of a model: the CPU, or an accelerator by way of one of ONNX Runtime's
// execution providers. Operators that an accelerator does not have stay on the CPU.
//
// Promised: nothing of a provider is loaded before the first call that names it.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace millrace {

class OrtLibrary;

namespace ort {
struct SessionOptions;
}

enum class ProviderKind : std::uint8_t { kCpu, kCuda, kTensorRt, kWebGpu };

struct ExecutionProvider {
  ProviderKind kind = ProviderKind::kCpu;

  // Which of the devices of its kind; WebGPU has one only, chosen by the system.
  int device = 0;

  // Settings of the provider by ONNX Runtime's own names; whether it knows them is not checked
  // here.
  std::vector<std::pair<std::string, std::string>> options;
};

// As tiers and messages call it: "cpu", "cuda", "tensorrt", "webgpu".
const char* provider_name(ProviderKind kind);

// Puts the provider before the CPU in the options of a session. Errors: kModelLoad, with ONNX
// Runtime's text, where the provider or its device is not there or refuses the settings. The first
// call for WebGPU opens its device, for the whole process; the first for CUDA loads its library.
Status append_provider(const OrtLibrary& library, const ExecutionProvider& provider,
                       ort::SessionOptions* options);

// Whether sessions could be made with it, without a model.
Status probe_provider(const OrtLibrary& library, const ExecutionProvider& provider);

}  // namespace millrace
