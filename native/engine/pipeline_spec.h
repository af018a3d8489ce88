// A pipeline as the engine is told of it: already checked against its models (src/pipeline/bind.ts
// does that, with messages a person can act on) and in topological order, so that a stage only
// refers to stages before it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/data_type.h"
#include "model/model.h"

namespace millrace {

// The row outcome masks hold one bit a stage.
inline constexpr std::size_t kMaxStages = 64;

// Where a value comes from: input `index` of the request, or output `index` of stage `stage`.
struct Source {
  bool from_request = true;
  std::uint32_t stage = 0;
  std::uint32_t index = 0;
};

// Holds for a row when the stage ran for it and every test given is true of its scalar. Numbers are
// compared as doubles.
struct Condition {
  Source source;
  std::optional<double> below;
  std::optional<double> above;
  std::variant<std::monostate, double, std::string> equals;
};

// How the open dimensions of a model input are made equal, so that rows of different sizes share a
// batch.
struct Padding {
  std::vector<std::byte> element;  // one element's bytes: what fills
  std::vector<std::int64_t>
      buckets;  // sizes that are batched together, ascending; empty: a geometric grid
};

// A dimension of a row of an output that has the size of one of an input, and is cut back to it
// after a padded run.
struct Trim {
  std::uint32_t input = 0;
  std::uint32_t dim = 0;  // of the row: the batch is not counted
};

struct CacheSpec {
  std::size_t max_bytes = 0;
  Nanos ttl = kNever;
};

struct StageSpec {
  std::string name;
  std::shared_ptr<Model> model;
  bool batched = true;  // first dimension of every tensor counts rows
  std::vector<std::vector<Source>>
      inputs;  // per model input: candidates, the first that ran is taken
  std::optional<Condition> condition;
  std::size_t replicas = 1;
  std::size_t max_batch = 1;
  Nanos max_delay = 0;
  std::uint32_t threads = 1;  // of the model, for those who are told of its runs

  // Fan-out: the first dimension of every output of a row counts items (0 or more), and the stages
  // that read them run once an item.
  bool fan_out = false;

  // Fan-in: the fan-out stage whose items come together here: an input fed by a value of theirs is
  // given, for a row, the values of all its items, in order, with a leading dimension that counts
  // them.
  std::optional<std::uint32_t> gather;

  std::vector<std::optional<Padding>> padding;  // empty, or per model input
  std::vector<std::vector<std::optional<Trim>>>
      trims;  // empty, or per model output and row dimension
  std::optional<CacheSpec> cache;
  bool isolate = true;  // a batch that fails is run again in halves, to find the guilty rows
};

struct RequestInputSpec {
  std::string name;
  DataType type = DataType::kUndefined;
  std::vector<std::int64_t> dims;  // first dimension counts rows when the pipeline is batched
};

// `fill` is what the output holds for a row when no candidate ran: one element's bytes, or a
// string.
struct OutputSpec {
  std::string name;
  std::vector<Source> sources;
  std::vector<std::byte> fill;
  std::string fill_string;
};

struct PipelineSpec {
  std::vector<RequestInputSpec> inputs;
  std::vector<StageSpec> stages;
  std::vector<OutputSpec> outputs;
  bool batched = true;

  // Rows in the pipeline at once; one more is refused with kQueueFull.
  std::size_t max_pending_rows = 1024;

  // Completed requests that took no longer are counted apart. Nothing enforces it.
  Nanos objective = kNever;

  // Whether what cannot meet its deadline any more is refused or dropped as soon as that is known.
  bool shed = true;

  // Whether replicas run batches of zeros before they take traffic.
  bool warm_up = false;
};

}  // namespace millrace
