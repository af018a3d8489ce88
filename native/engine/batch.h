// The rows a replica took, and the tensors its model is given for them.
//
// Neighbouring slots of one class are handed to the model where they lie, in the arena. Anything
// else (rows of several classes, a row dropped from the middle, a claim that wraps around the ring,
// inputs of open shape, strings) is copied together first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/layout.h"
#include "engine/stage_queue.h"
#include "model/model.h"

namespace millrace {

struct ClaimedRow {
  Request* request;
  std::uint32_t row;
  std::uint8_t priority;
  std::uint64_t position;
};

class BatchInputs {
 public:
  BatchInputs(const StageSpec& spec, const StageLayout& stage, const Layout& layout,
              StageQueue& queue);

  // The model's inputs for these rows, at least one, valid until the next call. Rows of a class
  // come together, in the order of their positions.
  std::span<const TensorView> assemble(std::span<const ClaimedRow> rows);

  // Whether the last assemble() had to copy.
  [[nodiscard]] bool gathered() const { return gathered_; }

  // How many of the first rows have equal shapes in every input: they can form one batch.
  [[nodiscard]] std::size_t same_shape(std::span<const ClaimedRow> rows) const;

 private:
  [[nodiscard]] RowView view(const ClaimedRow& row, std::size_t input) const;
  [[nodiscard]] bool neighbours(std::span<const ClaimedRow> rows) const;
  void gather_arena(std::span<const ClaimedRow> rows, std::size_t input);
  void gather_open(std::span<const ClaimedRow> rows, std::size_t input);
  void set_dims(std::size_t input, std::size_t rows, const std::vector<std::int64_t>& row_dims);

  const StageSpec& spec_;
  const StageLayout& stage_;
  const Layout& layout_;
  StageQueue& queue_;
  bool gathered_ = false;
  std::vector<TensorView> views_;                  // per input
  std::vector<std::vector<std::byte>> bytes_;      // per input: where rows are copied together
  std::vector<std::vector<std::string>> strings_;  // per input
};

}  // namespace millrace
