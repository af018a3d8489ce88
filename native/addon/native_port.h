// A FunctionPort as the environment that runs the function holds it: calls come in through one
// function, answers go back through answer() and fail().
//
// An open port, and what it calls, live until close(), or until the environment ends: whatever then
// was in hand fails. It does not keep the process alive.
#pragma once

#include <napi.h>

#include <memory>
#include <vector>

#include "addon/env_runtime.h"
#include "model/function_model.h"

namespace millrace {

class NativePort : public Napi::ObjectWrap<NativePort>, public WakeListener {
 public:
  static Napi::Function define(Napi::Env env);

  // openPort(options: OpenPortOptions): NativePort | undefined
  static Napi::Value open(const Napi::CallbackInfo& info);

  explicit NativePort(const Napi::CallbackInfo& info);
  ~NativePort() override;

  void on_wake(Napi::Env env) override;
  void on_cleanup() override;

 private:
  // The calls below are described in src/native/addon.ts.
  Napi::Value answer(const Napi::CallbackInfo& info);
  Napi::Value fail(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  void attach(const Napi::Object& options);
  void hand_over(Napi::Env env, FunctionPort::Task& task);
  FunctionAnswer take_spare();

  EnvRuntime& runtime_;
  std::shared_ptr<FunctionModel> model_;
  std::shared_ptr<FunctionPort> port_;  // null once closed
  Napi::FunctionReference on_call_;
  Napi::FunctionReference on_abort_;
  std::vector<FunctionAnswer> spares_;  // buffers of calls in hand, for their answers
};

}  // namespace millrace
