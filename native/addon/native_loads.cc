#include "addon/native_loads.h"

#include "addon/env_runtime.h"

namespace millrace {
namespace {

using Handle = Napi::External<std::shared_ptr<LoadCancellation>>;

}  // namespace

std::shared_ptr<LoadCancellation> loads_of(Napi::Env env, const Napi::Value& value) {
  if (!value.IsExternal()) return EnvRuntime::of(env).loads();
  return *value.As<Handle>().Data();
}

Napi::Value open_loads(const Napi::CallbackInfo& info) {
  const auto above = loads_of(info.Env(), info[0]);
  return Handle::New(info.Env(),
                     new std::shared_ptr<LoadCancellation>(LoadCancellation::below(*above)),
                     [](Napi::Env, std::shared_ptr<LoadCancellation>* loads) { delete loads; });
}

Napi::Value cancel_loads(const Napi::CallbackInfo& info) {
  loads_of(info.Env(), info[0])->cancel();
  return info.Env().Undefined();
}

}  // namespace millrace
