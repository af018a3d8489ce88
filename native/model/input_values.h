// The inputs of one runner as ONNX Runtime's values. Numbers are not copied: a value is a view of
// the caller's memory, kept from one run to the next while the caller comes back with the same
// memory and shape. Strings are copied. Used by one thread at a time.
#pragma once

#include <span>
#include <vector>

#include "model/model.h"
#include "model/ort_abi.h"

namespace millrace {

class OrtLibrary;

class InputValues {
 public:
  // `specs` must outlive this.
  InputValues(const OrtLibrary& library, const std::vector<TensorSpec>& specs);

  // Makes values() show `tensors`; `places`: per tensor the memory that it is in, null for the
  // host's, or empty where all are. Fails with kInvalidInput when their number or a shape makes no
  // sense; whether a shape suits the model is for ONNX Runtime to say.
  Status bind(std::span<const TensorView> tensors,
              std::span<const ort::MemoryInfo* const> places = {});

  const ort::Value* const* values() const { return values_.data(); }

 private:
  struct Slot {
    ort::Owned<ort::Value> value;
    const std::byte* data = nullptr;
    const ort::MemoryInfo* place = nullptr;
    std::vector<std::int64_t> dims;
  };
  Status bind_numbers(std::size_t index, const TensorView& tensor, std::size_t count,
                      const ort::MemoryInfo* place);
  Status bind_strings(std::size_t index, const TensorView& tensor, std::size_t count);
  Error invalid(std::size_t index, const std::string& complaint) const;

  const OrtLibrary& library_;
  const std::vector<TensorSpec>& specs_;
  std::vector<Slot> slots_;
  std::vector<const ort::Value*> values_;  // what slots_ own, as Run wants them
};

}  // namespace millrace
