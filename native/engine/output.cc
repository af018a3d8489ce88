#include "engine/output.h"

#include <cstring>

#include "engine/routing.h"

namespace millrace {
namespace {

void fill_row(const std::vector<std::byte>& element, std::byte* to, std::size_t row_bytes) {
  for (std::size_t at = 0; at + element.size() <= row_bytes && !element.empty();
       at += element.size()) {
    std::memcpy(to + at, element.data(), element.size());
  }
}

void append(Blob& blob, const RowView& view, DataType type) {
  if (type != DataType::kString) {
    blob.bytes.insert(blob.bytes.end(), view.data, view.data + view.bytes);
    return;
  }
  std::size_t count = 1;
  for (const std::int64_t dim : *view.dims) count *= static_cast<std::size_t>(dim);
  blob.strings.insert(blob.strings.end(), view.strings, view.strings + count);
}

}  // namespace

OutputLayout::OutputLayout(const OutputSpec& spec, const Layout& layout) {
  const ValueLayout& first = layout.values[layout.value_of(spec.sources.front())];
  type = first.type;
  fixed = true;
  row_bytes = first.row_bytes;
  for (const Source& source : spec.sources) {
    const ValueLayout& value = layout.values[layout.value_of(source)];
    fixed = fixed && value.fixed && value.row_bytes == row_bytes;
  }
}

void read_fixed_output(const OutputSpec& spec, const OutputLayout& output, const Layout& layout,
                       const Request& request, std::byte* to) {
  for (std::uint32_t row = 0; row < request.rows(); ++row, to += output.row_bytes) {
    const Source* source = first_that_ran(spec.sources, request, row);
    if (source == nullptr) {
      fill_row(spec.fill, to, output.row_bytes);
    } else {
      std::memcpy(to, request.row(layout.value_of(*source), row).data, output.row_bytes);
    }
  }
}

namespace {

// Whether a row without a value can be made up: its shape must not be open. Appends it.
bool append_fill(Blob& blob, const OutputSpec& spec, DataType type,
                 const std::vector<std::int64_t>& row_dims) {
  std::size_t count = 1;
  for (const std::int64_t dim : row_dims) {
    if (dim < 0) return false;
    count *= static_cast<std::size_t>(dim);
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (type == DataType::kString) {
      blob.strings.push_back(spec.fill_string);
    } else {
      blob.bytes.insert(blob.bytes.end(), spec.fill.begin(), spec.fill.end());
    }
  }
  return true;
}

}  // namespace

std::optional<Blob> read_open_output(const OutputSpec& spec, const OutputLayout& output,
                                     const Layout& layout, const Request& request) {
  Blob blob;
  const std::vector<std::int64_t>* dims = nullptr;
  bool batched = true;  // where sources differ in it, requests have one row
  for (std::uint32_t row = 0; row < request.rows(); ++row) {
    const Source* source = first_that_ran(spec.sources, request, row);
    const std::uint32_t value = layout.value_of(source ? *source : spec.sources.front());
    const RowView view = source ? request.row(value, row) : RowView{};
    batched = layout.values[value].batched;
    const auto* row_dims = source ? view.dims : &layout.values[value].row_dims;
    if (dims != nullptr && *dims != *row_dims) return std::nullopt;
    dims = row_dims;
    if (source) {
      append(blob, view, output.type);
    } else if (!append_fill(blob, spec, output.type, *row_dims)) {
      return std::nullopt;
    }
  }
  if (batched) blob.dims.push_back(static_cast<std::int64_t>(request.rows()));
  blob.dims.insert(blob.dims.end(), dims->begin(), dims->end());
  return blob;
}

}  // namespace millrace
