#include "model/host_rows.h"

#include <optional>
#include <utility>

namespace millrace {
namespace {

Status copy(std::span<const RowHandle> rows, std::size_t row_bytes, std::span<std::byte> to) {
  std::size_t missing = 0;
  std::optional<Error> why;
  each_run(rows, row_bytes, [&](std::size_t first, std::size_t count) {
    const RowHandle& row = rows[first];
    const Status read = row.block->read(row.at, to.subspan(first * row_bytes, count * row_bytes));
    if (read.ok()) return;
    missing += count;
    why = read.error();
  });
  if (!why) return {};
  if (missing < rows.size()) why->code = ErrorCode::kStageFailed;
  return *why;
}

class HostRowsRunner final : public Runner {
 public:
  HostRowsRunner(std::unique_ptr<Runner> runner, const Model& model)
      : runner_(std::move(runner)), rows_(model) {}

  Status run(const RunBatch& batch, RunResult& result) override {
    const Result<RunBatch> shown = rows_.show(batch);
    if (!shown.ok()) return shown.error();
    return own(runner_->run(shown.value(), result), result);
  }

  // What is shown stays until this returns, which is all that is asked of memory that was not
  // allocated for the model.
  Status begin(const RunBatch& batch, std::size_t slot, RunListener& listener) override {
    const Result<RunBatch> shown = rows_.show(batch);
    return shown.ok() ? runner_->begin(shown.value(), slot, listener) : shown.error();
  }

  Status finish(std::size_t slot, RunResult& result) override {
    return own(runner_->finish(slot, result), result);
  }

  [[nodiscard]] std::size_t slots() const override { return runner_->slots(); }
  [[nodiscard]] std::size_t max_batch() const override { return runner_->max_batch(); }
  [[nodiscard]] const Error* replaced() const override { return runner_->replaced(); }
  void interrupt() noexcept override { runner_->interrupt(); }
  void resume() noexcept override { runner_->resume(); }
  void terminate() noexcept override { runner_->terminate(); }

 private:
  // The result may be one that another runner left handles in.
  static Status own(Status status, RunResult& result) {
    for (TensorView& view : result.outputs) view.handles = nullptr;
    return status;
  }

  const std::unique_ptr<Runner> runner_;
  HostRows rows_;
};

}  // namespace

std::size_t row_bytes_of(const TensorView& view, DataType type) {
  std::size_t bytes = element_size(type);
  for (const std::int64_t dim : std::span(view.dims).subspan(1))
    bytes *= static_cast<std::size_t>(dim);
  return bytes;
}

HostRows::HostRows(const Model& model) : copies_(model.inputs().size()) {
  for (const TensorSpec& input : model.inputs()) types_.push_back(input.type);
}

Result<RunBatch> HostRows::show(const RunBatch& batch) {
  views_.assign(batch.inputs.begin(), batch.inputs.end());
  for (std::size_t i = 0; i < views_.size(); ++i) {
    if (views_[i].handles == nullptr) continue;
    const Status read = read_rows(i, batch.rows);
    if (!read.ok()) return read.error();
  }
  RunBatch shown = batch;
  shown.inputs = views_;
  return shown;
}

Status HostRows::read_rows(std::size_t input, std::size_t rows) {
  TensorView& view = views_[input];
  const std::span handles(std::exchange(view.handles, nullptr), rows);
  const std::size_t row_bytes = row_bytes_of(view, types_[input]);
  const RowHandle& first = handles.front();
  if (first.block->device() == nullptr && run_length(handles, row_bytes) == rows) {
    view.data = static_cast<const HostBlock&>(*first.block).data() + first.at;
    return {};
  }
  copies_[input].resize(rows * row_bytes);
  view.data = copies_[input].data();
  return copy(handles, row_bytes, copies_[input]);
}

std::unique_ptr<Runner> on_host_rows(std::unique_ptr<Runner> runner, const Model& model) {
  return std::make_unique<HostRowsRunner>(std::move(runner), model);
}

}  // namespace millrace
