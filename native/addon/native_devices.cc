#include "addon/native_devices.h"

#include <memory>
#include <optional>

#include "addon/env_runtime.h"
#include "addon/native_error.h"
#include "addon/provider_values.h"
#include "addon/value_reader.h"
#include "base/time_slice.h"
#include "cuda/cuda_devices.h"
#include "model/ort_library.h"
#include "model/vulkan_devices.h"

namespace millrace {
namespace {

// Copied out of JavaScript, and what came of it.
struct Probe {
  OrtLibrarySource library;
  ExecutionProvider provider;
  Status result;

  void run() {
    const auto loaded = OrtLibrary::load(library);
    result =
        loaded.ok() ? millrace::probe_provider(*loaded.value(), provider) : Status(loaded.error());
  }
};

Napi::Value to_js(Napi::Env env, const std::string& value) {
  return value.empty() ? env.Undefined() : Napi::String::New(env, value);
}

template <class Number>
Napi::Value to_js(Napi::Env env, const std::optional<Number>& value) {
  return value ? Napi::Number::New(env, static_cast<double>(*value)) : env.Undefined();
}

Napi::Object to_js(Napi::Env env, const CudaDeviceInfo& device) {
  Napi::Object one = Napi::Object::New(env);
  one.Set("index", Napi::Number::New(env, device.index));
  one.Set("name", Napi::String::New(env, device.name));
  one.Set("memoryBytes", Napi::Number::New(env, static_cast<double>(device.memory_bytes)));
  one.Set("computeCapability", Napi::String::New(env, device.compute_capability));
  one.Set("freeMemoryBytes", to_js(env, device.reading.free_memory_bytes));
  one.Set("utilizationPercent", to_js(env, device.reading.utilization_percent));
  one.Set("temperatureC", to_js(env, device.reading.temperature_c));
  return one;
}

Napi::Object to_js(Napi::Env env, const VulkanDevice& device) {
  Napi::Object one = Napi::Object::New(env);
  one.Set("name", Napi::String::New(env, device.name));
  one.Set("type", Napi::String::New(env, device.type));
  return one;
}

template <class Device>
Napi::Object to_report(Napi::Env env, const std::vector<Device>& devices) {
  Napi::Object report = Napi::Object::New(env);
  Napi::Array list = Napi::Array::New(env, devices.size());
  for (std::uint32_t i = 0; i < devices.size(); ++i) list.Set(i, to_js(env, devices[i]));
  report.Set("devices", list);
  return report;
}

Napi::Object to_js(Napi::Env env, const std::vector<VulkanDevice>& devices) {
  return to_report(env, devices);
}

Napi::Object to_js(Napi::Env env, const CudaReport& cuda) {
  Napi::Object report = to_report(env, cuda.devices);
  report.Set("cudaVersion", Napi::Number::New(env, cuda.cuda_version));
  report.Set("driverVersion", to_js(env, cuda.driver_version));
  return report;
}

// Looks on a thread of its own; what it says fails is the report's `fault`.
template <class Found, class Look>
Napi::Value look_for(Napi::Env env, Look look) {
  const auto deferred = Napi::Promise::Deferred::New(env);
  auto found = std::make_shared<std::optional<Result<Found>>>();
  EnvRuntime::of(env).run_job(
      [found, look = std::move(look)] { found->emplace(look()); },
      [found, deferred](Napi::Env js) {
        const Result<Found>& result = **found;
        Napi::Object report = to_js(js, result.ok() ? result.value() : Found{});
        if (!result.ok()) report.Set("fault", Napi::String::New(js, result.error().message));
        deferred.Resolve(report);
      });
  return deferred.Promise();
}

}  // namespace

Napi::Value cuda_devices(const Napi::CallbackInfo& info) {
  const auto given = info[0].As<Napi::Object>();
  const CudaLibraries libraries{text(given, "driver"), text(given, "nvml")};
  return look_for<CudaReport>(info.Env(), [libraries] { return list_cuda_devices(libraries); });
}

Napi::Value vulkan_devices(const Napi::CallbackInfo& info) {
  return look_for<std::vector<VulkanDevice>>(info.Env(), [] { return list_vulkan_devices({}); });
}

Napi::Value time_slice(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto threads = static_cast<std::size_t>(info[0].As<Napi::Number>().Uint32Value());
  const Nanos duration = to_nanos(info[1].As<Napi::Number>().DoubleValue());
  auto slice = std::make_shared<Nanos>(0);
  const auto deferred = Napi::Promise::Deferred::New(env);
  EnvRuntime::of(env).run_job([=] { *slice = measure_time_slice(threads, duration); },
                              [slice, deferred](Napi::Env js) {
                                const double ms = static_cast<double>(*slice) /
                                                  static_cast<double>(kNanosPerMilli);
                                deferred.Resolve(Napi::Number::New(js, ms));
                              });
  return deferred.Promise();
}

Napi::Value probe_provider(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto options = info[0].As<Napi::Object>();
  auto probe = std::make_shared<Probe>();
  probe->library = {text(options, "libraryPath"), text(options, "libraryVersion")};
  probe->provider = read_provider(options.Get("provider").As<Napi::Object>());
  const auto deferred = Napi::Promise::Deferred::New(env);
  EnvRuntime::of(env).run_job([probe] { probe->run(); },
                              [probe, deferred](Napi::Env js) {
                                if (probe->result.ok()) return deferred.Resolve(js.Undefined());
                                deferred.Reject(to_js_error(js, probe->result.error()).Value());
                              });
  return deferred.Promise();
}

}  // namespace millrace
