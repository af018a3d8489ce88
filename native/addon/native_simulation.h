// One configuration that JavaScript takes through a trace step by step, on its own thread.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>

#include "simulator/simulation.h"

namespace millrace {

class NativeSimulation : public Napi::ObjectWrap<NativeSimulation> {
 public:
  static Napi::Function define(Napi::Env env);

  static Napi::Value create(Napi::Env env,
                            const std::function<std::unique_ptr<Simulation>()>& make);

  explicit NativeSimulation(const Napi::CallbackInfo& info);

 private:
  // The calls below are described in src/native/simulator.ts.
  Napi::Value advance(const Napi::CallbackInfo& info);
  Napi::Value set_replicas(const Napi::CallbackInfo& info);
  Napi::Value set_service(const Napi::CallbackInfo& info);
  Napi::Value report(const Napi::CallbackInfo& info);

  Napi::Value run_to_end(Napi::Env env);

  std::unique_ptr<Simulation> simulation_;
};

}  // namespace millrace
