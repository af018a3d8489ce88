#include "engine/gather.h"

#include <algorithm>
#include <string>

#include "engine/routing.h"

namespace millrace {
namespace {

std::string to_text(const std::vector<std::int64_t>& dims) {
  std::string text;
  for (const std::int64_t dim : dims) text += (text.empty() ? "" : ", ") + std::to_string(dim);
  return "[" + text + "]";
}

// No items, and so nobody who could tell what is open: 0 is as good as any.
std::vector<std::int64_t> closed(std::vector<std::int64_t> dims) {
  std::replace_if(dims.begin(), dims.end(), [](std::int64_t dim) { return dim < 0; }, 0);
  return dims;
}

Status gather(const Layout& layout, const std::vector<Source>& candidates, const Request& items,
              Blob& blob) {
  blob.bytes.clear();
  blob.strings.clear();
  const std::vector<std::int64_t>* shape = nullptr;
  for (std::uint32_t item = 0; item < items.rows(); ++item) {
    const Source* source = first_that_ran(candidates, items, item);
    const std::uint32_t value = layout.value_of(*source);
    const RowView view = items.row(value, item);
    if (shape != nullptr && *shape != *view.dims) {
      return Error{ErrorCode::kStageFailed, "items of shapes " + to_text(*shape) + " and " +
                                                to_text(*view.dims) + " do not make one tensor"};
    }
    shape = view.dims;
    append(blob, view, layout.values[value].type);
  }
  const ValueLayout& first = layout.values[layout.value_of(candidates.front())];
  blob.dims = shape != nullptr ? *shape : closed(first.row_dims);
  blob.dims.insert(blob.dims.begin(), static_cast<std::int64_t>(items.rows()));
  return {};
}

}  // namespace

Status gather_items(const StageSpec& stage, const Layout& layout, std::uint32_t index,
                    const RowOf& target) {
  const StageLayout& place = layout.stages[index];
  for (std::size_t input = 0; input < stage.inputs.size(); ++input) {
    if (!place.gathered[input]) continue;
    const Request& items = *target.request.items(target.row, layout.stages[*stage.gather].items);
    Blob& blob = target.request.blob_row(*place.gathered[input], target.row);
    const Status gathered = gather(layout, stage.inputs[input], items, blob);
    if (gathered.ok()) continue;
    return Error{gathered.error().code, "input '" + stage.model->inputs()[input].name +
                                            "' gathers " + gathered.error().message};
  }
  return {};
}

}  // namespace millrace
