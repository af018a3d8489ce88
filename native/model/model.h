// What the engine asks of a model, whatever runs it: ONNX Runtime here, a fake in the tests.
//
// A Model is loaded once, is immutable and may be used from any thread. A Runner is the execution
// context of one replica: it is used by one thread at a time, except terminate(), which any thread
// may call.
//
// A runner with more than one slot can have a batch in each: begin() returns while the batch is in
// progress, its listener is told when it has ended, and finish() then gives what it left. So the
// copies of one overlap the computation of another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/data_type.h"
#include "base/result.h"
#include "model/row_block.h"

namespace millrace {

struct TensorSpec {
  std::string name;
  DataType type = DataType::kUndefined;
  std::vector<std::int64_t> dims;    // -1 where the model leaves a dimension open
  std::vector<std::string> symbols;  // one per dimension; empty where the model gives no name
};

// A tensor that somebody else owns, row-major. Exactly one of `data`, `strings` (for
// DataType::kString) and `handles` is set; an empty tensor may have all null. Where it is handles,
// there is one for each row, each of which lies somewhere as it would in the tensor.
struct TensorView {
  const std::byte* data = nullptr;
  const std::string* strings = nullptr;
  std::vector<std::int64_t> dims;
  const RowHandle* handles = nullptr;
};

// What a run is given. Inputs follow Model::inputs(); each is one tensor of all rows, unless its
// rows have shapes of their own (only for a model that accepts_ragged()). Handles are given to a
// model that has a block_device() only; their blocks are held until the batch has ended.
struct RunBatch {
  std::size_t rows = 1;
  Nanos deadline = kNever;             // the earliest of its rows'
  std::span<const TensorView> inputs;  // full dims, batch included
  std::span<const std::vector<TensorView>>
      ragged;  // empty, or per input: a view for each row, with
               // the dims of the row alone; empty where stacked
};

// A row that failed alone, while others of its batch did not.
struct RowFailure {
  std::size_t row = 0;
  Error error;
};

// What a run leaves, in the order of RunnerOptions::outputs. The memory belongs to the Runner,
// which holds the blocks of handles for as long as the result is valid.
struct RunResult {
  std::vector<TensorView> outputs;              // full dims, batch included; unused where ragged
  std::vector<std::vector<TensorView>> ragged;  // empty, or per output: a view for each row, with
                                                // the dims of the row alone; empty where stacked
  std::vector<RowFailure> failed;  // ascending; what other fields say of them is not read
  bool as_graph = false;  // whether a device was given the batch in one call, as a CUDA graph
};

// Who wants to know that a batch has ended.
class RunListener {
 public:
  // Any thread; quick, and calls back into no runner. Once for each begin() that succeeded, maybe
  // before that returned.
  virtual void run_ended() noexcept = 0;

 protected:
  ~RunListener() = default;
};

class Runner {
 public:
  virtual ~Runner() = default;

  // Runs the model on one batch. Inputs stay valid until run() returns; `result`, which is
  // overwritten, is valid until the next run() or the destruction of the Runner.
  // Where there are slots, one must be free.
  virtual Status run(const RunBatch& batch, RunResult& result) = 0;

  // How many batches may be in progress at once. 1: only run() is called.
  [[nodiscard]] virtual std::size_t slots() const { return 1; }

  // The largest batch it can be given: may be less than it was asked for, where memory is short.
  [[nodiscard]] virtual std::size_t max_batch() const { return static_cast<std::size_t>(-1); }

  // Begins a batch in a free slot; on failure nothing has begun. Inputs stay valid until it
  // returns, and those that lie in memory of Model::input_memory() until finish(). Only called
  // where slots() is more than 1.
  virtual Status begin(const RunBatch& batch, std::size_t slot, RunListener& listener);

  // After the listener was told: frees the slot, and returns when nobody is in the listener any
  // more. `result` is valid until the slot is begun again, or run() is called.
  virtual Status finish(std::size_t slot, RunResult& result);

  // Makes the run in progress, or if there is none the next one, fail with kCancelled as soon as
  // possible; does nothing where it cannot be interrupted. Holds until resume(). Any thread; never
  // blocks.
  virtual void interrupt() noexcept {}

  // Takes an interruption back, so that later runs are not affected. Not during a run, nor at the
  // same time as interrupt().
  virtual void resume() noexcept {}

  // Why another model has taken the place of this runner's for good, or has to, as this one's
  // device is lost; null where none has. Any thread; valid as long as the runner is.
  [[nodiscard]] virtual const Error* replaced() const { return nullptr; }

  // Makes the run in progress, and every later one, fail as soon as possible. Safe from any thread;
  // never blocks.
  virtual void terminate() noexcept = 0;
};

inline Status Runner::begin(const RunBatch&, std::size_t, RunListener&) {
  return Error{ErrorCode::kStageFailed, "this model runs one batch at a time"};
}

inline Status Runner::finish(std::size_t, RunResult&) {
  return Error{ErrorCode::kStageFailed, "this model runs one batch at a time"};
}

// Memory of the host that a device reaches by itself, without a copy in between. Outlives the model
// that it is of.
class HostMemory {
 public:
  virtual ~HostMemory() = default;

  // Null where there is none to be had: then any other will do.
  virtual std::shared_ptr<std::byte[]> allocate(std::size_t bytes) = 0;
};

struct RunnerOptions {
  std::vector<std::size_t> outputs;  // indices into Model::outputs() that the caller wants computed
  std::size_t max_batch = 1;         // largest batch it will be given; buffers may be sized by it

  // As `outputs`: whether it may be left in a block of the model's block_device(), as handles.
  // Empty: none.
  std::vector<bool> handed = {};
};

class Model {
 public:
  virtual ~Model() = default;
  virtual const std::vector<TensorSpec>& inputs() const = 0;
  virtual const std::vector<TensorSpec>& outputs() const = 0;

  // Whether the rows of a batch may have shapes of their own.
  virtual bool accepts_ragged() const { return false; }

  // What a run of zeros does for the runs after it: nothing (and it must not be tried), something
  // for the runner that made it, or for all runners of the model.
  enum class WarmUp : std::uint8_t { kNone, kEachRunner, kOnce };
  virtual WarmUp warm_up() const { return WarmUp::kNone; }

  // Where rows should wait for it; null: anywhere.
  [[nodiscard]] virtual std::shared_ptr<HostMemory> input_memory() const { return nullptr; }

  // The device on which its runners leave rows for other stages, and read those of others where
  // they lie: equal for all models of a device. Null: they know nothing of handles.
  [[nodiscard]] virtual const void* block_device() const { return nullptr; }

  // Microseconds where replicas can share what is loaded (one thread each); otherwise as slow as
  // loading the model. The Runner keeps the Model's resources alive.
  virtual Result<std::unique_ptr<Runner>> make_runner(const RunnerOptions& options) = 0;
};

}  // namespace millrace
