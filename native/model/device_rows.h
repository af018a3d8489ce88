// Rows on a device, for one runner of ONNX Runtime there (row_block.h):
//
//   inputs    rows that lie as a tensor on the device are shown to it there; where only some are on
//             the device, all are copied together first, into a block; others are shown on the host
//   outputs   those that may be handed on are written into a block and stay there
//
// Where there is no room for a block, rows go by way of the host. ONNX Runtime is given values over
// that memory, in an ordinary run: it copies nothing that lies where the operators want it, and a
// run that succeeded has ended on the device. One that failed may not have: nothing that it was
// given is let go of before the device has ended all it was asked for.
//
// Used by one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "model/block_device.h"
#include "model/host_rows.h"
#include "model/model.h"
#include "model/ort_abi.h"

namespace millrace {

class OrtLibrary;
class OutputValues;

class DeviceRows {
 public:
  // `model` outlives it. Errors: kModelLoad, and the device's.
  static Result<std::unique_ptr<DeviceRows>> make(const OrtLibrary& library, const Model& model,
                                                  BlockDevice& device,
                                                  const RunnerOptions& options);

  // Makes tensors of what comes as handles. Errors: kDeviceLost, and what else the device says;
  // those of HostRows.
  Status take_in(const RunBatch& batch);

  // Of the last take_in(): the batch's inputs, and per input the memory that it is in; null: the
  // host's.
  [[nodiscard]] std::span<const TensorView> inputs() const { return inputs_; }
  [[nodiscard]] std::span<const ort::MemoryInfo* const> places() const { return places_; }

  // Has the outputs that were prepared for so many rows written into a block, where there is room.
  Status place(std::int64_t rows, OutputValues& outputs);

  // The outputs that were placed did not have their declared shape: they are not, for once, or from
  // now on.
  void withdraw();
  void stop_placing() { handed_.clear(); }

  // After a run that succeeded: handles of what stays. Valid until the next place().
  void hand_on(std::vector<TensorView>& outputs) const;

  // Lets go of what the run was given, and where it failed of what it left; then the error may
  // become kDeviceLost.
  Status end(Status ran);

 private:
  DeviceRows(const BlockDevice& device, std::unique_ptr<BlockUser> user,
             ort::Owned<ort::MemoryInfo> memory, const Model& model, const RunnerOptions& options);
  [[nodiscard]] Error of_this_device(Error error) const;
  bool lies_ready(std::size_t input, std::size_t rows);
  [[nodiscard]] bool is_on_device(std::span<const RowHandle> rows) const;
  void show_at(std::size_t input, std::uintptr_t address);
  Status gather(std::span<const std::size_t> row_bytes, std::size_t rows);
  Status copy_together(const BlockPlan& plan, std::span<const std::size_t> row_bytes,
                       std::size_t rows);

  const void* const device_;  // by BlockDevice::id()
  const int index_;
  const std::unique_ptr<BlockUser> user_;
  const ort::Owned<ort::MemoryInfo> memory_;
  const Model& model_;
  std::vector<bool> handed_;  // per output of the runner; empty: none
  HostRows host_;
  std::vector<TensorView> inputs_;
  std::vector<const ort::MemoryInfo*> places_;
  BlockHold gathered_;                           // for the inputs of the run
  BlockHold block_;                              // for the outputs of the last run
  std::vector<std::vector<RowHandle>> handles_;  // in block_, per output; empty: it is not there
};

}  // namespace millrace
