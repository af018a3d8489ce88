// Which values are handed on: what a request keeps of a row is then a handle (model/row_block.h),
// and the row itself stays where its stage left it, on a device, for the stages that read it.
//
// A value is, where all of these hold; everything else comes back to the host and is stored:
//   - the stage that gives it and all that read it run on one device, by Model::block_device()
//   - its rows have a fixed size, those who read them take that size, and nothing is padded
//   - it is read in the scope it is given in: not made into items, not gathered
//   - nobody on the host reads it: it is no output of the pipeline, and no condition's
//   - neither side has a result cache, which keeps values for itself
//   - any other value that may come in its place at an input is handed on, too
//
// Pure; decided once, when the pipeline is laid out. What serves a stage may change later: a model
// that knows nothing of handles is then shown rows of the host (model/host_rows.h), and what it
// leaves is put into blocks of the host (batch_outputs.h).
#pragma once

#include <vector>

#include "engine/layout.h"
#include "engine/pipeline_spec.h"

namespace millrace {

// For each value of the layout, of which all but the handing and the places is decided.
std::vector<bool> handed_values(const PipelineSpec& spec, const Layout& layout);

}  // namespace millrace
