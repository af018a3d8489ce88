#include "addon/native_engine.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "addon/histogram_values.h"
#include "addon/native_error.h"
#include "addon/spec_reader.h"
#include "addon/stats_writer.h"
#include "addon/visits_writer.h"

namespace millrace {
namespace {

// What submit() returns in place of an index. src/native/addon.ts has the same numbers.
constexpr std::int32_t kQueueFull = -1;
constexpr std::int32_t kDeadlinePassed = -2;
constexpr std::int32_t kClosed = -3;
constexpr std::int32_t kMisfit =
    -4;  // the arguments do not fit the pipeline: a defect of the caller
constexpr std::int32_t kTooBusy = -5;
constexpr std::int32_t kTooLittle = -6;

// Added to the class of a request that records its visits; the same there.
constexpr std::uint32_t kRecordVisits = 4;
static_assert(kRecordVisits >= kPriorityClasses);

constexpr std::size_t kFixedArguments = 3;  // rows, priority, deadline
constexpr std::size_t kUsualArguments = kFixedArguments + 13;

// Beyond it, products of dims might not fit 64 bits; no tensor in memory is as large.
constexpr std::size_t kMostRowElements = std::size_t{1} << 48;

const SteadyClock& steady_clock() {
  static const SteadyClock clock;
  return clock;
}

Nanos to_deadline(double left_ms) {
  if (!(left_ms < 1e12)) return kNever;  // also for NaN and Infinity
  const double left = std::max(left_ms, 0.0) * static_cast<double>(kNanosPerMilli);
  return steady_clock().now() + static_cast<Nanos>(left);
}

struct Creation {
  PipelineSpec spec;
  std::optional<Result<std::unique_ptr<Engine>>> result;

  void run(EnvRuntime& runtime) {
    try {
      result = Engine::create(std::move(spec), steady_clock(), [&runtime] { runtime.wake(); });
    } catch (...) {
      result = caught_error();
    }
  }
};

// 0 for an array whose elements have no fixed size here, which then fits nothing.
std::size_t element_bytes(napi_typedarray_type type) {
  switch (type) {
    case napi_int8_array:
    case napi_uint8_array:
    case napi_uint8_clamped_array:
      return 1;
    case napi_int16_array:
    case napi_uint16_array:
      return 2;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array:
      return 4;
    case napi_float64_array:
    case napi_bigint64_array:
    case napi_biguint64_array:
      return 8;
    default:
      return 0;
  }
}

}  // namespace

Napi::Function NativeEngine::define(Napi::Env env) {
  return DefineClass(
      env, "NativeEngine",
      {InstanceMethod<&NativeEngine::attach>("attach"),
       InstanceMethod<&NativeEngine::cancel>("cancel"),
       InstanceMethod<&NativeEngine::expire>("expire"),
       InstanceMethod<&NativeEngine::visits>("visits"),
       InstanceMethod<&NativeEngine::refusal>("refusal"),
       InstanceMethod<&NativeEngine::scale>("scale"),
       InstanceMethod<&NativeEngine::reconfigure>("reconfigure"),
       InstanceMethod<&NativeEngine::refuse>("refuse"), InstanceMethod<&NativeEngine::stop>("stop"),
       InstanceMethod<&NativeEngine::stats>("stats"),
       InstanceMethod<&NativeEngine::histograms>("histograms")});
}

Napi::Value NativeEngine::create(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  EnvRuntime& runtime = EnvRuntime::of(env);
  auto creation = std::make_shared<Creation>();
  creation->spec = read_pipeline_spec(info[0].As<Napi::Object>());
  const auto deferred = Napi::Promise::Deferred::New(env);
  runtime.run_job([creation, &runtime] { creation->run(runtime); },
                  [creation, deferred](Napi::Env js) {
                    if (!creation->result->ok()) {
                      deferred.Reject(to_js_error(js, creation->result->error()).Value());
                      return;
                    }
                    std::shared_ptr<Engine> engine = std::move(creation->result->value());
                    deferred.Resolve(EnvRuntime::of(js).engine_constructor.New(
                        {Napi::External<std::shared_ptr<Engine>>::New(js, &engine)}));
                  });
  return deferred.Promise();
}

NativeEngine::NativeEngine(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<NativeEngine>(info), runtime_(EnvRuntime::of(info.Env())) {
  if (info.Length() != 1 || !info[0].IsExternal()) {
    throw Napi::TypeError::New(info.Env(), "a NativeEngine is made by createEngine()");
  }
  engine_ = *info[0].As<Napi::External<std::shared_ptr<Engine>>>().Data();
  inputs_.resize(engine_->spec().inputs.size());
  strings_.resize(inputs_.size());
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    inputs_[i].row_bytes = engine_->layout().values[i].row_bytes;
  }
  runtime_.add(this);
}

NativeEngine::~NativeEngine() {
  runtime_.remove(this);
  engine_->stop(true);
}

void NativeEngine::on_cleanup() {
  engine_->refuse();
  engine_->stop(true);
}

Napi::Value NativeEngine::attach(const Napi::CallbackInfo& info) {
  const auto options = info[0].As<Napi::Object>();
  writer_ = std::make_unique<ResultWriter>(*engine_, options.Get("heads").As<Napi::ArrayBuffer>(),
                                           options.Get("payload").As<Napi::ArrayBuffer>());
  auto open_dims = options.Get("openDims").As<Napi::ArrayBuffer>();
  open_dims_ = static_cast<const double*>(open_dims.Data());
  open_dims_buffer_ = Napi::Reference<Napi::ArrayBuffer>::New(open_dims, 1);
  on_settled_ = Napi::Persistent(options.Get("onSettled").As<Napi::Function>());
  on_fallback_ = Napi::Persistent(options.Get("onFallback").As<Napi::Function>());
  runtime_.wake();  // for what became of replicas as they were made
  return make_submit(info.Env());
}

// Called for every request: straight through Node-API, without the wrapper's allocations, and with
// this engine as the function's data, which is much cheaper to get at than what a JavaScript object
// wraps. So the function must not outlive the object: it holds it.
Napi::Value NativeEngine::make_submit(Napi::Env env) {
  napi_value function = nullptr;
  if (napi_create_function(env, "submit", NAPI_AUTO_LENGTH, &NativeEngine::submit, this,
                           &function) != napi_ok) {
    throw Napi::Error::New(env, "could not make submit()");
  }
  Napi::Function submit(env, function);
  submit.DefineProperty(Napi::PropertyDescriptor::Value("engine", Value(), napi_default));
  return submit;
}

napi_value NativeEngine::submit(napi_env env, napi_callback_info info) {
  std::array<napi_value, kUsualArguments> usual;
  std::vector<napi_value> many;  // a pipeline of more inputs pays for an allocation
  napi_value* args = usual.data();
  std::size_t count = usual.size();
  void* engine = nullptr;
  std::int32_t outcome = kMisfit;
  napi_status status = napi_get_cb_info(env, info, &count, args, nullptr, &engine);
  if (status == napi_ok && count > usual.size()) {
    many.resize(count);
    args = many.data();
    status = napi_get_cb_info(env, info, &count, args, nullptr, nullptr);
  }
  if (status == napi_ok) {
    outcome = static_cast<NativeEngine*>(engine)->submit_now(env, args, count);
  }
  napi_value result = nullptr;
  napi_create_int32(env, outcome, &result);
  return result;
}

std::int32_t NativeEngine::submit_now(napi_env env, const napi_value* args, std::size_t count) {
  std::uint32_t rows = 0;
  std::uint32_t priority = 0;
  double left_ms = 0;
  if (count != kFixedArguments + inputs_.size() ||
      napi_get_value_uint32(env, args[0], &rows) != napi_ok || rows == 0 ||
      napi_get_value_uint32(env, args[1], &priority) != napi_ok ||
      (priority & ~kRecordVisits) >= kPriorityClasses ||
      napi_get_value_double(env, args[2], &left_ms) != napi_ok) {
    return kMisfit;
  }
  const double* open_dims = open_dims_;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (!read_row_dims(i, open_dims)) return kMisfit;
    if (!read_input(env, args[kFixedArguments + i], i, rows)) return kMisfit;
  }
  const auto class_index = static_cast<std::uint8_t>(priority & ~kRecordVisits);
  const bool record = (priority & kRecordVisits) != 0;
  const SubmitResult result =
      engine_->submit({rows, class_index, to_deadline(left_ms), record}, inputs_);
  if (result.refusal != SubmitResult::Refusal::kNone) refusal_ = result;
  switch (result.refusal) {
    case SubmitResult::Refusal::kNone:
      break;
    case SubmitResult::Refusal::kQueueFull:
      return kQueueFull;
    case SubmitResult::Refusal::kDeadlinePassed:
      return kDeadlinePassed;
    case SubmitResult::Refusal::kClosed:
      return kClosed;
    case SubmitResult::Refusal::kTooBusy:
      return kTooBusy;
    case SubmitResult::Refusal::kTooLittle:
      return kTooLittle;
  }
  update_hold();
  return static_cast<std::int32_t>(result.index);
}

// An input of open shape takes as many numbers from the shared dims as its row has dimensions.
bool NativeEngine::read_row_dims(std::size_t index, const double*& open_dims) {
  const ValueLayout& value = engine_->layout().values[index];
  if (value.fixed) return true;
  CallerInput& input = inputs_[index];
  input.row_dims.clear();
  input.row_elements = 1;
  for (std::size_t d = 0; d < value.row_dims.size(); ++d) {
    const double dim = *open_dims++;
    if (!(dim >= 0 && dim < 2147483648.0)) return false;
    input.row_dims.push_back(static_cast<std::int64_t>(dim));
    const auto size = static_cast<std::size_t>(dim);
    if (size > 0 && input.row_elements > kMostRowElements / size) return false;
    input.row_elements *= size;
  }
  input.row_bytes = input.row_elements * element_size(value.type);
  return true;
}

bool NativeEngine::read_input(napi_env env, napi_value value, std::size_t index,
                              std::uint32_t rows) {
  const DataType type = engine_->layout().values[index].type;
  if (type == DataType::kString) return read_strings(env, value, index, rows);
  napi_typedarray_type array_type{};
  std::size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &array_type, &length, &data, nullptr, nullptr) !=
      napi_ok) {
    return false;
  }
  inputs_[index].data = static_cast<const std::byte*>(data);
  // The class of the array was checked by the caller; what is read must not hang on that.
  return element_bytes(array_type) == element_size(type) &&
         length * element_size(type) == inputs_[index].row_bytes * rows;
}

bool NativeEngine::read_strings(napi_env env, napi_value value, std::size_t index,
                                std::uint32_t rows) {
  std::uint32_t length = 0;
  if (napi_get_array_length(env, value, &length) != napi_ok ||
      length != inputs_[index].row_elements * rows) {
    return false;
  }
  std::vector<std::string>& strings = strings_[index];
  strings.resize(length);
  for (std::uint32_t i = 0; i < length; ++i) {
    napi_value element = nullptr;
    std::size_t bytes = 0;
    if (napi_get_element(env, value, i, &element) != napi_ok ||
        napi_get_value_string_utf8(env, element, nullptr, 0, &bytes) != napi_ok) {
      return false;
    }
    strings[i].resize(bytes);
    napi_get_value_string_utf8(env, element, strings[i].data(), bytes + 1, &bytes);
  }
  inputs_[index].strings = strings.data();
  return true;
}

void NativeEngine::update_hold() {
  const bool pending = engine_->pending() > 0;
  if (pending == holding_) return;
  holding_ = pending;
  if (pending) {
    runtime_.hold();
    Ref();  // who has only a promise left must still get its answer
  } else {
    runtime_.release();
    Unref();
  }
}

void NativeEngine::on_wake(Napi::Env env) {
  if (writer_ == nullptr) return;
  deliver(env, engine_->collect());
  tell_fallbacks(env);
}

void NativeEngine::tell_fallbacks(Napi::Env env) {
  for (const Fallbacks::Move& move : engine_->take_fallbacks()) {
    on_fallback_.Call({Napi::Number::New(env, static_cast<double>(move.stage)),
                       Napi::String::New(env, move.reason)});
  }
}

void NativeEngine::deliver(Napi::Env env, Request* settled) {
  while (settled != nullptr) {
    Request* const following = settled->next;
    if (!writer_->add(env, *settled)) {
      flush(env);
      writer_->add(env, *settled);
    }
    engine_->recycle(*settled);
    settled = following;
  }
  if (writer_->count() > 0) flush(env);
  update_hold();
}

void NativeEngine::flush(Napi::Env env) {
  on_settled_.Call({Napi::Number::New(env, writer_->count()), writer_->extras(env)});
  writer_->clear();
}

Napi::Value NativeEngine::cancel(const Napi::CallbackInfo& info) {
  const bool cancelled = engine_->cancel(info[0].As<Napi::Number>().Uint32Value());
  update_hold();
  return Napi::Boolean::New(info.Env(), cancelled);
}

Napi::Value NativeEngine::expire(const Napi::CallbackInfo& info) {
  const Nanos next = engine_->expire();
  if (next == kNever) return Napi::Number::New(info.Env(), -1);
  const auto left = static_cast<double>(next - steady_clock().now());
  return Napi::Number::New(info.Env(), std::max(left, 0.0) / static_cast<double>(kNanosPerMilli));
}

Napi::Value NativeEngine::visits(const Napi::CallbackInfo& info) {
  const Request* const request = engine_->recorded(info[0].As<Napi::Number>().Uint32Value());
  return request == nullptr ? info.Env().Undefined() : write_visits(info.Env(), *request);
}

Napi::Value NativeEngine::refusal(const Napi::CallbackInfo& info) {
  const auto ms = [](Nanos time) {
    return static_cast<double>(time) / static_cast<double>(kNanosPerMilli);
  };
  const Prospect& prospect = refusal_.prospect;
  Napi::Object object = Napi::Object::New(info.Env());
  object["retryAfterMs"] = refusal_.retry_after == kNever ? -1.0 : ms(refusal_.retry_after);
  object["waitMs"] = ms(prospect.expected.wait);
  object["serviceMs"] = ms(prospect.expected.service);
  object["aloneMs"] = ms(prospect.alone);
  return object;
}

Napi::Value NativeEngine::refuse(const Napi::CallbackInfo& info) {
  engine_->refuse();
  return info.Env().Undefined();
}

Napi::Value NativeEngine::stats(const Napi::CallbackInfo& info) {
  return write_stats(info.Env(), engine_->stats());
}

Napi::Value NativeEngine::histograms(const Napi::CallbackInfo& info) {
  const HistogramBounds bounds = read_bounds(info[0].As<Napi::Object>());
  return write_histograms(info.Env(), engine_->histograms(bounds), engine_->spec());
}

}  // namespace millrace
