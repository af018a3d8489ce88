// The rows a replica took, and what its model is given for them.
//
// Neighbouring slots of one class are handed to the model where they lie, in the arena. Anything
// else (rows of several classes, a row dropped from the middle, a claim that wraps around the ring,
// inputs of open shape, strings) is copied together first, and padded to the longest row where the
// stage pads. A model that accepts ragged batches is given rows of open shape where they lie.
#pragma once

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
  std::uint8_t lane;
  std::uint64_t position;
};

// Of the inputs that are padded, what a batch was given.
struct PaddedElements {
  std::size_t all = 0;  // padding included
  std::size_t padding = 0;
};

class BatchInputs {
 public:
  BatchInputs(const StageSpec& spec, const StageLayout& stage, const Layout& layout,
              StageQueue& queue);

  // What the model is given for these rows, at least one that can share a batch, valid until the
  // next call. Rows of a class come together, in the order of their positions.
  RunBatch assemble(std::span<const ClaimedRow> rows);

  // Of the last assemble(): whether rows had to be copied together, and what padding it took.
  [[nodiscard]] bool gathered() const { return gathered_; }
  [[nodiscard]] const PaddedElements& elements() const { return elements_; }

  // Whether a dimension that an input of the last batch was padded to is found in a row of an
  // output: it must have been carried over.
  [[nodiscard]] bool carries(const Trim& trim, std::int64_t size) const;

  // What that dimension was for the row alone; `size` where nothing was padded.
  [[nodiscard]] std::int64_t size_of(const ClaimedRow& row, const Trim& trim,
                                     std::int64_t size) const;

  // How many of the first rows can form one batch.
  [[nodiscard]] std::size_t compatible(std::span<const ClaimedRow> rows) const;

 private:
  // Open inputs of a row: where it lies, and its dims as the model counts them.
  struct OpenRow {
    RowView view;
    Dims dims;
  };

  [[nodiscard]] OpenRow open_row(const ClaimedRow& row, std::size_t input) const;
  [[nodiscard]] std::uint64_t shape_of(const ClaimedRow& row) const;
  [[nodiscard]] bool neighbours(std::span<const ClaimedRow> rows) const;
  [[nodiscard]] bool is_padded(const Trim& trim) const;
  void assemble_fixed(std::span<const ClaimedRow> rows, std::size_t input, bool in_place);
  const std::byte* gather_arena(std::span<const ClaimedRow> rows, std::size_t input);
  void gather_open(std::span<const ClaimedRow> rows, std::size_t input);
  void gather_numbers(std::span<const ClaimedRow> rows, std::size_t input,
                      std::size_t row_elements);
  void gather_strings(std::span<const ClaimedRow> rows, std::size_t input,
                      std::size_t row_elements);
  void view_each(std::span<const ClaimedRow> rows, std::size_t input);
  void measure(std::span<const ClaimedRow> rows, std::size_t input);
  void set_dims(std::size_t input, std::size_t rows);

  const StageSpec& spec_;
  const StageLayout& stage_;
  const Layout& layout_;
  StageQueue& queue_;
  const RowShapes& shapes_;
  bool gathered_ = false;
  bool padded_ = false;  // some row of the last batch is shorter than another
  PaddedElements elements_;
  std::vector<TensorView> views_;  // per input
  std::vector<std::vector<TensorView>>
      ragged_;  // per input, where the model takes rows as they are
  std::vector<std::vector<std::int64_t>> longest_;  // per input of open shape: a row's dims
  std::vector<std::vector<std::byte>> bytes_;       // per input: where rows are copied together
  std::vector<std::vector<std::string>> strings_;   // per input
};

}  // namespace millrace
