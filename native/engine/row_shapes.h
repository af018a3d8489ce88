// How the rows of a stage may differ in size, and which of them may share a batch: worked out once
// from what the stage is. Immutable; any thread.
//
//   nothing open              rows are alike
//   a model that takes them   rows are batched as they are
//   padding                   rows whose open dimensions are of equal buckets are batched, and
//                             padded to the longest of them
//   otherwise                 rows of equal shape are batched
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/layout.h"
#include "engine/padding.h"
#include "engine/pipeline_spec.h"

namespace millrace {

class RowShapes {
 public:
  // The two outlive it.
  RowShapes(const StageSpec& spec, const StageLayout& stage);

  // Whether the model takes rows of different shapes in one batch.
  [[nodiscard]] bool ragged() const { return ragged_; }

  // Whether rows wait by shape, in lanes.
  [[nodiscard]] bool laned() const { return laned_; }

  // The row's dims as the model counts them: without the leading 1 of a row that comes from a
  // pipeline, or a stage, that is not batched.
  [[nodiscard]] Dims row_dims(std::size_t input, const std::vector<std::int64_t>& dims) const;

  // What fills the input; null where it is not padded.
  [[nodiscard]] const Padding* padding(std::size_t input) const;

  // Whether a row of the input may differ from others of its batch in this dimension.
  [[nodiscard]] bool pads(std::size_t input, std::size_t dim) const;

  // Whether two rows of an input may share a batch.
  [[nodiscard]] bool fit(std::size_t input, Dims a, Dims b) const;

  // Rows that should share a batch get the same number; others may, too, so who batches must still
  // ask fit(). Begins with 0 and goes over the inputs whose rows have no fixed size.
  [[nodiscard]] std::uint64_t mix(std::uint64_t shape, std::size_t input, Dims dims) const;

 private:
  const StageSpec& spec_;
  bool ragged_ = false;
  bool laned_ = false;
  std::vector<std::vector<bool>> padded_;  // per input and dimension of its rows
};

}  // namespace millrace
