// A FunctionModel as JavaScript holds it: something to build engines from, and the hold on those
// who run the function (workers, or the event loop itself).
//
// What it calls is held until watch(undefined): that must come before the object can be collected,
// if what is called leads back to it.
#pragma once

#include <napi.h>

#include <memory>

#include "addon/env_runtime.h"
#include "model/function_model.h"

namespace millrace {

class NativeFunction : public Napi::ObjectWrap<NativeFunction>, public WakeListener {
 public:
  static Napi::Function define(Napi::Env env);

  // createFunction(options: CreateFunctionOptions): NativeFunction
  static Napi::Value create(const Napi::CallbackInfo& info);

  explicit NativeFunction(const Napi::CallbackInfo& info);
  ~NativeFunction() override;

  void on_wake(Napi::Env env) override;
  void on_cleanup() override;

  [[nodiscard]] const std::shared_ptr<FunctionModel>& model() const { return model_; }

 private:
  // The calls below are described in src/native/addon.ts.
  Napi::Value id(const Napi::CallbackInfo& info);
  Napi::Value watch(const Napi::CallbackInfo& info);
  Napi::Value explain(const Napi::CallbackInfo& info);
  Napi::Value retire_idle(const Napi::CallbackInfo& info);
  Napi::Value set_failure(const Napi::CallbackInfo& info);

  EnvRuntime& runtime_;
  std::shared_ptr<FunctionModel> model_;
  Napi::FunctionReference on_overdue_;
};

}  // namespace millrace
