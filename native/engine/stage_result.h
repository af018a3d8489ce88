// What a stage computed for one row, apart from any request: all of its outputs that somebody
// reads. Immutable once made, so any number of threads may read it.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "engine/layout.h"
#include "engine/request.h"

namespace millrace {

struct StageResult {
  // Of memory, this object included; what the allocator adds is estimated.
  [[nodiscard]] std::size_t memory_bytes() const;

  std::vector<std::byte> fixed;  // outputs of fixed size, one after the other
  std::vector<Blob> blobs;       // the others
};

using SharedResult = std::shared_ptr<const StageResult>;

// By whoever resolves the row at the stage, before it does: the row's values are its own to read
// and to write until then (request.h).
SharedResult take_result(const Layout& layout, const StageLayout& stage, Request& request,
                         std::uint32_t row);
void give_result(const StageResult& result, const Layout& layout, const StageLayout& stage,
                 Request& request, std::uint32_t row);

}  // namespace millrace
