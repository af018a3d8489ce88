// An ONNX model run by ONNX Runtime, on the CPU or an accelerator.
//
// A model is immutable once loaded and may be used from any thread. With one thread per replica all
// runners share one session, so a further runner costs microseconds and no memory for weights. With
// more, every runner has a pool of threads, and so a session and a copy of the weights, of its own:
// the first takes the session that was loaded, a further one loads the model again.
//
// On an accelerator all runners share one session, too, and its operators that the accelerator does
// not have run on the CPU. Runs on WebGPU go one at a time in the whole process: see
// device_turns.h.
//
// Not promised: that a run can be ended inside one operator (see Runner::terminate).
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "model/block_device.h"
#include "model/execution_provider.h"
#include "model/load_cancellation.h"
#include "model/model.h"

namespace millrace {

class OrtLibrary;
class SessionFactory;

namespace ort {
struct Session;
}

// A file or bytes: exactly one of `path` and `bytes` is set.
struct OnnxModelSource {
  std::string path;  // UTF-8
  std::vector<std::byte>
      bytes;         // an ONNX file in memory; freed after the load unless runners need it again
  std::string name;  // what messages call the model; the path when empty
};

struct OnnxModelOptions {
  // Threads inside one operator, per replica, at least 1 (the thread that calls run() is one of
  // them).
  int threads = 1;

  // What runs it. An accelerator takes one thread.
  ExecutionProvider provider;

  // Lets idle threads of a pool of two or more wait busily. Answers sooner (3.8 against 6.2 ms
  // measured for a model of about 9 ms of work called every 26 ms) and burns the processor for it
  // (1.17 cores against 0.25).
  bool spinning = false;

  // Keeps the working memory of runs in an arena, planned by input shape, instead of asking malloc.
  // Off: runs of small models contend on the arena's lock (two threads did 30 % more without it),
  // and the arena never gives back its peak (368 against 160 MB for an image model at batch 32).
  // Worth trying for a single replica with large tensors.
  bool arena = false;

  // Session settings of ONNX Runtime, by key; they win over ours. Unknown keys are ignored by it
  // without a word.
  std::vector<std::pair<std::string, std::string>> session_config;

  // Where it may leave rows for stages on the same device, and read theirs: used where `provider`
  // is CUDA's on that device. May be null: then rows go by way of the host.
  std::shared_ptr<BlockDevice> blocks = nullptr;

  // Whether somebody puts another model in its place where its device is lost: its runners then say
  // so (Runner::replaced()).
  bool replaceable = false;

  // Stops loading when cancelled, also the loading that make_runner does. May be null.
  std::shared_ptr<LoadCancellation> cancellation;
};

class OnnxModel final : public Model, public std::enable_shared_from_this<OnnxModel> {
 public:
  // Loads and optimises the model on the calling thread: milliseconds to many seconds. Errors:
  // kModelLoad, kInvalidOption, and kCancelled when the cancellation stopped it.
  static Result<std::shared_ptr<OnnxModel>> load(const OrtLibrary& library, OnnxModelSource source,
                                                 OnnxModelOptions options);
  ~OnnxModel() override;

  const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  const std::vector<TensorSpec>& outputs() const override { return outputs_; }
  WarmUp warm_up() const override;
  [[nodiscard]] const void* block_device() const override {
    return blocks_ == nullptr ? nullptr : blocks_->id();
  }
  Result<std::unique_ptr<Runner>> make_runner(const RunnerOptions& options) override;

 private:
  OnnxModel(const OrtLibrary& library, std::unique_ptr<SessionFactory> factory);
  Result<std::shared_ptr<ort::Session>> session_for_runner();

  const OrtLibrary& library_;
  std::unique_ptr<SessionFactory> factory_;
  std::shared_ptr<ort::Session> session_;
  std::vector<TensorSpec> inputs_;
  std::vector<TensorSpec> outputs_;
  std::shared_ptr<BlockDevice> blocks_;  // null: its runners know nothing of handles
  bool replaceable_ = false;             // these two are written by load()
  std::mutex mutex_;                     // one runner at a time is made where each needs a session
};

}  // namespace millrace
