#include "bare_runs.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/clock.h"
#include "model/onnx_model.h"
#include "model/ort_library.h"

namespace millrace {
namespace {

constexpr int kWarmUpRuns = 2;

struct BareOptions {
  OrtLibrarySource library;
  OnnxModelSource model;
  std::size_t threads = 1;
  Nanos duration = 0;
};

struct Batch {
  std::size_t rows = 1;
  std::vector<AlignedBuffer> data;
  std::vector<TensorView> views;
};

std::string text(const Napi::Object& object, const char* key) {
  return object.Get(key).As<Napi::String>().Utf8Value();
}

double number(const Napi::Object& object, const char* key) {
  return object.Get(key).As<Napi::Number>().DoubleValue();
}

BareOptions read_options(const Napi::Object& object) {
  BareOptions options;
  options.library = {text(object, "libraryPath"), text(object, "libraryVersion")};
  options.model.path = text(object, "modelPath");
  options.threads = static_cast<std::size_t>(number(object, "threads"));
  options.duration =
      static_cast<Nanos>(number(object, "durationMs") * static_cast<double>(kNanosPerMilli));
  return options;
}

Batch read_batch(const Napi::Array& inputs) {
  Batch batch;
  for (std::uint32_t i = 0; i < inputs.Length(); ++i) {
    const auto input = inputs.Get(i).As<Napi::Object>();
    const auto array = input.Get("data").As<Napi::TypedArray>();
    const auto dims = input.Get("dims").As<Napi::Array>();
    const auto* bytes = static_cast<const std::byte*>(array.ArrayBuffer().Data());
    batch.data.push_back(make_aligned_buffer(array.ByteLength()));
    std::memcpy(batch.data.back().get(), bytes + array.ByteOffset(), array.ByteLength());
    TensorView view;
    view.data = batch.data.back().get();
    for (std::uint32_t d = 0; d < dims.Length(); ++d) {
      view.dims.push_back(dims.Get(d).As<Napi::Number>().Int64Value());
    }
    batch.views.push_back(std::move(view));
  }
  return batch;
}

RunnerOptions runner_options(const Model& model, const Batch& batch) {
  RunnerOptions options;
  for (std::size_t i = 0; i < model.outputs().size(); ++i) options.outputs.push_back(i);
  const std::vector<std::int64_t>& dims = batch.views.front().dims;
  if (!dims.empty()) options.max_batch = static_cast<std::size_t>(dims.front());
  return options;
}

// What one thread does; used by that thread alone until it is joined.
class Lane {
 public:
  Lane(std::unique_ptr<Runner> runner, const Batch& batch)
      : runner_(std::move(runner)), batch_(batch) {}

  void run_for(Nanos duration, Nanos origin) {
    for (int i = 0; i < kWarmUpRuns && status_.ok(); ++i) run();
    const Nanos end = clock_.now() + duration;
    while (status_.ok() && clock_.now() < end) {
      run();
      ended_ms_.push_back(static_cast<double>(clock_.now() - origin) /
                          static_cast<double>(kNanosPerMilli));
    }
  }

  [[nodiscard]] const Status& status() const { return status_; }
  [[nodiscard]] const std::vector<double>& ended_ms() const { return ended_ms_; }

 private:
  void run() { status_ = runner_->run({batch_.rows, kNever, batch_.views, {}}, result_); }

  std::unique_ptr<Runner> runner_;
  const Batch& batch_;
  SteadyClock clock_;
  Status status_;
  RunResult result_;
  std::vector<double> ended_ms_;
};

Result<std::vector<double>> measure(const BareOptions& options, const Batch& batch) {
  const auto library = OrtLibrary::load(options.library);
  if (!library.ok()) return library.error();
  const auto model = OnnxModel::load(*library.value(), options.model, {});
  if (!model.ok()) return model.error();
  std::vector<Lane> lanes;
  for (std::size_t i = 0; i < options.threads; ++i) {
    auto runner = model.value()->make_runner(runner_options(*model.value(), batch));
    if (!runner.ok()) return runner.error();
    lanes.emplace_back(std::move(runner.value()), batch);
  }
  const Nanos origin = SteadyClock().now();
  std::vector<std::thread> threads;
  for (Lane& lane : lanes) threads.emplace_back([&] { lane.run_for(options.duration, origin); });
  for (std::thread& thread : threads) thread.join();
  std::vector<double> ended_ms;
  for (const Lane& lane : lanes) {
    if (!lane.status().ok()) return lane.status().error();
    ended_ms.insert(ended_ms.end(), lane.ended_ms().begin(), lane.ended_ms().end());
  }
  std::sort(ended_ms.begin(), ended_ms.end());
  return ended_ms;
}

class BareRuns : public Napi::AsyncWorker {
 public:
  BareRuns(Napi::Env env, BareOptions options, Batch batch)
      : Napi::AsyncWorker(env),
        options_(std::move(options)),
        batch_(std::move(batch)),
        deferred_(Napi::Promise::Deferred::New(env)) {}

  [[nodiscard]] Napi::Promise promise() const { return deferred_.Promise(); }

 protected:
  void Execute() override {
    auto ended_ms = measure(options_, batch_);
    if (ended_ms.ok()) {
      ended_ms_ = std::move(ended_ms.value());
    } else {
      SetError(ended_ms.error().message);
    }
  }

  void OnOK() override {
    Napi::Float64Array array = Napi::Float64Array::New(Env(), ended_ms_.size());
    std::copy(ended_ms_.begin(), ended_ms_.end(), array.Data());
    deferred_.Resolve(array);
  }

  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
  const BareOptions options_;
  const Batch batch_;
  const Napi::Promise::Deferred deferred_;
  std::vector<double> ended_ms_;
};

}  // namespace

Napi::Value bare_runs(const Napi::CallbackInfo& info) {
  const auto object = info[0].As<Napi::Object>();
  Batch batch = read_batch(object.Get("inputs").As<Napi::Array>());
  if (batch.views.empty()) throw Napi::TypeError::New(info.Env(), "bareRuns: expected inputs");
  // Deletes itself when it is done.
  auto* const worker = new BareRuns(info.Env(), read_options(object), std::move(batch));
  worker->Queue();
  return worker->promise();
}

}  // namespace millrace
