// Where each value of a request lives, worked out once when an engine starts.
//
// A value is an input of the request or an output of a stage. Values whose row has a fixed size
// live in the request's record, one column a value, so that an output of many rows is contiguous:
//
//   record of a request of n rows:   | column 0: n rows | column 1: n rows | ...
//   address of (value, row)        = record + n * column + row * row_bytes
//
// Columns are multiples of 8.
// Values of open shape, and strings, live in blobs: blobs[row * blobs_per_row + blob].
// A value that nobody reads after it was produced is not kept at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/pipeline_spec.h"

namespace millrace {

struct ValueLayout {
  DataType type = DataType::kUndefined;
  std::vector<std::int64_t> row_dims;  // -1 where open
  bool batched = true;                 // a tensor of it has a leading dimension that counts rows
  bool fixed = false;                  // numeric, every row of row_bytes
  bool kept = false;                   // stored in the request
  std::size_t row_bytes = 0;
  std::size_t column = 0;  // where fixed and kept
  std::size_t blob = 0;    // where not fixed and kept
};

struct StageLayout {
  std::vector<std::uint32_t> successors;     // stages that wait for this one, each once
  std::uint8_t predecessors = 0;             // stages this one waits for
  std::vector<std::size_t> model_outputs;    // indices of the model's outputs that somebody reads
  std::vector<std::uint32_t> output_values;  // the same, as values
  bool fixed_inputs = true;                  // every input lives in the stage's arena
  std::vector<std::size_t> input_row_bytes;  // per model input; 0 where the row has no fixed size
};

struct Layout {
  explicit Layout(const PipelineSpec& spec);

  [[nodiscard]] std::uint32_t value_of(const Source& source) const {
    return source.from_request ? source.index : first_output_[source.stage] + source.index;
  }

  std::vector<ValueLayout> values;  // request inputs, then the outputs of each stage
  std::vector<StageLayout> stages;
  std::vector<std::uint32_t> entry_stages;  // those that wait for nobody
  std::size_t record_bytes_per_row = 0;
  std::size_t blobs_per_row = 0;

 private:
  void add_values(const PipelineSpec& spec);
  void link_stages(const PipelineSpec& spec);
  void mark_kept(const PipelineSpec& spec);
  void place_values();
  void collect_outputs(const PipelineSpec& spec);

  std::vector<std::uint32_t> first_output_;  // per stage: the value of its first output
};

}  // namespace millrace
