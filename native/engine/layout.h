// Where each value of a request lives, worked out once when an engine starts.
//
// A value is an input of the request, an output of a stage, or what a stage gathers of all items.
// It belongs to a scope (scopes.h): the rows of the request, or the items of a fan-out. Values
// whose row has a fixed size live in the record of the rows of their scope, one column a value, so
// that an output of many rows is contiguous:
//
//   record of n rows of a scope:     | column 0: n rows | column 1: n rows | ...
//   address of (value, row)        = record + n * column + row * row_bytes
//
// Columns are multiples of 8.
// Values of open shape, and strings, live in blobs: blobs[row * blobs_per_row + blob].
// Of values that are handed on (handing.h) a handle is kept:
// handles[row * handles_per_row + handle].
// A value that nobody reads after it was produced is not kept at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/links.h"
#include "engine/pipeline_spec.h"
#include "engine/scopes.h"

namespace millrace {

struct ValueLayout {
  DataType type = DataType::kUndefined;
  std::vector<std::int64_t> row_dims;  // -1 where open
  bool batched = true;                 // a tensor of it has a leading dimension that counts rows
  bool fixed = false;                  // numeric, every row of row_bytes
  bool kept = false;                   // stored in the request
  bool handed = false;                 // and of that, a handle of each row
  std::uint32_t scope = 0;             // whose rows it has
  std::size_t row_bytes = 0;
  std::size_t column = 0;     // where fixed and kept
  std::size_t blob = 0;       // where not fixed and kept
  std::size_t handle = 0;     // where handed
  std::uint32_t readers = 0;  // stages that read it, where handed
};

// `successors` are those of the scope it runs in.
struct StageLayout : StageLinks {
  std::uint32_t scope = 0;                   // whose rows it runs for
  std::uint32_t items = 0;                   // the scope it opens; 0 for none
  bool crosses = false;                      // somebody in another scope waits for it
  std::vector<std::size_t> model_outputs;    // indices of the model's outputs that somebody reads
  std::vector<std::uint32_t> output_values;  // the same, as values
  bool fixed_inputs = true;                  // every input lives in the stage's arena
  std::vector<std::size_t> input_row_bytes;  // per model input; 0 where the row has no fixed size;
                                             // that of a handle where it is given those
  std::vector<bool> handed_inputs;           // per model input: it is given handles
  std::vector<bool> handed_outputs;          // as output_values
  std::vector<std::uint32_t> taken;          // the values handed to it, each once
  std::vector<std::optional<std::uint32_t>> gathered;  // per model input: the value made of all
                                                       // items; empty where the stage gathers none
};

struct ScopeLayout : ScopeLinks {
  Scope scope;
  std::uint32_t shares = 0;  // what a row of it has to resolve: stages, and scopes opened from it
  std::size_t record_bytes_per_row = 0;
  std::size_t blobs_per_row = 0;
  std::size_t handles_per_row = 0;
};

struct Layout {
  explicit Layout(const PipelineSpec& spec);

  [[nodiscard]] std::uint32_t value_of(const Source& source) const {
    return source.from_request ? source.index : first_output_[source.stage] + source.index;
  }

  // Where the relay's countdown is among those of a row.
  [[nodiscard]] std::uint32_t counter_of(std::uint32_t relay) const {
    return static_cast<std::uint32_t>(stages.size()) + relay;
  }

  Scopes where;
  std::vector<ValueLayout> values;  // request inputs, the outputs of each stage, what is gathered
  std::vector<StageLayout> stages;
  std::vector<ScopeLayout> scopes;
  std::vector<Relay> relays;
  std::vector<std::uint8_t> awaited;        // what each countdown of a row starts from
  std::vector<std::uint32_t> entry_stages;  // those that wait for nobody

 private:
  void add_values(const PipelineSpec& spec);
  void add_inputs(const PipelineSpec& spec, std::uint32_t stage);
  void take_links(Links links);
  void mark_kept(const PipelineSpec& spec);
  void mark_handed(const PipelineSpec& spec);
  void place_values();
  void collect_outputs(const PipelineSpec& spec);

  std::vector<std::uint32_t> first_output_;  // per stage: the value of its first output
};

}  // namespace millrace
