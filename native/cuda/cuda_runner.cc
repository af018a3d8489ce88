#include "cuda/cuda_runner.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "cuda/pinned_arena.h"

namespace millrace {
namespace {

std::size_t aligned(std::size_t bytes) {
  return (bytes + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment;
}

// Copying so much on the host takes about as long as the call that it saves.
constexpr std::size_t kMostInGraph = std::size_t{64} << 10;

bool is_full(const Status& status) {
  return !status.ok() && status.error().code == ErrorCode::kOutOfMemory;
}

// Blocks the caller of run(), and nobody else, until its batch has ended.
class Waiter final : public RunListener {
 public:
  void run_ended() noexcept override {
    ended_.store(true, std::memory_order_release);
    ended_.notify_one();
  }
  void wait() { ended_.wait(false, std::memory_order_acquire); }

 private:
  std::atomic<bool> ended_{false};  // written once, by the reaper
};

}  // namespace

Result<std::unique_ptr<Runner>> CudaRunner::make(std::shared_ptr<const CudaModel> model,
                                                 const RunnerOptions& options) {
  auto reaper = CudaReaper::of_process();
  if (!reaper.ok()) return reaper.error();
  const CudaContext& context = *model->context();
  std::shared_ptr<DeviceBlocks> blocks;
  if (std::ranges::find(options.handed, true) != options.handed.end()) {
    auto found = DeviceBlocks::of(model->context());
    if (!found.ok()) return found.error();
    blocks = std::move(found.value());
  }
  std::unique_ptr<CudaRunner> runner(
      new CudaRunner(std::move(model), std::move(reaper.value()), std::move(blocks), options));
  Status allocated;
  for (std::size_t rows = std::max<std::size_t>(options.max_batch, 1); rows > 0; rows /= 2) {
    allocated = runner->allocate(rows);
    if (is_full(allocated) && DeviceBlocks::give_way(context)) allocated = runner->allocate(rows);
    if (allocated.ok()) return std::unique_ptr<Runner>(std::move(runner));
    if (!is_full(allocated)) break;
  }
  return allocated.error();
}

CudaRunner::CudaRunner(std::shared_ptr<const CudaModel> model, std::shared_ptr<CudaReaper> reaper,
                       std::shared_ptr<DeviceBlocks> blocks, const RunnerOptions& options)
    : model_(std::move(model)),
      reaper_(std::move(reaper)),
      blocks_(std::move(blocks)),
      wanted_(options.outputs),
      handed_(options.handed) {}

CudaRunner::~CudaRunner() {
  for (const Slot& slot : slots_) {
    if (slot.rows > 0) static_cast<void>(slot.stream.synchronize());
  }
}

void CudaRunner::lay_out(std::size_t rows) {
  const auto place = [rows](const TensorSpec& spec, std::size_t& end) {
    const Place one{fixed_row_bytes(spec), end};
    end += aligned(one.row_bytes * rows);
    return one;
  };
  inputs_.clear();
  outputs_.clear();
  results_.clear();
  std::size_t end = 0;
  for (const TensorSpec& spec : model_->inputs()) inputs_.push_back(place(spec, end));
  staged_bytes_ = end;
  for (const TensorSpec& spec : model_->outputs()) outputs_.push_back(place(spec, end));
  device_bytes_ = end;
  end = 0;
  for (const std::size_t index : wanted_) results_.push_back(place(model_->outputs()[index], end));
  results_bytes_ = end;
}

Status CudaRunner::allocate(std::size_t rows) {
  lay_out(rows);
  std::array<Slot, kSlots> slots;
  for (Slot& slot : slots) {
    Status made = make_slot(slot);
    if (!made.ok()) return made;
  }
  slots_ = std::move(slots);
  capacity_ = rows;
  return {};
}

Status CudaRunner::make_slot(Slot& slot) const {
  const auto& context = model_->context();
  const auto take = [](auto made, auto& into) -> Status {
    if (!made.ok()) return made.error();
    into = std::move(made.value());
    return {};
  };
  const std::size_t limit = model_->options().memory_limit;
  Status status = take(CudaBudget::of(*context).reserve(device_bytes_, limit), slot.share);
  if (status.ok()) status = take(DeviceMemory::allocate(context, device_bytes_), slot.device);
  if (status.ok()) status = take(PinnedMemory::allocate(context, staged_bytes_), slot.staged);
  if (status.ok() && results_bytes_ > 0)
    status = take(PinnedMemory::allocate(context, results_bytes_), slot.results);
  if (status.ok()) status = take(CudaStream::create(context), slot.stream);
  if (status.ok()) status = take(CudaEvent::create(context), slot.done);
  slot.graphs = CudaGraphs(context);
  return status;
}

Status CudaRunner::run(const RunBatch& batch, RunResult& result) {
  const auto free = std::ranges::find(slots_, std::size_t{0}, &Slot::rows);
  const auto slot = static_cast<std::size_t>(free - slots_.begin());
  Waiter waiter;
  Status begun = begin(batch, slot, waiter);
  if (!begun.ok()) return begun;
  waiter.wait();
  return finish(slot, result);
}

Status CudaRunner::begin(const RunBatch& batch, std::size_t at, RunListener& listener) {
  Status checked = check(batch);
  if (!checked.ok()) return checked;
  Slot& slot = slots_[at];
  const Status enqueued = enqueue(batch, slot);
  if (!enqueued.ok()) {
    // The device may still read what the caller takes back when this returns.
    static_cast<void>(slot.stream.synchronize());
    slot.block.let_go();
    return explain(enqueued.error());
  }
  slot.rows = batch.rows;
  reaper_->watch(slot.done, listener);
  return {};
}

Status CudaRunner::check(const RunBatch& batch) const {
  if (terminated_.load(std::memory_order_relaxed))
    return Error{ErrorCode::kCancelled, "the replica was ended"};
  if (batch.rows <= capacity_) return {};
  return Error{ErrorCode::kOutOfMemory,
               model_->options().name + ": a batch of " + std::to_string(batch.rows) +
                   " rows, where the memory is for " + std::to_string(capacity_)};
}

Error CudaRunner::explain(const Error& error) const {
  const CudaModelOptions& options = model_->options();
  if (error.code != ErrorCode::kDeviceLost)
    return {error.code, options.name + ": " + error.message};
  return {error.code, options.name + ": CUDA device " + std::to_string(options.device) +
                          " is lost to this process (" + error.message + ")"};
}

Status CudaRunner::enqueue(const RunBatch& batch, Slot& slot) {
  Status status = place(batch.rows, slot);
  if (!status.ok()) return status;
  const Result<bool> launched = enqueue_graph(batch, slot);
  if (!launched.ok()) return launched.error();
  slot.as_graph = launched.value();
  if (!slot.as_graph) status = enqueue_calls(batch, slot);
  if (status.ok()) status = slot.stream.record(slot.done);
  return status;
}

Status CudaRunner::enqueue_calls(const RunBatch& batch, Slot& slot) {
  Status status;
  for (std::size_t i = 0; i < inputs_.size() && status.ok(); ++i)
    status = copy_in(batch.inputs[i], i, batch.rows, slot);
  if (status.ok()) status = launch(batch.rows, slot);
  if (status.ok()) status = copy_out(batch.rows, slot);
  return status;
}

// Whether all of its tensors lie, or can be copied to, where those of every batch do.
bool CudaRunner::may_be_graph(const RunBatch& batch, const Slot& slot) const {
  const auto is_elsewhere = [](const TensorView& input) { return input.handles != nullptr; };
  return model_->options().graphs && !slot.block && is_graph_size(batch.rows, capacity_) &&
         slot.graphs.serves(batch.rows) && std::ranges::none_of(batch.inputs, is_elsewhere);
}

// The same for all batches of a size, so that there is one graph of each.
bool CudaRunner::in_graph(std::size_t input, std::size_t rows) const {
  return rows * inputs_[input].row_bytes <= kMostInGraph;
}

// False: not as a graph.
Result<bool> CudaRunner::enqueue_graph(const RunBatch& batch, Slot& slot) {
  if (!may_be_graph(batch, slot)) return false;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (in_graph(i, batch.rows)) {
      stage(batch.inputs[i], i, batch.rows, slot);
      continue;
    }
    const Status copied = copy_in(batch.inputs[i], i, batch.rows, slot);
    if (!copied.ok()) return copied.error();
  }
  return slot.graphs.launch(batch.rows, slot.stream,
                            [&] { return record_batch(batch.rows, slot); });
}

// What is the same for all batches of so many rows.
Status CudaRunner::record_batch(std::size_t rows, Slot& slot) {
  Status status;
  for (std::size_t i = 0; i < inputs_.size() && status.ok(); ++i) {
    if (!in_graph(i, rows)) continue;
    const auto [row_bytes, at] = inputs_[i];
    const auto staged = slot.staged.span().subspan(at, rows * row_bytes);
    status = slot.stream.copy_to_device(slot.device, staged, at);
  }
  if (status.ok()) status = launch(rows, slot);
  if (status.ok()) status = copy_out(rows, slot);
  return status;
}

bool CudaRunner::hands_on(std::size_t result) const {
  return result < handed_.size() && handed_[result];
}

// Where the tensors of the batch lie: in memory of the slot, but for what is handed on.
Status CudaRunner::place(std::size_t rows, Slot& slot) const {
  slot.tensors.clear();
  for (const auto* places : {&inputs_, &outputs_}) {
    for (const Place& one : *places) slot.tensors.push_back(slot.device.address() + one.at);
  }
  slot.block.let_go();
  if (blocks_ == nullptr) return {};
  slot.handles.resize(wanted_.size());
  std::vector<std::size_t> row_bytes;
  for (std::size_t i = 0; i < wanted_.size(); ++i)
    row_bytes.push_back(hands_on(i) ? results_[i].row_bytes : 0);
  const BlockPlan plan = plan_block(row_bytes, rows);
  auto taken = blocks_->take(plan.bytes, model_->options().memory_limit);
  if (!taken.ok()) {
    const bool full = taken.error().code == ErrorCode::kOutOfMemory;
    return full ? Status{} : taken.error();
  }
  slot.block = std::move(taken.value());
  RowBlock* const block = slot.block.get();
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    if (!hands_on(i)) continue;
    slot.tensors[inputs_.size() + wanted_[i]] = block->address() + plan.starts[i];
    point_to(slot.handles[i], block, plan.starts[i], row_bytes[i], rows);
  }
  return {};
}

Status CudaRunner::copy_in(const TensorView& input, std::size_t index, std::size_t rows,
                           Slot& slot) {
  if (input.handles != nullptr) return take_in({input.handles, rows}, index, slot);
  const Place& place = inputs_[index];
  const std::size_t bytes = rows * place.row_bytes;
  if (PinnedArena::holds(input.data, bytes))
    return slot.stream.copy_to_device(slot.device, {input.data, bytes}, place.at);
  return slot.stream.copy_to_device(slot.device, stage(input, index, rows, slot), place.at);
}

// Into pinned memory of the slot.
std::span<std::byte> CudaRunner::stage(const TensorView& input, std::size_t index, std::size_t rows,
                                       Slot& slot) const {
  const auto [row_bytes, at] = inputs_[index];
  const std::span<std::byte> staged = slot.staged.span().subspan(at, rows * row_bytes);
  std::memcpy(staged.data(), input.data, staged.size());
  return staged;
}

// Rows that others left.
Status CudaRunner::take_in(std::span<const RowHandle> rows, std::size_t index, Slot& slot) {
  const auto [row_bytes, at] = inputs_[index];
  if (is_tensor_on(model_->block_device(), rows, row_bytes)) {
    slot.tensors[index] = rows.front().block->address() + rows.front().at;
    return {};
  }
  Status status;
  each_run(rows, row_bytes, [&, bytes = row_bytes, start = at](std::size_t row, std::size_t count) {
    if (status.ok()) status = take_run(rows[row], start + row * bytes, count * bytes, slot);
  });
  return status;
}

// Into the slot's memory. That of another device may be lost, which says nothing of this one.
Status CudaRunner::take_run(const RowHandle& first, std::size_t at, std::size_t bytes, Slot& slot) {
  const RowBlock& block = *first.block;
  if (block.device() == model_->block_device())
    return slot.stream.copy_on_device(slot.device, block.address() + first.at, bytes, at);
  const std::span<std::byte> staged = slot.staged.span().subspan(at, bytes);
  const Status read = block.read(first.at, staged);
  if (!read.ok()) return Error{ErrorCode::kStageFailed, read.error().message};
  return slot.stream.copy_to_device(slot.device, staged, at);
}

Status CudaRunner::launch(std::size_t rows, Slot& slot) {
  const CudaModelOptions& options = model_->options();
  auto count = static_cast<unsigned>(rows);
  std::vector<void*> arguments;
  arguments.reserve(slot.tensors.size() + 1);
  for (cuda::DeviceAddress& address : slot.tensors) arguments.push_back(&address);
  arguments.push_back(&count);
  const LaunchShape shape{
      {count, options.grid[0], options.grid[1]}, options.block, options.shared_bytes};
  return model_->kernel().launch(shape, arguments, slot.stream);
}

Status CudaRunner::copy_out(std::size_t rows, Slot& slot) {
  Status status;
  for (std::size_t i = 0; i < results_.size() && status.ok(); ++i) {
    if (slot.block && hands_on(i)) continue;
    const auto [row_bytes, at] = results_[i];
    status = slot.stream.copy_to_host(slot.results.span().subspan(at, rows * row_bytes),
                                      slot.device, outputs_[wanted_[i]].at);
  }
  return status;
}

Status CudaRunner::finish(std::size_t at, RunResult& result) {
  Slot& slot = slots_[at];
  reaper_->settle();
  const std::size_t rows = std::exchange(slot.rows, 0);
  const Result<bool> done = slot.done.is_done();
  if (!done.ok()) {
    slot.block.let_go();
    return explain(done.error());
  }
  result.as_graph = slot.as_graph;
  result.ragged.clear();
  result.failed.clear();
  result.outputs.resize(wanted_.size());
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    TensorView& view = result.outputs[i];
    const bool stays = slot.block && hands_on(i);
    view.data = stays ? nullptr : slot.results.span().data() + results_[i].at;
    view.handles = stays ? slot.handles[i].data() : nullptr;
    view.strings = nullptr;
    view.dims = model_->outputs()[wanted_[i]].dims;
    view.dims[0] = static_cast<std::int64_t>(rows);
  }
  return {};
}

}  // namespace millrace
