#include "addon/native_function.h"

#include <string>
#include <utility>
#include <vector>

#include "addon/tensor_values.h"
#include "addon/value_reader.h"

namespace millrace {
namespace {

Error read_failure(const Napi::CallbackInfo& info, std::size_t message) {
  Error error{ErrorCode::kStageFailed, info[message].As<Napi::String>().Utf8Value()};
  if (info[message + 1].IsString()) {
    error.detail = info[message + 1].As<Napi::String>().Utf8Value();
  }
  return error;
}

}  // namespace

Napi::Function NativeFunction::define(Napi::Env env) {
  return DefineClass(
      env, "NativeFunction",
      {InstanceAccessor<&NativeFunction::id>("id"), InstanceMethod<&NativeFunction::watch>("watch"),
       InstanceMethod<&NativeFunction::explain>("explain"),
       InstanceMethod<&NativeFunction::retire_idle>("retireIdle"),
       InstanceMethod<&NativeFunction::set_failure>("setFailure")});
}

Napi::Value NativeFunction::create(const Napi::CallbackInfo& info) {
  const auto object = info[0].As<Napi::Object>();
  FunctionModelOptions options;
  options.name = text(object, "name");
  options.inputs = read_tensors(object, "inputs");
  options.outputs = read_tensors(object, "outputs");
  options.ragged = flag(object, "ragged");
  options.timeout = read_ms(object, "timeoutMs");
  std::shared_ptr<FunctionModel> model = FunctionModel::make(std::move(options));
  const Napi::Env env = info.Env();
  return EnvRuntime::of(env).function_constructor.New(
      {Napi::External<std::shared_ptr<FunctionModel>>::New(env, &model)});
}

NativeFunction::NativeFunction(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<NativeFunction>(info), runtime_(EnvRuntime::of(info.Env())) {
  if (info.Length() != 1 || !info[0].IsExternal()) {
    throw Napi::TypeError::New(info.Env(), "a NativeFunction is made by createFunction()");
  }
  model_ = *info[0].As<Napi::External<std::shared_ptr<FunctionModel>>>().Data();
  model_->exchange()->watch([runtime = &runtime_] { runtime->wake(); });
  runtime_.add(this);
}

NativeFunction::~NativeFunction() {
  if (model_ == nullptr) return;
  runtime_.remove(this);
  model_->exchange()->unwatch();
}

void NativeFunction::on_cleanup() {
  model_->exchange()->unwatch();
}

void NativeFunction::on_wake(Napi::Env env) {
  if (on_overdue_.IsEmpty()) return;
  for (const std::uint32_t seat : model_->exchange()->take_overdue()) {
    on_overdue_.Call({Napi::Number::New(env, seat)});
  }
}

Napi::Value NativeFunction::id(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), model_->id());
}

Napi::Value NativeFunction::watch(const Napi::CallbackInfo& info) {
  on_overdue_.Reset();
  if (info[0].IsFunction()) on_overdue_ = Napi::Persistent(info[0].As<Napi::Function>());
  return info.Env().Undefined();
}

Napi::Value NativeFunction::explain(const Napi::CallbackInfo& info) {
  const std::uint32_t seat = info[0].As<Napi::Number>().Uint32Value();
  const std::uint64_t answered = model_->exchange()->explain(seat, read_failure(info, 1));
  return Napi::Number::New(info.Env(), static_cast<double>(answered));
}

Napi::Value NativeFunction::retire_idle(const Napi::CallbackInfo& info) {
  const auto seat = model_->exchange()->retire_idle();
  if (!seat) return info.Env().Undefined();
  return Napi::Number::New(info.Env(), *seat);
}

Napi::Value NativeFunction::set_failure(const Napi::CallbackInfo& info) {
  std::optional<Error> failure;
  if (info[0].IsString()) failure = read_failure(info, 0);
  model_->exchange()->set_failure(std::move(failure));
  return info.Env().Undefined();
}

}  // namespace millrace
