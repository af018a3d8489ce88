#include "addon/native_simulation.h"

#include <atomic>
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

Napi::Value NativeSimulation::create(Napi::Env env, std::shared_ptr<const ServiceList> services,
                                     const std::function<std::unique_ptr<Simulation>()>& make) {
  return guarded(env, [&]() -> Napi::Value {
    Source source{std::move(services), make()};
    return EnvRuntime::of(env).simulation_constructor.New(
        {Napi::External<Source>::New(env, &source)});
  });
}

NativeSimulation::NativeSimulation(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<NativeSimulation>(info) {
  if (info.Length() != 1 || !info[0].IsExternal()) {
    throw Napi::TypeError::New(info.Env(), "a NativeSimulation is made by start()");
  }
  source_ = std::move(*info[0].As<Napi::External<Source>>().Data());
}

Napi::Value NativeSimulation::advance(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const Nanos until = to_nanos(info[0].As<Napi::Number>().DoubleValue());
    if (until == kNever) return run_to_end(info.Env());
    return Napi::Boolean::New(info.Env(), source_.simulation->advance(until));
  });
}

// After it, now is when the last thing happened, and not the end of all days.
Napi::Value NativeSimulation::run_to_end(Napi::Env env) {
  const std::atomic<bool> cancelled{false};
  source_.simulation->run_to_end(cancelled);
  return Napi::Boolean::New(env, false);
}

Napi::Value NativeSimulation::set_replicas(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    source_.simulation->set_replicas(index(info[0]), index(info[1]));
    return info.Env().Undefined();
  });
}

Napi::Value NativeSimulation::set_service(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const StaffedService service{&source_.services->at(index(info[1])), index(info[2])};
    source_.simulation->set_service(index(info[0]), service.resolve());
    return info.Env().Undefined();
  });
}

Napi::Value NativeSimulation::report(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const Nanos limit = to_nanos(info[0].As<Napi::Number>().DoubleValue());
    return write_report(info.Env(), source_.simulation->report(limit), source_.simulation->now());
  });
}

}  // namespace millrace
