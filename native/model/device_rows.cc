#include "model/device_rows.h"

#include <algorithm>
#include <string>
#include <utility>

#include "model/ort_call.h"
#include "model/ort_library.h"
#include "model/output_values.h"

namespace millrace {
namespace {

bool is_full(const Result<BlockHold>& taken) {
  return !taken.ok() && taken.error().code == ErrorCode::kOutOfMemory;
}

}  // namespace

Result<std::unique_ptr<DeviceRows>> DeviceRows::make(const OrtLibrary& library, const Model& model,
                                                     BlockDevice& device,
                                                     const RunnerOptions& options) {
  auto user = device.use();
  if (!user.ok()) return user.error();
  const ort::Api& api = library.api();
  ort::MemoryInfo* memory = nullptr;
  OrtCalls call(api);
  call(ort::kCreateMemoryInfo, "Cuda", ort::AllocatorKind::kDevice, device.index(),
       ort::MemoryKind::kDefault, &memory);
  ort::Owned<ort::MemoryInfo> owned(memory, api[ort::kReleaseMemoryInfo]);
  if (call.failed()) {
    return Error{ErrorCode::kModelLoad,
                 "ONNX Runtime does not know memory of CUDA devices: " + call.failure().text};
  }
  return std::unique_ptr<DeviceRows>(
      new DeviceRows(device, std::move(user.value()), std::move(owned), model, options));
}

DeviceRows::DeviceRows(const BlockDevice& device, std::unique_ptr<BlockUser> user,
                       ort::Owned<ort::MemoryInfo> memory, const Model& model,
                       const RunnerOptions& options)
    : device_(device.id()),
      index_(device.index()),
      user_(std::move(user)),
      memory_(std::move(memory)),
      model_(model),
      host_(model),
      handles_(options.outputs.size()) {
  if (std::ranges::find(options.handed, true) != options.handed.end()) handed_ = options.handed;
}

Status DeviceRows::take_in(const RunBatch& batch) {
  block_.let_go();
  inputs_.assign(batch.inputs.begin(), batch.inputs.end());
  places_.assign(inputs_.size(), nullptr);
  std::vector<std::size_t> apart(inputs_.size(), 0);  // row bytes of what is to be copied together
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (inputs_[i].handles == nullptr || lies_ready(i, batch.rows)) continue;
    if (is_on_device({inputs_[i].handles, batch.rows}))
      apart[i] = row_bytes_of(inputs_[i], model_.inputs()[i].type);
  }
  Status gathered = gather(apart, batch.rows);
  if (!gathered.ok()) return gathered;
  RunBatch rest = batch;
  rest.inputs = inputs_;
  const Result<RunBatch> shown = host_.show(rest);
  if (!shown.ok()) return end(of_this_device(shown.error()));
  std::ranges::copy(shown.value().inputs, inputs_.begin());
  return {};
}

// Rows may be on another device that is lost, which says nothing of this one.
Error DeviceRows::of_this_device(Error error) const {
  if (error.code != ErrorCode::kDeviceLost) return error;
  const Status settled = user_->settle();
  const bool lost = !settled.ok() && settled.error().code == ErrorCode::kDeviceLost;
  if (!lost) error.code = ErrorCode::kStageFailed;
  return error;
}

bool DeviceRows::lies_ready(std::size_t input, std::size_t rows) {
  const std::span handles(inputs_[input].handles, rows);
  const std::size_t row_bytes = row_bytes_of(inputs_[input], model_.inputs()[input].type);
  if (!is_tensor_on(device_, handles, row_bytes)) return false;
  show_at(input, handles.front().block->address() + handles.front().at);
  return true;
}

bool DeviceRows::is_on_device(std::span<const RowHandle> rows) const {
  return std::ranges::any_of(
      rows, [this](const RowHandle& row) { return row.block->device() == device_; });
}

void DeviceRows::show_at(std::size_t input, std::uintptr_t address) {
  inputs_[input].handles = nullptr;
  inputs_[input].data = reinterpret_cast<const std::byte*>(address);  // NOLINT(performance-*)
  places_[input] = memory_.get();
}

Status DeviceRows::gather(std::span<const std::size_t> row_bytes, std::size_t rows) {
  const BlockPlan plan = plan_block(row_bytes, rows);
  if (plan.bytes == 0) return {};
  Result<BlockHold> taken = user_->take(plan.bytes);
  if (is_full(taken)) return {};  // then they are shown on the host
  if (!taken.ok()) return taken.error();
  gathered_ = std::move(taken.value());
  const Status copied = copy_together(plan, row_bytes, rows);
  if (!copied.ok()) return end(copied);
  for (std::size_t i = 0; i < row_bytes.size(); ++i) {
    if (row_bytes[i] > 0) show_at(i, gathered_.get()->address() + plan.starts[i]);
  }
  return {};
}

Status DeviceRows::copy_together(const BlockPlan& plan, std::span<const std::size_t> row_bytes,
                                 std::size_t rows) {
  Status begun;
  for (std::size_t i = 0; i < row_bytes.size() && begun.ok(); ++i) {
    if (row_bytes[i] == 0) continue;
    begun = user_->begin_copy({inputs_[i].handles, rows}, row_bytes[i], gathered_, plan.starts[i]);
  }
  Status ended = user_->wait();
  return begun.ok() ? ended : begun;
}

Status DeviceRows::place(std::int64_t rows, OutputValues& outputs) {
  for (auto& handles : handles_) handles.clear();
  if (rows < 1) return {};
  std::vector<std::size_t> row_bytes(handles_.size(), 0);
  for (std::size_t i = 0; i < handed_.size(); ++i)
    if (handed_[i]) row_bytes[i] = outputs.row_bytes(i);
  const auto count = static_cast<std::size_t>(rows);
  const BlockPlan plan = plan_block(row_bytes, count);
  if (plan.bytes == 0) return {};
  Result<BlockHold> taken = user_->take(plan.bytes);
  if (is_full(taken)) return {};  // then they come back to the host
  if (!taken.ok()) return taken.error();
  block_ = std::move(taken.value());
  for (std::size_t i = 0; i < row_bytes.size(); ++i) {
    if (row_bytes[i] == 0) continue;
    if (outputs.place(i, block_.get()->address() + plan.starts[i], *memory_))
      point_to(handles_[i], block_.get(), plan.starts[i], row_bytes[i], count);
  }
  return {};
}

void DeviceRows::withdraw() {
  for (auto& handles : handles_) handles.clear();
  if (!block_) return;
  static_cast<void>(user_->settle());  // what is wrong with the device the next run says
  block_.let_go();
}

void DeviceRows::hand_on(std::vector<TensorView>& outputs) const {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const bool stays = !handles_[i].empty();
    outputs[i].handles = stays ? handles_[i].data() : nullptr;
    if (stays) outputs[i].data = nullptr;
  }
}

Status DeviceRows::end(Status ran) {
  const bool used = block_ || std::ranges::any_of(places_, [](auto* at) { return at != nullptr; });
  // Also where it used nothing of ours: nobody else says that the device is lost.
  if (!ran.ok() && (used || gathered_ || ran.error().code != ErrorCode::kCancelled)) {
    const Status settled = user_->settle();
    if (!settled.ok() && settled.error().code == ErrorCode::kDeviceLost) {
      ran = Error{ErrorCode::kDeviceLost,
                  "CUDA device " + std::to_string(index_) + " is lost to this process (" +
                      settled.error().message + "): " + ran.error().message};
    }
  }
  if (!ran.ok()) block_.let_go();
  gathered_.let_go();
  return ran;
}

}  // namespace millrace
