// Models for tests of the engine: one that only declares its tensors, and one that computes
// something checkable under the test's script.
//
//   y     = sum of the inputs, element by element, + `add`
//   score = the first element of the first input's row        (one number a row)
//
// or, for strings, y = the input + "!".
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "model/model.h"

namespace millrace {

// A row that starts with it makes its whole run fail.
inline constexpr float kPoison = -666;

// Open at first. While closed, whoever passes waits until the test opens it.
class Gate {
 public:
  void close() { set(false); }
  void open() { set(true); }

  // False when `left` came true first.
  template <class Left>
  bool pass(Left&& left) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return open_ || left(); });
    return !left();
  }
  void nudge() {
    { const std::lock_guard lock(mutex_); }
    changed_.notify_all();
  }

 private:
  void set(bool open) {
    {
      const std::lock_guard lock(mutex_);
      open_ = open;
    }
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
};

// For tests that never run it.
class DeclaredModel final : public Model {
 public:
  DeclaredModel(std::vector<TensorSpec> inputs, std::vector<TensorSpec> outputs)
      : inputs_(std::move(inputs)), outputs_(std::move(outputs)) {}

  const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  const std::vector<TensorSpec>& outputs() const override { return outputs_; }
  Result<std::unique_ptr<Runner>> make_runner(const RunnerOptions&) override {
    return Error{ErrorCode::kModelLoad, "it is only declared"};
  }

 private:
  const std::vector<TensorSpec> inputs_;
  const std::vector<TensorSpec> outputs_;
};

// One run, as the model saw it.
struct FakeBatch {
  const void* data;                // of the first input
  std::vector<std::int64_t> dims;  // of the first input
  std::vector<float> firsts;       // the first element of each row
};

struct FakeOptions {
  std::size_t inputs = 1;
  std::int64_t width = 4;  // elements of a row; -1 is open
  bool batched = true;
  bool strings = false;
  float add = 1;
  bool open_outputs = false;  // y is declared open whatever the width
};

// The script: everything here may be changed at any time, by any thread.
struct FakeScript {
  Gate gate;
  std::atomic<Nanos> service_ns{0};
  std::atomic<int> extra_rows{0};  // more (or fewer) rows in the outputs than in the batch
  std::atomic<int> runners_left{1'000'000};  // so many more make_runner() succeed
  std::atomic<bool> record{true};
  std::atomic<bool> broken{false};  // every run fails
  std::atomic<Model::WarmUp> warm_up{Model::WarmUp::kNone};

  std::atomic<int> running{0};
  std::atomic<int> most_running{0};
  std::atomic<int> runs{0};
  std::atomic<int> runners{0};  // alive
  std::atomic<int> interrupts{0};

  std::vector<FakeBatch> batches() {
    const std::lock_guard lock(mutex);
    return recorded;
  }
  // How many runs saw a row that starts with `first`.
  int seen(float first) {
    int count = 0;
    for (const FakeBatch& batch : batches()) {
      count += static_cast<int>(std::count(batch.firsts.begin(), batch.firsts.end(), first));
    }
    return count;
  }

  std::mutex mutex;
  std::vector<FakeBatch> recorded;  // guarded by mutex
};

class FakeRunner final : public Runner {
 public:
  FakeRunner(const FakeOptions& options, std::shared_ptr<FakeScript> script,
             std::vector<std::size_t> outputs)
      : options_(options), script_(std::move(script)), wanted_(std::move(outputs)) {
    ++script_->runners;
  }
  ~FakeRunner() override { --script_->runners; }

  Status run(const RunBatch& batch, RunResult& result) override {
    result.ragged.clear();
    result.failed.clear();
    const int now_running = ++script_->running;
    int most = script_->most_running.load();
    while (most < now_running && !script_->most_running.compare_exchange_weak(most, now_running)) {
    }
    ++script_->runs;
    Status status = compute(batch.inputs, result.outputs);
    --script_->running;
    return status;
  }

  void interrupt() noexcept override {
    ++script_->interrupts;
    interrupted_.store(true);
    script_->gate.nudge();
  }

  void resume() noexcept override { interrupted_.store(false); }

  void terminate() noexcept override {
    terminated_.store(true);
    script_->gate.nudge();
  }

 private:
  Status compute(std::span<const TensorView> inputs, std::vector<TensorView>& outputs) {
    measure(inputs[0]);
    if (script_->record.load()) record(inputs[0]);
    const bool passed =
        script_->gate.pass([&] { return terminated_.load() || interrupted_.load(); });
    const Nanos service_ns = script_->service_ns.load();
    if (service_ns > 0) std::this_thread::sleep_for(std::chrono::nanoseconds(service_ns));
    if (!passed || terminated_.load()) return Error{ErrorCode::kCancelled, "terminated"};
    if (script_->broken.load()) return Error{ErrorCode::kStageFailed, "it is broken"};
    if (options_.strings) {
      add_text(inputs[0]);
    } else if (!add_numbers(inputs)) {
      return Error{ErrorCode::kStageFailed, "a row is poisoned"};
    }
    view(outputs, inputs[0].dims);
    return {};
  }

  void measure(const TensorView& input) {
    row_elements_ = 1;
    for (std::size_t d = options_.batched ? 1 : 0; d < input.dims.size(); ++d) {
      row_elements_ *= static_cast<std::size_t>(input.dims[d]);
    }
    rows_ = options_.batched ? static_cast<std::size_t>(input.dims[0]) : 1;
  }

  static float number(const TensorView& input, std::size_t index) {
    float value;
    std::memcpy(&value, input.data + index * sizeof value, sizeof value);
    return value;
  }

  void record(const TensorView& input) {
    FakeBatch batch{input.data, input.dims, {}};
    for (std::size_t row = 0; row < rows_ && !options_.strings && row_elements_ > 0; ++row) {
      batch.firsts.push_back(number(input, row * row_elements_));
    }
    const std::lock_guard lock(script_->mutex);
    script_->recorded.push_back(std::move(batch));
  }

  bool add_numbers(std::span<const TensorView> inputs) {
    const std::size_t spare = 8;  // of rows, for scripts that ask for more than came
    y_.assign((rows_ + spare) * row_elements_, options_.add);
    score_.assign(rows_ + spare, 0);
    for (std::size_t row = 0; row < rows_ && row_elements_ > 0; ++row) {
      score_[row] = number(inputs[0], row * row_elements_);
      if (score_[row] == kPoison) return false;
    }
    for (const TensorView& input : inputs) {
      for (std::size_t i = 0; i < rows_ * row_elements_; ++i) y_[i] += number(input, i);
    }
    return true;
  }

  void add_text(const TensorView& input) {
    text_.assign(rows_ * row_elements_, "");
    for (std::size_t i = 0; i < text_.size(); ++i) text_[i] = input.strings[i] + "!";
  }

  void view(std::vector<TensorView>& outputs, const std::vector<std::int64_t>& input_dims) {
    const auto rows = static_cast<std::int64_t>(rows_) + script_->extra_rows.load();
    outputs.clear();
    for (const std::size_t index : wanted_) {
      TensorView output;
      if (index == 1) {
        output.data = reinterpret_cast<const std::byte*>(score_.data());
        output.dims =
            options_.batched ? std::vector<std::int64_t>{rows} : std::vector<std::int64_t>{};
      } else {
        output.dims = input_dims;
        if (options_.batched) output.dims[0] = rows;
        if (options_.strings) {
          output.strings = text_.data();
        } else {
          output.data = reinterpret_cast<const std::byte*>(y_.data());
        }
      }
      outputs.push_back(std::move(output));
    }
  }

  const FakeOptions options_;
  const std::shared_ptr<FakeScript> script_;
  const std::vector<std::size_t> wanted_;
  std::atomic<bool> terminated_{false};
  std::atomic<bool> interrupted_{false};  // the run in progress
  std::size_t rows_ = 0;
  std::size_t row_elements_ = 0;
  std::vector<float> y_;
  std::vector<float> score_;
  std::vector<std::string> text_;
};

class FakeModel final : public Model {
 public:
  static constexpr std::uint32_t kY = 0;
  static constexpr std::uint32_t kScore = 1;

  explicit FakeModel(const FakeOptions& options = {})
      : script_(std::make_shared<FakeScript>()), options_(options) {
    const DataType type = options.strings ? DataType::kString : DataType::kFloat32;
    for (std::size_t i = 0; i < options.inputs; ++i) {
      inputs_.push_back(
          {std::string(1, static_cast<char>('a' + i)), type, dims(options.width), {}});
    }
    outputs_.push_back({"y", type, dims(options.open_outputs ? -1 : options.width), {}});
    if (options.strings) return;
    std::vector<std::int64_t> one;
    if (options.batched) one.push_back(-1);
    outputs_.push_back({"score", DataType::kFloat32, one, {}});
  }

  const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  const std::vector<TensorSpec>& outputs() const override { return outputs_; }
  WarmUp warm_up() const override { return script_->warm_up.load(); }

  Result<std::unique_ptr<Runner>> make_runner(const RunnerOptions& options) override {
    if (script_->runners_left-- <= 0) return Error{ErrorCode::kModelLoad, "no runner left"};
    return std::unique_ptr<Runner>(
        std::make_unique<FakeRunner>(options_, script_, options.outputs));
  }

  FakeScript& script() { return *script_; }

 private:
  [[nodiscard]] std::vector<std::int64_t> dims(std::int64_t width) const {
    if (options_.batched) return {-1, width};
    return {1, width};
  }

  const std::shared_ptr<FakeScript> script_;  // shared with its runners
  const FakeOptions options_;
  std::vector<TensorSpec> inputs_;
  std::vector<TensorSpec> outputs_;
};

}  // namespace millrace
