#include "addon/histogram_values.h"

#include <vector>

#include "addon/value_reader.h"

namespace millrace {
namespace {

constexpr auto kNanosPerMs = static_cast<double>(kNanosPerMilli);

// `unit`: how many of the core's units are one of JavaScript's.
std::vector<double> read_list(const Napi::Object& object, const char* key, double unit) {
  std::vector<double> bounds;
  each(object, key, [&](const Napi::Value& value) {
    // A bound of so many units and not a hair less: 0.07 ms are 70,000 ns.
    bounds.push_back(std::round(value.As<Napi::Number>().DoubleValue() * unit));
  });
  return bounds;
}

Napi::Object write_counts(Napi::Env env, const HistogramCounts& counts, double unit) {
  Napi::Object object = Napi::Object::New(env);
  Napi::Array up_to = Napi::Array::New(env, counts.up_to.size());
  for (std::uint32_t i = 0; i < counts.up_to.size(); ++i) {
    up_to.Set(i, Napi::Number::New(env, static_cast<double>(counts.up_to[i])));
  }
  object.Set("upTo", up_to);
  object.Set("count", Napi::Number::New(env, static_cast<double>(counts.count)));
  object.Set("sum", Napi::Number::New(env, counts.sum / unit));
  return object;
}

Napi::Object write_stage(Napi::Env env, const StageHistograms& stage) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("queueMs", write_counts(env, stage.queue_ns, kNanosPerMs));
  object.Set("serviceMs", write_counts(env, stage.service_ns, kNanosPerMs));
  object.Set("batchRows", write_counts(env, stage.batch_rows, 1));
  return object;
}

}  // namespace

HistogramBounds read_bounds(const Napi::Object& object) {
  return {read_list(object, "latencyMs", kNanosPerMs), read_list(object, "stageMs", kNanosPerMs),
          read_list(object, "batchRows", 1)};
}

Napi::Object write_histograms(Napi::Env env, const EngineHistograms& histograms,
                              const PipelineSpec& spec) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("latencyMs", write_counts(env, histograms.latency_ns, kNanosPerMs));
  Napi::Object stages = Napi::Object::New(env);
  for (std::size_t i = 0; i < histograms.stages.size(); ++i) {
    stages.Set(spec.stages[i].name, write_stage(env, histograms.stages[i]));
  }
  object.Set("stages", stages);
  return object;
}

}  // namespace millrace
