// What a model declares, without the model: for those who keep asking what goes in and comes out
// after the model itself was replaced.
#pragma once

#include <memory>
#include <vector>

#include "model/model.h"

namespace millrace {

class ModelSignature final : public Model {
 public:
  explicit ModelSignature(const Model& model)
      : inputs_(model.inputs()),
        outputs_(model.outputs()),
        accepts_ragged_(model.accepts_ragged()),
        input_memory_(model.input_memory()),
        block_device_(model.block_device()) {}

  const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  const std::vector<TensorSpec>& outputs() const override { return outputs_; }
  bool accepts_ragged() const override { return accepts_ragged_; }
  std::shared_ptr<HostMemory> input_memory() const override { return input_memory_; }
  const void* block_device() const override { return block_device_; }
  Result<std::unique_ptr<Runner>> make_runner(const RunnerOptions&) override {
    return Error{ErrorCode::kModelLoad, "a signature of a model does not run"};
  }

 private:
  const std::vector<TensorSpec> inputs_;
  const std::vector<TensorSpec> outputs_;
  const bool accepts_ragged_;
  const std::shared_ptr<HostMemory> input_memory_;
  const void* const block_device_;
};

}  // namespace millrace
