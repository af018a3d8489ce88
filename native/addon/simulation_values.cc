#include "addon/simulation_values.h"

#include <cmath>
#include <cstdint>

#include "addon/value_reader.h"

namespace millrace {
namespace {

std::uint32_t index_at(const Napi::Array& list, std::uint32_t at) {
  return list.Get(at).As<Napi::Number>().Uint32Value();
}

// -1, for rows of the request, wraps to kRequest.
static_assert(SimulatedItems::kRequest == static_cast<std::uint32_t>(-1));

SimulatedPath read_path(const Napi::Object& object) {
  SimulatedPath path;
  path.share = number(object, "share");
  each(object, "visits", [&](const Napi::Value& value) {
    const auto visit = value.As<Napi::Array>();
    path.visits.push_back({index_at(visit, 0), index_at(visit, 1)});
  });
  each(object, "items", [&](const Napi::Value& value) {
    const auto items = value.As<Napi::Array>();
    path.items.push_back({index_at(items, 0), index_at(items, 1), index_at(items, 2)});
  });
  return path;
}

SimulatedStage read_stage(const Napi::Object& object) {
  SimulatedStage stage;
  each(object, "predecessors", [&](const Napi::Value& value) {
    stage.predecessors.push_back(value.As<Napi::Number>().Uint32Value());
  });
  stage.fan_out = flag(object, "fanOut");
  const double gather = number(object, "gather");
  if (gather >= 0) stage.gather = static_cast<std::uint32_t>(gather);
  return stage;
}

// Batch and milliseconds, in turn.
LatencyTable read_latency(const Napi::Object& service) {
  const auto list = service.Get("latency").As<Napi::Array>();
  std::vector<LatencyTable::Point> points;
  points.reserve(list.Length() / 2);
  for (std::uint32_t i = 0; i + 1 < list.Length(); i += 2) {
    const double ms = list.Get(i + 1).As<Napi::Number>().DoubleValue();
    points.push_back({index_at(list, i), to_nanos(ms)});
  }
  return LatencyTable(std::move(points));
}

void set(Napi::Object& object, const char* key, double value) {
  object.Set(key, Napi::Number::New(object.Env(), value));
}

// Divided, not multiplied by a millionth, which would be rounded twice.
void set_ms(Napi::Object& object, const char* key, Nanos value) {
  set(object, key, static_cast<double>(value) / static_cast<double>(kNanosPerMilli));
}

Napi::Object write_stage(Napi::Env env, const StageReport& report) {
  Napi::Object object = Napi::Object::New(env);
  set(object, "visits", static_cast<double>(report.visits));
  set(object, "batches", static_cast<double>(report.batches));
  set(object, "utilization", report.utilization);
  set_ms(object, "queueP99Ms", report.queue_p99);
  set(object, "waitingRows", static_cast<double>(report.waiting));
  set(object, "replicas", static_cast<double>(report.replicas));
  return object;
}

}  // namespace

SimulatedPipeline read_simulated_pipeline(const Napi::Object& spec) {
  SimulatedPipeline pipeline;
  each(spec, "stages", [&](const Napi::Value& value) {
    pipeline.stages.push_back(read_stage(value.As<Napi::Object>()));
  });
  each(spec, "paths", [&](const Napi::Value& value) {
    pipeline.paths.push_back(read_path(value.As<Napi::Object>()));
  });
  pipeline.request_overhead = read_ms(spec, "requestMs");
  pipeline.loop_overhead = read_ms(spec, "loopMs");
  pipeline.answer_overhead = read_ms(spec, "answerMs");
  pipeline.cores.count = static_cast<std::uint32_t>(number(spec, "cores"));
  pipeline.cores.slice = read_ms(spec, "sliceMs");
  each(spec, "slowdown", [&](const Napi::Value& value) {
    pipeline.slowdown.push_back(value.As<Napi::Number>().DoubleValue());
  });
  each(spec, "deviceSlowdowns", [&](const Napi::Value& value) {
    std::vector<double>& slowdown = pipeline.device_slowdowns.emplace_back();
    const auto list = value.As<Napi::Array>();
    for (std::uint32_t i = 0; i < list.Length(); ++i)
      slowdown.push_back(Napi::Value(list.Get(i)).As<Napi::Number>().DoubleValue());
  });
  return pipeline;
}

std::vector<Nanos> read_arrivals(const Napi::Object& spec) {
  const auto arrivals = spec.Get("arrivalsMs").As<Napi::Float64Array>();
  std::vector<Nanos> nanos(arrivals.ElementLength());
  const double* const ms = arrivals.Data();
  for (std::size_t i = 0; i < nanos.size(); ++i) nanos[i] = to_nanos(ms[i]);
  return nanos;
}

std::vector<std::uint32_t> read_numbers(const Napi::Object& spec) {
  const auto numbers = spec.Get("numbers").As<Napi::Uint32Array>();
  return {numbers.Data(), numbers.Data() + numbers.ElementLength()};
}

SimulatedService read_service(const Napi::Object& object) {
  SimulatedService service;
  service.latency = read_latency(object);
  each(object, "spread", [&](const Napi::Value& value) {
    service.spread.push_back(value.As<Napi::Number>().DoubleValue());
  });
  service.hop_overhead = read_ms(object, "hopMs");
  service.wake_overhead = read_ms(object, "wakeMs");
  service.threads = static_cast<std::uint32_t>(number(object, "threads"));
  service.device = static_cast<std::uint32_t>(number(object, "device"));
  service.max_batch = static_cast<std::size_t>(number(object, "maxBatch"));
  service.max_delay = read_ms(object, "maxDelayMs");
  return service;
}

Napi::Object write_report(Napi::Env env, const SimulationReport& report, Nanos now) {
  Napi::Object object = Napi::Object::New(env);
  set_ms(object, "nowMs", now);
  set(object, "arrived", static_cast<double>(report.arrived));
  set(object, "finished", static_cast<double>(report.finished));
  set(object, "late", static_cast<double>(report.late));
  set_ms(object, "p50Ms", report.p50);
  set_ms(object, "p95Ms", report.p95);
  set_ms(object, "p99Ms", report.p99);
  set_ms(object, "maxMs", report.max);
  Napi::Array stages = Napi::Array::New(env, report.stages.size());
  for (std::uint32_t i = 0; i < report.stages.size(); ++i) {
    stages.Set(i, write_stage(env, report.stages[i]));
  }
  object.Set("stages", stages);
  return object;
}

}  // namespace millrace
