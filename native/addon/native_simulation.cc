#include "addon/native_simulation.h"

#include <atomic>
#include <cstdint>
#include <limits>
#include <new>
#include <utility>

#include "addon/env_runtime.h"
#include "addon/native_error.h"
#include "addon/simulation_values.h"
#include "addon/value_reader.h"

namespace millrace {
namespace {

// No exception but JavaScript's own may leave a call.
template <class Call>
Napi::Value guarded(Napi::Env env, Call&& call) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    throw to_js_error(env, {ErrorCode::kInvalidOption,
                            "there is not enough memory to simulate this; give a shorter trace"});
  }
}

std::size_t index(const Napi::Value& value) {
  return static_cast<std::size_t>(value.As<Napi::Number>().DoubleValue());
}

}  // namespace

Napi::Function NativeSimulation::define(Napi::Env env) {
  return DefineClass(env, "NativeSimulation",
                     {InstanceMethod<&NativeSimulation::advance>("advance"),
                      InstanceMethod<&NativeSimulation::set_replicas>("setReplicas"),
                      InstanceMethod<&NativeSimulation::set_service>("setService"),
                      InstanceMethod<&NativeSimulation::report>("report")});
}

Napi::Value NativeSimulation::create(Napi::Env env,
                                     const std::function<std::unique_ptr<Simulation>()>& make) {
  return guarded(env, [&]() -> Napi::Value {
    std::unique_ptr<Simulation> simulation = make();
    return EnvRuntime::of(env).simulation_constructor.New(
        {Napi::External<std::unique_ptr<Simulation>>::New(env, &simulation)});
  });
}

NativeSimulation::NativeSimulation(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<NativeSimulation>(info) {
  if (info.Length() != 1 || !info[0].IsExternal()) {
    throw Napi::TypeError::New(info.Env(), "a NativeSimulation is made by start()");
  }
  simulation_ = std::move(*info[0].As<Napi::External<std::unique_ptr<Simulation>>>().Data());
}

Napi::Value NativeSimulation::advance(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const Nanos until = to_nanos(info[0].As<Napi::Number>().DoubleValue());
    if (until == kNever) return run_to_end(info.Env());
    return Napi::Boolean::New(info.Env(), simulation_->advance(until));
  });
}

// After it, now is when the last thing happened, and not the end of all days.
Napi::Value NativeSimulation::run_to_end(Napi::Env env) {
  const std::atomic<bool> cancelled{false};
  simulation_->count_late(kNever, std::numeric_limits<std::uint64_t>::max(), cancelled);
  return Napi::Boolean::New(env, false);
}

Napi::Value NativeSimulation::set_replicas(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    simulation_->set_replicas(index(info[0]), index(info[1]));
    return info.Env().Undefined();
  });
}

Napi::Value NativeSimulation::set_service(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    simulation_->set_service(index(info[0]), read_service(info[1].As<Napi::Object>()));
    return info.Env().Undefined();
  });
}

Napi::Value NativeSimulation::report(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const Nanos limit = to_nanos(info[0].As<Napi::Number>().DoubleValue());
    return write_report(info.Env(), simulation_->report(limit), simulation_->now());
  });
}

}  // namespace millrace
