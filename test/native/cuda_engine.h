// An engine of one kernel stage on the double: y = 2 x.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cuda_kernel_model.h"
#include "engine_harness.h"

namespace millrace {

inline PipelineSpec kernel_pipeline(std::shared_ptr<Model> model, std::size_t max_batch) {
  StageSpec stage;
  stage.name = "double";
  stage.model = std::move(model);
  stage.inputs = {{from_request()}};
  stage.max_batch = max_batch;
  return pipeline_of({std::move(stage)}, {from_stage(0)});
}

inline testing::AssertionResult doubled(const Answer& answer, const std::vector<float>& firsts) {
  if (answer.outcome != Outcome::kCompleted) {
    return testing::AssertionFailure() << "it did not complete: " << answer.message;
  }
  std::vector<float> wanted = rows_of(firsts);
  for (float& value : wanted) value *= 2;
  if (answer.values == wanted) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "other values";
}

class CudaEngineTest : public CudaTest {
 protected:
  // Where a line of the record is; far behind all others where it is not.
  [[nodiscard]] std::size_t place_of(const std::string& line) const {
    return std::string(control_->record()).find(line);
  }

  [[nodiscard]] int count_of(const std::string& line) const {
    const std::string record = control_->record();
    int count = 0;
    for (auto at = record.find(line); at != std::string::npos; at = record.find(line, at + 1))
      ++count;
    return count;
  }

  [[nodiscard]] int launches() const { return count_of("cuLaunchKernel"); }

  // What is held back is done, and from now on all at once.
  void release_device() {
    control_->hold(false);
    control_->finish(-1);
  }
};

}  // namespace millrace
