// Batches of zeros for a replica that does not serve yet, so that the first requests do not pay for
// what a model does once: memory it asks for, code and weights it touches for the first time.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/clock.h"
#include "model/model.h"

namespace millrace {

// Which numbers of rows to run where up to `warm` were run before: 1 always, since the replica has
// buffers of its own; then the powers of two beyond `warm`, and `most` itself.
std::vector<std::size_t> warm_up_sizes(std::size_t warm, std::size_t most);

// Inputs of zeros for one model.
class ZeroBatch {
 public:
  // Nothing where zeros cannot be made up: an input is of strings, or leaves a dimension open that
  // is not the batch. `most_rows` is lowered where it would take more memory than is worth it.
  static std::optional<ZeroBatch> of(const Model& model, bool batched, std::size_t most_rows);

  [[nodiscard]] std::size_t most_rows() const { return most_rows_; }

  // Valid until the next call.
  std::span<const TensorView> inputs(std::size_t rows);

 private:
  bool batched_ = true;
  std::size_t most_rows_ = 1;
  AlignedBuffer zeros_;  // every input shows the same
  std::vector<TensorView> views_;
};

// The first failure ends it. Stops early, and succeeds, when it has taken long: a large model is as
// warm as it gets after a few runs.
Status warm_up(Runner& runner, ZeroBatch& zeros, std::span<const std::size_t> sizes,
               const Clock& clock);

}  // namespace millrace
