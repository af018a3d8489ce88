// CUDA graphs of the batches of one slot: what a batch of some size asks of its stream is recorded
// when the first of that size comes, and asked for with one call from then on.
//
// A graph holds addresses. So it is only for what lies at the same ones each time: memory of the
// slot. Giving a node another address before each launch takes a call, which is the very one that
// the graph saves.
//
// A size that the driver does not make a graph of, for want of memory or whatever else, is launched
// call by call from then on: a graph is never needed.
//
// Used by one thread at a time, with one stream; ends before the memory that it names.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "cuda/cuda_context.h"
#include "cuda/cuda_stream.h"

namespace millrace {

// The sizes that are recorded, so that there are few: powers of two, and the largest batch. Pure.
bool is_graph_size(std::size_t rows, std::size_t largest);

class CudaGraphs {
 public:
  CudaGraphs() = default;
  explicit CudaGraphs(std::shared_ptr<const CudaContext> context) : context_(std::move(context)) {}

  // Whether batches of so many rows may be launched as graphs, as far as is known.
  [[nodiscard]] bool serves(std::size_t rows) const;

  // Launches the graph of so many rows. For the first of them `enqueue` is called, which asks of
  // the stream what is to be recorded; nothing of it happens then. False: nothing was launched, nor
  // will be. Errors: the driver's, of the launch; kDeviceLost of the recording, too.
  Result<bool> launch(std::size_t rows, CudaStream& stream, const std::function<Status()>& enqueue);

 private:
  using Graph = CudaOwned<cuda::GraphExec*, &cuda::DriverTable::destroy_graph_exec>;

  Result<Graph> record(CudaStream& stream, const std::function<Status()>& enqueue) const;

  std::shared_ptr<const CudaContext> context_;
  std::map<std::size_t, Graph> graphs_;  // by rows; null: launched call by call
};

}  // namespace millrace
