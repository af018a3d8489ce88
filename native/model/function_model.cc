#include "model/function_model.h"

#include <mutex>
#include <unordered_map>
#include <utility>

namespace millrace {
namespace {

// Never destroyed: a worker may look a model up while the process is on its way out.
struct Registry {
  std::mutex mutex;
  std::uint32_t last_id = 0;                                               // guarded by mutex
  std::unordered_map<std::uint32_t, std::weak_ptr<FunctionModel>> models;  // guarded by mutex
};

Registry& registry() {
  static auto* const registry = new Registry;
  return *registry;
}

std::size_t element_count(const std::vector<std::int64_t>& dims) {
  std::size_t count = 1;
  for (const std::int64_t dim : dims) count *= static_cast<std::size_t>(dim);
  return count;
}

}  // namespace

std::shared_ptr<FunctionModel> FunctionModel::make(FunctionModelOptions options) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  const std::uint32_t id = ++all.last_id;
  std::shared_ptr<FunctionModel> model(new FunctionModel(std::move(options), id));
  all.models[id] = model;
  return model;
}

std::shared_ptr<FunctionModel> FunctionModel::find(std::uint32_t id) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  const auto found = all.models.find(id);
  return found == all.models.end() ? nullptr : found->second.lock();
}

FunctionModel::FunctionModel(FunctionModelOptions options, std::uint32_t id)
    : options_(std::move(options)),
      id_(id),
      exchange_(std::make_shared<FunctionExchange>(options_.name, options_.timeout)) {}

FunctionModel::~FunctionModel() {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  all.models.erase(id_);
}

Result<std::unique_ptr<Runner>> FunctionModel::make_runner(const RunnerOptions& options) {
  return std::unique_ptr<Runner>(std::make_unique<FunctionRunner>(exchange_, options.outputs));
}

FunctionRunner::FunctionRunner(std::shared_ptr<FunctionExchange> exchange,
                               std::vector<std::size_t> outputs)
    : exchange_(std::move(exchange)), wanted_(std::move(outputs)) {}

Status FunctionRunner::run(const RunBatch& batch, RunResult& result) {
  exchange_->call(call_, batch);
  const FunctionAnswer& answer = call_.answer;
  result.outputs.assign(wanted_.size(), {});
  result.ragged.clear();
  result.failed.clear();
  if (answer.error) {
    if (!answer.whole || answer.error->code == ErrorCode::kCancelled) return *answer.error;
    for (std::size_t row = 0; row < batch.rows; ++row)
      result.failed.push_back({row, *answer.error});
    return {};
  }
  result.failed = answer.failed;
  for (std::size_t i = 0; i < wanted_.size(); ++i) view(answer.outputs[wanted_[i]], i, result);
  return {};
}

void FunctionRunner::view(const FunctionOutput& output, std::size_t at, RunResult& result) {
  if (!output.ragged) {
    result.outputs[at] = {output.bytes.data(), output.strings.data(), output.dims.front()};
    return;
  }
  result.ragged.resize(wanted_.size());
  std::size_t elements = 0;
  for (const auto& dims : output.dims) elements += dims.empty() ? 0 : element_count(dims);
  const std::size_t element_bytes = elements == 0 ? 0 : output.bytes.size() / elements;
  std::size_t first = 0;
  for (const auto& dims : output.dims) {
    result.ragged[at].push_back(
        {output.bytes.data() + first * element_bytes, output.strings.data() + first, dims});
    first += dims.empty() ? 0 : element_count(dims);
  }
}

}  // namespace millrace
