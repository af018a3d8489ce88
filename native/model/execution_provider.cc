#include "model/execution_provider.h"

#include <memory>

#include "model/device_turns.h"
#include "model/ort_call.h"
#include "model/ort_library.h"

namespace millrace {
namespace {

// Parallel lists, as ONNX Runtime takes settings. They borrow from the provider.
struct Settings {
  std::vector<const char*> keys;
  std::vector<const char*> values;

  explicit Settings(const ExecutionProvider& provider) {
    for (const auto& [key, value] : provider.options) add(key.c_str(), value.c_str());
  }
  void add(const char* key, const char* value) {
    keys.push_back(key);
    values.push_back(value);
  }
};

void append_cuda(OrtCalls& call, const ort::Api& api, const Settings& settings,
                 ort::SessionOptions* options) {
  ort::CudaOptions* raw = nullptr;
  call(ort::kCreateCudaOptions, &raw);
  const ort::Owned<ort::CudaOptions> owned(raw, api[ort::kReleaseCudaOptions]);
  call(ort::kUpdateCudaOptions, raw, settings.keys.data(), settings.values.data(),
       settings.keys.size());
  call(ort::kAppendCuda, options, raw);
}

void append_tensorrt(OrtCalls& call, const ort::Api& api, const Settings& settings,
                     ort::SessionOptions* options) {
  ort::TensorRtOptions* raw = nullptr;
  call(ort::kCreateTensorRtOptions, &raw);
  const ort::Owned<ort::TensorRtOptions> owned(raw, api[ort::kReleaseTensorRtOptions]);
  call(ort::kUpdateTensorRtOptions, raw, settings.keys.data(), settings.values.data(),
       settings.keys.size());
  call(ort::kAppendTensorRt, options, raw);
}

void append(OrtCalls& call, const ort::Api& api, const ExecutionProvider& provider,
            ort::SessionOptions* options) {
  Settings settings(provider);
  if (provider.kind == ProviderKind::kWebGpu) {
    call(ort::kAppendProvider, options, "WebGPU", settings.keys.data(), settings.values.data(),
         settings.keys.size());
    return;
  }
  const std::string device = std::to_string(provider.device);
  settings.add("device_id", device.c_str());
  if (provider.kind == ProviderKind::kCuda) return append_cuda(call, api, settings, options);
  append_tensorrt(call, api, settings, options);
  // Operators that TensorRT does not have stay on the same device.
  const ExecutionProvider cuda{ProviderKind::kCuda, provider.device, {}};
  append(call, api, cuda, options);
}

}  // namespace

const char* provider_name(ProviderKind kind) {
  switch (kind) {
    case ProviderKind::kCpu:
      return "cpu";
    case ProviderKind::kCuda:
      return "cuda";
    case ProviderKind::kTensorRt:
      return "tensorrt";
    case ProviderKind::kWebGpu:
      return "webgpu";
  }
  return "unknown";
}

Status append_provider(const OrtLibrary& library, const ExecutionProvider& provider,
                       ort::SessionOptions* options) {
  if (provider.kind == ProviderKind::kCpu) return {};
  OrtCalls call(library.api());
  append(call, library.api(), provider, options);
  if (!call.failed()) return {};
  return Error{ErrorCode::kModelLoad, std::string("ONNX Runtime cannot use the provider '") +
                                          provider_name(provider.kind) +
                                          "': " + call.failure().text};
}

Status probe_provider(const OrtLibrary& library, const ExecutionProvider& provider) {
  const ort::Api& api = library.api();
  const DeviceTurn turn = DeviceTurn::take(provider.kind);
  OrtCalls call(api);
  ort::SessionOptions* raw = nullptr;
  call(ort::kCreateSessionOptions, &raw);
  const ort::Owned<ort::SessionOptions> options(raw, api[ort::kReleaseSessionOptions]);
  if (call.failed()) return Error{ErrorCode::kModelLoad, call.failure().text};
  return append_provider(library, provider, raw);
}

}  // namespace millrace
