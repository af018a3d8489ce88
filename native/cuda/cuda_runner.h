// Runs a CudaModel for one replica: two slots, each with a stream and memory of its own, so that
// one batch is copied while the other is computed. See Runner for the contract.
//
//   begin()   inputs --(pinned: as they lie; others: copied together first)--> device
//             kernel; outputs --> pinned; an event, watched by the reaper
//   finish()  what the event says; views of the pinned outputs
//
// Rows that come as handles (row_block.h) are read where they lie, where that is one stretch of a
// block of this device that begins at a multiple of 256 bytes. Otherwise they are copied together,
// on the device, and those that are elsewhere by way of the host. Outputs that may be handed on are
// written into a block and stay there; where there is no room for one they go the way of the
// others.
//
// Where graphs are wanted, a batch of a size that is recorded (cuda_graphs.h), with nothing in a
// block, is one call: small inputs are copied into pinned memory of the slot first, wherever they
// lie; large ones have a call of their own before it.
//
// All of it is allocated when it is made, for the largest batch: as many rows as were asked for, or
// half of them, and so on, until there is memory for both slots.
//
// Not promised: that a kernel can be ended. terminate() refuses what comes later; what was begun
// runs to its end.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "cuda/cuda_budget.h"
#include "cuda/cuda_graphs.h"
#include "cuda/cuda_memory.h"
#include "cuda/cuda_model.h"
#include "cuda/cuda_reaper.h"
#include "cuda/cuda_stream.h"
#include "cuda/device_blocks.h"
#include "model/model.h"

namespace millrace {

class CudaRunner final : public Runner {
 public:
  static constexpr std::size_t kSlots = 2;

  // The outputs asked for must exist. Errors: kOutOfMemory where there is not enough for one row.
  static Result<std::unique_ptr<Runner>> make(std::shared_ptr<const CudaModel> model,
                                              const RunnerOptions& options);
  ~CudaRunner() override;  // waits for what was begun

  // Errors of both, and of finish(): kOutOfMemory where a smaller batch may fit, kDeviceLost,
  // kCancelled after terminate(), else kStageFailed.
  Status run(const RunBatch& batch, RunResult& result) override;
  Status begin(const RunBatch& batch, std::size_t slot, RunListener& listener) override;
  Status finish(std::size_t slot, RunResult& result) override;

  [[nodiscard]] std::size_t slots() const override { return kSlots; }
  [[nodiscard]] std::size_t max_batch() const override { return capacity_; }

  // Relaxed: no data comes with it.
  void terminate() noexcept override { terminated_.store(true, std::memory_order_relaxed); }

 private:
  // Where a tensor lies in the memory of a slot, sized for the largest batch.
  struct Place {
    std::size_t row_bytes = 0;
    std::size_t at = 0;
  };
  struct Slot {
    CudaBudget::Share share;
    CudaStream stream;
    CudaEvent done;
    DeviceMemory device;  // inputs, then outputs
    PinnedMemory staged;  // inputs that do not lie in pinned memory
    PinnedMemory results;
    CudaGraphs graphs;     // of what is above: ends before it
    std::size_t rows = 0;  // of the batch in progress; 0: free

    // Of the last batch.
    bool as_graph = false;
    std::vector<cuda::DeviceAddress> tensors;     // inputs, then outputs
    BlockHold block;                              // with what is handed on; none: nothing is
    std::vector<std::vector<RowHandle>> handles;  // in the block; as wanted_
  };

  CudaRunner(std::shared_ptr<const CudaModel> model, std::shared_ptr<CudaReaper> reaper,
             std::shared_ptr<DeviceBlocks> blocks, const RunnerOptions& options);
  void lay_out(std::size_t rows);
  Status allocate(std::size_t rows);
  Status make_slot(Slot& slot) const;
  Status check(const RunBatch& batch) const;
  Error explain(const Error& error) const;
  Status enqueue(const RunBatch& batch, Slot& slot);
  Status enqueue_calls(const RunBatch& batch, Slot& slot);
  [[nodiscard]] bool may_be_graph(const RunBatch& batch, const Slot& slot) const;
  [[nodiscard]] bool in_graph(std::size_t input, std::size_t rows) const;
  Result<bool> enqueue_graph(const RunBatch& batch, Slot& slot);
  Status record_batch(std::size_t rows, Slot& slot);
  [[nodiscard]] bool hands_on(std::size_t result) const;
  Status place(std::size_t rows, Slot& slot) const;
  Status copy_in(const TensorView& input, std::size_t index, std::size_t rows, Slot& slot);
  std::span<std::byte> stage(const TensorView& input, std::size_t index, std::size_t rows,
                             Slot& slot) const;
  Status take_in(std::span<const RowHandle> rows, std::size_t index, Slot& slot);
  Status take_run(const RowHandle& first, std::size_t at, std::size_t bytes, Slot& slot);
  Status launch(std::size_t rows, Slot& slot);
  Status copy_out(std::size_t rows, Slot& slot);

  const std::shared_ptr<const CudaModel> model_;
  const std::shared_ptr<CudaReaper> reaper_;
  const std::shared_ptr<DeviceBlocks> blocks_;  // null where nothing is handed on
  const std::vector<std::size_t> wanted_;       // outputs
  const std::vector<bool> handed_;              // as wanted_; empty: none
  std::size_t capacity_ = 0;                    // rows of the largest batch
  std::vector<Place> inputs_;                   // of device and staged memory
  std::vector<Place> outputs_;                  // of device memory
  std::vector<Place> results_;                  // of pinned memory; only those wanted
  std::size_t staged_bytes_ = 0;
  std::size_t device_bytes_ = 0;
  std::size_t results_bytes_ = 0;
  std::array<Slot, kSlots> slots_;
  std::atomic<bool> terminated_{false};
};

}  // namespace millrace
