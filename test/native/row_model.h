// A model for tests that is told row by row what to compute, and whose rows may come out in any
// shape: it delivers them stacked where all are alike (unless told otherwise) and ragged where not.
//
// Models of fan-outs made with it:
//
//   splitter   x [4]       -> items [n, 4], tags [n]    n = the whole part of x[0], none below 1;
//                             item j = x with x[0] + 100 * (j + 1) in front, tag j = j
//   summer     a [n, 4], ..-> y [4]    sum of the items' first elements, n, the sum of (j + 1)
//   times
//                             them, and the sum of the first elements of the other inputs
#pragma once

#include <functional>

#include "engine_harness.h"

namespace millrace {

// One row of an input or output; floats, or strings.
struct RowTensor {
  std::vector<std::int64_t> dims;
  std::vector<float> numbers;
  std::vector<std::string> strings;
};

using ComputeRow =
    std::function<Status(const std::vector<RowTensor>& inputs, std::vector<RowTensor>& outputs)>;

struct RowModelOptions {
  std::vector<TensorSpec> inputs;  // all dims, the batch first
  std::vector<TensorSpec> outputs;
  ComputeRow compute;
  bool always_ragged = false;
};

inline std::size_t elements_of(std::span<const std::int64_t> dims) {
  std::size_t count = 1;
  for (const std::int64_t dim : dims) count *= static_cast<std::size_t>(dim);
  return count;
}

class RowRunner final : public Runner {
 public:
  RowRunner(const RowModelOptions& options, std::shared_ptr<FakeScript> script,
            std::vector<std::size_t> wanted)
      : options_(options), script_(std::move(script)), wanted_(std::move(wanted)) {}

  Status run(const RunBatch& batch, RunResult& result) override {
    ++script_->running;
    ++script_->runs;
    Status status = compute(batch);
    if (status.ok()) deliver(result);
    --script_->running;
    return status;
  }

  void terminate() noexcept override {
    terminated_.store(true);
    script_->gate.nudge();
  }

 private:
  Status compute(const RunBatch& batch) {
    const bool passed = script_->gate.pass([this] { return terminated_.load(); });
    if (!passed || terminated_.load()) return Error{ErrorCode::kCancelled, "terminated"};
    produced_.assign(batch.rows, std::vector<RowTensor>(options_.outputs.size()));
    for (std::size_t row = 0; row < batch.rows; ++row) {
      std::vector<RowTensor> inputs;
      for (const TensorView& input : batch.inputs) inputs.push_back(row_of(input, row));
      Status status = options_.compute(inputs, produced_[row]);
      if (!status.ok()) return status;
    }
    return {};
  }

  static RowTensor row_of(const TensorView& input, std::size_t row) {
    RowTensor one;
    one.dims.assign(input.dims.begin() + 1, input.dims.end());
    const std::size_t count = elements_of(one.dims);
    if (input.strings != nullptr) {
      one.strings.assign(input.strings + row * count, input.strings + (row + 1) * count);
    } else {
      one.numbers.resize(count);
      const std::byte* from = input.data + row * count * sizeof(float);
      if (count > 0) std::memcpy(one.numbers.data(), from, count * sizeof(float));
    }
    return one;
  }

  void deliver(RunResult& result) {
    result.outputs.assign(wanted_.size(), {});
    result.ragged.assign(wanted_.size(), {});
    result.failed.clear();
    stacks_.assign(wanted_.size(), {});
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      if (options_.always_ragged || !alike(wanted_[i])) {
        for (const auto& row : produced_) result.ragged[i].push_back(view(row[wanted_[i]]));
      } else {
        stack(wanted_[i], stacks_[i]);
        result.outputs[i] = view(stacks_[i]);
      }
    }
  }

  [[nodiscard]] bool alike(std::size_t output) const {
    return std::all_of(produced_.begin(), produced_.end(), [&](const auto& row) {
      return row[output].dims == produced_[0][output].dims;
    });
  }

  void stack(std::size_t output, RowTensor& to) const {
    to.dims = produced_[0][output].dims;
    to.dims.insert(to.dims.begin(), static_cast<std::int64_t>(produced_.size()));
    for (const auto& row : produced_) {
      const RowTensor& one = row[output];
      to.numbers.insert(to.numbers.end(), one.numbers.begin(), one.numbers.end());
      to.strings.insert(to.strings.end(), one.strings.begin(), one.strings.end());
    }
  }

  static TensorView view(const RowTensor& tensor) {
    TensorView view;
    view.dims = tensor.dims;
    view.data = reinterpret_cast<const std::byte*>(tensor.numbers.data());
    if (!tensor.strings.empty()) view.strings = tensor.strings.data();
    return view;
  }

  const RowModelOptions options_;
  const std::shared_ptr<FakeScript> script_;
  const std::vector<std::size_t> wanted_;
  std::atomic<bool> terminated_{false};
  std::vector<std::vector<RowTensor>> produced_;  // [row][output]
  std::vector<RowTensor> stacks_;                 // per wanted output
};

class RowModel final : public Model {
 public:
  explicit RowModel(RowModelOptions options)
      : script_(std::make_shared<FakeScript>()), options_(std::move(options)) {}

  const std::vector<TensorSpec>& inputs() const override { return options_.inputs; }
  const std::vector<TensorSpec>& outputs() const override { return options_.outputs; }
  Result<std::unique_ptr<Runner>> make_runner(const RunnerOptions& options) override {
    return std::unique_ptr<Runner>(std::make_unique<RowRunner>(options_, script_, options.outputs));
  }

  FakeScript& script() { return *script_; }

 private:
  const std::shared_ptr<FakeScript> script_;  // shared with its runners
  const RowModelOptions options_;
};

inline std::shared_ptr<RowModel> row_model(RowModelOptions options) {
  return std::make_shared<RowModel>(std::move(options));
}

inline TensorSpec floats(std::string name, std::vector<std::int64_t> dims) {
  return {std::move(name), DataType::kFloat32, std::move(dims), {}};
}

inline constexpr std::uint32_t kItems = 0;
inline constexpr std::uint32_t kTags = 1;

inline std::int64_t items_in(float first) {
  return first < 1 ? 0 : static_cast<std::int64_t>(first) % 100;
}

inline Status split_row(const std::vector<RowTensor>& inputs, std::vector<RowTensor>& outputs) {
  const std::vector<float>& x = inputs[0].numbers;
  if (x[0] == kPoison) return Error{ErrorCode::kStageFailed, "a row is poisoned"};
  const std::int64_t count = items_in(x[0]);
  outputs[kItems].dims = {count, static_cast<std::int64_t>(x.size())};
  outputs[kTags].dims = {count};
  for (std::int64_t item = 0; item < count; ++item) {
    std::vector<float>& items = outputs[kItems].numbers;
    const auto at = static_cast<std::ptrdiff_t>(items.size());
    items.insert(items.end(), x.begin(), x.end());
    *(items.begin() + at) += 100.0f * static_cast<float>(item + 1);
    outputs[kTags].numbers.push_back(static_cast<float>(item));
  }
  return {};
}

inline std::shared_ptr<RowModel> splitter(bool always_ragged = false) {
  return row_model({{floats("x", {-1, 4})},
                    {floats("items", {-1, -1, 4}), floats("tags", {-1, -1})},
                    split_row,
                    always_ragged});
}

inline Status sum_row(const std::vector<RowTensor>& inputs, std::vector<RowTensor>& outputs) {
  std::vector<float> y(4, 0);
  const RowTensor& items = inputs[0];
  y[1] = static_cast<float>(items.dims[0]);
  for (std::size_t item = 0; item < static_cast<std::size_t>(items.dims[0]); ++item) {
    y[0] += items.numbers[item * 4];
    y[2] += items.numbers[item * 4] * static_cast<float>(item + 1);
  }
  for (std::size_t other = 1; other < inputs.size(); ++other) y[3] += inputs[other].numbers[0];
  outputs[0] = {{4}, y, {}};
  return {};
}

inline std::shared_ptr<RowModel> summer(std::size_t others = 0) {
  RowModelOptions options{{floats("a", {-1, -1, 4})}, {floats("y", {-1, 4})}, sum_row};
  for (std::size_t i = 0; i < others; ++i) options.inputs.push_back(floats("b", {-1, 4}));
  return row_model(options);
}

inline StageSpec fan_out_of(std::string name, std::shared_ptr<Model> model,
                            std::vector<std::vector<Source>> inputs) {
  StageSpec stage = stage_of(std::move(name), nullptr, std::move(inputs));
  stage.model = std::move(model);
  stage.fan_out = true;
  return stage;
}

inline StageSpec gather_of(std::string name, std::shared_ptr<Model> model, std::uint32_t fan_out,
                           std::vector<std::vector<Source>> inputs) {
  StageSpec stage = stage_of(std::move(name), nullptr, std::move(inputs));
  stage.model = std::move(model);
  stage.gather = fan_out;
  return stage;
}

// What the splitter makes of rows that start with these: the first elements of all items, in order.
inline std::vector<float> items_of(const std::vector<float>& firsts) {
  std::vector<float> items;
  for (const float first : firsts) {
    for (std::int64_t item = 0; item < items_in(first); ++item) {
      items.push_back(first + 100.0f * static_cast<float>(item + 1));
    }
  }
  return items;
}

// Whether y is items of 4 elements that start with these.
inline testing::AssertionResult starts_with(const Answer& answer, const std::vector<float>& firsts,
                                            float added = 0) {
  if (answer.outcome != Outcome::kCompleted) {
    return testing::AssertionFailure() << "it did not complete: " << answer.message;
  }
  if (answer.values.size() != firsts.size() * kWidth) {
    return testing::AssertionFailure()
           << answer.values.size() << " values, not " << firsts.size() * kWidth;
  }
  for (std::size_t i = 0; i < firsts.size(); ++i) {
    if (std::abs(answer.values[i * kWidth] - firsts[i] - added) < 0.01f) continue;
    return testing::AssertionFailure()
           << "item " << i << " starts with " << answer.values[i * kWidth] << " instead of "
           << firsts[i] + added;
  }
  return testing::AssertionSuccess();
}

}  // namespace millrace
