// A loaded model, of ONNX or a CUDA kernel, as JavaScript holds it: its inputs and outputs to look
// at, and something to build engines from.
#pragma once

#include <napi.h>

#include <memory>

#include "model/model.h"

namespace millrace {

class NativeModel : public Napi::ObjectWrap<NativeModel> {
 public:
  static Napi::Function define(Napi::Env env);

  // loadModel(options: LoadModelOptions): Promise<NativeModel>. Rejects with an Error whose `code`
  // is a MillraceErrorCode.
  static Napi::Value load(const Napi::CallbackInfo& info);

  // Of any kind of model.
  static Napi::Object of(Napi::Env env, std::shared_ptr<Model> model);

  explicit NativeModel(const Napi::CallbackInfo& info);

  // Null once it was released.
  [[nodiscard]] const std::shared_ptr<Model>& model() const { return model_; }

 private:
  Napi::Value inputs(const Napi::CallbackInfo& info);
  Napi::Value outputs(const Napi::CallbackInfo& info);
  Napi::Value release(const Napi::CallbackInfo& info);

  std::shared_ptr<Model> model_;
};

}  // namespace millrace
