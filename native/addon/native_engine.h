// An Engine as JavaScript holds it. The environment's thread is the engine's owner; what may block
// (making replicas, scaling, stopping) runs as a job of the environment.
//
// While requests are pending it keeps the process, and itself, alive. A handle that is collected
// stops its engine.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <vector>

#include "addon/env_runtime.h"
#include "addon/result_writer.h"
#include "base/clock.h"
#include "engine/engine.h"

namespace millrace {

class NativeEngine : public Napi::ObjectWrap<NativeEngine>, public WakeListener {
 public:
  static Napi::Function define(Napi::Env env);

  // createEngine(spec: NativePipelineSpec): Promise<NativeEngine>
  static Napi::Value create(const Napi::CallbackInfo& info);

  explicit NativeEngine(const Napi::CallbackInfo& info);
  ~NativeEngine() override;

  void on_wake(Napi::Env env) override;
  void on_cleanup() override;

 private:
  // The calls below are described in src/native/addon.ts.
  Napi::Value attach(const Napi::CallbackInfo& info);
  Napi::Value cancel(const Napi::CallbackInfo& info);
  Napi::Value expire(const Napi::CallbackInfo& info);
  Napi::Value visits(const Napi::CallbackInfo& info);
  Napi::Value refusal(const Napi::CallbackInfo& info);
  Napi::Value scale(const Napi::CallbackInfo& info);
  Napi::Value reconfigure(const Napi::CallbackInfo& info);
  Napi::Value refuse(const Napi::CallbackInfo& info);
  Napi::Value stop(const Napi::CallbackInfo& info);
  Napi::Value stats(const Napi::CallbackInfo& info);
  Napi::Value histograms(const Napi::CallbackInfo& info);

  Napi::Value make_submit(Napi::Env env);
  static napi_value submit(napi_env env, napi_callback_info info);
  std::int32_t submit_now(napi_env env, const napi_value* args, std::size_t count);
  bool read_input(napi_env env, napi_value value, std::size_t index, std::uint32_t rows);
  bool read_strings(napi_env env, napi_value value, std::size_t index, std::uint32_t rows);
  bool read_row_dims(std::size_t index, const double*& open_dims);
  void deliver(Napi::Env env, Request* settled);
  void flush(Napi::Env env);
  void tell_fallbacks(Napi::Env env);
  void update_hold();
  Napi::Value run_change(Napi::Env env, std::function<Status(Engine&)> change);
  std::shared_ptr<Napi::ObjectReference> keep_alive();

  EnvRuntime& runtime_;
  std::shared_ptr<Engine> engine_;  // shared with jobs in progress
  std::unique_ptr<ResultWriter> writer_;
  Napi::FunctionReference on_settled_;
  Napi::FunctionReference on_fallback_;
  Napi::Reference<Napi::ArrayBuffer> open_dims_buffer_;
  const double* open_dims_ = nullptr;
  std::vector<CallerInput> inputs_;                // scratch of submit
  std::vector<std::vector<std::string>> strings_;  // scratch of submit
  SubmitResult refusal_;                           // the last, for whoever makes an error of it
  bool holding_ = false;
};

}  // namespace millrace
