#include "engine/request.h"

#include <cstring>
#include <new>

namespace millrace {
namespace {

// A request that once had many rows does not keep their memory for ever.
constexpr std::uint32_t kKeptRows = 64;

constexpr std::size_t align16(std::size_t bytes) {
  return (bytes + 15) & ~std::size_t{15};
}

}  // namespace

Request::Request(const Layout& layout, std::uint32_t index) : layout_(layout), index_(index) {
  grow(1);
}

void Request::grow(std::uint32_t rows) {
  row_capacity_ = rows;
  const std::size_t awaited_at = rows * sizeof(RowState);
  const std::size_t record_at = align16(awaited_at + rows * layout_.stages.size());
  block_ = make_aligned_buffer(record_at + rows * layout_.record_bytes_per_row);
  // prepare() gives each its value.
  row_states_ = new (block_.get()) RowState[rows];
  awaited_ =
      new (block_.get() + awaited_at) std::atomic<std::uint8_t>[rows * layout_.stages.size()];
  record_ = block_.get() + record_at;
  blobs_.clear();
  blobs_.resize(rows * layout_.blobs_per_row);
  blobs_.shrink_to_fit();
}

void Request::prepare(std::uint32_t rows) {
  if (rows > row_capacity_ || (row_capacity_ > kKeptRows && rows <= kKeptRows)) grow(rows);
  rows_ = rows;
  settlement.reset(rows);
  message.clear();
  detail.clear();
  const auto stages = static_cast<std::uint32_t>(layout_.stages.size());
  for (std::uint32_t row = 0; row < rows; ++row) {
    row_states_[row].ran.store(0, std::memory_order_relaxed);
    row_states_[row].unresolved.store(stages, std::memory_order_relaxed);
    for (std::uint32_t stage = 0; stage < stages; ++stage) {
      awaited_[row * stages + stage].store(layout_.stages[stage].predecessors,
                                           std::memory_order_relaxed);
    }
  }
}

void Request::begin_submit(const CallerInput* inputs, std::size_t count) {
  caller_inputs_ = inputs;
  for (std::size_t i = 0; i < count; ++i) {
    if (layout_.values[i].kept) keep_input(static_cast<std::uint32_t>(i), inputs[i]);
  }
}

void Request::keep_input(std::uint32_t value, const CallerInput& input) {
  if (layout_.values[value].fixed) {
    const std::size_t bytes = input.row_bytes * rows_;
    if (bytes > 0) std::memcpy(record_row(value, 0), input.data, bytes);
    return;
  }
  for (std::uint32_t row = 0; row < rows_; ++row) {
    Blob& blob = blob_row(value, row);
    blob.dims = input.row_dims;
    if (layout_.values[value].type == DataType::kString) {
      const std::string* first = input.strings + row * input.row_elements;
      blob.strings.assign(first, first + input.row_elements);
    } else {
      const std::byte* first = input.data + row * input.row_bytes;
      blob.bytes.assign(first, first + input.row_bytes);
    }
  }
}

RowView Request::row(std::uint32_t value, std::uint32_t row) const {
  const ValueLayout& place = layout_.values[value];
  if (!place.kept) {
    return {caller_inputs_[value].data + row * place.row_bytes, nullptr, place.row_bytes,
            &place.row_dims};
  }
  if (place.fixed) {
    const std::byte* column = record_ + rows_ * place.column;
    return {column + row * place.row_bytes, nullptr, place.row_bytes, &place.row_dims};
  }
  const Blob& blob = blobs_[row * layout_.blobs_per_row + place.blob];
  return {blob.bytes.data(), blob.strings.data(), blob.bytes.size(), &blob.dims};
}

std::byte* Request::record_row(std::uint32_t value, std::uint32_t row) {
  const ValueLayout& place = layout_.values[value];
  return record_ + rows_ * place.column + row * place.row_bytes;
}

Blob& Request::blob_row(std::uint32_t value, std::uint32_t row) {
  return blobs_[row * layout_.blobs_per_row + layout_.values[value].blob];
}

bool Request::arrive(std::uint32_t row, std::uint32_t stage) {
  std::atomic<std::uint8_t>& awaited = awaited_[row * layout_.stages.size() + stage];
  return awaited.fetch_sub(1, std::memory_order_acq_rel) == 1;
}

void Request::mark_ran(std::uint32_t row, std::uint32_t stage) {
  row_states_[row].ran.fetch_or(std::uint64_t{1} << stage, std::memory_order_relaxed);
}

bool Request::ran(std::uint32_t row, std::uint32_t stage) const {
  const std::uint64_t mask = row_states_[row].ran.load(std::memory_order_relaxed);
  return (mask >> stage & 1) != 0;
}

bool Request::resolve(std::uint32_t row) {
  return row_states_[row].unresolved.fetch_sub(1, std::memory_order_acq_rel) == 1;
}

}  // namespace millrace
