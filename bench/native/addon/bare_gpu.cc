#include "bare_gpu.h"

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "addon/value_reader.h"
#include "cuda/cuda_memory.h"
#include "cuda/cuda_model.h"
#include "cuda/cuda_stream.h"

namespace millrace {
namespace {

using Measured = Result<double>;

class BareGpu : public Napi::AsyncWorker {
 public:
  BareGpu(Napi::Env env, std::function<Measured()> measure)
      : Napi::AsyncWorker(env),
        measure_(std::move(measure)),
        deferred_(Napi::Promise::Deferred::New(env)) {}

  [[nodiscard]] Napi::Promise promise() const { return deferred_.Promise(); }

 protected:
  void Execute() override {
    const Measured measured = measure_();
    if (measured.ok()) {
      figure_ = measured.value();
    } else {
      SetError(measured.error().message);
    }
  }
  void OnOK() override { deferred_.Resolve(Napi::Number::New(Env(), figure_)); }
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
  const std::function<Measured()> measure_;
  const Napi::Promise::Deferred deferred_;
  double figure_ = 0;
};

Napi::Value measured(Napi::Env env, std::function<Measured()> measure) {
  auto* worker = new BareGpu(env, std::move(measure));
  worker->Queue();
  return worker->promise();
}

double seconds_of(const std::function<Status()>& act, Status& status) {
  const auto began = std::chrono::steady_clock::now();
  status = act();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

struct Copies {
  std::string driver;
  std::size_t bytes = 0;
  std::size_t rounds = 0;
  bool pinned = false;
};

Measured measure_copies(const Copies& copies) {
  const auto driver = CudaDriver::load(copies.driver);
  if (!driver.ok()) return driver.error();
  auto context = CudaContext::open(*driver.value(), 0);
  if (!context.ok()) return context.error();
  auto device = DeviceMemory::allocate(context.value(), copies.bytes);
  auto pinned = PinnedMemory::allocate(context.value(), copies.bytes);
  auto stream = CudaStream::create(context.value());
  if (!device.ok()) return device.error();
  if (!pinned.ok()) return pinned.error();
  if (!stream.ok()) return stream.error();
  std::vector<std::byte> plain(copies.bytes);
  const std::span<std::byte> host = copies.pinned ? pinned.value().span() : std::span(plain);
  const auto round = [&] {
    Status status = stream.value().copy_to_device(device.value(), host);
    if (status.ok()) status = stream.value().copy_to_host(host, device.value());
    return status.ok() ? stream.value().synchronize() : status;
  };
  Status status = round();
  const double seconds = seconds_of(
      [&] {
        Status all = status;
        for (std::size_t i = 0; i < copies.rounds && all.ok(); ++i) all = round();
        return all;
      },
      status);
  if (!status.ok()) return status.error();
  return 1000 * seconds / static_cast<double>(copies.rounds);
}

struct Batches {
  CudaKernelLibraries libraries;
  KernelSource source;
  std::int64_t width = 0;
  std::size_t rows = 0;
  std::size_t batches = 0;
  std::size_t flights = 1;
};

class Ended final : public RunListener {
 public:
  void run_ended() noexcept override {
    ended_.store(true, std::memory_order_release);
    ended_.notify_one();
  }
  void await() {
    ended_.wait(false, std::memory_order_acquire);
    ended_.store(false, std::memory_order_relaxed);
  }

 private:
  std::atomic<bool> ended_{false};
};

Status run_batches(Runner& runner, const RunBatch& batch, const Batches& wanted) {
  std::array<Ended, 2> ended;
  RunResult result;
  for (std::size_t i = 0; i < wanted.batches + wanted.flights; ++i) {
    const std::size_t slot = i % wanted.flights;
    if (i >= wanted.flights) {
      ended[slot].await();
      Status finished = runner.finish(slot, result);
      if (!finished.ok()) return finished;
    }
    if (i >= wanted.batches) continue;
    Status begun = runner.begin(batch, slot, ended[slot]);
    if (!begun.ok()) return begun;
  }
  return {};
}

Measured measure_batches(const Batches& wanted) {
  CudaModelOptions options;
  options.name = wanted.source.kernel;
  options.inputs = {{"x", DataType::kFloat32, {-1, wanted.width}, {}}};
  options.outputs = {{"y", DataType::kFloat32, {-1, wanted.width}, {}}};
  const auto model = CudaModel::load(wanted.libraries, wanted.source, options);
  if (!model.ok()) return model.error();
  const auto runner = model.value()->make_runner({{0}, wanted.rows});
  if (!runner.ok()) return runner.error();
  const std::size_t bytes = wanted.rows * static_cast<std::size_t>(wanted.width) * sizeof(float);
  const auto memory = model.value()->input_memory();
  const auto arena = memory->allocate(bytes);
  if (arena == nullptr) return Error{ErrorCode::kOutOfMemory, "no pinned memory for a batch"};
  std::fill_n(arena.get(), bytes, std::byte{0});
  const TensorView view{
      arena.get(), nullptr, {static_cast<std::int64_t>(wanted.rows), wanted.width}};
  const RunBatch batch{wanted.rows, kNever, {&view, 1}, {}};
  RunResult result;
  Status status = runner.value()->run(batch, result);
  if (!status.ok()) return status.error();
  const double seconds =
      seconds_of([&] { return run_batches(*runner.value(), batch, wanted); }, status);
  if (!status.ok()) return status.error();
  return static_cast<double>(wanted.batches * wanted.rows) / seconds;
}

std::size_t count(const Napi::Object& object, const char* key) {
  return static_cast<std::size_t>(number(object, key));
}

}  // namespace

Napi::Value gpu_copies(const Napi::CallbackInfo& info) {
  const auto given = info[0].As<Napi::Object>();
  const Copies copies{text(given, "driver"), count(given, "bytes"), count(given, "rounds"),
                      flag(given, "pinned")};
  return measured(info.Env(), [copies] { return measure_copies(copies); });
}

Napi::Value gpu_batches(const Napi::CallbackInfo& info) {
  const auto given = info[0].As<Napi::Object>();
  const std::string kernel = text(given, "kernel");
  const Batches batches{{text(given, "driver"), text(given, "compiler")},
                        {text(given, "source"), kernel, kernel + ".cu", {}},
                        static_cast<std::int64_t>(number(given, "width")),
                        count(given, "rows"),
                        count(given, "batches"),
                        count(given, "flights")};
  return measured(info.Env(), [batches] { return measure_batches(batches); });
}

}  // namespace millrace
