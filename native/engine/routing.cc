#include "engine/routing.h"

#include <algorithm>

namespace millrace {
namespace {

bool has_value(const Source& source, const Request& request, std::uint32_t row) {
  return source.from_request || request.ran(row, source.stage);
}

// A row of open shape may have no element to look at.
bool is_empty(const RowView& view) {
  return std::find(view.dims->begin(), view.dims->end(), 0) != view.dims->end();
}

bool every_item_has(const std::vector<Source>& candidates, const Request* items) {
  if (items == nullptr) return false;  // their stage did not run
  for (std::uint32_t item = 0; item < items->rows(); ++item) {
    if (first_that_ran(candidates, *items, item) == nullptr) return false;
  }
  return true;
}

bool string_equals(const Condition& condition, const RowView& value) {
  const auto* wanted = std::get_if<std::string>(&condition.equals);
  return wanted != nullptr && value.strings != nullptr && *value.strings == *wanted;
}

}  // namespace

const Source* first_that_ran(const std::vector<Source>& candidates, const Request& request,
                             std::uint32_t row) {
  const auto found = std::find_if(candidates.begin(), candidates.end(), [&](const Source& source) {
    return has_value(source, request, row);
  });
  return found == candidates.end() ? nullptr : &*found;
}

bool holds(const Condition& condition, const Layout& layout, const Request& request,
           std::uint32_t row) {
  if (!has_value(condition.source, request, row)) return false;
  const std::uint32_t value = layout.value_of(condition.source);
  const RowView view = request.row(value, row);
  if (is_empty(view)) return false;
  const DataType type = layout.values[value].type;
  if (type == DataType::kString) return string_equals(condition, view);
  const double scalar = scalar_as_double(type, view.data);
  if (condition.below && !(scalar < *condition.below)) return false;
  if (condition.above && !(scalar > *condition.above)) return false;
  const auto* wanted = std::get_if<double>(&condition.equals);
  return wanted == nullptr || scalar == *wanted;
}

bool should_run(const StageSpec& stage, const Layout& layout, const Request& request,
                std::uint32_t row) {
  if (stage.condition && !holds(*stage.condition, layout, request, row)) return false;
  return std::all_of(stage.inputs.begin(), stage.inputs.end(), [&](const auto& candidates) {
    if (layout.where.gathers(stage, candidates)) {
      return every_item_has(candidates, request.items(row, layout.stages[*stage.gather].items));
    }
    return first_that_ran(candidates, request, row) != nullptr;
  });
}

RowView StageInputs::of(const Request& request, std::uint32_t row, std::size_t input) const {
  if (!stage.gathered.empty() && stage.gathered[input]) {
    return request.row(*stage.gathered[input], row);
  }
  const Source* source = first_that_ran(spec.inputs[input], request, row);
  return request.row(layout.value_of(*source), row);
}

}  // namespace millrace
