#include "engine/stage_result.h"

#include <cstring>

namespace millrace {
namespace {

constexpr std::size_t kAllocationBytes = 16;

std::size_t string_bytes(const std::string& text) {
  const bool inside = text.capacity() <= std::string().capacity();
  return sizeof(std::string) + (inside ? 0 : text.capacity() + kAllocationBytes);
}

}  // namespace

std::size_t StageResult::memory_bytes() const {
  std::size_t bytes = sizeof *this + fixed.capacity() + 2 * kAllocationBytes;
  for (const Blob& blob : blobs) {
    bytes += sizeof blob + blob.bytes.capacity() + 2 * kAllocationBytes;
    bytes += blob.dims.capacity() * sizeof(std::int64_t);
    for (const std::string& text : blob.strings) bytes += string_bytes(text);
  }
  return bytes;
}

SharedResult take_result(const Layout& layout, const StageLayout& stage, Request& request,
                         std::uint32_t row) {
  auto result = std::make_shared<StageResult>();
  std::size_t fixed_bytes = 0;
  for (const std::uint32_t value : stage.output_values) {
    if (layout.values[value].fixed) fixed_bytes += layout.values[value].row_bytes;
  }
  result->fixed.reserve(fixed_bytes);
  for (const std::uint32_t value : stage.output_values) {
    if (layout.values[value].fixed) {
      const RowView view = request.row(value, row);
      result->fixed.insert(result->fixed.end(), view.data, view.data + view.bytes);
    } else {
      result->blobs.push_back(request.blob_row(value, row));
    }
  }
  return result;
}

void give_result(const StageResult& result, const Layout& layout, const StageLayout& stage,
                 Request& request, std::uint32_t row) {
  const std::byte* fixed = result.fixed.data();
  auto blob = result.blobs.begin();
  for (const std::uint32_t value : stage.output_values) {
    const ValueLayout& place = layout.values[value];
    if (!place.fixed) {
      request.blob_row(value, row) = *blob++;
    } else if (place.row_bytes > 0) {
      std::memcpy(request.record_row(value, row), fixed, place.row_bytes);
      fixed += place.row_bytes;
    }
  }
}

}  // namespace millrace
