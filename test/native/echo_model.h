// A model for tests of shapes: gives each of its inputs back as it came, of any type, stacked or
// ragged, and records what it was given.
#pragma once

#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "engine/padding.h"
#include "fake_model.h"

namespace millrace {

// One run, as the model saw it.
struct EchoBatch {
  std::size_t rows = 0;
  Nanos deadline = kNever;
  std::vector<std::vector<std::int64_t>> dims;                   // per input; empty where ragged
  std::vector<std::vector<std::byte>> bytes;                     // per input; empty where ragged
  std::vector<std::vector<std::vector<std::int64_t>>> row_dims;  // per input and row, where ragged
  std::vector<std::vector<const void*>> row_data;                // the same: where they lie
};

struct EchoScript {
  Gate gate;
  std::atomic<int> runs{0};
  std::atomic<int> running{0};
  std::atomic<bool> shrinks{false};  // the second dimension of every output is 1, whatever came
  std::atomic<bool> fails{false};    // every run of more than one row

  std::vector<EchoBatch> batches() {
    const std::lock_guard lock(mutex);
    return recorded;
  }

  std::mutex mutex;
  std::vector<EchoBatch> recorded;  // guarded by mutex
};

class EchoRunner final : public Runner {
 public:
  EchoRunner(const std::vector<TensorSpec>& specs, std::shared_ptr<EchoScript> script,
             std::vector<std::size_t> wanted)
      : specs_(specs), script_(std::move(script)), wanted_(std::move(wanted)) {}

  Status run(const RunBatch& batch, RunResult& result) override {
    ++script_->running;
    ++script_->runs;
    record(batch);
    const bool passed = script_->gate.pass([this] { return terminated_.load(); });
    --script_->running;
    if (!passed) return Error{ErrorCode::kCancelled, "terminated"};
    if (script_->fails && batch.rows > 1) return Error{ErrorCode::kStageFailed, "it always fails"};
    return echo(batch, result);
  }

  void terminate() noexcept override {
    terminated_.store(true);
    script_->gate.nudge();
  }

 private:
  static bool is_ragged(const RunBatch& batch, std::size_t input) {
    return !batch.ragged.empty() && !batch.ragged[input].empty();
  }

  void record(const RunBatch& batch) {
    EchoBatch seen;
    seen.rows = batch.rows;
    seen.deadline = batch.deadline;
    for (std::size_t i = 0; i < specs_.size(); ++i) {
      seen.dims.emplace_back();
      seen.bytes.emplace_back();
      seen.row_dims.emplace_back();
      seen.row_data.emplace_back();
      if (is_ragged(batch, i)) {
        for (const TensorView& row : batch.ragged[i]) {
          seen.row_dims[i].push_back(row.dims);
          seen.row_data[i].push_back(row.data);
        }
        continue;
      }
      const TensorView& input = batch.inputs[i];
      seen.dims[i] = input.dims;
      const std::size_t bytes = element_count(input.dims) * element_size(specs_[i].type);
      if (bytes > 0) seen.bytes[i].assign(input.data, input.data + bytes);
    }
    const std::lock_guard lock(script_->mutex);
    script_->recorded.push_back(std::move(seen));
  }

  // The inputs are valid until the next run's are written, which is after these were stored.
  Status echo(const RunBatch& batch, RunResult& result) {
    result.outputs.assign(wanted_.size(), {});
    result.ragged.assign(wanted_.size(), {});
    result.failed.clear();
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      if (is_ragged(batch, wanted_[i])) {
        result.ragged[i] = batch.ragged[wanted_[i]];
      } else {
        result.outputs[i] = batch.inputs[wanted_[i]];
        if (script_->shrinks) result.outputs[i].dims[1] = 1;
      }
    }
    if (batch.ragged.empty() || specs_[0].type != DataType::kFloat32) return {};
    for (std::size_t row = 0; row < batch.rows; ++row) {
      float first = 0;
      const TensorView& view = batch.ragged[0][row];
      if (element_count(view.dims) > 0) std::memcpy(&first, view.data, sizeof first);
      if (first != kPoison) continue;
      result.failed.push_back({row, {ErrorCode::kStageFailed, "poisoned", "{\"row\":true}"}});
    }
    if (result.failed.size() == batch.rows) result.ragged.clear();  // nobody may look at it
    return {};
  }

  const std::vector<TensorSpec> specs_;
  const std::shared_ptr<EchoScript> script_;
  const std::vector<std::size_t> wanted_;
  std::atomic<bool> terminated_{false};
};

struct EchoOptions {
  std::vector<TensorSpec> inputs;
  bool ragged = false;
};

// Output i is input i. A ragged one fails rows that start with kPoison, each alone.
class EchoModel final : public Model {
 public:
  explicit EchoModel(EchoOptions options)
      : options_(std::move(options)), script_(std::make_shared<EchoScript>()) {}

  const std::vector<TensorSpec>& inputs() const override { return options_.inputs; }
  const std::vector<TensorSpec>& outputs() const override { return options_.inputs; }
  bool accepts_ragged() const override { return options_.ragged; }

  Result<std::unique_ptr<Runner>> make_runner(const RunnerOptions& options) override {
    return std::unique_ptr<Runner>(
        std::make_unique<EchoRunner>(options_.inputs, script_, options.outputs));
  }

  EchoScript& script() { return *script_; }

 private:
  const EchoOptions options_;
  const std::shared_ptr<EchoScript> script_;  // shared with its runners
};

}  // namespace millrace
