#include "engine/batch_outputs.h"

#include <algorithm>
#include <cstring>

namespace millrace {
namespace {

bool is_ragged(const RunResult& result, std::size_t output) {
  return output < result.ragged.size() && !result.ragged[output].empty();
}

// Calls visit(row) for each that did not fail.
template <class Visit>
void each_served(std::size_t rows, const RunResult& result, Visit&& visit) {
  auto failed = result.failed.begin();
  for (std::size_t row = 0; row < rows; ++row) {
    if (failed != result.failed.end() && failed->row == row) {
      ++failed;
    } else {
      visit(row);
    }
  }
}

}  // namespace

BatchOutputs::BatchOutputs(const StageSpec& spec, const StageLayout& stage, const Layout& layout,
                           const BatchInputs& inputs)
    : spec_(spec), stage_(stage), layout_(layout), inputs_(inputs) {}

Error BatchOutputs::fault(std::size_t output, const std::string& what) const {
  const std::size_t index = stage_.model_outputs[output];
  return {ErrorCode::kStageFailed, "output '" + spec_.model->outputs()[index].name + "' " + what};
}

Status BatchOutputs::check(std::span<const ClaimedRow> rows, RunResult& result) const {
  if (result.failed.size() == rows.size()) return {};  // then nothing else is said
  for (std::size_t i = 0; i < stage_.output_values.size(); ++i) {
    Status fits = is_ragged(result, i) ? check_ragged(i, rows.size(), result)
                                       : check_stacked(i, rows.size(), result.outputs[i]);
    if (!fits.ok()) return fits;
  }
  return {};
}

Status BatchOutputs::check_stacked(std::size_t output, std::size_t rows,
                                   const TensorView& view) const {
  const ValueLayout& place = layout_.values[stage_.output_values[output]];
  const auto count = static_cast<std::int64_t>(rows);
  if (place.batched && (view.dims.empty() || view.dims[0] != count)) {
    return fault(output, "does not have one row for each row of the batch");
  }
  if (place.fixed) {
    if (element_count(view.dims) * element_size(place.type) == rows * place.row_bytes) return {};
    return fault(output, "has another shape than its model declares");
  }
  if (!place.batched) return {};
  const Dims row_dims = Dims(view.dims).subspan(1);
  const std::optional<Trim>* const trim = trims(output, row_dims.size());
  for (std::size_t d = 0; trim != nullptr && d < row_dims.size(); ++d) {
    if (!trim[d] || inputs_.carries(*trim[d], row_dims[d])) continue;
    return fault(output, "does not have the size that input '" +
                             spec_.model->inputs()[trim[d]->input].name + "' was padded to");
  }
  return {};
}

Status BatchOutputs::check_ragged(std::size_t output, std::size_t rows, RunResult& result) const {
  const ValueLayout& place = layout_.values[stage_.output_values[output]];
  const std::vector<TensorView>& views = result.ragged[output];
  if (views.size() != rows) {
    return fault(output, "does not have one row for each row of the batch");
  }
  if (!place.fixed) return {};
  for (std::size_t row = 0; row < rows; ++row) {
    if (element_count(views[row].dims) * element_size(place.type) == place.row_bytes) continue;
    const auto at = std::ranges::lower_bound(result.failed, row, {}, &RowFailure::row);
    if (at != result.failed.end() && at->row == row) continue;
    result.failed.insert(at, {row, fault(output, "has another shape than its model declares")});
  }
  return {};
}

std::size_t BatchOutputs::store(std::span<const ClaimedRow> rows, const RunResult& result) const {
  std::size_t on_device = 0;
  for (std::size_t i = 0; i < stage_.output_values.size(); ++i) {
    const std::uint32_t value = stage_.output_values[i];
    if (stage_.handed_outputs[i]) {
      on_device = std::max(on_device, hand_on(rows, i, result));
      continue;
    }
    each_served(rows.size(), result, [&](std::size_t row) {
      if (layout_.values[value].fixed) {
        store_fixed(rows[row], value, row_of(result, i, row));
      } else {
        store_open(rows[row], i, row_of(result, i, row));
      }
    });
  }
  return on_device;
}

// How many rows are on a device.
std::size_t BatchOutputs::hand_on(std::span<const ClaimedRow> rows, std::size_t output,
                                  const RunResult& result) const {
  const std::uint32_t value = stage_.output_values[output];
  const std::size_t row_bytes = layout_.values[value].row_bytes;
  const RowHandle* const left =
      is_ragged(result, output) ? nullptr : result.outputs[output].handles;
  HostBlock* const host = left == nullptr ? HostBlock::make(rows.size() * row_bytes) : nullptr;
  const BlockHold held(host);
  std::size_t on_device = 0;
  each_served(rows.size(), result, [&](std::size_t row) {
    RowHandle handle{host, row * row_bytes};
    if (left != nullptr) {
      handle = left[row];
    } else {
      std::memcpy(host->data() + handle.at, row_of(result, output, row).data, row_bytes);
    }
    rows[row].request->hold_row(value, rows[row].row, handle);
    if (handle.block->device() != nullptr) ++on_device;
  });
  return on_device;
}

BatchOutputs::OutputRow BatchOutputs::row_of(const RunResult& result, std::size_t output,
                                             std::size_t row) const {
  if (is_ragged(result, output)) {
    const TensorView& view = result.ragged[output][row];
    return {view.data, view.strings, view.dims};
  }
  const ValueLayout& place = layout_.values[stage_.output_values[output]];
  const TensorView& view = result.outputs[output];
  const Dims dims = Dims(view.dims).subspan(place.batched ? 1 : 0);
  const std::size_t elements = row == 0 ? 0 : row * element_count(dims);
  if (place.type == DataType::kString) return {nullptr, view.strings + elements, dims};
  return {view.data + elements * element_size(place.type), nullptr, dims};
}

void BatchOutputs::store_fixed(const ClaimedRow& row, std::uint32_t value,
                               const OutputRow& output) const {
  const std::size_t row_bytes = layout_.values[value].row_bytes;
  if (row_bytes == 0) return;  // then there may be no data to point at
  std::memcpy(row.request->record_row(value, row.row), output.data, row_bytes);
}

// For each dimension of a row of the output; null where none is trimmed.
const std::optional<Trim>* BatchOutputs::trims(std::size_t output, std::size_t rank) const {
  const std::size_t index = stage_.model_outputs[output];
  if (index >= spec_.trims.size() || spec_.trims[index].size() != rank) return nullptr;
  return spec_.trims[index].data();
}

void BatchOutputs::store_open(const ClaimedRow& row, std::size_t output,
                              const OutputRow& from) const {
  const std::uint32_t value = stage_.output_values[output];
  const std::optional<Trim>* const trim = trims(output, from.dims.size());
  Blob& blob = row.request->blob_row(value, row.row);
  blob.dims.assign(from.dims.begin(), from.dims.end());
  for (std::size_t d = 0; trim != nullptr && d < blob.dims.size(); ++d) {
    if (trim[d]) blob.dims[d] = inputs_.size_of(row, *trim[d], blob.dims[d]);
  }
  const DataType type = layout_.values[value].type;
  const std::size_t elements = element_count(blob.dims);
  const std::size_t bytes = elements * element_size(type);
  const bool whole = std::ranges::equal(blob.dims, from.dims);
  if (type == DataType::kString && whole) {
    blob.strings.assign(from.strings, from.strings + elements);
  } else if (type == DataType::kString) {
    blob.strings.resize(elements);
    cut_strings(from.strings, from.dims, blob.strings.data(), blob.dims);
  } else if (whole) {
    blob.bytes.assign(from.data, from.data + bytes);
  } else {
    blob.bytes.resize(bytes);
    cut_numbers(from.data, from.dims, blob.bytes.data(), blob.dims, element_size(type));
  }
}

}  // namespace millrace
