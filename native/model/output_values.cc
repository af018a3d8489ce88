#include "model/output_values.h"

#include <algorithm>

#include "model/ort_call.h"
#include "model/ort_library.h"

namespace millrace {
namespace {

// Address space only until it is written, but not without end: above this ONNX Runtime allocates
// what a run needs.
constexpr std::size_t kLargestBufferBytes = std::size_t{1} << 30;
constexpr std::size_t kMostRows = std::size_t{1} << 16;

Error unreadable(const OrtCalls& call) {
  return {ErrorCode::kStageFailed, "cannot read an output: " + call.failure().text};
}

// The bytes of the dimensions from `first` on; 0 when one of them is open, or when there is no
// limit in sight.
std::size_t bytes_from(const TensorSpec& spec, std::size_t first) {
  std::size_t bytes = element_size(spec.type);
  for (std::size_t i = first; i < spec.dims.size(); ++i) {
    if (spec.dims[i] < 1 || bytes > kLargestBufferBytes / static_cast<std::size_t>(spec.dims[i]))
      return 0;
    bytes *= static_cast<std::size_t>(spec.dims[i]);
  }
  return bytes;
}

}  // namespace

OutputValues::OutputValues(const OrtLibrary& library, std::vector<const TensorSpec*> specs,
                           bool rows_known, std::size_t max_batch)
    : library_(library), slots_(specs.size()), values_(specs.size(), nullptr) {
  for (std::size_t i = 0; i < specs.size(); ++i) {
    slots_[i].spec = specs[i];
    slots_[i].allocated = {nullptr, library.api()[ort::kReleaseValue]};
    preallocate(slots_[i], rows_known, max_batch);
  }
}

void OutputValues::preallocate(Slot& slot, bool rows_known, std::size_t max_batch) {
  const TensorSpec& spec = *slot.spec;
  if (spec.type == DataType::kString) return;
  slot.by_rows = rows_known && !spec.dims.empty() && spec.dims[0] == -1;
  slot.row_bytes = bytes_from(spec, slot.by_rows ? 1 : 0);
  const std::size_t most_rows = slot.by_rows ? max_batch : 1;
  if (slot.row_bytes == 0 || most_rows > kMostRows) return;
  if (most_rows > kLargestBufferBytes / slot.row_bytes) return;
  slot.buffer = make_aligned_buffer(slot.row_bytes * most_rows);
  slot.values.reserve(most_rows + 1);
  while (slot.values.size() <= most_rows)
    slot.values.emplace_back(nullptr, library_.api()[ort::kReleaseValue]);
}

ort::Value** OutputValues::prepare(std::int64_t rows) {
  rows_ = rows;
  any_preallocated_ = false;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    slots_[i].allocated.reset();
    values_[i] = preallocated_value(slots_[i], rows);
    any_preallocated_ = any_preallocated_ || values_[i] != nullptr;
  }
  return values_.data();
}

ort::Value** OutputValues::prepare_unallocated() {
  any_preallocated_ = false;
  for (Slot& slot : slots_) slot.allocated.reset();
  std::fill(values_.begin(), values_.end(), nullptr);
  return values_.data();
}

ort::Value* OutputValues::preallocated_value(Slot& slot, std::int64_t rows) {
  if (!slot.buffer) return nullptr;
  if (!slot.by_rows) rows = 1;
  if (rows < 1 || static_cast<std::size_t>(rows) >= slot.values.size()) return nullptr;
  auto& kept = slot.values[static_cast<std::size_t>(rows)];
  if (kept) return kept.get();
  kept.reset(make_value(slot, rows, slot.buffer.get(), library_.cpu_memory()));
  return kept.get();  // null after a failure, and then ONNX Runtime allocates
}

ort::Value* OutputValues::make_value(const Slot& slot, std::int64_t rows, void* data,
                                     const ort::MemoryInfo* memory) const {
  std::vector<std::int64_t> dims = slot.spec->dims;
  if (slot.by_rows) dims[0] = rows;
  ort::Value* value = nullptr;
  OrtCalls call(library_.api());
  call(ort::kCreateTensorWithDataAsOrtValue, memory, data,
       slot.row_bytes * static_cast<std::size_t>(rows), dims.data(), dims.size(),
       static_cast<ort::ElementType>(slot.spec->type), &value);
  return value;
}

bool OutputValues::place(std::size_t output, std::uintptr_t address,
                         const ort::MemoryInfo& memory) {
  Slot& slot = slots_[output];
  auto* const data = reinterpret_cast<void*>(address);  // NOLINT(performance-*)
  ort::Value* const value = make_value(slot, rows_, data, &memory);
  if (value == nullptr) return false;
  slot.allocated.reset(value);
  values_[output] = value;
  any_preallocated_ = true;
  return true;
}

void OutputValues::stop_preallocating() {
  for (Slot& slot : slots_) {
    slot.values.clear();
    slot.buffer.reset();
  }
}

Status OutputValues::view(std::vector<TensorView>& outputs) {
  outputs.resize(slots_.size());
  // Own all of them before reading any: reading may fail.
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const bool owned = slots_[i].allocated && slots_[i].allocated.get() == values_[i];  // placed
    if (!owned && !is_preallocated(i)) slots_[i].allocated.reset(values_[i]);
  }
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Status viewed = is_preallocated(i) ? view_preallocated(slots_[i], outputs[i])
                                       : view_allocated(slots_[i], outputs[i]);
    if (!viewed.ok()) return viewed;
  }
  return {};
}

bool OutputValues::is_preallocated(std::size_t index) {
  return slots_[index].buffer && values_[index] == preallocated_value(slots_[index], rows_);
}

Status OutputValues::view_preallocated(const Slot& slot, TensorView& view) const {
  view.data = slot.buffer.get();
  view.strings = nullptr;
  view.dims = slot.spec->dims;
  if (slot.by_rows) view.dims[0] = rows_;
  return {};
}

Status OutputValues::view_allocated(Slot& slot, TensorView& view) {
  ort::Value* value = slot.allocated.get();
  ort::ElementType type = 0;
  const std::int64_t* dims = nullptr;
  std::size_t rank = 0;
  OrtCalls call(library_.api());
  call(ort::kGetTensorElementTypeAndShapeDataReference, value, &type, &dims, &rank);
  if (call.failed()) return unreadable(call);
  view.dims.assign(dims, dims + rank);
  view.data = nullptr;
  view.strings = nullptr;
  if (slot.spec->type == DataType::kString) return view_strings(slot, view);

  void* data = nullptr;
  call(ort::kGetTensorMutableData, value, &data);
  if (call.failed()) return unreadable(call);
  view.data = static_cast<const std::byte*>(data);
  return {};
}

Status OutputValues::view_strings(Slot& slot, TensorView& view) {
  const ort::Value* value = slot.allocated.get();
  std::size_t count = 1;
  for (const std::int64_t dim : view.dims) count *= static_cast<std::size_t>(dim);
  slot.strings.resize(count);
  view.strings = slot.strings.data();
  if (count == 0) return {};

  std::size_t length = 0;
  OrtCalls call(library_.api());
  call(ort::kGetStringTensorDataLength, value, &length);
  text_.resize(length);
  offsets_.resize(count);
  call(ort::kGetStringTensorContent, value, text_.data(), length, offsets_.data(), count);
  if (call.failed()) return unreadable(call);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t end = i + 1 < count ? offsets_[i + 1] : length;
    slot.strings[i].assign(text_.data() + offsets_[i], end - offsets_[i]);
  }
  return {};
}

}  // namespace millrace
