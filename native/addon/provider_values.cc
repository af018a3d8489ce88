#include "addon/provider_values.h"

#include <cmath>

#include "addon/value_reader.h"
#include "cuda/cuda_budget.h"

namespace millrace {
namespace {

ProviderKind read_kind(const Napi::Object& provider) {
  const std::string kind = text(provider, "kind");
  for (const ProviderKind one :
       {ProviderKind::kCpu, ProviderKind::kCuda, ProviderKind::kTensorRt, ProviderKind::kWebGpu}) {
    if (kind == provider_name(one)) return one;
  }
  throw Napi::TypeError::New(provider.Env(), "no provider '" + kind + "'");
}

}  // namespace

ExecutionProvider read_provider(const Napi::Object& provider) {
  return {read_kind(provider), provider.Get("device").As<Napi::Number>().Int32Value(),
          read_texts(provider, "options")};
}

std::size_t read_memory_limit(const Napi::Object& object) {
  const double limit = number(object, "memoryBytes");
  return std::isfinite(limit) ? static_cast<std::size_t>(limit) : CudaBudget::kNoLimit;
}

std::vector<std::pair<std::string, std::string>> read_texts(const Napi::Object& object,
                                                            const char* key) {
  std::vector<std::pair<std::string, std::string>> texts;
  const auto values = object.Get(key).As<Napi::Object>();
  const Napi::Array keys = values.GetPropertyNames();
  for (std::uint32_t i = 0; i < keys.Length(); ++i) {
    const std::string one = keys.Get(i).As<Napi::String>().Utf8Value();
    texts.emplace_back(one, text(values, one.c_str()));
  }
  return texts;
}

}  // namespace millrace
