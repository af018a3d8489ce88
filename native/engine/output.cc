#include "engine/output.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/routing.h"

namespace millrace {
namespace {

void fill_row(const std::vector<std::byte>& element, std::byte* to, std::size_t row_bytes) {
  for (std::size_t at = 0; at + element.size() <= row_bytes && !element.empty();
       at += element.size()) {
    std::memcpy(to + at, element.data(), element.size());
  }
}

}  // namespace

OutputLayout::OutputLayout(const OutputSpec& spec, const Layout& layout) {
  const ValueLayout& first = layout.values[layout.value_of(spec.sources.front())];
  type = first.type;
  fixed = true;
  row_bytes = first.row_bytes;
  scope = 0;
  for (const Source& source : spec.sources) {
    const ValueLayout& value = layout.values[layout.value_of(source)];
    fixed = fixed && value.scope == 0 && value.fixed && value.row_bytes == row_bytes;
    if (layout.scopes[value.scope].scope.depth > layout.scopes[scope].scope.depth) {
      scope = value.scope;
    }
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

// Puts the rows of an output of open shape, or of items, into one tensor.
class OpenOutput {
 public:
  OpenOutput(const OutputSpec& spec, const OutputLayout& output, const Layout& layout)
      : spec_(spec), output_(output), layout_(layout) {}

  // Adds the rows of the output's scope that lie below these. False: there is no such tensor.
  bool add_rows(const Request& request) {
    for (std::uint32_t row = 0; row < request.rows(); ++row) {
      if (request.scope() == output_.scope) {
        if (!add_row(request, row)) return false;
        continue;
      }
      const std::uint32_t below = layout_.where.step_down(request.scope(), output_.scope);
      const Request* items = request.items(row, below);
      if (items != nullptr && !add_rows(*items)) return false;
    }
    return true;
  }

  Blob take() {
    if (row_dims_ == nullptr) blob_.dims = without_rows();
    if (row_dims_ != nullptr) blob_.dims = *row_dims_;
    if (batched_) blob_.dims.insert(blob_.dims.begin(), rows_);
    return std::move(blob_);
  }

 private:
  bool add_row(const Request& request, std::uint32_t row) {
    const Source* source = first_that_ran(spec_.sources, request, row);
    const std::uint32_t value = layout_.value_of(source ? *source : spec_.sources.front());
    const RowView view = source ? request.row(value, row) : RowView{};
    const auto* dims = source ? view.dims : &layout_.values[value].row_dims;
    if (row_dims_ != nullptr && *row_dims_ != *dims) return false;
    row_dims_ = dims;
    batched_ = layout_.values[value].batched;
    ++rows_;
    if (source == nullptr) return append_fill(*dims);
    append(blob_, view, output_.type);
    return true;
  }

  // Whether a row without a value can be made up: its shape must not be open. Appends it.
  bool append_fill(const std::vector<std::int64_t>& row_dims) {
    std::size_t count = 1;
    for (const std::int64_t dim : row_dims) {
      if (dim < 0) return false;
      count *= static_cast<std::size_t>(dim);
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (output_.type == DataType::kString) {
        blob_.strings.push_back(spec_.fill_string);
      } else {
        blob_.bytes.insert(blob_.bytes.end(), spec_.fill.begin(), spec_.fill.end());
      }
    }
    return true;
  }

  // Of no items at all: what is open has no size that could be told.
  [[nodiscard]] std::vector<std::int64_t> without_rows() const {
    const ValueLayout& first = layout_.values[layout_.value_of(spec_.sources.front())];
    std::vector<std::int64_t> dims = first.row_dims;
    std::replace_if(dims.begin(), dims.end(), [](std::int64_t dim) { return dim < 0; }, 0);
    return dims;
  }

  const OutputSpec& spec_;
  const OutputLayout& output_;
  const Layout& layout_;
  Blob blob_;
  const std::vector<std::int64_t>* row_dims_ = nullptr;
  std::int64_t rows_ = 0;
  bool batched_ = true;  // where sources differ in it, requests have one row
};

}  // namespace

std::optional<Blob> read_open_output(const OutputSpec& spec, const OutputLayout& output,
                                     const Layout& layout, const Request& request) {
  OpenOutput open(spec, output, layout);
  if (!open.add_rows(request)) return std::nullopt;
  return open.take();
}

}  // namespace millrace
