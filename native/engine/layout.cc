#include "engine/layout.h"

#include <algorithm>
#include <utility>

#include "engine/handing.h"
#include "model/row_block.h"

namespace millrace {
namespace {

// `leading`: how many of the first dimensions count rows or items.
ValueLayout describe(const TensorSpec& tensor, std::size_t leading) {
  ValueLayout value;
  value.type = tensor.type;
  value.batched = leading > 0;
  const std::size_t skip = std::min(leading, tensor.dims.size());
  value.row_dims.assign(tensor.dims.begin() + static_cast<std::ptrdiff_t>(skip), tensor.dims.end());
  value.fixed = tensor.type != DataType::kString;
  std::size_t elements = 1;
  for (const std::int64_t dim : value.row_dims) {
    if (dim < 0) value.fixed = false;
    elements *= static_cast<std::size_t>(std::max<std::int64_t>(dim, 0));
  }
  if (value.fixed) value.row_bytes = elements * element_size(tensor.type);
  return value;
}

constexpr std::size_t one_if(bool condition) {
  return condition ? 1 : 0;
}

constexpr std::size_t align8(std::size_t bytes) {
  return (bytes + 7) & ~std::size_t{7};
}

}  // namespace

Layout::Layout(const PipelineSpec& spec)
    : where(spec), stages(spec.stages.size()), scopes(where.all.size()) {
  add_values(spec);
  take_links(link_stages(spec, where));
  mark_kept(spec);
  mark_handed(spec);
  place_values();
  collect_outputs(spec);
}

void Layout::add_values(const PipelineSpec& spec) {
  for (const RequestInputSpec& input : spec.inputs) {
    values.push_back(describe({input.name, input.type, input.dims, {}}, one_if(spec.batched)));
  }
  for (std::size_t s = 0; s < spec.stages.size(); ++s) {
    const StageSpec& stage = spec.stages[s];
    stages[s].scope = where.of_stage[s];
    stages[s].items = where.items_of[s];
    first_output_.push_back(static_cast<std::uint32_t>(values.size()));
    for (const TensorSpec& output : stage.model->outputs()) {
      values.push_back(describe(output, one_if(stage.batched) + one_if(stage.fan_out)));
      values.back().scope = stage.fan_out ? stages[s].items : stages[s].scope;
    }
  }
  for (std::uint32_t s = 0; s < spec.stages.size(); ++s) add_inputs(spec, s);
}

void Layout::add_inputs(const PipelineSpec& spec, std::uint32_t stage) {
  const StageSpec& described = spec.stages[stage];
  StageLayout& place = stages[stage];
  if (described.gather) place.gathered.resize(described.inputs.size());
  for (std::size_t i = 0; i < described.model->inputs().size(); ++i) {
    ValueLayout row = describe(described.model->inputs()[i], one_if(described.batched));
    if (i < described.inputs.size() && where.gathers(described, described.inputs[i])) {
      row.fixed = false;  // whatever is declared: how many items come is not known before
      row.kept = true;
      row.scope = place.scope;
      place.gathered[i] = static_cast<std::uint32_t>(values.size());
      values.push_back(row);
    }
    place.fixed_inputs = place.fixed_inputs && row.fixed;
    place.input_row_bytes.push_back(row.fixed ? row.row_bytes : 0);
  }
}

void Layout::take_links(Links links) {
  for (std::uint32_t s = 0; s < stages.size(); ++s) {
    StageLayout& stage = stages[s];
    static_cast<StageLinks&>(stage) = std::move(links.stages[s]);
    stage.crosses = stage.items != 0 || !stage.relays.empty() || !stage.gatherings.empty();
    awaited.push_back(stage.predecessors);
    if (stage.predecessors == 0) entry_stages.push_back(s);
    ++scopes[stage.scope].shares;
  }
  for (std::size_t s = 0; s < scopes.size(); ++s) {
    static_cast<ScopeLinks&>(scopes[s]) = std::move(links.scopes[s]);
    scopes[s].scope = where.all[s];
    scopes[s].shares += where.all[s].children;
  }
  relays = std::move(links.relays);
  constexpr std::uint8_t kBoth = 2;  // the resolution above, and the opening
  awaited.resize(stages.size() + relays.size(), kBoth);
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

void Layout::mark_handed(const PipelineSpec& spec) {
  const std::vector<bool> handed = handed_values(spec, *this);
  for (std::size_t value = 0; value < values.size(); ++value) values[value].handed = handed[value];
  for (std::size_t s = 0; s < stages.size(); ++s) {
    StageLayout& stage = stages[s];
    stage.handed_inputs.resize(stage.input_row_bytes.size(), false);
    for (std::size_t i = 0; i < spec.stages[s].inputs.size(); ++i) {
      for (const Source& source : spec.stages[s].inputs[i]) {
        const std::uint32_t value = value_of(source);
        if (!handed[value]) continue;
        stage.handed_inputs[i] = true;
        stage.input_row_bytes[i] = sizeof(RowHandle);
        if (std::ranges::find(stage.taken, value) != stage.taken.end()) continue;
        stage.taken.push_back(value);
        ++values[value].readers;
      }
    }
  }
}

void Layout::place_values() {
  for (ValueLayout& value : values) {
    if (!value.kept) continue;
    ScopeLayout& scope = scopes[value.scope];
    if (value.handed) {
      value.handle = scope.handles_per_row++;
    } else if (value.fixed) {
      value.column = scope.record_bytes_per_row;
      scope.record_bytes_per_row += align8(value.row_bytes);
    } else {
      value.blob = scope.blobs_per_row++;
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
      stages[s].handed_outputs.push_back(values[value].handed);
    }
  }
}

}  // namespace millrace
