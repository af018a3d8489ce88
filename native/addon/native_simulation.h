// One configuration that JavaScript takes through a trace step by step, on its own thread.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>

#include "addon/trials.h"
#include "simulator/simulation.h"

namespace millrace {

class NativeSimulation : public Napi::ObjectWrap<NativeSimulation> {
 public:
  static Napi::Function define(Napi::Env env);

  static Napi::Value create(Napi::Env env, std::shared_ptr<const ServiceList> services,
                            const std::function<std::unique_ptr<Simulation>()>& make);

  explicit NativeSimulation(const Napi::CallbackInfo& info);

 private:
  // The calls below are described in src/native/simulator.ts.
  Napi::Value advance(const Napi::CallbackInfo& info);
  Napi::Value set_replicas(const Napi::CallbackInfo& info);
  Napi::Value set_service(const Napi::CallbackInfo& info);
  Napi::Value report(const Napi::CallbackInfo& info);

  Napi::Value run_to_end(Napi::Env env);

  // What is handed from create() to the constructor.
  struct Source {
    std::shared_ptr<const ServiceList> services;
    std::unique_ptr<Simulation> simulation;
  };

  Source source_;
};

}  // namespace millrace
