#include "engine/layout.h"

#include <algorithm>
#include <span>

namespace millrace {
namespace {

ValueLayout describe(DataType type, std::span<const std::int64_t> dims, bool batched) {
  ValueLayout value;
  value.type = type;
  value.batched = batched;
  const std::size_t skip = batched && !dims.empty() ? 1 : 0;
  value.row_dims.assign(dims.begin() + static_cast<std::ptrdiff_t>(skip), dims.end());
  value.fixed = type != DataType::kString;
  std::size_t elements = 1;
  for (const std::int64_t dim : value.row_dims) {
    if (dim < 0) value.fixed = false;
    elements *= static_cast<std::size_t>(std::max<std::int64_t>(dim, 0));
  }
  if (value.fixed) value.row_bytes = elements * element_size(type);
  return value;
}

constexpr std::size_t align8(std::size_t bytes) {
  return (bytes + 7) & ~std::size_t{7};
}

}  // namespace

Layout::Layout(const PipelineSpec& spec) : stages(spec.stages.size()) {
  add_values(spec);
  link_stages(spec);
  mark_kept(spec);
  place_values();
  collect_outputs(spec);
}

void Layout::add_values(const PipelineSpec& spec) {
  for (const RequestInputSpec& input : spec.inputs) {
    values.push_back(describe(input.type, input.dims, spec.batched));
  }
  for (std::size_t s = 0; s < spec.stages.size(); ++s) {
    const StageSpec& stage = spec.stages[s];
    first_output_.push_back(static_cast<std::uint32_t>(values.size()));
    for (const TensorSpec& output : stage.model->outputs()) {
      values.push_back(describe(output.type, output.dims, stage.batched));
    }
    for (const TensorSpec& input : stage.model->inputs()) {
      const ValueLayout row = describe(input.type, input.dims, stage.batched);
      stages[s].fixed_inputs = stages[s].fixed_inputs && row.fixed;
      stages[s].input_row_bytes.push_back(row.fixed ? row.row_bytes : 0);
    }
  }
}

void Layout::link_stages(const PipelineSpec& spec) {
  for (std::uint32_t s = 0; s < spec.stages.size(); ++s) {
    std::vector<std::uint32_t> before;
    const auto depend = [&](const Source& source) {
      if (!source.from_request) before.push_back(source.stage);
    };
    for (const auto& candidates : spec.stages[s].inputs) {
      std::for_each(candidates.begin(), candidates.end(), depend);
    }
    if (spec.stages[s].condition) depend(spec.stages[s].condition->source);
    std::sort(before.begin(), before.end());
    before.erase(std::unique(before.begin(), before.end()), before.end());
    stages[s].predecessors = static_cast<std::uint8_t>(before.size());
    for (const std::uint32_t b : before) stages[b].successors.push_back(s);
    if (before.empty()) entry_stages.push_back(s);
  }
}

// An input of the request that only entry stages read, and whose rows have a fixed size, goes
// straight from the caller's memory into their arenas; everything else that somebody reads is kept,
// also where a row may be queued later than it came, because it waited for an equal one.
void Layout::mark_kept(const PipelineSpec& spec) {
  const auto keep = [&](const Source& source) { values[value_of(source)].kept = true; };
  for (std::size_t s = 0; s < spec.stages.size(); ++s) {
    for (std::size_t i = 0; i < spec.stages[s].inputs.size(); ++i) {
      const bool straight =
          stages[s].predecessors == 0 && stages[s].input_row_bytes[i] > 0 && !spec.stages[s].cache;
      for (const Source& source : spec.stages[s].inputs[i]) {
        if (!straight || !source.from_request || !values[value_of(source)].fixed) keep(source);
      }
    }
    if (spec.stages[s].condition) keep(spec.stages[s].condition->source);
  }
  for (const OutputSpec& output : spec.outputs) {
    std::for_each(output.sources.begin(), output.sources.end(), keep);
  }
}

void Layout::place_values() {
  for (ValueLayout& value : values) {
    if (!value.kept) continue;
    if (value.fixed) {
      value.column = record_bytes_per_row;
      record_bytes_per_row += align8(value.row_bytes);
    } else {
      value.blob = blobs_per_row++;
    }
  }
}

void Layout::collect_outputs(const PipelineSpec& spec) {
  for (std::size_t s = 0; s < spec.stages.size(); ++s) {
    const std::size_t count = spec.stages[s].model->outputs().size();
    for (std::size_t i = 0; i < count; ++i) {
      const auto value = first_output_[s] + static_cast<std::uint32_t>(i);
      if (!values[value].kept) continue;
      stages[s].model_outputs.push_back(i);
      stages[s].output_values.push_back(value);
    }
  }
}

}  // namespace millrace
