#include "engine/row_shapes.h"

#include <algorithm>

#include "batching/buckets.h"

namespace millrace {

RowShapes::RowShapes(const StageSpec& spec, const StageLayout& stage)
    : spec_(spec), padded_(spec.model->inputs().size()) {
  if (!spec.batched || stage.fixed_inputs) return;  // one row a run, or nothing that could differ
  ragged_ = spec.model->accepts_ragged();
  for (std::size_t i = 0; i < padded_.size(); ++i) {
    const std::vector<std::int64_t>& dims = spec.model->inputs()[i].dims;
    for (std::size_t d = 1; d < dims.size(); ++d) {
      padded_[i].push_back(dims[d] < 0 && !ragged_ && padding(i) != nullptr);
      laned_ = laned_ || (dims[d] < 0 && !ragged_);
    }
  }
}

Dims RowShapes::row_dims(std::size_t input, const std::vector<std::int64_t>& dims) const {
  const bool leads = spec_.batched && dims.size() == spec_.model->inputs()[input].dims.size();
  return Dims(dims).subspan(leads && !dims.empty() ? 1 : 0);
}

const Padding* RowShapes::padding(std::size_t input) const {
  if (input >= spec_.padding.size() || !spec_.padding[input]) return nullptr;
  return &*spec_.padding[input];
}

bool RowShapes::pads(std::size_t input, std::size_t dim) const {
  return dim < padded_[input].size() && padded_[input][dim];
}

bool RowShapes::fit(std::size_t input, Dims a, Dims b) const {
  if (a.size() != b.size()) return false;
  for (std::size_t d = 0; d < a.size(); ++d) {
    if (a[d] != b[d] && !pads(input, d)) return false;
  }
  return true;
}

std::uint64_t RowShapes::mix(std::uint64_t shape, std::size_t input, Dims dims) const {
  constexpr std::uint64_t kPrime = 1099511628211ULL;  // FNV-1a over the dimensions
  std::uint64_t hash = shape ^ 14695981039346656037ULL;
  for (std::size_t d = 0; d < dims.size(); ++d) {
    const std::int64_t size =
        pads(input, d) ? bucket_of(dims[d], padding(input)->buckets) : dims[d];
    hash = (hash ^ static_cast<std::uint64_t>(size)) * kPrime;
  }
  return hash * kPrime;
}

}  // namespace millrace
