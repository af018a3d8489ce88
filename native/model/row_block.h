// Rows that a stage leaves where they are, on a device or in memory of the host, for the stages
// that read them; and what is handed about in their place.
//
//   block   | row 0 | row 1 | row 2 | ...     what one batch left; any number of tensors
//               ^               ^
//   handles     '-- request A   '-- request B   16 bytes each, copied like any other row
//
// A handle holds nothing by itself. Whoever keeps one for later holds the block, and drops it when
// nobody will read the row by that handle any more; with the last the block is used again, or
// freed. What is in a block was written before its first handle was seen, and does not change while
// it is held.
//
// Any thread may hold, drop and read a block.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/result.h"

namespace millrace {

class RowBlock {
 public:
  RowBlock(const RowBlock&) = delete;
  RowBlock& operator=(const RowBlock&) = delete;

  // The device whose memory it is, by Model::block_device(); null: the host's, it is a HostBlock.
  [[nodiscard]] const void* device() const { return device_; }

  // Of its first byte, where its memory is.
  [[nodiscard]] std::uintptr_t address() const { return address_; }

  // Copies bytes from `at` on to the host. Blocks where they are on a device. Errors: kDeviceLost,
  // and what else the device says.
  virtual Status read(std::size_t at, std::span<std::byte> to) const = 0;

  // Relaxed: who holds it for another holds it already, or made it.
  void hold() noexcept { holders_.fetch_add(1, std::memory_order_relaxed); }

  // Acquire-release: whoever uses the memory again does so after all reads of it.
  void drop() noexcept {
    if (holders_.fetch_sub(1, std::memory_order_acq_rel) == 1) unheld();
  }

 protected:
  RowBlock(const void* device, std::uintptr_t address) : device_(device), address_(address) {}
  virtual ~RowBlock() = default;

 private:
  // Nobody holds it any more. Quick: any thread may be the last.
  virtual void unheld() noexcept = 0;

  const void* const device_;
  const std::uintptr_t address_;
  std::atomic<std::uint32_t> holders_{0};
};

// Where a row lies.
struct RowHandle {
  RowBlock* block = nullptr;
  std::size_t at = 0;  // of its first byte, from that of the block
};

// Holds a block for as long as it lives. Default or moved from: none.
class BlockHold {
 public:
  BlockHold() = default;
  explicit BlockHold(RowBlock* block) : block_(block) {
    if (block_ != nullptr) block_->hold();
  }
  BlockHold(BlockHold&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  BlockHold& operator=(BlockHold&& other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~BlockHold() { let_go(); }

  void let_go() {
    RowBlock* const block = std::exchange(block_, nullptr);
    if (block != nullptr) block->drop();
  }

  [[nodiscard]] RowBlock* get() const { return block_; }
  explicit operator bool() const { return block_ != nullptr; }

 private:
  RowBlock* block_ = nullptr;
};

// Of the host: freed with the last who holds it.
class HostBlock final : public RowBlock {
 public:
  // To be held at once.
  static HostBlock* make(std::size_t bytes) {
    return new HostBlock(make_aligned_buffer(bytes));  // ends itself
  }

  // To be written before the first handle is given out.
  [[nodiscard]] std::byte* data() { return memory_.get(); }
  [[nodiscard]] const std::byte* data() const { return memory_.get(); }

  Status read(std::size_t at, std::span<std::byte> to) const override;

 private:
  explicit HostBlock(AlignedBuffer memory)
      : RowBlock(nullptr, reinterpret_cast<std::uintptr_t>(memory.get())),
        memory_(std::move(memory)) {}
  void unheld() noexcept override { delete this; }

  const AlignedBuffer memory_;
};

// Where a tensor on a device may begin: at a multiple of what any type of element, and any access
// of several at once, may ask for.
inline constexpr std::size_t kTensorAlignment = 256;

// Whether the rows are a tensor on the device as they lie.
bool is_tensor_on(const void* device, std::span<const RowHandle> rows, std::size_t row_bytes);

// How tensors of rows share a block. There is room for so many rows as is a power of two, so that
// most blocks fit the next batch.
struct BlockPlan {
  std::vector<std::size_t> starts;  // of each tensor
  std::size_t bytes = 0;            // of all
};

// `row_bytes` of each tensor; 0: it takes no room.
BlockPlan plan_block(std::span<const std::size_t> row_bytes, std::size_t rows);

// Handles of rows that lie one behind the other in the block, from `at` on.
void point_to(std::vector<RowHandle>& handles, RowBlock* block, std::size_t at,
              std::size_t row_bytes, std::size_t rows);

// How many of the first rows lie one behind the other in one block; none of none.
std::size_t run_length(std::span<const RowHandle> rows, std::size_t row_bytes);

// Calls visit(first, count) for each such run, in order.
template <class Visit>
void each_run(std::span<const RowHandle> rows, std::size_t row_bytes, Visit&& visit) {
  for (std::size_t first = 0; first < rows.size();) {
    const std::size_t count = run_length(rows.subspan(first), row_bytes);
    visit(first, count);
    first += count;
  }
}

}  // namespace millrace
