// What the engine asks of a model, whatever runs it: ONNX Runtime here, a fake in the tests.
//
// A Model is loaded once, is immutable and may be used from any thread. A Runner is the execution
// context of one replica: it is used by one thread at a time, except terminate(), which any thread
// may call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/data_type.h"
#include "base/result.h"

namespace millrace {

struct TensorSpec {
  std::string name;
  DataType type = DataType::kUndefined;
  std::vector<std::int64_t> dims;    // -1 where the model leaves a dimension open
  std::vector<std::string> symbols;  // one per dimension; empty where the model gives no name
};

// A tensor that somebody else owns, row-major. Exactly one of `data` and `strings` is set (strings
// for DataType::kString); an empty tensor may have either null.
struct TensorView {
  const std::byte* data = nullptr;
  const std::string* strings = nullptr;
  std::vector<std::int64_t> dims;
};

class Runner {
 public:
  virtual ~Runner() = default;

  // Runs the model on one batch. `inputs` follow Model::inputs(), each with its full dims (batch
  // included), and stay valid until run() returns. On success `outputs` is resized to the `outputs`
  // asked of make_runner, in that order; the memory they view belongs to the Runner and is valid
  // until its next run() or its destruction.
  virtual Status run(std::span<const TensorView> inputs, std::vector<TensorView>& outputs) = 0;

  // Makes the run in progress, and every later one, fail as soon as possible. Safe from any thread;
  // never blocks.
  virtual void terminate() noexcept = 0;
};

struct RunnerOptions {
  std::vector<std::size_t> outputs;  // indices into Model::outputs() that the caller wants computed
  std::size_t max_batch = 1;         // largest batch it will be given; buffers may be sized by it
};

class Model {
 public:
  virtual ~Model() = default;
  virtual const std::vector<TensorSpec>& inputs() const = 0;
  virtual const std::vector<TensorSpec>& outputs() const = 0;

  // Microseconds where replicas can share what is loaded (one thread each); otherwise as slow as
  // loading the model. The Runner keeps the Model's resources alive.
  virtual Result<std::unique_ptr<Runner>> make_runner(const RunnerOptions& options) = 0;
};

}  // namespace millrace
