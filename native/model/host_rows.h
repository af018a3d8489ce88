// A runner that knows nothing of handles, where rows come as such (row_block.h): it is shown rows
// of the host. Those that lie one behind the other in a block of the host are shown there, all
// others are copied together first; from a device that blocks.
//
// What it leaves is its own: whoever expects handles makes blocks of that.
#pragma once

#include <memory>

#include "model/model.h"

namespace millrace {

// Errors of its runs are the runner's, and kDeviceLost where all rows of the batch are on a device
// that is lost. Where only some are it is kStageFailed: run again in halves, the others come
// through.
std::unique_ptr<Runner> on_host_rows(std::unique_ptr<Runner> runner, const Model& model);

}  // namespace millrace
