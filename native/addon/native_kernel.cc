#include "addon/native_kernel.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "addon/env_runtime.h"
#include "addon/native_error.h"
#include "addon/native_model.h"
#include "addon/provider_values.h"
#include "addon/spec_reader.h"
#include "addon/tensor_values.h"
#include "addon/value_reader.h"
#include "cuda/cuda_model.h"
#include "cuda/nvrtc.h"
#include "model/fallback_model.h"

namespace millrace {
namespace {

// Copied out of JavaScript, and what came of it.
struct KernelLoad {
  CudaKernelLibraries libraries;
  KernelSource source;
  CudaModelOptions options;
  std::optional<Result<std::shared_ptr<CudaModel>>> result;

  void run() { result = CudaModel::load(libraries, source, std::move(options)); }
};

template <std::size_t kCount>
void read_sizes(const Napi::Object& object, const char* key, std::array<unsigned, kCount>& sizes) {
  std::size_t at = 0;
  each(object, key, [&](const Napi::Value& value) {
    if (at < kCount) sizes[at++] = value.As<Napi::Number>().Uint32Value();
  });
}

std::shared_ptr<KernelLoad> read_load(const Napi::Object& object) {
  auto load = std::make_shared<KernelLoad>();
  load->libraries = {text(object, "driver"), text(object, "compiler")};
  load->source = {text(object, "text"), text(object, "kernel"), text(object, "file"),
                  read_texts(object, "defines")};
  CudaModelOptions& options = load->options;
  options.name = text(object, "name");
  options.ptx = flag(object, "ptx");
  options.inputs = read_tensors(object, "inputs");
  options.outputs = read_tensors(object, "outputs");
  read_sizes(object, "grid", options.grid);
  read_sizes(object, "block", options.block);
  options.shared_bytes = object.Get("sharedBytes").As<Napi::Number>().Uint32Value();
  options.device = object.Get("device").As<Napi::Number>().Int32Value();
  options.graphs = flag(object, "graphs");
  options.memory_limit = read_memory_limit(object);
  return load;
}

}  // namespace

Napi::Value load_kernel(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::shared_ptr<KernelLoad> load = read_load(info[0].As<Napi::Object>());
  const auto deferred = Napi::Promise::Deferred::New(env);
  EnvRuntime::of(env).run_job([load] { load->run(); },
                              [load, deferred](Napi::Env js) {
                                if (load->result->ok()) {
                                  deferred.Resolve(NativeModel::of(js, load->result->value()));
                                } else {
                                  deferred.Reject(to_js_error(js, load->result->error()).Value());
                                }
                              });
  return deferred.Promise();
}

Napi::Value kernel_compiler(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string file = info[0].As<Napi::String>().Utf8Value();
  const auto fault = std::make_shared<std::string>();
  const auto deferred = Napi::Promise::Deferred::New(env);
  EnvRuntime::of(env).run_job(
      [file, fault] {
        const auto loaded = Nvrtc::load(file);
        if (!loaded.ok()) *fault = loaded.error().message;
      },
      [fault, deferred](Napi::Env js) {
        deferred.Resolve(fault->empty() ? js.Undefined() : Napi::String::New(js, *fault));
      });
  return deferred.Promise();
}

Napi::Value with_fallback(const Napi::CallbackInfo& info) {
  return NativeModel::of(info.Env(),
                         std::make_shared<FallbackModel>(read_model(info[0].As<Napi::Object>()),
                                                         read_model(info[1].As<Napi::Object>())));
}

}  // namespace millrace
