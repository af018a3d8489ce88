// What a fan-out stage gives for a row, [items, ...] per output, becomes items of the row: a request
// below it that has them for rows (request.h).
//
// Used by the replica that ran the stage, before it resolves the rows. Nothing is stored unless
// everything fits.
#pragma once

#include <span>

#include "engine/batch.h"
#include "engine/layout.h"
#include "engine/pipeline_spec.h"
#include "model/model.h"

namespace millrace {

struct FanOutStage {
  const StageSpec& spec;
  const Layout& layout;
  const StageLayout& stage;
};

// `result` is of a run with these rows, in this order; those that failed in it get no items.
Status store_items(const FanOutStage& stage, std::span<const ClaimedRow> rows,
                   const RunResult& result);

}  // namespace millrace
