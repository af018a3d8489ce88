#include "model/input_values.h"

#include <cstring>
#include <limits>
#include <optional>

#include "model/ort_call.h"
#include "model/ort_library.h"

namespace millrace {
namespace {

// How many elements a shape has; nothing when a dimension is negative or the bytes cannot be
// counted.
std::optional<std::size_t> element_count(const std::vector<std::int64_t>& dims) {
  constexpr std::size_t kMost = std::numeric_limits<std::ptrdiff_t>::max() / sizeof(double);
  std::size_t count = 1;
  bool empty = false;
  for (const std::int64_t dim : dims) {
    if (dim < 0) return std::nullopt;
    empty = empty || dim == 0;
    const auto size = static_cast<std::size_t>(dim);
    if (size != 0 && count > kMost / size) return std::nullopt;
    count *= size == 0 ? 1 : size;
  }
  return empty ? 0 : count;
}

// ONNX Runtime wants an address even for a tensor without elements.
std::byte nothing{};

}  // namespace

InputValues::InputValues(const OrtLibrary& library, const std::vector<TensorSpec>& specs)
    : library_(library), specs_(specs), values_(specs.size(), nullptr) {
  slots_.reserve(specs.size());
  for (std::size_t i = 0; i < specs.size(); ++i) {
    slots_.push_back({{nullptr, library.api()[ort::kReleaseValue]}, nullptr, nullptr, {}});
  }
}

Status InputValues::bind(std::span<const TensorView> tensors,
                         std::span<const ort::MemoryInfo* const> places) {
  if (tensors.size() != specs_.size()) {
    return Error{ErrorCode::kInvalidInput, "the model takes " + std::to_string(specs_.size()) +
                                               " inputs, not " + std::to_string(tensors.size())};
  }
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const TensorView& tensor = tensors[i];
    const ort::MemoryInfo* const place = places.empty() ? nullptr : places[i];
    const bool strings = specs_[i].type == DataType::kString;
    if (!strings && slots_[i].value && slots_[i].data == tensor.data && slots_[i].place == place &&
        slots_[i].dims == tensor.dims)
      continue;
    const auto count = element_count(tensor.dims);
    if (!count) return invalid(i, "has a shape with a negative dimension or too many elements");
    if (*count != 0 && (strings ? tensor.strings == nullptr : tensor.data == nullptr)) {
      return invalid(i, strings ? "must be strings" : "must be numbers");
    }
    Status bound =
        strings ? bind_strings(i, tensor, *count) : bind_numbers(i, tensor, *count, place);
    if (!bound.ok()) return bound;
    values_[i] = slots_[i].value.get();
  }
  return {};
}

Status InputValues::bind_numbers(std::size_t index, const TensorView& tensor, std::size_t count,
                                 const ort::MemoryInfo* place) {
  Slot& slot = slots_[index];
  const DataType type = specs_[index].type;
  // ONNX Runtime does not write to an input; its signature has no const.
  void* data = const_cast<std::byte*>(tensor.data != nullptr ? tensor.data : &nothing);
  ort::Value* value = nullptr;
  OrtCalls call(library_.api());
  call(ort::kCreateTensorWithDataAsOrtValue, place != nullptr ? place : library_.cpu_memory(), data,
       count * element_size(type), tensor.dims.data(), tensor.dims.size(),
       static_cast<ort::ElementType>(type), &value);
  slot.value.reset(value);
  if (call.failed()) return invalid(index, "cannot be passed on: " + call.failure().text);
  slot.data = tensor.data;
  slot.place = place;
  slot.dims = tensor.dims;
  return {};
}

Status InputValues::bind_strings(std::size_t index, const TensorView& tensor, std::size_t count) {
  Slot& slot = slots_[index];
  ort::Value* value = nullptr;
  OrtCalls call(library_.api());
  call(ort::kCreateTensorAsOrtValue, library_.allocator(), tensor.dims.data(), tensor.dims.size(),
       static_cast<ort::ElementType>(DataType::kString), &value);
  slot.value.reset(value);
  for (std::size_t i = 0; i < count && !call.failed(); ++i) {
    const std::string& text = tensor.strings[i];
    if (text.empty()) continue;  // as it was created
    char* buffer = nullptr;
    // Not FillStringTensor: it stops at a zero byte.
    call(ort::kGetResizedStringTensorElementBuffer, value, i, text.size(), &buffer);
    if (buffer != nullptr) std::memcpy(buffer, text.data(), text.size());
  }
  if (call.failed()) return invalid(index, "cannot be passed on: " + call.failure().text);
  return {};
}

Error InputValues::invalid(std::size_t index, const std::string& complaint) const {
  return {ErrorCode::kInvalidInput, "input '" + specs_[index].name + "' " + complaint};
}

}  // namespace millrace
