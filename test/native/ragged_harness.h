// An engine of one stage that gives back what it is given (echo_model.h), for rows of any size.
#pragma once

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "echo_model.h"
#include "engine_harness.h"

namespace millrace {

using Shape = std::vector<std::int64_t>;

inline TensorSpec tensor(DataType type, Shape dims) {
  return {"x", type, std::move(dims), {}};
}

inline std::shared_ptr<EchoModel> echo_of(std::vector<TensorSpec> inputs, bool ragged = false) {
  EchoOptions options;
  options.inputs = std::move(inputs);
  options.ragged = ragged;
  return std::make_shared<EchoModel>(std::move(options));
}

// float32 rows of any length.
inline std::shared_ptr<EchoModel> echo_sequences(bool ragged = false) {
  return echo_of({tensor(DataType::kFloat32, {-1, -1})}, ragged);
}

// Every input comes from the request, output 0 is what the pipeline gives.
inline PipelineSpec echo_pipeline(const std::shared_ptr<EchoModel>& model) {
  PipelineSpec spec;
  StageSpec stage;
  stage.name = "echo";
  stage.model = model;
  stage.max_batch = 8;
  for (std::uint32_t i = 0; i < model->inputs().size(); ++i) {
    const TensorSpec& input = model->inputs()[i];
    spec.inputs.push_back({input.name, input.type, input.dims});
    stage.inputs.push_back({from_request(i)});
  }
  spec.stages.push_back(std::move(stage));
  spec.outputs = {{"y", {from_stage(0, 0)}, bytes_of(-1), "none"}};
  return spec;
}

// The same with every input padded and every output cut back to the input it echoes.
inline PipelineSpec padded_pipeline(const std::shared_ptr<EchoModel>& model,
                                    const std::vector<std::byte>& element = bytes_of(-7),
                                    const Shape& buckets = {}) {
  PipelineSpec spec = echo_pipeline(model);
  StageSpec& stage = spec.stages[0];
  for (std::uint32_t i = 0; i < model->inputs().size(); ++i) {
    stage.padding.emplace_back(Padding{element, buckets});
    stage.trims.emplace_back();
    for (std::uint32_t d = 1; d < model->inputs()[i].dims.size(); ++d) {
      const bool open = model->inputs()[i].dims[d] < 0;
      stage.trims[i].push_back(open ? std::optional<Trim>({i, d - 1}) : std::nullopt);
    }
  }
  return spec;
}

// A row of float32: `first`, then what follows it.
inline std::vector<float> row_of(float first, std::size_t length) {
  return length == 0 ? std::vector<float>{} : rows_of({first}, length);
}

class RaggedHarness : public EngineHarness {
 public:
  RaggedHarness(const std::shared_ptr<EchoModel>& model, PipelineSpec spec)
      : EngineHarness(std::move(spec)), model_(model) {}

  // Holds the only replica in a batch of one, so that what comes next piles up.
  void plug() {
    model_->script().gate.close();
    const int runs = model_->script().runs;
    plug_ = submit_row(row_of(1000, 1));
    EXPECT_TRUE(eventually([&] { return model_->script().runs == runs + 1; }));
  }
  void pull() {
    model_->script().gate.open();
    EXPECT_EQ(answer(plug_).values, row_of(1000, 1));
  }

  std::uint32_t submit_row(const std::vector<float>& row, const SubmitOptions& options = {}) {
    return submit_block(row, {static_cast<std::int64_t>(row.size())}, options);
  }

  // options.rows rows of the same shape, one after the other.
  std::uint32_t submit_block(const std::vector<float>& rows, Shape row_dims,
                             const SubmitOptions& options = {}) {
    CallerInput input;
    input.row_elements = element_count(row_dims);
    input.row_bytes = input.row_elements * sizeof(float);
    input.data = reinterpret_cast<const std::byte*>(rows.data());
    input.row_dims = std::move(row_dims);
    return submit_inputs({input}, options);
  }

  std::uint32_t submit_inputs(const std::vector<CallerInput>& inputs,
                              const SubmitOptions& options = {}) {
    const SubmitResult result = engine().submit(options, inputs);
    EXPECT_EQ(result.refusal, Refusal::kNone);
    return result.index;
  }

  // Of the runs since the plug.
  std::vector<Shape> batch_dims() {
    std::vector<Shape> all;
    for (const EchoBatch& batch : model_->script().batches()) all.push_back(batch.dims[0]);
    all.erase(all.begin());
    return all;
  }

 private:
  const std::shared_ptr<EchoModel> model_;
  std::uint32_t plug_ = 0;
};

}  // namespace millrace
