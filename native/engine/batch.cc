#include "engine/batch.h"

#include <cstring>

#include "engine/routing.h"

namespace millrace {

BatchInputs::BatchInputs(const StageSpec& spec, const StageLayout& stage, const Layout& layout,
                         StageQueue& queue)
    : spec_(spec),
      stage_(stage),
      layout_(layout),
      queue_(queue),
      views_(spec.inputs.size()),
      bytes_(spec.inputs.size()),
      strings_(spec.inputs.size()) {}

std::span<const TensorView> BatchInputs::assemble(std::span<const ClaimedRow> rows) {
  gathered_ = false;
  const bool in_place = neighbours(rows);
  for (std::size_t i = 0; i < views_.size(); ++i) {
    if (stage_.input_row_bytes[i] == 0) {
      gather_open(rows, i);
      continue;
    }
    if (in_place) {
      views_[i].data = queue_.arena_row(rows[0].priority, i, rows[0].position);
    } else {
      gather_arena(rows, i);
    }
    const std::vector<std::int64_t>& dims = spec_.model->inputs()[i].dims;
    views_[i].dims = dims;
    if (spec_.batched) views_[i].dims[0] = static_cast<std::int64_t>(rows.size());
  }
  return views_;
}

bool BatchInputs::neighbours(std::span<const ClaimedRow> rows) const {
  const ClaimedRow& first = rows.front();
  const ClaimedRow& last = rows.back();
  const auto& ring = queue_.ring(first.priority);
  // Rows of a class come in order of position, so the ends tell for all between.
  return last.priority == first.priority && last.position - first.position == rows.size() - 1 &&
         ring.index(last.position) - ring.index(first.position) == rows.size() - 1;
}

void BatchInputs::gather_arena(std::span<const ClaimedRow> rows, std::size_t input) {
  gathered_ = true;
  const std::size_t row_bytes = stage_.input_row_bytes[input];
  bytes_[input].resize(rows.size() * row_bytes);
  std::byte* to = bytes_[input].data();
  for (const ClaimedRow& row : rows) {
    std::memcpy(to, queue_.arena_row(row.priority, input, row.position), row_bytes);
    to += row_bytes;
  }
  views_[input].data = bytes_[input].data();
}

RowView BatchInputs::view(const ClaimedRow& row, std::size_t input) const {
  return StageInputs{spec_, stage_, layout_}.of(*row.request, row.row, input);
}

void BatchInputs::gather_open(std::span<const ClaimedRow> rows, std::size_t input) {
  const RowView first = view(rows[0], input);
  set_dims(input, rows.size(), *first.dims);
  const bool is_string = spec_.model->inputs()[input].type == DataType::kString;
  views_[input].data = first.data;
  views_[input].strings = is_string ? first.strings : nullptr;
  if (rows.size() == 1) return;
  gathered_ = true;
  bytes_[input].clear();
  strings_[input].clear();
  for (const ClaimedRow& row : rows) {
    const RowView one = view(row, input);
    if (is_string) {
      std::size_t count = 1;
      for (const std::int64_t dim : *one.dims) count *= static_cast<std::size_t>(dim);
      strings_[input].insert(strings_[input].end(), one.strings, one.strings + count);
    } else {
      bytes_[input].insert(bytes_[input].end(), one.data, one.data + one.bytes);
    }
  }
  views_[input].data = bytes_[input].data();
  views_[input].strings = is_string ? strings_[input].data() : nullptr;
}

// A row's own dims, brought to the rank the model asks for: the batch in front, in place of the
// leading 1 where the row comes from a pipeline or a stage that is not batched.
void BatchInputs::set_dims(std::size_t input, std::size_t rows,
                           const std::vector<std::int64_t>& row_dims) {
  const std::size_t rank = spec_.model->inputs()[input].dims.size();
  std::vector<std::int64_t>& dims = views_[input].dims;
  dims.clear();
  const auto batch = static_cast<std::int64_t>(rows);
  const bool leads = row_dims.size() == rank;
  if (!leads) dims.push_back(batch);
  dims.insert(dims.end(), row_dims.begin(), row_dims.end());
  if (leads && spec_.batched) dims.front() = batch;
}

std::size_t BatchInputs::same_shape(std::span<const ClaimedRow> rows) const {
  if (stage_.fixed_inputs) return rows.size();
  for (std::size_t n = 1; n < rows.size(); ++n) {
    for (std::size_t i = 0; i < spec_.inputs.size(); ++i) {
      if (stage_.input_row_bytes[i] > 0) continue;
      if (*view(rows[n], i).dims != *view(rows[0], i).dims) return n;
    }
  }
  return rows.size();
}

}  // namespace millrace
