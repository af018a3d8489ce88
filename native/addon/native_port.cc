#include "addon/native_port.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "addon/function_values.h"
#include "addon/value_reader.h"

namespace millrace {
namespace {

const SteadyClock& steady_clock() {
  static const SteadyClock clock;
  return clock;
}

double left_ms(Nanos deadline) {
  if (deadline == kNever) return std::numeric_limits<double>::infinity();
  const auto left = static_cast<double>(deadline - steady_clock().now());
  return std::max(left, 0.0) / static_cast<double>(kNanosPerMilli);
}

Error read_error(const Napi::Value& message, const Napi::Value& detail) {
  Error error{ErrorCode::kStageFailed, message.As<Napi::String>().Utf8Value()};
  if (detail.IsString()) error.detail = detail.As<Napi::String>().Utf8Value();
  return error;
}

// row, message, detail; and again.
std::vector<RowFailure> read_failures(const Napi::Value& value) {
  std::vector<RowFailure> failures;
  if (!value.IsArray()) return failures;
  const auto list = value.As<Napi::Array>();
  for (std::uint32_t i = 0; i + 2 < list.Length(); i += 3) {
    const std::size_t row = Napi::Value(list.Get(i)).As<Napi::Number>().Uint32Value();
    failures.push_back({row, read_error(list.Get(i + 1), list.Get(i + 2))});
  }
  return failures;
}

}  // namespace

Napi::Function NativePort::define(Napi::Env env) {
  return DefineClass(
      env, "NativePort",
      {InstanceMethod<&NativePort::answer>("answer"), InstanceMethod<&NativePort::fail>("fail"),
       InstanceMethod<&NativePort::close>("close")});
}

Napi::Value NativePort::open(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto options = info[0].As<Napi::Object>();
  std::shared_ptr<FunctionModel> model =
      FunctionModel::find(static_cast<std::uint32_t>(number(options, "function")));
  if (model == nullptr) return env.Undefined();
  const Napi::Object port = EnvRuntime::of(env).port_constructor.New(
      {Napi::External<std::shared_ptr<FunctionModel>>::New(env, &model)});
  NativePort::Unwrap(port)->attach(options);
  return port;
}

NativePort::NativePort(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<NativePort>(info), runtime_(EnvRuntime::of(info.Env())) {
  if (info.Length() != 1 || !info[0].IsExternal()) {
    throw Napi::TypeError::New(info.Env(), "a NativePort is made by openPort()");
  }
  model_ = *info[0].As<Napi::External<std::shared_ptr<FunctionModel>>>().Data();
}

NativePort::~NativePort() {
  runtime_.remove(this);
  if (port_ != nullptr) port_->close();
}

void NativePort::attach(const Napi::Object& options) {
  on_call_ = Napi::Persistent(options.Get("onCall").As<Napi::Function>());
  on_abort_ = Napi::Persistent(options.Get("onAbort").As<Napi::Function>());
  FunctionPortOptions port;
  port.seat = static_cast<std::uint32_t>(number(options, "seat"));
  const double capacity = number(options, "capacity");
  port.capacity =
      capacity < 1e9 ? static_cast<std::size_t>(capacity) : std::numeric_limits<std::size_t>::max();
  port.replaceable = flag(options, "replaceable");
  port.on_news = [runtime = &runtime_] { runtime->wake(); };
  runtime_.add(this);
  Ref();
  // The model lives on in its engine: one whose engine is gone has no calls to hand over.
  port_ = model_->exchange()->open(std::move(port));
}

void NativePort::on_wake(Napi::Env env) {
  FunctionPort::Task task;
  // Closed meanwhile, perhaps: by what is called.
  while (port_ != nullptr && port_->take(task)) hand_over(env, task);
  if (port_ == nullptr) return;
  for (const std::uint32_t id : port_->take_aborted()) {
    on_abort_.Call({Napi::Number::New(env, id)});
  }
}

void NativePort::hand_over(Napi::Env env, FunctionPort::Task& task) {
  const Napi::HandleScope scope(env);
  const RunBatch& batch = *task.batch;
  const double rows = static_cast<double>(batch.rows);
  const double left = left_ms(batch.deadline);
  spares_.push_back(std::move(task.spare));
  std::optional<Napi::Array> values;
  try {
    values = values_to_js(env, batch, model_->inputs());
  } catch (const Napi::Error&) {  // no memory: the batch fails, not the process
    if (env.IsExceptionPending()) env.GetAndClearPendingException();
  }
  port_->begun(task.id);
  if (values) {
    on_call_.Call({Napi::Number::New(env, task.id), Napi::Number::New(env, rows),
                   Napi::Number::New(env, left), *values});
    return;
  }
  FunctionAnswer failed = take_spare();
  failed.error = {ErrorCode::kStageFailed, "there is not enough memory for the inputs of a batch"};
  port_->answer(task.id, std::move(failed));
}

FunctionAnswer NativePort::take_spare() {
  if (spares_.empty()) return {};
  FunctionAnswer spare = std::move(spares_.back());
  spares_.pop_back();
  spare.error.reset();
  spare.whole = false;
  spare.failed.clear();
  return spare;
}

Napi::Value NativePort::answer(const Napi::CallbackInfo& info) {
  if (port_ == nullptr) return info.Env().Undefined();
  const std::uint32_t id = info[0].As<Napi::Number>().Uint32Value();
  const std::size_t rows = info[1].As<Napi::Number>().Uint32Value();
  FunctionAnswer answer = take_spare();
  answer.failed = read_failures(info[3]);
  if (!read_outputs(info[2].As<Napi::Array>(), rows, model_->outputs(), answer.outputs)) {
    answer.error = {ErrorCode::kStageFailed,
                    "an output does not have the elements that its dims ask for; if it is not "
                    "changed meanwhile, this is a defect of Millrace"};
  }
  port_->answer(id, std::move(answer));
  return info.Env().Undefined();
}

Napi::Value NativePort::fail(const Napi::CallbackInfo& info) {
  if (port_ == nullptr) return info.Env().Undefined();
  FunctionAnswer answer = take_spare();
  answer.error = read_error(info[1], info[2]);
  port_->answer(info[0].As<Napi::Number>().Uint32Value(), std::move(answer));
  return info.Env().Undefined();
}

Napi::Value NativePort::close(const Napi::CallbackInfo& info) {
  if (port_ == nullptr) return info.Env().Undefined();
  port_->close();
  port_.reset();
  on_call_.Reset();
  on_abort_.Reset();
  runtime_.remove(this);
  Unref();
  return info.Env().Undefined();
}

// Calls no JavaScript; the object itself goes with its environment.
void NativePort::on_cleanup() {
  if (port_ != nullptr) port_->close();
}

}  // namespace millrace
