#include "model/row_block.h"

#include <bit>
#include <cstring>

namespace millrace {

Status HostBlock::read(std::size_t at, std::span<std::byte> to) const {
  if (!to.empty()) std::memcpy(to.data(), memory_.get() + at, to.size());
  return {};
}

std::size_t run_length(std::span<const RowHandle> rows, std::size_t row_bytes) {
  for (std::size_t n = 1; n < rows.size(); ++n) {
    const bool follows = rows[n].block == rows[0].block && rows[n].at == rows[0].at + n * row_bytes;
    if (!follows) return n;
  }
  return rows.size();
}

bool is_tensor_on(const void* device, std::span<const RowHandle> rows, std::size_t row_bytes) {
  const RowHandle& first = rows.front();
  return first.block->device() == device &&
         (first.block->address() + first.at) % kTensorAlignment == 0 &&
         run_length(rows, row_bytes) == rows.size();
}

BlockPlan plan_block(std::span<const std::size_t> row_bytes, std::size_t rows) {
  BlockPlan plan;
  for (const std::size_t one : row_bytes) {
    plan.starts.push_back(plan.bytes);
    const std::size_t bytes = one * std::bit_ceil(rows);
    plan.bytes += (bytes + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment;
  }
  return plan;
}

void point_to(std::vector<RowHandle>& handles, RowBlock* block, std::size_t at,
              std::size_t row_bytes, std::size_t rows) {
  handles.clear();
  for (std::size_t row = 0; row < rows; ++row) handles.push_back({block, at + row * row_bytes});
}

}  // namespace millrace
