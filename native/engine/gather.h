// Fan-in: the values that a row's items have for one input of a stage, put together as one value of
// the row: [items, ...], in order.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "engine/layout.h"
#include "engine/pipeline_spec.h"
#include "engine/request.h"

namespace millrace {

struct RowOf {
  Request& request;
  std::uint32_t row;
};

// For every input that `index`, the stage's own place in the pipeline, gathers. Called by the one who
// starts the stage for the row, before it is queued; it should run for it (routing.h). Fails where
// items have different shapes, which do not make one tensor.
Status gather_items(const StageSpec& stage, const Layout& layout, std::uint32_t index,
                    const RowOf& target);

}  // namespace millrace
