// A model that is a function in JavaScript, run by whoever opens a port on its exchange.
//
// The declared tensors are those of a batched model: the first dimension counts rows. A run blocks
// its replica's thread until the function has answered, so a replica is one call in progress.
//
// Models are known process-wide by a number, so that a worker thread can find the one it is to
// serve: its environment is another, and takes no objects from ours.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/function_exchange.h"
#include "model/model.h"

namespace millrace {

struct FunctionModelOptions {
  std::string name;  // what messages call it
  std::vector<TensorSpec> inputs;
  std::vector<TensorSpec> outputs;
  bool ragged = false;     // it is given one row at a time
  Nanos timeout = kNever;  // see FunctionExchange
};

class FunctionModel final : public Model {
 public:
  static std::shared_ptr<FunctionModel> make(FunctionModelOptions options);

  // Null once the model is gone. Any thread.
  static std::shared_ptr<FunctionModel> find(std::uint32_t id);

  ~FunctionModel() override;

  [[nodiscard]] std::uint32_t id() const { return id_; }
  [[nodiscard]] const std::shared_ptr<FunctionExchange>& exchange() const { return exchange_; }

  const std::vector<TensorSpec>& inputs() const override { return options_.inputs; }
  const std::vector<TensorSpec>& outputs() const override { return options_.outputs; }
  bool accepts_ragged() const override { return options_.ragged; }
  Result<std::unique_ptr<Runner>> make_runner(const RunnerOptions& options) override;

 private:
  FunctionModel(FunctionModelOptions options, std::uint32_t id);

  const FunctionModelOptions options_;
  const std::uint32_t id_;
  const std::shared_ptr<FunctionExchange> exchange_;
};

// Hands its runs to the exchange; see Runner.
class FunctionRunner final : public Runner {
 public:
  FunctionRunner(std::shared_ptr<FunctionExchange> exchange, std::vector<std::size_t> outputs);

  // An error where the function failed for the batch, and parts of it may be tried again. Where
  // they may not (no answer in time, its worker gone) every row is among the failed.
  Status run(const RunBatch& batch, RunResult& result) override;
  void interrupt() noexcept override { exchange_->interrupt(call_); }
  void resume() noexcept override { exchange_->resume(call_); }
  void terminate() noexcept override { exchange_->terminate(call_); }

 private:
  void view(const FunctionOutput& output, std::size_t at, RunResult& result);

  const std::shared_ptr<FunctionExchange> exchange_;
  const std::vector<std::size_t> wanted_;
  FunctionCall call_;
};

}  // namespace millrace
