#include "engine/request.h"

#include <bit>
#include <cstring>
#include <new>
#include <utility>

namespace millrace {
namespace {

// A request that once had many rows does not keep their memory for ever.
constexpr std::uint32_t kKeptRows = 64;

constexpr std::size_t align16(std::size_t bytes) {
  return (bytes + 15) & ~std::size_t{15};
}

}  // namespace

void append(Blob& blob, const RowView& row, DataType type) {
  if (type != DataType::kString) {
    blob.bytes.insert(blob.bytes.end(), row.data, row.data + row.bytes);
    return;
  }
  std::size_t count = 1;
  for (const std::int64_t dim : *row.dims) count *= static_cast<std::size_t>(dim);
  blob.strings.insert(blob.strings.end(), row.strings, row.strings + count);
}

Request::Request(const Layout& layout, std::uint32_t index)
    : root_(this), layout_(layout), index_(index) {
  grow(1);
}

Request::Request(Request& parent, std::uint32_t parent_row, std::uint32_t scope)
    : root_(parent.root_),
      layout_(parent.layout_),
      index_(parent.index_),
      scope_(scope),
      parent_(&parent),
      parent_row_(parent_row),
      gathered_(layout_.scopes[scope].gatherings.size()) {}

Request::~Request() {
  drop_held();
}

void Request::drop_held() {
  const std::size_t count = row_capacity_ * layout_.scopes[scope_].handles_per_row;
  for (std::size_t i = 0; i < count; ++i) {
    RowBlock* const block = std::exchange(held_[i].handle.block, nullptr);
    if (block != nullptr) block->drop();
  }
}

void Request::grow(std::uint32_t rows) {
  drop_held();
  rows = std::bit_ceil(rows);
  row_capacity_ = rows;
  const ScopeLayout& scope = layout_.scopes[scope_];
  const std::size_t awaited = layout_.awaited.size();
  const std::size_t awaited_at = rows * sizeof(RowState);
  const std::size_t record_at = align16(awaited_at + rows * awaited);
  block_ = make_aligned_buffer(record_at + rows * scope.record_bytes_per_row);
  // prepare() gives each its value.
  row_states_ = new (block_.get()) RowState[rows];
  awaited_ = new (block_.get() + awaited_at) std::atomic<std::uint8_t>[rows * awaited];
  record_ = block_.get() + record_at;
  blobs_.clear();
  blobs_.resize(rows * scope.blobs_per_row);
  blobs_.shrink_to_fit();
  const std::size_t handles = rows * scope.handles_per_row;
  held_ = handles > 0 ? std::make_unique<HeldRow[]>(handles) : nullptr;
  items_.clear();
  items_.resize(std::size_t{rows} * scope.scope.children);
  items_.shrink_to_fit();
}

void Request::prepare(std::uint32_t rows) {
  if (rows > row_capacity_ || (row_capacity_ > kKeptRows && rows <= kKeptRows)) grow(rows);
  rows_ = rows;
  settlement.reset(rows);
  message.clear();
  detail.clear();
  failed_stage = 0;
  retry_after = kNever;
  const std::size_t awaited = layout_.awaited.size();
  const std::uint32_t shares = layout_.scopes[scope_].shares;
  for (std::uint32_t row = 0; row < rows; ++row) {
    row_states_[row].ran.store(0, std::memory_order_relaxed);
    row_states_[row].unresolved.store(shares, std::memory_order_relaxed);
    for (std::size_t i = 0; i < awaited; ++i) {
      awaited_[row * awaited + i].store(layout_.awaited[i], std::memory_order_relaxed);
    }
  }
  for (std::size_t i = 0; i < gathered_.size(); ++i) {
    gathered_[i].store(rows * layout_.scopes[scope_].gatherings[i].sources,
                       std::memory_order_relaxed);
  }
}

Request& Request::make_items(std::uint32_t row, std::uint32_t scope, std::uint32_t count) {
  const Scope& place = layout_.scopes[scope].scope;
  std::unique_ptr<Request>& items =
      items_[row * layout_.scopes[scope_].scope.children + place.slot];
  if (items == nullptr) items = std::make_unique<Request>(*this, row, scope);
  items->prepare(count);
  items->submitted = submitted;
  items->deadline = deadline;
  items->priority = priority;
  items->visits = visits;
  return *items;
}

// Without items every row visits a stage once at most.
void Request::start_visits() {
  if (own_visits_ == nullptr) own_visits_ = std::make_unique<Visits>();
  const bool has_items = layout_.scopes.size() > 1;
  own_visits_->reset(has_items ? Visits::kMost : rows_ * layout_.stages.size());
  visits = own_visits_.get();
}

std::uint32_t Request::note_visit(std::uint32_t row, std::uint32_t stage, Nanos now) {
  VisitPlace place{stage, row, is_root() ? -1 : static_cast<std::int32_t>(row)};
  for (const Request* at = this; !at->is_root(); at = at->parent_) place.row = at->parent_row_;
  return visits->add(place, now);
}

Request* Request::items(std::uint32_t row, std::uint32_t scope) const {
  const Scope& place = layout_.scopes[scope].scope;
  if (!ran(row, place.opener)) return nullptr;
  return items_[row * layout_.scopes[scope_].scope.children + place.slot].get();
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
  if (place.scope != scope_) return parent_->row(value, parent_row_);
  if (!place.kept) {
    return {caller_inputs_[value].data + row * place.row_bytes, nullptr, place.row_bytes,
            &place.row_dims};
  }
  if (place.handed) {
    const RowHandle& handle = held_row(value, row).handle;
    return {reinterpret_cast<const std::byte*>(&handle), nullptr, sizeof handle, &place.row_dims};
  }
  if (place.fixed) {
    const std::byte* column = record_ + rows_ * place.column;
    return {column + row * place.row_bytes, nullptr, place.row_bytes, &place.row_dims};
  }
  const Blob& blob = blobs_[row * layout_.scopes[scope_].blobs_per_row + place.blob];
  return {blob.bytes.data(), blob.strings.data(), blob.bytes.size(), &blob.dims};
}

std::byte* Request::record_row(std::uint32_t value, std::uint32_t row) {
  const ValueLayout& place = layout_.values[value];
  return record_ + rows_ * place.column + row * place.row_bytes;
}

Blob& Request::blob_row(std::uint32_t value, std::uint32_t row) {
  return blobs_[row * layout_.scopes[scope_].blobs_per_row + layout_.values[value].blob];
}

Request::HeldRow& Request::held_row(std::uint32_t value, std::uint32_t row) const {
  return held_[row * layout_.scopes[scope_].handles_per_row + layout_.values[value].handle];
}

void Request::hold_row(std::uint32_t value, std::uint32_t row, const RowHandle& handle) {
  handle.block->hold();
  HeldRow& held = held_row(value, row);
  held.readers.store(layout_.values[value].readers, std::memory_order_relaxed);
  held.handle = handle;
}

void Request::let_go(std::uint32_t value, std::uint32_t row) {
  HeldRow& held = held_row(value, row);
  if (held.handle.block == nullptr) return;  // its stage did not run for the row
  if (held.readers.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
  std::exchange(held.handle.block, nullptr)->drop();
}

bool Request::arrive(std::uint32_t row, std::uint32_t counter) {
  std::atomic<std::uint8_t>& awaited = awaited_[row * layout_.awaited.size() + counter];
  return awaited.fetch_sub(1, std::memory_order_acq_rel) == 1;
}

bool Request::arrive_gathered(std::uint32_t gathering) {
  return gathered_[gathering].fetch_sub(1, std::memory_order_acq_rel) == 1;
}

void Request::mark_ran(std::uint32_t row, std::uint32_t stage) {
  row_states_[row].ran.fetch_or(std::uint64_t{1} << stage, std::memory_order_relaxed);
}

bool Request::ran(std::uint32_t row, std::uint32_t stage) const {
  if (!is_root() && layout_.stages[stage].scope != scope_) return parent_->ran(parent_row_, stage);
  const std::uint64_t mask = row_states_[row].ran.load(std::memory_order_relaxed);
  return (mask >> stage & 1) != 0;
}

bool Request::resolve(std::uint32_t row) {
  return row_states_[row].unresolved.fetch_sub(1, std::memory_order_acq_rel) == 1;
}

}  // namespace millrace
