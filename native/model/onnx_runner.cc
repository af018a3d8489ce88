#include "model/onnx_runner.h"

#include <algorithm>

#include "model/ort_library.h"

namespace millrace {
namespace {

constexpr std::uint32_t kInterrupted = 1;  // this run
constexpr std::uint32_t kTerminated = 2;   // this run and all later ones

std::vector<const TensorSpec*> wanted_outputs(const Model& model, const RunnerOptions& options) {
  std::vector<const TensorSpec*> specs;
  for (const std::size_t index : options.outputs) specs.push_back(&model.outputs()[index]);
  return specs;
}

bool begins_with_rows(const TensorSpec& spec) {
  return !spec.dims.empty() && spec.dims[0] == -1;
}

// A model may declare a shape that its outputs do not have; Run then refuses the values made for
// that shape. Guessed from the text, as no code tells; a wrong guess costs a second run.
bool may_be_refused_output(const OrtFailure& failure) {
  return failure.text.find("shape") != std::string::npos ||
         failure.text.find("size mismatch") != std::string::npos;  // where it is copied there
}

}  // namespace

Result<std::unique_ptr<Runner>> OnnxRunner::make(const OrtLibrary& library, Program program,
                                                 const RunnerOptions& options) {
  const ort::Api& api = library.api();
  ort::RunOptions* raw_options = nullptr;
  OrtCalls call(api);
  call(ort::kCreateRunOptions, &raw_options);
  ort::Owned<ort::RunOptions> run_options(raw_options, api[ort::kReleaseRunOptions]);
  call(ort::kRunOptionsSetRunLogSeverityLevel, raw_options, ort::LogLevel::kFatal);
  if (call.failed())
    return Error{ErrorCode::kModelLoad, "cannot make a runner: " + call.failure().text};
  std::unique_ptr<DeviceRows> device;
  if (program.blocks != nullptr) {
    auto made = DeviceRows::make(library, *program.model, *program.blocks, options);
    if (!made.ok()) return made.error();
    device = std::move(made.value());
  }
  return std::unique_ptr<Runner>(new OnnxRunner(library, std::move(program), std::move(run_options),
                                                std::move(device), options));
}

OnnxRunner::OnnxRunner(const OrtLibrary& library, Program program,
                       ort::Owned<ort::RunOptions> run_options, std::unique_ptr<DeviceRows> device,
                       const RunnerOptions& options)
    : api_(library.api()),
      model_(std::move(program.model)),
      session_(std::move(program.session)),
      line_(DeviceTurn::line_of(program.provider)),
      run_options_(std::move(run_options)),
      rows_known_(!model_->inputs().empty() &&
                  std::all_of(model_->inputs().begin(), model_->inputs().end(), begins_with_rows)),
      inputs_(library, model_->inputs()),
      outputs_(library, wanted_outputs(*model_, options), rows_known_, options.max_batch),
      device_(std::move(device)),
      replaceable_(program.replaceable) {
  for (const TensorSpec& spec : model_->inputs()) input_names_.push_back(spec.name.c_str());
  for (const TensorSpec* spec : wanted_outputs(*model_, options))
    output_names_.push_back(spec->name.c_str());
}

Status OnnxRunner::run(const RunBatch& batch, RunResult& result) {
  if (line_ == nullptr) return run_in_turn(batch, result);
  // Acquire: pairs with end_run(), which changes it before it wakes those that wait.
  const bool mine = line_->enter([this] { return ends_.load(std::memory_order_acquire) != 0; });
  if (!mine)
    return Error{ErrorCode::kCancelled, "ended while it waited for its turn at the device"};
  const DeviceTurn turn(line_);
  return run_in_turn(batch, result);
}

Status OnnxRunner::run_in_turn(const RunBatch& batch, RunResult& result) {
  result.ragged.clear();
  result.failed.clear();
  if (device_ == nullptr) return run_tensors(batch.inputs, {}, result.outputs);
  Status taken = device_->take_in(batch);
  if (!taken.ok()) return noticed(std::move(taken));
  Status ran = run_tensors(device_->inputs(), device_->places(), result.outputs);
  if (ran.ok()) device_->hand_on(result.outputs);
  return noticed(device_->end(std::move(ran)));
}

Status OnnxRunner::noticed(Status status) {
  if (!status.ok() && status.error().code == ErrorCode::kDeviceLost) loss_.note(status.error());
  return status;
}

Status OnnxRunner::run_tensors(std::span<const TensorView> inputs,
                               std::span<const ort::MemoryInfo* const> places,
                               std::vector<TensorView>& outputs) {
  Status bound = inputs_.bind(inputs, places);
  if (!bound.ok()) return bound;
  const std::int64_t rows = rows_of(inputs);
  ort::Value** const values = outputs_.prepare(rows);
  if (device_ != nullptr) {
    Status placed = device_->place(rows, outputs_);
    if (!placed.ok()) return placed;
  }
  ort::ErrorStatus* const status = run_session(values);
  if (status == nullptr) return outputs_.view(outputs);
  OrtFailure failure = take_failure(api_, status);
  if (outputs_.any_preallocated() && may_be_refused_output(failure))
    return run_unallocated(outputs);
  return explain(std::move(failure));
}

// Again, since memory that was made for the outputs may have been refused.
Status OnnxRunner::run_unallocated(std::vector<TensorView>& outputs) {
  if (device_ != nullptr) device_->withdraw();
  ort::ErrorStatus* const status = run_session(outputs_.prepare_unallocated());
  if (status != nullptr) return explain(take_failure(api_, status));
  outputs_.stop_preallocating();
  if (device_ != nullptr) device_->stop_placing();
  return outputs_.view(outputs);
}

Error OnnxRunner::explain(OrtFailure failure) const {
  // Relaxed: it only names a failure that ONNX Runtime's own flag, set after it, has caused.
  const bool ended = ends_.load(std::memory_order_relaxed) != 0;
  return {ended ? ErrorCode::kCancelled : ErrorCode::kStageFailed, std::move(failure.text)};
}

ort::ErrorStatus* OnnxRunner::run_session(ort::Value** outputs) {
  return api_[ort::kRun](session_.get(), run_options_.get(), input_names_.data(), inputs_.values(),
                         input_names_.size(), output_names_.data(), output_names_.size(), outputs);
}

std::int64_t OnnxRunner::rows_of(std::span<const TensorView> inputs) const {
  if (!rows_known_) return -1;
  std::int64_t rows = -1;
  for (const TensorView& input : inputs) {
    if (input.dims.empty() || (rows != -1 && input.dims[0] != rows)) return -1;
    rows = input.dims[0];
  }
  return rows;
}

void OnnxRunner::interrupt() noexcept {
  end_run(kInterrupted);
}

void OnnxRunner::terminate() noexcept {
  end_run(kTerminated);
}

void OnnxRunner::end_run(std::uint32_t reason) noexcept {
  ends_.fetch_or(reason, std::memory_order_acq_rel);
  if (auto* status = api_[ort::kRunOptionsSetTerminate](run_options_.get()))
    api_[ort::kReleaseStatus](status);
  if (line_ != nullptr) line_->wake();
}

// A terminate() that changes ends_ before this does is seen here and its flag set again; one that
// comes after acquires this change, so that its flag is set after this took it back.
void OnnxRunner::resume() noexcept {
  if (auto* status = api_[ort::kRunOptionsUnsetTerminate](run_options_.get()))
    api_[ort::kReleaseStatus](status);
  const std::uint32_t before = ends_.fetch_and(~kInterrupted, std::memory_order_acq_rel);
  if ((before & kTerminated) != 0) end_run(kTerminated);
}

}  // namespace millrace
