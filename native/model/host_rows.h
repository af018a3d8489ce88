// Rows that come as handles (row_block.h), for those who know nothing of handles: they are shown
// rows of the host. Those that lie one behind the other in a block of the host are shown there, all
// others are copied together first; from a device that blocks.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "model/model.h"

namespace millrace {

// Of a tensor of rows.
std::size_t row_bytes_of(const TensorView& view, DataType type);

// Of one runner.
class HostRows {
 public:
  explicit HostRows(const Model& model);

  // The batch with tensors in place of handles, valid until the next call. Errors: kDeviceLost
  // where all rows of an input are on a device that is lost. Where only some are it is
  // kStageFailed: run again in halves, the others come through.
  Result<RunBatch> show(const RunBatch& batch);

 private:
  Status read_rows(std::size_t input, std::size_t rows);

  std::vector<DataType> types_;                 // per input
  std::vector<TensorView> views_;               // per input: what is shown
  std::vector<std::vector<std::byte>> copies_;  // per input: where rows are copied together
};

// A runner that is given handles and shows them to another so. What it leaves is its own: whoever
// expects handles makes blocks of that.
std::unique_ptr<Runner> on_host_rows(std::unique_ptr<Runner> runner, const Model& model);

}  // namespace millrace
