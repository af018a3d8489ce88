// The outputs of one runner. Where an output's shape follows from the number of rows, ONNX Runtime
// writes it straight into a buffer made once, through a value kept for each number of rows:
//
//   buffer   | row 0 | row 1 | row 2 | ... | row max_batch - 1 |
//   value for 1 row  [-------]
//   value for 2 rows [---------------]
//
// Everything else is allocated by ONNX Runtime and kept until the next run. Used by one thread at a
// time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "model/model.h"
#include "model/ort_abi.h"

namespace millrace {

class OrtLibrary;

class OutputValues {
 public:
  // `specs` (of the wanted outputs) must outlive this. `rows_known` says that the model's inputs
  // all begin with a dimension that counts the rows of a batch.
  OutputValues(const OrtLibrary& library, std::vector<const TensorSpec*> specs, bool rows_known,
               std::size_t max_batch);

  // One slot for each output, for a run of `rows` rows (negative when that is not known): a value
  // to write into, or null where ONNX Runtime is to allocate. Ends the life of what the run before
  // left.
  ort::Value** prepare(std::int64_t rows);

  // Bytes of a row of the output; 0 where its shape does not follow from the number of rows.
  [[nodiscard]] std::size_t row_bytes(std::size_t output) const {
    return slots_[output].by_rows ? slots_[output].row_bytes : 0;
  }

  // After prepare(), for an output that has row_bytes(): has it written to an address of `memory`
  // instead. What view() then shows is there. Whether it could be done.
  bool place(std::size_t output, std::uintptr_t address, const ort::MemoryInfo& memory);

  // The same with every slot null, for once.
  ort::Value** prepare_unallocated();

  // Whether the slots last prepared, or placed, hold any value.
  bool any_preallocated() const { return any_preallocated_; }

  // For a model whose outputs are not what it declares: from now on ONNX Runtime allocates all of
  // them.
  void stop_preallocating();

  // Shows what a successful run left in the slots.
  Status view(std::vector<TensorView>& outputs);

 private:
  struct Slot {
    const TensorSpec* spec = nullptr;
    bool by_rows = false;       // its first dimension is the number of rows
    std::size_t row_bytes = 0;  // of all of it where it does not depend on the rows
    AlignedBuffer buffer;       // null: ONNX Runtime allocates
    std::vector<ort::Owned<ort::Value>> values;  // over buffer, by number of rows; null until used
    ort::Owned<ort::Value> allocated{nullptr, nullptr};  // by the last run, or placed for it
    std::vector<std::string> strings;                    // of the last run
  };
  void preallocate(Slot& slot, bool rows_known, std::size_t max_batch);
  ort::Value* make_value(const Slot& slot, std::int64_t rows, void* data,
                         const ort::MemoryInfo* memory) const;
  ort::Value* preallocated_value(Slot& slot, std::int64_t rows);
  bool is_preallocated(std::size_t index);
  Status view_preallocated(const Slot& slot, TensorView& view) const;
  Status view_allocated(Slot& slot, TensorView& view);
  Status view_strings(Slot& slot, TensorView& view);

  const OrtLibrary& library_;
  std::vector<Slot> slots_;
  std::vector<ort::Value*> values_;  // what Run is given, and what it leaves
  std::int64_t rows_ = -1;
  bool any_preallocated_ = false;
  std::vector<char> text_;  // strings of one output on their way out, end to end
  std::vector<std::size_t> offsets_;
};

}  // namespace millrace
