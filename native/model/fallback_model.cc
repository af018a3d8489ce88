#include "model/fallback_model.h"

#include <optional>
#include <string>
#include <vector>

#include "model/host_rows.h"

namespace millrace {
namespace {

// Runs on the first until that says that its device is lost. The second answers within begin(),
// there being nothing to overlap with: each slot has a runner of it, since each has a result.
class FallbackRunner final : public Runner {
 public:
  FallbackRunner(std::unique_ptr<Runner> first, std::vector<std::unique_ptr<Runner>> second,
                 std::shared_ptr<DeviceLoss> loss)
      : first_(std::move(first)),
        slots_(second.size()),
        second_(std::move(second)),
        loss_(std::move(loss)) {}

  [[nodiscard]] std::size_t slots() const override { return slots_.size(); }
  [[nodiscard]] std::size_t max_batch() const override {
    return first_ == nullptr ? Runner::max_batch() : first_->max_batch();
  }

  Status run(const RunBatch& batch, RunResult& result) override {
    if (!lost()) return noticed(first_->run(batch, result));
    return free_runner().run(batch, result);
  }

  Status begin(const RunBatch& batch, std::size_t slot, RunListener& listener) override {
    Slot& one = slots_[slot];
    if (!lost()) {
      Status begun = noticed(first_->begin(batch, slot, listener));
      one.use = begun.ok() ? Use::kFirst : Use::kFree;
      return begun;
    }
    one.use = Use::kSecond;
    one.status = second_[slot]->run(batch, one.result);
    listener.run_ended();
    return {};
  }

  Status finish(std::size_t slot, RunResult& result) override {
    Slot& one = slots_[slot];
    const Use use = std::exchange(one.use, Use::kFree);
    if (use == Use::kFirst) return noticed(first_->finish(slot, result));
    result = one.result;
    return one.status;
  }

  [[nodiscard]] const Error* replaced() const override { return loss_->why(); }

  void interrupt() noexcept override {
    if (first_ != nullptr) first_->interrupt();
    for (const auto& runner : second_) runner->interrupt();
  }
  void resume() noexcept override {
    if (first_ != nullptr) first_->resume();
    for (const auto& runner : second_) runner->resume();
  }
  void terminate() noexcept override {
    if (first_ != nullptr) first_->terminate();
    for (const auto& runner : second_) runner->terminate();
  }

 private:
  enum class Use : std::uint8_t { kFree, kFirst, kSecond };
  struct Slot {
    Use use = Use::kFree;
    Status status;     // of the second's run
    RunResult result;  // the same
  };

  [[nodiscard]] bool lost() const { return loss_->why() != nullptr; }

  Runner& free_runner() {
    std::size_t slot = 0;
    while (slots_[slot].use != Use::kFree) ++slot;
    return *second_[slot];
  }

  Status noticed(Status status) {
    if (status.ok() || status.error().code != ErrorCode::kDeviceLost) return status;
    loss_->note(status.error());
    return Error{ErrorCode::kDeviceLost,
                 status.error().message + "; what comes next runs on the fallback"};
  }

  const std::unique_ptr<Runner> first_;                // null: lost when this was made
  std::vector<Slot> slots_;                            // one for each of the first's
  const std::vector<std::unique_ptr<Runner>> second_;  // the same
  const std::shared_ptr<DeviceLoss> loss_;
};

}  // namespace

Result<std::unique_ptr<Runner>> FallbackModel::make_runner(const RunnerOptions& options) {
  std::unique_ptr<Runner> first;
  if (!lost()) {
    auto made = first_->make_runner(options);
    if (made.ok()) {
      first = std::move(made.value());
    } else if (made.error().code == ErrorCode::kDeviceLost) {
      loss_->note(made.error());
    } else {
      return made.error();
    }
  }
  const std::size_t slots = first == nullptr ? 1 : first->slots();
  std::vector<std::unique_ptr<Runner>> second;
  while (second.size() < slots) {
    auto made = second_->make_runner({options.outputs, options.max_batch});
    if (!made.ok()) return made.error();
    second.push_back(on_host_rows(std::move(made.value()), *second_));
  }
  return std::unique_ptr<Runner>(
      std::make_unique<FallbackRunner>(std::move(first), std::move(second), loss_));
}

}  // namespace millrace
