#include "cuda/cuda_graphs.h"

#include <bit>

namespace millrace {

using Table = cuda::DriverTable;

bool is_graph_size(std::size_t rows, std::size_t largest) {
  return std::has_single_bit(rows) || rows == largest;
}

bool CudaGraphs::serves(std::size_t rows) const {
  const auto found = graphs_.find(rows);
  return found == graphs_.end() || found->second.get() != nullptr;
}

Result<bool> CudaGraphs::launch(std::size_t rows, CudaStream& stream,
                                const std::function<Status()>& enqueue) {
  auto found = graphs_.find(rows);
  if (found == graphs_.end()) {
    auto recorded = record(stream, enqueue);
    if (recorded.ok()) {
      found = graphs_.emplace(rows, std::move(recorded.value())).first;
    } else if (recorded.error().code == ErrorCode::kDeviceLost) {
      return recorded.error();
    } else {
      found = graphs_.emplace(rows, Graph{}).first;
    }
  }
  Graph& graph = found->second;
  if (graph.get() == nullptr) return false;
  const Status launched = (*context_)(&Table::launch_graph, graph.get(), stream.get());
  if (launched.ok()) return true;
  if (launched.error().code != ErrorCode::kOutOfMemory) return launched.error();
  graph = Graph{};  // its first launch takes memory of the device
  return false;
}

// Only this thread's calls can spoil what is recorded: others allocate memory meanwhile.
Result<CudaGraphs::Graph> CudaGraphs::record(CudaStream& stream,
                                             const std::function<Status()>& enqueue) const {
  const Status begun = (*context_)(&Table::begin_capture, stream.get(), cuda::kCaptureThreadLocal);
  if (!begun.ok()) return begun.error();
  const Status enqueued = enqueue();
  cuda::Graph* graph = nullptr;
  // Also where that failed: the stream would go on recording.
  const Status ended = (*context_)(&Table::end_capture, stream.get(), &graph);
  const CudaOwned<cuda::Graph*, &Table::destroy_graph> recorded(context_, graph);
  if (!enqueued.ok()) return enqueued.error();
  if (!ended.ok()) return ended.error();
  cuda::GraphExec* executable = nullptr;
  const Status made = (*context_)(&Table::instantiate_graph, &executable, graph, 0ULL);
  if (!made.ok()) return made.error();
  return Graph(context_, executable);
}

}  // namespace millrace
