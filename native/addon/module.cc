// The addon's door: what JavaScript sees is listed here and typed in src/native/addon.ts; a test
// keeps the two equal.
#include <napi.h>

#include "addon/env_runtime.h"
#include "addon/native_devices.h"
#include "addon/native_engine.h"
#include "addon/native_function.h"
#include "addon/native_kernel.h"
#include "addon/native_loads.h"
#include "addon/native_model.h"
#include "addon/native_port.h"
#include "addon/native_simulation.h"
#include "addon/native_simulator.h"

namespace millrace {
namespace {

Napi::Value poll(const Napi::CallbackInfo& info) {
  EnvRuntime::of(info.Env()).poll(info.Env(), info[0].As<Napi::Boolean>().Value());
  return info.Env().Undefined();
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  auto* runtime = new EnvRuntime(env);
  env.SetInstanceData<EnvRuntime>(runtime);
  runtime->watch_exit(env);
  runtime->model_constructor = Napi::Persistent(NativeModel::define(env));
  runtime->engine_constructor = Napi::Persistent(NativeEngine::define(env));
  runtime->function_constructor = Napi::Persistent(NativeFunction::define(env));
  runtime->port_constructor = Napi::Persistent(NativePort::define(env));
  runtime->simulator_constructor = Napi::Persistent(NativeSimulator::define(env));
  runtime->simulation_constructor = Napi::Persistent(NativeSimulation::define(env));
  exports.Set("loadModel", Napi::Function::New<&NativeModel::load>(env, "loadModel"));
  exports.Set("probeProvider", Napi::Function::New<&probe_provider>(env, "probeProvider"));
  exports.Set("cudaDevices", Napi::Function::New<&cuda_devices>(env, "cudaDevices"));
  exports.Set("kernelCompiler", Napi::Function::New<&kernel_compiler>(env, "kernelCompiler"));
  exports.Set("loadKernel", Napi::Function::New<&load_kernel>(env, "loadKernel"));
  exports.Set("withFallback", Napi::Function::New<&with_fallback>(env, "withFallback"));
  exports.Set("vulkanDevices", Napi::Function::New<&vulkan_devices>(env, "vulkanDevices"));
  exports.Set("measureTimeSlice", Napi::Function::New<&time_slice>(env, "measureTimeSlice"));
  exports.Set("createEngine", Napi::Function::New<&NativeEngine::create>(env, "createEngine"));
  exports.Set("openLoads", Napi::Function::New<&open_loads>(env, "openLoads"));
  exports.Set("cancelLoads", Napi::Function::New<&cancel_loads>(env, "cancelLoads"));
  exports.Set("createFunction",
              Napi::Function::New<&NativeFunction::create>(env, "createFunction"));
  exports.Set("openPort", Napi::Function::New<&NativePort::open>(env, "openPort"));
  exports.Set("createSimulator",
              Napi::Function::New<&NativeSimulator::create>(env, "createSimulator"));
  exports.Set("poll", Napi::Function::New<&poll>(env, "poll"));
  exports.Set("NativeModel", runtime->model_constructor.Value());
  exports.Set("NativeEngine", runtime->engine_constructor.Value());
  exports.Set("NativeFunction", runtime->function_constructor.Value());
  exports.Set("NativePort", runtime->port_constructor.Value());
  exports.Set("NativeSimulator", runtime->simulator_constructor.Value());
  exports.Set("NativeSimulation", runtime->simulation_constructor.Value());
  return exports;
}

}  // namespace
}  // namespace millrace

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  return millrace::init(env, exports);
}

NODE_API_MODULE(millrace, Init)
