#include "engine/batch.h"

#include <algorithm>
#include <cstring>

#include "engine/routing.h"

namespace millrace {

BatchInputs::BatchInputs(const StageSpec& spec, const StageLayout& stage, const Layout& layout,
                         StageQueue& queue)
    : spec_(spec),
      stage_(stage),
      layout_(layout),
      queue_(queue),
      shapes_(queue.shapes()),
      views_(spec.inputs.size()),
      ragged_(shapes_.ragged() ? spec.inputs.size() : 0),
      longest_(spec.inputs.size()),
      bytes_(spec.inputs.size()),
      strings_(spec.inputs.size()) {}

RunBatch BatchInputs::assemble(std::span<const ClaimedRow> rows) {
  gathered_ = false;
  padded_ = false;
  elements_ = {};
  const bool in_place = neighbours(rows);
  for (std::size_t i = 0; i < views_.size(); ++i) {
    if (stage_.input_row_bytes[i] > 0) {
      assemble_fixed(rows, i, in_place);
    } else if (shapes_.ragged()) {
      view_each(rows, i);
    } else {
      gather_open(rows, i);
    }
  }
  RunBatch batch{rows.size(), kNever, views_, ragged_};
  for (const ClaimedRow& row : rows)
    batch.deadline = std::min(batch.deadline, row.request->deadline);
  return batch;
}

bool BatchInputs::neighbours(std::span<const ClaimedRow> rows) const {
  const ClaimedRow& first = rows.front();
  const ClaimedRow& last = rows.back();
  const auto& ring = queue_.lane(first.lane).ring(first.priority);
  // Rows of a lane's class come in order of position, so the ends tell for all between.
  return last.lane == first.lane && last.priority == first.priority &&
         last.position - first.position == rows.size() - 1 &&
         ring.index(last.position) - ring.index(first.position) == rows.size() - 1;
}

void BatchInputs::assemble_fixed(std::span<const ClaimedRow> rows, std::size_t input,
                                 bool in_place) {
  const ClaimedRow& first = rows.front();
  const std::byte* const data =
      in_place ? queue_.lane(first.lane).arena_row(first.priority, input, first.position)
               : gather_arena(rows, input);
  if (stage_.handed_inputs[input]) {
    views_[input].handles = reinterpret_cast<const RowHandle*>(data);
  } else {
    views_[input].data = data;
  }
  views_[input].dims = spec_.model->inputs()[input].dims;
  if (spec_.batched) views_[input].dims[0] = static_cast<std::int64_t>(rows.size());
}

const std::byte* BatchInputs::gather_arena(std::span<const ClaimedRow> rows, std::size_t input) {
  gathered_ = true;
  const std::size_t row_bytes = stage_.input_row_bytes[input];
  bytes_[input].resize(rows.size() * row_bytes);
  std::byte* to = bytes_[input].data();
  for (const ClaimedRow& row : rows) {
    std::memcpy(to, queue_.lane(row.lane).arena_row(row.priority, input, row.position), row_bytes);
    to += row_bytes;
  }
  return bytes_[input].data();
}

BatchInputs::OpenRow BatchInputs::open_row(const ClaimedRow& row, std::size_t input) const {
  const RowView view = StageInputs{spec_, stage_, layout_}.of(*row.request, row.row, input);
  return {view, shapes_.row_dims(input, *view.dims)};
}

// Rows where they lie, each with its own dims.
void BatchInputs::view_each(std::span<const ClaimedRow> rows, std::size_t input) {
  const bool is_string = spec_.model->inputs()[input].type == DataType::kString;
  std::vector<TensorView>& views = ragged_[input];
  views.resize(rows.size());
  for (std::size_t n = 0; n < rows.size(); ++n) {
    const OpenRow one = open_row(rows[n], input);
    views[n].data = is_string ? nullptr : one.view.data;
    views[n].strings = is_string ? one.view.strings : nullptr;
    views[n].dims.assign(one.dims.begin(), one.dims.end());
  }
}

void BatchInputs::gather_open(std::span<const ClaimedRow> rows, std::size_t input) {
  measure(rows, input);
  set_dims(input, rows.size());
  const bool is_string = spec_.model->inputs()[input].type == DataType::kString;
  const std::size_t row_elements = element_count(longest_[input]);
  if (shapes_.padding(input) != nullptr) elements_.all += rows.size() * row_elements;
  if (rows.size() == 1) {
    const RowView view = open_row(rows[0], input).view;
    views_[input].data = view.data;
    views_[input].strings = is_string ? view.strings : nullptr;
    return;
  }
  gathered_ = true;
  if (is_string) {
    gather_strings(rows, input, row_elements);
  } else {
    gather_numbers(rows, input, row_elements);
  }
}

// The longest of each dimension.
void BatchInputs::measure(std::span<const ClaimedRow> rows, std::size_t input) {
  std::vector<std::int64_t>& longest = longest_[input];
  const Dims first = open_row(rows[0], input).dims;
  longest.assign(first.begin(), first.end());
  for (const ClaimedRow& row : rows.subspan(1)) {
    const Dims dims = open_row(row, input).dims;
    for (std::size_t d = 0; d < longest.size(); ++d) {
      padded_ = padded_ || dims[d] != longest[d];
      longest[d] = std::max(longest[d], dims[d]);
    }
  }
}

void BatchInputs::gather_numbers(std::span<const ClaimedRow> rows, std::size_t input,
                                 std::size_t row_elements) {
  const std::size_t size = element_size(spec_.model->inputs()[input].type);
  const std::size_t row_bytes = row_elements * size;
  bytes_[input].resize(rows.size() * row_bytes);
  std::byte* to = bytes_[input].data();
  for (const ClaimedRow& row : rows) {
    const OpenRow one = open_row(row, input);
    if (std::ranges::equal(one.dims, longest_[input])) {
      if (row_bytes > 0) std::memcpy(to, one.view.data, row_bytes);
    } else {
      pad_numbers(one.view.data, one.dims, to, longest_[input], shapes_.padding(input)->element);
      elements_.padding += row_elements - element_count(one.dims);
    }
    to += row_bytes;
  }
  views_[input].data = bytes_[input].data();
  views_[input].strings = nullptr;
}

// A string's fill is the bytes of its text.
void BatchInputs::gather_strings(std::span<const ClaimedRow> rows, std::size_t input,
                                 std::size_t row_elements) {
  strings_[input].resize(rows.size() * row_elements);
  std::string* to = strings_[input].data();
  const Padding* const padding = shapes_.padding(input);
  std::string fill;
  if (padding != nullptr) {
    fill.assign(reinterpret_cast<const char*>(padding->element.data()), padding->element.size());
  }
  for (const ClaimedRow& row : rows) {
    const OpenRow one = open_row(row, input);
    pad_strings(one.view.strings, one.dims, to, longest_[input], fill);
    elements_.padding += row_elements - element_count(one.dims);
    to += row_elements;
  }
  views_[input].data = nullptr;
  views_[input].strings = strings_[input].data();
}

// A row's dims, brought to the rank the model asks for: the batch in front.
void BatchInputs::set_dims(std::size_t input, std::size_t rows) {
  const std::size_t rank = spec_.model->inputs()[input].dims.size();
  const std::vector<std::int64_t>& row_dims = longest_[input];
  std::vector<std::int64_t>& dims = views_[input].dims;
  dims.clear();
  if (row_dims.size() != rank) dims.push_back(static_cast<std::int64_t>(rows));
  dims.insert(dims.end(), row_dims.begin(), row_dims.end());
}

bool BatchInputs::is_padded(const Trim& trim) const {
  return padded_ && shapes_.pads(trim.input, trim.dim) && trim.dim < longest_[trim.input].size();
}

bool BatchInputs::carries(const Trim& trim, std::int64_t size) const {
  return !is_padded(trim) || longest_[trim.input][trim.dim] == size;
}

std::int64_t BatchInputs::size_of(const ClaimedRow& row, const Trim& trim,
                                  std::int64_t size) const {
  return is_padded(trim) ? open_row(row, trim.input).dims[trim.dim] : size;
}

std::uint64_t BatchInputs::shape_of(const ClaimedRow& row) const {
  return queue_.lane(row.lane).ring(row.priority).key(row.position).shape;
}

std::size_t BatchInputs::compatible(std::span<const ClaimedRow> rows) const {
  if (stage_.fixed_inputs || shapes_.ragged()) return rows.size();
  for (std::size_t n = 1; n < rows.size(); ++n) {
    if (shape_of(rows[n]) != shape_of(rows[0])) return n;
    for (std::size_t i = 0; i < spec_.inputs.size(); ++i) {
      if (stage_.input_row_bytes[i] > 0) continue;
      if (!shapes_.fit(i, open_row(rows[0], i).dims, open_row(rows[n], i).dims)) return n;
    }
  }
  return rows.size();
}

}  // namespace millrace
