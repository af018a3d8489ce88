// Runs an OnnxModel for one replica. Its buffers, values and run options are made once and reused,
// so that a run of a small model costs little more than ONNX Runtime's own work. See Runner for the
// contract.
//
// terminate() and interrupt() are noticed by ONNX Runtime between operations (and between the
// iterations of a Loop): a single long operation is not cut short.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "model/device_loss.h"
#include "model/device_rows.h"
#include "model/device_turns.h"
#include "model/input_values.h"
#include "model/model.h"
#include "model/ort_abi.h"
#include "model/ort_call.h"
#include "model/output_values.h"

namespace millrace {

class OrtLibrary;

class OnnxRunner final : public Runner {
 public:
  // What is run: the session belongs to the model, which is kept alive.
  struct Program {
    std::shared_ptr<const Model> model;
    std::shared_ptr<ort::Session> session;
    ProviderKind provider = ProviderKind::kCpu;
    std::shared_ptr<BlockDevice> blocks = nullptr;  // null: it knows nothing of handles
    bool replaceable = false;                       // where the device is lost
  };

  // The outputs asked for must exist.
  static Result<std::unique_ptr<Runner>> make(const OrtLibrary& library, Program program,
                                              const RunnerOptions& options);

  // Errors: kInvalidInput when the inputs cannot be tensors at all, kCancelled after terminate()
  // and interrupt(), else kStageFailed with ONNX Runtime's code and text. Where there are blocks
  // also those of DeviceRows.
  Status run(const RunBatch& batch, RunResult& result) override;
  [[nodiscard]] const Error* replaced() const override {
    return replaceable_ ? loss_.why() : nullptr;
  }
  void interrupt() noexcept override;
  void resume() noexcept override;
  void terminate() noexcept override;

 private:
  OnnxRunner(const OrtLibrary& library, Program program, ort::Owned<ort::RunOptions> run_options,
             std::unique_ptr<DeviceRows> device, const RunnerOptions& options);
  Status run_in_turn(const RunBatch& batch, RunResult& result);
  Status noticed(Status status);
  Status run_tensors(std::span<const TensorView> inputs,
                     std::span<const ort::MemoryInfo* const> places,
                     std::vector<TensorView>& outputs);
  Status run_unallocated(std::vector<TensorView>& outputs);
  Error explain(OrtFailure failure) const;
  std::int64_t rows_of(std::span<const TensorView> inputs) const;
  ort::ErrorStatus* run_session(ort::Value** outputs);
  void end_run(std::uint32_t reason) noexcept;

  const ort::Api& api_;
  std::shared_ptr<const Model> model_;
  std::shared_ptr<ort::Session> session_;
  TurnLine* line_;  // where runs wait for their turn; null: nowhere
  ort::Owned<ort::RunOptions> run_options_;
  bool rows_known_;  // every input begins with the batch dimension
  std::vector<const char*> input_names_;
  std::vector<const char*> output_names_;
  InputValues inputs_;
  OutputValues outputs_;
  const std::unique_ptr<DeviceRows> device_;  // null where no rows stay on a device
  const bool replaceable_;
  DeviceLoss loss_;

  // Why a run is to end: bits of kInterrupted and kTerminated, set by any thread; resume()
  // takes the first back. Whoever changes it changes ONNX Runtime's flag next to it, in an order
  // that never loses a terminate(): see resume().
  std::atomic<std::uint32_t> ends_{0};
};

}  // namespace millrace
