#include "engine/warm_up.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace millrace {
namespace {

constexpr Nanos kLongest = 2'000 * kNanosPerMilli;
constexpr std::size_t kMostBytes = std::size_t{64} << 20;  // of the largest input

// Bytes of a row, nothing where they are not known.
std::optional<std::size_t> row_bytes(const TensorSpec& spec, bool batched) {
  std::size_t bytes = element_size(spec.type);
  if (bytes == 0) return std::nullopt;
  for (std::size_t d = batched ? 1 : 0; d < spec.dims.size(); ++d) {
    if (spec.dims[d] < 0) return std::nullopt;
    bytes *= static_cast<std::size_t>(spec.dims[d]);
  }
  return bytes;
}

}  // namespace

std::vector<std::size_t> warm_up_sizes(std::size_t warm, std::size_t most) {
  std::vector<std::size_t> sizes{1};
  for (std::size_t rows = 2; rows < most; rows *= 2) {
    if (rows > warm) sizes.push_back(rows);
  }
  if (most > std::max<std::size_t>(warm, 1)) sizes.push_back(most);
  return sizes;
}

std::optional<ZeroBatch> ZeroBatch::of(const Model& model, bool batched, std::size_t most_rows) {
  std::size_t largest = 1;
  ZeroBatch zeros;
  for (const TensorSpec& spec : model.inputs()) {
    const auto bytes = row_bytes(spec, batched);
    if (!bytes || *bytes > kMostBytes) return std::nullopt;
    largest = std::max(largest, *bytes);
    zeros.views_.push_back({nullptr, nullptr, spec.dims});
  }
  zeros.batched_ = batched;
  zeros.most_rows_ = batched ? std::clamp<std::size_t>(kMostBytes / largest, 1, most_rows) : 1;
  zeros.zeros_ = make_aligned_buffer(largest * zeros.most_rows_);
  std::memset(zeros.zeros_.get(), 0, largest * zeros.most_rows_);
  for (TensorView& view : zeros.views_) view.data = zeros.zeros_.get();
  return zeros;
}

std::span<const TensorView> ZeroBatch::inputs(std::size_t rows) {
  for (TensorView& view : views_) {
    if (batched_ && !view.dims.empty()) view.dims[0] = static_cast<std::int64_t>(rows);
  }
  return views_;
}

Status warm_up(Runner& runner, ZeroBatch& zeros, std::span<const std::size_t> sizes,
               const Clock& clock) {
  const Nanos began = clock.now();
  RunResult result;
  for (const std::size_t rows : sizes) {
    if (rows > zeros.most_rows() || clock.now() - began > kLongest) break;
    Status status = runner.run({rows, kNever, zeros.inputs(rows), {}}, result);
    if (!status.ok()) return status;
  }
  return {};
}

}  // namespace millrace
