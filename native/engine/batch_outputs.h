// What a run left, checked, cut back to what each row would have had alone, and stored in the
// requests. Used by one replica.
//
// Of values that are handed on (handing.h) the requests keep handles, and hold their blocks. Where
// the model left rows in memory of its own, they are copied into a block of the host.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/batch.h"
#include "engine/layout.h"
#include "engine/padding.h"
#include "engine/pipeline_spec.h"
#include "model/model.h"

namespace millrace {

class BatchOutputs {
 public:
  // All outlive it.
  BatchOutputs(const StageSpec& spec, const StageLayout& stage, const Layout& layout,
               const BatchInputs& inputs);

  // Whether the result is one of a batch of these rows, which `inputs` assembled last. An error is
  // the whole batch's; rows that are wrong alone are added to `result.failed`.
  Status check(std::span<const ClaimedRow> rows, RunResult& result) const;

  // After check(): stores what somebody reads of the rows that did not fail. How many of them left
  // a value on a device, to be read there.
  std::size_t store(std::span<const ClaimedRow> rows, const RunResult& result) const;

 private:
  // A row of an output wherever it lies.
  struct OutputRow {
    const std::byte* data;
    const std::string* strings;
    Dims dims;
  };

  [[nodiscard]] Status check_stacked(std::size_t output, std::size_t rows,
                                     const TensorView& view) const;
  [[nodiscard]] Status check_ragged(std::size_t output, std::size_t rows, RunResult& result) const;
  [[nodiscard]] Error fault(std::size_t output, const std::string& what) const;
  [[nodiscard]] const std::optional<Trim>* trims(std::size_t output, std::size_t rank) const;
  [[nodiscard]] OutputRow row_of(const RunResult& result, std::size_t output,
                                 std::size_t row) const;
  std::size_t hand_on(std::span<const ClaimedRow> rows, std::size_t output,
                      const RunResult& result) const;
  void store_fixed(const ClaimedRow& row, std::uint32_t value, const OutputRow& output) const;
  void store_open(const ClaimedRow& row, std::size_t output, const OutputRow& from) const;

  const StageSpec& spec_;
  const StageLayout& stage_;
  const Layout& layout_;
  const BatchInputs& inputs_;
};

}  // namespace millrace
