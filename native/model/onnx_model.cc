#include "model/onnx_model.h"

#include <algorithm>

#include "model/onnx_runner.h"
#include "model/ort_library.h"
#include "model/session_factory.h"
#include "model/tensor_specs.h"

namespace millrace {
namespace {

// CUDA's provider reads and writes memory of its device wherever it is told to. Not so where it
// captures a graph: that is run again on the addresses of the first run. TensorRT and WebGPU have
// memory of their own ways.
std::shared_ptr<BlockDevice> usable_blocks(const OnnxModelOptions& options) {
  const ExecutionProvider& provider = options.provider;
  const auto captures = [](const auto& option) {
    return option.first == "enable_cuda_graph" && option.second != "0";
  };
  const bool usable = options.blocks != nullptr && provider.kind == ProviderKind::kCuda &&
                      provider.device == options.blocks->index() &&
                      std::ranges::none_of(provider.options, captures);
  return usable ? options.blocks : nullptr;
}

}  // namespace

OnnxModel::OnnxModel(const OrtLibrary& library, std::unique_ptr<SessionFactory> factory)
    : library_(library), factory_(std::move(factory)) {}

OnnxModel::~OnnxModel() = default;

Result<std::shared_ptr<OnnxModel>> OnnxModel::load(const OrtLibrary& library,
                                                   OnnxModelSource source,
                                                   OnnxModelOptions options) {
  if (options.threads < 1) {
    return Error{ErrorCode::kInvalidOption,
                 "threads must be at least 1, not " + std::to_string(options.threads)};
  }
  if (options.provider.kind != ProviderKind::kCpu && options.threads != 1) {
    return Error{ErrorCode::kInvalidOption,
                 std::string("a replica on ") + provider_name(options.provider.kind) +
                     " takes 1 thread, not " + std::to_string(options.threads)};
  }
  if (source.path.empty() == source.bytes.empty()) {
    return Error{ErrorCode::kInvalidOption,
                 "a model is loaded either from a path or from bytes, and neither may be empty"};
  }
  std::shared_ptr<BlockDevice> blocks = usable_blocks(options);
  const bool replaceable = options.replaceable;
  auto factory = std::make_unique<SessionFactory>(library, std::move(source), std::move(options));
  Result<std::shared_ptr<ort::Session>> session = factory->create();
  if (!session.ok()) return session.error();

  const std::string& name = factory->model_name();
  Result<std::vector<TensorSpec>> inputs =
      read_specs(library, *session.value(), Side::kInput, name);
  if (!inputs.ok()) return inputs.error();
  Result<std::vector<TensorSpec>> outputs =
      read_specs(library, *session.value(), Side::kOutput, name);
  if (!outputs.ok()) return outputs.error();

  std::shared_ptr<OnnxModel> model(new OnnxModel(library, std::move(factory)));
  model->session_ = std::move(session.value());
  model->inputs_ = std::move(inputs.value());
  model->outputs_ = std::move(outputs.value());
  model->blocks_ = std::move(blocks);
  model->replaceable_ = replaceable;
  return model;
}

Model::WarmUp OnnxModel::warm_up() const {
  return factory_->sessions_are_shared() ? WarmUp::kOnce : WarmUp::kEachRunner;
}

Result<std::unique_ptr<Runner>> OnnxModel::make_runner(const RunnerOptions& options) {
  for (const std::size_t output : options.outputs) {
    if (output < outputs_.size()) continue;
    return Error{ErrorCode::kInvalidOption, "the model '" + factory_->model_name() + "' has " +
                                                std::to_string(outputs_.size()) +
                                                " outputs; there is no output " +
                                                std::to_string(output)};
  }
  Result<std::shared_ptr<ort::Session>> session = session_for_runner();
  if (!session.ok()) return session.error();
  return OnnxRunner::make(
      library_,
      {shared_from_this(), std::move(session.value()), factory_->provider(), blocks_, replaceable_},
      options);
}

Result<std::shared_ptr<ort::Session>> OnnxModel::session_for_runner() {
  if (factory_->sessions_are_shared()) return session_;
  const std::lock_guard lock(mutex_);
  // Held by us alone: no runner has it yet, or the one that had it is gone.
  if (session_.use_count() == 1) return session_;
  return factory_->create();
}

}  // namespace millrace
