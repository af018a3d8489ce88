// A model on a device, and another that takes its place for good once the device is lost: the batch
// that found out fails, with all that were in progress, and what comes next runs on the other.
//
// Whether it is lost is one thing for all runners of the model: that of a device is a process's.
// They say so (Runner::replaced()), with the error by which the first of them knew.
//
// Where the first reads rows where other stages left them, the second is shown them on the host; a
// row that was left on the device is lost with it.
#pragma once

#include <memory>
#include <utility>

#include "model/device_loss.h"
#include "model/model.h"

namespace millrace {

class FallbackModel final : public Model {
 public:
  // Both take and give the same, as what is declared says; `second` has one slot.
  FallbackModel(std::shared_ptr<Model> first, std::shared_ptr<Model> second)
      : first_(std::move(first)), second_(std::move(second)) {}

  const std::vector<TensorSpec>& inputs() const override { return first_->inputs(); }
  const std::vector<TensorSpec>& outputs() const override { return first_->outputs(); }
  WarmUp warm_up() const override { return lost() ? second_->warm_up() : first_->warm_up(); }
  std::shared_ptr<HostMemory> input_memory() const override { return first_->input_memory(); }
  const void* block_device() const override { return lost() ? nullptr : first_->block_device(); }

  // On the fallback alone where the device is lost.
  Result<std::unique_ptr<Runner>> make_runner(const RunnerOptions& options) override;

  // Any thread.
  [[nodiscard]] bool lost() const { return loss_->why() != nullptr; }

 private:
  const std::shared_ptr<Model> first_;
  const std::shared_ptr<Model> second_;
  // Noted by runners, which may outlive the model.
  const std::shared_ptr<DeviceLoss> loss_ = std::make_shared<DeviceLoss>();
};

}  // namespace millrace
